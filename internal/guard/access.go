package guard

import (
	"cmp"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/policy"
)

// Access is who may do something.
type Access struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
	// Missing says that there is no such secret or role: who could reach it by its name is told.
	Missing bool `json:"missing,omitempty"`
	// Public says that the resource's policy lets in anybody.
	Public bool `json:"public,omitempty"`
	// Networks are those that everybody must come from, if it is not known whether he does.
	Networks []string `json:"networks,omitempty"`
	// Reason says why it is nobody, when it is for no lack of grants.
	Reason tacet.DenyReason `json:"reason,omitempty"`
	// Rule is [RuleAnyone] when everybody may; then nobody is listed.
	Rule Rule `json:"rule,omitempty"`
	// Deleted are the unique ids of principals whom the resource's policy names and who are no
	// more. Nobody else is ever let in for them.
	Deleted    []string   `json:"deleted,omitempty"`
	Principals []Accessor `json:"principals"`
}

// An Accessor is a principal that may, and through which grants.
type Accessor struct {
	// Kind is "user", "role", "session" (of a role, that a policy names), "root",
	// "federated" (whom a provider vouches for) or "anyone".
	Kind string `json:"kind"`
	// ARN is the principal's; of a role its own; "*" for anyone.
	ARN string `json:"arn"`
	// Conditional says that it depends on open conditions.
	Conditional bool    `json:"conditional,omitempty"`
	Rule        Rule    `json:"rule,omitempty"` // what has a say beside the policies
	Grants      []Grant `json:"grants"`
	// Within are the statements with open conditions of the boundary, of the trust policy
	// that leaves it to the account, or about a further action that the request needs, one
	// of each of which must match too. Unless are those that would refuse under theirs.
	Within []Grant `json:"within,omitempty"`
	Unless []Grant `json:"unless,omitempty"`
	// AssumedBy says who becomes a role, by its trust policy.
	AssumedBy []Trusted `json:"assumedBy,omitempty"`
}

// The kinds of grant.
const (
	GrantInline   = "inline policy"
	GrantManaged  = "managed policy"
	GrantResource = "resource policy"
	GrantTrust    = "trust policy"
	GrantBoundary = "permissions boundary"
	GrantRoot     = "root of the account"
	GrantForeign  = "policies of its own account" // which are not shown

	GrantAssignment   = "role assignment"
	GrantDenial       = "deny assignment"
	GrantAccessPolicy = "access policy"
)

// A Grant is a statement that reaches a request.
type Grant struct {
	Kind string `json:"kind"`
	// Group is the name of the group that the policy comes from, "" for none.
	Group     string `json:"group,omitempty"`
	Policy    string `json:"policy,omitempty"` // a name, a managed policy's ARN, or an assigned role's name
	Scope     string `json:"scope,omitempty"`  // of an assignment: "vaults/NAME" or "vaults/NAME/secrets/NAME"
	Statement int    `json:"statement"`
	Sid       string `json:"sid,omitempty"`
	// Conditions are the open ones, Resources those with an open variable, Sessions those of
	// a role that it is about.
	Conditions []policy.ConditionTrace `json:"conditions,omitempty"`
	Resources  []string                `json:"resources,omitempty"`
	Sessions   []string                `json:"sessions,omitempty"`
}

// Trusted is whom one statement of a role's trust policy lets in.
type Trusted struct {
	Principals []string `json:"principals"`
	// Deleted are those of them who are no more, and are named by their unique ids.
	Deleted []string `json:"deleted,omitempty"`
	// Excepted says that it is everybody else.
	Excepted   bool                    `json:"excepted,omitempty"`
	Conditions []policy.ConditionTrace `json:"conditions,omitempty"`
}

// WhoCan lists every principal of the deployment that may make a request: users, roles,
// roots, the sessions and identity providers that the resource's policy names, and
// everybody. Of other accounts than the caller's it tells who, and not by which of their
// own policies, and nobody if the resource is not the caller's account's. Errors: VaultNotFound.
func (s *Snapshot) WhoCan(asked Request) (Access, error) {
	p, err := s.suppose(asked)
	if err != nil {
		return Access{}, err
	}
	set, pr := p.ask(subject{}, p.decided())
	out := Access{Action: pr.Actions[0], Resource: pr.Resource, Missing: p.missing(), Public: set.Resource != nil && set.Resource.Public(), Networks: p.networks(), Principals: []Accessor{}}
	switch {
	case asked.Operation.Free():
		out.Rule = RuleAnyone
		return out, nil
	case p.shutOut():
		out.Reason = tacet.DenyNetwork
		return out, nil
	}
	atHome := pr.ResourceAccount == s.req.Call.Caller.Account
	add := func(kind, arn string, sub subject) {
		if !atHome && s.foreign(sub) {
			return
		}
		if a, ok := s.accessor(p, sub); ok {
			a.Kind, a.ARN = kind, arn
			out.Principals = append(out.Principals, a)
		}
	}
	roots := map[string]bool{pr.ResourceAccount: true}
	for _, u := range s.dir.users {
		roots[u.Account] = true
		if !u.Root {
			add("user", u.arn, u.subject())
		}
	}
	for _, r := range s.dir.roles {
		add("role", r.arn, r.subject(anySession))
	}
	for account := range roots {
		sub := s.dir.root(account)
		add("root", sub.caller.ARN, sub)
	}
	if set.Resource != nil {
		for _, named := range set.Resource.Principals() {
			s.addNamed(named, add)
		}
	}
	if atHome {
		out.Deleted = s.dir.deletedIn(set.Resource)
	}
	slices.SortFunc(out.Principals, func(a, b Accessor) int { return cmp.Or(cmp.Compare(a.ARN, b.ARN), cmp.Compare(a.Kind, b.Kind)) })
	return out, nil
}

// addNamed adds a principal of a resource's policy that is not in the directory itself.
func (s *scope) addNamed(named policy.Principal, add func(kind, arn string, sub subject)) {
	switch {
	case named.Type == "Federated":
		account, _, _ := splitPrincipalARN(named.Value)
		add("federated", named.Value, subject{caller: tacet.Caller{Kind: tacet.CallerFederated, Account: account, ARN: named.Value}})
	case named.Type == "AWS" && strings.HasPrefix(named.Value, "arn:aws:sts::"):
		if sub, err := s.dir.subject("", named.Value); err == nil {
			add("session", named.Value, sub)
		}
	case named.Type == "AWS" && named.Value == "*":
		add("anyone", "*", subject{caller: tacet.Caller{ARN: "*"}})
	}
}

// accessor puts the supposed request in a principal's mouth.
func (s *scope) accessor(p *supposition, sub subject) (Accessor, bool) {
	all, i := p.foretell(sub)
	answer, rule := all[i].answer(), p.rule(sub)
	if answer == Denied || rule == RuleNotRoot || answer == Conditional && p.onlyNamed(sub) {
		return Accessor{}, false
	}
	a := Accessor{Conditional: answer == Conditional || rule != "" || p.networks() != nil, Rule: rule, Grants: []Grant{}}
	for i := range all {
		s.addGrants(&a, sub, &all[i], i == 0)
	}
	if r := sub.who.role; r != nil {
		a.AssumedBy = s.dir.trusted(r.trust)
	}
	if s.foreign(sub) {
		a.hideIdentity()
	}
	return a, true
}

// addGrants tells through what a part of the request is granted. Of those beside the first
// only what is not certain is told.
func (s *scope) addGrants(a *Accessor, sub subject, f *forecast, first bool) {
	atHome := sub.caller.Account == f.req.ResourceAccount
	root := sub.caller.Kind == tacet.CallerRoot && atHome && !f.set.Trust
	if root && first {
		a.Grants = append(a.Grants, Grant{Kind: GrantRoot})
	}
	var within, delegated, grants []Grant
	bounded, left := false, false
	times := map[string]int{} // a managed policy may reach somebody in several ways
	for _, t := range policy.Explain(&f.set, &f.req) {
		g := s.grant(sub, t)
		if g.Kind == GrantManaged {
			said := statementName(policy.Decision{Policy: t.Policy, Statement: t.Statement})
			g.Group = s.dir.attachedThrough(sub.who, t.Policy, times[said])
			times[said]++
		}
		switch {
		case !t.Matched, t.Effect == policy.Deny && !t.Open:
		case t.Effect == policy.Deny:
			a.Unless = append(a.Unless, g)
		case t.Role == policy.Boundary:
			bounded = bounded || !t.Open
			within = append(within, g)
		case t.Delegates && atHome: // leaves it to the identity policies
			left = left || !t.Open || !f.set.Trust
			delegated = append(delegated, g)
		default:
			left = left || t.Role == policy.Trust && !t.Open
			grants = append(grants, g)
		}
	}
	switch {
	case first:
		a.Grants = append(a.Grants, grants...)
	case !f.unless && !root && f.answer() == Conditional:
		a.Within = append(a.Within, grants...)
	}
	if !bounded && !f.unless {
		a.Within = append(a.Within, within...)
	}
	if !left {
		a.Within = append(a.Within, delegated...)
	}
}

// grant says through which policy a statement reaches a principal.
func (s *scope) grant(sub subject, t policy.Trace) Grant {
	g := Grant{Policy: t.Policy, Statement: t.Statement, Sid: t.Sid, Sessions: t.Sessions}
	for _, c := range t.Conditions {
		if c.Open {
			g.Conditions = append(g.Conditions, c)
		}
	}
	if t.Open {
		g.Resources = t.Resources
	}
	switch t.Role {
	case policy.Resource:
		g.Kind, g.Policy = GrantResource, ""
		return g
	case policy.Trust:
		g.Kind, g.Policy = GrantTrust, ""
		return g
	case policy.Boundary:
		g.Kind = GrantBoundary
		return g
	case policy.Assignment:
		s.assignmentGrant(&g, t)
		return g
	}
	g.Kind = GrantInline
	if group, name, ok := strings.Cut(strings.TrimPrefix(t.Policy, "group:"), "/"); ok && strings.HasPrefix(t.Policy, "group:") {
		g.Group, g.Policy = group, name
	} else if strings.HasPrefix(t.Policy, "arn:") {
		g.Kind = GrantManaged
	}
	return g
}

// assignmentGrant fills in what an assignment grants: the role's name and the scope.
func (s *scope) assignmentGrant(g *Grant, t policy.Trace) {
	a := s.dir.assignmentNamed(t.Policy)
	g.Kind, g.Policy, g.Sid = GrantAssignment, a.role, ""
	switch {
	case a.AccessPolicy():
		g.Kind, g.Policy = GrantAccessPolicy, ""
	case a.Deny:
		g.Kind = GrantDenial
	}
	g.Scope, _, _ = strings.Cut(t.Policy, ":")
	if group, ok := s.dir.ids[a.Principal].(*userGroup); ok {
		g.Group = group.Name
	}
}

// attachedThrough is the name of the group that a managed policy reaches a principal
// through, "" when it is attached to the principal itself. It may do so several times: n
// counts them from 0, in the order of [directory.granted].
func (d *directory) attachedThrough(w who, arn string, n int) string {
	if w.user == nil {
		return ""
	}
	if slices.Contains(w.user.Attached, arn) {
		n--
	}
	for _, id := range w.user.Groups {
		if g, ok := d.ids[id].(*userGroup); ok && n >= 0 && slices.Contains(g.Attached, arn) {
			if n == 0 {
				return g.Name
			}
			n--
		}
	}
	return ""
}

// hideIdentity leaves out what another account's own policies say.
func (a *Accessor) hideIdentity() {
	own := func(g Grant) bool { return g.Kind == GrantInline || g.Kind == GrantManaged || g.Kind == GrantBoundary }
	had := slices.ContainsFunc(a.Grants, own)
	a.Grants = slices.DeleteFunc(a.Grants, own)
	a.Within, a.Unless, a.AssumedBy = nil, slices.DeleteFunc(a.Unless, own), nil
	if had {
		a.Grants = append(a.Grants, Grant{Kind: GrantForeign})
	}
}

// trusted lists whom a trust policy lets in.
func (d *directory) trusted(trust *policy.Document) []Trusted {
	var out []Trusted
	for _, st := range trust.Statements() {
		if st.Effect != policy.Allow {
			continue
		}
		t := Trusted{Excepted: st.Excepted, Conditions: st.Conditions}
		for _, p := range st.Principals {
			t.Principals = append(t.Principals, d.shownAs(p.Value))
			if d.deleted(p) {
				t.Deleted = append(t.Deleted, p.Value)
			}
		}
		out = append(out, t)
	}
	return out
}
