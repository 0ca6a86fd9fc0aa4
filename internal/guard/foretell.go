package guard

import (
	"tacet"
	"tacet/internal/policy"
)

// A Rule is what has a say in a request beside all policies.
type Rule string

// The rules.
const (
	// RuleAnyone: whoever is authenticated may.
	RuleAnyone Rule = "anyone"
	// RuleNotRoot: an account's root may not, whatever the policies say.
	RuleNotRoot Rule = "not-root"
	// RuleOtherFace: a caller of another account may through Key Vault's API only. To AWS's
	// a value is under its account's default key, which is for that account alone, and a
	// listing is of the caller's own account.
	RuleOtherFace Rule = "key-vault-only"
)

// A part is one of the decisions that a request comes to.
type part struct {
	op tacet.Operation
	// unless says that no grant is needed: an explicit deny refuses.
	unless bool
}

// parts are the decisions of a supposed request, apart from those that hang on its
// parameters.
func (p *supposition) parts() []part {
	out := []part{{op: p.decided()}}
	if op := p.req.Operation.Needs(); op != "" {
		out = append(out, part{op: op})
	}
	if op := p.req.Operation.AmountsTo(); op != "" {
		out = append(out, part{op: op, unless: true})
	}
	return out
}

// A forecast is how one part would be decided.
type forecast struct {
	part
	set policy.Set
	req policy.Request
	policy.Outlook
}

func (p *supposition) forecast(sub subject, part part) forecast {
	f := forecast{part: part}
	f.set, f.req = p.ask(sub, part.op)
	f.req.Caller.AnySession = f.req.Caller.AnySession && !p.apart
	f.req.Caller.Anonymous = sub.caller.ARN == "*"
	f.Outlook = policy.Foresee(&f.set, &f.req)
	return f
}

// onlyNamed reports whether no session of a role may, but those that the resource's policy
// names, which are listed by themselves.
func (p *supposition) onlyNamed(sub subject) bool {
	if sub.caller.Name != anySession {
		return false
	}
	p.apart = true
	defer func() { p.apart = false }()
	all, i := p.foretell(sub)
	return all[i].answer() == Denied
}

func (f *forecast) answer() Answer {
	best, worst := f.Best.Allowed, f.Worst.Allowed
	if f.unless {
		best, worst = !f.Best.Reason.Explicit(), !f.Worst.Reason.Explicit()
	}
	switch {
	case !best:
		return Denied
	case !worst:
		return Conditional
	}
	return Allowed
}

// foretell forecasts every part of the request, and returns the one that settles the
// answer: the first that refuses, else the first that depends on something, else the first.
func (p *supposition) foretell(sub subject) (all []forecast, settles int) {
	rank := map[Answer]int{Denied: 2, Conditional: 1}
	for i, part := range p.parts() {
		all = append(all, p.forecast(sub, part))
		if rank[all[i].answer()] > rank[all[settles].answer()] {
			settles = i
		}
	}
	return all, settles
}

// rule is what has a say beside the policies when they let somebody, "" for nothing.
func (p *supposition) rule(sub subject) Rule {
	switch op := p.req.Operation; {
	case op == tacet.OpAssumeRole && sub.caller.Kind == tacet.CallerRoot:
		return RuleNotRoot
	case p.req.Call.Face == faceAzure || sub.caller.Account == p.vault.Account || p.vault.ID == "":
	case op == tacet.OpGetSecretValue, op == tacet.OpPutSecretValue, op == tacet.OpListSecrets:
		return RuleOtherFace
	}
	return ""
}

// faceAzure is what calls name Key Vault's API.
const faceAzure = "azure"

// networks returns the networks that the vault lets callers of the request come from, if
// it is not known whether this one does.
func (p *supposition) networks() []string {
	if _, known := p.from(); known || !p.restricted() {
		return nil
	}
	var out []string
	for _, n := range p.vault.Network.Allowed {
		out = append(out, n.String())
	}
	return out
}

// shutOut reports whether the vault's network rules refuse the request wherever it comes
// from, or from where it is known to come.
func (p *supposition) shutOut() bool {
	if !p.restricted() {
		return false
	}
	from, known := p.from()
	return known && !p.vault.Network.Admits(from) || len(p.vault.Network.Allowed) == 0
}

// restricted reports whether the vault's network rules have a say in the request.
func (p *supposition) restricted() bool { return p.vault.Network.Deny && p.req.Operation.OnSecrets() }

// from is the address that the request comes from, if it is known.
func (p *supposition) from() (string, bool) {
	from, _ := (*conditions)(&p.scope).Value("aws:sourceip")
	if len(from) == 0 {
		return "", false
	}
	return from[0], true
}
