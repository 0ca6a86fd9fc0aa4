// Package sealtest is the contract of [seal.KEK] as a test, which every KEK runs.
package sealtest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tacet/internal/seal"
)

// TestKEK tests the KEKs that newKEK makes. Each call must return a KEK with a key of
// its own.
func TestKEK(t *testing.T, newKEK func(t *testing.T) seal.KEK) {
	t.Run("Name", func(t *testing.T) { testName(t, newKEK) })
	t.Run("RoundTrip", func(t *testing.T) { testRoundTrip(t, newKEK(t)) })
	t.Run("Inputs", func(t *testing.T) { testInputs(t, newKEK(t)) })
	t.Run("AAD", func(t *testing.T) { testAAD(t, newKEK(t)) })
	t.Run("Changed", func(t *testing.T) { testChanged(t, newKEK(t)) })
	t.Run("OtherKey", func(t *testing.T) { testOtherKey(t, newKEK(t), newKEK(t)) })
	t.Run("Concurrent", func(t *testing.T) { testConcurrent(t, newKEK(t)) })
	t.Run("Ring", func(t *testing.T) { testRing(t, newKEK(t), newKEK(t)) })
}

// testName: a name is stored, shown in one line, and identifies the key.
func testName(t *testing.T, newKEK func(t *testing.T) seal.KEK) {
	a, b := newKEK(t), newKEK(t)
	name := a.Name()
	if name == "" || len(name) > 255 {
		t.Errorf("a name of %d bytes; want 1 to 255", len(name))
	}
	for _, r := range name {
		if r <= ' ' || r > '~' {
			t.Errorf("the name %q is not printable ASCII without spaces", name)
			break
		}
	}
	if again := a.Name(); again != name {
		t.Errorf("the name was %q and is %q", name, again)
	}
	if b.Name() == name {
		t.Errorf("two keys have the name %q", name)
	}
}

func testRoundTrip(t *testing.T, kek seal.KEK) {
	for _, aad := range [][]byte{nil, []byte("a"), bytes.Repeat([]byte("long "), 200)} {
		key := newKey()
		wrapped := wrap(t, kek, key, aad)
		if bytes.Contains(wrapped, key) {
			t.Fatal("the wrapped key contains the key")
		}
		got, err := kek.Unwrap(t.Context(), wrapped, aad)
		if err != nil {
			t.Fatalf("Unwrap with %d bytes of aad: %v", len(aad), err)
		}
		if !bytes.Equal(got, key) {
			t.Fatalf("Unwrap with %d bytes of aad returned another key", len(aad))
		}
	}
}

// testInputs: neither method keeps or changes what it is given; callers wipe keys.
func testInputs(t *testing.T, kek seal.KEK) {
	key, aad := newKey(), []byte("place")
	key2, aad2 := slices.Clone(key), slices.Clone(aad)
	wrapped := wrap(t, kek, key, aad)
	if !bytes.Equal(key, key2) || !bytes.Equal(aad, aad2) {
		t.Error("Wrap changed its arguments")
	}
	clear(key)
	wrapped2 := slices.Clone(wrapped)
	got, err := kek.Unwrap(t.Context(), wrapped, aad)
	if err != nil || !bytes.Equal(got, key2) {
		t.Fatalf("Unwrap after the key was wiped: the same key %t, error %v", bytes.Equal(got, key2), err)
	}
	clear(got)
	if !bytes.Equal(wrapped, wrapped2) || !bytes.Equal(aad, aad2) {
		t.Error("Unwrap changed its arguments, or returned a part of them")
	}
}

func testAAD(t *testing.T, kek seal.KEK) {
	wrapped := wrap(t, kek, newKey(), []byte("place"))
	for _, aad := range []string{"", "plac", "places", "Place", "\x00place"} {
		if _, err := kek.Unwrap(t.Context(), wrapped, []byte(aad)); !errors.Is(err, seal.ErrWrongKey) {
			t.Errorf("Unwrap with the aad %q: error %v, want ErrWrongKey", aad, err)
		}
	}
}

func testChanged(t *testing.T, kek seal.KEK) {
	aad := []byte("place")
	wrapped := wrap(t, kek, newKey(), aad)
	check := func(what string, b []byte) {
		if _, err := kek.Unwrap(t.Context(), b, aad); !errors.Is(err, seal.ErrWrongKey) {
			t.Errorf("%s: error %v, want ErrWrongKey", what, err)
		}
	}
	for i := range wrapped {
		b := slices.Clone(wrapped)
		b[i] ^= 1 << (i % 8)
		check(fmt.Sprintf("byte %d changed", i), b)
		check(fmt.Sprintf("cut to %d bytes", i), wrapped[:i])
	}
	check("a byte appended", append(slices.Clone(wrapped), 0))
	check("nil", nil)
}

func testOtherKey(t *testing.T, a, b seal.KEK) {
	aad := []byte("place")
	wrapped := wrap(t, a, newKey(), aad)
	if _, err := b.Unwrap(t.Context(), wrapped, aad); !errors.Is(err, seal.ErrWrongKey) {
		t.Errorf("Unwrap with another key: error %v, want ErrWrongKey", err)
	}
}

func testConcurrent(t *testing.T, kek seal.KEK) {
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			aad := []byte{byte(i)}
			for range 4 {
				key := newKey()
				wrapped, err := kek.Wrap(t.Context(), key, aad)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := kek.Unwrap(t.Context(), wrapped, aad); err != nil || !bytes.Equal(got, key) {
					t.Errorf("Unwrap: the same key %t, error %v", bytes.Equal(got, key), err)
				}
			}
		})
	}
	wg.Wait()
}

// testRing: a whole store under the KEK, and its move to another one.
func testRing(t *testing.T, kek, next seal.KEK) {
	ctx, now := t.Context(), time.Unix(1_700_000_000, 0)
	ring, root, err := seal.NewRing(ctx, kek, now)
	if err != nil {
		t.Fatal(err)
	}
	data, err := ring.NewDataKey("vault", now)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Add(data); err != nil {
		t.Fatal(err)
	}
	ring.Reserved(data.ID, 0, 1)
	place := seal.AAD{Vault: "vault", Kind: "secret", Object: "1", Version: "2", Purpose: "value"}
	sealed, err := ring.Seal(place, []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	mac := ring.MAC("row", []byte("row"))

	if _, err := seal.OpenRing(ctx, next, []seal.WrappedKey{root, data}); !errors.Is(err, seal.ErrWrongKey) {
		t.Errorf("OpenRing with another key: error %v, want ErrWrongKey", err)
	}
	reads := func(what string, kek seal.KEK, keys []seal.WrappedKey) *seal.Ring {
		ring, err := seal.OpenRing(ctx, kek, keys)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got, err := ring.Open(place, sealed); err != nil || string(got) != "hello" {
			t.Errorf("%s: the value does not open: %v", what, err)
		}
		if !ring.CheckMAC(mac, "row", []byte("row")) {
			t.Errorf("%s: the MAC is not the store's", what)
		}
		return ring
	}
	ring = reads("opened again", kek, []seal.WrappedKey{root, data})
	roots, err := ring.ChangeKEK(ctx, next)
	if err != nil {
		t.Fatal(err)
	}
	moved := append(roots, data)
	ring = reads("under the next KEK", next, moved)
	if _, err := seal.OpenRing(ctx, kek, moved); !errors.Is(err, seal.ErrWrongKey) {
		t.Errorf("OpenRing with the former key: error %v, want ErrWrongKey", err)
	}
	keys, err := ring.Rewrap(ctx, next, now)
	if err != nil {
		t.Fatal(err)
	}
	reads("with a new root", next, keys)
}

func wrap(t *testing.T, kek seal.KEK, key, aad []byte) []byte {
	t.Helper()
	wrapped, err := kek.Wrap(t.Context(), key, aad)
	if err != nil {
		t.Fatalf("Wrap: %v", err)
	}
	return wrapped
}

func newKey() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return b
}
