package jwa

import "errors"

// A Kind is a reason for refusing a token.
type Kind string

// The kinds.
const (
	// Malformed is a token that is not a compact JWS of claims, or breaks a limit.
	Malformed Kind = "Malformed"
	// AlgorithmRefused is an alg that is not accepted, or not by the key.
	AlgorithmRefused Kind = "AlgorithmRefused"
	// KeyUnknown is a kid, or a thumbprint, that none of the keys has.
	KeyUnknown Kind = "KeyUnknown"
	// BadSignature is a signature that is not the key's.
	BadSignature Kind = "BadSignature"
	// Expired is a token after its exp.
	Expired Kind = "Expired"
	// NotYetValid is a token before its nbf or its iat.
	NotYetValid Kind = "NotYetValid"
	// TypeRefused is a token of another use: its typ, or a claim only others have.
	TypeRefused Kind = "TypeRefused"
	// IssuerMismatch is an iss that is not the expected one.
	IssuerMismatch Kind = "IssuerMismatch"
	// AudienceMismatch is an aud (or azp) without an expected value.
	AudienceMismatch Kind = "AudienceMismatch"
)

// An Error is a refused token or key set. Its text is fit for the caller: it repeats
// nothing of the token.
type Error struct {
	Kind Kind
	Text string
}

// Error returns the kind and the text.
func (e *Error) Error() string { return string(e.Kind) + ": " + e.Text }

// KindOf returns the kind of err, and "" when err is nil or not an [*Error].
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

func malformed(text string) *Error { return &Error{Malformed, text} }
