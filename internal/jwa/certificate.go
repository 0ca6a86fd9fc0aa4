package jwa

import (
	"crypto/fips140"
	"crypto/sha1" //nolint:gosec // x5t is a name for a certificate, not a protection
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"strings"
)

// X5T returns the name that a token's x5t gives a certificate: its SHA-1, base64url, RFC
// 7515 section 4.1.7.
func X5T(c *x509.Certificate) string {
	var sum [sha1.Size]byte
	// FIPS 140-3 mode forbids SHA-1 even as a name.
	fips140.WithoutEnforcement(func() { sum = sha1.Sum(c.Raw) }) //nolint:gosec // as above
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// X5TS256 returns the name that a token's x5t#S256 gives a certificate: its SHA-256,
// base64url, RFC 7515 section 4.1.8.
func X5TS256(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// VerifyCertificate checks the signature of a client assertion with that one of the
// registered certificates which its x5t#S256 or x5t names (both, where both are there), or
// where there is neither its kid, by [RS256] or [PS256], and returns its claims. It checks neither the certificate's dates
// nor its chain: a registered certificate is trusted for itself. The error is an
// [*Error] of kind [KeyUnknown], [AlgorithmRefused] or [BadSignature].
func (t *Token) VerifyCertificate(registered []*x509.Certificate) (Claims, error) {
	if a := t.header.Algorithm; a != RS256 && a != PS256 {
		return Claims{}, &Error{AlgorithmRefused, "A client assertion is signed with RS256 or PS256."}
	}
	for _, c := range registered {
		if t.names(c) {
			return t.verify(c.PublicKey)
		}
	}
	return Claims{}, &Error{KeyUnknown, "The token is signed with a certificate that is not registered."}
}

// names reports whether the header names the certificate.
func (t *Token) names(c *x509.Certificate) bool {
	sha1, sha256 := base64url(t.header.X5T), base64url(t.header.X5TS256)
	if sha1+sha256 == "" { // Terraform's clients call an x5t kid
		sha1 = base64url(t.header.KeyID)
	}
	return sha1+sha256 != "" && (sha1 == "" || sha1 == X5T(c)) && (sha256 == "" || sha256 == X5TS256(c))
}

// base64url brings a thumbprint into the form that RFC 7515 asks for: MSAL for Go writes
// it in plain base64, MSAL for Python with padding.
func base64url(s string) string {
	return strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(s)
}
