package policy

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tacet"
)

// This file is a second evaluator, written to be read beside the IAM user guide and
// slow in every way: it keeps documents as generic JSON, turns every wildcard pattern
// into a regular expression, and walks everything every time. It shares no code with
// the first. The property tests demand that the two agree.

// oracleSet is a Set in text.
type oracleSet struct {
	Identity   []string
	Boundary   string // "" for none
	Session    []string
	HasSession bool
	Resource   string // "" for none
	Trust      bool   // Resource is a role's trust policy
}

type oracleRequest struct {
	*Request
	context map[string][]string // keys in lower case throughout
}

type oracleStatement struct {
	version string
	body    map[string]any
}

// memo keeps results of a slow function of a text, which many cases ask for again.
type memo[V any] map[string]V

func (m memo[V]) of(text string, f func(string) V) V {
	v, ok := m[text]
	if !ok {
		if len(m) > 2000 {
			clear(m)
		}
		v = f(text)
		m[text] = v
	}
	return v
}

var (
	oracleParsed   = memo[[]oracleStatement]{}
	oracleCompiled = memo[*regexp.Regexp]{}
)

func oracleMatch(expression, value string) bool {
	return oracleCompiled.of(expression, regexp.MustCompile).MatchString(value)
}

func oracleStatements(text string) []oracleStatement {
	if text == "" {
		return nil
	}
	return oracleParsed.of(text, oracleParse)
}

func oracleParse(text string) []oracleStatement {
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		panic(err)
	}
	version, _ := doc["Version"].(string)
	list, ok := doc["Statement"].([]any)
	if !ok {
		list = []any{doc["Statement"]}
	}
	var out []oracleStatement
	for _, s := range list {
		out = append(out, oracleStatement{version, s.(map[string]any)})
	}
	return out
}

// oracleDecide answers whether the request is allowed and, if not, why.
func oracleDecide(s oracleSet, r oracleRequest) (bool, tacet.DenyReason) {
	c := r.Caller
	stranger := c.Anonymous || c.Type == TypeService || c.Type == TypeFederated
	root := c.Root && !stranger
	explicit, implicit := tacet.DenyExplicitResource, tacet.DenyImplicitResource
	if s.Trust {
		explicit, implicit = tacet.DenyExplicitTrust, tacet.DenyImplicitTrust
	}
	// 1. An explicit deny in any policy that applies. None but resource policies
	// apply to the root.
	if !root && oracleAny(s.Identity, "Deny", r) {
		return false, tacet.DenyExplicitIdentity
	}
	if oracleAny([]string{s.Resource}, "Deny", r) {
		return false, explicit
	}
	if !root && oracleAny([]string{s.Boundary}, "Deny", r) {
		return false, tacet.DenyExplicitBoundary
	}
	if !root && oracleAny(s.Session, "Deny", r) {
		return false, tacet.DenyExplicitSession
	}
	identity := root || oracleAny(s.Identity, "Allow", r)
	boundary := root || s.Boundary == "" || oracleAny([]string{s.Boundary}, "Allow", r)
	session := root || !s.HasSession && len(s.Session) == 0 || oracleAny(s.Session, "Allow", r)
	// What the resource policy says, by the way it names the caller.
	ways := map[string]bool{}
	for _, st := range oracleStatements(s.Resource) {
		if st.body["Effect"] == "Allow" && oracleMatches(st, r) {
			for _, way := range oracleWays(st, c) {
				ways[way] = true
			}
		}
	}
	named := len(ways) > 0
	if stranger {
		named = named && !(s.Trust && c.Anonymous)
		return named, oracleReason(named, implicit)
	}
	if c.Account != r.ResourceAccount {
		// Both accounts must allow.
		switch {
		case !identity:
			return false, tacet.DenyImplicitIdentity
		case !boundary:
			return false, tacet.DenyImplicitBoundary
		case !session:
			return false, tacet.DenyImplicitSession
		}
		return named, oracleReason(named, implicit)
	}
	switch {
	case root:
		return named || !s.Trust, oracleReason(named || !s.Trust, implicit)
	case ways["self"], ways["everyone"]:
		return true, ""
	case !identity && !ways["role"] && !ways["everyone but"]:
		return false, tacet.DenyImplicitIdentity
	case !boundary:
		return false, tacet.DenyImplicitBoundary
	case !session:
		return false, tacet.DenyImplicitSession
	case s.Trust && !named:
		return false, implicit
	}
	return true, ""
}

func oracleReason(allowed bool, why tacet.DenyReason) tacet.DenyReason {
	if allowed {
		return ""
	}
	return why
}

func oracleAny(docs []string, effect string, r oracleRequest) bool {
	for _, text := range docs {
		for _, st := range oracleStatements(text) {
			if st.body["Effect"] == effect && oracleMatches(st, r) {
				return true
			}
		}
	}
	return false
}

func oracleMatches(st oracleStatement, r oracleRequest) bool {
	return oraclePrincipal(st, r.Caller) && oracleAction(st, r) && oracleResource(st, r) && oracleConditions(st, r)
}

func oraclePrincipal(st oracleStatement, c Caller) bool {
	if st.body["Principal"] == nil && st.body["NotPrincipal"] == nil {
		return true
	}
	return len(oracleWays(st, c)) > 0
}

// oracleWays lists how a statement's principals name the caller.
func oracleWays(st oracleStatement, c Caller) []string {
	if c.Type == TypeFederated && st.body["Effect"] == "Allow" {
		// By name only.
		if p, ok := st.body["Principal"]; ok && slices.Contains(oracleNames(p, c), "self") {
			return []string{"self"}
		}
		return nil
	}
	if p, ok := st.body["Principal"]; ok {
		return oracleNames(p, c)
	}
	names := oracleNames(st.body["NotPrincipal"], c)
	if st.body["Effect"] == "Allow" {
		if len(names) == 0 {
			return []string{"everyone but"}
		}
		return nil
	}
	self, role := slices.Contains(names, "self"), slices.Contains(names, "role")
	spared := slices.Contains(names, "everyone") || self && (role || c.RoleARN == "") || c.Root && slices.Contains(names, "account")
	if spared {
		return nil
	}
	return []string{"everyone but"}
}

func oracleNames(p any, c Caller) (ways []string) {
	values := map[string][]string{}
	if p == "*" {
		values["AWS"] = []string{"*"}
	} else {
		for typ, v := range p.(map[string]any) {
			values[typ] = oracleList(v)
		}
	}
	types := map[PrincipalType]string{TypeAWS: "AWS", TypeService: "Service", TypeFederated: "Federated"}
	for typ, list := range values {
		for _, v := range list {
			id, _, _ := strings.Cut(c.UserID, ":")
			switch {
			case typ == "AWS" && v == "*":
				ways = append(ways, "everyone")
			case c.Anonymous || typ != types[c.Type]:
			case typ != "AWS" && v == c.ARN:
				ways = append(ways, "self")
			case typ != "AWS":
			case typ == "AWS" && (v == c.Account || oracleMatch(`^arn:aws:iam::`+c.Account+`:root$`, v)):
				ways = append(ways, "account")
			case v == c.ARN || v == c.UserID:
				ways = append(ways, "self")
			case c.RoleARN != "" && (v == c.RoleARN || v == id):
				ways = append(ways, "role")
			}
		}
	}
	return ways
}

func oracleList(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, e := range list {
		switch e := e.(type) {
		case string:
			out = append(out, e)
		case bool:
			out = append(out, strconv.FormatBool(e))
		case float64:
			out = append(out, strconv.FormatFloat(e, 'f', -1, 64))
		}
	}
	return out
}

func oracleAction(st oracleStatement, r oracleRequest) bool {
	in := func(v any) bool {
		for _, pattern := range oracleList(v) {
			for _, name := range r.Actions {
				if ok, _ := oracleLike("", pattern, name, "(?i)", r); ok {
					return true
				}
			}
		}
		return false
	}
	if v, ok := st.body["Action"]; ok {
		return in(v)
	}
	return !in(st.body["NotAction"])
}

func oracleResource(st oracleStatement, r oracleRequest) bool {
	v, ok := st.body["Resource"]
	if !ok {
		if v, ok = st.body["NotResource"]; !ok {
			return true // a trust policy
		}
		for _, pattern := range oracleList(v) {
			like, resolved := oracleLike(st.version, pattern, r.Resource, "", r)
			if like || !resolved && st.body["Effect"] == "Allow" {
				return false
			}
		}
		return true
	}
	for _, pattern := range oracleList(v) {
		if like, _ := oracleLike(st.version, pattern, r.Resource, "", r); like {
			return true
		}
	}
	return false
}

var oracleVariable = regexp.MustCompile(`\$\{([^,}]*)(, *'([^']*)' *)?\}`)

// oracleExpression makes a regular expression of a pattern. wild says whether "*" and
// "?" are wildcards in it; the values of variables never are.
func oracleExpression(version, pattern string, wild bool, r oracleRequest) (expression string, resolved bool) {
	text := func(s string) string {
		s = regexp.QuoteMeta(s)
		if wild {
			s = strings.ReplaceAll(strings.ReplaceAll(s, `\*`, `.*`), `\?`, `.`)
		}
		return s
	}
	if version != "2012-10-17" {
		return text(pattern), true
	}
	resolved = true
	at := 0
	for _, m := range oracleVariable.FindAllStringSubmatchIndex(pattern, -1) {
		expression += text(pattern[at:m[0]])
		at = m[1]
		name := pattern[m[2]:m[3]]
		values := r.context[strings.ToLower(name)]
		switch {
		case name == "*" || name == "?" || name == "$":
			expression += regexp.QuoteMeta(name)
		case len(values) == 1:
			expression += regexp.QuoteMeta(values[0])
		case len(values) == 0 && m[4] >= 0:
			expression += regexp.QuoteMeta(pattern[m[6]:m[7]])
		default:
			resolved = false
		}
	}
	return expression + text(pattern[at:]), resolved
}

func oracleLike(version, pattern, value, flags string, r oracleRequest) (like, resolved bool) {
	e, resolved := oracleExpression(version, pattern, true, r)
	return resolved && oracleMatch(flags+`(?s)^`+e+`$`, value), resolved
}

func oracleConditions(st oracleStatement, r oracleRequest) bool {
	operators, _ := st.body["Condition"].(map[string]any)
	for name, keys := range operators {
		for key, values := range keys.(map[string]any) {
			if !oracleCondition(st.version, name, oracleList(values), r.context[strings.ToLower(key)], r) {
				return false
			}
		}
	}
	return true
}

func oracleCondition(version, name string, policyValues, requestValues []string, r oracleRequest) bool {
	if name == "Null" {
		return slices.Contains(policyValues, strconv.FormatBool(len(requestValues) == 0))
	}
	set, base, ok := strings.Cut(name, ":")
	if !ok {
		set, base = "", name
	}
	base, ifExists := strings.CutSuffix(base, "IfExists")
	positive := strings.Replace(base, "Not", "", 1)
	negated := positive != base
	if len(requestValues) == 0 {
		return ifExists || set == "ForAllValues" || set == "" && negated
	}
	satisfies := func(v string) bool { // one value of the request against all of the policy
		some := slices.ContainsFunc(policyValues, func(p string) bool { return oracleCompare(version, positive, p, v, r) })
		return some != negated
	}
	switch {
	case set == "ForAnyValue":
		return slices.ContainsFunc(requestValues, satisfies)
	case set == "ForAllValues", negated:
		return !slices.ContainsFunc(requestValues, func(v string) bool { return !satisfies(v) })
	}
	return slices.ContainsFunc(requestValues, satisfies)
}

// oracleCompare compares one value by a positive operator.
func oracleCompare(version, operator, policy, value string, r oracleRequest) bool {
	if kind, ok := strings.CutPrefix(operator, "Numeric"); ok {
		p, _ := new(big.Rat).SetString(policy)
		v, ok := new(big.Rat).SetString(value)
		return ok && oracleOrder(kind, v.Cmp(p))
	}
	if kind, ok := strings.CutPrefix(operator, "Date"); ok {
		p, _ := oracleTime(policy)
		v, ok := oracleTime(value)
		return ok && oracleOrder(kind, v.Compare(p))
	}
	switch operator {
	case "StringEquals", "StringEqualsIgnoreCase":
		e, resolved := oracleExpression(version, policy, false, r)
		fold := ""
		if operator == "StringEqualsIgnoreCase" {
			fold = "(?i)"
		}
		return resolved && oracleMatch(fold+`(?s)^`+e+`$`, value)
	case "StringLike":
		like, _ := oracleLike(version, policy, value, "", r)
		return like
	case "ArnEquals", "ArnLike":
		return oracleARN(version, policy, value, r)
	case "Bool":
		return strings.EqualFold(policy, value)
	case "BinaryEquals":
		return base64.StdEncoding.EncodeToString([]byte(value)) == policy
	case "IpAddress":
		ip := net.ParseIP(value)
		if _, network, err := net.ParseCIDR(policy); err == nil {
			return ip != nil && network.Contains(ip)
		}
		return ip != nil && ip.Equal(net.ParseIP(policy))
	}
	panic("no such operator: " + operator)
}

func oracleOrder(kind string, order int) bool {
	switch kind {
	case "Equals":
		return order == 0
	case "LessThan":
		return order < 0
	case "LessThanEquals":
		return order <= 0
	case "GreaterThan":
		return order > 0
	}
	return order >= 0
}

func oracleTime(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(n, 0), true
	}
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil
}

// oracleARN compares part by part. Variables are hidden while the policy's value is
// taken apart, because their names have colons.
func oracleARN(version, policy, value string, r oracleRequest) bool {
	if policy == "*" || version == "2012-10-17" && oracleVariable.FindString(policy) == policy {
		like, _ := oracleLike(version, policy, value, "", r)
		return like
	}
	var hidden []string
	if version == "2012-10-17" {
		policy = oracleVariable.ReplaceAllStringFunc(policy, func(v string) string {
			hidden = append(hidden, v)
			return "\x00"
		})
	}
	parts, values := strings.SplitN(policy, ":", 6), strings.SplitN(value, ":", 6)
	if len(values) != 6 {
		return false
	}
	for i, p := range parts {
		for strings.Contains(p, "\x00") {
			p = strings.Replace(p, "\x00", hidden[0], 1)
			hidden = hidden[1:]
		}
		if like, _ := oracleLike(version, p, values[i], "", r); !like {
			return false
		}
	}
	return true
}
