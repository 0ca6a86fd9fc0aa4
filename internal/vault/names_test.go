package vault_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/vault"
)

// names pages through the names of the vault's secrets and writes each as a line.
func (h *house) names(in vault.SecretNamesInput) (lines []string) {
	h.Helper()
	for {
		out, err := h.vault.ListSecretNames(h.ctx, h.azure, in)
		h.must(err)
		if in.MaxResults != 0 && len(out.Names) > in.MaxResults {
			h.Errorf("a page of %d", len(out.Names))
		}
		for _, n := range out.Names {
			line := n.Name
			if n.Shown != "" {
				line += " is " + n.Shown
			}
			if n.Why != "" {
				line += ": " + n.Why
			}
			if n.Deleted {
				line += ", deleted"
			}
			lines = append(lines, line)
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return lines
		}
	}
}

// The Azure name of every secret, and why one has none: its characters, its length, or
// another secret that the name means; see TestMapping_NamesChangeHands for whose it is.
func TestSecretNames(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		fits, long := strings.Repeat("y/", 42)+"z", strings.Repeat("y/", 42)+"zz" // 127 characters there, and 128
		for _, name := range []string{"x/y", "x--y", "X--Y", "Plain", "plain", "under_score", "dot.ted/" + long, long, fits} {
			h.create(name, "v")
			h.advance(time.Millisecond)
		}
		_, err := h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: "a/without-value", Token: token(1)})
		h.must(err)
		unreachable := []string{"dot.ted/" + long + ": characters", "under_score: characters", "x--y: hidden by x/y", long + ": too long"}
		all := []string{"Plain is Plain", "X--Y is X--Y", "a/without-value is a--without-value", "plain is plain", "x/y is x--y",
			fits + " is " + strings.ReplaceAll(fits, "/", "--")}
		all = append(all, unreachable...)
		slices.Sort(all)
		for _, page := range []int{0, 1, 3, len(all), 1000} {
			got := h.names(vault.SecretNamesInput{MaxResults: page})
			slices.Sort(got)
			if !slices.Equal(got, all) {
				t.Errorf("in pages of %d:\n%q, not\n%q", page, got, all)
			}
			if got := h.names(vault.SecretNamesInput{MaxResults: page, Unreachable: true}); !slices.Equal(got, unreachable) {
				t.Errorf("unreachable, in pages of %d:\n%q, not\n%q", page, got, unreachable)
			}
		}

		// A deleted secret keeps its name until its time has come.
		days := int64(7)
		_, err = h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("x/y"), RecoveryDays: &days})
		h.must(err)
		if got := h.names(vault.SecretNamesInput{}); !slices.Contains(got, "x/y is x--y, deleted") || !slices.Contains(got, "x--y: hidden by x/y") {
			t.Errorf("after the deletion: %q", got)
		}
		h.advance(7 * 24 * time.Hour)
		if got := h.names(vault.SecretNamesInput{}); !slices.Contains(got, "x--y is x--y") || len(got) != len(all)-1 {
			t.Errorf("after the purge: %q", got)
		}
	})
}

// A page's token is for the question it came from, and pages have bounds.
func TestSecretNames_Refusals(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("a", "v")
		h.create("b", "v")
		page, err := h.vault.ListSecretNames(h.ctx, h.azure, vault.SecretNamesInput{MaxResults: 1})
		h.must(err)
		stranger := h.subject("stranger").azure
		none, hers := h.azure, stranger
		none.Vault, hers.Vault = "nowhere", "nowhere"
		for _, c := range []struct {
			call tacet.Call
			in   vault.SecretNamesInput
			want tacet.Code
		}{
			{h.azure, vault.SecretNamesInput{MaxResults: -1}, tacet.InvalidParameter},
			{h.azure, vault.SecretNamesInput{MaxResults: 1001}, tacet.InvalidParameter},
			{h.azure, vault.SecretNamesInput{NextToken: "x"}, tacet.InvalidNextToken},
			{h.azure, vault.SecretNamesInput{NextToken: page.NextToken, Unreachable: true}, tacet.InvalidNextToken},
			{stranger, vault.SecretNamesInput{}, tacet.Denied},
			{none, vault.SecretNamesInput{}, tacet.VaultNotFound},
			{hers, vault.SecretNamesInput{}, tacet.Denied},
		} {
			_, err := h.vault.ListSecretNames(h.ctx, c.call, c.in)
			h.wantCode(err, c.want)
		}
		may := h.subject("lister")
		may.assign("Key Vault Reader", "", false)
		_, err = h.vault.ListSecretNames(h.ctx, may.azure, vault.SecretNamesInput{})
		h.must(err)
	})
}
