package awsapi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tacet/internal/jwa"
)

// issuer is an OpenID Connect issuer that runs in the test.
type issuer struct {
	t   *testing.T
	url string
	key *jwa.SigningKey
	// asked counts how often its keys were fetched.
	asked int
	// hold, unless nil, tells that the keys were asked for, and then to answer.
	hold chan struct{}
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := jwa.GenerateKey(jwa.ES256)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.url, "jwks_uri": i.url + "/keys"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.asked++
		if i.hold != nil {
			<-i.hold
			<-i.hold
		}
		body, err := jwa.NewKeySet(i.key.Public()).JSON()
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(body)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

// name is what the issuer is called in ARNs and condition keys.
func (i *issuer) name() string { return strings.TrimPrefix(i.url, "http://") }

// token makes a token that is good for five minutes, but for what claims say otherwise.
func (i *issuer) token(claims map[string]any) string {
	i.t.Helper()
	return i.typed("JWT", claims)
}

// typed is token with a typ.
func (i *issuer) typed(typ string, claims map[string]any) string {
	i.t.Helper()
	all := map[string]any{"iss": i.url, "sub": "repo:octo/app:ref:refs/heads/main", "aud": "tacet",
		"iat": time.Now().Unix(), "nbf": time.Now().Unix(), "exp": time.Now().Add(5 * time.Minute).Unix()}
	maps.Copy(all, claims)
	for name, v := range all {
		if v == nil {
			delete(all, name)
		}
	}
	token, err := i.key.Sign(all, jwa.Header{Type: typ})
	if err != nil {
		i.t.Fatal(err)
	}
	return token
}

// register makes the issuer known in the account.
func (h *house) register(i *issuer, audiences ...string) string {
	h.t.Helper()
	pairs := []string{"Url", i.url}
	for n, a := range audiences {
		pairs = append(pairs, "ClientIDList.member."+string(rune('1'+n)), a)
	}
	h.iam("CreateOpenIDConnectProvider", pairs...)
	return "arn:aws:iam::" + h.s.Account + ":oidc-provider/" + i.name()
}

// unsigned makes a call to STS as somebody without any credential.
func (h *house) unsigned(action string, pairs ...string) queryAnswer {
	h.t.Helper()
	res, err := http.Post(h.s.URL+"/", "application/x-www-form-urlencoded", strings.NewReader(form(action, pairs...)))
	if err != nil {
		h.t.Fatal(err)
	}
	return readQuery(h.t, res)
}

func TestContractE_AssumeRoleWithWebIdentity(t *testing.T) {
	h := newServer(t)
	h.create("db", "one", 1)
	i := newIssuer(t)
	provider := h.register(i, "tacet", "other")
	trust := trusting(`{"Federated":"`+provider+`"}`, `{"StringEquals":{"`+i.name()+`:aud":"tacet","`+i.name()+`:repository_id":"74"},`+
		`"StringLike":{"`+i.name()+`:sub":"repo:octo/app:*"}}`, "sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity")
	arn := h.role("deploy", trust, statement("Allow", "secretsmanager:GetSecretValue", "*"))
	assume := func(claims map[string]any, pairs ...string) queryAnswer {
		h.t.Helper()
		return h.unsigned("AssumeRoleWithWebIdentity", append([]string{"RoleArn", arn, "RoleSessionName", "run-1", "WebIdentityToken", i.token(claims)}, pairs...)...)
	}

	a := assume(map[string]any{"repository_id": "74"})
	if a.Status != 200 || a.Result.Subject != "repo:octo/app:ref:refs/heads/main" || a.Result.Provider != i.name() || a.Result.Audience != "tacet" ||
		a.Result.AssumedRoleUser.Arn != "arn:aws:sts::"+h.s.Account+":assumed-role/deploy/run-1" {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	h.inSession(a).ok("GetSecretValue", in{"SecretId": "db"})
	if i.asked != 1 {
		t.Errorf("the issuer's keys were fetched %d times", i.asked)
	}
	if b := assume(map[string]any{"repository_id": 74}); b.Status != 200 { // a number is its digits
		t.Errorf("%s", b.Body)
	}

	const denied = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
	for name, tt := range map[string]struct {
		claims     map[string]any
		status     int
		code, text string
	}{
		"another repository":            {map[string]any{"repository_id": "75"}, 403, "AccessDenied", denied},
		"no repository":                 {nil, 403, "AccessDenied", denied},
		"another subject":               {map[string]any{"repository_id": "74", "sub": "repo:mallory/app:x"}, 403, "AccessDenied", denied},
		"an audience the role does not": {map[string]any{"repository_id": "74", "aud": "other"}, 403, "AccessDenied", denied},
		"a claim in capitals beside it": {map[string]any{"repository_id": "75", "REPOSITORY_ID": "74"}, 403, "AccessDenied", denied},
		"the audience in capitals":      {map[string]any{"repository_id": "74", "aud": "other", "AUD": "tacet"}, 403, "AccessDenied", denied},
		"an audience nobody lists":      {map[string]any{"repository_id": "74", "aud": "elsewhere"}, 400, "InvalidIdentityToken", "Incorrect token audience"},
		"no audience":                   {map[string]any{"repository_id": "74", "aud": nil}, 400, "InvalidIdentityToken", "Missing a required claim: aud"},
		"no subject":                    {map[string]any{"repository_id": "74", "sub": nil}, 400, "InvalidIdentityToken", "Missing a required claim: sub"},
		"no issuer":                     {map[string]any{"repository_id": "74", "iss": nil}, 400, "InvalidIdentityToken", "Missing a required claim: iss"},
		"no end":                        {map[string]any{"repository_id": "74", "exp": nil}, 400, "InvalidIdentityToken", "Missing a required claim: exp"},
		"expired":                       {map[string]any{"repository_id": "74", "exp": time.Now().Add(-2 * time.Minute).Unix()}, 400, "ExpiredTokenException", "Token expired: current date/time …"},
		"another issuer":                {map[string]any{"repository_id": "74", "iss": "https://issuer.example"}, 400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://issuer.example"},
	} {
		if a := assume(tt.claims); a.Status != tt.status || a.Code != tt.code || !says(a.Message, tt.text) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	mallory := newIssuer(t)
	mallory.url = i.url // who signs in its name
	if a := h.unsigned("AssumeRoleWithWebIdentity", "RoleArn", arn, "RoleSessionName", "run-1", "WebIdentityToken",
		mallory.token(map[string]any{"repository_id": "74"})); a.Status != 400 || a.Code != "InvalidIdentityToken" {
		t.Errorf("a token of another key: %s", a.Body)
	}
	if a := h.unsigned("AssumeRoleWithWebIdentity", "RoleArn", arn, "RoleSessionName", "run-1", "WebIdentityToken", "not.a.token"); a.Code != "InvalidIdentityToken" {
		t.Errorf("no token at all: %s", a.Body)
	}
	if a := h.unsigned("GetCallerIdentity"); a.Status != 403 || a.Code != "MissingAuthenticationToken" {
		t.Errorf("another action without a signature: %d %s", a.Status, a.Body)
	}
	if a := assume(map[string]any{"repository_id": "74"}, "RoleArn", strings.Replace(arn, "deploy", "nothing", 1)); a.Status != 403 || a.Message != denied {
		t.Errorf("a role that is not there: %s", a.Body)
	}

	// The token may bring tags and a source identity, where the trust policy lets it.
	a = assume(map[string]any{"repository_id": "74", "https://aws.amazon.com/source_identity": "alice",
		"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"team": []string{"red"}}, "transitive_tag_keys": []string{"team"}}})
	if a.Status != 200 || a.Result.SourceIdentity != "alice" || a.Result.PackedPolicySize == "" {
		t.Errorf("%s", a.Body)
	}

	// Without the provider there is no trust.
	s := h.inSession(assume(map[string]any{"repository_id": "74"}))
	h.iam("DeleteOpenIDConnectProvider", "OpenIDConnectProviderArn", provider)
	if a := assume(map[string]any{"repository_id": "74"}); a.Code != "InvalidIdentityToken" {
		t.Errorf("%s", a.Body)
	}
	s.ok("GetSecretValue", in{"SecretId": "db"}) // the session is the role's
}

// TestThreat17_RolesOfOtherAccounts: an issuer registered in one account says nothing in
// another, and a role of the same name is another role.
func TestThreat17_RolesOfOtherAccounts(t *testing.T) {
	h := newServer(t)
	i := newIssuer(t)
	provider := h.register(i, "tacet")
	other := strings.Replace(provider, h.s.Account, "000000000002", 1)
	trust := func(p string) string { return trusting(`{"Federated":"`+p+`"}`, "", "sts:AssumeRoleWithWebIdentity") }
	foreign := h.ask("iam", "CreateRole", "RoleName", "foreign", "AssumeRolePolicyDocument", trust(other))
	if foreign.Status == 200 {
		if a := h.unsigned("AssumeRoleWithWebIdentity", "RoleArn", "arn:aws:iam::"+h.s.Account+":role/foreign", "RoleSessionName", "s1",
			"WebIdentityToken", i.token(nil)); a.Status != 403 {
			t.Errorf("another account's provider lets in: %s", a.Body)
		}
	}
	h.role("deploy", trust(provider), everything)
	for _, role := range []string{
		"arn:aws:iam::000000000002:role/deploy", "arn:aws:iam::" + h.s.Account + ":role/Deploy", "arn:aws:iam::" + h.s.Account + ":role/x/deploy",
		"arn:aws:iam::*:role/deploy", "arn:aws-cn:iam::" + h.s.Account + ":role/deploy", "arn:aws:sts::" + h.s.Account + ":assumed-role/deploy/x",
		"arn:aws:iam::" + h.s.Account + ":user/deploy",
	} {
		if a := h.unsigned("AssumeRoleWithWebIdentity", "RoleArn", role, "RoleSessionName", "s1", "WebIdentityToken", i.token(nil)); a.Status == 200 {
			t.Errorf("%s: %s", role, a.Body)
		}
	}
}

// TestOneSlowIssuer: an issuer that does not answer is waited for by those alone who
// have a token of it, and asked once for them all.
func TestOneSlowIssuer(t *testing.T) {
	h := newServer(t)
	h.create("db", "one", 1)
	slow, quick := newIssuer(t), newIssuer(t)
	slow.hold = make(chan struct{})
	trust := func(i *issuer) string {
		return trusting(`{"Federated":"`+h.register(i, "tacet")+`"}`, "", "sts:AssumeRoleWithWebIdentity")
	}
	waiting, other := h.role("slow", trust(slow), ""), h.role("quick", trust(quick), "")
	const many = 20
	done := make(chan int, many)
	for range many {
		go func() {
			res, err := http.Post(h.s.URL+"/", "application/x-www-form-urlencoded", strings.NewReader(form("AssumeRoleWithWebIdentity",
				"RoleArn", waiting, "RoleSessionName", "run", "WebIdentityToken", slow.token(nil))))
			if err != nil {
				done <- 0
				return
			}
			_ = res.Body.Close()
			done <- res.StatusCode
		}()
	}
	slow.hold <- struct{}{} // it is being asked
	for range 5 {
		h.ok("GetSecretValue", in{"SecretId": "db"})
		if a := h.unsigned("AssumeRoleWithWebIdentity", "RoleArn", other, "RoleSessionName", "run", "WebIdentityToken", quick.token(nil)); a.Status != 200 {
			t.Errorf("another issuer's token: %s", a.Body)
		}
	}
	select {
	case status := <-done:
		t.Errorf("answered with %d before its issuer did", status)
	default:
	}
	close(slow.hold)
	for range many {
		if status := <-done; status != 200 {
			t.Errorf("answered with %d", status)
		}
	}
	if slow.asked != 1 {
		t.Errorf("asked %d times", slow.asked)
	}
}
