package awsapi

import (
	"context"
	"strings"

	"tacet"
	"tacet/internal/identity"
)

// stsOperations is STS's part of the table.
func stsOperations() []queryOperation {
	type svc = identity.Service
	return []queryOperation{
		{name: tacet.OpGetCallerIdentity, serve: query(readNone, callCallerIdentity, writeCallerIdentity)},
		{name: tacet.OpAssumeRole, serve: query(readAssumeRole, (*svc).AssumeRole, writeRoleSession)},
		{name: tacet.OpAssumeRoleWithWebIdentity, anonymous: true, serve: query(readWebIdentity, (*svc).AssumeRoleWithWebIdentity, writeWebSession)},
		{name: tacet.OpGetSessionToken, serve: query(readSessionToken, (*svc).GetSessionToken, writeSessionToken)},
		{name: tacet.OpGetAccessKeyInfo, serve: query(readAccessKeyInfo, (*svc).GetAccessKeyInfo, writeAccount)},
		{name: tacet.OpDecodeAuthorizationMessage, serve: query(readEncodedMessage, (*svc).DecodeAuthorizationMessage, writeDecodedMessage)},
	}
}

type none struct{}

func readNone(*form, *checks) none { return none{} }

func callCallerIdentity(s *identity.Service, ctx context.Context, by tacet.Call, _ none) (tacet.Caller, error) {
	return s.GetCallerIdentity(ctx, by)
}

// Patterns of the model.
const (
	sessionNamePattern = `[\w+=,.@-]*`
	externalIDPattern  = `[\w+=,.@:\/-]*`
	arnPattern         = `[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+`
	policyPattern      = `[\u0009\u000A\u000D\u0020-\u00FF]+`
	accessKeyPattern   = `[\w]*`
)

// matchARN is arnPattern.
func matchARN(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r != 0x85 && !isSpace(r) && (r < 0x20 || r >= 0x7f && r < 0xa0) })
}

func isSpace(r rune) bool { return r == '\t' || r == '\n' || r == '\r' }

// matchAccessKey is accessKeyPattern.
func matchAccessKey(s string) bool { return strings.Trim(s, alphanumeric+"_") == "" }

// matchSessionName is sessionNamePattern.
func matchSessionName(s string) bool { return strings.Trim(s, alphanumeric+"_+=,.@-") == "" }

// matchExternalID is externalIDPattern.
func matchExternalID(s string) bool { return strings.Trim(s, alphanumeric+"_+=,.@:/-") == "" }

// session reads what every request for a session of a role has.
func (f *form) session(c *checks) identity.SessionInput {
	arn, name, policy := f.text("RoleArn"), f.text("RoleSessionName"), f.text("Policy")
	c.required("roleArn", arn.Set)
	c.length("roleArn", arn, 20, 2048)
	c.pattern("roleArn", arn, arnPattern, matchARN)
	c.required("roleSessionName", name.Set)
	c.length("roleSessionName", name, 2, 64)
	c.pattern("roleSessionName", name, sessionNamePattern, matchSessionName)
	c.length("policy", policy, 1, 2048)
	c.pattern("policy", policy, policyPattern, matchLatin)
	in := identity.SessionInput{RoleARN: arn.S, Name: name.S, Policy: policy.S,
		Duration: c.bounds("durationSeconds", f.integer(c, "DurationSeconds"), 900, 43200)}
	for i, p := range f.structures("PolicyArns") {
		c.in("policyArns", i+1)
		t := p.text("arn")
		c.length("arn", t, 20, 2048)
		in.PolicyARNs = append(in.PolicyARNs, t.S)
	}
	c.in("", 0)
	if n := len(in.PolicyARNs); n > 10 {
		c.size("policyArns", n, 0, 10)
	}
	return in
}

func readAssumeRole(f *form, c *checks) identity.AssumeRoleInput {
	in := identity.AssumeRoleInput{SessionInput: f.session(c), Tags: f.tags(c)}
	in.TransitiveKeys = c.strings("transitiveTagKeys", f.texts("TransitiveTagKeys"), [2]int{0, tacet.MaxTags}, [2]int{1, tacet.MaxTagKey}, tagKeyPattern, identity.ValidTagText)
	external, source := f.text("ExternalId"), f.text("SourceIdentity")
	c.length("externalId", external, 2, 1224)
	c.pattern("externalId", external, externalIDPattern, matchExternalID)
	c.length("sourceIdentity", source, 2, 64)
	c.pattern("sourceIdentity", source, sessionNamePattern, matchSessionName)
	in.ExternalID, in.SourceIdentity = external.S, source.S
	switch {
	case !identity.IsRoleARN(in.RoleARN):
		c.parameter = in.RoleARN + " is invalid"
	case f.text("SerialNumber").Set || f.text("TokenCode").Set:
		c.parameter = "MultiFactorAuthentication is not available on this server."
	case f.structures("ProvidedContexts") != nil:
		c.parameter = "ProvidedContexts is not available on this server."
	}
	return in
}

func readWebIdentity(f *form, c *checks) identity.WebIdentityInput {
	in := identity.WebIdentityInput{SessionInput: f.session(c)}
	token, provider := f.text("WebIdentityToken"), f.text("ProviderId")
	c.required("webIdentityToken", token.Set)
	if rule := lengthRule(token, 4, 20000); rule != "" {
		c.fail("", "webIdentityToken", rule) // the token is a credential: it is not repeated
	}
	c.length("providerId", provider, 4, 2048)
	if provider.Set { // OAuth 2.0 access tokens of three providers of long ago
		c.parameter = "ProviderId is for OAuth 2.0 access tokens, which this server does not take."
	}
	in.Token = token.S
	return in
}

// tags reads a list of tags.
func (f *form) tags(c *checks) []tacet.Tag {
	var out []tacet.Tag
	for i, t := range f.structures("Tags") {
		c.in("tags", i+1)
		key, value := t.text("Key"), t.text("Value")
		c.required("key", key.Set)
		c.required("value", value.Set)
		c.length("key", key, 1, tacet.MaxTagKey)
		c.pattern("key", key, tagKeyPattern, identity.ValidTagText)
		c.length("value", value, 0, tacet.MaxTagValue)
		c.pattern("value", value, tagValuePattern, identity.ValidTagText)
		out = append(out, tacet.Tag{Key: key.S, Value: value.S})
	}
	c.in("", 0)
	if len(out) > tacet.MaxTags {
		c.size("tags", len(out), 0, tacet.MaxTags)
	}
	return out
}

func readSessionToken(f *form, c *checks) int64 {
	if f.text("SerialNumber").Set || f.text("TokenCode").Set {
		c.parameter = "MultiFactorAuthentication is not available on this server."
	}
	return c.bounds("durationSeconds", f.integer(c, "DurationSeconds"), 900, 129600)
}

func readAccessKeyInfo(f *form, c *checks) string {
	id := f.text("AccessKeyId")
	c.required("accessKeyId", id.Set)
	c.length("accessKeyId", id, 16, 128)
	c.pattern("accessKeyId", id, accessKeyPattern, matchAccessKey)
	return id.S
}

func writeCallerIdentity(e *encoder, who tacet.Caller) {
	e.element("Arn", who.ARN)
	e.element("UserId", who.ID)
	e.element("Account", who.Account)
}

func writeRoleSession(e *encoder, s identity.RoleSession) {
	if s.SourceIdentity != "" {
		e.element("SourceIdentity", s.SourceIdentity)
	}
	e.within("AssumedRoleUser", func() {
		e.element("AssumedRoleId", s.ID)
		e.element("Arn", s.ARN)
	})
	writeCredentials(e, s.Credentials)
	if s.Packed >= 0 {
		e.number("PackedPolicySize", int64(s.Packed))
	}
}

func writeWebSession(e *encoder, s identity.WebSession) {
	e.element("SubjectFromWebIdentityToken", s.Subject)
	e.element("Provider", s.Provider)
	e.element("Audience", s.Audience)
	writeRoleSession(e, s.RoleSession)
}

func writeSessionToken(e *encoder, c identity.Credentials) { writeCredentials(e, c) }

func writeAccount(e *encoder, account string) { e.element("Account", account) }
