package oidc

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"tacet/internal/jwa"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A clock is moved by the test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// An issuer is an OpenID Connect issuer over TLS on this machine, with keys that are
// published and withdrawn. Its answers can be replaced.
type issuer struct {
	*httptest.Server
	mu        sync.Mutex
	published []jwa.PublicKey
	maxAge    string
	asked     map[string]int // by path
	discovery http.HandlerFunc
	jwks      http.HandlerFunc
}

const (
	discoveryPath = "/.well-known/openid-configuration"
	jwksPath      = "/jwks"
)

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{asked: map[string]int{}}
	i.Server = httptest.NewTLSServer(i)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.asked[r.URL.Path]++
	discovery, jwks, keys, maxAge := i.discovery, i.jwks, jwa.NewKeySet(i.published...), i.maxAge
	i.mu.Unlock()
	switch {
	case r.URL.Path == discoveryPath && discovery != nil:
		discovery(w, r)
	case r.URL.Path == discoveryPath:
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + jwksPath})
	case r.URL.Path == jwksPath && jwks != nil:
		jwks(w, r)
	case r.URL.Path == jwksPath:
		if maxAge != "" {
			w.Header().Set("Cache-Control", maxAge)
		}
		_, _ = w.Write(must(keys.JSON()))
	default:
		http.NotFound(w, r)
	}
}

// publish makes the keys the published ones.
func (i *issuer) publish(keys ...*jwa.SigningKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.published = nil
	for _, k := range keys {
		i.published = append(i.published, k.Public())
	}
}

// answer replaces the answers; nil is the good one.
func (i *issuer) answer(discovery, jwks http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.discovery, i.jwks = discovery, jwks
}

func (i *issuer) timesAsked(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[path]
}

func (i *issuer) registered() Issuer {
	return Issuer{URL: i.URL, Audiences: []string{"tacet", "other"}}
}

// verifier returns a verifier that may reach this machine, and trusts the issuer's TLS.
func (i *issuer) verifier(c *clock) *Verifier {
	roots := x509.NewCertPool()
	roots.AddCert(i.Certificate())
	return New(Config{Now: c.Now, Timeout: 3 * time.Second, RootCAs: roots, AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
}

// claims returns claims that are accepted at the time of the clock, with changes; a nil
// value takes one away.
func (i *issuer) claims(c *clock, changes map[string]any) map[string]any {
	now := c.Now().Unix()
	claims := map[string]any{"iss": i.URL, "sub": "repo:octo/app", "aud": "tacet", "iat": now, "nbf": now - 5, "exp": now + 300}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func token(key *jwa.SigningKey, claims any, h jwa.Header) *jwa.Token {
	return must(jwa.Parse(must(key.Sign(claims, h))))
}

// outcome puts an error into a word.
func outcome(err error) string {
	if u, ok := err.(*UnreachableError); ok {
		return fmt.Sprintf("unreachable: %v", u.Cause)
	}
	if err != nil && jwa.KindOf(err) == "" {
		return err.Error()
	}
	return string(jwa.KindOf(err))
}

// newKey makes a key for ES256.
func newKey() *jwa.SigningKey { return must(jwa.GenerateKey(jwa.ES256)) }

// verify verifies a good token of the key.
func (i *issuer) verify(v *Verifier, c *clock, key *jwa.SigningKey) error {
	_, err := v.Verify(context.Background(), i.registered(), token(key, i.claims(c, nil), jwa.Header{Type: "JWT"}))
	return err
}
