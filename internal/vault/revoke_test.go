package vault_test

import (
	"testing"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/vault"
)

// TestRevokeSessions: a role's sessions that have begun before are refused with their next
// request, those that begin afterwards are not; it is recorded as PutRolePolicy. (IAM user
// guide, "Revoke IAM role temporary security credentials".)
func TestRevokeSessions(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("db", "1")
		h.population(func(tx *guard.Tx) error {
			return tx.PutRole(tacet.Role{Grantee: grantee(tx, "AROA", "app", map[string]string{"read": allow(read, "*", "")}), Trust: trustAccount, MaxSession: 3600})
		})
		session := func() tacet.Call {
			t.Helper()
			out, err := h.ids.AssumeRole(h.ctx, h.admin, identity.AssumeRoleInput{SessionInput: identity.SessionInput{RoleARN: "arn:aws:iam::" + account + ":role/app", Name: "run"}})
			h.must(err)
			c, err := h.ids.Credential(out.Credentials.AccessKey, out.Credentials.Token)
			h.must(err)
			call := h.admin
			call.Caller = c.Caller
			return call
		}
		get := func(call tacet.Call) tacet.Code {
			_, err := h.vault.GetSecretValue(h.ctx, call, vault.GetSecretValueInput{Secret: tacet.NameRef("db")})
			return tacet.CodeOf(err)
		}
		before := session()
		if code := get(before); code != "" {
			t.Fatal(code)
		}
		h.advance(time.Minute)
		h.must(h.ids.RevokeSessions(h.ctx, h.admin, "app"))
		if recs := h.records(); recs[len(recs)-1].Operation != tacet.OpPutRolePolicy || recs[len(recs)-1].Parameters["policyName"] != identity.RevokePolicy {
			t.Errorf("%+v", recs[len(recs)-1])
		}
		if code := get(before); code != tacet.Denied {
			t.Errorf("a revoked session: %q", code)
		}
		recs := h.records()
		e, err := h.ids.ExplainDecision(h.ctx, h.admin, recs[len(recs)-1].ID)
		h.must(err)
		// The record's explanation knows when the session began.
		if e.Today == nil || e.Today.Answer != guard.Denied {
			t.Errorf("%+v", e.Today)
		}
		h.advance(time.Minute)
		if code := get(session()); code != "" {
			t.Errorf("a session made afterwards: %q", code)
		}
		if err := h.ids.RevokeSessions(h.ctx, h.admin, "none"); tacet.CodeOf(err) != tacet.PrincipalNotFound {
			t.Error(err)
		}
	})
}
