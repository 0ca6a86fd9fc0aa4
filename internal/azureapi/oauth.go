package azureapi

import (
	"encoding/base64"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/limit"
	"tacet/internal/wire"
)

// AuthorityConfig is what the token endpoints need.
type AuthorityConfig struct {
	Identity *identity.Service
	// Hosts are those of the face; of them the authority answers to its own names, localhost
	// and the loopback addresses.
	Hosts Hosts
	// Metadata is the user or role whose tokens the metadata endpoint gives to everybody on
	// this machine; nil for none.
	Metadata *identity.MetadataIdentity
	Now      func() time.Time
	// Limits protect the server; nil means none.
	Limits *limit.Callers
	// Logger gets failures of ours.
	Logger *slog.Logger
}

// An Authority is where clients get access tokens: Entra's token endpoints with what leads
// to them, and those of managed identities. It is safe for concurrent use.
type Authority struct {
	cfg    AuthorityConfig
	tenant string
}

// NewAuthority returns the token endpoints.
func NewAuthority(cfg AuthorityConfig) *Authority {
	return &Authority{cfg: cfg, tenant: cfg.Identity.TenantID()}
}

// tenantADFS is the alias of the deployment's tenant with which SDKs ask nobody else about
// the authority: they take it for one of Active Directory Federation Services.
const tenantADFS = "adfs"

// endpoint answers one of the authority's paths. tenant is the path's first segment where
// it begins with a tenant.
type endpoint func(a *Authority, w http.ResponseWriter, r *http.Request, tenant string)

// authorityRoutes is the whole authority. "{tenant}" stands for one segment.
func authorityRoutes() map[string]endpoint {
	return map[string]endpoint{
		"/{tenant}/oauth2/v2.0/token":                            (*Authority).tokenV2,
		"/{tenant}/oauth2/token":                                 (*Authority).tokenV1,
		"/{tenant}/v2.0/.well-known/openid-configuration":        (*Authority).configurationV2,
		"/{tenant}/.well-known/openid-configuration":             (*Authority).configurationV1,
		"/{tenant}/discovery/v2.0/keys":                          (*Authority).keys,
		"/{tenant}/discovery/keys":                               (*Authority).keys,
		"/common/discovery/instance":                             (*Authority).instance,
		"/metadata/identity/oauth2/token":                        (*Authority).metadata,
		"/msi/token":                                             (*Authority).appService,
		"/{tenant}/oauth2/v2.0/.well-known/openid-configuration": (*Authority).configurationV2,
	}
}

var authorityPaths = authorityRoutes()

// route finds what answers a path.
func (a *Authority) route(path string) (e endpoint, tenant string) {
	if e = authorityPaths[path]; e != nil {
		return e, ""
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "", "secrets", "keys", "certificates": // what a vault has under these is a vault's
		return nil, ""
	}
	return authorityPaths["/{tenant}/"+rest], first
}

// Claims reports whether a request is for the authority: by its host and its path.
func (a *Authority) Claims(r *http.Request) bool {
	host := hostname(r.Host)
	if !a.cfg.Hosts.isAuthority(host) && !isLoopback(host) {
		return false
	}
	e, _ := a.route(rawPath(r))
	return e != nil
}

// ServeHTTP answers one request that [Authority.Claims].
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header["Cache-Control"], header["Pragma"], header["Expires"] = noStore, noCache, expired
	header["X-Content-Type-Options"] = noSniff
	if r.TLS != nil {
		header["Strict-Transport-Security"] = strictTLS
	}
	e, tenant := a.route(rawPath(r))
	if e == nil {
		http.NotFound(w, r)
		return
	}
	if err := a.cfg.Limits.Arrive(r.RemoteAddr); err != nil {
		a.refuse(w, r, a.translate(r, "", err))
		return
	}
	e(a, w, r, tenant)
}

var noStore = []string{"no-store, no-cache"}

// base is the authority's own URL as the client wrote it: its host was found to be ours.
func (a *Authority) base(r *http.Request) string {
	host := hostname(r.Host)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if u, err := url.Parse("https://" + r.Host); err == nil && u.Port() != "" {
		host += ":" + u.Port()
	}
	return "https://" + host
}

// checkTenant refuses a tenant that is not the deployment's.
func (a *Authority) checkTenant(tenant string) *aadError {
	switch strings.ToLower(tenant) {
	case tenantADFS, a.tenant:
		return nil
	case "common", "organizations", "consumers":
		return aadErrorf(50059, "No tenant-identifying information found in either the request or implied by any provided credentials.")
	}
	return aadErrorf(90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", short(tenant))
}

func (a *Authority) tokenV2(w http.ResponseWriter, r *http.Request, tenant string) {
	a.token(w, r, tenant, "scope", func(t identity.IssuedToken) any {
		return tokenV2{"Bearer", seconds(t), seconds(t), t.Token}
	})
}

func (a *Authority) tokenV1(w http.ResponseWriter, r *http.Request, tenant string) {
	if strings.EqualFold(tenant, tenantADFS) { // whose numbers are numbers, and who is asked by scope
		a.tokenV2(w, r, tenant)
		return
	}
	a.token(w, r, tenant, "resource", func(t identity.IssuedToken) any { return showV1(t) })
}

// tokenV2 is what version 2.0 of the endpoint answers.
type tokenV2 struct {
	Type       string `json:"token_type"`
	Expires    int64  `json:"expires_in"`
	ExtExpires int64  `json:"ext_expires_in"`
	Token      string `json:"access_token"`
}

// token is the client credentials grant. audience is the parameter that names the
// resource; where it is missing the other is looked at.
func (a *Authority) token(w http.ResponseWriter, r *http.Request, tenant, audience string, show func(identity.IssuedToken) any) {
	token, problem := a.grant(w, r, tenant, audience)
	if problem != nil {
		a.cfg.Limits.Fail(r.RemoteAddr)
		a.refuse(w, r, problem)
		return
	}
	writeJSON(w, http.StatusOK, show(token))
}

func (a *Authority) grant(w http.ResponseWriter, r *http.Request, tenant, audience string) (identity.IssuedToken, *aadError) {
	var none identity.IssuedToken
	if r.Method != http.MethodPost {
		return none, aadErrorf(900561, "The endpoint only accepts POST requests. Received a %s request.", short(r.Method))
	}
	if problem := a.checkTenant(tenant); problem != nil {
		return none, problem
	}
	f, problem := readForm(w, r)
	if problem != nil {
		return none, problem
	}
	in, problem := a.tokenInput(r, f)
	if problem != nil {
		return none, problem
	}
	if in.Audience, problem = a.requestedAudience(f, audience); problem != nil {
		return none, problem
	}
	in.Endpoints = a.endpoints(r)
	token, err := a.cfg.Identity.IssueToken(r.Context(), wire.NewCall(r, "azure", tacet.Caller{}), in)
	if err != nil {
		return none, a.translate(r, in.ClientID, err)
	}
	return token, nil
}

// tokenInput reads who asks, and the one proof of it.
func (a *Authority) tokenInput(r *http.Request, f form) (identity.TokenInput, *aadError) {
	in := identity.TokenInput{ClientID: f["client_id"], Assertion: f["client_assertion"]}
	secret, proofs := f["client_secret"], 0
	if id, s, ok := basicCredentials(r); ok {
		if in.ClientID != "" && in.ClientID != id {
			return in, aadErrorf(90013, "Invalid input received from the user: two client identifiers.")
		}
		in.ClientID, secret = id, secret+s
		proofs++
	}
	switch grant := f["grant_type"]; {
	case grant == "":
		return in, missing("grant_type")
	case grant != "client_credentials":
		return in, aadErrorf(70003, "The app requested an unsupported grant type '%s'.", short(grant))
	case in.ClientID == "":
		return in, missing("client_id")
	}
	if f["client_secret"] != "" {
		proofs++
	}
	if in.Assertion != "" {
		proofs++
		if f["client_assertion_type"] != assertionType {
			return in, missing("client_assertion_type")
		}
	}
	switch {
	case proofs == 0:
		return in, aadErrorf(7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")
	case proofs > 1:
		return in, aadErrorf(90013, "Invalid input received from the user: more than one client credential.") // RFC 6749 section 2.3
	}
	if secret != "" {
		in.Secret = tacet.NewPlaintext([]byte(secret))
	}
	return in, nil
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// basicCredentials reads the header of RFC 6749 section 2.3.1, whose two parts are
// form-encoded.
func basicCredentials(r *http.Request) (id, secret string, ok bool) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Basic ")
	if !ok {
		return "", "", false
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", "", false
	}
	id, secret, _ = strings.Cut(string(raw), ":")
	id, errID := url.QueryUnescape(id)
	secret, errSecret := url.QueryUnescape(secret)
	return id, secret, errID == nil && errSecret == nil && id != "" && secret != ""
}

// oidcScopes are what MSAL adds to every scope; they ask for nothing here.
var oidcScopes = []string{"openid", "offline_access", "profile", "email"}

// requestedAudience returns whom the token is to be for.
func (a *Authority) requestedAudience(f form, field string) (string, *aadError) {
	resource, scope := f["resource"], f["scope"]
	if field == "scope" || resource == "" {
		scopes := slices.DeleteFunc(strings.Fields(scope), func(s string) bool { return slices.Contains(oidcScopes, s) })
		switch {
		case len(scopes) == 0 && resource == "":
			return "", aadErrorf(90014, "The required field '%s' is missing from the credential. Ensure that you have all the necessary parameters for the login request.", field)
		case len(scopes) > 1:
			return "", aadErrorf(28000, "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope %s is not valid.", short(scope))
		case len(scopes) == 1:
			var ok bool
			if resource, ok = strings.CutSuffix(scopes[0], "/.default"); !ok {
				return "", aadErrorf(1002012, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", short(scope))
			}
		}
	}
	audience, ok := a.audience(resource)
	if !ok {
		return "", aadErrorf(500011, "The resource principal named %s was not found in the tenant named %s. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.", short(resource), a.tenant)
	}
	return audience, nil
}

// vaultAppID is the application id of Key Vault at Entra, by which its resource may be
// asked for too.
const vaultAppID = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"

// audience returns the audience of tokens for a resource that is asked for: Key Vault's, or
// that of the domains that vaults are names in, with any port.
func (a *Authority) audience(resource string) (string, bool) {
	resource = strings.TrimSuffix(resource, "/")
	if resource == PublicResource || resource == a.cfg.Hosts.Resource {
		return resource, resource != ""
	}
	if strings.EqualFold(resource, vaultAppID) {
		return PublicResource, true
	}
	u, err := url.Parse(resource)
	if err != nil || u.Scheme != "https" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.String() != resource {
		return "", false
	}
	return strings.ToLower(resource), slices.Contains(a.cfg.Hosts.Domains, strings.ToLower(u.Hostname()))
}

// endpoints are the audiences that an application's own assertion may be for: the token
// endpoints and the authority itself, by any name of the tenant.
func (a *Authority) endpoints(r *http.Request) []string {
	base := a.base(r)
	list := []string{base, base + "/"}
	for _, tenant := range []string{tenantADFS, a.tenant} {
		for _, tail := range []string{"", "/", "/v2.0", "/oauth2/token", "/oauth2/v2.0/token"} {
			list = append(list, base+"/"+tenant+tail)
		}
	}
	return list
}

// form is the body of a token request.
type form map[string]string

// Limits of a form. The largest member is an assertion.
const (
	maxForm   = 64 << 10
	maxFields = 64
)

// readForm reads a body strictly: a parameter twice could mean one thing to us and another
// to whoever logs or filters it (RFC 6749 section 3.2).
func readForm(w http.ResponseWriter, r *http.Request) (form, *aadError) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, aadErrorf(90013, "Invalid input received from the user: the content type is application/x-www-form-urlencoded.")
	}
	var body wire.Body
	if err := body.Read(w, r, maxForm); err != nil {
		return nil, aadErrorf(90013, "Invalid input received from the user: the body is too large or incomplete.")
	}
	defer body.Reset()
	return parseForm(string(body.Bytes))
}

func parseForm(text string) (form, *aadError) {
	f := form{}
	for field := range strings.SplitSeq(text, "&") {
		if field == "" {
			continue
		}
		name, value, _ := strings.Cut(field, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, aadErrorf(90013, "Invalid input received from the user: the body is not form-encoded.")
		}
		if _, ok := f[name]; ok {
			return nil, aadErrorf(9000411, "The request is not properly formatted. The parameter '%s' is duplicated.", short(name))
		}
		if f[name] = value; len(f) > maxFields {
			return nil, aadErrorf(90013, "Invalid input received from the user: too many parameters.")
		}
	}
	return f, nil
}
