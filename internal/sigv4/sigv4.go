// Package sigv4 verifies and makes AWS Signature Version 4 on HTTP requests.
//
// Only the header form exists here: a signature in the Authorization header.
// Presigned URLs, chunked uploads and SigV4A do not. The room is pure: no I/O
// and no clock, so that what it decides can be read off its arguments.
//
// A server takes four steps, in this order:
//
//	auth, err := sigv4.Parse(req)                // syntax and presence
//	err = auth.CheckScope(service, validRegion)  // is it meant for us
//	err = auth.CheckTime(now)                    // cheap, and keeps the key cache clean
//	key := cache.Get(auth.AccessKeyID, ...)      // a key derived from the stored secret
//	err = auth.Verify(req, key, now)             // everything else; it checks the time again
//
// Where AWS repairs what a client sent (sorting names, folding case) this
// package refuses: every SDK already sends the one strict form, and one form is
// one thing to reason about. The strictness is listed at [Parse] and
// [Authorization.Verify].
//
// What a signature does not give: a captured request can be sent again, as it
// is, for as long as [Window] lasts. AWS allows that too. And the canonical form
// makes some paths and queries equal ("/a/../" and "/"; "a+b" and "a%20b"), so a
// server must decide on the path it received, not assume that it is the signer's.
//
// Source: "AWS Signature Version 4 for API requests", AWS IAM User Guide.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// Window is how far a signature's time may be from the server's, either way.
const Window = 5 * time.Minute

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	// timeLayout is ISO 8601's basic format, the only one that is signed.
	timeLayout = "20060102T150405Z"
	dateLayout = "20060102"
)

// A Request is what a signature covers: the parts of an HTTP request as they
// came, before anything was decoded or cleaned.
type Request struct {
	Method string
	// EscapedPath is the path as received, still escaped. "" means "/".
	EscapedPath string
	// RawQuery is what followed the question mark, without it.
	RawQuery string
	// Host is the Host header or :authority as the client sent it, with the port
	// when there was one. A "Host" key in Header is never looked at.
	Host string
	// Header has the keys net/http makes (see [http.CanonicalHeaderKey]).
	Header http.Header
	Body   []byte
}

// An Authorization is a parsed Authorization header with the time it was made
// for. None of it is to be believed before [Authorization.Verify] agrees.
type Authorization struct {
	AccessKeyID string
	// Date, Region and Service are the credential scope; Date is yyyymmdd.
	Date    string
	Region  string
	Service string
	// SignedHeaders are lower-case names, sorted, each once.
	SignedHeaders []string
	Signature     [sha256.Size]byte
	// Time is X-Amz-Date, or Date in its absence, in UTC and whole seconds.
	Time time.Time

	stamp string     // Time in the form that is signed
	names [12]string // room for SignedHeaders, to save an allocation
}

// CheckScope tells whether the credential was scoped to the service and to a
// region that validRegion accepts. The error is an [*Error] of kind
// [ScopeService] or [ScopeRegion].
func (a *Authorization) CheckScope(service string, validRegion func(string) bool) error {
	if a.Service != service {
		return &Error{ScopeService, "Credential should be scoped to correct service: '" + service + "'. "}
	}
	if !validRegion(a.Region) {
		return &Error{ScopeRegion, "Credential should be scoped to a valid region. "}
	}
	return nil
}

// CheckTime tells whether the scope's date is the request's and whether the
// request's time is within [Window] of now, its edges included. Fractions of
// now's second are dropped, as the signed time has none. The error is an
// [*Error] of kind [ScopeDate], [SignatureExpired] or [SignatureNotYetCurrent].
//
// Verify does the same check first. A server that calls it before deriving a key
// spares the derivation, and keeps dates of a caller's fancy out of its [KeyCache].
func (a *Authorization) CheckTime(now time.Time) error {
	if len(a.Date) != len(dateLayout) || !strings.HasPrefix(a.stamp, a.Date) {
		day := a.Time.Format(dateLayout)
		return &Error{ScopeDate, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			echo(a.Date) + "' != '" + day + "', from '" + a.stamp + "'."}
	}
	now = now.UTC().Truncate(time.Second)
	if earliest := now.Add(-Window); a.Time.Before(earliest) {
		return &Error{SignatureExpired, "Signature expired: " + a.stamp + " is now earlier than " +
			earliest.Format(timeLayout) + " (" + now.Format(timeLayout) + " - 5 min.)"}
	}
	if latest := now.Add(Window); a.Time.After(latest) {
		return &Error{SignatureNotYetCurrent, "Signature not yet current: " + a.stamp + " is still later than " +
			latest.Format(timeLayout) + " (" + now.Format(timeLayout) + " + 5 min.)"}
	}
	return nil
}

// Verify tells whether the request r, from which a was parsed, was signed with
// key at a time near now. The error is an [*Error]. It checks, in this order:
//
//   - the scope's date and the clock, as [Authorization.CheckTime];
//   - that host is signed, and every X-Amz-* header that is present. Three may be
//     unsigned: X-Amz-Cf-Id, which CloudFront adds; X-Amz-User-Agent, which means
//     nothing; X-Amz-Content-Sha256, whose value is checked against the body;
//   - that no X-Amz-* header comes twice: its values would be signed as one,
//     joined by a comma, while handlers read the first;
//   - that X-Amz-Content-Sha256, if present, is the hash of the body, so
//     "UNSIGNED-PAYLOAD" is refused;
//   - that every signed header is there; absent is not the same as empty;
//   - the signature, in constant time.
func (a *Authorization) Verify(r *Request, key Key, now time.Time) error {
	if err := a.CheckTime(now); err != nil {
		return err
	}
	if !a.signs("host") {
		return &Error{InvalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
	}
	payload := sha256.Sum256(r.Body)
	if !a.amzHeadersHold(r.Header, payload) {
		return mismatch()
	}
	want, ok := signature(r, a, payload, &key)
	if !ok || !hmac.Equal(want[:], a.Signature[:]) {
		return mismatch()
	}
	return nil
}

// signs reports whether the lower-case name is among the signed headers.
func (a *Authorization) signs(name string) bool {
	for _, s := range a.SignedHeaders {
		if s == name {
			return true
		}
	}
	return false
}

// amzHeadersHold checks the X-Amz-* headers as [Authorization.Verify] says.
func (a *Authorization) amzHeadersHold(h http.Header, payload [sha256.Size]byte) bool {
	for key, values := range h {
		if !isAmz(key) {
			continue
		}
		// Two spellings of one name would be two keys of the map.
		if len(values) != 1 || !isCanonicalKey(key) {
			return false
		}
		switch key {
		case "X-Amz-Cf-Id", "X-Amz-User-Agent":
			continue
		case "X-Amz-Content-Sha256":
			var sum [2 * sha256.Size]byte
			hex.Encode(sum[:], payload[:])
			if values[0] != string(sum[:]) {
				return false
			}
			continue
		}
		if !a.signsKey(key) {
			return false
		}
	}
	return true
}

// signsKey is [Authorization.signs] for a header key in net/http's form.
func (a *Authorization) signsKey(key string) bool {
	for _, s := range a.SignedHeaders {
		if len(s) == len(key) && equalLower(s, key) {
			return true
		}
	}
	return false
}
