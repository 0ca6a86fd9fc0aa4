package identity

import (
	"context"

	"tacet"
	"tacet/internal/guard"
)

// GetContextKeysForPrincipalPolicy returns the condition keys on which the policies of a
// user, a group or a role, with others that are given, depend: what a simulation of them
// should be given. Principal is an ARN.
//
// Errors: PrincipalNotFound, InvalidRequest.
func (s *Service) GetContextKeysForPrincipalPolicy(ctx context.Context, call tacet.Call, principal string, policies []string) ([]string, error) {
	ref, bad := entityOf(principal)
	r := ref.request(call, tacet.OpGetContextKeysForPrincipalPolicy)
	r.Parameters = map[string]any{"policySourceArn": principal}
	return s.contextKeys(ctx, r, policies, bad)
}

// GetContextKeysForCustomPolicy returns the condition keys on which policies depend.
//
// Errors: InvalidRequest.
func (s *Service) GetContextKeysForCustomPolicy(ctx context.Context, call tacet.Call, policies []string) ([]string, error) {
	return s.contextKeys(ctx, Ref{}.request(call, tacet.OpGetContextKeysForCustomPolicy), policies, nil)
}

func (s *Service) contextKeys(ctx context.Context, r guard.Request, policies []string, bad error) ([]string, error) {
	m, err := guard.NewSimulation(r.Call.Account, &guard.SimulationInput{Policies: policies})
	if bad == nil {
		bad = err
	}
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) ([]string, error) {
		if bad != nil {
			return nil, bad
		}
		if r.Principal.Kind == "" {
			return m.ContextKeys(), nil
		}
		of, there := v.Include(m, r.Principal.Name)
		if !there {
			return nil, noEntity(r.Principal)
		}
		return of.ContextKeys(), nil
	})
}
