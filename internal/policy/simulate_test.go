package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tacet"
)

// checkSimulated demands that a simulation decides alike, that what decided is among the
// statements it shows, and that each of those has a part in the decision.
func checkSimulated(g generator, s *Set, r *Request, d Decision) {
	sim := Simulate(s, r)
	if sim.Decision != d {
		g.Fatalf("simulated as %+v, decided as %+v", sim.Decision, d)
	}
	decided := slices.ContainsFunc(sim.Matched, func(m Match) bool {
		return m.Document.name == d.Policy && m.Start == m.Document.statements[d.Statement].start
	})
	if !decided && !strings.HasPrefix(d.Policy, "session") {
		g.Fatalf("%+v is not among %+v", d, sim.Matched)
	}
	for _, m := range sim.Matched {
		for i := range m.Document.statements {
			st := &m.Document.statements[i]
			if st.start != m.Start {
				continue
			}
			if _, failed := st.match(r); failed != matched || (st.effect == Allow) != d.Allowed {
				g.Fatalf("%s/%d is shown of %+v", m.Document.name, i, d)
			}
		}
	}
}

// TestSimulate_Positions: statements stand where AWS IAM says they do, in the example of
// "aws iam simulate-principal-policy" and in its answers about policies without space.
func TestSimulate_Positions(t *testing.T) {
	for text, want := range map[string]string{
		`{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "é",
            "Effect": "Allow",
            "Action": "codecommit:ListRepositories",
            "Resource": "*"
        }
    ]
}`: "3:19 to 9:10",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codecommit:ListRepositories","Resource":"*"}]}`:                                "1:38 to 1:110",
		`{"Version": "2012-10-17", "Statement": [{"Effect":"Allow","Action":"*","Resource":"*"}]}`:                                                       "1:41 to 1:87",
		`{"Id":"éé","Statement": {"Effect":"Allow","Action":"*","Resource":"*"} }`:                                                                       "1:25 to 1:71",
		"{\n\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"iam:*\",\"Resource\":\"*\"},\n{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}": "2:63 to 3:47",
	} {
		d, err := Parse("doc", Identity, []byte(strings.Replace(text, `"é"`, `"List"`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		sim := Simulate(&Set{Identity: []*Document{d}}, &Request{Caller: callers["alice"], Actions: []string{"codecommit:ListRepositories"}, Resource: "*", ResourceAccount: home})
		if len(sim.Matched) != 1 {
			t.Fatalf("%s: %+v", text, sim)
		}
		m := sim.Matched[0]
		if got := fmt.Sprintf("%d:%d to %d:%d", m.Start.Line, m.Start.Column, m.End.Line, m.End.Column); got != want {
			t.Errorf("%s\n%s, want %s", text, got, want)
		}
	}
}

// TestSimulate_Missing: a key is missing if a statement that could be about the request
// looks at it, once, whatever else the request has.
func TestSimulate_Missing(t *testing.T) {
	const get = `"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":`
	const office = `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`
	for _, tt := range []struct{ statements, want string }{
		{get + `"*"`, ""},
		{get + `"*"` + office, "aws:SourceIp"},
		{get + `"*"` + office + `},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:sourceip":"10.0.0.0/8"}}`, "aws:SourceIp"},
		{`"Effect":"Allow","Action":"iam:*","Resource":"*"` + office, ""},
		{get + `"arn:aws:secretsmanager:*:*:secret:other-*"` + office, ""},
		{get + `"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"payments"}}`, ""},
		{get + `"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"other","aws:PrincipalTag/site":"x"}}`, ""},
		{get + `"*","Condition":{"StringEquals":{"aws:PrincipalTag/site":"x"}}`, "aws:PrincipalTag/site"},
		{get + `"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"${aws:username}"}}`, "aws:username"},
		{get + `"arn:aws:secretsmanager:*:*:secret:${aws:username}*"`, "aws:username"},
		{get + `"*","Condition":{"ArnLike":{"aws:PrincipalTag/arn":"arn:aws:iam::${aws:PrincipalAccount}:*"}}`, "aws:PrincipalTag/arn aws:principalaccount"},
	} {
		s := &Set{Identity: []*Document{mustParse(t, Identity, `{"Version":"2012-10-17","Statement":[{`+tt.statements+`}]}`)}}
		sim := Simulate(s, &Request{Caller: callers["alice"], Actions: tacet.OpGetSecretValue.Actions(), Resource: dbSecret, ResourceAccount: home,
			Context: mapContext{"aws:principaltag/team": {"payments"}}})
		if got := strings.Join(sim.Missing, " "); got != tt.want {
			t.Errorf("%s: missing %q, want %q", tt.statements, got, tt.want)
		}
	}
}
