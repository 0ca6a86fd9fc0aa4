package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"tacet"
)

// TestExplain: every statement of every policy has its line, and the line says what
// failed first, in the order principal, action, resource, conditions.
func TestExplain(t *testing.T) {
	s := &Set{
		Identity: []*Document{mustParseAs(t, "team", Identity, `{"Statement":[
			{"Sid":"List","Effect":"Allow","Action":"secretsmanager:ListSecrets","Resource":"*"},
			{"Sid":"Dev","Effect":"Allow","Action":"secretsmanager:*","Resource":"arn:aws:secretsmanager:*:*:secret:dev/*"},
			{"Sid":"Office","Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}},
			{"Sid":"Prod","Effect":"Allow","Action":"*","Resource":"*"}]}`)},
		Boundary: mustParseAs(t, "limit", Boundary, allowList),
		Session:  []*Document{mustParseAs(t, "session", Session, allowAll)},
		Resource: mustParseAs(t, "resource", Resource, `{"Statement":[
			{"Sid":"Bob","Effect":"Allow","Principal":{"AWS":"`+bob+`"},"Action":"*","Resource":"*"},
			{"Sid":"Account","Effect":"Allow","Principal":{"AWS":"`+home+`"},"Action":"*","Resource":"*"},
			{"Sid":"Role","Effect":"Allow","Principal":{"AWS":"`+opsRole+`"},"Action":"*","Resource":"*"},
			{"Sid":"Others","Effect":"Deny","NotPrincipal":{"AWS":["`+opsRole+`","`+opsRun+`"]},"Action":"*","Resource":"*"}]}`),
	}
	r := &Request{Caller: callers["session"], Actions: tacet.OpGetSecretValue.Actions(), Resource: dbSecret, ResourceAccount: home,
		Context: mapContext{"aws:securetransport": {"true"}, "aws:sourceip": {"192.0.2.1"}}}
	want := []Trace{
		{Role: Identity, Policy: "team", Statement: 0, Sid: "List", Effect: Allow, Failed: "action"},
		{Role: Identity, Policy: "team", Statement: 1, Sid: "Dev", Effect: Allow, Failed: "resource",
			Resources: []string{"arn:aws:secretsmanager:*:*:secret:dev/*"}},
		{Role: Identity, Policy: "team", Statement: 2, Sid: "Office", Effect: Allow, Failed: "condition", Conditions: []ConditionTrace{
			{Operator: "Bool", Key: "aws:SecureTransport", Wanted: []string{"true"}, Had: []string{"true"}, Held: true},
			{Operator: "IpAddress", Key: "aws:SourceIp", Wanted: []string{"10.0.0.0/8"}, Had: []string{"192.0.2.1"}}}},
		{Role: Identity, Policy: "team", Statement: 3, Sid: "Prod", Effect: Allow, Matched: true},
		{Role: Resource, Policy: "resource", Statement: 0, Sid: "Bob", Effect: Allow, Failed: "principal"},
		{Role: Resource, Policy: "resource", Statement: 1, Sid: "Account", Effect: Allow, Matched: true, Delegates: true},
		{Role: Resource, Policy: "resource", Statement: 2, Sid: "Role", Effect: Allow, Matched: true, Limited: true},
		{Role: Resource, Policy: "resource", Statement: 3, Sid: "Others", Effect: Deny, Failed: "principal"},
		{Role: Boundary, Policy: "limit", Statement: 0, Effect: Allow, Failed: "action"},
		{Role: Session, Policy: "session", Statement: 0, Effect: Allow, Matched: true},
	}
	if diff := cmp.Diff(want, Explain(s, r)); diff != "" {
		t.Error(diff)
	}
	if d := Decide(s, r); d.Reason != tacet.DenyImplicitBoundary {
		t.Errorf("%+v", d)
	}
	trust := &Set{Resource: mustParse(t, Trust, st(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"`))}
	if got := Explain(trust, r); len(got) != 1 || got[0].Role != Trust || got[0].Failed != "action" {
		t.Errorf("%+v", got)
	}
}

// TestExplainConditions: every condition of a statement that got that far is shown with
// what the policy wants, as its author wrote it, and what the request had.
func TestExplainConditions(t *testing.T) {
	doc := mustParse(t, Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::x","Condition":{
		"StringEquals":{"secretsmanager:ResourceTag/Team":["${aws:PrincipalTag/Team}","${aws:PrincipalTag/None, 'x'}","${aws:PrincipalTag/None}","${*}"]},
		"NumericLessThan":{"secretsmanager:RecoveryWindowInDays":7},
		"Null":{"aws:TokenIssueTime":true},
		"BinaryEquals":{"test:Key":"AAE="},
		"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}}`)
	r := &Request{Caller: callers["alice"], Actions: tacet.OpGetSecretValue.Actions(), Resource: dbSecret, ResourceAccount: home, Context: mapContext{
		"secretsmanager:resourcetag/team": {"payments"}, "aws:principaltag/team": {"billing"}, "secretsmanager:recoverywindowindays": {"30"}, "test:key": {"\x00\x01"}}}
	want := []ConditionTrace{
		{Operator: "StringEquals", Key: "secretsmanager:ResourceTag/Team", Had: []string{"payments"},
			Wanted:   []string{"${aws:PrincipalTag/Team}", "${aws:PrincipalTag/None, 'x'}", "${aws:PrincipalTag/None}", "${*}"},
			Resolved: []string{"billing", "x", "${aws:PrincipalTag/None}", "${*}"}},
		{Operator: "NumericLessThan", Key: "secretsmanager:RecoveryWindowInDays", Wanted: []string{"7"}, Had: []string{"30"}},
		{Operator: "Null", Key: "aws:TokenIssueTime", Wanted: []string{"true"}, Held: true},
		{Operator: "BinaryEquals", Key: "test:Key", Wanted: []string{"AAE="}, Had: []string{"AAE="}, Held: true},
		{Operator: "ForAllValues:StringEquals", Key: "aws:TagKeys", Wanted: []string{"team"}, Held: true},
	}
	traces := Explain(&Set{Identity: []*Document{doc}}, r)
	if diff := cmp.Diff(want, traces[0].Conditions); diff != "" {
		t.Error(diff)
	}
	// A statement that is about something else does not show its conditions.
	r.Resource = "arn:aws:s3:::x"
	traces = Explain(&Set{Identity: []*Document{doc}}, r)
	if diff := cmp.Diff([]Trace{{Policy: "doc", Effect: Allow, Failed: "resource", Resources: []string{"arn:aws:s3:::x"}, Excepted: true}}, traces); diff != "" {
		t.Error(diff)
	}
}

// TestSummarize: what a denial's record keeps: the statement that decided, the near misses,
// and how many statements were about other things.
func TestSummarize(t *testing.T) {
	s := &Set{Identity: []*Document{
		mustParseAs(t, "list", Identity, allowList),
		mustParseAs(t, "group ops/read", Identity, `{"Statement":[
			{"Sid":"Tag","Effect":"Allow","Action":"secretsmanager:TagResource","Resource":"*"},
			{"Sid":"Untag","Effect":"Allow","Action":"secretsmanager:UntagResource","Resource":"*"},
			{"Sid":"Dev","Effect":"Allow","Action":"secretsmanager:*","Resource":"arn:aws:secretsmanager:*:*:secret:dev/*"},
			{"Sid":"Office","Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}},
			{"Sid":"NoPlain","Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`),
	}}
	r := &Request{Caller: callers["alice"], Actions: tacet.OpGetSecretValue.Actions(), Resource: dbSecret, ResourceAccount: home,
		Context: mapContext{"aws:sourceip": {"192.0.2.1"}, "aws:securetransport": {"true"}}}
	got, err := json.MarshalIndent(Summarize(s, r, Decide(s, r)), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "decision": {
  "allowed": false,
  "reason": "no identity-based policy allows",
  "statement": 0
 },
 "statements": [
  {
   "role": "identity-based policy",
   "policy": "group ops/read",
   "statement": 3,
   "sid": "Office",
   "effect": "Allow",
   "matched": false,
   "failed": "condition",
   "conditions": [
    {
     "operator": "IpAddress",
     "key": "aws:SourceIp",
     "wanted": [
      "10.0.0.0/8"
     ],
     "had": [
      "192.0.2.1"
     ],
     "held": false
    }
   ]
  },
  {
   "role": "identity-based policy",
   "policy": "group ops/read",
   "statement": 2,
   "sid": "Dev",
   "effect": "Allow",
   "matched": false,
   "failed": "resource",
   "resources": [
    "arn:aws:secretsmanager:*:*:secret:dev/*"
   ]
  },
  {
   "role": "identity-based policy",
   "policy": "group ops/read",
   "statement": 4,
   "sid": "NoPlain",
   "effect": "Deny",
   "matched": false,
   "failed": "condition",
   "conditions": [
    {
     "operator": "Bool",
     "key": "aws:SecureTransport",
     "wanted": [
      "false"
     ],
     "had": [
      "true"
     ],
     "held": false
    }
   ]
  }
 ],
 "others": [
  {
   "role": "identity-based policy",
   "policy": "list",
   "statements": 1
  },
  {
   "role": "identity-based policy",
   "policy": "group ops/read",
   "statements": 2
  }
 ]
}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	var back Summary
	if err := json.Unmarshal(got, &back); err != nil || len(back.Statements) != 3 || back.Statements[0].Role != Identity {
		t.Errorf("%+v, %v", back, err)
	}
}

// TestSummaryIsBounded: whatever the policies and the request, a summary fits, names the
// statement that decided, and accounts for every statement.
func TestSummaryIsBounded(t *testing.T) {
	var values []string
	for i := range 200 {
		values = append(values, fmt.Sprintf(`"%s%d"`, strings.Repeat("<", 60), i))
	}
	hostile := strings.Repeat("\x80", 200)
	for name, statement := range map[string]string{
		"many values":    ok + `,"Condition":{"StringEquals":{"aws:username":[` + strings.Join(values, ",") + `]}}`,
		"long keys":      ok + `,"Condition":{"StringEquals":{"aws:RequestTag/` + strings.Repeat("ü", 120) + `":"x"}}`,
		"many resources": `"Effect":"Allow","Action":"a:b","Resource":["arn:` + strings.ReplaceAll(strings.Join(values[:50], ","), `,"`, `,"arn:`)[1:] + `]`,
	} {
		var list []string
		for range 20 {
			list = append(list, "{"+statement+"}")
		}
		list = append(list, `{"Sid":"Decides","Effect":"Deny","Action":"a:b","Resource":"*"}`)
		s := &Set{}
		for range 5 {
			d, err := ParseLimit(strings.Repeat("n", 300), Identity, []byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(list, ",")+`]}`), 1<<21)
			if err != nil {
				t.Fatal(name, err)
			}
			s.Identity = append(s.Identity, d)
		}
		r := &Request{Caller: callers["alice"], Actions: []string{"a:b"}, Resource: "arn:aws:x", ResourceAccount: home,
			Context: mapContext{"aws:username": {hostile, hostile, "\x00\x01", hostile, hostile, hostile}}}
		d := Decide(s, r)
		sum := Summarize(s, r, d)
		b, err := json.Marshal(sum)
		if err != nil {
			t.Fatal(err)
		}
		counted := len(sum.Statements) + sum.Left
		for _, o := range sum.Others {
			counted += o.Statements
		}
		if len(b) > MaxSummary || counted != 5*21 || len(sum.Statements) < 3 || sum.Statements[0].Sid != "Decides" {
			t.Errorf("%s: %d bytes, %d of %d statements, first %+v", name, len(b), counted, 5*21, sum.Statements[0])
		}
	}
}
