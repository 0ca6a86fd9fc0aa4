package policy

import (
	"slices"
	"strings"
)

// Outlook is what can be said of a request before it is made. A condition is open when
// the value of its key, or of a variable that it compares with, is not known yet.
type Outlook struct {
	// Best is the decision if every open condition speaks for the caller, Worst the
	// decision if every one speaks against him.
	Best, Worst Decision
}

// Conditional reports whether it depends on open conditions how the request is decided.
func (o *Outlook) Conditional() bool { return o.Best.Allowed && !o.Worst.Allowed }

// Foresee decides a request of which [Request].Open tells what is not known.
func Foresee(s *Set, r *Request) Outlook {
	best, worst := *r, *r
	best.taking, worst.taking = forCaller, againstCaller
	return Outlook{Best: Decide(s, &best), Worst: Decide(s, &worst)}
}

// taking is how what is open is taken.
type taking uint8

const (
	asAbsent      taking = iota // a key that is not known is absent: a request is decided
	forCaller                   // an Allow matches, a Deny does not
	againstCaller               // the other way round
	asMet                       // every statement matches that could
)

// take reports whether a statement of an effect is taken to match where it is open.
func (r *Request) take(e Effect) bool {
	switch r.taking {
	case forCaller:
		return e == Allow
	case againstCaller:
		return e == Deny
	}
	return r.taking == asMet
}

// reaches is how a statement with principals reaches the caller, for whom an open name of
// a session is taken as it is to be taken.
func (s *statement) reaches(r *Request) grant {
	how := s.appliesTo(&r.Caller)
	if r.taking == asAbsent || !r.Caller.AnySession {
		return how
	}
	least, most := how, how
	c := r.Caller
	for _, c.ARN = range s.sessions(&r.Caller) {
		g := s.appliesTo(&c)
		least, most = min(least, g), max(most, g)
	}
	if r.take(s.effect) {
		return most
	}
	return least
}

// sessions are those of the caller's role that the statement names.
func (s *statement) sessions(c *Caller) (arns []string) {
	role := strings.TrimSuffix(c.ARN, "*")
	for _, arn := range s.principals.arns {
		if strings.HasPrefix(arn, role) {
			arns = append(arns, arn)
		}
	}
	return arns
}

// open reports whether a condition key is not known.
func (r *Request) open(key string) bool { return r.taking != asAbsent && r.Open != nil && r.Open(key) }

// opensPattern reports whether a variable of the pattern is not known.
func (r *Request) opensPattern(p *pattern) bool {
	if r.taking == asAbsent || p.kind != matchTemplate {
		return false
	}
	return slices.ContainsFunc(p.parts, func(part part) bool { return part.key != "" && r.open(part.key) })
}

// opens reports whether a condition is open.
func (r *Request) opens(c *condition) bool {
	if r.taking == asAbsent {
		return false
	}
	if r.open(c.ask) {
		return true
	}
	if !c.variables {
		return false
	}
	for i := range c.texts {
		if r.opensPattern(&c.texts[i]) {
			return true
		}
	}
	for i := range c.arns {
		a := &c.arns[i]
		if r.opensPattern(&a.first) || slices.ContainsFunc(a.segments[:], func(p pattern) bool { return r.opensPattern(&p) }) {
			return true
		}
	}
	return false
}

// couldMatch reports whether a template matches for some values of its open variables.
func (p *pattern) couldMatch(s string, r *Request) bool {
	var buf []byte
	for i := range p.parts {
		part := &p.parts[i]
		if part.key != "" && r.open(part.key) {
			buf = append(buf, anyRun)
			continue
		}
		one := pattern{kind: matchTemplate, parts: p.parts[i : i+1]}
		var ok bool
		if buf, ok = one.resolve(buf, r.Context); !ok {
			return false
		}
	}
	return glob(buf, s)
}
