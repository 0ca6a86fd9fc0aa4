package seal

import (
	"crypto/cipher"
	"sync/atomic"
)

const (
	// maxSeals is how often a data key may seal: half of what NIST SP 800-38D, 8.3
	// allows with random nonces, so that what is miscounted does not matter.
	maxSeals = 1 << 31
	// rolloverAt is when a new data key is asked for. The rest is for what the nodes
	// still seal until they know of it.
	rolloverAt = maxSeals - 1<<24
	// lowWater is how many granted seals may be left when more are asked for.
	lowWater = 1024
)

// A dataKey is an unwrapped data key.
type dataKey struct {
	row  WrappedKey // as it was read; to wrap it anew it is unwrapped again
	aead cipher.AEAD

	left    atomic.Int64 // seals that this node was granted and has not used
	seen    atomic.Int64 // the highest count of reserved seals that was seen in the store
	granted int64        // the end of the last range granted; under Ring.mu
}

// newDataKey makes a data key of its unwrapped secret, which it wipes.
func newDataKey(row WrappedKey, secret []byte) (*dataKey, error) {
	aead, err := newAEAD(secret)
	clear(secret)
	if err != nil {
		return nil, err
	}
	k := &dataKey{row: row, aead: aead}
	k.sees(row.Seals)
	return k, nil
}

// take uses one granted seal, if there is one.
func (k *dataKey) take() bool {
	for {
		n := k.left.Load()
		if n <= 0 {
			return false
		}
		if k.left.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// sees raises the count of reserved seals that is known of.
func (k *dataKey) sees(seals int64) {
	for {
		n := k.seen.Load()
		if seals <= n || k.seen.CompareAndSwap(n, seals) {
			return
		}
	}
}

// Reservation says what must be done before sealing for a vault. How often a data key
// was used is counted in the store, for all nodes together, and in portions: a node
// reserves seals there, tells [Ring.Reserved], and then seals without asking.
//
// keyID is the vault's newest key, empty when it has none. When due is true, fewer
// than 1024 granted seals are left and more must be reserved. When rollover is true,
// the key comes near its limit and a new one must be made, stored and added.
func (r *Ring) Reservation(vault string) (keyID string, due, rollover bool) {
	k := r.keys.Load().active[vault]
	if k == nil {
		return "", false, false
	}
	seen := k.seen.Load()
	return k.row.ID, k.left.Load() < lowWater && seen < maxSeals, seen >= rolloverAt
}

// Reserved tells that the store granted this node the seals from, from+1, ... to-1 of
// a key. Told twice of a range, or of a part of it, as when a transaction is repeated,
// it counts it once. Seals over the limit of a key are not granted.
func (r *Ring) Reserved(keyID string, from, to int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.keys.Load().byID[keyID]
	if k == nil {
		return
	}
	k.sees(to)
	from, to = max(from, k.granted), min(to, maxSeals)
	if from < to {
		k.granted = to
		k.left.Add(to - from)
	}
}
