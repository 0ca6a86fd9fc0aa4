package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tacet"
)

// TestForesee reads like documentation: what is open makes an answer conditional, and what
// is known does not.
func TestForesee(t *testing.T) {
	const allow, deny = `"Effect":"Allow","Action":"*","Resource":"*"`, `"Effect":"Deny","Action":"*","Resource":"*"`
	const office = `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`
	const team = `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"payments"}}`
	const other = `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"other"}}`
	for _, tt := range []struct {
		name, policy, want string
	}{
		{"a grant without conditions", st(allow), "allowed"},
		{"no grant", st(deny), "denied"},
		{"an address is open", st(allow + office), "conditional"},
		{"a tag is known, and right", st(allow + team), "allowed"},
		{"a tag is known, and wrong", st(allow + other), "denied"},
		{"an open condition beside a failing one", st(allow + `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringEquals":{"aws:PrincipalTag/team":"other"}}`), "denied"},
		{"a deny that may match", st(allow + `},{` + deny + office), "conditional"},
		{"a deny that cannot", st(allow + `},{` + deny + other), "allowed"},
		{"a deny that does", st(allow + `},{` + deny + team), "denied"},
		{"one of two grants is sure", st(allow + office + `},{` + allow), "allowed"},
		{"a negated operator is as open", st(allow + `,"Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), "conditional"},
		{"an open variable in a condition", st(allow + `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"${aws:SourceIp}"}}`), "conditional"},
		{"an open variable in a resource", st(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:SourceIp}/*"`), "denied"},
		{"an open variable that may fit", st(`"Effect":"Allow","Action":"*","Resource":"arn:aws:secretsmanager:*:*:secret:${aws:SourceIp}*"`), "conditional"},
		{"an open variable in a resource beside one that fits", st(`"Effect":"Allow","Action":"*","Resource":["arn:${aws:SourceIp}","*"]`), "allowed"},
		{"an open variable in an exception that cannot fit, but may have no value", st(`"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::${aws:SourceIp}/*"`), "conditional"},
		{"an open variable in the exception of a deny", st(allow + `},{"Effect":"Deny","Action":"*","NotResource":"arn:aws:secretsmanager:*${aws:SourceIp}*"`), "conditional"},
		{"an open variable in an exception", st(`"Effect":"Allow","Action":"*","NotResource":"arn:aws:secretsmanager:*${aws:SourceIp}*"`), "conditional"},
	} {
		s := &Set{Identity: []*Document{mustParse(t, Identity, tt.policy)}}
		r := &Request{Caller: callers["alice"], Actions: tacet.OpGetSecretValue.Actions(), Resource: dbSecret, ResourceAccount: home,
			Context: mapContext{"aws:principaltag/team": {"payments"}}, Open: func(key string) bool { return key == "aws:sourceip" }}
		o := Foresee(s, r)
		got := "denied"
		switch {
		case o.Conditional():
			got = "conditional"
		case o.Best.Allowed:
			got = "allowed"
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestExplainOpen: a statement that matches only under open conditions says so.
func TestExplainOpen(t *testing.T) {
	doc := mustParse(t, Identity, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"Bool":{"aws:SecureTransport":"true"}}},
		{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"Bool":{"aws:SecureTransport":"false"}}}]}`)
	r := &Request{Caller: callers["alice"], Actions: []string{"a:b"}, Resource: "*", ResourceAccount: home,
		Context: mapContext{"aws:securetransport": {"true"}}, Open: func(key string) bool { return key == "aws:sourceip" }}
	got := Explain(&Set{Identity: []*Document{doc}}, r)
	address := ConditionTrace{Operator: "IpAddress", Key: "aws:SourceIp", Wanted: []string{"10.0.0.0/8"}, Open: true}
	secure := ConditionTrace{Operator: "Bool", Key: "aws:SecureTransport", Had: []string{"true"}}
	held, failed := secure, secure
	held.Wanted, held.Held = []string{"true"}, true
	failed.Wanted = []string{"false"}
	want := []Trace{
		{Role: Identity, Policy: doc.name, Effect: Allow, Matched: true, Open: true, Conditions: []ConditionTrace{address, held}},
		{Role: Identity, Policy: doc.name, Statement: 1, Effect: Deny, Failed: "condition", Conditions: []ConditionTrace{address, failed}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestForeseeHoldsWhateverComes: whatever the value of an open key turns out to be, the
// decision lies between the worst and the best that were foreseen.
func TestForeseeHoldsWhateverComes(t *testing.T) {
	outcomes := map[string]int{}
	checkCases(t, "3000", func(g generator) {
		r := g.request()
		texts := g.set(&r)
		set := compileSet(g, texts)
		came := Decide(set, r.Request)
		keys := []string{"aws:username", "aws:principaltag/team", "aws:sourceip", "aws:tagkeys", "aws:currenttime", "aws:securetransport"}
		if one := g.draw("open", len(keys)+1); one < len(keys) {
			keys = keys[one : one+1]
		}
		r.Open = func(key string) bool { return slices.Contains(keys, strings.ToLower(key)) }
		o := Foresee(set, r.Request)
		if came.Allowed && !o.Best.Allowed || !came.Allowed && o.Worst.Allowed {
			g.Fatalf("foreseen %+v, came %+v\nrequest: %s", o, came, describe(r, texts))
		}
		outcomes[fmt.Sprint(o.Best.Allowed, o.Worst.Allowed)]++
	})
	if !t.Failed() && (len(outcomes) != 3 || outcomes["true false"] < 10) {
		t.Errorf("the cases are too much alike: %v", outcomes)
	}
}
