package tacet

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
)

// Redacted is what every printing verb shows in place of a [Plaintext].
const Redacted = "[plaintext]"

// A Plaintext is a secret value in memory.
//
// The bytes live behind a closure, because a []byte in an unexported field is
// still printed by fmt's %v of an enclosing struct; a func is not. Only
// [Plaintext.Reveal] gives the bytes back. The zero value is "no value".
type Plaintext struct{ reveal func() []byte }

// NewPlaintext wraps b, which the caller must not change afterwards.
func NewPlaintext(b []byte) Plaintext {
	return Plaintext{reveal: func() []byte { return b }}
}

// Reveal returns the bytes themselves, nil for the zero value. It is called in
// the seal, in each face's write.go, in rotation targets and in the agent, and
// nowhere else; a test reads the source for that.
func (p Plaintext) Reveal() []byte {
	if p.reveal == nil {
		return nil
	}
	return p.reveal()
}

// IsZero reports whether p holds no value at all (an empty value is a value).
func (p Plaintext) IsZero() bool { return p.reveal == nil }

// Len returns the number of bytes without revealing them.
func (p Plaintext) Len() int {
	if p.reveal == nil {
		return 0
	}
	return len(p.reveal())
}

// String returns [Redacted].
func (p Plaintext) String() string { return Redacted }

// GoString returns [Redacted].
func (p Plaintext) GoString() string { return Redacted }

// Format prints [Redacted] for every verb.
func (p Plaintext) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Redacted)) }

// LogValue returns [Redacted].
func (p Plaintext) LogValue() slog.Value { return slog.StringValue(Redacted) }

var errMarshalPlaintext = errors.New("tacet: a plaintext cannot be marshalled")

// MarshalJSON always fails: an answer that would have shipped a redaction mark
// in place of a value must fail its first test.
func (p Plaintext) MarshalJSON() ([]byte, error) { return nil, errMarshalPlaintext }

// MarshalText always fails, for the same reason.
func (p Plaintext) MarshalText() ([]byte, error) { return nil, errMarshalPlaintext }

// GobEncode always fails, for the same reason.
func (p Plaintext) GobEncode() ([]byte, error) { return nil, errMarshalPlaintext }

// Equal reports whether two values have the same bytes, in a time that depends only
// on their lengths. "No value" equals only "no value".
func (p Plaintext) Equal(o Plaintext) bool {
	if p.IsZero() || o.IsZero() {
		return p.IsZero() && o.IsZero()
	}
	return subtle.ConstantTimeCompare(p.reveal(), o.reveal()) == 1
}
