package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// While requests finish, the operator sees that the server is stopping; connections that
// never asked anything hold nothing up.
func TestDrainIsObservable(t *testing.T) {
	ts := newTestServer(t, nil)
	idle := dial(t, ts.Addr("http")) // never used
	idleTLS := dial(t, ts.Addr("https"))
	busy := dial(t, ts.Addr("http"))
	if _, err := io.WriteString(busy, "POST /tacet/v1/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // all three are accepted
	begin := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- ts.stop() }()
	for !ts.draining.Load() {
		time.Sleep(time.Millisecond)
	}
	for _, c := range []interface {
		io.Reader
		SetReadDeadline(time.Time) error
	}{idle, idleTLS} {
		if err := c.SetReadDeadline(time.Now().Add(3 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
			t.Errorf("a connection that was never used is not closed: %v", err)
		}
	}
	if _, err := net.Dial("tcp", ts.Addr("http")); err == nil {
		t.Error("a server that stops accepts connections")
	}
	status, body := ts.get(t, "http://"+ts.Addr("admin")+"/readyz")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "the server is stopping") {
		t.Errorf("while draining: %d %s", status, body)
	}
	if _, err := io.WriteString(busy, "{}"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(busy), nil)
	if err != nil || res.StatusCode < 400 {
		t.Errorf("a request in progress got no answer: %v %v", res, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("drain: %v", err)
	}
	if d := time.Since(begin); d > 4*time.Second {
		t.Errorf("the drain took %s", d)
	}
	n := 0
	for _, f := range ts.faces {
		f.fresh.Range(func(any, any) bool { n++; return true })
	}
	if n != 0 {
		t.Errorf("%d connections are still listed as fresh", n)
	}
}

func TestConfigAdvice(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.toml")
	if err := os.WriteFile(broken, []byte("x = 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/nonexistent": "docs/tacet.toml is a sample", dir: "a file that can be read", broken: "mend the file"} {
		_, err := LoadConfig(path)
		if err == nil || !strings.Contains(ConfigAdvice(err), want) {
			t.Errorf("%s: %q, want %q", path, ConfigAdvice(err), want)
		}
	}
	if got := ConfigAdvice(os.ErrPermission); !strings.Contains(got, "read the file") {
		t.Errorf("no permission: %q", got)
	}
}
