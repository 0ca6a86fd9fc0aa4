package audit_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"tacet"
	"tacet/internal/audit"
)

// reference computes the root of the first n records with tlog's own storage.
func reference(t testing.TB, l *memLog, sizes ...int64) map[int64]tlog.Hash {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, x := range at {
			out[i] = stored[x]
		}
		return out, nil
	})
	roots := map[int64]tlog.Hash{}
	for n := int64(0); ; n++ {
		if slices.Contains(sizes, n) {
			h, err := tlog.TreeHash(n, reader)
			must(t, err)
			roots[n] = h
		}
		if n == int64(len(l.leaves)) {
			return roots
		}
		hashes, err := tlog.StoredHashes(n, l.leaves[n].Body, reader)
		must(t, err)
		stored = append(stored, hashes...)
	}
}

func head(t testing.TB, l *memLog) audit.Head {
	t.Helper()
	c, err := l.Latest(ctx)
	must(t, err)
	h, err := audit.OpenCheckpoint(c.Note, newSigner(t).VerifierKey())
	must(t, err)
	return h
}

// The follower's trees are those of RFC 6962 at and around the sizes where tiles end,
// in one step or in two, and they verify.
func TestFollowerSizes(t *testing.T) {
	sizes := []int64{1, 2, 3, 255, 256, 257, 511, 512, 513, 1023, 1024, 65535, 65536, 65537}
	if testing.Short() {
		sizes = sizes[:11]
	}
	all := newLog()
	all.write(int(sizes[len(sizes)-1]))
	roots := reference(t, all, sizes...)
	for _, size := range sizes {
		for _, first := range []int64{0, 1, 255, 256, size / 2, size - 1} {
			if first >= size || size > 2000 && first != size-1 {
				continue
			}
			l := newLog()
			l.leaves = all.leaves[:first]
			f := follower(t, l)
			advance(t, f, first)
			if first%2 == 0 { // go on in another process
				f = follower(t, l)
			}
			l.leaves = all.leaves[:size]
			advance(t, f, size)
			advance(t, f, size)
			if got := head(t, l); got.Size != size || got.Root != roots[size] || !got.Time.Equal(start) {
				t.Fatalf("%d then %d records: signed %d with root %v, want %v", first, size, got.Size, got.Root, roots[size])
			}
			if r := mustHold(t, l, nil); r.Records != size || r.Signed != size || r.Root != roots[size].String() || !r.SignedAt.Equal(start) {
				t.Fatalf("report of %d records: %+v", size, r)
			}
			var hashes int
			for id, tile := range l.tiles {
				if id.Level == 0 {
					hashes += tile.Width
				}
			}
			if hashes != int(size) {
				t.Fatalf("%d hashes on level 0 of %d records", hashes, size)
			}
		}
	}
}

func TestFollowerEmpty(t *testing.T) {
	l := newLog()
	advance(t, follower(t, l), 0)
	if len(l.checkpoints) != 0 {
		t.Error("an empty log was signed")
	}
	if r := mustHold(t, l, nil); r.Records != 0 || r.Signed != 0 {
		t.Errorf("%+v", r)
	}
}

// Many small steps and many restarts: every checkpoint is consistent with every
// earlier one, and what is unsigned is reported so.
func TestFollowerHistory(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	l := newLog()
	f := follower(t, l)
	for range 60 {
		l.write(1 + rng.IntN(90))
		if rng.IntN(3) == 0 {
			f = follower(t, l)
		}
		advance(t, f, int64(len(l.leaves)))
	}
	now := head(t, l)
	for i := range l.checkpoints {
		old := l.checkpoints[i]
		h, err := audit.OpenCheckpoint(old.Note, newSigner(t).VerifierKey())
		must(t, err)
		proof, err := audit.Consistency(ctx, l, now, h.Size)
		must(t, err)
		if err := tlog.CheckTree(proof, now.Size, now.Root, h.Size, h.Root); err != nil {
			t.Errorf("from %d to %d records: %v", h.Size, now.Size, err)
		}
		mustHold(t, l, &old)
	}
	l.write(10)
	if r := mustHold(t, l, &l.checkpoints[0]); r.Records != now.Size+10 || r.Signed != now.Size {
		t.Errorf("%+v", r)
	}
}

// A failing store costs nothing but time, wherever it fails.
func TestFollowerStoreFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	l := newLog()
	f := follower(t, l)
	for range 5 {
		l.write(130)
		l.fail = broken
		if _, err := f.Advance(ctx); !errors.Is(err, broken) {
			t.Fatalf("got %v", err)
		}
		l.fail = nil
		l.before = func() { l.before = nil; l.mu.Lock(); l.fail = broken; l.mu.Unlock() }
		if _, err := f.Advance(ctx); !errors.Is(err, broken) {
			t.Fatalf("got %v", err)
		}
		l.fail = nil
		advance(t, f, int64(len(l.leaves)))
	}
	mustHold(t, l, nil)
}

// Two nodes: the one that comes second takes over what the first wrote.
func TestFollowerRace(t *testing.T) {
	l := newLog()
	a, b := follower(t, l), follower(t, l)
	l.write(300)
	advance(t, a, 300)
	l.write(300)
	l.before = func() { l.before = nil; advance(t, b, 600); l.write(5) }
	advance(t, a, 605)
	l.write(1)
	advance(t, b, 606)
	mustHold(t, l, nil)
}

func TestFollowersConcurrently(t *testing.T) {
	l := newLog()
	var wg sync.WaitGroup
	for range 4 {
		f := follower(t, l)
		wg.Go(func() {
			for range 50 {
				l.write(17)
				if _, err := f.Advance(ctx); err != nil && !errors.Is(err, audit.ErrRaced) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	advance(t, follower(t, l), int64(len(l.leaves)))
	mustHold(t, l, nil)
}

func TestFollowerRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		f := audit.NewFollower(audit.FollowerConfig{Log: l, Signer: newSigner(t)})
		run, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- f.Run(run) }()
		for i := range 5 {
			l.write(10)
			time.Sleep(time.Second)
			synctest.Wait()
			if h := head(t, l); h.Size != int64(10*(i+1)) {
				t.Errorf("after %d s %d records are signed", i+1, h.Size)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Tampering ends a follower, in words, and it signs nothing more.
func TestFollowerRefuses(t *testing.T) {
	const n = 700
	whole := signed(t, n)
	whole.write(20)
	for name, tc := range map[string]struct {
		tamper func(*memLog)
		want   string
	}{
		"truncated":          {func(l *memLog) { l.leaves = l.leaves[:n-1] }, "shorter"},
		"emptied":            {func(l *memLog) { l.leaves = nil }, "shorter"},
		"last changed":       {func(l *memLog) { l.leaves[n-1].Body[9]++ }, "not what was signed"},
		"gap":                {func(l *memLog) { l.leaves = slices.Delete(l.leaves, n+3, n+4) }, "record 703 is missing"},
		"tile changed":       {func(l *memLog) { l.tiles[audit.TileID{Level: 0, N: 2}].Data[33]++ }, "hash to"},
		"tile missing":       {func(l *memLog) { delete(l.tiles, audit.TileID{Level: 1, N: 0}) }, "holds 0 hashes"},
		"tile cut":           {func(l *memLog) { cutTile(l, audit.TileID{Level: 0, N: 2}, 10) }, "holds 10 hashes"},
		"tile malformed":     {func(l *memLog) { l.tiles[audit.TileID{Level: 0, N: 2}] = audit.Tile{N: 2, Width: 9000} }, "malformed"},
		"forged":             {func(l *memLog) { l.checkpoints[0] = forge(t, n+20) }, "not signed by"},
		"note changed":       {func(l *memLog) { c := &l.checkpoints[0]; c.Note = strings.Replace(c.Note, "700", "500", 1) }, "signature"},
		"size changed":       {func(l *memLog) { l.checkpoints[0].Size = 500 }, "stored as one of 500"},
		"time changed":       {func(l *memLog) { l.checkpoints[0].Time++ }, "stored as one of"},
		"checkpoint removed": {func(l *memLog) { l.checkpoints = nil }, "the checkpoints were removed"},
		"not a note":         {func(l *memLog) { l.checkpoints[0].Note = "\x00" }, "signature does not hold"},
		"older put back":     {func(l *memLog) { l.checkpoints = signed(t, 600).checkpoints }, "later checkpoints were removed"},
		"far older put back": {func(l *memLog) { l.checkpoints = signed(t, 3).checkpoints }, "later checkpoints were removed"},
	} {
		t.Run(name, func(t *testing.T) {
			l := whole.clone()
			tc.tamper(l)
			was := slices.Clone(l.checkpoints)
			var out bytes.Buffer
			f := audit.NewFollower(audit.FollowerConfig{Log: l, Signer: newSigner(t), Logger: slog.New(slog.NewTextHandler(&out, nil))})
			err := f.Run(ctx)
			wantTamper(t, err)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
			if !strings.Contains(out.String(), "level=ERROR") {
				t.Errorf("the log says only %q", out.String())
			}
			if !slices.Equal(was, l.checkpoints) {
				t.Error("it signed nevertheless")
			}
		})
	}
}

// A follower remembers: everything put back to an earlier state, or replaced by
// another history that is signed properly, is noticed while it runs.
func TestFollowerRemembers(t *testing.T) {
	l := newLog()
	f := follower(t, l)
	l.write(300)
	advance(t, f, 300)
	earlier := l.clone()
	l.write(300)
	advance(t, f, 600)

	*l = memLog{leaves: earlier.leaves, tiles: earlier.tiles, checkpoints: earlier.checkpoints}
	l.write(5)
	_, err := f.Advance(ctx)
	wantTamper(t, err)
	l.write(600) // and when it has grown past what was signed
	_, err = f.Advance(ctx)
	wantTamper(t, err)

	other := newLog()
	other.write(900)
	other.leaves[5].Body = record(6).AppendJSON(nil)
	advance(t, follower(t, other), 900)
	*l = memLog{leaves: other.leaves, tiles: other.tiles, checkpoints: other.checkpoints}
	l.write(1)
	_, err = f.Advance(ctx)
	wantTamper(t, err)
	if err != nil && !strings.Contains(err.Error(), "another history") {
		t.Error(err)
	}
}

func cutTile(l *memLog, id audit.TileID, width int) {
	t := l.tiles[id]
	t.Width, t.Data = width, t.Data[:32*width]
	l.tiles[id] = t
}

// forge is a checkpoint of the right name, signed with another key.
func forge(t testing.TB, n int) audit.Checkpoint {
	s, err := audit.NewSigner("tacet/test", slices.Repeat([]byte{8}, 32))
	must(t, err)
	l := newLog()
	l.write(n)
	_, err = audit.NewFollower(audit.FollowerConfig{Log: l, Signer: s, Now: func() time.Time { return start }}).Advance(ctx)
	must(t, err)
	return l.checkpoints[0]
}

func TestSignerRefuses(t *testing.T) {
	for _, name := range []string{"", "with space", "plus+", "\xff"} {
		if _, err := audit.NewSigner(name, make([]byte, 32)); err == nil {
			t.Errorf("the name %q was accepted", name)
		}
	}
	for _, n := range []int{0, 31, 33, 64} {
		if _, err := audit.NewSigner("tacet", make([]byte, n)); err == nil {
			t.Errorf("a seed of %d bytes was accepted", n)
		}
	}
}

func TestOpenCheckpoint(t *testing.T) {
	l := signed(t, 3)
	c := l.checkpoints[0]
	if h := head(t, l); h.Origin != "tacet/test" || h.Size != 3 || tacet.Microseconds(h.Time) != c.Time {
		t.Errorf("%+v", h)
	}
	if want := "tacet/test\n3\n"; !strings.HasPrefix(c.Note, want) {
		t.Errorf("the note is %q", c.Note)
	}
	for _, key := range []string{"", "tacet/test", "tacet/test+00000000+AAAA", newSigner(t).VerifierKey() + "A"} {
		if _, err := audit.OpenCheckpoint(c.Note, key); err == nil {
			t.Errorf("opened with the key %q", key)
		}
	}
}

func TestSeqAt(t *testing.T) {
	l := signed(t, 300)
	for at, want := range map[time.Duration]int64{-time.Hour: 0, 0: 0, 1: 1, 5 * time.Millisecond: 5, 5*time.Millisecond + 1: 6,
		299 * time.Millisecond: 299, 300 * time.Millisecond: 300, time.Hour: 300} {
		// Times are kept in microseconds, so a nanosecond later is the same record.
		if at == 1 || at == 5*time.Millisecond+1 {
			at += time.Microsecond
		}
		got, err := audit.SeqAt(ctx, l, start.Add(at), 300)
		must(t, err)
		if got != want {
			t.Errorf("at %v: record %d, want %d", at, got, want)
		}
	}
	l.leaves = slices.Delete(l.leaves, 150, 151)
	_, err := audit.SeqAt(ctx, l, start.Add(150*time.Millisecond), 300)
	wantTamper(t, err)
}

// BenchmarkFollower is the cost of one record, everything but the store: steps of
// 4096 records of about 700 bytes.
func BenchmarkFollower(b *testing.B) {
	all := newLog()
	all.write(4096)
	signer := newSigner(b)
	b.ReportAllocs()
	records := 0
	for b.Loop() {
		l := newLog()
		l.leaves = all.leaves
		f := audit.NewFollower(audit.FollowerConfig{Log: l, Signer: signer})
		if _, err := f.Advance(ctx); err != nil {
			b.Fatal(err)
		}
		records += len(all.leaves)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
}
