package azureapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tacet/internal/tacettest"
)

// admin makes a call of the administration, which must succeed.
func (h *house) admin(path string, body in) in {
	h.Helper()
	status, out := h.tryAdmin(path, body)
	if status != http.StatusOK {
		h.Fatalf("%s: %d %v", path, status, out)
	}
	return out
}

// tryAdmin is admin for a call that may fail.
func (h *house) tryAdmin(path string, body in) (status int, out in) {
	h.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		h.Error(err)
	}
	res, answer := h.aws.Send(h.adminRequest(path, text), "tacet", text)
	if err := json.Unmarshal(answer, &out); err != nil {
		h.Errorf("%s: %d %s", path, res.StatusCode, answer)
	}
	return res.StatusCode, out
}

// adminRequest makes the request of such a call, not signed yet.
func (h *house) adminRequest(path string, body []byte) *http.Request {
	h.Helper()
	req, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.s.URL+"/tacet/v1/"+path, bytes.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return req
}

// An application is a user without any right, with a client secret and a token of his.
type application struct {
	*house
	name, clientID, objectID, credential, secret string

	c *tacettest.AzureClient
}

func (h *house) application(name string) *application {
	h.Helper()
	h.admin("users/create", in{"user": name})
	cred := h.admin("client-credentials/create", in{"user": name, "kind": "client-secret"})
	member := func(of string) string {
		text, _ := cred[of].(string)
		return text
	}
	token := h.c.Token(member("clientId"), member("secret"), "https://vault.azure.net/.default")
	return &application{h, name, member("clientId"), member("objectId"), member("id"), member("secret"), h.c.WithToken(token)}
}

// assign gives a principal a role at the vault main, or at one of its secrets, and returns
// what takes it back.
func (h *house) assign(principal, role, secret string) (takeBack func()) {
	h.Helper()
	id := h.admin("role-assignments/create", in{"vault": "main", "secret": secret, "principal": principal, "role": role})["id"]
	return func() {
		h.Helper()
		h.admin("role-assignments/delete", in{"vault": "main", "id": id})
	}
}

// who is how refusals call the application.
func (a *application) who() string {
	return fmt.Sprintf("appid=%s;oid=%s;iss=https://sts.windows.net/%s/", a.clientID, a.objectID, a.s.TenantID)
}

// wants makes a call that must be answered with a status.
func (a *application) wants(status int, method, target string, body any) in {
	a.Helper()
	got, out := a.c.Call(method, target, body)
	if got != status {
		a.Errorf("%s %s: %d %v, want %d", method, target, got, out, status)
	}
	return out
}

// "A data role on one secret cannot list", at vault scope it can; the object is
// the secret with all its versions, in any case of letters.
func TestContractF_Scopes(t *testing.T) {
	h := newHouse(t)
	first := h.set("mine", "v")
	h.set("other", "v")
	app := h.application("app")
	atSecret := h.assign(app.clientID, "Key Vault Secrets User", "mine")
	for _, target := range []string{"/secrets/mine", "/secrets/MINE", "/secrets/mine/" + version(first), "/secrets/mine/versions"} {
		app.wants(200, "GET", target, nil)
	}
	for _, target := range []string{"/secrets", "/deletedsecrets", "/secrets/other", "/secrets/other/versions", "/secrets/mine-too", "/secrets/none"} {
		app.wants(403, "GET", target, nil)
	}
	app.wants(403, "PUT", "/secrets/mine", in{"value": "w"})
	app.wants(403, "DELETE", "/secrets/mine", nil)
	h.remove("mine")
	app.wants(200, "GET", "/deletedsecrets/mine", nil)
	app.wants(404, "GET", "/secrets/mine", nil)
	atSecret()
	app.wants(403, "GET", "/secrets/mine", nil)
	atVault := h.assign(app.objectID, "4633458b-17de-408a-b874-0445c86b69e6", "") // by the ids Azure has
	for _, target := range []string{"/secrets", "/deletedsecrets", "/secrets/other", "/secrets/other/versions", "/deletedsecrets/mine"} {
		app.wants(200, "GET", target, nil)
	}
	app.wants(404, "GET", "/secrets/none", nil)
	atVault()
	app.wants(403, "GET", "/secrets/other", nil)
}

// The table of built-in roles: name, id and data actions.
func TestContractF_BuiltInRoles(t *testing.T) {
	h := newHouse(t)
	want := map[string]string{
		"Key Vault Administrator":                  "00482a5a-887f-4fb3-b363-3b7fe8e74483 *",
		"Key Vault Reader":                         "21090545-7ca7-4776-b22c-e363652d74d2 */read secrets/readMetadata/action",
		"Key Vault Secrets Officer":                "b86a8fe4-44ce-4948-aee5-eccb2c155cd7 secrets/*",
		"Key Vault Secrets User":                   "4633458b-17de-408a-b874-0445c86b69e6 secrets/getSecret/action secrets/readMetadata/action",
		"Key Vault Crypto Officer":                 "14b46e9e-c2b7-41b4-b07b-48a6ebf60603 keys/* keyrotationpolicies/*",
		"Key Vault Crypto User":                    "12338af0-0e69-4776-bea7-57ae8d297424 keys/read keys/update/action keys/backup/action keys/encrypt/action keys/decrypt/action keys/wrap/action keys/unwrap/action keys/sign/action keys/verify/action",
		"Key Vault Crypto Service Encryption User": "e147488a-f6f5-4113-8e2d-b22465e65bf6 keys/read keys/wrap/action keys/unwrap/action",
		"Key Vault Crypto Service Release User":    "08bbd89e-9f13-488c-ac41-acfcb10c90ab keys/release/action",
		"Key Vault Certificates Officer":           "a4417e6f-fecd-4de8-b567-7b0420556985 certificatecas/* certificates/* certificatecontacts/write",
		"Key Vault Certificate User":               "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba certificates/read secrets/getSecret/action secrets/readMetadata/action keys/read",
		"Key Vault Contributor":                    "f25e0fa2-a7c8-4377-a976-54943a77a395",
		"Key Vault Data Access Administrator":      "8b54135c-b56d-4d72-a534-26097cfdc8d8",
	}
	list, _ := h.admin("role-definitions/list", in{})["roles"].([]any)
	for _, r := range list {
		role, _ := r.(in)
		name, _ := role["name"].(string)
		got := fmt.Sprint(role["id"])
		for _, a := range role["dataActions"].([]any) {
			got += " " + strings.TrimPrefix(a.(string), "Microsoft.KeyVault/vaults/")
		}
		if not, _ := role["notDataActions"].([]any); got != want[name] || len(not) > 0 || role["builtIn"] != true {
			t.Errorf("%s: %s, want %s", name, got, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("there is no %v", want)
	}
}

// Access policies, "up to 1024 per vault, per objectId"; a principal has one.
func TestContractF_AccessPolicyLimit(t *testing.T) {
	h := newHouse(t)
	set := func(principal string) int {
		status, _ := h.tryAdmin("access-policies/set", in{"vault": "main", "principal": principal, "permissions": []string{"get"}})
		return status
	}
	var set200, set409 atomic.Int64
	var wg sync.WaitGroup
	for worker := range 25 { // together, which is faster
		wg.Go(func() {
			for i := range 41 {
				name := fmt.Sprintf("g%d-%d", worker, i)
				h.tryAdmin("groups/create", in{"group": name})
				switch set("group/" + name) {
				case 200:
					set200.Add(1)
				case 409:
					set409.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if set200.Load() != 1024 || set409.Load() != 1 {
		t.Errorf("%d of 1025 were set, %d were too many", set200.Load(), set409.Load())
	}
	list, _ := h.admin("access-policies/list", in{"vault": "main"})["assignments"].([]any)
	if len(list) != 1024 {
		t.Fatalf("%d access policies", len(list))
	}
	if status := set(fmt.Sprint(list[7].(in)["objectId"])); status != 200 { // in place of the one there is
		t.Errorf("another for the same: %d", status)
	}
}

// "notDataActions subtract", "Match is ... case-insensitive", and of several
// roles each grants.
func TestContractF_CustomRolesOverTheWire(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	app := h.application("app")
	h.admin("role-definitions/create", in{"name": "All but reading", "actions": []string{"microsoft.keyvault/VAULTS/secrets/*"}, "notactions": []string{"*/GETSECRET/*"}})
	h.admin("role-definitions/create", in{"name": "Reading", "actions": []string{"*/getSecret/action"}})
	takeBack := h.assign("app", "all but reading", "")
	app.wants(403, "GET", "/secrets/s", nil)
	app.wants(200, "GET", "/secrets", nil)
	app.wants(200, "PUT", "/secrets/s", in{"value": "w"})
	h.assign("app", "Reading", "")
	app.wants(200, "GET", "/secrets/s", nil) // what one role subtracts, another may grant
	takeBack()
	app.wants(403, "GET", "/secrets", nil)
	app.wants(200, "GET", "/secrets/s", nil)
}

// "Usual headers": x-ms-keyvault-rbac-assignment-id names the role assignment that
// allowed the request, whosever it is, and nothing else.
func TestContractB_AssignmentHeader(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	app := h.application("app")
	header := func(c *tacettest.AzureClient, method, target string) string {
		res, _ := c.Send(c.Request(method, target+"?api-version=7.4", []byte(`{"value":"v"}`)))
		return res.Header.Get("X-Ms-Keyvault-Rbac-Assignment-Id")
	}
	if got := header(h.c, "GET", "/secrets/s"); got != "" { // an IAM policy's
		t.Errorf("the administrator has %q", got)
	}
	h.admin("groups/create", in{"group": "ops"})
	h.admin("groups/add", in{"group": "ops", "user": "app"})
	reads := fmt.Sprint(h.admin("role-assignments/create", in{"vault": "main", "secret": "s", "principal": "app", "role": "Key Vault Secrets User"})["id"])
	all := fmt.Sprint(h.admin("role-assignments/create", in{"vault": "main", "principal": "group/ops", "role": "Key Vault Secrets Officer"})["id"])
	for _, r := range [][3]string{{"PUT", "/secrets/s", all}, {"PUT", "/secrets/t", all}, {"GET", "/secrets/t", all}, {"GET", "/secrets", all},
		{"DELETE", "/secrets/t", all}, {"DELETE", "/deletedsecrets/t", all}, {"GET", "/secrets/none", ""}} {
		if got := header(app.c, r[0], r[1]); got != r[2] {
			t.Errorf("%s %s: %q, want %q", r[0], r[1], got, r[2])
		}
	}
	h.admin("groups/remove", in{"group": "ops", "user": "app"})
	for _, r := range [][3]string{{"GET", "/secrets/s", reads}, {"GET", "/secrets", ""}, {"PUT", "/secrets/s", ""}} {
		if got := header(app.c, r[0], r[1]); got != r[2] {
			t.Errorf("%s %s: %q, want %q", r[0], r[1], got, r[2])
		}
	}
	h.admin("vaults/update", in{"vault": "main", "accesspolicies": true})
	h.admin("access-policies/set", in{"vault": "main", "principal": "app", "permissions": []string{"get"}})
	if got := header(app.c, "GET", "/secrets/s"); got != "" {
		t.Errorf("an access policy is %q", got)
	}
}

// A role given to a group is its members', from the next request on.
func TestContractF_Groups(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	app := h.application("app")
	h.admin("groups/create", in{"group": "ops"})
	h.assign("group/ops", "Key Vault Secrets User", "")
	app.wants(403, "GET", "/secrets/s", nil)
	h.admin("groups/add", in{"group": "ops", "user": "app"})
	app.wants(200, "GET", "/secrets/s", nil)
	h.admin("groups/remove", in{"group": "ops", "user": "app"})
	app.wants(403, "GET", "/secrets/s", nil)
	h.admin("groups/add", in{"group": "ops", "user": "app"})
	h.admin("vaults/update", in{"vault": "main", "accesspolicies": true})
	app.wants(403, "GET", "/secrets/s", nil)
	h.admin("access-policies/set", in{"vault": "main", "principal": "group/ops", "permissions": []string{"get"}})
	app.wants(200, "GET", "/secrets/s", nil)
}

// A token ends with the client secret that it was got by, and with its application, whose
// grants are nobody's then; another's goes on.
func TestContractF_TokensOfWhatIsGone(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	one, two := h.application("one"), h.application("two")
	for _, app := range []*application{one, two} {
		h.assign(app.name, "Key Vault Secrets User", "")
		app.wants(200, "GET", "/secrets/s", nil)
	}
	ended := func(app *application) {
		t.Helper()
		res, _ := app.c.Send(app.c.Request("GET", "/secrets/s?api-version=7.4", nil))
		if !challengePattern.MatchString(res.Header.Get("WWW-Authenticate")) {
			t.Errorf("%s: %d without a challenge", app.name, res.StatusCode)
		}
		status, out := app.c.Call("GET", "/secrets/none", nil)
		h.failure(app.name, status, out, 401, "Unauthorized", "", "AKV1")
	}
	h.admin("client-credentials/delete", in{"user": "one", "id": one.credential})
	ended(one)
	two.wants(200, "GET", "/secrets/s", nil)
	h.admin("client-credentials/delete", in{"user": "two", "id": two.credential})
	h.admin("users/delete", in{"user": "two"})
	ended(two)
	h.application("two") // another one under the same name
	ended(two)
	if list, _ := h.admin("role-assignments/list", in{"vault": "main"})["assignments"].([]any); len(list) != 1 {
		t.Errorf("the assignments left are %v", list)
	}
}

// "Soft delete always on, retention 7..90 (default 90) ... recoveryLevel", in
// every answer that has attributes.
func TestContractF_RecoveryLevels(t *testing.T) {
	h := newHouse(t)
	for i, tt := range []struct {
		days      int
		protected bool
		level     string
	}{
		{7, false, "CustomizedRecoverable+Purgeable"}, {30, false, "CustomizedRecoverable+Purgeable"}, {90, false, "Recoverable+Purgeable"}, {0, false, "Recoverable+Purgeable"},
		{7, true, "CustomizedRecoverable"}, {30, true, "CustomizedRecoverable"}, {90, true, "Recoverable"}, {0, true, "Recoverable"},
	} {
		name, made := fmt.Sprint("vault-", i), in{"account": h.s.Account, "region": fmt.Sprint("eu-west-", i+1), "purgeprotection": tt.protected}
		if made["name"] = name; tt.days != 0 {
			made["retentiondays"] = tt.days
		}
		h.admin("vaults/create", made)
		days := float64(tt.days)
		if tt.days == 0 {
			days = 90
		}
		v := *h
		v.c = h.c.At("https://" + name + ".vault.localhost" + h.c.Port())
		set := v.set("s", "v")
		if set["id"] != v.c.Base()+"/secrets/s/"+version(set) {
			t.Errorf("the id is %v", set["id"])
		}
		listed := func(target string) in { return v.ok("GET", target, nil)["value"].([]any)[0].(in) }
		answers := []in{set, v.ok("GET", "/secrets/s", nil), v.ok("PATCH", "/secrets/s", in{"contentType": "t"}), listed("/secrets"), listed("/secrets/s/versions")}
		deleted := v.remove("s")
		answers = append(answers, deleted, v.ok("GET", "/deletedsecrets/s", nil), listed("/deletedsecrets"))
		for _, b := range answers {
			if a := attributes(b); a["recoveryLevel"] != tt.level || a["recoverableDays"] != days {
				t.Errorf("%+v: %v", tt, b)
			}
		}
		at, _ := deleted["deletedDate"].(float64)
		if deleted["scheduledPurgeDate"] != at+days*86400 {
			t.Errorf("%+v: deleted at %v, to be purged at %v", tt, at, deleted["scheduledPurgeDate"])
		}
		if tt.protected {
			v.fails("DELETE", "/deletedsecrets/s", nil, 403, "Forbidden", "", `Operation "purge" is not allowed because purge protection is enabled for this vault. `+
				"Key Vault service will automatically purge it after the retention period has passed.")
			v.ok("POST", "/deletedsecrets/s/recover", nil)
			continue
		}
		if status, out := v.c.Call("DELETE", "/deletedsecrets/s", nil); status != 204 || out != nil {
			t.Errorf("%+v: %d %v", tt, status, out)
		}
	}
}

// "Network: ... applied to the data plane, after the 401 step": also to who may
// do everything, and not to the administration.
func TestContractF_NetworkRules(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	app := h.application("app")
	rules := func(deny bool, allowed ...string) {
		h.admin("vaults/update", in{"vault": "main", "network": in{"deny": deny, "allowed": append([]string{}, allowed...)}})
	}
	const text = "Client address is not authorized and caller is not a trusted service.\r\nClient address: 127.0.0.1\r\nCaller: "
	for _, allowed := range [][]string{nil, {"10.0.0.0/8"}, {"10.0.0.0/8", "127.0.0.2/32", "::/0"}} {
		rules(true, allowed...)
		for _, target := range []string{"/secrets/s", "/secrets/none", "/secrets", "/deletedsecrets", "/deletedsecrets/s"} {
			h.fails("GET", target, nil, 403, "Forbidden", "ForbiddenByFirewall", text)
			status, out := app.c.Call("GET", target, nil)
			h.failure(target, status, out, 403, "Forbidden", "ForbiddenByFirewall", text+app.who()+"\r\nVault: main;location="+h.s.Region)
		}
		h.fails("PUT", "/secrets/s", in{"value": "w"}, 403, "Forbidden", "ForbiddenByFirewall", text)
		for _, token := range []string{"", "x.y.z"} { // the challenge comes first
			if status, out := h.c.WithToken(token).Call("GET", "/secrets/s", nil); status != 401 {
				t.Errorf("token %q: %d %v", token, status, out)
			}
		}
	}
	for _, allowed := range []string{"127.0.0.0/8", "127.0.0.1/32", "0.0.0.0/0"} {
		rules(true, "10.0.0.0/8", allowed)
		h.ok("GET", "/secrets/s", nil)
		status, out := app.c.Call("GET", "/secrets/s", nil)
		h.failure("inside, and not allowed", status, out, 403, "Forbidden", "ForbiddenByRbac", "Caller is not authorized")
	}
	rules(false)
	h.ok("GET", "/secrets/s", nil)
}
