package audit

import (
	"context"
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// ProveRange returns the hashes that, together with the hashes of the records
// [from, to), make up the root of the tree that head states: those of the perfect
// subtrees left of the range and then of those right of it, each from left to right. See
// [CheckRange].
//
// The stored tiles are verified against head on the way. Errors: [*TamperError], and
// those of the log.
func ProveRange(ctx context.Context, log Log, head Head, from, to int64) ([]tlog.Hash, error) {
	if from < 0 || to < from || to > head.Size {
		return nil, fmt.Errorf("audit: no proof of the records %d to %d in a tree of %d", from, to, head.Size)
	}
	var at []int64
	for n := range subtrees(0, from) {
		at = append(at, tlog.StoredHashIndex(n.level, n.n))
	}
	for n := range subtrees(to, head.Size) {
		at = append(at, tlog.StoredHashIndex(n.level, n.n))
	}
	return hashesAt(ctx, log, head, at...)
}

// CheckRange verifies that the records whose hashes were added to r are the ones
// from r's start to its end in the tree of size records and that root.
func CheckRange(proof []tlog.Hash, r *Range, size int64, root tlog.Hash) error {
	if r.from < 0 || r.to < r.from || r.to > size {
		return errors.New("the range is not within the tree")
	}
	var whole Range
	add := func(from, to int64) bool {
		for n := range subtrees(from, to) {
			if len(proof) == 0 {
				return false
			}
			whole.push(n.level, proof[0])
			proof = proof[1:]
		}
		return true
	}
	if !add(0, r.from) {
		return errors.New("the proof is too short")
	}
	for _, n := range r.nodes {
		whole.push(n.level, n.hash)
	}
	if !add(r.to, size) {
		return errors.New("the proof is too short")
	}
	if len(proof) > 0 {
		return errors.New("the proof is too long")
	}
	if whole.root() != root {
		return errors.New("the records are not those of the signed tree")
	}
	return nil
}

// Consistency returns the proof that the tree of head begins with the tree of its
// first size records (RFC 6962, 2.1.2), for [tlog.CheckTree]. Errors: [*TamperError],
// and those of the log.
func Consistency(ctx context.Context, log Log, head Head, size int64) (tlog.TreeProof, error) {
	if size < 1 || size > head.Size {
		return nil, fmt.Errorf("audit: no proof of consistency from %d to %d records", size, head.Size)
	}
	r := tiles{ctx: ctx, log: log}
	proof, err := tlog.ProveTree(head.Size, size, r.reader(head))
	return proof, r.explain(err)
}

// rootAt returns the root of the first size records of the tree of head.
func rootAt(ctx context.Context, log Log, head Head, size int64) (tlog.Hash, error) {
	r := tiles{ctx: ctx, log: log}
	root, err := tlog.TreeHash(size, r.reader(head))
	return root, r.explain(err)
}

// hashesAt returns the hashes at the places in the tree of head.
func hashesAt(ctx context.Context, log Log, head Head, at ...int64) ([]tlog.Hash, error) {
	if len(at) == 0 {
		return nil, nil // the reader below cannot be asked for nothing in an empty tree
	}
	r := tiles{ctx: ctx, log: log}
	hashes, err := r.reader(head).ReadHashes(at)
	return hashes, r.explain(err)
}

// tiles reads stored tiles for tlog, which verifies them against the root.
type tiles struct {
	ctx context.Context
	log Log
	err error // of the log itself
}

func (r *tiles) reader(head Head) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: head.Size, Hash: head.Root}, r)
}

// explain tells a failing store from tiles that do not fit.
func (r *tiles) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case r.err != nil:
		return r.err
	}
	return tampered("the stored tiles do not fit the signed tree: %v", err)
}

// Height is that of [tlog.TileReader].
func (r *tiles) Height() int { return TileHeight }

// SaveTiles is that of [tlog.TileReader]; there is no cache.
func (r *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles is that of [tlog.TileReader].
func (r *tiles) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	ids := make([]TileID, len(want))
	for i, t := range want {
		ids[i] = TileID{t.L, t.N}
	}
	stored, err := r.log.Tiles(r.ctx, ids)
	if err != nil {
		r.err = err
		return nil, err
	}
	byID, err := index(stored)
	if err != nil {
		return nil, err
	}
	data := make([][]byte, len(want))
	for i, id := range ids {
		t := byID[id]
		if t.Width < want[i].W {
			return nil, fmt.Errorf("tile %d of level %d holds %d hashes of %d", id.N, id.Level, t.Width, want[i].W)
		}
		data[i] = t.Data[:want[i].W*tlog.HashSize]
	}
	return data, nil
}

// place is a perfect subtree: the n-th of 2^level records.
type place struct {
	level int
	n     int64
}

// subtrees yields the largest perfect subtrees that cover [from, to), from left to
// right.
func subtrees(from, to int64) func(yield func(place) bool) {
	return func(yield func(place) bool) {
		for from < to {
			level := bits.Len64(uint64(to-from)) - 1
			if from > 0 {
				level = min(level, bits.TrailingZeros64(uint64(from)))
			}
			if !yield(place{level, from >> level}) {
				return
			}
			from += 1 << level
		}
	}
}

// A Range is the compact form of the tree over consecutive records: the hashes of
// its perfect subtrees, at most two a level. The zero Range begins at record 0.
type Range struct {
	from, to int64
	nodes    []node // from left to right
}

type node struct {
	place
	hash tlog.Hash
}

// NewRange returns an empty range that begins at a record.
func NewRange(from int64) *Range { return &Range{from: from, to: from} }

// Add appends the hash of the next record.
func (r *Range) Add(h tlog.Hash) { r.push(0, h) }

// push appends a perfect subtree; the range must end where one of that level can begin.
func (r *Range) push(level int, h tlog.Hash) {
	next := node{place{level, r.to >> level}, h}
	r.to += 1 << level
	for len(r.nodes) > 0 && next.n&1 == 1 {
		left := r.nodes[len(r.nodes)-1]
		if left.level != next.level {
			break // the sibling is left of the range
		}
		r.nodes = r.nodes[:len(r.nodes)-1]
		next = node{place{next.level + 1, next.n >> 1}, tlog.NodeHash(left.hash, next.hash)}
	}
	r.nodes = append(r.nodes, next)
}

// root returns the hash of the tree, for a range that begins at record 0.
func (r *Range) root() tlog.Hash {
	if len(r.nodes) == 0 {
		h, _ := tlog.TreeHash(0, nil)
		return h
	}
	last := len(r.nodes) - 1
	h := r.nodes[last].hash
	for i := last - 1; i >= 0; i-- {
		h = tlog.NodeHash(r.nodes[i].hash, h)
	}
	return h
}
