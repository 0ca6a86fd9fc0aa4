package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// maxURL is the longest path and the longest query that are signed, in bytes.
// Sorting a query costs more than hashing it, and comes before we know the caller.
const maxURL = 8 << 10

// signature returns the signature of r for the scope, the signed headers and the
// time of a, with payload the hash of the body. It reports false for a request
// that has no canonical form.
//
// The canonical request and the string to sign are built in one buffer on the
// stack; a longer request moves it to the heap.
func signature(r *Request, a *Authorization, payload [sha256.Size]byte, key *Key) (sum [sha256.Size]byte, ok bool) {
	var room [1536]byte
	buf, ok := appendCanonical(room[:0], r, a.SignedHeaders, payload)
	if !ok {
		return sum, false
	}
	digest := sha256.Sum256(buf)
	buf = append(buf[:0], algorithm+"\n"...)
	buf = append(buf, a.stamp...)
	buf = append(buf, '\n')
	buf = a.appendScope(buf)
	buf = append(buf, '\n')
	buf = hex.AppendEncode(buf, digest[:])
	return key.mac(buf), true
}

// appendCanonical appends the canonical request. A newline ends every field but
// the last, so no field may hold one: the path and the query are encoded, names
// are tokens, and values, the host and the method are checked.
func appendCanonical(dst []byte, r *Request, names []string, payload [sha256.Size]byte) ([]byte, bool) {
	if !isToken(r.Method) || r.Host == "" || len(r.EscapedPath) > maxURL || len(r.RawQuery) > maxURL {
		return dst, false
	}
	dst = append(dst, r.Method...)
	dst = append(dst, '\n')
	dst = appendPath(dst, r.EscapedPath)
	dst = append(dst, '\n')
	dst, ok := appendQuery(dst, r.RawQuery)
	if !ok {
		return dst, false
	}
	dst = append(dst, '\n')
	for _, name := range names {
		dst = append(dst, name...)
		dst = append(dst, ':')
		if name == "host" {
			dst, ok = appendValue(dst, r.Host)
		} else {
			dst, ok = appendValues(dst, lookup(r.Header, name))
		}
		if !ok {
			return dst, false
		}
		dst = append(dst, '\n')
	}
	dst = append(dst, '\n')
	dst = appendJoined(dst, names)
	dst = append(dst, '\n')
	return hex.AppendEncode(dst, payload[:]), true
}

// appendJoined appends the names with semicolons between them.
func appendJoined(dst []byte, names []string) []byte {
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ';')
		}
		dst = append(dst, name...)
	}
	return dst
}

// appendPath appends the canonical path: empty and dot segments removed, then
// every byte encoded that is not unreserved. A path that came escaped is thus
// escaped twice, which is the rule of every service but S3.
func appendPath(dst []byte, path string) []byte {
	if path == "" || path == "/" {
		return append(dst, '/')
	}
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, segment)
		}
	}
	if path[0] == '/' {
		dst = append(dst, '/')
	}
	for i, segment := range kept {
		if i > 0 {
			dst = append(dst, '/')
		}
		for j := range len(segment) {
			dst = appendEncoded(dst, segment[j])
		}
	}
	if len(kept) > 0 && path[len(path)-1] == '/' {
		dst = append(dst, '/')
	}
	return dst
}

// appendQuery appends the parameters, encoded and then sorted by name and value.
// It reports false for a percent sign without two hex digits. A plus sign is a
// space, as in net/url, so that signer and handler read the same value.
func appendQuery(dst []byte, query string) ([]byte, bool) {
	if query == "" {
		return dst, true
	}
	type param struct{ name, value string }
	var params []param
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, ok1 := recode(name)
		v, ok2 := recode(value)
		if !ok1 || !ok2 {
			return dst, false
		}
		params = append(params, param{n, v})
	}
	slices.SortFunc(params, func(a, b param) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	for i, p := range params {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, p.name...)
		dst = append(dst, '=')
		dst = append(dst, p.value...)
	}
	return dst, true
}

// recode decodes a query's name or value and encodes it in the one canonical way.
func recode(s string) (string, bool) {
	dst := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			dst = append(dst, "%20"...)
		case '%':
			var b [1]byte
			if len(s)-i < 3 {
				return "", false
			}
			if _, err := hex.Decode(b[:], []byte(s[i+1:i+3])); err != nil {
				return "", false
			}
			dst = appendEncoded(dst, b[0])
			i += 2
		default:
			dst = appendEncoded(dst, c)
		}
	}
	return string(dst), true
}

// appendEncoded appends a byte, percent-encoded unless it is unreserved (RFC 3986).
func appendEncoded(dst []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	if isAlnum(c) || c == '-' || c == '.' || c == '_' || c == '~' {
		return append(dst, c)
	}
	return append(dst, '%', digits[c>>4], digits[c&15])
}

// appendValues appends the values of one header, joined by commas. It reports
// false for none: an absent header must not look like an empty one.
func appendValues(dst []byte, values []string) ([]byte, bool) {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		var ok bool
		if dst, ok = appendValue(dst, v); !ok {
			return dst, false
		}
	}
	return dst, len(values) > 0
}

// appendValue appends a value without the spaces around it and with runs of
// spaces made one. It reports false for a line break or a NUL, which HTTP forbids.
func appendValue(dst []byte, v string) ([]byte, bool) {
	if strings.ContainsAny(v, "\r\n\x00") {
		return dst, false
	}
	v = strings.Trim(v, " \t")
	for {
		i := strings.Index(v, "  ")
		if i < 0 {
			return append(dst, v...), true
		}
		dst = append(dst, v[:i+1]...)
		v = strings.TrimLeft(v[i:], " ")
	}
}

// lookup returns the values of a header by its lower-case name. It builds the
// key on the stack, where http.Header.Values would allocate one.
func lookup(h http.Header, name string) []string {
	var room [64]byte
	if len(name) > len(room) {
		return h[http.CanonicalHeaderKey(name)]
	}
	key := room[:len(name)]
	start := true
	for i := range len(name) {
		key[i] = name[i]
		if start {
			key[i] = upper(name[i])
		}
		start = name[i] == '-'
	}
	return h[string(key)]
}

// isAmz reports whether a header's key begins with X-Amz-, in any case.
func isAmz(key string) bool {
	return len(key) >= 6 && equalLower("x-amz-", key[:6])
}

// isCanonicalKey reports whether the key is spelled as net/http spells it.
func isCanonicalKey(key string) bool {
	start := true
	for i := range len(key) {
		c := key[i]
		if start && c != upper(c) || !start && c != lower(c) {
			return false
		}
		start = c == '-'
	}
	return true
}

// equalLower reports whether s, of lower-case ASCII, is t of the same length in
// lower case.
func equalLower(s, t string) bool {
	for i := range len(s) {
		if s[i] != lower(t[i]) {
			return false
		}
	}
	return true
}

// isLowerToken reports whether s is a header name (RFC 9110) in lower case.
func isLowerToken(s string) bool {
	for i := range len(s) {
		if s[i] != lower(s[i]) {
			return false
		}
	}
	return isToken(s)
}

// isToken reports whether s is a token (RFC 9110).
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '-' && strings.IndexByte("!#$%&'*+.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}
