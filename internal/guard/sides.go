package guard

import (
	"cmp"
	"encoding/json"
	"slices"

	"tacet"
	"tacet/internal/policy"
)

// Whose policies an explanation may show: an account is told what its own say, of requests
// that its principals made and of those that were made of what it has.

// hider tells which policies somebody may not be shown.
type hider func(policy.Kind) bool

// hiderFor is for somebody of an account, of a request of a caller's on a resource's
// account.
func hiderFor(own, caller, resource string) hider {
	return func(k policy.Kind) bool {
		switch k {
		case policy.Resource, policy.Trust, policy.Assignment:
			return resource != own
		}
		return caller != own
	}
}

// leaveOut leaves out what is not to be shown: statements, and that one of them decided.
func (e *Explanation) leaveOut(hidden hider) {
	shown := func(t policy.Trace) bool {
		return !hidden(t.Role) && t.Policy == e.Decision.Policy && t.Statement == e.Decision.Statement
	}
	if !slices.ContainsFunc(e.Statements, shown) {
		e.Decision.Policy, e.Decision.Sid, e.Decision.Statement = "", "", 0
	}
	e.Statements = slices.DeleteFunc(e.Statements, func(t policy.Trace) bool { return hidden(t.Role) })
	e.Others = slices.DeleteFunc(e.Others, func(o policy.OtherActions) bool { return hidden(o.Role) })
	e.Left = 0 // it is not known whose they were
}

// sides tells what somebody of an account may be shown of a recorded request; none of it
// if it does not concern that account.
func sides(own string, rec *tacet.Record) (hidden hider, concerns bool) {
	resource := cmp.Or(accountOf(rec.Resource), rec.Account)
	return hiderFor(own, rec.CallerAcct, resource), rec.Account == own || rec.CallerAcct == own || resource == own
}

// shown is a record, parsed from its stored text, without what is hidden.
func (hidden hider) shown(rec *tacet.Record, stored []byte) (json.RawMessage, error) {
	if !hidden(policy.Identity) && !hidden(policy.Resource) {
		return stored, nil
	}
	out := *rec
	out.Policy = ""
	if rec.Why != nil {
		var why Explanation
		if err := json.Unmarshal(rec.Why, &why); err != nil {
			return nil, err
		}
		why.leaveOut(hidden)
		out.Policy = statementName(why.Decision)
		b, err := json.Marshal(why)
		if err != nil {
			return nil, err
		}
		out.Why = b
	}
	return out.AppendJSON(nil), nil
}
