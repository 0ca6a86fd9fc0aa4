package vault_test

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"tacet"
	"tacet/internal/vault"
)

// TestNoRecordNoResult: with the store gone nothing can be recorded, so nothing is
// released, although the value lies sealed in memory.
func TestNoRecordNoResult(t *testing.T) {
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))
	h.create("s", "value")
	h.wantValue("s", "value")
	h.must(h.db.Close())
	out, err := h.vault.GetSecretValue(h.ctx, h.admin, vault.GetSecretValueInput{Secret: tacet.NameRef("s")})
	h.wantCode(err, tacet.Unavailable)
	if !out.Value.IsZero() || out.Name != "" {
		t.Error("a result escaped without a record")
	}
	_, err = h.vault.PutSecretValue(h.ctx, h.admin, vault.PutSecretValueInput{Secret: tacet.NameRef("s"), Token: token(2), Value: text("two")})
	h.wantCode(err, tacet.Unavailable)
}

// TestRevokedKeyIsRefusedAtOnce: what the signature was checked with may be gone by
// the time the request is decided.
func TestRevokedKeyIsRefusedAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "value")
		allow := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
		key := h.newUser("reader", allow)
		call := h.callAs(key) // the signature was checked; then the key is taken away
		h.must(h.ids.UpdateAccessKey(h.ctx, h.admin, "reader", key, false))
		_, err := h.vault.GetSecretValue(h.ctx, call, vault.GetSecretValueInput{Secret: tacet.NameRef("s")})
		h.wantCode(err, tacet.CredentialInvalid)
		h.must(h.ids.UpdateAccessKey(h.ctx, h.admin, "reader", key, true))
		_, err = h.vault.GetSecretValue(h.ctx, call, vault.GetSecretValueInput{Secret: tacet.NameRef("s")})
		h.must(err)
		h.must(h.ids.DeleteAccessKey(h.ctx, h.admin, "reader", key))
		if _, err := h.ids.Credential(key, ""); err == nil {
			t.Error("a deleted key is still known")
		}
		_, err = h.vault.GetSecretValue(h.ctx, call, vault.GetSecretValueInput{Secret: tacet.NameRef("s")})
		h.wantCode(err, tacet.CredentialInvalid)
	})
}

// TestListingIsBoundedAndComplete pages through secrets with and without a filter.
func TestListingIsBoundedAndComplete(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		for i := range 57 {
			name := fmt.Sprintf("a/%02d", i)
			if i%5 == 0 {
				name = fmt.Sprintf("b/%02d", i)
			}
			h.create(name, "")
			h.advance(time.Second)
		}
		for _, c := range []struct {
			in   vault.ListSecretsInput
			want int
		}{
			{vault.ListSecretsInput{}, 57},
			{vault.ListSecretsInput{MaxResults: 10}, 57},
			{vault.ListSecretsInput{MaxResults: 7, SortBy: "name", Descending: true}, 57},
			{vault.ListSecretsInput{MaxResults: 3, Filters: []vault.Filter{{Key: "name", Values: []string{"b/"}}}}, 12},
			{vault.ListSecretsInput{MaxResults: 4, SortBy: "name", Filters: []vault.Filter{{Key: "name", Values: []string{"!b/"}}}}, 45},
			{vault.ListSecretsInput{MaxResults: 4, SortBy: "last-changed-date", Filters: []vault.Filter{{Key: "name", Values: []string{"a/", "b/0"}}}}, 47},
		} {
			seen := map[string]bool{}
			in := c.in
			for {
				out, err := h.vault.ListSecrets(h.ctx, h.admin, in)
				h.must(err)
				if in.MaxResults > 0 && len(out.Secrets) > in.MaxResults {
					t.Fatalf("%+v: a page of %d", c.in, len(out.Secrets))
				}
				for _, s := range out.Secrets {
					if seen[s.Secret.Name] {
						t.Errorf("%+v: %s is listed twice", c.in, s.Secret.Name)
					}
					seen[s.Secret.Name] = true
				}
				if in.NextToken = out.NextToken; in.NextToken == "" {
					break
				}
			}
			if len(seen) != c.want {
				t.Errorf("%+v: %d secrets, want %d", c.in, len(seen), c.want)
			}
		}
		// A token is good for its own question only, and for nothing made up.
		out, err := h.vault.ListSecrets(h.ctx, h.admin, vault.ListSecretsInput{MaxResults: 5})
		h.must(err)
		for _, in := range []vault.ListSecretsInput{
			{MaxResults: 5, NextToken: out.NextToken, SortBy: "name"},
			{MaxResults: 5, NextToken: out.NextToken[:len(out.NextToken)-2] + "xx"},
			{MaxResults: 5, NextToken: "bm90IGEgdG9rZW4"},
		} {
			_, err := h.vault.ListSecrets(h.ctx, h.admin, in)
			h.wantCode(err, tacet.InvalidNextToken)
		}
	})
}

func BenchmarkGetSecretValue(b *testing.B) { benchmark(b, "bench/", (*house).benchGet) }
func BenchmarkPutSecretValue(b *testing.B) { benchmark(b, "bench/", (*house).benchPut) }
func BenchmarkGetSecret(b *testing.B)      { benchmark(b, "bench-", (*house).benchGetShown) }
func BenchmarkSetSecret(b *testing.B)      { benchmark(b, "bench-", (*house).benchSet) }

var benchValue = vault.Value{String: tacet.NewPlaintext(make([]byte, 1024))}

func (h *house) benchGet(name string) error {
	_, err := h.vault.GetSecretValue(h.ctx, h.admin, vault.GetSecretValueInput{Secret: tacet.NameRef(name)})
	return err
}

func (h *house) benchPut(name string) error {
	_, err := h.vault.PutSecretValue(h.ctx, h.admin, vault.PutSecretValueInput{Secret: tacet.NameRef(name), Token: tacet.VersionID(rand.Text() + rand.Text()[:10]), Value: benchValue})
	return err
}

func (h *house) benchGetShown(name string) error {
	_, err := h.vault.GetSecret(h.ctx, h.azure, vault.GetSecretInput{Secret: tacet.ShownRef(name)})
	return err
}

func (h *house) benchSet(name string) error {
	_, err := h.vault.SetSecret(h.ctx, h.azure, vault.SetSecretInput{Secret: tacet.ShownRef(name), Value: benchValue})
	return err
}

func benchmark(b *testing.B, prefix string, call func(*house, string) error) {
	h := newHouse(b, "sqlite:"+filepath.Join(b.TempDir(), "tacet.db"))
	const n = 2000
	for i := range n {
		if _, err := h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: fmt.Sprintf("%s%d", prefix, i), Token: token(1), Value: benchValue}); err != nil {
			b.Fatal(err)
		}
	}
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			err := call(h, fmt.Sprintf("%s%d", prefix, i*31%n))
			if err != nil && tacet.CodeOf(err) != tacet.LimitExceeded {
				b.Error(err)
				return
			}
		}
	})
}
