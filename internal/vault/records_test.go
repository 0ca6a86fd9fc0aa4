package vault_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tacet"
	"tacet/internal/vault"
)

// What was asked for is recorded in the shape of the request, without a page's
// token and without values, and nothing that was not given.
func TestParameters(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("x", "1")
		filters := []vault.Filter{{Key: vault.FilterName, Values: []string{"x", "!y"}}, {Key: vault.FilterAll, Values: []string{"x"}}}
		last := func() *tacet.Record { r := h.records(); return r[len(r)-1] }
		secrets := func(in vault.ListSecretsInput) { _, _ = h.vault.ListSecrets(h.ctx, h.admin, in) }
		batch := func(in vault.BatchGetSecretValueInput) { _, _ = h.vault.BatchGetSecretValue(h.ctx, h.admin, in) }
		versions := func(in vault.ListVersionsInput) { _, _ = h.vault.ListSecretVersionIDs(h.ctx, h.admin, in) }
		for _, tc := range []struct {
			name string
			call func()
			want map[string]any
		}{
			{"secrets", func() {
				secrets(vault.ListSecretsInput{Filters: filters, IncludePlannedDeletion: true, MaxResults: 5, SortBy: "name", Descending: true})
			}, map[string]any{"maxResults": int64(5), "filters": filters, "includePlannedDeletion": true, "sortOrder": "desc", "sortBy": "name"}},
			{"secrets, a wrong token", func() { secrets(vault.ListSecretsInput{NextToken: "t", MaxResults: 1}) }, map[string]any{"maxResults": int64(1)}},
			{"secrets, all", func() { secrets(vault.ListSecretsInput{}) }, nil},
			{"batch, wrongly", func() {
				batch(vault.BatchGetSecretValueInput{Secrets: []tacet.SecretRef{tacet.NameRef("x")}, MaxResults: 2})
			},
				map[string]any{"secretIdList": []string{"x"}, "maxResults": int64(2)}},
			{"batch of nothing", func() {
				batch(vault.BatchGetSecretValueInput{Filters: []vault.Filter{{Key: vault.FilterName, Values: []string{"no"}}}, MaxResults: 2})
			}, map[string]any{"filters": []tacet.Filter{{Key: "name", Values: []string{"no"}}}, "maxResults": int64(2)}},
			{"versions", func() {
				versions(vault.ListVersionsInput{Secret: tacet.NameRef("x"), MaxResults: 7, IncludeDeprecated: true})
			},
				map[string]any{"secretId": "x", "maxResults": int64(7), "includeDeprecated": true}},
			{"creation", func() {
				_, _ = h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: "y", Token: token(9), Description: "d", Type: "partner", Value: text("v")})
			}, map[string]any{"name": "y", "clientRequestToken": string(token(9)), "description": "d", "type": "partner"}},
			{"password", func() {
				_, _ = h.vault.GetRandomPassword(h.ctx, h.admin, vault.RandomPasswordInput{RequireEachType: true})
			}, nil},
			{"password, all", func() {
				_, _ = h.vault.GetRandomPassword(h.ctx, h.admin, vault.RandomPasswordInput{Length: 9, ExcludeCharacters: "ab", ExcludeNumbers: true,
					ExcludePunctuation: true, ExcludeUppercase: true, ExcludeLowercase: false, IncludeSpace: true})
			}, map[string]any{"passwordLength": int64(9), "excludeCharacters": "ab", "excludeNumbers": true, "excludePunctuation": true,
				"excludeUppercase": true, "includeSpace": true, "requireEachIncludedType": false}},
			{"names", func() {
				_, _ = h.vault.ListSecretNames(h.ctx, h.azure, vault.SecretNamesInput{Unreachable: true, MaxResults: 3, NextToken: "t"})
			}, map[string]any{"maxResults": int64(3), "unreachable": true}},
			{"versions, all", func() { versions(vault.ListVersionsInput{Secret: tacet.NameRef("x")}) }, map[string]any{"secretId": "x"}},
		} {
			tc.call()
			if d := cmp.Diff(tc.want, last().Parameters); d != "" {
				t.Errorf("%s:\n%s", tc.name, d)
			}
		}
	})
}

// A record says of which vault it is, whichever face was asked and whatever
// came of it. What is about no vault names none.
func TestRecordsNameTheVault(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		for _, tc := range []struct {
			name string
			call func() error
			want string
		}{
			{"AWS's face", func() error { h.create("x", "1"); return nil }, "main"},
			{"not found", func() error {
				_, err := h.vault.DescribeSecret(h.ctx, h.admin, tacet.NameRef("no"))
				return err
			}, "main"},
			{"denied", func() error {
				_, err := h.vault.DescribeSecret(h.ctx, h.nobody, tacet.NameRef("x"))
				return err
			}, "main"},
			{"Azure's face", func() error {
				_, err := h.vault.GetSecret(h.ctx, h.azure, vault.GetSecretInput{Secret: tacet.ShownRef("x")})
				return err
			}, "main"},
			{"a listing", func() error {
				_, err := h.vault.ListShownSecrets(h.ctx, h.azure, vault.ShownListInput{})
				return err
			}, "main"},
			{"refused by the face", func() error {
				return h.vault.RecordRefusal(h.ctx, h.azure, tacet.OpGetSecretValue, tacet.RequestInvalid)
			}, "MAIN"}, // as the face called it
			{"of no vault", func() error { _, err := h.vault.ListVaults(h.ctx, h.admin); return err }, ""},
		} {
			_ = tc.call() // recorded whatever it answers
			records := h.records()
			if rec := records[len(records)-1]; rec.Vault != tc.want {
				t.Errorf("%s: %s is recorded of the vault %q, want %q", tc.name, rec.Operation, rec.Vault, tc.want)
			}
		}
	})
}
