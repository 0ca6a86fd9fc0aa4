package azureapi_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestContractB_APIVersions(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	for _, v := range []string{"2016-10-01", "7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01", "2026-04-01", "7.4-preview.1",
		"7.0-preview", "7.3-preview", "7.6-preview.2", "2025-06-01-preview", "7.7", "2027-01-01"} {
		if status, out := h.c.Call("GET", "/secrets/s?api-version="+v, nil); status != 200 {
			t.Errorf("%s: %d %v", v, status, out)
		}
	}
	// One text for what is unknown and for what is missing.
	for _, v := range []string{"", "1.0", "7", "7.", "7.x", "8.0", "2016-09-30", "2025-13-01", "2025-07-01-beta", "latest", "7.4-preview.x", "v7.4", "7.4 "} {
		h.fails("GET", "/secrets/s?api-version="+strings.ReplaceAll(v, " ", "%20"), nil, 400, "BadParameter", "",
			"The specified version ("+v+") is not recognized. Consider using the latest supported version (2026-04-01).")
	}
	for _, target := range []string{"/secrets/s?version=7.4", "/secrets/s?api_version=", "/secrets/s?apiversion=7.4", "/secrets/s?api-version&version=7.4"} {
		h.fails("GET", target, nil, 400, "BadParameter", "", "The specified version () is not recognized. Consider using the latest supported version (2026-04-01).")
	}
	for _, twice := range []string{"api-version=7.4&api-version=7.5", "api-version=7.4&api%2Dversion=7.4", "api-version=7.4&API-VERSION=7.4", "api-version=&api-version=7.4"} {
		h.fails("GET", "/secrets/s?"+twice, nil, 400, "BadParameter", "", "The query parameter api-version is given more than once.")
	}
	h.fails("GET", "/secrets/s?api-version=7.4&x=%zz", nil, 400, "BadParameter", "", "The query string is not valid.")
}

// Keys of the query are read unescaped: the JavaScript SDK escapes their hyphens.
func TestContractB_EscapedQueryKeys(t *testing.T) {
	h := newHouse(t)
	for _, n := range []string{"a", "b", "c"} {
		h.set(n, "v")
	}
	for _, target := range []string{"/secrets?api%2Dversion=2026-04-01&maxresults=1", "/secrets?API-Version=7.4&MaxResults=1", "/secrets?api%2dversion=7%2E4&%6daxresults=1"} {
		status, page := h.c.Call("GET", target, nil)
		list, _ := page["value"].([]any)
		if status != 200 || len(list) != 1 {
			t.Errorf("%s: %d %v", target, status, page)
		}
		next, _ := page["nextLink"].(string)
		escaped := strings.Replace(next, "$skiptoken", "%24skiptoken", 1)
		if status, page := h.c.Call("GET", escaped, nil); status != 200 {
			t.Errorf("%s: %d %v", escaped, status, page)
		}
	}
}

// Ids begin with the vault's configured URL, whatever the Host header looks like.
func TestContractB_Ids(t *testing.T) {
	h := newHouse(t)
	port := h.c.Port()
	for host, base := range map[string]string{
		"main.vault.localhost" + port: "https://main.vault.localhost" + port, "MAIN.vault.localhost:1": "https://main.vault.localhost" + port,
		"main.localhost" + port: "https://main.localhost" + port, "127.0.0.1:1": "https://127.0.0.1" + port, "localhost": "https://localhost" + port,
		"[::1]:1": "https://[::1]" + port,
	} {
		req := h.c.Request("PUT", "/secrets/s?api-version=7.4", []byte(`{"value":"v"}`))
		req.Host = host
		res, body := h.c.Send(req)
		id := regexp.MustCompile(`"id":"` + regexp.QuoteMeta(base) + `/secrets/s/[0-9a-f]{32}"`)
		if res.StatusCode != 200 || !id.Match(body) {
			t.Errorf("%s: %d %s", host, res.StatusCode, body)
		}
	}
}

// A host that names no vault is told so, in JSON and to everybody, and is never taken for
// another vault.
func TestContractB_UnknownHosts(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	for _, host := range []string{"other.vault.localhost", "other.localhost", "main.vault.azure.net", "main.example.com", "example.com", "main",
		"a.main.vault.localhost", "vault.localhost", "main.vault.localhost.example.com", "192.0.2.1", "main-vault.localhost", "xlocalhost", ".vault.localhost"} {
		for _, c := range []string{"", "with a token"} {
			req := h.c.Request("GET", "/secrets/s?api-version=7.4", nil)
			if req.Host = host; c == "" {
				req.Header.Del("Authorization")
			}
			res, body := h.c.Send(req)
			if res.StatusCode != 404 || string(body) != `{"error":{"code":"VaultNotFound","message":"There is no vault with this host name on this server."}}` ||
				res.Header.Get("Content-Type") != "application/json; charset=utf-8" || res.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s: %d %s", host, res.StatusCode, body)
			}
		}
	}
}

// AWS's face answers on the hosts of vaults too: what is sent to "/" by POST is its.
func TestContractB_AWSOnEveryHost(t *testing.T) {
	h := newHouse(t)
	for _, host := range []string{"main.vault.localhost", "main.localhost", "localhost", "127.0.0.1", "secretsmanager.us-east-1.amazonaws.com", "example.com"} {
		req := h.c.WithToken("").Request("POST", "/", []byte("{}"))
		req.Host = host
		req.Header.Set("X-Amz-Target", "secretsmanager.ListSecrets")
		if res, body := h.c.Send(req); res.StatusCode != 400 || !strings.Contains(string(body), "MissingAuthenticationTokenException") {
			t.Errorf("%s: %d %s", host, res.StatusCode, body)
		}
	}
}

func TestContractB_Names(t *testing.T) {
	h := newHouse(t)
	longest := strings.Repeat("n", 127)
	for _, name := range []string{"a", "A-b-0", "0", "-", "---", longest} {
		if id, _ := h.set(name, "v")["id"].(string); !strings.Contains(id, "/secrets/"+name+"/") {
			t.Errorf("%s: id %s", name, id)
		}
	}
	for sent, name := range map[string]string{"bad_name": "bad_name", "a.b": "a.b", "a%2Fb": "a/b", "%C3%A9": "é", "a%20b": "a b", "..": "..", "%2e%2e": "..", "a:b": "a:b",
		longest + "n": longest + "n"} {
		for _, r := range []struct {
			method, before, after string
			body                  any
		}{{"PUT", "/secrets/", "", in{"value": "v"}}, {"GET", "/secrets/", "", nil}, {"PATCH", "/secrets/", "", in{}}, {"DELETE", "/secrets/", "", nil},
			{"GET", "/secrets/", "/versions", nil}, {"POST", "/secrets/", "/backup", nil}, {"GET", "/deletedsecrets/", "", nil}, {"DELETE", "/deletedsecrets/", "", nil},
			{"POST", "/deletedsecrets/", "/recover", nil}} {
			target := h.c.Base() + r.before + sent + r.after + "?api-version=7.4"
			req := h.c.Request(r.method, h.c.Base(), nil)
			req.URL.Opaque = strings.TrimPrefix(target, "https:")
			req.URL.RawQuery = ""
			res, body := h.c.Send(req)
			if res.StatusCode != 400 || !strings.Contains(string(body), `"The request URI contains an invalid name: `+name+`"`) {
				t.Errorf("%s %s%s%s: %d %s", r.method, r.before, sent, r.after, res.StatusCode, body)
			}
		}
	}
}

// Names have no case; what is answered has the one they were stored in.
func TestContractB_NamesKeepTheirCase(t *testing.T) {
	h := newHouse(t)
	first := h.set("MixedCase", "one")
	second := h.set("mixedcase", "two")
	for what, b := range map[string]in{"set": second, "get": h.ok("GET", "/secrets/MIXEDCASE", nil), "get version": h.ok("GET", "/secrets/mIXEDcASE/"+version(first), nil),
		"update": h.ok("PATCH", "/secrets/mixedCASE/", in{"contentType": "t"}), "delete": h.remove("MIXEDCASE"),
		"deleted": h.ok("GET", "/deletedsecrets/mixedcase", nil), "recover": h.ok("POST", "/deletedsecrets/MiXeDcAsE/recover", nil)} {
		if id, _ := b["id"].(string); !strings.HasPrefix(id, h.c.Base()+"/secrets/MixedCase/") {
			t.Errorf("%s: %s", what, id)
		}
	}
	list, _ := h.ok("GET", "/secrets", nil)["value"].([]any)
	if len(list) != 1 {
		t.Errorf("listed: %v", list)
	}
}

// An empty version is the current one, two slashes are one, and words of a path have no case.
func TestContractB_Paths(t *testing.T) {
	h := newHouse(t)
	b := h.set("s", "v")
	for _, target := range []string{"/secrets/s", "/secrets/s/", "//secrets/s", "//secrets//s//", "/secrets/s//", "/Secrets/s", "/SECRETS/S/", "/%73ecrets/s",
		"/secrets/s/" + version(b), "//secrets/s/" + version(b) + "/", "/secrets/s/" + strings.ToUpper(version(b))} {
		if got := h.ok("GET", target, nil); got["id"] != b["id"] || got["value"] != "v" {
			t.Errorf("%s: %v", target, got)
		}
	}
	for _, target := range []string{"/secrets/s/", "/secrets/s", "//secrets/s/"} {
		if got := h.ok("PATCH", target, in{}); got["id"] != b["id"] {
			t.Errorf("PATCH %s: %v", target, got)
		}
	}
	for _, target := range []string{"/secrets", "/secrets/", "//secrets", "/secrets/s/versions", "/secrets/s/Versions/", "/deletedsecrets/"} {
		if got := h.ok("GET", target, nil); got["value"] == nil {
			t.Errorf("%s: %v", target, got)
		}
	}
	for _, target := range []string{"/", "/secret", "/secrets/s/x/y", "/deletedsecrets/s/x/y", "/secrets/s/versions/v", "/nothing/s"} {
		h.fails("GET", target, nil, 404, "NotFound", "", "There is no such resource")
	}
	for _, r := range []struct{ method, target string }{{"POST", "/secrets"}, {"DELETE", "/secrets"}, {"POST", "/secrets/s"}, {"PUT", "/deletedsecrets/s"},
		{"PUT", "/secrets/s/v"}, {"POST", "/secrets/s/v"}, {"GET", "/deletedsecrets/s/recover"}, {"OPTIONS", "/secrets"}} {
		h.fails(r.method, r.target, nil, 405, "BadParameter", "", "The method "+r.method+" is not allowed")
	}
	// What is allowed is told (RFC 9110 section 15.5.6).
	for target, want := range map[string]string{"/secrets": "GET", "/secrets/s": "GET, PUT, PATCH, DELETE", "/secrets/s/v": "GET, PATCH", "/secrets/restore": "POST, GET, PUT, PATCH, DELETE",
		"/secrets/s/backup": "POST, GET, PATCH", "/deletedsecrets": "GET", "/deletedsecrets/s": "GET, DELETE", "/deletedsecrets/s/recover": "POST"} {
		res, _ := h.c.Send(h.c.Request("TRACE", target+"?api-version=7.4", nil))
		if got := res.Header.Get("Allow"); res.StatusCode != 405 || got != want {
			t.Errorf("%s: %d, allowed are %q, want %q", target, res.StatusCode, got, want)
		}
	}
}

// What Key Vault has and Tacet has not is told as that.
func TestContractB_KeysAndCertificates(t *testing.T) {
	h := newHouse(t)
	for _, r := range []struct{ method, target string }{{"GET", "/keys"}, {"POST", "/keys/k/create"}, {"POST", "/Keys/k//sign"}, {"GET", "/deletedkeys/k"},
		{"GET", "/certificates/c/policy"}, {"GET", "/certificates/contacts"}, {"POST", "/rng"}, {"GET", "/storage"}} {
		h.fails(r.method, r.target, nil, 404, "NotFound", "", "This server has secrets only: no keys, certificates or storage accounts.")
	}
}

// A POST may say in X-HTTP-Method what it is, which newer documents call X-HTTP-Request; no
// other method may.
func TestContractB_MethodOverride(t *testing.T) {
	h := newHouse(t)
	header := "X-HTTP-Request"
	override := func(method, real, target, body string) (int, string) {
		req := h.c.Request(method, target+"?api-version=7.4", []byte(body))
		req.Header.Set(header, real)
		res, answer := h.c.Send(req)
		return res.StatusCode, string(answer)
	}
	if status, answer := override("POST", "PUT", "/secrets/s", `{"value":"v"}`); status != 200 {
		t.Errorf("%s: %d %s", header, status, answer)
	}
	header = "X-HTTP-Method"
	for _, r := range []struct {
		real, target, body string
		status             int
	}{{"PUT", "/secrets/s", `{"value":"v"}`, 200}, {"GET", "/secrets/s", "", 200}, {"patch", "/secrets/s", `{"tags":{"a":"b"}}`, 200}, {"DELETE", "/secrets/s", "", 200},
		{"DELETE", "/deletedsecrets/s", "", 204}, {"POST", "/secrets/s", "", 405}} {
		if status, answer := override("POST", r.real, r.target, r.body); status != r.status {
			t.Errorf("%s %s: %d %s", r.real, r.target, status, answer)
		}
	}
	if status, answer := override("GET", "DELETE", "/secrets", ""); status != 200 {
		t.Errorf("GET with an override: %d %s", status, answer)
	}
}

func TestContractB_Headers(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	for _, target := range []string{"/secrets/s", "/secrets/none", "/secrets"} {
		req := h.c.Request("GET", target+"?api-version=7.4", nil)
		req.Header.Set("x-ms-client-request-id", "from-the-client")
		res, _ := h.c.Send(req)
		for name, want := range map[string]string{"Cache-Control": "no-cache", "Pragma": "no-cache", "Expires": "-1", "x-ms-client-request-id": "from-the-client",
			"x-ms-keyvault-region": h.s.Region, "X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
			"x-ms-keyvault-network-info": "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;", "Content-Type": "application/json; charset=utf-8"} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
		if id := res.Header.Get("x-ms-request-id"); !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(id) {
			t.Errorf("x-ms-request-id %q", id)
		}
		if res.Header.Get("x-ms-keyvault-service-version") == "" || res.Header.Get("x-ms-error-code") != "" {
			t.Errorf("%s: %v", target, res.Header)
		}
	}
	res, _ := h.c.Send(h.c.Request("GET", "/secrets?api-version=7.4", nil))
	if got := res.Header.Get("x-ms-client-request-id"); got != "" {
		t.Errorf("an id that was not sent is echoed: %q", got)
	}
}

// Newer members are not shown to older versions.
func TestContractB_OlderVersionsHideNewerMembers(t *testing.T) {
	h := newHouse(t)
	first := h.set("s", "one")
	h.set("s", "two")
	for v, want := range map[string][2]bool{"2016-10-01": {}, "7.0": {}, "7.0-preview": {}, "7.1": {true}, "7.6": {true}, "2025-06-01-preview": {true},
		"2025-07-01": {true, true}, "2026-04-01": {true, true}, "2030-01-01": {true, true}} {
		b := h.ok("GET", "/secrets/s?api-version="+v, nil)
		_, days := attributes(b)["recoverableDays"]
		previous, has := b["previousVersion"]
		if days != want[0] || has != want[1] || has && previous != version(first) {
			t.Errorf("%s: %v", v, b)
		}
	}
}

// outContentType came with 2025-07-01. Nothing that Tacet keeps is converted, but what Key
// Vault refuses is refused.
func TestContractB_OutContentType(t *testing.T) {
	h := newHouse(t)
	b := h.set("s", "v")
	for _, path := range []string{"/secrets/s", "/secrets/s/" + version(b)} {
		for _, query := range []string{"api-version=2025-07-01&outContentType=application/x-pem-file", "api-version=2026-04-01&outcontenttype=application%2FX-PEM-file",
			"api-version=2026-04-01&outContentType=", "api-version=7.6&outContentType=text/plain"} {
			if got := h.ok("GET", path+"?"+query, nil); got["value"] != "v" {
				t.Errorf("%s: %v", query, got)
			}
		}
		for _, v := range []string{"2025-07-01", "2026-04-01"} {
			h.fails("GET", path+"?outContentType=application/x-pkcs12&api-version="+v, nil, 400, "BadParameter", "", "The query parameter outContentType must be application/x-pem-file.")
		}
	}
	h.ok("GET", "/secrets?outContentType=text/plain", nil) // a parameter of one operation
}

// Bodies are bounded, and a length that is announced is not believed.
func TestContractB_BodyLimits(t *testing.T) {
	h := newHouse(t)
	for _, n := range []int{256<<10 + 1, 2 << 20} {
		status, out := h.c.Call("PUT", "/secrets/s", in{"value": strings.Repeat("x", n)})
		h.failure(strconv.Itoa(n), status, out, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "", "The request body is too large.")
	}
}
