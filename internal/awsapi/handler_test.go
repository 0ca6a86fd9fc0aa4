package awsapi

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/wire"
)

// newTestHandler returns a face without a core behind it: whatever is refused before
// the core is asked can be tested on it.
func newTestHandler(t *testing.T) (*Handler, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	return New(Config{Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}), &log
}

// post answers a request without a signature.
func post(h http.Handler, target, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const jsonType = "application/x-amz-json-1.1"

var requestIDPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// checkEnvelope checks what every JSON answer has and returns its body.
func checkEnvelope(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	h := w.Header()
	if h.Get("Content-Type") != jsonType || !requestIDPattern.MatchString(h.Get("x-amzn-RequestId")) ||
		h.Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
		t.Errorf("headers: %v", h)
	}
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("body %q: %v", w.Body, err)
	}
	if code, _ := body["__type"].(string); code == "" || h.Get("x-amzn-ErrorType") != code {
		t.Errorf("error type %q, header %q", code, h.Get("x-amzn-ErrorType"))
	}
	return body
}

func TestContractA1_PathsAndMethods(t *testing.T) {
	h, _ := newTestHandler(t)
	for _, tt := range []struct {
		method, target string
		status         int
		code           string
	}{
		{"POST", "/x", 404, "UnknownOperationException"}, {"GET", "/x", 404, "UnknownOperationException"}, {"POST", "/v1/secrets", 404, "UnknownOperationException"},
		{"GET", "/", 405, "MethodNotAllowedException"}, {"PUT", "/", 405, "MethodNotAllowedException"}, {"DELETE", "/", 405, "MethodNotAllowedException"},
		{"OPTIONS", "/", 405, "MethodNotAllowedException"}, {"PATCH", "/?x=1", 405, "MethodNotAllowedException"},
		{"POST", "//", 400, "BadRequestException"}, {"POST", "/..", 400, "BadRequestException"}, {"POST", "/.", 400, "BadRequestException"},
		{"POST", "/a/../", 400, "BadRequestException"}, {"POST", "/a/./b", 400, "BadRequestException"}, {"POST", "/a//b", 400, "BadRequestException"},
		{"POST", "/%2e", 400, "BadRequestException"}, {"POST", "/%2E%2e/", 400, "BadRequestException"}, {"POST", "/%2f", 400, "BadRequestException"},
		{"POST", "/%5c", 400, "BadRequestException"}, {"POST", `/a\b`, 400, "BadRequestException"}, {"POST", "/%00", 400, "BadRequestException"},
		{"POST", "/;a", 400, "BadRequestException"}, {"POST", "/%3b", 400, "BadRequestException"}, {"POST", "/%252e", 400, "BadRequestException"},
		{"POST", "/?a=../..", 400, "MissingAuthenticationTokenException"}, // a query is only signed
		{"POST", "/", 400, "MissingAuthenticationTokenException"},
		// Absolute form: the path behind the host is held to the same.
		{"POST", "http://h/", 400, "MissingAuthenticationTokenException"}, {"POST", "HTTPS://h:8443/?a=1", 400, "MissingAuthenticationTokenException"},
		{"POST", "http://[::1]:80/", 400, "MissingAuthenticationTokenException"},
		{"GET", "http://h/", 405, "MethodNotAllowedException"}, {"POST", "http://h/x", 404, "UnknownOperationException"},
		{"POST", "http://h", 400, "BadRequestException"}, {"POST", "http://h?/", 400, "BadRequestException"}, {"POST", "http://h//", 400, "BadRequestException"},
		{"POST", "http://h/../", 400, "BadRequestException"}, {"POST", "http://h/%2e", 400, "BadRequestException"}, {"POST", "http:///", 400, "BadRequestException"},
		{"POST", "http://u@h/", 400, "BadRequestException"}, {"POST", "ftp://h/", 400, "BadRequestException"}, {"POST", `http://h\a/`, 400, "BadRequestException"},
		{"POST", "/http://h/", 400, "BadRequestException"},
	} {
		r := httptest.NewRequest(tt.method, "/", nil)
		r.RequestURI = tt.target
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		body := checkEnvelope(t, w)
		if w.Code != tt.status || body["__type"] != tt.code {
			t.Errorf("%s %s: %d %v", tt.method, tt.target, w.Code, body)
		}
		if allow := w.Header().Get("Allow"); (allow == "POST") != (tt.status == 405) {
			t.Errorf("%s %s: Allow %q", tt.method, tt.target, allow)
		}
	}
}

// Threat 10: what net/http's own parser lets through arrives at the check as it was sent.
func TestThreat10_RawPathsOverTheWire(t *testing.T) {
	h, _ := newTestHandler(t)
	s := httptest.NewServer(h)
	defer s.Close()
	for _, target := range []string{"/..", "//", "/%2e%2e/", "/a/..%2f", "/%00", "/;", `/\`, s.URL + "/..", "*"} {
		conn := dial(t, s)
		if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", target); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(answer, []byte("HTTP/1.1 400 ")) {
			t.Errorf("%s: %.60q", target, answer)
		}
	}
}

// Threats 14 and 16: without a credential nothing answers but the authentication error
// or the 404, whatever the method, path and target.
func TestThreat16_CrawlWithoutCredentials(t *testing.T) {
	h, log := newTestHandler(t)
	targets := []string{"", "secretsmanager.", "secretsmanager.NoSuch", "secretsmanager.getSecretValue", "GetSecretValue",
		"tacet.SetClock", "secretsmanager.Bootstrap", "secretsmanager.EndSecretVersionDelete", "secretsmanager.SetClock"}
	for _, op := range tacet.Operations() {
		targets = append(targets, "secretsmanager."+string(op), op.Service()+"."+string(op))
	}
	authorizations := []string{"", "Bearer x", "Basic dXNlcjpwYXNz", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=", "AWS4-HMAC-SHA256 x, y",
		"AWS4-HMAC-SHA256 Credential=AKIA/20250101/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=00"}
	for _, method := range []string{"POST", "GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"} {
		for _, path := range []string{"/", "/v1/x", "/secretsmanager", "/metrics", "/debug/pprof/"} {
			for _, target := range targets {
				for _, authorization := range authorizations {
					r := httptest.NewRequest(method, path, strings.NewReader(`{"SecretId":"x"}`))
					r.Header.Set("X-Amz-Target", target)
					if authorization != "" {
						r.Header.Set("Authorization", authorization)
					}
					w := httptest.NewRecorder()
					h.ServeHTTP(w, r)
					code := w.Header().Get("x-amzn-ErrorType")
					switch {
					case w.Code == 404 && path != "/":
					case w.Code == 405 && path == "/" && method != "POST":
					case w.Code == 400 && (code == "MissingAuthenticationTokenException" || code == "IncompleteSignatureException"):
					default:
						t.Fatalf("%s %s %q %q: %d %s", method, path, target, authorization, w.Code, code)
					}
				}
			}
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log has %s", log)
	}
}

func TestContractA5_MissingAuthentication(t *testing.T) {
	h, _ := newTestHandler(t)
	w := post(h, "secretsmanager.GetSecretValue", jsonType, `{"SecretId":"a"}`)
	body := checkEnvelope(t, w)
	if w.Code != 400 || body["__type"] != "MissingAuthenticationTokenException" || body["message"] != "Missing Authentication Token" || len(body) != 2 {
		t.Errorf("%d %v", w.Code, body)
	}
}

func TestContractE_MissingAuthenticationOfQuery(t *testing.T) {
	h, _ := newTestHandler(t)
	w := post(h, "", "application/x-www-form-urlencoded; charset=utf-8", "Action=GetCallerIdentity&Version=2011-06-15")
	var answer struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Error   struct{ Type, Code, Message string }
		ID      string `xml:"RequestId"`
	}
	if err := xml.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if w.Code != 403 || answer.Error.Type != "Sender" || answer.Error.Code != "MissingAuthenticationToken" ||
		answer.ID != w.Header().Get("x-amzn-RequestId") || w.Header().Get("Content-Type") != "text/xml" {
		t.Errorf("%d %+v %v", w.Code, answer, w.Header())
	}
}

func TestContractA3_BodyTooLarge(t *testing.T) {
	h, _ := newTestHandler(t)
	const size = 1_048_576
	targets := []string{"", "secretsmanager.NoSuch"}
	for _, op := range operations() {
		targets = append(targets, "secretsmanager."+string(op.name))
	}
	for _, target := range targets {
		w := post(h, target, jsonType, strings.Repeat("x", size+1))
		if body := checkEnvelope(t, w); w.Code != 413 || body["__type"] != "RequestEntityTooLarge" {
			t.Errorf("%s: %d %v", target, w.Code, body)
		}
		if w := post(h, target, jsonType, strings.Repeat("x", size)); w.Code != 400 {
			t.Errorf("%s at its limit: %d", target, w.Code)
		}
	}
}

// The same limit holds for a body that does not say how long it is.
func TestReadUnknownLength(t *testing.T) {
	for _, tt := range []struct {
		size int
		want error
	}{{0, nil}, {1, nil}, {4095, nil}, {4096, nil}, {4097, nil}, {maxBody, nil}, {maxBody + 1, errTooLarge}} {
		in := bytes.Repeat([]byte("abcdefg"), tt.size/7+1)[:tt.size]
		r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(bytes.NewReader(in), bytes.NewReader(nil)))
		r.ContentLength = -1
		x := &exchange{w: httptest.NewRecorder(), r: r}
		if err := x.read(); err != tt.want || err == nil && !bytes.Equal(x.body.Bytes, in) {
			t.Errorf("%d bytes: read %d, %v", tt.size, len(x.body.Bytes), err)
		}
	}
}

func TestReadBrokenBody(t *testing.T) {
	for _, length := range []int64{10, -1} {
		r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("abc"), brokenReader{}))
		r.ContentLength = length
		x := &exchange{w: httptest.NewRecorder(), r: r}
		if err := x.read(); err != errBodyUnread {
			t.Errorf("length %d: %v", length, err)
		}
	}
}

func dial(t *testing.T, s *httptest.Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Threat 14: every operation on secrets is one row, and no other operation is any.
func TestThreat14_EveryOperationIsOneRow(t *testing.T) {
	var want, got []tacet.Operation
	for _, op := range tacet.Operations() {
		if op.Service() == "secretsmanager" && !op.Internal() {
			want = append(want, op)
		}
	}
	for _, row := range operations() {
		got = append(got, row.name)
		if row.serve == nil || row.quota == nil {
			t.Errorf("%s: row is not complete", row.name)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) || len(got) != 23 {
		t.Errorf("rows: %v\nwant: %v", got, want)
	}
}

// Threat 30: a panic is an answer and a line in the log, without the body.
func TestThreat30_PanicIsAnswered(t *testing.T) {
	h, log := newTestHandler(t)
	observed := ""
	h.cfg.Observe = func(_, code string, _ time.Duration) { observed += code }
	h.cfg.ValidRegion = func(string) bool { panic("canary-panic " + canary) }
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(canary))
	r.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/"+time.Now().UTC().Format("20060102")+
		"/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if body := checkEnvelope(t, w); w.Code != 500 || body["__type"] != "InternalServiceError" || observed != "InternalServiceError" {
		t.Errorf("%d %v, observed %q", w.Code, body, observed)
	}
	if !strings.Contains(log.String(), "handler.go") || !strings.Contains(log.String(), w.Header().Get("x-amzn-RequestId")) {
		t.Errorf("the log has no stack or no id: %s", log)
	}
	if strings.Contains(log.String()+w.Body.String(), "canary") {
		t.Error("what was thrown was printed")
	}
}

const canary = "cAnArY-7f3a9c51"

// canaryBodies are requests with the canary in every sensitive member, and everything
// that can be wrong with such a request.
func canaryBodies() []string {
	b64 := base64.StdEncoding.EncodeToString([]byte(canary))
	long := strings.Repeat(canary, tacet.MaxValue/len(canary)+1)
	const id = `"SecretId":"a b","Name":"a b",`
	var out []string
	for _, member := range []string{"SecretString", "SecretBinary", "RotationToken"} {
		for _, value := range []string{
			`"` + canary + `"`, `"` + b64 + `"`, `"` + b64[:len(b64)-1] + `"`, `"` + canary + `" x`, `"` + canary, `"` + canary + `\x"`, `"` + canary + `\ud800"`,
			`"` + canary + "\xff" + `"`, `"` + canary + "\n" + `"`, `["` + canary + `"]`, `{"` + canary + `":"` + canary + `"}`,
			`"` + long + `"`, `"` + base64.StdEncoding.EncodeToString([]byte(long)) + `"`, `"` + canary + `","` + member + `":"` + canary + `"`,
			canary, `"` + strings.Repeat("!", 40) + canary + `"`,
		} {
			out = append(out, `{`+id+`"`+member+`":`+value+`}`, `{"ClientRequestToken":1,"`+member+`":`+value+`}`,
				`{"`+member+`":`+value+`,"SecretId":{}}`, `{"`+member+`":`+value, `[{"`+member+`":`+value+`}]`)
		}
	}
	return append(out, canary, `"`+canary+`"`, "{"+canary+"}", `{"`+canary+`":1,"`+canary+`":1}`)
}

// Threat 25: no error repeats a value, in the answer or in the log, whatever is wrong
// with the request.
func TestThreat25_ErrorsNeverRepeatValues(t *testing.T) {
	h, log := newTestHandler(t)
	refused := 0
	for _, op := range operations() {
		for _, body := range canaryBodies() {
			x := &exchange{id: wire.NewRequestID(), op: op.name, body: wire.Body{Bytes: []byte(body)}}
			w := httptest.NewRecorder()
			x.w = w
			err := func() (err error) {
				// A request that is right would be given to the core, which is not there.
				defer func() { _ = recover() }()
				return op.serve(t.Context(), nil, tacet.Call{}, x)
			}()
			if err == nil {
				continue
			}
			refused++
			h.answer(x, err)
			for _, form := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary))[:16]} {
				if strings.Contains(w.Body.String(), form) || strings.Contains(fmt.Sprint(w.Header()), form) {
					t.Errorf("%s: %.80q: answered %.200s", op.name, body, w.Body)
				}
			}
			if w.Code != 400 {
				t.Errorf("%s: %.80q: %d", op.name, body, w.Code)
			}
		}
	}
	if refused < 500 {
		t.Errorf("only %d requests were refused: the test tests nothing", refused)
	}
	if log.Len() > 0 {
		t.Errorf("the log has %.200s", log)
	}
}

func TestCallCircumstances(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.RemoteAddr = "192.0.2.7:1234"
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	r.Header.Set("User-Agent", "agent")
	caller := tacet.Caller{Account: "123456789012", AccessKey: "AKIA"}
	want := tacet.Call{Caller: caller, Account: "123456789012", Region: "eu-central-1", Face: "aws", SourceIP: "192.0.2.7", UserAgent: "agent"}
	if got := newCall(r, caller, "eu-central-1"); got != want {
		t.Errorf("%+v", got)
	}
	r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256, ServerName: "vault.example"}
	want.TLS, want.Cipher, want.Host = "TLSv1.3", "TLS_AES_128_GCM_SHA256", "vault.example"
	if got := newCall(r, caller, "eu-central-1"); got != want {
		t.Errorf("%+v", got)
	}
}
