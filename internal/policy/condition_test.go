package policy

import (
	"strings"
	"testing"
)

// conditionTests: an operator, the policy's values in JSON, and the request's values
// of the key; none means that the request does not have the key.
var conditionTests = []struct {
	rule     string
	operator string
	policy   string
	request  []string
	want     bool
}{
	{"StringEquals is exact", "StringEquals", `"a"`, []string{"a"}, true},
	{"StringEquals has a case", "StringEquals", `"a"`, []string{"A"}, false},
	{"StringEquals has no wildcards", "StringEquals", `"a*"`, []string{"ab"}, false},
	{"StringEquals takes * for itself", "StringEquals", `"a*"`, []string{"a*"}, true},
	{"the policy's values are alternatives", "StringEquals", `["a","b"]`, []string{"b"}, true},
	{"a missing key fails a positive operator", "StringEquals", `"a"`, nil, false},
	{"a number needs no quotes", "StringEquals", `111122223333`, []string{"111122223333"}, true},
	{"the empty string is a value", "StringEquals", `""`, []string{""}, true},
	{"StringNotEquals", "StringNotEquals", `"a"`, []string{"b"}, true},
	{"a negated operator: none may match", "StringNotEquals", `["a","b"]`, []string{"b"}, false},
	{"a missing key satisfies a negated operator", "StringNotEquals", `"a"`, nil, true},
	{"StringEqualsIgnoreCase", "StringEqualsIgnoreCase", `"Straße"`, []string{"STRAßE"}, true},
	{"StringEqualsIgnoreCase with a variable", "StringEqualsIgnoreCase", `"${aws:username}"`, []string{"ALICE"}, true},
	{"StringNotEqualsIgnoreCase", "StringNotEqualsIgnoreCase", `"a"`, []string{"A"}, false},
	{"StringLike has wildcards", "StringLike", `"a*?"`, []string{"abc"}, true},
	{"StringLike has a case", "StringLike", `"A*"`, []string{"abc"}, false},
	{"StringLike takes a variable for text", "StringLike", `"${aws:PrincipalTag/star}"`, []string{"anything"}, false},
	{"StringLike with a variable and its value", "StringLike", `"${aws:PrincipalTag/star}"`, []string{"*"}, true},
	{"a variable without a value matches nothing", "StringEquals", `"${aws:PrincipalTag/none}"`, []string{""}, false},
	{"and so satisfies a negated operator", "StringNotEquals", `"${aws:PrincipalTag/none}"`, []string{""}, true},
	{"StringNotLike", "StringNotLike", `"a*"`, []string{"abc"}, false},

	{"IfExists is satisfied by a missing key", "StringEqualsIfExists", `"a"`, nil, true},
	{"IfExists checks a key that is there", "StringEqualsIfExists", `"a"`, []string{"b"}, false},

	{"without a prefix any value of the request will do", "StringEquals", `"a"`, []string{"x", "a"}, true},
	{"without a prefix no value may match a negated operator", "StringNotEquals", `"a"`, []string{"x", "a"}, false},
	{"ForAllValues: every value must match", "ForAllValues:StringEquals", `["a","b"]`, []string{"a", "b", "a"}, true},
	{"ForAllValues: one that does not", "ForAllValues:StringEquals", `["a","b"]`, []string{"a", "c"}, false},
	{"ForAllValues: true on a missing key", "ForAllValues:StringEquals", `"a"`, nil, true},
	{"ForAnyValue: one that matches", "ForAnyValue:StringEquals", `["a","b"]`, []string{"c", "b"}, true},
	{"ForAnyValue: none that matches", "ForAnyValue:StringEquals", `["a","b"]`, []string{"c", "d"}, false},
	{"ForAnyValue: false on a missing key", "ForAnyValue:StringEquals", `"a"`, nil, false},
	{"ForAnyValue: false on a missing key though negated", "ForAnyValue:StringNotEquals", `"a"`, nil, false},
	{"ForAllValues, negated: no value may match", "ForAllValues:StringNotEquals", `"a"`, []string{"b", "a"}, false},
	{"ForAnyValue, negated: one that does not match", "ForAnyValue:StringNotEquals", `"a"`, []string{"a", "b"}, true},
	{"prefix and suffix together", "ForAnyValue:StringLikeIfExists", `"a*"`, nil, true},

	{"NumericEquals compares numbers", "NumericEquals", `"7"`, []string{"07.0"}, true},
	{"NumericEquals takes a JSON number", "NumericEquals", `7.50`, []string{"7.5"}, true},
	{"NumericEquals is exact beyond a double", "NumericEquals", `"9007199254740993"`, []string{"9007199254740992"}, false},
	{"NumericEquals: zero has no sign", "NumericEquals", `"0"`, []string{"-0.0"}, true},
	{"NumericNotEquals", "NumericNotEquals", `"7"`, []string{"8"}, true},
	{"NumericLessThan", "NumericLessThan", `"7"`, []string{"6.99"}, true},
	{"NumericLessThan is not equals", "NumericLessThan", `"7"`, []string{"7"}, false},
	{"NumericLessThan below zero", "NumericLessThan", `"-7"`, []string{"-8"}, true},
	{"NumericLessThan by length", "NumericLessThan", `"10"`, []string{"9"}, true},
	{"NumericLessThanEquals", "NumericLessThanEquals", `"7"`, []string{"7"}, true},
	{"NumericGreaterThan", "NumericGreaterThan", `"-1"`, []string{"0"}, true},
	{"NumericGreaterThanEquals", "NumericGreaterThanEquals", `"7"`, []string{"6"}, false},
	{"what is no number compares with none", "NumericGreaterThan", `"7"`, []string{"1e9"}, false},

	{"DateEquals compares instants", "DateEquals", `"2026-01-02T03:04:05Z"`, []string{"2026-01-02T05:04:05+02:00"}, true},
	{"DateEquals with seconds since 1970", "DateEquals", `1767323045`, []string{"2026-01-02T03:04:05Z"}, true},
	{"DateNotEquals", "DateNotEquals", `"2026-01-02"`, []string{"2026-01-02T00:00:00Z"}, false},
	{"DateLessThan", "DateLessThan", `"2026-01-02T03:04Z"`, []string{"2026-01-02T03:03:59.999Z"}, true},
	{"DateLessThanEquals", "DateLessThanEquals", `"20260102T030405Z"`, []string{"2026-01-02T03:04:05Z"}, true},
	{"DateGreaterThan", "DateGreaterThan", `"2026-01-02T03:04:05Z"`, []string{"1767323045"}, false},
	{"DateGreaterThanEquals", "DateGreaterThanEquals", `"2026-01-02T03:04:05Z"`, []string{"1767323045"}, true},
	{"what is no date compares with none", "DateGreaterThan", `"1970-01-01"`, []string{"tomorrow"}, false},

	{"Bool", "Bool", `"true"`, []string{"true"}, true},
	{"Bool takes a JSON boolean", "Bool", `false`, []string{"False"}, true},
	{"Bool: not the other", "Bool", `true`, []string{"false"}, false},
	{"Bool: a missing key is not false", "Bool", `false`, nil, false},
	{"BoolIfExists: nor is it then", "BoolIfExists", `false`, nil, true},
	{"what is no boolean is neither", "Bool", `["true","false"]`, []string{"yes"}, false},

	{"Null true: the key is missing", "Null", `"true"`, nil, true},
	{"Null true: the key is there", "Null", `"true"`, []string{"x"}, false},
	{"Null false: the key is there", "Null", `false`, []string{""}, true},
	{"Null false: the key is missing", "Null", `"false"`, nil, false},

	{"BinaryEquals compares the bytes", "BinaryEquals", `"AAE="`, []string{"\x00\x01"}, true},
	{"BinaryEquals: not their base64", "BinaryEquals", `"AAE="`, []string{"AAE="}, false},

	{"IpAddress in a block", "IpAddress", `"10.1.0.0/16"`, []string{"10.1.255.255"}, true},
	{"IpAddress outside", "IpAddress", `"10.1.0.0/16"`, []string{"10.2.0.0"}, false},
	{"IpAddress alone", "IpAddress", `"10.1.2.3"`, []string{"10.1.2.3"}, true},
	{"IpAddress: bits after the mask", "IpAddress", `"10.1.2.3/16"`, []string{"10.1.9.9"}, true},
	{"IpAddress v6", "IpAddress", `"2001:DB8::/32"`, []string{"2001:db8:0:1::5"}, true},
	{"IpAddress: v4 written as v6 in the request", "IpAddress", `"10.1.0.0/16"`, []string{"::ffff:10.1.2.3"}, true},
	{"IpAddress: v4 written as v6 in the policy", "IpAddress", `"::ffff:10.1.0.0/112"`, []string{"10.1.2.3"}, true},
	{"IpAddress: a v6 block has no v4", "IpAddress", `"::/0"`, []string{"10.1.2.3"}, false},
	{"IpAddress with a zone", "IpAddress", `"fe80::/10"`, []string{"fe80::1%eth0"}, true},
	{"what is no address is nowhere", "IpAddress", `"0.0.0.0/0"`, []string{"10.1.2.3:80"}, false},
	{"NotIpAddress", "NotIpAddress", `"10.1.0.0/16"`, []string{"10.2.0.0"}, true},
	{"NotIpAddress inside", "NotIpAddress", `["10.1.0.0/16","10.2.0.0/16"]`, []string{"10.2.0.0"}, false},
	{"NotIpAddress on a missing key", "NotIpAddress", `"10.1.0.0/16"`, nil, true},

	{"ArnLike has wildcards in each part", "ArnLike", `"arn:aws:iam::1111*:role/op?"`, []string{opsRole}, true},
	{"ArnEquals is ArnLike", "ArnEquals", `"arn:aws:iam::*:role/*"`, []string{opsRole}, true},
	{"a wildcard of ArnLike stays in its part", "ArnLike", `"arn:aws:*:role/ops:x:y"`, []string{opsRole}, false},
	{"the last part has the colons that are left", "ArnLike", `"arn:aws:secretsmanager:*:*:secret:*"`, []string{dbSecret}, true},
	{"ArnLike has a case", "ArnLike", `"arn:aws:iam::*:role/OPS"`, []string{opsRole}, false},
	{"ArnLike with a variable in a part", "ArnLike", `"arn:aws:iam::*:user/${aws:username}"`, []string{alice}, true},
	{"the colons of a value stay in its part", "ArnLike", `"arn:aws:${aws:PrincipalTag/colons}:*:*:*"`, []string{"arn:aws:iam::1:user/x:y:z"}, false},
	{"a variable alone may be the whole ARN", "ArnEquals", `"${aws:PrincipalArn}"`, []string{alice}, true},
	{"* alone is any value", "ArnLike", `"*"`, []string{"anything"}, true},
	{"what is no ARN is like none", "ArnLike", `"arn:*:*:*:*:*"`, []string{"arn:aws:iam"}, false},
	{"ArnNotEquals", "ArnNotEquals", `"arn:aws:iam::*:role/*"`, []string{alice}, true},
	{"ArnNotLike", "ArnNotLike", `"arn:aws:iam::*:user/*"`, []string{alice}, false},
	{"ArnNotLike on a missing key", "ArnNotLike", `"arn:aws:iam::*:user/*"`, nil, true},
}

func TestConditions(t *testing.T) {
	for _, tt := range conditionTests {
		t.Run(tt.rule, func(t *testing.T) {
			doc := mustParse(t, Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"`+tt.operator+`":{"Test:Key":`+tt.policy+`}}}}`)
			ctx := mapContext{"aws:username": {"alice"}, "aws:principaltag/star": {"*"}, "aws:principaltag/colons": {"iam::1"}, "aws:principalarn": {alice}}
			if tt.request != nil {
				ctx["test:key"] = tt.request
			}
			r := &Request{Caller: callers["alice"], Actions: []string{"a:b"}, Resource: "*", ResourceAccount: home, Context: ctx}
			if got := Decide(&Set{Identity: []*Document{doc}}, r).Allowed; got != tt.want {
				t.Errorf("%s %s on %q: %v", tt.operator, tt.policy, tt.request, got)
			}
		})
	}
}

// TestEveryOperatorIsTested: each operator of the language has a row above.
func TestEveryOperatorIsTested(t *testing.T) {
	rows := map[string]bool{}
	for _, tt := range conditionTests {
		rows[tt.operator] = true
	}
	names := []string{"Null"}
	for _, list := range conditionOperators {
		names = append(names, list...)
	}
	for _, name := range names {
		if _, ok := parseOperator(name); !ok {
			t.Errorf("%s is not known", name)
		}
		if !rows[name] {
			t.Errorf("%s has no row", name)
		}
	}
}

// TestConditionsAreJoined: several values are alternatives; keys and operators are
// joined by and.
func TestConditionsAreJoined(t *testing.T) {
	doc := mustParse(t, Identity, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{
		"StringEquals":{"test:a":["1","2"],"test:b":"x"},"Bool":{"test:c":"true"}}}}`)
	for _, tt := range []struct {
		a, b, c string
		want    bool
	}{
		{"1", "x", "true", true}, {"2", "x", "true", true}, {"3", "x", "true", false}, {"1", "y", "true", false}, {"1", "x", "false", false},
	} {
		ctx := mapContext{"test:a": {tt.a}, "test:b": {tt.b}, "test:c": {tt.c}}
		r := &Request{Caller: callers["alice"], Actions: []string{"a:b"}, Resource: "*", ResourceAccount: home, Context: ctx}
		if got := Decide(&Set{Identity: []*Document{doc}}, r).Allowed; got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// askedKeys records the keys that a decision asks for.
type askedKeys []string

func (a *askedKeys) Value(key string) ([]string, bool) {
	*a = append(*a, key)
	return nil, false
}

// TestContextKeys: how the keys of a policy reach the context.
func TestContextKeys(t *testing.T) {
	for written, asked := range map[string]string{
		"aws:SourceIp":                            "aws:sourceip",
		"AWS:SOURCEIP":                            "aws:sourceip",
		"secretsmanager:ResourceTag/CostCenter":   "secretsmanager:resourcetag/CostCenter",
		"AWS:RequestTag/Cost/Center":              "aws:requesttag/Cost/Center",
		"aws:PrincipalTag/a b":                    "aws:principaltag/a b",
		"secretsmanager:resource/Type":            "secretsmanager:resource/type",
		"oidc.eks.eu.amazonaws.com/id/ABC:sub":    "oidc.eks.eu.amazonaws.com/id/abc:sub",
		"token.actions.githubusercontent.com:aud": "token.actions.githubusercontent.com:aud",
	} {
		for _, element := range []string{
			`"Resource":"*","Condition":{"StringEquals":{"` + written + `":"x"}}`,
			`"Resource":"arn:${` + written + `}"`,
		} {
			doc := mustParse(t, Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*",`+element+`}}`)
			var asked1 askedKeys
			Decide(&Set{Identity: []*Document{doc}}, &Request{Caller: callers["alice"], Actions: []string{"a:b"}, Resource: "arn:x", ResourceAccount: home, Context: &asked1})
			if got := strings.Join(asked1, " "); got != asked {
				t.Errorf("%s asks for %q, want %q", element, got, asked)
			}
		}
	}
}

// TestNoContext: a request without a context has no keys.
func TestNoContext(t *testing.T) {
	doc := mustParse(t, Identity, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"aws:SourceIp":"true"}}}}`)
	r := &Request{Caller: callers["alice"], Actions: []string{"a:b"}, Resource: "*", ResourceAccount: home}
	if !Decide(&Set{Identity: []*Document{doc}}, r).Allowed {
		t.Error("refused")
	}
}
