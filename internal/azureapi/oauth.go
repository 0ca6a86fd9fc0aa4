package azureapi

import (
	"encoding/base64"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	// Logger gets failures of ours; nil means slog.Default.
	Logger *slog.Logger
	// Observe, when not nil, is told of every answered request as [Config.Observe] is; the
	// code is the one of OAuth 2.0.
	Observe func(operation, code string, d time.Duration)
}

// An Authority is where clients get access tokens: Entra's token endpoints with what leads
// to them, and those of managed identities. It is safe for concurrent use.
type Authority struct {
	cfg    AuthorityConfig
	tenant string
	routes map[string]endpoint
}

// NewAuthority returns the token endpoints.
func NewAuthority(cfg AuthorityConfig) *Authority {
	if cfg.Observe == nil {
		cfg.Observe = func(string, string, time.Duration) {}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Authority{cfg, cfg.Identity.TenantID(), authorityRoutes()}
}

// An endpoint is a row of the authority's table: what it is called in metrics, and what
// answers. tenant is the path's first segment where it begins with a tenant; the code is
// that of the error, "" for success.
type endpoint struct {
	operation string
	serve     func(a *Authority, w http.ResponseWriter, r *http.Request, tenant string) (code string)
}

// authorityRoutes is the whole authority. "{tenant}" stands for one segment.
func authorityRoutes() map[string]endpoint {
	issue := string(tacet.OpIssueToken)
	v1, v2 := endpoint{"OpenIDConfiguration", (*Authority).configurationV1}, endpoint{"OpenIDConfiguration", (*Authority).configurationV2}
	keys, authorize := endpoint{"Keys", (*Authority).keys}, endpoint{"Authorize", (*Authority).authorize}
	finger := endpoint{"WebFinger", (*Authority).webFinger}
	return map[string]endpoint{
		"{tenant}/oauth2/v2.0/token":                            {issue, (*Authority).tokenV2},
		"{tenant}/oauth2/token":                                 {issue, (*Authority).tokenV1},
		"{tenant}/oauth2/v2.0/authorize":                        authorize,
		"{tenant}/oauth2/authorize":                             authorize,
		"{tenant}/v2.0/.well-known/openid-configuration":        v2,
		"{tenant}/oauth2/v2.0/.well-known/openid-configuration": v2,
		"{tenant}/.well-known/openid-configuration":             v1,
		"{tenant}/discovery/v2.0/keys":                          keys,
		"{tenant}/discovery/keys":                               keys,
		"{tenant}/.well-known/webfinger":                        finger,
		".well-known/webfinger":                                 finger,
		"common/discovery/instance":                             {"InstanceDiscovery", (*Authority).instance},
		"metadata/identity/oauth2/token":                        {issue, (*Authority).metadata},
		"msi/token":                                             {issue, (*Authority).appService},
	}
}

// route finds what answers a path. As at Entra letters have no case, and as in a vault's
// paths empty segments count for nothing: an authority host may be written with a slash.
func (a *Authority) route(path string) (e endpoint, tenant string) {
	tenant, rest, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	first := strings.ToLower(tenant)
	if first == "" || slices.Contains(collections, first) { // what a vault has under these is a vault's
		return endpoint{}, ""
	}
	rest = "/" + strings.Join(strings.FieldsFunc(strings.ToLower(rest), func(r rune) bool { return r == '/' }), "/")
	if e, ok := a.routes[first+rest]; ok {
		return e, ""
	}
	return a.routes["{tenant}"+rest], tenant
}

// Claims reports whether a request is for the authority: by its host and its path.
func (a *Authority) Claims(r *http.Request) bool {
	host := hostname(r.Host)
	if !a.cfg.Hosts.isAuthority(host) && !isLoopback(host) {
		return false
	}
	e, _ := a.route(rawPath(r))
	return e.serve != nil
}

// ServeHTTP answers one request that [Authority.Claims].
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start, header := time.Now(), w.Header()
	header["Cache-Control"], header["Pragma"], header["Expires"] = noStore, noCache, expired
	header["X-Content-Type-Options"] = noSniff
	if r.TLS != nil {
		header["Strict-Transport-Security"] = strictTLS
	}
	id := wire.NewRequestID()
	header["X-Ms-Request-Id"] = []string{id}
	if theirs := r.Header.Get("Client-Request-Id"); r.Header.Get("Return-Client-Request-Id") == "true" && guidForm.MatchString(theirs) {
		header["Client-Request-Id"] = []string{theirs}
	}
	e, tenant := a.route(rawPath(r))
	if e.serve == nil {
		http.NotFound(w, r)
		return
	}
	// A panic ends in an answer and a line in the log, and not in a dropped connection.
	var code string
	defer func() {
		if p := recover(); p != nil {
			code = a.refuse(w, r, a.translate("", wire.LogPanic(a.cfg.Logger, id, tacet.Operation(e.operation), p)))
		}
		a.cfg.Observe(e.operation, code, time.Since(start))
	}()
	if err := a.cfg.Limits.Arrive(r.RemoteAddr); err == nil {
		code = e.serve(a, w, r, tenant)
	} else {
		code = a.refuse(w, r, a.translate("", err))
	}
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

func (a *Authority) tokenV2(w http.ResponseWriter, r *http.Request, tenant string) string {
	return a.token(w, r, tenant, "scope", func(t identity.IssuedToken, _ form) any { return showV2(t) })
}

func (a *Authority) tokenV1(w http.ResponseWriter, r *http.Request, tenant string) string {
	audience, show := "resource", func(t identity.IssuedToken, _ form) any { return showV1(t) }
	if strings.EqualFold(tenant, tenantADFS) {
		audience = "scope"
		// Its numbers are numbers, and it is asked by scope. Who names a resource is of the
		// time before: go-autorest would want another token for every request, had it no
		// expires_on.
		show = func(t identity.IssuedToken, f form) any {
			if f["resource"] != "" {
				return showV1(t)
			}
			return showV2(t)
		}
	}
	return a.token(w, r, tenant, audience, show)
}

// tokenV2 is what version 2.0 of the endpoint answers.
type tokenV2 struct {
	Type       string `json:"token_type"`
	Expires    int64  `json:"expires_in"`
	ExtExpires int64  `json:"ext_expires_in"`
	Token      string `json:"access_token"`
}

func showV2(t identity.IssuedToken) tokenV2 {
	return tokenV2{"Bearer", seconds(t), seconds(t), t.Token}
}

// token is the client credentials grant. audience is the parameter that names the
// resource; where it is missing the other is looked at.
func (a *Authority) token(w http.ResponseWriter, r *http.Request, tenant, audience string, show func(identity.IssuedToken, form) any) string {
	token, f, problem := a.grant(w, r, tenant, audience)
	if problem != nil {
		a.cfg.Limits.Fail(r.RemoteAddr)
		return a.refuse(w, r, problem)
	}
	writeJSON(w, http.StatusOK, show(token, f))
	return ""
}

// grant gives the token that a form asks for.
func (a *Authority) grant(w http.ResponseWriter, r *http.Request, tenant, audience string) (token identity.IssuedToken, f form, problem *aadError) {
	if r.Method != http.MethodPost {
		return token, nil, aadErrorf(900561, "The endpoint only accepts POST requests. Received a %s request.", short(r.Method))
	}
	if problem = a.checkTenant(tenant); problem != nil {
		return token, nil, problem
	}
	if f, problem = readForm(w, r); problem != nil {
		return token, nil, problem
	}
	if r.Header.Get("Client-Request-Id") == "" { // the form may say what the header may
		r.Header.Set("Client-Request-Id", f["client-request-id"])
	}
	in, problem := a.tokenInput(r, f)
	if problem != nil {
		return token, nil, problem
	}
	if in.Audience, problem = a.requestedAudience(f, audience); problem != nil {
		return token, nil, problem
	}
	if in.Assertion != "" {
		in.Endpoints = a.endpoints(r)
	}
	token, err := a.cfg.Identity.IssueToken(r.Context(), wire.NewCall(r, "azure", tacet.Caller{}), in)
	if err != nil {
		return token, nil, a.translate(in.ClientID, err)
	}
	return token, f, nil
}

// tokenInput reads who asks, and the one proof of it.
func (a *Authority) tokenInput(r *http.Request, f form) (identity.TokenInput, *aadError) {
	in := identity.TokenInput{ClientID: f["client_id"], Assertion: f["client_assertion"]}
	secret, proofs := f["client_secret"], 0
	if id, s, ok := basicCredentials(r); ok {
		if in.ClientID != "" && !strings.EqualFold(in.ClientID, id) {
			return in, aadErrorf(90013, "Invalid input received from the user: two client identifiers.")
		}
		in.ClientID, secret = id, secret+s
		proofs++
	}
	if in.ClientID == "" && in.Assertion != "" { // RFC 7521 section 4.2: the assertion says it
		in.ClientID = identity.AssertedClient(in.Assertion)
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
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
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
		scopes = slices.Compact(scopes)
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
	resource = strings.ToLower(strings.TrimSuffix(resource, "/"))
	switch resource {
	case "":
		return "", false
	case PublicResource, vaultAppID:
		return PublicResource, true
	case strings.ToLower(a.cfg.Hosts.Resource):
		return a.cfg.Hosts.Resource, true
	}
	u, err := url.Parse(resource)
	if err != nil || u.Scheme != "https" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.String() != resource {
		return "", false
	}
	if _, err := strconv.ParseUint(u.Port(), 10, 16); err != nil && u.Host != u.Hostname() {
		return "", false
	}
	return resource, slices.Contains(a.cfg.Hosts.Domains, u.Hostname())
}

// endpoints are the audiences that an application's own assertion may be for: the token
// endpoints and the authority itself, by any name of the tenant.
func (a *Authority) endpoints(r *http.Request) []string {
	base := a.base(r)
	list := []string{base, base + "/"}
	for _, tenant := range append([]string{tenantADFS, a.tenant}, a.cfg.Hosts.Domains...) {
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
// to whoever logs or filters it (RFC 6749 section 3.2). As at Entra, a body of another
// content type has no parameters.
func readForm(w http.ResponseWriter, r *http.Request) (form, *aadError) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return form{}, nil
	}
	body, _ := forms.Get().(*wire.Body)
	defer func() {
		body.Reset()
		forms.Put(body)
	}()
	if err := body.Read(w, r, maxForm); err != nil {
		return nil, aadErrorf(90013, "Invalid input received from the user: the body is too large or incomplete.")
	}
	return parseForm(string(body.Bytes))
}

// forms are bodies that are used again.
var forms = sync.Pool{New: func() any { return new(wire.Body) }}

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
