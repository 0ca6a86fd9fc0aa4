package identity_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/oidc"
	"tacet/internal/seal"
	"tacet/internal/seal/keyfile"
	"tacet/internal/store"
	"tacet/internal/store/storetest"
	"tacet/internal/vault"
)

const (
	account  = "000000000001"
	audience = "https://vault.azure.net"
)

// house is a node of a deployment, without a face.
type house struct {
	testing.TB
	ctx   context.Context
	clock *atomic.Int64 // offset from the real time, of every node
	kek   seal.KEK
	url   string
	cfg   guard.Config
	guard *guard.Guard
	ids   *identity.Service
	vault *vault.Service
	admin tacet.Call
}

// onEngines runs a test on SQLite and on PostgreSQL.
func onEngines(t *testing.T, test func(t *testing.T, h *house)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, newHouse(t, storetest.Postgres(t))) })
}

func newHouse(t testing.TB, storeURL string) *house {
	t.Helper()
	kek, err := keyfile.Create(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	h := (&house{TB: t, clock: new(atomic.Int64), kek: kek, url: storeURL}).node(t)
	out, err := h.ids.Bootstrap(h.ctx, identity.BootstrapInput{Account: account, Region: "us-east-1", VaultName: "main", UserName: "admin"})
	h.must(err)
	cred, err := h.ids.Credential(out.AccessKey.ID, "")
	h.must(err)
	h.admin = tacet.Call{Caller: cred.Caller, Account: account, Region: "us-east-1", Face: "admin"}
	h.must(h.ids.RotateTokenKeys(h.ctx, "ES256"))
	return h
}

// node opens another node of the deployment.
func (h *house) node(t testing.TB) *house {
	n := &house{TB: t, ctx: t.Context(), clock: h.clock, kek: h.kek, url: h.url, admin: h.admin}
	db, err := store.Open(n.ctx, store.Config{URL: n.url})
	n.must(err)
	t.Cleanup(func() { n.must(db.Close()) })
	n.cfg = guard.Config{DB: db, KEK: n.kek, Now: n.now}
	_, err = guard.Init(n.ctx, n.cfg)
	n.must(err)
	return n.open(t)
}

// open starts a node on its store.
func (n *house) open(t testing.TB) *house {
	var err error
	n.guard, err = guard.Open(n.ctx, n.cfg)
	n.must(err)
	t.Cleanup(n.guard.Close)
	n.ids, n.vault = identity.New(n.guard, identity.Config{OIDC: oidc.New(oidc.Config{Now: n.now})}), vault.New(n.guard)
	return n
}

func (h *house) now() time.Time          { return time.Now().Add(time.Duration(h.clock.Load())) }
func (h *house) advance(d time.Duration) { h.clock.Add(int64(d)) }

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// code fails the test unless err has the code.
func (h *house) code(want tacet.Code, err error) {
	h.Helper()
	if tacet.CodeOf(err) != want {
		h.Errorf("error %v, want %q", err, want)
	}
}

// records returns the records of an operation.
func (h *house) records(op tacet.Operation) []tacet.Record {
	h.Helper()
	lines, err := h.vault.ReadAudit(h.ctx, h.admin, 0, 1000, false)
	h.must(err)
	var out []tacet.Record
	for _, l := range lines {
		rec, err := tacet.ParseRecord(l.Body)
		h.must(err)
		if rec.Operation == op {
			out = append(out, *rec)
		}
	}
	return out
}

// application makes a user and a client secret of his.
func (h *house) application(name string) (tacet.User, tacet.ClientCredential, tacet.Plaintext) {
	h.Helper()
	u, err := h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: name})
	h.must(err)
	c, secret, err := h.ids.CreateClientCredential(h.ctx, h.admin, identity.ClientCredentialInput{Kind: tacet.ClientSecret, Of: user(name)})
	h.must(err)
	return u, c, secret
}

func user(name string) identity.Ref { return identity.Ref{Kind: tacet.KindUser, Name: name} }

// token gets an access token with a client secret.
func (h *house) token(u tacet.User, secret tacet.Plaintext) (identity.IssuedToken, error) {
	return h.ids.IssueToken(h.ctx, tacet.Call{Face: "azure"}, identity.TokenInput{ClientID: tacet.ClientID(u.ID), Secret: secret, Audience: audience})
}

func (h *house) verify(token string) (tacet.Caller, error) {
	return h.ids.VerifyBearer(token, []string{audience})
}

func headerOf(name string) identity.ClientCredentialInput {
	return identity.ClientCredentialInput{Kind: tacet.IdentityHeader, Of: user(name)}
}

func asError(err error) *tacet.Error {
	e, _ := errors.AsType[*tacet.Error](err)
	return e
}
