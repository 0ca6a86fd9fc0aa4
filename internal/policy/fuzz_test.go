package policy

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"tacet"
)

// FuzzParse: no text makes Parse panic; what it refuses has a place and a problem that
// are fit to print; what it accepts is read the same way again, and decides.
func FuzzParse(f *testing.F) {
	for _, tt := range parseErrors {
		f.Add(int(tt.kind), tt.text)
	}
	for _, tt := range decisionTests {
		for kind, text := range map[Kind]string{Identity: tt.identity, Resource: tt.resource, Boundary: tt.boundary, Session: tt.session} {
			if text != "" {
				f.Add(int(kind), text)
			}
		}
	}
	for _, tt := range lintTests {
		f.Add(int(tt.kind), tt.text)
	}
	f.Add(int(Trust), st(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Federated":"`+provider+`"},"Condition":{"StringEquals":{"id.example.com:aud":"x"}}`))
	f.Add(int(Identity), st(ok+`,"Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["${aws:PrincipalTag/a b, 'c'}${*}","?*"]},"NumericLessThan":{"a:b":7},"IpAddress":{"a:b":"::/0"}}`))
	f.Fuzz(func(t *testing.T, kind int, text string) {
		d, err := Parse("p", Kind(kind), []byte(text))
		GuessKind([]byte(text))
		if err != nil {
			e, isSyntax := err.(*SyntaxError)
			if !isSyntax || d != nil || e.Problem == "" {
				t.Fatalf("%v, %v", d, err)
			}
			if strings.ContainsFunc(e.Place, func(r rune) bool { return r < ' ' }) {
				t.Fatalf("the place %q is not fit to print", e.Place)
			}
			return
		}
		again, err := Parse("p", Kind(kind), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d.Statements(), again.Statements()); diff != "" {
			t.Fatal(diff)
		}
		if len(d.Statements()) == 0 || len(d.denies)+len(d.allows) != len(d.statements) {
			t.Fatal("statements got lost")
		}
		// JSON that is indented differently is the same policy.
		spaced, err := Parse("p", Kind(kind), []byte(" "+text+"\n"))
		if err == nil && (spaced.Public() != d.Public() || len(spaced.Principals()) != len(d.Principals())) {
			t.Fatal("space changes the policy")
		}
		if findings := Lint(Kind(kind), []byte(text)); len(findings) > 0 && findings[0].Rule == "syntax" {
			t.Fatalf("what Parse takes Lint does not: %v", findings[0])
		}
		for name, c := range callers {
			r := &Request{Caller: c, Actions: tacet.OpGetSecretValue.Actions(), Resource: dbSecret, ResourceAccount: home, Context: aliceContext()}
			for _, s := range []*Set{{Identity: []*Document{d}}, {Resource: d}} {
				if first, second := Decide(s, r), Decide(s, r); first != second {
					t.Fatalf("%s: two decisions on one question", name)
				}
				if len(Explain(s, r)) != len(d.statements) {
					t.Fatal("a statement has no trace")
				}
			}
		}
	})
}

// FuzzMatch: the wildcard matcher agrees with a regular expression on any text, and a
// value inserted for a variable matches itself and what follows only.
func FuzzMatch(f *testing.F) {
	for _, tt := range resourceTests {
		f.Add(tt.pattern, tt.tail)
	}
	f.Add("*€?*", "é€€")
	f.Add("a**?b*", "axxb")
	f.Add("*\xc3?", "é")
	f.Fuzz(func(t *testing.T, text, value string) {
		if len(text) > 200 || len(value) > 2000 || !utf8.ValidString(text) || strings.Contains(text, "\ufffd") {
			t.Skip() // policies are checked for this when they are read
		}
		expression := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(text))
		p := simplePattern(encode(text))
		want := regexp.MustCompile(`(?s)^` + expression + `$`).MatchString(value)
		if got := p.match(value, nil); got != want {
			t.Errorf("%q on %q: %v, the regular expression says %v", text, value, got, want)
		}
		if ascii := !strings.ContainsFunc(text+value, func(r rune) bool { return r >= utf8.RuneSelf }); ascii {
			a := compileAction(text)
			want := regexp.MustCompile(`(?is)^` + expression + `$`).MatchString(value)
			if got := a.match(value); got != want {
				t.Errorf("action %q on %q: %v, the regular expression says %v", text, value, got, want)
			}
		}
		v := pattern{kind: matchTemplate, parts: []part{{text: encode("a?")}, {key: "aws:username"}, {text: encode("*z")}}}
		ctx := mapContext{"aws:username": {value}}
		if got, want := v.match("ax"+value+"yz", ctx), utf8.ValidString(value); got != want {
			t.Errorf("the value %q does not match itself", value)
		}
		if v.match("ax"+value+"y", ctx) {
			t.Errorf("the value %q matches without its end", value)
		}
		if text != value && len(text) > 0 && v.match("ax"+text+"z", ctx) && !strings.HasPrefix(text+"z", value) {
			t.Errorf("the value %q matches %q", value, text)
		}
	})
}
