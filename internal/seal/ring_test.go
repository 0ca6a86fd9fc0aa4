package seal

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Names in the rings of the tests.
const (
	vaultA = "vault-a"
	vaultB = "vault-b"
)

// fixedRing returns a ring with known keys: two roots, and a data key for each of two
// vaults, with seals granted; and the rows it can be opened from.
func fixedRing(t testing.TB) (*Ring, []WrappedKey) {
	t.Helper()
	kek := newMemoryKEK(t, "kek")
	var roots []*root
	var keys []WrappedKey
	for i, name := range []string{"root-old", "root-new"} {
		r, err := newRoot(name, int64(1000+i), fixedSecret("the secret of "+name))
		if err != nil {
			t.Fatal(err)
		}
		k, err := wrapRoot(t.Context(), kek, r)
		if err != nil {
			t.Fatal(err)
		}
		roots, keys = append(roots, r), append(keys, k)
	}
	for i, vault := range []string{vaultA, vaultB} {
		k := WrappedKey{ID: "data-" + vault, Purpose: PurposeData, Vault: vault, Created: 2000}
		keys = append(keys, roots[i].wrapData(k, fixedSecret("the secret of "+vault)))
	}
	ring := openRing(t, keys)
	for _, k := range keys[2:] {
		ring.Reserved(k.ID, 0, maxSeals)
	}
	return ring, keys
}

func openRing(t testing.TB, keys []WrappedKey) *Ring {
	t.Helper()
	ring, err := OpenRing(t.Context(), newMemoryKEK(t, "kek"), keys)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// mustAdd makes a data key for the vault, adds it and grants it seals.
func mustAdd(t testing.TB, ring *Ring, vault string, now time.Time) WrappedKey {
	t.Helper()
	k, err := ring.NewDataKey(vault, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Add(k); err != nil {
		t.Fatal(err)
	}
	ring.Reserved(k.ID, 0, 1<<20)
	return k
}

func mustSeal(t testing.TB, ring *Ring, a AAD, plaintext string) []byte {
	t.Helper()
	b, err := ring.Seal(a, []byte(plaintext))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func checkOpens(t testing.TB, ring *Ring, a AAD, sealed []byte, want string) {
	t.Helper()
	got, err := ring.Open(a, sealed)
	if err != nil {
		t.Errorf("Open: %v", err)
	} else if string(got) != want {
		t.Error("Open returned another value")
	}
}

func TestRingLife(t *testing.T) {
	kek := newMemoryKEK(t, "kek")
	ring, root, err := NewRing(t.Context(), kek, t0)
	if err != nil {
		t.Fatal(err)
	}
	if root.Purpose != PurposeRoot || root.KEK != "kek" || root.Created != t0.UnixMicro() || root.ID == "" || root.Vault != "" {
		t.Errorf("the root key is %+v", root)
	}
	if ring.HasKey(vaultA) {
		t.Error("a new ring has a data key")
	}
	data, err := ring.NewDataKey(vaultA, t0)
	if err != nil {
		t.Fatal(err)
	}
	if data.Purpose != PurposeData || data.KEK != root.ID || data.Vault != vaultA || data.Seals != 0 {
		t.Errorf("the data key is %+v", data)
	}
	if ring.HasKey(vaultA) {
		t.Error("NewDataKey added the key")
	}
	if _, err := ring.Seal(AAD{Vault: vaultA}, nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("Seal without a key: error %v, want ErrNoKey", err)
	}
	for range 2 {
		if err := ring.Add(data); err != nil {
			t.Fatal(err)
		}
	}
	if !ring.HasKey(vaultA) || ring.HasKey(vaultB) {
		t.Error("HasKey is wrong after Add")
	}
	ring.Reserved(data.ID, 0, 10)
	a := AAD{Vault: vaultA, Object: "o"}
	sealed := mustSeal(t, ring, a, "value")
	again, err := OpenRing(t.Context(), kek, []WrappedKey{data, root}) // in any order
	if err != nil {
		t.Fatal(err)
	}
	checkOpens(t, again, a, sealed, "value")
}

func TestOpenRingRefuses(t *testing.T) {
	_, keys := fixedRing(t)
	data := keys[2]
	for _, test := range []struct {
		name   string
		change func(k *WrappedKey)
	}{
		{"id", func(k *WrappedKey) { k.ID += "x" }},
		{"purpose", func(k *WrappedKey) { k.Purpose = "other" }},
		{"purpose root", func(k *WrappedKey) { k.Purpose = PurposeRoot }},
		{"vault", func(k *WrappedKey) { k.Vault = vaultB }},
		{"no vault", func(k *WrappedKey) { k.Vault = "" }},
		{"root", func(k *WrappedKey) { k.KEK = "root-new" }},
		{"unknown root", func(k *WrappedKey) { k.KEK = "root-x" }},
		{"created", func(k *WrappedKey) { k.Created++ }},
		{"wrapped", func(k *WrappedKey) { k.Wrapped = slices.Clone(k.Wrapped); k.Wrapped[20] ^= 1 }},
		{"wrapped cut", func(k *WrappedKey) { k.Wrapped = k.Wrapped[:40] }},
		{"wrapped empty", func(k *WrappedKey) { k.Wrapped = nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := slices.Clone(keys)
			test.change(&changed[2])
			_, err := OpenRing(t.Context(), newMemoryKEK(t, "kek"), changed)
			if err == nil {
				t.Fatal("no error")
			}
			if test.name != "purpose root" && !strings.Contains(err.Error(), changed[2].ID) {
				t.Errorf("the error does not name the key: %v", err)
			}
		})
	}
	for i, change := range map[string]func(k *WrappedKey){
		"id":      func(k *WrappedKey) { k.ID = "root-x" },
		"created": func(k *WrappedKey) { k.Created += 5 }, // would make it the one in use
		"vault":   func(k *WrappedKey) { k.Vault = vaultA },
		"wrapped": func(k *WrappedKey) { k.Wrapped = keys[1].Wrapped },
	} {
		changed := slices.Clone(keys)
		change(&changed[0])
		if _, err := OpenRing(t.Context(), newMemoryKEK(t, "kek"), changed); !errors.Is(err, ErrWrongKey) {
			t.Errorf("a root with another %s: error %v, want ErrWrongKey", i, err)
		}
	}
	if ring := openRing(t, slices.Concat(keys, keys[2:])); len(ring.keys.Load().byID) != 2 {
		t.Errorf("rows that were read twice make %v", ring)
	}
	if _, err := OpenRing(t.Context(), newMemoryKEK(t, "kek"), []WrappedKey{data}); err == nil {
		t.Error("a ring without a root opens")
	}
	if _, err := OpenRing(t.Context(), newMemoryKEK(t, "kek"), nil); err == nil {
		t.Error("a ring of nothing opens")
	}
}

func TestAddRefuses(t *testing.T) {
	ring, keys := fixedRing(t)
	if err := ring.Add(keys[0]); err == nil {
		t.Error("Add takes a root key")
	}
	other := keys[2]
	other.Vault = "vault-c"
	if err := ring.Add(other); err == nil || ring.HasKey("vault-c") {
		t.Error("Add takes a vault's key for another vault")
	}
	// A key under a root of which only another node knows.
	_, theirs, _ := rewrapped(t, ring)
	k := mustAdd(t, theirs, "vault-c", t0)
	var missing *NoKeyError
	if err := ring.Add(k); !errors.As(err, &missing) || !errors.Is(err, ErrNoKey) || missing.KeyID != k.KEK {
		t.Errorf("Add of a key under an unknown root: error %v, want a NoKeyError for %q", err, k.KEK)
	}
}

func TestDataKeyRollover(t *testing.T) {
	ring, keys := fixedRing(t)
	a := AAD{Vault: vaultA, Object: "o"}
	old := mustSeal(t, ring, a, "old")
	// The clock was set back: the new key is the one in use all the same.
	next := mustAdd(t, ring, vaultA, time.UnixMicro(7))
	if next.Created <= keys[2].Created {
		t.Errorf("the new key was made at %d, the old one at %d", next.Created, keys[2].Created)
	}
	sealed := mustSeal(t, ring, a, "new")
	if id, _, _ := splitHeader(formatValue, sealed); string(id) != next.ID {
		t.Errorf("sealed with %q, want the newest key %q", id, next.ID)
	}
	checkOpens(t, ring, a, old, "old")
	checkOpens(t, ring, a, sealed, "new")

	// Another node, which reads the keys in another order.
	slices.Reverse(keys)
	theirs := openRing(t, append([]WrappedKey{next}, keys...))
	if id, due, _ := theirs.Reservation(vaultA); id != next.ID || !due {
		t.Errorf("the key in use is %q (due %t), want %q (due)", id, due, next.ID)
	}
	checkOpens(t, theirs, a, old, "old")
}

// Two nodes make a key at the same moment: all choose the same one.
func TestKeysOfTheSameMoment(t *testing.T) {
	_, keys := fixedRing(t)
	one := openRing(t, keys)
	k1, k2 := mustAdd(t, one, vaultA, t0), mustAdd(t, openRing(t, keys), vaultA, t0)
	if k1.Created != k2.Created {
		t.Fatalf("made at %d and %d", k1.Created, k2.Created)
	}
	ids := map[string]bool{}
	for _, order := range [][]WrappedKey{{k1, k2}, {k2, k1}} {
		id, _, _ := openRing(t, append(slices.Clone(keys), order...)).Reservation(vaultA)
		ids[id] = true
	}
	if err := one.Add(k2); err != nil {
		t.Fatal(err)
	}
	id, _, _ := one.Reservation(vaultA)
	ids[id] = true
	if len(ids) != 1 {
		t.Errorf("the key in use depends on the order: %v", ids)
	}
}

func TestForget(t *testing.T) {
	ring, keys := fixedRing(t)
	a, b := AAD{Vault: vaultA}, AAD{Vault: vaultB}
	sealedA, sealedB := mustSeal(t, ring, a, "a"), mustSeal(t, ring, b, "b")
	mustAdd(t, ring, vaultA, t0)
	ring.Forget(vaultA)
	check := func() {
		t.Helper()
		if ring.HasKey(vaultA) {
			t.Error("the vault has a key")
		}
		if _, err := ring.Open(a, sealedA); !errors.Is(err, ErrNoKey) {
			t.Errorf("Open: error %v, want ErrNoKey", err)
		}
		if _, err := ring.Seal(a, nil); !errors.Is(err, ErrNoKey) {
			t.Errorf("Seal: error %v, want ErrNoKey", err)
		}
	}
	check()
	checkOpens(t, ring, b, sealedB, "b")
	// A reader that is late brings the key again.
	if err := ring.Add(keys[2]); err != nil {
		t.Errorf("Add: %v", err)
	}
	check()
	if _, err := ring.NewDataKey(vaultA, t0); err == nil {
		t.Error("NewDataKey makes a key for a vault that was erased")
	}
	rows, err := ring.Rewrap(t.Context(), newMemoryKEK(t, "kek"), t0)
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(rows, func(k WrappedKey) bool { return k.Vault == vaultA }) {
		t.Error("Rewrap brings the key back")
	}
}

func TestDerive(t *testing.T) {
	ring, keys := fixedRing(t)
	seed := string(ring.Derive("audit", 32))
	if len(seed) != 32 || string(ring.Derive("audit", 32)) != seed {
		t.Error("not the same key again")
	}
	if string(openRing(t, keys).Derive("audit", 32)) != seed {
		t.Error("not the same key on another node")
	}
	if string(ring.Derive("audit2", 32)) == seed {
		t.Error("the same key for another purpose")
	}
	if long := ring.Derive("audit", 64); len(long) != 64 || string(long[:32]) == seed {
		t.Error("a short key is the beginning of a long one")
	}
	if string(ring.root([]byte("root-old")).derive("mac", "audit", nil, 32)) == seed {
		t.Error("the same key for another use")
	}
	_, next, _ := rewrapped(t, ring)
	if string(next.Derive("audit", 32)) != seed {
		t.Error("another key after the root was changed")
	}
}

func TestRingConcurrently(t *testing.T) {
	ring, keys := fixedRing(t)
	a := AAD{Vault: vaultA, Object: "o"}
	sealed := mustSeal(t, ring, a, "value")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				checkOpens(t, ring, a, sealed, "value")
				b, err := ring.Seal(a, []byte("x"))
				if errors.Is(err, ErrExhausted) {
					id, _, _ := ring.Reservation(vaultA)
					ring.Reserved(id, 0, maxSeals)
				} else if err != nil {
					t.Error(err)
				} else {
					checkOpens(t, ring, a, b, "x")
				}
				if !ring.CheckMAC(ring.MAC("p", b), "p", b) {
					t.Error("CheckMAC: false")
				}
				if _, err := ring.OpenToken("p", ring.SealToken("p", b)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			if k, err := ring.NewDataKey(vaultA, t0); err != nil || ring.Add(k) != nil {
				t.Errorf("no new key: %v", err)
			}
			if err := ring.Add(keys[3]); err != nil {
				t.Error(err)
			}
		}
		ring.Forget(vaultB)
	})
	wg.Go(func() {
		for range 5 {
			if _, err := ring.Rewrap(t.Context(), newMemoryKEK(t, "kek"), t0); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
}
