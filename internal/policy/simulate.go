package policy

import (
	"slices"
	"strings"
)

// A Simulation is a decision with what came to it (AWS IAM, EvaluationResult).
type Simulation struct {
	Decision Decision
	// Matched are the statements that decided: the ones that deny, or else all that
	// allow. None of them did in what is refused for want of one.
	Matched []Match
	// Missing are condition keys on which statements about the request depend and that it
	// does not have.
	Missing []string
	// Bounded says that there is a boundary, and Within that it allows the request.
	Bounded, Within bool
}

// A Match is a statement that matched and where it stands in its document's text.
type Match struct {
	Document   *Document
	Start, End Position
}

// A Position is a place in a text. Both count from 1; Column is in characters.
type Position struct{ Line, Column int }

// after returns the position behind text that begins at p.
func (p Position) after(text []byte) Position {
	for _, c := range string(text) {
		if p.Column++; c == '\n' {
			p = Position{p.Line + 1, 1}
		}
	}
	return p
}

// Simulate is [Decide] with what came to it.
func Simulate(s *Set, r *Request) Simulation {
	out := Simulation{Decision: Decide(s, r), Bounded: s.Boundary != nil, Within: s.boundaryAllows(r)}
	effect := Allow
	if out.Decision.Reason.Explicit() {
		effect = Deny
	}
	possible := *r
	possible.taking = asMet
	possible.Open = func(key string) bool { return len(lookup(r.Context, key)) == 0 }
	atHome := r.Caller.Account == r.ResourceAccount && !s.trust()
	granting := append(slices.Clone(s.Identity), s.Resource)
	for n, d := range append(granting, s.Boundary) {
		limits := n == len(granting)
		if d == nil || limits && slices.Contains(granting, d) {
			continue
		}
		for i := range d.statements {
			st := &d.statements[i]
			if _, failed := st.match(&possible); failed == matched {
				out.missing(st, &possible)
			}
			if st.effect != effect || effect == Allow && (!out.Decision.Allowed || limits) {
				continue
			}
			// At home the name of the account leaves it to the identity policies.
			if how, failed := st.match(r); failed == matched && (effect == Deny || how != toAccount || !atHome) {
				out.Matched = append(out.Matched, Match{d, st.start, st.end})
			}
		}
	}
	return out
}

// missing notes the keys that a statement looks at and that are open.
func (s *Simulation) missing(st *statement, r *Request) {
	note := func(key string) {
		if !slices.ContainsFunc(s.Missing, func(k string) bool { return strings.EqualFold(k, key) }) {
			s.Missing = append(s.Missing, key)
		}
	}
	variables := func(list ...pattern) {
		for i := range list {
			for _, p := range list[i].parts {
				if p.key != "" && r.open(p.key) {
					note(p.key)
				}
			}
		}
	}
	variables(st.resources...)
	for i := range st.conditions {
		c := &st.conditions[i]
		if r.open(c.ask) {
			note(c.key)
		}
		variables(c.texts...)
		for j := range c.arns {
			variables(c.arns[j].first)
			variables(c.arns[j].segments[:]...)
		}
	}
}

// locate notes where the statements stand in the text that they were read from.
func (d *Document) locate(text []byte, statements []node) {
	at, pos := 0, Position{1, 1}
	move := func(to int) Position {
		pos = pos.after(text[at:to])
		at = to
		return pos
	}
	for i := range d.statements {
		d.statements[i].start, d.statements[i].end = move(statements[i].start), move(statements[i].end)
	}
}
