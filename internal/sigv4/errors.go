package sigv4

import "strings"

// A Kind is a reason for refusing a request. The face turns it into AWS's code.
type Kind string

// The kinds.
const (
	// MissingAuthenticationToken is a request with no AWS signature at all.
	MissingAuthenticationToken Kind = "MissingAuthenticationToken"
	// IncompleteSignature is an Authorization header or a date that is not well formed.
	IncompleteSignature Kind = "IncompleteSignature"
	// InvalidSignature is a signature that is not the one we calculate, or that
	// leaves out a header it must cover.
	InvalidSignature Kind = "InvalidSignature"
	// SignatureExpired is a signature older than [Window].
	SignatureExpired Kind = "SignatureExpired"
	// SignatureNotYetCurrent is a signature from further ahead than [Window].
	SignatureNotYetCurrent Kind = "SignatureNotYetCurrent"
	// ScopeService is a credential scoped to another service.
	ScopeService Kind = "ScopeService"
	// ScopeRegion is a credential scoped to a region that is not served.
	ScopeRegion Kind = "ScopeRegion"
	// ScopeDate is a credential scope whose date is not the request's.
	ScopeDate Kind = "ScopeDate"
)

// An Error is a refusal. Its message is AWS's own where AWS's is known, fit for
// the caller to see: it may repeat what the caller sent, cut to 1 KiB, and never
// says what the signature should have been.
type Error struct {
	Kind    Kind
	Message string
}

// Error returns the kind and the message.
func (e *Error) Error() string { return string(e.Kind) + ": " + e.Message }

func mismatch() *Error {
	return &Error{InvalidSignature, "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
}

// incomplete is an [IncompleteSignature] that ends with the header, as AWS's do.
func incomplete(text, header string) *Error {
	return &Error{IncompleteSignature, text + " Authorization=" + echo(header)}
}

// maxEcho is how much of a caller's text a message repeats, in bytes.
const maxEcho = 1 << 10

// echo makes a caller's text fit for a message: short, printable, valid UTF-8.
func echo(s string) string {
	if len(s) > maxEcho {
		s = s[:maxEcho]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return '?'
		}
		return r
	}, s)
}
