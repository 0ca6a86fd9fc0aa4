package identity

import (
	"context"
	"encoding/json"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// What the questions about decisions are answered with.
type (
	Explained = guard.Explained
	Verdict   = guard.Verdict
	Access    = guard.Access
)

// ExplainDecision returns the record of a decision, with the explanation that was kept of a
// refusal and what today's policies would say. The id is the decision's or, for one of the
// latest requests, the request's. Records of requests that concern another account are not
// found.
//
// Errors: InvalidParameter, PrincipalNotFound (there is no such decision).
func (s *Service) ExplainDecision(ctx context.Context, call tacet.Call, id string) (Explained, error) {
	return s.explain(ctx, call, tacet.OpExplainDecision, id)
}

// A DecodedMessage is a recorded decision.
type DecodedMessage struct {
	Record *tacet.Record
	// Why is the explanation of a refusal; zero of what was allowed.
	Why guard.Explanation
}

// DecodeAuthorizationMessage is [Service.ExplainDecision] as AWS STS has it, for whoever has
// that right: the message is the decision's id, and today's policies are not told.
//
// Errors: InvalidParameter, PrincipalNotFound (there is no such decision).
func (s *Service) DecodeAuthorizationMessage(ctx context.Context, call tacet.Call, message string) (DecodedMessage, error) {
	e, err := s.explain(ctx, call, tacet.OpDecodeAuthorizationMessage, message)
	if err != nil {
		return DecodedMessage{}, err
	}
	out := DecodedMessage{}
	if out.Record, err = tacet.ParseRecord(e.Record); err != nil || out.Record.Why == nil {
		return out, err
	}
	return out, json.Unmarshal(out.Record.Why, &out.Why)
}

func (s *Service) explain(ctx context.Context, call tacet.Call, op tacet.Operation, id string) (Explained, error) {
	r := guard.Request{Call: call, Operation: op, Parameters: map[string]any{"id": id}}
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (Explained, error) {
		if len(id) < 32 || len(id) > 36 {
			return Explained{}, tacet.Errorf(tacet.InvalidParameter, "The id of a decision is 32 hexadecimal digits.")
		}
		e, err := v.ExplainRecord(id)
		if err != nil {
			return Explained{}, err
		}
		if e == nil {
			return Explained{}, tacet.Errorf(tacet.PrincipalNotFound, "There is no decision %s of this account.", id)
		}
		return *e, nil
	})
}

// A Question is whether, or who, may do something.
type Question struct {
	// Principal is asked about: an ARN, the name of a user or a role, "user/NAME",
	// "role/NAME", "role/NAME/SESSION", "root" or an id. Empty when the question is who.
	Principal string
	// Action is a name in a policy, either cloud's, or of an operation.
	Action string
	// Resource is an ARN, the name of a secret, "role/NAME" or the like, or "*".
	Resource string
	// Context has values of condition keys that the request is supposed to have.
	Context map[string][]string
}

// SimulateDecision tells what the policies would say of a request of a principal's: the
// answer, and how every statement about the action takes it.
//
// Errors: InvalidParameter, PrincipalNotFound, VaultNotFound.
func (s *Service) SimulateDecision(ctx context.Context, call tacet.Call, q Question) (Verdict, error) {
	r, asked, bad := supposed(call, tacet.OpSimulateDecision, q)
	r.Parameters["principal"] = q.Principal
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (Verdict, error) {
		if bad != nil {
			return Verdict{}, bad
		}
		return v.Simulate(q.Principal, asked)
	})
}

// ListAccess lists every principal that may do something, through which grants, and on
// which conditions that cannot be known beforehand.
//
// Errors: InvalidParameter, VaultNotFound.
func (s *Service) ListAccess(ctx context.Context, call tacet.Call, q Question) (Access, error) {
	r, asked, bad := supposed(call, tacet.OpListAccess, q)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (Access, error) {
		if bad != nil {
			return Access{}, bad
		}
		return v.WhoCan(asked)
	})
}

// supposed makes the request to ask a question and the one that it is about. Both are
// about the same resource: who may ask is decided on it.
func supposed(call tacet.Call, ask tacet.Operation, q Question) (r, asked guard.Request, bad error) {
	params := map[string]any{"action": q.Action, "resource": q.Resource}
	op, ok := tacet.OperationNamed(q.Action)
	if !ok {
		return guard.Request{Call: call, Operation: ask, Parameters: params}, asked,
			tacet.Errorf(tacet.InvalidParameter, "%q is no action that Tacet knows.", q.Action)
	}
	about := tacet.Call{Account: call.Account, Region: call.Region}
	inAzure := strings.HasPrefix(q.Action, "Microsoft.")
	if inAzure {
		about.Face = "azure"
	}
	asked, ok = guard.About(about, op, q.Resource)
	if !ok {
		bad = tacet.Errorf(tacet.InvalidParameter, "%q is neither the name of a secret nor the ARN of a secret, a user, a group, a role or a policy.", q.Resource)
		asked = guard.Request{}
	}
	if inAzure && !asked.Secret.IsZero() && tacet.ValidShownName(q.Resource) {
		asked.Secret = tacet.ShownRef(q.Resource) // asked in Azure's words, about a name there
	}
	r = asked
	r.Call, r.Operation, r.Parameters, r.Trust = call, ask, params, false
	r.Create, r.OrCreate = r.Create || r.OrCreate, false
	for key, values := range q.Context {
		asked.AddCondition(key, values...)
	}
	return r, asked, bad
}
