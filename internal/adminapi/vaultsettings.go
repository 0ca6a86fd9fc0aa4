package adminapi

import (
	"context"
	"net/netip"

	"tacet"
	"tacet/internal/vault"
)

type networkRules struct {
	Deny    bool           `json:"deny"`    // whoever is not in allowed
	Allowed []netip.Prefix `json:"allowed"` // CIDR
}

type vaultSettingsOut struct {
	vaultOut
	RetentionDays   int          `json:"retentionDays"`
	PurgeProtection bool         `json:"purgeProtection"`
	AccessPolicies  bool         `json:"accessPolicies"` // they grant, and role assignments do not
	Network         networkRules `json:"network"`
	Tenant          string       `json:"tenant,omitempty"`
}

func showSettings(v tacet.Vault) vaultSettingsOut {
	return vaultSettingsOut{showVault(v), v.RetentionDays, v.PurgeProtection, v.AccessPolicies,
		networkRules{v.Network.Deny, append([]netip.Prefix{}, v.Network.Allowed...)}, v.Tenant}
}

func getVault(ctx context.Context, h *handler, call tacet.Call, in vaultIn) (vaultSettingsOut, error) {
	v, err := h.Vault.GetVault(ctx, call, in.Vault)
	return showSettings(v), err
}

// vaultChangeIn is what is chosen of a vault.
type vaultChangeIn struct {
	RetentionDays   *int          `json:"retentiondays"`
	PurgeProtection *bool         `json:"purgeprotection"`
	AccessPolicies  *bool         `json:"accesspolicies"`
	Network         *networkRules `json:"network"`
	Tenant          *string       `json:"tenant"`
}

func (in *vaultChangeIn) change() vault.VaultChange {
	return vault.VaultChange{RetentionDays: in.RetentionDays, PurgeProtection: in.PurgeProtection, AccessPolicies: in.AccessPolicies,
		Network: (*tacet.NetworkRules)(in.Network), Tenant: in.Tenant}
}

type createVaultIn struct {
	Name    string `json:"name"`
	Account string `json:"account"`
	Region  string `json:"region"`
	vaultChangeIn
}

func createVault(ctx context.Context, h *handler, call tacet.Call, in createVaultIn) (vaultSettingsOut, error) {
	v, err := h.Vault.CreateVault(ctx, call, vault.CreateVaultInput{Name: in.Name, Account: in.Account, Region: in.Region, VaultChange: in.change()})
	return showSettings(v), err
}

type updateVaultIn struct {
	Vault string `json:"vault"`
	vaultChangeIn
}

func updateVault(ctx context.Context, h *handler, call tacet.Call, in updateVaultIn) (vaultSettingsOut, error) {
	v, err := h.Vault.UpdateVault(ctx, call, vault.UpdateVaultInput{Name: in.Vault, VaultChange: in.change()})
	return showSettings(v), err
}

func deleteVault(ctx context.Context, h *handler, call tacet.Call, in vaultIn) (none, error) {
	return none{}, h.Vault.DeleteVault(ctx, call, in.Vault)
}

type namesIn struct {
	Vault       string `json:"vault"`
	Unreachable bool   `json:"unreachable"` // only those that Azure does not reach
	Limit       int    `json:"limit"`       // how many secrets are looked at, 1 to 1000
	Token       string `json:"token"`       // of the page before
}

type namesOut struct {
	Names []nameOut `json:"names"`           // by name; none may be here though there are more
	Token string    `json:"token,omitempty"` // of the next page
}

type nameOut struct {
	Name    string `json:"name"`
	Shown   string `json:"shown,omitempty"` // in Azure; "" for a secret that is not reached there
	Why     string `json:"why,omitempty"`   // it is not: "characters", "too long" or "hidden by NAME"
	Deleted bool   `json:"deleted,omitempty"`
}

func listNames(ctx context.Context, h *handler, call tacet.Call, in namesIn) (namesOut, error) {
	if in.Vault == "" {
		return namesOut{}, badRequest("The member vault is required.")
	}
	call.Vault = in.Vault
	page, err := h.Vault.ListSecretNames(ctx, call, vault.SecretNamesInput{Unreachable: in.Unreachable, MaxResults: in.Limit, NextToken: in.Token})
	return namesOut{show(page.Names, func(n vault.SecretName) nameOut { return nameOut(n) }), page.NextToken}, err
}
