package client

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tacet/internal/sigv4"
)

const (
	testKey    = "AKIATESTTESTTESTTEST"
	testSecret = "canary/secret/0123456789012345678901234567"
)

var testNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newClient(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := New(Config{Endpoint: s.URL + "/", AccessKey: testKey, SecretKey: testSecret, Region: "eu-west-1", Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRequest says what goes over the wire, and that its signature holds.
func TestRequest(t *testing.T) {
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Method != "POST" || r.RequestURI != "/tacet/v1/users/create" || string(body) != `{"user":"ana","path":"/x/","tags":[{"key":"k","value":"v"}]}` {
			t.Errorf("%s %s %s", r.Method, r.RequestURI, body)
		}
		if r.UserAgent() != "tacet" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v", r.Header)
		}
		req := &sigv4.Request{Method: r.Method, EscapedPath: r.URL.EscapedPath(), Host: r.Host, Header: r.Header, Body: body}
		a, err := sigv4.Parse(req)
		if err != nil || a.AccessKeyID != testKey || a.Service != "tacet" || a.Region != "eu-west-1" {
			t.Errorf("%+v, %v", a, err)
			return
		}
		if err := a.Verify(req, sigv4.DeriveKey([]byte(testSecret), a.Date, a.Region, a.Service), testNow); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"name":"ana","arn":"arn:x","created":"2026-11-23T12:00:00Z","new":"member"}`)
	})
	u, err := c.CreateUser(t.Context(), "ana", NewPrincipal{Path: "/x/", Tags: []Tag{{"k", "v"}}})
	if err != nil || u.Name != "ana" || u.ARN != "arn:x" || !u.Created.Equal(testNow) {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		is     error
		text   string
	}{
		{404, `{"error":{"code":"NotFound","message":"No such user.","requestId":"r1"}}`, ErrNotFound, "No such user. (NotFound, request r1)"},
		{401, `{"error":{"code":"Unauthenticated","message":"No.","requestId":"r1"}}`, ErrUnauthenticated, "No. (Unauthenticated, request r1)"},
		{403, `{"error":{"code":"Denied","message":"Not you.","requestId":"r1","decisionId":"d1"}}`, ErrDenied, "Not you. (Denied, decision d1)"},
		{409, `{"error":{"code":"AlreadyExists","message":"There.","requestId":"r1"}}`, ErrConflict, "There. (AlreadyExists, request r1)"},
		{400, `{"error":{"code":"InvalidRequest","message":"What?","requestId":"r1"}}`, ErrInvalid, "What? (InvalidRequest, request r1)"},
		{503, `{"error":{"code":"Unavailable","message":"Later.","requestId":"r1"}}`, ErrUnreachable, "Later. (Unavailable, request r1)"},
		{502, `<html>Bad gateway</html>`, ErrUnreachable, "Bad Gateway (HTTP 502)"},
		{404, ``, ErrNotFound, "Not Found (HTTP 404)"},
		{307, ``, nil, "Temporary Redirect (HTTP 307)"},
		{403, strings.Repeat(`{"error":`, 1<<16), ErrDenied, "Forbidden (HTTP 403)"},
	} {
		calls := 0
		cl := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		_, err := cl.WhoAmI(t.Context())
		if err == nil || err.Error() != c.text || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%d %.80s: %v", c.status, c.body, err)
		}
		if calls != 1 {
			t.Errorf("%d: %d calls", c.status, calls)
		}
	}
}

func TestNotTacet(t *testing.T) {
	c := newClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>welcome</html>") })
	if _, err := c.WhoAmI(t.Context()); err == nil || !strings.Contains(err.Error(), "is this one?") {
		t.Error(err)
	}
}

func TestTooLong(t *testing.T) {
	c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		piece := bytes.Repeat([]byte(" "), 1<<20)
		for range maxAnswer>>20 + 1 {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	if _, err := c.WhoAmI(t.Context()); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Error(err)
	}
}

func TestUnreachable(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	c, err := New(Config{Endpoint: s.URL, AccessKey: testKey, SecretKey: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.WhoAmI(t.Context())
	if !errors.Is(err, ErrUnreachable) || !strings.HasPrefix(err.Error(), "no answer from "+s.URL+": ") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = c.WhoAmI(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestStream says that an export that was cut short is never taken for a whole one.
func TestStream(t *testing.T) {
	line := "{\"seq\":1}\n"
	for _, cut := range []bool{false, true} {
		c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(line, 1000))
			if cut {
				panic(http.ErrAbortHandler)
			}
		})
		defer c.Close()
		var out bytes.Buffer
		err := c.ExportAudit(t.Context(), &out, "tacet", time.Time{}, time.Time{})
		if cut && !errors.Is(err, errCut) || !cut && (err != nil || out.Len() != 1000*len(line)) {
			t.Errorf("cut %v: %d bytes, %v", cut, out.Len(), err)
		}
	}
}

// TestStreamHTTP2 is TestStream over the protocol that tells a broken end in another way.
func TestStreamHTTP2(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("%s", r.Proto)
		}
		_, _ = io.WriteString(w, strings.Repeat("{}\n", 4096))
		panic(http.ErrAbortHandler)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{Endpoint: s.URL, AccessKey: testKey, SecretKey: testSecret, CAFile: ca})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.ExportAudit(t.Context(), io.Discard, "tacet", time.Time{}, time.Time{}); !errors.Is(err, errCut) {
		t.Error(err)
	}
}

func TestFromEnvironment(t *testing.T) {
	env := map[string]string{"AWS_ENDPOINT_URL": "http://aws", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_DEFAULT_REGION": "r2", "TACET_CA_FILE": "ca.pem"}
	get := func(name string) string { return env[name] }
	want := Config{Endpoint: "http://aws", AccessKey: "id", SecretKey: "secret", Region: "r2", CAFile: "ca.pem"}
	same := func(a, b Config) bool {
		return fmt.Sprint(a.Endpoint, a.AccessKey, a.SecretKey, a.Region, a.CAFile) == fmt.Sprint(b.Endpoint, b.AccessKey, b.SecretKey, b.Region, b.CAFile)
	}
	if got := FromEnvironment(get); !same(got, want) {
		t.Errorf("%+v", got)
	}
	env["AWS_REGION"], env["TACET_HTTP_URL"] = "r1", "http://tacet"
	want.Region, want.Endpoint = "r1", "http://tacet"
	if got := FromEnvironment(get); !same(got, want) {
		t.Errorf("%+v", got)
	}
	env["TACET_HTTPS_URL"], want.Endpoint = "https://tacet", "https://tacet"
	if got := FromEnvironment(get); !same(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good := Config{Endpoint: "https://tacet.example:8443", AccessKey: testKey, SecretKey: testSecret}
	if c, err := New(good); err != nil || c.Endpoint() != good.Endpoint {
		t.Errorf("%v", err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.Endpoint = "" },
		func(c *Config) { c.Endpoint = "tacet.example:8443" },
		func(c *Config) { c.Endpoint = "ftp://tacet.example" },
		func(c *Config) { c.Endpoint = "https://" },
		func(c *Config) { c.Endpoint = "https://user:hunter2@tacet.example" },
		func(c *Config) { c.Endpoint = "https://tacet.example/path?hunter2" },
		func(c *Config) { c.Endpoint = "https://tacet.example/\x7fhunter2" },
		func(c *Config) { c.AccessKey = "" },
		func(c *Config) { c.SecretKey = "" },
		func(c *Config) { c.CAFile = "nothing.pem" },
		func(c *Config) { c.CAFile = empty },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg); err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), testSecret) {
			t.Errorf("%s: %v", cfg.Endpoint, err)
		}
	}
}

// TestSecretStays says that neither a client nor its errors can be made to show the key.
func TestSecretStays(t *testing.T) {
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, r.Header.Get("Authorization"), http.StatusUnauthorized)
	})
	_, err := c.WhoAmI(t.Context())
	for _, s := range []string{fmt.Sprintf("%v %+v %#v", c, *c, *c), fmt.Sprintf("%v %+v %#v", err, err, err)} {
		if strings.Contains(s, testSecret) || strings.Contains(s, fmt.Sprint([]byte(testSecret))) {
			t.Errorf("the secret key is printed: %s", s)
		}
	}
}
