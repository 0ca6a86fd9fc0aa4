package server

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"tacet/internal/limit"
)

// connections bounds how many connections are open, in all and by address. It is
// shared by the listeners of the faces, so that slow or idle callers cannot take
// more memory or more file descriptors than were meant for them.
type connections struct {
	max, maxPerAddress int

	open     atomic.Int64
	refused  atomic.Uint64
	mu       sync.Mutex
	byPrefix map[netip.Prefix]int
}

func newConnections(limit, perAddress int) *connections {
	return &connections{max: limit, maxPerAddress: perAddress, byPrefix: map[netip.Prefix]int{}}
}

// admit counts a connection in and returns what counts it out, or nil when there
// is no room for it.
func (c *connections) admit(remote net.Addr) func() {
	if c.open.Add(1) > int64(c.max) {
		c.open.Add(-1)
		return nil
	}
	who := limit.Origin(remote.String())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byPrefix[who] >= c.maxPerAddress {
		c.open.Add(-1)
		return nil
	}
	c.byPrefix[who]++
	return func() {
		c.open.Add(-1)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.byPrefix[who]--; c.byPrefix[who] == 0 {
			delete(c.byPrefix, who)
		}
	}
}

// listener is a listener that closes at once what connections does not admit: a
// caller that is refused learns it now, and does not queue in front of the others.
type listener struct {
	net.Listener
	conns *connections
}

// Accept returns the next connection that was admitted.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if leave := l.conns.admit(c.RemoteAddr()); leave != nil {
			return &conn{Conn: c, leave: leave}, nil
		}
		l.conns.refused.Add(1)
		_ = c.Close() // nothing was promised to this caller
	}
}

type conn struct {
	net.Conn
	once  sync.Once
	leave func()
}

// Close closes the connection and gives its place free.
func (c *conn) Close() error {
	c.once.Do(c.leave)
	return c.Conn.Close()
}
