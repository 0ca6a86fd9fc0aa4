package seal

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
)

// A KEK is the key outside the store that wraps the root keys. It is used when a
// ring is opened and when keys are wrapped anew, so it may be slow.
//
// Package sealtest has the contract as a test, which every implementation runs.
type KEK interface {
	// Name identifies the key that wraps. It is stored beside what was wrapped, and
	// shown to people who look for the right key; it is not secret. Two keys never
	// have the same name: the name is how a wrong key is noticed first.
	Name() string

	// Wrap encrypts and authenticates plaintext, a key of 32 bytes, and
	// authenticates aad with it. It keeps neither.
	Wrap(ctx context.Context, plaintext, aad []byte) ([]byte, error)

	// Unwrap is the inverse. Its error is [ErrWrongKey], or wraps it, when wrapped
	// was not made by this key with this aad or was changed since; any other error
	// means that the key could not be used.
	Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error)
}

var (
	// ErrWrongKey means that the KEK does not open this ring. It is said before
	// anything is written.
	ErrWrongKey = errors.New("the key does not open this store")

	// ErrNoKey means that the ring does not have a key. [NoKeyError] says which.
	ErrNoKey = errors.New("seal: no such key")

	// ErrExhausted means that the seals granted for a vault's key are used up, see
	// [Ring.Reservation].
	ErrExhausted = errors.New("seal: no seals are reserved for the key")

	// ErrOpen means that a value or a token does not open: it was changed, or it
	// belongs to another place. It never says more.
	ErrOpen = errors.New("seal: does not open: changed, or from another place")
)

// A NoKeyError is an [ErrNoKey] that says which key is missing, so that it can be
// looked for in the store: another node may have made it.
type NoKeyError struct {
	Vault string // empty for a root key
	KeyID string // empty when the vault has no key at all
}

// Error names the key.
func (e *NoKeyError) Error() string {
	switch {
	case e.KeyID == "":
		return fmt.Sprintf("seal: vault %q has no data key", e.Vault)
	case e.Vault == "":
		return fmt.Sprintf("seal: no root key %q", e.KeyID)
	}
	return fmt.Sprintf("seal: no data key %q for vault %q", e.KeyID, e.Vault)
}

// Unwrap returns [ErrNoKey].
func (e *NoKeyError) Unwrap() error { return ErrNoKey }

// The purposes of a [WrappedKey].
const (
	PurposeRoot = "root"
	PurposeData = "data"
)

// A WrappedKey is a key as the store keeps it. All of it but Seals is
// authenticated by Wrapped.
type WrappedKey struct {
	ID      string
	Purpose string // PurposeRoot or PurposeData
	Vault   string // of a data key
	KEK     string // of a root key the name of its KEK, of a data key the id of its root
	Wrapped []byte
	Created int64 // microseconds since 1970 UTC; the newest key of a kind is the one in use
	Seals   int64 // how many seals are reserved; only the store changes it
}

// newer orders keys: by time, and by id where nodes made them at the same moment.
func (k *WrappedKey) newer(than *WrappedKey) bool {
	if k.Created != than.Created {
		return k.Created > than.Created
	}
	return k.ID > than.ID
}

// aad is what a wrapped key is bound to. Created is part of it, because it chooses
// the key in use; Seals is not, because it grows.
func (k *WrappedKey) aad() []byte {
	b := appendPart(nil, "tacet key 1")
	b = appendPart(b, k.ID)
	b = appendPart(b, k.Purpose)
	b = appendPart(b, k.Vault)
	b = appendPart(b, k.KEK)
	return binary.BigEndian.AppendUint64(b, uint64(k.Created))
}

// appendPart appends s with its length before it, so that the parts of a
// concatenation cannot run into one another.
func appendPart[S string | []byte](b []byte, s S) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// wrapRoot returns the root wrapped by the KEK, which it makes unwrap it again: a
// KEK that may encrypt but not decrypt must be noticed now, not at the next start.
func wrapRoot(ctx context.Context, kek KEK, r *root) (WrappedKey, error) {
	k := WrappedKey{ID: r.id, Purpose: PurposeRoot, KEK: kek.Name(), Created: r.created}
	var err error
	if k.Wrapped, err = kek.Wrap(ctx, r.secret(), k.aad()); err != nil {
		return WrappedKey{}, fmt.Errorf("seal: wrapping root key %q with %q: %w", k.ID, k.KEK, err)
	}
	again, err := unwrapRoot(ctx, kek, k)
	if err != nil {
		return WrappedKey{}, err
	}
	if subtle.ConstantTimeCompare(again.secret(), r.secret()) != 1 {
		return WrappedKey{}, fmt.Errorf("seal: %q unwraps root key %q to something else than it wrapped", k.KEK, k.ID)
	}
	return k, nil
}

// unwrapRoot asks the KEK for a root. A KEK of another name is not asked.
func unwrapRoot(ctx context.Context, kek KEK, k WrappedKey) (*root, error) {
	if name := kek.Name(); name != k.KEK {
		return nil, fmt.Errorf("seal: %w: it was made with %q, this is %q", ErrWrongKey, k.KEK, name)
	}
	secret, err := kek.Unwrap(ctx, k.Wrapped, k.aad())
	if err != nil {
		return nil, fmt.Errorf("seal: unwrapping root key %q with %q: %w", k.ID, k.KEK, err)
	}
	return newRoot(k.ID, k.Created, secret)
}
