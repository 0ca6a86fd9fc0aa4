// Package limit holds callers to a rate of requests, by whatever tells one from another.
//
// A limit protects the server and the other callers; it is not a quota that anything is
// paid for. It is each node's own, and what it remembers is bounded: whoever has not come
// for a while starts anew.
package limit

import (
	"hash/maphash"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"tacet/internal/recent"
)

// A Limiter allows every key so many requests a second. It is safe for concurrent use. A
// nil Limiter allows everything.
type Limiter[K comparable] struct {
	perSecond rate.Limit
	burst     int
	now       func() time.Time
	seed      maphash.Seed
	shards    [shards]recent.Map[K, *rate.Limiter]
}

const (
	shards = 16
	// maxKeys is how many keys a shard remembers lately, see [recent.Map].
	maxKeys = 4096
)

// New returns a limiter of perSecond requests a second, and of burst at once, for each
// key. It returns nil, which allows everything, when perSecond is 0.
func New[K comparable](perSecond float64, burst int, now func() time.Time) *Limiter[K] {
	if perSecond <= 0 {
		return nil
	}
	l := &Limiter[K]{perSecond: rate.Limit(perSecond), burst: max(burst, 1), now: now, seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].Max = maxKeys
	}
	return l
}

// Allow takes a request off the key's rate, and reports whether there was one left.
func (l *Limiter[K]) Allow(key K) bool {
	return l == nil || l.allow(key, l.now())
}

func (l *Limiter[K]) allow(key K, now time.Time) bool {
	return l == nil || l.of(key).AllowN(now, 1)
}

// exhausted reports whether allow would refuse the key, and takes nothing.
func (l *Limiter[K]) exhausted(key K, now time.Time) bool {
	return l != nil && l.of(key).TokensAt(now) < 1
}

func (l *Limiter[K]) of(key K) *rate.Limiter {
	return l.shards[maphash.Comparable(l.seed, key)%shards].GetOrPut(key, func() *rate.Limiter {
		return rate.NewLimiter(l.perSecond, l.burst)
	})
}

// Origin returns whom an address is counted to: an IPv4 address itself, or the /64 of an
// IPv6 address, because one machine owns all of it. Every way of writing an address, with
// a port, a zone or as IPv4 in IPv6, is the same origin; what is no address is the zero
// one.
func Origin(address string) netip.Prefix {
	ap, err := netip.ParseAddrPort(address)
	ip := ap.Addr()
	if err != nil {
		if ip, err = netip.ParseAddr(address); err != nil {
			return netip.Prefix{}
		}
	}
	ip = ip.Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // the bits fit
	return p
}
