package identity_test

import (
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/store/storetest"
	"tacet/internal/vault"
)

const readAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`

// newRole makes a role that everybody of the account may assume whose policies let him.
func (h *house) newRole(name, policy string) string {
	h.Helper()
	role, err := h.ids.CreateRole(h.ctx, h.admin, identity.CreateRoleInput{Name: name,
		Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`})
	h.must(err)
	if policy != "" {
		h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, identity.Ref{Kind: tacet.KindRole, Name: name}, "own", policy))
	}
	return role.ARN()
}

// assume makes a session of a role as the administrator.
func (h *house) assume(arn string) identity.Credentials {
	h.Helper()
	out, err := h.ids.AssumeRole(h.ctx, h.admin, identity.AssumeRoleInput{SessionInput: identity.SessionInput{RoleARN: arn, Name: "job"}})
	h.must(err)
	return out.Credentials
}

// read reads a secret on this node with a session's credentials.
func (h *house) read(c identity.Credentials, name string) error {
	h.Helper()
	cred, err := h.ids.Credential(c.AccessKey, c.Token)
	if err != nil {
		return err
	}
	if string(cred.Secret.Reveal()) != string(c.Secret.Reveal()) {
		h.Error("a node derives another secret access key")
	}
	call := tacet.Call{Caller: cred.Caller, Account: account, Region: "us-east-1", Face: "aws"}
	_, err = h.vault.GetSecretValue(h.ctx, call, vault.GetSecretValueInput{Secret: tacet.NameRef(name)})
	return err
}

func (h *house) wantCode(err error, code tacet.Code) {
	h.Helper()
	if tacet.CodeOf(err) != code {
		h.Errorf("got %v, want %s", err, code)
	}
}

// TestThreat39_SessionsAreTheSameOnEveryNode: a session made on one node is good on
// another at once, and what ends it on one ends it on the other with the next request.
func TestThreat39_SessionsAreTheSameOnEveryNode(t *testing.T) {
	a := newHouse(t, storetest.Postgres(t))
	b := a.node(t)
	_, err := a.vault.CreateSecret(a.ctx, a.admin, vault.CreateSecretInput{Name: "db", Token: tacet.VersionID(strings.Repeat("1", 32)),
		Value: vault.Value{String: tacet.NewPlaintext([]byte("v"))}})
	a.must(err)
	own := identity.Ref{Kind: tacet.KindRole, Name: "reader"}
	c := a.assume(a.newRole("reader", readAll))
	a.must(a.read(c, "db"))
	b.must(b.read(c, "db"))

	a.must(a.ids.DeleteInlinePolicy(a.ctx, a.admin, own, "own"))
	b.wantCode(b.read(c, "db"), tacet.Denied)
	b.must(b.ids.PutInlinePolicy(b.ctx, b.admin, own, "own", readAll))
	a.must(a.read(c, "db"))

	// A managed policy, and a boundary, changed on the other node.
	p, err := b.ids.CreatePolicy(b.ctx, b.admin, identity.CreatePolicyInput{Name: "limit", Document: readAll})
	b.must(err)
	b.must(b.ids.PutPermissionsBoundary(b.ctx, b.admin, own, p.ARN()))
	a.must(a.read(c, "db"))
	_, err = b.ids.CreatePolicyVersion(b.ctx, b.admin, p.ARN(), strings.Replace(readAll, "GetSecretValue", "ListSecrets", 1), true)
	b.must(err)
	a.wantCode(a.read(c, "db"), tacet.Denied)
	b.must(b.ids.DeletePermissionsBoundary(b.ctx, b.admin, own))
	a.must(a.read(c, "db"))

	// Its end in time, and with its role; a role made again under the name is another.
	a.advance(time.Hour)
	a.wantCode(a.read(c, "db"), tacet.CredentialExpired)
	b.wantCode(b.read(c, "db"), tacet.CredentialExpired)
	c = b.assume("arn:aws:iam::" + account + ":role/reader")
	a.must(a.read(c, "db"))
	b.must(b.ids.DeleteInlinePolicy(b.ctx, b.admin, own, "own"))
	b.must(b.ids.DeleteRole(b.ctx, b.admin, "reader"))
	a.wantCode(a.read(c, "db"), tacet.CredentialInvalid)
	a.newRole("reader", readAll)
	a.wantCode(a.read(c, "db"), tacet.CredentialInvalid)
	b.wantCode(b.read(c, "db"), tacet.CredentialInvalid)
}

// TestThreat41_KeysOfOthers: an access key is found among its own user's keys only.
func TestThreat41_KeysOfOthers(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		for _, name := range []string{"alice", "bob"} {
			_, err := h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: name})
			h.must(err)
		}
		k, _, err := h.ids.CreateAccessKey(h.ctx, h.admin, "alice")
		h.must(err)
		h.wantCode(h.ids.UpdateAccessKey(h.ctx, h.admin, "bob", k.ID, false), tacet.PrincipalNotFound)
		h.wantCode(h.ids.DeleteAccessKey(h.ctx, h.admin, "bob", k.ID), tacet.PrincipalNotFound)
		if _, err := h.ids.Credential(k.ID, ""); err != nil {
			t.Errorf("the key of alice was touched under the name of bob: %v", err)
		}
	})
}
