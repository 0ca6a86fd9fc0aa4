package policy

import (
	"testing"

	"tacet"
)

// getSecret is the data action of OpGetSecretValue.
const getSecret = "Microsoft.KeyVault/vaults/secrets/getSecret/action"

func assigns(name string, effect Effect, action string, resources ...string) *Document {
	return NewAssignment(name, "Role", effect, []string{action}, resources)
}

// TestAssignment: what a vault assigns is in the same decision as IAM's documents.
func TestAssignment(t *testing.T) {
	const secrets = "arn:aws:secretsmanager:eu-central-1:" + home + ":secret:*"
	user := assigns("user", Allow, getSecret, "*", secrets)
	no := assigns("no", Deny, getSecret, "*", secrets)
	for _, tt := range []struct {
		rule               string
		caller             string
		identity, boundary string
		session, resource  string
		assigned           []*Document
		want               tacet.DenyReason
		by                 string
	}{
		{rule: "an assignment grants by itself", caller: "alice", assigned: []*Document{user}, by: "user/Role"},
		{rule: "to a role's session too", caller: "session", assigned: []*Document{user}, by: "user/Role"},
		{rule: "an identity policy is named before it", caller: "alice", identity: allowRead, assigned: []*Document{user}, by: "identity/Read"},
		{rule: "from another account it is enough by itself", caller: "foreigner", assigned: []*Document{user}, by: "user/Role"},
		{rule: "from another account, where an identity policy alone is not", caller: "foreigner", identity: allowAll, assigned: []*Document{user}, by: "user/Role"},
		{rule: "to another account's root", caller: "foreign root", assigned: []*Document{user}, by: "user/Role"},
		{rule: "another action is not granted", caller: "alice", assigned: []*Document{assigns("set", Allow, "Microsoft.KeyVault/vaults/secrets/setSecret/action", "*", secrets)}, want: tacet.DenyImplicitIdentity},
		{rule: "another secret is not granted", caller: "alice", assigned: []*Document{assigns("one", Allow, getSecret, dbSecret+"x")}, want: tacet.DenyImplicitIdentity},
		{rule: `"*" is the resource of an operation without one, not a wildcard`, caller: "alice", assigned: []*Document{assigns("list", Allow, getSecret, "*")}, want: tacet.DenyImplicitIdentity},
		{rule: "names of actions have no case", caller: "alice", assigned: []*Document{assigns("user", Allow, "microsoft.keyvault/VAULTS/secrets/getsecret/ACTION", dbSecret)}, by: "user/Role"},
		{rule: "a wildcard spans segments", caller: "alice", assigned: []*Document{assigns("user", Allow, "Microsoft.KeyVault/*", dbSecret)}, by: "user/Role"},

		{rule: "a deny beats the assignment", caller: "alice", assigned: []*Document{user, no}, want: tacet.DenyExplicitAssignment, by: "no/Role"},
		{rule: "a deny beats the other language's allow", caller: "alice", identity: allowAll, assigned: []*Document{no}, want: tacet.DenyExplicitAssignment, by: "no/Role"},
		{rule: "a deny beats the resource policy's allow", caller: "alice", resource: grantTo(aws(alice)), assigned: []*Document{no}, want: tacet.DenyExplicitAssignment, by: "no/Role"},
		{rule: "a deny binds the root", caller: "root", assigned: []*Document{no}, want: tacet.DenyExplicitAssignment, by: "no/Role"},
		{rule: "the other language's deny beats the assignment", caller: "alice", identity: denyRead, assigned: []*Document{user}, want: tacet.DenyExplicitIdentity, by: "identity/No"},
		{rule: "the boundary limits it", caller: "alice", boundary: allowList, assigned: []*Document{user}, want: tacet.DenyImplicitBoundary},
		{rule: "the session policy limits it", caller: "session", session: allowList, assigned: []*Document{user}, want: tacet.DenyImplicitSession},
		{rule: "from abroad the boundary limits it", caller: "foreigner", boundary: allowList, assigned: []*Document{user}, want: tacet.DenyImplicitBoundary},
		{rule: "a provider's identity has none", caller: "provider", assigned: []*Document{user}, want: tacet.DenyImplicitResource},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			c, ok := callers[tt.caller]
			if !ok {
				t.Fatalf("there is no caller %q", tt.caller)
			}
			s := parseSet(t, tt.identity, tt.boundary, tt.session)
			s.Assigned = tt.assigned
			if tt.resource != "" {
				s.Resource = mustParseAs(t, "resource", Resource, tt.resource)
			}
			r := &Request{Caller: c, Actions: tacet.OpGetSecretValue.Actions(), Resource: dbSecret, ResourceAccount: home}
			checkDecision(t, s, r, tt.want, tt.by)
			traces := Explain(s, r)
			matched := 0
			for _, tr := range traces {
				if tr.Role == Assignment && tr.Matched {
					matched++
				}
			}
			if tt.want == "" && tt.identity == "" && matched == 0 {
				t.Errorf("the explanation does not show it: %+v", traces)
			}
		})
	}
}
