package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// keySize is the size of every key in bytes: AES-256, and HMAC-SHA256 at its full strength.
const keySize = 32

// maxID bounds the length of a key's id, which is kept in one byte.
const maxID = 255

// newID returns an id for a key: 80 random bits, 16 letters and digits.
func newID() string { return strings.ToLower(rand.Text()[:16]) }

// newSecret returns a random key.
func newSecret() []byte {
	b := make([]byte, keySize)
	_, _ = rand.Read(b) // never fails: it ends the process rather than return an error
	return b
}

// newAEAD returns AES-256-GCM that makes its own nonces.
func newAEAD(key []byte) (cipher.AEAD, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("seal: a key of %d bytes, not %d", len(key), keySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// A root is an unwrapped root key.
type root struct {
	id      string
	created int64
	// secret gives the key; a func, because fmt prints a []byte of any struct it is given.
	secret func() []byte
	// wrap wraps data keys.
	wrap cipher.AEAD

	// macs are the MAC keys derived so far, by purpose; replaced under mu, never changed.
	macs atomic.Pointer[map[string]*macKey]
	mu   sync.Mutex
}

func newRoot(id string, created int64, secret []byte) (*root, error) {
	if id == "" || len(id) > maxID {
		return nil, errors.New("seal: a root key needs an id of 1 to 255 bytes")
	}
	if len(secret) != keySize {
		return nil, fmt.Errorf("seal: root key %q has %d bytes, not %d", id, len(secret), keySize)
	}
	r := &root{id: id, created: created, secret: func() []byte { return secret }}
	r.macs.Store(&map[string]*macKey{})
	var err error
	r.wrap, err = newAEAD(r.derive("wrap", "", nil, keySize))
	return r, err
}

// derive returns a key of its own for each use, purpose, salt and length (HKDF-SHA256,
// RFC 5869). The length is part of the derivation: otherwise a short key would be the
// beginning of the long one.
func (r *root) derive(use, purpose string, salt []byte, length int) []byte {
	info := appendPart(nil, "tacet root 1")
	info = appendPart(info, use)
	info = appendPart(info, purpose)
	info = binary.AppendUvarint(info, uint64(length))
	key, err := hkdf.Key(sha256.New, r.secret(), salt, string(info), length)
	if err != nil {
		panic("seal: " + err.Error()) // only a length over 255 hashes, which is a constant of the program
	}
	return key
}

// wrapData wraps a data key with the root.
func (r *root) wrapData(k WrappedKey, secret []byte) WrappedKey {
	k.KEK = r.id
	k.Wrapped = r.wrap.Seal(nil, nil, secret, k.aad())
	return k
}

// unwrapData is the inverse of wrapData.
func (r *root) unwrapData(k WrappedKey) ([]byte, error) {
	secret, err := r.wrap.Open(nil, nil, k.Wrapped, k.aad())
	if err != nil {
		return nil, fmt.Errorf("seal: data key %q of vault %q does not open: its row was changed or damaged", k.ID, k.Vault)
	}
	return secret, nil
}
