package azureapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// An auditEvent is one line of `tacet audit export --format azure`.
type auditEvent struct {
	Time, ResourceID, OperationName, OperationVersion, Category, ResultType, ResultSignature, ResultDescription string
	CallerIPAddress, CorrelationID, TenantID                                                                    string
	Identity                                                                                                    struct{ Claim map[string]string }
	Properties                                                                                                  struct {
		ClientInfo, RequestURI, ID, TLSVersion string
		HTTPStatusCode                         int
	}
}

// auditEvents exports the record and returns its events by the ids of their requests.
func (h *house) auditEvents() map[string]auditEvent {
	h.Helper()
	body := []byte(`{"format":"azure"}`)
	res, lines := h.aws.Send(h.adminRequest("audit/export", body), "tacet", body)
	if res.StatusCode != http.StatusOK {
		h.Fatalf("export: %d %s", res.StatusCode, lines)
	}
	out := map[string]auditEvent{}
	for line := range bytes.Lines(lines) {
		var e auditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			h.Fatalf("%v: %s", err, line)
		}
		if !strings.HasSuffix(e.OperationName, "SecretVersionDelete") { // what Tacet did in consequence has a line of its own
			out[e.CorrelationID] = e
		}
	}
	return out
}

// send makes a request as an SDK does and returns its id and status.
func (m *matrix) send(token, method, target string, body any) (id string, status int) {
	m.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		m.Fatal(err)
	}
	req := m.c.WithToken(token).Request(method, target, text)
	req.Header.Set("User-Agent", "azsdk-go-azsecrets/v1.5.1 (go1.26; linux)")
	res, _ := m.c.Send(req)
	return res.Header.Get("X-Ms-Request-Id"), res.StatusCode
}

// The audit record and its operationNames, member by member, for each of the
// operations on secrets, allowed and refused.
func TestContractH_AuditEvents(t *testing.T) {
	m := newMatrix(t)
	names := map[string]string{"set": "SecretSet", "get": "SecretGet", "get a version": "SecretGet", "update": "SecretUpdate", "list": "SecretList",
		"list versions": "SecretListVersions", "delete": "SecretDelete", "list deleted": "SecretListDeleted", "get deleted": "SecretGetDeleted",
		"recover": "SecretRecover", "purge": "SecretPurge", "back up": "SecretBackup", "restore": "SecretRestore"}
	token := m.c.Token(m.clientID, m.secret, "https://vault.azure.net/.default")
	m.set("doomed0", "v")
	for _, name := range []string{"back0", "past0"} {
		m.set(name, "v")
		m.remove(name)
	}
	type sent struct {
		o      secretsOperation
		target string
		status int
	}
	all := map[string]sent{}
	for _, allowed := range []bool{false, true} {
		if allowed {
			m.assign("app", "Key Vault Secrets Officer", "")
		}
		for _, o := range secretsOperations() {
			target := m.replace.Replace(strings.ReplaceAll(o.target, "{n}", "0"))
			body := in{}
			for k, v := range o.body {
				body[k] = m.replace.Replace(v.(string))
			}
			id, status := m.send(token, o.method, target+"?api-version=7.4&ignored=canary", body)
			if (status < 300) != allowed {
				t.Errorf("%s: %d", o.name, status)
			}
			all[id] = sent{o, target, status}
		}
	}
	events := m.auditEvents()
	for id, s := range all {
		e, ok := events[id]
		if !ok {
			t.Errorf("%s, %d: no record", s.o.name, s.status)
			continue
		}
		m.holds(s.o.name, &e, names[s.o.name], s.target, s.status)
		if e.Properties.HTTPStatusCode == 403 && !strings.HasPrefix(e.ResultDescription, "Caller is not authorized to perform action on resource.\r\nCaller: "+m.who()) {
			t.Errorf("%s: %q", s.o.name, e.ResultDescription)
		}
		object := ""
		if _, name, ok := strings.Cut(strings.TrimSuffix(s.o.object(), "'"), "/secrets/"); ok {
			object = m.c.Base() + "/secrets/" + strings.ReplaceAll(name, "{n}", "0")
		} else if s.o.name == "restore" {
			object = m.c.Base() + "/secrets/kept"
		}
		if e.Properties.ID != object && !strings.HasPrefix(e.Properties.ID, object+"/") {
			t.Errorf("%s: the id is %q, not %q", s.o.name, e.Properties.ID, object)
		}
	}
}

// holds compares the members that every event of a request has.
func (m *matrix) holds(what string, e *auditEvent, name, target string, status int) {
	m.Helper()
	words := map[int][2]string{200: {"Success", "OK"}, 204: {"Success", "No Content"}, 401: {"Failed", "Unauthorized"}, 403: {"Failed", "Forbidden"}, 404: {"Failed", "Not Found"}}[status]
	at, err := time.Parse(time.RFC3339Nano, e.Time)
	if err != nil || time.Since(at).Abs() > time.Minute || e.Category != "AuditEvent" || e.CallerIPAddress != "127.0.0.1" || e.TenantID != m.s.TenantID ||
		e.ResourceID != "/SUBSCRIPTIONS/"+strings.ToUpper(m.s.TenantID)+"/RESOURCEGROUPS/TACET/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/MAIN" {
		m.Errorf("%s: %+v", what, e)
	}
	if e.OperationName != name || e.ResultType != words[0] || e.ResultSignature != words[1] || e.Properties.HTTPStatusCode != status {
		m.Errorf("%s: %s %s %s %d, want %s %s %d", what, e.OperationName, e.ResultType, e.ResultSignature, e.Properties.HTTPStatusCode, name, words, status)
	}
	uri := m.c.Base() + target
	if e.OperationVersion != "" {
		uri += "?api-version=" + e.OperationVersion
	}
	if e.Properties.RequestURI != uri || e.Properties.ClientInfo != "azsdk-go-azsecrets/v1.5.1 (go1.26; linux)" || e.Properties.TLSVersion != "TLS1_3" {
		m.Errorf("%s: %+v, want %s", what, e.Properties, uri)
	}
	claims := map[string]string{}
	if status != 401 {
		claims = map[string]string{"http://schemas.microsoft.com/identity/claims/objectidentifier": m.objectID, "appid": m.clientID,
			"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "app@" + m.s.Account}
		if e.OperationVersion != "7.4" {
			m.Errorf("%s: the version is %q", what, e.OperationVersion)
		}
	}
	if len(e.Identity.Claim) != len(claims) {
		m.Errorf("%s: the claims are %v", what, e.Identity.Claim)
	}
	for k, v := range claims {
		if e.Identity.Claim[k] != v {
			m.Errorf("%s: the claim %s is %q, not %q", what, k, e.Identity.Claim[k], v)
		}
	}
}

// "The anonymous 401 probe is logged as Authentication", and so is a token that
// is none. Nobody can fill the record so.
func TestContractH_AnonymousRequests(t *testing.T) {
	m := newMatrix(t)
	probe, status := m.send("", "GET", "/secrets/live?api-version=7.4", nil)
	bad, badStatus := m.send("x.y.z", "GET", "/secrets/live?api-version=7.4", nil)
	if status != 401 || badStatus != 401 {
		t.Fatal(status, badStatus)
	}
	events := m.auditEvents()
	for id, text := range map[string]string{probe: "AKV10000: Request is missing a Bearer or PoP token.", bad: "AKV10046: "} {
		e := events[id]
		m.holds("anonymous", &e, "Authentication", "/secrets/live", 401)
		if !strings.HasPrefix(e.ResultDescription, text) {
			t.Errorf("%q", e.ResultDescription)
		}
	}
	before := len(events)
	for range 200 {
		m.send("", "GET", "/secrets/live?api-version=7.4", nil)
	}
	if n := len(m.auditEvents()) - before; n > 100 {
		t.Errorf("%d of 200 were recorded", n)
	}
	why := m.admin("decisions/explain", in{"id": probe})
	if why["problem"] != "nobody said who he was" {
		t.Errorf("%v", why)
	}
}
