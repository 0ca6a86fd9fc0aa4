package audit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"tacet"
)

// FollowerConfig is what a follower needs. Log and Signer must be set.
type FollowerConfig struct {
	Log    Log
	Signer *Signer
	Now    func() time.Time // default time.Now
	// Interval is how long Run waits between two steps, one second by default.
	Interval time.Duration
	Logger   *slog.Logger // default: none
	// Recent has the hashes of what this process committed lately; nil to read all of it
	// from the log.
	Recent *Recent
	// Batch is how many records are read at once, 4096 by default.
	Batch int
}

// A Follower hashes new records into the tree and signs checkpoints. Every node
// may run one: whoever is first advances the log, the others take over what it wrote.
type Follower struct {
	cfg FollowerConfig

	mu   sync.Mutex
	edge *edge // nil when it has to be loaded
	// last is the last checkpoint this process saw. The log must never be shorter than
	// that, nor have another history.
	last Head
}

// advanceBatches bounds how much is signed in one step, and with it the memory that a
// long backlog takes.
const advanceBatches = 16

// maxRaces is how often a step lost to another node is begun again.
const maxRaces = 8

// NewFollower returns a follower. It reads nothing until its first step.
func NewFollower(cfg FollowerConfig) *Follower {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Interval <= 0 {
		cfg.Interval = time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Batch <= 0 {
		cfg.Batch = 4096
	}
	return &Follower{cfg: cfg}
}

// Run follows the log until ctx ends, and then returns nil. It returns early only
// with a [*TamperError]: what is stored contradicts what was signed, and to sign on
// would cover it up. Other errors are logged and tried again.
func (f *Follower) Run(ctx context.Context) error {
	tick := time.NewTicker(f.cfg.Interval)
	defer tick.Stop()
	for {
		size, err := f.Advance(ctx)
		var tamper *TamperError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &tamper):
			f.cfg.Logger.Error("the audit log was tampered with; it is no longer signed", "problem", tamper.Problem)
			return err
		case err != nil:
			f.cfg.Logger.Warn("the audit log could not be advanced; trying again", "err", err, "signed", size)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Advance signs the records there are and returns how many are signed now. On the
// first call, and after a lost race, it reads the latest checkpoint and verifies its
// signature, that the stored tiles agree with it and that the log is not shorter; if
// not, the error is a [*TamperError].
func (f *Follower) Advance(ctx context.Context) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for races := 0; ; {
		more, err := f.step(ctx)
		switch {
		case errors.Is(err, ErrRaced) && races < maxRaces:
			races++
		case err != nil:
			return f.last.Size, err
		case !more:
			return f.last.Size, nil
		}
	}
}

// step signs up to advanceBatches batches. more says that there may be further records.
func (f *Follower) step(ctx context.Context) (more bool, err error) {
	if f.edge == nil {
		if err := f.load(ctx); err != nil {
			return false, err
		}
	}
	e, from := f.edge, f.edge.size
	f.edge = nil // whatever fails below, start again from what is stored
	for range advanceBatches {
		if more, err = f.read(ctx, e); err != nil {
			return false, err
		}
		if !more {
			break
		}
	}
	if e.size > from {
		if err := f.write(ctx, e, from); err != nil {
			return false, err
		}
	}
	f.edge = e
	return more, nil
}

// read hashes the next batch into e. more says that the batch was full.
func (f *Follower) read(ctx context.Context, e *edge) (more bool, err error) {
	if err := f.checkLast(ctx, e); err != nil {
		return false, err
	}
	if f.cfg.Recent != nil {
		if hashes := f.cfg.Recent.take(e.size, f.cfg.Batch); hashes != nil {
			for _, h := range hashes {
				e.add(h)
			}
			return true, nil // what other nodes wrote may follow
		}
	}
	leaves, err := f.cfg.Log.Leaves(ctx, e.size, f.cfg.Batch)
	if err != nil {
		return false, err
	}
	for i := range leaves {
		if leaves[i].Seq != e.size {
			return false, tampered("record %d is missing: record %d follows the one before it", e.size, leaves[i].Seq)
		}
		e.add(tlog.RecordHash(leaves[i].Body))
	}
	return len(leaves) >= f.cfg.Batch, nil
}

// checkLast looks whether the last record that was signed is still there, so that a log
// which was cut off or put back is noticed within an interval.
func (f *Follower) checkLast(ctx context.Context, e *edge) error {
	if e.size == 0 {
		return nil
	}
	leaves, err := f.cfg.Log.Leaves(ctx, e.size-1, 1)
	switch {
	case err != nil:
		return err
	case len(leaves) == 0 || leaves[0].Seq != e.size-1:
		return tampered("the log is shorter than was signed: of %d records the last is missing", e.size)
	case tlog.RecordHash(leaves[0].Body) != e.last:
		return tampered("record %d is not what was signed", e.size-1)
	}
	return nil
}

// write stores the tiles that changed since from and the checkpoint that covers them.
func (f *Follower) write(ctx context.Context, e *edge, from int64) error {
	root, now := e.root(), f.cfg.Now()
	c, err := f.cfg.Signer.sign(e.size, root, now)
	if err != nil {
		return err
	}
	tiles := append(e.takeFull(), e.partial(from)...)
	if err := f.cfg.Log.Advance(ctx, from, tiles, c); err != nil {
		return err
	}
	f.last = Head{Origin: f.cfg.Signer.name, Size: e.size, Root: root, Time: tacet.Time(c.Time)}
	return nil
}

// load reads the latest checkpoint and the edge of its tree, and verifies them.
func (f *Follower) load(ctx context.Context) error {
	head, e, err := loadEdge(ctx, f.cfg.Log, f.cfg.Signer.verifier)
	if err != nil {
		return err
	}
	if err := checkGrown(ctx, f.cfg.Log, f.last, head); err != nil {
		return err
	}
	if head.Size > 0 {
		last, err := hashesAt(ctx, f.cfg.Log, head, tlog.StoredHashIndex(0, head.Size-1))
		if err != nil {
			return err
		}
		e.last = last[0]
	}
	f.edge, f.last = e, head
	return nil
}

// loadEdge reads the latest checkpoint, verifies its signature and returns the edge of
// its tree, whose root is the signed one. Without any checkpoint the tree is empty.
func loadEdge(ctx context.Context, log Log, key string) (Head, *edge, error) {
	for {
		c, err := log.Latest(ctx)
		if err != nil {
			return Head{}, nil, err
		}
		var head Head
		if c != nil {
			if head, err = c.open(key); err != nil {
				return Head{}, nil, err
			}
		}
		tiles, err := log.Tiles(ctx, edgeIDs(head.Size))
		if err != nil {
			return Head{}, nil, err
		}
		e, beyond, err := edgeOf(head.Size, tiles)
		if err != nil {
			return Head{}, nil, err
		}
		if beyond {
			// Either another node advanced meanwhile, or an older checkpoint was put back.
			switch moved, err := checkpointMoved(ctx, log, head.Size); {
			case err != nil:
				return Head{}, nil, err
			case moved:
				continue
			}
			return Head{}, nil, errPutBack(head.Size)
		}
		if root := e.root(); c != nil && root != head.Root {
			return Head{}, nil, tampered("the stored tiles hash to %s, and the checkpoint of %d records says %s", root, head.Size, head.Root)
		}
		return head, e, nil
	}
}

func errPutBack(size int64) error {
	if size == 0 {
		return tampered("there is a tree but no checkpoint: the checkpoints were removed")
	}
	return tampered("the tree is larger than the %d records of the latest checkpoint: later checkpoints were removed", size)
}

// checkpointMoved reports whether the latest checkpoint is larger than size by now.
func checkpointMoved(ctx context.Context, log Log, size int64) (bool, error) {
	c, err := log.Latest(ctx)
	if err != nil || c == nil {
		return false, err
	}
	return c.Size > size, nil
}

// checkGrown verifies that the tree of head contains that of last.
func checkGrown(ctx context.Context, log Log, last, head Head) error {
	if head.Size < last.Size {
		return tampered("the log was rolled back: %d records were signed, the latest checkpoint covers %d", last.Size, head.Size)
	}
	if last.Size == 0 {
		return nil
	}
	root, err := rootAt(ctx, log, head, last.Size)
	if err != nil {
		return err
	}
	if root != last.Root {
		return tampered("the log has another history: its first %d records hash to %s now and to %s before", last.Size, root, last.Root)
	}
	return nil
}
