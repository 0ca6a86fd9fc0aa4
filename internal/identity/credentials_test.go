package identity_test

import (
	"database/sql"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to keep the record from being written, behind Tacet's back

	"tacet"
	"tacet/internal/identity"
)

// given is what a way to get a credential gave.
type given struct {
	id, token string
	secret    tacet.Plaintext
	err       error
}

func (g given) anything() bool { return g.id != "" || g.token != "" || !g.secret.IsZero() }

func session(out identity.RoleSession, err error) given {
	c := out.Credentials
	return given{c.AccessKey, c.Token, c.Secret, err}
}

func accessKey(k tacet.AccessKey, secret tacet.Plaintext, err error) given {
	return given{k.ID, "", secret, err}
}

func clientCredential(c tacet.ClientCredential, secret tacet.Plaintext, err error) given {
	return given{c.ID, "", secret, err}
}

func accessToken(t identity.IssuedToken, err error) given { return given{token: t.Token, err: err} }

// held counts the credentials that there are of a user.
func (h *house) held(name string) int {
	h.Helper()
	keys, err := h.ids.ListAccessKeys(h.ctx, h.admin, name, identity.Page{})
	h.must(err)
	creds, err := h.ids.ListClientCredentials(h.ctx, h.admin, user(name))
	h.must(err)
	return len(keys.Items) + len(creds)
}

// TestThreat40_NoCredentialOnAnErrorPath: whatever is wrong with the request for a credential,
// nothing of one comes back with the error, and none is left behind.
func TestThreat40_NoCredentialOnAnErrorPath(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		arn := h.newRole("r", readAll)
		u, _, secret := h.application("app")
		for range 2 {
			h.must(accessKey(h.ids.CreateAccessKey(h.ctx, h.admin, "app")).err)
		}
		role := func(in identity.AssumeRoleInput) given {
			if in.RoleARN == "" {
				in.RoleARN = arn
			}
			in.Name = "job"
			return session(h.ids.AssumeRole(h.ctx, h.admin, in))
		}
		inSession := h.admin
		inSession.Caller.Session = &tacet.Session{Principal: h.admin.Caller.ID}
		before := h.held("app")
		for name, get := range map[string]func() given{
			"too long": func() given {
				return role(identity.AssumeRoleInput{SessionInput: identity.SessionInput{Duration: 43200}})
			},
			"a broken policy": func() given { return role(identity.AssumeRoleInput{SessionInput: identity.SessionInput{Policy: "{"}}) },
			"no such policy": func() given {
				return role(identity.AssumeRoleInput{SessionInput: identity.SessionInput{PolicyARNs: []string{"arn:aws:iam::" + account + ":policy/none"}}})
			},
			"no such role": func() given {
				return role(identity.AssumeRoleInput{SessionInput: identity.SessionInput{RoleARN: arn + "x"}})
			},
			"two tags that differ": func() given { return role(identity.AssumeRoleInput{Tags: []tacet.Tag{{Key: "a"}, {Key: "A"}}}) },
			"too large": func() given {
				return role(identity.AssumeRoleInput{SessionInput: identity.SessionInput{Policy: strings.Replace(readAll, "\"*\"", "\""+strings.Repeat("arn:aws:s3:::", 600)+"\"", 1)}})
			},
			"no token of an issuer": func() given {
				out, err := h.ids.AssumeRoleWithWebIdentity(h.ctx, tacet.Call{}, identity.WebIdentityInput{SessionInput: identity.SessionInput{RoleARN: arn, Name: "job"}, Token: "x.y.z"})
				return session(out.RoleSession, err)
			},
			"a session of a session": func() given {
				c, err := h.ids.GetSessionToken(h.ctx, inSession, 0)
				return given{c.AccessKey, c.Token, c.Secret, err}
			},
			"a third access key":      func() given { return accessKey(h.ids.CreateAccessKey(h.ctx, h.admin, "app")) },
			"an access key of nobody": func() given { return accessKey(h.ids.CreateAccessKey(h.ctx, h.admin, "nobody")) },
			"a credential of no kind": func() given {
				return clientCredential(h.ids.CreateClientCredential(h.ctx, h.admin, identity.ClientCredentialInput{Kind: "x", Of: user("app")}))
			},
			"a broken certificate": func() given {
				return clientCredential(h.ids.CreateClientCredential(h.ctx, h.admin, identity.ClientCredentialInput{Kind: tacet.ClientCertificate, Of: user("app"), Certificate: []byte("x")}))
			},
			"a credential for too long": func() given {
				return clientCredential(h.ids.CreateClientCredential(h.ctx, h.admin, identity.ClientCredentialInput{Kind: tacet.ClientSecret, Of: user("app"), Life: 1 << 62}))
			},
			"another's secret": func() given { return accessToken(h.token(u, tacet.NewPlaintext([]byte("wrong")))) },
			"a secret of nobody": func() given {
				return accessToken(h.token(tacet.User{Grantee: tacet.Grantee{ID: "AIDANOBODY"}}, secret))
			},
			"an identity header of nobody": func() given {
				return accessToken(h.ids.IssueIdentityToken(h.ctx, tacet.Call{}, identity.IdentityInput{Header: tacet.NewPlaintext([]byte("x.y")), Audience: audience}))
			},
		} {
			if got := get(); got.err == nil || got.anything() {
				t.Errorf("%s: %v, and it gives %q %q", name, got.err, got.id, got.token)
			}
			if after := h.held("app"); after != before {
				t.Errorf("%s: %d credentials are left behind", name, after-before)
			}
		}
	})
}

// TestThreat40_NothingIsGivenUnrecorded: a credential leaves when its record is written, and
// not before: where that fails, none leaves and none is left behind.
func TestThreat40_NothingIsGivenUnrecorded(t *testing.T) {
	path := t.TempDir() + "/tacet.db"
	h := newHouse(t, "sqlite:"+path)
	arn := h.newRole("r", readAll)
	u, _, secret := h.application("app")
	_, header, err := h.ids.CreateClientCredential(h.ctx, h.admin, headerOf("app"))
	h.must(err)
	before := h.held("app")
	ways := map[string]func() given{
		"AssumeRole": func() given {
			return session(h.ids.AssumeRole(h.ctx, h.admin, identity.AssumeRoleInput{SessionInput: identity.SessionInput{RoleARN: arn, Name: "job"}}))
		},
		"GetSessionToken": func() given {
			c, err := h.ids.GetSessionToken(h.ctx, h.admin, 0)
			return given{c.AccessKey, c.Token, c.Secret, err}
		},
		"CreateAccessKey": func() given { return accessKey(h.ids.CreateAccessKey(h.ctx, h.admin, "app")) },
		"CreateClientCredential": func() given {
			return clientCredential(h.ids.CreateClientCredential(h.ctx, h.admin, identity.ClientCredentialInput{Kind: tacet.ClientSecret, Of: user("app")}))
		},
		"IssueToken": func() given { return accessToken(h.token(u, secret)) },
		"IssueIdentityToken": func() given {
			return accessToken(h.ids.IssueIdentityToken(h.ctx, tacet.Call{}, identity.IdentityInput{Header: header, Audience: audience}))
		},
	}
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	h.must(err)
	defer func() { h.must(db.Close()) }()
	execute := func(statement string) {
		t.Helper()
		_, err := db.ExecContext(h.ctx, statement)
		h.must(err)
	}
	execute("CREATE TRIGGER full BEFORE INSERT ON audit_record BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
	for name, get := range ways {
		if got := get(); got.err == nil || got.anything() {
			t.Errorf("%s: %v, and it gives %q %q", name, got.err, got.id, got.token)
		}
	}
	execute("DROP TRIGGER full")
	if after := h.held("app"); after != before {
		t.Errorf("%d credentials are left behind", after-before)
	}
	for name, get := range ways {
		if got := get(); got.err != nil || !got.anything() {
			t.Errorf("afterwards %s: %v", name, got.err)
		}
	}
}
