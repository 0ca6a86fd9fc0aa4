package adminapi

import (
	"context"
	"time"

	"tacet"
	"tacet/internal/identity"
)

// The grants in Azure's language: role definitions, role assignments and access policies.

type assignmentIn struct {
	Vault     string `json:"vault"`
	Secret    string `json:"secret"`
	Principal string `json:"principal"`
	Role      string `json:"role"`
	Deny      bool   `json:"deny"`
}

type assignmentOut struct {
	ID     string `json:"id"`
	Vault  string `json:"vault"`
	Secret string `json:"secret,omitempty"`
	// Principal is the principal's ARN, and ObjectID what Azure's grants call it.
	Principal   string    `json:"principal"`
	ObjectID    string    `json:"objectId"`
	Role        string    `json:"role,omitempty"`
	RoleID      string    `json:"roleId,omitempty"`
	Deny        bool      `json:"deny,omitempty"`
	Permissions []string  `json:"permissions,omitempty"`
	Created     time.Time `json:"created"`
}

func showAssignment(a identity.AssignmentInfo) assignmentOut {
	return assignmentOut{ID: a.ID, Vault: a.Vault, Secret: a.Secret, Principal: a.Principal.ARN, ObjectID: tacet.ObjectID(a.Principal.ID),
		Role: a.Role.Name, RoleID: a.Role.ID, Deny: a.Deny, Permissions: a.Permissions, Created: a.Created.UTC()}
}

type assignmentsOut struct {
	Assignments []assignmentOut `json:"assignments"`
}

func createAssignment(ctx context.Context, h *handler, call tacet.Call, in assignmentIn) (assignmentOut, error) {
	a, err := h.Identity.CreateRoleAssignment(ctx, call, identity.CreateAssignmentInput(in))
	return showAssignment(a), err
}

type vaultIn struct {
	Vault string `json:"vault"`
}

func listAssignments(ctx context.Context, h *handler, call tacet.Call, in vaultIn) (assignmentsOut, error) {
	list, err := h.Identity.ListRoleAssignments(ctx, call, in.Vault)
	return assignmentsOut{show(list, showAssignment)}, err
}

type assignmentRefIn struct {
	Vault string `json:"vault"`
	ID    string `json:"id"`
}

func deleteAssignment(ctx context.Context, h *handler, call tacet.Call, in assignmentRefIn) (none, error) {
	return none{}, h.Identity.DeleteRoleAssignment(ctx, call, in.Vault, in.ID)
}

type accessPolicyIn struct {
	Vault       string   `json:"vault"`
	Principal   string   `json:"principal"`
	Permissions []string `json:"permissions"`
}

func setAccessPolicy(ctx context.Context, h *handler, call tacet.Call, in accessPolicyIn) (assignmentOut, error) {
	a, err := h.Identity.SetAccessPolicy(ctx, call, in.Vault, in.Principal, in.Permissions)
	return showAssignment(a), err
}

func listAccessPolicies(ctx context.Context, h *handler, call tacet.Call, in vaultIn) (assignmentsOut, error) {
	list, err := h.Identity.ListAccessPolicies(ctx, call, in.Vault)
	return assignmentsOut{show(list, showAssignment)}, err
}

type accessPolicyRefIn struct {
	Vault     string `json:"vault"`
	Principal string `json:"principal"`
}

func deleteAccessPolicy(ctx context.Context, h *handler, call tacet.Call, in accessPolicyRefIn) (none, error) {
	return none{}, h.Identity.DeleteAccessPolicy(ctx, call, in.Vault, in.Principal)
}

type definitionIn struct {
	Name           string   `json:"name"`
	Description    string   `json:"description"`
	DataActions    []string `json:"actions"`
	NotDataActions []string `json:"notactions"`
	Vaults         []string `json:"vaults"`
}

type definitionOut struct {
	ID             string   `json:"id"`
	Name           string   `json:"name"`
	Description    string   `json:"description,omitempty"`
	BuiltIn        bool     `json:"builtIn"`
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
	Vaults         []string `json:"vaults,omitempty"` // where it can be assigned; none for all
}

func showDefinition(d identity.DefinitionInfo) definitionOut {
	return definitionOut{ID: d.ID, Name: d.Name, Description: d.Description, BuiltIn: d.Account == "",
		DataActions: append([]string{}, d.DataActions...), NotDataActions: append([]string{}, d.NotDataActions...), Vaults: d.Vaults}
}

type definitionsOut struct {
	Roles []definitionOut `json:"roles"`
}

func createDefinition(ctx context.Context, h *handler, call tacet.Call, in definitionIn) (definitionOut, error) {
	d, err := h.Identity.CreateRoleDefinition(ctx, call, identity.CreateDefinitionInput(in))
	return showDefinition(d), err
}

func listDefinitions(ctx context.Context, h *handler, call tacet.Call, _ none) (definitionsOut, error) {
	list, err := h.Identity.ListRoleDefinitions(ctx, call)
	return definitionsOut{show(list, showDefinition)}, err
}

type definitionRefIn struct {
	Role string `json:"role"`
}

func deleteDefinition(ctx context.Context, h *handler, call tacet.Call, in definitionRefIn) (none, error) {
	return none{}, h.Identity.DeleteRoleDefinition(ctx, call, in.Role)
}
