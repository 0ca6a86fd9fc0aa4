package adminapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/vault"
)

// closed is a face whose every signature is refused. Its rooms are empty: a request
// that got past authentication would panic.
func closed(t *testing.T, seen *[]string) http.Handler {
	return New(Config{Vault: &vault.Service{}, Identity: &identity.Service{}, Audit: brokenAudit{}, Logger: slog.New(slog.DiscardHandler),
		Identify:     func(*http.Request) error { return nil },
		Authenticate: func(*http.Request, []byte) (tacet.Call, error) { return tacet.Call{}, errors.New("no") },
		Observe:      func(op, code string, _ time.Duration) { *seen = append(*seen, op+" "+code) }})
}

type brokenAudit struct{}

func (brokenAudit) Checkpoint(context.Context) (Checkpoint, error) { return Checkpoint{}, io.EOF }
func (brokenAudit) Verify(context.Context, string) (AuditReport, error) {
	return AuditReport{}, io.EOF
}
func (brokenAudit) Export(context.Context, io.Writer, Export) error { return io.EOF }

func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func failureOf(t *testing.T, w *httptest.ResponseRecorder) failureOut {
	t.Helper()
	var out failureOut
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return out
}

// TestThreat16_Crawl asks for every route without credentials, with a body that would be
// refused if anybody looked at it.
func TestThreat16_Crawl(t *testing.T) {
	var seen []string
	h := closed(t, &seen)
	for _, op := range operations() {
		w := ask(h, "POST", Prefix+op.path, `{"nonsense":`)
		out := failureOf(t, w)
		if w.Code != 401 || out.Error.Code != "Unauthenticated" || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", op.path, w.Code, w.Body)
		}
		if len(out.Error.RequestID) != 36 || w.Header().Get("X-Request-Id") != out.Error.RequestID {
			t.Errorf("%s: no request id: %s", op.path, w.Body)
		}
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached", op.path)
		}
	}
	if len(seen) != len(operations()) || seen[0] != "whoami Unauthenticated" {
		t.Errorf("observed: %q", seen)
	}
}

func TestRefusedBeforeAuthentication(t *testing.T) {
	var seen []string
	h := closed(t, &seen)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", Prefix + "whoami", "", 405, "MethodNotAllowed"},
		{"PUT", Prefix + "users/create", "{}", 405, "MethodNotAllowed"},
		{"POST", Prefix, "{}", 404, "UnknownOperation"},
		{"POST", Prefix + "nothing", "{}", 404, "UnknownOperation"},
		{"POST", Prefix + "whoami/", "{}", 404, "UnknownOperation"},
		{"POST", "/whoami", "{}", 404, "UnknownOperation"},
		{"POST", "/tacet/v1/../v1/whoami", "{}", 404, "UnknownOperation"},
		{"POST", Prefix + "whoami", strings.Repeat(" ", maxBody+1), 413, "RequestTooLarge"},
	} {
		w := ask(h, c.method, c.path, c.body)
		if out := failureOf(t, w); w.Code != c.status || out.Error.Code != c.code {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
}

// TestBrokenStream says what an export that fails looks like from outside: before its
// first byte an error like any other, after it a connection that is cut.
func TestBrokenStream(t *testing.T) {
	for _, begun := range []bool{false, true} {
		h := &handler{Config: Config{Logger: slog.New(slog.DiscardHandler), Observe: func(string, string, time.Duration) {},
			Identify:     func(*http.Request) error { return nil },
			Authenticate: func(*http.Request, []byte) (tacet.Call, error) { return tacet.Call{}, nil }}}
		h.routes = map[string]operation{"x": {path: "x", long: true, run: func(context.Context, *handler, tacet.Call, []byte) (answer, error) {
			return inLines(func(_ context.Context, w io.Writer) error {
				if begun {
					_, _ = io.WriteString(w, strings.Repeat("{}\n", 4096))
				}
				return tacet.Errorf(tacet.Unavailable, "")
			}), nil
		}}}
		s := httptest.NewServer(h)
		res, err := http.Post(s.URL+Prefix+"x", "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
		s.Close()
		if begun && (res.StatusCode != 200 || !errors.Is(err, io.ErrUnexpectedEOF)) {
			t.Errorf("begun: %d, %v", res.StatusCode, err)
		}
		if !begun && (res.StatusCode != 503 || err != nil) {
			t.Errorf("not begun: %d, %v", res.StatusCode, err)
		}
	}
}

// TestThreat30_PanicIsAnswered: a panic is an answer with the request's id and a line in the
// log, which does not repeat what was thrown; a stream that was begun is cut.
func TestThreat30_PanicIsAnswered(t *testing.T) {
	const canary = "cAnArY-5b1e"
	for _, begun := range []bool{false, true} {
		var log bytes.Buffer
		var observed []string
		h := &handler{Config: Config{Logger: slog.New(slog.NewJSONHandler(&log, nil)),
			Observe:      func(op, code string, _ time.Duration) { observed = append(observed, op+" "+code) },
			Identify:     func(*http.Request) error { return nil },
			Authenticate: func(*http.Request, []byte) (tacet.Call, error) { return tacet.Call{}, nil }}}
		h.routes = map[string]operation{"x": {path: "x", run: func(context.Context, *handler, tacet.Call, []byte) (answer, error) {
			if !begun {
				panic(canary)
			}
			return inLines(func(_ context.Context, w io.Writer) error {
				_, _ = io.WriteString(w, strings.Repeat("{}\n", 4096))
				panic(canary)
			}), nil
		}}}
		s := httptest.NewServer(h)
		res, err := http.Post(s.URL+Prefix+"x", "application/json", nil)
		if err != nil {
			t.Fatalf("begun %v: the connection was dropped: %v", begun, err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		s.Close()
		var out failureOut
		switch {
		case begun && (res.StatusCode != 200 || !errors.Is(err, io.ErrUnexpectedEOF)):
			t.Errorf("a stream: %d, %v", res.StatusCode, err)
		case !begun && (json.Unmarshal(body, &out) != nil || res.StatusCode != 500 || out.Error.Code != "Internal" || out.Error.RequestID != res.Header.Get("X-Request-Id")):
			t.Errorf("%d %s", res.StatusCode, body)
		}
		if !strings.Contains(log.String(), "request panicked") || !strings.Contains(log.String(), "serve_test.go") || !strings.Contains(log.String(), res.Header.Get("X-Request-Id")) {
			t.Errorf("begun %v: the log has no stack or no id: %s", begun, log.Bytes())
		}
		if strings.Contains(log.String()+string(body), canary) {
			t.Errorf("begun %v: what was thrown was printed", begun)
		}
		if len(observed) != 1 || observed[0] != "x Internal" {
			t.Errorf("begun %v: observed %q", begun, observed)
		}
	}
}

// TestNoClock says that a server whose clock cannot be moved has no such operations: it
// refuses them before anything is decided.
func TestNoClock(t *testing.T) {
	h := New(Config{Vault: &vault.Service{}, Identity: &identity.Service{}, Audit: brokenAudit{}, Logger: slog.New(slog.DiscardHandler),
		Identify:     func(*http.Request) error { return nil },
		Authenticate: func(*http.Request, []byte) (tacet.Call, error) { return tacet.Call{}, nil }})
	for path, body := range map[string]string{"clock/get": `{}`, "clock/set": `{"offset":1}`} {
		w := ask(h, "POST", Prefix+path, body)
		if out := failureOf(t, w); w.Code != 400 || out.Error.Code != "DevelopmentOnly" || out.Error.RequestID == "" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a face without a check of signatures was made")
		}
	}()
	New(Config{Vault: &vault.Service{}, Identity: &identity.Service{}, Audit: brokenAudit{}, Logger: slog.New(slog.DiscardHandler)})
}

// TestRecordBytes says that a stored record's bytes are answered as they are.
func TestRecordBytes(t *testing.T) {
	raw := `{"id":"1","ua":"<b>&\u2028 ` + "\u2029" + `"}`
	b, err := marshal(recordsOut{Records: []recordOut{{Seq: 1, Record: json.RawMessage(raw)}}})
	if err != nil || !strings.Contains(string(b), raw) {
		t.Errorf("%s, %v", b, err)
	}
}
