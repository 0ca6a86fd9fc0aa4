// Package oidc verifies tokens of registered OpenID Connect issuers.
//
// An issuer's keys come from its discovery document, or from a key set that was
// registered with it. A token is used to choose a registered issuer by its iss and to
// choose one of that issuer's keys by its kid; nothing else of it, and no address in it,
// is ever followed. What the issuer's own addresses may be is decided when a connection
// is made, on the resolved address: see [Config.AllowNetworks].
package oidc

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"tacet/internal/jwa"
)

// Skew is how far an issuer's clock may be from ours.
const Skew = time.Minute

// Config is what a [Verifier] is made of.
type Config struct {
	// Now is the clock, for tokens and for how long keys are kept.
	Now func() time.Time
	// Timeout is how long getting an issuer's keys may take; 0 is 5 s.
	Timeout time.Duration
	// AllowNetworks are the addresses that may be reached beside the public ones, for
	// issuers inside. Link-local addresses and those of clouds' metadata services are never
	// reached, even if they are in one of these.
	AllowNetworks []netip.Prefix
	// AllowLoopbackHTTP lets issuers on this machine speak plain HTTP, as "http://localhost:8080".
	// It is for development.
	AllowLoopbackHTTP bool
	// RootCAs are the authorities that issuers' TLS certificates are checked against; nil
	// is the system's.
	RootCAs *x509.CertPool

	resolver *net.Resolver // nil is the machine's; tests have one that lies
}

// A Verifier verifies tokens and keeps the keys of their issuers. It may be used by
// many goroutines.
type Verifier struct {
	config Config
	client *http.Client

	fetching singleflight.Group
	mu       sync.Mutex
	issuers  map[string]*cached // by URL
}

// New returns a verifier that knows no keys yet.
func New(c Config) *Verifier {
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	return &Verifier{config: c, client: newClient(c), issuers: map[string]*cached{}}
}

// An Issuer is a registered issuer.
type Issuer struct {
	// URL is what its tokens have as iss, letter for letter. See [ProviderName].
	URL string
	// Audiences are the values of aud that a token may be for; without any it is for nobody.
	Audiences []string
	// JWKS is the issuer's JWK Set when it was registered with it; nil to get it from the
	// issuer.
	JWKS []byte
}

// Claims are the claims of a verified token.
type Claims struct {
	jwa.Claims
	// MatchedAudience is the registered audience that the token is for.
	MatchedAudience string
	// AuthorizedParty is azp, empty when there is none.
	AuthorizedParty string
}

// Verify checks that the token was issued by the issuer, for one of its audiences, is
// valid now, and is of a kind that tells who calls; and returns its claims, Subject
// among them. The error is a [*jwa.Error] when the token is refused, an
// [*UnreachableError] when the issuer's keys are not to be had, and the context's when it
// ended first.
func (v *Verifier) Verify(ctx context.Context, issuer Issuer, token *jwa.Token) (Claims, error) {
	// What costs nothing comes first: no connection is made for a token that would be
	// refused anyway.
	claims, err := v.check(issuer, token)
	if err != nil {
		return Claims{}, err
	}
	var keys jwa.KeySet
	if issuer.JWKS != nil {
		keys, err = registeredKeys(issuer)
	} else {
		keys, err = v.keys(ctx, issuer.URL, token.Header().KeyID)
	}
	if err != nil {
		return Claims{}, err
	}
	claims.Claims, err = token.Verify(keys)
	if err != nil {
		return Claims{}, err
	}
	return claims, nil
}

// check is everything but the signature.
func (v *Verifier) check(issuer Issuer, token *jwa.Token) (Claims, error) {
	c := Claims{Claims: token.Unverified()}
	// ID tokens are called JWT or nothing, access tokens at+jwt (RFC 9068), and AWS STS
	// takes both. What else is signed with an issuer's keys, as logout tokens and security
	// events (RFC 8417), is no proof of who calls.
	if t := token.Type(); t != "" && t != "jwt" && t != "at+jwt" || c.All["events"] != nil {
		return Claims{}, &jwa.Error{Kind: jwa.TypeRefused, Text: "The token is of another type than an ID token or an access token."}
	}
	if c.Issuer == "" || c.Issuer != issuer.URL {
		return Claims{}, &jwa.Error{Kind: jwa.IssuerMismatch, Text: "The token is of another issuer."}
	}
	if c.Subject == "" {
		return Claims{}, &jwa.Error{Kind: jwa.Malformed, Text: "The token has no subject."}
	}
	if azp, ok := c.All["azp"]; ok {
		if c.AuthorizedParty, ok = azp.(string); !ok {
			return Claims{}, &jwa.Error{Kind: jwa.Malformed, Text: "The claim azp is not a string."}
		}
	}
	i := slices.IndexFunc(c.Audience, func(a string) bool { return a != "" && slices.Contains(issuer.Audiences, a) })
	// OpenID Connect Core 1.0 section 3.1.3.7: of several audiences, azp is the one that
	// the token was given to.
	if i < 0 || len(c.Audience) > 1 && c.AuthorizedParty != "" && !slices.Contains(issuer.Audiences, c.AuthorizedParty) {
		return Claims{}, &jwa.Error{Kind: jwa.AudienceMismatch, Text: "The token is for another audience."}
	}
	c.MatchedAudience = c.Audience[i]
	return c, c.CheckTime(v.config.Now(), Skew)
}

// An UnreachableError says that an issuer's keys are not to be had: it does not answer,
// or its answers cannot be used.
type UnreachableError struct {
	// Issuer is the registered URL.
	Issuer string
	// Cause is for the log. It never reaches a caller, whom it would tell what there is in
	// our network.
	Cause error
}

// Error returns a text without the cause.
func (e *UnreachableError) Error() string {
	return "the keys of the issuer " + e.Issuer + " are not to be had"
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Cause }
