package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// flushDelay is how long a commit that nobody waits for may rest before it is
// forced to disk. With the time the disk takes it stays below 100 ms.
const flushDelay = 50 * time.Millisecond

// A flusher forces SQLite's write-ahead log to disk shortly after commits that
// did not wait for it.
type flusher struct {
	path   string
	log    *slog.Logger
	wake   chan struct{} // holds a token when there is something to flush
	stop   chan struct{}
	done   chan struct{}
	failed atomic.Pointer[error]
}

func newFlusher(path string, log *slog.Logger) *flusher {
	f := &flusher{path: path, log: log, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go f.run()
	return f
}

// soon says that there is something to flush.
func (f *flusher) soon() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *flusher) run() {
	defer close(f.done)
	timer := time.NewTimer(flushDelay)
	defer timer.Stop()
	for {
		select {
		case <-f.wake:
		case <-f.stop:
			return
		}
		timer.Reset(flushDelay)
		select {
		case <-timer.C:
		case <-f.stop: // closing SQLite carries the log over and syncs
			return
		}
		// Commits from here on wake us again; those before are covered.
		select {
		case <-f.wake:
		default:
		}
		if err := f.flush(); err != nil {
			err = fmt.Errorf("the log could not be forced to disk: %w: %w", errUnavailable, err)
			f.failed.Store(&err)
			f.log.Error("database: writing stops", "cause", err)
			return
		}
	}
}

// flush syncs the log. The file holds no locks, so opening and closing it beside
// SQLite is harmless; an absent one was carried over into the database and synced.
func (f *flusher) flush() error {
	file, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// failure returns the error that stopped the flusher. After a failed sync the
// kernel may have dropped what it could not write, and a later sync would not say
// so: nothing more may be written on top.
func (f *flusher) failure() error {
	if err := f.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// close stops the flusher.
func (f *flusher) close() error {
	close(f.stop)
	<-f.done
	if err := f.failure(); err != nil {
		return err
	}
	return f.flush()
}
