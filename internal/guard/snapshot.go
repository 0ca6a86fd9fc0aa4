package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tacet"
	"tacet/internal/seal"
	"tacet/internal/store"
)

// source is where a scope finds rows: the cache and the store for reads, and for
// changes first what the same group has changed already.
type source interface {
	entryOf(key) (*entry, error)
	version(*entry, tacet.VersionID) (*store.VersionRow, error)
	read(func(*store.Tx) error) error
}

// scope is what an operation sees, in a read and in a change alike.
type scope struct {
	g   *Guard
	ctx context.Context
	job *job
	req *Request
	rec *tacet.Record
	now time.Time
	dir *directory
	tx  *Tx // nil in a read

	vault    tacet.Vault
	entry    *entry // the secret asked for; nil when there is none
	existing *entry // for a creation: what has the name already
	resource string // ARN
	owner    string // the account of what is being decided about
	response map[string]any

	// The keys of the question that were asked for, see [conditions.Value].
	seen      [4]seenKey
	seenCount int
}

// A Snapshot is what a read works on. It is good until the operation returns.
type Snapshot struct {
	scope
	stamp int64
}

func (g *Guard) newSnapshot(ctx context.Context, j *job) *Snapshot {
	s := &j.first
	if j.snapshot != nil { // a further request of a batch
		s = new(Snapshot)
	}
	*s = Snapshot{stamp: g.cache.applied.Load()}
	s.scope = scope{g: g, ctx: ctx, job: j, now: g.now(g.stats.highWater.Load())}
	if j.dir == nil {
		j.dir = g.dir.Load()
	}
	s.dir = j.dir
	j.snapshot = s
	return s
}

func (s *scope) source() source {
	if s.tx != nil {
		return s.tx
	}
	return s.job.snapshot
}

// Now is the time of the operation. It does not move while it runs.
func (s *scope) Now() time.Time { return s.now }

// Account is the account that the request was made in.
func (s *scope) Account() string { return s.req.Call.Account }

// Vault is the vault the request is about.
func (s *scope) Vault() tacet.Vault { return s.vault }

// Secret is the secret that was asked for and may be used. It must not be changed;
// see [tacet.Secret.Clone]. The error is SecretNotFound when there is none.
func (s *scope) Secret() (*tacet.Secret, error) {
	if s.entry == nil {
		return nil, &tacet.Error{Code: tacet.SecretNotFound, Secret: s.req.Secret.Given}
	}
	return s.entry.secret, nil
}

// ARN is the ARN of the secret that was asked for.
func (s *scope) ARN() string { return s.resource }

// Respond adds to what the record says of the answer. Never a secret value.
func (s *scope) Respond(name string, value any) {
	if s.response == nil {
		s.response = map[string]any{}
	}
	s.response[name] = value
}

// Version returns version id of the secret that was asked for, or VersionNotFound.
func (s *scope) Version(id tacet.VersionID) (*tacet.Version, error) {
	if s.entry == nil {
		return nil, &tacet.Error{Code: tacet.SecretNotFound, Secret: s.req.Secret.Given}
	}
	if strings.IndexByte(string(id), 0) >= 0 { // no version has such an id, and no store takes it
		return nil, &tacet.Error{Code: tacet.VersionNotFound, Version: id}
	}
	row, err := s.source().version(s.entry, id)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, &tacet.Error{Code: tacet.VersionNotFound, Version: id}
	}
	v, err := decodeVersion(row)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// Open decrypts version id of the secret that was asked for. A version without a
// value gives the zero Plaintext.
func (s *scope) Open(id tacet.VersionID) (tacet.Plaintext, error) {
	v, b, err := s.open(id)
	if err != nil || v.Kind == tacet.ValueNone {
		return tacet.Plaintext{}, err
	}
	return tacet.NewPlaintext(b), nil
}

// open decrypts version id of the secret that was asked for.
func (s *scope) open(id tacet.VersionID) (tacet.Version, []byte, error) {
	row, err := s.source().version(s.entry, id)
	if err != nil || row == nil {
		return tacet.Version{}, nil, errors.Join(err, missing(row == nil, id))
	}
	v, err := decodeVersion(row)
	if err != nil || v.Kind == tacet.ValueNone {
		return v, nil, err
	}
	b, err := s.g.open(s.ctx, versionAAD(s.entry.secret.Vault, &v), row.Sealed)
	if err != nil {
		return v, nil, fmt.Errorf("guard: version %s of secret %s: %w", v.ID, v.Secret, err)
	}
	return v, b, nil
}

func missing(yes bool, id tacet.VersionID) error {
	if yes {
		return &tacet.Error{Code: tacet.VersionNotFound, Version: id}
	}
	return nil
}

// open opens a sealed value; if another node has made the key, the ring is read again.
func (g *Guard) open(ctx context.Context, aad seal.AAD, sealed []byte) ([]byte, error) {
	b, err := g.ring.Load().Open(aad, sealed)
	if !errors.Is(err, seal.ErrNoKey) || !g.db.Shared() {
		return b, err
	}
	if err := g.db.Read(ctx, g.readKeys); err != nil {
		return nil, err
	}
	return g.ring.Load().Open(aad, sealed)
}

// readKeys adds the data keys that the ring does not have yet.
func (g *Guard) readKeys(tx *store.Tx) error {
	rows, err := tx.Keys()
	if err != nil {
		return err
	}
	for _, r := range rows {
		if k := wrappedKey(r); k.Purpose == "data" {
			if err := g.ring.Load().Add(k); err != nil {
				return err
			}
		}
	}
	return nil
}

// Versions returns every version of the secret that was asked for, oldest first.
func (s *scope) Versions() ([]tacet.Version, error) {
	var out []tacet.Version
	err := s.source().read(func(tx *store.Tx) error {
		rows, err := tx.Versions(string(s.entry.secret.ID))
		if err != nil {
			return err
		}
		out = make([]tacet.Version, 0, len(rows))
		for i := range rows {
			v, err := decodeVersion(&rows[i])
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// VersionOf returns a version of another secret of the vault, nil when there is none.
func (s *scope) VersionOf(secret tacet.SecretID, id tacet.VersionID) (v *tacet.Version, err error) {
	err = s.source().read(func(tx *store.Tx) error {
		row, err := tx.VersionInfo(string(secret), string(id))
		if err != nil {
			return notFoundIsNone(err)
		}
		found, err := decodeVersion(row)
		if err == nil {
			v = &found
		}
		return err
	})
	return v, err
}

// Related returns the secret with an id, such as a replica or a primary; nil when
// there is none.
func (s *scope) Related(vault tacet.VaultID, name string) (*tacet.Secret, error) {
	e, err := s.lookup(vault, name)
	if err != nil || e == nil {
		return nil, err
	}
	return e.secret, nil
}

// RegionVault returns the vault of a region of the request's account.
func (s *scope) RegionVault(region string) (tacet.Vault, bool) {
	return s.dir.vault(s.vault.Account, region)
}

// Page asks for a part of a vault's secrets in an order.
type Page struct {
	OrderBy          string // "created", "name", "changed" or "accessed"
	Descending       bool
	After            *Position // nil: from the start
	NamePrefix       string
	IncludeScheduled bool
	OnlyScheduled    bool
	Limit            int
}

// A Position is a place in a listing: the key of the order and the id that breaks ties.
type Position struct {
	Key  int64  `json:"k,omitempty"`
	Name string `json:"n,omitempty"`
	ID   string `json:"i"`
}

// PositionOf returns the position of a secret in an order.
func PositionOf(sec *tacet.Secret, orderBy string) *Position {
	p := &Position{ID: string(sec.ID)}
	switch orderBy {
	case "name":
		p.Name = sec.Name
	case "changed":
		p.Key = tacet.Microseconds(sec.Changed)
	case "accessed":
		p.Key = tacet.Microseconds(sec.Accessed)
	default:
		p.Key = tacet.Microseconds(sec.Created)
	}
	return p
}

// Secrets returns a page of the vault's secrets. With IncludeScheduled it may show
// secrets whose purge is due; they are to be passed over.
func (s *scope) Secrets(p Page) ([]*tacet.Secret, error) {
	q := store.SecretQuery{Vault: string(s.vault.ID), OrderBy: p.OrderBy, Descending: p.Descending,
		NamePrefix: p.NamePrefix, IncludeScheduled: p.IncludeScheduled, OnlyScheduled: p.OnlyScheduled, Limit: p.Limit}
	if p.After != nil {
		q.AfterKey, q.AfterName, q.AfterID = p.After.Key, p.After.Name, p.After.ID
	}
	var out []*tacet.Secret
	err := s.source().read(func(tx *store.Tx) error {
		rows, err := tx.Secrets(q)
		if err != nil {
			return err
		}
		out = make([]*tacet.Secret, 0, len(rows))
		for i := range rows {
			sec, err := s.g.decodeSecret(&rows[i])
			if err != nil {
				return err
			}
			out = append(out, sec)
		}
		return nil
	})
	return out, err
}

// SealToken makes an opaque token that only OpenToken with the same purpose reads.
func (s *scope) SealToken(purpose string, data []byte) string {
	return s.g.ring.Load().SealToken(s.tokenPurpose(purpose), data)
}

// OpenToken is the inverse of SealToken; InvalidNextToken for anything else. A token
// is bound to the vault and the caller's account.
func (s *scope) OpenToken(purpose, token string) ([]byte, error) {
	b, err := s.g.ring.Load().OpenToken(s.tokenPurpose(purpose), token)
	if err != nil {
		return nil, &tacet.Error{Code: tacet.InvalidNextToken, Cause: err}
	}
	return b, nil
}

func (s *scope) tokenPurpose(purpose string) string {
	return "token/" + purpose + "/" + string(s.vault.ID) + "/" + s.req.Call.Caller.Account
}

// Touch notes that version id of the secret was read. It moves LastAccessedDate,
// which has the grain of a day, with the group that records the read.
func (s *scope) Touch(id tacet.VersionID) {
	today := day(s.now)
	sec := s.entry.secret
	row, err := s.source().version(s.entry, id)
	if err != nil || row == nil || row.Accessed >= today && tacet.Microseconds(sec.Accessed) >= today {
		return
	}
	s.job.touches = append(s.job.touches, touch{key{sec.Vault, sec.Name}, sec.ID, id, today})
}

// entryOf finds a secret in the cache or, filling it, in the store.
func (s *Snapshot) entryOf(k key) (*entry, error) {
	s.job.looked = append(s.job.looked, look{k, s.stamp})
	if e := s.g.cache.get(k); e != nil {
		return e, nil
	}
	var e *entry
	err := s.g.db.ReadEach(s.ctx, func(tx *store.Tx) (err error) {
		e, err = s.g.readEntry(tx, k)
		return err
	})
	if e != nil && err == nil {
		s.g.cache.fill(k, e, s.stamp)
	}
	return e, err
}

func (g *Guard) readEntry(tx *store.Tx, k key) (*entry, error) {
	row, err := tx.Secret(string(k.vault), k.name)
	if row == nil || err != nil {
		return nil, notFoundIsNone(err)
	}
	sec, err := g.decodeSecret(row)
	if err != nil {
		return nil, err
	}
	return newEntry(sec)
}

func (s *Snapshot) version(e *entry, id tacet.VersionID) (*store.VersionRow, error) {
	if v := e.version(id); v != nil {
		return v, nil
	}
	var row *store.VersionRow
	err := s.g.db.ReadEach(s.ctx, func(tx *store.Tx) (err error) {
		row, err = readVersion(tx, e.secret.ID, id)
		return err
	})
	if err != nil || row == nil {
		return nil, err
	}
	k := key{e.secret.Vault, e.secret.Name}
	if !s.g.cache.stale(k, s.stamp) {
		s.g.cache.grew(k, e.keep(row))
	}
	return row, nil
}

func readVersion(tx *store.Tx, secret tacet.SecretID, id tacet.VersionID) (*store.VersionRow, error) {
	row, err := tx.Version(string(secret), string(id))
	return row, notFoundIsNone(err)
}

// notFoundIsNone takes the error from a query that found nothing, whose row is nil then.
func notFoundIsNone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func (s *Snapshot) read(f func(*store.Tx) error) error { return s.g.db.ReadEach(s.ctx, f) }
