package identity

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

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

// issueFederated gives an access token of a role to whoever the token of another issuer
// speaks for, if the role's trust policy lets him have a session: a federated credential
// is what AssumeRoleWithWebIdentity takes, decided and recorded in the same way.
func (s *Service) issueFederated(ctx context.Context, call tacet.Call, app *guard.Application, in TokenInput) (IssuedToken, error) {
	who, err := s.federated(ctx, app.Caller.Role, in.Assertion)
	if err != nil {
		return IssuedToken{}, s.refuseToken(ctx, call, app, in.Audience, notMatched(err))
	}
	session := SessionInput{RoleARN: app.Caller.Role, Name: sessionName(who.claims.Subject)}
	return asFederated(ctx, s, call, who, session, tokenParameters(&app.Caller, in.Audience),
		func(v *guard.Snapshot, _ SessionInput, sess tacet.Session) (IssuedToken, error) {
			role := v.Role("", app.Caller.Role)
			if role == nil || role.ID != principalOf(&app.Caller) {
				return IssuedToken{}, &tacet.Error{Code: tacet.CredentialInvalid} // it went a moment ago
			}
			if _, err := packedSize(sess); err != nil {
				return IssuedToken{}, err
			}
			sess.Principal, sess.Name = role.ID, session.Name
			sess.AccessKey, sess.Issued = newTokenID(), v.Now()
			sess.Expires = sess.Issued.Truncate(time.Second).Add(tokenLife)
			return s.sign(v, &sess, in.Audience, provedByAssertion)
		})
}

// notMatched makes a token that is not for the role, whose issuer or audience is not one
// that is registered, what it is at Entra: one that no federated credential matches.
func notMatched(err error) error {
	kind := jwa.KindOf(errors.Unwrap(err))
	if tacet.CodeOf(err) == tacet.IdentityTokenInvalid && (kind == "" || kind == jwa.AudienceMismatch || kind == jwa.IssuerMismatch) {
		return &tacet.Error{Code: tacet.Denied, Cause: err}
	}
	return err
}

// sessionName makes the name of a role's session from a subject: Azure's clients name
// none. It has 2 to 64 of the characters that STS allows.
func sessionName(subject string) string {
	name := strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && validName("", string(r), 1) == nil {
			return r
		}
		return '-'
	}, subject)
	name = name[max(0, len(name)-64):] // the end tells more: system:serviceaccount:namespace:name
	if len(name) < 2 {
		return "subject-" + name
	}
	return name
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
