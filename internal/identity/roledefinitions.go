package identity

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"tacet"
	"tacet/internal/guard"
)

// Limits of a role definition.
const (
	maxDefinitionName = 512 // characters
	maxDataActions    = 256
)

// DefinitionInfo is a role definition with the names of the vaults it can be assigned at.
type DefinitionInfo struct {
	tacet.RoleDefinition
	Vaults []string
}

// CreateDefinitionInput is the input of [Service.CreateRoleDefinition].
type CreateDefinitionInput struct {
	Name        string
	Description string
	// DataActions are what it grants, with "*" for any run of characters, less NotDataActions:
	// "Microsoft.KeyVault/vaults/secrets/*".
	DataActions    []string
	NotDataActions []string
	// Vaults are where it can be assigned; none for every vault of the account.
	Vaults []string
}

// CreateRoleDefinition makes a role of the caller's account, to be assigned at its vaults,
// or at named ones of an account that has nobody.
//
// Errors: InvalidParameter, PrincipalExists (the name, in any case), VaultNotFound,
// LimitExceeded.
func (s *Service) CreateRoleDefinition(ctx context.Context, call tacet.Call, in CreateDefinitionInput) (DefinitionInfo, error) {
	r := guard.Request{Call: call, Operation: tacet.OpCreateRoleDefinition, Parameters: map[string]any{"name": in.Name,
		"dataActions": in.DataActions, "notDataActions": in.NotDataActions, "assignableScopes": in.Vaults}}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (DefinitionInfo, error) {
		if err := in.check(); err != nil {
			return DefinitionInfo{}, err
		}
		all := tx.RoleDefinitions(call.Account)
		if i := indexOfRole(all, in.Name); i >= 0 {
			return DefinitionInfo{}, tacet.Errorf(tacet.PrincipalExists, "There is a role %s already.", all[i].Name)
		}
		if len(all) >= maxDefinitions {
			return DefinitionInfo{}, tacet.Errorf(tacet.LimitExceeded, "An account has at most %d roles.", maxDefinitions)
		}
		d := tacet.RoleDefinition{ID: tacet.RoleDefinitionID(tx.NewID()), Account: call.Account, Name: in.Name, Description: in.Description,
			DataActions: in.DataActions, NotDataActions: in.NotDataActions, Created: tx.Now()}
		for _, name := range in.Vaults {
			v, err := tx.Named(name)
			if err == nil && !tx.Administers(v) {
				err = tacet.Errorf(tacet.VaultNotFound, "There is no vault named %s.", name) // which vaults others have is not told
			}
			if err != nil {
				return DefinitionInfo{}, err
			}
			d.Scopes = append(d.Scopes, v.ID)
		}
		tx.Respond("roleDefinitionId", d.ID)
		return definitionInfo(tx, d), tx.PutRoleDefinition(d)
	})
}

func (in *CreateDefinitionInput) check() error {
	if in.Name == "" || utf8.RuneCountInString(in.Name) > maxDefinitionName || in.Name != strings.TrimSpace(in.Name) || !printableText(in.Name) {
		return tacet.Errorf(tacet.InvalidParameter, "A role's name has 1 to %d characters.", maxDefinitionName)
	}
	if err := validDescription(in.Description); err != nil {
		return err
	}
	if len(in.DataActions) == 0 || len(in.DataActions)+len(in.NotDataActions) > maxDataActions {
		return tacet.Errorf(tacet.InvalidParameter, "A role has 1 to %d data actions.", maxDataActions)
	}
	for _, a := range slices.Concat(in.DataActions, in.NotDataActions) {
		if !validDataAction(a) {
			return tacet.Errorf(tacet.InvalidParameter, "%q is not a data action, such as Microsoft.KeyVault/vaults/secrets/getSecret/action.", a)
		}
	}
	return nil
}

// validDataAction takes words joined by slashes, in which "*" is any run of characters.
func validDataAction(action string) bool {
	for i := range len(action) {
		c := action[i] | 0x20
		if (c < 'a' || c > 'z') && strings.IndexByte("0123456789./*", action[i]) < 0 {
			return false
		}
	}
	return action != "" && len(action) <= maxDefinitionName && (strings.Contains(action, "/") || action == "*")
}

func printableText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func definitionInfo(s interface{ Vaults() []tacet.Vault }, d tacet.RoleDefinition) DefinitionInfo {
	out := DefinitionInfo{RoleDefinition: d}
	for _, v := range s.Vaults() {
		if slices.Contains(d.Scopes, v.ID) {
			out.Vaults = append(out.Vaults, v.Name)
		}
	}
	return out
}

// ListRoleDefinitions returns the roles of the caller's account, those that every deployment
// has included, by name.
func (s *Service) ListRoleDefinitions(ctx context.Context, call tacet.Call) ([]DefinitionInfo, error) {
	r := guard.Request{Call: call, Operation: tacet.OpListRoleDefinitions}
	return guard.View(ctx, s.g, r, func(sn *guard.Snapshot) ([]DefinitionInfo, error) {
		var out []DefinitionInfo
		for _, d := range sn.RoleDefinitions(call.Account) {
			out = append(out, definitionInfo(sn, d))
		}
		slices.SortFunc(out, func(a, b DefinitionInfo) int { return cmp.Compare(a.Name, b.Name) })
		return out, nil
	})
}

// indexOfRole finds a role by its id, or its name in any case; -1 for none.
func indexOfRole(all []tacet.RoleDefinition, text string) int {
	return slices.IndexFunc(all, func(d tacet.RoleDefinition) bool {
		return strings.EqualFold(d.Name, text) || strings.EqualFold(d.ID, text)
	})
}

// DeleteRoleDefinition removes a role of the caller's account, by its id or its name. It
// must not be assigned to anybody.
//
// Errors: PrincipalNotFound, PrincipalInUse, InvalidParameter (a role that every deployment has).
func (s *Service) DeleteRoleDefinition(ctx context.Context, call tacet.Call, role string) error {
	r := guard.Request{Call: call, Operation: tacet.OpDeleteRoleDefinition, Parameters: map[string]any{"roleDefinition": role}}
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		all := tx.RoleDefinitions(call.Account)
		i := indexOfRole(all, role)
		if i < 0 {
			return none, tacet.Errorf(tacet.PrincipalNotFound, "There is no role %s.", role)
		}
		d := &all[i]
		switch {
		case d.Account == "":
			return none, tacet.Errorf(tacet.InvalidParameter, "The role %s is one that every deployment has.", d.Name)
		case slices.ContainsFunc(tx.Assignments(""), func(a tacet.Assignment) bool { return a.Role == d.ID }):
			return none, tacet.Errorf(tacet.PrincipalInUse, "The role %s is assigned. Before you delete it, you must delete its assignments.", d.Name)
		}
		return none, tx.DeleteRoleDefinition(d.ID)
	})
	return err
}
