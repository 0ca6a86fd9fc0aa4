package identity

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"tacet"
	"tacet/internal/guard"
)

// Limits of IAM.
const (
	maxUserName   = 64
	maxPolicyName = 128
	maxAccessKeys = 2
	maxInline     = 2048 // characters of all inline policies of a user, white space aside
)

// CreateUserInput is the input of [Service.CreateUser].
type CreateUserInput struct {
	Path string // "" means "/"
	Name string
	Tags []tacet.Tag
}

// CreateUser makes a user without any right. Names are unique in any case of letters.
//
// Errors: InvalidParameter, PrincipalExists.
func (s *Service) CreateUser(ctx context.Context, call tacet.Call, in CreateUserInput) (tacet.User, error) {
	path := cmp.Or(in.Path, "/")
	r := request(call, tacet.OpCreateUser, tacet.KindUser, in.Name)
	r.Principal.Path = path
	r.Parameters["path"] = path
	if len(in.Tags) > 0 {
		r.Parameters["tags"] = in.Tags
		for _, t := range in.Tags {
			r.AddCondition("aws:requesttag/"+t.Key, t.Value)
			r.AddCondition("aws:tagkeys", t.Key)
		}
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (tacet.User, error) {
		if err := validName("userName", in.Name, maxUserName); err != nil {
			return tacet.User{}, err
		}
		if err := validPath(path); err != nil {
			return tacet.User{}, err
		}
		if err := validTags(in.Tags); err != nil {
			return tacet.User{}, err
		}
		if tx.User(call.Account, in.Name) != nil {
			return tacet.User{}, tacet.Errorf(tacet.PrincipalExists, "User with name %s already exists.", in.Name)
		}
		u := tacet.User{Grantee: tacet.Grantee{ID: tx.NewUniqueID("AIDA"), Account: call.Account, Path: path, Name: in.Name, Created: tx.Now()}, Tags: in.Tags}
		tx.Respond("userId", u.ID)
		return u, tx.PutUser(u)
	})
}

// GetUser returns a user. Errors: PrincipalNotFound.
func (s *Service) GetUser(ctx context.Context, call tacet.Call, name string) (tacet.User, error) {
	return guard.View(ctx, s.g, request(call, tacet.OpGetUser, tacet.KindUser, name), func(v *guard.Snapshot) (tacet.User, error) {
		u, err := find(v, call, name)
		if err != nil {
			return tacet.User{}, err
		}
		return *u, nil
	})
}

// ListUsers returns the users of the caller's account by name.
func (s *Service) ListUsers(ctx context.Context, call tacet.Call) ([]tacet.User, error) {
	return guard.View(ctx, s.g, request(call, tacet.OpListUsers, tacet.KindUser, ""), func(v *guard.Snapshot) ([]tacet.User, error) {
		users := v.Users(call.Account)
		sortUsers(users)
		return users, nil
	})
}

// DeleteUser removes a user, who must have no access keys and no policies left.
//
// Errors: PrincipalNotFound, PrincipalInUse.
func (s *Service) DeleteUser(ctx context.Context, call tacet.Call, name string) error {
	return s.change(ctx, call, tacet.OpDeleteUser, name, nil, func(tx *guard.Tx, u *tacet.User) error {
		if len(tx.AccessKeys(call.Account, name)) > 0 {
			return tacet.Errorf(tacet.PrincipalInUse, "Cannot delete entity, must delete access keys first.")
		}
		if len(u.Policies) > 0 {
			return tacet.Errorf(tacet.PrincipalInUse, "Cannot delete entity, must delete policies first.")
		}
		return tx.DeleteUser(u.Account, u.Name)
	})
}

// change runs a change of an existing user.
func (s *Service) change(ctx context.Context, call tacet.Call, op tacet.Operation, user string, params map[string]any,
	do func(*guard.Tx, *tacet.User) error) error {
	r := request(call, op, tacet.KindUser, user)
	maps.Copy(r.Parameters, params)
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (struct{}, error) {
		u, err := find(tx, call, user)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, do(tx, u)
	})
	return err
}

// PutUserPolicy gives a user an inline policy, in place of the one of that name.
//
// Errors: InvalidParameter, PolicyMalformed, LimitExceeded, PrincipalNotFound.
func (s *Service) PutUserPolicy(ctx context.Context, call tacet.Call, user, name, document string) error {
	params := map[string]any{"policyName": name, "policyDocument": document}
	return s.change(ctx, call, tacet.OpPutUserPolicy, user, params, func(tx *guard.Tx, u *tacet.User) error {
		if err := validName("policyName", name, maxPolicyName); err != nil {
			return err
		}
		if err := tx.CheckIdentityPolicy(name, document); err != nil {
			return err
		}
		policies := maps.Clone(u.Policies)
		if policies == nil {
			policies = map[string]string{}
		}
		policies[name] = document
		size := 0
		for _, d := range policies {
			size += withoutSpace(d)
		}
		if size > maxInline {
			return tacet.Errorf(tacet.LimitExceeded, "Maximum policy size of %d bytes exceeded for user %s", maxInline, u.Name)
		}
		u.Policies = policies
		return tx.PutUser(*u)
	})
}

// withoutSpace counts the characters of a policy that are not white space.
func withoutSpace(s string) int {
	n := 0
	for i := range len(s) {
		if c := s[i]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			n++
		}
	}
	return n
}

// GetUserPolicy returns an inline policy as it was given. Errors: PrincipalNotFound.
func (s *Service) GetUserPolicy(ctx context.Context, call tacet.Call, user, name string) (string, error) {
	r := request(call, tacet.OpGetUserPolicy, tacet.KindUser, user)
	r.Parameters["policyName"] = name
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (string, error) {
		u, err := find(v, call, user)
		if err != nil {
			return "", err
		}
		doc, ok := u.Policies[name]
		if !ok {
			return "", noPolicy(name)
		}
		return doc, nil
	})
}

func noPolicy(name string) error {
	return tacet.Errorf(tacet.PrincipalNotFound, "The user policy with name %s cannot be found.", name)
}

// ListUserPolicies returns the names of a user's inline policies. Errors: PrincipalNotFound.
func (s *Service) ListUserPolicies(ctx context.Context, call tacet.Call, user string) ([]string, error) {
	return guard.View(ctx, s.g, request(call, tacet.OpListUserPolicies, tacet.KindUser, user), func(v *guard.Snapshot) ([]string, error) {
		u, err := find(v, call, user)
		if err != nil {
			return nil, err
		}
		return slices.Sorted(maps.Keys(u.Policies)), nil
	})
}

// DeleteUserPolicy removes an inline policy. Errors: PrincipalNotFound.
func (s *Service) DeleteUserPolicy(ctx context.Context, call tacet.Call, user, name string) error {
	params := map[string]any{"policyName": name}
	return s.change(ctx, call, tacet.OpDeleteUserPolicy, user, params, func(tx *guard.Tx, u *tacet.User) error {
		if _, ok := u.Policies[name]; !ok {
			return noPolicy(name)
		}
		u.Policies = maps.Clone(u.Policies)
		delete(u.Policies, name)
		return tx.PutUser(*u)
	})
}

// CreateAccessKey makes an access key of a user; its secret is never shown again.
//
// Errors: PrincipalNotFound, LimitExceeded (two keys a user).
func (s *Service) CreateAccessKey(ctx context.Context, call tacet.Call, user string) (tacet.AccessKey, tacet.Plaintext, error) {
	var secret tacet.Plaintext
	k, err := guard.Do(ctx, s.g, request(call, tacet.OpCreateAccessKey, tacet.KindUser, user), func(tx *guard.Tx) (tacet.AccessKey, error) {
		u, err := find(tx, call, user)
		if err != nil {
			return tacet.AccessKey{}, err
		}
		if len(tx.AccessKeys(call.Account, user)) >= maxAccessKeys {
			return tacet.AccessKey{}, tacet.Errorf(tacet.LimitExceeded, "Cannot exceed quota for AccessKeysPerUser: %d", maxAccessKeys)
		}
		k, s, err := createKey(tx, u)
		secret = s
		tx.Respond("accessKeyId", k.ID)
		return k, err
	})
	if err != nil {
		return tacet.AccessKey{}, tacet.Plaintext{}, err
	}
	return k, secret, nil
}

// ListAccessKeys returns a user's access keys, oldest first. Errors: PrincipalNotFound.
func (s *Service) ListAccessKeys(ctx context.Context, call tacet.Call, user string) ([]tacet.AccessKey, error) {
	return guard.View(ctx, s.g, request(call, tacet.OpListAccessKeys, tacet.KindUser, user), func(v *guard.Snapshot) ([]tacet.AccessKey, error) {
		if _, err := find(v, call, user); err != nil {
			return nil, err
		}
		keys := v.AccessKeys(call.Account, user)
		slices.SortFunc(keys, func(a, b tacet.AccessKey) int {
			return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
		})
		return keys, nil
	})
}

// UpdateAccessKey makes an access key active or inactive. Errors: PrincipalNotFound.
func (s *Service) UpdateAccessKey(ctx context.Context, call tacet.Call, user, id string, active bool) error {
	params := map[string]any{"accessKeyId": id, "active": active}
	return s.change(ctx, call, tacet.OpUpdateAccessKey, user, params, func(tx *guard.Tx, u *tacet.User) error {
		k, err := findKey(tx, u, id)
		if err != nil {
			return err
		}
		k.Inactive = !active
		return tx.PutAccessKey(k, tacet.Plaintext{})
	})
}

// DeleteAccessKey removes an access key. Errors: PrincipalNotFound.
func (s *Service) DeleteAccessKey(ctx context.Context, call tacet.Call, user, id string) error {
	params := map[string]any{"accessKeyId": id}
	return s.change(ctx, call, tacet.OpDeleteAccessKey, user, params, func(tx *guard.Tx, u *tacet.User) error {
		if _, err := findKey(tx, u, id); err != nil {
			return err
		}
		return tx.DeleteAccessKey(id)
	})
}

// findKey looks among the user's own keys only: an id of somebody else's is not found.
func findKey(tx *guard.Tx, u *tacet.User, id string) (tacet.AccessKey, error) {
	for _, k := range tx.AccessKeys(u.Account, u.Name) {
		if k.ID == id {
			return k, nil
		}
	}
	return tacet.AccessKey{}, tacet.Errorf(tacet.PrincipalNotFound, "The Access Key with id %s cannot be found.", id)
}
