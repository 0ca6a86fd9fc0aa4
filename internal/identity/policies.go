package identity

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// PolicyInfo is a managed policy and how many principals of the caller's account have it.
type PolicyInfo struct {
	tacet.ManagedPolicy
	guard.Uses
}

// CreatePolicyInput is the input of [Service.CreatePolicy].
type CreatePolicyInput struct {
	Path        string // "" means "/"
	Name        string
	Description string
	Document    string
	Tags        []tacet.Tag
}

// CreatePolicy makes a managed policy, which is in force for nobody yet. Names are unique
// in any case of letters.
//
// Errors: InvalidParameter, InvalidRequest, LimitExceeded, PolicyMalformed, PrincipalExists.
func (s *Service) CreatePolicy(ctx context.Context, call tacet.Call, in CreatePolicyInput) (PolicyInfo, error) {
	n := newPrincipal{ref: Ref{tacet.KindPolicy, in.Name}, path: in.Path, tags: in.Tags}
	r := n.request(call)
	r.Parameters["policyDocument"] = in.Document
	if in.Description != "" {
		r.Parameters["description"] = in.Description
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (PolicyInfo, error) {
		g, err := n.check(tx, call, "ANPA", maxLongName)
		if err != nil {
			return PolicyInfo{}, err
		}
		if err := validDescription(in.Description); err != nil {
			return PolicyInfo{}, err
		}
		if tx.PolicyNamed(call.Account, in.Name) != nil {
			return PolicyInfo{}, tacet.Errorf(tacet.PrincipalExists, "A policy called %s already exists. Duplicate names are not allowed.", in.Name)
		}
		p := tacet.ManagedPolicy{ID: g.ID, Account: g.Account, Path: g.Path, Name: g.Name, Description: in.Description,
			Created: g.Created, Tags: sortTags(in.Tags), NextVersion: 1}
		if _, err := addVersion(tx, &p, in.Document, true); err != nil {
			return PolicyInfo{}, err
		}
		tx.Respond("policyId", p.ID)
		err = tx.PutManagedPolicy(p)
		p.Tags = in.Tags // in the order that they came in, as IAM answers
		return PolicyInfo{ManagedPolicy: p}, err
	})
}

// addVersion adds a text to a managed policy, under an id that none of its texts had.
func addVersion(tx *guard.Tx, p *tacet.ManagedPolicy, document string, inForce bool) (tacet.PolicyVersion, error) {
	if withoutSpace(document) > maxManaged {
		return tacet.PolicyVersion{}, quota("PolicySize", maxManaged)
	}
	if err := tx.CheckIdentityPolicy(p.Name, document); err != nil {
		return tacet.PolicyVersion{}, err
	}
	v := tacet.PolicyVersion{ID: fmt.Sprintf("v%d", p.NextVersion), Document: document, Created: tx.Now()}
	p.NextVersion++
	p.Versions = append(slices.Clone(p.Versions), v)
	p.Updated = v.Created
	if inForce {
		p.Default = v.ID
	}
	return v, nil
}

// GetPolicy returns a managed policy. Errors: PrincipalNotFound, InvalidParameter.
func (s *Service) GetPolicy(ctx context.Context, call tacet.Call, arn string) (PolicyInfo, error) {
	r := Ref{tacet.KindPolicy, arn}.request(call, tacet.OpGetPolicy)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (PolicyInfo, error) {
		p, err := findPolicy(v, call, arn)
		if err != nil {
			return PolicyInfo{}, err
		}
		return PolicyInfo{*p, v.PolicyUses(call.Account)[arn]}, nil
	})
}

// How a managed policy is used: it grants, or it limits.
const (
	UsagePolicy   = "PermissionsPolicy"
	UsageBoundary = "PermissionsBoundary"
)

// ListPoliciesInput is the input of [Service.ListPolicies].
type ListPoliciesInput struct {
	// Scope is "AWS" for what every deployment has, "Local" for the account's own; "" and
	// "All" are both.
	Scope string
	// OnlyAttached leaves out what is given to nobody.
	OnlyAttached bool
	// Usage leaves out what is not used so, "" nothing.
	Usage string
	Listing
}

// ListPolicies returns managed policies by name.
//
// Errors: InvalidNextToken.
func (s *Service) ListPolicies(ctx context.Context, call tacet.Call, in ListPoliciesInput) (List[PolicyInfo], error) {
	r := Ref{Kind: tacet.KindPolicy}.request(call, tacet.OpListPolicies)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (List[PolicyInfo], error) {
		var all []tacet.ManagedPolicy
		if in.Scope != "AWS" {
			all = v.ManagedPolicies(call.Account)
		}
		if in.Scope != "Local" {
			all = append(all, v.ManagedPolicies(awsAccount)...)
		}
		uses := v.PolicyUses(call.Account)
		var out []PolicyInfo
		for _, p := range withPath(all, in.PathPrefix, func(p *tacet.ManagedPolicy) string { return p.Path }) {
			u := uses[p.ARN()]
			if (u.Attached == 0 && in.Usage == UsagePolicy) || (u.Boundary == 0 && in.Usage == UsageBoundary) ||
				(u.Attached+u.Boundary == 0 && in.OnlyAttached) {
				continue
			}
			out = append(out, PolicyInfo{p, u})
		}
		about := fmt.Sprint(in.Scope, in.OnlyAttached, in.Usage, in.PathPrefix)
		return pageOf(v, tacet.OpListPolicies, about, in.Page, out, func(p *PolicyInfo) string { return policyKey(&p.ManagedPolicy) })
	})
}

// DeletePolicy removes a managed policy, which must be given to nobody and have no version
// but the one in force.
//
// Errors: PrincipalNotFound, PrincipalInUse, InvalidParameter.
func (s *Service) DeletePolicy(ctx context.Context, call tacet.Call, arn string) error {
	return s.changePolicy(ctx, Ref{tacet.KindPolicy, arn}.request(call, tacet.OpDeletePolicy), func(tx *guard.Tx, p *tacet.ManagedPolicy) error {
		if len(tx.Holders(call.Account, arn)) > 0 {
			return tacet.Errorf(tacet.PrincipalInUse, "Cannot delete a policy attached to entities.")
		}
		if len(p.Versions) > 1 {
			return tacet.Errorf(tacet.PrincipalInUse, "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		return tx.DeleteManagedPolicy(p.Account, p.Name)
	})
}

// changePolicy runs a change of a managed policy that exists.
func (s *Service) changePolicy(ctx context.Context, r guard.Request, do func(*guard.Tx, *tacet.ManagedPolicy) error) error {
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		p, err := findPolicy(tx, r.Call, r.Principal.Name)
		if err != nil {
			return none, err
		}
		return none, do(tx, p)
	})
	return err
}

// VersionInfo is a version of a managed policy.
type VersionInfo struct {
	tacet.PolicyVersion
	Default bool // it is in force
}

// CreatePolicyVersion adds a text to a managed policy and, if it is to be in force, puts
// it in force for everybody who has the policy.
//
// Errors: PrincipalNotFound, PolicyMalformed, LimitExceeded, InvalidParameter.
func (s *Service) CreatePolicyVersion(ctx context.Context, call tacet.Call, arn, document string, inForce bool) (VersionInfo, error) {
	r := Ref{tacet.KindPolicy, arn}.request(call, tacet.OpCreatePolicyVersion)
	r.Parameters["policyDocument"], r.Parameters["setAsDefault"] = document, inForce
	var out VersionInfo
	err := s.changePolicy(ctx, r, func(tx *guard.Tx, p *tacet.ManagedPolicy) error {
		if len(p.Versions) >= maxVersions {
			return tacet.Errorf(tacet.LimitExceeded, "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		v, err := addVersion(tx, p, document, inForce)
		if err != nil {
			return err
		}
		out = VersionInfo{v, inForce}
		tx.Respond("versionId", v.ID)
		return tx.PutManagedPolicy(*p)
	})
	if err != nil {
		return VersionInfo{}, err
	}
	return out, nil
}

// version begins a request about a version of a managed policy.
func version(call tacet.Call, op tacet.Operation, arn, id string) guard.Request {
	r := Ref{tacet.KindPolicy, arn}.request(call, op)
	r.Parameters["versionId"] = id
	return r
}

func noVersion(arn, id string) error {
	return tacet.Errorf(tacet.PrincipalNotFound, "Policy %s version %s does not exist or is not attachable.", arn, id)
}

// findVersion finds a version; AWS has one text for a policy and a version that is missing.
func findVersion(s scope, call tacet.Call, arn, id string) (*tacet.ManagedPolicy, *tacet.PolicyVersion, error) {
	p, err := findPolicy(s, call, arn)
	if tacet.CodeOf(err) == tacet.PrincipalNotFound {
		return nil, nil, noVersion(arn, id)
	}
	if err != nil {
		return nil, nil, err
	}
	v := p.Version(id)
	if v == nil {
		return nil, nil, noVersion(arn, id)
	}
	return p, v, nil
}

// GetPolicyVersion returns a version of a managed policy with its text as it was given.
//
// Errors: PrincipalNotFound, InvalidParameter.
func (s *Service) GetPolicyVersion(ctx context.Context, call tacet.Call, arn, id string) (VersionInfo, error) {
	return guard.View(ctx, s.g, version(call, tacet.OpGetPolicyVersion, arn, id), func(sn *guard.Snapshot) (VersionInfo, error) {
		p, v, err := findVersion(sn, call, arn, id)
		if err != nil {
			return VersionInfo{}, err
		}
		return VersionInfo{*v, p.Default == id}, nil
	})
}

// ListPolicyVersions returns the versions of a managed policy, the newest first.
//
// Errors: PrincipalNotFound, InvalidNextToken, InvalidParameter.
func (s *Service) ListPolicyVersions(ctx context.Context, call tacet.Call, arn string, page Page) (List[VersionInfo], error) {
	r := Ref{tacet.KindPolicy, arn}.request(call, tacet.OpListPolicyVersions)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (List[VersionInfo], error) {
		p, err := findPolicy(v, call, arn)
		if err != nil {
			return List[VersionInfo]{}, err
		}
		out := make([]VersionInfo, 0, len(p.Versions))
		place := map[string]int{}
		for i, v := range p.Versions {
			out = append(out, VersionInfo{v, p.Default == v.ID})
			place[v.ID] = math.MaxInt32 - i
		}
		return pageOf(v, tacet.OpListPolicyVersions, arn, page, out, func(v *VersionInfo) string {
			return fmt.Sprintf("%010d", place[v.ID])
		})
	})
}

// SetDefaultPolicyVersion puts a version of a managed policy in force.
//
// Errors: PrincipalNotFound, InvalidParameter.
func (s *Service) SetDefaultPolicyVersion(ctx context.Context, call tacet.Call, arn, id string) error {
	return s.changeVersion(ctx, version(call, tacet.OpSetDefaultPolicyVersion, arn, id), id, func(p *tacet.ManagedPolicy) error {
		p.Default = id
		return nil
	})
}

// DeletePolicyVersion removes a version of a managed policy that is not in force. Its id
// is not used again.
//
// Errors: PrincipalNotFound, PrincipalInUse, InvalidParameter.
func (s *Service) DeletePolicyVersion(ctx context.Context, call tacet.Call, arn, id string) error {
	return s.changeVersion(ctx, version(call, tacet.OpDeletePolicyVersion, arn, id), id, func(p *tacet.ManagedPolicy) error {
		if p.Default == id {
			return tacet.Errorf(tacet.PrincipalInUse, "Cannot delete the default version of a policy.")
		}
		p.Versions = slices.DeleteFunc(slices.Clone(p.Versions), func(v tacet.PolicyVersion) bool { return v.ID == id })
		return nil
	})
}

func (s *Service) changeVersion(ctx context.Context, r guard.Request, id string, do func(*tacet.ManagedPolicy) error) error {
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		p, _, err := findVersion(tx, r.Call, r.Principal.Name, id)
		if err != nil {
			return none, err
		}
		if err := do(p); err != nil {
			return none, err
		}
		return none, tx.PutManagedPolicy(*p)
	})
	return err
}

// Entity is a principal that a managed policy is given to.
type Entity struct {
	Kind tacet.PrincipalKind
	Name string
	ID   string
}

// ListEntitiesInput is the input of [Service.ListEntitiesForPolicy].
type ListEntitiesInput struct {
	Policy string              // ARN
	Kind   tacet.PrincipalKind // "" for all
	Usage  string              // "" for both
	Listing
}

// ListEntitiesForPolicy returns whom of the caller's account a managed policy is given to,
// by kind and name.
//
// Errors: PrincipalNotFound, InvalidNextToken, InvalidParameter.
func (s *Service) ListEntitiesForPolicy(ctx context.Context, call tacet.Call, in ListEntitiesInput) (List[Entity], error) {
	r := Ref{tacet.KindPolicy, in.Policy}.request(call, tacet.OpListEntitiesForPolicy)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (List[Entity], error) {
		if _, err := findPolicy(v, call, in.Policy); err != nil {
			return List[Entity]{}, err
		}
		var out []Entity
		for _, h := range v.Holders(call.Account, in.Policy) {
			e := Entity{h.Kind, h.Name, h.ID}
			if in.Kind != "" && h.Kind != in.Kind || in.Usage == UsagePolicy && h.Boundary || in.Usage == UsageBoundary && !h.Boundary ||
				!strings.HasPrefix(h.Path, in.PathPrefix) || slices.Contains(out, e) {
				continue
			}
			out = append(out, e)
		}
		about := fmt.Sprint(in.Policy, in.Kind, in.Usage, in.PathPrefix)
		return pageOf(v, tacet.OpListEntitiesForPolicy, about, in.Page, out, func(e *Entity) string {
			return string(e.Kind) + " " + strings.ToLower(e.Name)
		})
	})
}
