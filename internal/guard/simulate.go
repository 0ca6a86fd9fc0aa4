package guard

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/policy"
)

// SimulationInput is what a simulation is about beside a principal.
type SimulationInput struct {
	Policies       []string // as if the principal had them too
	Boundaries     []string // at most one, in place of the principal's
	ResourcePolicy string   // as if every resource had it; "" for none
	Owner          string   // ARN of the account of resources whose own ARN does not say
	Caller         string   // ARN of the user whom the resource policy may name
	// Context has the values of condition keys. There are no others: nothing is known of a
	// request that is made up.
	Context []ContextEntry
}

// A ContextEntry is a condition key with its values.
type ContextEntry struct {
	Key    string
	Values []string
	Binary bool // they are in base64
}

// A Simulation decides requests that are made up, by the policies of a principal and by
// others that are given, as AWS IAM's policy simulator does: what vaults assign and the
// policies that secrets have are not asked. It is safe for use after the snapshot's end.
type Simulation struct {
	set     policy.Set
	ids     map[*policy.Document]string // what answers call them
	caller  policy.Caller
	owner   string
	context simulatedContext
}

// Simulated is how one request would be decided.
type Simulated struct {
	Action, Resource string
	Decision         string // "allowed", "explicitDeny" or "implicitDeny"
	Statements       []SimulatedStatement
	Missing          []string // condition keys that statements ask and that were not given
	Bounded, Within  bool     // there is a boundary, and it allows
}

// A SimulatedStatement is one that decided.
type SimulatedStatement struct {
	Policy     string
	Start, End policy.Position
}

// NewSimulation reads what a simulation in an account is to go by. The error is
// InvalidRequest.
func NewSimulation(account string, in *SimulationInput) (*Simulation, error) {
	m := &Simulation{ids: map[*policy.Document]string{}, caller: policy.Caller{Account: account}, context: simulatedContext{}}
	for i, text := range in.Policies {
		d, err := m.parse(fmt.Sprintf("PolicyInputList.%d", i+1), policy.Identity, text)
		if err != nil {
			return nil, err
		}
		m.set.Identity = append(m.set.Identity, d)
	}
	var err error
	if len(in.Boundaries) > 1 {
		return nil, tacet.Errorf(tacet.InvalidRequest, "There can be at most one permissions boundary policy.")
	}
	if len(in.Boundaries) == 1 {
		if m.set.Boundary, err = m.parse("PermissionsBoundaryPolicyInputList.1", policy.Boundary, in.Boundaries[0]); err != nil {
			return nil, err
		}
	}
	if in.ResourcePolicy != "" {
		if m.set.Resource, err = m.parse("ResourcePolicy", policy.Resource, in.ResourcePolicy); err != nil {
			return nil, err
		}
	}
	if in.Owner != "" {
		if m.owner = accountOf(in.Owner); m.owner == "" {
			return nil, tacet.Errorf(tacet.InvalidRequest, "Invalid resource owner: %s", in.Owner)
		}
	}
	if in.Caller != "" {
		account, tail, ok := splitPrincipalARN(in.Caller)
		if !ok || !strings.HasPrefix(tail, "user/") {
			return nil, tacet.Errorf(tacet.InvalidRequest, "Invalid caller: %s is not the ARN of a user.", in.Caller)
		}
		m.caller = policy.Caller{ARN: in.Caller, Account: account}
	}
	return m, m.context.read(in.Context)
}

func (m *Simulation) parse(id string, kind policy.Kind, text string) (*policy.Document, error) {
	d, err := policy.Parse(id, kind, []byte(text))
	if err != nil {
		return nil, tacet.Errorf(tacet.InvalidRequest, "Syntax errors in policy %s. %v", id, err)
	}
	m.ids[d] = id
	return d, nil
}

// accountOf returns the account that an ARN names, "" for none.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[0] == "arn" && tacet.IsAccount(parts[4]) {
		return parts[4]
	}
	return ""
}

// Include adds the policies of a user with his groups', of a group or of a role, and its
// boundary unless another is given; a user is the caller unless another is. It reports
// false for a principal that does not exist.
func (s *Snapshot) Include(given *Simulation, arn string) (*Simulation, bool) {
	m := *given
	m.ids, m.set.Identity = maps.Clone(given.ids), nil
	account, tail, _ := splitPrincipalARN(arn)
	kind, _, _ := strings.Cut(tail, "/")
	k := nameKey(account, tail[strings.LastIndexByte(tail, '/')+1:])
	var boundary *policy.Document
	if u := s.dir.users[k]; u != nil && kind == "user" && u.arn == arn && !u.Root {
		m.include(kind, &u.Grantee, u.docs)
		for _, id := range u.Groups {
			if g, ok := s.dir.ids[id].(*userGroup); ok {
				m.include("group", &g.Grantee, s.groupDocuments(g))
			}
		}
		boundary = u.boundary
		if m.caller.ARN == "" {
			m.caller = policy.Caller{ARN: u.arn, Account: u.Account, UserID: u.ID, Name: u.Name}
		}
	} else if r := s.dir.roles[k]; r != nil && kind == "role" && r.arn == arn {
		m.include(kind, &r.Grantee, r.docs)
		boundary = r.boundary
	} else if g := s.dir.groups[k]; g != nil && kind == "group" && g.ARN() == arn {
		m.include(kind, &g.Grantee, s.groupDocuments(g))
	} else {
		return nil, false
	}
	m.set.Identity = append(m.set.Identity, given.set.Identity...)
	if m.set.Boundary == nil && boundary != nil {
		m.set.Boundary, m.ids[boundary] = boundary, lastPart(boundary.Name())
	}
	return &m, true
}

// groupDocuments returns a group's policies, in the order of [directory.granted].
func (s *scope) groupDocuments(g *userGroup) []*policy.Document {
	docs, _ := s.dir.attached(slices.Clone(g.inline), &g.Grantee) // linked, so none is missing
	return docs
}

// include adds the policies of one principal, under the names that the simulator gives
// them: KIND_PRINCIPAL_POLICY, and of a managed policy its own.
func (m *Simulation) include(kind string, p *tacet.Grantee, docs []*policy.Document) {
	names := slices.Sorted(maps.Keys(p.Policies))
	for i, d := range docs[:len(names)+len(p.Attached)] {
		if _, ok := m.ids[d]; ok { // it is a user's and his group's
			continue
		}
		if m.ids[d] = lastPart(d.Name()); i < len(names) {
			m.ids[d] = kind + "_" + p.Name + "_" + names[i]
		}
		m.set.Identity = append(m.set.Identity, d)
	}
}

func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// Ask decides one request. An action that Tacet has is looked for under all its names,
// any other under its own.
func (m *Simulation) Ask(action, resource string) Simulated {
	r := policy.Request{Caller: m.caller, Actions: []string{action}, Resource: resource, ResourceAccount: m.caller.Account, Context: m.context}
	if op, ok := tacet.OperationNamed(action); ok {
		r.Actions = op.Actions()
	}
	if m.set.Resource != nil {
		r.ResourceAccount = cmp.Or(accountOf(resource), m.owner, m.caller.Account)
	}
	sim := policy.Simulate(&m.set, &r)
	out := Simulated{Action: action, Resource: resource, Missing: sim.Missing, Bounded: sim.Bounded, Within: sim.Within}
	switch {
	case sim.Decision.Allowed:
		out.Decision = "allowed"
	case sim.Decision.Reason.Explicit():
		out.Decision = "explicitDeny"
	default:
		out.Decision = "implicitDeny"
	}
	for _, st := range sim.Matched {
		out.Statements = append(out.Statements, SimulatedStatement{m.ids[st.Document], st.Start, st.End})
	}
	return out
}

// simulatedContext has the values of condition keys by their names in lower case.
type simulatedContext map[string][]string

// Value returns the values of a key; see [policy.Context].
func (c simulatedContext) Value(key string) ([]string, bool) {
	values, ok := c[strings.ToLower(key)]
	return values, ok && len(values) > 0
}

func (c simulatedContext) read(entries []ContextEntry) error {
	for _, e := range entries {
		key := strings.ToLower(e.Key)
		for _, v := range e.Values {
			if e.Binary {
				b, err := base64.StdEncoding.DecodeString(v)
				if err != nil {
					return tacet.Errorf(tacet.InvalidRequest, "Invalid value of the context key %s: it is not base64.", e.Key)
				}
				v = string(b)
			}
			c[key] = append(c[key], v)
		}
	}
	return nil
}

// ContextKeys returns the condition keys on which the policies of a simulation depend, in
// the order of the policies and their keys, each once.
func (m *Simulation) ContextKeys() []string {
	var out []string
	for _, d := range append(m.set.Identity[:len(m.set.Identity):len(m.set.Identity)], m.set.Boundary) {
		if d != nil {
			for _, key := range d.ContextKeys() {
				if !slices.ContainsFunc(out, func(k string) bool { return strings.EqualFold(k, key) }) {
					out = append(out, key)
				}
			}
		}
	}
	return out
}
