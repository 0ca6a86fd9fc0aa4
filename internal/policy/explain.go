package policy

import (
	"encoding/base64"
	"strings"
)

// Trace tells how one statement took a request.
type Trace struct {
	// Role is the kind of place the policy stands in for this request.
	Role Kind `json:"role"`
	// Policy is the document's name, Statement the index in it, from 0.
	Policy    string `json:"policy"`
	Statement int    `json:"statement"`
	Sid       string `json:"sid,omitempty"`
	Effect    Effect `json:"effect"`
	// Matched says that every part of the statement matched.
	Matched bool `json:"matched"`
	// Open says of one that matched that it does so only if its open conditions are met
	// ([Request].Open), or if a variable in Resources has the right value.
	Open bool `json:"open,omitempty"`
	// Sessions are those of the caller's role that it names, if it is open which is his.
	Sessions []string `json:"sessions,omitempty"`
	// Failed is the first part that did not: "principal", "action", "resource" or "condition".
	Failed string `json:"failed,omitempty"`
	// Resources are the statement's, as written, when it failed by them or they are open.
	// Excepted says that they stand under NotResource.
	Resources []string `json:"resources,omitempty"`
	Excepted  bool     `json:"excepted,omitempty"`
	// Conditions are all of the statement's, in its order, when everything before
	// them matched.
	Conditions []ConditionTrace `json:"conditions,omitempty"`
	// Delegates says of a matching Allow in a resource policy that it names only
	// the caller's account: in that account it grants nothing by itself.
	Delegates bool `json:"delegates,omitempty"`
	// Limited says of a matching Allow in a resource policy that the boundary and
	// the session policy must allow too, because it names the role or excepts others.
	Limited bool `json:"limited,omitempty"`
	// Left is how many resources or conditions a [Summary] has left out.
	Left int `json:"left,omitempty"`
}

// ConditionTrace tells how one condition, an operator on a key, took a request.
type ConditionTrace struct {
	// Operator and Key are as written.
	Operator string `json:"operator"`
	Key      string `json:"key"`
	// Wanted are the policy's values as written. Resolved are the same with the values of
	// their variables, when there are any; a variable without a value stays as it is.
	Wanted   []string `json:"wanted"`
	Resolved []string `json:"resolved,omitempty"`
	// Had are the request's values of the key, none when it did not have it. Of a
	// BinaryEquals they are in base64, as the policy's are.
	Had []string `json:"had,omitempty"`
	// Held says that the condition was met.
	Held bool `json:"held"`
	// Open says that it is not known whether it will be.
	Open bool `json:"open,omitempty"`
	// Left is how many values a [Summary] has left out.
	Left int `json:"left,omitempty"`
}

// Explain tells how every statement took a request: identity policies first, then
// the resource's, the assignments, the boundary, the session's, each in its order. It does not stop at the
// one that decided; [Decide] names that.
func Explain(s *Set, r *Request) []Trace {
	if r.Open != nil {
		open := *r
		open.taking = asMet
		r = &open
	}
	var out []Trace
	add := func(role Kind, docs ...*Document) {
		for _, d := range docs {
			if d == nil {
				continue
			}
			for i := range d.statements {
				out = append(out, d.statements[i].trace(role, d, r))
			}
		}
	}
	add(Identity, s.Identity...)
	role := Resource
	if s.trust() {
		role = Trust
	}
	add(role, s.Resource)
	add(Assignment, s.Assigned...)
	add(Boundary, s.Boundary)
	add(Session, s.Session...)
	return out
}

func (s *statement) trace(role Kind, d *Document, r *Request) Trace {
	t := Trace{Role: role, Policy: d.name, Statement: s.index, Sid: s.sid, Effect: s.effect}
	how, failed := s.match(r)
	switch failed {
	case matched:
		t.Matched = true
		t.Delegates = s.effect == Allow && how == toAccount
		t.Limited = s.effect == Allow && how == withLimits
	case failedPrincipal:
		t.Failed = "principal"
	case failedAction:
		t.Failed = "action"
	case failedResource:
		t.Failed, t.Resources, t.Excepted = "resource", s.resourceTexts, s.notResource
	case failedCondition:
		t.Failed = "condition"
	}
	if failed == matched || failed == failedCondition {
		for i := range s.conditions {
			t.Conditions = append(t.Conditions, s.conditions[i].trace(r))
			t.Open = t.Open || t.Matched && r.opens(&s.conditions[i])
		}
	}
	if t.Matched && s.principals != nil && r.Caller.AnySession {
		t.Sessions = s.sessions(&r.Caller)
		t.Open = t.Open || len(t.Sessions) > 0
	}
	if t.Matched && s.resources != nil {
		if _, open := s.coverage(r); open {
			t.Open, t.Resources, t.Excepted = true, s.resourceTexts, s.notResource
		}
	}
	return t
}

func (c *condition) trace(r *Request) ConditionTrace {
	ctx := r.Context
	t := ConditionTrace{Operator: c.name, Key: c.key, Wanted: c.wanted, Open: r.opens(c)}
	t.Held = !t.Open && c.holds(ctx)
	for _, v := range lookup(ctx, c.ask) {
		if c.compare == compareBinary {
			v = base64.StdEncoding.EncodeToString([]byte(v))
		}
		t.Had = append(t.Had, v)
	}
	if c.variables {
		for _, v := range c.wanted {
			t.Resolved = append(t.Resolved, insertVariables(v, ctx))
		}
	}
	return t
}

// insertVariables returns a text with the values of its variables, for people to read.
// One that has none, or several, stays as it is.
func insertVariables(text string, ctx Context) string {
	var b strings.Builder
	for {
		before, _, ok := strings.Cut(text, "${")
		b.WriteString(before)
		if text = text[len(before):]; !ok {
			return b.String()
		}
		p, size, _ := readVariable(text)
		value := text[:size]
		if p.key != "" {
			if values := lookup(ctx, p.key); len(values) == 1 {
				value = values[0]
			} else if len(values) == 0 && p.hasDefault {
				value = p.fallback
			}
		}
		b.WriteString(value)
		text = text[size:]
	}
}
