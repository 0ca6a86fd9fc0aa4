package jwa

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

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

// Sign returns a token with the claims, a value that encoding/json makes an object of.
// The header's alg is the key's; its kid is the key's ID unless h has one; typ, x5t and
// x5t#S256 are h's.
func (k *SigningKey) Sign(claims any, h Header) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	var o jose.SignerOptions
	if h.KeyID == "" {
		h.KeyID = k.id
	}
	for name, value := range map[jose.HeaderKey]string{"kid": h.KeyID, "typ": h.Type, "x5t": h.X5T, "x5t#S256": h.X5TS256} {
		if value != "" {
			o.WithHeader(name, value)
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.algorithm), Key: k.key}, &o)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}
