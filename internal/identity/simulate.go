package identity

import (
	"context"
	"strconv"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// What simulations are asked with and answer with.
type (
	SimulationInput    = guard.SimulationInput
	ContextEntry       = guard.ContextEntry
	Simulated          = guard.Simulated
	SimulatedStatement = guard.SimulatedStatement
)

// SimulateInput is the input of [Service.SimulatePrincipalPolicy] and
// [Service.SimulateCustomPolicy]. Every action is asked about on every resource.
type SimulateInput struct {
	Principal string   // ARN of a user, a group or a role
	Actions   []string // "service:Operation", of any service
	Resources []string // ARNs; none for "*"
	SimulationInput
	Page
}

// SimulatePrincipalPolicy tells what the IAM policies of a principal, with others that are
// given, would say of requests.
//
// Errors: PrincipalNotFound, InvalidRequest, InvalidNextToken.
func (s *Service) SimulatePrincipalPolicy(ctx context.Context, call tacet.Call, in SimulateInput) (List[Simulated], error) {
	ref, bad := entityOf(in.Principal)
	r := ref.request(call, tacet.OpSimulatePrincipalPolicy)
	r.Parameters = map[string]any{"policySourceArn": in.Principal}
	if bad == nil && in.ResourcePolicy != "" && in.Caller == "" && ref.Kind != tacet.KindUser {
		bad = errNoCaller
	}
	return s.simulate(ctx, r, in, bad)
}

// entityOf names the user, group or role of an ARN. The error is InvalidRequest.
func entityOf(arn string) (Ref, error) {
	for _, kind := range []tacet.PrincipalKind{tacet.KindUser, tacet.KindGroup, tacet.KindRole} {
		if strings.HasPrefix(arn, "arn:aws:iam::") && strings.Contains(arn, ":"+string(kind)+"/") {
			return Ref{kind, arn}, nil
		}
	}
	return Ref{Name: arn}, tacet.Errorf(tacet.InvalidRequest, "Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
}

// noEntity says that an entity of an ARN does not exist.
func noEntity(r guard.PrincipalRef) error {
	return tacet.Errorf(tacet.PrincipalNotFound, "The %s with name %s cannot be found.", r.Kind, r.Name[strings.LastIndexByte(r.Name, '/')+1:])
}

// SimulateCustomPolicy is [Service.SimulatePrincipalPolicy] of nobody: only what is given
// counts.
func (s *Service) SimulateCustomPolicy(ctx context.Context, call tacet.Call, in SimulateInput) (List[Simulated], error) {
	r := Ref{}.request(call, tacet.OpSimulateCustomPolicy)
	if in.ResourcePolicy != "" && in.Caller == "" {
		return s.simulate(ctx, r, in, errNoCaller)
	}
	return s.simulate(ctx, r, in, nil)
}

var errNoCaller = tacet.Errorf(tacet.InvalidRequest, "CallerArn must be given with a resource policy unless the policies are a user's.")

// simulate decides the requests of a page once it is known that the caller may ask: they
// may be many, and nothing waits for them.
func (s *Service) simulate(ctx context.Context, r guard.Request, in SimulateInput, bad error) (List[Simulated], error) {
	r.Parameters["actionNames"] = in.Actions
	if bad == nil {
		bad = in.check()
	}
	m, err := guard.NewSimulation(r.Call.Account, &in.SimulationInput)
	if bad == nil {
		bad = err
	}
	if len(in.Resources) == 0 {
		in.Resources = []string{"*"}
	}
	type span struct {
		m        *guard.Simulation
		from, to int
		marker   string
	}
	page, err := guard.View(ctx, s.g, r, func(v *guard.Snapshot) (span, error) {
		if bad != nil {
			return span{}, bad
		}
		p := span{m: m, to: len(in.Actions) * len(in.Resources)}
		if in.Principal != "" {
			var there bool
			if p.m, there = v.Include(m, in.Principal); !there {
				return span{}, noEntity(r.Principal)
			}
		}
		purpose := "iam/" + string(r.Operation)
		if in.Marker != "" {
			last, err := v.OpenToken(purpose, in.Marker)
			if err != nil {
				return span{}, err
			}
			if p.from, err = strconv.Atoi(string(last)); err != nil || p.from > p.to {
				return span{}, &tacet.Error{Code: tacet.InvalidNextToken, Cause: err}
			}
		}
		if in.Limit > 0 && p.to-p.from > in.Limit {
			p.to = p.from + in.Limit
			p.marker = v.SealToken(purpose, []byte(strconv.Itoa(p.to)))
		}
		return p, nil
	})
	if err != nil {
		return List[Simulated]{}, err
	}
	out := List[Simulated]{Marker: page.marker}
	for i := page.from; i < page.to && ctx.Err() == nil; i++ {
		out.Items = append(out.Items, page.m.Ask(in.Actions[i/len(in.Resources)], in.Resources[i%len(in.Resources)]))
	}
	return out, tacet.InternalError(ctx.Err())
}

// check refuses what is no request.
func (in *SimulateInput) check() error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	for _, a := range in.Actions {
		service, name, _ := strings.Cut(a, ":")
		if service == "" || name == "" || strings.Trim(service, letters+"-") != "" || strings.Trim(name, letters) != "" {
			return tacet.Errorf(tacet.InvalidRequest, "Invalid action name: %s", a)
		}
	}
	for _, r := range in.Resources {
		if r != "*" && (!strings.HasPrefix(r, "arn:") || strings.Count(r, ":") < 5) {
			return tacet.Errorf(tacet.InvalidRequest, "Invalid resource ARN: %s", r)
		}
	}
	return nil
}
