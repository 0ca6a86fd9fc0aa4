package wire

import (
	"strconv"
	"unicode/utf8"

	"tacet"
)

// An Encoder appends one JSON answer to a buffer that is used again and again.
//
// Absent members are omitted, never null. Room is the one place where the buffer grows, so
// that no copy of a value stays behind in a buffer that was too small.
type Encoder struct {
	// Buf is what was written so far. Whoever appends to it asks for Room before.
	Buf []byte
}

// Reset empties the buffer and overwrites what it held.
func (e *Encoder) Reset() {
	clear(e.Buf)
	e.Buf = e.Buf[:0]
	if cap(e.Buf) > maxKept {
		e.Buf = nil
	}
}

// Room makes place for n more bytes.
func (e *Encoder) Room(n int) {
	if cap(e.Buf)-len(e.Buf) >= n {
		return
	}
	old := e.Buf
	e.Buf = append(make([]byte, 0, 2*cap(old)+n), old...)
	clear(old)
}

// Raw appends s as it is.
func (e *Encoder) Raw(s string) {
	e.Room(len(s))
	e.Buf = append(e.Buf, s...)
}

// Sep puts a comma between two elements: behind anything but an opening bracket. (A
// bracket that is part of a string is followed by a quote.)
func (e *Encoder) Sep() {
	if n := len(e.Buf); n > 0 {
		switch e.Buf[n-1] {
		case '{', '[', ':':
		default:
			e.Raw(",")
		}
	}
}

// Name begins a member. The names are ours and need no escapes.
func (e *Encoder) Name(name string) {
	e.Sep()
	e.Room(len(name) + 3)
	e.Buf = append(e.Buf, '"')
	e.Buf = append(e.Buf, name...)
	e.Buf = append(e.Buf, '"', ':')
}

// Open begins an object or an array, as an element or as the value of a member.
func (e *Encoder) Open(bracket string) {
	e.Sep()
	e.Raw(bracket)
}

// Text writes a string member.
func (e *Encoder) Text(name, s string) {
	e.Name(name)
	Quote(e, s)
}

// Optional writes a string member that is left out when empty.
func (e *Encoder) Optional(name, s string) {
	if s != "" {
		e.Text(name, s)
	}
}

// Flag writes a boolean member.
func (e *Encoder) Flag(name string, on bool) {
	e.Name(name)
	e.Raw(strconv.FormatBool(on))
}

// Int writes a whole-number member.
func (e *Encoder) Int(name string, n int64) {
	e.Name(name)
	e.Room(20)
	e.Buf = strconv.AppendInt(e.Buf, n, 10)
}

const hexDigits = "0123456789abcdef"

// Quote appends s as a JSON string (RFC 8259 section 7): only what must be escaped is.
// What is not UTF-8 becomes U+FFFD, so that an answer is always valid JSON; no value
// and no name that came through a face is such.
func Quote[T string | []byte](e *Encoder, s T) {
	plain := tacet.PlainLen(s)
	e.Room(plain + quotedLen(s[plain:]))
	b := append(e.Buf, '"')
	start := 0
	for i := plain; i < len(s); {
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
	e.Buf = append(b, '"')
}

// quotedLen returns at least the length of what Quote appends.
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
