package guard

import (
	"slices"
	"strings"

	"tacet"
	"tacet/internal/policy"
)

const keyVault = "Microsoft.KeyVault/vaults/"

// builtinRoles are the Key Vault roles of Azure, under its names and ids; see "Azure
// built-in roles for Security". They hold what concerns the data of vaults: those for the
// control plane alone have no data actions.
var builtinRoles = []tacet.RoleDefinition{
	{ID: "00482a5a-887f-4fb3-b363-3b7fe8e74483", Name: "Key Vault Administrator",
		Description: "Everything on the secrets, keys and certificates of a vault.", DataActions: []string{keyVault + "*"}},
	{ID: "21090545-7ca7-4776-b22c-e363652d74d2", Name: "Key Vault Reader",
		Description: "Reads what there is to know about them, but no values.", DataActions: []string{keyVault + "*/read", keyVault + "secrets/readMetadata/action"}},
	{ID: "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", Name: "Key Vault Secrets Officer",
		Description: "Everything on secrets.", DataActions: []string{keyVault + "secrets/*"}},
	{ID: "4633458b-17de-408a-b874-0445c86b69e6", Name: "Key Vault Secrets User",
		Description: "Reads secrets and their values.", DataActions: []string{keyVault + "secrets/getSecret/action", keyVault + "secrets/readMetadata/action"}},
	{ID: "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", Name: "Key Vault Crypto Officer",
		Description: "Everything on keys.", DataActions: []string{keyVault + "keys/*", keyVault + "keyrotationpolicies/*"}},
	{ID: "12338af0-0e69-4776-bea7-57ae8d297424", Name: "Key Vault Crypto User",
		Description: "Cryptographic operations with keys.", DataActions: []string{keyVault + "keys/read", keyVault + "keys/update/action", keyVault + "keys/backup/action",
			keyVault + "keys/encrypt/action", keyVault + "keys/decrypt/action", keyVault + "keys/wrap/action", keyVault + "keys/unwrap/action",
			keyVault + "keys/sign/action", keyVault + "keys/verify/action"}},
	{ID: "e147488a-f6f5-4113-8e2d-b22465e65bf6", Name: "Key Vault Crypto Service Encryption User",
		Description: "Wraps and unwraps with keys.", DataActions: []string{keyVault + "keys/read", keyVault + "keys/wrap/action", keyVault + "keys/unwrap/action"}},
	{ID: "08bbd89e-9f13-488c-ac41-acfcb10c90ab", Name: "Key Vault Crypto Service Release User",
		Description: "Releases keys.", DataActions: []string{keyVault + "keys/release/action"}},
	{ID: "a4417e6f-fecd-4de8-b567-7b0420556985", Name: "Key Vault Certificates Officer",
		Description: "Everything on certificates.", DataActions: []string{keyVault + "certificatecas/*", keyVault + "certificates/*", keyVault + "certificatecontacts/write"}},
	{ID: "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba", Name: "Key Vault Certificate User",
		Description: "Reads certificates with their secrets and keys.", DataActions: []string{keyVault + "certificates/read", keyVault + "secrets/getSecret/action",
			keyVault + "secrets/readMetadata/action", keyVault + "keys/read"}},
	{ID: "f25e0fa2-a7c8-4377-a976-54943a77a395", Name: "Key Vault Contributor",
		Description: "Of the control plane: no access to data."},
	{ID: "8b54135c-b56d-4d72-a534-26097cfdc8d8", Name: "Key Vault Data Access Administrator",
		Description: "Of the control plane: no access to data."},
}

// definition returns the role definition with an id, or a name in any case, that can be
// assigned at a vault; nil for none.
func (d *directory) definition(v tacet.Vault, text string) *tacet.RoleDefinition {
	for i := range builtinRoles {
		if r := &builtinRoles[i]; strings.EqualFold(r.Name, text) || strings.EqualFold(r.ID, text) {
			return r
		}
	}
	for _, r := range d.definitions {
		if r.AssignableAt(v) && (strings.EqualFold(r.Name, text) || strings.EqualFold(r.ID, text)) {
			return r
		}
	}
	return nil
}

// grantedBy returns the data actions that a role definition comes to. Each stands for
// itself, since no statement has both actions and exceptions.
func grantedBy(r *tacet.RoleDefinition) []string {
	covers := func(patterns []string, action string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return policy.MatchAction(p, action) })
	}
	return slices.DeleteFunc(tacet.DataActions(), func(action string) bool {
		return !covers(r.DataActions, action) || covers(r.NotDataActions, action)
	})
}

// RoleDefinition returns the role definition with an id, or a name in any case, that can be
// assigned at a vault; nil for none.
func (s *scope) RoleDefinition(v tacet.Vault, text string) *tacet.RoleDefinition {
	r := s.dir.definition(v, text)
	if r == nil {
		return nil
	}
	c := *r
	return &c
}

// RoleDefinitions lists the role definitions of an account: those every deployment has, and
// its own in no order.
func (s *scope) RoleDefinitions(account string) []tacet.RoleDefinition {
	out := slices.Clone(builtinRoles)
	for _, r := range s.dir.definitions {
		if r.Account == account {
			out = append(out, *r)
		}
	}
	return out
}

// PutRoleDefinition stores a new role definition.
func (tx *Tx) PutRoleDefinition(r tacet.RoleDefinition) error {
	return tx.putObject(kindRoleDefinition, r.ID, "", r)
}

// DeleteRoleDefinition removes a role definition, which must not be assigned to anybody.
func (tx *Tx) DeleteRoleDefinition(id string) error { return tx.deleteObject(kindRoleDefinition, id) }
