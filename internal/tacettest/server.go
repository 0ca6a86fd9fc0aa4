// Package tacettest is a whole running Tacet for tests: its own store, its own
// listeners, a clock to move and a client that signs.
//
// The server is the development server of package server, built and stopped in the
// test's process; nothing in it is replaced by a double.
package tacettest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"tacet/internal/server"
)

// Server is a running Tacet.
type Server struct {
	URL      string // of plain HTTP
	HTTPSURL string
	AdminURL string // of metrics, profiles and health
	CAFile   string // the authority that signed the HTTPS listener's certificate
	DataDir  string

	// AccessKey and SecretKey are the administrator's.
	AccessKey, SecretKey string
	Account, Region      string

	// VaultURL is where Azure's clients find the vault main; ClientID and ClientSecret are
	// the administrator's as an application.
	VaultURL               string
	ClientID, ClientSecret string
	TenantID               string

	Clock *server.Clock
}

type options struct{ server.DevConfig }

// Option changes what [New] starts.
type Option func(*options)

// WithPostgres keeps the store in the PostgreSQL database at url, which must be empty or
// belong to the server that [WithPeer] names.
func WithPostgres(url string) Option { return func(o *options) { o.StoreURL = url } }

// WithPeer makes the server another node of the deployment of s: it uses the key and the
// administrator of s. Together with [WithPostgres] and the same database.
func WithPeer(s *Server) Option { return WithData(s.DataDir) }

// WithData keeps everything in dir. A server that was stopped there goes on.
func WithData(dir string) Option { return func(o *options) { o.DataDir = dir } }

// WithInterval sets audit.fsync to "interval".
func WithInterval() Option { return func(o *options) { o.Fsync = server.FsyncInterval } }

// WithLogger takes the server's log.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.Logger = l } }

// WithClock starts with a clock that is ahead of the machine's by d.
func WithClock(d time.Duration) Option { return func(o *options) { o.Clock = d } }

// WithLimits sets the limits of callers.
func WithLimits(l server.LimitsConfig) Option { return func(o *options) { o.Limits = l } }

// WithMetadata names whose access tokens the metadata endpoint gives to everybody.
func WithMetadata(identity string) Option { return func(o *options) { o.MetadataIdentity = identity } }

// stopTimeout is how long a server may take to stop before the test fails.
const stopTimeout = 30 * time.Second

// New starts a server, which stops with the test. The test fails when the server does
// not stop in good order, or leaves a goroutine behind.
func New(t testing.TB, opts ...Option) *Server {
	t.Helper()
	s, stop := Start(t, opts...)
	t.Cleanup(stop)
	return s
}

// Start is [New] for a test that stops the server itself, to start another on the same
// data. The function it returns may be called more than once.
func Start(t testing.TB, opts ...Option) (*Server, func()) {
	t.Helper()
	o := options{DevConfig: server.DevConfig{AdminListen: "127.0.0.1:0"}}
	for _, opt := range opts {
		opt(&o)
	}
	if o.DataDir == "" {
		o.DataDir = t.TempDir()
	}
	id := rand.Text()
	ctx, cancel := context.WithCancel(context.Background())
	type started struct {
		*server.DevServer
		error
	}
	built, ended := make(chan started, 1), make(chan error, 1)
	go pprof.Do(ctx, pprof.Labels(leakLabel, id), func(ctx context.Context) {
		d, err := server.StartDev(ctx, o.DevConfig)
		built <- started{d, err}
		if err == nil {
			ended <- d.Run(ctx)
		}
	})
	b := <-built
	if b.error != nil {
		cancel()
		t.Fatalf("tacettest: %v", b.error)
	}
	d := b.DevServer
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("tacettest: the server did not stop in good order: %v", err)
			}
		case <-time.After(stopTimeout):
			t.Errorf("tacettest: the server did not stop within %s", stopTimeout)
		}
		checkLeaks(t, id)
	})
	wait, done := context.WithTimeout(t.Context(), stopTimeout)
	defer done()
	if err := d.WaitReady(wait); err != nil {
		stop()
		t.Fatalf("tacettest: %v", err)
	}
	env := map[string]string{}
	for _, v := range d.Environment() {
		env[v.Name] = v.Value
	}
	return &Server{
		URL: "http://" + d.Addr("http"), HTTPSURL: "https://" + d.Addr("https"), AdminURL: "http://" + d.Addr("admin"),
		CAFile: d.CAFile, DataDir: d.DataDir, AccessKey: d.Credentials.AccessKey, SecretKey: string(d.Credentials.Secret.Reveal()),
		Account: d.Credentials.Account, Region: d.Credentials.Region, Clock: d.Clock,
		VaultURL: env["TACET_VAULT_URL"], ClientID: env["AZURE_CLIENT_ID"], ClientSecret: env["AZURE_CLIENT_SECRET"], TenantID: env["TACET_TENANT_ID"],
	}, stop
}

// leakLabel marks the goroutines of one server: what a goroutine starts inherits its
// labels, so the goroutines of tests that run beside this one are not mistaken for its.
const leakLabel = "tacettest"

// checkLeaks looks for goroutines of the server that outlived it.
func checkLeaks(t testing.TB, id string) {
	t.Helper()
	mark := fmt.Sprintf("%q:%q", leakLabel, id)
	var stacks string
	for range 100 {
		var b bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
			t.Errorf("tacettest: %v", err)
			return
		}
		if stacks = b.String(); !strings.Contains(stacks, mark) {
			return
		}
		time.Sleep(20 * time.Millisecond) // a goroutine that was told to end needs a moment
	}
	for block := range strings.SplitSeq(stacks, "\n\n") {
		if strings.Contains(block, mark) {
			t.Errorf("tacettest: the server left a goroutine behind:\n%s", block)
		}
	}
}

// DialTLS opens a connection to the HTTPS listener, trusting its authority.
func (s *Server) DialTLS(t testing.TB) (net.Conn, error) {
	t.Helper()
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("tacettest: no certificate in " + s.CAFile)
	}
	d := tls.Dialer{Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}}
	return d.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.HTTPSURL, "https://"))
}
