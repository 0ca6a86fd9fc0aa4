package client

import (
	"context"
	"time"
)

// A ClientCredential is what gets access tokens for a user or a role, without its secret.
type ClientCredential struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"` // "client-secret", "client-certificate" or "identity-header"
	TenantID string `json:"tenantId"`
	ClientID string `json:"clientId"`
	ObjectID string `json:"objectId"`
	// Hint is how a secret begins, Thumbprint a certificate's SHA-1.
	Hint        string    `json:"hint,omitempty"`
	Thumbprint  string    `json:"thumbprint,omitempty"`
	Description string    `json:"description,omitempty"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"`
}

// NewClientCredential is what a client credential is made with.
type NewClientCredential struct {
	Kind        string
	Description string
	Life        time.Duration // of a secret; 0 means 180 days
	Certificate string        // in PEM
}

// CreateClientCredential makes a client credential. Its secret, "" for a certificate, is
// never given again.
func (c *Client) CreateClientCredential(ctx context.Context, of Holder, n NewClientCredential) (cred ClientCredential, secret string, err error) {
	in := of.in(request{Kind: n.Kind, Certificate: n.Certificate})
	if n.Description != "" {
		in.Description = &n.Description
	}
	if n.Life != 0 {
		seconds := int(n.Life / time.Second)
		in.Seconds = &seconds
	}
	out, err := get[struct {
		ClientCredential
		Secret string
	}](ctx, c, "client-credentials/create", in)
	return out.ClientCredential, out.Secret, err
}

// ListClientCredentials returns the client credentials of a user or a role, oldest first.
func (c *Client) ListClientCredentials(ctx context.Context, of Holder) ([]ClientCredential, error) {
	out, err := get[struct{ Credentials []ClientCredential }](ctx, c, "client-credentials/list", of.in(request{}))
	return out.Credentials, err
}

// DeleteClientCredential removes a client credential and ends the tokens that it got.
func (c *Client) DeleteClientCredential(ctx context.Context, of Holder, id string) error {
	return c.do(ctx, "client-credentials/delete", of.in(request{ID: id}))
}
