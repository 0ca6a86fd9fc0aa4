package seal

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// rewrapped changes the root of a ring. It returns the rows, and the ring opened from them.
func rewrapped(t testing.TB, ring *Ring) (kek *memoryKEK, next *Ring, rows []WrappedKey) {
	t.Helper()
	kek = newMemoryKEK(t, "kek")
	rows, err := ring.Rewrap(t.Context(), kek, t0)
	if err != nil {
		t.Fatal(err)
	}
	return kek, openRing(t, rows), rows
}

func TestRewrap(t *testing.T) {
	ring, keys := fixedRing(t)
	a, b := AAD{Vault: vaultA, Object: "o"}, AAD{Vault: vaultB, Object: "o"}
	sealedA, sealedB := mustSeal(t, ring, a, "a"), mustSeal(t, ring, b, "b")
	mac, token := ring.MAC("row", []byte("x")), ring.SealToken("page", []byte("3"))

	_, next, rows := rewrapped(t, ring)
	if len(rows) != len(keys)+1 {
		t.Errorf("%d keys from %d, want one more", len(rows), len(keys))
	}
	root := next.newest()
	if root.id == "root-new" || root.id == "root-old" {
		t.Errorf("the root in use is %q", root.id)
	}
	before := map[string]WrappedKey{}
	for _, k := range keys {
		before[k.ID] = k
	}
	for _, k := range rows {
		if k.Purpose == PurposeData && (k.KEK != root.id || k.Created != before[k.ID].Created || bytes.Equal(k.Wrapped, before[k.ID].Wrapped)) {
			t.Errorf("data key %q is wrapped by %q, want %q", k.ID, k.KEK, root.id)
		}
		if k.Purpose == PurposeData && k.Seals != maxSeals {
			t.Errorf("data key %q has %d seals reserved, want %d", k.ID, k.Seals, int64(maxSeals))
		}
	}

	checkOpens(t, next, a, sealedA, "a")
	checkOpens(t, next, b, sealedB, "b")
	if !next.CheckMAC(mac, "row", []byte("x")) {
		t.Error("an old MAC is not known any more")
	}
	if got, err := next.OpenToken("page", token); err != nil || string(got) != "3" {
		t.Errorf("an old token does not open: %v", err)
	}
	newMAC := next.MAC("row", []byte("x"))
	if bytes.Equal(mac, newMAC) || !next.CheckMAC(newMAC, "row", []byte("x")) {
		t.Error("the new root makes no MACs of its own")
	}
	// The ring it came from stays as it is, and does not know the new root.
	checkOpens(t, ring, a, sealedA, "a")
	if ring.CheckMAC(newMAC, "row", []byte("x")) {
		t.Error("the old ring knows the new root")
	}
	// A value sealed on a node that has not read the new root yet.
	checkOpens(t, next, a, mustSeal(t, ring, a, "late"), "late")
}

func TestRewrapTwiceAndBackInTime(t *testing.T) {
	ring, _ := fixedRing(t)
	seed := ring.Derive("seed", 32)
	mac := ring.MAC("row")
	for range 3 {
		rows, err := ring.Rewrap(t.Context(), newMemoryKEK(t, "kek"), time.UnixMicro(5))
		if err != nil {
			t.Fatal(err)
		}
		former := ring.newest().id
		ring = openRing(t, rows)
		if ring.newest().id == former {
			t.Fatal("the root in use is still the former one")
		}
	}
	if len(ring.roots) != 5 || !bytes.Equal(ring.Derive("seed", 32), seed) || !ring.CheckMAC(mac, "row") {
		t.Errorf("after three changes of the root: %v; the house's keys or old MACs are lost", ring)
	}
}

func TestChangeKEK(t *testing.T) {
	ring, keys := fixedRing(t)
	a := AAD{Vault: vaultA, Object: "o"}
	sealed := mustSeal(t, ring, a, "a")
	next := newMemoryKEK(t, "next")
	roots, err := ring.ChangeKEK(t.Context(), next)
	if err != nil {
		t.Fatal(err)
	}
	rows := append(roots, keys[2:]...)
	moved, err := OpenRing(t.Context(), next, rows)
	if err != nil {
		t.Fatal(err)
	}
	checkOpens(t, moved, a, sealed, "a")
	if moved.newest().id != ring.newest().id || len(roots) != 2 {
		t.Errorf("%d roots, in use %q; want the same two as before", len(roots), moved.newest().id)
	}
	if _, err := OpenRing(t.Context(), newMemoryKEK(t, "kek"), rows); !errors.Is(err, ErrWrongKey) {
		t.Errorf("the former KEK: error %v, want ErrWrongKey", err)
	}
	// Half of a change is not taken for a whole one.
	if _, err := OpenRing(t.Context(), next, append([]WrappedKey{keys[0], roots[1]}, keys[2:]...)); !errors.Is(err, ErrWrongKey) {
		t.Errorf("half changed: error %v, want ErrWrongKey", err)
	}
}
