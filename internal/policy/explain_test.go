package policy

import (
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
		{Role: Identity, Policy: "team", Statement: 1, Sid: "Dev", Effect: Allow, Failed: "resource"},
		{Role: Identity, Policy: "team", Statement: 2, Sid: "Office", Effect: Allow, Failed: "condition", Operator: "IpAddress", Key: "aws:SourceIp"},
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
