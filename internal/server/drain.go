package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// freshGrace is how long a connection that never asked anything may still do so when
	// the server stops: its first request may be on its way.
	freshGrace = 250 * time.Millisecond
	// adminGrace is how long the admin listener waits for its own requests at the end. A
	// profile may take minutes, and is worth nothing when the server has gone.
	adminGrace = 500 * time.Millisecond
)

// watch keeps the list of connections that never asked anything. It is the server's
// ConnState hook.
func (f *face) watch(c net.Conn, state http.ConnState) {
	if state == http.StateNew {
		f.fresh.Store(c, nil)
	} else {
		f.fresh.Delete(c)
	}
}

// closeFresh closes the connections that never asked anything. [http.Server.Shutdown]
// would wait five seconds for each.
func (f *face) closeFresh() {
	f.fresh.Range(func(c, _ any) bool {
		_ = c.(net.Conn).Close() // nothing was promised to this caller
		return true
	})
}

// drain ends the listeners, that of the operator last: it tells meanwhile that the
// server is not ready because it is stopping. Requests that outlast the deadline are cut
// off: what they changed is either committed or not, and was not acknowledged.
func (s *Server) drain() error {
	s.draining.Store(true)
	s.health.forget()
	deadline := time.Duration(s.cfg.Timeouts.Drain)
	s.log.Info("stopping", "deadline", deadline.String())
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, len(s.faces))
	for i, f := range s.faces {
		if f.name != "admin" {
			wg.Go(func() {
				if err := f.shutdown(ctx); err != nil {
					errs[i] = fmt.Errorf("%s listener: requests were cut off after %s: %w", f.name, deadline, err)
				}
			})
		}
	}
	wg.Wait()
	ctx, cancel = context.WithTimeout(context.Background(), adminGrace)
	defer cancel()
	for _, f := range s.faces {
		if f.name == "admin" {
			if err := f.shutdown(ctx); err != nil {
				s.log.Info("requests of the admin listener were cut off", "error", err)
			}
		}
	}
	return errors.Join(errs...)
}

// shutdown stops accepting and waits for the requests in progress until ctx ends; then
// it cuts them off and returns why.
func (f *face) shutdown(ctx context.Context) error {
	timer := time.AfterFunc(freshGrace, f.closeFresh)
	defer timer.Stop()
	err := f.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, f.http.Close())
	}
	return err
}
