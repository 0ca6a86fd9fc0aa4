package client

import (
	"context"
	"net/netip"
)

// NetworkRules say from which addresses a vault's secrets may be used.
type NetworkRules struct {
	Deny    bool           `json:"deny"` // whoever is not in Allowed
	Allowed []netip.Prefix `json:"allowed"`
}

// VaultSettings is a vault with its settings.
type VaultSettings struct {
	Vault
	RetentionDays   int          `json:"retentionDays"`
	PurgeProtection bool         `json:"purgeProtection"`
	AccessPolicies  bool         `json:"accessPolicies"` // they grant, and role assignments do not
	Network         NetworkRules `json:"network"`
	Tenant          string       `json:"tenant,omitempty"`
}

// GetVault returns a vault by name, in any case.
func (c *Client) GetVault(ctx context.Context, name string) (VaultSettings, error) {
	return get[VaultSettings](ctx, c, "vaults/get", request{Vault: name})
}

// VaultChange is what is chosen of a vault; nil stays as it is, or in a new vault as it
// usually is.
type VaultChange struct {
	RetentionDays   *int          `json:"retentiondays,omitempty"`   // of a new vault
	PurgeProtection *bool         `json:"purgeprotection,omitempty"` // never off again
	AccessPolicies  *bool         `json:"accesspolicies,omitempty"`
	Network         *NetworkRules `json:"network,omitempty"`
	Tenant          *string       `json:"tenant,omitempty"`
}

// CreateVault makes the vault of an account in a region.
func (c *Client) CreateVault(ctx context.Context, name, account, region string, with VaultChange) (out VaultSettings, err error) {
	in := struct {
		Name    string `json:"name"`
		Account string `json:"account"`
		Region  string `json:"region"`
		VaultChange
	}{name, account, region, with}
	_, err = c.call(ctx, "vaults/create", in, &out)
	return out, err
}

// UpdateVault changes a vault's settings.
func (c *Client) UpdateVault(ctx context.Context, name string, change VaultChange) (out VaultSettings, err error) {
	in := struct {
		Vault string `json:"vault"`
		VaultChange
	}{name, change}
	_, err = c.call(ctx, "vaults/update", in, &out)
	return out, err
}

// A SecretName says what a secret is called in Azure.
type SecretName struct {
	Name  string `json:"name"`
	Shown string `json:"shown,omitempty"` // empty when the secret cannot be reached there
	// Why it cannot: "characters" or "too long" for a name that Azure could not have, or
	// "hidden by NAME" for one that means another secret there.
	Why     string `json:"why,omitempty"`
	Deleted bool   `json:"deleted,omitempty"` // it waits for its purge
}

// ListSecretNames returns the secrets of a vault by name, or only those that Azure does
// not reach.
func (c *Client) ListSecretNames(ctx context.Context, vault string, unreachable bool) ([]SecretName, error) {
	in := struct {
		Vault       string `json:"vault"`
		Unreachable bool   `json:"unreachable,omitempty"`
		Token       string `json:"token,omitempty"`
	}{Vault: vault, Unreachable: unreachable}
	names := []SecretName{}
	for {
		page := struct {
			Names []SecretName
			Token string
		}{}
		if _, err := c.call(ctx, "vaults/names", in, &page); err != nil {
			return nil, err
		}
		names = append(names, page.Names...)
		if in.Token = page.Token; in.Token == "" {
			return names, nil
		}
	}
}

// DeleteVault removes an empty vault and its keys.
func (c *Client) DeleteVault(ctx context.Context, name string) error {
	return c.do(ctx, "vaults/delete", request{Vault: name})
}
