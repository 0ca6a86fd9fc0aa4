package vault_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/seal/keyfile"
	"tacet/internal/store"
	"tacet/internal/store/storetest"
	"tacet/internal/vault"
)

const adminAccess = "arn:aws:iam::aws:policy/AdministratorAccess"

func userRef(name string) identity.Ref { return identity.Ref{Kind: tacet.KindUser, Name: name} }

// TestThreat07_ReservedNames: a name in another case is the same name, and an ARN in
// another case is another ARN, so that nothing is taken for what every deployment has.
func TestThreat07_ReservedNames(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.newUser("eve", "")
		_, err := h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: "ADMIN"})
		h.wantCode(err, tacet.PrincipalExists)
		h.wantCode(h.ids.UpdateUser(h.ctx, h.admin, "eve", identity.Renaming{Name: "Admin"}), tacet.PrincipalExists)
		_, err = h.ids.CreatePolicy(h.ctx, h.admin, identity.CreatePolicyInput{Name: "administratoraccess",
			Document: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}}`})
		h.must(err)
		for _, arn := range []string{strings.ToLower(adminAccess), strings.Replace(adminAccess, ":aws:policy", "::policy", 1),
			"arn:aws:iam::000000000001:policy/AdministratorAccess", adminAccess + "/", strings.Replace(adminAccess, "policy/", "policy//", 1)} {
			if err := h.ids.AttachPolicy(h.ctx, h.admin, userRef("eve"), arn); err == nil {
				t.Errorf("%s was attached", arn)
			}
		}
		h.must(h.ids.AttachPolicy(h.ctx, h.admin, userRef("EVE"), "arn:aws:iam::000000000001:policy/administratoraccess"))
		got, err := h.ids.ListAttachedPolicies(h.ctx, h.admin, userRef("eve"), identity.Listing{})
		h.must(err)
		if len(got.Items) != 1 || got.Items[0].Account != "000000000001" {
			t.Errorf("attached: %+v", got.Items)
		}
		for _, change := range []error{
			h.ids.DeletePolicy(h.ctx, h.admin, adminAccess),
			h.ids.SetDefaultPolicyVersion(h.ctx, h.admin, adminAccess, "v1"),
			h.ids.Tag(h.ctx, h.admin, identity.Ref{Kind: tacet.KindPolicy, Name: adminAccess}, []tacet.Tag{{Key: "a"}}),
		} {
			h.wantCode(change, tacet.Denied)
		}
	})
}

// TestThreat07_Root: an account's root is no user that IAM shows or changes.
func TestThreat07_Root(t *testing.T) {
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))
	root := tacet.User{Grantee: tacet.Grantee{ID: "AIDAROOT", Account: "000000000001", Path: "/", Name: "root"}, Root: true}
	_, err := guard.System(h.ctx, h.guard, guard.Request{Operation: tacet.OpBootstrap}, func(tx *guard.Tx) (struct{}, error) {
		return struct{}{}, tx.PutUser(root)
	})
	h.must(err)
	for _, name := range []string{"root", "ROOT"} {
		_, err := h.ids.GetUser(h.ctx, h.admin, name)
		h.wantCode(err, tacet.PrincipalNotFound)
		_, _, err = h.ids.CreateAccessKey(h.ctx, h.admin, name)
		h.wantCode(err, tacet.PrincipalNotFound)
		_, err = h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: name})
		h.wantCode(err, tacet.PrincipalExists)
		for _, err := range []error{
			h.ids.DeleteUser(h.ctx, h.admin, name),
			h.ids.UpdateUser(h.ctx, h.admin, name, identity.Renaming{Name: "x"}),
			h.ids.PutInlinePolicy(h.ctx, h.admin, userRef(name), "p", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`),
			h.ids.PutPermissionsBoundary(h.ctx, h.admin, userRef(name), adminAccess),
			h.ids.AttachPolicy(h.ctx, h.admin, userRef(name), adminAccess),
			h.ids.Tag(h.ctx, h.admin, userRef(name), []tacet.Tag{{Key: "a"}}),
		} {
			h.wantCode(err, tacet.PrincipalNotFound)
		}
	}
	users, err := h.ids.ListUsers(h.ctx, h.admin, identity.Listing{})
	h.must(err)
	for _, u := range users.Items {
		if u.Root {
			t.Error("root is listed")
		}
	}
}

// delegation is a boundary as AWS's guide has it for who may make principals but none that
// can do more than he: whatever is made must have the same boundary.
func delegation(arn string) string {
	const on = `"Resource":["arn:aws:iam::000000000001:`
	return `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"secretsmanager:DescribeSecret","Resource":"*"},
		{"Effect":"Allow","Action":["iam:CreateUser","iam:PutUserPolicy","iam:DeleteUserPolicy","iam:AttachUserPolicy","iam:DetachUserPolicy",
			"iam:CreateRole","iam:PutRolePolicy","iam:AttachRolePolicy"],"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"` + arn + `"}}},
		{"Effect":"Allow","Action":["iam:PutUserPermissionsBoundary","iam:PutRolePermissionsBoundary"],` + on + `user/team/*","arn:aws:iam::000000000001:role/team/*"],
			"Condition":{"StringEquals":{"iam:PermissionsBoundary":"` + arn + `"}}},
		{"Effect":"Allow","Action":["iam:CreateAccessKey","iam:UpdateUser","iam:TagUser"],` + on + `user/team/*"]},
		{"Effect":"Allow","Action":["iam:CreateGroup","iam:UpdateGroup","iam:PutGroupPolicy","iam:AttachGroupPolicy","iam:AddUserToGroup"],` + on + `group/team/*"]},
		{"Effect":"Allow","Action":["iam:CreatePolicy","iam:CreatePolicyVersion","iam:SetDefaultPolicyVersion","iam:DeletePolicyVersion","iam:DeletePolicy"],` + on + `policy/team/*"]},
		{"Effect":"Allow","Action":"iam:UpdateAssumeRolePolicy",` + on + `role/team/*"]}]}`
}

// TestThreat08_NoSequenceEscalates: somebody who may do everything with IAM within a
// boundary, and everybody he makes, do hundreds of things in any order. Nobody gets a right
// that the boundary has not, nobody outside is changed.
func TestThreat08_NoSequenceEscalates(t *testing.T) {
	const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))
	h.create("crown", "jewels")
	h.newUser("boss", everything)
	const boundary = "arn:aws:iam::000000000001:policy/limits/Boundary"
	_, err := h.ids.CreatePolicy(h.ctx, h.admin, identity.CreatePolicyInput{Name: "Boundary", Path: "/limits/", Document: delegation(boundary)})
	h.must(err)
	_, err = h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: "delegate", Boundary: boundary})
	h.must(err)
	h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, userRef("delegate"), "own", everything))
	k, _, err := h.ids.CreateAccessKey(h.ctx, h.admin, "delegate")
	h.must(err)
	callers := []tacet.Call{h.callAs(k.ID)}

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 8))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	name := func() string { return pick("a", "A", "b", "c", "boss", "Boss", "delegate", "admin", "nobody") }
	path := func() string { return pick("", "/", "/team/", "/team/x/", "/Team/") }
	limit := func() string { return pick("", boundary, adminAccess, "arn:aws:iam::000000000001:policy/team/p") }
	arn := func() string {
		return pick(adminAccess, boundary, "arn:aws:iam::000000000001:policy/team/p", "arn:aws:iam::000000000001:policy/p")
	}
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}`
	ref := func() identity.Ref {
		return identity.Ref{Kind: tacet.PrincipalKind(pick("user", "user", "group", "role")), Name: name()}
	}
	done := map[string]int{}
	steps := map[string]func(c tacet.Call) error{
		"CreateUser": func(c tacet.Call) error {
			_, err := h.ids.CreateUser(h.ctx, c, identity.CreateUserInput{Name: name(), Path: path(), Boundary: limit()})
			return err
		},
		"CreateRole": func(c tacet.Call) error {
			_, err := h.ids.CreateRole(h.ctx, c, identity.CreateRoleInput{Name: name(), Path: path(), Boundary: limit(), Trust: trust})
			return err
		},
		"CreateGroup": func(c tacet.Call) error { _, err := h.ids.CreateGroup(h.ctx, c, name(), path()); return err },
		"CreatePolicy": func(c tacet.Call) error {
			_, err := h.ids.CreatePolicy(h.ctx, c, identity.CreatePolicyInput{Name: pick("p", "boundary"), Path: path(), Document: everything})
			return err
		},
		"CreatePolicyVersion": func(c tacet.Call) error {
			_, err := h.ids.CreatePolicyVersion(h.ctx, c, arn(), everything, true)
			return err
		},
		"CreateAccessKey": func(c tacet.Call) error {
			k, _, err := h.ids.CreateAccessKey(h.ctx, c, name())
			if err == nil {
				callers = append(callers, h.callAs(k.ID))
			}
			return err
		},
		"UpdateUser": func(c tacet.Call) error {
			return h.ids.UpdateUser(h.ctx, c, name(), identity.Renaming{Name: pick("", name()), Path: path()})
		},
		"UpdateGroup": func(c tacet.Call) error {
			return h.ids.UpdateGroup(h.ctx, c, name(), identity.Renaming{Name: pick("", name()), Path: path()})
		},
		"AddUserToGroup": func(c tacet.Call) error {
			return h.ids.AddUserToGroup(h.ctx, c, name(), pick("a", "b", "c", "delegate"))
		},
		"PutInlinePolicy":           func(c tacet.Call) error { return h.ids.PutInlinePolicy(h.ctx, c, ref(), "p", everything) },
		"AttachPolicy":              func(c tacet.Call) error { return h.ids.AttachPolicy(h.ctx, c, ref(), arn()) },
		"DetachPolicy":              func(c tacet.Call) error { return h.ids.DetachPolicy(h.ctx, c, ref(), arn()) },
		"PutPermissionsBoundary":    func(c tacet.Call) error { return h.ids.PutPermissionsBoundary(h.ctx, c, ref(), arn()) },
		"DeletePermissionsBoundary": func(c tacet.Call) error { return h.ids.DeletePermissionsBoundary(h.ctx, c, ref()) },
		"DeletePolicyVersion":       func(c tacet.Call) error { return h.ids.DeletePolicyVersion(h.ctx, c, arn(), "v1") },
	}
	names := make([]string, 0, len(steps))
	for n := range steps {
		names = append(names, n)
	}
	bossBefore, err := h.ids.GetUser(h.ctx, h.admin, "boss")
	h.must(err)
	for n := 0; n < 1500 || len(done) < 10 && n < 20000; n++ {
		step := pick(names...)
		// The delegate himself, or anybody whose key he has.
		if err := steps[step](callers[r.IntN(len(callers))*r.IntN(2)]); err == nil {
			done[step]++
		}
	}
	if len(done) < 10 {
		t.Errorf("only these ever succeeded: %v", done)
	}
	for _, c := range callers {
		if _, err := h.vault.GetSecretValue(h.ctx, c, vault.GetSecretValueInput{Secret: tacet.NameRef("crown")}); err == nil {
			t.Errorf("%s reads the value", c.Caller.ARN)
		}
	}
	users, err := h.ids.ListUsers(h.ctx, h.admin, identity.Listing{})
	h.must(err)
	for _, u := range users.Items {
		if u.Boundary != boundary && u.Name != "admin" && u.Name != "boss" && u.Name != "nobody" {
			t.Errorf("the user %s has the boundary %q", u.Name, u.Boundary)
		}
	}
	roles, err := h.ids.ListRoles(h.ctx, h.admin, identity.Listing{})
	h.must(err)
	for _, o := range roles.Items {
		if o.Boundary != boundary {
			t.Errorf("the role %s has the boundary %q", o.Name, o.Boundary)
		}
	}
	limits, err := h.ids.GetPolicy(h.ctx, h.admin, boundary)
	h.must(err)
	boss, err := h.ids.GetUser(h.ctx, h.admin, "boss")
	h.must(err)
	if limits.Default != "v1" || len(limits.Versions) != 1 || fmt.Sprint(boss) != fmt.Sprint(bossBefore) {
		t.Errorf("something outside was changed: %+v %+v", limits, boss)
	}
}

// TestLastUse: the use of an access key is told to within fifteen minutes, with what it was
// used for, by every node, and forgotten with the key.
func TestLastUse(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "value")
		read := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"}}`
		key := h.newUser("reader", read)
		use := func() identity.KeyUse {
			t.Helper()
			u, err := h.ids.GetAccessKeyLastUsed(h.ctx, h.admin, key)
			h.must(err)
			return u
		}
		if u := use(); !u.Time.IsZero() || u.User != "reader" {
			t.Errorf("a key that was not used: %+v", u)
		}
		reader := h.callAs(key)
		get := func() {
			t.Helper()
			_, err := h.vault.GetSecretValue(h.ctx, reader, vault.GetSecretValueInput{Secret: tacet.NameRef("s")})
			h.must(err)
		}
		get()
		first := use()
		if h.now().Sub(first.Time) > time.Minute || first.Service != "secretsmanager" || first.Region != "us-east-1" {
			t.Errorf("after a read: %+v", first)
		}
		h.advance(14 * time.Minute)
		get()
		if u := use(); u.Time != first.Time {
			t.Errorf("it was written again after 14 minutes: %v", u.Time.Sub(first.Time))
		}
		h.advance(2 * time.Minute)
		_, err := h.ids.GetUser(h.ctx, reader, "reader") // refused, and a use all the same
		h.wantCode(err, tacet.Denied)
		if u := use(); u.Time.Sub(first.Time) < 15*time.Minute || u.Service != "iam" {
			t.Errorf("after 16 minutes: %+v", u)
		}
		h.must(h.ids.DeleteAccessKey(h.ctx, h.admin, "reader", key))
		_, err = h.ids.GetAccessKeyLastUsed(h.ctx, h.admin, key)
		h.wantCode(err, tacet.Denied)
	})
}

// peer is another node on the store of a house.
func (h *house) peer(url string) *house {
	h.Helper()
	p := *h
	kek, err := keyfile.Open(filepath.Join(h.dir, "key"))
	h.must(err)
	p.db, err = store.Open(h.ctx, store.Config{URL: url})
	h.must(err)
	h.Cleanup(func() { h.must(p.db.Close()) })
	p.guard, err = guard.Open(h.ctx, guard.Config{DB: p.db, KEK: kek, Now: h.now, Development: true})
	h.must(err)
	h.Cleanup(p.guard.Close)
	p.vault, p.ids = vault.New(p.guard), identity.New(p.guard, identity.Config{})
	return &p
}

// TestLastUseOnEveryNode: one node tells what was used on another.
func TestLastUseOnEveryNode(t *testing.T) {
	url := storetest.Postgres(t)
	a := newHouse(t, url)
	b := a.peer(url)
	key := a.newUser("reader", "")
	call := b.callAs(key)
	_, err := b.vault.ListSecrets(b.ctx, call, vault.ListSecretsInput{})
	a.wantCode(err, tacet.Denied)
	u, err := a.ids.GetAccessKeyLastUsed(a.ctx, a.admin, key)
	a.must(err)
	if u.Time.IsZero() || u.Service != "secretsmanager" {
		t.Errorf("the other node's use: %+v", u)
	}
}

// TestRename: who is renamed keeps keys and groups, and the caller must be allowed to on
// both names.
func TestRename(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		key := h.newUser("bob", "")
		_, err := h.ids.CreateGroup(h.ctx, h.admin, "devs", "")
		h.must(err)
		h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, identity.Ref{Kind: tacet.KindGroup, Name: "devs"}, "p",
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:UpdateUser","Resource":"arn:aws:iam::000000000001:user/b*"}}`))
		h.must(h.ids.AddUserToGroup(h.ctx, h.admin, "devs", "bob"))
		bob := h.callAs(key)
		h.must(h.ids.UpdateUser(h.ctx, bob, "bob", identity.Renaming{Name: "bill"}))
		h.wantCode(h.ids.UpdateUser(h.ctx, h.callAs(key), "bill", identity.Renaming{Name: "carl"}), tacet.Denied)
		h.wantCode(h.ids.UpdateUser(h.ctx, h.callAs(key), "bill", identity.Renaming{Path: "/a/"}), tacet.Denied)
		h.must(h.ids.UpdateGroup(h.ctx, h.admin, "devs", identity.Renaming{Name: "Builders", Path: "/x/"}))
		h.must(h.ids.UpdateUser(h.ctx, h.admin, "bill", identity.Renaming{Name: "BILL"}))
		if who := h.callAs(key).Caller; who.Name != "BILL" || who.ID != bob.Caller.ID {
			t.Errorf("the key's user is %+v", who)
		}
		groups, err := h.ids.ListGroupsForUser(h.ctx, h.admin, "bill", identity.Page{})
		h.must(err)
		if len(groups.Items) != 1 || groups.Items[0].Name != "Builders" {
			t.Errorf("groups: %+v", groups.Items)
		}
		_, err = h.ids.GetUser(h.ctx, h.admin, "bob")
		h.wantCode(err, tacet.PrincipalNotFound)
		h.wantCode(h.ids.DeleteGroup(h.ctx, h.admin, "builders"), tacet.PrincipalInUse)
	})
}
