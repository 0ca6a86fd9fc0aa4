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

// updateVaultIn changes what is given.
type updateVaultIn struct {
	Vault           string        `json:"vault"`
	PurgeProtection *bool         `json:"purgeprotection"`
	AccessPolicies  *bool         `json:"accesspolicies"`
	Network         *networkRules `json:"network"`
	Tenant          *string       `json:"tenant"`
}

func updateVault(ctx context.Context, h *handler, call tacet.Call, in updateVaultIn) (vaultSettingsOut, error) {
	v, err := h.Vault.UpdateVault(ctx, call, vault.UpdateVaultInput{Name: in.Vault, PurgeProtection: in.PurgeProtection,
		AccessPolicies: in.AccessPolicies, Network: (*tacet.NetworkRules)(in.Network), Tenant: in.Tenant})
	return showSettings(v), err
}

func deleteVault(ctx context.Context, h *handler, call tacet.Call, in vaultIn) (none, error) {
	return none{}, h.Vault.DeleteVault(ctx, call, in.Vault)
}
