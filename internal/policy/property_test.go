package policy

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
	"tacet"
)

// checkCases runs a property on n drawn cases; rapid shrinks one that fails.
func checkCases(t *testing.T, n string, property func(generator)) {
	t.Helper()
	for name, value := range map[string]string{"rapid.checks": n, "rapid.nofailfile": "true"} {
		before := flag.Lookup(name).Value.String()
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = flag.Set(name, before) }()
	}
	rapid.Check(t, func(rt *rapid.T) {
		property(generator{rt, func(label string, n int) int { return rapid.IntRange(0, n-1).Draw(rt, label) }})
	})
}

// requestsOfASet is how many requests are put to the policies that were drawn for the first
// of them: most of the time goes into making and reading policies.
const requestsOfASet = 10

// checkManyCases runs a property on TACET_POLICY_CASES cases, 10,000 if that is not
// set, as fast as it goes. Each is a set of policies with one of its requests, and is made
// from TACET_POLICY_SEED (1) and the set's own number alone, so that one that fails can be
// had again.
func checkManyCases(t *testing.T, property func(generator)) {
	t.Helper()
	number := func(name string, n uint64) uint64 {
		if v := os.Getenv(name); v != "" {
			var err error
			if n, err = strconv.ParseUint(v, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	seed, cases := number("TACET_POLICY_SEED", 1), number("TACET_POLICY_CASES", 10_000)
	for i := uint64(0); i < cases; i += requestsOfASet {
		r := rand.New(rand.NewPCG(seed, i))
		property(generator{caseFailer{t, seed, i}, func(_ string, n int) int { return r.IntN(n) }})
	}
	t.Logf("%d cases of seed %d", cases, seed)
}

// caseFailer says which case failed.
type caseFailer struct {
	*testing.T
	seed, number uint64
}

func (f caseFailer) Fatalf(format string, args ...any) {
	f.Helper()
	f.T.Fatalf("case %d of seed %d: "+format, append([]any{f.number, f.seed}, args...)...)
}

// mapContext is a request context in a map with keys in lower case throughout, tag
// keys too, so that it finds them without regard to case.
type mapContext map[string][]string

func (c mapContext) Value(key string) ([]string, bool) {
	v, ok := c[strings.ToLower(key)]
	return v, ok && len(v) > 0
}

// TestAgreesWithOracle: on any policies and any request, the compiled evaluator and
// the slow one of oracle_test.go say the same, for the same reason; and Explain
// bears out what Decide says.
func TestAgreesWithOracle(t *testing.T) {
	for name, check := range map[string]func(*testing.T, func(generator)){
		"shrinking": func(t *testing.T, property func(generator)) { checkCases(t, "1000", property) },
		"many":      checkManyCases,
	} {
		t.Run(name, func(t *testing.T) {
			allowed, refused := 0, map[tacet.DenyReason]int{}
			check(t, func(g generator) {
				agrees(g, func(d Decision) {
					if d.Allowed {
						allowed++
					} else {
						refused[d.Reason]++
					}
				})
			})
			if t.Failed() {
				return
			}
			// A generator that only ever meets one answer proves nothing.
			t.Logf("allowed %d, refused %v", allowed, refused)
			if allowed == 0 || len(refused) < 8 {
				t.Errorf("the cases are too much alike: allowed %d, refused %v", allowed, refused)
			}
		})
	}
}

// agrees draws policies and requests, and demands that both evaluators decide them alike.
func agrees(g generator, decided func(Decision)) {
	r := g.request()
	texts := g.set(&r)
	set := compileSet(g, texts)
	for n := range requestsOfASet {
		if n > 0 {
			r = g.request()
			if texts.Trust != strings.Contains(r.Resource, ":role/") {
				r.Resource, r.Actions = g.resourceOf(texts.Trust, r.ResourceAccount)
			}
		}
		got := Decide(set, r.Request)
		want, why := oracleDecide(texts, r)
		if got.Allowed != want || got.Reason != why {
			g.Fatalf("decided %+v; the oracle says allowed=%v %q\nrequest: %s", got, want, why, describe(r, texts))
		}
		checkExplained(g, set, r.Request, got)
		decided(got)
	}
}

// checkExplained demands that the statement a decision names is one that Explain shows
// to match, with the right effect, and that what it says of conditions fits.
func checkExplained(g generator, s *Set, r *Request, d Decision) {
	traces := Explain(s, r)
	deny := slices.ContainsFunc(traces, func(t Trace) bool { return t.Effect == Deny && t.Matched })
	if deny && d.Allowed && !r.Caller.Root {
		g.Fatalf("allowed against a deny: %+v", traces)
	}
	for _, tr := range traces {
		failed := slices.ContainsFunc(tr.Conditions, func(c ConditionTrace) bool { return !c.Held })
		if failed != (tr.Failed == "condition") || tr.Matched != (tr.Failed == "") {
			g.Fatalf("the conditions are not what failed: %+v", tr)
		}
	}
	if d.Policy == "" {
		return
	}
	effect := Deny
	if d.Allowed {
		effect = Allow
	}
	if !slices.ContainsFunc(traces, func(t Trace) bool {
		return t.Policy == d.Policy && t.Statement == d.Statement && t.Sid == d.Sid && t.Effect == effect && t.Matched
	}) {
		g.Fatalf("%+v is not borne out by %+v", d, traces)
	}
	checkSimulated(g, s, r, d)
}

func compileSet(g generator, texts oracleSet) *Set {
	parse := func(name string, kind Kind, text string) *Document {
		if text == "" {
			return nil
		}
		d, err := Parse(name, kind, []byte(text))
		if err != nil {
			g.Fatalf("%v\n%s", err, text)
		}
		return d
	}
	s := &Set{HasSession: texts.HasSession, Boundary: parse("boundary", Boundary, texts.Boundary), Trust: texts.Trust}
	kind := Resource
	if texts.Trust {
		kind = Trust
	}
	s.Resource = parse("resource", kind, texts.Resource)
	for i, text := range texts.Identity {
		s.Identity = append(s.Identity, parse("identity"+string(rune('0'+i)), Identity, text))
	}
	for i, text := range texts.Session {
		s.Session = append(s.Session, parse("session"+string(rune('0'+i)), Session, text))
	}
	return s
}

func describe(r oracleRequest, texts oracleSet) string {
	b, _ := json.MarshalIndent(map[string]any{"caller": r.Caller, "actions": r.Actions, "resource": r.Resource,
		"account": r.ResourceAccount, "context": r.context, "set": texts}, "", " ")
	return string(b)
}

// generator draws policies and requests from small worlds, so that they meet often.
type generator struct {
	failer interface {
		Helper()
		Fatalf(format string, args ...any)
	}
	draw func(label string, n int) int // a number from 0 to n-1
}

func (g generator) Fatalf(format string, args ...any) {
	g.failer.Helper()
	g.failer.Fatalf(format, args...)
}

func pick[T any](g generator, label string, list ...T) T {
	return list[g.draw(label, len(list))]
}

func (g generator) chance(label string, percent int) bool {
	return g.draw(label, 100) >= 100-percent
}

// count draws a number from least to most.
func (g generator) count(label string, least, most int) int {
	return least + g.draw(label, most-least+1)
}

// several draws from least to most elements of a list.
func several[T any](g generator, label string, least, most int, list ...T) []T {
	out := make([]T, g.count(label, least, most))
	for i := range out {
		out[i] = pick(g, label, list...)
	}
	return out
}

const (
	home   = "111122223333"
	abroad = "444455556666"
)

// Names of people, some of which would be patterns or variables if taken for text.
var people = []string{"alice", "bob", "*", "al?ce", "a*", "${aws:username}", "${*}", "al:ce", "élise", ".*"}

func (g generator) request() oracleRequest {
	name := pick(g, "name", people...)
	c := Caller{Account: home, Name: name, ARN: "arn:aws:iam::" + home + ":user/" + name, UserID: "AIDAAAAAAAAAAAAAAAAA"}
	switch pick(g, "caller", "user", "user", "user", "role", "role", "root", "anonymous", "service", "federated") {
	case "role":
		c.ARN, c.RoleARN, c.UserID = "arn:aws:sts::"+home+":assumed-role/ops/"+name, "arn:aws:iam::"+home+":role/ops", "AROAAAAAAAAAAAAAAAAA:"+name
	case "root":
		c = Caller{Account: home, ARN: "arn:aws:iam::" + home + ":root", UserID: home, Root: true}
	case "anonymous":
		c = Caller{Anonymous: true}
	case "service":
		c = Caller{Type: TypeService, Account: home, ARN: "lambda.amazonaws.com"}
	case "federated":
		c = Caller{Type: TypeFederated, Account: home, ARN: pick(g, "provider", provider, "lambda.amazonaws.com")}
	}
	owner := pick(g, "owner", home, home, abroad)
	resource, actions := g.resourceOf(g.chance("role", 25), owner)
	r := oracleRequest{&Request{Caller: c, Actions: actions, Resource: resource, ResourceAccount: owner}, map[string][]string{}}
	if g.chance("aws:username", 70) {
		r.context["aws:username"] = []string{name}
	}
	if g.chance("aws:PrincipalTag/team", 70) {
		r.context["aws:principaltag/team"] = []string{pick(g, "team", people...)}
	}
	for _, k := range testKeys {
		if g.chance(k.name, 60) {
			r.context[strings.ToLower(k.name)] = several(g, k.name, 0, 3, k.values...)
		}
	}
	r.Context = mapContext(r.context)
	return r
}

// resourceOf draws an operation on a role or a secret of an account.
func (g generator) resourceOf(role bool, owner string) (resource string, actions []string) {
	name := pick(g, "resource", append([]string{"prod/db", "alice/key"}, people...)...)
	if role {
		return "arn:aws:iam::" + owner + ":role/" + name, []string{pick(g, "assume", "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity")}
	}
	op := pick(g, "operation", tacet.OpGetSecretValue, tacet.OpListSecrets, tacet.OpDeleteSecret)
	if op == tacet.OpListSecrets {
		return "*", op.Actions()
	}
	return "arn:aws:secretsmanager:eu-central-1:" + owner + ":secret:" + name + "-a1B2c3", op.Actions()
}

// testKeys are keys with the kind of operator that suits them and values that a
// request may have, good and bad.
var testKeys = []struct {
	kind, name string
	values     []string
	inPolicy   []string
}{
	{"String", "aws:TagKeys", []string{"team", "Team", "*", "cost", "a?b"}, []string{"team", "TEAM", "*", "t*", "a?b", "a??b", "${aws:username}", "${aws:PrincipalTag/Team, 'cost'}", "x${*}", "${$}{x}"}},
	{"Numeric", "secretsmanager:RecoveryWindowInDays", []string{"7", "30", "-1", "7.50", "9007199254740993", "many", ""}, []string{"7", "007.0", "30", "7.5", "-0.0", "-1.25", "9007199254740992"}},
	{"Date", "aws:CurrentTime", []string{"2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "1767323045", "never"}, []string{"2026-01-02T03:04:05Z", "2025-12-31T00:00:00Z", "1767323046"}},
	{"Bool", "aws:SecureTransport", []string{"true", "false", "True", "1"}, []string{"true", "false"}},
	{"Binary", "test:Binary", []string{"\x00\x01", "AAE=", "x"}, []string{base64.StdEncoding.EncodeToString([]byte("\x00\x01")), base64.StdEncoding.EncodeToString([]byte("x"))}},
	{"Ip", "aws:SourceIp", []string{"10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "10.2.0.1", "nowhere"}, []string{"10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0", "10.2.9.9/16"}},
	{"Arn", "aws:SourceArn", []string{"arn:aws:iam::" + home + ":role/ops", "arn:aws:s3:::b:u", "not an arn", "arn:aws:iam::" + home + ":user/alice"},
		[]string{"arn:aws:iam::" + home + ":role/*", "arn:aws:*:::*", "*", "arn:aws:iam::*:user/${aws:username}", "arn:*:*:*:*:*", "arn:aws:iam::1*:role/op?", "${aws:SourceArn}"}},
}

var conditionOperators = map[string][]string{
	"String":  {"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"},
	"Numeric": {"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"},
	"Date":    {"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"},
	"Bool":    {"Bool"}, "Binary": {"BinaryEquals"}, "Ip": {"IpAddress", "NotIpAddress"},
	"Arn": {"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"},
}

func (g generator) set(r *oracleRequest) (s oracleSet) {
	for range g.count("identity policies", 0, 2) {
		s.Identity = append(s.Identity, g.document(Identity, r))
	}
	if g.chance("boundary", 40) {
		s.Boundary = g.document(Boundary, r)
	}
	kind := Resource
	if s.Trust = strings.Contains(r.Resource, ":role/"); s.Trust {
		kind = Trust
	}
	if g.chance("resource policy", 60) {
		s.Resource = g.document(kind, r)
	}
	if s.HasSession = g.chance("session", 30); s.HasSession && g.chance("session policy", 90) {
		s.Session = append(s.Session, g.document(Session, r))
	}
	return s
}

func (g generator) document(kind Kind, r *oracleRequest) string {
	var statements []any
	for range g.count("statements", 1, 3) {
		statements = append(statements, g.statement(kind, r))
	}
	doc := map[string]any{"Statement": statements}
	if len(statements) == 1 && g.chance("single", 30) {
		doc["Statement"] = statements[0]
	}
	if v := pick(g, "version", version2012, version2012, version2012, version2008, ""); v != "" {
		doc["Version"] = v
	}
	b, err := json.Marshal(doc)
	if err != nil {
		g.Fatalf("%v", err)
	}
	if doc["Version"] != version2012 {
		// Without variables this is no ARN.
		return strings.ReplaceAll(string(b), `"${aws:SourceArn}"`, `"arn:*:*:*:*:*"`)
	}
	return string(b)
}

func (g generator) statement(kind Kind, r *oracleRequest) map[string]any {
	s := map[string]any{"Effect": "Allow"}
	if g.chance("deny", 20) {
		s["Effect"] = "Deny"
	}
	not := func(name string) string {
		if g.chance("not", 20) {
			return "Not" + name
		}
		return name
	}
	actions := []string{"*", "secretsmanager:*", "SECRETSMANAGER:getsecretvalue", "secretsmanager:GetSecret*",
		"secretsmanager:??tSecretValue", "secretsmanager:ListSecrets", "Microsoft.KeyVault/vaults/secrets/getSecret/action",
		"microsoft.keyvault/*/DELETE", "s3:*", "*:*Secret*", "secretsmanager:DeleteSecret", "sts:*", "sts:assumerole", "sts:AssumeRole*"}
	if kind == Trust {
		actions = []string{"sts:*", "sts:AssumeRole", "STS:assumerole*", "sts:AssumeRoleWith???Identity", "sts:TagSession"}
	}
	s[not("Action")] = g.some("action", actions...)
	if kind != Trust {
		s[not("Resource")] = g.some("resource", "*", "arn:*", g.mutate(r.Resource), g.mutate(r.Resource), "arn:aws:s3:::bucket")
	}
	switch kind {
	case Resource:
		s[not("Principal")] = g.principal(&r.Caller)
	case Trust:
		s["Principal"] = g.principal(&r.Caller)
	}
	if g.chance("condition", 50) {
		s["Condition"] = g.conditions()
	}
	return s
}

// some draws one of the texts or a list of them.
func (g generator) some(label string, list ...string) any {
	if g.chance("one "+label, 60) {
		return pick(g, label, list...)
	}
	return several(g, label, 1, 3, list...)
}

func (g generator) principal(c *Caller) any {
	if g.chance("anyone", 20) {
		return "*"
	}
	aws := []string{"*", home, abroad, "arn:aws:iam::" + home + ":root", "arn:aws:iam::" + home + ":user/bob", "arn:aws:iam::" + home + ":role/ops",
		"AIDAAAAAAAAAAAAAAAAA", "AROAAAAAAAAAAAAAAAAA", "AIDABBBBBBBBBBBBBBBB"}
	for range 3 { // the caller himself more often, where his name can be written
		if !c.Root && !c.outside() && !strings.ContainsAny(c.ARN, "*?$") {
			aws = append(aws, c.ARN)
		}
	}
	p := map[string]any{"AWS": g.some("principal", aws...)}
	if g.chance("service", 20) {
		p["Service"] = "lambda.amazonaws.com"
	}
	if g.chance("federated", 20) {
		p["Federated"] = g.some("provider", provider, "lambda.amazonaws.com", "id.example.com")
	}
	if g.chance("no AWS", 20) && len(p) > 1 {
		delete(p, "AWS")
	}
	return p
}

// mutate makes a pattern of an ARN that matches it, or nearly.
func (g generator) mutate(arn string) string {
	if arn == "*" {
		return arn
	}
	head, tail := arn[:len("arn:")], []rune(arn[len("arn:"):])
	for range g.count("mutations", 0, 3) {
		i := g.count("from", 0, len(tail)-1)
		j := g.count("to", i, len(tail))
		with := pick(g, "with", "*", "*", "?", "", "${*}", "${?}", "${$}", "**", "x")
		if with == "?" || with == "${?}" {
			j = i + 1
		}
		tail = slices.Concat(tail[:i], []rune(with), tail[j:])
		if len(tail) == 0 {
			tail = []rune("*")
		}
	}
	out := head + string(tail)
	for _, name := range []string{"alice", "al?ce", "élise", ".*"} {
		variable := pick(g, "variable", name, "${aws:username}", "${AWS:UserName}", "${aws:PrincipalTag/Team}", "${aws:PrincipalTag/team, '"+name+"'}", "${aws:TagKeys}")
		out = strings.Replace(out, name, variable, 1)
	}
	// A mutation may have cut a variable in two, or made one.
	if _, err := compilePattern(&node{}, out, true); err != nil {
		return strings.ReplaceAll(out, "$", "S")
	}
	return out
}

func (g generator) conditions() map[string]any {
	out := map[string]any{}
	for range g.count("operators", 1, 2) {
		k := pick(g, "key", testKeys...)
		name := pick(g, "operator", conditionOperators[k.kind]...)
		name = pick(g, "quantifier", "", "", "ForAllValues:", "ForAnyValue:") + name + pick(g, "if exists", "", "", "IfExists")
		out[name] = map[string]any{pick(g, "case", k.name, strings.ToUpper(k.name)): g.some("values", k.inPolicy...)}
	}
	if g.chance("null", 10) {
		out["Null"] = map[string]any{"aws:TagKeys": pick[any](g, "null", "true", "false", true)}
	}
	return out
}
