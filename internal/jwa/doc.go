// Package jwa signs and verifies JSON Web Tokens with algorithms pinned by their RFC
// 7518 names.
//
// A token is read in two steps. [Parse] checks its form and believes nothing;
// [Token.Verify] and [Token.VerifyCertificate] check its signature with keys that the
// caller already has and give its claims out. Nothing in a token is ever followed: kid,
// x5t and x5t#S256 are looked up among the caller's keys, and jku, x5u, jwk and x5c are
// not used at all. Times are checked with [Claims.CheckTime]; who may have issued the
// token, and for whom, is the caller's to check.
package jwa

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"

	"github.com/go-jose/go-jose/v4"
)

// An Algorithm is the name of a signature algorithm, RFC 7518 section 3.1 and RFC 8037
// section 3.1, letter case included.
type Algorithm string

// The algorithms that are accepted. "none" and the symmetric ones are not among them.
const (
	RS256 Algorithm = "RS256" // RSASSA-PKCS1-v1_5
	RS384 Algorithm = "RS384"
	RS512 Algorithm = "RS512"
	PS256 Algorithm = "PS256" // RSASSA-PSS
	PS384 Algorithm = "PS384"
	PS512 Algorithm = "PS512"
	ES256 Algorithm = "ES256" // ECDSA on P-256
	ES384 Algorithm = "ES384" // on P-384
	ES512 Algorithm = "ES512" // on P-521
	EdDSA Algorithm = "EdDSA" // Ed25519
)

// accepted returns what [Parse] lets pass, as go-jose spells it.
func accepted() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}
}

// minRSABits is RFC 7518 section 3.3's least modulus.
const minRSABits = 2048

// fits reports whether a is an algorithm of the key's type and, for ECDSA, of its
// curve. It is false for every key that cannot be used: symmetric, private, too short.
func (a Algorithm) fits(key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch a {
		case RS256, RS384, RS512, PS256, PS384, PS512:
			return k.N.BitLen() >= minRSABits
		}
	case *ecdsa.PublicKey:
		switch a {
		case ES256:
			return k.Curve == elliptic.P256()
		case ES384:
			return k.Curve == elliptic.P384()
		case ES512:
			return k.Curve == elliptic.P521()
		}
	case ed25519.PublicKey:
		return a == EdDSA
	}
	return false
}
