package seal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tacet"
)

// A Ring is the unwrapped keys of a store. It is safe for concurrent use, and
// sealing and opening take no lock.
type Ring struct {
	// roots are ordered from the oldest to the newest; there is at least one.
	roots []*root
	keys  atomic.Pointer[keySet]
	// mu is held to replace keys and to account for reserved seals.
	mu sync.Mutex
}

// A keySet is the data keys of a ring. It is replaced, never changed.
type keySet struct {
	byID   map[string]*dataKey
	active map[string]*dataKey // the newest of each vault
	erased map[string]bool     // the vaults whose keys were forgotten
}

// NewRing makes a ring with a first root key, for an empty store, and returns that
// key wrapped. It checks that the KEK unwraps what it wrapped.
func NewRing(ctx context.Context, kek KEK, now time.Time) (*Ring, WrappedKey, error) {
	first, err := newRoot(newID(), tacet.Microseconds(now), newSecret())
	if err != nil {
		return nil, WrappedKey{}, err
	}
	k, err := wrapRoot(ctx, kek, first)
	if err != nil {
		return nil, WrappedKey{}, err
	}
	return newRing([]*root{first}), k, nil
}

// OpenRing unwraps the keys of a store: the roots with the KEK, then every data key.
// The newest root is the one in use. The error is [ErrWrongKey] when the KEK does not
// open a root; otherwise it names the key that does not open.
func OpenRing(ctx context.Context, kek KEK, keys []WrappedKey) (*Ring, error) {
	var roots []*root
	var data []WrappedKey
	for _, k := range keys {
		switch k.Purpose {
		case PurposeRoot:
			r, err := unwrapRoot(ctx, kek, k)
			if err != nil {
				return nil, err
			}
			roots = append(roots, r)
		case PurposeData:
			data = append(data, k)
		default:
			return nil, fmt.Errorf("seal: key %q is for an unknown purpose, %q", k.ID, k.Purpose)
		}
	}
	if len(roots) == 0 {
		return nil, errors.New("seal: there is no root key")
	}
	r := newRing(roots)
	set := r.keys.Load() // nobody else has the ring yet
	for _, k := range data {
		if err := r.add(set, k); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func newRing(roots []*root) *Ring {
	slices.SortFunc(roots, func(a, b *root) int {
		return cmp.Or(cmp.Compare(a.created, b.created), strings.Compare(a.id, b.id))
	})
	r := &Ring{roots: roots}
	r.keys.Store(&keySet{byID: map[string]*dataKey{}, active: map[string]*dataKey{}, erased: map[string]bool{}})
	return r
}

// newest returns the root in use.
func (r *Ring) newest() *root { return r.roots[len(r.roots)-1] }

// oldest returns the root that the house's own keys are derived from.
func (r *Ring) oldest() *root { return r.roots[0] }

// root returns the root with the id, nil for none.
func (r *Ring) root(id []byte) *root {
	for _, root := range r.roots {
		if root.id == string(id) {
			return root
		}
	}
	return nil
}

// NewDataKey makes a data key for a vault, newer than those it has, but does not add
// it: the caller stores it, and calls [Ring.Add] when the store has committed.
func (r *Ring) NewDataKey(vault string, now time.Time) (WrappedKey, error) {
	set := r.keys.Load()
	if vault == "" || set.erased[vault] {
		return WrappedKey{}, fmt.Errorf("seal: no data key can be made for vault %q", vault)
	}
	created := tacet.Microseconds(now)
	if k := set.active[vault]; k != nil {
		created = max(created, k.row.Created+1) // also when the clock was set back
	}
	return r.newest().wrapData(WrappedKey{ID: newID(), Purpose: PurposeData, Vault: vault, Created: created}, newSecret()), nil
}

// Add adds a data key that was read from the store or written to it. A key that the
// ring has is not added twice, and the keys of a vault that was forgotten are not
// added at all. The error is a [NoKeyError] when the ring does not have the key's
// root: another node has changed the root, and the ring must be opened again.
func (r *Ring) Add(k WrappedKey) error {
	if have := r.keys.Load().byID[k.ID]; have != nil && have.row.Vault == k.Vault {
		have.sees(k.Seals)
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	set := r.keys.Load().clone()
	if err := r.add(set, k); err != nil {
		return err
	}
	r.keys.Store(set)
	return nil
}

// add unwraps k and adds it to the set.
func (r *Ring) add(set *keySet, k WrappedKey) error {
	if k.Purpose != PurposeData || k.Vault == "" || k.ID == "" || len(k.ID) > maxID {
		return fmt.Errorf("seal: %q is not a data key", k.ID)
	}
	if set.erased[k.Vault] {
		return nil
	}
	if have := set.byID[k.ID]; have != nil {
		if have.row.Vault != k.Vault {
			return fmt.Errorf("seal: data key %q is of vault %q and of vault %q", k.ID, have.row.Vault, k.Vault)
		}
		have.sees(k.Seals)
		return nil
	}
	root := r.root([]byte(k.KEK))
	if root == nil {
		return fmt.Errorf("seal: data key %q of vault %q: %w", k.ID, k.Vault, &NoKeyError{KeyID: k.KEK})
	}
	secret, err := root.unwrapData(k)
	if err != nil {
		return err
	}
	key, err := newDataKey(k, secret)
	if err != nil {
		return err
	}
	set.byID[k.ID] = key
	if now := set.active[k.Vault]; now == nil || key.row.newer(&now.row) {
		set.active[k.Vault] = key
	}
	return nil
}

// HasKey reports whether the ring has a data key for the vault.
func (r *Ring) HasKey(vault string) bool { return r.keys.Load().active[vault] != nil }

// Forget drops the data keys of a vault for ever: with their rows gone from the store
// too, its values are erased, wherever copies of them are. A vault's id is never given
// again, so a key that a slow reader still brings is not added.
func (r *Ring) Forget(vault string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	set := r.keys.Load().clone()
	set.erased[vault] = true
	delete(set.active, vault)
	maps.DeleteFunc(set.byID, func(_ string, k *dataKey) bool { return k.row.Vault == vault })
	r.keys.Store(set)
}

func (s *keySet) clone() *keySet {
	return &keySet{byID: maps.Clone(s.byID), active: maps.Clone(s.active), erased: maps.Clone(s.erased)}
}

// Derive returns a key of length bytes (at most 8160) for a purpose of the house
// itself: a signing seed, a key of another format. It is derived from the oldest
// root, so it is the same on every node and stays when the root is changed.
func (r *Ring) Derive(purpose string, length int) []byte {
	return r.oldest().derive("house", purpose, nil, length)
}

// String says how many keys there are, and nothing of them.
func (r *Ring) String() string {
	return fmt.Sprintf("ring of %d root and %d data keys", len(r.roots), len(r.keys.Load().byID))
}

// Format prints [Ring.String] for every verb.
func (r *Ring) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(r.String())) }

// LogValue returns [Ring.String].
func (r *Ring) LogValue() slog.Value { return slog.StringValue(r.String()) }
