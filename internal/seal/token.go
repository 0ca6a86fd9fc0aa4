package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"strings"
)

const (
	// formatToken is the first byte of a token: AES-256-GCM under a key of its own.
	formatToken = 1
	// saltSize is the size of the salt from which a token's key is derived.
	saltSize = 16
	// maxToken bounds what OpenToken looks at: the longest NextToken of AWS Secrets
	// Manager's API has 4096 characters.
	maxToken = 4096
)

// MaxTokenPlaintext is how many bytes a token can carry.
const MaxTokenPlaintext = 2816

// tokenEncoding is strict, so that a token can be written in one way only.
var tokenEncoding = base64.RawURLEncoding.Strict()

// SealToken makes an opaque token that a caller gives back later, for pagination for
// instance: letters, digits, "-" and "_". Only [Ring.OpenToken] with the same purpose
// reads it. A plaintext longer than [MaxTokenPlaintext] makes a token that does not open.
//
// Every token has a key of its own, derived with a random salt. Nobody has to count
// how many there are, and any text can be part of a purpose.
func (r *Ring) SealToken(purpose string, plaintext []byte) string {
	return tokenEncoding.EncodeToString(r.SealBlob(purpose, plaintext))
}

// SealBlob is [Ring.SealToken] without the encoding and the limit, for what is kept
// outside for long: a backup.
func (r *Ring) SealBlob(purpose string, plaintext []byte) []byte {
	root := r.newest()
	b := make([]byte, 0, 2+len(root.id)+saltSize+len(plaintext)+overhead)
	b = appendHeader(b, formatToken, root.id)
	salt := b[len(b) : len(b)+saltSize]
	_, _ = rand.Read(salt) // never fails
	return root.tokenAEAD(purpose, salt).Seal(b[:len(b)+saltSize], nil, plaintext, nil)
}

// OpenToken returns what [Ring.SealToken] was given, and [ErrOpen] for everything
// that it did not make in this store for this purpose.
func (r *Ring) OpenToken(purpose, token string) ([]byte, error) {
	// The decoder skips line breaks, which no token has.
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return nil, ErrOpen
	}
	b, err := tokenEncoding.DecodeString(token)
	if err != nil {
		return nil, ErrOpen
	}
	if _, rest, ok := splitHeader(formatToken, b); !ok || len(rest) > saltSize+overhead+MaxTokenPlaintext {
		return nil, ErrOpen
	}
	return r.OpenBlob(purpose, b)
}

// OpenBlob is [Ring.OpenToken] for what [Ring.SealBlob] made.
func (r *Ring) OpenBlob(purpose string, b []byte) ([]byte, error) {
	id, rest, ok := splitHeader(formatToken, b)
	if !ok || len(rest) < saltSize+overhead {
		return nil, ErrOpen
	}
	root := r.root(id)
	if root == nil {
		return nil, ErrOpen
	}
	return open(root.tokenAEAD(purpose, rest[:saltSize]), rest[saltSize:], nil)
}

// tokenAEAD returns the cipher of one token.
func (r *root) tokenAEAD(purpose string, salt []byte) cipher.AEAD {
	aead, err := newAEAD(r.derive("token", purpose, salt, keySize))
	if err != nil {
		panic("seal: " + err.Error()) // the key has the right size
	}
	return aead
}
