package sigv4

import (
	"strings"
	"sync"
)

// maxKeys is how many signing keys a [KeyCache] holds: about a megabyte.
const maxKeys = 4096

// A KeyCache remembers derived signing keys, which are good for a day, so that a
// request costs one HMAC and not five. The zero value is ready; it must not be
// copied. It is safe for concurrent use.
//
// It is bounded: when full it forgets the oldest day, and within one day keys by
// chance. What it forgets is derived again. Ask it only for scopes that passed
// [Authorization.CheckScope] and [Authorization.CheckTime], or a caller could
// fill it with days that never come.
type KeyCache struct {
	mu   sync.RWMutex
	keys map[cacheKey]cached
}

type cacheKey struct{ accessKeyID, date, region, service string }

// cached holds its key behind a func, as package tacet does with plaintext: fmt
// prints unexported fields without asking their methods, and follows a pointer
// when the verb does not suit it.
type cached struct {
	generation string
	key        func() Key
}

// Get returns the signing key of the access key for the scope, from memory or
// from derive, which runs without a lock held and perhaps in several callers at
// once.
//
// The generation is the caller's name for the secret that derive would use: a
// key that was derived under another generation is never returned, and is
// forgotten as soon as the new one is asked for.
func (c *KeyCache) Get(accessKeyID, generation, date, region, service string, derive func() Key) Key {
	k := cacheKey{accessKeyID, date, region, service}
	c.mu.RLock()
	e, ok := c.keys[k]
	c.mu.RUnlock()
	if ok && e.generation == generation {
		return e.key()
	}
	key := derive()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil {
		c.keys = make(map[cacheKey]cached)
	}
	if _, ok := c.keys[k]; !ok && len(c.keys) >= maxKeys {
		c.makeRoom()
	}
	// The strings may be parts of a long header, which must not live as long.
	c.keys[k.clone()] = cached{strings.Clone(generation), func() Key { return key }}
	return key
}

func (k cacheKey) clone() cacheKey {
	return cacheKey{strings.Clone(k.accessKeyID), strings.Clone(k.date), strings.Clone(k.region), strings.Clone(k.service)}
}

// makeRoom forgets the keys of the oldest day, or one in eight when all are of
// one day: one at a time would walk the map at every request of a crowd.
func (c *KeyCache) makeRoom() {
	oldest, newest := "", ""
	for k := range c.keys {
		if oldest == "" || k.date < oldest {
			oldest = k.date
		}
		newest = max(newest, k.date)
	}
	n := len(c.keys) / 8
	for k := range c.keys { // in random order
		switch {
		case oldest != newest:
			if k.date == oldest {
				delete(c.keys, k)
			}
		case n > 0:
			delete(c.keys, k)
			n--
		}
	}
}
