package wire

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

// Why a body was not read.
var (
	ErrTooLarge = errors.New("the body is too large")
	ErrUnread   = errors.New("the body could not be read")
)

// A Body is the body of one request after another, in memory that is used again.
type Body struct {
	Bytes  []byte // of the request read last
	buffer []byte
}

// maxKept is the largest buffer kept for later requests, in bytes.
const maxKept = 128 << 10

// Reset forgets the body and overwrites what it held.
func (b *Body) Reset() {
	clear(b.Bytes)
	b.Bytes = nil
	if cap(b.buffer) > maxKept {
		b.buffer = nil
	}
}

// trusted is how long a body may be for its announced length to be believed.
const trusted = 16 << 10

// Read reads a request's body, at most limit bytes of it. What is held grows with what
// arrives, not with what is announced. The error is ErrTooLarge or ErrUnread.
func (b *Body) Read(w http.ResponseWriter, r *http.Request, limit int64) error {
	if r.ContentLength > limit {
		return ErrTooLarge
	}
	if size := r.ContentLength; size >= 0 && size <= max(trusted, int64(cap(b.buffer))) {
		if int64(cap(b.buffer)) < size {
			b.buffer = make([]byte, trusted)
		}
		b.Bytes = b.buffer[:size]
		_, err := io.ReadFull(r.Body, b.Bytes)
		return unread(err)
	}
	// What was read moves to a larger buffer when it must, and nothing of it stays in the
	// smaller one.
	src := http.MaxBytesReader(w, r.Body, limit)
	b.Bytes = b.buffer[:0]
	for {
		if len(b.Bytes) == cap(b.Bytes) {
			b.buffer = make([]byte, 2*cap(b.Bytes)+4096)
			old := b.Bytes
			b.Bytes = b.buffer[:copy(b.buffer, old)]
			clear(old)
		}
		n, err := src.Read(b.Bytes[len(b.Bytes):cap(b.Bytes)])
		b.Bytes = b.Bytes[:len(b.Bytes)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return unread(err)
		}
	}
}

func unread(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return ErrTooLarge
	}
	return ErrUnread
}

// WithoutOrigin returns the path of a target in absolute form, "http://host/path", which
// a server has to accept (RFC 9112 section 3.2.2); any other target is returned as it
// is. The host that is named so is the one net/http reports and the one that is signed.
// User information, which no request has, leaves the target as it is and so no path.
func WithoutOrigin(target string) string {
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

// NewRequestID makes a UUID of version 4 (RFC 9562).
func NewRequestID() string {
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

// NewCall describes the circumstances of a request whose caller is known. Which vault it
// is about is left to the face.
func NewCall(r *http.Request, face string, caller tacet.Caller) tacet.Call {
	call := tacet.Call{Caller: caller, Face: face, SourceIP: SourceIP(r), UserAgent: printable(r.Header.Get("User-Agent")), Referer: printable(r.Header.Get("Referer"))}
	if r.TLS != nil {
		// "TLS 1.3" is CloudTrail's "TLSv1.3".
		call.TLS = strings.Replace(tls.VersionName(r.TLS.Version), "TLS ", "TLSv", 1)
		call.Cipher = tls.CipherSuiteName(r.TLS.CipherSuite)
		call.Host = r.TLS.ServerName
	}
	return call
}

// SourceIP is the peer's address without port and zone. X-Forwarded-For is not looked at:
// anyone can send it.
func SourceIP(r *http.Request) string {
	addr := r.RemoteAddr
	if i := strings.LastIndexByte(addr, ':'); i >= 0 {
		addr = addr[:i]
	}
	addr = strings.TrimPrefix(addr, "[")
	addr = strings.TrimSuffix(addr, "]")
	addr, _, _ = strings.Cut(addr, "%")
	return addr
}

// maxHeader is how much is taken of a header that says what its sender likes, in bytes.
const maxHeader = 512

// printable returns of such a header what is fit for a record: no control characters, valid UTF-8.
func printable(s string) string {
	if len(s) > maxHeader {
		s = s[:maxHeader]
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
