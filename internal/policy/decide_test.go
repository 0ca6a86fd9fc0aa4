package policy

import (
	"testing"

	"tacet"
)

// The people and things of the tests.
const (
	alice     = "arn:aws:iam::111122223333:user/alice"
	bob       = "arn:aws:iam::111122223333:user/bob"
	opsRole   = "arn:aws:iam::111122223333:role/ops"
	opsRun    = "arn:aws:sts::111122223333:assumed-role/ops/run-7"
	rootOf    = "arn:aws:iam::111122223333:root"
	foreigner = "arn:aws:iam::444455556666:user/eve"
	provider  = "arn:aws:iam::111122223333:oidc-provider/id.example.com"
	dbSecret  = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-a1B2c3"
)

var callers = map[string]Caller{
	"alice":        {ARN: alice, Account: home, UserID: "AIDAALICEALICEALICE1", Name: "alice"},
	"session":      {ARN: opsRun, Account: home, UserID: "AROAOPSOPSOPSOPSOPS1:run-7", Name: "run-7", RoleARN: opsRole},
	"root":         {ARN: rootOf, Account: home, UserID: home, Root: true},
	"foreigner":    {ARN: foreigner, Account: abroad, UserID: "AIDAEVEEVEEVEEVEEVE1", Name: "eve"},
	"foreign root": {ARN: "arn:aws:iam::444455556666:root", Account: abroad, UserID: abroad, Root: true},
	"provider":     {Type: TypeFederated, ARN: provider, Account: home},
	"service":      {Type: TypeService, ARN: "lambda.amazonaws.com", Account: home},
	"nobody":       {Anonymous: true},
}

// Documents in short. The identity policies and limits have no principal.
const (
	allowAll    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	allowRead   = `{"Version":"2012-10-17","Statement":{"Sid":"Read","Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:*:*:secret:prod/*"}}`
	allowList   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:ListSecrets","Resource":"*"}}`
	denyRead    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"No","Effect":"Deny","Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`
	allowAzure  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"Microsoft.KeyVault/vaults/secrets/getSecret/action","Resource":"*"}}`
	denyAzure   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"Microsoft.KeyVault/vaults/secrets/getSecret/action","Resource":"*"}]}`
	allButRead  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"secretsmanager:GetSecretValue","Resource":"*"}}`
	denyButRead = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","NotAction":"secretsmanager:Get*","Resource":"*"}]}`
	allButProd  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","NotResource":"arn:aws:secretsmanager:*:*:secret:prod/*"}}`
)

// grantTo is a resource policy that allows reading to a principal element.
func grantTo(principal string) string {
	return `{"Version":"2012-10-17","Statement":{"Sid":"Grant","Effect":"Allow",` + principal + `,"Action":"secretsmanager:GetSecretValue","Resource":"*"}}`
}

// denyTo is a resource policy that denies everything to a principal element.
func denyTo(principal string) string {
	return `{"Version":"2012-10-17","Statement":{"Sid":"Keep","Effect":"Deny",` + principal + `,"Action":"*","Resource":"*"}}`
}

func aws(value string) string    { return `"Principal":{"AWS":"` + value + `"}` }
func notAWS(value string) string { return `"NotPrincipal":{"AWS":` + value + `}` }

// decisionTests reads like the documentation: a rule, the policies, who asks, what
// comes of it. Everybody asks for GetSecretValue on prod/db, which account
// 111122223333 owns. The comments are the rules of the IAM user guide, "Policy
// evaluation logic", that the rows below them are about; trustTests is about roles, resourceTests and conditionTests about
// what a statement matches.
var decisionTests = []struct {
	rule     string
	caller   string
	identity string
	boundary string
	session  string
	resource string
	want     tacet.DenyReason // "" for allowed
	by       string           // the document and Sid that decided, if one did
}{
	// By default nothing is allowed.
	{rule: "no policy at all: refused", caller: "alice", want: tacet.DenyImplicitIdentity},
	{rule: "a policy about other actions: refused", caller: "alice", identity: allowList, want: tacet.DenyImplicitIdentity},
	{rule: "an identity policy allows", caller: "alice", identity: allowRead, by: "identity/Read"},
	{rule: "a role's policy allows its session", caller: "session", identity: allowRead, by: "identity/Read"},

	// "1 any explicit Deny in any applicable policy → deny."
	{rule: "a deny in the identity policy beats its own allow", caller: "alice", identity: denyRead, want: tacet.DenyExplicitIdentity, by: "identity/No"},
	{rule: "a deny in the identity policy beats the resource policy's allow", caller: "alice", identity: denyRead, resource: grantTo(aws(alice)), want: tacet.DenyExplicitIdentity, by: "identity/No"},
	{rule: "a deny in the boundary beats the resource policy's allow", caller: "alice", boundary: denyRead, resource: grantTo(aws(alice)), want: tacet.DenyExplicitBoundary, by: "boundary/No"},
	{rule: "a deny in the session policy beats the resource policy's allow", caller: "session", session: denyRead, resource: grantTo(aws(opsRun)), want: tacet.DenyExplicitSession, by: "session/No"},
	{rule: "a deny in the resource policy beats the identity policy", caller: "alice", identity: allowAll, resource: denyTo(aws(alice)), want: tacet.DenyExplicitResource, by: "resource/Keep"},
	{rule: "a deny for the account is for everybody in it", caller: "alice", identity: allowAll, resource: denyTo(aws(rootOf)), want: tacet.DenyExplicitResource, by: "resource/Keep"},
	{rule: "a deny for the role is for its sessions", caller: "session", identity: allowAll, resource: denyTo(aws(opsRole)), want: tacet.DenyExplicitResource, by: "resource/Keep"},
	{rule: "a deny for somebody else is not for alice", caller: "alice", identity: allowAll, resource: denyTo(aws(bob)), by: "identity/"},

	// "2 permission boundary (if set) must allow: identity-policy grants only. 3 session
	// policy (if any) must allow."
	{rule: "identity and boundary both allow", caller: "alice", identity: allowRead, boundary: allowAll, by: "identity/Read"},
	{rule: "a boundary grants nothing by itself", caller: "alice", boundary: allowAll, want: tacet.DenyImplicitIdentity},
	{rule: "what the boundary does not allow is refused", caller: "alice", identity: allowAll, boundary: allowList, want: tacet.DenyImplicitBoundary},
	{rule: "a session policy grants nothing by itself", caller: "session", session: allowAll, want: tacet.DenyImplicitIdentity},
	{rule: "what the session policy does not allow is refused", caller: "session", identity: allowAll, session: allowList, want: tacet.DenyImplicitSession},
	{rule: "the boundary is named before the session policy", caller: "session", identity: allowAll, boundary: allowList, session: allowList, want: tacet.DenyImplicitBoundary},

	// "4 allow if identity policy or resource policy allows."
	{rule: "a resource policy that names the user allows", caller: "alice", resource: grantTo(aws(alice)), by: "resource/Grant"},
	{rule: "a resource policy that names another user does not", caller: "alice", resource: grantTo(aws(bob)), want: tacet.DenyImplicitIdentity},
	{rule: "a resource policy may name the user by his unique id", caller: "alice", resource: grantTo(aws("AIDAALICEALICEALICE1")), by: "resource/Grant"},
	{rule: `the principal "*" is everybody`, caller: "alice", resource: grantTo(`"Principal":"*"`), by: "resource/Grant"},
	{rule: `the principal {"AWS":"*"} is the same`, caller: "session", resource: grantTo(aws("*")), by: "resource/Grant"},
	{rule: "one of several principals is enough", caller: "alice", resource: grantTo(`"Principal":{"AWS":["` + bob + `","` + alice + `"]}`), by: "resource/Grant"},

	// "A resource policy naming the user ARN or role-session ARN directly bypasses
	// boundary/session implicit denies."
	{rule: "naming the user bypasses the boundary", caller: "alice", boundary: allowList, resource: grantTo(aws(alice)), by: "resource/Grant"},
	{rule: "naming the session bypasses the boundary and the session policy", caller: "session", boundary: allowList, session: allowList, resource: grantTo(aws(opsRun)), by: "resource/Grant"},
	{rule: "so does naming everybody", caller: "session", boundary: allowList, session: allowList, resource: grantTo(`"Principal":"*"`), by: "resource/Grant"},
	// "Naming the role ARN is limited by session policy and boundary."
	{rule: "naming the role allows its session", caller: "session", resource: grantTo(aws(opsRole)), by: "resource/Grant"},
	{rule: "naming the role by its unique id, too", caller: "session", resource: grantTo(aws("AROAOPSOPSOPSOPSOPS1")), by: "resource/Grant"},
	{rule: "naming the role within the limits allows", caller: "session", boundary: allowAll, session: allowRead, resource: grantTo(aws(opsRole)), by: "resource/Grant"},
	{rule: "naming the role is limited by the session policy", caller: "session", session: allowList, resource: grantTo(aws(opsRole)), want: tacet.DenyImplicitSession},
	{rule: "naming the role is limited by the boundary", caller: "session", boundary: allowList, resource: grantTo(aws(opsRole)), want: tacet.DenyImplicitBoundary},
	{rule: "naming the role by its id is limited, too", caller: "session", session: allowList, resource: grantTo(aws("AROAOPSOPSOPSOPSOPS1")), want: tacet.DenyImplicitSession},
	// "Naming the account (…:root or the 12-digit id) only delegates: identity policy must
	// still allow."
	{rule: "naming the account only delegates: refused", caller: "alice", resource: grantTo(aws(rootOf)), want: tacet.DenyImplicitIdentity},
	{rule: "naming the account by its number is the same", caller: "alice", resource: grantTo(aws(home)), want: tacet.DenyImplicitIdentity},
	{rule: "naming the account, the identity policy decides", caller: "alice", identity: allowRead, resource: grantTo(aws(rootOf)), by: "identity/Read"},

	// "Cross-account: both sides must allow."
	{rule: "from abroad, the identity policy is not enough", caller: "foreigner", identity: allowAll, want: tacet.DenyImplicitResource},
	{rule: "from abroad, the resource policy is not enough", caller: "foreigner", resource: grantTo(aws(foreigner)), want: tacet.DenyImplicitIdentity},
	{rule: "from abroad, both are", caller: "foreigner", identity: allowRead, resource: grantTo(aws(foreigner)), by: "identity/Read"},
	{rule: "from abroad, the account may be named", caller: "foreigner", identity: allowRead, resource: grantTo(aws(abroad)), by: "identity/Read"},
	{rule: `from abroad, "*" is not enough either`, caller: "foreigner", resource: grantTo(`"Principal":"*"`), want: tacet.DenyImplicitIdentity},
	{rule: "from abroad, naming the user does not bypass his boundary", caller: "foreigner", identity: allowAll, boundary: allowList, resource: grantTo(aws(foreigner)), want: tacet.DenyImplicitBoundary},
	{rule: "from abroad, naming this account is naming nobody there", caller: "foreigner", identity: allowAll, resource: grantTo(aws(home)), want: tacet.DenyImplicitResource},

	// "Root of the account: all but explicit resource-policy denies."
	{rule: "the root needs no policy", caller: "root"},
	{rule: "the root is not subject to identity policies, boundary and session", caller: "root", identity: denyRead, boundary: denyRead, session: denyRead},
	{rule: "the root is subject to a deny in a resource policy", caller: "root", resource: denyTo(`"Principal":"*"`), want: tacet.DenyExplicitResource, by: "resource/Keep"},
	{rule: "the root of another account needs the resource policy", caller: "foreign root", identity: allowAll, want: tacet.DenyImplicitResource},
	{rule: "the root of another account, named", caller: "foreign root", resource: grantTo(aws(abroad)), by: "resource/Grant"},

	// NotPrincipal: everybody but those who are named, each by all of his names.
	{rule: "a deny for all but alice spares alice", caller: "alice", identity: allowAll, resource: denyTo(notAWS(`"` + alice + `"`)), by: "identity/"},
	{rule: "a deny for all but bob hits alice", caller: "alice", identity: allowAll, resource: denyTo(notAWS(`"` + bob + `"`)), want: tacet.DenyExplicitResource, by: "resource/Keep"},
	{rule: "a deny for all but the account hits its users: they are to be named", caller: "alice", identity: allowAll, resource: denyTo(notAWS(`"` + rootOf + `"`)), want: tacet.DenyExplicitResource, by: "resource/Keep"},
	{rule: "a deny for all but the account spares its root", caller: "root", resource: denyTo(notAWS(`"` + rootOf + `"`))},
	{rule: "a deny for all but a role hits its session", caller: "session", identity: allowAll, resource: denyTo(notAWS(`"` + opsRole + `"`)), want: tacet.DenyExplicitResource, by: "resource/Keep"},
	{rule: "a deny for all but a role and its session spares it", caller: "session", identity: allowAll, resource: denyTo(notAWS(`["` + opsRole + `","` + opsRun + `"]`)), by: "identity/"},
	{rule: "an allow for all but bob is for alice", caller: "alice", resource: grantTo(notAWS(`"` + bob + `"`)), by: "resource/Grant"},
	{rule: "an allow for all but bob is within the limits", caller: "alice", boundary: allowList, resource: grantTo(notAWS(`"` + bob + `"`)), want: tacet.DenyImplicitBoundary},
	{rule: "an allow for all but the account is not for its users", caller: "alice", resource: grantTo(notAWS(`"` + rootOf + `"`)), want: tacet.DenyImplicitIdentity},

	// Other principals.
	{rule: "an identity provider is named as Federated", caller: "provider", resource: grantTo(`"Principal":{"Federated":"` + provider + `"}`), by: "resource/Grant"},
	{rule: `an identity provider is not part of "*"`, caller: "provider", resource: grantTo(`"Principal":"*"`), want: tacet.DenyImplicitResource},
	{rule: "nor of all but somebody", caller: "provider", resource: grantTo(notAWS(`"` + bob + `"`)), want: tacet.DenyImplicitResource},
	{rule: "but a deny for everybody is for it", caller: "provider", resource: denyTo(`"Principal":"*"`), want: tacet.DenyExplicitResource, by: "resource/Keep"},
	{rule: "a service is named as Service", caller: "service", resource: grantTo(`"Principal":{"Service":"lambda.amazonaws.com"}`), by: "resource/Grant"},
	{rule: "a service is not a user", caller: "alice", resource: grantTo(`"Principal":{"Service":"lambda.amazonaws.com"}`), want: tacet.DenyImplicitIdentity},
	{rule: "a service has no identity policies", caller: "service", identity: allowAll, want: tacet.DenyImplicitResource},
	{rule: "a service is in no account", caller: "service", resource: grantTo(aws(home)), want: tacet.DenyImplicitResource},
	{rule: "a service is not a provider of the same name", caller: "service", resource: grantTo(`"Principal":{"Federated":"lambda.amazonaws.com"}`), want: tacet.DenyImplicitResource},
	{rule: "a deny for all but a service spares it", caller: "service", resource: `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
		{"Effect":"Deny","NotPrincipal":{"Service":"lambda.amazonaws.com"},"Action":"*","Resource":"*"}]}`, by: "resource/"},
	{rule: "nobody has only the resource policy", caller: "nobody", identity: allowAll, want: tacet.DenyImplicitResource},
	{rule: "nobody is part of everybody", caller: "nobody", resource: grantTo(`"Principal":"*"`), by: "resource/Grant"},
	{rule: "nobody is not in an account", caller: "nobody", identity: allowAll, resource: grantTo(aws(home)), want: tacet.DenyImplicitResource},

	// Actions: an operation has a name in each cloud.
	{rule: "an allow under the other cloud's name allows", caller: "alice", identity: allowAzure, by: "identity/"},
	{rule: "a deny under the other cloud's name denies", caller: "alice", identity: denyAzure, want: tacet.DenyExplicitIdentity, by: "identity/1"},
	{rule: "NotAction excepts the operation under all its names", caller: "alice", identity: allButRead, want: tacet.DenyImplicitIdentity},
	{rule: "a deny of all but reading lets reading be", caller: "alice", identity: denyButRead, by: "identity/"},
	{rule: "NotResource excepts what matches", caller: "alice", identity: allButProd, want: tacet.DenyImplicitIdentity},
}

func TestDecisions(t *testing.T) {
	for _, tt := range decisionTests {
		t.Run(tt.rule, func(t *testing.T) {
			s := parseSet(t, tt.identity, tt.boundary, tt.session)
			if tt.resource != "" {
				s.Resource = mustParseAs(t, "resource", Resource, tt.resource)
			}
			r := &Request{Caller: callers[tt.caller], Actions: tacet.OpGetSecretValue.Actions(), Resource: dbSecret, ResourceAccount: home}
			checkDecision(t, s, r, tt.want, tt.by)
		})
	}
}

// parseSet makes a set of one policy of each kind but the resource's; "" is none.
func parseSet(tb testing.TB, identity, boundary, session string) *Set {
	tb.Helper()
	s := &Set{}
	if identity != "" {
		s.Identity = []*Document{mustParseAs(tb, "identity", Identity, identity)}
	}
	if boundary != "" {
		s.Boundary = mustParseAs(tb, "boundary", Boundary, boundary)
	}
	if session != "" {
		s.Session = []*Document{mustParseAs(tb, "session", Session, session)}
	}
	return s
}

// checkDecision demands a reason, "" for an allow, and the statement that decided.
func checkDecision(tb testing.TB, s *Set, r *Request, want tacet.DenyReason, by string) {
	tb.Helper()
	got := Decide(s, r)
	if got.Allowed != (want == "") || got.Reason != want {
		tb.Errorf("allowed %v, reason %q; want %q", got.Allowed, got.Reason, want)
	}
	if decided := decidedBy(got); decided != by {
		tb.Errorf("decided by %q, want %q", decided, by)
	}
}

// decidedBy names the statement by its Sid, a second one without a Sid by its index.
func decidedBy(d Decision) string {
	switch {
	case d.Policy == "":
		return ""
	case d.Sid == "" && d.Statement == 1:
		return d.Policy + "/1"
	}
	return d.Policy + "/" + d.Sid
}

func mustParseAs(tb testing.TB, name string, kind Kind, text string) *Document {
	tb.Helper()
	d, err := Parse(name, kind, []byte(text))
	if err != nil {
		tb.Fatalf("%v\n%s", err, text)
	}
	return d
}

func TestDecideRefusesAnEmptyRequest(t *testing.T) {
	s := &Set{Identity: []*Document{mustParse(t, Identity, `{"Statement":{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}}`)}}
	full := Request{Caller: callers["alice"], Actions: []string{"secretsmanager:GetSecretValue"}, Resource: "*", ResourceAccount: home}
	if !Decide(s, &full).Allowed {
		t.Fatal("the full request is refused")
	}
	noActions, noResource := full, full
	noActions.Actions, noResource.Resource = nil, ""
	for _, r := range []*Request{&noActions, &noResource} {
		if d := Decide(s, r); d.Allowed || d.Reason != tacet.DenyImplicitIdentity {
			t.Errorf("%+v: %+v", r, d)
		}
	}
}

// TestDecideSeveralDocuments: identity policies add up, and so do session policies.
func TestDecideSeveralDocuments(t *testing.T) {
	doc := func(name string, kind Kind, text string) *Document { return mustParseAs(t, name, kind, text) }
	r := &Request{Caller: callers["session"], Actions: tacet.OpGetSecretValue.Actions(), Resource: dbSecret, ResourceAccount: home}
	s := &Set{
		Identity: []*Document{doc("list", Identity, allowList), doc("read", Identity, allowRead)},
		Session:  []*Document{doc("session list", Session, allowList), doc("session all", Session, allowAll)},
	}
	if d := Decide(s, r); !d.Allowed || d.Policy != "read" {
		t.Errorf("%+v", d)
	}
	s.Identity = append(s.Identity, doc("deny", Identity, denyRead))
	if d := Decide(s, r); d.Reason != tacet.DenyExplicitIdentity || d.Policy != "deny" || d.Statement != 1 {
		t.Errorf("%+v", d)
	}
	empty := &Set{Identity: s.Identity[:2], HasSession: true}
	if d := Decide(empty, r); d.Reason != tacet.DenyImplicitSession {
		t.Errorf("an empty session policy allows: %+v", d)
	}
}

// TestDecideMisplacedDocument: an identity policy set as a resource's grants nothing
// for want of a principal, but its denies count.
func TestDecideMisplacedDocument(t *testing.T) {
	r := &Request{Caller: callers["alice"], Actions: tacet.OpGetSecretValue.Actions(), Resource: dbSecret, ResourceAccount: home}
	if d := Decide(&Set{Resource: mustParse(t, Identity, allowAll)}, r); d.Allowed {
		t.Errorf("%+v", d)
	}
	s := &Set{Identity: []*Document{mustParse(t, Identity, allowAll)}, Resource: mustParse(t, Identity, denyRead)}
	if d := Decide(s, r); d.Reason != tacet.DenyExplicitResource {
		t.Errorf("%+v", d)
	}
	// A resource policy among the identity policies still speaks of its principals only.
	if d := Decide(&Set{Identity: []*Document{mustParse(t, Resource, grantTo(aws(bob)))}}, r); d.Allowed {
		t.Errorf("%+v", d)
	}
}
