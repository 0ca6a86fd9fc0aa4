package policy

import (
	"fmt"
	"strings"
	"testing"

	"tacet"
)

// hotRequest is what the door asks most: a user reads a secret.
func hotRequest() *Request {
	return &Request{
		Caller:          Caller{ARN: "arn:aws:iam::111122223333:user/app", Account: "111122223333", UserID: "AIDAEXAMPLEEXAMPLE12", Name: "app"},
		Actions:         tacet.OpGetSecretValue.Actions(),
		Resource:        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/payments/db-a1B2c3",
		ResourceAccount: "111122223333",
		Context:         fixedContext{},
	}
}

// fixedContext has one value for every key and allocates nothing.
type fixedContext struct{}

var fixedValues = []string{"app"}

func (fixedContext) Value(string) ([]string, bool) { return fixedValues, true }

// tenStatements is a policy of which the last statement allows.
func tenStatements() string {
	var list []string
	for i := range 9 {
		list = append(list, fmt.Sprintf(`{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:DescribeSecret"],
			"Resource":"arn:aws:secretsmanager:*:*:secret:team%d/*"}`, i))
	}
	list = append(list, `{"Effect":"Allow","Action":"secretsmanager:Get*","Resource":"arn:aws:secretsmanager:*:111122223333:secret:prod/*-??????"}`)
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(list, ",") + `]}`
}

// hotSets are the policies whose decisions must be fast and must not allocate.
func hotSets(tb testing.TB) map[string]*Set {
	parse := func(text string) *Document { return mustParse(tb, Identity, text) }
	return map[string]*Set{
		"AllowAll": {Identity: []*Document{parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)}},
		"Ten":      {Identity: []*Document{parse(tenStatements())}},
		"Variable": {Identity: []*Document{parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:*",
			"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/Team":"${aws:username}"},"StringLike":{"aws:username":"a*"}}}}`)}},
		"Resource": {Resource: mustParse(tb, Resource, `{"Version":"2012-10-17","Statement":{"Effect":"Allow",
			"Principal":{"AWS":["arn:aws:iam::111122223333:user/other","arn:aws:iam::111122223333:user/app"]},"Action":"secretsmanager:GetSecretValue","Resource":"*"}}`)},
	}
}

func BenchmarkDecide(b *testing.B) {
	r := hotRequest()
	for name, s := range hotSets(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !Decide(s, r).Allowed {
					b.Fatal("refused")
				}
			}
		})
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	r := hotRequest()
	for name, s := range hotSets(t) {
		allowed := true
		if n := testing.AllocsPerRun(100, func() { allowed = allowed && Decide(s, r).Allowed }); n != 0 {
			t.Errorf("%s: a decision allocates %v times", name, n)
		}
		if !allowed {
			t.Errorf("%s: refused", name)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte(tenStatements())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("ten", Identity, text); err != nil {
			b.Fatal(err)
		}
	}
}

func mustParse(tb testing.TB, kind Kind, text string) *Document {
	tb.Helper()
	d, err := Parse("doc", kind, []byte(text))
	if err != nil {
		tb.Fatalf("%v\n%s", err, text)
	}
	return d
}
