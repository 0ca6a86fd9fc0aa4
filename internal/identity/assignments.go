package identity

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// Limits of Azure's, from the pages "Azure RBAC limits" and "Assign a Key Vault access policy".
const (
	maxAssignments    = 4000 // of a vault
	maxAccessPolicies = 1024 // of a vault
	maxDefinitions    = 5000 // of an account
)

// AssignmentInfo is an assignment with the names of what it is about.
type AssignmentInfo struct {
	tacet.Assignment
	Vault     string // the vault's name
	Role      tacet.RoleDefinition
	Principal guard.PrincipalInfo
}

// CreateAssignmentInput is the input of [Service.CreateRoleAssignment].
type CreateAssignmentInput struct {
	Vault  string
	Secret string // the one secret that it is about; "" for the whole vault
	// Principal names a user, group or role, of any account: its object id, unique id or
	// ARN, or "user/NAME" and the like of the caller's account.
	Principal string
	Role      string // id or name of a role definition
	Deny      bool   // refuse what the role would grant
}

// vaultRequest begins a request about what a vault grants.
func vaultRequest(call tacet.Call, op tacet.Operation, vault string) guard.Request {
	return guard.Request{Call: call, Operation: op, Vault: vault, Parameters: map[string]any{"vault": vault}}
}

// CreateRoleAssignment gives a principal a role at a vault or at one of its secrets, or
// refuses him what the role grants. It is in force at once, through both faces. As in
// Azure the caller need not hold what he gives: he must be allowed to give.
//
// Errors: VaultNotFound, PrincipalNotFound (principal or role), PrincipalExists,
// InvalidParameter (the secret's name), LimitExceeded.
func (s *Service) CreateRoleAssignment(ctx context.Context, call tacet.Call, in CreateAssignmentInput) (AssignmentInfo, error) {
	r := vaultRequest(call, tacet.OpCreateRoleAssignment, in.Vault)
	r.Parameters["principal"], r.Parameters["roleDefinition"], r.Parameters["deny"] = in.Principal, in.Role, in.Deny
	if in.Secret != "" {
		r.Parameters["secret"] = in.Secret
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (AssignmentInfo, error) {
		v, err := tx.Named(in.Vault)
		if err != nil {
			return AssignmentInfo{}, err
		}
		role := tx.RoleDefinition(v, in.Role)
		if role == nil {
			return AssignmentInfo{}, tacet.Errorf(tacet.PrincipalNotFound, "There is no role %s that can be assigned at the vault %s.", in.Role, v.Name)
		}
		a := tacet.Assignment{Vault: v.ID, Role: role.ID, Deny: in.Deny}
		if in.Secret != "" {
			if !tacet.ValidSecretName(in.Secret, false) {
				return AssignmentInfo{}, tacet.Errorf(tacet.InvalidParameter, "%q is not the name of a secret.", in.Secret)
			}
			if a.Secret, err = tx.SecretNamed(v.ID, in.Secret); err != nil {
				return AssignmentInfo{}, err
			}
		}
		return assign(tx, v, a, in.Principal)
	})
}

// assign stores an assignment for the principal that is named.
func assign(tx *guard.Tx, v tacet.Vault, a tacet.Assignment, principal string) (AssignmentInfo, error) {
	p, err := tx.PrincipalNamed(principal)
	if err != nil {
		return AssignmentInfo{}, err
	}
	a.Principal, a.Created = p.ID, tx.Now()
	a.ID = tacet.AssignmentID(&a)
	limit := maxAssignments
	if a.AccessPolicy() {
		limit = maxAccessPolicies
	} else if tx.Assignment(a.ID) != nil {
		return AssignmentInfo{}, tacet.Errorf(tacet.PrincipalExists, "The role assignment already exists. The ID of the existing role assignment is %s.", a.ID)
	}
	if tx.Assignment(a.ID) == nil && len(ofKind(tx, v.ID, a.AccessPolicy())) >= limit {
		return AssignmentInfo{}, tacet.Errorf(tacet.LimitExceeded, "A vault has at most %d of these.", limit)
	}
	tx.Respond("assignmentId", a.ID)
	tx.Respond("principalId", p.ID)
	return assignmentInfo(tx, v, a), tx.PutAssignment(a)
}

// grantScope is what a read and a change can both look grants up in.
type grantScope interface {
	Assignments(vault tacet.VaultID) []tacet.Assignment
	RoleDefinition(v tacet.Vault, text string) *tacet.RoleDefinition
	PrincipalByID(id string) guard.PrincipalInfo
}

// ofKind lists the access policies or the other assignments of a vault.
func ofKind(s grantScope, vault tacet.VaultID, accessPolicies bool) []tacet.Assignment {
	return slices.DeleteFunc(s.Assignments(vault), func(a tacet.Assignment) bool { return a.AccessPolicy() != accessPolicies })
}

func assignmentInfo(s grantScope, v tacet.Vault, a tacet.Assignment) AssignmentInfo {
	out := AssignmentInfo{Assignment: a, Vault: v.Name, Principal: s.PrincipalByID(a.Principal)}
	if r := s.RoleDefinition(v, a.Role); r != nil {
		out.Role = *r
	}
	return out
}

// ListRoleAssignments returns the role assignments and deny assignments of a vault, those
// of the vault itself before those of its secrets.
//
// Errors: VaultNotFound.
func (s *Service) ListRoleAssignments(ctx context.Context, call tacet.Call, vault string) ([]AssignmentInfo, error) {
	return s.listAssignments(ctx, vaultRequest(call, tacet.OpListRoleAssignments, vault), false)
}

func (s *Service) listAssignments(ctx context.Context, r guard.Request, accessPolicies bool) ([]AssignmentInfo, error) {
	return guard.View(ctx, s.g, r, func(sn *guard.Snapshot) ([]AssignmentInfo, error) {
		v, err := sn.Named(r.Vault)
		if err != nil {
			return nil, err
		}
		var out []AssignmentInfo
		for _, a := range ofKind(sn, v.ID, accessPolicies) {
			out = append(out, assignmentInfo(sn, v, a))
		}
		slices.SortFunc(out, func(a, b AssignmentInfo) int {
			return cmp.Or(cmp.Compare(a.Secret, b.Secret), cmp.Compare(a.Principal.ARN, b.Principal.ARN), cmp.Compare(a.ID, b.ID))
		})
		return out, nil
	})
}

// DeleteRoleAssignment ends a role assignment or a deny assignment of a vault.
//
// Errors: VaultNotFound, PrincipalNotFound (the assignment).
func (s *Service) DeleteRoleAssignment(ctx context.Context, call tacet.Call, vault, id string) error {
	r := vaultRequest(call, tacet.OpDeleteRoleAssignment, vault)
	r.Parameters["assignmentId"] = id
	return s.unassign(ctx, r, func(*guard.Tx, tacet.Vault) (string, error) { return id, nil })
}

// unassign removes the assignment of a vault whose id is found.
func (s *Service) unassign(ctx context.Context, r guard.Request, find func(*guard.Tx, tacet.Vault) (string, error)) error {
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		v, err := tx.Named(r.Vault)
		if err != nil {
			return none, err
		}
		id, err := find(tx, v)
		if err != nil {
			return none, err
		}
		a := tx.Assignment(id)
		if a == nil || a.Vault != v.ID || a.AccessPolicy() != (r.Operation == tacet.OpDeleteAccessPolicy) {
			return none, tacet.Errorf(tacet.PrincipalNotFound, "The vault %s has no such assignment.", v.Name)
		}
		return none, tx.DeleteAssignment(a.ID)
	})
	return err
}

// SetAccessPolicy gives a principal permissions on the secrets of a vault, in place of those
// he had: [tacet.SecretPermissions], or "all". They are in force while the vault goes by
// access policies.
//
// Errors: VaultNotFound, PrincipalNotFound, InvalidParameter, LimitExceeded.
func (s *Service) SetAccessPolicy(ctx context.Context, call tacet.Call, vault, principal string, permissions []string) (AssignmentInfo, error) {
	r := vaultRequest(call, tacet.OpSetAccessPolicy, vault)
	r.Parameters["principal"], r.Parameters["permissions"] = principal, permissions
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (AssignmentInfo, error) {
		v, err := tx.Named(vault)
		if err != nil {
			return AssignmentInfo{}, err
		}
		a := tacet.Assignment{Vault: v.ID}
		for _, p := range permissions {
			switch p = strings.ToLower(p); {
			case p == "all":
				a.Permissions = tacet.SecretPermissions()
			case tacet.PermissionActions(p) == nil:
				return AssignmentInfo{}, tacet.Errorf(tacet.InvalidParameter, "%q is not a permission on secrets: they are all, %s.", p, strings.Join(tacet.SecretPermissions(), ", "))
			default:
				a.Permissions = append(a.Permissions, p)
			}
		}
		slices.Sort(a.Permissions)
		if a.Permissions = slices.Compact(a.Permissions); len(a.Permissions) == 0 {
			return AssignmentInfo{}, tacet.Errorf(tacet.InvalidParameter, "An access policy has at least one permission.")
		}
		return assign(tx, v, a, principal)
	})
}

// ListAccessPolicies returns the access policies of a vault by principal.
//
// Errors: VaultNotFound.
func (s *Service) ListAccessPolicies(ctx context.Context, call tacet.Call, vault string) ([]AssignmentInfo, error) {
	return s.listAssignments(ctx, vaultRequest(call, tacet.OpListAccessPolicies, vault), true)
}

// DeleteAccessPolicy takes from a principal the permissions that a vault's access policies
// give him.
//
// Errors: VaultNotFound, PrincipalNotFound.
func (s *Service) DeleteAccessPolicy(ctx context.Context, call tacet.Call, vault, principal string) error {
	r := vaultRequest(call, tacet.OpDeleteAccessPolicy, vault)
	r.Parameters["principal"] = principal
	return s.unassign(ctx, r, func(tx *guard.Tx, v tacet.Vault) (string, error) {
		p, err := tx.PrincipalNamed(principal)
		return tacet.AssignmentID(&tacet.Assignment{Vault: v.ID, Principal: p.ID}), err
	})
}
