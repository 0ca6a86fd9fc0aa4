package tacet

import (
	"slices"
	"strings"
	"time"
)

// A RoleDefinition is data actions under a name, to be assigned: a role as Azure means it.
type RoleDefinition struct {
	ID string `json:"id"` // a GUID
	// Account is whose it is; "" for those every deployment has.
	Account     string `json:"account,omitempty"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// DataActions are what it grants, with "*" for any run of characters, less NotDataActions.
	DataActions    []string `json:"dataActions,omitempty"`
	NotDataActions []string `json:"notDataActions,omitempty"`
	// Scopes are the vaults it can be assigned at; none means all of the account.
	Scopes  []VaultID `json:"scopes,omitempty"`
	Created time.Time `json:"created,omitzero"`
}

// AssignableAt reports whether the role can be assigned at a vault.
func (r *RoleDefinition) AssignableAt(v Vault) bool {
	if len(r.Scopes) > 0 {
		return slices.Contains(r.Scopes, v.ID)
	}
	return r.Account == "" || r.Account == v.Account
}

// An Assignment is what a vault grants or refuses one principal in Azure's language: a role
// assignment, a deny assignment or an access policy.
type Assignment struct {
	ID    string  `json:"id"` // a GUID, which follows from what is assigned
	Vault VaultID `json:"vault"`
	// Secret is the name of the one secret it is about; "" for the whole vault.
	Secret string `json:"secret,omitempty"`
	// Principal is the unique id of a user, group or role of any account.
	Principal string `json:"principal"`
	// Role is the id of the role definition; "" for an access policy.
	Role string `json:"role,omitempty"`
	// Deny says that the role's data actions are refused.
	Deny bool `json:"deny,omitempty"`
	// Permissions are an access policy's, among [SecretPermissions].
	Permissions []string  `json:"permissions,omitempty"`
	Created     time.Time `json:"created"`
}

// AccessPolicy reports whether it is an access policy.
func (a *Assignment) AccessPolicy() bool { return a.Role == "" }

// AssignmentID returns the id of the assignment that says the same: nobody has a role twice
// at one scope, or two access policies of one vault.
func AssignmentID(a *Assignment) string {
	effect := "allow"
	if a.Deny {
		effect = "deny"
	}
	return guid("assignment", strings.Join([]string{string(a.Vault), a.Secret, a.Principal, a.Role, effect}, "\x00"))
}

// RoleDefinitionID returns the id of a custom role definition that is made with a random seed.
func RoleDefinitionID(seed string) string { return guid("role definition", seed) }

// secretPermissions are the permissions on secrets of Azure's access policies and the
// actions they stand for. One action of AWS's language stands where Azure's own would
// say more than the permission does: readMetadata is both "get" and "list".
var secretPermissions = map[string][]string{
	"get":     {azureSecrets + "getSecret/action", "secretsmanager:DescribeSecret"},
	"list":    {"secretsmanager:ListSecrets", "secretsmanager:ListSecretVersionIds"},
	"set":     {azureSecrets + "setSecret/action", azureSecrets + "update/action"},
	"delete":  {azureSecrets + "delete"},
	"recover": {azureSecrets + "recover/action"},
	"backup":  {azureSecrets + "backup/action"},
	"restore": {azureSecrets + "restore/action"},
	"purge":   {azureSecrets + "purge/action"},
}

// SecretPermissions lists the permissions on secrets that an access policy may have, in
// lower case, sorted.
func SecretPermissions() []string {
	var out []string
	for p := range secretPermissions {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// PermissionActions returns the actions that a permission of an access policy stands for,
// nil for one that does not exist.
func PermissionActions(permission string) []string { return secretPermissions[permission] }
