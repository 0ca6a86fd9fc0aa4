package adminapi_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"tacet/internal/adminapi"
	"tacet/internal/client"
	"tacet/internal/tacettest"
)

// A tenant is an account with one of everything that a request can name, by the member of the
// request that names it.
type tenant map[string]string

const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// furnish makes them; every text of it that a caller chooses has the mark.
func furnish(t *testing.T, s *tacettest.Server, c *client.Client, account, vault, mark string) tenant {
	ctx := t.Context()
	me := tenant{"user": "ana" + mark, "group": "ops" + mark, "role": "deploy" + mark, "policy": "arn:aws:iam::" + account + ":policy/readers" + mark,
		"provider": "arn:aws:iam::" + account + ":oidc-provider/issuer." + mark + ".example", "vault": vault, "principal": "arn:aws:iam::" + account + ":user/" + mark + "/ana" + mark,
		"resource": "arn:aws:iam::" + account + ":user/" + mark + "/ana" + mark, "definition": "Rotator " + mark}
	user := client.Holder{Kind: "user", Name: me["user"]}
	must[client.User](t)(c.CreateUser(ctx, me["user"], client.NewPrincipal{Path: "/" + mark + "/"}))
	must[client.Group](t)(c.CreateGroup(ctx, me["group"], "/"+mark+"/"))
	must[client.Role](t)(c.CreateRole(ctx, me["role"], `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole"}]}`, mark, 0, client.NewPrincipal{}))
	must[client.ManagedPolicy](t)(c.CreateManaged(ctx, "readers"+mark, "", mark, allowAll, nil))
	must[client.PolicyVersion](t)(c.UpdateManaged(ctx, me["policy"], allowAll))
	must[client.Provider](t)(c.CreateProvider(ctx, "https://issuer."+mark+".example", []string{"b"}, "", []client.Tag{{Key: "a", Value: mark}}))
	must[client.RoleDefinition](t)(c.CreateRoleDefinition(ctx, client.NewRoleDefinition{Name: me["definition"], DataActions: []string{"*"}}))
	me["assignment"] = must[client.Assignment](t)(c.CreateRoleAssignment(ctx, client.NewAssignment{Vault: vault, Principal: me["user"], Role: "Key Vault Reader"})).ID
	cred, _, err := c.CreateClientCredential(ctx, user, client.NewClientCredential{Kind: "client-secret", Description: mark})
	if err != nil {
		t.Fatal(err)
	}
	key, secret, err := c.CreateAccessKey(ctx, me["user"])
	if err != nil {
		t.Fatal(err)
	}
	me["key"], me["credential"] = key.ID, cred.ID
	_, err = dial(t, s, key.ID, secret).GetUser(ctx, me["user"])
	if refused, ok := errors.AsType[*client.Error](err); ok {
		me["decision"] = refused.DecisionID
	}
	for _, err := range []error{c.AddToGroup(ctx, me["group"], me["user"]), c.PutPolicy(ctx, user, "p", allowAll), c.AttachPolicy(ctx, user, me["policy"])} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, v := range me {
		if v == "" {
			t.Fatalf("there is no %s", name)
		}
	}
	return me
}

// of is the value of a member of a request for an operation.
func (me tenant) of(path, member string) string {
	switch kind, _, _ := strings.Cut(path, "/"); {
	case member == "vaults":
		return me["vault"]
	case member == "id":
		return me[map[string]string{"role-assignments": "assignment", "client-credentials": "credential", "decisions": "decision"}[kind]]
	case member == "role" && (kind == "role-definitions" || kind == "role-assignments"):
		return me["definition"]
	}
	return me[member]
}

// identifies are the members of requests that identify something, and others those that do
// not: a member that is in neither has to be put in one of them.
func identifies(path, member string) bool {
	if member == "policy" { // an inline policy's is a name of its holder's
		return !slices.Contains([]string{"policies/put", "policies/get", "policies/delete"}, path)
	}
	return slices.Contains([]string{"user", "group", "role", "provider", "key", "vault", "vaults", "id", "principal", "resource"}, member)
}

var others = []string{"document", "action", "context", "tags", "keys", "url", "audiences", "audience", "version", "seconds", "active", "network", "name", "path", "account", "region",
	"permissions", "actions", "kind", "offset", "unreachable", "policy"}

// request makes a body from that of the table: one's own in every member but foreign, which is
// another's.
func (me tenant) request(t *testing.T, path string, foreign string, other tenant) string {
	t.Helper()
	var body map[string]any
	if bodies[path] == "" {
		return ""
	}
	if err := json.Unmarshal([]byte(bodies[path]), &body); err != nil {
		t.Fatal(err)
	}
	for member := range body {
		with := me
		if member == foreign {
			with = other
		}
		switch {
		case strings.HasSuffix(path, "s/create") && (member == "user" || member == "group" || member == "role" || member == "policy") && !slices.Contains([]string{"keys/create", "client-credentials/create", "role-assignments/create"}, path):
			body[member] = "newcomer"
		case member == "vaults":
			body[member] = []string{with.of(path, member)}
		case identifies(path, member):
			body[member] = with.of(path, member)
		case !slices.Contains(others, member):
			t.Errorf("%s: does the member %s identify anything?", path, member)
		}
	}
	if path == "roles/trust" || path == "roles/create" {
		body["document"] = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000002"},"Action":"sts:AssumeRole"}]}`
	} else if body["document"] != nil {
		body["document"] = allowAll
	}
	if path == "users/update" {
		body["name"] = "newname"
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestThreat13_AnotherAccount: for every operation and every identifier that its request takes,
// another account's is answered like nobody's, while all the rest of the request is right and
// one's own; and nothing of the other account is changed.
func TestThreat13_AnotherAccount(t *testing.T) {
	s := tacettest.New(t)
	admin := dial(t, s, s.AccessKey, s.SecretKey)
	made := must[client.NewAccount](t)(admin.CreateAccount(t.Context(), "000000000002", "", "", ""))
	second := dial(t, s, made.Key.ID, made.Key.Secret)
	theirs, own := furnish(t, s, admin, s.Account, "main", "zzmarker"), furnish(t, s, second, "000000000002", made.Vault.Name, "own")
	nobodys := tenant{}
	for name, v := range theirs {
		nobodys[name] = strings.ReplaceAll(v, "zzmarker", "zzmarkes")
	}
	maps.Copy(nobodys, tenant{"vault": "mine", "key": "AKIAIOSFODNN7EXAMPLE", "assignment": "00000000-0000-4000-8000-000000000001", "credential": "00000000-0000-4000-8000-000000000002", "decision": strings.Repeat("0", 32)})
	state := func() string {
		ctx, user := t.Context(), client.Holder{Kind: "user", Name: theirs["user"]}
		b, err := json.Marshal([]any{must[[]client.User](t)(admin.ListUsers(ctx)), must[[]client.AccessKey](t)(admin.ListAccessKeys(ctx, theirs["user"])),
			must[client.Group](t)(admin.GetGroup(ctx, theirs["group"])), must[client.Role](t)(admin.GetRole(ctx, theirs["role"])),
			must[client.ManagedPolicy](t)(admin.GetManaged(ctx, theirs["policy"])), must[client.Provider](t)(admin.GetProvider(ctx, theirs["provider"])),
			must[[]client.ClientCredential](t)(admin.ListClientCredentials(ctx, user)), must[[]client.Assignment](t)(admin.ListRoleAssignments(ctx, "main")),
			must[[]client.RoleDefinition](t)(admin.ListRoleDefinitions(ctx)), must[[]string](t)(admin.ListAttached(ctx, user)), must[[]string](t)(admin.ListPolicies(ctx, user)),
			must[client.VaultSettings](t)(admin.GetVault(ctx, "main"))})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	before := state()
	c := s.AWS(t).As(made.Key.ID, made.Key.Secret)
	asked := 0
	for _, path := range adminapi.Paths() {
		var members map[string]any
		_ = json.Unmarshal([]byte(bodies[path]), &members)
		for member := range members {
			// A vault grants to principals of any account, who must exist, as a resource policy's must at
			// AWS; and what of one's own they can do may be asked.
			if !identifies(path, member) || member == "principal" {
				continue
			}
			one, two := own.request(t, path, member, theirs), own.request(t, path, member, nobodys)
			if one == two {
				continue // it makes one's own
			}
			asked++
			status1, body1 := post(t, c, s, adminapi.Service, path, one)
			status2, body2 := post(t, c, s, adminapi.Service, path, two)
			got := strings.ReplaceAll(strings.ReplaceAll(plainFailure(body1), theirs.of(path, member), nobodys.of(path, member)), "zzmarker", "zzmarkes")
			if status1 != status2 || got != plainFailure(body2) || status1 == 200 {
				t.Errorf("%s tells by %s one from the other:\n%d %s\n%d %s", path, member, status1, body1, status2, body2)
			}
		}
		if status, body := post(t, c, s, adminapi.Service, path, bodies[path]); strings.Contains(string(body), "zzmarker") {
			t.Errorf("%s shows another account's: %d %s", path, status, body)
		}
	}
	if after := state(); after != before {
		t.Errorf("changed from another account:\n%s\n%s", before, after)
	}
	if asked < 70 {
		t.Errorf("only %d pairs were asked", asked)
	}
}

// plainFailure is a refusal without the ids of the request and the decision; "" for what is none.
func plainFailure(body []byte) string {
	var out struct {
		Error struct{ Code, Message string }
	}
	_ = json.Unmarshal(body, &out) // an answer of lines has none
	return out.Error.Code + out.Error.Message
}
