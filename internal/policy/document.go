package policy

import (
	"fmt"
	"slices"
)

// Kind says where a document stands, which decides what it must and must not contain.
type Kind int

// The kinds of document.
const (
	// Identity is attached to a user, group or role: Resource required, no Principal.
	Identity Kind = iota
	// Resource is attached to a resource: Principal and Resource required.
	Resource
	// Trust says who may assume a role: Principal required, no Resource, no NotPrincipal.
	Trust
	// Session limits one session of a role; written like Identity.
	Session
	// Boundary limits what identity policies grant; written like Identity.
	Boundary
	// Assignment is a role assignment, a deny assignment or an access policy of a vault.
	// It is not written in this language; see [NewAssignment].
	Assignment
)

// String returns the kind in words, as messages use it.
func (k Kind) String() string {
	switch k {
	case Identity:
		return "identity-based policy"
	case Resource:
		return "resource-based policy"
	case Trust:
		return "trust policy"
	case Session:
		return "session policy"
	case Boundary:
		return "permissions boundary"
	case Assignment:
		return "assignment"
	}
	return "policy of unknown kind"
}

// MarshalText returns [Kind.String].
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText takes what MarshalText returns.
func (k *Kind) UnmarshalText(text []byte) error {
	for kind := Identity; kind <= Assignment; kind++ {
		if kind.String() == string(text) {
			*k = kind
			return nil
		}
	}
	return fmt.Errorf("no kind of policy: %q", text)
}

// takesPrincipal reports whether documents of the kind say whom they are about.
func (k Kind) takesPrincipal() bool { return k == Resource || k == Trust }

// Effect is what a statement does when it matches.
type Effect string

// The effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Document is a policy, read and compiled. It is immutable and safe for concurrent use.
type Document struct {
	name       string
	kind       Kind
	id         string
	statements []statement
	// denies and allows point into statements, in order, so that a decision walks
	// only what can matter to it.
	denies, allows []*statement
}

// statement is one compiled statement.
type statement struct {
	index  int
	sid    string
	effect Effect

	start, end Position // in the text

	principals   *principals // nil: the document's kind has none
	notPrincipal bool

	actions   []actionPattern
	notAction bool

	resources     []pattern // nil: the document's kind has none
	resourceTexts []string  // as written
	notResource   bool

	conditions []condition // all must hold
}

// StatementInfo is what explanations need to know of a statement.
type StatementInfo struct {
	Index  int // position in the document, from 0
	Sid    string
	Effect Effect
	// Principals are whom the statement is about, or with Excepted whom it is not about.
	Principals []Principal
	Excepted   bool
	// Conditions are the statement's, with what they want and nothing else.
	Conditions []ConditionTrace
}

// Name returns the name the document was parsed under.
func (d *Document) Name() string { return d.name }

// Kind returns the kind the document was parsed as.
func (d *Document) Kind() Kind { return d.kind }

// ID returns the document's Id element, "" when it has none.
func (d *Document) ID() string { return d.id }

// Statements lists the document's statements in order.
func (d *Document) Statements() []StatementInfo {
	out := make([]StatementInfo, len(d.statements))
	for i := range d.statements {
		s := &d.statements[i]
		out[i] = StatementInfo{Index: s.index, Sid: s.sid, Effect: s.effect, Excepted: s.notPrincipal}
		if s.principals != nil {
			out[i].Principals = s.principals.named
		}
		for j := range s.conditions {
			c := &s.conditions[j]
			out[i].Conditions = append(out[i].Conditions, ConditionTrace{Operator: c.name, Key: c.key, Wanted: c.wanted})
		}
	}
	return out
}

// Principals lists every principal the document names, in Principal and NotPrincipal,
// each once, in the order of appearance. "*" is among them when it is named.
func (d *Document) Principals() []Principal {
	var out []Principal
	for i := range d.statements {
		if d.statements[i].principals == nil {
			continue
		}
		for _, p := range d.statements[i].principals.named {
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}
