package adminapi

import (
	"context"
	"time"

	"tacet"
	"tacet/internal/identity"
)

// The credentials with which Azure's clients get access tokens.

type credentialOut struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`
	TenantID string `json:"tenantId"`
	ClientID string `json:"clientId"`
	ObjectID string `json:"objectId"`
	// Hint is how a secret begins; Thumbprint is a certificate's SHA-1, as Azure shows it.
	Hint        string    `json:"hint,omitempty"`
	Thumbprint  string    `json:"thumbprint,omitempty"`
	Description string    `json:"description,omitempty"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"`
}

func (h *handler) showCredential(c tacet.ClientCredential) credentialOut {
	return credentialOut{ID: c.ID, Kind: string(c.Kind), TenantID: h.Identity.TenantID(), ClientID: tacet.ClientID(c.Principal), ObjectID: tacet.ObjectID(c.Principal),
		Hint: c.Hint, Thumbprint: c.Thumbprint, Description: c.Description, Created: c.Created.UTC(), Expires: c.Expires.UTC()}
}

type createCredentialIn struct {
	holder
	Kind        string `json:"kind"`
	Description string `json:"description"`
	Seconds     int64  `json:"seconds"`     // how long a secret is good
	Certificate string `json:"certificate"` // in PEM
}

// maxSeconds keeps a number of seconds from overflowing a duration; the core knows the limit.
const maxSeconds = 100 * 366 * 24 * 60 * 60

// createCredential answers with a secret, unless it is a certificate's; see write.go.
func createCredential(ctx context.Context, h *handler, call tacet.Call, body []byte) (answer, error) {
	var in createCredentialIn
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	c, secret, err := h.Identity.CreateClientCredential(ctx, call, identity.ClientCredentialInput{Kind: tacet.ClientCredentialKind(in.Kind), Of: in.ref(),
		Description: in.Description, Life: time.Duration(min(max(in.Seconds, -1), maxSeconds)) * time.Second, Certificate: []byte(in.Certificate)})
	if err != nil {
		return nil, err
	}
	if secret.IsZero() {
		return inJSON(h.showCredential(c))
	}
	return withClientSecret(h.showCredential(c), secret)
}

type credentialsOut struct {
	Credentials []credentialOut `json:"credentials"`
}

func listCredentials(ctx context.Context, h *handler, call tacet.Call, in holder) (credentialsOut, error) {
	list, err := h.Identity.ListClientCredentials(ctx, call, in.ref())
	return credentialsOut{show(list, h.showCredential)}, err
}

type credentialIn struct {
	holder
	ID string `json:"id"`
}

func deleteCredential(ctx context.Context, h *handler, call tacet.Call, in credentialIn) (none, error) {
	return none{}, h.Identity.DeleteClientCredential(ctx, call, in.ref(), in.ID)
}
