// Package client is the Go client of Tacet's own face, internal/adminapi: what the
// tacet command is made of.
//
// A call is one signed POST. Nothing is retried: most calls change something, and
// whoever waits for an answer that was lost knows best what to do.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"tacet/internal/sigv4"
)

// Limits of what is taken from a server.
const (
	maxAnswer = 64 << 20 // a page of a thousand of the longest records
	maxRefuse = 64 << 10

	callTimeout = 60 * time.Second
	// stallTimeout is how long a stream may stand still.
	stallTimeout = 60 * time.Second
)

const (
	prefix  = "/tacet/v1/"
	service = "tacet"
)

// Config says which server to call and as whom.
type Config struct {
	// Endpoint is the server's address, as "https://tacet.example:8443".
	Endpoint string
	// AccessKey and SecretKey sign the requests.
	AccessKey string
	SecretKey string
	// SessionToken goes with the access key of a session.
	SessionToken string
	// Region is the vault's the call is about; empty means us-east-1.
	Region string
	// CAFile holds the certificates, in PEM, that the server's is checked against;
	// empty means the system's.
	CAFile string
	// UserAgent is what records say of the program; empty means "tacet".
	UserAgent string
	// Now is the clock that signatures are made with; nil means time.Now.
	Now func() time.Time
}

// FromEnvironment returns the configuration that the environment gives, read through
// getenv. The server is TACET_HTTPS_URL, TACET_HTTP_URL, AWS_ENDPOINT_URL or
// AWS_ENDPOINT_URL_STS, the first that is set; TACET_CA_FILE, AWS_REGION,
// AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN are as
// their names say.
func FromEnvironment(getenv func(string) string) Config {
	first := func(names ...string) string {
		for _, n := range names {
			if v := getenv(n); v != "" {
				return v
			}
		}
		return ""
	}
	return Config{
		Endpoint:     first("TACET_HTTPS_URL", "TACET_HTTP_URL", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"),
		AccessKey:    getenv("AWS_ACCESS_KEY_ID"),
		SecretKey:    getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: getenv("AWS_SESSION_TOKEN"),
		Region:       first("AWS_REGION", "AWS_DEFAULT_REGION"),
		CAFile:       getenv("TACET_CA_FILE"),
	}
}

// A Client calls one server as one user. It may be used by many goroutines.
type Client struct {
	base      *url.URL
	userAgent string
	http      *http.Client
	// sign signs for a service. It holds the secret key, so that printing a Client cannot
	// show it; a Client without one cannot sign.
	sign func(r *sigv4.Request, service string)
}

// ErrNoCredentials says that the configuration has no access key.
var ErrNoCredentials = errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set")

// ErrNoEndpoint says that the configuration names no server.
var ErrNoEndpoint = errors.New("no server is named: set TACET_HTTPS_URL or AWS_ENDPOINT_URL, or give --endpoint")

// New returns a client. It does not call the server. Errors: [ErrNoEndpoint],
// [ErrNoCredentials], and what is wrong with the endpoint or the CA file.
func New(cfg Config) (*Client, error) {
	if _, err := parseEndpoint(cfg.Endpoint); err != nil {
		return nil, err
	}
	if cfg.AccessKey == "" || cfg.SecretKey == "" {
		return nil, ErrNoCredentials
	}
	return NewAnonymous(cfg)
}

// NewAnonymous is [New] for a configuration that may have no credentials: the client can
// make the calls that need none, see [Client.AssumeRoleWithWebIdentity].
func NewAnonymous(cfg Config) (*Client, error) {
	base, err := parseEndpoint(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(cfg.CAFile)
	if err != nil {
		return nil, err
	}
	region, agent, now := cfg.Region, cfg.UserAgent, cfg.Now
	if region == "" {
		region = "us-east-1"
	}
	if agent == "" {
		agent = "tacet"
	}
	if now == nil {
		now = time.Now
	}
	id, secret, token := cfg.AccessKey, []byte(cfg.SecretKey), cfg.SessionToken
	return &Client{
		base: base, userAgent: agent,
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a signature is for one host and one path
		}},
		sign: func(r *sigv4.Request, service string) {
			if token != "" {
				r.Header.Set("X-Amz-Security-Token", token)
			}
			sigv4.Sign(r, id, secret, region, service, now())
		},
	}, nil
}

// parseEndpoint accepts scheme, host and port. Its errors do not repeat the endpoint,
// where somebody may have put a password.
func parseEndpoint(s string) (*url.URL, error) {
	if s == "" {
		return nil, ErrNoEndpoint
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("the endpoint is not a URL such as https://tacet.example:8443")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("the endpoint must be scheme, host and port only")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

func newTransport(caFile string) (*http.Transport, error) {
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment, // not for loopback addresses
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        4,
		IdleConnTimeout:     30 * time.Second,
	}
	if caFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("CA file: %w", err)
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA file %s holds no certificate", caFile)
	}
	return t, nil
}

// Close gives back the connections that are kept for the next call.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Endpoint returns the address of the server.
func (c *Client) Endpoint() string { return c.base.String() }

// send posts in as JSON and returns the answer's body when the server agreed. The
// caller closes it.
func (c *Client) send(ctx context.Context, path string, in any) (*http.Response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	u := *c.base
	u.Path = prefix + path
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	c.sign(&sigv4.Request{Method: http.MethodPost, EscapedPath: u.Path, Host: u.Host, Header: req.Header, Body: body}, service)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, unreachable(c.Endpoint(), err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer closeBody(res)
	return nil, refusal(res)
}

// call is send for an answer in JSON, which goes into out; out may be nil. It returns
// the request id.
func (c *Client) call(ctx context.Context, path string, in, out any) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return c.wait(ctx, path, in, out)
}

// wait is call for a question that takes as long as it takes.
func (c *Client) wait(ctx context.Context, path string, in, out any) (id string, err error) {
	res, err := c.send(ctx, path, in)
	if err != nil {
		return "", err
	}
	defer closeBody(res)
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	defer clear(b)
	if err != nil {
		return "", unreachable(c.Endpoint(), err)
	}
	if len(b) > maxAnswer {
		return "", fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			return "", errors.New("the answer is not what a Tacet server sends: is this one?")
		}
	}
	return res.Header.Get("X-Request-Id"), nil
}

func closeBody(res *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxRefuse)) // so that the connection is used again
	_ = res.Body.Close()
}

// stream copies an answer of any length to w. It gives up when nothing comes for
// stallTimeout, and an answer that the server cut short is an error.
func (c *Client) stream(ctx context.Context, path string, in any, w io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(stallTimeout, func() { cancel(errStalled) })
	defer timer.Stop()
	res, err := c.send(ctx, path, in)
	if err == nil {
		defer func() { _ = res.Body.Close() }()
		_, err = io.Copy(w, &watched{res.Body, timer})
	}
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		return unreachable(c.Endpoint(), errStalled)
	}
	return err
}

var (
	errStalled = errors.New("the server sends nothing")
	errCut     = errors.New("the server broke off in the middle; what was written is not complete")
)

// watched puts a timer off with every piece that is read, and tells a broken end from
// a failure to write.
type watched struct {
	r     io.Reader
	timer *time.Timer
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	w.timer.Reset(stallTimeout)
	if err != nil && err != io.EOF { //nolint:errorlint // readers return it as it is
		err = fmt.Errorf("%w (%w)", errCut, err)
	}
	return n, err
}
