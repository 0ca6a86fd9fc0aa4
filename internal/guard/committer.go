package guard

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"tacet"
	"tacet/internal/store"
)

// job is one request waiting to be committed: a change to be made, or a read whose
// record is to be written.
type job struct {
	ctx      context.Context
	change   func(*Tx) // nil for a read
	snapshot *Snapshot

	records []line
	touches []touch
	// looked, and who or the whole of dir, are what the read relied on.
	looked []look
	dir    *directory
	caller tacet.Caller
	who    who
	whole  bool
	used   use

	err   error
	stale bool
	done  chan struct{}

	// Room for what nearly every job needs, so that it is one allocation, used again.
	oneRecord [1]line
	fewLooks  [4]look
	first     Snapshot
	req       Request
	rec       tacet.Record
	recUsed   bool
}

// line is a record as it is stored.
type line struct {
	time int64 // microseconds
	body []byte
	room *[]byte // what body stands in
}

type look struct {
	key   key
	stamp int64
}

type touch struct {
	key     key
	secret  tacet.SecretID
	version tacet.VersionID
	day     int64
}

// pools are what a request needs for a moment. Reads make most of the garbage, and
// what is used again costs no collection.
type pools struct {
	jobs  sync.Pool // *job
	lines sync.Pool // *[]byte
}

func (g *Guard) newJob(ctx context.Context) *job {
	j, _ := g.pools.jobs.Get().(*job)
	if j == nil {
		j = &job{done: make(chan struct{}, 1)}
	}
	j.ctx = ctx
	j.records, j.looked = j.oneRecord[:0], j.fewLooks[:0]
	return j
}

// free gives a job back that the committer has finished and whose caller is about to
// answer. A job whose caller left early is not given back: the committer may hold it.
func (g *Guard) free(j *job) {
	*j = job{done: j.done}
	g.pools.jobs.Put(j)
}

// buffer returns an empty buffer for a record; release takes it back.
func (g *Guard) buffer() *[]byte {
	if b, ok := g.pools.lines.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, recordSize)
	return &b
}

func (g *Guard) release(b *[]byte) {
	if *b = (*b)[:0]; cap(*b) <= 4*recordSize {
		g.pools.lines.Put(b)
	}
}

// queue is the line in front of the committer. A slice under a mutex that is taken
// whole costs less per request than a channel, and makes groups by itself: while one
// group is being committed the next gathers.
type queue struct {
	mu     sync.Mutex
	wake   *sync.Cond
	jobs   []*job
	wanted int  // with how many jobs the committer wakes
	late   bool // it has waited for them long enough
	timer  *time.Timer
	closed bool
}

func (q *queue) init() {
	q.wake = sync.NewCond(&q.mu)
	q.timer = time.AfterFunc(gatherTime, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.late = true
		q.wake.Signal()
	})
}

func (q *queue) push(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.jobs = append(q.jobs, j)
	if len(q.jobs) == q.wanted {
		q.wake.Signal()
	}
	return true
}

// maxGroup bounds how much one commit carries.
const maxGroup = 512

// Where many are asking, a group waits for nearly all of them, for gatherTime at most: those
// of the last group have just got their answers and are about to ask again. To take the
// first few of them alone would cost a commit and an fsync for each handful. With few
// callers nobody waits.
const (
	gatherTime = 2 * time.Millisecond
	gatherFrom = 8
)

// take waits for jobs and returns up to maxGroup of them; nil when closed and empty.
// last is how many there were in the last group.
func (q *queue) take(last int) []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	asking := last + len(q.jobs)
	for q.wanted = 1; len(q.jobs) == 0; q.wake.Wait() {
		if q.closed {
			return nil
		}
	}
	if enough := asking - asking/8; asking >= gatherFrom && len(q.jobs) < enough {
		q.wanted, q.late = enough, false
		q.timer.Reset(gatherTime)
		for len(q.jobs) < enough && !q.late && !q.closed {
			q.wake.Wait()
		}
		q.timer.Stop()
	}
	n := min(len(q.jobs), maxGroup)
	group := q.jobs[:n:n]
	q.jobs = q.jobs[n:]
	if len(q.jobs) == 0 {
		q.jobs = nil
	}
	return group
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.wake.Broadcast()
}

// stats are counters for the metrics.
type stats struct {
	groups, records, changes, stale, failures atomic.Int64
	highWater                                 atomic.Int64
}

// Stats is a reading of the door's counters since the start.
type Stats struct {
	Groups   int64 // commits
	Records  int64 // audit records written
	Changes  int64 // changes made
	Stale    int64 // reads done again because a change overtook them
	Failures int64 // groups that could not be committed
}

// Stats returns the counters.
func (g *Guard) Stats() Stats {
	s := &g.stats
	return Stats{s.groups.Load(), s.records.Load(), s.changes.Load(), s.stale.Load(), s.failures.Load()}
}

// submit hands a job to the committer and waits for it. The error is about the
// commit; a stale read has to be done again.
func (g *Guard) submit(j *job) (stale bool, err error) {
	if !g.queue.push(j) {
		return false, &tacet.Error{Code: tacet.Unavailable, Cause: errors.New("guard: closed")}
	}
	select {
	case <-j.done:
		return j.stale, j.err
	case <-j.ctx.Done():
		return false, &tacet.Error{Code: tacet.Unavailable, Cause: j.ctx.Err()}
	}
}

func (g *Guard) commitLoop() {
	defer close(g.done)
	last := 0
	for {
		jobs := g.queue.take(last)
		if jobs == nil {
			return
		}
		last = len(jobs)
		g.commit(jobs)
		for _, j := range jobs {
			for _, l := range j.records {
				g.release(l.room)
			}
			j.records = nil
			j.done <- struct{}{}
		}
	}
}

// commit writes one group: all of it or nothing.
func (g *Guard) commit(jobs []*job) {
	durable := false
	for _, j := range jobs {
		durable = durable || j.change != nil
	}
	var gr *group
	// The group's own context: a caller who left must not tear the others' commit.
	ctx := context.Background()
	err := g.db.Write(ctx, durable, func(tx *store.Tx) error {
		gr = &group{g: g, store: tx, changes: newChangeset()}
		return gr.run(jobs)
	})
	if err != nil {
		g.fail(ctx, jobs, err)
		return
	}
	gr.apply()
	if tell := g.cfg.Committed; tell != nil && len(gr.bodies) > 0 {
		tell(gr.first, gr.bodies)
	}
}

// fail answers a group that was not committed, or of which it is not known. What is
// in memory may then be wrong either way, so it is read anew.
func (g *Guard) fail(ctx context.Context, jobs []*job, err error) {
	g.stats.failures.Add(1)
	g.counts.forget()
	clear(g.uses)
	g.cfg.Logger.Error("a group was not committed", "jobs", len(jobs), "error", err)
	if lerr := g.load(ctx); lerr != nil {
		g.cfg.Logger.Error("the store could not be read again", "error", lerr)
		g.cache.reset(g.cache.applied.Load())
	}
	for _, j := range jobs {
		j.err = &tacet.Error{Code: tacet.Unavailable, Cause: err}
	}
}
