package tacet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// recordTime is RFC 3339 in UTC with microseconds always written, so that equal
// times are equal bytes.
const recordTime = "2006-01-02T15:04:05.000000Z"

// unrecorded stands for a parameter that has no form in a record, a [Plaintext] for one.
const unrecorded = "[unrecorded]"

// AppendJSON appends the stored form of r to dst: one JSON object on one line, the
// bytes that are hashed into the tree. The same record always gives the same bytes.
//
// It is written by hand because it runs once per request. Nothing that a client
// sent can break out of its string: see [AppendJSONValue].
func (r *Record) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendJSONString(dst, r.ID)
	dst = append(dst, `,"t":"`...)
	dst = representable(r.Time.UTC()).AppendFormat(dst, recordTime)
	dst = append(dst, '"')
	dst = appendOptional(dst, `,"req":`, r.RequestID)
	dst = appendJSONString(append(dst, `,"face":`...), r.Face)
	dst = appendJSONString(append(dst, `,"op":`...), string(r.Operation))
	dst = appendTrue(dst, `,"ro":true`, r.ReadOnly)
	dst = appendTrue(dst, `,"event":true`, r.Event)

	dst = appendJSONString(append(dst, `,"kind":`...), string(r.CallerKind))
	dst = appendJSONString(append(dst, `,"caller":`...), r.Caller)
	dst = appendOptional(dst, `,"cid":`, r.CallerID)
	dst = appendOptional(dst, `,"cname":`, r.CallerName)
	dst = appendOptional(dst, `,"cacct":`, r.CallerAcct)
	dst = appendOptional(dst, `,"key":`, r.AccessKey)
	dst = appendOptional(dst, `,"role":`, r.Role)
	if !r.SessionStart.IsZero() {
		dst = append(dst, `,"since":"`...)
		dst = append(representable(r.SessionStart.UTC()).AppendFormat(dst, recordTime), '"')
	}
	dst = appendOptional(dst, `,"src":`, r.SourceIdentity)
	dst = appendOptional(dst, `,"ip":`, r.SourceIP)
	dst = appendOptional(dst, `,"ua":`, r.UserAgent)
	dst = appendOptional(dst, `,"tls":`, r.TLS)
	dst = appendOptional(dst, `,"cipher":`, r.Cipher)
	dst = appendOptional(dst, `,"host":`, r.Host)
	dst = appendOptional(dst, `,"base":`, r.Base)
	dst = appendOptional(dst, `,"path":`, r.Path)
	dst = appendOptional(dst, `,"api":`, r.APIVersion)

	dst = appendOptional(dst, `,"acct":`, r.Account)
	dst = appendOptional(dst, `,"region":`, r.Region)
	dst = appendOptional(dst, `,"vault":`, r.Vault)
	dst = appendOptional(dst, `,"res":`, r.Resource)
	if len(r.Parameters) > 0 {
		dst = appendJSONMap(append(dst, `,"params":`...), r.Parameters)
	}
	if len(r.Response) > 0 {
		dst = appendJSONMap(append(dst, `,"resp":`...), r.Response)
	}
	dst = appendJSONString(append(dst, `,"outcome":`...), r.Outcome)
	dst = appendOptional(dst, `,"reason":`, r.Reason)
	dst = appendOptional(dst, `,"policy":`, r.Policy)
	dst = appendOptional(dst, `,"error":`, string(r.Error))
	if len(r.Why) > 0 {
		dst = appendOther(append(dst, `,"why":`...), r.Why)
	}
	return append(dst, '}')
}

// representable replaces a time that RFC 3339 cannot write by the zero time: a record
// must be readable whatever the clock says.
func representable(t time.Time) time.Time {
	if y := t.Year(); y < 0 || y > 9999 {
		return time.Time{}
	}
	return t
}

// ParseRecord reads the stored form. Seq is not part of it and is left zero. The
// values of Parameters and Response come back as the types they were written from:
// string, bool, int64, []string, []Tag and []Filter; a number that is not whole is a float64
// and an empty list a []string.
func ParseRecord(body []byte) (*Record, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber() // a float64 would round large integers
	r := new(Record)
	if err := dec.Decode(r); err != nil {
		return nil, fmt.Errorf("tacet: record: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || body[0] != '{' {
		return nil, errors.New("tacet: record: not one JSON object")
	}
	restoreMap(r.Parameters)
	restoreMap(r.Response)
	return r, nil
}

// AppendJSONValue appends v as JSON on one line, the keys of maps sorted. Strings are
// written so that no reader of lines or terminal can be misled by what they hold:
// control characters, line separators and the marks that reorder text are escaped,
// and bytes that are not UTF-8 become U+FFFD. A value that cannot be encoded, a
// [Plaintext] above all, is replaced by a mark.
func AppendJSONValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case string:
		return appendJSONString(dst, v)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(dst, "null"...)
		}
		if v == 0 {
			v = 0 // the negative zero is read back as an integer, which has none
		}
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	case json.Number:
		if !json.Valid([]byte(v)) || v[0] != '-' && (v[0] < '0' || v[0] > '9') {
			return appendJSONString(dst, unrecorded)
		}
		return append(dst, v...)
	case []string:
		return appendJSONList(dst, v, appendJSONString)
	case []Tag:
		return appendJSONList(dst, v, appendTag)
	case []Filter:
		return appendJSONList(dst, v, appendFilter)
	case []any:
		return appendJSONList(dst, v, AppendJSONValue)
	case map[string]any:
		return appendJSONMap(dst, v)
	}
	return appendOther(dst, v)
}

// appendOther takes the way through encoding/json, for the types nobody should put
// into a record but somebody will; what it gives is written by the rules above.
func appendOther(dst []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return appendJSONString(dst, unrecorded)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var plain any
	if err := dec.Decode(&plain); err != nil {
		return appendJSONString(dst, unrecorded)
	}
	return AppendJSONValue(dst, plain)
}

func appendTag(dst []byte, t Tag) []byte {
	dst = appendJSONString(append(dst, `{"k":`...), t.Key)
	dst = appendJSONString(append(dst, `,"v":`...), t.Value)
	return append(dst, '}')
}

// appendFilter writes a filter under the names of the request, as CloudTrail shows it.
func appendFilter(dst []byte, f Filter) []byte {
	dst = appendJSONString(append(dst, `{"key":`...), f.Key)
	dst = appendJSONList(append(dst, `,"values":`...), f.Values, appendJSONString)
	return append(dst, '}')
}

func appendJSONList[T any](dst []byte, list []T, element func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, e := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = element(dst, e)
	}
	return append(dst, ']')
}

func appendJSONMap(dst []byte, m map[string]any) []byte {
	var few [16]string // on the stack: requests have few parameters
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	dst = append(dst, '{')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSONString(dst, k)
		dst = append(dst, ':')
		dst = AppendJSONValue(dst, m[k])
	}
	return append(dst, '}')
}

func appendOptional(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendJSONString(append(dst, name...), value)
}

func appendTrue(dst []byte, text string, value bool) []byte {
	if value {
		return append(dst, text...)
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// plain marks the ASCII characters that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// PlainLen returns the length of a beginning of s that stands for itself in a JSON string
// (RFC 8259 section 7) and has no control character: all of s but its last few bytes, as a
// rule. It looks at eight bytes at once.
func PlainLen[T string | []byte](s T) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		// A byte less than n has its high bit set by subtracting n, and the byte n itself by
		// subtracting 1 from its difference to n, which is 0. A borrow from a byte reaches the
		// next one only where that byte was one of these.
		if (x|(x-' '*ones)|((x^'"'*ones)-ones)|((x^'\\'*ones)-ones)|((x^0x7f*ones)-ones))&high != 0 {
			break
		}
	}
	return i
}

func appendJSONString(dst []byte, s string) []byte {
	i := PlainLen(s)
	for i < len(s) && plain[s[i]] {
		i++
	}
	dst = append(dst, '"')
	if i == len(s) { // nearly always
		return append(append(dst, s...), '"')
	}
	return appendEscaped(dst, s, i)
}

// appendEscaped is the rest of appendJSONString, from the first character at i that is
// not plain.
func appendEscaped(dst []byte, s string, i int) []byte {
	start := 0 // of what is not yet copied
	for i < len(s) {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
			if !(r == utf8.RuneError && size == 1) && !misleading(r) {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		if c == '"' || c == '\\' {
			dst = append(dst, '\\', c)
		} else {
			// Every escaped rune is below U+10000.
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		}
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// misleading reports whether a rune beyond ASCII ends a line, moves a terminal's
// cursor or reorders the text around it (Unicode Bidi_Control), so that a log would
// read otherwise than it was written.
func misleading(r rune) bool {
	switch {
	case r <= 0x9f, // C1 controls; ASCII never comes here
		r == 0x061c, r == 0x200e, r == 0x200f,
		r >= 0x2028 && r <= 0x202e,
		r >= 0x2066 && r <= 0x2069,
		r == 0xfeff:
		return true
	}
	return false
}

// restoreMap turns what encoding/json made of the values back into what was written.
func restoreMap(m map[string]any) {
	for k, v := range m {
		m[k] = restore(v)
	}
}

func restore(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return i
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v // beyond float64: kept as its text
	case map[string]any:
		restoreMap(v)
	case []any:
		return restoreList(v)
	}
	return v
}

func restoreList(list []any) any {
	texts := make([]string, 0, len(list))
	tags := make([]Tag, 0, len(list))
	filters := make([]Filter, 0, len(list))
	for i, e := range list {
		list[i] = restore(e)
		switch e := list[i].(type) {
		case string:
			texts = append(texts, e)
		case map[string]any:
			key, ok1 := e["k"].(string)
			value, ok2 := e["v"].(string)
			if ok1 && ok2 && len(e) == 2 {
				tags = append(tags, Tag{key, value})
			}
			name, ok1 := e["key"].(string)
			values, ok2 := e["values"].([]string)
			if ok1 && ok2 && len(e) == 2 {
				filters = append(filters, Filter{name, values})
			}
		}
	}
	switch len(list) {
	case len(texts):
		return texts
	case len(tags):
		return tags
	case len(filters):
		return filters
	}
	return list
}
