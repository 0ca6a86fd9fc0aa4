package identity

import (
	"cmp"
	"context"

	"tacet"
	"tacet/internal/guard"
)

// CreateRoleInput is the input of [Service.CreateRole].
type CreateRoleInput struct {
	Path        string // "" means "/"
	Name        string
	Description string
	Trust       string // the trust policy
	MaxSession  int    // the longest session, in seconds; 0 means an hour
	Boundary    string // ARN of the managed policy that limits the role; "" for none
	Tags        []tacet.Tag
}

// CreateRole makes a role without any right. Names are unique in any case of letters.
//
// Errors: InvalidParameter, InvalidRequest, LimitExceeded, PolicyMalformed, PolicyPrincipal,
// PrincipalExists, PrincipalNotFound (the boundary).
func (s *Service) CreateRole(ctx context.Context, call tacet.Call, in CreateRoleInput) (tacet.Role, error) {
	n := newPrincipal{ref: Ref{tacet.KindRole, in.Name}, path: in.Path, boundary: in.Boundary, tags: in.Tags}
	r := n.request(call)
	r.Parameters["assumeRolePolicyDocument"] = in.Trust
	if in.Description != "" {
		r.Parameters["description"] = in.Description
	}
	if in.MaxSession != 0 {
		r.Parameters["maxSessionDuration"] = in.MaxSession
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (tacet.Role, error) {
		g, err := n.check(tx, call, "AROA", maxName)
		if err != nil {
			return tacet.Role{}, err
		}
		o := tacet.Role{Grantee: g, Tags: sortTags(in.Tags), Boundary: in.Boundary, Description: in.Description,
			MaxSession: cmp.Or(in.MaxSession, defaultMaxLength)}
		if err := validRole(&o); err != nil {
			return tacet.Role{}, err
		}
		if err := setTrust(tx, &o, in.Trust); err != nil {
			return tacet.Role{}, err
		}
		if tx.Role(call.Account, in.Name) != nil {
			return tacet.Role{}, tacet.Errorf(tacet.PrincipalExists, "Role with name %s already exists.", in.Name)
		}
		tx.Respond("roleId", o.ID)
		err = tx.PutRole(o)
		o.Tags = in.Tags // in the order that they came in, as IAM answers
		return shown(tx, o), err
	})
}

// validRole checks what a role has that other principals do not.
func validRole(o *tacet.Role) error {
	if o.MaxSession < leastMaxLength || o.MaxSession > mostMaxLength {
		return tacet.Errorf(tacet.InvalidParameter, "The requested MaxSessionDuration must be between %d and %d seconds.", leastMaxLength, mostMaxLength)
	}
	return validDescription(o.Description)
}

// setTrust gives a role a trust policy.
func setTrust(tx *guard.Tx, o *tacet.Role, document string) error {
	if withoutSpace(document) > maxTrust {
		return quota("ACLSizePerRole", maxTrust)
	}
	stored, err := tx.CheckTrustPolicy(document)
	if err != nil {
		return err
	}
	o.Trust = stored
	return nil
}

// shown returns a role as it is told: whom its trust policy names is called by the name that
// he has now.
func shown(s scope, o tacet.Role) tacet.Role {
	o.Trust = s.ShowTrustPolicy(o.Trust)
	return o
}

// RoleInfo is the output of [Service.GetRole].
type RoleInfo struct {
	tacet.Role
	// LastUsed is when a session of the role last asked for something.
	LastUsed tacet.LastUse
}

// GetRole returns a role. Errors: PrincipalNotFound.
func (s *Service) GetRole(ctx context.Context, call tacet.Call, name string) (RoleInfo, error) {
	r := Ref{tacet.KindRole, name}.request(call, tacet.OpGetRole)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (RoleInfo, error) {
		o, err := findRole(v, call, name)
		if err != nil {
			return RoleInfo{}, err
		}
		use, err := v.LastUse(o.ID)
		return RoleInfo{shown(v, *o), use}, err
	})
}

// ListRoles returns roles of the caller's account by name.
//
// Errors: InvalidNextToken.
func (s *Service) ListRoles(ctx context.Context, call tacet.Call, in Listing) (List[tacet.Role], error) {
	r := Ref{Kind: tacet.KindRole}.request(call, tacet.OpListRoles)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (List[tacet.Role], error) {
		roles := withPath(v.Roles(call.Account), in.PathPrefix, func(o *tacet.Role) string { return o.Path })
		page, err := pageOf(v, tacet.OpListRoles, in.PathPrefix, in.Page, roles, func(o *tacet.Role) string { return byName(&o.Grantee) })
		for i, o := range page.Items {
			page.Items[i] = shown(v, o)
		}
		return page, err
	})
}

// UpdateRoleInput is the input of [Service.UpdateRole]; nil keeps what there is.
type UpdateRoleInput struct {
	Name        string
	Description *string
	MaxSession  *int // seconds
}

// UpdateRole changes a role's description and its longest session.
//
// Errors: PrincipalNotFound, InvalidParameter.
func (s *Service) UpdateRole(ctx context.Context, call tacet.Call, in UpdateRoleInput) error {
	r := Ref{tacet.KindRole, in.Name}.request(call, tacet.OpUpdateRole)
	if in.MaxSession != nil {
		r.Parameters["maxSessionDuration"] = *in.MaxSession
	}
	if in.Description != nil {
		r.Parameters["description"] = *in.Description
	}
	_, err := s.changeRole(ctx, r, in.Name, func(_ *guard.Tx, o *tacet.Role) error {
		if in.Description != nil {
			o.Description = *in.Description
		}
		if in.MaxSession != nil {
			o.MaxSession = *in.MaxSession
		}
		return validRole(o)
	})
	return err
}

// UpdateRoleDescription changes a role's description and returns the role.
//
// Errors: PrincipalNotFound, InvalidParameter.
func (s *Service) UpdateRoleDescription(ctx context.Context, call tacet.Call, name, description string) (tacet.Role, error) {
	r := Ref{tacet.KindRole, name}.request(call, tacet.OpUpdateRoleDescription)
	r.Parameters["description"] = description
	return s.changeRole(ctx, r, name, func(_ *guard.Tx, o *tacet.Role) error {
		o.Description = description
		return validRole(o)
	})
}

// UpdateAssumeRolePolicy gives a role another trust policy.
//
// Errors: PrincipalNotFound, PolicyMalformed, PolicyPrincipal, LimitExceeded.
func (s *Service) UpdateAssumeRolePolicy(ctx context.Context, call tacet.Call, name, document string) error {
	r := Ref{tacet.KindRole, name}.request(call, tacet.OpUpdateAssumeRolePolicy)
	r.Parameters["policyDocument"] = document
	_, err := s.changeRole(ctx, r, name, func(tx *guard.Tx, o *tacet.Role) error { return setTrust(tx, o, document) })
	return err
}

func (s *Service) changeRole(ctx context.Context, r guard.Request, name string, do func(*guard.Tx, *tacet.Role) error) (tacet.Role, error) {
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (tacet.Role, error) {
		o, err := findRole(tx, r.Call, name)
		if err != nil {
			return tacet.Role{}, err
		}
		if err := do(tx, o); err != nil {
			return tacet.Role{}, err
		}
		return shown(tx, *o), tx.PutRole(*o)
	})
}

// DeleteRole removes a role, which must have no policies left. Its sessions end with it.
//
// Errors: PrincipalNotFound, PrincipalInUse.
func (s *Service) DeleteRole(ctx context.Context, call tacet.Call, name string) error {
	r := Ref{tacet.KindRole, name}.request(call, tacet.OpDeleteRole)
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		o, err := findRole(tx, call, name)
		if err != nil {
			return none, err
		}
		if err := hasNoPolicies(&o.Grantee); err != nil {
			return none, err
		}
		return none, tx.DeleteRole(o.Account, o.Name)
	})
	return err
}
