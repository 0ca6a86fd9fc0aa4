package limit

import (
	"net/netip"
	"strings"
	"time"

	"tacet"
)

// Callers are the limits that all faces hold their callers to, together. A nil Callers
// has none.
type Callers struct {
	principals *Limiter[string]
	origins    *Limiter[netip.Prefix]
	failures   *Limiter[netip.Prefix]
	notes      *Limiter[netip.Prefix]
	now        func() time.Time
}

// Rates configures [Callers]: requests a second, 0 for no limit.
type Rates struct {
	// Principal is for each principal, whichever of its keys, sessions or tokens is used.
	Principal float64
	// Address is for each address, whoever asks from it.
	Address float64
	// Failures is of failed attempts to prove who one is, for each address.
	Failures float64
}

// notesPerSecond is how many requests of those who do not say who they are get into the
// record, for each address: nobody can fill the disk without a credential.
const notesPerSecond = 10

// burstSeconds is how many seconds' worth may come at once.
const burstSeconds = 2

// NewCallers returns the limits.
func NewCallers(r Rates, now func() time.Time) *Callers {
	burst := func(perSecond float64) int { return int(perSecond * burstSeconds) }
	return &Callers{
		principals: New[string](r.Principal, burst(r.Principal), now),
		origins:    New[netip.Prefix](r.Address, burst(r.Address), now),
		failures:   New[netip.Prefix](r.Failures, burst(r.Failures), now),
		notes:      New[netip.Prefix](notesPerSecond, burst(notesPerSecond), now),
		now:        now,
	}
}

var errThrottled = &tacet.Error{Code: tacet.Throttled}

// Arrive counts a request from an address, before anything else is done for it. The error
// is Throttled: for an address that asks too often, or fails too often to say who asks.
func (c *Callers) Arrive(address string) error {
	if c == nil || c.origins == nil && c.failures == nil {
		return nil
	}
	origin, now := Origin(address), c.now()
	if c.failures.exhausted(origin, now) || !c.origins.allow(origin, now) {
		return errThrottled
	}
	return nil
}

// Fail counts a failed attempt to prove who one is.
func (c *Callers) Fail(address string) {
	if c != nil {
		c.failures.Allow(Origin(address))
	}
}

// Note counts a request from an address of somebody who did not prove who he is, and
// reports whether it is to be recorded.
func (c *Callers) Note(address string) bool { return c == nil || c.notes.Allow(Origin(address)) }

// Admit counts a request of a caller who proved who he is. The error is Throttled.
func (c *Callers) Admit(who *tacet.Caller) error {
	if c == nil || c.principals.Allow(principal(who)) {
		return nil
	}
	return errThrottled
}

// principal is the one key of a caller: the unique id, without the name that a session was
// given, which its maker chooses. A federated identity is its provider's.
func principal(who *tacet.Caller) string {
	if who.Kind == tacet.CallerFederated {
		return who.ARN
	}
	id, _, _ := strings.Cut(who.ID, ":")
	return id
}
