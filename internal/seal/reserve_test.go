package seal

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// freshRing returns a ring whose key for vaultA has the given count in the store and
// no seals granted.
func freshRing(t testing.TB, seals int64) (*Ring, WrappedKey) {
	t.Helper()
	_, keys := fixedRing(t)
	keys[2].Seals = seals
	return openRing(t, keys), keys[2]
}

func TestReservation(t *testing.T) {
	type grant struct{ from, to int64 }
	for _, test := range []struct {
		name     string
		seals    int64 // in the store when the ring was opened
		grants   []grant
		left     int64
		due      bool
		rollover bool
	}{
		{"new key", 0, nil, 0, true, false},
		{"opened again", 70_000, nil, 0, true, false},
		{"one portion", 0, []grant{{0, 65536}}, 65536, false, false},
		{"just enough", 0, []grant{{0, 1024}}, 1024, false, false},
		{"nearly used up", 0, []grant{{0, 1023}}, 1023, true, false},
		{"two portions", 0, []grant{{0, 500}, {700, 1300}}, 1100, false, false},
		{"told twice", 0, []grant{{0, 500}, {0, 500}}, 500, true, false},
		{"told in parts", 0, []grant{{0, 500}, {400, 600}}, 600, true, false},
		{"empty range", 0, []grant{{500, 500}}, 0, true, false},
		{"reversed range", 0, []grant{{500, 100}}, 0, true, false},
		{"before the rollover", rolloverAt - 70_000, []grant{{rolloverAt - 70_000, rolloverAt - 1}}, 69_999, false, false},
		{"rollover", rolloverAt - 65536, []grant{{rolloverAt - 65536, rolloverAt}}, 65536, false, true},
		{"rollover seen in the store", rolloverAt, nil, 0, true, true},
		{"the last seals", maxSeals - 10, []grant{{maxSeals - 10, maxSeals + 5000}}, 10, false, true},
		{"used up", maxSeals, nil, 0, false, true},
		{"over the limit", maxSeals, []grant{{maxSeals, maxSeals + 65536}}, 0, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			ring, k := freshRing(t, test.seals)
			for _, g := range test.grants {
				ring.Reserved(k.ID, g.from, g.to)
			}
			id, due, rollover := ring.Reservation(vaultA)
			if id != k.ID || due != test.due || rollover != test.rollover {
				t.Errorf("Reservation = %q, due %t, rollover %t; want %q, %t, %t", id, due, rollover, k.ID, test.due, test.rollover)
			}
			if left := ring.keys.Load().byID[k.ID].left.Load(); left != test.left {
				t.Errorf("%d seals granted, want %d", left, test.left)
			}
		})
	}
	ring, _ := freshRing(t, 0)
	if id, due, rollover := ring.Reservation("vault-x"); id != "" || due || rollover {
		t.Errorf("a vault without a key: %q, %t, %t", id, due, rollover)
	}
	ring.Reserved("no such key", 0, 100)
}

func TestSealUsesReservations(t *testing.T) {
	ring, k := freshRing(t, 0)
	if _, err := ring.Seal(place, nil); !errors.Is(err, ErrExhausted) {
		t.Errorf("without a reservation: error %v, want ErrExhausted", err)
	}
	ring.Reserved(k.ID, 0, 3)
	for range 3 {
		mustSeal(t, ring, place, "x")
	}
	if _, err := ring.Seal(place, nil); !errors.Is(err, ErrExhausted) {
		t.Errorf("after the reservation: error %v, want ErrExhausted", err)
	}
	// Opening takes none, and another vault's seals are its own.
	ring.Reserved("data-"+vaultB, 0, 1)
	b := place
	b.Vault = vaultB
	checkOpens(t, ring, b, mustSeal(t, ring, b, "x"), "x")
	if _, err := ring.Seal(place, nil); !errors.Is(err, ErrExhausted) {
		t.Errorf("error %v, want ErrExhausted", err)
	}
}

// What other nodes reserved is seen when the keys are read again, and gives this node nothing.
func TestAddSeesTheCountOfTheStore(t *testing.T) {
	ring, k := freshRing(t, 0)
	ring.Reserved(k.ID, 0, 10)
	k.Seals = rolloverAt
	if err := ring.Add(k); err != nil {
		t.Fatal(err)
	}
	if _, _, rollover := ring.Reservation(vaultA); !rollover {
		t.Error("no rollover")
	}
	if left := ring.keys.Load().byID[k.ID].left.Load(); left != 10 {
		t.Errorf("%d seals granted, want 10", left)
	}
	k.Seals = 5 // an older copy of the row
	if err := ring.Add(k); err != nil {
		t.Fatal(err)
	}
	if _, _, rollover := ring.Reservation(vaultA); !rollover {
		t.Error("an older row lowered the count")
	}
}

func TestSealsAreCountedExactly(t *testing.T) {
	ring, k := freshRing(t, 0)
	ring.Reserved(k.ID, 0, 100)
	var sealed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if _, err := ring.Seal(place, nil); err == nil {
					sealed.Add(1)
				} else if !errors.Is(err, ErrExhausted) {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range int64(20) {
			ring.Reserved(k.ID, 100+i*5, 105+i*5)
		}
	})
	wg.Wait()
	left := ring.keys.Load().byID[k.ID].left.Load()
	if got := sealed.Load() + left; got != 200 {
		t.Errorf("%d sealed and %d left, want 200 in all", sealed.Load(), left)
	}
}
