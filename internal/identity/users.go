package identity

import (
	"context"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// CreateUserInput is the input of [Service.CreateUser].
type CreateUserInput struct {
	Path     string // "" means "/"
	Name     string
	Boundary string // ARN of the managed policy that limits the user; "" for none
	Tags     []tacet.Tag
}

// CreateUser makes a user without any right. Names are unique in any case of letters.
//
// Errors: InvalidParameter, InvalidRequest, LimitExceeded, PrincipalExists, PrincipalNotFound
// (the boundary).
func (s *Service) CreateUser(ctx context.Context, call tacet.Call, in CreateUserInput) (tacet.User, error) {
	n := newPrincipal{ref: Ref{tacet.KindUser, in.Name}, path: in.Path, boundary: in.Boundary, tags: in.Tags}
	return guard.Do(ctx, s.g, n.request(call), func(tx *guard.Tx) (tacet.User, error) {
		g, err := n.check(tx, call, "AIDA", maxName)
		if err != nil {
			return tacet.User{}, err
		}
		if tx.User(call.Account, in.Name) != nil {
			return tacet.User{}, tacet.Errorf(tacet.PrincipalExists, "User with name %s already exists.", in.Name)
		}
		u := tacet.User{Grantee: g, Tags: sortTags(in.Tags), Boundary: in.Boundary}
		tx.Respond("userId", u.ID)
		err = tx.PutUser(u)
		u.Tags = in.Tags // in the order that they came in, as IAM answers
		return u, err
	})
}

// ownName returns the user that a request is about: the one that it names, or else the
// caller. It is "" for a caller that is no user.
func ownName(call tacet.Call, name string) string {
	if name == "" && call.Caller.Kind == tacet.CallerUser && call.Caller.Account == call.Account {
		return call.Caller.Name
	}
	return name
}

// GetUser returns a user, the caller for name "".
//
// Errors: PrincipalNotFound, InvalidParameter (no name from a caller that is no user).
func (s *Service) GetUser(ctx context.Context, call tacet.Call, name string) (tacet.User, error) {
	name = ownName(call, name)
	r := Ref{tacet.KindUser, name}.request(call, tacet.OpGetUser)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (tacet.User, error) {
		u, err := findUser(v, call, name)
		if err != nil {
			return tacet.User{}, err
		}
		return *u, nil
	})
}

// ListUsers returns users of the caller's account by name.
//
// Errors: InvalidNextToken.
func (s *Service) ListUsers(ctx context.Context, call tacet.Call, in Listing) (List[tacet.User], error) {
	r := Ref{Kind: tacet.KindUser}.request(call, tacet.OpListUsers)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (List[tacet.User], error) {
		users := slices.DeleteFunc(v.Users(call.Account), func(u tacet.User) bool { return u.Root })
		users = withPath(users, in.PathPrefix, func(u *tacet.User) string { return u.Path })
		return pageOf(v, tacet.OpListUsers, in.PathPrefix, in.Page, users, func(u *tacet.User) string { return byName(&u.Grantee) })
	})
}

// UpdateUser gives a user another name, another path or both. His access keys and his
// groups stay his. The caller must be allowed to do so on the old name and on the new.
//
// Errors: PrincipalNotFound, PrincipalExists, InvalidParameter.
func (s *Service) UpdateUser(ctx context.Context, call tacet.Call, name string, to Renaming) error {
	ref := Ref{tacet.KindUser, name}
	_, err := guard.Do(ctx, s.g, to.request(call, ref), func(tx *guard.Tx) (none struct{}, err error) {
		u, err := findUser(tx, call, name)
		if err != nil {
			return none, err
		}
		old := u.Name
		if err := to.apply(&u.Grantee, "User", maxName, func(n string) bool { return tx.User(call.Account, n) != nil }); err != nil {
			return none, err
		}
		keys := tx.AccessKeys(call.Account, old)
		if err := tx.PutUser(*u); err != nil {
			return none, err
		}
		for _, k := range keys {
			k.User = u.Name
			if err := tx.PutAccessKey(k, tacet.Plaintext{}); err != nil {
				return none, err
			}
		}
		if strings.EqualFold(old, u.Name) {
			return none, nil
		}
		return none, tx.DeleteUser(call.Account, old)
	})
	return err
}

// DeleteUser removes a user, who must have no access keys, policies and groups left.
//
// Errors: PrincipalNotFound, PrincipalInUse.
func (s *Service) DeleteUser(ctx context.Context, call tacet.Call, name string) error {
	r := Ref{tacet.KindUser, name}.request(call, tacet.OpDeleteUser)
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		u, err := findUser(tx, call, name)
		if err != nil {
			return none, err
		}
		if len(tx.AccessKeys(call.Account, name)) > 0 {
			return none, tacet.Errorf(tacet.PrincipalInUse, "Cannot delete entity, must delete access keys first.")
		}
		if err := hasNoPolicies(&u.Grantee); err != nil {
			return none, err
		}
		if len(u.Groups) > 0 {
			return none, hasMembers()
		}
		return none, tx.DeleteUser(u.Account, u.Name)
	})
	return err
}

// hasMembers is IAM's one text for a user with groups and a group with users.
func hasMembers() error {
	return tacet.Errorf(tacet.PrincipalInUse, "Cannot delete entity, must remove users from group first.")
}

// hasNoPolicies checks that a principal can be removed without taking policies with it.
func hasNoPolicies(g *tacet.Grantee) error {
	if len(g.Policies) > 0 {
		return tacet.Errorf(tacet.PrincipalInUse, "Cannot delete entity, must delete policies first.")
	}
	if len(g.Attached) > 0 {
		return tacet.Errorf(tacet.PrincipalInUse, "Cannot delete entity, must detach all policies first.")
	}
	return nil
}
