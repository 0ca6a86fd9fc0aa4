package adminapi

import (
	"context"

	"tacet"
	"tacet/internal/identity"
)

// The answers about decisions are the core's own, which are made to be read: a wire
// struct of the same members would say nothing more.

type explainIn struct {
	ID string `json:"id"`
}

func explainDecision(ctx context.Context, h *handler, call tacet.Call, in explainIn) (identity.Explained, error) {
	return h.Identity.ExplainDecision(ctx, call, in.ID)
}

// questionIn asks whether a principal may do something, or without one who may.
type questionIn struct {
	Principal string `json:"principal"`
	Action    string `json:"action"`
	Resource  string `json:"resource"`
	// Context are condition keys that the request is supposed to have; one may be given
	// several times.
	Context []tag `json:"context"`
}

func (in questionIn) question() identity.Question {
	q := identity.Question{Principal: in.Principal, Action: in.Action, Resource: in.Resource, Context: map[string][]string{}}
	for _, c := range in.Context {
		q.Context[c.Key] = append(q.Context[c.Key], c.Value)
	}
	return q
}

func simulateDecision(ctx context.Context, h *handler, call tacet.Call, in questionIn) (identity.Verdict, error) {
	return h.Identity.SimulateDecision(ctx, call, in.question())
}

func listAccess(ctx context.Context, h *handler, call tacet.Call, in questionIn) (identity.Access, error) {
	if in.Principal != "" {
		return identity.Access{}, badRequest("The member principal is for decisions/simulate.")
	}
	return h.Identity.ListAccess(ctx, call, in.question())
}
