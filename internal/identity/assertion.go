package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/jwa"
)

// Bounds of an application's own assertions. The clients make them for ten minutes.
const (
	maxAssertionLife = 15 * time.Minute
	// assertionSkew is how far an application's clock may be from ours.
	assertionSkew = 5 * time.Minute
	// maxAssertions is how many are remembered so that they are not taken again.
	maxAssertions = 1 << 16
)

// proveByCertificate verifies an application's own assertion (RFC 7523 section 3): signed
// with the key of one of its certificates, issued by and about itself, for us, and not
// taken before.
func (s *Service) proveByCertificate(app *guard.Application, in TokenInput) (proof, error) {
	token, err := jwa.Parse(in.Assertion)
	if err != nil {
		return proof{}, assertionError(err)
	}
	claims, credential, err := verifyWithAny(token, app.Certificates())
	if err != nil {
		return proof{}, assertionError(err)
	}
	now := s.g.Now()
	client := tacet.ClientID(principalOf(&app.Caller))
	if claims.Issuer != client || claims.Subject != client {
		return proof{}, tacet.Errorf(tacet.IdentityTokenRejected, "The issuer and the subject of a client assertion are the client id.")
	}
	if !slices.ContainsFunc(claims.Audience, func(aud string) bool { return slices.Contains(in.Endpoints, aud) }) {
		return proof{}, tacet.Errorf(tacet.IdentityTokenRejected, "The audience of the client assertion is not this token endpoint.")
	}
	if err := claims.CheckTime(now, assertionSkew); err != nil {
		return proof{}, assertionError(err)
	}
	if claims.Expires.After(now.Add(maxAssertionLife + assertionSkew)) {
		return proof{}, tacet.Errorf(tacet.IdentityTokenExpired, "The client assertion is valid for longer than %d minutes.", int(maxAssertionLife.Minutes()))
	}
	if !now.Before(credential.Expires) {
		return proof{}, &tacet.Error{Code: tacet.CredentialExpired}
	}
	if claims.ID == "" {
		return proof{}, tacet.Errorf(tacet.IdentityTokenRejected, "The client assertion has no jti.")
	}
	return proof{credential.ID, provedByAssertion}, s.taken.take(assertionID{client, claims.ID, in.Audience}.sum(), claims.Expires.Add(assertionSkew), now)
}

// verifyWithAny verifies an assertion with that certificate which it names.
func verifyWithAny(token *jwa.Token, held []tacet.ClientCredential) (jwa.Claims, tacet.ClientCredential, error) {
	for _, c := range held {
		cert, err := x509.ParseCertificate(c.Certificate)
		if err != nil {
			return jwa.Claims{}, c, err
		}
		claims, err := token.VerifyCertificate([]*x509.Certificate{cert})
		if jwa.KindOf(err) != jwa.KeyUnknown {
			return claims, c, err
		}
	}
	_, err := token.VerifyCertificate(nil)
	return jwa.Claims{}, tacet.ClientCredential{}, err
}

// assertionError says what is wrong with an assertion, in words that repeat nothing of it.
func assertionError(err error) error {
	code, text := tacet.IdentityTokenInvalid, "The client assertion is not valid."
	switch jwa.KindOf(err) {
	case jwa.Expired, jwa.NotYetValid:
		code, text = tacet.IdentityTokenExpired, "The client assertion is not within its valid time range."
	case jwa.KeyUnknown:
		text = "The certificate with the identifier used to sign the client assertion is not registered on the application."
	case jwa.BadSignature:
		text = "The client assertion has an invalid signature."
	}
	return &tacet.Error{Code: code, Detail: text, Cause: err}
}

// assertionID names an assertion and what it was taken for. MSAL for JavaScript sends one
// assertion for several resources while it is valid, so each resource takes it once.
type assertionID struct{ client, id, audience string }

func (a assertionID) sum() [sha256.Size]byte {
	return sha256.Sum256([]byte(a.client + "\x00" + a.audience + "\x00" + a.id))
}

// takenAssertions remembers the assertions that were taken, until they expire. Each node
// remembers its own.
type takenAssertions struct {
	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
	swept time.Time
}

// take remembers an assertion until a time, and refuses one that was taken before. Where
// there is no room left nothing is taken: only holders of registered keys fill it.
func (t *takenAssertions) take(id [sha256.Size]byte, until, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if seen, ok := t.until[id]; ok && now.Before(seen) {
		return tacet.Errorf(tacet.IdentityTokenRejected, "The client assertion was used before.")
	}
	if len(t.until) >= maxAssertions && now.Sub(t.swept) >= time.Second {
		t.swept = now
		for id, end := range t.until {
			if !now.Before(end) {
				delete(t.until, id)
			}
		}
	}
	if len(t.until) >= maxAssertions {
		return &tacet.Error{Code: tacet.Throttled}
	}
	if t.until == nil {
		t.until = map[[sha256.Size]byte]time.Time{}
	}
	t.until[id] = until
	return nil
}
