package identity_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/store/storetest"
	"tacet/internal/vault"
)

// newSecret makes a secret called "db".
func (h *house) newSecret() {
	h.Helper()
	_, err := h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: "db", Token: tacet.VersionID(strings.Repeat("1", 32)),
		Value: vault.Value{String: tacet.NewPlaintext([]byte("v"))}})
	h.must(err)
}

// reader makes a user who may read secrets, and returns an access key of his.
func (h *house) reader(name string) tacet.AccessKey {
	h.Helper()
	_, err := h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: name})
	h.must(err)
	h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, user(name), "own", readAll))
	k, _, err := h.ids.CreateAccessKey(h.ctx, h.admin, name)
	h.must(err)
	return k
}

// sessionOf asks for a user's session with a key of his.
func (h *house) sessionOf(key string) identity.Credentials {
	h.Helper()
	cred, err := h.ids.Credential(key, "")
	h.must(err)
	out, err := h.ids.GetSessionToken(h.ctx, tacet.Call{Caller: cred.Caller, Account: account, Region: "us-east-1", Face: "aws"}, 0)
	h.must(err)
	return out
}

// TestThreat39_SessionsOfUsersEndWithTheirKey: a key that leaked is deactivated, and what was
// made with it is of no use on any node with the next request.
func TestThreat39_SessionsOfUsersEndWithTheirKey(t *testing.T) {
	a := newHouse(t, storetest.Postgres(t))
	b := a.node(t)
	a.newSecret()
	k := a.reader("alice")
	c := a.sessionOf(k.ID)
	b.must(b.read(c, "db"))
	other, _, err := a.ids.CreateAccessKey(a.ctx, a.admin, "alice")
	a.must(err)
	kept := a.sessionOf(other.ID)

	a.must(a.ids.UpdateAccessKey(a.ctx, a.admin, "alice", k.ID, false))
	for _, n := range []*house{b, a} {
		n.wantCode(n.read(c, "db"), tacet.CredentialInvalid)
		n.must(n.read(kept, "db"))
	}
	b.must(b.ids.UpdateAccessKey(b.ctx, b.admin, "alice", k.ID, true))
	a.must(a.read(c, "db"))
	a.must(a.ids.DeleteAccessKey(a.ctx, a.admin, "alice", k.ID))
	b.wantCode(b.read(c, "db"), tacet.CredentialInvalid)
	b.must(b.read(kept, "db"))

	// And with the user, though another of his name comes after him.
	a.must(a.ids.DeleteInlinePolicy(a.ctx, a.admin, user("alice"), "own"))
	a.must(a.ids.DeleteAccessKey(a.ctx, a.admin, "alice", other.ID))
	a.must(a.ids.DeleteUser(a.ctx, a.admin, "alice"))
	a.reader("alice")
	b.wantCode(b.read(kept, "db"), tacet.CredentialInvalid)
}

// TestThreat39_NoClockBringsASessionBack: a session that was over stays over when the clock is
// put back, on a node that saw it end and on one that starts afterwards.
func TestThreat39_NoClockBringsASessionBack(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.newSecret()
		c := h.assume(h.newRole("reader", readAll))
		h.must(h.read(c, "db"))
		h.advance(time.Hour)
		h.wantCode(h.read(c, "db"), tacet.CredentialExpired)
		h.newRole("later", "") // what is written is known to be later
		h.advance(-time.Hour)
		h.wantCode(h.read(c, "db"), tacet.CredentialExpired)
		if !strings.HasPrefix(h.url, "sqlite:") {
			n := h.node(t)
			n.wantCode(n.read(c, "db"), tacet.CredentialExpired)
		}
	})
}

// TestThreat18_SessionTokensOfOthers: a token is good under the id it was made for, in the
// deployment that made it, and letter for letter.
func TestThreat18_SessionTokensOfOthers(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.newSecret()
		role := h.newRole("reader", readAll)
		c, d := h.assume(role), h.assume(role)
		h.must(h.read(c, "db"))
		refused := func(what, id, token string) {
			t.Helper()
			_, err := h.ids.Credential(id, token)
			if tacet.CodeOf(err) != tacet.CredentialInvalid {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("another session's token", c.AccessKey, d.Token)
		refused("no token", c.AccessKey, "")
		refused("an id in small letters", strings.ToLower(c.AccessKey), c.Token)
		refused("an id that is longer", c.AccessKey+"A", c.Token)
		refused("the key of a user", h.admin.Caller.AccessKey, c.Token)
		stranger := newHouse(t, "sqlite:"+t.TempDir()+"/tacet.db")
		foreign := stranger.assume(stranger.newRole("reader", readAll))
		refused("another deployment's", foreign.AccessKey, foreign.Token)
		for i := 0; i < len(c.Token); i += 5 {
			for _, token := range []string{c.Token[:i], c.Token[:i] + c.Token[i+1:], c.Token[:i] + string(flip(c.Token[i])) + c.Token[i+1:]} {
				if token != c.Token {
					refused("changed at "+string(rune('0'+i%10)), c.AccessKey, token)
				}
			}
		}
		h.must(h.read(c, "db"))
		h.must(h.read(d, "db"))
	})
}

// flip returns another letter of the alphabet of tokens.
func flip(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := slices.Index([]byte(alphabet), c)
	return alphabet[(i+1)%len(alphabet)]
}

// TestRecordsOfSessions: what a session does is recorded with who is behind it, also when it
// was made from another, and with when it began.
func TestRecordsOfSessions(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.newSecret()
		role, err := h.ids.CreateRole(h.ctx, h.admin, identity.CreateRoleInput{Name: "reader", Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
			`"Principal":{"AWS":"` + account + `"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`})
		h.must(err)
		h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, identity.Ref{Kind: tacet.KindRole, Name: "reader"}, "own",
			strings.Replace(readAll, `"secretsmanager:GetSecretValue"`, `["secretsmanager:GetSecretValue","sts:*"]`, 1)))
		in := identity.AssumeRoleInput{SessionInput: identity.SessionInput{RoleARN: role.ARN(), Name: "job"}, SourceIdentity: "alice"}
		first, err := h.ids.AssumeRole(h.ctx, h.admin, in)
		h.must(err)
		cred, err := h.ids.Credential(first.Credentials.AccessKey, first.Credentials.Token)
		h.must(err)
		in.SourceIdentity = ""
		began := h.now().Truncate(time.Microsecond)
		next, err := h.ids.AssumeRole(h.ctx, tacet.Call{Caller: cred.Caller, Account: account, Region: "us-east-1", Face: "aws"}, in)
		h.must(err)
		h.must(h.read(next.Credentials, "db"))
		for _, rec := range append(h.records(tacet.OpGetSecretValue), h.records(tacet.OpAssumeRole)[1]) {
			if rec.SourceIdentity != "alice" || rec.SessionStart.After(h.now()) || rec.Operation == tacet.OpGetSecretValue && rec.SessionStart.Before(began) {
				t.Errorf("%s is recorded as of %q, in a session since %v", rec.Operation, rec.SourceIdentity, rec.SessionStart)
			}
		}
		if rec := h.records(tacet.OpAssumeRole)[0]; rec.SourceIdentity != "" || !rec.SessionStart.IsZero() {
			t.Errorf("a caller without a session has one in the record: %+v", rec)
		}
	})
}
