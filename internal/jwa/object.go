package jwa

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4/json"
)

// maxNesting is how deep arrays and objects of a token or a key set may nest.
const maxNesting = 16

// parseObject reads a JSON object (RFC 8259) strictly: invalid UTF-8, half surrogates,
// a name twice in any object, and text after the object are refused, so that no other
// reader can see another object. Whole numbers are int64, others float64.
func parseObject(raw []byte) (map[string]any, error) {
	if !utf8.Valid(raw) {
		return nil, malformed("The JSON is not valid UTF-8.")
	}
	// go-jose's copy of encoding/json refuses names that are there twice and does not
	// fold their case.
	d := json.NewDecoder(bytes.NewReader(raw))
	d.SetNumberType(json.UnmarshalIntOrFloat)
	var object map[string]any
	if err := d.Decode(&object); err != nil || object == nil {
		return nil, malformed("The JSON is not an object, or has a name twice.")
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, malformed("The JSON has text after the object.")
	}
	return object, checkValue(object, maxNesting)
}

// checkValue refuses deep nesting and U+FFFD, which is what the decoder makes of half a
// surrogate pair: two different texts would become one.
func checkValue(value any, depth int) error {
	if depth < 0 {
		return malformed("The JSON is nested too deeply.")
	}
	switch v := value.(type) {
	case string:
		if strings.ContainsRune(v, utf8.RuneError) {
			return malformed("The JSON has a string that is not Unicode.")
		}
	case []any:
		for _, e := range v {
			if err := checkValue(e, depth-1); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, e := range v {
			if err := checkValue(name, 0); err != nil {
				return err
			}
			if err := checkValue(e, depth-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// stringMember returns a member that has to be a string when it is there.
func stringMember(object map[string]any, name string) (string, error) {
	value, ok := object[name]
	if !ok {
		return "", nil
	}
	s, ok := value.(string)
	if !ok {
		return "", malformed("The member " + name + " is not a string.")
	}
	return s, nil
}

// stringsMember returns a member that has to be a string or an array of strings (RFC
// 7519 section 4.1.3) when it is there.
func stringsMember(object map[string]any, name string) ([]string, error) {
	var list []string
	switch v := object[name].(type) {
	case string:
		return []string{v}, nil
	case []any:
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, malformed("The member " + name + " is not an array of strings.")
			}
			list = append(list, s)
		}
		return list, nil
	}
	if _, ok := object[name]; ok {
		return nil, malformed("The member " + name + " is neither a string nor an array of strings.")
	}
	return nil, nil
}

// maxNumericDate is the last second of the year 9999.
const maxNumericDate = 253402300799

// timeMember returns a member that has to be a NumericDate (RFC 7519 section 2) when it
// is there: seconds since 1970, possibly with a fraction. The zero time is absence.
func timeMember(object map[string]any, name string) (time.Time, error) {
	var seconds, fraction float64
	switch v := object[name].(type) {
	case int64:
		seconds = float64(v)
	case float64:
		seconds, fraction = math.Modf(v)
	default:
		if _, ok := object[name]; ok {
			return time.Time{}, malformed("The claim " + name + " is not a number.")
		}
		return time.Time{}, nil
	}
	if !(seconds >= 1 && seconds <= maxNumericDate) {
		return time.Time{}, malformed("The claim " + name + " is not a time.")
	}
	return time.Unix(int64(seconds), int64(fraction*1e9)).UTC(), nil
}
