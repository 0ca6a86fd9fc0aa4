package server

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"tacet/internal/audit"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/oidc"
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
	recent   *audit.Recent
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
	recent := new(audit.Recent)
	g, err := guard.Open(ctx, guard.Config{DB: db, KEK: kek, Now: now, Development: cfg.dev != nil, Committed: recent.Committed,
		CacheBytes: cfg.Limits.CacheBytes, MaxSecrets: cfg.Limits.Secrets, Logger: room(cfg.Logger, "guard")})
	if err != nil {
		return nil, err
	}
	verifier, err := cfg.oidcVerifier(now)
	if err != nil {
		g.Close()
		return nil, err
	}
	return &rooms{db: db, guard: g, vault: vault.New(g), identity: identity.New(g, identity.Config{OIDC: verifier}), recent: recent}, nil
}

// oidcVerifier makes what verifies the tokens of registered issuers. A development server
// also takes issuers on this machine.
func (c *Config) oidcVerifier(now func() time.Time) (*oidc.Verifier, error) {
	oc := oidc.Config{Now: now, Timeout: time.Duration(c.OIDC.Timeout), AllowLoopbackHTTP: c.dev != nil}
	for _, text := range c.OIDC.AllowNetworks {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("oidc.allow_networks: %w", err)
		}
		oc.AllowNetworks = append(oc.AllowNetworks, n)
	}
	if c.dev != nil {
		oc.AllowNetworks = append(oc.AllowNetworks, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	}
	if c.OIDC.CAFile != "" {
		pem, err := os.ReadFile(c.OIDC.CAFile)
		if err != nil {
			return nil, fmt.Errorf("oidc.ca_file: %w", err)
		}
		oc.RootCAs = x509.NewCertPool()
		if !oc.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("oidc.ca_file: %s has no certificate", c.OIDC.CAFile)
		}
	}
	return oidc.New(oc), nil
}

// close ends what openRooms began, in the opposite order.
func (r *rooms) close() error {
	r.guard.Close()
	return r.db.Close()
}

func room(l *slog.Logger, name string) *slog.Logger { return l.With("room", name) }
