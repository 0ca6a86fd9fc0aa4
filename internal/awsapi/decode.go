package awsapi

import (
	"encoding/json"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/identity"
)

// The decoded message of a decision, in the shape of the STS API reference,
// DecodeAuthorizationMessage.
type (
	decodedMessage struct {
		Allowed           bool                     `json:"allowed"`
		ExplicitDeny      bool                     `json:"explicitDeny"`
		MatchedStatements items[decodedStatement]  `json:"matchedStatements"`
		Failures          items[map[string]string] `json:"failures"`
		Context           decodedContext           `json:"context"`
	}
	items[T any] struct {
		Items []T `json:"items"`
	}
	decodedStatement struct {
		StatementID string                  `json:"statementId"`
		Effect      string                  `json:"effect"`
		Policy      string                  `json:"sourcePolicyId"`
		Conditions  items[decodedCondition] `json:"conditions"`
	}
	decodedContext struct {
		Principal  decodedPrincipal        `json:"principal"`
		Action     string                  `json:"action"`
		Resource   string                  `json:"resource"`
		Conditions items[decodedCondition] `json:"conditions"`
	}
	decodedPrincipal struct {
		ID   string `json:"id"`
		Name string `json:"name,omitempty"`
		ARN  string `json:"arn"`
	}
	decodedCondition struct {
		Key    string              `json:"key"`
		Values items[decodedValue] `json:"values"`
	}
	decodedValue struct {
		Value string `json:"value"`
	}
)

func readEncodedMessage(f *form, c *checks) string {
	t := f.text("EncodedMessage")
	c.required("encodedMessage", t.Set)
	c.length("encodedMessage", t, 1, 10240)
	return t.S
}

// writeDecodedMessage tells the statements that matched, and as the request's conditions
// the values of the keys that statements about the action looked at.
func writeDecodedMessage(e *encoder, m identity.DecodedMessage) {
	rec := m.Record
	out := decodedMessage{
		Allowed:           rec.Outcome != tacet.OutcomeDenied,
		ExplicitDeny:      m.Why.Decision.Reason.Explicit(),
		MatchedStatements: items[decodedStatement]{[]decodedStatement{}},
		Failures:          items[map[string]string]{[]map[string]string{}},
		Context: decodedContext{Principal: decodedPrincipal{rec.CallerID, rec.CallerName, rec.Caller},
			Action: rec.Operation.Action(), Resource: rec.Resource, Conditions: items[decodedCondition]{[]decodedCondition{}}},
	}
	if m.Why.Action != "" {
		out.Context.Action, out.Context.Resource = m.Why.Action, m.Why.Resource
	}
	had := &out.Context.Conditions.Items
	for _, s := range m.Why.Statements {
		st := decodedStatement{StatementID: s.Sid, Effect: strings.ToUpper(string(s.Effect)), Policy: s.Policy, Conditions: items[decodedCondition]{[]decodedCondition{}}}
		for _, c := range s.Conditions {
			st.Conditions.Items = append(st.Conditions.Items, decodedCondition{c.Key, valuesOf(c.Wanted)})
			if !slices.ContainsFunc(*had, func(d decodedCondition) bool { return d.Key == c.Key }) {
				*had = append(*had, decodedCondition{c.Key, valuesOf(c.Had)})
			}
		}
		if s.Matched {
			out.MatchedStatements.Items = append(out.MatchedStatements.Items, st)
		}
	}
	text, err := json.Marshal(out)
	if err != nil { // texts: cannot be
		return
	}
	e.element("DecodedMessage", string(text))
}

func valuesOf(list []string) items[decodedValue] {
	out := items[decodedValue]{[]decodedValue{}}
	for _, v := range list {
		out.Items = append(out.Items, decodedValue{v})
	}
	return out
}
