package jwa

import (
	"crypto"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// MaxToken is the length of the longest token that is looked at, in bytes. It is the
// longest that AWS STS and Entra take.
const MaxToken = 20_000

// A Header is the protected header of a token, RFC 7515 section 4.1.
type Header struct {
	Algorithm Algorithm
	KeyID     string // kid
	Type      string // typ
	X5T       string // x5t: a certificate's SHA-1, base64url
	X5TS256   string // x5t#S256: a certificate's SHA-256, base64url
}

// Claims are the claims of a token, RFC 7519 section 4.1. What a token does not have is
// the zero value here.
type Claims struct {
	Issuer    string    // iss
	Subject   string    // sub
	Audience  []string  // aud, which may be one string in the token
	Expires   time.Time // exp
	NotBefore time.Time // nbf
	IssuedAt  time.Time // iat
	ID        string    // jti
	// All is every claim, these included, as encoding/json decodes into an any, but
	// whole numbers are int64.
	All map[string]any
}

// A Token is a compact JWS that has been parsed, and not yet verified.
type Token struct {
	header Header
	claims Claims
	jws    *jose.JSONWebSignature
}

// Parse reads a JWS in compact form (RFC 7515 section 7.1) whose payload is claims. It
// accepts one writing of a token only: no padding, no line breaks, no stray bits. The
// error is an [*Error] of kind [Malformed] or [AlgorithmRefused].
func Parse(compact string) (*Token, error) {
	if len(compact) > MaxToken {
		return nil, malformed("The token is too long.")
	}
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, malformed("The token is not a JWS in compact form.")
	}
	for _, part := range parts {
		if part == "" || strings.ContainsAny(part, "\r\n") {
			return nil, malformed("The token is not a JWS in compact form.")
		}
	}
	decode := base64.RawURLEncoding.Strict().DecodeString
	rawHeader, errHeader := decode(parts[0])
	rawClaims, errClaims := decode(parts[1])
	_, errSignature := decode(parts[2])
	if errHeader != nil || errClaims != nil || errSignature != nil {
		return nil, malformed("The token is not base64url.")
	}
	t := &Token{}
	var err error
	if t.header, err = parseHeader(rawHeader); err != nil {
		return nil, err
	}
	if t.claims, err = parseClaims(rawClaims); err != nil {
		return nil, err
	}
	if t.jws, err = jose.ParseSignedCompact(compact, accepted()); err != nil {
		return nil, malformed("The token's header is not that of a JWS.")
	}
	return t, nil
}

func parseHeader(raw []byte) (Header, error) {
	object, err := parseObject(raw)
	if err != nil {
		return Header{}, err
	}
	for _, name := range []string{"crit", "b64", "enc", "zip"} {
		if _, ok := object[name]; ok {
			return Header{}, malformed("The token's header asks for an extension that is not supported.")
		}
	}
	var h Header
	for _, m := range []struct {
		name string
		to   *string
	}{{"alg", (*string)(&h.Algorithm)}, {"kid", &h.KeyID}, {"typ", &h.Type}, {"x5t", &h.X5T}, {"x5t#S256", &h.X5TS256}} {
		if *m.to, err = stringMember(object, m.name); err != nil {
			return Header{}, err
		}
	}
	if !slices.Contains(accepted(), jose.SignatureAlgorithm(h.Algorithm)) {
		return Header{}, &Error{AlgorithmRefused, "The token's signature algorithm is not accepted."}
	}
	return h, nil
}

func parseClaims(raw []byte) (Claims, error) {
	object, err := parseObject(raw)
	if err != nil {
		return Claims{}, err
	}
	c := Claims{All: object}
	if c.Audience, err = stringsMember(object, "aud"); err != nil {
		return Claims{}, err
	}
	for _, m := range []struct {
		name string
		to   *string
	}{{"iss", &c.Issuer}, {"sub", &c.Subject}, {"jti", &c.ID}} {
		if *m.to, err = stringMember(object, m.name); err != nil {
			return Claims{}, err
		}
	}
	for _, m := range []struct {
		name string
		to   *time.Time
	}{{"exp", &c.Expires}, {"nbf", &c.NotBefore}, {"iat", &c.IssuedAt}} {
		if *m.to, err = timeMember(object, m.name); err != nil {
			return Claims{}, err
		}
	}
	return c, nil
}

// Header returns the token's header, which nobody has vouched for yet.
func (t *Token) Header() Header { return t.header }

// Type returns the typ of the token as RFC 8725 section 3.11 compares it: in lower case
// and without "application/"; empty when there is none.
func (t *Token) Type() string {
	return strings.TrimPrefix(strings.ToLower(t.header.Type), "application/")
}

// Unverified returns the claims before anything is known about them. They are good for
// one thing: choosing whose keys to verify the token with.
func (t *Token) Unverified() Claims { return t.claims }

// Verify checks the token's signature with the key of the set that its kid names, and
// returns its claims. A token without kid is checked with the set's only key that can do its
// algorithm. The error is an [*Error] of kind [KeyUnknown], [AlgorithmRefused] or
// [BadSignature].
func (t *Token) Verify(keys KeySet) (Claims, error) {
	key, err := keys.find(t.header)
	if err != nil {
		return Claims{}, err
	}
	return t.verify(key)
}

func (t *Token) verify(key crypto.PublicKey) (Claims, error) {
	if !t.header.Algorithm.fits(key) {
		return Claims{}, &Error{AlgorithmRefused, "The token's signature algorithm is not one of its key's."}
	}
	if _, err := t.jws.Verify(key); err != nil {
		return Claims{}, &Error{BadSignature, "The token's signature is not valid."}
	}
	return t.claims, nil
}

// CheckTime refuses a token that has expired at now or is not valid yet, either by more
// than skew: exp has to be there and later than now; nbf and iat, where they are there,
// not later. The error is an [*Error] of kind [Malformed], [Expired] or [NotYetValid].
func (c Claims) CheckTime(now time.Time, skew time.Duration) error {
	switch {
	case c.Expires.IsZero():
		return malformed("The token does not expire.")
	case !now.Before(c.Expires.Add(skew)):
		return &Error{Expired, "The token has expired."}
	case c.NotBefore.After(now.Add(skew)):
		return &Error{NotYetValid, "The token is not valid yet."}
	case c.IssuedAt.After(now.Add(skew)):
		return &Error{NotYetValid, "The token was issued in the future."}
	}
	return nil
}
