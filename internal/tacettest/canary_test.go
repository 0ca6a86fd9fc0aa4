package tacettest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tacet/internal/tacettest"
)

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

// encodings are the ways a value hides from a search.
func encodings(value string) map[string][]byte {
	quoted, _ := json.Marshal(value)
	var escaped strings.Builder
	for _, r := range value {
		fmt.Fprintf(&escaped, "\\u%04x", r)
	}
	return map[string][]byte{
		"as it is":      []byte(value),
		"base64":        []byte(strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(value)), "=")),
		"base64url":     []byte(strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(value)), "=")),
		"hex":           []byte(hex.EncodeToString([]byte(value))),
		"percent":       []byte(url.QueryEscape(value)),
		"JSON":          bytes.Trim(quoted, `"`),
		"JSON, escaped": []byte(escaped.String()),
	}
}

// TestThreat25_Canary pushes a marked value through every operation that takes one, well and
// badly formed, and looks for it in the log, the errors, the audit record, the metrics
// and every file of the store. (Threat classes 24 and 25.)
func TestThreat25_Canary(t *testing.T) {
	canary := fmt.Sprintf("canary/%016x+?\"%016x", rand.Uint64(), rand.Uint64())
	log := &lockedBuffer{}
	s := tacettest.New(t, tacettest.WithLogger(slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	aws := s.AWS(t)
	var refused bytes.Buffer
	call := func(op string, in map[string]any) {
		status, out := aws.Call(op, in)
		if status == http.StatusOK {
			return
		}
		b, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		refused.Write(b)
	}
	token := "00000000-0000-4000-8000-000000000001"
	binary := base64.StdEncoding.EncodeToString([]byte(canary))
	call("CreateSecret", map[string]any{"Name": "c", "ClientRequestToken": token, "SecretString": canary})
	call("CreateSecret", map[string]any{"Name": "c", "ClientRequestToken": token, "SecretString": canary + "x"})
	call("CreateSecret", map[string]any{"Name": "d", "ClientRequestToken": token, "SecretBinary": binary, "SecretString": canary})
	for _, op := range []string{"PutSecretValue", "UpdateSecret"} {
		call(op, map[string]any{"SecretId": "c", "ClientRequestToken": token[:35] + "2", "SecretBinary": binary})
		call(op, map[string]any{"SecretId": "c", "ClientRequestToken": token, "SecretString": canary + "y"})
		call(op, map[string]any{"SecretId": "c", "SecretString": canary})
		call(op, map[string]any{"SecretId": "c", "ClientRequestToken": token, "SecretString": strings.Repeat(canary, 3000)})
		call(op, map[string]any{"SecretId": "c", "ClientRequestToken": token, "SecretString": map[string]any{canary: canary}})
		call(op, map[string]any{"SecretId": "c", "ClientRequestToken": token, "SecretBinary": canary})
		call(op, map[string]any{"SecretId": "c", "ClientRequestToken": "short", "SecretString": canary})
		call(op, map[string]any{"SecretId": "none", "ClientRequestToken": token, "SecretString": canary})
	}
	for _, rotation := range []string{canary, canary + strings.Repeat(canary, 8)} {
		call("PutSecretValue", map[string]any{"SecretId": "c", "ClientRequestToken": token[:35] + "3", "SecretString": canary, "RotationToken": rotation})
	}
	call("GetSecretValue", map[string]any{"SecretId": "c"})
	call("BatchGetSecretValue", map[string]any{"SecretIdList": []string{"c"}})
	for _, body := range []string{`{"SecretId":"c","SecretString":"` + canary, `{"SecretString":` + canary + `}`, canary,
		`{"SecretId":"c","SecretString":"` + canary + `","SecretString":"` + canary + `"}`} {
		_, answer := aws.CallRaw("secretsmanager.PutSecretValue", []byte(body))
		refused.Write(answer)
	}

	pushThroughAzure(t, s.Azure(t), canary, &refused)

	places := map[string][]byte{"the log": log.bytes(), "the errors": refused.Bytes(), "the metrics": metrics(t, s)}
	for _, f := range files(t, s.DataDir) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		places["the file "+filepath.Base(f)] = b
	}
	if len(places["the errors"]) == 0 || len(places) < 5 {
		t.Fatalf("the canary saw only %d places", len(places))
	}
	for place, content := range places {
		for name, enc := range encodings(canary) {
			if bytes.Contains(content, enc) {
				t.Errorf("the value is in %s, %s", place, name)
			}
		}
	}
}

// pushThroughAzure sends the value through every operation of the Azure face that takes
// one, well and badly formed, and gathers the refusals.
func pushThroughAzure(t *testing.T, c *tacettest.AzureClient, canary string, refused *bytes.Buffer) {
	t.Helper()
	send := func(method, target, body string) {
		res, answer := c.Send(c.Request(method, target, []byte(body)))
		if res.StatusCode >= 300 {
			refused.Write(answer)
		}
	}
	quoted, err := json.Marshal(canary)
	if err != nil {
		t.Fatal(err)
	}
	good := `{"value":` + string(quoted) + `}`
	for _, body := range []string{good, good[:len(good)-1], good + "x", `{"value":` + string(quoted) + `,"value":1}`, `{"value":[` + string(quoted) + `]}`,
		`{"value":"v","attributes":` + string(quoted) + `}`, `{"value":"` + strings.Repeat(string(quoted[1:len(quoted)-1]), 1000) + `"}`, string(quoted), canary,
		`{"value":` + string(quoted) + `,"contentType":"application/octet-stream","tags":[1]}`} {
		for _, r := range [][2]string{{"PUT", "/secrets/azure"}, {"PUT", "/secrets/bad_name"}, {"PATCH", "/secrets/azure"}, {"POST", "/secrets/restore"}, {"PUT", "/secrets/azure/x"}} {
			send(r[0], r[1]+"?api-version=7.4", body)
			send(r[0], r[1]+"?api-version=none", body)
		}
	}
	for _, r := range [][2]string{{"GET", "/secrets/azure"}, {"GET", "/secrets"}, {"POST", "/secrets/azure/backup"}, {"DELETE", "/secrets/azure"}, {"GET", "/deletedsecrets/azure"}} {
		send(r[0], r[1]+"?api-version=7.4", "")
	}
	send("PUT", "/secrets/azure?api-version=7.4", good) // it is deleted
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func metrics(t *testing.T, s *tacettest.Server) []byte {
	t.Helper()
	res, err := http.Get(s.AdminURL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("metrics: %d %v", res.StatusCode, err)
	}
	return b
}
