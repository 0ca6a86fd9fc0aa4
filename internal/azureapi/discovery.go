package azureapi

import (
	"net/http"
	"net/url"
	"strings"
)

// configuration is a discovery document (OpenID Connect Discovery 1.0): the members that
// MSAL demands, and those that its users read.
type configuration struct {
	TokenEndpoint string   `json:"token_endpoint"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	JWKS          string   `json:"jwks_uri"`
	Subjects      []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Grants        []string `json:"grant_types_supported"`
	Responses     []string `json:"response_types_supported"`
	Scopes        []string `json:"scopes_supported"`
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Claims        []string `json:"claims_supported"`
}

// configurationV2 is the document of version 2.0. The issuer is on the authority's own
// host, which MSAL for Go demands; it is not the iss of access tokens, nor is it at Entra.
func (a *Authority) configurationV2(w http.ResponseWriter, r *http.Request, tenant string) {
	a.configuration(w, r, tenant, "/oauth2/v2.0", "/discovery/v2.0/keys", "/v2.0")
}

// configurationV1 is the document of version 1.0, and of the tenant "adfs".
func (a *Authority) configurationV1(w http.ResponseWriter, r *http.Request, tenant string) {
	a.configuration(w, r, tenant, "/oauth2", "/discovery/keys", "")
}

func (a *Authority) configuration(w http.ResponseWriter, r *http.Request, tenant, oauth, keys, issuer string) {
	if !a.mayRead(w, r) {
		return
	}
	if problem := a.checkTenant(tenant); problem != nil {
		a.refuse(w, r, problem)
		return
	}
	base := a.base(r) + "/" + strings.ToLower(tenant)
	writeJSON(w, http.StatusOK, configuration{
		TokenEndpoint: base + oauth + "/token",
		// No page asks people for a password here; the member must not be empty for MSAL.
		Authorization: base + oauth + "/authorize",
		JWKS:          base + keys,
		Issuer:        base + issuer,
		AuthMethods:   []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		Subjects:      []string{"pairwise"},
		Algorithms:    []string{"RS256", "ES256"},
		Grants:        []string{"client_credentials"},
		Responses:     []string{"token"},
		Scopes:        []string{"openid"},
		Claims:        []string{"sub", "iss", "aud", "exp", "iat", "nbf", "appid", "oid", "tid", "uti", "ver"},
	})
}

// keys are the public keys of access tokens (RFC 7517 section 5).
func (a *Authority) keys(w http.ResponseWriter, r *http.Request, tenant string) {
	if !a.mayRead(w, r) {
		return
	}
	if problem := a.checkTenant(tenant); problem != nil {
		a.refuse(w, r, problem)
		return
	}
	set, err := a.cfg.Identity.TokenKeySet()
	if err != nil {
		a.refuse(w, r, a.translate(r, "", err))
		return
	}
	body, err := set.JSON()
	if err != nil {
		a.refuse(w, r, a.translate(r, "", err))
		return
	}
	w.Header()["Content-Type"] = typeJSON
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// instances is the answer about authorities.
type instances struct {
	Endpoint   string             `json:"tenant_discovery_endpoint"`
	APIVersion string             `json:"api-version"`
	Metadata   []instanceMetadata `json:"metadata"`
}

type instanceMetadata struct {
	Network string   `json:"preferred_network"`
	Cache   string   `json:"preferred_cache"`
	Aliases []string `json:"aliases"`
}

// instance tells whether an authority is known: this one is.
func (a *Authority) instance(w http.ResponseWriter, r *http.Request, _ string) {
	if !a.mayRead(w, r) {
		return
	}
	asked, err := url.Parse(r.URL.Query().Get("authorization_endpoint"))
	tenant := ""
	if err == nil {
		tenant, _, _ = strings.Cut(strings.TrimPrefix(asked.Path, "/"), "/")
	}
	if err != nil || asked.Scheme != "https" || asked.Host == "" || "https://"+strings.ToLower(asked.Host) != a.base(r) || a.checkTenant(tenant) != nil {
		a.refuse(w, r, aadErrorf(50049, "Unknown or invalid instance."))
		return
	}
	host := strings.TrimPrefix(a.base(r), "https://")
	writeJSON(w, http.StatusOK, instances{Endpoint: a.base(r) + "/" + tenant + "/v2.0/.well-known/openid-configuration", APIVersion: "1.1",
		Metadata: []instanceMetadata{{host, host, []string{host}}}})
}

// mayRead refuses every method but GET and HEAD.
func (a *Authority) mayRead(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	a.refuse(w, r, aadErrorf(90013, "Invalid input received from the user: the method is GET."))
	return false
}
