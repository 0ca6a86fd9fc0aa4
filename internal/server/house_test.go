package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"tacet/internal/server"
	"tacet/internal/store/storetest"
	"tacet/internal/tacettest"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := client(t).Get(url)
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

func client(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// TestMetrics makes requests of all kinds and looks at what Prometheus would be told.
func TestMetrics(t *testing.T) {
	s := tacettest.New(t)
	aws := s.AWS(t)
	const name = "metrics/NameThatMustNotShow"
	create := map[string]any{"Name": name, "SecretString": "ValueThatMustNotShow", "ClientRequestToken": strings.Repeat("t", 32)}
	if status, out := aws.Call("CreateSecret", create); status != 200 {
		t.Fatal(out)
	}
	aws.Call("GetSecretValue", map[string]any{"SecretId": name})
	aws.Call("GetSecretValue", map[string]any{"SecretId": name + "/none"})
	aws.As(s.AccessKey, "wrong").Call("GetSecretValue", map[string]any{"SecretId": name})
	aws.As("AKIANAMETHATMUSTNOTSHOW", "wrong").Call("GetSecretValue", map[string]any{"SecretId": name})
	for i := range 100 {
		aws.CallRaw(fmt.Sprintf("secretsmanager.NameThatMustNotShow%d", i), []byte("{}"))
	}
	_, text := get(t, s.AdminURL+"/metrics")
	for _, want := range []string{
		`tacet_request_duration_seconds_count{api="aws",code="OK",op="CreateSecret"} 1`,
		`tacet_request_duration_seconds_count{api="aws",code="OK",op="GetSecretValue"} 1`,
		`tacet_request_duration_seconds_count{api="aws",code="ResourceNotFoundException",op="GetSecretValue"} 1`,
		`tacet_request_duration_seconds_count{api="aws",code="UnknownOperationException",op="other"} 100`,
		`tacet_auth_failures_total{reason="InvalidSignatureException"} 1`,
		`tacet_auth_failures_total{reason="UnrecognizedClientException"} 1`,
		`tacet_audit_intact 1`, `tacet_store_ready 1`, `tacet_build_info{`, `tacet_audit_records_total `, `tacet_commit_groups_total `,
		`tacet_audit_checkpoint_lag_seconds `, `go_goroutines `, `process_cpu_seconds_total `, `tacet_sweep_runs_total{result="ok"} `,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("%s is not in the metrics", want)
		}
	}
	if strings.Contains(text, "MustNotShow") || strings.Contains(text, "MUSTNOTSHOW") {
		t.Error("a name or a value that a caller sent is in the metrics")
	}
	metric := regexp.MustCompile(`^(tacet_[a-z_]+|go_[a-z_]+|process_[a-z_]+|promhttp_[a-z_]+)[ {]`)
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") && !metric.MatchString(line) {
			t.Errorf("the name of %s does not follow the convention", line)
		}
	}
}

// TestThreat16_RouteCrawl asks every listener for every route there is, and for many that there
// are not, without credentials and with worthless ones. Only health may answer anything
// but a refusal, and only the admin listener has metrics and profiles. (Threat class 16.)
func TestThreat16_RouteCrawl(t *testing.T) {
	s := tacettest.New(t)
	c := client(t)
	open := map[string]bool{"/livez": true, "/readyz": true, "/healthz": true}
	paths := []string{"/", "/livez", "/readyz", "/healthz", "/startupz", "/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/v1/sys/init", "/tacet", "/tacet/",
		"/tacet/v1", "/tacet/v1/", "/tacet/v2/", "/console", "/favicon.ico", "/robots.txt", "/.env", "/latest/meta-data/", "/secretsmanager/get"}
	for _, op := range adminPaths(t) {
		paths = append(paths, "/tacet/v1/"+op, "/tacet/v1/"+op+"/")
	}
	tricks := []string{"/livez/", "/livez/..", "/./livez", "//livez", "/x/../livez", "/%6civez", "/livez%00", "/livez;x", "/tacet/v1/../../livez", "/tacet/v1/%2e%2e/x",
		"/tacet/v1//whoami", "/tacet//v1/whoami", "/TACET/v1/whoami", "/tacet/v1/whoami%2f", "/tacet%2fv1/whoami", `/tacet\v1\whoami`, "/tacet/v1/./whoami", "/debug/pprof/../../metrics"}
	for _, face := range []string{s.URL, s.HTTPSURL} {
		address := strings.TrimPrefix(strings.TrimPrefix(face, "https://"), "http://")
		for _, path := range append(paths, tricks...) {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"} {
				for _, auth := range []string{"", "Bearer x", "AWS4-HMAC-SHA256 Credential=AKIAXXXXXXXXXXXXXXXX/20260101/us-east-1/tacet/aws4_request, SignedHeaders=host, Signature=" + strings.Repeat("0", 64)} {
					if face == s.HTTPSURL && auth != "" {
						continue // the same handler; the handshakes would take most of the time
					}
					status, body := raw(t, s, address, face == s.HTTPSURL, method, path, auth)
					health := open[path] && (method == "GET" || method == "HEAD")
					if health && status != 200 || !health && (status < 400 || status >= 500) {
						t.Errorf("%s %s %q without credentials: %d %s", method, path, auth, status, body)
					}
				}
			}
		}
	}
	address := strings.TrimPrefix(s.URL, "http://")
	for _, target := range []string{"OPTIONS *", "GET http://x/livez", "GET http://x/tacet/v1/whoami", "CONNECT x:443", "POST http://x/"} {
		method, path, _ := strings.Cut(target, " ")
		if status, body := raw(t, s, address, false, method, path, ""); status < 400 || status >= 500 {
			t.Errorf("%s: %d %s", target, status, body)
		}
	}
	for _, path := range []string{"/", "/tacet/v1/whoami", "/tacet/v1/users/list", "/secretsmanager/get"} {
		res, err := c.Post(s.AdminURL+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("the admin listener answers POST %s: %s", path, res.Status)
		}
		_ = res.Body.Close()
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/goroutine?debug=1", "/livez", "/readyz", "/healthz"} {
		if status, _ := get(t, s.AdminURL+path); status != 200 {
			t.Errorf("the admin listener answers %s: %d", path, status)
		}
	}
}

// adminPaths reads the administration face's routes from its source, so that a new
// one is crawled without anybody remembering to.
func adminPaths(t *testing.T) []string {
	t.Helper()
	src, err := os.ReadFile("../adminapi/routes.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile(`(?:handle\(|path: )"([a-z/-]+)"`).FindAllSubmatch(src, -1) {
		out = append(out, string(m[1]))
	}
	if len(out) < 15 {
		t.Fatalf("only %d routes found in routes.go", len(out))
	}
	return out
}

// raw sends a request exactly as it is given and returns the status and the body.
func raw(t *testing.T, s *tacettest.Server, address string, secure bool, method, path, auth string) (int, string) {
	t.Helper()
	var c net.Conn
	var err error
	if secure {
		c, err = s.DialTLS(t)
	} else {
		c, err = net.Dial("tcp", address)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if auth != "" {
		auth = "Authorization: " + auth + "\r\n"
	}
	if _, err := fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: 0\r\nConnection: close\r\n\r\n", method, path, address, auth); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return res.StatusCode, string(b)
}

// TestHostileConnections holds many connections open that never send a whole request,
// and looks at what that costs in memory and whether others are served meanwhile. (Threat
// class 29.)
func TestHostileConnections(t *testing.T) {
	s := tacettest.New(t)
	address := strings.TrimPrefix(s.URL, "http://")
	aws := s.AWS(t)
	aws.Call("ListSecrets", map[string]any{})
	before := heap()
	var held []net.Conn
	for i := range 900 { // below the limit of one address, and ours are open twice in this process
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
		if _, err := fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nX-%d: ", i); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	if status, out := aws.Call("ListSecrets", map[string]any{}); status != 200 {
		t.Errorf("an honest caller is answered %d %v", status, out)
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("an honest caller waited %s", d)
	}
	if used := heap() - before; used > 64<<20 {
		t.Errorf("%d idle connections hold %d MiB", len(held), used>>20)
	}
	for _, c := range held {
		_ = c.Close()
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

func TestDevKeepsItsData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s, stop := tacettest.Start(t, tacettest.WithData(dir))
	in := map[string]any{"Name": "kept", "SecretString": "x", "ClientRequestToken": strings.Repeat("t", 32)}
	if status, out := s.AWS(t).Call("CreateSecret", in); status != 200 {
		t.Fatal(out)
	}
	if _, err := server.StartDev(t.Context(), server.DevConfig{DataDir: dir}); server.Cause(err) != server.CauseLocked {
		t.Errorf("a second server on the same data: %v", err)
	}
	stop()
	ca, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	again := tacettest.New(t, tacettest.WithData(dir))
	if again.AccessKey != s.AccessKey || again.SecretKey != s.SecretKey {
		t.Error("the access key is another one")
	}
	if status, out := again.AWS(t).Call("GetSecretValue", map[string]any{"SecretId": "kept"}); status != 200 || out["SecretString"] != "x" {
		t.Errorf("after a restart: %d %v", status, out)
	}
	if kept, err := os.ReadFile(again.CAFile); err != nil || !bytes.Equal(kept, ca) {
		t.Errorf("the certificate authority is another one: %v", err)
	}
	for _, f := range []string{"tacet.key", "credentials.json", "ca-key.pem", "tacet.db"} {
		if info, err := os.Stat(filepath.Join(dir, f)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", f, info, err)
		}
	}
}

func TestDevRegionsAndClock(t *testing.T) {
	s := tacettest.New(t, tacettest.WithClock(48*time.Hour))
	aws := s.AWS(t).InRegion("eu-central-2")
	in := map[string]any{"Name": "far", "SecretString": "x", "ClientRequestToken": strings.Repeat("t", 32)}
	if status, out := aws.Call("CreateSecret", in); status != 200 {
		t.Fatalf("a region that was never named: %d %v", status, out)
	}
	_, out := aws.Call("DescribeSecret", map[string]any{"SecretId": "far"})
	created, _ := out["CreatedDate"].(float64)
	if ahead := time.Until(time.UnixMilli(int64(created * 1000))); ahead < 47*time.Hour || ahead > 49*time.Hour {
		t.Errorf("with a clock two days ahead a secret was created in %s", ahead)
	}
	if status, out := aws.Call("DeleteSecret", map[string]any{"SecretId": "far", "RecoveryWindowInDays": 7}); status != 200 {
		t.Fatal(out)
	}
	s.Clock.SetOffset(10 * 24 * time.Hour)
	deadline := time.Now().Add(10 * time.Second)
	for {
		if status, _ := aws.Call("DescribeSecret", map[string]any{"SecretId": "far"}); status != 200 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the clock was moved past the recovery window, and the secret is still there")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestDevSpeaksPlainHTTPToThisMachineOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0"} {
		if d, err := server.StartDev(t.Context(), server.DevConfig{Listen: address}); err == nil {
			t.Errorf("%s was accepted", address)
			_ = d.Close()
		} else if !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestDevLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	d, err := server.StartDev(t.Context(), server.DevConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.StartDev(t.Context(), server.DevConfig{StoreURL: "sqlite:/dev/null/x"}); err == nil {
		t.Error("a store below /dev/null")
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestTwoNodes(t *testing.T) {
	url := storetest.Postgres(t)
	one := tacettest.New(t, tacettest.WithPostgres(url))
	two := tacettest.New(t, tacettest.WithPostgres(url), tacettest.WithPeer(one))
	for i, pair := range [][2]*tacettest.Server{{one, two}, {two, one}} {
		name := fmt.Sprintf("shared/%d", i)
		in := map[string]any{"Name": name, "SecretString": name, "ClientRequestToken": strings.Repeat("t", 32)}
		if status, out := pair[0].AWS(t).Call("CreateSecret", in); status != 200 {
			t.Fatal(out)
		}
		if status, out := pair[1].AWS(t).Call("GetSecretValue", map[string]any{"SecretId": name}); status != 200 || out["SecretString"] != name {
			t.Errorf("what one node wrote the other reads as %d %v", status, out)
		}
	}
}

// Callers sign with their own clock, which nobody moved: a development server whose
// clock was moved still serves them, and still refuses those whose own clock is wrong.
func TestMovedClockKeepsCallersIn(t *testing.T) {
	s := tacettest.New(t, tacettest.WithClock(40*24*time.Hour))
	aws := s.AWS(t)
	if status, out := aws.Call("ListSecrets", map[string]any{}); status != 200 {
		t.Errorf("with the server's clock 40 days ahead: %d %v", status, out)
	}
	for _, skew := range []time.Duration{6 * time.Minute, -6 * time.Minute} {
		if status, out := aws.Skewed(skew).Call("ListSecrets", map[string]any{}); status != 400 || out["__type"] != "InvalidSignatureException" {
			t.Errorf("a caller whose clock is wrong by %s: %d %v", skew, status, out)
		}
	}
}

// TestIdleIsNotLag: a server that nobody asks anything has signed everything there is.
func TestIdleIsNotLag(t *testing.T) {
	s := tacettest.New(t)
	s.AWS(t).Call("ListSecrets", map[string]any{})
	lag := regexp.MustCompile(`(?m)^tacet_audit_checkpoint_lag_seconds (\S+)$`)
	time.Sleep(4 * time.Second) // the follower looks once a second
	_, text := get(t, s.AdminURL+"/metrics")
	m := lag.FindStringSubmatch(text)
	if m == nil {
		t.Fatal("no such metric")
	}
	if seconds, err := strconv.ParseFloat(m[1], 64); err != nil || seconds > 3 {
		t.Errorf("everything has been signed, and the lag is %s s", m[1])
	}
}
