package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// locate returns the line and the column, from 1, at which the element of a [Finding]'s or
// a [SyntaxError]'s place begins in a text; of a text that is not JSON, where it ceases to
// be. It returns zeros when there is no telling. Columns count bytes.
func locate(text []byte, place string) (line, column int) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	l := locator{text: text, d: d, place: place, at: -1}
	var whole json.RawMessage
	if e, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(text, &whole)); ok {
		l.at = int(e.Offset) - 1
	} else if err := l.walk(""); err != nil {
		return 0, 0
	}
	if l.at < 0 || l.at > len(text) {
		return 0, 0
	}
	before := string(text[:l.at])
	return 1 + strings.Count(before, "\n"), l.at - strings.LastIndexByte(before, '\n')
}

type locator struct {
	text  []byte
	d     *json.Decoder
	place string
	at    int // where the element begins
}

// walk reads the value at a place, and stops where it is the one looked for.
func (l *locator) walk(place string) error {
	start := int(l.d.InputOffset())
	for start < len(l.text) && strings.IndexByte(" \t\r\n:,", l.text[start]) >= 0 {
		start++
	}
	if place == l.place && place != "" && l.at < 0 {
		l.at = start
		return nil
	}
	tok, err := l.d.Token()
	if err != nil {
		return err
	}
	delim, _ := tok.(json.Delim)
	for i := 0; delim != 0 && l.d.More(); i++ {
		inner := place + "[" + strconv.Itoa(i) + "]"
		if delim == '{' {
			key, err := l.d.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			inner = (&node{place: place}).member(name)
		}
		if err := l.walk(inner); err != nil || l.at >= 0 {
			return err
		}
	}
	if delim != 0 {
		_, err = l.d.Token()
	}
	return err
}
