package azureapi_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"tacet/internal/azureapi"
)

// A refusal looks the same for a name that is there and for one that is not, and a deny in
// either cloud's words holds here.
func TestContractF_DenialComesBeforeExistence(t *testing.T) {
	h := newHouse(t)
	h.set("known", "v")
	const text = "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, " +
		"please observe propagation time.\r\nCaller: appid="
	for _, action := range []string{"Microsoft.KeyVault/vaults/secrets/getSecret/action", "secretsmanager:GetSecretValue"} {
		// Of the administrator's own: he may be denied things too.
		h.admin("policies/put", in{"user": "admin", "policy": "test",
			"document": `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"` + action + `","Resource":"*"}}`})
		for _, name := range []string{"known", "none"} {
			h.fails("GET", "/secrets/"+name, nil, 403, "Forbidden", "ForbiddenByRbac", text)
			res, body := h.c.Send(h.c.Request("GET", "/secrets/"+name+"?api-version=7.4", nil))
			var out in
			if err := json.Unmarshal(body, &out); err != nil {
				t.Fatal(err)
			}
			e, _ := out["error"].(in)
			message, _ := e["message"].(string)
			for _, want := range []string{res.Header.Get("X-Tacet-Decision-Id") + "'\r\n", "appid=" + h.s.ClientID + ";oid=", ";iss=https://sts.windows.net/", "\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\n",
				"/vaults/main/secrets/" + name + "'\r\nAssignment: (not found)\r\nDenyAssignmentId: ", "\r\nVault: main;location=" + h.s.Region} {
				if !strings.Contains(message, want) {
					t.Errorf("%s: %q lacks %q", name, message, want)
				}
			}
		}
		h.ok("GET", "/secrets", nil) // listing is another action
	}
}

// No route of a vault answers without a good token, whatever it is sent.
func TestContractA1_NoRouteWithoutAToken(t *testing.T) {
	h := newHouse(t)
	h.set("known", "v")
	other := h.c.Token(h.s.ClientID, h.s.ClientSecret, "https://localhost"+h.c.Port()+"/.default") // for main.localhost
	routes := azureapi.Routes()
	if len(routes) < 14 {
		t.Fatalf("only %d routes", len(routes))
	}
	for _, route := range routes {
		for _, name := range []string{"known", "none", "bad_name"} {
			path := "/" + strings.NewReplacer("{name}", name, "{version}", strings.Repeat("0", 32)).Replace(route[1])
			for what, token := range map[string]string{"no token": "", "garbage": "x.y.z", "another vault's": other} {
				for _, query := range []string{"", "?api-version=7.4"} {
					res, body := h.c.Send(h.c.WithToken(token).Request(route[0], path+query, []byte(`{"value":"v"}`)))
					if res.StatusCode != 401 || res.Header.Get("WWW-Authenticate") == "" || !bytes.HasPrefix(body, []byte(`{"error":{"code":"Unauthorized","message":"AKV1`)) {
						t.Errorf("%s %s%s, %s: %d %s", route[0], path, query, what, res.StatusCode, body)
					}
				}
			}
		}
	}
	if b := h.ok("GET", "/secrets/known", nil); b["value"] != "v" {
		t.Errorf("something was done: %v", b)
	}
}
