package policy

import "tacet"

// Caller is who asks.
type Caller struct {
	// Type is the type of principal that names the caller in a policy. The zero value
	// is [TypeAWS]. A service and a federated identity (who proves himself to
	// AssumeRoleWithWebIdentity by a token, not by a signature) have no identity
	// policies: the resource's policy alone decides about them.
	Type PrincipalType
	// ARN is the caller's own: of a user, of an account's root, of a role's session. A
	// service has its name, "lambda.amazonaws.com", a federated identity the ARN of its
	// provider, or its domain if the provider is one that needs no ARN.
	ARN string
	// Account is the caller's. Decisions do not ask it of a service or a federated identity.
	Account string
	// UserID is the unique id: AIDA… for a user, AROA…:session for a role.
	UserID string
	// Name is the name of a user or a session. Decisions do not look at it: what a
	// policy may know of it is the key aws:username of the context.
	Name string
	// Root marks the root of the account.
	Root bool
	// RoleARN is the role's, for a session of a role.
	RoleARN string
	// AnySession says that ARN is of no session yet, and which of the role's it will be is
	// open. Only [Foresee] and [Explain] ask.
	AnySession bool
	// Anonymous marks a caller that is nobody; the other fields are ignored.
	Anonymous bool
}

// Request is what is asked.
type Request struct {
	Caller Caller
	// Actions are all the names of the operation.
	Actions []string
	// Resource is an ARN, "*" for an operation that has none.
	Resource string
	// ResourceAccount is the account that owns the resource.
	ResourceAccount string
	// Context has the values of condition keys; nil has none.
	Context Context
	// Open tells, of a key as Context takes it, that its value is not known yet. Only
	// [Foresee] and [Explain] ask; for [Decide] such a key is absent. nil: none is.
	Open func(key string) bool

	taking taking
}

// Set is all the policies that have a say in a request.
type Set struct {
	// Identity are the caller's: his own, his groups', or his role's.
	Identity []*Document
	// Assigned are what the resource's vault has assigned to the caller, his groups or his
	// role ([NewAssignment]), wherever his home is.
	Assigned []*Document
	// Boundary limits what Identity and Assigned grant; nil when there is none.
	Boundary *Document
	// Session limits a session. Any of them may allow; several are one policy.
	Session []*Document
	// HasSession says that there is a session policy even if Session is empty, in
	// which case it allows nothing.
	HasSession bool
	// Resource is the resource's, or a role's trust policy; nil when there is none.
	Resource *Document
	// Trust says that the resource is a role and Resource its trust policy, without
	// which nobody gets in: it must grant or leave the decision to the caller's account, even
	// at home and to the root. A Resource of kind [Trust] says so by itself.
	Trust bool
}

// Decision is what the policies say. When a statement decided, it is named.
type Decision struct {
	Allowed bool `json:"allowed"`
	// Reason tells why a request was refused.
	Reason tacet.DenyReason `json:"reason,omitempty"`
	// Policy is the name of the document that decided, "" when the request was refused
	// because none allows it or allowed because the caller is root.
	Policy    string `json:"policy,omitempty"`
	Statement int    `json:"statement"` // its index in the document, from 0
	Sid       string `json:"sid,omitempty"`
}

// Decide decides a request. A request that names no action or no resource is refused.
func Decide(s *Set, r *Request) Decision {
	if len(r.Actions) == 0 || r.Resource == "" {
		return Decision{Reason: tacet.DenyImplicitIdentity}
	}
	if d, denied := s.denied(r); denied {
		return d
	}
	c := &r.Caller
	resource, how := s.Resource.grants(r)
	atHome := c.Account != "" && c.Account == r.ResourceAccount
	if c.Root && atHome && !s.trust() && !c.outside() {
		return Decision{Allowed: true}
	}
	if c.Root || c.outside() {
		if how != noGrant && !(c.Anonymous && s.trust()) {
			return allowed(s.Resource, resource)
		}
		if doc, assigned := allowedByAny(s.Assigned, r); assigned != nil && c.Root {
			return allowed(doc, assigned)
		}
		return Decision{Reason: s.resourceReason(tacet.DenyImplicitResource)}
	}
	if atHome && how == withoutLimit {
		return allowed(s.Resource, resource)
	}
	doc, identity := allowedByAny(s.Identity, r)
	if identity == nil && atHome && how == withLimits {
		doc, identity = s.Resource, resource
	}
	admitted := how != noGrant || atHome && !s.trust() // by the resource's side
	if identity == nil || !admitted {
		if d, assigned := allowedByAny(s.Assigned, r); assigned != nil {
			doc, identity, admitted = d, assigned, true
		}
	}
	switch {
	case identity == nil:
		return Decision{Reason: tacet.DenyImplicitIdentity}
	case !s.boundaryAllows(r):
		return Decision{Reason: tacet.DenyImplicitBoundary}
	case !s.sessionAllows(r):
		return Decision{Reason: tacet.DenyImplicitSession}
	case !admitted:
		return Decision{Reason: s.resourceReason(tacet.DenyImplicitResource)}
	}
	return allowed(doc, identity)
}

// trust reports whether the resource is a role.
func (s *Set) trust() bool {
	return s.Trust || s.Resource != nil && s.Resource.kind == Trust
}

// resourceReason words a reason about the resource's policy for a role's.
func (s *Set) resourceReason(why tacet.DenyReason) tacet.DenyReason {
	switch {
	case !s.trust():
		return why
	case why == tacet.DenyExplicitResource:
		return tacet.DenyExplicitTrust
	}
	return tacet.DenyImplicitTrust
}

// outside reports whether the caller has no identity policies: nobody, a service, a
// federated identity.
func (c *Caller) outside() bool { return c.Anonymous || c.Type != TypeAWS }

// denied looks for an explicit deny. A root is subject to what stands at the resource only.
func (s *Set) denied(r *Request) (Decision, bool) {
	root := r.Caller.Root && !r.Caller.outside()
	if !root {
		for _, d := range s.Identity {
			if st := d.firstDeny(r); st != nil {
				return refused(tacet.DenyExplicitIdentity, d, st), true
			}
		}
	}
	if st := s.Resource.firstDeny(r); st != nil {
		return refused(s.resourceReason(tacet.DenyExplicitResource), s.Resource, st), true
	}
	for _, d := range s.Assigned {
		if st := d.firstDeny(r); st != nil {
			return refused(tacet.DenyExplicitAssignment, d, st), true
		}
	}
	if root {
		return Decision{}, false
	}
	if st := s.Boundary.firstDeny(r); st != nil {
		return refused(tacet.DenyExplicitBoundary, s.Boundary, st), true
	}
	for _, d := range s.Session {
		if st := d.firstDeny(r); st != nil {
			return refused(tacet.DenyExplicitSession, d, st), true
		}
	}
	return Decision{}, false
}

func (s *Set) boundaryAllows(r *Request) bool {
	return s.Boundary == nil || s.Boundary.firstAllow(r) != nil
}

func (s *Set) sessionAllows(r *Request) bool {
	if !s.HasSession && len(s.Session) == 0 {
		return true
	}
	_, st := allowedByAny(s.Session, r)
	return st != nil
}

func allowedByAny(docs []*Document, r *Request) (*Document, *statement) {
	for _, d := range docs {
		if st := d.firstAllow(r); st != nil {
			return d, st
		}
	}
	return nil, nil
}

// firstDeny returns the first Deny that matches, nil when none does.
func (d *Document) firstDeny(r *Request) *statement {
	if d == nil {
		return nil
	}
	for _, s := range d.denies {
		if _, failed := s.match(r); failed == matched {
			return s
		}
	}
	return nil
}

// firstAllow returns the first Allow that matches, of a document that names no principals.
func (d *Document) firstAllow(r *Request) *statement {
	for _, s := range d.allows {
		if _, failed := s.match(r); failed == matched {
			return s
		}
	}
	return nil
}

// grants returns the Allow of a resource policy that goes furthest, and how far.
func (d *Document) grants(r *Request) (best *statement, how grant) {
	if d == nil {
		return nil, noGrant
	}
	for _, s := range d.allows {
		if g, failed := s.match(r); failed == matched && g > how {
			best, how = s, g
			if g == withoutLimit {
				break
			}
		}
	}
	return best, how
}

// element is a part of a statement.
type element uint8

const (
	matched element = iota // no part failed
	failedPrincipal
	failedAction
	failedResource
	failedCondition
)

// match compares a statement with a request and returns how far it grants, or which
// part of it failed first. The grant is noGrant for a statement without principals, so
// that an identity policy in the place of a resource's grants nothing.
func (s *statement) match(r *Request) (how grant, failed element) {
	if s.principals != nil {
		if how = s.reaches(r); how == noGrant {
			return noGrant, failedPrincipal
		}
	}
	if s.namesAction(r.Actions) == s.notAction {
		return noGrant, failedAction
	}
	if s.resources != nil && !s.coversResource(r) {
		return noGrant, failedResource
	}
	for i := range s.conditions {
		c := &s.conditions[i]
		if r.taking != asAbsent && r.opens(c) {
			if !r.take(s.effect) {
				return noGrant, failedCondition
			}
		} else if !c.holds(r.Context) {
			return noGrant, failedCondition
		}
	}
	return how, matched
}

// namesAction reports whether the list contains the operation by any of its names.
func (s *statement) namesAction(names []string) bool {
	for i := range s.actions {
		for _, name := range names {
			if s.actions[i].match(name) {
				return true
			}
		}
	}
	return false
}

func (s *statement) coversResource(r *Request) bool {
	covers, open := s.coverage(r)
	if open {
		return r.take(s.effect)
	}
	return covers
}

// coverage reports whether the statement is about the resource, or that it depends on
// variables that are open.
func (s *statement) coverage(r *Request) (covers, open bool) {
	for i := range s.resources {
		p := &s.resources[i]
		if r.opensPattern(p) {
			// Without a value, an exception keeps an Allow from matching.
			open = open || s.notResource && s.effect == Allow || p.couldMatch(r.Resource, r)
			continue
		}
		if p.match(r.Resource, r.Context) {
			return !s.notResource, false
		}
		// An exception that cannot be read must not widen a grant.
		if s.notResource && s.effect == Allow && p.kind == matchTemplate && !p.resolvable(r.Context) {
			return false, false
		}
	}
	return s.notResource, open
}

func allowed(d *Document, s *statement) Decision {
	return Decision{Allowed: true, Policy: d.name, Statement: s.index, Sid: s.sid}
}

func refused(why tacet.DenyReason, d *Document, s *statement) Decision {
	return Decision{Reason: why, Policy: d.name, Statement: s.index, Sid: s.sid}
}
