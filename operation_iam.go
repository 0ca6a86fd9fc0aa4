package tacet

import (
	"slices"
	"strings"
)

// The operations on principals, named as AWS IAM names them.
const (
	// Users.
	OpCreateUser                    Operation = "CreateUser"
	OpGetUser                       Operation = "GetUser"
	OpUpdateUser                    Operation = "UpdateUser"
	OpDeleteUser                    Operation = "DeleteUser"
	OpListUsers                     Operation = "ListUsers"
	OpTagUser                       Operation = "TagUser"
	OpUntagUser                     Operation = "UntagUser"
	OpListUserTags                  Operation = "ListUserTags"
	OpListGroupsForUser             Operation = "ListGroupsForUser"
	OpPutUserPermissionsBoundary    Operation = "PutUserPermissionsBoundary"
	OpDeleteUserPermissionsBoundary Operation = "DeleteUserPermissionsBoundary"

	// What users may have at AWS and never have here; see identity.ListNone.
	OpListMFADevices                 Operation = "ListMFADevices"
	OpListSSHPublicKeys              Operation = "ListSSHPublicKeys"
	OpListServiceSpecificCredentials Operation = "ListServiceSpecificCredentials"
	OpListSigningCertificates        Operation = "ListSigningCertificates"
	OpListVirtualMFADevices          Operation = "ListVirtualMFADevices"
	OpGetLoginProfile                Operation = "GetLoginProfile"
	OpDeleteLoginProfile             Operation = "DeleteLoginProfile"

	// Access keys.
	OpCreateAccessKey      Operation = "CreateAccessKey"
	OpListAccessKeys       Operation = "ListAccessKeys"
	OpUpdateAccessKey      Operation = "UpdateAccessKey"
	OpDeleteAccessKey      Operation = "DeleteAccessKey"
	OpGetAccessKeyLastUsed Operation = "GetAccessKeyLastUsed"

	// Groups.
	OpCreateGroup         Operation = "CreateGroup"
	OpGetGroup            Operation = "GetGroup"
	OpUpdateGroup         Operation = "UpdateGroup"
	OpDeleteGroup         Operation = "DeleteGroup"
	OpListGroups          Operation = "ListGroups"
	OpAddUserToGroup      Operation = "AddUserToGroup"
	OpRemoveUserFromGroup Operation = "RemoveUserFromGroup"

	// Roles.
	OpCreateRole                    Operation = "CreateRole"
	OpGetRole                       Operation = "GetRole"
	OpUpdateRole                    Operation = "UpdateRole"
	OpUpdateRoleDescription         Operation = "UpdateRoleDescription"
	OpDeleteRole                    Operation = "DeleteRole"
	OpListRoles                     Operation = "ListRoles"
	OpUpdateAssumeRolePolicy        Operation = "UpdateAssumeRolePolicy"
	OpTagRole                       Operation = "TagRole"
	OpUntagRole                     Operation = "UntagRole"
	OpListRoleTags                  Operation = "ListRoleTags"
	OpPutRolePermissionsBoundary    Operation = "PutRolePermissionsBoundary"
	OpDeleteRolePermissionsBoundary Operation = "DeleteRolePermissionsBoundary"
	OpListInstanceProfilesForRole   Operation = "ListInstanceProfilesForRole"

	// Inline policies.
	OpPutUserPolicy     Operation = "PutUserPolicy"
	OpGetUserPolicy     Operation = "GetUserPolicy"
	OpListUserPolicies  Operation = "ListUserPolicies"
	OpDeleteUserPolicy  Operation = "DeleteUserPolicy"
	OpPutGroupPolicy    Operation = "PutGroupPolicy"
	OpGetGroupPolicy    Operation = "GetGroupPolicy"
	OpListGroupPolicies Operation = "ListGroupPolicies"
	OpDeleteGroupPolicy Operation = "DeleteGroupPolicy"
	OpPutRolePolicy     Operation = "PutRolePolicy"
	OpGetRolePolicy     Operation = "GetRolePolicy"
	OpListRolePolicies  Operation = "ListRolePolicies"
	OpDeleteRolePolicy  Operation = "DeleteRolePolicy"

	// Managed policies.
	OpCreatePolicy            Operation = "CreatePolicy"
	OpGetPolicy               Operation = "GetPolicy"
	OpListPolicies            Operation = "ListPolicies"
	OpDeletePolicy            Operation = "DeletePolicy"
	OpCreatePolicyVersion     Operation = "CreatePolicyVersion"
	OpGetPolicyVersion        Operation = "GetPolicyVersion"
	OpListPolicyVersions      Operation = "ListPolicyVersions"
	OpDeletePolicyVersion     Operation = "DeletePolicyVersion"
	OpSetDefaultPolicyVersion Operation = "SetDefaultPolicyVersion"
	OpTagPolicy               Operation = "TagPolicy"
	OpUntagPolicy             Operation = "UntagPolicy"
	OpListPolicyTags          Operation = "ListPolicyTags"
	OpListEntitiesForPolicy   Operation = "ListEntitiesForPolicy"

	// Whom they are given to.
	OpAttachUserPolicy          Operation = "AttachUserPolicy"
	OpDetachUserPolicy          Operation = "DetachUserPolicy"
	OpListAttachedUserPolicies  Operation = "ListAttachedUserPolicies"
	OpAttachGroupPolicy         Operation = "AttachGroupPolicy"
	OpDetachGroupPolicy         Operation = "DetachGroupPolicy"
	OpListAttachedGroupPolicies Operation = "ListAttachedGroupPolicies"
	OpAttachRolePolicy          Operation = "AttachRolePolicy"
	OpDetachRolePolicy          Operation = "DetachRolePolicy"
	OpListAttachedRolePolicies  Operation = "ListAttachedRolePolicies"

	// OIDC providers.
	OpCreateOpenIDConnectProvider             Operation = "CreateOpenIDConnectProvider"
	OpGetOpenIDConnectProvider                Operation = "GetOpenIDConnectProvider"
	OpListOpenIDConnectProviders              Operation = "ListOpenIDConnectProviders"
	OpDeleteOpenIDConnectProvider             Operation = "DeleteOpenIDConnectProvider"
	OpUpdateOpenIDConnectProviderThumbprint   Operation = "UpdateOpenIDConnectProviderThumbprint"
	OpAddClientIDToOpenIDConnectProvider      Operation = "AddClientIDToOpenIDConnectProvider"
	OpRemoveClientIDFromOpenIDConnectProvider Operation = "RemoveClientIDFromOpenIDConnectProvider"
	OpTagOpenIDConnectProvider                Operation = "TagOpenIDConnectProvider"
	OpUntagOpenIDConnectProvider              Operation = "UntagOpenIDConnectProvider"
	OpListOpenIDConnectProviderTags           Operation = "ListOpenIDConnectProviderTags"

	// The account.
	OpCreateAccountAlias             Operation = "CreateAccountAlias"
	OpDeleteAccountAlias             Operation = "DeleteAccountAlias"
	OpListAccountAliases             Operation = "ListAccountAliases"
	OpGetAccountSummary              Operation = "GetAccountSummary"
	OpGetAccountAuthorizationDetails Operation = "GetAccountAuthorizationDetails"
	OpGenerateCredentialReport       Operation = "GenerateCredentialReport"
	OpGetCredentialReport            Operation = "GetCredentialReport"

	// The policy simulator.
	OpSimulatePrincipalPolicy          Operation = "SimulatePrincipalPolicy"
	OpSimulateCustomPolicy             Operation = "SimulateCustomPolicy"
	OpGetContextKeysForPrincipalPolicy Operation = "GetContextKeysForPrincipalPolicy"
	OpGetContextKeysForCustomPolicy    Operation = "GetContextKeysForCustomPolicy"
)

// iamOperations are the above.
func iamOperations() []opInfo {
	var out []opInfo
	for _, op := range []Operation{
		OpCreateUser, OpGetUser, OpUpdateUser, OpDeleteUser, OpListUsers, OpTagUser, OpUntagUser, OpListUserTags, OpListGroupsForUser,
		OpPutUserPermissionsBoundary, OpDeleteUserPermissionsBoundary, OpListMFADevices, OpListSSHPublicKeys, OpListServiceSpecificCredentials,
		OpListSigningCertificates, OpListVirtualMFADevices, OpGetLoginProfile, OpDeleteLoginProfile, OpCreateAccessKey, OpListAccessKeys, OpUpdateAccessKey,
		OpDeleteAccessKey, OpGetAccessKeyLastUsed, OpCreateGroup, OpGetGroup, OpUpdateGroup, OpDeleteGroup, OpListGroups, OpAddUserToGroup,
		OpRemoveUserFromGroup, OpCreateRole, OpGetRole, OpUpdateRole, OpUpdateRoleDescription, OpDeleteRole, OpListRoles, OpUpdateAssumeRolePolicy,
		OpTagRole, OpUntagRole, OpListRoleTags, OpPutRolePermissionsBoundary, OpDeleteRolePermissionsBoundary, OpListInstanceProfilesForRole,
		OpPutUserPolicy, OpGetUserPolicy, OpListUserPolicies, OpDeleteUserPolicy, OpPutGroupPolicy, OpGetGroupPolicy, OpListGroupPolicies,
		OpDeleteGroupPolicy, OpPutRolePolicy, OpGetRolePolicy, OpListRolePolicies, OpDeleteRolePolicy, OpCreatePolicy, OpGetPolicy, OpListPolicies,
		OpDeletePolicy, OpCreatePolicyVersion, OpGetPolicyVersion, OpListPolicyVersions, OpDeletePolicyVersion, OpSetDefaultPolicyVersion,
		OpTagPolicy, OpUntagPolicy, OpListPolicyTags, OpListEntitiesForPolicy, OpAttachUserPolicy, OpDetachUserPolicy, OpListAttachedUserPolicies,
		OpAttachGroupPolicy, OpDetachGroupPolicy, OpListAttachedGroupPolicies, OpAttachRolePolicy, OpDetachRolePolicy, OpListAttachedRolePolicies,
		OpCreateOpenIDConnectProvider, OpGetOpenIDConnectProvider, OpListOpenIDConnectProviders, OpDeleteOpenIDConnectProvider,
		OpUpdateOpenIDConnectProviderThumbprint, OpAddClientIDToOpenIDConnectProvider, OpRemoveClientIDFromOpenIDConnectProvider,
		OpTagOpenIDConnectProvider, OpUntagOpenIDConnectProvider, OpListOpenIDConnectProviderTags, OpListAccountAliases, OpGetAccountSummary,
		OpCreateAccountAlias, OpDeleteAccountAlias, OpGetAccountAuthorizationDetails, OpGenerateCredentialReport, OpGetCredentialReport,
		OpSimulatePrincipalPolicy, OpSimulateCustomPolicy, OpGetContextKeysForPrincipalPolicy, OpGetContextKeysForCustomPolicy,
	} {
		readOnly := slices.ContainsFunc([]string{"Get", "List", "Simulate", "Generate"}, func(verb string) bool { return strings.HasPrefix(string(op), verb) })
		out = append(out, opInfo{op, "iam", readOnly, ""})
	}
	return out
}

// AboutGrants reports whether the operation changes what a user or a role may do, so that
// its condition keys tell of their boundary (Service Authorization Reference, AWS IAM,
// iam:PermissionsBoundary).
func (o Operation) AboutGrants() bool {
	switch o {
	case OpPutUserPolicy, OpDeleteUserPolicy, OpAttachUserPolicy, OpDetachUserPolicy, OpPutUserPermissionsBoundary, OpDeleteUserPermissionsBoundary,
		OpPutRolePolicy, OpDeleteRolePolicy, OpAttachRolePolicy, OpDetachRolePolicy, OpPutRolePermissionsBoundary, OpDeleteRolePermissionsBoundary:
		return true
	}
	return false
}
