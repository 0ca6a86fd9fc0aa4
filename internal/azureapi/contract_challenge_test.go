package azureapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tacet/internal/azureapi"
	"tacet/internal/identity"
	"tacet/internal/vault"
)

// azure.md a.1: resource is "a setting (fixed https://vault.azure.net | derived from Host).
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

// azure.md a.1: "Expired ... tokens: also 401 Unauthorized" with the challenge, after which
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
