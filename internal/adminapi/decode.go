package adminapi

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of a request's JSON beside its size in bytes. The widest request is a user
// with fifty tags of two members.
const (
	maxDepth  = 8
	maxTokens = 1024
)

func badRequest(text string) *failure {
	return &failure{code: "InvalidRequest", status: 400, text: text}
}

// The texts never quote the body.
var (
	errBadJSON      = badRequest("The request body is not a JSON object.")
	errBadUTF8      = badRequest("The request body is not valid UTF-8.")
	errBadSize      = badRequest("The request body has too many elements or is nested too deeply.")
	errBadDuplicate = badRequest("The request body has a member twice.")
	errBadMember    = badRequest("The request body has a member this operation does not know.")
	errBadType      = badRequest("A member of the request body has the wrong type.")
)

// decode reads body, one JSON object, into v and is strict: a member that v does not
// have, a member given twice and anything after the object are refused. An empty body
// is an empty object.
//
// encoding/json takes the last of two equal names and does not mind the case of
// letters. So the names are looked at first: they are of lower-case letters only,
// which makes the names of one object differ for it whenever they differ for us.
func decode(body []byte, v any) error {
	if len(body) == 0 {
		return nil
	}
	if !utf8.Valid(body) {
		return errBadUTF8
	}
	if err := checkShape(body); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	switch {
	case err == nil:
		return nil
	case strings.HasPrefix(err.Error(), "json: unknown field"): // there is no type for it
		return errBadMember
	}
	return errBadType // the syntax was checked already
}

// A level is an object or an array that is open.
type level struct {
	names map[string]bool // nil for an array
	value bool            // in an object: a value comes next, not a name
}

// checkShape reads the tokens of body: one object, not too large and not too deep,
// whose objects name every member once and in lower-case letters.
func checkShape(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var open []level
	for n := 0; ; n++ {
		t, err := d.Token()
		if err != nil || n == 0 && t != json.Delim('{') {
			return errBadJSON
		}
		if n >= maxTokens {
			return errBadSize
		}
		if open, err = step(open, t); err != nil {
			return err
		}
		if len(open) == 0 {
			break
		}
	}
	if _, err := d.Token(); err != io.EOF {
		return errBadJSON
	}
	return nil
}

// step takes one token into account and returns what is open after it.
func step(open []level, t json.Token) ([]level, error) {
	if t == json.Delim('}') || t == json.Delim(']') {
		return open[:len(open)-1], nil
	}
	if len(open) > 0 {
		if top := &open[len(open)-1]; top.names != nil {
			if !top.value {
				name, _ := t.(string)
				if !lowerCase(name) {
					return open, errBadMember
				}
				if top.names[name] {
					return open, errBadDuplicate
				}
				top.names[name] = true
				top.value = true
				return open, nil
			}
			top.value = false
		}
	}
	switch t {
	case json.Delim('{'):
		open = append(open, level{names: map[string]bool{}})
	case json.Delim('['):
		open = append(open, level{})
	}
	if len(open) > maxDepth {
		return open, errBadSize
	}
	return open, nil
}

func lowerCase(s string) bool {
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return s != ""
}
