package azureapi_test

import (
	"strings"
	"testing"
)

// "deny wins", at object scope, with the text that names the deny assignment.
func TestContractF_DenyAssignment(t *testing.T) {
	h := newHouse(t)
	h.set("open", "v")
	h.set("shut", "v")
	id, _ := h.admin("role-assignments/create", in{"vault": "main", "secret": "SHUT", "principal": "admin", "role": "Key Vault Secrets User", "deny": true})["id"].(string)
	for _, name := range []string{"shut", "Shut"} {
		h.fails("GET", "/secrets/"+name, nil, 403, "Forbidden", "ForbiddenByRbac", "Caller is not authorized to perform action on resource.\r\n")
		_, out := h.c.Call("GET", "/secrets/"+name, nil)
		e, _ := out["error"].(in)
		if text, _ := e["message"].(string); id == "" || !strings.Contains(text, "DenyAssignmentId: '"+id+"'") {
			t.Errorf("%q does not name %q", text, id)
		}
	}
	h.fails("GET", "/secrets/shut/versions", nil, 403, "Forbidden", "ForbiddenByRbac", "")
	h.set("shut", "w") // which the role does not grant, and the denial does not refuse
	h.ok("GET", "/secrets/open", nil)
	h.ok("GET", "/secrets", nil)
	h.admin("role-assignments/delete", in{"vault": "main", "id": id})
	h.ok("GET", "/secrets/shut", nil)
}
