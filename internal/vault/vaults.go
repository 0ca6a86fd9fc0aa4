package vault

import (
	"context"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// VaultNamed returns the vault called name, in any case: a face asks it what a host name
// means, before anybody has called.
func (s *Service) VaultNamed(name string) (tacet.Vault, bool) { return s.g.VaultNamed(name) }

// FirstVault returns the deployment's oldest vault, the one meant where none is named.
func (s *Service) FirstVault() (tacet.Vault, bool) { return s.g.FirstVault() }

// ListVaults lists the vaults of the caller's account, and for the account that the
// deployment belongs to those of all.
func (s *Service) ListVaults(ctx context.Context, call tacet.Call) ([]tacet.Vault, error) {
	return guard.View(ctx, s.g, request(call, tacet.OpListVaults, tacet.SecretRef{}), func(v *guard.Snapshot) ([]tacet.Vault, error) {
		own := call.Caller.Account
		if own == v.Operator() {
			return v.Vaults(), nil
		}
		return slices.DeleteFunc(v.Vaults(), func(v tacet.Vault) bool { return v.Account != own }), nil
	})
}

// GetVault returns a vault. Errors: VaultNotFound.
func (s *Service) GetVault(ctx context.Context, call tacet.Call, name string) (tacet.Vault, error) {
	return guard.View(ctx, s.g, vaultRequest(call, tacet.OpGetVault, name), func(v *guard.Snapshot) (tacet.Vault, error) {
		return v.Named(name)
	})
}

// vaultRequest begins a request about a vault itself.
func vaultRequest(call tacet.Call, op tacet.Operation, name string) guard.Request {
	r := request(call, op, tacet.SecretRef{})
	r.Vault = name
	parameter(&r, "name", name)
	return r
}

// VaultChange is what is chosen of a vault, when it is made or later. Nil is "not given".
type VaultChange struct {
	RetentionDays   *int  // 7 to 90, 90 if not given; refused later unless it is the same
	PurgeProtection *bool // true; false is refused once it was true
	AccessPolicies  *bool
	Network         *tacet.NetworkRules
	Tenant          *string
}

// CreateVaultInput is the input of [Service.CreateVault].
type CreateVaultInput struct {
	Name    string // see [tacet.ValidVaultName]
	Account string // 12 digits
	Region  string
	VaultChange
}

// CreateVault makes the vault of an account in a region.
//
// Errors: InvalidParameter, PrincipalExists (the name, in any case, or the place is taken).
func (s *Service) CreateVault(ctx context.Context, call tacet.Call, in CreateVaultInput) (tacet.Vault, error) {
	r := vaultRequest(call, tacet.OpCreateVault, in.Name)
	r.Parameters["account"], r.Parameters["region"] = in.Account, in.Region
	in.record(&r)
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (tacet.Vault, error) {
		if err := in.check(); err != nil {
			return tacet.Vault{}, err
		}
		for _, v := range tx.Vaults() {
			if strings.EqualFold(v.Name, in.Name) || v.Account == in.Account && v.Region == in.Region {
				return tacet.Vault{}, tacet.Errorf(tacet.PrincipalExists, "The vault %s of account %s in %s already exists.", v.Name, v.Account, v.Region)
			}
		}
		v, err := tx.CreateVault(in.Name, in.Account, in.Region)
		if err == nil && in.RetentionDays != nil {
			v.RetentionDays = *in.RetentionDays
		}
		if err == nil {
			err = in.apply(&v)
		}
		if err != nil {
			return tacet.Vault{}, err
		}
		tx.PutVault(v)
		return v, nil
	})
}

func (in *CreateVaultInput) check() error {
	if !tacet.ValidVaultName(in.Name) {
		return tacet.Errorf(tacet.InvalidParameter, "a vault's name is 3 to 24 letters, digits and single inner hyphens, a letter first")
	}
	if !tacet.IsAccount(in.Account) {
		return tacet.Errorf(tacet.InvalidParameter, "an account is 12 digits")
	}
	if !tacet.IsRegion(in.Region) {
		return tacet.Errorf(tacet.InvalidParameter, "a region is lower-case words and a number, joined by hyphens, such as us-east-1")
	}
	return nil
}

// record adds to a request's record what the vault is to have.
func (in *VaultChange) record(r *guard.Request) {
	given(r, "softDeleteRetentionInDays", in.RetentionDays)
	given(r, "enablePurgeProtection", in.PurgeProtection)
	given(r, "accessPolicies", in.AccessPolicies)
	given(r, "tenant", in.Tenant)
	if in.Network == nil {
		return
	}
	r.Parameters["networkDeny"] = in.Network.Deny
	if len(in.Network.Allowed) == 0 {
		return
	}
	allowed := make([]string, len(in.Network.Allowed))
	for i, p := range in.Network.Allowed {
		allowed[i] = p.String()
	}
	r.Parameters["networkAllowed"] = allowed
}

// apply changes a vault. What Azure's resource manager does not let be changed is refused
// in its words.
func (in *VaultChange) apply(v *tacet.Vault) error {
	if n := in.RetentionDays; n != nil {
		if *n < tacet.MinRetention || *n > tacet.MaxRetention {
			return tacet.Errorf(tacet.InvalidParameter, "a vault keeps deleted secrets for %d to %d days", tacet.MinRetention, tacet.MaxRetention)
		}
		if *n != v.RetentionDays {
			return tacet.Errorf(tacet.InvalidRequest, `The property "softDeleteRetentionInDays" has been set already and it can't be modified.`)
		}
	}
	if in.PurgeProtection != nil {
		if v.PurgeProtection && !*in.PurgeProtection {
			return tacet.Errorf(tacet.InvalidRequest, `The property "enablePurgeProtection" cannot be set to false. `+
				"Enabling the purge protection for a vault is an irreversible action.")
		}
		v.PurgeProtection = *in.PurgeProtection
	}
	if in.AccessPolicies != nil {
		v.AccessPolicies = *in.AccessPolicies
	}
	if in.Network != nil {
		if err := checkNetwork(in.Network); err != nil {
			return err
		}
		v.Network = *in.Network
	}
	if in.Tenant != nil {
		v.Tenant = *in.Tenant
	}
	return checkTenant(v.Tenant)
}

func checkNetwork(n *tacet.NetworkRules) error {
	if len(n.Allowed) > tacet.MaxNetworkRules {
		return tacet.Errorf(tacet.InvalidParameter, "a vault has at most %d network rules", tacet.MaxNetworkRules)
	}
	for _, p := range n.Allowed {
		if !p.IsValid() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
			return tacet.Errorf(tacet.InvalidParameter, "a network rule is an IPv4 or IPv6 network such as 192.0.2.0/24")
		}
	}
	return nil
}

// checkTenant refuses what would not survive the challenge's header: its parsers split
// at spaces, commas and equals signs.
func checkTenant(tenant string) error {
	if len(tenant) > 64 || without(tenant, lowercase+uppercase+digits+".-") != "" {
		return tacet.Errorf(tacet.InvalidParameter, "a tenant is a GUID or a word of letters, digits, periods and hyphens")
	}
	return nil
}

// UpdateVaultInput is the input of [Service.UpdateVault].
type UpdateVaultInput struct {
	Name string
	VaultChange
}

// UpdateVault changes a vault's settings; its retention stays what it was made with.
//
// Errors: VaultNotFound, InvalidParameter, InvalidRequest (purge protection stays on, and
// the retention what it is).
func (s *Service) UpdateVault(ctx context.Context, call tacet.Call, in UpdateVaultInput) (tacet.Vault, error) {
	r := vaultRequest(call, tacet.OpUpdateVault, in.Name)
	in.record(&r)
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (tacet.Vault, error) {
		v, err := tx.Named(in.Name)
		if err == nil {
			err = in.apply(&v)
		}
		if err != nil {
			return tacet.Vault{}, err
		}
		tx.PutVault(v)
		return v, nil
	})
}

// DeleteVault removes an empty vault and erases its data key: what is left of its secrets
// in copies of the database cannot be opened again.
//
// Errors: VaultNotFound, VaultNotEmpty (deleted secrets that can be recovered count),
// InvalidRequest (the first vault, while the next one is another account's).
func (s *Service) DeleteVault(ctx context.Context, call tacet.Call, name string) error {
	_, err := guard.Do(ctx, s.g, vaultRequest(call, tacet.OpDeleteVault, name), func(tx *guard.Tx) (struct{}, error) {
		v, err := tx.Named(name)
		if err == nil {
			err = tx.DeleteVault(v)
		}
		return struct{}{}, err
	})
	return err
}
