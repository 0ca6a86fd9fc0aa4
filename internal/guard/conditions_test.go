package guard

import (
	"fmt"
	"testing"
	"time"

	"tacet"
	"tacet/internal/policy"
)

// tenPolicies are ten policies about what a user asks for, with three conditions each, of
// which the last is met in the last policy alone.
func tenPolicies(tb testing.TB) (s policy.Set) {
	tb.Helper()
	for i := range 10 {
		user := fmt.Sprintf("other%d", i)
		if i == 9 {
			user = "app"
		}
		d, err := policy.Parse(user, policy.Identity, []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow",
			"Action":["secretsmanager:GetSecretValue","secretsmanager:DescribeSecret"],"Resource":"arn:aws:secretsmanager:*:*:secret:prod/*",
			"Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","10.0.0.0/8"]},"Bool":{"aws:SecureTransport":"true"},
			"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/`+user+`*"}}}}`))
		if err != nil {
			tb.Fatal(err)
		}
		s.Identity = append(s.Identity, d)
	}
	return s
}

// userRequest is a user's read of a secret as the door puts it to the policies.
func userRequest() *policy.Request {
	const account, user = "111122223333", "arn:aws:iam::111122223333:user/app"
	s := &scope{job: &job{}, now: time.Unix(1800000000, 0), req: &Request{Operation: tacet.OpGetSecretValue, Call: tacet.Call{Account: account, Region: "eu-central-1",
		SourceIP: "10.1.2.3", TLS: "TLSv1.3", Caller: tacet.Caller{Kind: tacet.CallerUser, ARN: user, Account: account, ID: "AIDAEXAMPLEEXAMPLE12", Name: "app"}}}}
	return &policy.Request{Caller: policy.Caller{ARN: user, Account: account, UserID: "AIDAEXAMPLEEXAMPLE12", Name: "app"},
		Actions: tacet.OpGetSecretValue.Actions(), Resource: "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-a1B2c3", ResourceAccount: account, Context: (*conditions)(s)}
}

// TestConditionKeysAreMadeOnce: however many policies ask for a key, its value is made once
// for a question, and anew for the next.
func TestConditionKeysAreMadeOnce(t *testing.T) {
	set, r := tenPolicies(t), userRequest()
	s := (*scope)(r.Context.(*conditions))
	allowed := true
	if n := testing.AllocsPerRun(100, func() {
		s.seenCount = 0
		allowed = allowed && policy.Decide(&set, r).Allowed
	}); n != 3 || !allowed {
		t.Errorf("a decision by three keys allocates %v times (allowed: %v)", n, allowed)
	}
	s.dir, s.job.who, s.resource = &directory{}, who{user: &user{}}, r.Resource
	for i, user := range []string{"app", "mallory", "app"} {
		want := i != 1
		s.req.Call.Caller.ARN = "arn:aws:iam::111122223333:user/" + user
		if _, pr, _ := s.question(tacet.OpGetSecretValue); policy.Decide(&set, &pr).Allowed != want {
			t.Errorf("the question about %s was answered with the keys of another", user)
		}
	}
}

// BenchmarkTenPolicies is what the door adds to policy.BenchmarkTenPolicies: the request's
// condition keys.
func BenchmarkTenPolicies(b *testing.B) {
	set, r := tenPolicies(b), userRequest()
	s := (*scope)(r.Context.(*conditions))
	b.ReportAllocs()
	for b.Loop() {
		s.seenCount = 0
		if !policy.Decide(&set, r).Allowed {
			b.Fatal("refused")
		}
	}
}
