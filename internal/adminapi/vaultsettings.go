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
