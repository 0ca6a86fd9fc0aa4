package audit_test

import (
	"testing"
	"time"

	"tacet/internal/audit"
)

// What this process committed is hashed from memory, what other nodes wrote between is
// read, and the trees are the same; the last signed record is looked at in the store each
// time, and when there is nothing new the log is asked and answers nothing.
func TestFollowerTakesWhatWasCommitted(t *testing.T) {
	const size = 3000
	all := newLog()
	all.write(size)
	roots := reference(t, all, size)
	l, recent := newLog(), new(audit.Recent)
	f := audit.NewFollower(audit.FollowerConfig{Log: l, Signer: newSigner(t), Recent: recent, Now: func() time.Time { return start }})
	for at := 0; at < size; {
		ours := min(at+100+at%7, size)
		var bodies [][]byte
		for _, leaf := range all.leaves[at:ours] {
			bodies = append(bodies, leaf.Body)
		}
		recent.Committed(int64(at), bodies)
		others := min(ours+at%3*50, size) // by another node
		l.leaves, at = all.leaves[:others], others
		l.read = 0
		advance(t, f, int64(others))
		if got, want := l.read, others-ours+2; got > want {
			t.Fatalf("%d records were read, of which %d were another node's", got, others-ours)
		}
	}
	advance(t, f, size)
	if got := head(t, l); got.Root != roots[size] {
		t.Fatal("the tree is another one")
	}
	mustHold(t, l, nil)

	// What is in memory does not hide what was done to the store.
	recent.Committed(size, [][]byte{[]byte("{}")})
	l.leaves = all.leaves[:size-1]
	if _, err := f.Advance(ctx); err == nil {
		t.Error("a log that was cut off is signed on")
	}
}

// A follower that is far behind reads the store: what is remembered is bounded.
func TestRecentIsBounded(t *testing.T) {
	l, recent := newLog(), new(audit.Recent)
	l.write(100_000)
	for at := 0; at < len(l.leaves); at += 1000 {
		var bodies [][]byte
		for _, leaf := range l.leaves[at : at+1000] {
			bodies = append(bodies, leaf.Body)
		}
		recent.Committed(int64(at), bodies)
	}
	f := audit.NewFollower(audit.FollowerConfig{Log: l, Signer: newSigner(t), Recent: recent, Now: func() time.Time { return start }})
	advance(t, f, int64(len(l.leaves)))
	mustHold(t, l, nil)
}
