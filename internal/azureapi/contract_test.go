package azureapi_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"tacet/internal/tacettest"
)

// The tests named TestContract... state what the section of the API that
// their name ends in (A tokens, B common, C secrets, F access, H audit) says, over the wire of a whole running server.

// house is a running server and the administrator's client of its vault main.
type house struct {
	*testing.T
	s   *tacettest.Server
	c   *tacettest.AzureClient
	aws *tacettest.AWSClient // for the administration
}

type in = map[string]any

func newHouse(t *testing.T, opts ...tacettest.Option) *house {
	t.Helper()
	return houseOf(t, tacettest.New(t, opts...))
}

func houseOf(t *testing.T, s *tacettest.Server) *house {
	t.Helper()
	return &house{t, s, s.Azure(t), s.AWS(t)}
}

// ok makes a call that must succeed.
func (h *house) ok(method, target string, body any) in {
	h.Helper()
	status, out := h.c.Call(method, target, body)
	if status != http.StatusOK {
		h.Fatalf("%s %s: %d %v", method, target, status, out)
	}
	return out
}

// set makes a version with a value.
func (h *house) set(name, value string) in {
	h.Helper()
	return h.ok("PUT", "/secrets/"+name, in{"value": value})
}

// remove deletes a secret.
func (h *house) remove(name string) in {
	h.Helper()
	return h.ok("DELETE", "/secrets/"+name, nil)
}

// fails makes a call that must be refused: with a status, a code, an inner code ("" for
// none) and a text that begins so.
func (h *house) fails(method, target string, body any, status int, code, inner, text string) {
	h.Helper()
	got, out := h.c.Call(method, target, body)
	h.failure(method+" "+target, got, out, status, code, inner, text)
}

func (h *house) failure(what string, got int, out in, status int, code, inner, text string) {
	h.Helper()
	e, _ := out["error"].(in)
	message, _ := e["message"].(string)
	innerError, _ := e["innererror"].(in)
	innerCode, _ := innerError["code"].(string)
	if got != status || e["code"] != code || innerCode != inner || !strings.HasPrefix(message, text) || len(out) != 1 {
		h.Errorf("%s: %d %v\nwant %d %s/%s %q", what, got, out, status, code, inner, text)
	}
	if _, has := e["innererror"]; has != (inner != "") || message == "" {
		h.Errorf("%s: %v", what, out)
	}
}

func version(b in) string {
	id, _ := b["id"].(string)
	return id[strings.LastIndexByte(id, '/')+1:]
}

func attributes(b in) in {
	a, _ := b["attributes"].(in)
	return a
}

// members holds an object to exactly these members.
func (h *house) members(what string, b in, names ...string) {
	h.Helper()
	want := map[string]bool{}
	for _, n := range names {
		want[n] = true
	}
	got := map[string]bool{}
	for n := range b {
		got[n] = true
	}
	if !reflect.DeepEqual(got, want) {
		h.Errorf("%s has the members %v, want %v", what, got, want)
	}
}

var challengePattern = regexp.MustCompile(`^Bearer authorization="(https://[a-z0-9.-]+(?::[0-9]+)?)/([A-Za-z0-9.-]+)", resource="(https://[a-z0-9.-]+(?::[0-9]+)?)"$`)

// Whatever a request without a token is, it is answered with the challenge: SDKs send
// their first one without a body.
func TestContractA1_ChallengeComesFirst(t *testing.T) {
	h := newHouse(t)
	h.set("known", "v")
	anonymous := h.c.WithToken("")
	for _, r := range []struct{ method, target, body string }{
		{"GET", "/secrets/known?api-version=7.4", ""}, {"GET", "/secrets/known/?api-version=7.4", ""},
		{"PUT", "/secrets/a?api-version=7.4", ""}, {"PUT", "/secrets/a", `{"value":"x"}`}, {"PUT", "/secrets/a", `{{{`},
		{"GET", "/secrets/none?api-version=7.4", ""}, {"GET", "/secrets/bad_name?api-version=7.4", ""},
		{"GET", "/secrets/x?api-version=1.0", ""}, {"GET", "/secrets/x", ""}, {"GET", "//secrets/x", ""},
		{"PATCH", "/secrets/x/y?api-version=7.4", ""}, {"DELETE", "/secrets/x?api-version=7.4", ""}, {"POST", "/secrets/restore?api-version=7.4", ""},
		{"POST", "/deletedsecrets/x/recover?api-version=7.4", ""}, {"GET", "/deletedsecrets?api-version=7.4", ""},
		{"POST", "/keys/k/create?api-version=7.4", ""}, {"GET", "/certificates?api-version=7.4", ""}, {"GET", "/nowhere", ""}, {"GET", "/", ""},
		{"TRACE", "/secrets/x", ""}, {"HEAD", "/secrets/x?api-version=7.4", ""}, {"OPTIONS", "/secrets/x", ""},
		{"PUT", "/secrets/a?api-version=7.4", `{"value":"` + strings.Repeat("x", 2<<20) + `"}`},
	} {
		req := anonymous.Request(r.method, "https://placeholder/", []byte(r.body))
		req.URL.Host, req.URL.Opaque = strings.TrimPrefix(h.c.Base(), "https://"), strings.Replace(h.c.Base(), "https:", "", 1)+r.target
		req.Host = req.URL.Host
		res, body := h.c.Send(req)
		if res.StatusCode != 401 || r.method != "HEAD" && string(body) != `{"error":{"code":"Unauthorized","message":"AKV10000: Request is missing a Bearer or PoP token."}}` {
			t.Errorf("%s %.60s: %d %s", r.method, r.target, res.StatusCode, body)
		}
		if got := res.Header.Values("WWW-Authenticate"); len(got) != 1 || !challengePattern.MatchString(got[0]) {
			t.Errorf("%s %.60s: challenge %q", r.method, r.target, got)
		}
		if got := res.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
			t.Errorf("%s %.60s: content type %q", r.method, r.target, got)
		}
	}
}

// The resource is the vault's configured host less its first label, with the port of the
// listener: what SDKs verify. The path of the authority is the tenant, and nothing else.
func TestContractA1_ChallengeForms(t *testing.T) {
	h := newHouse(t)
	port := h.c.Port()
	authority := `Bearer authorization="https://localhost` + port + `/adfs", resource="`
	for host, resource := range map[string]string{
		"main.vault.localhost" + port: "https://vault.localhost" + port,
		"main.localhost" + port:       "https://localhost" + port,
		"MAIN.Vault.LocalHost" + port: "https://vault.localhost" + port,
		// Neither the port nor the spelling of a Host header is believed.
		"main.vault.localhost:1":        "https://vault.localhost" + port,
		"main.vault.localhost.":         "https://vault.localhost" + port,
		"main.vault.localhost":          "https://vault.localhost" + port,
		"127.0.0.1" + port:              "https://vault.azure.net",
		"localhost" + port:              "https://vault.azure.net",
		"[::1]" + port:                  "https://vault.azure.net",
		"[0:0:0:0:0:0:0:1]":             "https://vault.azure.net",
		"localhost":                     "https://vault.azure.net",
		"main.vault.localhost:notaport": "https://vault.localhost" + port,
	} {
		req := h.c.WithToken("").Request("GET", "/secrets?api-version=7.4", nil)
		req.Host = host
		if host == "main.vault.localhost:notaport" {
			continue // net/http refuses it by itself
		}
		res, body := h.c.Send(req)
		if got := res.Header.Get("WWW-Authenticate"); res.StatusCode != 401 || got != authority+resource+`"` {
			t.Errorf("%s: %d %s\n%s", host, res.StatusCode, got, body)
		}
	}
}

// The parsers of the SDKs, as they are written: Go's splits at spaces and equals signs,
// Python's at commas, and JavaScript's takes the whole path for the tenant.
func TestContractA1_ChallengeIsParsedByEverySDK(t *testing.T) {
	h := newHouse(t)
	res, _ := h.c.Send(h.c.WithToken("").Request("GET", "/secrets?api-version=7.4", nil))
	header := res.Header.Get("WWW-Authenticate")
	want := map[string]string{"authorization": "https://localhost" + h.c.Port() + "/adfs", "resource": "https://vault.localhost" + h.c.Port()}
	goSDK := map[string]string{}
	for part := range strings.SplitSeq(header, " ") {
		if pair := strings.Split(part, "="); len(pair) == 2 {
			goSDK[pair[0]] = strings.TrimRight(strings.Trim(pair[1], `",`), `"`)
		}
	}
	python := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(header, "Bearer "), ",") {
		if pair := strings.Split(part, "="); len(pair) == 2 {
			python[strings.Trim(pair[0], `" `)] = strings.Trim(pair[1], `" `)
		}
	}
	for name, got := range map[string]map[string]string{"Go": goSDK, "Python": python} {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s reads %v, want %v", name, got, want)
		}
	}
	if parts := strings.Split(want["authorization"], "/"); len(parts) != 4 || parts[3] != "adfs" {
		t.Errorf("the tenant of %s is not its whole path", want["authorization"])
	}
}

// What is no good token gets the challenge too, with a text that says what is wrong.
func TestContractA1_BadTokens(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	good := h.c.Token(h.s.ClientID, h.s.ClientSecret, "https://vault.azure.net/.default")
	const missing = "AKV10000: Request is missing a Bearer or PoP token."
	for _, tt := range []struct {
		header []string
		text   string
	}{
		{nil, missing}, {[]string{""}, missing}, {[]string{"Bearer"}, missing}, {[]string{"Bearer "}, missing}, {[]string{"Basic " + good}, missing},
		{[]string{good}, missing}, {[]string{"Bearer " + good, "Bearer " + good}, missing}, {[]string{"AWS4-HMAC-SHA256 Credential=x"}, missing},
		{[]string{"Bearer x"}, "AKV1"}, {[]string{"Bearer " + good[:len(good)-4] + "AAAA"}, "AKV1"}, {[]string{"Bearer " + good + "." + good}, "AKV1"},
		{[]string{"Bearer eyJhbGciOiJub25lIn0.e30."}, "AKV1"}, {[]string{"Bearer " + strings.Repeat("a", 12000)}, "AKV1"},
	} {
		req := h.c.WithToken("").Request("GET", "/secrets/s?api-version=7.4", nil)
		req.Header["Authorization"] = tt.header
		res, body := h.c.Send(req)
		var out in
		if err := json.Unmarshal(body, &out); err != nil {
			t.Fatalf("%.60q: %d %s", tt.header, res.StatusCode, body)
		}
		h.failure(strings.Join(tt.header, ",")[:min(40, len(strings.Join(tt.header, ",")))], res.StatusCode, out, 401, "Unauthorized", "", tt.text)
		if !challengePattern.MatchString(res.Header.Get("WWW-Authenticate")) {
			t.Errorf("%.60q: challenge %q", tt.header, res.Header.Get("WWW-Authenticate"))
		}
	}
	// The scheme has no case.
	req := h.c.WithToken("").Request("GET", "/secrets/s?api-version=7.4", nil)
	req.Header.Set("Authorization", "bearer "+good)
	if res, body := h.c.Send(req); res.StatusCode != 200 {
		t.Errorf("bearer: %d %s", res.StatusCode, body)
	}
}

// A token for the vault's own challenge resource is taken, with and without the port, and
// so is one for the public cloud's; a token for another vault's resource is not.
func TestContractA1_Audiences(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	port := h.c.Port()
	for _, tt := range []struct {
		base, audience string
		status         int
	}{
		{"https://main.vault.localhost", "https://vault.azure.net", 200}, {"https://main.vault.localhost", "https://vault.localhost" + port, 200},
		{"https://main.vault.localhost", "https://vault.localhost", 200}, {"https://main.localhost", "https://localhost" + port, 200},
		{"https://main.localhost", "https://vault.localhost" + port, 401}, {"https://main.vault.localhost", "https://localhost" + port, 401},
		{"https://127.0.0.1", "https://vault.azure.net", 200},
	} {
		token := h.c.Token(h.s.ClientID, h.s.ClientSecret, tt.audience+"/.default")
		status, out := h.c.WithToken(token).At(tt.base+port).Call("GET", "/secrets/s", nil)
		if status != tt.status {
			t.Errorf("%s for %s: %d %v", tt.base, tt.audience, status, out)
		}
		if status == 401 {
			h.failure(tt.audience, status, out, 401, "Unauthorized", "", "AKV10022: Invalid audience. Expected https://")
		}
	}
}
