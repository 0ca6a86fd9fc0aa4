package vault_test

import (
	"net/netip"
	"strings"
	"testing"

	"tacet"
	"tacet/internal/store"
	"tacet/internal/store/storetest"
	"tacet/internal/vault"
)

func (h *house) newVault(name, account, region string) tacet.Vault {
	h.Helper()
	v, err := h.vault.CreateVault(h.ctx, h.admin, vault.CreateVaultInput{Name: name, Account: account, Region: region})
	h.must(err)
	return v
}

const home = "000000000001"

// Names, retention, and what can be changed of a vault.
func TestContractF_Vaults(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		create := func(name, region string, s vault.VaultChange) error {
			_, err := h.vault.CreateVault(h.ctx, h.admin, vault.CreateVaultInput{Name: name, Account: home, Region: region, VaultChange: s})
			return err
		}
		for _, name := range []string{"", "ab", "1abc", "-abc", "abc-", "a--b", "a_b", strings.Repeat("a", 25), "ab\u212a"} {
			h.wantCode(create(name, "eu-west-1", vault.VaultChange{}), tacet.InvalidParameter)
		}
		for _, s := range []vault.VaultChange{{RetentionDays: ptr(6)}, {RetentionDays: ptr(91)}, {RetentionDays: ptr(-1)}, {RetentionDays: ptr(0)},
			{Tenant: ptr("a b")}, {Tenant: ptr("a=b")}, {Tenant: ptr("a,b")}, {Network: &tacet.NetworkRules{Allowed: []netip.Prefix{{}}}}} {
			h.wantCode(create("fine", "eu-west-1", s), tacet.InvalidParameter)
		}
		h.must(create("Team-A", "eu-west-1", vault.VaultChange{RetentionDays: ptr(7)}))
		h.wantCode(create("team-a", "eu-west-2", vault.VaultChange{}), tacet.PrincipalExists)
		h.wantCode(create("team-b", "eu-west-1", vault.VaultChange{}), tacet.PrincipalExists)
		v, err := h.vault.GetVault(h.ctx, h.admin, "TEAM-A")
		h.must(err)
		if v.Name != "Team-A" || v.RetentionDays != 7 || v.RecoveryLevel() != "CustomizedRecoverable+Purgeable" {
			t.Errorf("%+v", v)
		}
		rules := tacet.NetworkRules{Deny: true, Allowed: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
		_, err = h.vault.UpdateVault(h.ctx, h.admin, vault.UpdateVaultInput{Name: "team-A",
			VaultChange: vault.VaultChange{AccessPolicies: ptr(true), Network: &rules, Tenant: ptr("adfs"), RetentionDays: ptr(7)}})
		h.must(err)
		_, err = h.vault.UpdateVault(h.ctx, h.admin, vault.UpdateVaultInput{Name: "team-A", VaultChange: vault.VaultChange{RetentionDays: ptr(8)}})
		h.wantCode(err, tacet.InvalidRequest)
		_, err = h.vault.UpdateVault(h.ctx, h.admin, vault.UpdateVaultInput{Name: "none"})
		h.wantCode(err, tacet.VaultNotFound)
		_, err = h.vault.GetVault(h.ctx, h.admin, "none")
		h.wantCode(err, tacet.VaultNotFound)
		if v, ok := h.vault.VaultNamed("tEAM-a"); !ok || !v.AccessPolicies || !v.Network.Deny || v.Tenant != "adfs" || v.RetentionDays != 7 {
			t.Errorf("%+v", v)
		}
		if first, ok := h.vault.FirstVault(); !ok || first.Name != "main" {
			t.Errorf("the first vault is %q", first.Name)
		}
	})
}

// A vault is used by its name, by callers who do not know where it is.
func TestVaultsByName(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.newVault("team-a", home, "eu-west-1")
		call := h.azure
		call.Vault = "Team-A"
		_, err := h.vault.SetSecret(h.ctx, call, vault.SetSecretInput{Secret: tacet.ShownRef("s"), Value: text("there")})
		h.must(err)
		_, err = h.getSecret("s")
		h.wantCode(err, tacet.SecretNotFound) // main has none
		there := h.admin
		there.Region = "eu-west-1"
		out, err := h.vault.GetSecretValue(h.ctx, there, vault.GetSecretValueInput{Secret: tacet.NameRef("s")})
		h.must(err)
		if string(out.Value.Reveal()) != "there" {
			t.Error("another vault was meant")
		}
		rec := h.records()[len(h.records())-3]
		if rec.Account != home || rec.Region != "eu-west-1" || rec.Vault != "team-a" {
			t.Errorf("the record does not say which vault: %+v", rec)
		}
		call.Vault = "none"
		_, err = h.vault.GetSecret(h.ctx, call, vault.GetSecretInput{Secret: tacet.ShownRef("s")})
		h.wantCode(err, tacet.VaultNotFound)
	})
}

// A caller's account is not the vault's: his own policies do not reach there, the
// secret's own do (and what else is granted on the vault).
func TestThreat13_VaultOfAnotherAccount(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.newVault("theirs", "000000000002", "us-east-1")
		call := h.azure
		call.Vault = "theirs"
		for name, err := range map[string]error{
			"set":  errOf(h.vault.SetSecret(h.ctx, call, vault.SetSecretInput{Secret: tacet.ShownRef("s"), Value: text("x")})),
			"get":  errOf(h.vault.GetSecret(h.ctx, call, vault.GetSecretInput{Secret: tacet.ShownRef("s")})),
			"list": errOf(h.vault.ListShownSecrets(h.ctx, call, vault.ShownListInput{})),
		} {
			if tacet.CodeOf(err) != tacet.Denied {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Network rules: they hold for the secrets of the vault whichever face is
// used, and not for its administration.
func TestContractF_NetworkRules(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.setSecret("s", "x")
		set := func(deny bool, allowed ...string) {
			t.Helper()
			rules := tacet.NetworkRules{Deny: deny}
			for _, a := range allowed {
				rules.Allowed = append(rules.Allowed, netip.MustParsePrefix(a))
			}
			_, err := h.vault.UpdateVault(h.ctx, h.admin, vault.UpdateVaultInput{Name: "main", VaultChange: vault.VaultChange{Network: &rules}})
			h.must(err)
		}
		for _, tt := range []struct {
			deny    bool
			allowed string
			from    string
			in      bool
		}{
			{false, "10.0.0.0/8", "192.0.2.1", true},
			{true, "10.0.0.0/8", "192.0.2.1", false},
			{true, "192.0.2.0/24", "192.0.2.1", true},
			{true, "192.0.2.0/24", "::ffff:192.0.2.1", true},
			{true, "192.0.2.1/32", "192.0.2.2", false},
			{true, "2001:db8::/32", "2001:db8::1", true},
			{true, "::/0", "192.0.2.1", false},
			{true, "0.0.0.0/0", "no address", false},
			{true, "0.0.0.0/0", "", false},
		} {
			set(tt.deny, tt.allowed)
			azure, aws := h.azure, h.admin
			azure.SourceIP, aws.SourceIP = tt.from, tt.from
			_, err1 := h.vault.GetSecret(h.ctx, azure, vault.GetSecretInput{Secret: tacet.ShownRef("s")})
			_, err2 := h.vault.GetSecretValue(h.ctx, aws, vault.GetSecretValueInput{Secret: tacet.NameRef("s")})
			for _, err := range []error{err1, err2} {
				if tt.in && err != nil || !tt.in && reason(err) != tacet.DenyNetwork {
					t.Errorf("%+v: %v", tt, err)
				}
			}
		}
		set(false)
		h.wantShown("s", "x")
	})
}

// Deleting a vault erases it: it has to be empty, its key goes, on every node.
func TestDeleteVault(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		v := h.newVault("team-a", home, "eu-west-1")
		there := h.azure
		there.Vault = "team-a"
		ref := tacet.ShownRef("s")
		_, err := h.vault.SetSecret(h.ctx, there, vault.SetSecretInput{Secret: ref, Value: text("x")})
		h.must(err)
		remove := func() error { return h.vault.DeleteVault(h.ctx, h.admin, "Team-A") }
		h.wantCode(remove(), tacet.VaultNotEmpty)
		_, err = h.vault.SoftDeleteSecret(h.ctx, there, ref)
		h.must(err)
		h.wantCode(remove(), tacet.VaultNotEmpty)
		h.must(h.vault.PurgeDeletedSecret(h.ctx, there, ref))
		h.must(remove())
		h.wantCode(remove(), tacet.VaultNotFound)
		_, err = h.vault.GetSecret(h.ctx, there, vault.GetSecretInput{Secret: ref})
		h.wantCode(err, tacet.VaultNotFound)
		h.must(h.db.Read(h.ctx, func(tx *store.Tx) error {
			keys, err := tx.Keys()
			for _, k := range keys {
				if k.Vault == string(v.ID) {
					t.Error("the vault's key is left")
				}
			}
			return err
		}))
		if again := h.newVault("team-a", home, "eu-west-1"); again.ID == v.ID {
			t.Error("the id was given again")
		}
		_, err = h.vault.SetSecret(h.ctx, there, vault.SetSecretInput{Secret: ref, Value: text("anew")})
		h.must(err)
	})
}

// What one node changes of a vault holds on the other at once. (Threat class 43.)
func TestThreat43_VaultsOnTwoNodes(t *testing.T) {
	url := storetest.Postgres(t)
	a := newHouse(t, url)
	b := a.node(url)

	a.setSecret("s", "x")
	b.wantShown("s", "x")
	rules := tacet.NetworkRules{Deny: true}
	for range 5 {
		for _, deny := range []bool{true, false} {
			rules.Deny = deny
			_, err := a.vault.UpdateVault(a.ctx, a.admin, vault.UpdateVaultInput{Name: "main", VaultChange: vault.VaultChange{Network: &rules}})
			a.must(err)
			if _, err := b.getSecret("s"); deny != (reason(err) == tacet.DenyNetwork) {
				t.Fatalf("deny %v: %v", deny, err)
			}
		}
	}
	a.newVault("team-a", home, "eu-west-1")
	call := b.azure
	call.Vault = "team-a"
	set := func() error {
		_, err := b.vault.SetSecret(b.ctx, call, vault.SetSecretInput{Secret: tacet.ShownRef("t"), Value: text("x")})
		return err
	}
	b.must(set())
	b.must(errOf(b.vault.SoftDeleteSecret(b.ctx, call, tacet.ShownRef("t"))))
	b.must(b.vault.PurgeDeletedSecret(b.ctx, call, tacet.ShownRef("t")))
	a.must(a.vault.DeleteVault(a.ctx, a.admin, "team-a"))
	b.wantCode(set(), tacet.VaultNotFound)
}
