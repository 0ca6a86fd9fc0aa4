package azureapi

import (
	"cmp"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/wire"
)

// appService is App Service's endpoint of managed identities, where IDENTITY_ENDPOINT
// points: the header that comes with it, IDENTITY_HEADER, says whose token is meant. Older
// clients and those of Azure Machine Learning, who read MSI_ENDPOINT and MSI_SECRET, send it
// as "secret", and so do Service Fabric's.
func (a *Authority) appService(w http.ResponseWriter, r *http.Request, _ string) string {
	in, code := a.identityRequest(w, r)
	if code != "" {
		return code
	}
	header := cmp.Or(r.Header.Get("X-Identity-Header"), r.Header.Get("Secret"))
	if header == "" {
		return refuseIdentity(w, http.StatusUnauthorized, "unauthorized_client", "The header X-IDENTITY-HEADER is required.")
	}
	in.Header = tacet.NewPlaintext([]byte(header))
	return a.issueIdentity(w, r, in)
}

// metadata is the form of the Azure Instance Metadata Service. It asks for no secret: who
// can connect from this machine is meant. So it is closed unless the operator has named
// one identity that everybody here may be.
func (a *Authority) metadata(w http.ResponseWriter, r *http.Request, _ string) string {
	if !strings.EqualFold(r.Header.Get("Metadata"), "true") { // clients look in this way whether anybody is here
		return refuseIdentity(w, http.StatusBadRequest, "invalid_request", "Required metadata header not specified")
	}
	in, code := a.identityRequest(w, r)
	if code != "" {
		return code
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if a.cfg.Metadata == nil || err != nil || !peer.Addr().Unmap().IsLoopback() {
		return refuseIdentity(w, http.StatusBadRequest, "invalid_request", "Identity not found")
	}
	in.Metadata = a.cfg.Metadata
	return a.issueIdentity(w, r, in)
}

// identityError is how both endpoints refuse.
type identityError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// refuseIdentity answers so, and returns the code.
func refuseIdentity(w http.ResponseWriter, status int, code, text string) string {
	writeJSON(w, status, identityError{code, text})
	return code
}

// versionForm is the form of their api-version: a date; Service Fabric's is of a preview.
var versionForm = regexp.MustCompile(`^20\d\d-\d\d-\d\d(-preview)?$`)

// identityRequest reads what the two endpoints have in common, or refuses with a code.
func (a *Authority) identityRequest(w http.ResponseWriter, r *http.Request) (identity.IdentityInput, string) {
	var in identity.IdentityInput
	refuse := func(status int, code, text string) (identity.IdentityInput, string) {
		return in, refuseIdentity(w, status, code, text)
	}
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		return refuse(http.StatusMethodNotAllowed, "invalid_request", "The method is GET.")
	}
	// Whoever comes through a proxy is not on this machine: a confused one could lend its
	// place to anybody.
	if len(r.Header["X-Forwarded-For"])+len(r.Header["Forwarded"]) > 0 {
		return refuse(http.StatusBadRequest, "invalid_request", "The request must not be forwarded by a proxy.")
	}
	q, problem := parseForm(r.URL.RawQuery)
	if problem != nil {
		return refuse(http.StatusBadRequest, "invalid_request", problem.text)
	}
	if !versionForm.MatchString(q["api-version"]) {
		return refuse(http.StatusBadRequest, "invalid_request", "Required query variable 'api-version' is missing or not a version.")
	}
	if q["resource"] == "" {
		return refuse(http.StatusBadRequest, "invalid_request", "Required query variable 'resource' is missing.")
	}
	var ok bool
	if in.Audience, ok = a.audience(q["resource"]); !ok {
		return refuse(http.StatusBadRequest, "invalid_resource", "AADSTS500011: The resource principal named "+short(q["resource"])+" was not found in the tenant named "+a.tenant+".")
	}
	in.ClientID = cmp.Or(q["client_id"], q["clientid"]) // the latter before 2019-08-01
	for _, name := range []string{"object_id", "principal_id"} {
		in.ObjectID += q[name]
	}
	for _, name := range []string{"mi_res_id", "msi_res_id"} {
		in.ResourceID += q[name]
	}
	return in, ""
}

// issueIdentity answers with the token of a managed identity.
func (a *Authority) issueIdentity(w http.ResponseWriter, r *http.Request, in identity.IdentityInput) string {
	token, err := a.cfg.Identity.IssueIdentityToken(r.Context(), wire.NewCall(r, "azure", tacet.Caller{}), in)
	switch tacet.CodeOf(err) {
	case "":
		out := showV1(token)
		out.ClientID = token.ClientID
		writeJSON(w, http.StatusOK, out)
		return ""
	case tacet.PrincipalNotFound:
		return refuseIdentity(w, http.StatusBadRequest, "invalid_request", "Identity not found")
	case tacet.CredentialInvalid:
		a.cfg.Limits.Fail(r.RemoteAddr)
		return refuseIdentity(w, http.StatusUnauthorized, "unauthorized_client", "The header X-IDENTITY-HEADER is not of an identity.")
	}
	e := a.translate("", err)
	status, code := e.oauth()
	wire.LogFailure(a.cfg.Logger, w.Header().Get("X-Ms-Request-Id"), tacet.OpIssueToken, status, err)
	return refuseIdentity(w, status, code, e.text)
}
