package identity

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/jwa"
)

// Bounds of an application's own assertions.
const (
	// maxAssertionLife is the longest that clients make them for: go-autorest, of older
	// programs, a day; Terraform an hour; MSAL ten minutes.
	maxAssertionLife = 24 * time.Hour
	// assertionSkew is how far an application's clock may be from ours.
	assertionSkew = 5 * time.Minute
	// maxAssertions is how many of an application's are remembered so that they are not
	// taken again.
	maxAssertions = 1 << 14
)

// A Mismatch is the cause of a refusal: what an assertion says that was not expected.
type Mismatch struct {
	Claim string // "issuer", "audience" or "subject"
	Value string // what it says
}

// Error names the claim. The value is for the caller, who sent it, and not for a log.
func (m *Mismatch) Error() string { return "the assertion has another " + m.Claim }

func mismatch(code tacet.Code, claim, value string) error {
	return &tacet.Error{Code: code, Detail: "The client assertion has another " + claim + ".", Cause: &Mismatch{claim, value}}
}

// AssertedClient returns the client id that an application's own assertion names, before
// anything is known about it; "" when it names none.
func AssertedClient(assertion string) string {
	token, err := jwa.Parse(assertion)
	if err != nil {
		return ""
	}
	return token.Unverified().Subject
}

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
	switch {
	case !strings.EqualFold(claims.Issuer, client):
		return proof{}, mismatch(tacet.IdentityTokenRejected, "issuer", claims.Issuer)
	case !strings.EqualFold(claims.Subject, client):
		return proof{}, mismatch(tacet.IdentityTokenRejected, "subject", claims.Subject)
	case !slices.ContainsFunc(claims.Audience, in.isEndpoint):
		return proof{}, mismatch(tacet.IdentityTokenRejected, "audience", strings.Join(claims.Audience, " "))
	}
	if err := claims.CheckTime(now, assertionSkew); err != nil {
		return proof{}, assertionError(err)
	}
	if claims.Expires.After(now.Add(maxAssertionLife + assertionSkew)) {
		return proof{}, tacet.Errorf(tacet.IdentityTokenExpired, "The client assertion is valid for longer than %d hours.", int(maxAssertionLife.Hours()))
	}
	if !now.Before(credential.Expires) {
		return proof{}, &tacet.Error{Code: tacet.CredentialExpired}
	}
	if claims.ID == "" {
		return proof{}, tacet.Errorf(tacet.IdentityTokenRejected, "The client assertion has no jti.")
	}
	return proof{credential: credential.ID, method: provedByAssertion}, s.taken.take(client, assertionID(claims.ID, in.Audience), claims.Expires.Add(assertionSkew), now)
}

// isEndpoint reports whether an assertion may be for aud. Neither a host nor, at Entra, a
// path has a case; go-autorest asks at an endpoint with a query and says so.
func (in *TokenInput) isEndpoint(aud string) bool {
	aud, _, _ = strings.Cut(aud, "?")
	return slices.ContainsFunc(in.Endpoints, func(e string) bool { return strings.EqualFold(e, aud) })
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
		return IssuedToken{}, s.refuseToken(ctx, call, app, in.Audience, notMatched(err, in.Assertion))
	}
	session := SessionInput{RoleARN: app.Caller.Role, Name: sessionName(who.claims.Subject)}
	out, err := asFederated(ctx, s, call, who, session, tokenParameters(&app.Caller, in.Audience),
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
			return s.sign(v, &sess, in.Audience, proof{method: provedByAssertion})
		})
	if e, ok := errors.AsType[*tacet.Error](err); ok && e.Code == tacet.Denied {
		return out, &tacet.Error{Code: tacet.Denied, Denial: e.Denial, Cause: &Mismatch{"subject", who.claims.Subject}}
	}
	return out, err
}

// notMatched makes a token that is not for the role, whose issuer or audience is not one
// that is registered, what it is at Entra: one that no federated credential matches.
func notMatched(err error, assertion string) error {
	kind := jwa.KindOf(errors.Unwrap(err))
	token, perr := jwa.Parse(assertion)
	switch {
	case perr != nil || tacet.CodeOf(err) != tacet.IdentityTokenInvalid:
		return err
	case kind == "" || kind == jwa.IssuerMismatch:
		return mismatch(tacet.Denied, "issuer", token.Unverified().Issuer)
	case kind == jwa.AudienceMismatch:
		return mismatch(tacet.Denied, "audience", strings.Join(token.Unverified().Audience, " "))
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
func assertionID(id, audience string) [sha256.Size]byte {
	return sha256.Sum256([]byte(audience + "\x00" + id))
}

// takenAssertions remembers the assertions of each application that were taken, until they
// expire. Each node remembers its own.
type takenAssertions struct {
	mu sync.Mutex
	of map[string]*takenOf // by client id
}

type takenOf struct {
	until map[[sha256.Size]byte]time.Time
	swept time.Time
}

// take remembers an application's assertion until a time, and refuses one that was taken
// before. Where there is no room left none of this application is taken: only it filled it.
func (t *takenAssertions) take(client string, id [sha256.Size]byte, until, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	of := t.of[client]
	if of == nil {
		of = &takenOf{until: map[[sha256.Size]byte]time.Time{}}
		if t.of == nil {
			t.of = map[string]*takenOf{}
		}
		t.of[client] = of
	}
	if seen, ok := of.until[id]; ok && now.Before(seen) {
		return tacet.Errorf(tacet.IdentityTokenRejected, "The client assertion was used before.")
	}
	if since := now.Sub(of.swept); since >= time.Hour || len(of.until) >= maxAssertions && since >= time.Second {
		of.swept = now
		maps.DeleteFunc(of.until, func(_ [sha256.Size]byte, end time.Time) bool { return !now.Before(end) })
	}
	if len(of.until) >= maxAssertions {
		return &tacet.Error{Code: tacet.Throttled}
	}
	of.until[id] = until
	return nil
}
