package awsapi

import (
	"encoding/base64"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/sigv4"
)

// An encoder appends one JSON answer to a buffer that is used again and again.
//
// Absent members are omitted, never null and never empty. This is the one file of the
// face that reveals a value, and room the one place where the buffer grows, so that no
// copy of a value stays behind in a buffer that was too small.
type encoder struct{ b []byte }

// reset empties the buffer and overwrites what it held.
func (e *encoder) reset() {
	clear(e.b)
	e.b = e.b[:0]
}

// room makes place for n more bytes.
func (e *encoder) room(n int) {
	if cap(e.b)-len(e.b) >= n {
		return
	}
	old := e.b
	e.b = append(make([]byte, 0, 2*cap(old)+n), old...)
	clear(old)
}

func (e *encoder) raw(s string) {
	e.room(len(s))
	e.b = append(e.b, s...)
}

// sep puts a comma between two elements: behind anything but an opening bracket. (A
// bracket that is part of a string is followed by a quote.)
func (e *encoder) sep() {
	if n := len(e.b); n > 0 {
		switch e.b[n-1] {
		case '{', '[', ':':
		default:
			e.raw(",")
		}
	}
}

// name begins a member. The names are ours and need no escapes.
func (e *encoder) name(name string) {
	e.sep()
	e.room(len(name) + 3)
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, '"', ':')
}

// open begins an object or an array, as an element or as the value of a member.
func (e *encoder) open(bracket string) {
	e.sep()
	e.raw(bracket)
}

// text writes a string member.
func (e *encoder) text(name, s string) {
	e.name(name)
	quote(e, s)
}

// optional writes a string member that is left out when empty.
func (e *encoder) optional(name, s string) {
	if s != "" {
		e.text(name, s)
	}
}

func (e *encoder) flag(name string, on bool) {
	e.name(name)
	e.raw(strconv.FormatBool(on))
}

// time writes a time as seconds since 1970 with up to three decimals, and leaves out
// the zero time.
func (e *encoder) time(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	e.name(name)
	e.room(24)
	ms := t.UnixMilli()
	e.b = strconv.AppendInt(e.b, ms/1000, 10)
	if ms %= 1000; ms > 0 {
		e.b = append(e.b, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
		for e.b[len(e.b)-1] == '0' {
			e.b = e.b[:len(e.b)-1]
		}
	}
}

// day writes a time as time does, at the beginning of its day.
func (e *encoder) day(name string, t time.Time) {
	if !t.IsZero() {
		e.time(name, t.UTC().Truncate(24*time.Hour))
	}
}

// stages writes a list of labels, left out when there are none.
func (e *encoder) stages(name string, stages []tacet.Stage) {
	if len(stages) == 0 {
		return
	}
	e.name(name)
	e.open("[")
	for _, s := range stages {
		e.sep()
		quote(e, string(s))
	}
	e.raw("]")
}

// stagesByVersion writes which labels each version has, the versions in the order of
// their labels; left out when there are none.
func (e *encoder) stagesByVersion(name string, s *tacet.Secret) {
	if len(s.Stages) == 0 {
		return
	}
	labels := make([]tacet.Stage, 0, len(s.Stages))
	for l := range s.Stages {
		labels = append(labels, l)
	}
	slices.Sort(labels)
	e.name(name)
	e.open("{")
	for i, l := range labels {
		id := s.Stages[l]
		if slices.ContainsFunc(labels[:i], func(l tacet.Stage) bool { return s.Stages[l] == id }) {
			continue // written with its first label
		}
		e.sep()
		quote(e, string(id))
		e.raw(":[")
		for _, l := range labels[i:] {
			if s.Stages[l] == id {
				e.sep()
				quote(e, string(l))
			}
		}
		e.raw("]")
	}
	e.raw("}")
}

// tags writes a secret's tags: left out for a secret that was never tagged, an empty
// list for one whose last tag was removed.
func (e *encoder) tags(tags []tacet.Tag) {
	if tags == nil {
		return
	}
	e.name("Tags")
	e.open("[")
	for _, t := range tags {
		e.open("{")
		e.text("Key", t.Key)
		e.text("Value", t.Value)
		e.raw("}")
	}
	e.raw("]")
}

// value writes the value of a version.
func (e *encoder) value(kind tacet.ValueKind, p tacet.Plaintext) {
	if kind != tacet.ValueBinary {
		e.name("SecretString")
		quote(e, p.Reveal())
		return
	}
	e.name("SecretBinary")
	b := p.Reveal()
	e.room(base64.StdEncoding.EncodedLen(len(b)) + 2)
	e.b = append(e.b, '"')
	e.b = base64.StdEncoding.AppendEncode(e.b, b)
	e.b = append(e.b, '"')
}

// password writes the answer of GetRandomPassword.
func (e *encoder) password(p tacet.Plaintext) {
	e.open("{")
	e.name("RandomPassword")
	quote(e, p.Reveal())
	e.raw("}")
}

const hexDigits = "0123456789abcdef"

// quote appends s as a JSON string (RFC 8259 section 7): only what must be escaped is.
// What is not UTF-8 becomes U+FFFD, so that an answer is always valid JSON; no value
// and no name that came through a face is such.
func quote[T string | []byte](e *encoder, s T) {
	e.room(quotedLen(s))
	b := append(e.b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			b = appendEscape(b, c)
			i++
			start = i
			continue
		}
		r, width := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		if r == utf8.RuneError && width == 1 {
			b = append(b, s[start:i]...)
			b = append(b, "\ufffd"...)
			start = i + 1
		}
		i += width
	}
	b = append(b, s[start:]...)
	e.b = append(b, '"')
}

// quotedLen returns at least the length of what quote appends.
func quotedLen[T string | []byte](s T) int {
	n := len(s) + 2
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ':
			n += 5
		case c == '"', c == '\\':
			n++
		case c >= utf8.RuneSelf:
			n += 2 // as if it were a byte that becomes U+FFFD
		}
	}
	return n
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// signingKey derives the key that a request must have been signed with. It stands in
// this file because a secret access key, too, is revealed here only.
func signingKey(secret tacet.Plaintext, a *sigv4.Authorization) sigv4.Key {
	return sigv4.DeriveKey(secret.Reveal(), a.Date, a.Region, a.Service)
}

// writeCredentials writes a session's credentials in XML: the one time that its secret
// is told.
func writeCredentials(e *encoder, c identity.Credentials) {
	e.within("Credentials", func() {
		e.element("AccessKeyId", c.AccessKey)
		e.element("SecretAccessKey", string(c.Secret.Reveal()))
		e.element("SessionToken", c.Token)
		e.date("Expiration", c.Expiration)
	})
}
