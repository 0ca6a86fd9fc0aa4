package vault_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/seal/keyfile"
	"tacet/internal/store"
	"tacet/internal/store/storetest"
	"tacet/internal/vault"
)

// house is the core on a real store, without a face.
type house struct {
	testing.TB
	ctx   context.Context
	guard *guard.Guard
	db    *store.DB
	dir   string
	vault *vault.Service
	ids   *identity.Service
	clock *atomic.Int64 // offset from the real time
	admin tacet.Call
	// azure is the administrator on the vault by its name, as Azure's face calls.
	azure tacet.Call
	// backup is of a secret that is not there; see prepare.
	backup []byte
	// nobody is authenticated and has no right at all.
	nobody tacet.Call
}

// onEngines runs a test on SQLite and on PostgreSQL.
func onEngines(t *testing.T, test func(t *testing.T, h *house)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db")))
	})
	t.Run("postgres", func(t *testing.T) { test(t, newHouse(t, storetest.Postgres(t))) })
}

func newHouse(t testing.TB, storeURL string, opts ...func(*guard.Config)) *house {
	t.Helper()
	h := &house{TB: t, ctx: t.Context(), dir: t.TempDir(), clock: new(atomic.Int64)}
	kek, err := keyfile.Create(filepath.Join(h.dir, "key"))
	h.must(err)
	h.db, err = store.Open(h.ctx, store.Config{URL: storeURL})
	h.must(err)
	t.Cleanup(func() { h.must(h.db.Close()) })
	cfg := guard.Config{DB: h.db, KEK: kek, Now: h.now, Development: true}
	for _, o := range opts {
		o(&cfg)
	}
	_, err = guard.Init(h.ctx, cfg)
	h.must(err)
	h.guard, err = guard.Open(h.ctx, cfg)
	h.must(err)
	t.Cleanup(h.guard.Close)
	h.vault, h.ids = vault.New(h.guard), identity.New(h.guard, identity.Config{})
	out, err := h.ids.Bootstrap(h.ctx, identity.BootstrapInput{Account: "000000000001", Region: "us-east-1", VaultName: "main", UserName: "admin"})
	h.must(err)
	h.admin = h.callAs(out.AccessKey.ID)
	h.azure = h.admin
	h.azure.Vault, h.azure.Account, h.azure.Region = "MAIN", "", ""
	h.nobody = h.callAs(h.newUser("nobody", ""))
	return h
}

// node is another node of the same deployment, on the PostgreSQL of the URL.
func (h *house) node(url string) *house {
	h.Helper()
	b := *h
	var err error
	b.db, err = store.Open(h.ctx, store.Config{URL: url})
	h.must(err)
	h.Cleanup(func() { h.must(b.db.Close()) })
	kek, err := keyfile.Open(filepath.Join(h.dir, "key"))
	h.must(err)
	b.guard, err = guard.Open(h.ctx, guard.Config{DB: b.db, KEK: kek, Now: h.now, Development: true})
	h.must(err)
	h.Cleanup(b.guard.Close)
	b.vault, b.ids = vault.New(b.guard), identity.New(b.guard, identity.Config{})
	return &b
}

func (h *house) now() time.Time { return time.Now().Add(time.Duration(h.clock.Load())) }

// advance moves the clock.
func (h *house) advance(d time.Duration) { h.clock.Add(int64(d)) }

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// newUser makes a user with a policy ("" for none) and returns the id of its key.
func (h *house) newUser(name, policy string) string {
	h.Helper()
	_, err := h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: name})
	h.must(err)
	if policy != "" {
		h.putPolicy(name, policy)
	}
	k, _, err := h.ids.CreateAccessKey(h.ctx, h.admin, name)
	h.must(err)
	return k.ID
}

// putPolicy gives a user a policy in place of the one from [house.newUser].
func (h *house) putPolicy(user, policy string) {
	h.Helper()
	h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, identity.Ref{Kind: tacet.KindUser, Name: user}, "test", policy))
}

func (h *house) callAs(accessKey string) tacet.Call {
	h.Helper()
	c, err := h.ids.Credential(accessKey, "")
	if err != nil {
		h.Fatalf("the access key %s: %v", accessKey, err)
	}
	return tacet.Call{Caller: c.Caller, Account: c.Caller.Account, Region: "us-east-1", Face: "test", RequestID: "req", SourceIP: "192.0.2.1"}
}

func text(s string) vault.Value { return vault.Value{String: tacet.NewPlaintext([]byte(s))} }

// token makes a ClientRequestToken that is easy to tell apart.
func token(n int) tacet.VersionID {
	return tacet.VersionID(fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
}

func (h *house) create(name, value string) vault.CreateSecretOutput {
	h.Helper()
	in := vault.CreateSecretInput{Name: name, Token: token(1)}
	if value != "" {
		in.Value = text(value)
	}
	out, err := h.vault.CreateSecret(h.ctx, h.admin, in)
	h.must(err)
	return out
}

func (h *house) put(name string, n int, value string, stages ...tacet.Stage) vault.PutSecretValueOutput {
	h.Helper()
	out, err := h.vault.PutSecretValue(h.ctx, h.admin, vault.PutSecretValueInput{Secret: tacet.NameRef(name), Token: token(n), Value: text(value), Stages: stages})
	h.must(err)
	return out
}

func (h *house) get(name string) (string, error) {
	h.Helper()
	out, err := h.vault.GetSecretValue(h.ctx, h.admin, vault.GetSecretValueInput{Secret: tacet.NameRef(name)})
	return string(out.Value.Reveal()), err
}

func (h *house) wantValue(name, want string) {
	h.Helper()
	got, err := h.get(name)
	h.must(err)
	if got != want {
		h.Errorf("the value of %s is not the one expected", name)
	}
}

func (h *house) wantCode(err error, want tacet.Code) {
	h.Helper()
	if got := tacet.CodeOf(err); got != want {
		h.Errorf("code %q (%v), want %q", got, err, want)
	}
}

// stages returns the labels of a secret as "label=n" with n the token's number.
func (h *house) stages(name string) string {
	h.Helper()
	info, err := h.vault.DescribeSecret(h.ctx, h.admin, tacet.NameRef(name))
	h.must(err)
	var out []string
	for i := range 200 {
		for _, st := range info.Secret.StagesOf(token(i)) {
			out = append(out, fmt.Sprintf("%s=%d", st, i))
		}
	}
	return strings.Join(out, " ")
}

// records returns every audit record.
func (h *house) records() []*tacet.Record {
	h.Helper()
	var out []*tacet.Record
	h.must(h.db.Read(h.ctx, func(tx *store.Tx) error {
		for from := int64(0); ; {
			rows, err := tx.Records(from, 500)
			if err != nil || len(rows) == 0 {
				return err
			}
			for _, r := range rows {
				if r.Seq != from {
					return errors.New("the numbers of records have a gap")
				}
				rec, err := tacet.ParseRecord(r.Body)
				if err != nil {
					return err
				}
				out = append(out, rec)
				from++
			}
		}
	}))
	return out
}
