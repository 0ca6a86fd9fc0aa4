package identity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/jwa"
	"tacet/internal/oidc"
)

// WebIdentityInput is the input of [Service.AssumeRoleWithWebIdentity].
type WebIdentityInput struct {
	SessionInput
	// Token is the issuer's, as the caller sent it.
	Token string
}

// WebSession is a session of a role that another issuer's token was given for.
type WebSession struct {
	RoleSession
	Subject  string // sub
	Provider string // the issuer, without "https://"
	Audience string // the aud that the provider lists
}

// AssumeRoleWithWebIdentity makes a session of a role for whoever a token of a registered
// issuer speaks for, if the role's trust policy lets him. Nobody signs: the token is the
// proof. call has no caller yet.
//
// See the AWS STS API reference. Errors: IdentityTokenInvalid, IdentityTokenExpired,
// IssuerUnreachable, Denied, and those of [Service.AssumeRole].
func (s *Service) AssumeRoleWithWebIdentity(ctx context.Context, call tacet.Call, in WebIdentityInput) (WebSession, error) {
	who, err := s.federated(ctx, in.RoleARN, in.Token)
	if err != nil {
		return WebSession{}, err
	}
	out, err := asFederated(ctx, s, call, who, in.SessionInput, nil, s.newRoleSession)
	return WebSession{RoleSession: out, Subject: who.claims.Subject, Provider: who.provider.URL, Audience: who.claims.MatchedAudience}, err
}

// asFederated decides, by the role's trust policy, whether a federated identity may have a
// session of a role, and has do make what stands for it: credentials, or an access token.
// params are further ones for the record.
func asFederated[T any](ctx context.Context, s *Service, call tacet.Call, who *federated, in SessionInput, params map[string]any,
	do func(*guard.Snapshot, SessionInput, tacet.Session) (T, error)) (T, error) {
	var none T
	call.Caller, call.Account = who.caller(), who.provider.Account
	r := sessionRequest(call, tacet.OpAssumeRoleWithWebIdentity, in)
	maps.Copy(r.Parameters, params)
	sess, err := who.session(&r)
	if err != nil {
		return none, err
	}
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (T, error) {
		if v.OIDCProvider(who.provider.ARN()) == nil {
			return none, noProvider(who.claims.Issuer)
		}
		return do(v, in, sess)
	})
}

// A federated is somebody whom a registered issuer vouches for.
type federated struct {
	provider tacet.OIDCProvider
	claims   oidc.Claims
}

// federated verifies a token that is to be good for a role: that its issuer is registered
// in the role's account, signed it, and made it for one of the audiences listed there. It
// may ask the issuer for its keys, so it comes before the door.
func (s *Service) federated(ctx context.Context, roleARN, compact string) (*federated, error) {
	token, err := jwa.Parse(compact)
	if err != nil {
		return nil, tokenError(err, jwa.Claims{}, time.Time{})
	}
	account, ok := accountOf(roleARN)
	if !ok {
		return nil, tacet.Errorf(tacet.InvalidParameter, "Request ARN is invalid")
	}
	issuer := token.Unverified().Issuer
	if issuer == "" {
		return nil, missing("iss")
	}
	name, err := oidc.ProviderName(issuer)
	if err != nil {
		return nil, noProvider(issuer)
	}
	p, ok := s.g.OIDCProvider(tacet.PrincipalARN(tacet.KindOIDCProvider, account, "/", name))
	if !ok || p.Issuer() != issuer {
		return nil, noProvider(issuer)
	}
	if s.oidc == nil {
		return nil, tacet.Errorf(tacet.IssuerUnreachable, "This server does not take tokens of other issuers.")
	}
	if name := missingClaim(token.Unverified()); name != "" {
		return nil, missing(name)
	}
	reg := oidc.Issuer{URL: p.Issuer(), Audiences: p.ClientIDs}
	if p.JWKS != "" {
		reg.JWKS = []byte(p.JWKS)
	}
	claims, err := s.oidc.Verify(ctx, reg, token)
	if err != nil {
		return nil, tokenError(err, token.Unverified(), s.g.Now())
	}
	return &federated{p, claims}, nil
}

// maxIssuerEcho is how much of an issuer's name an answer repeats, in bytes.
const maxIssuerEcho = 255

func noProvider(issuer string) error {
	return tacet.Errorf(tacet.IdentityTokenInvalid, "No OpenIDConnect provider found in your account for %s",
		strings.ToValidUTF8(issuer[:min(len(issuer), maxIssuerEcho)], ""))
}

// accountOf returns the account of a role's ARN.
func accountOf(roleARN string) (string, bool) {
	parts := strings.SplitN(roleARN, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] == "" || parts[2] != "iam" || parts[3] != "" || !tacet.IsAccount(parts[4]) {
		return "", false
	}
	name, ok := strings.CutPrefix(parts[5], "role/")
	return parts[4], ok && name != ""
}

// IsRoleARN reports whether arn has the form of a role's ARN.
func IsRoleARN(arn string) bool {
	_, ok := accountOf(arn)
	return ok
}

func missing(claim string) error {
	return tacet.Errorf(tacet.IdentityTokenInvalid, "Missing a required claim: %s", claim)
}

// missingClaim names a claim that a token must have and does not; "" when all are there.
func missingClaim(c jwa.Claims) string {
	switch {
	case c.Subject == "":
		return "sub"
	case len(c.Audience) == 0:
		return "aud"
	case c.Expires.IsZero():
		return "exp"
	}
	return ""
}

// tokenError words why a token with these claims is refused now, as STS does.
func tokenError(err error, claims jwa.Claims, now time.Time) error {
	var unreachable *oidc.UnreachableError
	switch kind := jwa.KindOf(err); {
	case errors.As(err, &unreachable):
		return &tacet.Error{Code: tacet.IssuerUnreachable, Cause: err, Detail: "Couldn't retrieve verification key from your identity provider,  " + // two spaces, as at AWS
			"please reference AssumeRoleWithWebIdentity documentation for requirements"}
	case kind == jwa.Expired:
		return &tacet.Error{Code: tacet.IdentityTokenExpired, Cause: err, Detail: fmt.Sprintf("Token expired: current date/time %d must be before the expiration date/time %d",
			now.Unix(), claims.Expires.Unix())}
	case kind == jwa.AudienceMismatch:
		return &tacet.Error{Code: tacet.IdentityTokenInvalid, Cause: err, Detail: "Incorrect token audience"}
	case kind == jwa.Malformed:
		return &tacet.Error{Code: tacet.IdentityTokenInvalid, Cause: err, Detail: "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"}
	case kind != "":
		var e *jwa.Error
		errors.As(err, &e)
		return &tacet.Error{Code: tacet.IdentityTokenInvalid, Cause: err, Detail: e.Text}
	}
	return tacet.InternalError(err)
}

// caller is the federated identity as policies and records know it: by its provider.
func (f *federated) caller() tacet.Caller {
	return tacet.Caller{Kind: tacet.CallerFederated, Account: f.provider.Account, ARN: f.provider.ARN(),
		ID: f.provider.URL + ":" + f.claims.MatchedAudience + ":" + f.claims.Subject, Name: f.claims.Subject}
}

// Claims in which an issuer gives a session its tags and its source identity.
const (
	claimTags           = "https://aws.amazon.com/tags"
	claimSourceIdentity = "https://aws.amazon.com/source_identity"
)

// session begins the session that the token's claims ask for, and tells the decision of
// them: each claim is a condition key under the issuer's name.
func (f *federated) session(r *guard.Request) (tacet.Session, error) {
	sess := tacet.Session{Provider: f.provider.ARN(), Subject: f.claims.Subject}
	prefix := f.provider.URL + ":"
	for name, v := range f.conditionClaims() {
		r.AddCondition(prefix+name, claimValues(v)...)
	}
	// As at AWS, aud is the party that the token was given to, where it names one.
	audience := f.claims.MatchedAudience
	if f.claims.AuthorizedParty != "" {
		audience = f.claims.AuthorizedParty
		r.AddCondition(prefix+"oaud", f.claims.MatchedAudience)
	}
	r.AddCondition(prefix+"aud", audience)
	if claim, ok := f.claims.All[claimSourceIdentity]; ok {
		if sess.SourceIdentity, ok = claim.(string); !ok || !validSourceIdentity(sess.SourceIdentity) {
			return sess, tacet.Errorf(tacet.IdentityTokenRejected, "The source identity in the token must be 2 to 64 letters, digits or any of _+=,.@-")
		}
		r.Also = append(r.Also, tacet.OpSetSourceIdentity)
		r.AddCondition("sts:sourceidentity", sess.SourceIdentity)
		r.Parameters["sourceIdentity"] = sess.SourceIdentity
	}
	if err := f.sessionTags(&sess); err != nil {
		return sess, err
	}
	if len(sess.Tags) > 0 {
		r.Also = append(r.Also, tacet.OpTagSession)
		addTags(r, sess.Tags)
	}
	if len(sess.Transitive) > 0 {
		r.AddCondition("sts:transitivetagkeys", sess.Transitive...)
		r.Parameters["transitiveTagKeys"] = sess.Transitive
	}
	return sess, validSessionTags(tacet.IdentityTokenRejected, sess.Tags, sess.Transitive)
}

// validSourceIdentity checks a source identity that did not come as a parameter, whose form
// the face checks.
func validSourceIdentity(s string) bool {
	return len(s) >= 2 && validName("sourceIdentity", s, 64) == nil
}

// conditionClaims are the claims that are condition keys, under their names in lower case.
// Condition keys have no case and claims do: of several spellings of one name only the one
// in lower case counts, so that a claim that a user of the issuer may choose, "SUB", does
// not stand beside the issuer's own.
func (f *federated) conditionClaims() map[string]any {
	out, spellings := map[string]any{}, map[string]int{}
	for name := range f.claims.All {
		spellings[strings.ToLower(name)]++
	}
	for name, v := range f.claims.All {
		folded := strings.ToLower(name)
		switch {
		case folded == "aud", folded == "azp", folded == "oaud", name == claimTags, strings.HasPrefix(name, claimTags+"/"), name == claimSourceIdentity:
		case name == folded || spellings[folded] == 1:
			out[folded] = v
		}
	}
	return out
}

// sessionTags reads the tags that the token gives the session, in either of the forms that
// AWS documents: nested, {"principal_tags": {key: [value]}, "transitive_tag_keys": [key]},
// and, for issuers whose claims cannot be objects, flattened. What cannot be read is refused:
// a tag that is left out may be one that a policy denies.
func (f *federated) sessionTags(sess *tacet.Session) error {
	nested, hasNested := f.claims.All[claimTags]
	object, ok := nested.(map[string]any)
	tags, isObject := object["principal_tags"].(map[string]any)
	if hasNested && (!ok || object["principal_tags"] != nil && !isObject) {
		return tacet.Errorf(tacet.IdentityTokenRejected, "The tags in the token cannot be read.")
	}
	transitive := []any{object["transitive_tag_keys"], f.claims.All[claimTags+"/transitive_tag_keys"]}
	add := func(key string, claim any) error {
		values, ok := textsOf(claim)
		if !ok || len(values) != 1 {
			return tacet.Errorf(tacet.IdentityTokenRejected, "The tag %q in the token must have one value.", key)
		}
		sess.Tags = append(sess.Tags, tacet.Tag{Key: key, Value: values[0]})
		return nil
	}
	for key, claim := range tags {
		if err := add(key, claim); err != nil {
			return err
		}
	}
	for name, claim := range f.claims.All {
		if key, ok := strings.CutPrefix(name, claimTags+"/principal_tags/"); ok {
			if err := add(key, claim); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(sess.Tags, func(a, b tacet.Tag) int { return strings.Compare(a.Key, b.Key) })
	for _, claim := range transitive {
		keys, ok := textsOf(claim)
		if claim != nil && !ok {
			return tacet.Errorf(tacet.IdentityTokenRejected, "The keys of transitive tags in the token cannot be read.")
		}
		sess.Transitive = append(sess.Transitive, keys...)
	}
	return nil
}

// textsOf returns a claim that is a text or a list of nothing else.
func textsOf(claim any) ([]string, bool) {
	if s, ok := claim.(string); ok {
		return []string{s}, true
	}
	list, ok := claim.([]any)
	var out []string
	for _, e := range list {
		s, isText := e.(string)
		ok = ok && isText
		out = append(out, s)
	}
	return out, ok
}

// claimValues returns a claim as the values of a condition key; none for what has no form
// there, an object for one.
func claimValues(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case bool:
		return []string{strconv.FormatBool(v)}
	case int64:
		return []string{strconv.FormatInt(v, 10)}
	case []any:
		var out []string
		for _, e := range v {
			switch e.(type) {
			case string, bool, int64:
				out = append(out, fmt.Sprint(e))
			}
		}
		return out
	}
	return nil
}
