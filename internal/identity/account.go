package identity

import (
	"context"
	"slices"

	"tacet"
	"tacet/internal/guard"
)

// ListNone answers an operation that lists what principals may have at AWS and never have
// here: second factors, SSH keys, certificates, instance profiles. of is whose they would
// be, the caller's for a user without a name, and the zero Ref for the account's.
//
// Errors: PrincipalNotFound.
func (s *Service) ListNone(ctx context.Context, call tacet.Call, op tacet.Operation, of Ref) error {
	if of.Kind == tacet.KindUser {
		of.Name = ownName(call, of.Name)
	}
	_, err := guard.View(ctx, s.g, of.request(call, op), func(v *guard.Snapshot) (none struct{}, err error) {
		if of.Kind != "" {
			_, err = of.find(v, call)
		}
		return none, err
	})
	return err
}

// GetLoginProfile finds that a user, the caller for user "", has no password: there is no
// console to log in to.
//
// Errors: PrincipalNotFound.
func (s *Service) GetLoginProfile(ctx context.Context, call tacet.Call, user string) error {
	user = ownName(call, user)
	r := Ref{tacet.KindUser, user}.request(call, tacet.OpGetLoginProfile)
	_, err := guard.View(ctx, s.g, r, func(v *guard.Snapshot) (none struct{}, err error) { return none, noPassword(v, call, user) })
	return err
}

// DeleteLoginProfile finds, as [Service.GetLoginProfile], that there is no password to
// remove. Terraform asks for it before it removes a user.
//
// Errors: PrincipalNotFound.
func (s *Service) DeleteLoginProfile(ctx context.Context, call tacet.Call, user string) error {
	user = ownName(call, user)
	r := Ref{tacet.KindUser, user}.request(call, tacet.OpDeleteLoginProfile)
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) { return none, noPassword(tx, call, user) })
	return err
}

func noPassword(s scope, call tacet.Call, user string) error {
	u, err := findUser(s, call, user)
	if err != nil {
		return err
	}
	return tacet.Errorf(tacet.PrincipalNotFound, "Login Profile for User %s cannot be found.", u.Name)
}

// GetAccountSummary returns what the caller's account has and the limits that hold for it,
// under the names that IAM has for them.
func (s *Service) GetAccountSummary(ctx context.Context, call tacet.Call) (map[string]int, error) {
	r := Ref{}.request(call, tacet.OpGetAccountSummary)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (map[string]int, error) {
		policies := v.ManagedPolicies(call.Account)
		inUse := 0
		for _, p := range policies {
			inUse += len(p.Versions)
		}
		users := slices.DeleteFunc(v.Users(call.Account), func(u tacet.User) bool { return u.Root })
		return map[string]int{
			"Users":               len(users),
			"Groups":              len(v.Groups(call.Account)),
			"Roles":               len(v.Roles(call.Account)),
			"Policies":            len(policies),
			"PolicyVersionsInUse": inUse,
			"Providers":           len(v.OIDCProviders(call.Account)),

			"AccessKeysPerUserQuota":        maxAccessKeys,
			"AssumeRolePolicySizeQuota":     maxTrust,
			"AttachedPoliciesPerGroupQuota": maxAttached,
			"AttachedPoliciesPerRoleQuota":  maxAttached,
			"AttachedPoliciesPerUserQuota":  maxAttached,
			"GroupPolicySizeQuota":          maxGroupInline,
			"GroupsPerUserQuota":            maxGroups,
			"PolicySizeQuota":               maxManaged,
			"RolePolicySizeQuota":           maxRoleInline,
			"UserPolicySizeQuota":           maxUserInline,
			"VersionsPerPolicyQuota":        maxVersions,

			// What a new account may have at AWS, which programs divide by. Here nothing is
			// counted against it.
			"GroupsQuota": 300, "InstanceProfilesQuota": 1000, "PoliciesQuota": 1500, "PolicyVersionsInUseQuota": 10000, "RolesQuota": 1000,
			"ServerCertificatesQuota": 20, "SigningCertificatesPerUserQuota": 2, "UsersQuota": 5000,

			"AccountMFAEnabled": 0, "AccountPasswordPresent": 0, "AccountSigningCertificatesPresent": 0, "AccountAccessKeysPresent": 0,
			"GlobalEndpointTokenVersion": 1, "InstanceProfiles": 0, "MFADevices": 0, "MFADevicesInUse": 0, "ServerCertificates": 0,
		}, nil
	})
}
