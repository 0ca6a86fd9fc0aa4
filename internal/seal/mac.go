package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"sync"
)

// formatMAC is the first byte of a MAC: HMAC-SHA256 under a key derived from a root.
const formatMAC = 1

// maxPurposes bounds how many MAC keys are kept. Purposes are constants of the
// program; should one ever hold a name, it costs time and not memory.
const maxPurposes = 64

// A macKey computes MACs for one purpose. Its pool keeps hashes with the key set up,
// which is half of the work for a short message.
type macKey struct{ pool sync.Pool }

// A macState is one computation, with room for what is written and summed.
type macState struct {
	hash   hash.Hash
	length [8]byte
	sum    [sha256.Size]byte
}

// MAC vouches for parts, a row's columns for instance: who does not hold the root key
// cannot make one, and no other list of parts has the same, even where the
// concatenation is equal. Purpose is a constant that tells apart what MACs are for. The result is
//
//	format (1 byte) | length of the root key's id (1 byte) | the id | HMAC-SHA256 (32 bytes)
func (r *Ring) MAC(purpose string, parts ...[]byte) []byte {
	root := r.newest()
	key := root.macKey(purpose)
	s := key.compute(parts)
	defer key.pool.Put(s)
	out := make([]byte, 0, 2+len(root.id)+len(s.sum))
	return append(appendHeader(out, formatMAC, root.id), s.sum[:]...)
}

// CheckMAC reports whether mac was made by [Ring.MAC] of this store, with this root or
// an older one, for the same purpose and parts. It takes the same time whatever the
// difference is.
func (r *Ring) CheckMAC(mac []byte, purpose string, parts ...[]byte) bool {
	id, sum, ok := splitHeader(formatMAC, mac)
	if !ok {
		return false
	}
	root := r.root(id)
	if root == nil {
		return false
	}
	key := root.macKey(purpose)
	s := key.compute(parts)
	defer key.pool.Put(s)
	return hmac.Equal(sum, s.sum[:])
}

// compute returns a state with the MAC in sum. The caller puts it back into the pool.
func (k *macKey) compute(parts [][]byte) *macState {
	s := k.pool.Get().(*macState)
	s.hash.Reset()
	for _, p := range parts {
		binary.BigEndian.PutUint64(s.length[:], uint64(len(p)))
		s.hash.Write(s.length[:])
		s.hash.Write(p)
	}
	s.hash.Sum(s.sum[:0])
	return s
}

// macKey returns the key of a purpose, derived at its first use.
func (r *root) macKey(purpose string) *macKey {
	if k := (*r.macs.Load())[purpose]; k != nil {
		return k
	}
	secret := r.derive("mac", purpose, nil, keySize)
	k := &macKey{pool: sync.Pool{New: func() any { return &macState{hash: hmac.New(sha256.New, secret)} }}}

	r.mu.Lock()
	defer r.mu.Unlock()
	old := *r.macs.Load()
	if have := old[purpose]; have != nil {
		return have
	}
	if len(old) < maxPurposes {
		macs := maps.Clone(old)
		macs[purpose] = k
		r.macs.Store(&macs)
	}
	return k
}
