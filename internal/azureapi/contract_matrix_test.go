package azureapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	dataActions = "Microsoft.KeyVault/vaults/secrets/"
	noRole      = "Caller is not authorized to perform action on resource.\r\n" +
		"If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n"
	noPolicy = ". For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287"
)

// secretsOperations are the operations, each with what grants it: a data
// action, and a permission of access policies. {n} is of the try, so that a try that
// succeeds is in no later one's way.
func secretsOperations() []secretsOperation {
	return []secretsOperation{
		{"set", "PUT", "/secrets/new{n}", in{"value": "v"}, "setSecret/action", "set"},
		{"get", "GET", "/secrets/live", nil, "getSecret/action", "get"},
		{"get a version", "GET", "/secrets/live/{version}", nil, "getSecret/action", "get"},
		{"update", "PATCH", "/secrets/live/{version}", in{"contentType": "t"}, "update/action", "set"},
		{"list", "GET", "/secrets", nil, "readMetadata/action", "list"},
		{"list versions", "GET", "/secrets/live/versions", nil, "readMetadata/action", "list"},
		{"delete", "DELETE", "/secrets/doomed{n}", nil, "delete", "delete"},
		{"list deleted", "GET", "/deletedsecrets", nil, "readMetadata/action", "list"},
		{"get deleted", "GET", "/deletedsecrets/gone", nil, "readMetadata/action", "get"},
		{"recover", "POST", "/deletedsecrets/back{n}/recover", nil, "recover/action", "recover"},
		{"purge", "DELETE", "/deletedsecrets/past{n}", nil, "purge/action", "purge"},
		{"back up", "POST", "/secrets/live/backup", nil, "backup/action", "backup"},
		{"restore", "POST", "/secrets/restore", in{"value": "{backup}"}, "restore/action", "restore"},
	}
}

type secretsOperation struct {
	name, method, target string
	body                 in
	action, permission   string
}

// object is what of a vault the operation is about, as refusals end its resource's id.
func (o *secretsOperation) object() string {
	parts := strings.Split(o.target, "/")
	if len(parts) < 3 || parts[2] == "restore" {
		return "/vaults/main'"
	}
	return "/vaults/main/secrets/" + parts[2] + "'"
}

// matrix is a vault in which every operation can be tried many times by an application.
type matrix struct {
	*application
	replace *strings.Replacer
	n       int
}

// tries has the application try every operation and holds the outcome to want. A refusal
// must have the inner code and the texts that refused says.
func (m *matrix) tries(grant string, want func(o *secretsOperation) bool, inner string, refused func(o *secretsOperation) []string) {
	m.Helper()
	for _, o := range secretsOperations() {
		m.n++
		replace := strings.NewReplacer("{n}", fmt.Sprint(m.n))
		target := m.replace.Replace(replace.Replace(o.target))
		name := strings.Split(target, "/")[2:]
		switch o.name {
		case "delete":
			m.set(name[0], "v")
		case "recover", "purge":
			m.set(name[0], "v")
			m.remove(name[0])
		}
		var body any
		if o.body != nil {
			b := in{}
			for k, v := range o.body {
				b[k] = m.replace.Replace(v.(string))
			}
			body = b
		}
		status, out := m.c.Call(o.method, target, body)
		if want(&o) {
			if status != 200 && status != 204 {
				m.Errorf("%s, %s: %d %v", grant, o.name, status, out)
			}
			if o.name == "restore" {
				m.house.remove("kept")
				m.purge("kept")
			}
			continue
		}
		m.failure(grant+", "+o.name, status, out, 403, "Forbidden", inner, "")
		e, _ := out["error"].(in)
		message, _ := e["message"].(string)
		for _, text := range refused(&o) {
			if text = replace.Replace(text); !strings.Contains(message, text) {
				m.Errorf("%s, %s: %q lacks %q", grant, o.name, message, text)
			}
		}
	}
}

// purge removes a deleted secret for good.
func (h *house) purge(name string) {
	h.Helper()
	if status, out := h.c.Call("DELETE", "/deletedsecrets/"+name, nil); status != 204 {
		h.Fatalf("purge %s: %d %v", name, status, out)
	}
}

func newMatrix(t *testing.T) *matrix {
	h := newHouse(t)
	app := h.application("app")
	m := &matrix{application: app}
	live := h.set("live", "v")
	h.set("gone", "v")
	h.remove("gone")
	h.set("kept", "v")
	backup, _ := h.ok("POST", "/secrets/kept/backup", nil)["value"].(string)
	h.remove("kept")
	h.purge("kept")
	m.replace = strings.NewReplacer("{version}", version(live), "{backup}", backup)
	return m
}

// "Operation -> action": each data action alone grants its operations and no
// other, and a refusal names the action and the object.
func TestContractF_EveryActionAndOperation(t *testing.T) {
	m := newMatrix(t)
	who := m.who()
	refused := func(o *secretsOperation) []string {
		return []string{noRole + "Caller: " + who + "\r\nAction: '" + dataActions + o.action + "'\r\nResource: '/subscriptions/", o.object() +
			"\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: main;location=" + m.s.Region + "\r\n"}
	}
	var actions []string
	for _, o := range secretsOperations() {
		if !slices.Contains(actions, o.action) {
			actions = append(actions, o.action)
		}
	}
	if len(actions) != 9 {
		t.Fatalf("the actions are %q", actions)
	}
	for _, action := range append(actions, "", "*") {
		name, takeBack := "only "+action, func() {}
		if action != "" {
			m.admin("role-definitions/create", in{"name": name, "actions": []string{dataActions + action}})
			takeBack = m.assign("app", name, "")
		}
		m.tries(name, func(o *secretsOperation) bool { return action == "*" || o.action == action }, "ForbiddenByRbac", refused)
		takeBack()
	}
}

// Access policies: each permission alone, and `all`; "secret update needs set;
// GET deleted needs get, list deleted list".
func TestContractF_EveryPermissionAndOperation(t *testing.T) {
	m := newMatrix(t)
	m.admin("vaults/update", in{"vault": "main", "accesspolicies": true})
	m.assign("app", "Key Vault Administrator", "") // which counts for nothing here
	who := m.who()
	refused := func(o *secretsOperation) []string {
		return []string{"The user, group or application '" + who + "' does not have secrets " + o.permission + " permission on key vault 'main;location=" + m.s.Region + "'" + noPolicy}
	}
	for _, permission := range []string{"", "get", "list", "set", "delete", "recover", "backup", "restore", "purge", "all"} {
		if permission != "" {
			m.admin("access-policies/set", in{"vault": "main", "principal": "app", "permissions": []string{permission}})
		}
		m.tries("the permission "+permission, func(o *secretsOperation) bool { return permission == "all" || o.permission == permission }, "ForbiddenByPolicy", refused)
	}
	m.admin("access-policies/set", in{"vault": "main", "principal": "app", "permissions": []string{"get", "list"}})
	m.tries("get and list", func(o *secretsOperation) bool { return o.permission == "get" || o.permission == "list" }, "ForbiddenByPolicy", refused)
	m.admin("access-policies/delete", in{"vault": "main", "principal": "app"})
	m.tries("a policy that was deleted", func(*secretsOperation) bool { return false }, "ForbiddenByPolicy", refused)
}

// "Authorization comes before existence": whoever has no permission is told the
// same of a name that is there and of one that is not, in either model.
func TestContractF_NamesAreNotTold(t *testing.T) {
	h := newHouse(t)
	h.set("known", "v")
	h.set("deleted", "v")
	h.remove("deleted")
	app := h.application("app")
	for _, policies := range []bool{false, true} {
		h.admin("vaults/update", in{"vault": "main", "accesspolicies": policies})
		inner := map[bool]string{false: "ForbiddenByRbac", true: "ForbiddenByPolicy"}[policies]
		for _, o := range secretsOperations() {
			prefix, rest, named := strings.Cut(o.target[1:], "/")
			if !named || o.name == "restore" {
				continue
			}
			_, rest, _ = strings.Cut(rest+"/", "/")
			var told []string
			for _, name := range []string{"known", "deleted", "unknown"} {
				target := "/" + prefix + "/" + name + "/" + strings.ReplaceAll(rest, "{version}", strings.Repeat("0", 32))
				var body any
				if o.body != nil {
					body = o.body
				}
				status, out := app.c.Call(o.method, target, body)
				h.failure(o.name+" "+name, status, out, 403, "Forbidden", inner, "")
				e, _ := out["error"].(in)
				message, _ := e["message"].(string)
				told = append(told, strings.ReplaceAll(message, "/secrets/"+name, "/secrets/"))
			}
			if told[0] != told[1] || told[0] != told[2] {
				t.Errorf("%s tells names apart: %q", o.name, told)
			}
		}
	}
}
