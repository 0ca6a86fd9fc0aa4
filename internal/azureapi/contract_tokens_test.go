package azureapi_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"tacet/internal/jwa"
)

// refused holds an answer to a refusal of Entra's; code "" stands for success.
func (a *authority) refused(what string, res *http.Response, out map[string]any, status int, code string, number float64) {
	a.Helper()
	codes, _ := out["error_codes"].([]any)
	got, _ := out["error"].(string)
	if res.StatusCode != status || got != code || code != "" && (len(codes) != 1 || codes[0] != number) {
		a.Errorf("%s: %d %v\nwant %d %s %.0f", what, res.StatusCode, out, status, code, number)
	}
}

// "{tenant} is a guid or a verified domain name; common/organizations are not
// valid for client_credentials"; a.4: "Tenant adfs ... Serve it as an alias". Names have no case.
func TestContract_a3_Tenants(t *testing.T) {
	a := newAuthority(t)
	for _, tenant := range []string{a.tenant, strings.ToUpper(a.tenant), "adfs", "ADFS", "vault.localhost", "Vault.LocalHost"} {
		for _, version := range []string{"", "/v2.0"} {
			res, out := a.ask("/"+tenant+"/oauth2"+version+"/token", nil)
			a.refused(tenant+version, res, out, 200, "", 0)
		}
	}
	for tenant, number := range map[string]float64{"common": 50059, "Organizations": 50059, "consumers": 50059, "main.vault.localhost": 90002,
		"contoso.onmicrosoft.com": 90002, "11111111-2222-3333-4444-555555555555": 90002, strings.Repeat("a", 500): 90002} {
		res, out := a.ask("/"+tenant+"/oauth2/v2.0/token", nil)
		a.refused(tenant, res, out, 400, "invalid_request", number)
	}
}

// "Trailing slash optional": of AZURE_AUTHORITY_HOST, so that paths may begin
// with two. Entra's paths have no case.
func TestContract_a4_PathsAsClientsWriteThem(t *testing.T) {
	a := newAuthority(t)
	for _, path := range []string{"//adfs/oauth2/token", "/adfs/oauth2/token/", "/adfs//oauth2/token", "/" + a.tenant + "/OAuth2/V2.0/Token", "/adfs/oauth2/token?api-version=1.0"} {
		res, out := a.ask(path, nil)
		a.refused(path, res, out, 200, "", 0)
	}
	for _, path := range []string{"//adfs/.well-known/openid-configuration", "/Adfs/.Well-Known/OpenID-Configuration/", "/adfs/discovery/keys/"} {
		res, out := a.do("GET", path, "", nil, "")
		a.refused(path, res, out, 200, "", 0)
	}
	for _, path := range []string{"/adfs", "/adfs/oauth2", "/adfs/oauth2/tokens", "/oauth2/token", "/adfs/adfs/oauth2/token", "/deletedsecrets/oauth2/token"} {
		if res, out := a.ask(path, nil); res.StatusCode == 200 {
			t.Errorf("%s: %v", path, out)
		}
	}
}

// "form POST". A body of another type has no parameters; Entra says so with
// the first that is missing.
func TestContract_a3_ContentTypes(t *testing.T) {
	a := newAuthority(t)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.ID}, "client_secret": {a.Secret}, "scope": {"https://vault.azure.net/.default"}}.Encode()
	for kind, ok := range map[string]bool{"application/x-www-form-urlencoded": true, "application/x-www-form-urlencoded; charset=utf-8": true, "Application/X-WWW-Form-URLEncoded": true,
		"application/json": false, "text/plain": false, "multipart/form-data; boundary=x": false, "": false, ";": false} {
		res, out := a.do("POST", "/adfs/oauth2/token", "", http.Header{"Content-Type": {kind}}, form)
		if ok {
			a.refused(kind, res, out, 200, "", 0)
		} else {
			a.refused(kind, res, out, 400, "invalid_request", 900144)
		}
	}
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		res, out := a.do(method, "/adfs/oauth2/token", "", nil, "")
		a.refused(method, res, out, 400, "invalid_request", 900561)
		if text, _ := out["error_description"].(string); !strings.Contains(text, "Received a "+method+" request.") {
			t.Errorf("%s: %s", method, text)
		}
	}
}

// "Real Entra also accepts client_secret_basic". RFC 6749 section 5.2 wants
// its refusal to name the scheme.
func TestContract_a3_ClientSecretBasic(t *testing.T) {
	a := newAuthority(t)
	ask := func(scheme, id, secret string, form url.Values) (*http.Response, map[string]any) {
		form.Set("grant_type", "client_credentials")
		form.Set("scope", "https://vault.azure.net/.default")
		return a.do("POST", "/adfs/oauth2/token", "", http.Header{"Content-Type": {"application/x-www-form-urlencoded"},
			"Authorization": {scheme + " " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))}}, form.Encode())
	}
	for _, scheme := range []string{"Basic", "basic", "BASIC"} {
		res, out := ask(scheme, a.ID, a.Secret, url.Values{})
		a.refused(scheme, res, out, 200, "", 0)
	}
	res, out := ask("Basic", a.ID, a.Secret, url.Values{"client_id": {strings.ToUpper(a.ID)}})
	a.refused("the same client id in the form", res, out, 200, "", 0)
	res, out = ask("Basic", a.ID, a.Secret, url.Values{"client_id": {a.tenant}})
	a.refused("another client id in the form", res, out, 400, "invalid_request", 90013)
	res, out = ask("Basic", a.ID, a.Secret, url.Values{"client_secret": {a.Secret}})
	a.refused("two secrets", res, out, 400, "invalid_request", 90013)
	res, out = ask("Basic", a.ID, "wrong", url.Values{})
	a.refused("a wrong secret", res, out, 401, "invalid_client", 7000215)
	if got := res.Header.Get("WWW-Authenticate"); got != `Basic realm="`+a.tenant+`"` {
		t.Errorf("a wrong secret: WWW-Authenticate is %q", got)
	}
	if res, _ = a.ask("/adfs/oauth2/token", map[string]string{"client_secret": "wrong"}); res.Header.Get("WWW-Authenticate") != "" {
		t.Error("a wrong secret in the form is answered with a scheme")
	}
}

// "scope is <resource>/.default openid offline_access profile in one
// space-separated value (any order)"; a.1: "https://vault.azure.net//.default".
func TestContract_a3_Resources(t *testing.T) {
	a := newAuthority(t)
	const vault, ok = "https://vault.azure.net", ""
	for scope, code := range map[string]string{
		vault + "/.default openid offline_access profile": ok, "openid " + vault + "/.default profile offline_access": ok, "profile openid email " + vault + "/.default": ok,
		vault + "//.default": ok, vault + "/.default " + vault + "/.default": ok, "HTTPS://Vault.Azure.NET/.default": ok,
		"https://vault.localhost:8443/.default": ok, "https://VAULT.localhost:8443//.default": ok, "CFA8B339-82a2-471a-a3c9-0fc0be7a4093/.default": ok,
		vault: "invalid_scope", vault + "/.Default": "invalid_scope", ".default": "invalid_scope", vault + "/.default,openid": "invalid_scope",
		vault + "/.default https://vault.localhost/.default": "invalid_scope",
		"https://vault.localhost:/.default":                  "invalid_resource", "https://vault.localhost:99999/.default": "invalid_resource", "https://vault.localhost:x/.default": "invalid_resource",
		"https://managedhsm.azure.net/.default": "invalid_resource", vault + "/x/.default": "invalid_resource", vault + "?x/.default": "invalid_resource", "/.default": "invalid_resource",
		"https://a@vault.localhost/.default": "invalid_resource", "https://vault.localhost#x/.default": "invalid_resource",
	} {
		res, out := a.ask("/adfs/oauth2/token", map[string]string{"scope": scope})
		if got, _ := out["error"].(string); got != code {
			t.Errorf("scope %s: %d %v", scope, res.StatusCode, out)
		}
	}
	for resource, aud := range map[string]string{vault: vault, vault + "/": vault, "https://vault.localhost:8443/": "https://vault.localhost:8443", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093": vault, "vault": "", "https://graph.windows.net/": ""} {
		res, out := a.ask("/"+a.tenant+"/oauth2/token", map[string]string{"scope": "", "resource": resource})
		if aud == "" {
			a.refused(resource, res, out, 400, "invalid_resource", 500011)
		} else if out["resource"] != aud {
			t.Errorf("resource %s: %d %v", resource, res.StatusCode, out)
		}
	}
}

var descriptionForm = regexp.MustCompile(`^AADSTS\d+: .+ Trace ID: [0-9a-f-]{36} Correlation ID: [0-9a-f-]{36} Timestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$`)

// The seven members of an error, Cache-Control, and "x-client-SKU,
// x-client-Ver, client-request-id as headers or form/query".
func TestContract_a3_ErrorMembers(t *testing.T) {
	a := newAuthority(t)
	h := &house{T: t}
	const id, path = "1d3f3c1e-0000-4000-8000-123456789abc", "/adfs/oauth2/token"
	wrong := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.ID}, "client_secret": {"wrong"}, "scope": {"https://vault.azure.net/.default"}}
	kind := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	withHeader := kind.Clone()
	withHeader.Set("client-request-id", id)
	withForm := maps.Clone(wrong)
	withForm.Set("client-request-id", id)
	for name, r := range map[string]struct {
		path   string
		header http.Header
		form   url.Values
	}{"header": {path, withHeader, wrong}, "form": {path, kind, withForm}, "query": {path + "?client-request-id=" + id + "&x-client-Ver=1", kind, wrong}} {
		res, out := a.do("POST", r.path, "", r.header.Clone(), r.form.Encode())
		h.members(name, out, "error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri")
		text, _ := out["error_description"].(string)
		if out["correlation_id"] != id || out["trace_id"] != res.Header.Get("X-Ms-Request-Id") || !descriptionForm.MatchString(text) ||
			out["error_uri"] != a.s.HTTPSURL+"/error?code=7000215" || !strings.HasSuffix(text, fmt.Sprint(out["timestamp"])) {
			t.Errorf("%s: %v", name, out)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store, no-cache", "Pragma": "no-cache", "Expires": "-1", "Content-Type": "application/json; charset=utf-8", "X-Content-Type-Options": "nosniff"} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
	}
	withHeader.Set("return-client-request-id", "true")
	for _, secret := range []string{a.Secret, "wrong"} {
		wrong.Set("client_secret", secret)
		if res, _ := a.do("POST", path, "", withHeader.Clone(), wrong.Encode()); res.Header.Get("client-request-id") != id || res.Header.Get("X-Ms-Request-Id") == "" {
			t.Errorf("the headers are %v", res.Header)
		}
	}
	withHeader.Set("client-request-id", "<script>")
	if res, out := a.do("POST", path, "", withHeader.Clone(), wrong.Encode()); res.Header.Get("client-request-id") != "" || out["correlation_id"] == "<script>" {
		t.Errorf("what is no GUID is told back: %v %v", res.Header, out)
	}
}

// Threat class 25: a client that separates its parameters in another way is not told its
// secret back.
func TestThreat25_FormsWithoutSeparators(t *testing.T) {
	a := newAuthority(t)
	form := []string{"grant_type=client_credentials", "scope=x", "client_id=" + a.ID, "client_secret=" + a.Secret, "resource=https://vault.azure.net"}
	for _, separator := range []string{";", "\n", "\r\n", " ", "%26", "%3b", "\x00", ",", "|"} {
		for i := range form { // each first, and so with the rest in its value
			text := strings.Join(append([]string{form[i]}, append(form[:i:i], form[i+1:]...)...), separator)
			for _, rest := range []string{"", "&grant_type=client_credentials", "&grant_type=client_credentials&client_secret=x&client_id=" + a.ID} {
				_, out := a.do("POST", "/adfs/oauth2/token", "", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, text+rest)
				if text, _ := out["error_description"].(string); text == "" || strings.Contains(text, a.Secret[:8]) {
					t.Errorf("%q: %v", separator, out)
				}
			}
		}
	}
}

// "900144 ... at the authorize endpoint", which a.4's documents name.
func TestContract_a3_Authorize(t *testing.T) {
	a := newAuthority(t)
	for query, c := range map[string]struct {
		code   string
		number float64
	}{"": {"invalid_request", 900144}, "?client_id=x": {"invalid_request", 900144}, "?client_id=x&response_type=code": {"unsupported_response_type", 700054}, "?client_id=x&client_id=y": {"invalid_request", 9000411}} {
		_, doc := a.do("GET", "/"+a.tenant+"/v2.0/.well-known/openid-configuration", "", nil, "")
		res, out := a.do("GET", doc["authorization_endpoint"].(string)+query, "", nil, "")
		a.refused(query, res, out, 400, c.code, c.number)
	}
}

// "non-empty authorization_endpoint, token_endpoint, issuer", on the
// authority's own host, under every name of a tenant; and the tenants that stand for any.
func TestContract_a4_Documents(t *testing.T) {
	a := newAuthority(t)
	for tenant, named := range map[string]string{a.tenant: a.tenant, strings.ToUpper(a.tenant): a.tenant, "vault.localhost": a.tenant, "ADFS": "adfs", "common": "common", "organizations": "organizations"} {
		for version, oauth := range map[string]string{"": "/oauth2/", "/v2.0": "/oauth2/v2.0/"} {
			_, doc := a.do("GET", "/"+tenant+version+"/.well-known/openid-configuration", "", nil, "")
			issuer := a.s.HTTPSURL + "/" + named + version
			if named == "common" || named == "organizations" {
				issuer = a.s.HTTPSURL + "/{tenantid}" + version
			}
			if base := a.s.HTTPSURL + "/" + named; doc["issuer"] != issuer || doc["token_endpoint"] != base+oauth+"token" || doc["authorization_endpoint"] != base+oauth+"authorize" {
				t.Errorf("%s%s: %v", tenant, version, doc)
			}
			if methods, _ := json.Marshal(doc["token_endpoint_auth_methods_supported"]); !strings.Contains(string(methods), "client_secret_basic") {
				t.Errorf("%s%s: %s", tenant, version, methods)
			}
			res, keys := a.do("GET", doc["jwks_uri"].(string), "", nil, "")
			list, _ := keys["keys"].([]any)
			if res.StatusCode != 200 || len(list) == 0 {
				t.Fatalf("%s%s: %d %v", tenant, version, res.StatusCode, keys)
			}
			for _, k := range list {
				(&house{T: t}).members("a key", k.(map[string]any), "kty", "use", "kid", "alg", "crv", "x", "y")
			}
		}
	}
	for _, path := range []string{"/nobody.example/discovery/v2.0/keys", "/nobody/.well-known/openid-configuration", "/nobody/oauth2/authorize"} {
		res, out := a.do("GET", path, "", nil, "")
		a.refused(path, res, out, 400, "invalid_tenant", 90002)
	}
	ask := func(endpoint string) (*http.Response, map[string]any) {
		return a.do("GET", "/common/discovery/instance?api-version=1.1&authorization_endpoint="+url.QueryEscape(endpoint), "", nil, "")
	}
	for _, tenant := range []string{"common", "organizations", "adfs", a.tenant} {
		if _, out := ask(a.s.HTTPSURL + "/" + tenant + "/oauth2/v2.0/authorize"); out["tenant_discovery_endpoint"] != a.s.HTTPSURL+"/"+tenant+"/v2.0/.well-known/openid-configuration" {
			t.Errorf("the instance with %s: %v", tenant, out)
		}
	}
	res, out := ask(a.s.HTTPSURL + "/nobody.example/oauth2/authorize")
	a.refused("the instance with a tenant that is none", res, out, 400, "invalid_tenant", 90002)
	for _, path := range []string{"/adfs/.well-known/openid-configuration", "/adfs/discovery/keys", "/common/discovery/instance"} {
		res, out := a.do("POST", path, "", nil, "")
		a.refused("POST "+path, res, out, 400, "invalid_request", 90013)
	}
}

// The tenant adfs "is the way to serve clients whose code cannot disable
// discovery". MSAL for .NET (AdfsAuthorityValidator) wants to be told first, by WebFinger,
// that the host is a trusted realm of itself.
func TestContract_a4_WebFinger(t *testing.T) {
	a := newAuthority(t)
	const realm = "http://schemas.microsoft.com/rel/trusted-realm"
	for _, path := range []string{"/.well-known/webfinger", "/adfs/.well-known/webfinger"} {
		for _, resource := range []string{"https://127.0.0.1", a.s.HTTPSURL} {
			res, out := a.do("GET", path+"?rel="+realm+"&resource="+resource, "", nil, "")
			links, _ := out["links"].([]any)
			if res.StatusCode != 200 || out["subject"] != resource || len(links) != 1 || links[0].(map[string]any)["rel"] != realm || links[0].(map[string]any)["href"] != resource {
				t.Errorf("%s of %s: %d %v", path, resource, res.StatusCode, out)
			}
		}
		for _, resource := range []string{"", "https://evil.example", "http://127.0.0.1", "https://127.0.0.1/adfs", "https://a@127.0.0.1", "acct:a@127.0.0.1"} {
			res, out := a.do("GET", path+"?rel="+realm+"&resource="+url.QueryEscape(resource), "", nil, "")
			a.refused(path+" of "+resource, res, out, 400, "invalid_instance", 50049)
		}
	}
}

// signer makes client assertions with a certificate, as MSAL and others do.
type signer struct {
	*testing.T
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

func newSigner(t *testing.T) *signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return &signer{t, key, cert}
}

func (s *signer) sign(header, claims map[string]any) string {
	s.Helper()
	part := func(v any) string {
		raw, err := json.Marshal(v)
		must(s, err)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	text := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	sign := func() ([]byte, error) { return rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:]) }
	if header["alg"] == "PS256" {
		sign = func() ([]byte, error) {
			return rsa.SignPSS(rand.Reader, s.key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
	}
	sig, err := sign()
	must(s, err)
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// Certificate assertion: "alg RS256/PS256, x5t (SHA-1 b64url) or x5t#S256,
// optional x5c chain", "aud = token endpoint (accept v1 and v2 URL and the authority root)",
// "Reject replays/expiry with 401 invalid_client AADSTS700024/700027".
func TestContract_a3_CertificateAssertions(t *testing.T) {
	a, s, stranger := newAuthority(t), newSigner(t), newSigner(t)
	h := houseOf(t, a.s)
	client := h.admin("users/create", in{"user": "app"})["clientId"].(string)
	h.admin("client-credentials/create", in{"user": "app", "kind": "client-certificate", "certificate": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw}))})
	x5t, x5tS256 := jwa.X5T(s.cert), jwa.X5TS256(s.cert)
	header := func(pairs ...any) map[string]any {
		out := map[string]any{"typ": "JWT", "alg": "PS256", "x5t#S256": x5tS256}
		if len(pairs) > 0 {
			delete(out, "x5t#S256")
		}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i].(string)] = pairs[i+1]
		}
		return out
	}
	n := 0
	claims := func(pairs ...any) map[string]any {
		n++
		now := time.Now().Unix()
		out := map[string]any{"iss": client, "sub": client, "aud": a.s.HTTPSURL + "/adfs/oauth2/token", "jti": fmt.Sprint(n), "nbf": now, "exp": now + 600}
		for i := 0; i < len(pairs); i += 2 {
			if out[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
				delete(out, pairs[i].(string))
			}
		}
		return out
	}
	assert := func(assertion string) map[string]string {
		return map[string]string{"client_id": client, "client_secret": "", "client_assertion": assertion, "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
	}
	after := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for _, c := range []struct {
		name      string
		assertion string
		number    float64 // 0: a token
	}{
		{"PS256 with x5t#S256", s.sign(header(), claims()), 0},
		{"RS256 with x5t", s.sign(header("alg", "RS256", "x5t", x5t), claims()), 0},
		{"with both", s.sign(header("x5t", x5t, "x5t#S256", x5tS256), claims()), 0},
		{"with a chain", s.sign(header("alg", "RS256", "x5t", x5t, "x5c", []string{base64.StdEncoding.EncodeToString(s.cert.Raw)}), claims()), 0},
		{"of go-autorest: a day, padding", s.sign(header("alg", "RS256", "x5t", x5t+"="), claims("exp", after(24*time.Hour), "aud", a.s.HTTPSURL+"/adfs/oauth2/token?api-version=1.0")), 0},
		{"of Terraform: an hour, kid", s.sign(header("alg", "RS256", "kid", x5t+"="), claims("exp", after(time.Hour))), 0},
		{"for the v2 endpoint", s.sign(header(), claims("aud", a.s.HTTPSURL+"/"+a.tenant+"/oauth2/v2.0/token")), 0},
		{"for the v2 issuer, upper case", s.sign(header(), claims("aud", a.s.HTTPSURL+"/"+strings.ToUpper(a.tenant)+"/v2.0")), 0},
		{"for a domain's endpoint", s.sign(header(), claims("aud", a.s.HTTPSURL+"/vault.localhost/oauth2/token")), 0},
		{"for the authority", s.sign(header(), claims("aud", a.s.HTTPSURL)), 0},
		{"for another endpoint", s.sign(header(), claims("aud", "https://login.microsoftonline.com/"+a.tenant+"/v2.0")), 700023},
		{"for another endpoint, in a query", s.sign(header(), claims("aud", "https://login.example/?"+a.s.HTTPSURL)), 700023},
		{"for nobody", s.sign(header(), claims("aud", nil)), 700023},
		{"by another", s.sign(header(), claims("iss", a.ID)), 700021},
		{"about another", s.sign(header(), claims("sub", a.ID)), 700021},
		{"over", s.sign(header(), claims("exp", after(-10*time.Minute))), 700024},
		{"not yet valid", s.sign(header(), claims("nbf", after(time.Hour))), 700024},
		{"good for a year", s.sign(header(), claims("exp", after(365*24*time.Hour))), 700024},
		{"good for ever", s.sign(header(), claims("exp", nil)), 700027},
		{"without jti", s.sign(header(), claims("jti", nil)), 700027},
		{"of a stranger's certificate", stranger.sign(header("x5t#S256", jwa.X5TS256(stranger.cert)), claims()), 700027},
		{"of a stranger's key", stranger.sign(header(), claims()), 700027},
		{"without a name of the certificate", s.sign(header("typ", "JWT"), claims()), 700027},
		{"without a signature", strings.Join(strings.Split(s.sign(header("alg", "none"), claims()), ".")[:2], ".") + ".", 700027},
		{"with a symmetric one", s.sign(header("alg", "HS256", "x5t", x5t), claims()), 700027},
	} {
		res, out := a.ask("/adfs/oauth2/token", assert(c.assertion))
		if c.number == 0 {
			a.refused(c.name, res, out, 200, "", 0)
		} else {
			a.refused(c.name, res, out, 401, "invalid_client", c.number)
		}
	}
	once := assert(s.sign(header(), claims()))
	once["client_id"] = "" // RFC 7521 section 4.2
	res, out := a.ask("/adfs/oauth2/token", once)
	a.refused("the assertion alone", res, out, 200, "", 0)
	res, out = a.ask("/adfs/oauth2/token", once)
	a.refused("a replay", res, out, 401, "invalid_client", 700027)
}

// Federated: "match exactly iss, sub, aud ... Not matched: AADSTS70021 /
// 700213", of which Entra today says which of the three it was.
func TestContract_a3_FederatedAssertions(t *testing.T) {
	a := newAuthority(t)
	h := houseOf(t, a.s)
	key, err := jwa.GenerateKey(jwa.ES256)
	must(t, err)
	jwks, err := jwa.NewKeySet(key.Public()).JSON()
	must(t, err)
	const issuer, subject, audience = "https://issuer.example", "system:serviceaccount:shop:till", "api://AzureADTokenExchange"
	h.admin("providers/create", in{"url": issuer, "audiences": []string{audience}, "jwks": string(jwks)})
	client := h.admin("roles/create", in{"role": "till", "document": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Principal":{"Federated":"arn:aws:iam::000000000001:oidc-provider/issuer.example"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"issuer.example:sub":"` + subject + `"}}}]}`})["clientId"].(string)
	for _, c := range []struct {
		name, issuer, subject, audience string
		number                          float64
		text                            string
	}{
		{"good", issuer, subject, audience, 0, ""},
		{"another subject", issuer, "system:serviceaccount:shop:thief", audience, 700213, "presented assertion subject 'system:serviceaccount:shop:thief'."},
		{"the subject in upper case", issuer, strings.ToUpper(subject), audience, 700213, "presented assertion subject '"},
		{"another audience", issuer, subject, "sts.amazonaws.com", 700212, "presented assertion audience 'sts.amazonaws.com'."},
		{"another issuer", "https://evil.example", subject, audience, 700211, "presented assertion issuer 'https://evil.example'."},
		{"the issuer with a slash", issuer + "/", subject, audience, 700211, "presented assertion issuer 'https://issuer.example/'."},
	} {
		assertion, err := key.Sign(map[string]any{"iss": c.issuer, "sub": c.subject, "aud": c.audience, "exp": time.Now().Add(time.Hour).Unix()}, jwa.Header{Type: "JWT"})
		must(t, err)
		res, out := a.ask("/adfs/oauth2/token", map[string]string{"client_id": client, "client_secret": "", "client_assertion": assertion, "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"})
		if c.number == 0 {
			a.refused(c.name, res, out, 200, "", 0)
			continue
		}
		a.refused(c.name, res, out, 401, "invalid_client", c.number)
		// What the trust policy refused is a decision, which `tacet why` explains.
		if id := res.Header.Get("X-Tacet-Decision-Id"); (id != "") != (c.number == 700213) {
			t.Errorf("%s: the decision is %q", c.name, id)
		}
		if text, _ := out["error_description"].(string); !strings.Contains(text, "No matching federated identity record found for "+c.text) {
			t.Errorf("%s: %s", c.name, text)
		}
	}
}

// "AKV10032: Invalid issuer", "Expired / not readable tokens: also 401", all
// with WWW-Authenticate.
func TestContractA1_TokensOfOthers(t *testing.T) {
	h := newHouse(t)
	key, err := jwa.GenerateKey(jwa.ES256)
	must(t, err)
	for _, issuer := range []string{"https://sts.windows.net/11111111-2222-3333-4444-555555555555/", "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0", "https://kubernetes.default.svc"} {
		token, err := key.Sign(map[string]any{"iss": issuer, "aud": "https://vault.azure.net", "exp": time.Now().Add(time.Hour).Unix()}, jwa.Header{Type: "JWT"})
		must(t, err)
		for _, scheme := range []string{"Bearer", "bearer", "PoP", "Basic", "SharedKey"} {
			req := h.c.WithToken("").Request("GET", "/secrets/s?api-version=7.4", nil)
			req.Header.Set("Authorization", scheme+" "+token)
			res, body := h.c.Send(req)
			want := "AKV10000: "
			if strings.EqualFold(scheme, "Bearer") {
				want = "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/"
			}
			if res.StatusCode != 401 || !strings.Contains(string(body), `"message":"`+want) || !challengePattern.MatchString(res.Header.Get("WWW-Authenticate")) {
				t.Errorf("%s of %s: %d %s %v", scheme, issuer, res.StatusCode, body, res.Header)
			}
		}
	}
}

// TestAuthorityMetrics: every answer of the authority is counted by its operation and code.
func TestAuthorityMetrics(t *testing.T) {
	a := newAuthority(t)
	_, _ = a.ask("/adfs/oauth2/token", map[string]string{"client_secret": "wrong"})
	_, _ = a.do("GET", "/adfs/discovery/keys", "", nil, "")
	_, _ = a.do("GET", "/msi/token", "", nil, "")
	res, err := http.Get(a.s.AdminURL + "/metrics")
	must(t, err)
	text, err := io.ReadAll(res.Body)
	must(t, err)
	must(t, res.Body.Close())
	for _, want := range []string{`{api="authority",code="OK",op="IssueToken"} 1`, `{api="authority",code="invalid_client",op="IssueToken"} 1`, `{api="authority",code="invalid_request",op="IssueToken"} 1`,
		`{api="authority",code="OK",op="Keys"} 1`} {
		if !strings.Contains(string(text), "tacet_request_duration_seconds_count"+want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	if !strings.Contains(string(text), `tacet_auth_failures_total{reason="invalid_client"} 1`) {
		t.Error("the wrong secret is not counted")
	}
}
