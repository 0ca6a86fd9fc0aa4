package identity

import (
	"context"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// CreateGroup makes a group of nobody and without any right, in a path; "" means "/".
//
// Errors: InvalidParameter, PrincipalExists.
func (s *Service) CreateGroup(ctx context.Context, call tacet.Call, name, path string) (tacet.Group, error) {
	n := newPrincipal{ref: Ref{tacet.KindGroup, name}, path: path}
	return guard.Do(ctx, s.g, n.request(call), func(tx *guard.Tx) (tacet.Group, error) {
		g, err := n.check(tx, call, "AGPA", maxLongName)
		if err != nil {
			return tacet.Group{}, err
		}
		if tx.Group(call.Account, name) != nil {
			return tacet.Group{}, tacet.Errorf(tacet.PrincipalExists, "Group with name %s already exists.", name)
		}
		tx.Respond("groupId", g.ID)
		return tacet.Group{Grantee: g}, tx.PutGroup(tacet.Group{Grantee: g})
	})
}

// GroupMembers is the output of [Service.GetGroup].
type GroupMembers struct {
	Group tacet.Group
	Users List[tacet.User]
}

// GetGroup returns a group and a part of its users by name.
//
// Errors: PrincipalNotFound, InvalidNextToken.
func (s *Service) GetGroup(ctx context.Context, call tacet.Call, name string, p Page) (GroupMembers, error) {
	r := Ref{tacet.KindGroup, name}.request(call, tacet.OpGetGroup)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (GroupMembers, error) {
		g, err := findGroup(v, call, name)
		if err != nil {
			return GroupMembers{}, err
		}
		users, err := pageOf(v, tacet.OpGetGroup, name, p, members(v, g), func(u *tacet.User) string { return byName(&u.Grantee) })
		return GroupMembers{*g, users}, err
	})
}

// members returns the users of a group.
func members(s interface {
	Users(account string) []tacet.User
}, g *tacet.Group) []tacet.User {
	return slices.DeleteFunc(s.Users(g.Account), func(u tacet.User) bool { return !slices.Contains(u.Groups, g.ID) })
}

// ListGroups returns groups of the caller's account by name.
//
// Errors: InvalidNextToken.
func (s *Service) ListGroups(ctx context.Context, call tacet.Call, in Listing) (List[tacet.Group], error) {
	r := Ref{Kind: tacet.KindGroup}.request(call, tacet.OpListGroups)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (List[tacet.Group], error) {
		groups := withPath(v.Groups(call.Account), in.PathPrefix, func(g *tacet.Group) string { return g.Path })
		return pageOf(v, tacet.OpListGroups, in.PathPrefix, in.Page, groups, func(g *tacet.Group) string { return byName(&g.Grantee) })
	})
}

// ListGroupsForUser returns the groups of a user by name.
//
// Errors: PrincipalNotFound, InvalidNextToken.
func (s *Service) ListGroupsForUser(ctx context.Context, call tacet.Call, user string, p Page) (List[tacet.Group], error) {
	r := Ref{tacet.KindUser, user}.request(call, tacet.OpListGroupsForUser)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (List[tacet.Group], error) {
		u, err := findUser(v, call, user)
		if err != nil {
			return List[tacet.Group]{}, err
		}
		var groups []tacet.Group
		for _, id := range u.Groups {
			if g := v.GroupByID(id); g != nil {
				groups = append(groups, *g)
			}
		}
		return pageOf(v, tacet.OpListGroupsForUser, user, p, groups, func(g *tacet.Group) string { return byName(&g.Grantee) })
	})
}

// UpdateGroup gives a group another name, another path or both. Its users stay in it. The
// caller must be allowed to do so on the old name and on the new.
//
// Errors: PrincipalNotFound, PrincipalExists, InvalidParameter.
func (s *Service) UpdateGroup(ctx context.Context, call tacet.Call, name string, to Renaming) error {
	ref := Ref{tacet.KindGroup, name}
	_, err := guard.Do(ctx, s.g, to.request(call, ref), func(tx *guard.Tx) (none struct{}, err error) {
		g, err := findGroup(tx, call, name)
		if err != nil {
			return none, err
		}
		old := g.Name
		if err := to.apply(&g.Grantee, "Group", maxLongName, func(n string) bool { return tx.Group(call.Account, n) != nil }); err != nil {
			return none, err
		}
		if err := tx.PutGroup(*g); err != nil || strings.EqualFold(old, g.Name) {
			return none, err
		}
		return none, tx.DeleteGroup(call.Account, old)
	})
	return err
}

// DeleteGroup removes a group, which must have no users and no policies left.
//
// Errors: PrincipalNotFound, PrincipalInUse.
func (s *Service) DeleteGroup(ctx context.Context, call tacet.Call, name string) error {
	r := Ref{tacet.KindGroup, name}.request(call, tacet.OpDeleteGroup)
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		g, err := findGroup(tx, call, name)
		if err != nil {
			return none, err
		}
		if len(members(tx, g)) > 0 {
			return none, hasMembers()
		}
		if err := hasNoPolicies(&g.Grantee); err != nil {
			return none, err
		}
		return none, tx.DeleteGroup(g.Account, g.Name)
	})
	return err
}

// AddUserToGroup gives a user the policies of a group. It does nothing for one who is in
// it already.
//
// Errors: PrincipalNotFound, LimitExceeded (ten groups a user).
func (s *Service) AddUserToGroup(ctx context.Context, call tacet.Call, group, user string) error {
	return s.membership(ctx, call, tacet.OpAddUserToGroup, group, user, func(u *tacet.User, g *tacet.Group) (bool, error) {
		if slices.Contains(u.Groups, g.ID) {
			return false, nil
		}
		if len(u.Groups) >= maxGroups {
			return false, quota("GroupsPerUser", maxGroups)
		}
		u.Groups = append(slices.Clone(u.Groups), g.ID)
		return true, nil
	})
}

// RemoveUserFromGroup takes a group's policies from a user. It does nothing for one who is
// not in it.
//
// Errors: PrincipalNotFound.
func (s *Service) RemoveUserFromGroup(ctx context.Context, call tacet.Call, group, user string) error {
	return s.membership(ctx, call, tacet.OpRemoveUserFromGroup, group, user, func(u *tacet.User, g *tacet.Group) (bool, error) {
		n := len(u.Groups)
		u.Groups = slices.DeleteFunc(slices.Clone(u.Groups), func(id string) bool { return id == g.ID })
		return len(u.Groups) < n, nil
	})
}

// membership changes the groups of a user; the decision is about the group.
func (s *Service) membership(ctx context.Context, call tacet.Call, op tacet.Operation, group, user string,
	do func(*tacet.User, *tacet.Group) (changed bool, err error)) error {
	r := Ref{tacet.KindGroup, group}.request(call, op)
	r.Parameters["userName"] = user
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		if user == "" {
			return none, tacet.Errorf(tacet.InvalidParameter, "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must not be null")
		}
		u, err := findUser(tx, call, user)
		if err != nil {
			return none, err
		}
		g, err := findGroup(tx, call, group)
		if err != nil {
			return none, err
		}
		if changed, err := do(u, g); err != nil || !changed {
			return none, err
		}
		return none, tx.PutUser(*u)
	})
	return err
}
