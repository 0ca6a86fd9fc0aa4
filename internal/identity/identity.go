// Package identity says who calls, and manages the principals who may.
//
// The principals are users with access keys, groups of them, roles with sessions, and an
// account's root. Every method that reads or changes them goes through the door in package
// guard; only [Service.Credential], which authentication needs before there is anybody to
// decide about, does not.
package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/oidc"
	"tacet/internal/recent"
)

// Service is the operations on principals. It holds only the door, what verifies the tokens
// of other issuers, and in memory what the verification of tokens has found out.
type Service struct {
	g       *guard.Guard
	oidc    *oidc.Verifier
	keys    tokenKeys
	bearers recent.Map[[sha256.Size]byte, *bearer]
	taken   takenAssertions
}

// Config is what a service may have besides the door.
type Config struct {
	// OIDC verifies the tokens of registered issuers; without it none is accepted.
	OIDC *oidc.Verifier
}

// New returns the operations behind the door g.
func New(g *guard.Guard, cfg Config) *Service {
	s := &Service{g: g, oidc: cfg.OIDC}
	s.bearers.Max = maxBearers
	return s
}

// Credential is what verifying a signature needs of an access key.
type Credential = guard.Credential

// Credential returns whose an active access key is, or the session that a token carries
// under that id; see [guard.Guard.Credential].
//
// Errors: CredentialInvalid, CredentialExpired.
func (s *Service) Credential(id, token string) (Credential, error) {
	return s.g.Credential(id, token)
}

// GetCallerIdentity returns who calls. Anyone who is authenticated may ask.
func (s *Service) GetCallerIdentity(ctx context.Context, call tacet.Call) (tacet.Caller, error) {
	r := guard.Request{Call: call, Operation: tacet.OpGetCallerIdentity}
	return guard.View(ctx, s.g, r, func(*guard.Snapshot) (tacet.Caller, error) { return call.Caller, nil })
}

// BootstrapInput is the input of [Service.Bootstrap].
type BootstrapInput struct {
	Account   string // 12 digits
	Region    string
	VaultName string
	UserName  string
	// ClientCredentials makes a client secret and an identity header of the administrator
	// too, for a development server.
	ClientCredentials bool
}

// BootstrapOutput is the output of [Service.Bootstrap].
type BootstrapOutput struct {
	// Fresh is false when the deployment had a vault already: nothing was done.
	Fresh     bool
	AccessKey tacet.AccessKey
	Secret    tacet.Plaintext
	// ClientSecret and IdentityHeader are zero unless they were asked for.
	ClientSecret, IdentityHeader tacet.Plaintext
	ClientID                     string
}

// developmentLife is how long the client credentials of a development server's
// administrator are good: its clock may be moved a hundred years.
const developmentLife = 200 * 365 * 24 * time.Hour

// administratorAccess is the policy that allows everything.
const administratorAccess = "arn:aws:iam::aws:policy/AdministratorAccess"

// Bootstrap makes the first vault and the administrator of a deployment that has
// none. It is called by the process that owns the key, not by a request.
func (s *Service) Bootstrap(ctx context.Context, in BootstrapInput) (BootstrapOutput, error) {
	r := guard.Request{Call: tacet.Call{Account: in.Account, Region: in.Region}, Operation: tacet.OpBootstrap,
		Parameters: map[string]any{"vault": in.VaultName, "userName": in.UserName}}
	return guard.System(ctx, s.g, r, func(tx *guard.Tx) (BootstrapOutput, error) {
		if len(tx.Vaults()) > 0 {
			return BootstrapOutput{}, nil
		}
		if _, err := tx.CreateVault(in.VaultName, in.Account, in.Region); err != nil {
			return BootstrapOutput{}, err
		}
		u, k, secret, err := createAdministrator(tx, in.Account, in.UserName)
		out := BootstrapOutput{Fresh: true, AccessKey: k, Secret: secret, ClientID: tacet.ClientID(u.ID)}
		if err != nil || !in.ClientCredentials {
			return out, err
		}
		forever := ClientCredentialInput{Kind: tacet.ClientSecret, Life: developmentLife}
		if _, out.ClientSecret, err = newClientCredential(tx, u.Account, u.ID, forever); err != nil {
			return out, err
		}
		forever.Kind = tacet.IdentityHeader
		_, out.IdentityHeader, err = newClientCredential(tx, u.Account, u.ID, forever)
		return out, err
	})
}

// createAdministrator makes a user of an account who may do everything, and an access key.
func createAdministrator(tx *guard.Tx, account, name string) (tacet.User, tacet.AccessKey, tacet.Plaintext, error) {
	u := tacet.User{Grantee: tacet.Grantee{ID: tx.NewUniqueID("AIDA"), Account: account, Path: "/", Name: name, Created: tx.Now(),
		Attached: []string{administratorAccess}}}
	if err := tx.PutUser(u); err != nil {
		return u, tacet.AccessKey{}, tacet.Plaintext{}, err
	}
	k, secret, err := createKey(tx, &u)
	return u, k, secret, err
}

// createKey makes an access key of a user: 20 characters of id, 40 of secret with 240
// random bits.
func createKey(tx *guard.Tx, u *tacet.User) (tacet.AccessKey, tacet.Plaintext, error) {
	var raw [30]byte
	_, _ = rand.Read(raw[:])
	secret := tacet.NewPlaintext([]byte(base64.StdEncoding.EncodeToString(raw[:])))
	k := tacet.AccessKey{ID: tx.NewUniqueID("AKIA"), Account: u.Account, User: u.Name, Created: tx.Now()}
	return k, secret, tx.PutAccessKey(k, secret)
}
