package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tacet"
	"tacet/internal/sigv4"
	"tacet/internal/store"
	"tacet/internal/store/storetest"
)

// TestKill kills the real process with SIGKILL again and again while clients write and
// read, and compares what was acknowledged with what is there: every acknowledged
// change is whole, every other one is whole or not there at all, and each has its audit
// record, as has every acknowledged read. TACET_KILL_ROUNDS raises the number of kills.
func TestKill(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "tacet")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Run("sqlite", func(t *testing.T) { killEngine(t, bin, "") })
	t.Run("postgres", func(t *testing.T) { killEngine(t, bin, storetest.Postgres(t)) })
}

func killEngine(t *testing.T, bin, storeURL string) {
	rounds := 8
	if s := os.Getenv("TACET_KILL_ROUNDS"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	k := newKiller(t, bin, storeURL)
	for round := range rounds {
		k.round(round)
		k.check()
		if t.Failed() {
			t.Fatalf("after kill %d", round+1)
		}
	}
	changes, reads := k.changes, len(k.reads)
	t.Logf("%d kills, %d acknowledged changes and %d acknowledged reads, none lost", rounds, changes, reads)
	if changes < 25*rounds || reads < rounds {
		t.Errorf("the load was too small to show anything")
	}
}

// change is one put or creation that was sent.
type change struct {
	token string
	value string
	acked string // the request id of the answer, "" when there was none
}

type killSecret struct {
	name    string
	changes []change
}

type killer struct {
	*testing.T
	bin, config, url, addr string
	accessKey, secretKey   string
	client                 *http.Client

	mu      sync.Mutex
	secrets []*killSecret
	reads   map[string]bool // request ids of acknowledged reads
	changes int             // acknowledged
}

func newKiller(t *testing.T, bin, storeURL string) *killer {
	dir := t.TempDir()
	if storeURL == "" {
		storeURL = "sqlite:" + filepath.Join(dir, "tacet.db")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	k := &killer{T: t, bin: bin, url: storeURL, addr: addr, config: filepath.Join(dir, "tacet.toml"), reads: map[string]bool{},
		client: &http.Client{Timeout: 20 * time.Second}}
	urlFile := filepath.Join(dir, "store-url")
	if err := os.WriteFile(urlFile, []byte(storeURL), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("[listen]\naddress = %q\nallow_plaintext = true\n\n[store]\nurl = %q\n\n[key]\nfile = %q\n\n[log]\nlevel = \"error\"\n",
		addr, "file:"+urlFile, filepath.Join(dir, "key"))
	if err := os.WriteFile(k.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	creds := filepath.Join(dir, "credentials")
	if out, err := exec.Command(bin, "init", "--config", k.config, "--credentials-file", creds).CombinedOutput(); err != nil {
		t.Fatalf("tacet init: %v\n%s", err, out)
	}
	f, err := os.Open(creds)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		key, v, _ := strings.Cut(strings.TrimPrefix(s.Text(), "export "), "=")
		switch key {
		case "AWS_ACCESS_KEY_ID":
			k.accessKey = v
		case "AWS_SECRET_ACCESS_KEY":
			k.secretKey = v
		}
	}
	return k
}

// acked counts the acknowledged changes so far.
func (k *killer) acked() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.changes
}

func (k *killer) start() *exec.Cmd {
	k.Helper()
	cmd := exec.Command(k.bin, "server", "--config", k.config)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		k.Fatal(err)
	}
	for range 1000 {
		if c, err := net.Dial("tcp", k.addr); err == nil {
			_ = c.Close()
			return cmd
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	k.Fatalf("the server did not start:\n%s", log.String())
	return nil
}

// round starts the server, loads it from eight clients and kills it in the middle.
func (k *killer) round(n int) {
	k.Helper()
	cmd := k.start()
	ctx, cancel := context.WithCancel(k.Context())
	var wg sync.WaitGroup
	for c := range 8 {
		wg.Go(func() { k.load(ctx, n, c) })
	}
	// Only once there is a load worth interrupting, and at any moment of it.
	for start, deadline := k.acked(), time.Now().Add(20*time.Second); k.acked() < start+25 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
	if err := cmd.Process.Kill(); err != nil {
		k.Fatal(err)
	}
	_ = cmd.Wait()
	cancel()
	wg.Wait()
	k.client.CloseIdleConnections()
}

// load is one client: a new secret every twenty changes, a read now and then.
func (k *killer) load(ctx context.Context, round, client int) {
	var s *killSecret
	for i := 0; ctx.Err() == nil; i++ {
		op, c := "PutSecretValue", change{token: tacetToken(), value: tacetToken()}
		in := map[string]any{"ClientRequestToken": c.token, "SecretString": c.value}
		if i%20 == 0 {
			s = &killSecret{name: fmt.Sprintf("kill/%d/%d/%d", round, client, i)}
			k.mu.Lock()
			k.secrets = append(k.secrets, s)
			k.mu.Unlock()
			op, in["Name"] = "CreateSecret", s.name
		} else {
			in["SecretId"] = s.name
		}
		id, _, err := k.call(op, in)
		if err == nil {
			c.acked = id
		}
		k.mu.Lock()
		s.changes = append(s.changes, c)
		if err == nil {
			k.changes++
		}
		k.mu.Unlock()
		if err != nil {
			return
		}
		if i%3 == 0 {
			if id, _, err := k.call("GetSecretValue", map[string]any{"SecretId": s.name}); err == nil {
				k.mu.Lock()
				k.reads[id] = true
				k.mu.Unlock()
			}
		}
	}
}

func tacetToken() string { return fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()) }

// call sends a signed request and returns the answer's request id and body.
func (k *killer) call(op string, in map[string]any) (string, map[string]any, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return "", nil, err
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+k.addr+"/", bytes.NewReader(body))
	if err != nil {
		return "", nil, err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "secretsmanager."+op)
	sigv4.Sign(&sigv4.Request{Method: "POST", EscapedPath: "/", Host: k.addr, Header: req.Header, Body: body},
		k.accessKey, []byte(k.secretKey), "us-east-1", "secretsmanager", time.Now())
	res, err := k.client.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return "", nil, err
	}
	if res.StatusCode != http.StatusOK {
		return "", nil, fmt.Errorf("%s: %d %s", op, res.StatusCode, answer)
	}
	var out map[string]any
	return res.Header.Get("X-Amzn-Requestid"), out, json.Unmarshal(answer, &out)
}

// check compares the ledger with the store and, after a restart, with the answers.
func (k *killer) check() {
	k.Helper()
	byRequest, byToken := k.auditTrail()
	cmd := k.start()
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		k.client.CloseIdleConnections()
	}()
	for id := range k.reads {
		if byRequest[id] != 1 {
			k.Errorf("an acknowledged read has %d records", byRequest[id])
		}
	}
	for _, s := range k.secrets {
		k.checkSecret(s, byRequest, byToken)
	}
}

func (k *killer) checkSecret(s *killSecret, byRequest, byToken map[string]int) {
	k.Helper()
	last := -1
	for i, c := range s.changes {
		_, got, err := k.call("GetSecretValue", map[string]any{"SecretId": s.name, "VersionId": c.token})
		there := err == nil && got["SecretString"] == c.value
		if c.acked != "" && !there {
			k.Errorf("%s: an acknowledged change is lost: %v", s.name, err)
		}
		if c.acked != "" && byRequest[c.acked] != 1 {
			k.Errorf("%s: an acknowledged change has %d records", s.name, byRequest[c.acked])
		}
		if recorded := byToken[c.token] > 0; recorded != there {
			k.Errorf("%s: a half change: recorded %t, there %t (%v)", s.name, recorded, there, err)
		}
		if there {
			last = i
		}
	}
	if last < 0 {
		return
	}
	_, got, err := k.call("GetSecretValue", map[string]any{"SecretId": s.name})
	if err != nil || got["VersionId"] != s.changes[last].token {
		k.Errorf("%s: the current version is not the last change: %v", s.name, err)
	}
}

// auditTrail reads the record straight from the store, while no server runs: how
// often each request id, and each token of a change that was done, is recorded.
func (k *killer) auditTrail() (byRequest, byToken map[string]int) {
	k.Helper()
	byRequest, byToken = map[string]int{}, map[string]int{}
	db, err := store.Open(k.Context(), store.Config{URL: k.url})
	if err != nil {
		k.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	err = db.Read(k.Context(), func(tx *store.Tx) error {
		for from := int64(0); ; {
			rows, err := tx.Records(from, 1000)
			if err != nil || len(rows) == 0 {
				return err
			}
			for _, r := range rows {
				if r.Seq != from {
					return fmt.Errorf("the audit record has a gap at %d", from)
				}
				from++
				rec, err := tacet.ParseRecord(r.Body)
				if err != nil {
					return err
				}
				byRequest[rec.RequestID]++
				if token, ok := rec.Parameters["clientRequestToken"].(string); ok && rec.Outcome == tacet.OutcomeAllowed {
					byToken[token]++
				}
			}
		}
	})
	if err != nil {
		k.Fatal(err)
	}
	return byRequest, byToken
}
