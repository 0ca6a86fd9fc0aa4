package audit_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"tacet/internal/audit"
)

// Whatever byte of whatever record is changed, the report names that record.
func TestVerifyEveryByte(t *testing.T) {
	const n = 300
	l := signed(t, n)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, seq := range []int{0, 255, n - 1} {
		body := l.leaves[seq].Body
		for i := range body {
			if testing.Short() && i%7 != 0 {
				continue
			}
			was := body[i]
			body[i] ^= byte(1 + rng.IntN(255))
			r := verify(t, l, nil)
			body[i] = was
			if r.FirstBad != int64(seq) || !strings.Contains(r.Problem, "is not what was signed") {
				t.Fatalf("byte %d of record %d changed: %q (record %d)", i, seq, r.Problem, r.FirstBad)
			}
		}
	}
	mustHold(t, l, nil)
}

func TestVerifyTampered(t *testing.T) {
	const size = 3000
	whole := signed(t, size)
	latest := len(whole.checkpoints) - 1 // a long log is signed in several steps
	kept := whole.checkpoints[latest]
	mustHold(t, whole, &kept)
	last := int64(size - 1)
	cases := []struct {
		name   string
		tamper func(*memLog)
		since  *audit.Checkpoint
		bad    int64
		want   string
	}{
		{"changed", func(l *memLog) { l.leaves[1234].Body[20] ^= 1 }, nil, 1234, "record 1234 is not what was signed"},
		{"emptied", func(l *memLog) { l.leaves[1234].Body = nil }, nil, 1234, "record 1234 is not what was signed"},
		{"two changed", func(l *memLog) { l.leaves[last].Body[20] ^= 1; l.leaves[3].Body[20] ^= 1 }, nil, 3, "record 3 is not"},
		{"deleted", func(l *memLog) { l.leaves = slices.Delete(l.leaves, 777, 778) }, nil, 777, "record 777 is missing: record 778"},
		{"deleted and renumbered", func(l *memLog) { l.leaves = slices.Delete(l.leaves, 777, 778); renumber(l) }, nil, 777, "record 777 is not"},
		{"first deleted", func(l *memLog) { l.leaves = l.leaves[1:] }, nil, 0, "record 0 is missing"},
		{"inserted", func(l *memLog) { l.leaves = slices.Insert(l.leaves, 500, l.leaves[9]); renumber(l) }, nil, 500, "record 500 is not"},
		{"swapped", func(l *memLog) { l.leaves[600].Body, l.leaves[900].Body = l.leaves[900].Body, l.leaves[600].Body }, nil, 600, "another stands in its place"},
		{"truncated", func(l *memLog) { l.leaves = l.leaves[:last] }, nil, last, "those from record"},
		{"emptied log", func(l *memLog) { l.leaves = nil }, nil, 0, "those from record 0 on are missing"},
		{"refiled", func(l *memLog) { l.leaves[42].Time += 1e6 }, nil, 42, "filed under another time"},
		{"tile changed", func(l *memLog) { l.tiles[audit.TileID{N: 3}].Data[99]++ }, nil, -1, "records are what was signed, but a stored tile is not: tile 3 of level 0 does not hold the hash of record 771"},
		{"upper tile changed", func(l *memLog) { l.tiles[audit.TileID{Level: 1}].Data[99]++ }, nil, -1, "tile 0 of level 1"},
		{"tile removed", func(l *memLog) { delete(l.tiles, audit.TileID{N: 5}) }, nil, -1, "tile 5 of level 0 holds 0 hashes of 256"},
		{"tile cut", func(l *memLog) { cutTile(l, audit.TileID{N: 5}, 255) }, nil, -1, "tile 5 of level 0 holds 255"},
		{"record and tile changed", func(l *memLog) {
			l.leaves[800].Body[20] ^= 1
			h := tlog.RecordHash(l.leaves[800].Body)
			copy(l.tiles[audit.TileID{N: 3}].Data[32*(800-768):], h[:])
		}, nil, -1, "records and tiles were changed"},
		{"record and whole tree changed", func(l *memLog) {
			l.leaves[800].Body[20] ^= 1
			f := newLog()
			f.leaves = l.leaves
			advance(t, follower(t, f), int64(size))
			l.tiles = f.tiles
		}, nil, -1, "records and tiles were changed"},
		{"forged", func(l *memLog) { l.checkpoints[latest] = forge(t, size) }, nil, -1, "not signed by tacet/test"},
		{"note changed", func(l *memLog) { l.checkpoints[latest].Note = strings.Replace(kept.Note, "2026-", "2027-", 1) }, nil, -1, "signature does not hold"},
		{"older checkpoint", func(l *memLog) { l.checkpoints = signed(t, 1500).checkpoints }, nil, 1500, "later checkpoints were removed"},
		{"no checkpoint", func(l *memLog) { l.checkpoints = nil }, nil, 0, "the checkpoints were removed"},
		{"rolled back whole", func(l *memLog) { *l = *signed(t, 1500) }, &kept, 1500, "rolled back"},
		{"wiped", func(l *memLog) { *l = *newLog() }, &kept, 0, "rolled back"},
		{"history rewritten with the key", func(l *memLog) {
			f := newLog()
			f.leaves = l.leaves
			f.leaves[5].Body = record(6).AppendJSON(nil)
			f.leaves[5].Time = l.leaves[6].Time
			f.write(100)
			advance(t, follower(t, f), int64(size+100))
			*l = memLog{leaves: f.leaves, tiles: f.tiles, checkpoints: f.checkpoints}
		}, &kept, -1, "another history"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			l := whole.clone()
			tc.tamper(l)
			r := verify(t, l, tc.since)
			if r.OK() || r.FirstBad != tc.bad || !strings.Contains(r.Problem, tc.want) {
				t.Errorf("got %q (record %d), want %q (record %d)", r.Problem, r.FirstBad, tc.want, tc.bad)
			}
		})
	}
}

// A log that grows while it is read is not taken for a tampered one.
func TestVerifyWhileGrowing(t *testing.T) {
	l := signed(t, 500)
	f := follower(t, l)
	g := &growing{memLog: l, grow: func() {
		l.write(300)
		if _, err := f.Advance(ctx); err != nil {
			t.Error(err)
		}
	}}
	if r := verify(t, g, nil); !r.OK() || r.Signed != 500 || r.Records < 800 {
		t.Errorf("%+v", r)
	}
}

// growing lets the log grow after its checkpoint was read.
type growing struct {
	*memLog
	grow func()
}

func (g *growing) Tiles(c context.Context, ids []audit.TileID) ([]audit.Tile, error) {
	if g.grow != nil {
		grow := g.grow
		g.grow = nil
		grow()
	}
	return g.memLog.Tiles(c, ids)
}

func TestVerifyErrors(t *testing.T) {
	l := signed(t, 3)
	key := newSigner(t).VerifierKey()
	if _, err := audit.VerifyLog(ctx, l, "nonsense", nil); err == nil {
		t.Error("a key that cannot be read was accepted")
	}
	for _, note := range []string{"", "x", strings.Repeat("x", 1<<20), forge(t, 2).Note} {
		if _, err := audit.VerifyLog(ctx, l, key, &audit.Checkpoint{Note: note}); err == nil {
			t.Errorf("%.20q was accepted as an earlier checkpoint", note)
		}
	}
	l.fail = errors.New("the disk is gone")
	if _, err := audit.VerifyLog(ctx, l, key, nil); !errors.Is(err, l.fail) {
		t.Errorf("got %v", err)
	}
}

func renumber(l *memLog) {
	for i := range l.leaves {
		l.leaves[i].Seq = int64(i)
	}
}

// Every range of a small tree has a proof that holds for it and for no other.
func TestProveEveryRange(t *testing.T) {
	const n = 21
	l := signed(t, 300)
	for size := range int64(n) {
		small := signed(t, int(size))
		var h audit.Head
		if size > 0 {
			h = head(t, small)
		}
		for from := range size + 1 {
			for to := from; to <= size; to++ {
				proof, err := audit.ProveRange(ctx, small, h, from, to)
				must(t, err)
				check := func(proof []tlog.Hash, at int64) error {
					r := audit.NewRange(at)
					for i := from; i < to; i++ {
						r.Add(tlog.RecordHash(small.leaves[i].Body))
					}
					return audit.CheckRange(proof, r, size, h.Root)
				}
				if size == 0 {
					continue
				}
				if err := check(proof, from); err != nil {
					t.Fatalf("[%d, %d) of %d: %v", from, to, size, err)
				}
				if to > from && (check(proof, from+1) == nil || from > 0 && check(proof, from-1) == nil) {
					t.Fatalf("[%d, %d) of %d proves another range", from, to, size)
				}
				if check(append(proof[:len(proof):len(proof)], tlog.Hash{}), from) == nil || len(proof) > 0 && check(proof[1:], from) == nil {
					t.Fatalf("[%d, %d) of %d: a proof of another length holds", from, to, size)
				}
			}
		}
	}
	for _, bad := range [][2]int64{{-1, 2}, {2, 1}, {0, 301}} {
		if _, err := audit.ProveRange(ctx, l, head(t, l), bad[0], bad[1]); err == nil {
			t.Errorf("a proof of %v", bad)
		}
	}
}

func TestProofsVerifyTiles(t *testing.T) {
	l := signed(t, 600)
	h := head(t, l)
	l.tiles[audit.TileID{N: 1}].Data[32*44] ^= 1
	_, err := audit.ProveRange(ctx, l, h, 301, 400)
	wantTamper(t, err)
	_, err = audit.Consistency(ctx, l, h, 301)
	wantTamper(t, err)
	if _, err := audit.Consistency(ctx, l, h, 0); err == nil {
		t.Error("a proof from an empty tree")
	}
	if _, err := audit.Consistency(ctx, l, h, 601); err == nil {
		t.Error("a proof from a larger tree")
	}
	l.fail = errors.New("the disk is gone")
	if _, err := audit.ProveRange(ctx, l, h, 1, 2); !errors.Is(err, l.fail) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkVerifyLog(b *testing.B) {
	l := signed(b, 20_000)
	key := newSigner(b).VerifierKey()
	records := int64(0)
	for b.Loop() {
		r, err := audit.VerifyLog(ctx, l, key, nil)
		if err != nil || !r.OK() {
			b.Fatal(r.Problem, err)
		}
		records += r.Records
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
}
