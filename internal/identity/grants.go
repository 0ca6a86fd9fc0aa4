package identity

import (
	"context"
	"maps"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// inlineLimit is how many characters all inline policies of a principal may have.
func (r Ref) inlineLimit() int {
	switch r.Kind {
	case tacet.KindGroup:
		return maxGroupInline
	case tacet.KindRole:
		return maxRoleInline
	}
	return maxUserInline
}

// PutInlinePolicy gives a user, group or role an inline policy, in place of the one of
// that name.
//
// Errors: PrincipalNotFound, InvalidParameter, PolicyMalformed, LimitExceeded.
func (s *Service) PutInlinePolicy(ctx context.Context, call tacet.Call, to Ref, name, document string) error {
	r := to.request(call, to.op("Put", "Policy"))
	r.Parameters["policyName"], r.Parameters["policyDocument"] = name, document
	return to.change(ctx, s, r, func(tx *guard.Tx, p *principal) error { return to.putInline(tx, p, name, document) })
}

// putInline gives a principal an inline policy.
func (r Ref) putInline(tx *guard.Tx, p *principal, name, document string) error {
	if err := validName("policyName", name, maxLongName); err != nil {
		return err
	}
	policies := maps.Clone(p.Policies)
	if policies == nil {
		policies = map[string]string{}
	}
	policies[name] = document
	size := 0
	for _, d := range policies {
		size += withoutSpace(d)
	}
	if limit := r.inlineLimit(); size > limit {
		return tacet.Errorf(tacet.LimitExceeded, "Maximum policy size of %d bytes exceeded for %s %s", limit, r.Kind, p.Name)
	}
	if err := tx.CheckIdentityPolicy(name, document); err != nil {
		return err
	}
	p.Policies = policies
	return p.put(tx)
}

// RevokePolicy is the inline policy that ends the sessions of a role, as AWS names it.
const RevokePolicy = "AWSRevokeOlderSessions"

// RevokeSessions ends the sessions of a role that have begun until now: it gives the role
// the inline policy that AWS's console gives it for this, in place of an earlier one. It
// holds on every node with the next request. To IAM and the record it is PutRolePolicy.
//
// See the IAM user guide, "Revoke IAM role temporary security credentials". Errors:
// PrincipalNotFound, LimitExceeded.
func (s *Service) RevokeSessions(ctx context.Context, call tacet.Call, role string) error {
	to := Ref{tacet.KindRole, role}
	r := to.request(call, tacet.OpPutRolePolicy)
	r.Parameters["policyName"] = RevokePolicy
	return to.change(ctx, s, r, func(tx *guard.Tx, p *principal) error {
		before := tx.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		tx.Respond("revokedBefore", before)
		return to.putInline(tx, p, RevokePolicy, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],`+
			`"Condition":{"DateLessThan":{"aws:TokenIssueTime":"`+before+`"}}}]}`)
	})
}

// InlinePolicy is the output of [Service.GetInlinePolicy].
type InlinePolicy struct {
	Holder   Ref // by the name as it was given to him
	Name     string
	Document string // as it was given
}

// GetInlinePolicy returns an inline policy. Errors: PrincipalNotFound.
func (s *Service) GetInlinePolicy(ctx context.Context, call tacet.Call, of Ref, name string) (InlinePolicy, error) {
	r := of.request(call, of.op("Get", "Policy"))
	r.Parameters["policyName"] = name
	return view(ctx, s, of, r, func(_ *guard.Snapshot, p *principal) (InlinePolicy, error) {
		doc, ok := p.Policies[name]
		if !ok {
			return InlinePolicy{}, of.noPolicy(name)
		}
		return InlinePolicy{Ref{of.Kind, p.Name}, name, doc}, nil
	})
}

func (r Ref) noPolicy(name string) error {
	return tacet.Errorf(tacet.PrincipalNotFound, "The %s policy with name %s cannot be found.", r.Kind, name)
}

// ListInlinePolicies returns the names of a user's, group's or role's inline policies.
//
// Errors: PrincipalNotFound, InvalidNextToken.
func (s *Service) ListInlinePolicies(ctx context.Context, call tacet.Call, of Ref, page Page) (List[string], error) {
	op := of.op("List", "Policies")
	return view(ctx, s, of, of.request(call, op), func(v *guard.Snapshot, p *principal) (List[string], error) {
		return pageOf(v, op, of.Name, page, slices.Collect(maps.Keys(p.Policies)), func(name *string) string { return *name })
	})
}

// DeleteInlinePolicy removes an inline policy. Errors: PrincipalNotFound.
func (s *Service) DeleteInlinePolicy(ctx context.Context, call tacet.Call, of Ref, name string) error {
	r := of.request(call, of.op("Delete", "Policy"))
	r.Parameters["policyName"] = name
	return of.change(ctx, s, r, func(tx *guard.Tx, p *principal) error {
		if _, ok := p.Policies[name]; !ok {
			return of.noPolicy(name)
		}
		p.Policies = maps.Clone(p.Policies)
		delete(p.Policies, name)
		return p.put(tx)
	})
}

// attachment begins a request that gives or takes a managed policy.
func (r Ref) attachment(call tacet.Call, before, arn string) guard.Request {
	req := r.request(call, r.op(before, "Policy"))
	req.Parameters["policyArn"] = arn
	req.AddCondition("iam:policyarn", arn)
	return req
}

// AttachPolicy gives a user, group or role a managed policy. It does nothing for one who
// has it already.
//
// Errors: PrincipalNotFound, InvalidParameter, LimitExceeded (ten policies).
func (s *Service) AttachPolicy(ctx context.Context, call tacet.Call, to Ref, arn string) error {
	return to.change(ctx, s, to.attachment(call, "Attach", arn), func(tx *guard.Tx, p *principal) error {
		if err := validPolicyARN(tacet.InvalidParameter, arn); err != nil {
			return err
		}
		m := tx.ManagedPolicy(arn)
		if m == nil || !ours(call, m.Account) {
			return tacet.Errorf(tacet.PrincipalNotFound, "Policy %s does not exist or is not attachable.", arn)
		}
		if slices.Contains(p.Attached, arn) {
			return nil
		}
		if len(p.Attached) >= maxAttached {
			return quota("PoliciesPer"+to.noun(), maxAttached)
		}
		p.Attached = append(slices.Clone(p.Attached), arn)
		return p.put(tx)
	})
}

// DetachPolicy takes a managed policy from a user, group or role.
//
// Errors: PrincipalNotFound, InvalidParameter.
func (s *Service) DetachPolicy(ctx context.Context, call tacet.Call, from Ref, arn string) error {
	return from.change(ctx, s, from.attachment(call, "Detach", arn), func(tx *guard.Tx, p *principal) error {
		if err := validPolicyARN(tacet.InvalidParameter, arn); err != nil {
			return err
		}
		i := slices.Index(p.Attached, arn)
		if i < 0 {
			return tacet.Errorf(tacet.PrincipalNotFound, "Policy %s was not found.", arn)
		}
		p.Attached = slices.Delete(slices.Clone(p.Attached), i, i+1)
		return p.put(tx)
	})
}

// ListAttachedPolicies returns the managed policies of a user, group or role by name.
//
// Errors: PrincipalNotFound, InvalidNextToken.
func (s *Service) ListAttachedPolicies(ctx context.Context, call tacet.Call, of Ref, in Listing) (List[tacet.ManagedPolicy], error) {
	op := of.op("ListAttached", "Policies")
	return view(ctx, s, of, of.request(call, op), func(v *guard.Snapshot, p *principal) (List[tacet.ManagedPolicy], error) {
		var policies []tacet.ManagedPolicy
		for _, arn := range p.Attached {
			if m := v.ManagedPolicy(arn); m != nil {
				policies = append(policies, *m)
			}
		}
		policies = withPath(policies, in.PathPrefix, func(m *tacet.ManagedPolicy) string { return m.Path })
		return pageOf(v, op, of.Name+in.PathPrefix, in.Page, policies, policyKey)
	})
}

// policyKey is the key of a managed policy in listings.
func policyKey(m *tacet.ManagedPolicy) string { return strings.ToLower(m.Name) + " " + m.Account }

// PutPermissionsBoundary limits what a user's or role's own policies grant by a managed
// policy, in place of the one that did so before.
//
// Errors: PrincipalNotFound, InvalidRequest.
func (s *Service) PutPermissionsBoundary(ctx context.Context, call tacet.Call, of Ref, arn string) error {
	r := of.request(call, of.op("Put", "PermissionsBoundary"))
	r.Parameters["permissionsBoundary"] = arn
	r.AddCondition("iam:permissionsboundary", arn)
	return of.change(ctx, s, r, func(tx *guard.Tx, p *principal) error {
		if p.boundary == nil || arn == "" {
			return tacet.Errorf(tacet.InvalidRequest, "ARN %s is not valid.", arn)
		}
		if err := validBoundary(tx, call, arn); err != nil {
			return err
		}
		*p.boundary = arn
		return p.put(tx)
	})
}

// DeletePermissionsBoundary ends the limit on a user's or role's policies.
//
// Errors: PrincipalNotFound, also if there is no boundary.
func (s *Service) DeletePermissionsBoundary(ctx context.Context, call tacet.Call, of Ref) error {
	r := of.request(call, of.op("Delete", "PermissionsBoundary"))
	return of.change(ctx, s, r, func(tx *guard.Tx, p *principal) error {
		if p.boundary == nil || *p.boundary == "" {
			return tacet.Errorf(tacet.PrincipalNotFound, "The %s %s has no permissions boundary.", of.Kind, of.Name)
		}
		*p.boundary = ""
		return p.put(tx)
	})
}
