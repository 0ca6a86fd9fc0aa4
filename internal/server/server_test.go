package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tacet/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// testServer is a real server, with a certificate of a development authority.
type testServer struct {
	*Server
	creds  Credentials
	cfg    Config
	log    *syncBuffer
	roots  *x509.CertPool
	client *http.Client
	stop   func() error // idempotent
}

func newTestServer(t *testing.T, change func(*Config)) *testServer {
	t.Helper()
	dir := t.TempDir()
	ts := &testServer{log: &syncBuffer{}, roots: x509.NewCertPool()}
	ts.cfg = Config{
		Listen: ListenConfig{Address: "127.0.0.1:0", PlaintextAddress: "127.0.0.1:0"},
		TLS:    TLSConfig{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")},
		Admin:  AdminConfig{Listen: "127.0.0.1:0"},
		Store:  StoreConfig{URL: "sqlite:" + filepath.Join(dir, "tacet.db")},
		Key:    KeyConfig{File: filepath.Join(dir, "tacet.key")},
		Logger: slog.New(slog.NewJSONHandler(ts.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	ts.newCertificate(t)
	if change != nil {
		change(&ts.cfg)
	}
	var err error
	if ts.creds, err = Init(t.Context(), ts.cfg); err != nil {
		t.Fatal(err)
	}
	if ts.Server, err = Build(t.Context(), ts.cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- ts.Run(ctx) }()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ts.roots}, ForceAttemptHTTP2: true}
	ts.client = &http.Client{Transport: transport, Timeout: 20 * time.Second}
	ts.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		transport.CloseIdleConnections()
		return err
	})
	t.Cleanup(func() {
		if err := ts.stop(); err != nil {
			t.Errorf("the server did not stop in good order: %v", err)
		}
	})
	return ts
}

// newCertificate writes a new certificate of a new authority into the server's files.
func (ts *testServer) newCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	dir := t.TempDir()
	a, err := openDevAuthority(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	ts.roots.AddCert(a.cert)
	// The authority itself has the form of a pair of files; a leaf is made for the name.
	leaf, err := a.certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	writePair(t, ts.cfg.TLS, leaf)
	return leaf.Leaf
}

func (ts *testServer) get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := ts.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestSlowClientTimesOut(t *testing.T) {
	ts := newTestServer(t, func(c *Config) {
		c.Timeouts = TimeoutsConfig{Header: Duration(150 * time.Millisecond), Read: Duration(300 * time.Millisecond), Idle: Duration(200 * time.Millisecond)}
	})
	for name, sent := range map[string]string{
		"nothing":         "",
		"half a line":     "POST / HT",
		"half the header": "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-",
		"half the body":   "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: application/x-amz-json-1.1\r\n\r\n{",
		"idle":            "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, ts.Addr("http"))
			if _, err := io.WriteString(c, sent); err != nil {
				t.Fatal(err)
			}
			if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			// Whatever is answered, the connection ends, and by the server's doing.
			if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("still open after %s", time.Since(begin))
			}
		})
	}
}

// A caller that sends a byte now and then must not get more time than one that sends
// nothing. (Threat class 29: slowloris.)
func TestDrippingClientTimesOut(t *testing.T) {
	ts := newTestServer(t, func(c *Config) { c.Timeouts.Header = Duration(300 * time.Millisecond) })
	c := dial(t, ts.Addr("http"))
	if _, err := io.WriteString(c, "POST / HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
		if _, err := io.WriteString(c, "x: y\r\n"); err != nil {
			return // closed, as it must be
		}
	}
	t.Error("a dripping caller was served for ten seconds")
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestConnectionLimits(t *testing.T) {
	ts := newTestServer(t, func(c *Config) { c.Limits = LimitsConfig{Connections: 8, ConnectionsPerAddress: 3} })
	held := make([]net.Conn, 3)
	for i := range held {
		held[i] = dial(t, ts.Addr("http"))
		// A whole request, so that the connection was certainly accepted.
		if _, err := io.WriteString(held[i], "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if res, err := http.ReadResponse(bufio.NewReader(held[i]), nil); err != nil || res.StatusCode != 200 {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	c := dial(t, ts.Addr("http"))
	_, _ = io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
	if res, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
		t.Errorf("the fourth connection of one address was answered %s", res.Status)
	}
	if _, body := ts.get(t, "http://"+ts.Addr("admin")+"/metrics"); !strings.Contains(body, "tacet_connections_refused_total 1\n") {
		t.Error("the refused connection is not counted")
	}
	if err := held[0].Close(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for ; time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		c := dial(t, ts.Addr("http"))
		_, _ = io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if _, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			return
		}
	}
	t.Error("a place that became free is not given again")
}

func TestBigHeadersAreRefused(t *testing.T) {
	ts := newTestServer(t, nil)
	c := dial(t, ts.Addr("http"))
	_, _ = fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Junk: %s\r\n\r\n", strings.Repeat("j", 64<<10))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("64 KiB of headers: %v, %v", res, err)
	}
}

func TestReadyz(t *testing.T) {
	ts := newTestServer(t, nil)
	for _, url := range []string{"http://" + ts.Addr("http"), "https://" + ts.Addr("https"), "http://" + ts.Addr("admin")} {
		for _, path := range []string{"/readyz", "/healthz"} {
			status, body := ts.get(t, url+path)
			var r readiness
			if err := json.Unmarshal([]byte(body), &r); err != nil || status != 200 || r.Status != "ready" || len(r.Checks) != 3 {
				t.Errorf("%s%s: %d %s %v", url, path, status, body, err)
			}
		}
		if status, body := ts.get(t, url+"/livez"); status != 200 || !strings.Contains(body, "alive") {
			t.Errorf("%s/livez: %d %s", url, status, body)
		}
	}
	// The store goes away under the server: it says so, with the reason for everybody and
	// the detail for the operator only.
	ts.rooms.guard.Close()
	ts.health.forget()
	status, body := ts.get(t, "http://"+ts.Addr("http")+"/readyz")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, `{"name":"store","ready":false,"reason":"the store does not answer"}`) {
		t.Errorf("without a door: %d %s", status, body)
	}
	if _, body := ts.get(t, "http://"+ts.Addr("admin")+"/readyz"); !strings.Contains(body, `"detail":"the committer has stopped"`) {
		t.Errorf("the operator is not told why: %s", body)
	}
	if status, _ := ts.get(t, "http://"+ts.Addr("http")+"/livez"); status != 200 {
		t.Errorf("the process is alive, and says %d", status)
	}
	if res, err := ts.client.Post("http://"+ts.Addr("http")+"/readyz", "", nil); err != nil || res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /readyz: %v %v", res, err)
	} else if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
}

// A record that was changed in the store must not go unnoticed by who watches the server.
func TestTamperedAuditIsLoud(t *testing.T) {
	ts := newTestServer(t, nil)
	if err := ts.stop(); err != nil {
		t.Fatal(err)
	}
	db, err := openStore(t.Context(), ts.cfg.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	// The last checkpoint is replaced by one that nobody signed.
	err = db.Write(t.Context(), true, func(tx *store.Tx) error {
		c, err := tx.LatestCheckpoint()
		if err != nil {
			return err
		}
		c.Note = strings.Replace(c.Note, "\ntime 2", "\ntime 3", 1)
		return tx.PutCheckpoint(*c)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if ts.Server, err = Build(t.Context(), ts.cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ts.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ts.client.CloseIdleConnections()
	}()
	var status int
	var body string
	for range 500 {
		ts.health.forget()
		if status, body = ts.get(t, "http://"+ts.Addr("admin")+"/readyz"); status != 200 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "signature") {
		t.Errorf("readyz: %d %s", status, body)
	}
	if _, body := ts.get(t, "http://"+ts.Addr("admin")+"/metrics"); !strings.Contains(body, "tacet_audit_intact 0\n") {
		t.Error("tacet_audit_intact is not 0")
	}
	if !strings.Contains(ts.log.String(), `"level":"ERROR"`) {
		t.Error("the log has no error")
	}
}

func TestDrain(t *testing.T) {
	ts := newTestServer(t, nil)
	c := dial(t, ts.Addr("http"))
	r := bufio.NewReader(c)
	// A request whose body is still on its way when the server is told to stop.
	_, err := io.WriteString(c, "POST /tacet/v1/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	ended := make(chan error, 1)
	go func() { ended <- ts.stop() }()
	for !ts.draining.Load() {
		time.Sleep(time.Millisecond)
	}
	if _, err := io.WriteString(c, "{}"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(r, nil)
	for err == nil && res.StatusCode == http.StatusContinue {
		res, err = http.ReadResponse(r, nil)
	}
	if err != nil || res.StatusCode < 400 {
		t.Errorf("a request in progress got no answer: %v %v", res, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("drain: %v", err)
	}
	if _, err := net.Dial("tcp", ts.Addr("http")); err == nil {
		t.Error("a stopped server accepts connections")
	}
}

func TestBuildLeavesNothingOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	ts := newTestServer(t, nil)
	if err := ts.stop(); err != nil {
		t.Fatal(err)
	}
	cfg := ts.cfg
	cfg.Listen.PlaintextAddress = taken.Addr().String()
	if _, err := Build(t.Context(), cfg); Cause(err) != CauseAddressInUse {
		t.Fatalf("an address in use: %v", err)
	}
	s, err := Build(t.Context(), ts.cfg) // the store's lock is free again
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
