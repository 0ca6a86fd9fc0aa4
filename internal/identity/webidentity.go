package identity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

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
		return nil, tokenError(err)
	}
	account, ok := accountOf(roleARN)
	if !ok {
		return nil, tacet.Errorf(tacet.InvalidParameter, "Request ARN is invalid")
	}
	issuer := token.Unverified().Issuer
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
	reg := oidc.Issuer{URL: p.Issuer(), Audiences: p.ClientIDs}
	if p.JWKS != "" {
		reg.JWKS = []byte(p.JWKS)
	}
	claims, err := s.oidc.Verify(ctx, reg, token)
	if err != nil {
		return nil, tokenError(err)
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
	return parts[min(4, len(parts)-1)], len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam" && strings.HasPrefix(parts[5], "role/")
}

// tokenError words why a token is refused, as STS does.
func tokenError(err error) error {
	var unreachable *oidc.UnreachableError
	switch kind := jwa.KindOf(err); {
	case errors.As(err, &unreachable):
		return &tacet.Error{Code: tacet.IssuerUnreachable, Cause: err, Detail: "Couldn't retrieve verification key from your identity provider, " +
			"please reference AssumeRoleWithWebIdentity documentation for requirements"}
	case kind == jwa.Expired:
		return &tacet.Error{Code: tacet.IdentityTokenExpired, Cause: err, Detail: "Token expired: current date/time must be before the expiration date/time"}
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
	if v, ok := f.claims.All[claimSourceIdentity].(string); ok {
		sess.SourceIdentity = v
		r.Also = append(r.Also, tacet.OpSetSourceIdentity)
		r.AddCondition("sts:sourceidentity", v)
	}
	if err := f.sessionTags(&sess); err != nil {
		return sess, err
	}
	if len(sess.Tags) > 0 {
		r.Also = append(r.Also, tacet.OpTagSession)
		addTags(r, sess.Tags)
	}
	return sess, validTags(sess.Tags, true)
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
		case folded == "aud", folded == "azp", folded == "oaud", name == claimTags, name == claimSourceIdentity:
		case name == folded || spellings[folded] == 1:
			out[folded] = v
		}
	}
	return out
}

// sessionTags reads the claim with tags: {"principal_tags": {key: [value]},
// "transitive_tag_keys": [key]}.
func (f *federated) sessionTags(sess *tacet.Session) error {
	claim, ok := f.claims.All[claimTags].(map[string]any)
	if !ok {
		return nil
	}
	tags, _ := claim["principal_tags"].(map[string]any)
	for key, v := range tags {
		values := claimValues(v)
		if len(values) != 1 {
			return tacet.Errorf(tacet.IdentityTokenRejected, "The tag %q in the token must have one value.", key)
		}
		sess.Tags = append(sess.Tags, tacet.Tag{Key: key, Value: values[0]})
	}
	slices.SortFunc(sess.Tags, func(a, b tacet.Tag) int { return strings.Compare(a.Key, b.Key) })
	for _, key := range claimValues(claim["transitive_tag_keys"]) {
		if !slices.ContainsFunc(sess.Tags, func(t tacet.Tag) bool { return t.Key == key }) {
			return tacet.Errorf(tacet.IdentityTokenRejected, "The token names a transitive tag %q that it does not have.", key)
		}
		sess.Transitive = append(sess.Transitive, key)
	}
	return nil
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
