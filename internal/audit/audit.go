// Package audit makes the records tamper-evident: it hashes them into a Merkle tree,
// signs the tree's head, and verifies both, online and from an export alone.
//
// The tree is the one of RFC 6962 (Certificate Transparency), kept as tiles of 256
// hashes (golang.org/x/mod/sumdb/tlog). A [Follower] behind each node hashes every
// record once and about each second signs a checkpoint: a note that says how long
// the log is and what it hashes to (c2sp.org/tlog-checkpoint). Whoever can write the
// database but has not the signing key can then destroy the log but not change it
// unseen: a record changed, removed, added in between or moved no longer fits the
// signed root.
//
// What no log can see by itself is that all of it was put back to an earlier state,
// checkpoint and tiles and records together. For that a checkpoint must be kept
// elsewhere and given to [VerifyLog] as since; a running follower remembers its last
// one for the same reason.
//
// The package runs no SQL. It sees the store through [Log].
package audit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// TileHeight is the height of a tile: a full one holds 2^8 hashes.
const TileHeight = 8

const tileWidth = 1 << TileHeight

// A Leaf is a stored record. Its sequence number, from 0, is its index in the tree.
type Leaf struct {
	Seq  int64
	Time int64 // microseconds since 1970 UTC; a copy of the record's own, for search
	// Body is the JSON of a [tacet.Record] as it is stored; its hash is taken over
	// these bytes.
	Body []byte
}

// A TileID names the n-th tile of a level. Level 0 holds the hashes of records,
// level 1 the hashes of full tiles of level 0, and so on.
type TileID struct {
	Level int
	N     int64
}

// A Tile is a tile's hashes, Width of them, 32 bytes each, one after another.
// A wider tile with the same id begins with the hashes of the narrower one.
type Tile struct {
	Level int
	N     int64
	Width int // 1 to 256
	Data  []byte
}

// A Checkpoint is a signed statement of the log's length and root hash.
type Checkpoint struct {
	Size int64
	Time int64  // when it was signed, microseconds since 1970 UTC
	Note string // the signed note, the only one of the three that proves anything
}

// Log is what the room needs of the store.
type Log interface {
	// Leaves returns up to limit records with Seq >= from in the order of Seq: at least
	// one unless the log ends before, and fewer than limit only at its end or to bound
	// memory when records are large. A missing one is not an error here: the caller
	// looks for gaps.
	Leaves(ctx context.Context, from int64, limit int) ([]Leaf, error)
	// Tiles returns those of the tiles that exist, in any order.
	Tiles(ctx context.Context, ids []TileID) ([]Tile, error)
	// Latest returns the checkpoint of the greatest size, nil when there is none.
	Latest(ctx context.Context) (*Checkpoint, error)
	// Advance stores the tiles, each in place of a narrower one with its id, and the
	// checkpoint, all or nothing. expected is the size of the checkpoint this one follows, 0
	// for the first; when the latest is another, nothing is stored and the error is
	// (or wraps) [ErrRaced].
	Advance(ctx context.Context, expected int64, tiles []Tile, c Checkpoint) error
}

// ErrRaced is what [Log.Advance] returns when another node advanced first.
var ErrRaced = errors.New("audit: another node advanced the log first")

// ErrNoCheckpoint says that nothing is signed yet.
var ErrNoCheckpoint = errors.New("audit: the log has no checkpoint yet")

// A TamperError says that what is stored contradicts what was signed. It never goes
// away by trying again.
type TamperError struct {
	Problem string // a sentence for people, without a full stop
}

// Error returns the problem.
func (e *TamperError) Error() string { return "audit: " + e.Problem }

func tampered(format string, args ...any) error {
	return &TamperError{fmt.Sprintf(format, args...)}
}

// problem returns what a [TamperError] says, or the text of any other error.
func problem(err error) string {
	var t *TamperError
	if errors.As(err, &t) {
		return t.Problem
	}
	return err.Error()
}

// A Report says what a verification found.
type Report struct {
	// Records is how many records were read and hashed: From up to but not including To.
	Records  int64
	From, To int64
	// Signed is how many records the checkpoint covers. In a log those from Signed on
	// are in order but not signed yet.
	Signed int64
	// Root is in base64. Of a log it is the hash of the tree over all Records; of an
	// export that of the signed tree.
	Root string
	// Checkpoint is the signed note and Signed At the time it states, zero when there is
	// none; Key is what verified it.
	Checkpoint string
	SignedAt   time.Time
	Key        string
	// KeyFromExport says that no key was expected and the export's own was used: then the
	// export agrees with itself, and the key has still to be compared with the
	// deployment's.
	KeyFromExport bool
	// Problem is the first thing that does not hold, in a sentence for people; "" when
	// everything does.
	Problem string
	// FirstBad is the sequence number of the first record Problem is about, -1 when no
	// single record can be told.
	FirstBad int64
}

// OK reports whether everything holds.
func (r *Report) OK() bool { return r.Problem == "" }

// fail notes the first problem; later ones are often only its consequences.
func (r *Report) fail(seq int64, format string, args ...any) {
	if r.Problem == "" {
		r.Problem = fmt.Sprintf(format, args...)
		r.FirstBad = seq
	}
}

// SeqAt returns the sequence number of the first of the size first records that is not
// earlier than t, size when all are. It bisects, so it relies on the order of times
// in the log: exact but for records within the same group of commits.
func SeqAt(ctx context.Context, log Log, t time.Time, size int64) (int64, error) {
	us := t.UnixMicro()
	lo, hi := int64(0), size
	for lo < hi {
		mid := lo + (hi-lo)/2
		leaves, err := log.Leaves(ctx, mid, 1)
		if err != nil {
			return 0, err
		}
		if len(leaves) == 0 || leaves[0].Seq != mid {
			return 0, tampered("record %d is missing", mid)
		}
		if leaves[0].Time < us {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, nil
}
