package seal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var place = AAD{Vault: vaultA, Kind: "secret", Object: "object", Version: "version", Purpose: "value/string"}

func TestSealAndOpen(t *testing.T) {
	ring, _ := fixedRing(t)
	for _, size := range []int{0, 1, 15, 16, 17, 1024, 65536} {
		plain := strings.Repeat("p", size)
		sealed := mustSeal(t, ring, place, plain)
		checkOpens(t, ring, place, sealed, plain)
		if got, _ := ring.Open(place, sealed); got == nil {
			t.Errorf("size %d: Open returns nil", size)
		}
		if size > 8 && bytes.Contains(sealed, []byte(plain[:8])) {
			t.Errorf("size %d: the value can be read", size)
		}
		if again := mustSeal(t, ring, place, plain); bytes.Equal(again, sealed) {
			t.Errorf("size %d: sealed twice to the same bytes", size)
		}
	}
	long := place
	long.Object = strings.Repeat("long ", 1000)
	checkOpens(t, ring, long, mustSeal(t, ring, long, "value"), "value")
}

// Threat 42: a ciphertext that was moved to another place does not open there.
func TestThreat42_SwappedCiphertext(t *testing.T) {
	ring, _ := fixedRing(t)
	sealed := mustSeal(t, ring, place, "value")
	for _, test := range []struct {
		name   string
		change func(a *AAD)
	}{
		{"vault", func(a *AAD) { a.Vault = vaultB }},
		{"kind", func(a *AAD) { a.Kind = "access key" }},
		{"object", func(a *AAD) { a.Object = "object2" }},
		{"object empty", func(a *AAD) { a.Object = "" }},
		{"version", func(a *AAD) { a.Version = "version2" }},
		{"version empty", func(a *AAD) { a.Version = "" }},
		{"purpose", func(a *AAD) { a.Purpose = "value/binary" }},
		{"shifted", func(a *AAD) { a.Kind, a.Object = "secreto", "bject" }},
		{"swapped", func(a *AAD) { a.Object, a.Version = a.Version, a.Object }},
		{"joined", func(a *AAD) { a.Object, a.Version = a.Object+"\aversion", "" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			other := place
			test.change(&other)
			if got, err := ring.Open(other, sealed); !errors.Is(err, ErrOpen) || got != nil {
				t.Errorf("Open: %d bytes, error %v; want ErrOpen", len(got), err)
			}
		})
	}
	// Under another key of the same vault: the id inside is changed.
	next := mustAdd(t, ring, vaultA, t0)
	_, body, _ := splitHeader(formatValue, sealed)
	moved := append(appendHeader(nil, formatValue, next.ID), body...)
	if _, err := ring.Open(place, moved); !errors.Is(err, ErrOpen) {
		t.Errorf("under another key: error %v, want ErrOpen", err)
	}
	// An unknown vault, and a known key.
	other := place
	other.Vault = "vault-x"
	if _, err := ring.Open(other, sealed); !errors.Is(err, ErrOpen) {
		t.Errorf("in a vault without keys: error %v, want ErrOpen", err)
	}
}

func TestOpenChanged(t *testing.T) {
	ring, _ := fixedRing(t)
	const plain = "a plaintext that no error shows"
	sealed := mustSeal(t, ring, place, plain)
	check := func(what string, b []byte) {
		t.Helper()
		got, err := ring.Open(place, b)
		if got != nil || !errors.Is(err, ErrOpen) && !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: %d bytes, error %v", what, len(got), err)
		}
		if err != nil && strings.Contains(err.Error(), "plaintext") {
			t.Errorf("%s: the error shows the plaintext", what)
		}
	}
	for i := range sealed {
		for bit := range 8 {
			b := slices.Clone(sealed)
			b[i] ^= 1 << bit
			check(fmt.Sprintf("bit %d of byte %d", bit, i), b)
		}
		check(fmt.Sprintf("cut to %d bytes", i), sealed[:i])
	}
	check("a byte appended", append(slices.Clone(sealed), 0))
	check("nil", nil)
}

func TestOpenWithAnUnknownKey(t *testing.T) {
	ring, keys := fixedRing(t)
	next := mustAdd(t, ring, vaultA, t0)
	sealed := mustSeal(t, ring, place, "value")
	theirs := openRing(t, keys)
	_, err := theirs.Open(place, sealed)
	var missing *NoKeyError
	if !errors.As(err, &missing) || !errors.Is(err, ErrNoKey) {
		t.Fatalf("error %v, want a NoKeyError", err)
	}
	if missing.KeyID != next.ID || missing.Vault != vaultA {
		t.Errorf("the error names %q of %q, want %q of %q", missing.KeyID, missing.Vault, next.ID, vaultA)
	}
	if err := theirs.Add(next); err != nil {
		t.Fatal(err)
	}
	checkOpens(t, theirs, place, sealed, "value")
}

func TestAADIsUnambiguous(t *testing.T) {
	seen := map[string]AAD{}
	words := []string{"", "a", "b", "ab", "\x01a", "\x00"}
	for _, v := range words {
		for _, k := range words {
			for _, o := range words {
				for _, n := range words {
					for _, p := range words {
						a := AAD{v, k, o, n, p}
						enc := string(a.append(nil))
						if other, ok := seen[enc]; ok {
							t.Fatalf("%q and %q have the same encoding", a, other)
						}
						seen[enc] = a
					}
				}
			}
		}
	}
}
