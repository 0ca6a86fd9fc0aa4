package tacettest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tacet/internal/sigv4"
)

// AWSClient calls Secrets Manager as an SDK does, but lets the test say every byte.
type AWSClient struct {
	t                    testing.TB
	url                  string
	http                 *http.Client
	accessKey, secretKey string
	sessionToken         string
	region               string
	skew                 time.Duration
}

// AWS returns a client with the administrator's access key.
func (s *Server) AWS(t testing.TB) *AWSClient {
	// A transport of its own, so that its connections end with the test.
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &AWSClient{t: t, url: s.URL, http: &http.Client{Transport: transport, Timeout: time.Minute},
		accessKey: s.AccessKey, secretKey: s.SecretKey, region: s.Region}
}

// As returns the client with another access key.
func (c *AWSClient) As(accessKey, secretKey string) *AWSClient {
	d := *c
	d.accessKey, d.secretKey, d.sessionToken = accessKey, secretKey, ""
	return &d
}

// WithSession returns the client with the credential of a session; without a token it
// sends none.
func (c *AWSClient) WithSession(accessKey, secretKey, token string) *AWSClient {
	d := c.As(accessKey, secretKey)
	d.sessionToken = token
	return d
}

// InRegion returns the client signing for another region.
func (c *AWSClient) InRegion(region string) *AWSClient {
	d := *c
	d.region = region
	return &d
}

// Skewed returns the client with a clock that is wrong by d.
func (c *AWSClient) Skewed(d time.Duration) *AWSClient {
	e := *c
	e.skew = d
	return &e
}

// Call makes one call. in is the request, anything that becomes a JSON object; body is
// the answer's, nil for an empty one.
func (c *AWSClient) Call(op string, in any) (status int, body map[string]any) {
	c.t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		c.t.Fatal(err)
	}
	res, answer := c.CallRaw("secretsmanager."+op, text)
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &body); err != nil {
			c.t.Fatalf("%s: status %d, and the answer is no JSON object: %v", op, res.StatusCode, err)
		}
	}
	return res.StatusCode, body
}

// CallRaw signs and sends a body as it is, with the X-Amz-Target given. The body of the
// response is read and closed.
func (c *AWSClient) CallRaw(target string, body []byte) (*http.Response, []byte) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+"/", bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", target)
	return c.Send(req, "secretsmanager", body)
}

// Send signs a request that the test made, whose body is body, for a service, and
// sends it.
func (c *AWSClient) Send(req *http.Request, service string, body []byte) (*http.Response, []byte) {
	c.t.Helper()
	if c.sessionToken != "" {
		req.Header.Set("X-Amz-Security-Token", c.sessionToken)
	}
	signed := &sigv4.Request{Method: req.Method, EscapedPath: req.URL.EscapedPath(), RawQuery: req.URL.RawQuery,
		Host: strings.TrimPrefix(c.url, "http://"), Header: req.Header, Body: body}
	sigv4.Sign(signed, c.accessKey, []byte(c.secretKey), c.region, service, time.Now().Add(c.skew))
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
