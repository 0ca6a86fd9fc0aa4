package policy

// Trace tells how one statement took a request.
type Trace struct {
	// Role is the kind of place the policy stands in for this request.
	Role Kind
	// Policy is the document's name, Statement the index in it, from 0.
	Policy    string
	Statement int
	Sid       string
	Effect    Effect
	// Matched says that every part of the statement matched.
	Matched bool
	// Failed is the first part that did not: "principal", "action", "resource" or
	// "condition", and then Operator and Key say which condition.
	Failed   string
	Operator string
	Key      string
	// Delegates says of a matching Allow in a resource policy that it names only
	// the caller's account: in that account it grants nothing by itself.
	Delegates bool
	// Limited says of a matching Allow in a resource policy that the boundary and
	// the session policy must allow too, because it names the role or excepts others.
	Limited bool
}

// Explain tells how every statement took a request: identity policies first, then
// the resource's, the boundary, the session's, each in its order. It does not stop at the
// one that decided; [Decide] names that.
func Explain(s *Set, r *Request) []Trace {
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
	if s.Resource != nil && s.Resource.kind == Trust {
		role = Trust
	}
	add(role, s.Resource)
	add(Boundary, s.Boundary)
	add(Session, s.Session...)
	return out
}

func (s *statement) trace(role Kind, d *Document, r *Request) Trace {
	t := Trace{Role: role, Policy: d.name, Statement: s.index, Sid: s.sid, Effect: s.effect}
	how, m := s.match(r)
	switch m.element {
	case matched:
		t.Matched = true
		t.Delegates = s.effect == Allow && how == toAccount
		t.Limited = s.effect == Allow && how == withLimits
	case failedPrincipal:
		t.Failed = "principal"
	case failedAction:
		t.Failed = "action"
	case failedResource:
		t.Failed = "resource"
	case failedCondition:
		t.Failed, t.Operator, t.Key = "condition", m.condition.name, m.condition.key
	}
	return t
}
