package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/seal"
	"tacet/internal/seal/keyfile"
	"tacet/internal/store"
	"tacet/internal/vault"
)

// rooms is everything between the listeners and the disk.
type rooms struct {
	db       *store.DB
	guard    *guard.Guard
	vault    *vault.Service
	identity *identity.Service
}

// openRooms opens the store and the door of an initialised deployment, and the
// operations behind it.
func openRooms(ctx context.Context, cfg Config, now func() time.Time) (*rooms, error) {
	kek, err := keyfile.Open(cfg.Key.File)
	if err != nil {
		return nil, err
	}
	db, err := openStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	r, err := openDoor(ctx, cfg, db, kek, now)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

func openStore(ctx context.Context, cfg Config) (*store.DB, error) {
	url, err := cfg.storeURL()
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, store.Config{URL: url, Interval: cfg.Audit.Fsync == FsyncInterval, MaxConns: cfg.Store.MaxConns, Logger: room(cfg.Logger, "store")})
}

// openDoor takes the store over; where it fails, the store is still open.
func openDoor(ctx context.Context, cfg Config, db *store.DB, kek seal.KEK, now func() time.Time) (*rooms, error) {
	g, err := guard.Open(ctx, guard.Config{DB: db, KEK: kek, Now: now, Development: cfg.dev != nil,
		CacheBytes: cfg.Limits.CacheBytes, MaxSecrets: cfg.Limits.Secrets, Logger: room(cfg.Logger, "guard")})
	if err != nil {
		return nil, err
	}
	return &rooms{db: db, guard: g, vault: vault.New(g), identity: identity.New(g)}, nil
}

// close ends what openRooms began, in the opposite order.
func (r *rooms) close() error {
	r.guard.Close()
	return r.db.Close()
}

func room(l *slog.Logger, name string) *slog.Logger { return l.With("room", name) }
