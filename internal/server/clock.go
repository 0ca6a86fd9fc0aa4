package server

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock is a clock that a development server lets be moved. It runs as the machine's
// does, ahead or behind by an offset. The zero value is the machine's clock.
type Clock struct {
	offset atomic.Int64

	mu    sync.Mutex
	moved []chan struct{}
}

// Now returns the moved time.
func (c *Clock) Now() time.Time { return time.Now().Add(c.Offset()) }

// Offset returns how far the clock is ahead of the machine's.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// SetOffset moves the clock to d ahead of the machine's (behind, if negative).
func (c *Clock) SetOffset(d time.Duration) {
	c.offset.Store(int64(d))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range c.moved {
		select {
		case ch <- struct{}{}:
		default: // one is waiting already
		}
	}
}

// onMove returns a channel that gets a word after every move.
func (c *Clock) onMove() <-chan struct{} {
	ch := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved = append(c.moved, ch)
	return ch
}
