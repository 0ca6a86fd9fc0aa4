package identity

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// CreateAccountInput is the input of [Service.CreateAccount].
type CreateAccountInput struct {
	Account string // 12 digits
	// Region and VaultName are of the account's first vault: the call's region and
	// "account-" with the number if they are empty. An account that has a vault keeps it.
	Region, VaultName string
	Administrator     string // the user's name; "" means "admin"
}

// NewAccount is the output of [Service.CreateAccount].
type NewAccount struct {
	Vault         tacet.Vault
	Administrator tacet.User
	AccessKey     tacet.AccessKey
	Secret        tacet.Plaintext // of the key, never shown again
}

// CreateAccount makes an account's first principal: an administrator with an access key;
// and its first vault, unless it has one. From then on the account is managed by its own.
//
// Errors: InvalidParameter, PrincipalExists (the account has principals, or the name of the
// vault is taken).
func (s *Service) CreateAccount(ctx context.Context, call tacet.Call, in CreateAccountInput) (NewAccount, error) {
	in.Region, in.VaultName = cmp.Or(in.Region, call.Region), cmp.Or(in.VaultName, "account-"+in.Account)
	in.Administrator = cmp.Or(in.Administrator, "admin")
	r := guard.Request{Call: call, Operation: tacet.OpCreateAccount, Parameters: map[string]any{
		"account": in.Account, "region": in.Region, "vaultName": in.VaultName, "userName": in.Administrator}}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (out NewAccount, err error) {
		if err := in.check(); err != nil {
			return out, err
		}
		if len(tx.Users(in.Account))+len(tx.Roles(in.Account)) > 0 {
			return out, tacet.Errorf(tacet.PrincipalExists, "The account %s has principals already.", in.Account)
		}
		if out.Vault, err = in.vault(tx); err != nil {
			return out, err
		}
		out.Administrator, out.AccessKey, out.Secret, err = createAdministrator(tx, in.Account, in.Administrator)
		tx.Respond("accessKeyId", out.AccessKey.ID)
		return out, err
	})
}

func (in *CreateAccountInput) check() error {
	switch {
	case !tacet.IsAccount(in.Account):
		return tacet.Errorf(tacet.InvalidParameter, "an account is 12 digits")
	case !tacet.IsRegion(in.Region):
		return tacet.Errorf(tacet.InvalidParameter, "a region is lower-case words and a number, joined by hyphens, such as us-east-1")
	case !tacet.ValidVaultName(in.VaultName):
		return tacet.Errorf(tacet.InvalidParameter, "a vault's name is 3 to 24 letters, digits and single inner hyphens, a letter first")
	}
	return validName("userName", in.Administrator, maxName)
}

// vault returns a vault of the account, made if there is none.
func (in *CreateAccountInput) vault(tx *guard.Tx) (tacet.Vault, error) {
	for _, v := range tx.Vaults() {
		switch {
		case v.Account == in.Account:
			return v, nil
		case strings.EqualFold(v.Name, in.VaultName):
			return tacet.Vault{}, tacet.Errorf(tacet.PrincipalExists, "The vault %s of account %s in %s already exists.", v.Name, v.Account, v.Region)
		}
	}
	return tx.CreateVault(in.VaultName, in.Account, in.Region)
}

// Account is what there is of an account.
type Account struct {
	ID string // 12 digits
	// Operator says that the deployment belongs to it: its principals may be let to read
	// the whole record, and to make vaults and accounts.
	Operator     bool
	Vaults       []tacet.Vault // oldest first
	Users, Roles int
}

// ListAccounts lists the accounts that have vaults, in the order of their numbers.
func (s *Service) ListAccounts(ctx context.Context, call tacet.Call) ([]Account, error) {
	r := guard.Request{Call: call, Operation: tacet.OpListAccounts}
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) ([]Account, error) {
		var out []Account
		vaults := v.Vaults()
		slices.SortFunc(vaults, func(a, b tacet.Vault) int {
			return cmp.Or(cmp.Compare(a.Account, b.Account), a.Created.Compare(b.Created))
		})
		for _, vault := range vaults {
			if len(out) == 0 || out[len(out)-1].ID != vault.Account {
				out = append(out, Account{ID: vault.Account, Operator: vault.Account == v.Operator(),
					Users: len(v.Users(vault.Account)), Roles: len(v.Roles(vault.Account))})
			}
			a := &out[len(out)-1]
			a.Vaults = append(a.Vaults, vault)
		}
		return out, nil
	})
}
