package client

import (
	"context"
	"time"
)

// An Assignment is what a vault grants or refuses one principal: a role at the vault or at
// one of its secrets, or the permissions of an access policy.
type Assignment struct {
	ID          string    `json:"id"`
	Vault       string    `json:"vault"`
	Secret      string    `json:"secret,omitempty"` // empty for the whole vault
	Principal   string    `json:"principal"`        // ARN
	ObjectID    string    `json:"objectId"`         // the principal's, in Azure's language
	Role        string    `json:"role,omitempty"`
	RoleID      string    `json:"roleId,omitempty"`
	Deny        bool      `json:"deny,omitempty"` // what the role would grant is refused
	Permissions []string  `json:"permissions,omitempty"`
	Created     time.Time `json:"created"`
}

// NewAssignment is what a role assignment is made of.
type NewAssignment struct {
	Vault  string `json:"vault"`
	Secret string `json:"secret,omitempty"` // empty for the whole vault
	// Principal is an object id, a client id, a unique id, an ARN, "user/NAME", "group/NAME", "role/NAME"
	// or a name.
	Principal string `json:"principal"`
	Role      string `json:"role"` // id or name
	Deny      bool   `json:"deny,omitempty"`
}

type assignments struct{ Assignments []Assignment }

// CreateRoleAssignment gives a principal a role, or refuses him what it grants.
func (c *Client) CreateRoleAssignment(ctx context.Context, in NewAssignment) (out Assignment, err error) {
	_, err = c.call(ctx, "role-assignments/create", in, &out)
	return out, err
}

// ListRoleAssignments returns the role assignments and deny assignments of a vault.
func (c *Client) ListRoleAssignments(ctx context.Context, vault string) ([]Assignment, error) {
	out, err := get[assignments](ctx, c, "role-assignments/list", request{Vault: vault})
	return out.Assignments, err
}

// DeleteRoleAssignment ends a role assignment or a deny assignment.
func (c *Client) DeleteRoleAssignment(ctx context.Context, vault, id string) error {
	return c.do(ctx, "role-assignments/delete", request{Vault: vault, ID: id})
}

// SetAccessPolicy gives a principal permissions on a vault's secrets, in place of those he had.
func (c *Client) SetAccessPolicy(ctx context.Context, vault, principal string, permissions []string) (Assignment, error) {
	return get[Assignment](ctx, c, "access-policies/set", request{Vault: vault, Principal: principal, Permissions: permissions})
}

// ListAccessPolicies returns the access policies of a vault.
func (c *Client) ListAccessPolicies(ctx context.Context, vault string) ([]Assignment, error) {
	out, err := get[assignments](ctx, c, "access-policies/list", request{Vault: vault})
	return out.Assignments, err
}

// DeleteAccessPolicy takes a principal's permissions on a vault's secrets away.
func (c *Client) DeleteAccessPolicy(ctx context.Context, vault, principal string) error {
	return c.do(ctx, "access-policies/delete", request{Vault: vault, Principal: principal})
}

// NewRoleDefinition is what a role definition is made of.
type NewRoleDefinition struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// DataActions are what it grants, less NotDataActions; "*" is any run of characters.
	DataActions    []string `json:"actions"`
	NotDataActions []string `json:"notactions,omitempty"`
	Vaults         []string `json:"vaults,omitempty"` // where it can be assigned; none for all of the account
}

// A RoleDefinition is data actions under a name, to be assigned.
type RoleDefinition struct {
	ID             string   `json:"id"`
	Name           string   `json:"name"`
	Description    string   `json:"description,omitempty"`
	BuiltIn        bool     `json:"builtIn"` // every deployment has it
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
	Vaults         []string `json:"vaults,omitempty"` // where it can be assigned; none for all of the account
}

// CreateRoleDefinition makes a role of the caller's account.
func (c *Client) CreateRoleDefinition(ctx context.Context, in NewRoleDefinition) (out RoleDefinition, err error) {
	_, err = c.call(ctx, "role-definitions/create", in, &out)
	return out, err
}

// ListRoleDefinitions returns the roles that can be assigned at the account's vaults, by name.
func (c *Client) ListRoleDefinitions(ctx context.Context) ([]RoleDefinition, error) {
	out, err := get[struct{ Roles []RoleDefinition }](ctx, c, "role-definitions/list", request{})
	return out.Roles, err
}

// DeleteRoleDefinition removes a role of the account that is not assigned, by id or name.
func (c *Client) DeleteRoleDefinition(ctx context.Context, role string) error {
	return c.do(ctx, "role-definitions/delete", request{Role: role})
}
