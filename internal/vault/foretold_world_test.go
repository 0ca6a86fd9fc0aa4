package vault_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/vault"
)

// world is a small directory in which everything that can be granted or refused is granted
// or refused at random: policies of every kind, groups, boundaries, trust, what the vault
// assigns and whom its network lets in.
type world struct {
	*house
	r        *rand.Rand
	uids     map[string]string      // unique ids by name; they stay from one drawing to the next
	secrets  []string               // names
	suffixes map[string]string      // of the secrets' ARNs
	tags     map[string][]tacet.Tag // of the secrets
	people   []person
}

// person is a principal as questions name him, and a request of his.
type person struct {
	name string
	arn  string
	call tacet.Call
}

const worldUsers, worldRoles, worldGroups, worldPolicies = 3, 2, 2, 3

func newWorld(h *house, r *rand.Rand) *world {
	w := &world{house: h, r: r, uids: map[string]string{}, secrets: []string{"app/db", "web-db", "u0-key"}, suffixes: map[string]string{}, tags: map[string][]tacet.Tag{}}
	h.stranger()
	for i, name := range w.secrets {
		in := vault.CreateSecretInput{Name: name, Token: token(1), Value: text("1")}
		if i < 2 {
			in.Tags = []tacet.Tag{{Key: "team", Value: name[:3]}}
			w.tags[name] = in.Tags
		}
		out, err := h.vault.CreateSecret(h.ctx, h.admin, in)
		h.must(err)
		w.suffixes[name] = out.ARN[len(out.ARN)-tacet.SuffixLength:]
	}
	return w
}

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// chance is true in so many of a hundred cases.
func (w *world) chance(percent int) bool { return w.r.IntN(100) < percent }

// id is the unique id of what has a name.
func (w *world) id(tx *guard.Tx, prefix, name string) string {
	if w.uids[name] == "" {
		w.uids[name] = tx.NewUniqueID(prefix)
	}
	return w.uids[name]
}

// draw makes everything anew.
func (w *world) draw() {
	w.Helper()
	w.population(func(tx *guard.Tx) error {
		for _, step := range []func(*guard.Tx) error{w.drawGroups, w.drawUsers, w.drawRoles, w.drawVault} {
			if err := step(tx); err != nil {
				return err
			}
		}
		return nil
	})
	for _, name := range w.secrets {
		doc := ""
		if w.chance(50) {
			doc = w.document(true)
		}
		w.setSecretPolicy(name, doc)
	}
	w.cast()
}

// setSecretPolicy puts a policy at a secret as if whoever may had done it.
func (w *world) setSecretPolicy(name, doc string) {
	w.Helper()
	r := guard.Request{Call: tacet.Call{Account: account, Region: "us-east-1"}, Operation: tacet.OpBootstrap, Secret: tacet.NameRef(name)}
	_, err := guard.System(w.ctx, w.guard, r, func(tx *guard.Tx) (struct{}, error) {
		sec, err := tx.Secret()
		if err != nil {
			return struct{}{}, err
		}
		sec = sec.Clone()
		sec.Policy = doc
		return struct{}{}, tx.PutSecret(sec)
	})
	w.must(err)
}

func (w *world) grantee(tx *guard.Tx, prefix, acct, name string) tacet.Grantee {
	g := tacet.Grantee{ID: w.id(tx, prefix, acct+name), Account: acct, Path: "/", Name: name, Created: tx.Now(), Policies: map[string]string{}}
	for i := range w.r.IntN(3) {
		g.Policies[fmt.Sprint("p", i)] = w.document(false)
	}
	if acct == account && w.chance(40) {
		g.Attached = []string{policyARN(w.r.IntN(worldPolicies))}
	}
	return g
}

func policyARN(i int) string { return fmt.Sprintf("arn:aws:iam::%s:policy/m%d", account, i) }

func (w *world) drawGroups(tx *guard.Tx) error {
	for i := range worldPolicies {
		name := fmt.Sprint("m", i)
		if err := tx.PutManagedPolicy(tacet.ManagedPolicy{ID: w.id(tx, "ANPA", name), Account: account, Path: "/", Name: name, Created: tx.Now(),
			Default: "v1", NextVersion: 2, Versions: []tacet.PolicyVersion{{ID: "v1", Document: w.document(false)}}}); err != nil {
			return err
		}
	}
	for i := range worldGroups {
		if err := tx.PutGroup(tacet.Group{Grantee: w.grantee(tx, "AGPA", account, fmt.Sprint("g", i))}); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) drawUsers(tx *guard.Tx) error {
	for i := range worldUsers + 1 {
		acct := account
		if i == worldUsers {
			acct = otherAccount
		}
		u := tacet.User{Grantee: w.grantee(tx, "AIDA", acct, fmt.Sprint("u", i))}
		if w.chance(60) {
			u.Tags = []tacet.Tag{{Key: "team", Value: one(w.r, "app", "web")}}
		}
		if acct == account {
			for g := range worldGroups {
				if w.chance(40) {
					u.Groups = append(u.Groups, w.uids[fmt.Sprint(account, "g", g)])
				}
			}
			if w.chance(25) {
				u.Boundary = policyARN(w.r.IntN(worldPolicies))
			}
		}
		if err := tx.PutUser(u); err != nil {
			return err
		}
		k := tacet.AccessKey{ID: w.id(tx, "AKIA", "key"+u.Name), Account: acct, User: u.Name, Created: tx.Now()}
		if err := tx.PutAccessKey(k, tacet.NewPlaintext([]byte("secret"))); err != nil {
			return err
		}
	}
	root := tacet.User{Grantee: tacet.Grantee{ID: w.id(tx, "AIDA", "root"), Account: account, Path: "/", Name: "root", Created: tx.Now()}, Root: true}
	if err := tx.PutUser(root); err != nil {
		return err
	}
	return tx.PutAccessKey(tacet.AccessKey{ID: w.id(tx, "AKIA", "keyroot"), Account: account, User: "root", Created: tx.Now()}, tacet.NewPlaintext([]byte("secret")))
}

func (w *world) drawRoles(tx *guard.Tx) error {
	for i := range worldRoles {
		r := tacet.Role{Grantee: w.grantee(tx, "AROA", account, fmt.Sprint("r", i)), Trust: w.trust(), MaxSession: 3600}
		if w.chance(50) {
			r.Tags = []tacet.Tag{{Key: "team", Value: one(w.r, "app", "web")}}
		}
		if w.chance(25) {
			r.Boundary = policyARN(w.r.IntN(worldPolicies))
		}
		if err := tx.PutRole(r); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) drawVault(tx *guard.Tx) error {
	v, err := tx.Named("main")
	if err != nil {
		return err
	}
	v.AccessPolicies, v.Network = w.chance(30), tacet.NetworkRules{Deny: w.chance(30)}
	if v.Network.Deny && w.chance(90) {
		v.Network.Allowed = []netip.Prefix{netip.MustParsePrefix(one(w.r, "10.0.0.0/8", "192.0.2.0/24", "10.0.0.1/32"))}
	}
	tx.PutVault(v)
	for _, a := range tx.Assignments("") {
		if err := tx.DeleteAssignment(a.ID); err != nil {
			return err
		}
	}
	for range w.r.IntN(6) {
		a := tacet.Assignment{Vault: v.ID, Principal: w.uids[one(w.r, account+"u0", account+"u1", account+"g0", account+"r0", otherAccount+"u3")], Created: tx.Now()}
		if w.chance(25) {
			a.Permissions = one(w.r, []string{"get", "list"}, []string{"set"}, []string{"delete", "get"})
		} else {
			a.Role = one(w.r, "4633458b-17de-408a-b874-0445c86b69e6", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "21090545-7ca7-4776-b22c-e363652d74d2")
			a.Deny, a.Secret = w.chance(25), one(w.r, "", "app/db", "web-db")
		}
		a.ID = tacet.AssignmentID(&a)
		if err := tx.PutAssignment(a); err != nil {
			return err
		}
	}
	return nil
}

// cast is everybody who may be asked about, with a request of his.
func (w *world) cast() {
	w.people = nil
	for i := range worldUsers {
		name := fmt.Sprint("u", i)
		w.people = append(w.people, person{name, "arn:aws:iam::" + account + ":user/" + name, w.callAs(w.uids["key"+name])})
	}
	foreign := "arn:aws:iam::" + otherAccount + ":user/u3"
	w.people = append(w.people, person{foreign, foreign, w.callAs(w.uids["keyu3"])},
		person{"root", "arn:aws:iam::" + account + ":root", w.callAs(w.uids["keyroot"])})
	for i := range worldRoles {
		name := fmt.Sprint("r", i)
		arn := "arn:aws:iam::" + account + ":role/" + name
		for _, session := range []string{"s1", "s2"} {
			c := w.admin
			id := w.uids[account+name]
			c.Caller = tacet.Caller{Kind: tacet.CallerRole, Account: account, ID: id + ":" + session, ARN: "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + session,
				Name: session, Role: arn, AccessKey: "ASIAAAAAAAAAAAAAAAAA",
				Session: &tacet.Session{AccessKey: "ASIAAAAAAAAAAAAAAAAA", Principal: id, Name: session, Issued: w.now().Add(-time.Minute), Expires: w.now().Add(time.Hour)}}
			w.people = append(w.people, person{"role/" + name, arn, c})
		}
	}
}

// worldConditions are what statements ask for; some of it only the request decides.
var worldConditions = []string{
	`"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`, `"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}`, `"Bool":{"aws:SecureTransport":"true"}`,
	`"StringEquals":{"aws:PrincipalTag/team":"app"}`, `"StringEquals":{"aws:ResourceTag/team":"app"}`, `"StringNotEquals":{"secretsmanager:ResourceTag/team":"web"}`,
	`"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}`, `"StringEquals":{"aws:PrincipalTag/team":["${aws:ResourceTag/team}","web"]}`,
	`"StringEquals":{"secretsmanager:VersionStage":"AWSCURRENT"}`, `"StringEqualsIfExists":{"secretsmanager:VersionStage":"AWSPREVIOUS"}`,
	`"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`, `"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`,
	`"Null":{"aws:TokenIssueTime":"true"}`, `"DateLessThan":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}`, `"StringLike":{"aws:userid":"*:s1"}`,
	`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/u*"}`, `"StringEquals":{"aws:username":"u0"}`, `"StringEquals":{"aws:PrincipalAccount":"` + account + `"}`,
	`"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}`, `"StringEquals":{"sts:RoleSessionName":"s1"}`, `"StringEquals":{"sts:ExternalId":"x"}`,
	`"StringEquals":{"aws:PrincipalOrgID":"o-x"}`, `"Null":{"aws:PrincipalTag/team":"true"}`, `"ForAllValues:StringEquals":{"aws:TagKeys":"team"}`,
}

// document draws a policy, for a secret with principals.
func (w *world) document(resource bool) string {
	var out []string
	for range 1 + w.r.IntN(3) {
		s := `"Effect":"` + one(w.r, "Allow", "Allow", "Allow", "Deny") + `"`
		if resource {
			s += "," + w.principals("Principal", "Principal", "Principal", "NotPrincipal")
		}
		s += `,"` + one(w.r, "Action", "Action", "Action", "Action", "NotAction") + `":` + one(w.r, `"*"`, `"secretsmanager:*"`, `"secretsmanager:GetSecretValue"`,
			`"secretsmanager:Get*"`, `["secretsmanager:DescribeSecret","secretsmanager:List*","sts:*"]`, `"Microsoft.KeyVault/vaults/secrets/getSecret/action"`,
			`"Microsoft.KeyVault/vaults/secrets/*"`, `["iam:Get*","sts:AssumeRole"]`, `"secretsmanager:PutSecretValue"`, `"tacet:*"`)
		if resource {
			s += `,"Resource":"*"`
		} else {
			s += `,"` + one(w.r, "Resource", "Resource", "Resource", "Resource", "NotResource") + `":` + one(w.r, `"*"`, `"*"`, `"*"`, `"arn:aws:secretsmanager:*:*:secret:app/*"`,
				`"arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/team}*"`, `"arn:aws:secretsmanager:*:*:secret:${aws:username}-*"`,
				`["arn:aws:iam::*:user/*","arn:aws:secretsmanager:*:*:secret:web-*"]`, `"arn:aws:iam::*:role/r0"`, `"arn:aws:secretsmanager:*:*:secret:${aws:SourceIp}*"`)
		}
		s += w.conditions()
		if resource && strings.Contains(s, `"Deny"`) { // the administrator must be able to ask
			s = `"Effect":"Deny",` + w.principals("Principal") + `,"Action":"secretsmanager:` + one(w.r, "*", "Get*", "DescribeSecret") + `","Resource":"*"` + w.conditions()
		}
		out = append(out, "{"+s+"}")
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(out, ",") + `]}`
}

func (w *world) conditions() string {
	switch w.r.IntN(4) {
	case 0:
		return `,"Condition":{` + one(w.r, worldConditions...) + `}`
	case 1:
		a, b := one(w.r, worldConditions...), one(w.r, worldConditions...)
		if op := a[:strings.Index(a, ":{")]; !strings.HasPrefix(b, op+":{") {
			return `,"Condition":{` + a + "," + b + `}`
		}
	}
	return ""
}

func (w *world) principals(element ...string) string {
	return `"` + one(w.r, element...) + `":` + one(w.r, `"*"`, `{"AWS":"`+account+`"}`, `{"AWS":"`+otherAccount+`"}`, `{"AWS":"arn:aws:iam::`+account+`:user/u0"}`,
		`{"AWS":["arn:aws:iam::`+account+`:user/u1","arn:aws:iam::`+otherAccount+`:user/u3"]}`, `{"AWS":"arn:aws:iam::`+account+`:role/r0"}`,
		`{"AWS":"arn:aws:sts::`+account+`:assumed-role/r1/s1"}`)
}

// trust draws a role's trust policy.
func (w *world) trust() string {
	s := `{"Effect":"Allow",` + w.principals("Principal") + `,"Action":"sts:AssumeRole"` + w.conditions() + `}`
	if w.chance(20) {
		s += `,{"Effect":"Deny",` + w.principals("Principal") + `,"Action":"sts:AssumeRole"` + w.conditions() + `}`
	}
	return `{"Version":"2012-10-17","Statement":[` + s + `]}`
}

// nothing is a policy in the place of one that was taken away.
const nothing = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":{"AWS":"` + account + `"},"Action":"sts:TagSession"}}`

// take takes a grant away, all but a secret's policy.
func (w *world) take(tx *guard.Tx, arn string, g guard.Grant) error {
	kind, name, _ := strings.Cut(arn[strings.LastIndexByte(arn, ':')+1:], "/")
	strip := func(of *tacet.Grantee) {
		of.Policies = maps.Clone(of.Policies)
		delete(of.Policies, g.Policy)
		of.Attached = slices.DeleteFunc(slices.Clone(of.Attached), func(a string) bool { return a == g.Policy })
	}
	switch g.Kind {
	case guard.GrantInline, guard.GrantManaged:
		if g.Group != "" {
			o := *tx.Group(account, g.Group)
			strip(&o.Grantee)
			return tx.PutGroup(o)
		}
		if kind == "user" {
			u := *tx.User(account, name)
			strip(&u.Grantee)
			return tx.PutUser(u)
		}
		r := *tx.Role(account, name)
		strip(&r.Grantee)
		return tx.PutRole(r)
	case guard.GrantTrust:
		for i := range worldRoles {
			r := *tx.Role(account, fmt.Sprint("r", i))
			r.Trust = nothing
			if err := tx.PutRole(r); err != nil {
				return err
			}
		}
	case guard.GrantAssignment, guard.GrantAccessPolicy:
		for _, a := range tx.Assignments("") {
			if err := tx.DeleteAssignment(a.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
