package seal

import (
	"bytes"
	"context"
	"crypto/cipher"
	"errors"
	"strings"
	"testing"
	"time"
)

// t0 is when the rings of the tests are made.
var t0 = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

// A memoryKEK is a KEK of the tests. Its key is made of its name.
type memoryKEK struct {
	name string
	aead cipher.AEAD
	// unwrapErr and unwrapTo replace what Unwrap returns.
	unwrapErr error
	unwrapTo  []byte
	unwraps   int
}

func newMemoryKEK(t testing.TB, name string) *memoryKEK {
	t.Helper()
	aead, err := newAEAD(fixedSecret(name))
	if err != nil {
		t.Fatal(err)
	}
	return &memoryKEK{name: name, aead: aead}
}

// fixedSecret returns a key of 32 bytes that ends with name.
func fixedSecret(name string) []byte {
	return []byte(strings.Repeat("*", keySize-len(name)) + name)
}

func (k *memoryKEK) Name() string { return k.name }

func (k *memoryKEK) Wrap(_ context.Context, plaintext, aad []byte) ([]byte, error) {
	return k.aead.Seal(nil, nil, plaintext, aad), nil
}

func (k *memoryKEK) Unwrap(_ context.Context, wrapped, aad []byte) ([]byte, error) {
	k.unwraps++
	if k.unwrapErr != nil || k.unwrapTo != nil {
		return bytes.Clone(k.unwrapTo), k.unwrapErr
	}
	b, err := k.aead.Open(nil, nil, wrapped, aad)
	if err != nil {
		return nil, ErrWrongKey
	}
	return b, nil
}

func TestWrapChecksThatTheKEKUnwraps(t *testing.T) {
	unreachable := errors.New("unreachable")
	for _, test := range []struct {
		name string
		to   []byte
		err  error
	}{
		{"may not decrypt", nil, unreachable},
		{"decrypts to another key", fixedSecret("other"), nil},
		{"decrypts to a short key", []byte("short"), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			kek := newMemoryKEK(t, "kek")
			kek.unwrapTo, kek.unwrapErr = test.to, test.err
			_, _, err := NewRing(t.Context(), kek, t0)
			if err == nil || (test.err != nil && !errors.Is(err, test.err)) {
				t.Errorf("NewRing: error %v", err)
			}
			ring, _ := fixedRing(t)
			if _, err := ring.Rewrap(t.Context(), kek, t0); err == nil {
				t.Error("Rewrap: no error")
			}
			if _, err := ring.ChangeKEK(t.Context(), kek); err == nil {
				t.Error("ChangeKEK: no error")
			}
		})
	}
}

func TestOpenRingWithTheWrongKEK(t *testing.T) {
	_, keys := fixedRing(t)
	other := newMemoryKEK(t, "other")
	_, err := OpenRing(t.Context(), other, keys)
	if !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key: error %v, want ErrWrongKey", err)
	}
	if err != nil && (!strings.Contains(err.Error(), `"kek"`) || !strings.Contains(err.Error(), `"other"`)) {
		t.Errorf("the error does not name both keys: %v", err)
	}
	if other.unwraps != 0 {
		t.Error("a KEK of another name was asked to unwrap")
	}

	other.name = "kek" // a key under another's name
	if _, err := OpenRing(t.Context(), other, keys); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key of the same name: error %v, want ErrWrongKey", err)
	}

	unreachable := errors.New("unreachable")
	kek := newMemoryKEK(t, "kek")
	kek.unwrapErr = unreachable
	if _, err := OpenRing(t.Context(), kek, keys); !errors.Is(err, unreachable) || errors.Is(err, ErrWrongKey) {
		t.Errorf("a key that cannot be reached: error %v, want its own", err)
	}
}
