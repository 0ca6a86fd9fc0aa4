package policy

import (
	"testing"

	"tacet"
)

// The roles' side of the tests: who may assume arn:aws:iam::111122223333:role/deploy.
const (
	deployRole   = "arn:aws:iam::111122223333:role/deploy"
	mayAssume    = `{"Statement":{"Sid":"Assume","Effect":"Allow","Action":"sts:AssumeRole","Resource":"` + deployRole + `"}}`
	mayNotAssume = `{"Statement":{"Sid":"No","Effect":"Deny","Action":"sts:*","Resource":"*"}}`
)

// trustIn is a trust policy of one statement.
func trustIn(effect, principal, action string) string {
	return `{"Version":"2012-10-17","Statement":{"Sid":"Trust","Effect":"` + effect + `","Principal":` + principal + `,"Action":"` + action + `"}}`
}

func trusts(principal string) string { return trustIn("Allow", principal, "sts:AssumeRole") }

// trustTests: everybody asks for sts:AssumeRole on the role deploy of account
// 111122223333, but federated identities, who ask for sts:AssumeRoleWithWebIdentity.
// The trust policy must allow, and the caller's identity policy too if he is of another
// account or if it is the account that is named (AWS STS API reference, AssumeRole).
var trustTests = []struct {
	rule     string
	caller   string
	identity string
	boundary string
	session  string
	trust    string           // "" for none
	want     tacet.DenyReason // "" for allowed
	by       string
}{
	{rule: "a user whom the trust policy names needs no more", caller: "alice", trust: trusts(`{"AWS":"` + alice + `"}`), by: "trust/Trust"},
	{rule: "nor does a session that it names", caller: "session", trust: trusts(`{"AWS":"` + opsRun + `"}`), by: "trust/Trust"},
	{rule: "nor does a session whose role it names: chaining", caller: "session", trust: trusts(`{"AWS":"` + opsRole + `"}`), by: "trust/Trust"},
	{rule: `nor does anybody at home if it names "*"`, caller: "alice", trust: trusts(`"*"`), by: "trust/Trust"},
	{rule: "a user may be named by his unique id", caller: "alice", trust: trusts(`{"AWS":"AIDAALICEALICEALICE1"}`), by: "trust/Trust"},

	{rule: "an identity policy alone is not enough, even at home", caller: "alice", identity: mayAssume, trust: trusts(`{"AWS":"` + bob + `"}`), want: tacet.DenyImplicitTrust},
	{rule: "nor is one that allows everything", caller: "alice", identity: allowAll, trust: trusts(`{"AWS":"` + abroad + `"}`), want: tacet.DenyImplicitTrust},
	{rule: "without a trust policy nobody gets in", caller: "alice", identity: allowAll, want: tacet.DenyImplicitTrust},
	{rule: "a trust in another action is none in this", caller: "alice", identity: allowAll, trust: trustIn("Allow", `"*"`, "sts:AssumeRoleWithWebIdentity"), want: tacet.DenyImplicitTrust},

	{rule: "naming the account leaves it to its identity policies: none", caller: "alice", trust: trusts(`{"AWS":"` + rootOf + `"}`), want: tacet.DenyImplicitIdentity},
	{rule: "naming the account leaves it to its identity policies: one", caller: "alice", identity: mayAssume, trust: trusts(`{"AWS":"` + rootOf + `"}`), by: "identity/Assume"},
	{rule: "naming the account by its number is the same", caller: "alice", identity: mayAssume, trust: trusts(`{"AWS":"` + home + `"}`), by: "identity/Assume"},
	{rule: "an identity policy for another role is none for this", caller: "alice", identity: `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"` + opsRole + `"}}`, trust: trusts(`{"AWS":"` + home + `"}`), want: tacet.DenyImplicitIdentity},

	{rule: "from abroad, the trust policy is not enough", caller: "foreigner", trust: trusts(`{"AWS":"` + foreigner + `"}`), want: tacet.DenyImplicitIdentity},
	{rule: "from abroad, the identity policy is not enough", caller: "foreigner", identity: mayAssume, trust: trusts(`{"AWS":"` + home + `"}`), want: tacet.DenyImplicitTrust},
	{rule: "from abroad, both are", caller: "foreigner", identity: mayAssume, trust: trusts(`{"AWS":"` + foreigner + `"}`), by: "identity/Assume"},
	{rule: "from abroad, the account may be named", caller: "foreigner", identity: mayAssume, trust: trusts(`{"AWS":"` + abroad + `"}`), by: "identity/Assume"},
	{rule: `from abroad, "*" needs the identity policy too`, caller: "foreigner", trust: trusts(`"*"`), want: tacet.DenyImplicitIdentity},

	{rule: "the boundary limits what the identity policy grants", caller: "alice", identity: mayAssume, boundary: allowList, trust: trusts(`{"AWS":"` + home + `"}`), want: tacet.DenyImplicitBoundary},
	{rule: "the session policy limits it", caller: "session", identity: mayAssume, session: allowList, trust: trusts(`{"AWS":"` + home + `"}`), want: tacet.DenyImplicitSession},
	{rule: "both limit a trust in the caller's role", caller: "session", boundary: allowList, trust: trusts(`{"AWS":"` + opsRole + `"}`), want: tacet.DenyImplicitBoundary},
	{rule: "neither limits a trust in the session itself", caller: "session", boundary: allowList, session: allowList, trust: trusts(`{"AWS":"` + opsRun + `"}`), by: "trust/Trust"},

	{rule: "a deny in the trust policy decides", caller: "alice", identity: allowAll, trust: trustIn("Deny", `{"AWS":"`+home+`"}`, "sts:AssumeRole"), want: tacet.DenyExplicitTrust, by: "trust/Trust"},
	{rule: "a deny in the identity policy decides", caller: "alice", identity: mayNotAssume, trust: trusts(`{"AWS":"` + alice + `"}`), want: tacet.DenyExplicitIdentity, by: "identity/No"},
	{rule: "a deny in the session policy decides", caller: "session", session: mayNotAssume, trust: trusts(`{"AWS":"` + opsRun + `"}`), want: tacet.DenyExplicitSession, by: "session/No"},

	{rule: "the root of the account is not let in without trust", caller: "root", identity: allowAll, want: tacet.DenyImplicitTrust},
	{rule: "nor by trust in one of its users", caller: "root", trust: trusts(`{"AWS":"` + alice + `"}`), want: tacet.DenyImplicitTrust},
	{rule: "the root is let in by trust in its account", caller: "root", trust: trusts(`{"AWS":"` + rootOf + `"}`), by: "trust/Trust"},
	{rule: "the root is kept out by a deny in the trust policy", caller: "root", trust: trustIn("Deny", `"*"`, "sts:AssumeRole"), want: tacet.DenyExplicitTrust, by: "trust/Trust"},
	{rule: "a foreign root is let in by trust in its account", caller: "foreign root", trust: trusts(`{"AWS":"` + abroad + `"}`), by: "trust/Trust"},
	{rule: "a foreign root is not let in by trust in this account", caller: "foreign root", trust: trusts(`{"AWS":"` + home + `"}`), want: tacet.DenyImplicitTrust},

	{rule: "a federated identity is decided about by the trust policy alone", caller: "provider", trust: trustIn("Allow", `{"Federated":"`+provider+`"}`, "sts:AssumeRoleWithWebIdentity"), by: "trust/Trust"},
	{rule: "its provider must be the one that is named", caller: "provider", trust: trustIn("Allow", `{"Federated":"arn:aws:iam::111122223333:oidc-provider/id.example.org"}`, "sts:AssumeRoleWithWebIdentity"), want: tacet.DenyImplicitTrust},
	{rule: "with the account's number", caller: "provider", trust: trustIn("Allow", `{"Federated":"arn:aws:iam::444455556666:oidc-provider/id.example.com"}`, "sts:AssumeRoleWithWebIdentity"), want: tacet.DenyImplicitTrust},
	{rule: `trust in "*" is none in a provider`, caller: "provider", trust: trustIn("Allow", `"*"`, "sts:*"), want: tacet.DenyImplicitTrust},
	{rule: `but "*" beside the provider takes nothing from it`, caller: "provider", trust: trustIn("Allow", `{"AWS":"*","Federated":"`+provider+`"}`, "sts:*"), by: "trust/Trust"},
	{rule: "trust in the account is none in a provider", caller: "provider", identity: allowAll, trust: trustIn("Allow", `{"AWS":"`+rootOf+`"}`, "sts:*"), want: tacet.DenyImplicitTrust},
	{rule: "the conditions on the token's subject hold", caller: "provider", trust: `{"Statement":{"Sid":"Job","Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity",
		"Condition":{"StringEquals":{"id.example.com:aud":"tacet","id.example.com:sub":"job:7"}}}}`, by: "trust/Job"},
	{rule: "the conditions on the token's subject do not hold", caller: "provider", trust: `{"Statement":{"Sid":"Job","Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity",
		"Condition":{"StringEquals":{"id.example.com:aud":"tacet","id.example.com:sub":"job:8"}}}}`, want: tacet.DenyImplicitTrust},
	{rule: "a deny about the token decides", caller: "provider", trust: `{"Statement":[{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:*"},
		{"Sid":"Fork","Effect":"Deny","Principal":"*","Action":"sts:*","Condition":{"StringLike":{"id.example.com:sub":"job:*"}}}]}`, want: tacet.DenyExplicitTrust, by: "trust/Fork"},

	{rule: "a service is named as Service", caller: "service", trust: trusts(`{"Service":"lambda.amazonaws.com"}`), by: "trust/Trust"},
	{rule: "another service is not", caller: "service", trust: trusts(`{"Service":"ec2.amazonaws.com"}`), want: tacet.DenyImplicitTrust},
	{rule: "a user is not a service of that name", caller: "alice", identity: allowAll, trust: trusts(`{"Service":"lambda.amazonaws.com"}`), want: tacet.DenyImplicitTrust},
	{rule: `nobody assumes no role, not even one that trusts "*"`, caller: "nobody", trust: trusts(`"*"`), want: tacet.DenyImplicitTrust},
}

func TestDecideTrust(t *testing.T) {
	for _, tt := range trustTests {
		t.Run(tt.rule, func(t *testing.T) {
			s := parseSet(t, tt.identity, tt.boundary, tt.session)
			if s.Trust = true; tt.trust != "" {
				s.Resource = mustParseAs(t, "trust", Trust, tt.trust)
			}
			r := &Request{Caller: callers[tt.caller], Actions: []string{"sts:AssumeRole"}, Resource: deployRole, ResourceAccount: home,
				Context: mapContext{"id.example.com:aud": {"tacet"}, "id.example.com:sub": {"job:7"}}}
			if r.Caller.Type == TypeFederated {
				r.Actions = []string{"sts:AssumeRoleWithWebIdentity"}
			}
			checkDecision(t, s, r, tt.want, tt.by)
			// A document of kind Trust is one wherever it stands.
			if s.Trust = false; s.Resource != nil {
				checkDecision(t, s, r, tt.want, tt.by)
			}
		})
	}
}
