package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/jwa"
)

// The life of access tokens, in Entra's way: an hour less a second.
const (
	tokenLife = 3599 * time.Second
	// tokenSkew is how far the clocks of two nodes may be apart.
	tokenSkew = time.Minute
	// maxBearers is how many verified tokens are remembered, twice over.
	maxBearers = 8192
)

// How the application proved who it is: the claim appidacr.
const (
	provedBySecret    = "1"
	provedByAssertion = "2"
)

// TokenInput is the input of [Service.IssueToken].
type TokenInput struct {
	// ClientID says who asks; it is a GUID. Of Secret and Assertion one proves it.
	ClientID string
	Secret   tacet.Plaintext
	// Assertion is a JWT: the application's own, signed with the key of one of its
	// certificates (RFC 7523), or, for a role, one of an issuer that the role trusts.
	Assertion string
	// Endpoints are the audiences that an application's own assertion may be for.
	Endpoints []string
	// Audience is whom the token is to be for, a resource that the face knows.
	Audience string
}

// IssuedToken is an access token, to be shown once.
type IssuedToken struct {
	Token    string
	Audience string
	ClientID string
	Issued   time.Time
	Expires  time.Time
}

// IssueToken gives an access token to an application that proves who it is: OAuth 2.0's
// client credentials grant (RFC 6749 section 4.4). call has no caller yet.
//
// Errors: PrincipalNotFound for an unknown client id; CredentialInvalid and
// CredentialExpired for a secret; IdentityTokenInvalid, IdentityTokenExpired,
// IdentityTokenRejected, IssuerUnreachable and Denied for an assertion. All but the first
// are recorded.
func (s *Service) IssueToken(ctx context.Context, call tacet.Call, in TokenInput) (IssuedToken, error) {
	app, ok := s.g.Application(strings.ToLower(in.ClientID))
	if !ok {
		// The same work as for a known one, so that the time tells no more than the answer.
		_ = app.Secret(in.Secret)
		return IssuedToken{}, tacet.Errorf(tacet.PrincipalNotFound, "The application %s cannot be found.", in.ClientID)
	}
	if in.Assertion != "" && app.Caller.Kind == tacet.CallerRole {
		return s.issueFederated(ctx, call, &app, in)
	}
	proof, err := s.prove(&app, in)
	if err != nil {
		return IssuedToken{}, s.refuseToken(ctx, call, &app, in.Audience, err)
	}
	return s.issue(ctx, call, tacet.Session{Principal: principalOf(&app.Caller), Credential: proof.credential}, in.Audience, proof)
}

// proof is how an application proved who it is.
type proof struct {
	credential string // id of the client credential
	method     string // appidacr
	identity   string // xms_mirid, of a managed identity
}

func (s *Service) prove(app *guard.Application, in TokenInput) (proof, error) {
	if in.Assertion != "" {
		return s.proveByCertificate(app, in)
	}
	c := app.Secret(in.Secret)
	switch {
	case c == nil:
		return proof{}, &tacet.Error{Code: tacet.CredentialInvalid}
	case !s.g.Now().Before(c.Expires):
		return proof{}, &tacet.Error{Code: tacet.CredentialExpired}
	}
	return proof{credential: c.ID, method: provedBySecret}, nil
}

// refuseToken records that a known application was refused a token, and returns why.
func (s *Service) refuseToken(ctx context.Context, call tacet.Call, app *guard.Application, audience string, why error) error {
	call.Account = app.Caller.Account
	r := guard.Request{Call: call, Operation: tacet.OpIssueToken, Parameters: tokenParameters(&app.Caller, audience)}
	if err := guard.Refuse(ctx, s.g, r, tacet.CodeOf(why)); err != nil {
		return err
	}
	return why
}

// tokenParameters are what the record of a token request says.
func tokenParameters(c *tacet.Caller, audience string) map[string]any {
	id := principalOf(c)
	return map[string]any{"clientId": tacet.ClientID(id), "objectId": tacet.ObjectID(id), "principalId": id, "resource": audience}
}

// principalOf returns the unique id of a caller's principal.
func principalOf(c *tacet.Caller) string {
	id, _, _ := strings.Cut(c.ID, ":")
	return id
}

// issue signs the token of a session, for a caller who proved that he is its principal.
func (s *Service) issue(ctx context.Context, call tacet.Call, sess tacet.Session, audience string, how proof) (IssuedToken, error) {
	sess.AccessKey, sess.Issued = newTokenID(), s.g.Now()
	sess.Expires = sess.Issued.Truncate(time.Second).Add(tokenLife)
	caller, err := s.g.SessionCaller(&sess)
	if err != nil {
		return IssuedToken{}, err
	}
	call.Caller, call.Account = caller, caller.Account
	r := guard.Request{Call: call, Operation: tacet.OpIssueToken, Parameters: tokenParameters(&caller, audience)}
	if sess.Credential != "" {
		r.Parameters["credentialId"] = sess.Credential
	}
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (IssuedToken, error) {
		return s.sign(v, &sess, audience, how)
	})
}

// sign makes the access token of a session. It is the last step of an operation: the
// token leaves when the record is committed.
func (s *Service) sign(v *guard.Snapshot, sess *tacet.Session, audience string, how proof) (IssuedToken, error) {
	key, err := s.signingKey(v.Now())
	if err != nil {
		return IssuedToken{}, err
	}
	tenant := s.TenantID()
	client, object := tacet.ClientID(sess.Principal), tacet.ObjectID(sess.Principal)
	token, err := key.Sign(accessClaims{
		Audience: audience, Issuer: issuerOf(tenant), IssuedAt: sess.Issued.Unix(), NotBefore: sess.Issued.Unix(), Expires: sess.Expires.Unix(),
		AppID: client, AppIDACR: how.method, Identity: how.identity, IDP: issuerOf(tenant), IDType: "app", ObjectID: object, Subject: object, TenantID: tenant,
		TokenID: sess.AccessKey, Version: "1.0", Session: sess,
	}, jwa.Header{Type: "JWT", X5T: key.ID()})
	return IssuedToken{Token: token, Audience: audience, ClientID: client, Issued: sess.Issued, Expires: sess.Expires}, err
}

// accessClaims are the claims of an access token: those of Entra's version 1.0 for an
// application, and the session.
type accessClaims struct {
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	AppID     string `json:"appid"`
	AppIDACR  string `json:"appidacr"`
	IDP       string `json:"idp"`
	IDType    string `json:"idtyp"`
	ObjectID  string `json:"oid"`
	Subject   string `json:"sub"`
	TenantID  string `json:"tid"`
	TokenID   string `json:"uti"`
	Version   string `json:"ver"`
	Identity  string `json:"xms_mirid,omitempty"`
	// Session is what the token stands for. The claims above follow from it.
	Session *tacet.Session `json:"tacet_session"`
}

// issuerOf is the iss of access tokens: Entra's for the tenant, which Key Vault's error
// messages and its users' policies name.
func issuerOf(tenant string) string { return "https://sts.windows.net/" + tenant + "/" }

// identityID is the id of a managed identity in Azure's resource manager: the deployment is
// one subscription with one resource group.
func identityID(tenant, name string) string {
	return "/subscriptions/" + tenant + "/resourcegroups/tacet/providers/Microsoft.ManagedIdentity/userAssignedIdentities/" + name
}

// newTokenID makes the id of an access token, uti: 128 random bits.
func newTokenID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// TenantID returns the GUID of the tenant that the deployment is.
func (s *Service) TenantID() string { return tacet.TenantID(s.g.Deployment()) }

// bearer is an access token that was verified.
type bearer struct {
	key      string // kid
	audience string
	session  *tacet.Session
}

// VerifyBearer returns who an access token speaks for. audiences are those that the token
// may be for, the first being the one that refusals name. A token is verified once on each
// node; every time it is asked whether its principal and the credential it was given for
// are still there.
//
// Errors: CredentialExpired; CredentialInvalid, with a Detail in Key Vault's words where
// there is more to say than that the token is none.
func (s *Service) VerifyBearer(token string, audiences []string) (tacet.Caller, error) {
	if len(token) > jwa.MaxToken {
		return tacet.Caller{}, &tacet.Error{Code: tacet.CredentialInvalid}
	}
	sum := sha256.Sum256([]byte(token))
	b, ok := s.bearers.Get(sum)
	if !ok || !s.g.HasTokenKey(b.key) {
		var err error
		if b, err = s.verifyToken(token); err != nil {
			return tacet.Caller{}, err
		}
		s.bearers.Put(sum, b)
	}
	if !slices.Contains(audiences, b.audience) {
		expected := ""
		if len(audiences) > 0 {
			expected = audiences[0]
		}
		return tacet.Caller{}, tacet.Errorf(tacet.CredentialInvalid, "AKV10022: Invalid audience. Expected %s, found: %s.", expected, b.audience)
	}
	now := s.g.Now()
	if !now.Before(b.session.Expires) {
		return tacet.Caller{}, &tacet.Error{Code: tacet.CredentialExpired}
	}
	if now.Add(tokenSkew).Before(b.session.Issued) {
		return tacet.Caller{}, &tacet.Error{Code: tacet.CredentialInvalid}
	}
	return s.g.SessionCaller(b.session)
}

// verifyToken checks everything about a token that does not change.
func (s *Service) verifyToken(compact string) (*bearer, error) {
	token, err := jwa.Parse(compact)
	if err != nil {
		return nil, &tacet.Error{Code: tacet.CredentialInvalid, Cause: err}
	}
	claims, err := s.verifySignature(token)
	if jwa.KindOf(err) == jwa.KeyUnknown {
		s.g.Refresh() // another node may have made the key
		claims, err = s.verifySignature(token)
	}
	tenant := s.TenantID()
	if iss := token.Unverified().Issuer; jwa.KindOf(err) == jwa.KeyUnknown && iss != "" && iss != issuerOf(tenant) {
		return nil, tacet.Errorf(tacet.CredentialInvalid, "AKV10032: Invalid issuer. Expected one of %s, found %s.", issuerOf(tenant), shortText(iss))
	}
	if err != nil {
		return nil, &tacet.Error{Code: tacet.CredentialInvalid, Cause: err}
	}
	var sess tacet.Session
	body, err := json.Marshal(claims.All["tacet_session"])
	if err == nil {
		err = json.Unmarshal(body, &sess)
	}
	if err != nil || token.Type() != "jwt" || claims.Issuer != issuerOf(tenant) || claims.All["ver"] != "1.0" || len(claims.Audience) != 1 ||
		sess.Principal == "" || claims.Subject != tacet.ObjectID(sess.Principal) || claims.All["uti"] != sess.AccessKey {
		return nil, &tacet.Error{Code: tacet.CredentialInvalid, Cause: err}
	}
	return &bearer{token.Header().KeyID, claims.Audience[0], &sess}, nil
}

// shortText is what an answer repeats of a claim.
func shortText(s string) string { return strings.ToValidUTF8(s[:min(len(s), 128)], "") }

func (s *Service) verifySignature(token *jwa.Token) (jwa.Claims, error) {
	keys, err := s.TokenKeySet()
	if err != nil {
		return jwa.Claims{}, err
	}
	return token.Verify(keys)
}
