package guard

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"tacet"
	"tacet/internal/policy"
)

// resolve finds the vault and the secret that the request means. A secret that does
// not exist is not an error here: whether the caller may know that is decided first.
func (s *scope) resolve(rec *tacet.Record) error {
	r := s.req
	account := r.Call.Account
	if r.Secret.Account != "" {
		account = r.Secret.Account
	}
	var known bool
	s.vault, known = s.dir.vault(account, r.Call.Region)
	if !known && account == r.Call.Account && r.Operation.OnSecrets() && r.Call.Vault == "" {
		return &tacet.Error{Code: tacet.VaultNotFound, Region: r.Call.Region}
	}
	if r.Operation.OnSecrets() && known { // one that does not exist stays as it was asked for
		rec.Vault = s.vault.Name
	}
	if r.Vault != "" {
		s.resource = vaultARN(r.Vault)
		rec.Resource = s.resource
	}
	if r.Secret.IsZero() {
		return nil
	}
	there := true
	if known && r.Secret.Shown != "" {
		name, err := s.shownName(s.vault.ID, r.Secret.Shown)
		if err != nil {
			return err
		}
		if there = name != ""; there {
			r.Secret.Name = name
		}
	}
	if known && there && (r.Secret.Region == "" || r.Secret.Region == r.Call.Region) {
		e, err := s.lookup(s.vault.ID, r.Secret.Name)
		if err != nil {
			return err
		}
		if s.existing = e; e != nil && !r.Create && (r.Secret.Suffix == "" || r.Secret.Suffix == e.secret.Suffix) {
			s.entry = e
			s.resource = e.secret.ARN(s.vault)
			rec.Resource = s.resource
			return nil
		}
	}
	// There is no such secret: the decision is about the name. A regional endpoint does
	// not know other regions' secrets, so an ARN of another region is not found either.
	s.resource = tacet.SecretARN(cmp.Or(r.Secret.Region, r.Call.Region), account, r.Secret.Name)
	rec.Resource = s.resource
	switch {
	case r.Create, r.OrCreate:
		s.resource += "-" + strings.Repeat("?", tacet.SuffixLength)
	case r.Secret.Suffix != "":
		s.resource += "-" + r.Secret.Suffix
	}
	return nil
}

// lookup finds the secret called name in a vault; nil when there is none, or when
// its time to be purged has come: then it is gone for everybody but the sweeper.
func (s *scope) lookup(vault tacet.VaultID, name string) (*entry, error) {
	e, err := s.source().entryOf(key{vault, name})
	if err != nil || e == nil {
		return nil, err
	}
	if e.secret.ScheduledForDeletion() && !s.now.Before(e.secret.PurgeAt) {
		return nil, nil
	}
	return e, nil
}

// decide resolves what is asked for and asks the policies. A refusal is a
// *tacet.Error of code Denied; rec takes the reason either way.
func (s *scope) decide(rec *tacet.Record) error {
	s.job.caller = s.req.Call.Caller
	s.job.who = s.dir.who(&s.job.caller)
	s.job.whole = s.job.whole || !s.req.Operation.OnSecrets() || s.req.Operation == tacet.OpValidateResourcePolicy ||
		s.req.Operation == tacet.OpGetResourcePolicy // which shows names
	if !s.job.who.known(&s.job.caller) {
		// It was good when the signature was checked, on this node. It may have been
		// taken away since, on any.
		return &tacet.Error{Code: tacet.CredentialInvalid}
	}
	if err := s.resolve(rec); err != nil {
		return err
	}
	switch c := &s.job.caller; {
	case s.req.Operation.Free():
		return nil // anyone who proved who he is may be told so, and be given it for a while
	case c.Session != nil && c.Kind != tacet.CallerRole && s.req.Operation.Service() == "iam":
		return &tacet.Error{Code: tacet.CredentialInvalid} // as at AWS, without a second factor
	case c.Session != nil && c.Kind != tacet.CallerRole && s.req.Operation.Service() == "sts" && s.req.Operation != tacet.OpAssumeRole:
		return tacet.Errorf(tacet.InvalidRequest, "Cannot call %s with session credentials", s.req.Operation)
	}
	if s.vault.Network.Deny && s.req.Operation.OnSecrets() {
		if err := s.admitted(rec); err != nil {
			return err
		}
	}
	if s.req.Becomes.Kind != "" {
		set, pr, _ := s.question(s.req.Operation)
		pr.Resource = s.dir.renamed(s.req)
		if err := s.settle(rec, s.req.Operation, &set, &pr, pr.Resource); err != nil {
			return err
		}
	}
	if err := s.decideOne(rec, s.decided()); err != nil {
		return err
	}
	if op := s.req.Operation.Needs(); op != "" {
		if err := s.decideOne(rec, op); err != nil {
			return err
		}
	}
	for _, op := range s.req.Also {
		if err := s.decideOne(rec, op); err != nil {
			return err
		}
	}
	if op := s.req.Operation.AmountsTo(); op != "" {
		if set, pr, _ := s.question(op); policy.Decide(&set, &pr).Reason.Explicit() {
			return s.decideOne(rec, op)
		}
	}
	if s.req.Call.Vault != "" && s.vault.ID == "" && s.req.Operation.OnSecrets() { // told to who might have had one
		return noVault(s.req.Call.Vault)
	}
	return nil
}

// decided is the operation that the request is decided as.
func (s *scope) decided() tacet.Operation {
	switch {
	case !s.req.OrCreate:
		return s.req.Operation
	case s.entry == nil:
		return tacet.OpCreateSecret
	}
	return tacet.OpPutSecretValue
}

// Allowed decides an operation that the request turned out to contain once it was seen
// what the secret is. The error is the refusal of the whole request.
func (tx *Tx) Allowed(op tacet.Operation) error { return tx.decideOne(tx.rec, op) }

// AddCondition is [Request.AddCondition], before [Tx.Allowed].
func (tx *Tx) AddCondition(key string, values ...string) { tx.req.AddCondition(key, values...) }

// decideOne decides one of the operations that a request comes to.
func (s *scope) decideOne(rec *tacet.Record, op tacet.Operation) error {
	set, pr, given := s.question(op)
	return s.settle(rec, op, &set, &pr, given)
}

// settle asks the policies, and tells the record what they say.
func (s *scope) settle(rec *tacet.Record, op tacet.Operation, set *policy.Set, pr *policy.Request, given string) error {
	if s.req.Principal.Kind != "" {
		rec.Resource = pr.Resource
	}
	d := policy.Decide(set, pr)
	if name := statementName(d); name != "" {
		rec.Policy = name
	}
	if d.Allowed {
		s.granted(d.Policy)
		return nil
	}
	rec.Reason, rec.Why = string(d.Reason), s.explain(op, pr.Resource, s.summarize(set, pr, d))
	refusal := s.refusal(rec, op, given, d.Reason)
	if a := s.dir.assignmentNamed(d.Policy); a != nil && d.Reason == tacet.DenyExplicitAssignment {
		refusal.Denial.Assignment = a.ID
	}
	return refusal
}

// granted tells who wants to know it by which role assignment the request is allowed.
func (s *scope) granted(policy string) {
	to := s.req.Call.Granted
	if to == nil {
		return
	}
	*to = ""
	if a := s.dir.assignmentNamed(policy); a != nil && !a.AccessPolicy() {
		*to = a.ID
	}
}

// question is what the policies are asked about an operation, and what the caller called
// its resource.
func (s *scope) question(op tacet.Operation) (set policy.Set, pr policy.Request, given string) {
	r, c := s.req, &s.req.Call.Caller
	pr = policy.Request{
		Caller: policy.Caller{Type: principalTypeOf(c), ARN: c.ARN, Account: c.Account, UserID: c.ID, Name: c.Name, Root: c.Kind == tacet.CallerRoot, RoleARN: c.Role,
			AnySession: c.Kind == tacet.CallerRole && c.Name == anySession},
		Actions:         op.Actions(),
		Resource:        "*",
		ResourceAccount: r.Call.Account,
		Context:         (*conditions)(s),
	}
	switch {
	case r.Principal.Kind != "":
		pr.Resource = s.dir.arnOf(r.Call.Account, r.Principal)
		if given = pr.Resource; r.Principal.Kind == tacet.KindAccessKey {
			given = "access key " + r.Principal.Name // whose it is, is not told
		}
		// What every deployment has may be read by whoever may read his own; nobody changes it.
		if account, _, ok := splitPrincipalARN(pr.Resource); ok && (account != builtinAccount || !op.ReadOnly()) {
			pr.ResourceAccount = account
		}
	case s.resource != "":
		pr.Resource, given = s.resource, r.Secret.Given
		if r.Vault != "" {
			given = s.resource
		} else if s.vault.Account != "" {
			pr.ResourceAccount = s.vault.Account
		} else if r.Secret.Account != "" {
			pr.ResourceAccount = r.Secret.Account
		}
	}
	if op.Operates() || r.Vault != "" {
		pr.ResourceAccount = s.administered(op)
	}
	if pr.ResourceAccount == "" && r.Call.Vault != "" { // a vault that does not exist: as in administered
		pr.ResourceAccount = s.dir.operator()
	}
	s.owner, s.seenCount = pr.ResourceAccount, 0
	return s.policies(), pr, given
}

// refusal is the error of a refused decision.
func (s *scope) refusal(rec *tacet.Record, op tacet.Operation, given string, why tacet.DenyReason) *tacet.Error {
	return &tacet.Error{Code: tacet.Denied, Denial: &tacet.Denial{ID: rec.ID, Caller: s.req.Call.Caller.ARN,
		Action: op.Action(), DataAction: op.DataAction(), Resource: given, Reason: why}}
}

// policies returns all the policies that have a say in the request.
func (s *scope) policies() policy.Set {
	c := &s.req.Call.Caller
	own := s.job.who.grants()
	set := policy.Set{Identity: own.docs, Boundary: own.boundary}
	if own.assigned != nil {
		set.Assigned = s.assigned(own.assigned)
	}
	if c.Session != nil && c.Session.HasPolicy() {
		set.HasSession, set.Session = true, s.sessionPolicies(c.Session)
	}
	switch {
	case s.req.Trust:
		set.Trust = true
		if r := s.dir.roleByARN(s.req.Principal.Name); r != nil {
			set.Resource = r.trust
		}
	case s.entry != nil:
		set.Resource = s.entry.policy
	}
	return set
}

// sessionPolicies compiles the policies of a session. With one that is gone, or that this
// version cannot read, there are none, and so the session may do nothing: what is missing
// may have been a Deny.
func (s *scope) sessionPolicies(sess *tacet.Session) []*policy.Document {
	docs := make([]*policy.Document, 0, len(sess.Policies)+len(sess.PolicyARNs))
	for _, text := range sess.Policies {
		doc := s.g.sessionDocument(text)
		if doc == nil {
			return nil
		}
		docs = append(docs, doc)
	}
	for _, arn := range sess.PolicyARNs {
		m := s.dir.managed(arn)
		if m == nil {
			return nil
		}
		docs = append(docs, m.doc)
	}
	return docs
}

// principalTypeOf is the type of principal that names a caller in policies.
func principalTypeOf(c *tacet.Caller) policy.PrincipalType {
	if c.Kind == tacet.CallerFederated {
		return policy.TypeFederated
	}
	return policy.TypeAWS
}

func statementName(d policy.Decision) string {
	if d.Policy == "" {
		return ""
	}
	if d.Sid != "" {
		return d.Policy + "/" + d.Sid
	}
	return d.Policy + "/" + strconv.Itoa(d.Statement)
}

// A seenKey is a condition key that was asked for: ten policies ask for the same.
type seenKey struct {
	name   string
	values []string
}

// conditions is the request context that policies' conditions look into, computed
// key by key on demand: most policies ask for none.
type conditions scope

// Value returns the values of a condition key; see [policy.Context].
func (c *conditions) Value(name string) ([]string, bool) {
	if v := c.req.values(name); len(v) > 0 {
		return v, true
	}
	for i := range c.seenCount {
		if c.seen[i].name == name {
			return c.seen[i].values, true
		}
	}
	if v, ok := c.global(name); ok {
		values := []string{v}
		if c.seenCount < len(c.seen) {
			c.seen[c.seenCount] = seenKey{name, values}
			c.seenCount++
		}
		return values, true
	}
	if tag, ok := strings.CutPrefix(name, "aws:principaltag/"); ok {
		return c.job.who.principalTag(&c.req.Call.Caller, tag)
	}
	if c.req.Principal.Kind != "" {
		return c.principalKey(name)
	}
	if c.entry == nil {
		return nil, false
	}
	sec := c.entry.secret
	switch name {
	case "secretsmanager:secretid":
		return one(c.resource)
	case "secretsmanager:resource/type":
		return one(sec.Type)
	case "secretsmanager:secretprimaryregion":
		return one(sec.PrimaryRegion)
	}
	for _, prefix := range []string{"aws:resourcetag/", "secretsmanager:resourcetag/"} {
		if tag, ok := strings.CutPrefix(name, prefix); ok {
			return tagValues(sec.Tags, tag)
		}
	}
	return nil, false
}

func one(v string) ([]string, bool) { return []string{v}, v != "" }

// principalKey returns the keys about the principal that an operation of identity is about.
func (c *conditions) principalKey(name string) ([]string, bool) {
	var tags []tacet.Tag
	boundary := ""
	account, ref := c.req.Call.Account, c.req.Principal
	switch ref.Kind {
	case tacet.KindUser, tacet.KindAccessKey:
		u := c.dir.users[nameKey(account, ref.Name)]
		if ref.Kind == tacet.KindAccessKey {
			u = c.dir.owner(account, ref.Name)
		}
		if u != nil {
			tags, boundary = u.Tags, u.Boundary
		}
	case tacet.KindRole:
		r := c.dir.roleByARN(ref.Name)
		if r == nil {
			r = c.dir.roles[nameKey(account, ref.Name)]
		}
		if r != nil {
			tags, boundary = r.Tags, r.Boundary
		}
	case tacet.KindPolicy:
		if p := c.dir.managed(ref.Name); p != nil {
			tags = p.Tags
		}
	case tacet.KindOIDCProvider:
		if p := c.dir.provider(ref.Name); p != nil {
			tags = p.Tags
		}
	}
	if name == "iam:permissionsboundary" && c.req.Operation.AboutGrants() {
		return one(boundary)
	}
	for _, prefix := range []string{"aws:resourcetag/", "iam:resourcetag/"} {
		if tag, ok := strings.CutPrefix(name, prefix); ok {
			return tagValues(tags, tag)
		}
	}
	return nil, false
}

// tagValues returns the values of every tag whose key is the one named in any case,
// as condition keys compare tag keys: a second spelling must not hide the first.
func tagValues(tags []tacet.Tag, key string) ([]string, bool) {
	var out []string
	key = strings.ToLower(key) // as AddCondition folds it: two foldings would be a gap
	for _, t := range tags {
		if strings.ToLower(t.Key) == key {
			out = append(out, t.Value)
		}
	}
	return out, out != nil
}

// values returns the values of a condition key that the request itself brought.
func (r *Request) values(name string) []string {
	if len(r.Conditions) == 0 {
		return nil
	}
	return r.Conditions[strings.ToLower(name)]
}

// global returns the keys that exist for every request.
func (c *conditions) global(name string) (string, bool) {
	call := &c.req.Call
	caller := &call.Caller
	if caller.Kind == tacet.CallerFederated && (strings.HasPrefix(name, "aws:principal") || name == "aws:userid") {
		return "", false // a token is of no account and of no principal
	}
	switch name {
	case "aws:principalarn":
		if caller.Role != "" {
			return caller.Role, true
		}
		return caller.ARN, true
	case "aws:principalaccount":
		return caller.Account, true
	case "aws:principaltype":
		return principalType(caller.Kind), true
	case "aws:userid":
		return caller.ID, true
	case "aws:username":
		return caller.Name, caller.Kind == tacet.CallerUser
	case "aws:sourceip":
		return call.SourceIP, call.SourceIP != ""
	case "aws:securetransport":
		return strconv.FormatBool(call.TLS != ""), true
	case "aws:currenttime":
		return c.now.UTC().Format(time.RFC3339), true
	case "aws:epochtime":
		return strconv.FormatInt(c.now.Unix(), 10), true
	case "aws:requestedregion":
		return call.Region, call.Region != ""
	case "aws:useragent":
		return call.UserAgent, call.UserAgent != ""
	case "aws:referer":
		return call.Referer, call.Referer != ""
	case "aws:tokenissuetime":
		return caller.Issued().UTC().Format(time.RFC3339), caller.Session != nil
	case "aws:multifactorauthpresent":
		return "false", caller.Session != nil // a long-term credential does not say
	case "aws:sourceidentity":
		if caller.Session == nil {
			return "", false
		}
		return caller.Session.SourceIdentity, caller.Session.SourceIdentity != ""
	case "aws:federatedprovider":
		if caller.Session == nil {
			return "", false
		}
		return caller.Session.Provider, caller.Session.Provider != ""
	case "aws:resourceaccount":
		return c.owner, c.owner != ""
	case "aws:viaawsservice", "aws:principalisawsservice":
		return "false", true
	}
	return "", false
}

func principalType(k tacet.CallerKind) string {
	switch k {
	case tacet.CallerRoot:
		return "Account"
	case tacet.CallerRole:
		return "AssumedRole"
	}
	return "User"
}

// sessionDocument returns a policy of a session, compiled; nil for a text that is no policy.
func (g *Guard) sessionDocument(text string) *policy.Document {
	doc, ok := g.documents.Get(text)
	if !ok {
		doc, _ = policy.Parse("session", policy.Session, []byte(text))
		g.documents.Put(text, doc)
	}
	return doc
}

// maxDocuments is how many compiled policies of sessions are remembered, twice over.
const maxDocuments = 1024
