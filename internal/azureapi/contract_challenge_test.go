package azureapi_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tacet/internal/azureapi"
	"tacet/internal/identity"
	"tacet/internal/vault"
)

// Resource is "a setting (fixed https://vault.azure.net | derived from Host).
// Derive only from configured vault hosts"; a.4: "let a vault be configured to challenge
// with /adfs". Behind a proxy the port is the one that clients connect to.
func TestContractA1_ChallengeSettings(t *testing.T) {
	g, _ := newGuard(t)
	ids := identity.New(g, identity.Config{})
	domains := []string{"vault.example.com"}
	guid := ids.TenantID()
	for name, c := range map[string]struct {
		hosts azureapi.Hosts
		host  string
		want  string
	}{
		"derived":          {azureapi.Hosts{Domains: domains, Tenant: "adfs", Port: 443}, "main.vault.example.com", `authorization="https://localhost/adfs", resource="https://vault.example.com"`},
		"fixed":            {azureapi.Hosts{Domains: domains, Tenant: "adfs", Port: 443, Resource: "https://vault.azure.net"}, "main.vault.example.com", `authorization="https://localhost/adfs", resource="https://vault.azure.net"`},
		"guid":             {azureapi.Hosts{Domains: domains, Port: 443}, "main.vault.example.com", `authorization="https://localhost/` + guid + `", resource="https://vault.example.com"`},
		"authority":        {azureapi.Hosts{Domains: domains, Port: 443, Authorities: []string{"login.example.com", "sts.example.com"}}, "main.vault.example.com", `authorization="https://login.example.com/` + guid + `", resource="https://vault.example.com"`},
		"behind a proxy":   {azureapi.Hosts{Domains: domains, Tenant: "adfs", Port: 8443}, "main.vault.example.com:9999", `authorization="https://localhost:8443/adfs", resource="https://vault.example.com:8443"`},
		"Microsoft's name": {azureapi.Hosts{Domains: []string{"vault.azure.net"}, Tenant: "adfs", Port: 443}, "main.vault.azure.net", `authorization="https://localhost/adfs", resource="https://vault.azure.net"`},
		"the default host": {azureapi.Hosts{Domains: domains, Default: []string{"tacet"}, Tenant: "adfs", Port: 443}, "tacet", `authorization="https://localhost/adfs", resource="https://vault.azure.net"`},
		"no vault's host":  {azureapi.Hosts{Domains: domains, Tenant: "adfs", Port: 443}, "main.vault.evil.example", ""},
		"no vault":         {azureapi.Hosts{Domains: domains, Tenant: "adfs", Port: 443}, "other.vault.example.com", ""},
	} {
		h := azureapi.New(azureapi.Config{Vault: vault.New(g), Identity: ids, Hosts: c.hosts})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/secrets/s?api-version=7.4", nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		want, status := "Bearer "+c.want, http.StatusUnauthorized
		if c.want == "" {
			want, status = "", http.StatusNotFound
		}
		if got := w.Header().Get("WWW-Authenticate"); w.Code != status || got != want {
			t.Errorf("%s: %d %s, want %s", name, w.Code, got, want)
		}
	}
	h := newHouse(t)
	for _, tenant := range []string{h.s.TenantID, "adfs", "contoso.example"} {
		h.admin("vaults/update", in{"vault": "main", "tenant": tenant})
		res, _ := h.c.Send(h.c.WithToken("").Request("GET", "/secrets?api-version=7.4", nil))
		if m := challengePattern.FindStringSubmatch(res.Header.Get("WWW-Authenticate")); m == nil || m[2] != tenant {
			t.Errorf("the vault's tenant %s: %s", tenant, res.Header.Get("WWW-Authenticate"))
		}
	}
}

// TestAuthorityFailures: a failure of ours is answered in Entra's words, and logged under
// the trace id that the client was told, without what it sent.
func TestAuthorityFailures(t *testing.T) {
	g, out := newGuard(t)
	ids := identity.New(g, identity.Config{}) // no key of tokens was made
	var log bytes.Buffer
	var seen []string
	broken := false
	a := azureapi.NewAuthority(azureapi.AuthorityConfig{Identity: ids, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Observe: func(op, code string, _ time.Duration) { seen = append(seen, op+" "+code) },
		Now: func() time.Time {
			if broken {
				broken = false
				panic("here")
			}
			return time.Now()
		}})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {out.ClientID}, "client_secret": {string(out.ClientSecret.Reveal())}, "scope": {"https://vault.azure.net/.default"}}
	ask := func() (int, map[string]any) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://localhost/adfs/oauth2/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		var body map[string]any
		must(t, json.Unmarshal(w.Body.Bytes(), &body))
		return w.Code, body
	}
	status, body := ask()
	if trace, _ := body["trace_id"].(string); status != 503 || body["error"] != "temporarily_unavailable" || !strings.Contains(log.String(), "request="+trace) {
		t.Errorf("%d %v\n%s", status, body, &log)
	}
	broken = true
	form.Set("client_secret", "wrong")
	status, body = ask()
	if trace, _ := body["trace_id"].(string); status != 500 || body["error"] != "server_error" || !strings.Contains(log.String(), `msg="request panicked" request=`+trace) {
		t.Errorf("%d %v\n%s", status, body, &log)
	}
	if strings.Contains(log.String(), string(out.ClientSecret.Reveal())) {
		t.Error("threat class 25: the log has the secret")
	}
	if want := []string{"IssueToken temporarily_unavailable", "IssueToken server_error"}; !slices.Equal(seen, want) {
		t.Errorf("observed %q", seen)
	}
}

// "Expired ... tokens: also 401 Unauthorized" with the challenge, after which
// clients ask for another token; a.3: an expired secret gets none (AADSTS7000222).
func TestContractA1_ExpiredToken(t *testing.T) {
	a := newAuthority(t)
	h := houseOf(t, a.s)
	h.set("s", "v")
	app := h.application("app") // whose secret is good for 180 days
	a.s.Clock.SetOffset(59 * time.Minute)
	h.ok("GET", "/secrets/s", nil)
	a.s.Clock.SetOffset(61 * time.Minute)
	h.fails("GET", "/secrets/s", nil, 401, "Unauthorized", "", "AKV10")
	res, _ := h.c.Send(h.c.Request("GET", "/secrets/s?api-version=7.4", nil))
	if !challengePattern.MatchString(res.Header.Get("WWW-Authenticate")) {
		t.Errorf("challenge %q", res.Header.Get("WWW-Authenticate"))
	}
	if status, out := h.c.WithToken(a.token("adfs", nil)).Call("GET", "/secrets/s", nil); status != 200 {
		t.Errorf("a new token: %d %v", status, out)
	}
	a.s.Clock.SetOffset(181 * 24 * time.Hour)
	res, out := a.ask("/adfs/oauth2/token", map[string]string{"client_id": app.clientID, "client_secret": app.secret})
	a.refused("an expired secret", res, out, 401, "invalid_client", 7000222)
}
