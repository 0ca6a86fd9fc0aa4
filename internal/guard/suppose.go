package guard

import (
	"cmp"
	"strings"

	"tacet"
	"tacet/internal/policy"
)

// A supposition is a request that nobody makes, put to the real policies of the real
// directory and secret. It is neither recorded nor done.
type supposition struct {
	scope
	req Request
	job job
	// made says that the request was made once, so that what is not known of it was
	// mostly not there.
	made bool
	// apart says that a role's session is none of those that the resource's policy names.
	apart bool
}

// suppose prepares a supposition; ask is then given whoever is to be supposed. The error is
// that the vault that is asked about does not exist.
func (s *scope) suppose(asked Request) (*supposition, error) {
	p := &supposition{req: asked}
	if asked.Trust { // whose trust policy is found by the role's ARN
		p.req.Principal.Name = s.dir.arnOf(asked.Call.Account, asked.Principal)
	}
	p.job = job{dir: s.dir, snapshot: s.job.snapshot}
	p.scope = scope{g: s.g, ctx: s.ctx, job: &p.job, req: &p.req, now: s.now, dir: s.dir, tx: s.tx}
	return p, p.resolve(&tacet.Record{})
}

// ask returns what the policies are asked about an operation when somebody makes the
// request.
func (p *supposition) ask(sub subject, op tacet.Operation) (policy.Set, policy.Request) {
	p.req.Call.Caller, p.job.who = sub.caller, sub.who
	set, pr, _ := p.question(op)
	pr.Open = p.open
	return set, pr
}

// anySession stands for the name of a session that is not known.
const anySession = "*"

// open tells which condition keys are not known of a request that nobody has made: those
// that depend on from where, when and with what credential and parameters it will come. A
// key that Tacet never sets is known to be absent.
func (p *supposition) open(key string) bool {
	if len(p.req.values(key)) > 0 {
		return false
	}
	c := &p.req.Call.Caller
	session := c.Kind != tacet.CallerRoot && c.Kind != tacet.CallerFederated && c.Session == nil
	switch key {
	case "aws:currenttime", "aws:epochtime", "aws:sourceip", "aws:securetransport", "aws:useragent", "aws:referer":
		return !p.made
	case "aws:tokenissuetime", "aws:multifactorauthpresent":
		return session
	case "aws:sourceidentity", "aws:federatedprovider":
		return session && c.Kind == tacet.CallerRole
	case "aws:userid":
		return c.Kind == tacet.CallerRole && c.Name == anySession
	case "aws:tagkeys":
		return true
	case "secretsmanager:secretid", "secretsmanager:resource/type", "secretsmanager:secretprimaryregion":
		return false
	}
	prefix, rest, _ := strings.Cut(key, ":")
	switch {
	case strings.HasPrefix(rest, "requesttag/"):
		return true
	case strings.HasPrefix(rest, "resourcetag/"):
		return false
	case strings.HasPrefix(rest, "principaltag/"):
		// A session may bring tags of its own.
		return session && c.Kind == tacet.CallerRole && !p.hasTag(key)
	case prefix == "aws":
		return false
	case prefix == "iam" && rest == "permissionsboundary":
		return !p.has(key)
	case p.req.Operation == tacet.OpAssumeRoleWithWebIdentity:
		return true // what the token says
	}
	return prefix == "secretsmanager" || prefix == "iam" || prefix == "sts"
}

func (p *supposition) has(key string) bool {
	_, ok := (*conditions)(&p.scope).Value(key)
	return ok
}

func (p *supposition) hasTag(key string) bool {
	_, tag, _ := strings.Cut(key, "/")
	_, ok := tagValues(p.job.who.tags(), tag)
	return ok
}

// A subject is a principal that is supposed to ask.
type subject struct {
	caller tacet.Caller
	who    who
}

func (u *user) subject() subject { return subject{u.caller(""), who{user: u}} }

func (r *role) subject(session string) subject { return subject{r.caller(session), who{role: r}} }

// root is the root of an account, whether or not there is a user who stands for it.
func (d *directory) root(account string) subject {
	for _, u := range d.users {
		if u.Root && u.Account == account {
			return u.subject()
		}
	}
	return subject{caller: tacet.Caller{Kind: tacet.CallerRoot, Account: account, ID: account, ARN: "arn:aws:iam::" + account + ":root", Name: "root"}}
}

// subject finds a principal by its ARN or the ARN of a session, or one of an account by its
// unique id, the id of an access key, the client or object id of Azure's clients, "user/NAME", "role/NAME", "role/NAME/SESSION", "root"
// or NAME.
func (d *directory) subject(account, text string) (subject, error) {
	kind, name, path := "", text, strings.Split(text, "/")
	switch {
	case text == "root":
		return d.root(account), nil
	case strings.HasPrefix(text, "arn:aws:sts::"):
		a, tail, _ := strings.Cut(strings.TrimPrefix(text, "arn:aws:sts::"), ":")
		account, path = a, strings.Split(tail, "/")
		if path[0] == "assumed-role" {
			path[0] = "role"
		}
	case strings.HasPrefix(text, "arn:"):
		a, tail, ok := splitPrincipalARN(text)
		if ok && tail == "root" {
			return d.root(a), nil
		}
		return d.byARN(a, tail, text)
	}
	if len(path) > 1 {
		kind, name = path[0], path[1]
	}
	if u, ok := d.users[nameKey(account, name)]; ok && (kind == "user" && len(path) == 2 || kind == "") {
		if d.roles[nameKey(account, name)] != nil && kind == "" {
			return subject{}, tacet.Errorf(tacet.InvalidParameter, "%s is a user and a role: say user/%s or role/%s", name, name, name)
		}
		return u.subject(), nil
	}
	if r, ok := d.roles[nameKey(account, name)]; ok && (kind == "" || kind == "role" && len(path) <= 3) {
		if len(path) == 3 {
			return r.subject(path[2]), nil
		}
		return r.subject(anySession), nil
	}
	if sub, ok := d.subjectByID(text); ok && sub.caller.Account == account {
		return sub, nil
	}
	return subject{}, tacet.Errorf(tacet.PrincipalNotFound, "There is no user or role %s.", text)
}

// byARN finds the user or the role with exactly an ARN.
func (d *directory) byARN(account, tail, arn string) (subject, error) {
	kind, _, _ := strings.Cut(tail, "/")
	name := tail[strings.LastIndexByte(tail, '/')+1:]
	if u, ok := d.users[nameKey(account, name)]; ok && kind == "user" && u.arn == arn {
		return u.subject(), nil
	}
	if r := d.roleByARN(arn); r != nil && kind == "role" {
		return r.subject(anySession), nil
	}
	return subject{}, tacet.Errorf(tacet.PrincipalNotFound, "There is no user or role %s.", arn)
}

// subjectByID finds a principal by its unique id, with the session's name behind a role's,
// by the client or object id of Azure's clients, or by the id of an access key.
func (d *directory) subjectByID(id string) (subject, bool) {
	guid := strings.ToLower(id)
	id = cmp.Or(d.apps.clients[guid], d.apps.objects[guid], id)
	if k, ok := d.keys[id]; ok {
		if u, ok := d.users[nameKey(k.Account, k.User)]; ok {
			return u.subject(), true
		}
	}
	id, session, ok := strings.Cut(id, ":")
	if !ok {
		session = anySession
	}
	switch p := d.ids[id].(type) {
	case *user:
		return p.subject(), true
	case *role:
		return p.subject(session), true
	}
	return subject{}, false
}
