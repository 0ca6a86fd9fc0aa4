package azureapi

import (
	"net/http"
	"net/url"
	"slices"
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

// tenantADFS is the alias of the deployment's tenant with which SDKs ask nobody else about
// the authority: they take it for one of Active Directory Federation Services.
const tenantADFS = "adfs"

// sharedTenants stand for any tenant. Their documents are read; an application gets no
// token for them.
var sharedTenants = []string{"common", "organizations", "consumers"}

// named returns a tenant as documents call it: the deployment's, by its GUID or by a domain
// that vaults are names in, or "adfs".
func (a *Authority) named(tenant string) (string, bool) {
	tenant = strings.ToLower(tenant)
	if slices.Contains(a.cfg.Hosts.Domains, tenant) {
		tenant = a.tenant
	}
	return tenant, tenant == a.tenant || tenant == tenantADFS
}

// checkTenant refuses a tenant that gives no tokens.
func (a *Authority) checkTenant(tenant string) *aadError {
	name, ok := a.named(tenant)
	switch {
	case ok:
		return nil
	case slices.Contains(sharedTenants, name):
		return aadErrorf(50059, "No tenant-identifying information found in either the request or implied by any provided credentials.")
	}
	return aadErrorf(90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", short(tenant))
}

// documented returns a tenant as its documents call it, and refuses one that has none.
func (a *Authority) documented(tenant string) (string, *aadError) {
	name, ok := a.named(tenant)
	if ok || slices.Contains(sharedTenants, name) {
		return name, nil
	}
	problem := a.checkTenant(tenant)
	problem.code = "invalid_tenant" // what Entra's documents say, unlike its token endpoint
	return "", problem
}

// configurationV2 is the document of version 2.0. The issuer is on the authority's own
// host, which MSAL for Go demands; it is not the iss of access tokens, nor is it at Entra.
func (a *Authority) configurationV2(w http.ResponseWriter, r *http.Request, tenant string) string {
	return a.configuration(w, r, tenant, "/oauth2/v2.0", "/discovery/v2.0/keys", "/v2.0")
}

// configurationV1 is the document of version 1.0, and of the tenant "adfs".
func (a *Authority) configurationV1(w http.ResponseWriter, r *http.Request, tenant string) string {
	return a.configuration(w, r, tenant, "/oauth2", "/discovery/keys", "")
}

func (a *Authority) configuration(w http.ResponseWriter, r *http.Request, tenant, oauth, keys, issuer string) string {
	if !isRead(r) {
		return a.refuseMethod(w, r)
	}
	tenant, problem := a.documented(tenant)
	if problem != nil {
		return a.refuse(w, r, problem)
	}
	base := a.base(r) + "/" + tenant
	issuer = base + issuer
	if slices.Contains(sharedTenants, tenant) { // a pattern, as at Entra
		issuer = strings.Replace(issuer, "/"+tenant, "/{tenantid}", 1)
	}
	writeJSON(w, http.StatusOK, configuration{
		TokenEndpoint: base + oauth + "/token",
		// No page asks people for a password here; the member must not be empty for MSAL.
		Authorization: base + oauth + "/authorize",
		JWKS:          base + keys,
		Issuer:        issuer,
		AuthMethods:   []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		Subjects:      []string{"pairwise"},
		Algorithms:    []string{"RS256", "ES256"},
		Grants:        []string{"client_credentials"},
		Responses:     []string{"token"},
		Scopes:        []string{"openid"},
		Claims:        []string{"sub", "iss", "aud", "exp", "iat", "nbf", "appid", "oid", "tid", "uti", "ver"},
	})
	return ""
}

// keys are the public keys of access tokens (RFC 7517 section 5).
func (a *Authority) keys(w http.ResponseWriter, r *http.Request, tenant string) string {
	if !isRead(r) {
		return a.refuseMethod(w, r)
	}
	if _, problem := a.documented(tenant); problem != nil {
		return a.refuse(w, r, problem)
	}
	set, err := a.cfg.Identity.TokenKeySet()
	if err != nil {
		return a.refuse(w, r, a.translate("", err))
	}
	body, err := set.JSON()
	if err != nil {
		return a.refuse(w, r, a.translate("", err))
	}
	w.Header()["Content-Type"] = typeJSON
	_, _ = w.Write(body) // a client that is gone needs no answer
	return ""
}

// authorize is where a browser is sent to sign somebody in. Nobody signs in here, and it
// says so in Entra's words.
func (a *Authority) authorize(w http.ResponseWriter, r *http.Request, tenant string) string {
	q, problem := parseForm(r.URL.RawQuery)
	if _, unknown := a.documented(tenant); unknown != nil {
		problem = unknown
	}
	switch {
	case problem != nil:
	case q["client_id"] == "":
		problem = missing("client_id")
	case q["response_type"] == "":
		problem = missing("response_type")
	default:
		problem = aadErrorf(700054, "response_type '%s' is not enabled for the application.", short(q["response_type"]))
	}
	return a.refuse(w, r, problem)
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
func (a *Authority) instance(w http.ResponseWriter, r *http.Request, _ string) string {
	if !isRead(r) {
		return a.refuseMethod(w, r)
	}
	asked, err := url.Parse(r.URL.Query().Get("authorization_endpoint"))
	if err != nil || asked.Scheme != "https" || asked.Host == "" || asked.User != nil || "https://"+strings.ToLower(asked.Host) != a.base(r) {
		return a.refuse(w, r, aadErrorf(50049, "Unknown or invalid instance."))
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(asked.Path, "/"), "/")
	tenant, problem := a.documented(tenant)
	if problem != nil {
		return a.refuse(w, r, problem)
	}
	host := strings.TrimPrefix(a.base(r), "https://")
	writeJSON(w, http.StatusOK, instances{Endpoint: a.base(r) + "/" + tenant + "/v2.0/.well-known/openid-configuration", APIVersion: "1.1",
		Metadata: []instanceMetadata{{host, host, []string{host}}}})
	return ""
}

// A realm is what an authority answers about itself (RFC 7033 section 4.4).
type realm struct {
	Subject string      `json:"subject"`
	Links   []realmLink `json:"links"`
}

type realmLink struct {
	Relation string `json:"rel"`
	Target   string `json:"href"`
}

// webFinger tells MSAL for .NET that the authority is what it says: it asks so before it
// uses one of the tenant "adfs", by the host without a port.
func (a *Authority) webFinger(w http.ResponseWriter, r *http.Request, _ string) string {
	if !isRead(r) {
		return a.refuseMethod(w, r)
	}
	resource := r.URL.Query().Get("resource")
	if host, ok := strings.CutPrefix(resource, "https://"); !ok || hostname(host) != hostname(r.Host) || strings.ContainsAny(host, "/?#@") {
		return a.refuse(w, r, aadErrorf(50049, "Unknown or invalid instance."))
	}
	writeJSON(w, http.StatusOK, realm{resource, []realmLink{{"http://schemas.microsoft.com/rel/trusted-realm", resource}}})
	return ""
}

// isRead reports whether a request only reads.
func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func (a *Authority) refuseMethod(w http.ResponseWriter, r *http.Request) string {
	w.Header().Set("Allow", "GET, HEAD")
	return a.refuse(w, r, aadErrorf(90013, "Invalid input received from the user: the method is GET."))
}
