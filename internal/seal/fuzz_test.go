package seal

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzOpen: without the keys nobody makes a value that opens. The one in the corpus,
// from testdata/golden.json, does.
func FuzzOpen(f *testing.F) {
	g := readGolden(f)
	ring := openRing(f, g.Keys)
	f.Add(vaultA, g.Value)
	f.Fuzz(func(t *testing.T, vault string, sealed []byte) {
		a := place
		a.Vault = vault
		got, err := ring.Open(a, sealed)
		real := vault == vaultA && bytes.Equal(sealed, g.Value)
		switch {
		case (err == nil) != real:
			t.Fatalf("opens: %t, made with the key: %t", err == nil, real)
		case err != nil && (got != nil || !errors.Is(err, ErrOpen) && !errors.Is(err, ErrNoKey)):
			t.Fatalf("%d bytes, error %v", len(got), err)
		}
	})
}

// FuzzOpenToken: the same of tokens.
func FuzzOpenToken(f *testing.F) {
	g := readGolden(f)
	ring := openRing(f, g.Keys)
	f.Add("page", g.Token)
	f.Fuzz(func(t *testing.T, purpose, token string) {
		got, err := ring.OpenToken(purpose, token)
		real := purpose == "page" && token == g.Token
		switch {
		case (err == nil) != real:
			t.Fatalf("opens: %t, made with the key: %t", err == nil, real)
		case err != nil && (got != nil || !errors.Is(err, ErrOpen)):
			t.Fatalf("%d bytes, error %v", len(got), err)
		}
	})
}

// FuzzCheckMAC: the same of MACs.
func FuzzCheckMAC(f *testing.F) {
	g := readGolden(f)
	ring := openRing(f, g.Keys)
	f.Add(g.MAC, []byte("row"), []byte("columns"))
	f.Fuzz(func(t *testing.T, mac, a, b []byte) {
		real := bytes.Equal(mac, g.MAC) && string(a) == "row" && string(b) == "columns"
		if got := ring.CheckMAC(mac, "object", a, b); got != real {
			t.Fatalf("accepted: %t, made with the key: %t", got, real)
		}
	})
}
