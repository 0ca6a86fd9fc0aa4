package identity_test

import (
	"testing"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/jwa"
	"tacet/internal/vault"
)

// TestThreat17_TokensAreOfNoAccount: whoever brings another issuer's token has no principal's
// keys: a trust policy cannot take him for one, though it asks for no more than that there is
// some (IAM reference: aws:PrincipalArn and the like are not in the context of a request that is
// not signed).
func TestThreat17_TokensAreOfNoAccount(t *testing.T) {
	h := newHouse(t, "sqlite:"+t.TempDir()+"/tacet.db")
	key, err := jwa.GenerateKey(jwa.ES256)
	h.must(err)
	jwks, err := jwa.NewKeySet(key.Public()).JSON()
	h.must(err)
	provider, err := h.ids.CreateOIDCProvider(h.ctx, h.admin, identity.CreateOIDCProviderInput{URL: "https://issuer.example", ClientIDs: []string{"tacet"}, JWKS: string(jwks)})
	h.must(err)
	token, err := key.Sign(map[string]any{"iss": "https://issuer.example", "sub": "s", "aud": "tacet", "exp": h.now().Add(time.Hour).Unix(), "iat": h.now().Unix()}, jwa.Header{Type: "JWT"})
	h.must(err)
	for condition, want := range map[string]tacet.Code{
		`{"StringLike":{"issuer.example:sub":"*"}}`: "",
		`{"StringLike":{"aws:PrincipalArn":"*"}}`:   tacet.Denied, `{"StringLike":{"aws:PrincipalAccount":"*"}}`: tacet.Denied,
		`{"StringLike":{"aws:PrincipalType":"*"}}`: tacet.Denied, `{"StringLike":{"aws:userid":"*"}}`: tacet.Denied,
	} {
		role, err := h.ids.CreateRole(h.ctx, h.admin, identity.CreateRoleInput{Name: "r", Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` +
			provider.ARN() + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":` + condition + `}]}`})
		h.must(err)
		_, err = h.ids.AssumeRoleWithWebIdentity(h.ctx, tacet.Call{}, identity.WebIdentityInput{SessionInput: identity.SessionInput{RoleARN: role.ARN(), Name: "job"}, Token: token})
		h.code(want, err)
		h.must(h.ids.DeleteRole(h.ctx, h.admin, "r"))
	}
}

// TestThreat08_WhoHasTheBoundary: a right that depends on the boundary that somebody has is one
// over those who have it, and over nobody else.
func TestThreat08_WhoHasTheBoundary(t *testing.T) {
	h := newHouse(t, "sqlite:"+t.TempDir()+"/tacet.db")
	p, err := h.ids.CreatePolicy(h.ctx, h.admin, identity.CreatePolicyInput{Name: "limit", Document: readAll})
	h.must(err)
	for name, boundary := range map[string]string{"within": p.ARN(), "without": "", "delegate": ""} {
		_, err := h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: name, Boundary: boundary})
		h.must(err)
	}
	h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, user("delegate"), "own", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*",
		"Condition":{"StringEquals":{"iam:PermissionsBoundary":"`+p.ARN()+`"}}}]}`))
	k, _, err := h.ids.CreateAccessKey(h.ctx, h.admin, "delegate")
	h.must(err)
	c, err := h.ids.Credential(k.ID, "")
	h.must(err)
	call := h.admin
	call.Caller = c.Caller
	h.must(h.ids.PutInlinePolicy(h.ctx, call, user("within"), "p", readAll))
	h.code(tacet.Denied, h.ids.PutInlinePolicy(h.ctx, call, user("without"), "p", readAll))
}

// TestNoVaultByItself: only a development server makes the vault of a region that is asked for.
func TestNoVaultByItself(t *testing.T) {
	h := newHouse(t, "sqlite:"+t.TempDir()+"/tacet.db")
	call := h.admin
	call.Region = "eu-west-1"
	_, err := h.vault.CreateSecret(h.ctx, call, vault.CreateSecretInput{Name: "s", Token: "11111111111111111111111111111111", Value: vault.Value{String: tacet.NewPlaintext([]byte("v"))}})
	h.code(tacet.VaultNotFound, err)
	h.newSecret()
	secrets, err := h.vault.ListSecrets(h.ctx, h.admin, vault.ListSecretsInput{})
	h.must(err)
	if _, err := h.vault.ReplicateSecretToRegions(h.ctx, h.admin, vault.ReplicateInput{Secret: tacet.NameRef(secrets.Secrets[0].Secret.Name), Replicas: []vault.ReplicaRequest{{Region: "eu-west-1"}}}); err == nil {
		t.Error("it was replicated to a region without a vault")
	}
	vaults, err := h.vault.ListVaults(h.ctx, h.admin)
	h.must(err)
	if len(vaults) != 1 {
		t.Errorf("vaults: %+v", vaults)
	}
}
