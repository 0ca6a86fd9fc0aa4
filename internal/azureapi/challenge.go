package azureapi

import (
	"cmp"
	"strings"

	"tacet"
)

// authenticate finds out who calls by the token of the request. Who sends none, or one
// that does not do, gets the challenge.
func (h *Handler) authenticate(x *exchange) (tacet.Caller, error) {
	token, ok := bearer(x.r.Header["Authorization"])
	if !ok {
		return tacet.Caller{}, &tacet.Error{Code: tacet.CredentialMissing}
	}
	return h.cfg.Identity.VerifyBearer(token, x.site.audiences())
}

// bearer takes the token out of the header Authorization (RFC 6750 section 2.1).
func bearer(header []string) (string, bool) {
	if len(header) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(header[0], " ")
	if token = strings.Trim(token, " "); !ok || token == "" || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return token, true
}

// audiences are those that a token for the vault may have: what its challenge says, with
// and without the port, and what it is in Azure's public cloud. The first is what refusals
// name.
func (s *site) audiences() []string {
	return []string{s.resource, s.bare, PublicResource}
}

// challenge is the header WWW-Authenticate of a refused request. Its form is the one that
// the parsers of all SDKs read: pairs with a comma and a space between them, and in the
// values no comma, space or equals sign. The path of the authority is the tenant and
// nothing else, without a slash at the end.
func (h *Handler) challenge(x *exchange) string {
	return `Bearer authorization="` + h.cfg.Hosts.authority(x.r) + "/" + h.tenantOf(x) +
		`", resource="` + x.site.resource + `"`
}

// tenantOf returns the tenant that the vault's challenge names.
func (h *Handler) tenantOf(x *exchange) string {
	return cmp.Or(x.site.vault.Tenant, h.cfg.Hosts.Tenant, x.tenant)
}
