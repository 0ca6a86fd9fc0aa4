package guard

import (
	"encoding/json"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/policy"
)

// An Explanation says what was decided and how the policies came to it.
type Explanation struct {
	// Action and Resource are what the policies were asked about. DataAction is Azure's name
	// of the action, if it has one.
	Action     string `json:"action"`
	DataAction string `json:"dataAction,omitempty"`
	Resource   string `json:"resource"`
	// AccessPolicies says that the vault goes by access policies, and Network that its
	// network rules let in some addresses only.
	AccessPolicies bool `json:"accessPolicies,omitempty"`
	Network        bool `json:"network,omitempty"`
	policy.Summary
}

func (s *scope) explanation(op tacet.Operation, resource string, sum policy.Summary) Explanation {
	return Explanation{op.Action(), op.DataAction(), resource, s.vault.AccessPolicies, s.vault.Network.Deny && op.OnSecrets(), sum}
}

// explain is the explanation of a decision, for its record. It is made for refusals only:
// what is allowed is recorded with the name of the statement alone.
func (s *scope) explain(op tacet.Operation, resource string, sum policy.Summary) json.RawMessage {
	b, err := json.Marshal(s.explanation(op, resource, sum))
	if err != nil { // texts and numbers: cannot be
		return nil
	}
	return b
}

// summarize is [policy.Summarize] with what comes near to granting what was refused.
func (s *scope) summarize(set *policy.Set, pr *policy.Request, d policy.Decision) policy.Summary {
	if near := s.nearby(); len(near) > 0 && !d.Allowed {
		wider := *set
		wider.Assigned = append(slices.Clip(set.Assigned), slices.DeleteFunc(near, func(d *policy.Document) bool { return slices.Contains(set.Assigned, d) })...)
		set = &wider
	}
	return policy.Summarize(set, pr, d)
}

// An Answer says whether a request would be allowed.
type Answer string

// The answers.
const (
	Allowed     Answer = "allowed"
	Denied      Answer = "denied"
	Conditional Answer = "conditional" // it depends on conditions of which nothing is known
)

// A Verdict is what the policies would say of a request.
type Verdict struct {
	Principal string `json:"principal"` // ARN
	Answer    Answer `json:"answer"`
	// Missing says that there is no such secret or role to assume: what was decided is a
	// request for its name.
	Missing bool `json:"missing,omitempty"`
	// Networks are those that the caller must come from, if that is not known.
	Networks []string `json:"networks,omitempty"`
	// Rule is what decides beside the policies.
	Rule Rule `json:"rule,omitempty"`
	// Deleted are the unique ids of principals whom the resource's policy names and who are no
	// more: one who was made again under the name of such a one is not let in for him.
	Deleted []string `json:"deleted,omitempty"`
	Explanation
}

// Simulate tells what the policies say of a request of a principal's, which is named as
// [directory.subject] takes it. Of a principal of another account than the caller's the
// identity policies have their say, and are not shown.
//
// Errors: PrincipalNotFound, InvalidParameter (a name of two principals), VaultNotFound.
func (s *Snapshot) Simulate(principal string, asked Request) (Verdict, error) {
	sub, err := s.dir.subject(s.req.Call.Account, principal)
	if err != nil {
		return Verdict{}, err
	}
	p, err := s.suppose(asked)
	if err != nil {
		return Verdict{}, err
	}
	return s.verdict(p, sub), nil
}

func (s *scope) verdict(p *supposition, sub subject) Verdict {
	all, i := p.foretell(sub)
	f := &all[i]
	v := Verdict{Principal: f.req.Caller.ARN, Answer: f.answer(), Missing: p.missing()}
	if p.req.Operation.Free() {
		v.Answer, v.Rule, v.Explanation = Allowed, RuleAnyone, p.explanation(f.op, f.req.Resource, policy.Summary{Decision: policy.Decision{Allowed: true}})
		return v
	}
	if p.shutOut() {
		v.Answer, v.Explanation = Denied, p.explanation(p.req.Operation, f.req.Resource, byNetwork)
		return v
	}
	d := f.Best
	if v.Answer != Conditional {
		d = f.Worst
	}
	v.Explanation = p.explanation(f.op, f.req.Resource, p.summarize(&f.set, &f.req, d))
	if own := s.req.Call.Caller.Account; s.foreign(sub) || f.req.ResourceAccount != own {
		v.leaveOut(hiderFor(own, sub.caller.Account, f.req.ResourceAccount))
	}
	if f.req.ResourceAccount == s.req.Call.Caller.Account {
		v.Deleted = s.dir.deletedIn(f.set.Resource)
	}
	if v.Answer == Denied {
		return v
	}
	switch v.Rule, v.Networks = p.rule(sub), p.networks(); {
	case v.Rule == RuleNotRoot:
		v.Answer, v.Networks = Denied, nil
	case v.Rule != "", v.Networks != nil:
		v.Answer = Conditional
	}
	return v
}

// byNetwork is the decision of a vault's network rules, which comes before any policy.
var byNetwork = policy.Summary{Decision: policy.Decision{Reason: tacet.DenyNetwork}}

// missing reports whether the supposed request is about a secret, or for a session of a
// role, that does not exist.
func (p *supposition) missing() bool {
	if p.req.Trust {
		return p.dir.roleByARN(p.req.Principal.Name) == nil
	}
	return !p.req.Secret.IsZero() && !p.req.Create && !p.req.OrCreate && p.entry == nil
}

// foreign reports whether somebody is of another account than he who wants to know.
func (s *scope) foreign(sub subject) bool { return sub.caller.Account != s.req.Call.Caller.Account }

// An Explained record is a recorded request with what is to be said of it.
type Explained struct {
	Seq    int64           `json:"seq"`
	Record json.RawMessage `json:"record"`
	// Today is what the policies say of the same request now, nil when it cannot be asked
	// again, for which Problem gives the reason.
	Today   *Verdict `json:"today,omitempty"`
	Problem string   `json:"problem,omitempty"`
}

// ExplainRecord finds the record that an id names, as [scope.FindRecord] does, if the
// caller's account made the request or has what it was about, and asks today's policies the
// same again. Another account's policies are left out. It returns nil when there is none.
func (s *Snapshot) ExplainRecord(id string) (*Explained, error) {
	stored, err := s.FindRecord(id)
	if err != nil || stored == nil {
		return nil, err
	}
	rec, err := tacet.ParseRecord(stored.Body)
	if err != nil {
		return nil, err
	}
	hidden, concerns := sides(s.req.Call.Caller.Account, rec)
	if !concerns {
		return nil, nil // as if there were none
	}
	out := &Explained{Seq: stored.Seq}
	if out.Record, err = hidden.shown(rec, stored.Body); err != nil {
		return nil, err
	}
	out.Today, out.Problem = s.today(rec)
	return out, nil
}

// today asks what a record is of again.
func (s *scope) today(rec *tacet.Record) (*Verdict, string) {
	if rec.CallerKind == "" {
		return nil, "nobody said who he was"
	}
	if rec.CallerKind == tacet.CallerSystem || rec.Event {
		return nil, "it is Tacet's own work, which no policy decides"
	}
	var why Explanation
	if rec.Why != nil {
		if err := json.Unmarshal(rec.Why, &why); err != nil {
			return nil, "its explanation is not one that this version reads"
		}
	} else {
		why.Action, why.Resource = rec.Operation.Action(), rec.Resource
	}
	op, ok := rec.Operation, true
	if op.Action() != why.Action && op.AmountsTo().Action() != why.Action { // it was decided as another
		op, ok = tacet.OperationNamed(why.Action)
	}
	if !ok {
		return nil, "this version does not know the operation " + string(rec.Operation)
	}
	if op.Free() {
		return nil, "whoever is authenticated may do this"
	}
	sub, ok := s.dir.recorded(rec)
	if !ok {
		return nil, rec.Caller + " does not exist any more"
	}
	asked, ok := About(tacet.Call{Account: rec.Account, Region: rec.Region, Face: rec.Face, SourceIP: rec.SourceIP, UserAgent: rec.UserAgent,
		TLS: rec.TLS, Cipher: rec.Cipher, Host: rec.Host}, op, why.Resource)
	if !ok {
		return nil, "the record does not say what exactly was asked for"
	}
	for _, t := range why.Statements {
		for _, c := range t.Conditions {
			asked.keep(c)
		}
	}
	p, err := s.suppose(asked)
	if err != nil {
		return nil, "the vault does not exist any more"
	}
	p.made = true
	v := s.verdict(p, sub)
	if v.Answer != Denied && limited(&why) {
		return nil, "the session had a policy of its own, which is not kept"
	}
	return &v, ""
}

// limited reports whether a policy of the caller's session had a say in a decision.
func limited(e *Explanation) bool {
	return e.Decision.Reason == tacet.DenyImplicitSession ||
		slices.ContainsFunc(e.Statements, func(t policy.Trace) bool { return t.Role == policy.Session }) ||
		slices.ContainsFunc(e.Others, func(o policy.OtherActions) bool { return o.Role == policy.Session })
}

// keep takes a condition key's values over from a request that was made, if they are the
// request's own: what concerns the principal and the secret is looked at anew.
func (r *Request) keep(c policy.ConditionTrace) {
	key := strings.ToLower(c.Key)
	_, name, _ := strings.Cut(key, ":")
	switch {
	case c.Left > 0, len(r.Conditions[key]) > 0, strings.HasPrefix(c.Operator, "Binary"):
	case strings.HasPrefix(name, "principal"), strings.HasPrefix(name, "resource"), strings.HasPrefix(name, "user"),
		name == "currenttime", name == "epochtime", name == "secretid":
	case len(c.Had) > 0:
		r.AddCondition(key, c.Had...)
	}
}

// recorded is who made a recorded request.
func (d *directory) recorded(rec *tacet.Record) (subject, bool) {
	if rec.CallerKind == tacet.CallerFederated {
		return subject{caller: tacet.Caller{Kind: rec.CallerKind, Account: rec.CallerAcct, ID: rec.CallerID, ARN: rec.Caller, Name: rec.CallerName}}, true
	}
	if sub, ok := d.subjectByID(rec.CallerID); ok {
		return sub, true
	}
	return d.root(rec.CallerAcct), rec.CallerKind == tacet.CallerRoot
}

// About makes the request for an operation on a resource, which is given as an ARN, the
// name of a secret, "role/NAME" or the like for another thing of the account, "vault/NAME",
// or "*" or "" for none. It reports false for what is none of these.
func About(call tacet.Call, op tacet.Operation, resource string) (Request, bool) {
	r := Request{Call: call, Operation: op, Create: op == tacet.OpCreateSecret, OrCreate: op == tacet.OpSetSecret}
	if resource == "" || resource == "*" {
		return r, true
	}
	if name, ok := strings.CutPrefix(resource, vaultARN("")); ok {
		r.Vault = name
		return r, name != ""
	}
	if account, tail, ok := splitPrincipalARN(resource); ok {
		kind, _, ok := strings.Cut(tail, "/")
		r.Principal = PrincipalRef{Kind: tacet.PrincipalKind(kind), Name: resource}
		r.Trust = op.Service() == "sts"
		return r, ok && account != "" && r.Principal.Kind.Known()
	}
	if kind, name, ok := strings.Cut(resource, "/"); ok && tacet.PrincipalKind(kind).Known() && op.Service() != "secretsmanager" {
		r.Principal = PrincipalRef{Kind: tacet.PrincipalKind(kind), Name: name}
		r.Trust = op.Service() == "sts"
		return r, name != ""
	}
	if name, ok := strings.CutPrefix(resource, "vault/"); ok && !op.OnSecrets() {
		r.Vault = name
		return r, name != ""
	}
	var ok bool
	if r.Create || r.OrCreate {
		// The suffix is not chosen yet, and a record shows that.
		resource = strings.TrimSuffix(resource, "-"+strings.Repeat("?", tacet.SuffixLength))
	}
	r.Secret, ok = tacet.ParseSecretID(resource)
	return r, ok
}
