package awsapi

import (
	"context"
	"strings"

	"tacet"
	"tacet/internal/identity"
)

// iamOperations is IAM's part of the table. What an operation reads is made of readers,
// each for one member or a few that go together.
func iamOperations() []queryOperation {
	out := append(userOperations(), groupOperations()...)
	out = append(out, roleOperations()...)
	out = append(out, policyOperations()...)
	out = append(out, providerOperations()...)
	out = append(out, simulationOperations()...)
	out = append(out, accountOperations()...)
	for _, kind := range []tacet.PrincipalKind{tacet.KindUser, tacet.KindGroup, tacet.KindRole} {
		out = append(out, grantOperations(kind)...)
	}
	for _, kind := range []tacet.PrincipalKind{tacet.KindUser, tacet.KindRole} {
		out = append(out, boundaryOperations(kind)...)
	}
	for _, kind := range []tacet.PrincipalKind{tacet.KindUser, tacet.KindRole, tacet.KindPolicy, tacet.KindOIDCProvider} {
		out = append(out, tagOperations(kind)...)
	}
	return out
}

type svc = identity.Service

func userOperations() []queryOperation {
	// IAM's model has 64 characters for the name of a user in some operations, though it
	// exists, and 128 in others.
	existing := named("UserName", 128)
	// The caller is meant where there is no name.
	own, ownShort := maybeNamed("UserName", 128), maybeNamed("UserName", 64)
	return []queryOperation{
		{name: tacet.OpCreateUser, serve: query(readCreateUser, (*svc).CreateUser, writeNewUser)},
		{name: tacet.OpGetUser, serve: query(own, (*svc).GetUser, writeNewUser)},
		{name: tacet.OpListUsers, serve: query(readListing, (*svc).ListUsers, writeUsers)},
		{name: tacet.OpUpdateUser, serve: query(both(existing, readRenaming("NewUserName", 64)), act2((*svc).UpdateUser), nil)},
		{name: tacet.OpDeleteUser, serve: query(existing, act((*svc).DeleteUser), nil)},
		{name: tacet.OpListGroupsForUser, serve: query(both(existing, readPage), with2((*svc).ListGroupsForUser), writeGroups)},
		{name: tacet.OpGetLoginProfile, serve: query(ownShort, act((*svc).GetLoginProfile), nil)},
		{name: tacet.OpDeleteLoginProfile, serve: query(ownShort, act((*svc).DeleteLoginProfile), nil)},
		nothing(tacet.OpListMFADevices, "MFADevices", refOf(tacet.KindUser, own)),
		nothing(tacet.OpListSSHPublicKeys, "SSHPublicKeys", refOf(tacet.KindUser, ownShort)),
		nothing(tacet.OpListServiceSpecificCredentials, "ServiceSpecificCredentials", refOf(tacet.KindUser, ownShort)),
		nothing(tacet.OpListSigningCertificates, "Certificates", refOf(tacet.KindUser, own)),

		{name: tacet.OpCreateAccessKey, serve: query(own, callCreateAccessKey, writeNewAccessKey)},
		{name: tacet.OpListAccessKeys, serve: query(both(own, readPage), with2((*svc).ListAccessKeys), writeAccessKeys)},
		{name: tacet.OpUpdateAccessKey, serve: query(both3(own, keyID, readStatus), act3((*svc).UpdateAccessKey), nil)},
		{name: tacet.OpDeleteAccessKey, serve: query(both(own, keyID), act2((*svc).DeleteAccessKey), nil)},
		{name: tacet.OpGetAccessKeyLastUsed, serve: query(keyID, (*svc).GetAccessKeyLastUsed, writeKeyUse)},

		{name: tacet.OpAddUserToGroup, serve: query(both(named("GroupName", 128), existing), act2((*svc).AddUserToGroup), nil)},
		{name: tacet.OpRemoveUserFromGroup, serve: query(both(named("GroupName", 128), existing), act2((*svc).RemoveUserFromGroup), nil)},
	}
}

func groupOperations() []queryOperation {
	name := named("GroupName", 128)
	return []queryOperation{
		{name: tacet.OpCreateGroup, serve: query(both(name, path("Path")), with2((*svc).CreateGroup), writeNewGroup)},
		{name: tacet.OpGetGroup, serve: query(both(name, readPage), with2((*svc).GetGroup), writeMembers)},
		{name: tacet.OpListGroups, serve: query(readListing, (*svc).ListGroups, writeGroups)},
		{name: tacet.OpUpdateGroup, serve: query(both(name, readRenaming("NewGroupName", 128)), act2((*svc).UpdateGroup), nil)},
		{name: tacet.OpDeleteGroup, serve: query(name, act((*svc).DeleteGroup), nil)},
	}
}

func roleOperations() []queryOperation {
	name := named("RoleName", 64)
	return []queryOperation{
		{name: tacet.OpCreateRole, serve: query(readCreateRole, (*svc).CreateRole, writeNewRole)},
		{name: tacet.OpGetRole, serve: query(name, (*svc).GetRole, writeRole)},
		{name: tacet.OpListRoles, serve: query(readListing, (*svc).ListRoles, writeRoles)},
		{name: tacet.OpUpdateRole, serve: query(readUpdateRole, act((*svc).UpdateRole), writeEmptyResult)},
		{name: tacet.OpUpdateRoleDescription, serve: query(both(name, neededDescription), with2((*svc).UpdateRoleDescription), writeDescribedRole)},
		{name: tacet.OpUpdateAssumeRolePolicy, serve: query(both(name, document("PolicyDocument")), act2((*svc).UpdateAssumeRolePolicy), nil)},
		{name: tacet.OpDeleteRole, serve: query(name, act((*svc).DeleteRole), nil)},
		nothing(tacet.OpListInstanceProfilesForRole, "InstanceProfiles", refOf(tacet.KindRole, name)),
	}
}

func policyOperations() []queryOperation {
	return []queryOperation{
		{name: tacet.OpCreatePolicy, serve: query(readCreatePolicy, (*svc).CreatePolicy, writeNewPolicy)},
		{name: tacet.OpGetPolicy, serve: query(policyARN, (*svc).GetPolicy, writeManagedPolicy)},
		{name: tacet.OpListPolicies, serve: query(readListPolicies, (*svc).ListPolicies, writePolicies)},
		{name: tacet.OpDeletePolicy, serve: query(policyARN, act((*svc).DeletePolicy), nil)},
		{name: tacet.OpCreatePolicyVersion, serve: query(both3(policyARN, document("PolicyDocument"), truth("SetAsDefault")), with3((*svc).CreatePolicyVersion), writeNewVersion)},
		{name: tacet.OpGetPolicyVersion, serve: query(both(policyARN, versionID), with2((*svc).GetPolicyVersion), writePolicyVersion)},
		{name: tacet.OpListPolicyVersions, serve: query(both(policyARN, readPage), with2((*svc).ListPolicyVersions), writePolicyVersions)},
		{name: tacet.OpDeletePolicyVersion, serve: query(both(policyARN, versionID), act2((*svc).DeletePolicyVersion), nil)},
		{name: tacet.OpSetDefaultPolicyVersion, serve: query(both(policyARN, versionID), act2((*svc).SetDefaultPolicyVersion), nil)},
		{name: tacet.OpListEntitiesForPolicy, serve: query(readListEntities, (*svc).ListEntitiesForPolicy, writeEntities)},
	}
}

func providerOperations() []queryOperation {
	return []queryOperation{
		{name: tacet.OpCreateOpenIDConnectProvider, serve: query(readCreateProvider, (*svc).CreateOIDCProvider, writeNewProvider)},
		{name: tacet.OpGetOpenIDConnectProvider, serve: query(providerARN, (*svc).GetOIDCProvider, writeProvider)},
		{name: tacet.OpListOpenIDConnectProviders, serve: query(readNone, callListProviders, writeProviders)},
		{name: tacet.OpDeleteOpenIDConnectProvider, serve: query(providerARN, act((*svc).DeleteOIDCProvider), nil)},
		{name: tacet.OpUpdateOpenIDConnectProviderThumbprint, serve: query(both(providerARN, neededThumbprints), act2((*svc).UpdateOIDCProviderThumbprints), nil)},
		{name: tacet.OpAddClientIDToOpenIDConnectProvider, serve: query(both(providerARN, needed("ClientID", 1, 255)), act2((*svc).AddOIDCClientID), nil)},
		{name: tacet.OpRemoveClientIDFromOpenIDConnectProvider, serve: query(both(providerARN, needed("ClientID", 1, 255)), act2((*svc).RemoveOIDCClientID), nil)},
	}
}

// nounOf is a kind of thing in the names of IAM's operations and members.
func nounOf(kind tacet.PrincipalKind) string {
	if kind == tacet.KindOIDCProvider {
		return "OpenIDConnectProvider"
	}
	return strings.ToUpper(string(kind[:1])) + string(kind[1:])
}

// principalOf reads the name of a user, group or role, or the ARN of something else.
func principalOf(kind tacet.PrincipalKind) reader[identity.Ref] {
	switch kind {
	case tacet.KindUser, tacet.KindGroup:
		return refOf(kind, named(nounOf(kind)+"Name", 128))
	case tacet.KindRole:
		return refOf(kind, named("RoleName", 64))
	}
	return refOf(kind, needed(nounOf(kind)+"Arn", 20, 2048))
}

// shortNameOf is principalOf for the operations whose model has 64 characters for the name
// of a user.
func shortNameOf(kind tacet.PrincipalKind) reader[identity.Ref] {
	if kind == tacet.KindUser {
		return refOf(kind, named("UserName", 64))
	}
	return principalOf(kind)
}

// grantOperations are the operations on policies of a kind of principal.
func grantOperations(kind tacet.PrincipalKind) []queryOperation {
	noun, who, holder := nounOf(kind), principalOf(kind), shortNameOf(kind)
	name := named("PolicyName", 128)
	op := func(before, after string) tacet.Operation { return tacet.Operation(before + noun + after) }
	return []queryOperation{
		{name: op("Put", "Policy"), serve: query(both3(who, name, document("PolicyDocument")), act3((*svc).PutInlinePolicy), nil)},
		{name: op("Get", "Policy"), serve: query(both(who, name), with2((*svc).GetInlinePolicy), writeInlinePolicy)},
		{name: op("List", "Policies"), serve: query(both(who, readPage), with2((*svc).ListInlinePolicies), writeInlinePolicies)},
		{name: op("Delete", "Policy"), serve: query(both(who, name), act2((*svc).DeleteInlinePolicy), nil)},
		{name: op("Attach", "Policy"), serve: query(both(holder, policyARN), act2((*svc).AttachPolicy), nil)},
		{name: op("Detach", "Policy"), serve: query(both(holder, policyARN), act2((*svc).DetachPolicy), nil)},
		{name: op("ListAttached", "Policies"), serve: query(both(holder, readPolicyListing), with2((*svc).ListAttachedPolicies), writeAttached)},
	}
}

func boundaryOperations(kind tacet.PrincipalKind) []queryOperation {
	noun, who := nounOf(kind), shortNameOf(kind)
	return []queryOperation{
		{name: tacet.Operation("Put" + noun + "PermissionsBoundary"),
			serve: query(both(who, needed("PermissionsBoundary", 20, 2048)), act2((*svc).PutPermissionsBoundary), nil)},
		{name: tacet.Operation("Delete" + noun + "PermissionsBoundary"), serve: query(who, act((*svc).DeletePermissionsBoundary), nil)},
	}
}

func tagOperations(kind tacet.PrincipalKind) []queryOperation {
	noun, who := nounOf(kind), principalOf(kind)
	return []queryOperation{
		{name: tacet.Operation("Tag" + noun), serve: query(both(who, tags), act2((*svc).Tag), nil)},
		{name: tacet.Operation("Untag" + noun), serve: query(both(who, tagKeys), act2((*svc).Untag), nil)},
		{name: tacet.Operation("List" + noun + "Tags"), serve: query(both(who, readPage), with2((*svc).ListTags), writeTagList)},
	}
}

// nothing is an operation that lists what is never there.
func nothing(op tacet.Operation, list string, of reader[identity.Ref]) queryOperation {
	call := func(s *svc, ctx context.Context, by tacet.Call, in identity.Ref) (none, error) {
		return none{}, s.ListNone(ctx, by, op, in)
	}
	write := func(e *encoder, _ none) {
		e.Raw("<" + list + "/>")
		writeTruncated(e, "")
	}
	read := func(f *form, c *checks) identity.Ref {
		ref := of(f, c)
		readPage(f, c)
		if op == tacet.OpListVirtualMFADevices {
			c.enum("assignmentStatus", f.text("AssignmentStatus"), "Assigned", "Unassigned", "Any")
		}
		return ref
	}
	return queryOperation{name: op, serve: query(read, call, write)}
}

// The core's methods in the form that query wants: with their arguments as one, and with
// an answer even where there is none.

type two[A, B any] struct {
	a A
	b B
}

type three[A, B, C any] struct {
	a A
	b B
	c C
}

type call[In, Out any] = func(*svc, context.Context, tacet.Call, In) (Out, error)

func with2[A, B, Out any](do func(*svc, context.Context, tacet.Call, A, B) (Out, error)) call[two[A, B], Out] {
	return func(s *svc, ctx context.Context, by tacet.Call, in two[A, B]) (Out, error) {
		return do(s, ctx, by, in.a, in.b)
	}
}

func with3[A, B, C, Out any](do func(*svc, context.Context, tacet.Call, A, B, C) (Out, error)) call[three[A, B, C], Out] {
	return func(s *svc, ctx context.Context, by tacet.Call, in three[A, B, C]) (Out, error) {
		return do(s, ctx, by, in.a, in.b, in.c)
	}
}

func act[A any](do func(*svc, context.Context, tacet.Call, A) error) call[A, none] {
	return func(s *svc, ctx context.Context, by tacet.Call, in A) (none, error) {
		return none{}, do(s, ctx, by, in)
	}
}

func act2[A, B any](do func(*svc, context.Context, tacet.Call, A, B) error) call[two[A, B], none] {
	return func(s *svc, ctx context.Context, by tacet.Call, in two[A, B]) (none, error) {
		return none{}, do(s, ctx, by, in.a, in.b)
	}
}

func act3[A, B, C any](do func(*svc, context.Context, tacet.Call, A, B, C) error) call[three[A, B, C], none] {
	return func(s *svc, ctx context.Context, by tacet.Call, in three[A, B, C]) (none, error) {
		return none{}, do(s, ctx, by, in.a, in.b, in.c)
	}
}

func callListProviders(s *svc, ctx context.Context, by tacet.Call, _ none) ([]tacet.OIDCProvider, error) {
	return s.ListOIDCProviders(ctx, by)
}

// newAccessKey is a new access key with its secret.
type newAccessKey struct {
	tacet.AccessKey
	secret tacet.Plaintext
}

func callCreateAccessKey(s *svc, ctx context.Context, by tacet.Call, user string) (newAccessKey, error) {
	k, secret, err := s.CreateAccessKey(ctx, by, user)
	return newAccessKey{k, secret}, err
}
