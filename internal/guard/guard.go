package guard

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tacet"
	"tacet/internal/policy"
	"tacet/internal/recent"
	"tacet/internal/seal"
	"tacet/internal/store"
)

// Config is what a guard is made of. DB, KEK and Now are required.
type Config struct {
	DB  *store.DB
	KEK seal.KEK
	// Now is the clock. A development server's can be moved.
	Now func() time.Time
	// Development makes a vault for any region on first use, and lets time run
	// backwards. Otherwise an operation's time never precedes the newest recorded one.
	Development bool
	// CacheBytes bounds the sealed rows kept in memory; 0 means 64 MiB.
	CacheBytes int64
	// MaxSecrets is how many secrets a vault may hold, those waiting for their purge
	// included; 0 means no limit.
	MaxSecrets int64
	// Committed, when not nil, is told of the records of every group that was committed:
	// the number of the first and their stored texts, which it must not keep.
	Committed func(first int64, bodies [][]byte)
	Logger    *slog.Logger
}

// ErrNotInitialised is returned by [Open] for a store that has no keys yet.
var ErrNotInitialised = errors.New("guard: the store is not initialised: run `tacet init` first")

// Guard is the door. It is safe for concurrent use.
type Guard struct {
	cfg    Config
	db     *store.DB
	ring   atomic.Pointer[seal.Ring]
	dir    atomic.Pointer[directory]
	cache  *cache
	queue  queue
	stats  stats
	counts counts
	pools  pools
	// uses is when the use of each access key and role was last written down here, in
	// microseconds; the committer's.
	uses map[string]int64
	// sessions and documents remember what tokens were found to carry.
	sessions  recent.Map[string, *openSession] // by access key
	documents recent.Map[string, *policy.Document]

	refreshing sync.Mutex
	refreshed  time.Time // when the last look at other nodes' changes began
	deployment string
	sessionKey func() []byte // a func, because fmt prints a []byte of any struct it is given
	done       chan struct{} // closed when the committer has ended
}

// directoryVault is the name under which what belongs to the whole deployment,
// not to one vault, is sealed.
const directoryVault = "directory"

const settingDeployment = "deployment"

// Init prepares an empty store: it makes the root key under the KEK, the key for
// credentials and the deployment's id. On a store that is initialised it changes
// nothing and returns false.
func Init(ctx context.Context, cfg Config) (bool, error) {
	fresh := false
	err := cfg.DB.Write(ctx, true, func(tx *store.Tx) error {
		keys, err := tx.Keys()
		if err != nil || len(keys) > 0 {
			return err
		}
		ring, root, err := seal.NewRing(ctx, cfg.KEK, cfg.Now())
		if err != nil {
			return err
		}
		data, err := ring.NewDataKey(directoryVault, cfg.Now())
		if err != nil {
			return err
		}
		if err := tx.PutKeys([]store.KeyRow{keyRow(root), keyRow(data)}); err != nil {
			return err
		}
		fresh = true
		return tx.PutSetting(settingDeployment, newID())
	})
	return fresh, err
}

// Open opens the door of an initialised store and starts its committer. It fails
// with [seal.ErrWrongKey] when the KEK is not the one the store was made with, before
// anything is written, and with [ErrNotInitialised] for an empty store.
func Open(ctx context.Context, cfg Config) (*Guard, error) {
	if cfg.DB == nil || cfg.KEK == nil || cfg.Now == nil {
		return nil, errors.New("guard: Config needs DB, KEK and Now")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = 64 << 20
	}
	g := &Guard{cfg: cfg, db: cfg.DB, cache: newCache(cfg.CacheBytes), counts: counts{}, uses: map[string]int64{}, done: make(chan struct{})}
	g.sessions.Max, g.documents.Max = maxSessions, maxDocuments
	g.queue.init()
	if err := g.load(ctx); err != nil {
		return nil, err
	}
	if err := g.rebind(ctx); err != nil {
		return nil, err
	}
	if err := cfg.DB.ReadEach(ctx, func(tx *store.Tx) (err error) {
		g.deployment, _, err = tx.Setting(settingDeployment)
		return err
	}); err != nil {
		return nil, err
	}
	sessionKey := g.Derive(purposeSessionSecret, sha256.Size) // the same for ever
	g.sessionKey = func() []byte { return sessionKey }
	go g.commitLoop()
	return g, nil
}

// load reads the key ring and the directory.
func (g *Guard) load(ctx context.Context) error {
	return g.db.Read(ctx, func(tx *store.Tx) error {
		head := tx.Head
		rows, err := tx.Keys()
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return ErrNotInitialised
		}
		keys := make([]seal.WrappedKey, len(rows))
		for i, r := range rows {
			keys[i] = wrappedKey(r)
		}
		ring, err := seal.OpenRing(ctx, g.cfg.KEK, keys)
		if err != nil {
			return err
		}
		g.ring.Store(ring)
		dir, err := g.readDirectory(tx)
		if err != nil {
			return err
		}
		g.dir.Store(dir)
		g.cache.reset(head.Change)
		g.stats.highWater.Store(head.Time)
		return nil
	})
}

// Close stops the committer after what is queued has been committed. Later requests
// fail with [tacet.Unavailable]. It does not close the store.
func (g *Guard) Close() {
	g.queue.close()
	<-g.done
}

// Deployment returns the id made when the store was initialised.
func (g *Guard) Deployment() string { return g.deployment }

// Derive returns a key of n bytes for a purpose of the house itself (signing
// checkpoints), the same on every node and after a change of the root key.
func (g *Guard) Derive(purpose string, n int) []byte { return g.ring.Load().Derive(purpose, n) }

// Ready reports whether requests can be served: the store answers and the
// committer runs.
func (g *Guard) Ready(ctx context.Context) error {
	select {
	case <-g.done:
		return errors.New("the committer has stopped")
	default:
	}
	if err := g.db.Ping(ctx); err != nil {
		return fmt.Errorf("the store does not answer: %w", err)
	}
	return nil
}

// now is the time of an operation: the clock's, but never before the newest
// recorded time, so that a clock set back does not revive what has expired.
func (g *Guard) now(highWater int64) time.Time {
	t := g.cfg.Now().UTC().Truncate(time.Microsecond)
	if !g.cfg.Development && t.UnixMicro() < highWater {
		return tacet.Time(highWater)
	}
	return t
}

func keyRow(k seal.WrappedKey) store.KeyRow {
	return store.KeyRow{ID: k.ID, Purpose: k.Purpose, Vault: k.Vault, KEK: k.KEK, Wrapped: k.Wrapped, Created: k.Created, Seals: k.Seals}
}

func wrappedKey(r store.KeyRow) seal.WrappedKey {
	return seal.WrappedKey{ID: r.ID, Purpose: r.Purpose, Vault: r.Vault, KEK: r.KEK, Wrapped: r.Wrapped, Created: r.Created, Seals: r.Seals}
}

// Due is a secret whose recovery window has ended.
type Due struct {
	Vault  tacet.Vault
	Secret tacet.SecretRef
}

// DueForPurge lists secrets that wait to be purged, for the sweeper.
func (g *Guard) DueForPurge(ctx context.Context, limit int) ([]Due, error) {
	var out []Due
	vaults := map[string]tacet.Vault{}
	for _, v := range g.dir.Load().vaults {
		vaults[string(v.ID)] = v
	}
	err := g.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.SecretsToPurge(g.now(0).UnixMicro(), limit)
		for _, r := range rows {
			if v, ok := vaults[r.Vault]; ok { // else another node's, not known here yet
				out = append(out, Due{v, tacet.NameRef(r.Name)})
			}
		}
		return err
	})
	return out, err
}

// ReadRecords returns up to limit stored records with their numbers: from the one
// numbered from on, or, descending, backwards from the one before it.
func (s *scope) ReadRecords(from int64, limit int, descending bool) ([]StoredRecord, error) {
	var out []StoredRecord
	err := s.source().read(func(tx *store.Tx) error {
		read := tx.Records
		if descending {
			read = tx.RecordsDesc
		}
		rows, err := read(from, limit)
		for _, r := range rows {
			out = append(out, StoredRecord{r.Seq, r.Body})
		}
		return err
	})
	return out, err
}

// StoredRecord is an audit record as it is stored and hashed; see
// [tacet.ParseRecord].
type StoredRecord struct {
	Seq  int64
	Body []byte
}
