package azureapi_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tacet/internal/jwa"
	"tacet/internal/tacettest"
)

// authority is a client of a running server's token endpoints.
type authority struct {
	*testing.T
	s    *tacettest.Server
	http *http.Client
	// Of the administrator.
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
	Header string `json:"identity_header"`
	tenant string
}

func newAuthority(t *testing.T, opts ...tacettest.Option) *authority {
	t.Helper()
	a := &authority{T: t, s: tacettest.New(t, opts...)}
	text, err := os.ReadFile(filepath.Join(a.s.DataDir, "credentials.json"))
	a.must(err)
	a.must(json.Unmarshal(text, a))
	ca, err := os.ReadFile(a.s.CAFile)
	a.must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	a.http = &http.Client{Transport: transport}
	_, claims := a.parts(a.token("adfs", nil))
	a.tenant = claims["tid"].(string)
	return a
}

func (a *authority) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// do makes a request; host "" is the server's own.
func (a *authority) do(method, target, host string, header http.Header, body string) (*http.Response, map[string]any) {
	a.Helper()
	if strings.HasPrefix(target, "/") {
		target = a.s.HTTPSURL + target
	}
	req, err := http.NewRequestWithContext(a.Context(), method, target, strings.NewReader(body))
	a.must(err)
	if header != nil {
		req.Header = header
	}
	req.Host = host
	res, err := a.http.Do(req)
	a.must(err)
	raw, err := io.ReadAll(res.Body)
	a.must(err)
	a.must(res.Body.Close())
	var out map[string]any
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		a.must(json.Unmarshal(raw, &out))
	}
	return res, out
}

// ask posts a form to a token endpoint: a good one, but for the changes; "" takes a field out.
func (a *authority) ask(path string, changes map[string]string) (*http.Response, map[string]any) {
	a.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.ID}, "client_secret": {a.Secret},
		"scope": {"https://vault.azure.net/.default openid offline_access profile"}, "client_info": {"1"}, "x-client-SKU": {"MSAL.Go"}, "x-client-Ver": {"1.10.1"},
		"claims": {`{"access_token":{"xms_cc":{"values":["CP1"]}}}`}}
	for name, v := range changes {
		if form.Set(name, v); v == "" {
			form.Del(name)
		}
	}
	return a.do("POST", path, "", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, form.Encode())
}

func (a *authority) token(tenant string, changes map[string]string) string {
	a.Helper()
	res, out := a.ask("/"+tenant+"/oauth2/v2.0/token", changes)
	token, _ := out["access_token"].(string)
	if res.StatusCode != http.StatusOK || token == "" {
		a.Fatalf("%d %v", res.StatusCode, out)
	}
	return token
}

func (a *authority) parts(token string) (header, claims map[string]any) {
	a.Helper()
	for i, to := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
		a.must(err)
		a.must(json.Unmarshal(raw, to))
	}
	return header, claims
}

// TestContract_a3_Replies is what the token endpoints of both versions and of adfs answer.
func TestContract_a3_Replies(t *testing.T) {
	a := newAuthority(t)
	for _, c := range []struct {
		path    string
		changes map[string]string
		want    map[string]any
	}{
		{"/" + a.tenant + "/oauth2/v2.0/token", nil, map[string]any{"token_type": "Bearer", "expires_in": 3599.0, "ext_expires_in": 3599.0}},
		{"/" + strings.ToUpper(a.tenant) + "/oauth2/v2.0/token", nil, map[string]any{"expires_in": 3599.0}},
		{"/adfs/oauth2/token", nil, map[string]any{"token_type": "Bearer", "expires_in": 3599.0}},
		{"/" + a.tenant + "/oauth2/token", map[string]string{"scope": "", "resource": "https://vault.azure.net"},
			map[string]any{"token_type": "Bearer", "expires_in": "3599", "ext_expires_in": "3599", "resource": "https://vault.azure.net"}},
		{"/adfs/oauth2/token?api-version=1.0", map[string]string{"scope": "", "resource": "https://vault.azure.net"}, // go-autorest's
			map[string]any{"expires_in": "3599", "resource": "https://vault.azure.net"}},
		{"/" + a.tenant + "/oauth2/token", nil, map[string]any{"expires_in": "3599", "resource": "https://vault.azure.net"}},
	} {
		res, out := a.ask(c.path, c.changes)
		if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != "no-store, no-cache" {
			t.Errorf("%s: %d %v %v", c.path, res.StatusCode, res.Header, out)
		}
		for name, want := range c.want {
			if out[name] != want {
				t.Errorf("%s: %s is %v, want %v", c.path, name, out[name], want)
			}
		}
		if v := out["expires_on"]; (v != nil) != (c.want["resource"] != nil) {
			t.Errorf("%s: expires_on is %v", c.path, v)
		}
	}
	for scope, want := range map[string]string{
		"https://vault.azure.net/.default":                     "https://vault.azure.net",
		"https://vault.azure.net//.default":                    "https://vault.azure.net",
		"openid profile https://vault.localhost:8443/.default": "https://vault.localhost:8443",
		"https://vault.localhost/.default":                     "https://vault.localhost",
		"cfa8b339-82a2-471a-a3c9-0fc0be7a4093/.default":        "https://vault.azure.net",
	} {
		if _, claims := a.parts(a.token("adfs", map[string]string{"scope": scope})); claims["aud"] != want {
			t.Errorf("scope %s: aud is %v, want %s", scope, claims["aud"], want)
		}
	}
	// client_secret_basic
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"https://vault.azure.net/.default"}}.Encode()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(a.ID+":"+url.QueryEscape(a.Secret)))
	res, out := a.do("POST", "/adfs/oauth2/token", "", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {basic}}, form)
	if res.StatusCode != http.StatusOK {
		t.Errorf("client_secret_basic: %d %v", res.StatusCode, out)
	}
}

// TestContract_a3_Errors is every refusal of the token endpoint: status, code, number.
func TestContract_a3_Errors(t *testing.T) {
	a := newAuthority(t)
	good := "/" + a.tenant + "/oauth2/v2.0/token"
	for _, c := range []struct {
		name, path string
		changes    map[string]string
		status     int
		code       string
		number     float64
	}{
		{"wrong secret", good, map[string]string{"client_secret": "wrong"}, 401, "invalid_client", 7000215},
		{"another's secret", good, map[string]string{"client_secret": a.Header}, 401, "invalid_client", 7000215},
		{"no credential", good, map[string]string{"client_secret": ""}, 401, "invalid_client", 7000216},
		{"two credentials", good, map[string]string{"client_assertion": "x", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, 400, "invalid_request", 90013},
		{"no assertion type", good, map[string]string{"client_secret": "", "client_assertion": "x"}, 400, "invalid_request", 900144},
		{"an assertion that is none", good, map[string]string{"client_secret": "", "client_assertion": "x", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, 401, "invalid_client", 700027},
		{"unknown application", good, map[string]string{"client_id": "11111111-2222-3333-4444-555555555555"}, 400, "unauthorized_client", 700016},
		{"an application id that is none", good, map[string]string{"client_id": "admin"}, 400, "unauthorized_client", 700016},
		{"no client_id", good, map[string]string{"client_id": ""}, 400, "invalid_request", 900144},
		{"no grant_type", good, map[string]string{"grant_type": ""}, 400, "invalid_request", 900144},
		{"another grant", good, map[string]string{"grant_type": "password"}, 400, "unsupported_grant_type", 70003},
		{"no scope", good, map[string]string{"scope": ""}, 400, "invalid_request", 90014},
		{"only scopes of OpenID", good, map[string]string{"scope": "openid profile"}, 400, "invalid_request", 90014},
		{"not .default", good, map[string]string{"scope": "https://vault.azure.net/user_impersonation"}, 400, "invalid_scope", 1002012},
		{"two resources", good, map[string]string{"scope": "https://vault.azure.net/.default https://vault.localhost/.default"}, 400, "invalid_scope", 28000},
		{"another resource", good, map[string]string{"scope": "https://graph.microsoft.com/.default"}, 400, "invalid_resource", 500011},
		{"a vault as resource", good, map[string]string{"scope": "https://main.vault.localhost/.default"}, 400, "invalid_resource", 500011},
		{"a resource over http", good, map[string]string{"scope": "http://vault.azure.net/.default"}, 400, "invalid_resource", 500011},
		{"a resource that looks alike", good, map[string]string{"scope": "https://vault.azure.net@evil.example/.default"}, 400, "invalid_resource", 500011},
		{"unknown tenant", "/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token", nil, 400, "invalid_request", 90002},
		{"common", "/common/oauth2/v2.0/token", nil, 400, "invalid_request", 50059},
		{"no resource in version 1", "/" + a.tenant + "/oauth2/token", map[string]string{"scope": ""}, 400, "invalid_request", 90014},
	} {
		res, out := a.ask(c.path, c.changes)
		codes, _ := out["error_codes"].([]any)
		text, _ := out["error_description"].(string)
		if res.StatusCode != c.status || out["error"] != c.code || len(codes) != 1 || codes[0] != c.number || !strings.HasPrefix(text, fmt.Sprintf("AADSTS%.0f: ", c.number)) {
			t.Errorf("%s: %d %v", c.name, res.StatusCode, out)
		}
		for _, name := range []string{"timestamp", "trace_id", "correlation_id", "error_uri"} {
			if s, _ := out[name].(string); s == "" || name != "error_uri" && !strings.Contains(text, s) {
				t.Errorf("%s: %s is %v", c.name, name, out[name])
			}
		}
		if strings.Contains(text, a.Secret) || res.Header.Get("Cache-Control") != "no-store, no-cache" {
			t.Errorf("threat class 25: %s: %v", c.name, out)
		}
	}
	formType := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Client-Request-Id": {"1d3f3c1e-0000-4000-8000-123456789abc"}}
	for name, c := range map[string]struct {
		method, body string
		header       http.Header
		number       float64
	}{
		"a parameter twice": {"POST", "grant_type=client_credentials&client_id=" + a.ID + "&client_id=x", formType, 9000411},
		"broken escapes":    {"POST", "grant_type=%zz", formType, 90013},
		"not UTF-8":         {"POST", "grant_type=%ff", formType, 90013},
		"too many":          {"POST", manyFields(), formType, 90013},
		"too large":         {"POST", strings.Repeat("a", 1<<20), formType, 90013},
		"JSON":              {"POST", `{"grant_type":"client_credentials"}`, http.Header{"Content-Type": {"application/json"}}, 900144},
		"GET":               {"GET", "", formType, 900561},
	} {
		res, out := a.do(c.method, good, "", c.header.Clone(), c.body)
		if codes, _ := out["error_codes"].([]any); res.StatusCode != 400 || len(codes) != 1 || codes[0] != c.number {
			t.Errorf("%s: %d %v", name, res.StatusCode, out)
		}
		if id := c.header.Get("client-request-id"); id != "" && out["correlation_id"] != id {
			t.Errorf("%s: the client's request id is not told back: %v", name, out)
		}
	}
}

func manyFields() string {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "&f%d=", i)
	}
	return b.String()
}

// TestContract_a4_Discovery is the documents that lead to the token endpoint and the keys.
func TestContract_a4_Discovery(t *testing.T) {
	a := newAuthority(t)
	for _, path := range []string{"/adfs/.well-known/openid-configuration", "/" + a.tenant + "/.well-known/openid-configuration",
		"/" + a.tenant + "/v2.0/.well-known/openid-configuration", "/adfs/v2.0/.well-known/openid-configuration"} {
		res, doc := a.do("GET", path, "", nil, "")
		if res.StatusCode != http.StatusOK || doc["authorization_endpoint"] == "" {
			t.Fatalf("%s: %d %v", path, res.StatusCode, doc)
		}
		if issuer, _ := doc["issuer"].(string); !strings.HasPrefix(issuer, a.s.HTTPSURL+"/") {
			t.Errorf("%s: the issuer %q is not on the authority's host", path, issuer)
		}
		endpoint, _ := doc["token_endpoint"].(string)
		if res, out := a.ask(strings.TrimPrefix(endpoint, a.s.HTTPSURL), nil); res.StatusCode != http.StatusOK {
			t.Errorf("%s: the token endpoint %s answers %d %v", path, endpoint, res.StatusCode, out)
		}
		res, keys := a.do("GET", doc["jwks_uri"].(string), "", nil, "")
		text, err := json.Marshal(keys)
		a.must(err)
		set, err := jwa.ParseKeySet(text)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: the keys are %s", path, text)
		}
		token, err := jwa.Parse(a.token("adfs", nil))
		a.must(err)
		if _, err := token.Verify(set); err != nil {
			t.Errorf("%s: the keys do not verify the token: %v", path, err)
		}
	}
	res, out := a.do("GET", "/nobody.example/v2.0/.well-known/openid-configuration", "", nil, "")
	if res.StatusCode != 400 || out["error_codes"].([]any)[0] != 90002.0 || out["error"] != "invalid_tenant" {
		t.Errorf("an unknown tenant: %d %v", res.StatusCode, out)
	}
	res, out = a.do("GET", "/common/discovery/instance?api-version=1.1&authorization_endpoint="+url.QueryEscape(a.s.HTTPSURL+"/"+a.tenant+"/oauth2/v2.0/authorize"), "", nil, "")
	host := strings.TrimPrefix(a.s.HTTPSURL, "https://")
	if m, _ := out["metadata"].([]any); res.StatusCode != 200 || len(m) != 1 || m[0].(map[string]any)["preferred_network"] != host || out["api-version"] != "1.1" ||
		out["tenant_discovery_endpoint"] != a.s.HTTPSURL+"/"+a.tenant+"/v2.0/.well-known/openid-configuration" {
		t.Errorf("instance discovery: %d %v", res.StatusCode, out)
	}
	for _, endpoint := range []string{"", "https://evil.example/" + a.tenant, "http://" + host + "/" + a.tenant, "https://x@" + host + "/" + a.tenant} {
		res, out := a.do("GET", "/common/discovery/instance?authorization_endpoint="+url.QueryEscape(endpoint), "", nil, "")
		if res.StatusCode != 400 || out["error"] != "invalid_instance" {
			t.Errorf("the instance %q: %d %v", endpoint, res.StatusCode, out)
		}
	}
}

// TestContract_a5_ManagedIdentity is App Service's endpoint and that of the metadata service.
func TestContract_a5_ManagedIdentity(t *testing.T) {
	closed := newAuthority(t)
	a := newAuthority(t, tacettest.WithMetadata("user/admin"))
	const app, imds = "/msi/token?api-version=2019-08-01&resource=https://vault.azure.net", "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net"
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	secret := header("X-IDENTITY-HEADER", a.Header)
	var object string
	for _, c := range []struct {
		name, target string
		header       http.Header
		status       int
		text         string
	}{
		{"App Service", app, secret, 200, ""},
		{"over plain HTTP", a.s.URL + app, secret, 200, ""},
		{"its client id", app + "&client_id=" + a.ID, secret, 200, ""},
		{"its name", app + "&mi_res_id=/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/admin", secret, 200, ""},
		{"before 2019-08-01", "/msi/token?api-version=2017-09-01&resource=https://vault.azure.net&clientid=" + a.ID, header("secret", a.Header), 200, ""},
		{"Service Fabric", "/msi/token?api-version=2019-07-01-preview&resource=https://vault.azure.net", header("Secret", a.Header), 200, ""},
		{"no api-version that is one", "/msi/token?api-version=latest&resource=https://vault.azure.net", secret, 400, ""},
		{"with a slash behind", "/msi/token/?api-version=2019-08-01&resource=https://vault.azure.net/", secret, 200, ""},
		{"another client id", app + "&client_id=11111111-2222-3333-4444-555555555555", secret, 400, "Identity not found"},
		{"another object id", app + "&object_id=11111111-2222-3333-4444-555555555555", secret, 400, "Identity not found"},
		{"another name", app + "&mi_res_id=other", secret, 400, "Identity not found"},
		{"no header", app, nil, 401, ""},
		{"a wrong header", app, header("X-IDENTITY-HEADER", a.Header+"x"), 401, ""},
		{"a client secret", app, header("X-IDENTITY-HEADER", a.Secret), 401, ""},
		{"forwarded", app, header("X-IDENTITY-HEADER", a.Header, "X-Forwarded-For", "203.0.113.1"), 400, ""},
		{"no api-version", "/msi/token?resource=https://vault.azure.net", secret, 400, ""},
		{"no resource", "/msi/token?api-version=2019-08-01", secret, 400, ""},
		{"a resource twice", app + "&resource=x", secret, 400, ""},
		{"another resource", "/msi/token?api-version=2019-08-01&resource=https://graph.microsoft.com", secret, 400, ""},

		{"metadata", imds, header("Metadata", "true"), 200, ""},
		{"metadata, True", imds, header("Metadata", "True"), 200, ""},
		{"another clientid", app + "&clientid=11111111-2222-3333-4444-555555555555", secret, 400, "Identity not found"},
		{"the probe", "/metadata/identity/oauth2/token", nil, 400, "Required metadata header not specified"},
		{"metadata, forwarded", imds, header("Metadata", "true", "X-Forwarded-For", "127.0.0.1"), 400, ""},
		{"metadata, another client id", imds + "&client_id=11111111-2222-3333-4444-555555555555", header("Metadata", "true"), 400, "Identity not found"},
	} {
		res, out := a.do("GET", c.target, "", c.header, "")
		text, _ := out["error_description"].(string)
		if res.StatusCode != c.status || c.text != "" && text != c.text || c.status != 200 && out["error"] == "" {
			t.Errorf("%s: %d %v", c.name, res.StatusCode, out)
		}
		if c.status != 200 {
			continue
		}
		_, claims := a.parts(out["access_token"].(string))
		object = claims["oid"].(string)
		if claims["xms_mirid"] != "/subscriptions/"+a.tenant+"/resourcegroups/tacet/providers/Microsoft.ManagedIdentity/userAssignedIdentities/admin" || claims["appidacr"] != "2" {
			t.Errorf("%s: the claims are %v", c.name, claims)
		}
		for name, want := range map[string]any{"token_type": "Bearer", "resource": "https://vault.azure.net", "client_id": a.ID,
			"expires_on": fmt.Sprintf("%.0f", claims["exp"]), "not_before": fmt.Sprintf("%.0f", claims["nbf"]), "expires_in": "3599"} {
			if out[name] != want {
				t.Errorf("%s: %s is %v, want %v", c.name, name, out[name], want)
			}
		}
	}
	if res, out := a.do("GET", app+"&object_id="+object, "", secret.Clone(), ""); res.StatusCode != 200 {
		t.Errorf("its object id: %d %v", res.StatusCode, out)
	}
	if res, out := closed.do("GET", imds, "", header("Metadata", "true"), ""); res.StatusCode != 400 || out["error_description"] != "Identity not found" {
		t.Errorf("metadata, when nobody is configured: %d %v", res.StatusCode, out)
	}
}

// TestAuthorityHosts: the authority is on its own hosts only.
func TestAuthorityHosts(t *testing.T) {
	a := newAuthority(t)
	port := a.s.HTTPSURL[strings.LastIndexByte(a.s.HTTPSURL, ':'):]
	for host, want := range map[string]bool{"": true, "localhost" + port: true, "LOCALHOST" + port: true, "login.vault.localhost" + port: true,
		"main.vault.localhost" + port: false, "evil.example": false, "login.evil.example": false} {
		res, doc := a.do("GET", "/adfs/.well-known/openid-configuration", host, nil, "")
		if got := doc["token_endpoint"] != nil; got != want {
			t.Errorf("%s: %d %v", host, res.StatusCode, doc)
		}
	}
	// What is a vault's below its collections stays a vault's.
	if res, out := a.do("GET", "/secrets/oauth2/token", "", nil, ""); res.StatusCode != 401 {
		t.Errorf("/secrets/oauth2/token: %d %v", res.StatusCode, out)
	}
}
