package tacettest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// AzureClient calls Key Vault as an SDK does, but lets the test say every byte. Whatever
// host it names, it reaches the server.
type AzureClient struct {
	t     testing.TB
	s     *Server
	http  *http.Client
	base  string // the vault's URL
	token string
}

// Azure returns a client of the vault main with the administrator's token.
func (s *Server) Azure(t testing.TB) *AzureClient {
	t.Helper()
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	address := strings.TrimPrefix(s.HTTPSURL, "https://")
	transport := &http.Transport{MaxIdleConnsPerHost: 64, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
	t.Cleanup(transport.CloseIdleConnections)
	c := &AzureClient{t: t, s: s, http: &http.Client{Transport: transport, Timeout: time.Minute}, base: s.VaultURL}
	c.token = c.Token(s.ClientID, s.ClientSecret, "https://vault.azure.net/.default")
	return c
}

// Token gets an access token by client credentials; the test fails without one.
func (c *AzureClient) Token(clientID, secret, scope string) string {
	c.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}, "scope": {scope}}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, "https://localhost"+c.Port()+"/adfs/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, body := c.Send(req)
	var out struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &out); err != nil || out.Token == "" {
		c.t.Fatalf("no token: %d %s", res.StatusCode, body)
	}
	return out.Token
}

// WithToken returns the client with another token; "" sends none.
func (c *AzureClient) WithToken(token string) *AzureClient {
	d := *c
	d.token = token
	return &d
}

// At returns the client for another base URL, of which the host is told to the server.
func (c *AzureClient) At(base string) *AzureClient {
	d := *c
	d.base = base
	return &d
}

// Base is the URL that the client's requests begin with.
func (c *AzureClient) Base() string { return c.base }

// Port is that of the server's HTTPS listener, with its colon.
func (c *AzureClient) Port() string { return c.s.HTTPSURL[strings.LastIndexByte(c.s.HTTPSURL, ':'):] }

// Call makes one call. The api-version is added to a target that has none; in is the
// request's body, nil for none; body is the answer's, nil for an empty one.
func (c *AzureClient) Call(method, target string, in any) (status int, body map[string]any) {
	c.t.Helper()
	var text []byte
	if in != nil {
		var err error
		if text, err = json.Marshal(in); err != nil {
			c.t.Fatal(err)
		}
	}
	if !strings.Contains(strings.ToLower(target), "version=") {
		separator := "?"
		if strings.Contains(target, "?") {
			separator = "&"
		}
		target += separator + "api-version=2026-04-01"
	}
	res, answer := c.Send(c.Request(method, target, text))
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &body); err != nil {
			c.t.Fatalf("%s %s: status %d, and the answer is no JSON object: %q", method, target, res.StatusCode, answer)
		}
	}
	return res.StatusCode, body
}

// Request makes a request with the client's token. A target that is no URL is below the
// client's base.
func (c *AzureClient) Request(method, target string, body []byte) *http.Request {
	c.t.Helper()
	if !strings.HasPrefix(target, "http") {
		target = c.base + target
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, target, strings.NewReader(string(body)))
	if err != nil {
		c.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req
}

// Send sends a request. The body of the response is read and closed.
func (c *AzureClient) Send(req *http.Request) (*http.Response, []byte) {
	c.t.Helper()
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		c.t.Fatal(err)
	}
	return res, answer
}
