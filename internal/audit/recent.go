package audit

import (
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// A Recent holds the leaf hashes of the records that this process committed lately, so
// that its follower need not read them from the store again. It holds one run without
// gaps: where another node's records lie between, it begins anew. The zero value is ready.
type Recent struct {
	mu     sync.Mutex
	first  int64 // the number of the record of hashes[0]
	hashes []tlog.Hash
}

// maxRecent bounds what is held, in hashes; a follower that is further behind reads the
// store.
const maxRecent = 1 << 15

// Committed takes in the records numbered from first on, which are in the store now.
func (r *Recent) Committed(first int64, bodies [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if first != r.first+int64(len(r.hashes)) || len(r.hashes)+len(bodies) > maxRecent {
		r.first, r.hashes = first, r.hashes[:0]
	}
	for _, b := range bodies {
		r.hashes = append(r.hashes, tlog.RecordHash(b))
	}
}

// take returns the hashes of up to limit records from the one numbered from on, and
// forgets them and those before; nil when they are not held.
func (r *Recent) take(from int64, limit int) []tlog.Hash {
	r.mu.Lock()
	defer r.mu.Unlock()
	skip := from - r.first
	if skip < 0 || skip >= int64(len(r.hashes)) {
		return nil
	}
	out := append([]tlog.Hash(nil), r.hashes[skip:min(skip+int64(limit), int64(len(r.hashes)))]...)
	end := skip + int64(len(out))
	r.hashes = r.hashes[:copy(r.hashes, r.hashes[end:])]
	r.first += end
	return out
}
