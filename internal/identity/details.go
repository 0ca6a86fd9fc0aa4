package identity

import (
	"context"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// What GetAccountAuthorizationDetails can be limited to.
const (
	FilterUsers         = "User"
	FilterRoles         = "Role"
	FilterGroups        = "Group"
	FilterLocalPolicies = "LocalManagedPolicy"
	FilterAWSPolicies   = "AWSManagedPolicy"
)

// Detail is everything there is to say of the rights of one user, group or role, or of one
// managed policy: the one of these that Kind names.
type Detail struct {
	Kind   tacet.PrincipalKind
	User   tacet.User
	Groups []string // the names of the user's groups, in the order of joining
	Group  tacet.Group
	Role   RoleInfo
	Policy PolicyInfo
	// Attached are the managed policies of the user, group or role, in the order they were
	// attached.
	Attached []tacet.ManagedPolicy

	key string // its place in the listing
}

// GetAccountAuthorizationDetails returns the users, groups, roles and managed policies of
// the caller's account with all their policies, in this order and by name, all together
// paged. Of those that every deployment has there are the ones in use. Filters, of the
// Filter constants, limit it; none is no limit.
//
// Errors: InvalidNextToken.
func (s *Service) GetAccountAuthorizationDetails(ctx context.Context, call tacet.Call, filters []string, p Page) (List[Detail], error) {
	r := Ref{}.request(call, tacet.OpGetAccountAuthorizationDetails)
	if len(filters) > 0 {
		r.Parameters["filter"] = filters
	}
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (List[Detail], error) {
		wants := func(filter string) bool { return len(filters) == 0 || slices.Contains(filters, filter) }
		var all []Detail
		if wants(FilterUsers) {
			all = userDetails(v, call.Account, all)
		}
		if wants(FilterGroups) {
			for _, g := range v.Groups(call.Account) {
				all = append(all, Detail{Kind: tacet.KindGroup, Group: g, key: "2" + byName(&g.Grantee)})
			}
		}
		if wants(FilterRoles) {
			for _, o := range v.Roles(call.Account) {
				all = append(all, Detail{Kind: tacet.KindRole, Role: RoleInfo{Role: o}, key: "3" + byName(&o.Grantee)})
			}
		}
		all = policyDetails(v, call.Account, wants, all)
		page, err := pageOf(v, tacet.OpGetAccountAuthorizationDetails, strings.Join(filters, " "), p, all, func(d *Detail) string { return d.key })
		if err != nil {
			return List[Detail]{}, err
		}
		return page, complete(v, page.Items)
	})
}

func userDetails(v *guard.Snapshot, account string, all []Detail) []Detail {
	for _, u := range v.Users(account) {
		if u.Root {
			continue
		}
		d := Detail{Kind: tacet.KindUser, User: u, key: "1" + byName(&u.Grantee)}
		for _, id := range u.Groups {
			if g := v.GroupByID(id); g != nil {
				d.Groups = append(d.Groups, g.Name)
			}
		}
		all = append(all, d)
	}
	return all
}

func policyDetails(v *guard.Snapshot, account string, wants func(string) bool, all []Detail) []Detail {
	uses := v.PolicyUses(account)
	add := func(list []tacet.ManagedPolicy, unused bool) {
		for _, m := range list {
			if u := uses[m.ARN()]; unused || u.Attached+u.Boundary > 0 {
				all = append(all, Detail{Kind: tacet.KindPolicy, Policy: PolicyInfo{m, u}, key: "4" + policyKey(&m)})
			}
		}
	}
	if wants(FilterLocalPolicies) {
		add(v.ManagedPolicies(account), true)
	}
	if wants(FilterAWSPolicies) {
		add(v.ManagedPolicies(awsAccount), false)
	}
	return all
}

// complete adds to a page what costs more to find.
func complete(v *guard.Snapshot, page []Detail) error {
	for i := range page {
		d := &page[i]
		var arns []string
		switch d.Kind {
		case tacet.KindUser:
			arns = d.User.Attached
		case tacet.KindGroup:
			arns = d.Group.Attached
		case tacet.KindRole:
			arns, d.Role.Role = d.Role.Attached, shown(v, d.Role.Role)
			var err error
			if d.Role.LastUsed, err = v.LastUse(d.Role.ID); err != nil {
				return err
			}
		}
		for _, arn := range arns {
			if m := v.ManagedPolicy(arn); m != nil {
				d.Attached = append(d.Attached, *m)
			}
		}
	}
	return nil
}
