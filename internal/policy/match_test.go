package policy

import (
	"strings"
	"testing"
	"time"

	"tacet"
)

// resourceTests: patterns of Resource against a secret's ARN tail, with alice's context
// (IAM JSON policy elements, Resource: it has a case, and wildcards span ":" and "/". CreateSecret
// is authorised against the future ARN …:secret:<name>-??????, and a name that is unknown
// against the ARN without a suffix.)
var resourceTests = []struct {
	rule, pattern, tail string
	want                bool
}{
	{"a pattern without wildcards is exact", "prod/db-a1B2c3", "prod/db-a1B2c3", true},
	{"and has a case", "Prod/db-a1B2c3", "prod/db-a1B2c3", false},
	{"* is any run, over slashes", "prod/*", "prod/eu/db-a1B2c3", true},
	{"* may be empty", "prod/*db-a1B2c3", "prod/db-a1B2c3", true},
	{"* in the middle", "prod/*-a1B2c3", "prod/db-a1B2c3", true},
	{"? is one character", "prod/db-??????", "prod/db-a1B2c3", true},
	{"? is not none", "prod/db-???????", "prod/db-a1B2c3", false},
	{"? is one character, however many bytes", "prod/?-a1B2c3", "prod/é-a1B2c3", true},
	{"two ? are two", "prod/??-a1B2c3", "prod/é-a1B2c3", false},
	{"* does not split a character", "prod/*??-a1B2c3", "prod/€-a1B2c3", false},
	{"the suffix to come matches ??????", "new-??????", "new-??????", true},
	{"the suffix to come matches *", "new*", "new-??????", true},
	{"the suffix to come is not any suffix", "new-a1B2c3", "new-??????", false},
	{"a name that is not there has no suffix", "none-??????", "none", false},
	{"a name that is not there is on its path", "path/*", "path/none", true},
	{"a variable is its value", "${aws:username}/*", "alice/key-a1B2c3", true},
	{"a variable's name has no case", "${AWS:UserName}/*", "alice/key-a1B2c3", true},
	{"a variable that differs", "${aws:username}/*", "bob/key-a1B2c3", false},
	{"a tag's key has no case either", "${aws:PrincipalTag/TEAM}/*", "red/key-a1B2c3", true},
	{"a tag's key may have spaces", "${aws:PrincipalTag/cost centre}/*", "7/key-a1B2c3", true},
	{"a default stands in for a missing value", "${aws:PrincipalTag/none, 'common'}/*", "common/key-a1B2c3", true},
	{"a default is not used beside a value", "${aws:PrincipalTag/team, 'common'}/*", "common/key-a1B2c3", false},
	{"a default is a literal", "${aws:PrincipalTag/none, '*'}/key-a1B2c3", "common/key-a1B2c3", false},
	{"a default may have a brace", "${aws:PrincipalTag/none,'a}b'}", "a}b", true},
	{"a missing value matches nothing", "${aws:PrincipalTag/none}*", "alice/key-a1B2c3", false},
	{"several values match nothing", "${aws:TagKeys}*", "one", false},
	{"an empty value is a value", "${aws:PrincipalTag/empty}x", "x", true},
	{"${*} is a star", "${*}", "*", true},
	{"${*} is only a star", "${*}", "x", false},
	{"${?} is a question mark", "a${?}", "a?", true},
	{"${?} is only a question mark", "a${?}", "ab", false},
	{"${$} is a dollar, and what follows is text", "${$}{aws:username}", "${aws:username}", true},
	{"a dollar alone is a dollar", "a$b", "a$b", true},
}

func aliceContext() mapContext {
	return mapContext{"aws:username": {"alice"}, "aws:principaltag/team": {"red"}, "aws:principaltag/cost centre": {"7"},
		"aws:principaltag/empty": {""}, "aws:tagkeys": {"one", "two"}}
}

func TestResources(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
	for _, tt := range resourceTests {
		t.Run(tt.rule, func(t *testing.T) {
			doc := mustParse(t, Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"`+arn+tt.pattern+`"}}`)
			r := &Request{Caller: callers["alice"], Actions: []string{"secretsmanager:GetSecretValue"}, Resource: arn + tt.tail, ResourceAccount: home, Context: aliceContext()}
			if got := Decide(&Set{Identity: []*Document{doc}}, r).Allowed; got != tt.want {
				t.Errorf("%s on %s: %v", tt.pattern, tt.tail, got)
			}
		})
	}
}

// TestWildcardsSpanColons: in Resource "*" reaches over every separator.
func TestWildcardsSpanColons(t *testing.T) {
	doc := mustParse(t, Identity, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:*:prod/db-a1B2c3"}}`)
	r := &Request{Caller: callers["alice"], Actions: []string{"a:b"}, Resource: dbSecret, ResourceAccount: home}
	if !Decide(&Set{Identity: []*Document{doc}}, r).Allowed {
		t.Error("refused")
	}
}

// TestVersion2008: a document of 2008-10-17, or without a Version, has no variables.
func TestVersion2008(t *testing.T) {
	for _, version := range []string{"", `"Version":"2008-10-17",`} {
		doc := mustParse(t, Identity, `{`+version+`"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:x:${aws:username}"}}`)
		for resource, want := range map[string]bool{"arn:x:alice": false, "arn:x:${aws:username}": true} {
			r := &Request{Caller: callers["alice"], Actions: []string{"a:b"}, Resource: resource, ResourceAccount: home, Context: aliceContext()}
			if got := Decide(&Set{Identity: []*Document{doc}}, r).Allowed; got != want {
				t.Errorf("%q on %s: %v", version, resource, got)
			}
		}
	}
}

// TestUnresolvedException: a NotResource with a variable that has no value must not
// make an Allow wider, and does not make a Deny narrower.
func TestUnresolvedException(t *testing.T) {
	text := func(effect string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"` + effect + `","Action":"*","NotResource":"arn:x:${aws:username}"}]}`
	}
	r := &Request{Caller: callers["session"], Actions: []string{"s3:Get"}, Resource: "arn:x:other", ResourceAccount: home, Context: mapContext{}}
	if d := Decide(&Set{Identity: []*Document{mustParse(t, Identity, text("Deny"))}}, r); d.Reason != tacet.DenyExplicitIdentity {
		t.Errorf("deny: %+v", d)
	}
	r.Actions = []string{"ec2:Get"}
	if d := Decide(&Set{Identity: []*Document{mustParse(t, Identity, text("Allow"))}}, r); d.Allowed {
		t.Errorf("allow: %+v", d)
	}
}

func TestActions(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "secretsmanager:GetSecretValue", true},
		{"secretsmanager:GetSecretValue", "secretsmanager:GetSecretValue", true},
		{"SecretsManager:getsecretvalue", "secretsmanager:GetSecretValue", true},
		{"secretsmanager:GetSecretValue", "SECRETSMANAGER:GETSECRETVALUE", true},
		{"secretsmanager:Get*", "secretsmanager:GetSecretValue", true},
		{"SECRETSMANAGER:GET*", "secretsmanager:GetSecretValue", true},
		{"secretsmanager:*Value", "secretsmanager:GetSecretValue", true},
		{"secretsmanager:*VALUE", "secretsmanager:GetSecretValue", true},
		{"secretsmanager:?etSecretValue", "secretsmanager:GetSecretValue", true},
		{"secretsmanager:Get", "secretsmanager:GetSecretValue", false},
		{"secretsmanager:GetSecretValues", "secretsmanager:GetSecretValue", false},
		{"secretsmanager:List*", "secretsmanager:GetSecretValue", false},
		{"microsoft.keyvault/vaults/secrets/*", "Microsoft.KeyVault/vaults/secrets/getSecret/action", true},
	} {
		a := compileAction(tt.pattern)
		if got := a.match(tt.name); got != tt.want {
			t.Errorf("%s on %s: %v", tt.pattern, tt.name, got)
		}
	}
}

// TestMatchingIsNotExponential: the patterns that take regular expression engines with
// backtracking for ever are done in the product of the lengths at most.
func TestMatchingIsNotExponential(t *testing.T) {
	value := strings.Repeat("a", 4000)
	for _, p := range []string{
		strings.Repeat("a*", 1500) + "b",
		strings.Repeat("*a", 1500) + "b",
		strings.Repeat("*a?", 1000) + "b",
		strings.Repeat("?*", 1500) + "b",
		"*" + strings.Repeat("a", 1999) + "b*",
		strings.Repeat("*", 4000) + "b",
	} {
		start := time.Now()
		c := simplePattern(encode(p))
		if c.match(value, nil) {
			t.Errorf("%.20s… matches", p)
		}
		// 16 million steps at worst; a second is ample on the slowest machine.
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%.20s… took %v", p, d)
		}
	}
}
