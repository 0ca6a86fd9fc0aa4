package jwa

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"tacet"
)

// A SigningKey is a private key of ours that signs tokens with one algorithm. It may be
// used by many goroutines.
type SigningKey struct {
	algorithm Algorithm
	id        string
	key       crypto.Signer
}

// GenerateKey makes a signing key for [ES256] or for [RS256] (2048 bits).
func GenerateKey(a Algorithm) (*SigningKey, error) {
	var key crypto.Signer
	var err error
	switch a {
	case ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256:
		key, err = rsa.GenerateKey(rand.Reader, minRSABits)
	default:
		return nil, fmt.Errorf("jwa: no signing keys are made for %q", a)
	}
	if err != nil {
		return nil, err
	}
	return newSigningKey(key)
}

// ParseSigningKey reads a private key in PKCS #8 form (RFC 5208, DER) as
// [SigningKey.PKCS8] writes it: on P-256 for [ES256], or RSA for [RS256].
func ParseSigningKey(pkcs8 tacet.Plaintext) (*SigningKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(pkcs8.Reveal())
	if err != nil {
		return nil, fmt.Errorf("jwa: the signing key cannot be read") // the cause may quote the key
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("jwa: the key does not sign")
	}
	return newSigningKey(key)
}

func newSigningKey(key crypto.Signer) (*SigningKey, error) {
	k := &SigningKey{key: key}
	for _, a := range []Algorithm{ES256, RS256} {
		if a.fits(key.Public()) {
			k.algorithm = a
		}
	}
	if k.algorithm == "" {
		return nil, fmt.Errorf("jwa: no signing key for ES256 or RS256")
	}
	jwk := jose.JSONWebKey{Key: key.Public()}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	k.id = base64.RawURLEncoding.EncodeToString(thumbprint)
	return k, nil
}

// PKCS8 returns the private key in PKCS #8 form (RFC 5208, DER).
func (k *SigningKey) PKCS8() (tacet.Plaintext, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		return tacet.Plaintext{}, err
	}
	return tacet.NewPlaintext(der), nil
}

// ID returns the key's kid: its JWK thumbprint, RFC 7638, SHA-256, base64url.
func (k *SigningKey) ID() string { return k.id }

// Algorithm returns the algorithm it signs with.
func (k *SigningKey) Algorithm() Algorithm { return k.algorithm }

// Public returns what verifies its signatures.
func (k *SigningKey) Public() PublicKey {
	return PublicKey{ID: k.id, Algorithm: k.algorithm, Key: k.key.Public()}
}

// String returns the key's id, so that printing a key by mistake shows no more.
func (k *SigningKey) String() string { return "signing key " + k.id }

// protected is the header of what Sign makes, RFC 7515 section 4.1.
type protected struct {
	Algorithm Algorithm `json:"alg"`
	KeyID     string    `json:"kid"`
	Type      string    `json:"typ,omitempty"`
	X5T       string    `json:"x5t,omitempty"`
	X5TS256   string    `json:"x5t#S256,omitempty"`
}

// Sign returns a token with the claims, a value that encoding/json makes an object of: a JWS
// in compact form, RFC 7515 section 7.1. The header's alg is the key's; its kid is the key's
// ID unless h has one; typ, x5t and x5t#S256 are h's.
//
// It is written out, and not left to go-jose as reading is, because an application waits for
// it at each start and it is a few lines: the library spends half as much again as the
// signature itself.
func (k *SigningKey) Sign(claims any, h Header) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	header, err := json.Marshal(protected{k.algorithm, cmp.Or(h.KeyID, k.id), h.Type, h.X5T, h.X5TS256})
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding
	token := make([]byte, 0, enc.EncodedLen(len(header)+len(payload)+minRSABits/8)+4)
	token = append(enc.AppendEncode(token, header), '.')
	token = enc.AppendEncode(token, payload)
	signature, err := k.signature(sha256.Sum256(token))
	if err != nil {
		return "", err
	}
	return string(enc.AppendEncode(append(token, '.'), signature)), nil
}

// signature signs a digest in the form of RFC 7518: section 3.4 for ES256, 3.3 for RS256.
func (k *SigningKey) signature(digest [sha256.Size]byte) ([]byte, error) {
	ec, ok := k.key.(*ecdsa.PrivateKey)
	if !ok {
		return k.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	r, s, err := ecdsa.Sign(rand.Reader, ec, digest[:])
	if err != nil {
		return nil, err
	}
	const size = 32 // of a coordinate of P-256
	signature := make([]byte, 2*size)
	r.FillBytes(signature[:size])
	s.FillBytes(signature[size:])
	return signature, nil
}
