package identity

import (
	"context"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// A Ref names a principal of the caller's account, or what is given to principals: a
// managed policy or an OIDC provider, by its ARN.
type Ref struct {
	Kind tacet.PrincipalKind
	Name string
}

// noun is the kind in the names of IAM's operations.
func (r Ref) noun() string {
	switch r.Kind {
	case tacet.KindUser:
		return "User"
	case tacet.KindGroup:
		return "Group"
	case tacet.KindRole:
		return "Role"
	case tacet.KindPolicy:
		return "Policy"
	case tacet.KindOIDCProvider:
		return "OpenIDConnectProvider"
	}
	return "?" // of no operation: whatever is asked is refused
}

// op is the operation on things of the kind whose name has before and after around the
// kind: "Put" and "Policy" make PutUserPolicy of a user.
func (r Ref) op(before, after string) tacet.Operation {
	return tacet.Operation(before + r.noun() + after)
}

// request begins a request about something of the caller's account, or with an empty
// name about all of a kind.
func (r Ref) request(call tacet.Call, op tacet.Operation) guard.Request {
	out := guard.Request{Call: call, Operation: op, Parameters: map[string]any{}, Principal: guard.PrincipalRef{Kind: r.Kind, Name: r.Name}}
	if r.Name != "" {
		out.Parameters[parameterOf(r.Kind)] = r.Name
	}
	return out
}

// parameterOf is what CloudTrail calls the name of a principal.
func parameterOf(kind tacet.PrincipalKind) string {
	switch kind {
	case tacet.KindPolicy:
		return "policyArn"
	case tacet.KindOIDCProvider:
		return "openIDConnectProviderArn"
	case tacet.KindAccessKey:
		return "accessKeyId"
	}
	return string(kind) + "Name"
}

// scope is what a read and a change can both look things up in.
type scope interface {
	User(account, name string) *tacet.User
	Group(account, name string) *tacet.Group
	Role(account, name string) *tacet.Role
	ManagedPolicy(arn string) *tacet.ManagedPolicy
	OIDCProvider(arn string) *tacet.OIDCProvider
	ShowTrustPolicy(stored string) string
}

// A principal is one that was found, copied to be changed. What its kind does not have is
// nil. Maps and slices are still the directory's: they are replaced, never changed.
type principal struct {
	*tacet.Grantee
	tags     *[]tacet.Tag
	boundary *string
	put      func(*guard.Tx) error
}

// find looks a principal up in the caller's account. An account's root is not one that
// IAM shows or changes.
//
// Errors: PrincipalNotFound; InvalidParameter for a missing name.
func (r Ref) find(s scope, call tacet.Call) (*principal, error) {
	switch r.Kind {
	case tacet.KindUser:
		u, err := findUser(s, call, r.Name)
		if err != nil {
			return nil, err
		}
		return &principal{&u.Grantee, &u.Tags, &u.Boundary, func(tx *guard.Tx) error { return tx.PutUser(*u) }}, nil
	case tacet.KindGroup:
		g, err := findGroup(s, call, r.Name)
		if err != nil {
			return nil, err
		}
		return &principal{&g.Grantee, nil, nil, func(tx *guard.Tx) error { return tx.PutGroup(*g) }}, nil
	case tacet.KindRole:
		o, err := findRole(s, call, r.Name)
		if err != nil {
			return nil, err
		}
		return &principal{&o.Grantee, &o.Tags, &o.Boundary, func(tx *guard.Tx) error { return tx.PutRole(*o) }}, nil
	case tacet.KindPolicy:
		p, err := findPolicy(s, call, r.Name)
		if err != nil {
			return nil, err
		}
		return &principal{nil, &p.Tags, nil, func(tx *guard.Tx) error { return tx.PutManagedPolicy(*p) }}, nil
	case tacet.KindOIDCProvider:
		p, err := findProvider(s, call, r.Name)
		if err != nil {
			return nil, err
		}
		return &principal{nil, &p.Tags, nil, func(tx *guard.Tx) error { return tx.PutOIDCProvider(*p) }}, nil
	}
	return nil, tacet.Errorf(tacet.InvalidParameter, "There are no principals of kind %q.", r.Kind)
}

func findUser(s scope, call tacet.Call, name string) (*tacet.User, error) {
	if name == "" {
		return nil, tacet.Errorf(tacet.InvalidParameter, "Must specify userName when calling with non-User credentials")
	}
	if u := s.User(call.Account, name); u != nil && !u.Root {
		return u, nil
	}
	return nil, tacet.Errorf(tacet.PrincipalNotFound, "The user with name %s cannot be found.", name)
}

func findGroup(s scope, call tacet.Call, name string) (*tacet.Group, error) {
	if g := s.Group(call.Account, name); g != nil {
		return g, nil
	}
	return nil, tacet.Errorf(tacet.PrincipalNotFound, "The group with name %s cannot be found.", name)
}

// findRole takes names only: what stands in an ARN is for STS to look up.
func findRole(s scope, call tacet.Call, name string) (*tacet.Role, error) {
	if o := s.Role(call.Account, name); o != nil && !strings.HasPrefix(name, "arn:") {
		return o, nil
	}
	return nil, tacet.Errorf(tacet.PrincipalNotFound, "The role with name %s cannot be found.", name)
}

// ours reports whether an account may use what an ARN names: its own, or what every
// deployment has. The door has decided that already; this says it once more.
func ours(call tacet.Call, account string) bool {
	return account == call.Account || account == awsAccount
}

// awsAccount stands in the ARNs of the managed policies that every deployment has.
const awsAccount = "aws"

func findPolicy(s scope, call tacet.Call, arn string) (*tacet.ManagedPolicy, error) {
	if err := validPolicyARN(tacet.InvalidParameter, arn); err != nil {
		return nil, err
	}
	if p := s.ManagedPolicy(arn); p != nil && ours(call, p.Account) {
		return p, nil
	}
	return nil, tacet.Errorf(tacet.PrincipalNotFound, "Policy %s was not found.", arn)
}

func findProvider(s scope, call tacet.Call, arn string) (*tacet.OIDCProvider, error) {
	if p := s.OIDCProvider(arn); p != nil && p.Account == call.Account {
		return p, nil
	}
	return nil, tacet.Errorf(tacet.PrincipalNotFound, "OpenIDConnect Provider not found for arn %s", arn)
}

// change runs a change of something that exists.
func (r Ref) change(ctx context.Context, s *Service, req guard.Request, do func(*guard.Tx, *principal) error) error {
	_, err := guard.Do(ctx, s.g, req, func(tx *guard.Tx) (struct{}, error) {
		p, err := r.find(tx, req.Call)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, do(tx, p)
	})
	return err
}

// view runs a read about something that exists.
func view[T any](ctx context.Context, s *Service, r Ref, req guard.Request, do func(*guard.Snapshot, *principal) (T, error)) (T, error) {
	return guard.View(ctx, s.g, req, func(v *guard.Snapshot) (T, error) {
		p, err := r.find(v, req.Call)
		if err != nil {
			var none T
			return none, err
		}
		return do(v, p)
	})
}
