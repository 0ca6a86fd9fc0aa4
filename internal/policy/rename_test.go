package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestRewritePrincipals: only what stands under Principal and NotPrincipal as AWS is written
// anew; every other byte of the text stays.
func TestRewritePrincipals(t *testing.T) {
	const user, id = "arn:aws:iam::111122223333:user/ann", "AIDAANNANNANNANNANNA"
	to := func(v string) string {
		switch v {
		case user:
			return id
		case "111122223333":
			return "arn:aws:iam::111122223333:root"
		}
		return v
	}
	for name, tt := range map[string]struct{ text, want string }{
		"a string": {
			`{"Statement":{"Effect":"Allow","Principal":{"AWS":"` + user + `"},"Action":"*","Resource":"*"}}`,
			`{"Statement":{"Effect":"Allow","Principal":{"AWS":"` + id + `"},"Action":"*","Resource":"*"}}`},
		"a list, with its white space": {
			"{ \"Statement\" : [ {\n\t\"Principal\" : { \"AWS\" : [ \"111122223333\" ,\n \"" + user + "\" , \"*\" ] } } ] }\n",
			"{ \"Statement\" : [ {\n\t\"Principal\" : { \"AWS\" : [ \"arn:aws:iam::111122223333:root\" ,\n \"" + id + "\" , \"*\" ] } } ] }\n"},
		"several statements, NotPrincipal": {
			`{"Statement":[{"NotPrincipal":{"AWS":["` + user + `"]}},{"Sid":"` + user + `","Principal":{"AWS":"` + user + `"}}]}`,
			`{"Statement":[{"NotPrincipal":{"AWS":["` + id + `"]}},{"Sid":"` + user + `","Principal":{"AWS":"` + id + `"}}]}`},
		"other types of principal": {
			`{"Statement":[{"Principal":{"Federated":"` + user + `","AWS":"` + user + `","Service":["` + user + `"]}}]}`,
			`{"Statement":[{"Principal":{"Federated":"` + user + `","AWS":"` + id + `","Service":["` + user + `"]}}]}`},
		"other elements": {
			`{"Id":"` + user + `","Statement":[{"Principal":"*","Resource":"` + user + `","Condition":{"ArnEquals":{"AWS":"` + user + `"},"Principal":{"AWS":"` + user + `"}}}]}`,
			`{"Id":"` + user + `","Statement":[{"Principal":"*","Resource":"` + user + `","Condition":{"ArnEquals":{"AWS":"` + user + `"},"Principal":{"AWS":"` + user + `"}}}]}`},
		"escapes": {
			`{"Statement":[{"Sid":"\"\\","Principal":{"AWS":"arn:aws:iam::111122223333:user\/\u0061nn"}}]}`,
			`{"Statement":[{"Sid":"\"\\","Principal":{"AWS":"` + id + `"}}]}`},
		"no policy": {`{"Statement":[{"Principal":{"AWS":"` + user + `"}`, `{"Statement":[{"Principal":{"AWS":"` + user + `"}`},
		"no object": {`["` + user + `"]`, `["` + user + `"]`},
		"no text":   {``, ``},
	} {
		if got := RewritePrincipals(tt.text, to); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, tt.want)
		}
	}
	// What an ARN's path may contain is written as JSON, and not as HTML.
	odd := `arn:aws:iam::111122223333:user/"<&\/ann`
	text := RewritePrincipals(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"`+id+`"},"Action":"*","Resource":"*"}}`, func(string) string { return odd })
	if want := `"AWS":"arn:aws:iam::111122223333:user/\"<&\\/ann"`; !strings.Contains(text, want) {
		t.Errorf("got %s, want in it %s", text, want)
	}
	if d := mustParse(t, Resource, text); d.Principals()[0].Value != odd {
		t.Errorf("%s reads as %v", text, d.Principals())
	}
}

// TestRewritePrincipalsRoundTrip: there and back is the same text, however it is written, and
// the text in between names those that were meant.
func TestRewritePrincipalsRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	arn := func(i int) string { return fmt.Sprintf("arn:aws:iam::111122223333:user/team/u%d", i) }
	id := func(i int) string { return fmt.Sprintf("AIDA%016d", i) }
	var there, back []string
	for i := range 5 {
		there, back = append(there, arn(i), id(i)), append(back, id(i), arn(i))
	}
	toIDs, toARNs := strings.NewReplacer(there...), strings.NewReplacer(back...)
	space := func() string { return strings.Repeat(" \n\t"[r.IntN(3):][:1], r.IntN(3)) }
	for range 2000 {
		var statements []string
		for range 1 + r.IntN(3) {
			var names []string
			for range 1 + r.IntN(3) {
				names = append(names, space()+`"`+arn(r.IntN(5))+`"`+space())
			}
			element := []string{"Principal", "NotPrincipal"}[r.IntN(2)]
			statements = append(statements, fmt.Sprintf(`{%s"Effect":"Deny","%s"%s:%s{"AWS":%s[%s]%s}%s,"Action":"*","Resource":"*"}`,
				space(), element, space(), space(), space(), strings.Join(names, ","), space(), space()))
		}
		text := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, space()+",") + `]}`
		stored := RewritePrincipals(text, toIDs.Replace)
		if want := toIDs.Replace(text); stored != want {
			t.Fatalf("got %s\nwant %s", stored, want)
		}
		if shown := RewritePrincipals(stored, toARNs.Replace); shown != text {
			t.Fatalf("got %s\nwant %s", shown, text)
		}
		for _, p := range mustParse(t, Resource, stored).Principals() {
			if !p.UniqueID() {
				t.Fatalf("%s names %v", stored, p)
			}
		}
	}
}

// TestUniqueIDGrantsAsItsARN: a principal that is named by his unique id is let in exactly
// as far as one who is named by his ARN, and kept out alike.
func TestUniqueIDGrantsAsItsARN(t *testing.T) {
	const account = "111122223333"
	user := Caller{ARN: "arn:aws:iam::" + account + ":user/ann", Account: account, UserID: "AIDAANNANNANNANNANNA", Name: "ann"}
	session := Caller{ARN: "arn:aws:sts::" + account + ":assumed-role/ops/s", RoleARN: "arn:aws:iam::" + account + ":role/ops", Account: account, UserID: "AROAOPSOPSOPSOPSOPSO:s", Name: "s"}
	other := Caller{ARN: "arn:aws:iam::" + account + ":user/bob", Account: account, UserID: "AIDABOBBOBBOBBOBBOBB", Name: "bob"}
	ids := strings.NewReplacer(user.ARN, user.UserID, session.RoleARN, "AROAOPSOPSOPSOPSOPSO")
	limit := []*Document{nil, mustParse(t, Boundary, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:ListSecrets","Resource":"*"}}`)}
	allow := mustParse(t, Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	decisions := map[bool]int{}
	for _, effect := range []string{"Allow", "Deny"} {
		for _, element := range []string{"Principal", "NotPrincipal"} {
			for _, names := range []string{`"` + user.ARN + `"`, `"` + session.RoleARN + `"`, `["` + session.RoleARN + `","` + session.ARN + `"]`} {
				for _, c := range []Caller{user, session, other} {
					for _, boundary := range limit {
						for _, identity := range [][]*Document{nil, {allow}} {
							text := fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"%s","%s":{"AWS":%s},"Action":"*","Resource":"*"}}`, effect, element, names)
							r := &Request{Caller: c, Actions: []string{"secretsmanager:GetSecretValue"}, Resource: "arn:aws:secretsmanager:us-east-1:" + account + ":secret:x-AbCdEf", ResourceAccount: account}
							byARN := Decide(&Set{Identity: identity, Boundary: boundary, Resource: mustParse(t, Resource, text)}, r)
							byID := Decide(&Set{Identity: identity, Boundary: boundary, Resource: mustParse(t, Resource, RewritePrincipals(text, ids.Replace))}, r)
							if byARN != byID {
								t.Errorf("%s of %s: by ARN %+v, by id %+v", text, c.Name, byARN, byID)
							}
							decisions[byID.Allowed]++
						}
					}
				}
			}
		}
	}
	if slices.Contains([]int{decisions[true], decisions[false]}, 0) {
		t.Errorf("all the same: %v", decisions)
	}
}
