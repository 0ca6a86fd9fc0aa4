package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tacet"
	"tacet/internal/audit"
)

var ctx = context.Background()

var start = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)

// memLog is a whole Log in memory. Tests tamper with its fields.
type memLog struct {
	mu          sync.Mutex
	leaves      []audit.Leaf
	tiles       map[audit.TileID]audit.Tile
	checkpoints []audit.Checkpoint
	fail        error  // when set, what every call returns
	before      func() // called at the beginning of Advance
	reads       int    // calls of Tiles
	read        int    // leaves read
}

func newLog() *memLog { return &memLog{tiles: map[audit.TileID]audit.Tile{}} }

func (l *memLog) Leaves(_ context.Context, from int64, limit int) ([]audit.Leaf, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearchFunc(l.leaves, from, func(a audit.Leaf, seq int64) int { return int(a.Seq - seq) })
	out := slices.Clone(l.leaves[i:min(i+limit, len(l.leaves))])
	l.read += len(out)
	return out, l.fail
}

func (l *memLog) Tiles(_ context.Context, ids []audit.TileID) ([]audit.Tile, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	var out []audit.Tile
	for _, id := range ids {
		if t, ok := l.tiles[id]; ok {
			out = append(out, t)
		}
	}
	slices.Reverse(out) // any order will do
	return out, l.fail
}

func (l *memLog) Latest(context.Context) (*audit.Checkpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil || len(l.checkpoints) == 0 {
		return nil, l.fail
	}
	c := l.checkpoints[len(l.checkpoints)-1]
	return &c, nil
}

func (l *memLog) Advance(_ context.Context, expected int64, tiles []audit.Tile, c audit.Checkpoint) error {
	if l.before != nil {
		l.before()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	latest := int64(0)
	if n := len(l.checkpoints); n > 0 {
		latest = l.checkpoints[n-1].Size
	}
	if latest != expected {
		return fmt.Errorf("memory: %w", audit.ErrRaced)
	}
	for _, t := range tiles {
		id := audit.TileID{Level: t.Level, N: t.N}
		if old := l.tiles[id]; len(t.Data) != 32*t.Width || t.Width <= old.Width || string(t.Data[:len(old.Data)]) != string(old.Data) {
			return fmt.Errorf("memory: tile %v does not extend the one stored", id)
		}
		t.Data = slices.Clone(t.Data)
		l.tiles[id] = t
	}
	l.checkpoints = append(l.checkpoints, c)
	return nil
}

// write appends n records, each unlike the others.
func (l *memLog) write(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		seq := int64(len(l.leaves))
		r := record(seq)
		l.leaves = append(l.leaves, audit.Leaf{Seq: seq, Time: r.Time.UnixMicro(), Body: r.AppendJSON(nil)})
	}
}

// clone copies the log, so that one tampering does not see another's.
func (l *memLog) clone() *memLog {
	c := newLog()
	for _, leaf := range l.leaves {
		leaf.Body = slices.Clone(leaf.Body)
		c.leaves = append(c.leaves, leaf)
	}
	for id, t := range l.tiles {
		t.Data = slices.Clone(t.Data)
		c.tiles[id] = t
	}
	c.checkpoints = slices.Clone(l.checkpoints)
	return c
}

func record(seq int64) *tacet.Record {
	r := &tacet.Record{
		ID: fmt.Sprintf("%032x", seq), Time: start.Add(time.Duration(seq) * time.Millisecond), RequestID: "2f8b3c1e-6f0a-4a55-9d3c-0b8d2f6f9a11",
		Face: "aws", Operation: tacet.OpGetSecretValue, ReadOnly: true,
		CallerKind: tacet.CallerUser, Caller: "arn:aws:iam::123456789012:user/app", CallerID: "AIDAEXAMPLE", CallerName: "app",
		CallerAcct: "123456789012", AccessKey: "AKIAEXAMPLE", SourceIP: "192.0.2.7", UserAgent: "Boto3/1.40.1\n\x1b[2J",
		TLS: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256", Host: "secretsmanager.example.com",
		Account: "123456789012", Region: "eu-central-1", Resource: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-a1B2c3",
		Parameters: map[string]any{"secretId": "prod/db"}, Outcome: tacet.OutcomeAllowed, Policy: "p/0",
	}
	switch seq % 3 {
	case 1:
		r.Operation, r.ReadOnly = tacet.OpTagResource, false
		r.Parameters["tags"] = []tacet.Tag{{Key: "team", Value: "<ü>"}}
		r.Response = map[string]any{"arn": r.Resource, "n": seq}
	case 2:
		r.Outcome, r.Error, r.Reason = tacet.OutcomeDenied, tacet.Denied, string(tacet.DenyImplicitIdentity)
	}
	return r
}

func newSigner(t testing.TB) *audit.Signer {
	t.Helper()
	s, err := audit.NewSigner("tacet/test", slices.Repeat([]byte{7}, 32))
	must(t, err)
	return s
}

func follower(t testing.TB, l audit.Log) *audit.Follower {
	return audit.NewFollower(audit.FollowerConfig{Log: l, Signer: newSigner(t), Now: func() time.Time { return start }, Batch: 100})
}

// signed returns a log of n signed records.
func signed(t testing.TB, n int) *memLog {
	l := newLog()
	l.write(n)
	advance(t, follower(t, l), int64(n))
	return l
}

func advance(t testing.TB, f *audit.Follower, want int64) {
	t.Helper()
	got, err := f.Advance(ctx)
	must(t, err)
	if got != want {
		t.Fatalf("signed %d records, want %d", got, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func verify(t testing.TB, l audit.Log, since *audit.Checkpoint) audit.Report {
	t.Helper()
	r, err := audit.VerifyLog(ctx, l, newSigner(t).VerifierKey(), since)
	must(t, err)
	return r
}

func mustHold(t testing.TB, l *memLog, since *audit.Checkpoint) audit.Report {
	t.Helper()
	r := verify(t, l, since)
	if !r.OK() || r.FirstBad != -1 {
		t.Fatalf("an untouched log of %d records: %s (record %d)", len(l.leaves), r.Problem, r.FirstBad)
	}
	return r
}

func wantTamper(t testing.TB, err error) {
	t.Helper()
	var tamper *audit.TamperError
	if !errors.As(err, &tamper) {
		t.Errorf("got the error %v, want a TamperError", err)
	}
}
