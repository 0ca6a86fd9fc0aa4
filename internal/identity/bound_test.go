package identity_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/vault"
)

// letIn is a policy of a secret, or with an action of STS's of a role, that lets in those named.
func letIn(action string, names ...string) string {
	list, _ := json.Marshal(names)
	resource := ""
	if !strings.HasPrefix(action, "sts:") {
		resource = `, "Resource": "*"`
	}
	return fmt.Sprintf("{ \"Version\": \"2012-10-17\",\n\t\"Statement\": [ { \"Effect\":\"Allow\", \"Principal\": {\"AWS\": %s }, \"Action\":\"%s\"%s } ] }", list, action, resource)
}

// secret makes a secret.
func (h *house) secret(name string) {
	h.Helper()
	_, err := h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: name, Token: tacet.VersionID(strings.Repeat("1", 32)),
		Value: vault.Value{String: tacet.NewPlaintext([]byte("v"))}})
	h.must(err)
}

func (h *house) putPolicy(secret, text string) error {
	_, err := h.vault.PutResourcePolicy(h.ctx, h.admin, vault.PutResourcePolicyInput{Secret: tacet.NameRef(secret), Policy: text})
	return err
}

func (h *house) policyOf(secret string) string {
	h.Helper()
	out, err := h.vault.GetResourcePolicy(h.ctx, h.admin, tacet.NameRef(secret))
	h.must(err)
	return out.Policy
}

func (h *house) trustOf(role string) string {
	h.Helper()
	out, err := h.ids.GetRole(h.ctx, h.admin, role)
	h.must(err)
	return out.Trust
}

// person is a user with an access key, or a role.
type person struct {
	kind     tacet.PrincipalKind
	name, id string
	key      string
}

func (p *person) arn() string { return tacet.PrincipalARN(p.kind, account, "/", p.name) }

func (h *house) newPerson(kind tacet.PrincipalKind, name string) *person {
	h.Helper()
	p := &person{kind: kind, name: name}
	if kind == tacet.KindRole {
		h.newRole(name, "")
		r, err := h.ids.GetRole(h.ctx, h.admin, name)
		h.must(err)
		p.id = r.ID
		return p
	}
	u, err := h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: name})
	h.must(err)
	k, _, err := h.ids.CreateAccessKey(h.ctx, h.admin, name)
	h.must(err)
	p.id, p.key = u.ID, k.ID
	return p
}

func (h *house) removePerson(p *person) {
	h.Helper()
	if p.kind == tacet.KindRole {
		h.must(h.ids.DeleteRole(h.ctx, h.admin, p.name))
		return
	}
	h.must(h.ids.DeleteAccessKey(h.ctx, h.admin, p.name, p.key))
	h.must(h.ids.DeleteUser(h.ctx, h.admin, p.name))
}

// call is a request of a person's, on this node.
func (h *house) call(p *person) tacet.Call {
	h.Helper()
	key, token := p.key, ""
	if p.kind == tacet.KindRole {
		c := h.assume(p.arn())
		key, token = c.AccessKey, c.Token
	}
	cred, err := h.ids.Credential(key, token)
	h.must(err)
	return tacet.Call{Caller: cred.Caller, Account: account, Region: "us-east-1", Face: "aws"}
}

// reads and assumes report whether a person is let in.
func (h *house) reads(p *person, secret string) bool {
	h.Helper()
	_, err := h.vault.GetSecretValue(h.ctx, h.call(p), vault.GetSecretValueInput{Secret: tacet.NameRef(secret)})
	return h.allowed(err)
}

func (h *house) assumes(p *person, role string) bool {
	h.Helper()
	_, err := h.ids.AssumeRole(h.ctx, h.call(p), identity.AssumeRoleInput{SessionInput: identity.SessionInput{
		RoleARN: tacet.PrincipalARN(tacet.KindRole, account, "/", role), Name: "job"}})
	return h.allowed(err)
}

func (h *house) allowed(err error) bool {
	h.Helper()
	if tacet.CodeOf(err) != tacet.Denied {
		h.must(err)
	}
	return err == nil
}

// TestThreat08_NoNameInheritsAGrant: whatever is made, deleted and renamed, on either of two
// nodes, a secret's policy and a role's trust policy let in those whom they named when they
// were stored, and nobody who has the name of such a one later. They show them by the names
// they have now, by their ids once they are gone, and may be put back as they are shown.
func TestThreat08_NoNameInheritsAGrant(t *testing.T) {
	onEngines(t, func(t *testing.T, a *house) {
		nodes := []*house{a}
		if strings.HasPrefix(a.url, "postgres") {
			nodes = append(nodes, a.node(t))
		}
		a.secret("s")
		a.newRole("target", "")
		w := &world{rand: rand.New(rand.NewPCG(7, uint64(len(nodes)))), people: map[string]*person{}, nodes: nodes}
		for range 120 {
			w.step()
			w.check()
		}
		for what, n := range w.seen {
			t.Logf("%s: %d", what, n)
		}
		for _, what := range []string{"let in", "kept out", "renamed and let in", "same name and kept out", "put back", "put back in vain"} {
			if w.seen[what] == 0 {
				t.Errorf("there was no case of: %s", what)
			}
		}
	})
}

// world is what should be so.
type world struct {
	*house
	rand          *rand.Rand
	nodes         []*house
	people        map[string]*person // by kind and name
	policy, trust []*person          // whom they name
	was           map[*person]string // under what name
	seen          map[string]int
}

func (w *world) note(what string) {
	if w.seen == nil {
		w.seen = map[string]int{}
	}
	w.seen[what]++
}

func (w *world) step() {
	w.house = w.nodes[w.rand.IntN(len(w.nodes))]
	kind := []tacet.PrincipalKind{tacet.KindUser, tacet.KindUser, tacet.KindRole}[w.rand.IntN(3)]
	name := fmt.Sprintf("p%d", w.rand.IntN(3))
	at := string(kind) + "/" + name
	p := w.people[at]
	switch op := w.rand.IntN(6); {
	case p == nil:
		w.people[at] = w.newPerson(kind, name)
	case op == 0:
		w.removePerson(p)
		delete(w.people, at)
	case op == 1 && kind == tacet.KindUser:
		to := fmt.Sprintf("p%d", w.rand.IntN(3))
		if w.people["user/"+to] == nil {
			w.must(w.ids.UpdateUser(w.ctx, w.admin, name, identity.Renaming{Name: to}))
			delete(w.people, at)
			p.name, w.people["user/"+to] = to, p
		}
	case op == 2:
		w.policy = w.some()
		w.must(w.putPolicy("s", letIn("secretsmanager:GetSecretValue", arns(w.policy)...)))
	case op == 3:
		w.trust = w.some()
		w.must(w.ids.UpdateAssumeRolePolicy(w.ctx, w.admin, "target", letIn("sts:AssumeRole", arns(w.trust)...)))
	case op == 4 && w.policy != nil:
		w.putBack(w.policy, w.putPolicy("s", w.policyOf("s")))
	case op == 5 && w.trust != nil:
		w.putBack(w.trust, w.ids.UpdateAssumeRolePolicy(w.ctx, w.admin, "target", w.trustOf("target")))
	}
}

// some are a few of the people, under the names they have now.
func (w *world) some() []*person {
	var all []*person
	for _, at := range slices.Sorted(maps.Keys(w.people)) {
		all = append(all, w.people[at])
	}
	w.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:1+w.rand.IntN(len(all))]
	if w.was == nil {
		w.was = map[*person]string{}
	}
	for _, p := range all {
		w.was[p] = p.arn()
	}
	return all
}

func arns(people []*person) (out []string) {
	for _, p := range people {
		out = append(out, p.arn())
	}
	return out
}

// lives reports whether a person is still there.
func (w *world) lives(p *person) bool { return w.people[string(p.kind)+"/"+p.name] == p }

// putBack checks what came of storing a policy as it is shown.
func (w *world) putBack(named []*person, err error) {
	w.Helper()
	if slices.ContainsFunc(named, func(p *person) bool { return !w.lives(p) }) {
		w.code(tacet.PolicyPrincipal, err)
		w.note("put back in vain")
		return
	}
	w.must(err)
	w.note("put back")
}

func (w *world) check() {
	w.Helper()
	w.house = w.nodes[w.rand.IntN(len(w.nodes))]
	for _, p := range w.people {
		for named, got := range map[*[]*person]bool{&w.policy: w.reads(p, "s"), &w.trust: w.assumes(p, "target")} {
			want := slices.Contains(*named, p)
			if got != want && !(named == &w.trust && w.trust == nil) {
				w.Fatalf("%s (%s) is let in: %t, want %t", p.arn(), p.id, got, want)
			}
			for _, n := range *named {
				switch {
				case n == p && w.was[n] != p.arn():
					w.note("renamed and let in")
				case n != p && !want && w.was[n] == p.arn():
					w.note("same name and kept out")
				}
			}
			w.note(map[bool]string{true: "let in", false: "kept out"}[got])
		}
	}
	var names []string
	shown := func(people []*person) []string {
		names = nil
		for _, p := range people {
			if w.lives(p) {
				names = append(names, p.arn())
			} else {
				names = append(names, p.id)
			}
		}
		return names
	}
	if want := letIn("secretsmanager:GetSecretValue", shown(w.policy)...); w.policy != nil && w.policyOf("s") != want {
		w.Fatalf("the secret's policy is shown as\n%s\nwant\n%s", w.policyOf("s"), want)
	}
	if want := letIn("sts:AssumeRole", shown(w.trust)...); w.trust != nil && w.trustOf("target") != want {
		w.Fatalf("the trust policy is shown as\n%s\nwant\n%s", w.trustOf("target"), want)
	}
}

// TestTrustNamesPrincipals: whom a trust policy may name, and how it is shown.
func TestTrustNamesPrincipals(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ann, ops := h.newPerson(tacet.KindUser, "ann"), h.newPerson(tacet.KindRole, "ops")
		gone := h.newPerson(tacet.KindUser, "gone")
		h.removePerson(gone)
		const root = "arn:aws:iam::" + account + ":root"
		for _, tt := range []struct{ written, shown string }{
			{ann.arn(), ann.arn()},
			{ops.arn(), ops.arn()},
			{ann.id, ann.arn()}, // as AWS does
			{ops.id, ops.arn()},
			{account, root},
			{root, root},
			{"*", "*"},
			{"arn:aws:sts::" + account + ":assumed-role/ops/s", "arn:aws:sts::" + account + ":assumed-role/ops/s"},
			{gone.arn(), ""},
			{gone.id, ""},
			{"AIDAAAAAAAAAAAAAAAAA", ""},
			{"arn:aws:iam::" + account + ":user/ANN", ""}, // names in ARNs have their case
			{"arn:aws:iam::" + account + ":user/x/ann", ""},
			{"arn:aws:iam::" + account + ":role/ann", ""},
			{"arn:aws:iam::999999999999:user/ann", ""},
			{"999999999999", ""},
			{"arn:aws:iam::999999999999:root", ""},
		} {
			role, err := h.ids.CreateRole(h.ctx, h.admin, identity.CreateRoleInput{Name: "new", Trust: letIn("sts:AssumeRole", tt.written)})
			if tt.shown == "" {
				if h.code(tacet.PolicyPrincipal, err); asError(err).Detail != tt.written {
					t.Errorf("%s is refused as %q", tt.written, asError(err).Detail)
				}
				h.code(tacet.PolicyPrincipal, h.ids.UpdateAssumeRolePolicy(h.ctx, h.admin, "ops", letIn("sts:AssumeRole", tt.written)))
				continue
			}
			h.must(err)
			want := letIn("sts:AssumeRole", tt.shown)
			listed, err := h.ids.ListRoles(h.ctx, h.admin, identity.Listing{})
			h.must(err)
			described, err := h.ids.UpdateRoleDescription(h.ctx, h.admin, "new", "described")
			h.must(err)
			details, err := h.ids.GetAccountAuthorizationDetails(h.ctx, h.admin, []string{identity.FilterRoles}, identity.Page{})
			h.must(err)
			for how, got := range map[string]string{"GetAccountAuthorizationDetails": details.Items[0].Role.Trust, "CreateRole": role.Trust, "GetRole": h.trustOf("new"), "ListRoles": listed.Items[0].Trust, "UpdateRoleDescription": described.Trust} {
				if got != want {
					t.Errorf("%s of a role that trusts %s shows\n%s\nwant\n%s", how, tt.written, got, want)
				}
			}
			h.must(h.ids.DeleteRole(h.ctx, h.admin, "new"))
		}
	})
}

// TestChangedRoleKeepsWhomItTrusts: a change of something else does not bind a trust policy
// to whoever has the names by then.
func TestChangedRoleKeepsWhomItTrusts(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		first := h.newPerson(tacet.KindUser, "ann")
		_, err := h.ids.CreateRole(h.ctx, h.admin, identity.CreateRoleInput{Name: "target", Trust: letIn("sts:AssumeRole", first.arn())})
		h.must(err)
		h.removePerson(first)
		second := h.newPerson(tacet.KindUser, "ann")
		_, err = h.ids.UpdateRoleDescription(h.ctx, h.admin, "target", "described")
		h.must(err)
		h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, identity.Ref{Kind: tacet.KindRole, Name: "target"}, "own", readAll))
		if h.assumes(second, "target") {
			t.Error("a user made again under the old name assumes the role")
		}
		if want := letIn("sts:AssumeRole", first.id); h.trustOf("target") != want {
			t.Errorf("the trust policy is shown as %s, want %s", h.trustOf("target"), want)
		}
	})
}

// TestDeniedByID: a Deny follows whom it names, and spares whom it excepts, whatever they are
// called; one that excepts a deleted principal spares nobody.
func TestDeniedByID(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.secret("s")
		ann := h.newPerson(tacet.KindUser, "ann")
		h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, user("ann"), "own", readAll))
		deny := func(element string) string {
			return `{"Version":"2012-10-17","Statement":{"Effect":"Deny","` + element + `":{"AWS":"` + ann.arn() + `"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}}`
		}
		rename := func(to string) {
			t.Helper()
			h.must(h.ids.UpdateUser(h.ctx, h.admin, ann.name, identity.Renaming{Name: to}))
			ann.name = to
		}
		want := func(p *person, allowed bool) {
			t.Helper()
			if h.reads(p, "s") != allowed {
				t.Errorf("%s reads: %t", p.arn(), !allowed)
			}
		}
		h.must(h.putPolicy("s", deny("Principal")))
		rename("bea")
		want(ann, false)
		h.must(h.putPolicy("s", deny("NotPrincipal")))
		rename("cleo")
		want(ann, true)
		h.must(h.ids.DeleteInlinePolicy(h.ctx, h.admin, user("cleo"), "own"))
		h.removePerson(ann)
		again := h.newPerson(tacet.KindUser, "cleo")
		h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, user("cleo"), "own", readAll))
		want(again, false)
	})
}

// TestOlderPoliciesAreBound: what an older version stored with ARNs names those who have them
// when a node of this version starts, also if an older node stored it after the last start.
// An ARN of nobody stays as it is.
func TestOlderPoliciesAreBound(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ann, ops := h.newPerson(tacet.KindUser, "ann"), h.newPerson(tacet.KindRole, "ops")
		h.newRole("target", "")
		nobody := "arn:aws:iam::" + account + ":user/nobody"
		policy, trust := letIn("secretsmanager:GetSecretValue", ann.arn(), ops.arn(), nobody), letIn("sts:AssumeRole", ops.arn(), ann.arn(), nobody)
		for _, secret := range []string{"s", "t"} { // one after the other
			h.secret(secret)
			h.storeOld(secret, policy, trust)
			records := len(h.all())
			h = h.restart(t)
			if n := len(h.all()); n != records+1 { // the asking itself
				t.Errorf("%d records of the start", n-records-1)
			}
			if got := h.policyOf(secret); got != policy {
				t.Errorf("the secret's policy is shown as\n%s\nwant\n%s", got, policy)
			}
			if got := h.trustOf("target"); got != trust {
				t.Errorf("the trust policy is shown as\n%s\nwant\n%s", got, trust)
			}
			if !h.reads(ann, secret) || !h.reads(ops, secret) || !h.assumes(ann, "target") || !h.assumes(ops, "target") {
				t.Error("those named are not let in any more")
			}
		}
		h.removePerson(ann)
		h.removePerson(ops)
		for _, p := range []*person{h.newPerson(tacet.KindUser, "ann"), h.newPerson(tacet.KindRole, "ops")} {
			for _, secret := range []string{"s", "t"} {
				if h.reads(p, secret) {
					t.Errorf("the new %s is let in", p.arn())
				}
			}
			if h.assumes(p, "target") {
				t.Errorf("the new %s is trusted", p.arn())
			}
		}
		if want := letIn("sts:AssumeRole", ops.id, ann.id, nobody); h.trustOf("target") != want {
			t.Errorf("the trust policy is shown as\n%s\nwant\n%s", h.trustOf("target"), want)
		}
	})
}

// storeOld stores policies as versions before did: as they were written.
func (h *house) storeOld(secret, policy, trust string) {
	h.Helper()
	_, err := guard.Do(h.ctx, h.guard, guard.Request{Call: h.admin, Operation: tacet.OpPutResourcePolicy, Secret: tacet.NameRef(secret)}, func(tx *guard.Tx) (none struct{}, err error) {
		old, err := tx.Secret()
		if err != nil {
			return none, err
		}
		sec := old.Clone()
		sec.Policy = policy
		if err := tx.PutSecret(sec); err != nil {
			return none, err
		}
		role := tx.Role(account, "target")
		role.Trust = trust
		return none, tx.PutRole(*role)
	})
	h.must(err)
}

// restart ends a node and starts it again.
func (h *house) restart(t testing.TB) *house {
	h.Helper()
	h.guard.Close()
	n := *h
	return n.open(t)
}

// all are the records there are.
func (h *house) all() []guard.StoredRecord {
	h.Helper()
	list, err := h.vault.ReadAudit(h.ctx, h.admin, 0, 10000, false)
	h.must(err)
	return list
}
