package identity

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/jwa"
)

// Limits of client credentials.
const (
	defaultCredentialLife = 180 * 24 * time.Hour
	maxCredentialLife     = 730 * 24 * time.Hour // Entra's
	maxCredentials        = 20                   // of a principal
	maxCertificate        = 16 << 10
	// hintLength is how much of a secret is kept to tell it by, as at Entra.
	hintLength = 3
)

// ClientCredentialInput is the input of [Service.CreateClientCredential].
type ClientCredentialInput struct {
	Kind tacet.ClientCredentialKind
	// Of names a user, or for an identity header also a role, of the caller's account.
	Of          Ref
	Description string
	// Life is how long a secret is good; 0 means 180 days, the longest is 730 days.
	Life time.Duration
	// Certificate is a client certificate in PEM or DER: an RSA key, with which the
	// application signs. It is good until its own end.
	Certificate []byte
	thumbprint  string
}

// CreateClientCredential makes a credential with which a principal gets access tokens, and
// the secret of it, which is never shown again; a certificate has none. Who is denied
// iam:CreateAccessKey is denied this too.
//
// Errors: PrincipalNotFound, InvalidParameter, LimitExceeded.
func (s *Service) CreateClientCredential(ctx context.Context, call tacet.Call, in ClientCredentialInput) (tacet.ClientCredential, tacet.Plaintext, error) {
	r := in.Of.request(call, tacet.OpCreateClientCredential)
	r.Parameters["credentialType"] = string(in.Kind)
	if in.Description != "" {
		r.Parameters["description"] = in.Description
	}
	var secret tacet.Plaintext
	c, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (tacet.ClientCredential, error) {
		principal, err := findHolder(tx, call, in.Of)
		if err != nil {
			return tacet.ClientCredential{}, err
		}
		if err := in.check(tx.Now()); err != nil {
			return tacet.ClientCredential{}, err
		}
		if len(tx.ClientCredentials(principal)) >= maxCredentials {
			return tacet.ClientCredential{}, tacet.Errorf(tacet.LimitExceeded, "Cannot exceed quota for client credentials: %d", maxCredentials)
		}
		c, plain, err := newClientCredential(tx, call.Account, principal, in)
		secret = plain
		tx.Respond("credentialId", c.ID)
		return c, err
	})
	if err != nil {
		return tacet.ClientCredential{}, tacet.Plaintext{}, err
	}
	return c, secret, nil
}

// check checks and completes the input. A certificate becomes DER.
func (in *ClientCredentialInput) check(now time.Time) error {
	switch {
	case in.Kind != tacet.ClientSecret && in.Kind != tacet.ClientCertificate && in.Kind != tacet.IdentityHeader:
		return tacet.Errorf(tacet.InvalidParameter, "The kind of a client credential is client-secret, client-certificate or identity-header.")
	case in.Of.Kind == tacet.KindRole && in.Kind != tacet.IdentityHeader:
		return tacet.Errorf(tacet.InvalidParameter, "A role has no client secrets and certificates: its trust policy says whose tokens are taken for it.")
	case in.Life < 0 || in.Life > maxCredentialLife:
		return tacet.Errorf(tacet.InvalidParameter, "A client secret is good for at most 730 days.")
	}
	if err := validDescription(in.Description); err != nil {
		return err
	}
	in.Life = cmp.Or(in.Life, defaultCredentialLife)
	if in.Kind != tacet.ClientCertificate {
		return nil
	}
	cert, err := parseCertificate(in.Certificate)
	if err != nil {
		return err
	}
	in.Certificate, in.Life, in.thumbprint = cert.Raw, cert.NotAfter.Sub(now), thumbprint(cert)
	if in.Life <= 0 {
		return tacet.Errorf(tacet.InvalidParameter, "The certificate has expired.")
	}
	return nil
}

func parseCertificate(raw []byte) (*x509.Certificate, error) {
	if len(raw) > maxCertificate {
		return nil, tacet.Errorf(tacet.InvalidParameter, "The certificate is larger than %d bytes.", maxCertificate)
	}
	if block, rest := pem.Decode(raw); block != nil {
		if more, _ := pem.Decode(rest); block.Type != "CERTIFICATE" || more != nil {
			// A private key must not be kept, nor guessed over: the wrong file was given.
			return nil, tacet.Errorf(tacet.InvalidParameter, "The file must have one certificate and nothing else.")
		}
		raw = block.Bytes
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, tacet.Errorf(tacet.InvalidParameter, "The certificate cannot be read.")
	}
	if key, ok := cert.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() < 2048 {
		return nil, tacet.Errorf(tacet.InvalidParameter, "A client certificate has an RSA key of at least 2048 bits.")
	}
	return cert, nil
}

// thumbprint returns a certificate's SHA-1 in hex, upper case.
func thumbprint(cert *x509.Certificate) string {
	sum, err := base64.RawURLEncoding.DecodeString(jwa.X5T(cert))
	if err != nil {
		return ""
	}
	return strings.ToUpper(hex.EncodeToString(sum))
}

// newClientCredential makes and stores a credential of a principal.
func newClientCredential(tx *guard.Tx, account, principal string, in ClientCredentialInput) (tacet.ClientCredential, tacet.Plaintext, error) {
	c := tacet.ClientCredential{ID: newGUID(), Kind: in.Kind, Account: account, Principal: principal, Description: in.Description,
		Created: tx.Now(), Expires: tx.Now().Add(in.Life).Truncate(time.Second), Certificate: in.Certificate, Thumbprint: in.thumbprint}
	if in.Kind == tacet.ClientCertificate {
		return c, tacet.Plaintext{}, tx.PutClientCredential(c, tacet.Plaintext{})
	}
	var raw [32]byte
	_, _ = rand.Read(raw[:])
	text := base64.RawURLEncoding.EncodeToString(raw[:])
	c.Hint = text[:hintLength]
	if in.Kind == tacet.IdentityHeader {
		text = c.ID + "." + text // it is sent alone, and says itself where to look
	}
	secret := tacet.NewPlaintext([]byte(text))
	return c, secret, tx.PutClientCredential(c, secret)
}

// newGUID makes a random UUID (RFC 9562 section 5.4).
func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return tacet.FormatGUID(b, 4)
}

// ListClientCredentials returns the client credentials of a user or a role, oldest first.
//
// Errors: PrincipalNotFound.
func (s *Service) ListClientCredentials(ctx context.Context, call tacet.Call, of Ref) ([]tacet.ClientCredential, error) {
	r := of.request(call, tacet.OpListClientCredentials)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) ([]tacet.ClientCredential, error) {
		principal, err := findHolder(v, call, of)
		if err != nil {
			return nil, err
		}
		list := v.ClientCredentials(principal)
		slices.SortFunc(list, func(a, b tacet.ClientCredential) int {
			return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
		})
		return list, nil
	})
}

// DeleteClientCredential removes a client credential of a user or a role. The access
// tokens that it got end with it.
//
// Errors: PrincipalNotFound.
func (s *Service) DeleteClientCredential(ctx context.Context, call tacet.Call, of Ref, id string) error {
	r := of.request(call, tacet.OpDeleteClientCredential)
	r.Parameters["credentialId"] = id
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		principal, err := findHolder(tx, call, of)
		if err != nil {
			return none, err
		}
		// Only among its own: an id of somebody else's is not found.
		if !slices.ContainsFunc(tx.ClientCredentials(principal), func(c tacet.ClientCredential) bool { return strings.EqualFold(c.ID, id) }) {
			return none, tacet.Errorf(tacet.PrincipalNotFound, "The client credential with id %s cannot be found.", id)
		}
		return none, tx.DeleteClientCredential(strings.ToLower(id))
	})
	return err
}

// findHolder returns the unique id of a user or a role of the caller's account.
func findHolder(s scope, call tacet.Call, of Ref) (string, error) {
	if of.Kind != tacet.KindUser && of.Kind != tacet.KindRole {
		return "", tacet.Errorf(tacet.InvalidParameter, "Only users and roles have client credentials.")
	}
	p, err := of.find(s, call)
	if err != nil {
		return "", err
	}
	return p.ID, nil
}
