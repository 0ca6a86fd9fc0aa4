package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/jwa"
)

// TestToken walks through an access token's life, and the record of it.
func TestToken(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		u, cred, secret := h.application("app")
		tok, err := h.token(u, secret)
		h.must(err)
		if life := tok.Expires.Sub(tok.Issued.Truncate(time.Second)); life != 3599*time.Second {
			t.Errorf("it lasts %v", life)
		}
		header, claims := decode(t, tok.Token)
		tenant := tacet.TenantID(h.guard.Deployment())
		for name, want := range map[string]any{"aud": audience, "iss": "https://sts.windows.net/" + tenant + "/", "idp": "https://sts.windows.net/" + tenant + "/",
			"tid": tenant, "appid": tacet.ClientID(u.ID), "appidacr": "1", "oid": tacet.ObjectID(u.ID), "sub": tacet.ObjectID(u.ID), "ver": "1.0",
			"iat": float64(tok.Issued.Unix()), "nbf": float64(tok.Issued.Unix()), "exp": float64(tok.Expires.Unix())} {
			if claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
		}
		if header["alg"] != "ES256" || header["typ"] != "JWT" || header["kid"] == "" || header["kid"] != header["x5t"] {
			t.Errorf("the header is %v", header)
		}

		caller, err := h.verify(tok.Token)
		h.must(err)
		if caller.Kind != tacet.CallerUser || caller.ARN != u.ARN() || caller.ID != u.ID || !caller.Issued().Equal(tok.Issued) || caller.AccessKey != claims["uti"] {
			t.Errorf("it speaks for %+v", caller)
		}
		recs := h.records(tacet.OpIssueToken)
		if len(recs) != 1 || recs[0].Outcome != tacet.OutcomeAllowed || recs[0].Caller != u.ARN() || recs[0].AccessKey != claims["uti"] ||
			recs[0].Parameters["clientId"] != tacet.ClientID(u.ID) || recs[0].Parameters["credentialId"] != cred.ID {
			t.Errorf("the record says %+v", recs)
		}
		if line, _ := json.Marshal(recs); strings.Contains(string(line), tok.Token) || strings.Contains(string(line), string(secret.Reveal())) {
			t.Error("the record has a secret in it")
		}
	})
}

func decode(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	for i, to := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
		if err == nil {
			err = json.Unmarshal(raw, to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

// TestRefusedTokens is what a token endpoint refuses, and what of it is recorded: all but
// what was asked for in nobody's name.
func TestRefusedTokens(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		u, _, secret := h.application("app")
		_, _, other := h.application("other")
		header, value, err := h.ids.CreateClientCredential(h.ctx, h.admin, headerOf("app"))
		h.must(err)
		_ = header
		for _, c := range []struct {
			name   string
			secret tacet.Plaintext
		}{{"none", tacet.Plaintext{}}, {"wrong", tacet.NewPlaintext([]byte("wrong"))}, {"another application's", other}, {"an identity header", value}} {
			_, err := h.token(u, c.secret)
			if tacet.CodeOf(err) != tacet.CredentialInvalid {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		h.advance(181 * 24 * time.Hour)
		_, err = h.token(u, secret)
		h.code(tacet.CredentialExpired, err)
		before := h.records(tacet.OpIssueToken)
		_, err = h.token(tacet.User{Grantee: tacet.Grantee{ID: "AIDANOBODY"}}, secret)
		h.code(tacet.PrincipalNotFound, err)
		recs := h.records(tacet.OpIssueToken)
		if len(recs) != 5 || len(before) != 5 {
			t.Fatalf("%d records, want 5", len(recs))
		}
		for _, r := range recs {
			if r.Outcome == tacet.OutcomeAllowed || r.Caller != "" || r.Parameters["principalId"] != u.ID || r.Error == "" {
				t.Errorf("the record of a refusal says %+v", r)
			}
		}
	})
}

// TestThreat39_TokensEnd: an access token ends with its time, with its principal, though
// one of the same name comes after, and with the credential that it was given for.
func TestThreat39_TokensEnd(t *testing.T) {
	for name, end := range map[string]func(h *house, u tacet.User, c tacet.ClientCredential){
		"with its time": func(h *house, _ tacet.User, _ tacet.ClientCredential) { h.advance(time.Hour) },
		"with its principal": func(h *house, u tacet.User, _ tacet.ClientCredential) {
			h.must(h.ids.DeleteUser(h.ctx, h.admin, u.Name))
			h.application(u.Name)
		},
		"with its credential": func(h *house, u tacet.User, c tacet.ClientCredential) {
			h.must(h.ids.DeleteClientCredential(h.ctx, h.admin, user(u.Name), c.ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, h *house) {
				u, c, secret := h.application("app")
				tok, err := h.token(u, secret)
				h.must(err)
				caller, err := h.verify(tok.Token)
				h.must(err)
				end(h, u, c)
				if _, err := h.verify(tok.Token); err == nil {
					t.Error("it is still good")
				}
				call := h.admin
				call.Caller = caller // it was verified a moment before
				if _, err := h.ids.GetCallerIdentity(h.ctx, call); name != "with its time" && tacet.CodeOf(err) != tacet.CredentialInvalid {
					t.Errorf("the door lets it through: %v", err)
				}
				if name == "with its principal" {
					if _, err := h.token(u, secret); tacet.CodeOf(err) != tacet.PrincipalNotFound {
						t.Errorf("the old client id: %v", err)
					}
				}
			})
		})
	}
}

// TestThreat43_TokensEndOnEveryNode: what one node takes away is gone on the other.
func TestThreat43_TokensEndOnEveryNode(t *testing.T) {
	onEngines(t, func(t *testing.T, a *house) {
		if strings.HasPrefix(a.url, "sqlite:") {
			return // one process owns the file
		}
		b := a.node(t)
		u, c, secret := a.application("app")
		tok, err := b.token(u, secret) // made on one node, asked for on the other
		b.must(err)
		caller, err := a.verify(tok.Token)
		a.must(err)
		_, err = b.verify(tok.Token)
		a.must(err)
		a.must(a.ids.DeleteClientCredential(a.ctx, a.admin, user("app"), c.ID))
		call := a.admin
		call.Caller = caller
		if _, err := b.ids.GetCallerIdentity(b.ctx, call); tacet.CodeOf(err) != tacet.CredentialInvalid {
			t.Errorf("the other node lets it through its door: %v", err)
		}
	})
}

// TestThreat19_TokenConfusion: only an access token of this deployment, for the audience
// asked about, is one.
func TestThreat19_TokenConfusion(t *testing.T) {
	h := newHouse(t, "sqlite:"+t.TempDir()+"/tacet.db")
	u, _, secret := h.application("app")
	tok, err := h.token(u, secret)
	h.must(err)
	_, err = h.ids.VerifyBearer(tok.Token, []string{"https://vault.example"})
	if e := asError(err); e == nil || e.Code != tacet.CredentialInvalid || e.Detail != "AKV10022: Invalid audience. Expected https://vault.example, found: https://vault.azure.net." {
		t.Errorf("%v", err)
	}
	stranger, err := jwa.GenerateKey(jwa.ES256)
	h.must(err)
	_, claims := decode(t, tok.Token)
	forged, err := stranger.Sign(claims, jwa.Header{Type: "JWT"})
	h.must(err)
	header, _ := decode(t, tok.Token)
	sameID, err := stranger.Sign(claims, jwa.Header{Type: "JWT", KeyID: header["kid"].(string)})
	h.must(err)
	claims["iss"] = "https://sts.windows.net/11111111-2222-8333-8444-555555555555/"
	foreign, err := stranger.Sign(claims, jwa.Header{Type: "JWT"})
	h.must(err)
	for name, text := range map[string]string{"nothing": "", "no JWT": "x.y.z", "signed by a stranger": forged, "by a stranger under our key's id": sameID,
		"cut short": tok.Token[:len(tok.Token)-1], "another tenant's": foreign, "too long": strings.Repeat("a", 1<<20)} {
		_, err := h.verify(text)
		if tacet.CodeOf(err) != tacet.CredentialInvalid {
			t.Errorf("%s: %v", name, err)
		}
		if e := asError(err); name == "another tenant's" && !strings.HasPrefix(e.Detail, "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/") {
			t.Errorf("%q", e.Detail)
		}
	}
}

// TestThreat19_OurKeyForAnotherUse: what is signed with the key of access tokens but has not all
// of one is none: the key alone does not make a token.
func TestThreat19_OurKeyForAnotherUse(t *testing.T) {
	h := newHouse(t, "sqlite:"+t.TempDir()+"/tacet.db")
	u, _, secret := h.application("app")
	other, _, _ := h.application("other")
	tok, err := h.token(u, secret)
	h.must(err)
	for name, tt := range map[string]struct {
		typ    string
		change func(claims, session map[string]any)
		good   bool
	}{
		"nothing":                  {"JWT", func(_, _ map[string]any) {}, true},
		"the type":                 {"at+jwt", func(_, _ map[string]any) {}, false},
		"no type":                  {"", func(_, _ map[string]any) {}, false},
		"the issuer":               {"JWT", func(c, _ map[string]any) { c["iss"] = "https://sts.windows.net/11111111-2222-8333-8444-555555555555/" }, false},
		"no issuer":                {"JWT", func(c, _ map[string]any) { delete(c, "iss") }, false},
		"the version":              {"JWT", func(c, _ map[string]any) { c["ver"] = "2.0" }, false},
		"two audiences":            {"JWT", func(c, _ map[string]any) { c["aud"] = []string{audience, "https://vault.example"} }, false},
		"no audience":              {"JWT", func(c, _ map[string]any) { delete(c, "aud") }, false},
		"the subject":              {"JWT", func(c, _ map[string]any) { c["sub"] = tacet.ObjectID(other.ID) }, false},
		"the session's principal":  {"JWT", func(_, s map[string]any) { s["p"] = other.ID }, false},
		"no principal":             {"JWT", func(_, s map[string]any) { s["p"] = "" }, false},
		"the id":                   {"JWT", func(c, _ map[string]any) { c["uti"] = "AAAAAAAAAAAAAAAAAAAAAA" }, false},
		"no session":               {"JWT", func(c, _ map[string]any) { delete(c, "tacet_session") }, false},
		"a session that is a text": {"JWT", func(c, _ map[string]any) { c["tacet_session"] = "x" }, false},
	} {
		_, claims := decode(t, tok.Token)
		session, _ := claims["tacet_session"].(map[string]any)
		if session["p"] != u.ID {
			t.Fatalf("the session's principal is not p: %v", session)
		}
		tt.change(claims, session)
		signed, err := h.ids.SignToken(claims, jwa.Header{Type: tt.typ})
		h.must(err)
		if _, err := h.verify(signed); (err == nil) != tt.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTokenKeys: published before they sign, kept until the last token is over, the same
// on every node.
func TestTokenKeys(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		nodes := []*house{h}
		if !strings.HasPrefix(h.url, "sqlite:") {
			nodes = append(nodes, h.node(t))
		}
		u, _, secret := h.application("app")
		first := h.guard.TokenKeys()[0].ID
		rotate := func(algorithm string) []tacet.TokenKey {
			for _, n := range nodes {
				h.must(n.ids.RotateTokenKeys(h.ctx, algorithm))
			}
			return h.guard.TokenKeys()
		}
		signs := func() string {
			tok, err := h.token(u, secret)
			h.must(err)
			for _, n := range nodes {
				_, err := n.verify(tok.Token)
				h.must(err)
			}
			header, _ := decode(t, tok.Token)
			return header["kid"].(string)
		}
		if keys := rotate("ES256"); len(keys) != 1 || signs() != first {
			t.Fatalf("at first there are %d keys", len(keys))
		}
		h.advance(29*24*time.Hour + time.Minute)
		keys := rotate("ES256")
		if len(keys) != 2 || signs() != first {
			t.Fatalf("a day before its time there are %d keys", len(keys))
		}
		if set, err := h.ids.TokenKeySet(); err != nil || !set.Has(keys[1].ID) {
			t.Fatalf("the next key is not published: %v", err)
		}
		h.advance(25 * time.Hour)
		if keys = rotate("ES256"); len(keys) != 2 || signs() != keys[1].ID {
			t.Fatalf("in its time there are %d keys", len(keys))
		}
		h.advance(2 * time.Hour)
		if keys = rotate("ES256"); len(keys) != 1 || signs() == first {
			t.Fatalf("afterwards there are %d keys", len(keys))
		}
		if keys = rotate("RS256"); len(keys) != 2 || keys[1].Algorithm != "RS256" {
			t.Fatalf("another algorithm: %+v", keys)
		}
		h.advance(25 * time.Hour)
		if signs() != keys[1].ID {
			t.Error("RS256 does not sign")
		}
		for _, r := range h.records(tacet.OpRotateTokenKeys) {
			if r.Outcome != tacet.OutcomeAllowed {
				t.Errorf("%+v", r)
			}
		}
	})
}
