package identity_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/jwa"
)

// FuzzClientAssertion sends the token endpoint assertions of any header and any claims,
// signed with the application's registered key, or not. One that is taken is, as any reader
// of JSON sees it, by and about the application, for the endpoint, good now and for a day at
// most, and has an id (threat class 19).
//
// In the texts @client, @endpoint, @x5t, @s256, @now, @soon (ten minutes on), @late (two days
// on) and @past stand for what is only known at the start.
func FuzzClientAssertion(f *testing.F) {
	f.Add(`{"alg":"PS256","typ":"JWT","x5t#S256":"@s256"}`, `{"iss":"@client","sub":"@client","aud":"@endpoint","jti":"a","nbf":@now,"exp":@soon}`, "PS256")
	h := newHouse(f, "sqlite:"+f.TempDir()+"/tacet.db")
	u, _, _ := h.application("app")
	p := newPair(f, 24*time.Hour)
	_, _, err := h.ids.CreateClientCredential(h.ctx, h.admin, identity.ClientCredentialInput{Kind: tacet.ClientCertificate, Of: user("app"), Certificate: p.pem()})
	h.must(err)
	client, start := tacet.ClientID(u.ID), h.now()
	at := func(d time.Duration) string {
		text, _ := json.Marshal(start.Add(d).Unix()) // a number
		return string(text)
	}
	known := strings.NewReplacer("@client", client, "@endpoint", endpoint, "@x5t", jwa.X5T(p.cert), "@s256", jwa.X5TS256(p.cert),
		"@now", at(0), "@soon", at(10*time.Minute), "@late", at(48*time.Hour), "@past", at(-time.Hour))
	f.Fuzz(func(t *testing.T, header, claims, algorithm string) {
		header, claims = known.Replace(header), known.Replace(claims)
		signer := *p
		signer.TB = t
		assertion := signer.sign(algorithm, []byte(header), []byte(claims))
		_, err := h.ids.IssueToken(t.Context(), tacet.Call{Face: "azure"}, identity.TokenInput{ClientID: client, Assertion: assertion, Endpoints: []string{endpoint}, Audience: audience})
		if err != nil {
			codes := []tacet.Code{tacet.IdentityTokenInvalid, tacet.IdentityTokenExpired, tacet.IdentityTokenRejected, tacet.Throttled}
			if e := asError(err); e == nil || !slices.Contains(codes, e.Code) || len(assertion) > 100 && strings.Contains(e.Detail, assertion) {
				t.Fatalf("%s %s: %v", header, claims, err)
			}
			return
		}
		var seen map[string]any
		if err := json.Unmarshal([]byte(claims), &seen); err != nil {
			t.Fatalf("taken: %s: %v", claims, err)
		}
		text := func(v any) string { s, _ := v.(string); return s }
		number := func(v any) float64 { n, _ := v.(float64); return n }
		list, _ := seen["aud"].([]any)
		now, exp := float64(h.now().Unix()), number(seen["exp"])
		if !strings.EqualFold(text(seen["iss"]), client) || !strings.EqualFold(text(seen["sub"]), client) || text(seen["jti"]) == "" ||
			exp < now-300 || exp > now+86400+300 || number(seen["nbf"]) > now+300 ||
			!slices.ContainsFunc(append(list, seen["aud"]), func(v any) bool { return strings.EqualFold(text(v), endpoint) }) {
			t.Fatalf("taken: %s %s", header, claims)
		}
		if _, err := h.ids.IssueToken(t.Context(), tacet.Call{Face: "azure"}, identity.TokenInput{ClientID: client, Assertion: assertion, Endpoints: []string{endpoint}, Audience: audience}); tacet.CodeOf(err) != tacet.IdentityTokenRejected {
			t.Fatalf("taken twice: %s %s: %v", header, claims, err)
		}
	})
}
