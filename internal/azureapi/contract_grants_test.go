package azureapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// admin makes a call of the administration, which must succeed.
func (h *house) admin(path, body string) in {
	h.Helper()
	req, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.s.URL+"/tacet/v1/"+path, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, answer := h.s.AWS(h.T).Send(req, "tacet", []byte(body))
	var out in
	if err := json.Unmarshal(answer, &out); err != nil || res.StatusCode != http.StatusOK {
		h.Fatalf("%s: %d %s", path, res.StatusCode, answer)
	}
	return out
}

// azure.md f: "deny wins", at object scope, with the text that names the deny assignment.
func TestContractF_DenyAssignment(t *testing.T) {
	h := newHouse(t)
	h.set("open", "v")
	h.set("shut", "v")
	id, _ := h.admin("role-assignments/create", `{"vault":"main","secret":"SHUT","principal":"admin","role":"Key Vault Secrets User","deny":true}`)["id"].(string)
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
	h.admin("role-assignments/delete", `{"vault":"main","id":"`+id+`"}`)
	h.ok("GET", "/secrets/shut", nil)
}
