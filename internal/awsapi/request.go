package awsapi

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"tacet"
)

// checkTarget refuses every request that is not POST to exactly "/". A path that two
// readers could read differently is refused in another way than one that is not there,
// before anything else is looked at.
func checkTarget(r *http.Request) error {
	path := r.RequestURI
	if path == "" { // a request made in the process
		path = r.URL.EscapedPath()
	}
	path, _, _ = strings.Cut(path, "?")
	path = withoutOrigin(path)
	switch {
	case path == "/":
	case ambiguous(path):
		return errBadPath
	default:
		return errNoSuchPath
	}
	if r.Method != http.MethodPost {
		return errBadMethod
	}
	return nil
}

// withoutOrigin returns the path of a target in absolute form, "http://host/path", which
// a server has to accept (RFC 9112 section 3.2.2); any other target is returned as it
// is. The host that is named so is the one net/http reports and the one that is signed.
// User information, which no request has, leaves the target as it is and so no path.
func withoutOrigin(target string) string {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return target
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 1 || strings.ContainsAny(rest[:slash], "@\\") {
		return target
	}
	return rest[slash:]
}

// ambiguous reports whether a path has dot segments, empty segments, parameters, a
// backslash, control characters, or escapes of any of these; or is none.
func ambiguous(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.ContainsAny(path, "\\;") {
		return true
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	for i := range len(path) {
		if path[i] < ' ' || path[i] == 0x7f {
			return true
		}
		if path[i] != '%' {
			continue
		}
		escape := strings.ToLower(path[i+1 : min(i+3, len(path))])
		if len(escape) < 2 || escape[0] <= '1' {
			return true
		}
		switch escape {
		case "25", "2e", "2f", "3b", "5c", "7f":
			return true
		}
	}
	return false
}

// isForm reports whether the body is a form, as in the Query protocol.
func isForm(r *http.Request) bool {
	mime, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mime), "application/x-www-form-urlencoded") &&
		len(r.Header["X-Amz-Target"]) == 0
}

// read reads the body into the exchange's buffer, at most [maxBody] bytes of it.
func (x *exchange) read() error {
	// The signature covers the body, so nobody is authenticated yet: what is held grows
	// with what arrives, not with what is announced.
	if size := x.r.ContentLength; size >= 0 && size <= max(trusted, int64(cap(x.buffer))) {
		if int64(cap(x.buffer)) < size {
			x.buffer = make([]byte, trusted)
		}
		x.body = x.buffer[:size]
		_, err := io.ReadFull(x.r.Body, x.body)
		return unread(err)
	}
	// What was read moves to a larger buffer when it must, and
	// nothing of it stays in the smaller one.
	src := http.MaxBytesReader(x.w, x.r.Body, maxBody)
	x.body = x.buffer[:0]
	for {
		if len(x.body) == cap(x.body) {
			x.buffer = make([]byte, 2*cap(x.body)+4096)
			old := x.body
			x.body = x.buffer[:copy(x.buffer, old)]
			clear(old)
		}
		n, err := src.Read(x.body[len(x.body):cap(x.body)])
		x.body = x.body[:len(x.body)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return unread(err)
		}
	}
}

// trusted is how long a body may be for its announced length to be believed.
const trusted = 16 << 10

// unread translates an error of reading the body.
func unread(err error) error {
	var tooLarge *http.MaxBytesError
	if err == nil {
		return nil
	}
	if errors.As(err, &tooLarge) {
		return errTooLarge
	}
	return errBodyUnread
}

// newRequestID makes a UUID of version 4 (RFC 9562).
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[0:], b[:4])
	hex.Encode(s[9:], b[4:6])
	hex.Encode(s[14:], b[6:8])
	hex.Encode(s[19:], b[8:10])
	hex.Encode(s[24:], b[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// newCall describes the circumstances of a verified request.
func newCall(r *http.Request, caller tacet.Caller, region string) tacet.Call {
	call := tacet.Call{
		Caller:    caller,
		Account:   caller.Account,
		Region:    region,
		Face:      "aws",
		SourceIP:  sourceIP(r.RemoteAddr),
		UserAgent: userAgent(r.Header.Get("User-Agent")),
	}
	if r.TLS != nil {
		// "TLS 1.3" is CloudTrail's "TLSv1.3".
		call.TLS = strings.Replace(tls.VersionName(r.TLS.Version), "TLS ", "TLSv", 1)
		call.Cipher = tls.CipherSuiteName(r.TLS.CipherSuite)
		call.Host = r.TLS.ServerName
	}
	return call
}

// sourceIP takes the port and the zone off the peer's address. X-Forwarded-For is not
// looked at: anyone can send it.
func sourceIP(addr string) string {
	if i := strings.LastIndexByte(addr, ':'); i >= 0 {
		addr = addr[:i]
	}
	addr = strings.TrimPrefix(addr, "[")
	addr = strings.TrimSuffix(addr, "]")
	addr, _, _ = strings.Cut(addr, "%")
	return addr
}

// maxUserAgent is how much of a User-Agent is recorded, in bytes.
const maxUserAgent = 512

// userAgent returns what is fit for a record: no control characters, valid UTF-8.
func userAgent(s string) string {
	if len(s) > maxUserAgent {
		s = s[:maxUserAgent]
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return strings.Map(func(r rune) rune {
				if r < ' ' || r == 0x7f || r == utf8.RuneError || r >= 0x80 && r < 0xa0 {
					return -1
				}
				return r
			}, s)
		}
	}
	return s
}
