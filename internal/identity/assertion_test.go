package identity_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/jwa"
)

// pair is an application's certificate and its key.
type pair struct {
	testing.TB
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

func newPair(t testing.TB, life time.Duration) *pair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{t, key, cert}
}

func (p *pair) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw})
}

// assertion signs claims with PS256, as MSAL does.
func (p *pair) assertion(claims map[string]any) string {
	p.Helper()
	header, err := json.Marshal(map[string]any{"alg": "PS256", "typ": "JWT", "x5t#S256": jwa.X5TS256(p.cert)})
	if err != nil {
		p.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		p.Fatal(err)
	}
	return p.sign("PS256", header, payload)
}

// sign makes a token, signed with PS256, RS256 or, for any other algorithm, not at all.
func (p *pair) sign(algorithm string, header, payload []byte) string {
	p.Helper()
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	sum := sha256.Sum256([]byte(text))
	var sig []byte
	var err error
	switch algorithm {
	case "PS256":
		sig, err = rsa.SignPSS(rand.Reader, p.key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	case "RS256":
		sig, err = rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	}
	if err != nil {
		p.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

const endpoint = "https://login.example/adfs/oauth2/token"

// TestCertificateAssertions: who signs, for whom, for how long, and once.
func TestCertificateAssertions(t *testing.T) {
	h := newHouse(t, "sqlite:"+t.TempDir()+"/tacet.db")
	u, _, _ := h.application("app")
	mine, stranger, short := newPair(t, 24*time.Hour), newPair(t, 24*time.Hour), newPair(t, time.Minute)
	for _, p := range []*pair{mine, short} {
		_, secret, err := h.ids.CreateClientCredential(h.ctx, h.admin, identity.ClientCredentialInput{Kind: tacet.ClientCertificate, Of: user("app"), Certificate: p.pem()})
		h.must(err)
		if !secret.IsZero() {
			t.Error("a certificate has no secret")
		}
	}
	client := tacet.ClientID(u.ID)
	n := 0
	assertion := func(p *pair, changes map[string]any) string {
		n++
		now := h.now()
		claims := map[string]any{"iss": client, "sub": client, "aud": endpoint, "jti": string(rune('a' + n)), "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix()}
		maps.Copy(claims, changes)
		return p.assertion(claims)
	}
	ask := func(text, audience string) error {
		_, err := h.ids.IssueToken(h.ctx, tacet.Call{Face: "azure"}, identity.TokenInput{ClientID: client, Assertion: text, Endpoints: []string{endpoint}, Audience: audience})
		return err
	}
	for _, c := range []struct {
		name    string
		by      *pair
		changes map[string]any
		want    tacet.Code
	}{
		{"good", mine, nil, ""},
		{"for several audiences", mine, map[string]any{"aud": []string{"other", endpoint}}, ""},
		{"of a certificate that is not registered", stranger, nil, tacet.IdentityTokenInvalid},
		{"for another endpoint", mine, map[string]any{"aud": "https://login.microsoftonline.com/t/oauth2/v2.0/token"}, tacet.IdentityTokenRejected},
		{"by another application", mine, map[string]any{"iss": "other"}, tacet.IdentityTokenRejected},
		{"about another application", mine, map[string]any{"sub": "other"}, tacet.IdentityTokenRejected},
		{"without jti", mine, map[string]any{"jti": ""}, tacet.IdentityTokenRejected},
		{"over", mine, map[string]any{"exp": h.now().Add(-6 * time.Minute).Unix()}, tacet.IdentityTokenExpired},
		{"good for a day, as go-autorest makes them", mine, map[string]any{"exp": h.now().Add(24 * time.Hour).Unix()}, ""},
		{"good for two days", mine, map[string]any{"exp": h.now().Add(48 * time.Hour).Unix()}, tacet.IdentityTokenExpired},
		{"not yet valid", mine, map[string]any{"nbf": h.now().Add(6 * time.Minute).Unix()}, tacet.IdentityTokenExpired},
		{"of a certificate that ends soon", short, nil, ""},
	} {
		if err := ask(assertion(c.by, c.changes), audience); tacet.CodeOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	once := assertion(mine, nil)
	h.must(ask(once, audience))
	h.code(tacet.IdentityTokenRejected, ask(once, audience))
	h.must(ask(once, "https://vault.localhost")) // MSAL for JavaScript sends one for several resources
	h.advance(2 * time.Minute)
	h.code(tacet.CredentialExpired, ask(assertion(short, nil), audience))
	if err := ask(strings.Repeat("a", 100), audience); tacet.CodeOf(err) != tacet.IdentityTokenInvalid {
		t.Errorf("no JWT: %v", err)
	}
	// Threat class 24: the file with the key in it is not a certificate to be kept.
	key, err := x509.MarshalPKCS8PrivateKey(mine.key)
	h.must(err)
	both := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), mine.pem()...)
	_, _, err = h.ids.CreateClientCredential(h.ctx, h.admin, identity.ClientCredentialInput{Kind: tacet.ClientCertificate, Of: user("app"), Certificate: both})
	h.code(tacet.InvalidParameter, err)
}

// TestFederatedAssertions: a role's access token for another issuer's is decided by the
// role's trust policy, as AssumeRoleWithWebIdentity is.
func TestFederatedAssertions(t *testing.T) {
	h := newHouse(t, "sqlite:"+t.TempDir()+"/tacet.db")
	key, err := jwa.GenerateKey(jwa.ES256)
	h.must(err)
	jwks, err := jwa.NewKeySet(key.Public()).JSON()
	h.must(err)
	provider, err := h.ids.CreateOIDCProvider(h.ctx, h.admin, identity.CreateOIDCProviderInput{URL: "https://issuer.example", ClientIDs: []string{"api://AzureADTokenExchange"}, JWKS: string(jwks)})
	h.must(err)
	const subject = "system:serviceaccount:shop:till"
	role, err := h.ids.CreateRole(h.ctx, h.admin, identity.CreateRoleInput{Name: "till", Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Principal":{"Federated":"` + provider.ARN() + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"issuer.example:sub":"` + subject + `"}}}]}`})
	h.must(err)
	ask := func(changes map[string]any) (identity.IssuedToken, error) {
		claims := map[string]any{"iss": "https://issuer.example", "sub": subject, "aud": "api://AzureADTokenExchange", "exp": h.now().Add(time.Hour).Unix()}
		maps.Copy(claims, changes)
		token, err := key.Sign(claims, jwa.Header{Type: "JWT"})
		h.must(err)
		return h.ids.IssueToken(h.ctx, tacet.Call{Face: "azure"}, identity.TokenInput{ClientID: tacet.ClientID(role.ID), Assertion: token, Audience: audience})
	}
	tok, err := ask(nil)
	h.must(err)
	caller, err := h.verify(tok.Token)
	h.must(err)
	if caller.Kind != tacet.CallerRole || caller.Role != role.ARN() || caller.Name != "system-serviceaccount-shop-till" || caller.Session.Subject != subject || caller.Session.Provider != provider.ARN() {
		t.Errorf("it speaks for %+v", caller)
	}
	_, err = ask(nil) // Kubernetes' tokens are sent again and again
	h.must(err)
	for name, c := range map[string]struct {
		changes map[string]any
		want    tacet.Code
		claim   string
	}{
		"another subject":    {map[string]any{"sub": "system:serviceaccount:shop:thief"}, tacet.Denied, "subject"},
		"another audience":   {map[string]any{"aud": "sts.amazonaws.com"}, tacet.Denied, "audience"},
		"an unknown issuer":  {map[string]any{"iss": "https://evil.example"}, tacet.Denied, "issuer"},
		"a token that ended": {map[string]any{"exp": h.now().Add(-time.Hour).Unix()}, tacet.IdentityTokenExpired, ""},
	} {
		_, err := ask(c.changes)
		var claim string
		if m, ok := errors.AsType[*identity.Mismatch](err); ok {
			claim = m.Claim
		}
		if tacet.CodeOf(err) != c.want || claim != c.claim {
			t.Errorf("%s: %v, and it names %q", name, err, claim)
		}
	}
	if n := len(h.records(tacet.OpAssumeRoleWithWebIdentity)) + len(h.records(tacet.OpIssueToken)); n != 6 {
		t.Errorf("%d records of 6 requests", n)
	}
	// A role has no secrets, and ends with everything that was given for it.
	_, _, err = h.ids.CreateClientCredential(h.ctx, h.admin, identity.ClientCredentialInput{Kind: tacet.ClientSecret, Of: identity.Ref{Kind: tacet.KindRole, Name: "till"}})
	h.code(tacet.InvalidParameter, err)
	_, header, err := h.ids.CreateClientCredential(h.ctx, h.admin, identity.ClientCredentialInput{Kind: tacet.IdentityHeader, Of: identity.Ref{Kind: tacet.KindRole, Name: "till"}})
	h.must(err)
	managed, err := h.ids.IssueIdentityToken(h.ctx, tacet.Call{Face: "azure"}, identity.IdentityInput{Header: header, Audience: audience, ClientID: tacet.ClientID(role.ID),
		ObjectID: tacet.ObjectID(role.ID), ResourceID: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/till"})
	h.must(err)
	if _, claims := decode(t, managed.Token); claims["xms_mirid"] != "/subscriptions/"+h.ids.TenantID()+"/resourcegroups/tacet/providers/Microsoft.ManagedIdentity/userAssignedIdentities/till" {
		t.Errorf("xms_mirid is %v", claims["xms_mirid"])
	}
	if c, err := h.verify(managed.Token); err != nil || c.Role != role.ARN() {
		t.Errorf("the managed identity is %+v, %v", c, err)
	}
	_, err = h.ids.IssueIdentityToken(h.ctx, tacet.Call{Face: "azure"}, identity.IdentityInput{Header: header, Audience: audience, ClientID: tacet.ClientID("AIDAOTHER")})
	h.code(tacet.PrincipalNotFound, err)
	h.must(h.ids.DeleteRole(h.ctx, h.admin, "till"))
	for _, text := range []string{tok.Token, managed.Token} {
		_, err := h.verify(text)
		h.code(tacet.CredentialInvalid, err)
	}
	_, err = h.ids.IssueIdentityToken(h.ctx, tacet.Call{Face: "azure"}, identity.IdentityInput{Header: header, Audience: audience})
	h.code(tacet.CredentialInvalid, err)
}

// TestThreat41_CredentialsOfOthers: a credential is found among its own principal's only,
// and a denial of access keys covers it.
func TestThreat41_CredentialsOfOthers(t *testing.T) {
	h := newHouse(t, "sqlite:"+t.TempDir()+"/tacet.db")
	_, c, _ := h.application("app")
	h.application("other")
	h.code(tacet.PrincipalNotFound, h.ids.DeleteClientCredential(h.ctx, h.admin, user("other"), c.ID))
	h.must(h.ids.DeleteClientCredential(h.ctx, h.admin, user("app"), strings.ToUpper(c.ID)))

	helper, _, secret := h.application("helper")
	h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, user("helper"), "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"},{"Effect":"Deny","Action":"iam:CreateAccessKey","Resource":"*"}]}`))
	key, keySecret, err := h.ids.CreateAccessKey(h.ctx, h.admin, "other")
	h.must(err)
	_, _ = key, keySecret
	call := h.admin
	call.Caller = tacet.Caller{Kind: tacet.CallerUser, Account: account, ID: helper.ID, ARN: helper.ARN(), Name: helper.Name}
	k, _, err := h.ids.CreateAccessKey(h.ctx, h.admin, "helper")
	h.must(err)
	call.Caller.AccessKey = k.ID
	_, _, err = h.ids.CreateClientCredential(h.ctx, call, identity.ClientCredentialInput{Kind: tacet.ClientSecret, Of: user("other")})
	h.code(tacet.Denied, err)
	// Nor does an access token make long-term credentials, as a session of a user does not.
	tok, err := h.token(helper, secret)
	h.must(err)
	call.Caller, err = h.verify(tok.Token)
	h.must(err)
	_, _, err = h.ids.CreateClientCredential(h.ctx, call, identity.ClientCredentialInput{Kind: tacet.ClientSecret, Of: user("helper")})
	h.code(tacet.CredentialInvalid, err)
}
