package wire

import (
	"unicode/utf16"
	"unicode/utf8"
)

// checkEscapes refuses a string whose escapes are not good.
func (d *Decoder) checkEscapes(raw []byte) {
	for i := 0; i < len(raw) && !d.Failed(); {
		if raw[i] != '\\' {
			i++
			continue
		}
		r, width := escape(raw[i:])
		if width == 0 {
			d.fail(badSyntax)
		} else if utf16.IsSurrogate(r) {
			d.fail(badSurrogate)
		}
		i += width
	}
}

// unescape returns a copy of raw, whose escapes are good, with the escapes replaced.
func unescape(raw []byte) []byte {
	// What an escape stands for is never longer than the escape, so this never grows
	// and leaves no half copy of a value behind.
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		r, width := escape(raw[i:])
		out = utf8.AppendRune(out, r)
		i += width
	}
	return out
}

// escape reads the escape that raw begins with and returns its character and its
// width, 0 for one that is no escape. A pair of surrogates is one escape; a surrogate
// without its other half is returned as it is.
func escape(raw []byte) (r rune, width int) {
	if len(raw) < 2 {
		return 0, 0
	}
	switch raw[1] {
	case '"', '\\', '/':
		return rune(raw[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r, ok := hex4(raw[2:])
		if !ok {
			return 0, 0
		}
		if utf16.IsSurrogate(r) && len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' {
			if low, ok := hex4(raw[8:]); ok {
				if whole := utf16.DecodeRune(r, low); whole != utf8.RuneError {
					return whole, 12
				}
			}
		}
		return r, 6
	}
	return 0, 0
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
