package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// st wraps the body of one statement into a document.
func st(body string) string { return `{"Version":"2012-10-17","Statement":[{` + body + `}]}` }

const ok = `"Effect":"Allow","Action":"a:b","Resource":"*"`

// parseErrors: a document, and the place that its error names.
var parseErrors = []struct {
	rule  string
	kind  Kind
	text  string
	place string
	says  string // part of the problem
}{
	{"empty text", Identity, ``, "", "the text is empty"},
	{"space alone", Identity, " \n", "", "the text is empty"},
	{"not JSON", Identity, `{"Statement":}`, "", "in line 1, column 14"},
	{"not JSON in a later line", Identity, "{\n \"Id\": \"é\",\n \"Id\" }", "", "in line 3, column 7"},
	{"not JSON because it ends", Identity, "{\n", "", "unexpected end of JSON input, in line 2, column 1"},
	{"a byte order mark", Identity, "\ufeff" + st(ok), "", "byte order mark"},
	{"a key without a name", Identity, `{"":1}`, `""`, "unknown element"},
	{"text after the document", Identity, st(ok) + `x`, "", "not JSON"},
	{"two documents", Identity, st(ok) + st(ok), "", "not JSON"},
	{"invalid UTF-8", Identity, "{\"Id\":\"\xff\"}", "", "UTF-8"},
	{"a half surrogate", Identity, `{"Id":"\ud800"}`, "Id", "surrogate"},
	{"a list", Identity, `[]`, "", "must be an object, not a list"},
	{"too deep", Identity, `{"Statement":[[[[[[[[]]]]]]]]}`, "Statement[0][0][0][0][0][0][0]", "nested deeper"},
	{"no statement", Identity, `{"Version":"2012-10-17"}`, "", "Statement is missing"},
	{"an unknown element", Identity, `{"Statment":[]}`, "Statment", "unknown element"},
	{"an element in another case", Identity, `{"statement":{` + ok + `}}`, "statement", "unknown element"},
	{"an element given twice", Identity, `{"Version":"2012-10-17","Version":"2008-10-17","Statement":{` + ok + `}}`, "Version", "given twice"},
	{"a key given twice by escapes", Identity, `{"Id":"a","\u0049d":"b"}`, "Id", "given twice"},
	{"an unknown version", Identity, `{"Version":"2012-10-18","Statement":{` + ok + `}}`, "Version", "2012-10-17"},
	{"a version that is a number", Identity, `{"Version":20121017,"Statement":{` + ok + `}}`, "Version", "must be"},
	{"an Id that is a number", Identity, `{"Id":1,"Statement":{` + ok + `}}`, "Id", "must be a string, not a number"},
	{"an Id with a line break", Identity, `{"Id":"a\nb","Statement":{` + ok + `}}`, "Id", "control"},
	{"no statements", Identity, `{"Statement":[]}`, "Statement", "must not be empty"},
	{"a statement that is a string", Identity, `{"Statement":"x"}`, "Statement", "must be an object or a list"},
	{"one of them that is", Identity, `{"Statement":[{` + ok + `},"x"]}`, "Statement[1]", "must be an object"},
	{"too many statements", Identity, `{"Statement":[` + strings.Repeat(`{},`, MaxStatements) + `{}]}`, "Statement", "limit is 256"},

	{"an unknown element of a statement", Identity, st(ok + `,"Conditions":{}`), "Statement[0].Conditions", "unknown element"},
	{"an element of a statement given twice", Identity, st(ok + `,"Action":"c:d"`), "Statement[0].Action", "given twice"},
	{"a single statement", Identity, `{"Statement":{` + ok + `,"x":1}}`, "Statement.x", "unknown element"},
	{"a hostile key", Identity, "{\"a\\nb\":1}", `"a\nb"`, "unknown element"},
	{"a Sid that is a number", Identity, st(ok + `,"Sid":1`), "Statement[0].Sid", "must be a string"},
	{"a Sid with a space", Identity, st(ok + `,"Sid":"a b"`), "Statement[0].Sid", "letters and digits"},
	{"a Sid given twice", Identity, `{"Statement":[{"Sid":"a",` + ok + `},{"Sid":"a",` + ok + `}]}`, "Statement[1].Sid", "earlier"},
	{"no effect", Identity, st(`"Action":"a:b","Resource":"*"`), "Statement[0]", "Effect is missing"},
	{"another effect", Identity, st(`"Effect":"allow","Action":"a:b","Resource":"*"`), "Statement[0].Effect", `"Allow" or "Deny"`},

	{"no action", Identity, st(`"Effect":"Allow","Resource":"*"`), "Statement[0]", "Action is missing"},
	{"both actions", Identity, st(ok + `,"NotAction":"c:d"`), "Statement[0]", "Action and NotAction"},
	{"an empty list of actions", Identity, st(`"Effect":"Allow","Action":[],"Resource":"*"`), "Statement[0].Action", "must not be empty"},
	{"an empty action", Identity, st(`"Effect":"Allow","Action":["a:b",""],"Resource":"*"`), "Statement[0].Action[1]", "must not be empty"},
	{"an action that is a number", Identity, st(`"Effect":"Allow","Action":["a:b",1],"Resource":"*"`), "Statement[0].Action[1]", "must be a string, not a number"},
	{"an action that is an object", Identity, st(`"Effect":"Allow","Action":{},"Resource":"*"`), "Statement[0].Action", "string or a list"},
	{"an action without a service", Identity, st(`"Effect":"Allow","Action":"GetSecretValue","Resource":"*"`), "Statement[0].Action", "a service, a colon"},
	{"an action with a space", Identity, st(`"Effect":"Allow","Action":"a: b","Resource":"*"`), "Statement[0].Action", "' ' is not a character"},
	{"an action with a variable", Identity, st(`"Effect":"Allow","Action":"a:${aws:username}","Resource":"*"`), "Statement[0].Action", "'$'"},
	{"an action with a letter like another", Identity, st(`"Effect":"Allow","Action":"secretsmanager:\u212Aey","Resource":"*"`), "Statement[0].Action", "not a character"},

	{"no resource", Identity, st(`"Effect":"Allow","Action":"a:b"`), "Statement[0]", "Resource is missing"},
	{"no resource in a resource policy", Resource, st(`"Effect":"Allow","Principal":"*","Action":"a:b"`), "Statement[0]", "Resource is missing"},
	{"both resources", Session, st(ok + `,"NotResource":"*"`), "Statement[0]", "Resource and NotResource"},
	{"a resource that is a name", Identity, st(`"Effect":"Allow","Action":"a:b","Resource":"prod/db"`), "Statement[0].Resource", "an ARN"},
	{"an empty list of resources", Identity, st(`"Effect":"Allow","Action":"a:b","NotResource":[]`), "Statement[0].NotResource", "must not be empty"},
	{"a resource in a trust policy", Trust, st(`"Effect":"Allow","Resource":"*","Action":"sts:AssumeRole","Principal":"*"`), "Statement[0].Resource", "not an element of this kind"},
	{"an open variable", Identity, st(`"Effect":"Allow","Action":"a:b","Resource":"arn:${aws:username"`), "Statement[0].Resource", "closing brace"},
	{"an empty variable", Identity, st(`"Effect":"Allow","Action":"a:b","Resource":"arn:${}"`), "Statement[0].Resource", "must be a prefix"},
	{"a variable with a space", Identity, st(`"Effect":"Allow","Action":"a:b","Resource":"arn:${ aws:username}"`), "Statement[0].Resource", "begins or ends with a space"},
	{"a key with a space", Identity, st(ok + `,"Condition":{"StringEquals":{"aws:username ":"x"}}`), `Statement[0].Condition.StringEquals."aws:username "`, "begins or ends with a space"},
	{"a variable in a principal", Resource, st(ok + `,"Principal":{"AWS":"arn:aws:iam::111122223333:user/${aws:username}"}`), "Statement[0].Principal.AWS", "no variables"},
	{"a variable in a variable", Identity, st(`"Effect":"Allow","Action":"a:b","Resource":"arn:${aws:${aws:username}}"`), "Statement[0].Resource", "not the name"},
	{"a variable with a wildcard", Identity, st(`"Effect":"Allow","Action":"a:b","Resource":"arn:${aws:*}"`), "Statement[0].Resource", "not the name"},
	{"a default without quotes", Identity, st(`"Effect":"Allow","Action":"a:b","Resource":"arn:${aws:username, x}"`), "Statement[0].Resource", "single quotes"},
	{"a default without an end", Identity, st(`"Effect":"Allow","Action":"a:b","Resource":"arn:${aws:username, 'x}"`), "Statement[0].Resource", "closing quote"},

	{"a principal in an identity policy", Identity, st(ok + `,"Principal":"*"`), "Statement[0].Principal", "identity-based policy"},
	{"a principal in a session policy", Session, st(ok + `,"Principal":"*"`), "Statement[0].Principal", "session policy"},
	{"a principal in a boundary", Boundary, st(ok + `,"NotPrincipal":"*"`), "Statement[0].NotPrincipal", "permissions boundary"},
	{"no principal in a resource policy", Resource, st(ok), "Statement[0]", "Principal is missing"},
	{"no principal in a trust policy", Trust, st(`"Effect":"Allow","Action":"sts:AssumeRole"`), "Statement[0]", "Principal is missing"},
	{"an action of another service in a trust policy", Trust, st(`"Effect":"Allow","Action":["sts:AssumeRole","s3:GetObject"],"Principal":"*"`), "Statement[0].Action[1]", "STS AssumeRole actions"},
	{"every action in a trust policy", Trust, st(`"Effect":"Allow","Action":"*","Principal":"*"`), "Statement[0].Action", "STS AssumeRole actions"},
	{"another action of STS in a trust policy", Trust, st(`"Effect":"Allow","Action":"sts:GetCallerIdentity","Principal":"*"`), "Statement[0].Action", "STS AssumeRole actions"},
	{"NotPrincipal in a trust policy", Trust, st(`"Effect":"Allow","Action":"sts:AssumeRole","NotPrincipal":"*"`), "Statement[0].NotPrincipal", "trust policy"},
	{"both principals", Resource, st(ok + `,"Principal":"*","NotPrincipal":"*"`), "Statement[0]", "Principal and NotPrincipal"},
	{"a principal that is an ARN alone", Resource, st(ok + `,"Principal":"` + alice + `"`), "Statement[0].Principal", `must be "*" or an object`},
	{"an empty principal", Resource, st(ok + `,"Principal":{}`), "Statement[0].Principal", "must not be empty"},
	{"an empty list of principals", Resource, st(ok + `,"Principal":{"AWS":[]}`), "Statement[0].Principal.AWS", "must not be empty"},
	{"an unknown type of principal", Resource, st(ok + `,"Principal":{"Aws":"*"}`), "Statement[0].Principal.Aws", "unknown type"},
	{"a wildcard in a principal", Resource, st(ok + `,"Principal":{"AWS":["*","arn:aws:iam::111122223333:user/*"]}`), "Statement[0].Principal.AWS[1]", "wildcard"},
	{"an account of eleven digits", Resource, st(ok + `,"Principal":{"AWS":"11112222333"}`), "Statement[0].Principal.AWS", "must be"},
	{"the ARN of a group", Resource, st(ok + `,"Principal":{"AWS":"arn:aws:iam::111122223333:group/g"}`), "Statement[0].Principal.AWS", "must be"},
	{"the ARN of a user without a name", Resource, st(ok + `,"Principal":{"AWS":"arn:aws:iam::111122223333:user/"}`), "Statement[0].Principal.AWS", "must be"},
	{"the ARN of half a session", Resource, st(ok + `,"Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/ops"}`), "Statement[0].Principal.AWS", "must be"},
	{"every service", Resource, st(ok + `,"Principal":{"Service":"*"}`), "Statement[0].Principal.Service", "name of a service"},
	{"a user as a service", Resource, st(ok + `,"Principal":{"Service":"` + alice + `"}`), "Statement[0].Principal.Service", "name of a service"},
	{"a user as a provider", Resource, st(ok + `,"Principal":{"Federated":"` + alice + `"}`), "Statement[0].Principal.Federated", "identity provider"},
	{"every provider", Trust, st(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Federated":"*"}`), "Statement[0].Principal.Federated", "identity provider"},
	{"a canonical user that is a name", Resource, st(ok + `,"Principal":{"CanonicalUser":"alice"}`), "Statement[0].Principal.CanonicalUser", "64"},

	{"a condition that is a list", Identity, st(ok + `,"Condition":[]`), "Statement[0].Condition", "must be an object"},
	{"an unknown operator", Identity, st(ok + `,"Condition":{"StringFoo":{"aws:username":"x"}}`), "Statement[0].Condition.StringFoo", "unknown operator"},
	{"an operator in another case", Identity, st(ok + `,"Condition":{"stringEquals":{"aws:username":"x"}}`), "Statement[0].Condition.stringEquals", "unknown operator"},
	{"an unknown prefix", Identity, st(ok + `,"Condition":{"ForEachValue:StringEquals":{"aws:username":"x"}}`), "Statement[0].Condition.ForEachValue:StringEquals", "unknown operator"},
	{"the suffix twice", Identity, st(ok + `,"Condition":{"BoolIfExistsIfExists":{"aws:username":"x"}}`), "Statement[0].Condition.BoolIfExistsIfExists", "unknown operator"},
	{"Null with a suffix", Identity, st(ok + `,"Condition":{"NullIfExists":{"aws:username":"true"}}`), "Statement[0].Condition.NullIfExists", "unknown operator"},
	{"Null with a prefix", Identity, st(ok + `,"Condition":{"ForAnyValue:Null":{"aws:username":"true"}}`), "Statement[0].Condition.ForAnyValue:Null", "unknown operator"},
	{"an operator that is a string", Identity, st(ok + `,"Condition":{"Bool":"x"}`), "Statement[0].Condition.Bool", "must be an object"},
	{"an operator of nothing", Identity, st(ok + `,"Condition":{"Bool":{}}`), "Statement[0].Condition.Bool", "must not be empty"},
	{"an operator given twice", Identity, st(ok + `,"Condition":{"Bool":{"a:b":true},"Bool":{"a:b":false}}`), "Statement[0].Condition.Bool", "given twice"},
	{"a key given twice in two cases", Identity, st(ok + `,"Condition":{"Bool":{"a:b":true,"A:B":false}}`), "Statement[0].Condition.Bool.A:B", "given twice"},
	{"a key without a prefix", Identity, st(ok + `,"Condition":{"StringEquals":{"username":"x"}}`), "Statement[0].Condition.StringEquals.username", "a prefix, a colon"},
	{"a tag without a key", Identity, st(ok + `,"Condition":{"StringEquals":{"aws:RequestTag/":"x"}}`), "Statement[0].Condition.StringEquals.aws:RequestTag/", "a prefix, a colon"},
	{"a key with a variable", Identity, st(ok + `,"Condition":{"StringEquals":{"aws:RequestTag/${aws:username}":"x"}}`), "Statement[0].Condition.StringEquals.aws:RequestTag/${aws:username}", "not the name"},
	{"no values", Identity, st(ok + `,"Condition":{"StringEquals":{"aws:username":[]}}`), "Statement[0].Condition.StringEquals.aws:username", "must not be empty"},
	{"a null value", Identity, st(ok + `,"Condition":{"StringEquals":{"aws:username":["x",null]}}`), "Statement[0].Condition.StringEquals.aws:username[1]", "not null"},
	{"a value that is an object", Identity, st(ok + `,"Condition":{"StringEquals":{"aws:username":{}}}`), "Statement[0].Condition.StringEquals.aws:username", "not an object"},
	{"a number that is none", Identity, st(ok + `,"Condition":{"NumericEquals":{"a:b":"seven"}}`), "Statement[0].Condition.NumericEquals.a:b", "decimal number"},
	{"a number with an exponent", Identity, st(ok + `,"Condition":{"NumericEquals":{"a:b":1e3}}`), "Statement[0].Condition.NumericEquals.a:b", "decimal number"},
	{"a number that is a variable", Identity, st(ok + `,"Condition":{"NumericEquals":{"a:b":"${c:d}"}}`), "Statement[0].Condition.NumericEquals.a:b", "decimal number"},
	{"a date that is none", Identity, st(ok + `,"Condition":{"DateLessThan":{"a:b":"2026-13-01"}}`), "Statement[0].Condition.DateLessThan.a:b", "a date"},
	{"a date without a zone", Identity, st(ok + `,"Condition":{"DateLessThan":{"a:b":"2026-01-02T03:04:05"}}`), "Statement[0].Condition.DateLessThan.a:b", "a date"},
	{"a boolean that is none", Identity, st(ok + `,"Condition":{"Bool":{"a:b":"yes"}}`), "Statement[0].Condition.Bool.a:b", "true or false"},
	{"a Null that is none", Identity, st(ok + `,"Condition":{"Null":{"a:b":1}}`), "Statement[0].Condition.Null.a:b", "true or false"},
	{"a binary that is not base64", Identity, st(ok + `,"Condition":{"BinaryEquals":{"a:b":"AAE"}}`), "Statement[0].Condition.BinaryEquals.a:b", "base64"},
	{"an address that is none", Identity, st(ok + `,"Condition":{"IpAddress":{"a:b":["10.0.0.1","10.0.0.256"]}}`), "Statement[0].Condition.IpAddress.a:b[1]", "CIDR"},
	{"a mask that is none", Identity, st(ok + `,"Condition":{"NotIpAddress":{"a:b":"10.0.0.0/33"}}`), "Statement[0].Condition.NotIpAddress.a:b", "CIDR"},
	{"an ARN of five parts", Identity, st(ok + `,"Condition":{"ArnLike":{"a:b":"arn:aws:iam::111122223333"}}`), "Statement[0].Condition.ArnLike.a:b", "six parts"},
	{"a variable with a slip in a condition", Identity, st(ok + `,"Condition":{"StringLike":{"a:b":"x${aws:}"}}`), "Statement[0].Condition.StringLike.a:b", "variable"},
	{"an unknown kind", Kind(9), st(ok), "", "no policy of kind 9"},
}

func TestParseErrors(t *testing.T) {
	for _, tt := range parseErrors {
		t.Run(tt.rule, func(t *testing.T) {
			d, err := Parse("p", tt.kind, []byte(tt.text))
			var e *SyntaxError
			if d != nil || !errors.As(err, &e) {
				t.Fatalf("accepted or not a SyntaxError: %v", err)
			}
			if e.Place != tt.place || !strings.Contains(e.Problem, tt.says) {
				t.Errorf("place %q problem %q, want %q and %q", e.Place, e.Problem, tt.place, tt.says)
			}
			if want := e.Problem; tt.place == "" && err.Error() != want || tt.place != "" && err.Error() != tt.place+": "+want {
				t.Errorf("Error() = %q", err)
			}
		})
	}
}

// TestParseAccepts: forms that AWS takes and tools write.
func TestParseAccepts(t *testing.T) {
	for _, tt := range []struct {
		rule string
		kind Kind
		text string
	}{
		{"a single statement", Identity, `{"Statement":{` + ok + `}}`},
		{"an Id", Identity, `{"Id":"x","Statement":{` + ok + `}}`},
		{"empty Sids, as tools write them", Identity, `{"Statement":[{"Sid":"",` + ok + `},{"Sid":"",` + ok + `}]}`},
		{"an empty condition", Identity, st(ok + `,"Condition":{}`)},
		{"any text as a Sid in a resource policy", Resource, st(ok + `,"Principal":"*","Sid":"Allow the team, élise too"`)},
		{"every type of principal", Resource, st(ok + `,"Principal":{"AWS":["*","111122223333","` + alice + `","` + opsRole + `","` + opsRun +
			`","arn:aws:sts::111122223333:federated-user/bob","arn:aws-cn:iam::111122223333:root","AIDAALICEALICEALICE1","AROAOPSOPSOPSOPSOPS1"],
			"Service":["lambda.amazonaws.com"],"Federated":["` + provider + `","accounts.google.com","arn:aws:iam::111122223333:saml-provider/corp"],
			"CanonicalUser":"` + strings.Repeat("0a", 32) + `"}`)},
		{"space around everything", Session, "\n { \"Statement\" : { " + ok + " } }\n"},
		{"a boundary", Boundary, st(ok)},
		{"a trust policy", Trust, st(`"Effect":"Allow","Action":["sts:AssumeRole","STS:TagSession","sts:SetSourceIdentity","sts:AssumeRoleWith*"],"Principal":{"AWS":"111122223333"}`)},
		{"what looks like a variable in 2008", Identity, `{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"arn:${"}}`},
	} {
		if _, err := Parse("p", tt.kind, []byte(tt.text)); err != nil {
			t.Errorf("%s: %v", tt.rule, err)
		}
	}
}

func TestParseLimit(t *testing.T) {
	text := []byte(st(ok + `,"Sid":"` + strings.Repeat("a", 100) + `"`))
	if _, err := ParseLimit("p", Identity, text, len(text)); err != nil {
		t.Error(err)
	}
	if _, err := ParseLimit("p", Identity, text, len(text)-1); err == nil || !strings.Contains(err.Error(), "characters") {
		t.Errorf("got %v", err)
	}
	// The limit counts characters.
	wide := []byte(st(ok + `,"Principal":"*","Sid":"` + strings.Repeat("é", 100) + `"`))
	if _, err := ParseLimit("p", Resource, wide, len(wide)-100); err != nil {
		t.Error(err)
	}
	long := []byte(`{"Version":"2012-10-17","Statement":[{"Sid":"` + strings.Repeat("a", 30_000) + `","Effect":"Allow","Action":"*","Resource":"*"}]}`)
	if _, err := Parse("p", Identity, long); err == nil {
		t.Error("a document of 30,000 characters was accepted")
	}
	if _, err := ParseStored("p", Identity, long); err != nil {
		t.Errorf("one that was accepted once: %v", err)
	}
}

// TestLimitsOfKinds: each kind of policy may be as long as in AWS (IAM and AWS STS quotas,
// AWS Secrets Manager quotas), and white space counts only where it does there.
func TestLimitsOfKinds(t *testing.T) {
	for _, tt := range []struct {
		kind       Kind
		limit      int
		whiteSpace bool
	}{
		{Identity, 10240, false}, {Boundary, 6144, false}, {Trust, 2048, false}, {Session, 2048, true}, {Resource, 20480, true},
	} {
		text := `{"Id":"` + strings.Repeat("i", tt.limit) + `","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Principal":"*"}}`
		switch tt.kind {
		case Trust:
			text = strings.Replace(text, `"Resource":"*",`, "", 1)
		case Identity, Boundary, Session:
			text = strings.Replace(text, `,"Principal":"*"`, "", 1)
		}
		text = strings.Replace(text, strings.Repeat("i", len(text)-tt.limit), "", 1)
		if _, err := Parse("p", tt.kind, []byte(text)); err != nil || len(text) != tt.limit {
			t.Errorf("%v of %d characters: %v", tt.kind, len(text), err)
		}
		if _, err := Parse("p", tt.kind, []byte(strings.Replace(text, "ii", "iii", 1))); err == nil || !strings.Contains(err.Error(), fmt.Sprint(tt.limit)) {
			t.Errorf("%v of a character more: %v", tt.kind, err)
		}
		if _, err := Parse("p", tt.kind, []byte(text+" \n\t")); (err != nil) != tt.whiteSpace {
			t.Errorf("%v with white space: %v", tt.kind, err)
		}
		if _, err := Parse("p", tt.kind, []byte(text+strings.Repeat(" ", maxText))); err == nil {
			t.Errorf("%v with white space without end is accepted", tt.kind)
		}
	}
}

func TestDocumentTellsOfItself(t *testing.T) {
	d := mustParseAs(t, "team", Resource, `{"Id":"id","Statement":[
		{"Sid":"A","Effect":"Allow","Principal":{"AWS":["`+alice+`","`+opsRole+`"],"Service":"lambda.amazonaws.com"},"Action":"a:b","Resource":"*"},
		{"Effect":"Deny","NotPrincipal":{"AWS":["`+alice+`","*"]},"Action":"a:b","Resource":"*"},
		{"Sid":"C","Effect":"Allow","Principal":"*","Action":"a:b","Resource":"*","Condition":{"StringEquals":{"aws:userid":["x","y"]}}}]}`)
	if d.Name() != "team" || d.Kind() != Resource || d.ID() != "id" {
		t.Errorf("%q %v %q", d.Name(), d.Kind(), d.ID())
	}
	statements := []StatementInfo{
		{Index: 0, Sid: "A", Effect: Allow, Principals: []Principal{{"AWS", alice}, {"AWS", opsRole}, {"Service", "lambda.amazonaws.com"}}},
		{Index: 1, Effect: Deny, Principals: []Principal{{"AWS", alice}, {"AWS", "*"}}, Excepted: true},
		{Index: 2, Sid: "C", Effect: Allow, Principals: []Principal{{"AWS", "*"}},
			Conditions: []ConditionTrace{{Operator: "StringEquals", Key: "aws:userid", Wanted: []string{"x", "y"}}}},
	}
	if diff := cmp.Diff(statements, d.Statements()); diff != "" {
		t.Error(diff)
	}
	want := []Principal{{"AWS", alice}, {"AWS", opsRole}, {"Service", "lambda.amazonaws.com"}, {"AWS", "*"}}
	if diff := cmp.Diff(want, d.Principals()); diff != "" {
		t.Error(diff)
	}
	if p := mustParse(t, Identity, allowAll).Principals(); p != nil {
		t.Errorf("an identity policy names %v", p)
	}
}

func TestKindsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for k := Identity; k <= Boundary+1; k++ {
		seen[fmt.Sprint(k)] = true
	}
	if len(seen) != 6 {
		t.Errorf("%v", seen)
	}
}
