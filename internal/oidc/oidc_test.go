package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tacet/internal/jwa"
)

func TestTokensOfARealIssuer(t *testing.T) {
	for _, a := range []jwa.Algorithm{jwa.ES256, jwa.RS256} {
		t.Run(string(a), func(t *testing.T) {
			i, c, key := newIssuer(t), newClock(), must(jwa.GenerateKey(a))
			i.publish(newKey(), key)
			v := i.verifier(c)
			claims, err := v.Verify(t.Context(), i.registered(), token(key, i.claims(c, map[string]any{
				"aud": []string{"unregistered", "other"}, "azp": "tacet", "repository_id": "74"}), jwa.Header{}))
			if err != nil {
				t.Fatal(outcome(err))
			}
			if claims.Subject != "repo:octo/app" || claims.MatchedAudience != "other" || claims.AuthorizedParty != "tacet" || claims.All["repository_id"] != "74" {
				t.Errorf("claims %+v", claims)
			}
			for range 3 {
				if err := i.verify(v, c, key); err != nil {
					t.Fatal(outcome(err))
				}
			}
			if n := i.timesAsked(jwksPath); n != 1 {
				t.Errorf("asked for keys %d times", n)
			}
		})
	}
}

// TestIssuersThatCannotBeReached: a cluster without a way in is registered with its keys.
func TestIssuersThatCannotBeReached(t *testing.T) {
	c, key := newClock(), newKey()
	i := &issuer{Server: &httptest.Server{URL: "https://kubernetes.default.svc.cluster.local"}}
	registered := i.registered()
	registered.JWKS = must(jwa.NewKeySet(key.Public()).JSON())
	v := New(Config{Now: c.Now}) // may reach nothing of the kind
	if _, err := v.Verify(t.Context(), registered, token(key, i.claims(c, nil), jwa.Header{})); err != nil {
		t.Error(outcome(err))
	}
	if _, err := v.Verify(t.Context(), registered, token(newKey(), i.claims(c, nil), jwa.Header{})); jwa.KindOf(err) != jwa.KeyUnknown {
		t.Error(outcome(err))
	}
	for _, text := range []string{"", "{}", `{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AAAA"}]}`} {
		registered.JWKS = []byte(text)
		var unreachable *UnreachableError
		if _, err := v.Verify(t.Context(), registered, token(key, i.claims(c, nil), jwa.Header{})); !errors.As(err, &unreachable) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestKeyRotation(t *testing.T) {
	i, c := newIssuer(t), newClock()
	v := i.verifier(c)
	old, next := newKey(), newKey()
	i.publish(old)
	step := func(what string, key *jwa.SigningKey, want jwa.Kind) {
		t.Helper()
		if err := i.verify(v, c, key); jwa.KindOf(err) != want || want == "" && err != nil {
			t.Errorf("%s: %v", what, outcome(err))
		}
	}
	step("the only key", old, "")
	i.publish(old, next)
	step("a new key just after we asked", next, jwa.KeyUnknown)
	c.Advance(minRefresh)
	step("a new key later", next, "")
	step("the old one as well", old, "")
	newest := newKey()
	i.publish(old, next, newest)
	c.Advance(-time.Hour)
	step("a new key after the clock was put back", newest, "")
	i.publish(next)
	step("withdrawn, and not asked since", old, "")
	c.Advance(defaultFresh)
	step("withdrawn", old, jwa.KeyUnknown)
	step("the one that is left", next, "")
	i.publish()
	c.Advance(defaultFresh)
	step("all withdrawn: an issuer without keys is an answer", next, jwa.KeyUnknown)
}

func TestHowLongKeysAreFresh(t *testing.T) {
	for _, c := range []struct {
		header string
		want   time.Duration
	}{
		{"", defaultFresh},
		{"public", defaultFresh},
		{"max-age=600", 10 * time.Minute},
		{"public, max-age=3600, must-revalidate", time.Hour},
		{`Max-Age="7200"`, 2 * time.Hour},
		{"max-age=0", minFresh},
		{"max-age=59", minFresh},
		{"max-age=-5", minFresh},
		{"max-age=", minFresh},
		{"max-age=ten", minFresh},
		{"no-store", minFresh},
		{"no-cache, max-age=600", minFresh},
		{"max-age=86400", maxFresh},
		{"max-age=31536000", maxFresh},
		{"max-age=9223372036854775807", maxFresh},
		{"max-age=9223372036854775808", minFresh},
	} {
		i, clock, key := newIssuer(t), newClock(), newKey()
		i.publish(key)
		i.maxAge = c.header
		v := i.verifier(clock)
		ask := func() int {
			if err := i.verify(v, clock, key); err != nil {
				t.Fatalf("%s: %s", c.header, outcome(err))
			}
			return i.timesAsked(jwksPath)
		}
		ask()
		clock.Advance(c.want - 1)
		if n := ask(); n != 1 {
			t.Errorf("%q: asked again before %v", c.header, c.want)
		}
		clock.Advance(1)
		if n := ask(); n != 2 {
			t.Errorf("%q: not asked again after %v", c.header, c.want)
		}
	}
}

// TestKeysOutliveTheirIssuer: an issuer's outage is not ours at once, and not never.
func TestKeysOutliveTheirIssuer(t *testing.T) {
	i, c, key := newIssuer(t), newClock(), newKey()
	i.publish(key)
	v := i.verifier(c)
	if err := i.verify(v, c, key); err != nil {
		t.Fatal(outcome(err))
	}
	down := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusServiceUnavailable) }
	i.answer(down, nil)
	c.Advance(defaultFresh)
	asked := i.timesAsked(discoveryPath)
	for range 5 {
		if err := i.verify(v, c, key); err != nil {
			t.Fatal("just down: ", outcome(err))
		}
	}
	if n := i.timesAsked(discoveryPath) - asked; n != 1 {
		t.Errorf("asked %d times at once", n)
	}
	c.Advance(maxStale - 1)
	if err := i.verify(v, c, key); err != nil {
		t.Error("down for nearly an hour: ", outcome(err))
	}
	c.Advance(1)
	var unreachable *UnreachableError
	if err := i.verify(v, c, key); !errors.As(err, &unreachable) {
		t.Error("down for an hour: ", outcome(err))
	}
	i.answer(nil, nil)
	if err := i.verify(v, c, key); !errors.As(err, &unreachable) {
		t.Error("back, and not asked yet: ", outcome(err))
	}
	c.Advance(minRefresh)
	if err := i.verify(v, c, key); err != nil {
		t.Error("back: ", outcome(err))
	}
}

// TestManyCallersAskOnce: callers who come together wait for one answer, and one who gives
// up takes it from nobody.
func TestManyCallersAskOnce(t *testing.T) {
	i, c, key := newIssuer(t), newClock(), newKey()
	i.publish(key)
	release := make(chan struct{})
	i.answer(nil, func(w http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = w.Write(must(jwa.NewKeySet(key.Public()).JSON()))
	})
	v := i.verifier(c)
	tok := token(key, i.claims(c, nil), jwa.Header{})
	impatient, cancel := context.WithCancelCause(t.Context())
	gone := make(chan error)
	go func() {
		_, err := v.Verify(impatient, i.registered(), tok)
		gone <- err
	}()
	for i.timesAsked(jwksPath) == 0 {
		time.Sleep(time.Millisecond)
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := v.Verify(t.Context(), i.registered(), tok); err != nil {
				t.Error(outcome(err))
			}
		})
	}
	why := errors.New("the caller has gone")
	cancel(why)
	if err := <-gone; !errors.Is(err, why) {
		t.Errorf("the one who gave up: %v", err)
	}
	close(release)
	wg.Wait()
	if n := i.timesAsked(jwksPath); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestOnlySoManyIssuersAreKept: who may register issuers cannot fill the memory.
func TestOnlySoManyIssuersAreKept(t *testing.T) {
	i, c, key := newIssuer(t), newClock(), newKey()
	i.publish(key)
	v := i.verifier(c)
	for n := range maxIssuers {
		v.issuers[fmt.Sprint(n)] = &cached{attempted: c.Now().Add(-time.Duration(n))}
	}
	if err := i.verify(v, c, key); err != nil {
		t.Fatal(outcome(err))
	}
	if len(v.issuers) != maxIssuers || v.state(i.URL) == nil || v.state(fmt.Sprint(maxIssuers-1)) != nil {
		t.Errorf("%d issuers are kept", len(v.issuers))
	}
}

// TestAnswersThatAreNotUsed: what an issuer may not say.
func TestAnswersThatAreNotUsed(t *testing.T) {
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	i, c, key := newIssuer(t), newClock(), newKey()
	i.publish(key)
	other := newIssuer(t)
	other.publish(key)
	discovery := func(iss, jwksURI string) http.HandlerFunc {
		return text(fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, iss, jwksURI))
	}
	redirect := func(to string) http.HandlerFunc {
		return http.RedirectHandler(to, http.StatusFound).ServeHTTP
	}
	good := string(must(jwa.NewKeySet(key.Public()).JSON()))
	for _, test := range []struct {
		name            string
		discovery, jwks http.HandlerFunc
		want            string // part of the cause
	}{
		{"another issuer", discovery("https://evil.example", i.URL+jwksPath), nil, "is of the issuer"},
		{"the issuer with a slash", discovery(i.URL+"/", i.URL+jwksPath), nil, "is of the issuer"},
		{"the issuer in upper case", discovery(strings.ToUpper(i.URL), i.URL+jwksPath), nil, "is of the issuer"},
		{"no issuer", text(`{"jwks_uri":"` + i.URL + jwksPath + `"}`), nil, "is of the issuer"},
		{"no jwks_uri", text(`{"issuer":"` + i.URL + `"}`), nil, "is not https"},
		{"jwks_uri by http", discovery(i.URL, "http://"+i.Listener.Addr().String()+jwksPath), nil, "is not https"},
		{"jwks_uri is a file", discovery(i.URL, "file:///etc/passwd"), nil, "is not https"},
		{"jwks_uri with a user", discovery(i.URL, strings.Replace(i.URL, "//", "//user:password@", 1)+jwksPath), nil, "is not https"},
		{"jwks_uri is relative", discovery(i.URL, jwksPath), nil, "is not https"},
		{"jwks_uri is no URL", discovery(i.URL, "https://[::1"), nil, "missing ']'"},
		{"jwks_uri without a certificate we trust", discovery(i.URL, strings.Replace(i.URL, "127.0.0.1", "127.0.0.2", 1)+jwksPath), nil, "127.0.0.2"},
		{"no discovery", status(http.StatusNotFound), nil, "404"},
		{"not for us", status(http.StatusUnauthorized), nil, "401"},
		{"not modified", status(http.StatusNotModified), nil, "304"},
		{"discovery is HTML", text("<html>"), nil, "discovery document"},
		{"discovery is too large", text(strings.Repeat(" ", jwa.MaxKeySet+1)), nil, "larger than"},
		{"discovery goes elsewhere", redirect(other.URL + discoveryPath), nil, "302"},
		{"discovery goes to itself", redirect(i.URL + discoveryPath), nil, "302"},
		{"keys go elsewhere", nil, redirect(other.URL + jwksPath), "302"},
		{"no keys", nil, status(http.StatusInternalServerError), "500"},
		{"keys are HTML", nil, text("<html>"), "not an object"},
		{"keys are too large", nil, text(good + strings.Repeat(" ", jwa.MaxKeySet)), "larger than"},
		{"keys without end", nil, func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, "larger than"},
		{"headers without end", nil, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("a", 1<<20)) }, "headers"},
		{"private keys", nil, text(`{"keys":[{"kty":"RSA","d":"AA"}]}`), "private"},
		{"a password", nil, text(`{"keys":[{"kty":"oct","k":"AAAA"}]}`), "symmetric"},
	} {
		t.Run(test.name, func(t *testing.T) {
			i.answer(test.discovery, test.jwks)
			err := i.verify(i.verifier(c), c, key)
			if got := outcome(err); !strings.HasPrefix(got, "unreachable") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if err != nil && err.Error() != "the keys of the issuer "+i.URL+" are not to be had" {
				t.Errorf("the caller sees %q", err)
			}
		})
	}
	if n := other.timesAsked(discoveryPath) + other.timesAsked(jwksPath); n != 0 {
		t.Errorf("redirects were followed %d times", n)
	}
	// The keys may be at another host, as Google's are, when its issuer says so.
	i.answer(discovery(i.URL, other.URL+jwksPath), nil)
	if err := i.verify(i.verifier(c), c, key); err != nil || other.timesAsked(jwksPath) != 1 {
		t.Errorf("keys at another host: %v", outcome(err))
	}
}

// TestSlowIssuers: an issuer costs at most the timeout, however it is slow.
func TestSlowIssuers(t *testing.T) {
	i, c, key := newIssuer(t), newClock(), newKey()
	i.publish(key)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	silent := func(http.ResponseWriter, *http.Request) { <-stop }
	drip := func(w http.ResponseWriter, _ *http.Request) {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				_, _ = w.Write([]byte(" "))
				w.(http.Flusher).Flush()
			}
		}
	}
	for name, h := range map[string]http.HandlerFunc{"silent": silent, "drip": drip} {
		i.answer(nil, h)
		v := i.verifier(c)
		v.config.Timeout = 200 * time.Millisecond
		start := time.Now()
		if err := i.verify(v, c, key); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
			t.Errorf("%s: %s after %v", name, outcome(err), time.Since(start))
		}
	}
}

// TestPlainHTTPIsForDevelopment: a loopback issuer without TLS, if it is asked for.
func TestPlainHTTPIsForDevelopment(t *testing.T) {
	i, c, key := newIssuer(t), newClock(), newKey()
	i.publish(key)
	plain := httptest.NewServer(i)
	defer plain.Close()
	i.URL = plain.URL
	if err := i.verify(i.verifier(c), c, key); !strings.Contains(outcome(err), "is not https") {
		t.Error(outcome(err))
	}
	if err := i.verify(New(Config{Now: c.Now, AllowLoopbackHTTP: true}), c, key); err != nil {
		t.Error(outcome(err))
	}
}
