package guard

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"

	"tacet"
	"tacet/internal/policy"
	"tacet/internal/recent"
	"tacet/internal/store"
)

// key names a secret in the cache.
type key struct {
	vault tacet.VaultID
	name  string
}

// entry is a secret as reads see it: its row, its compiled resource policy and the
// sealed rows of the versions that were read. All but versions is immutable.
type entry struct {
	secret *tacet.Secret
	policy *policy.Document // nil: none

	versions atomic.Pointer[[]*store.VersionRow] // at most keepVersions, the current one among them
}

// keepVersions is how many versions of a secret are worth keeping: the current one
// and one being rotated or rolled back.
const keepVersions = 2

func (e *entry) version(id tacet.VersionID) *store.VersionRow {
	if p := e.versions.Load(); p != nil {
		for _, v := range *p {
			if v.ID == string(id) {
				return v
			}
		}
	}
	return nil
}

func (e *entry) keep(v *store.VersionRow) (grown int64) {
	for {
		old := e.versions.Load()
		list := []*store.VersionRow{v}
		grown = rowSize(v)
		if old != nil {
			for _, o := range *old {
				if o.ID == v.ID {
					return 0
				}
				if len(list) == keepVersions {
					grown -= rowSize(o)
					continue
				}
				list = append(list, o)
			}
		}
		if e.versions.CompareAndSwap(old, &list) {
			return grown
		}
	}
}

func rowSize(v *store.VersionRow) int64 { return int64(len(v.Sealed)+len(v.Body)) + 160 }

func (e *entry) size() int64 {
	s := e.secret
	n := int64(700+len(s.Name)+len(s.Description)+len(s.Policy)) + int64(len(s.Stages))*120 + int64(len(s.Tags))*64
	for _, a := range s.Attributes {
		n += int64(200 + len(a.ContentType) + len(a.Tags)*64)
	}
	if p := e.versions.Load(); p != nil {
		for _, v := range *p {
			n += rowSize(v)
		}
	}
	return n
}

// cache is the in-memory snapshot: sealed rows by name, bounded in bytes. It also
// remembers which secrets changed lately, so that a read that looked at an older
// state can be told so.
//
// Changes are numbered. A read notes the number of the last applied change before it
// looks; it is stale if what it looked at has a later one.
type cache struct {
	seed    maphash.Seed
	shards  [64]shard
	budget  int64        // bytes per shard
	applied atomic.Int64 // number of the last change applied

	// shown is what Azure's names meant lately, as they were written.
	shown recent.Map[key, shownAt]
}

// shownAt is the secret that a name of Azure's meant when stamp was the last applied change.
type shownAt struct {
	name  string
	stamp int64
}

// maxShown is how many of Azure's names are remembered, twice over.
const maxShown = 16 << 10

// shownKey stands for all the secrets of a vault that may answer to one name of Azure's: a
// change of any of them is noted under it. It is the key of no secret, whose names have no NUL.
func shownKey(vault tacet.VaultID, name string) key {
	return key{vault, "\x00" + strings.ToLower(strings.ReplaceAll(name, "/", "--"))}
}

type shard struct {
	mu      sync.RWMutex
	entries map[key]*entry
	bytes   int64
	// recent is the last change of a key; floor is the change before which nothing
	// is known any more: a read that looked before it counts as stale.
	recent map[key]int64
	floor  int64
}

// maxRecent bounds what a shard remembers of changes.
const maxRecent = 4096

func newCache(budget int64) *cache {
	c := &cache{seed: maphash.MakeSeed()}
	c.budget = budget / int64(len(c.shards))
	c.shown.Max = maxShown
	c.reset(0)
	return c
}

// reset forgets everything, as of the change numbered applied.
func (c *cache) reset(applied int64) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.entries, s.recent, s.bytes, s.floor = map[key]*entry{}, map[key]int64{}, 0, applied
		s.mu.Unlock()
	}
	c.shown.Clear()
	c.applied.Store(applied)
}

func (c *cache) shard(k key) *shard {
	var h maphash.Hash
	h.SetSeed(c.seed)
	_, _ = h.WriteString(string(k.vault))
	_, _ = h.WriteString(k.name)
	return &c.shards[h.Sum64()%uint64(len(c.shards))]
}

func (c *cache) get(k key) *entry {
	s := c.shard(k)
	s.mu.RLock()
	e := s.entries[k]
	s.mu.RUnlock()
	return e
}

// fill adds an entry that was read from the store when stamp was the last applied
// change, unless the secret has changed since.
func (c *cache) fill(k key, e *entry, stamp int64) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changedSince(k, stamp) {
		return
	}
	s.put(k, e, c.budget)
}

// grew accounts for versions that an entry took in. An entry evicted meanwhile makes
// the account too high for a while, which errs on the side of less memory.
func (c *cache) grew(k key, n int64) {
	if n == 0 {
		return
	}
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.entries[k]; ok {
		s.bytes += n
		s.evict(k, c.budget)
	}
}

func (s *shard) put(k key, e *entry, budget int64) {
	if old, ok := s.entries[k]; ok {
		s.bytes -= old.size()
	}
	s.entries[k] = e
	s.bytes += e.size()
	s.evict(k, budget)
}

// evict drops entries until the shard is within its budget. Go's map order is as
// good as random, and random eviction is within a few per cent of better policies
// for the skewed reads a secrets store sees, without a write on every hit.
func (s *shard) evict(spare key, budget int64) {
	for k, e := range s.entries {
		if s.bytes <= budget {
			return
		}
		if k != spare {
			s.bytes -= e.size()
			delete(s.entries, k)
		}
	}
	if len(s.entries) <= 1 && s.bytes > budget {
		// What is left is one entry: settle the account.
		s.bytes = 0
		for _, e := range s.entries {
			s.bytes += e.size()
		}
	}
}

// changed notes that a secret changed with the change numbered n and replaces its
// entry, or drops it when e is nil.
func (c *cache) changed(k key, e *entry, n int64) {
	c.note(shownKey(k.vault, k.name), n)
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(k, n)
	if e != nil {
		s.put(k, e, c.budget)
		return
	}
	if old, ok := s.entries[k]; ok {
		s.bytes -= old.size()
		delete(s.entries, k)
	}
}

func (c *cache) note(k key, n int64) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(k, n)
}

func (s *shard) note(k key, n int64) {
	if len(s.recent) >= maxRecent {
		s.recent = make(map[key]int64, maxRecent)
		s.floor = n
	}
	s.recent[k] = n
}

// stale reports whether the secret changed after stamp.
func (c *cache) stale(k key, stamp int64) bool {
	s := c.shard(k)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.changedSince(k, stamp)
}

func (s *shard) changedSince(k key, stamp int64) bool {
	return stamp < s.floor || s.recent[k] > stamp
}

// touch replaces an entry by one that was last read on day, keeping its versions.
func (c *cache) touch(k key, secret tacet.SecretID, version tacet.VersionID, day int64) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.entries[k]
	if !ok || old.secret.ID != secret {
		return
	}
	sec := *old.secret
	sec.Accessed = tacet.Time(day)
	e := &entry{secret: &sec, policy: old.policy}
	if p := old.versions.Load(); p != nil {
		list := make([]*store.VersionRow, len(*p))
		for i, v := range *p {
			if v.ID == string(version) {
				w := *v
				w.Accessed = day
				v = &w
			}
			list[i] = v
		}
		e.versions.Store(&list)
	}
	s.entries[k] = e
}
