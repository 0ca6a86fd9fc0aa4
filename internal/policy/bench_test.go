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
		// As a secret's policy is kept: it has ids.
		"ResourceByID": {Resource: mustParse(tb, Resource, `{"Version":"2012-10-17","Statement":{"Effect":"Allow",
			"Principal":{"AWS":["AIDAEXAMPLEEXAMPLE99","AIDAEXAMPLEEXAMPLE12"]},"Action":"secretsmanager:GetSecretValue","Resource":"*"}}`)},
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

// realContext has the keys of a user's request, as a map: a look-up costs what one does.
var realContext = mapContext{
	"aws:principalarn": {"arn:aws:iam::111122223333:user/app"}, "aws:principalaccount": {"111122223333"}, "aws:username": {"app"},
	"aws:sourceip": {"10.1.2.3"}, "aws:securetransport": {"true"}, "aws:requestedregion": {"eu-central-1"}, "aws:useragent": {"aws-sdk-go-v2/1.40"},
	"aws:currenttime": {"2026-01-02T03:04:05Z"}, "aws:epochtime": {"1767323045"}, "secretsmanager:versionstage": {"AWSCURRENT"},
	"aws:principaltag/team": {"payments"}, "secretsmanager:resourcetag/team": {"payments"},
}

// tenShort are ten documents of one statement with three conditions; the last allows.
func tenShort(tb testing.TB) *Set {
	s := &Set{}
	for i, d := range tenPolicies(tb).Identity {
		short := *d
		short.allows = d.allows[len(d.allows)-1:]
		if i < 9 {
			short.allows = d.allows[:1]
		}
		s.Identity = append(s.Identity, &short)
	}
	return s
}

// tenNear are ten documents about the resource, with three conditions each: the third is met in
// the last alone, so that nothing of the thirty is passed over.
func tenNear(tb testing.TB) *Set {
	s := &Set{}
	for i := range 10 {
		name := fmt.Sprintf("other%d", i)
		if i == 9 {
			name = "app"
		}
		s.Identity = append(s.Identity, mustParseAs(tb, fmt.Sprintf("policy%d", i), Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow",
			"Action":["secretsmanager:GetSecretValue","secretsmanager:DescribeSecret"],"Resource":"arn:aws:secretsmanager:*:*:secret:prod/*",
			"Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","10.0.0.0/8"]},"Bool":{"aws:SecureTransport":"true"},
			"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/`+name+`*"}}}}`))
	}
	return s
}

// tenPolicies are ten documents of ten statements, of which the last of the last allows,
// within three conditions that every one of the hundred asks for.
func tenPolicies(tb testing.TB) *Set {
	const conditions = `,"Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","10.0.0.0/8"]},"Bool":{"aws:SecureTransport":"true"},
		"StringEquals":{"secretsmanager:ResourceTag/Team":"${aws:PrincipalTag/Team}"}}`
	s := &Set{}
	for i := range 10 {
		text := strings.ReplaceAll(tenStatements(), `*/"}`, `*/"`+conditions+`}`)
		text = strings.ReplaceAll(text, `-??????"}`, `-??????"`+conditions+`}`)
		if i < 9 {
			text = strings.ReplaceAll(text, "prod", "test")
		}
		s.Identity = append(s.Identity, mustParseAs(tb, fmt.Sprintf("policy%d", i), Identity, text))
	}
	return s
}

// BenchmarkTenPolicies is what ten policies with three conditions add to one without:
// the difference is to stay under 5 µs.
func BenchmarkTenPolicies(b *testing.B) {
	r := hotRequest()
	r.Context = realContext
	for _, tt := range []struct {
		name string
		set  *Set
	}{
		{"one", &Set{Identity: []*Document{mustParse(b, Identity, allowRead)}}},
		{"ten", tenShort(b)},
		{"ten, looked at in full", tenNear(b)},
		{"ten of ten", tenPolicies(b)},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d := Decide(tt.set, r); !d.Allowed {
					b.Fatalf("%+v", d)
				}
			}
		})
	}
}

// BenchmarkSummarize is what a denial by ten policies costs beside its decision.
func BenchmarkSummarize(b *testing.B) {
	r := hotRequest()
	r.Context = realContext
	r.Resource = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:team5/db-a1B2c3"
	s := tenPolicies(b)
	s.Boundary = mustParse(b, Boundary, allowList)
	d := Decide(s, r)
	b.ReportAllocs()
	for b.Loop() {
		if sum := Summarize(s, r, d); len(sum.Statements) == 0 {
			b.Fatal("nothing to tell")
		}
	}
}

// BenchmarkWhoCan is one action on one resource for a thousand principals with a policy
// of their own each.
func BenchmarkWhoCan(b *testing.B) {
	const principals = 1000
	sets, requests := make([]Set, principals), make([]Request, principals)
	for i := range sets {
		text := strings.ReplaceAll(tenStatements(), "prod/", fmt.Sprintf("app%d/", i%20))
		sets[i] = Set{Identity: []*Document{mustParse(b, Identity, text)}, Resource: mustParse(b, Resource, grantTo(aws(bob)))}
		requests[i] = *hotRequest()
		requests[i].Resource = strings.Replace(requests[i].Resource, "prod/", "app7/", 1)
		requests[i].Caller.ARN = fmt.Sprintf("arn:aws:iam::111122223333:user/app%d", i)
		requests[i].Context = realContext
	}
	b.ReportAllocs()
	for b.Loop() {
		can := 0
		for i := range sets {
			if Decide(&sets[i], &requests[i]).Allowed {
				can++
			}
		}
		if can != principals/20 {
			b.Fatalf("%d can", can)
		}
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
