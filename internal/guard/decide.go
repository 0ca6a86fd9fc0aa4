package guard

import (
	"cmp"
	"errors"
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
	if !known && account == r.Call.Account && r.Operation.Service() == "secretsmanager" {
		return &tacet.Error{Code: tacet.VaultNotFound, Region: r.Call.Region}
	}
	if r.Secret.IsZero() {
		return nil
	}
	if known && (r.Secret.Region == "" || r.Secret.Region == r.Call.Region) {
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
	case r.Create:
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
	s.job.whole = s.job.whole || s.req.Operation.Service() != "secretsmanager" || s.req.Operation == tacet.OpValidateResourcePolicy
	if key := s.req.Call.Caller.AccessKey; key != "" {
		// It was good when the signature was checked, on this node. It may have been
		// taken away since, on any.
		if c, ok := s.dir.credential(key); !ok || c.Caller.ID != s.req.Call.Caller.ID {
			return &tacet.Error{Code: tacet.CredentialInvalid}
		}
	}
	if err := s.resolve(rec); err != nil {
		return err
	}
	if s.req.Operation == tacet.OpGetCallerIdentity {
		return nil // anyone who proved who he is may be told so
	}
	if err := s.decideOne(rec, s.req.Operation); err != nil {
		return err
	}
	for _, op := range s.req.Also {
		if err := s.decideOne(rec, op); err != nil {
			return err
		}
	}
	for _, op := range s.req.Unless {
		if err := s.decideOne(rec, op); explicit(err) {
			return err
		}
	}
	rec.Reason = ""
	return nil
}

// explicit reports whether a refusal is a policy's own word, not the lack of a grant.
func explicit(err error) bool {
	var e *tacet.Error
	return errors.As(err, &e) && e.Denial != nil && e.Denial.Reason.Explicit()
}

func (s *scope) decideOne(rec *tacet.Record, op tacet.Operation) error {
	r, c := s.req, &s.req.Call.Caller
	pr := policy.Request{
		Caller:          policy.Caller{ARN: c.ARN, Account: c.Account, UserID: c.ID, Name: c.Name, Root: c.Kind == tacet.CallerRoot, RoleARN: c.Role},
		Actions:         op.Actions(),
		Resource:        "*",
		ResourceAccount: r.Call.Account,
		Context:         (*conditions)(s),
	}
	given := ""
	switch {
	case r.User != "" || r.AnyUser:
		pr.Resource = s.principal()
		given, rec.Resource = pr.Resource, pr.Resource
	case s.resource != "":
		pr.Resource, given = s.resource, r.Secret.Given
		if s.vault.Account != "" {
			pr.ResourceAccount = s.vault.Account
		} else if r.Secret.Account != "" {
			pr.ResourceAccount = r.Secret.Account
		}
	}
	set := policy.Set{Identity: s.dir.policies(c)}
	if s.entry != nil {
		set.Resource = s.entry.policy
	}
	d := policy.Decide(&set, &pr)
	if name := statementName(d); name != "" {
		rec.Policy = name
	}
	if d.Allowed {
		return nil
	}
	rec.Reason = string(d.Reason)
	return &tacet.Error{Code: tacet.Denied, Denial: &tacet.Denial{
		ID: rec.ID, Caller: c.ARN, Action: op.Action(), Resource: given, Reason: d.Reason,
	}}
}

// principal is the ARN of the user that an operation of identity is about.
func (s *scope) principal() string {
	account := s.req.Call.Account
	if s.req.AnyUser {
		return "arn:aws:iam::" + account + ":user/*"
	}
	if u, ok := s.dir.users[userKey(account, s.req.User)]; ok {
		return u.ARN()
	}
	u := tacet.User{Account: account, Path: cmp.Or(s.req.UserPath, "/"), Name: s.req.User}
	return u.ARN()
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

// conditions is the request context that policies' conditions look into, computed
// key by key on demand: most policies ask for none.
type conditions scope

// Value returns the values of a condition key; see [policy.Context].
func (c *conditions) Value(name string) ([]string, bool) {
	if v := c.req.values(name); len(v) > 0 {
		return v, true
	}
	if v, ok := c.global(name); ok {
		return []string{v}, true
	}
	if tag, ok := strings.CutPrefix(name, "aws:principaltag/"); ok {
		return c.dir.principalTag(&c.req.Call.Caller, tag)
	}
	if c.entry == nil {
		return nil, false
	}
	sec := c.entry.secret
	one := func(v string) ([]string, bool) { return []string{v}, v != "" }
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
	case "aws:tokenissuetime":
		return caller.Issued.UTC().Format(time.RFC3339), !caller.Issued.IsZero()
	case "aws:viaawsservice":
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
