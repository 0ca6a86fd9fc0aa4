package awsapi_test

import (
	"strings"
	"testing"
)

// pairsOf writes tags as the members of a request.
func pairsOf(tags ...string) []string {
	var out []string
	for i := 0; i < len(tags); i += 2 {
		p := "Tags.member." + string(rune('1'+i/2)) + "."
		out = append(out, p+"Key", tags[i], p+"Value", tags[i+1])
	}
	return out
}

// TestContractE_SessionTagsRefused: what tags a session may not have, in AWS's words where
// they are known ("Pass session tags in AWS STS", IAM User Guide).
func TestContractE_SessionTagsRefused(t *testing.T) {
	h := newServer(t)
	arn := h.role("r", trusting(`{"AWS":"`+h.s.Account+`"}`, "", "sts:AssumeRole", "sts:TagSession"), everything)
	ask := func(pairs ...string) []string {
		return append([]string{"RoleArn", arn, "RoleSessionName", "s1"}, pairs...)
	}
	h.refused(400, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.", "AssumeRole", ask(pairsOf("team", "red", "Team", "blue")...)...)
	h.refused(400, "InvalidParameterValue", "Tag keys beginning with aws: are reserved for system use.", "AssumeRole", ask(pairsOf("AWS:team", "red")...)...)
	const missing = "The specified transitive tag key must be included in the requested tags."
	h.refused(400, "InvalidParameterValue", missing, "AssumeRole", ask("TransitiveTagKeys.member.1", "team")...)
	h.refused(400, "InvalidParameterValue", missing, "AssumeRole", ask(append(pairsOf("team", "red"), "TransitiveTagKeys.member.1", "team", "TransitiveTagKeys.member.2", "cost")...)...)
	h.refused(400, "ValidationError", "1 validation error detected: Value '[k;]' at 'transitiveTagKeys' failed to satisfy constraint: Member must satisfy constraint: …", "AssumeRole", ask("TransitiveTagKeys.member.1", "k;")...)
	h.refused(400, "PackedPolicyTooLarge", "Packed size of session tags consumes …", "AssumeRole", ask(manyTags(50)...)...)
	h.refused(400, "PackedPolicyTooLarge", "Packed policy consumes …", "AssumeRole", ask(append(manyTags(50), "Policy", everything)...)...)
	// The case of a key is the tag's, not the list's.
	s, _ := h.assume(arn, "s1", append(pairsOf("Team", "red"), "TransitiveTagKeys.member.1", "TEAM")...)
	s.refused(400, "InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
		"AssumeRole", ask(pairsOf("tEAM", "blue")...)...)
}

// TestContractE_WhatChainsNeedsItsPermission: a session hands on its transitive tags and its
// source identity only where the next role's trust policy lets these be set, and there the
// source identity is both keys of it.
func TestContractE_WhatChainsNeedsItsPermission(t *testing.T) {
	h := newServer(t)
	all := []string{"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"}
	account := `{"AWS":"` + h.s.Account + `"}`
	first := h.role("first", trusting(account, "", all...), everything)
	tagged, _ := h.assume(first, "s1", append(pairsOf("team", "red", "cost", "7"), "TransitiveTagKeys.member.1", "team")...)
	loose, _ := h.assume(first, "s1", pairsOf("team", "red")...)
	named, _ := h.assume(first, "s1", "SourceIdentity", "alice")
	plain := h.role("plain", trusting(account, "", "sts:AssumeRole"), everything)
	for action, s := range map[string]*house{"sts:TagSession": tagged, "sts:SetSourceIdentity": named} {
		s.refused(403, "AccessDenied", "User: arn:aws:sts::"+h.s.Account+":assumed-role/first/s1 is not authorized to perform: "+action+" on resource: "+plain,
			"AssumeRole", "RoleArn", plain, "RoleSessionName", "s2")
	}
	loose.assume(plain, "s2") // what is not transitive is not handed on
	for name, condition := range map[string]string{
		"aws-key": `{"StringEquals":{"aws:SourceIdentity":"alice"}}`, "sts-key": `{"StringEquals":{"sts:SourceIdentity":"alice"}}`,
	} {
		next := h.role(name, trusting(account, condition, all...), everything)
		if _, a := named.assume(next, "s2"); a.Result.SourceIdentity != "alice" {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	other := h.role("other", trusting(account, "", all...), everything)
	named.assume(other, "s2", "SourceIdentity", "alice")
	named.refused(403, "AccessDenied", "The source identity of the calling session can't be changed.", "AssumeRole", "RoleArn", other, "RoleSessionName", "s2", "SourceIdentity", "bob")
}

// TestContractE_RolesByWrongNames: what is no role's ARN is told so; a role that is not there is not.
func TestContractE_RolesByWrongNames(t *testing.T) {
	h := newServer(t)
	for _, arn := range []string{
		"nothing-valid-in-here", "arn::b:::something/test-role", "arn:a:a::aaaaaaaaaa:", "arn:aws:iam::12345:role/deploy", "arn:aws:iam::" + h.s.Account + ":role/",
		"arn:aws:iam::" + h.s.Account + ":user/alice", "arn:aws:sts::" + h.s.Account + ":assumed-role/deploy/x", "arn:aws:iam:us-east-1:" + h.s.Account + ":role/deploy",
	} {
		h.refused(400, "ValidationError", arn+" is invalid", "AssumeRole", "RoleArn", arn, "RoleSessionName", "s1")
	}
	h.refused(400, "ValidationError", "1 validation error detected: Value '…", "AssumeRole", "RoleArn", "arn:aws:iam::"+h.s.Account+":role/a\x01b", "RoleSessionName", "s1")
	h.refused(403, "AccessDenied", "User: …", "AssumeRole", "RoleArn", "arn:aws:iam::"+h.s.Account+":role/path/none", "RoleSessionName", "s1")
	a := h.unsigned("AssumeRoleWithWebIdentity", "RoleArn", "arn:aws:iam::12345:role/deploy", "RoleSessionName", "s1", "WebIdentityToken", newIssuer(t).token(nil))
	if a.Status != 400 || a.Code != "ValidationError" || a.Message != "Request ARN is invalid" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

// TestContractE_NotOffered: what a caller relies on and this server does not have is refused,
// not passed over.
func TestContractE_NotOffered(t *testing.T) {
	h := newServer(t)
	arn := h.role("r", trusting(`{"AWS":"`+h.s.Account+`"}`, ""), everything)
	h.refused(400, "ValidationError", "ProvidedContexts is not available on this server.", "AssumeRole", "RoleArn", arn, "RoleSessionName", "s1",
		"ProvidedContexts.member.1.ProviderArn", "arn:aws:iam::aws:contextProvider/IdentityCenter", "ProvidedContexts.member.1.ContextAssertion", "assertion")
	h.refused(400, "ValidationError", "1 validation error detected: Value '…", "AssumeRole", "RoleArn", arn, "RoleSessionName", "s1", "Policy", strings.Replace(everything, "*", "☃", 1))
}

// TestContractE_SessionsOfUsersInSTS: a session of GetSessionToken calls no more of STS than
// AssumeRole and GetCallerIdentity (IAM User Guide, "Compare AWS STS credentials").
func TestContractE_SessionsOfUsersInSTS(t *testing.T) {
	h := newServer(t)
	u := h.user("u", in{"Effect": "Allow", "Action": "*", "Resource": "*"})
	arn := h.role("r", trusting(`{"AWS":"`+h.s.Account+`"}`, "", "sts:AssumeRole"), everything)
	s := u.inSession(u.ask("sts", "GetSessionToken"))
	s.refused(403, "AccessDenied", "Cannot call GetAccessKeyInfo with session credentials", "GetAccessKeyInfo", "AccessKeyId", h.s.AccessKey)
	s.refused(403, "AccessDenied", "Cannot call DecodeAuthorizationMessage with session credentials", "DecodeAuthorizationMessage", "EncodedMessage", "x")
	s.refused(403, "AccessDenied", "Cannot call GetSessionToken with session credentials", "GetSessionToken")
	next, _ := s.assume(arn, "s1")
	if a := next.ask("sts", "GetAccessKeyInfo", "AccessKeyId", h.s.AccessKey); a.Result.Account != h.s.Account {
		t.Errorf("a role's session: %s", a.Body)
	}
	u.refused(400, "ValidationError", "The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found.", "GetAccessKeyInfo", "AccessKeyId", "AKIAIOSFODNN7EXAMPLE")
	u.refused(400, "ValidationError", "1 validation error detected: Value 'AKIA-IOSFODNN7EXAMP' at 'accessKeyId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w]*",
		"GetAccessKeyInfo", "AccessKeyId", "AKIA-IOSFODNN7EXAMP")
}
