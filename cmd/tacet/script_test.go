package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// serverCommands are what the scripts about servers need beyond the usual.
func serverCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"code":     exitsWith,
		"freeport": freePort,
		"mkcert":   makeCertificate,
		"presents": presents,
		"httpget":  httpGet,
		"hang":     hang,
		"keyvault": keyVault,
	}
}

// exitsWith runs a command and compares its exit code: code 2 tacet frobnicate.
func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND...")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, not %s", got, args[0])
	}
}

// freePort sets a variable to a port of loopback on which nobody listens.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport VARIABLE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv(args[0], port)
}

// makeCertificate writes a self-signed certificate for localhost and its key.
func makeCertificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mkcert CERT KEY")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	ts.Check(err)
	template := &x509.Certificate{SerialNumber: serial, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
}

// presents waits until a TLS server shows the certificate in a file.
func presents(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: presents ADDRESS CERT")
	}
	block, _ := pem.Decode([]byte(ts.ReadFile(args[1])))
	if block == nil {
		ts.Fatalf("no certificate in %s", args[1])
	}
	for range 500 {
		// The certificate itself is compared, which is more than a verification.
		c, err := tls.Dial("tcp", args[0], &tls.Config{InsecureSkipVerify: true})
		if err == nil {
			shown := c.ConnectionState().PeerCertificates[0].Raw
			ts.Check(c.Close())
			if bytes.Equal(shown, block.Bytes) {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("%s does not present %s", args[0], args[1])
}

// httpGet asks until the status is the one named, and the body has the text, and prints
// the body.
func httpGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: httpget STATUS URL [TEXT]")
	}
	text := strings.Join(args[2:], "")
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	last := "no answer"
	for range 500 {
		if res, err := client.Get(args[1]); err == nil {
			body, err := io.ReadAll(res.Body)
			ts.Check(err)
			ts.Check(res.Body.Close())
			if last = strconv.Itoa(res.StatusCode); last == args[0] && bytes.Contains(body, []byte(text)) {
				_, err := ts.Stdout().Write(body)
				ts.Check(err)
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("%s: %s", args[1], last)
}

// hang begins a request at the server of an env file and does not finish it.
func hang(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hang ENVFILE")
	}
	env, err := readEnvFile(ts.MkAbs(args[0]))
	ts.Check(err)
	c, err := net.Dial("tcp", strings.TrimPrefix(env["TACET_HTTP_URL"], "http://"))
	ts.Check(err)
	ts.Defer(func() { _ = c.Close() })
	_, err = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
	ts.Check(err)
	time.Sleep(200 * time.Millisecond) // the server has read that much
}

// keyVault calls the vault of a development server as the application whose client secret
// is in an env file, prints the answer, and sets variables to the ids of the request and of
// a refused decision. The development server itself is told by dev.env.
func keyVault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 || len(args) > 5 {
		ts.Fatalf("usage: keyvault STATUS ENVFILE METHOD PATH [BODY]")
	}
	dev, err := readEnvFile(ts.MkAbs("dev.env"))
	ts.Check(err)
	app, err := readEnvFile(ts.MkAbs(args[1]))
	ts.Check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ts.ReadFile(dev["TACET_CA_FILE"])))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(dev["TACET_HTTPS_URL"], "https://")) // whatever resolves here
	}}
	defer transport.CloseIdleConnections()
	send := func(method, to, kind, token string, body io.Reader) (*http.Response, []byte) {
		req, err := http.NewRequest(method, to, body)
		ts.Check(err)
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(req)
		ts.Check(err)
		answer, err := io.ReadAll(res.Body)
		ts.Check(err)
		ts.Check(res.Body.Close())
		return res, answer
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {app["AZURE_CLIENT_ID"]}, "client_secret": {app["AZURE_CLIENT_SECRET"]}, "scope": {"https://vault.azure.net/.default"}}
	var token struct {
		Access string `json:"access_token"`
	}
	_, answer := send("POST", dev["AZURE_AUTHORITY_HOST"]+"/adfs/oauth2/token", "application/x-www-form-urlencoded", "", strings.NewReader(form.Encode()))
	ts.Check(json.Unmarshal(answer, &token))
	res, answer := send(args[2], dev["TACET_VAULT_URL"]+args[3]+"?api-version=7.4", "application/json", token.Access, strings.NewReader(strings.Join(args[4:], "")))
	_, err = ts.Stdout().Write(append(answer, '\n'))
	ts.Check(err)
	ts.Setenv("REQUEST", res.Header.Get("X-Ms-Request-Id"))
	ts.Setenv("DECISION", res.Header.Get("X-Tacet-Decision-Id"))
	if got := strconv.Itoa(res.StatusCode); got != args[0] {
		ts.Fatalf("status %s, not %s", got, args[0])
	}
}

// TestHelp holds the help of every command to the convention: examples come first, and
// each calls the command it stands with.
func TestHelp(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "help" || strings.HasPrefix(c.Name(), "__") {
			return
		}
		t.Run(strings.ReplaceAll(c.CommandPath(), " ", "/"), func(t *testing.T) {
			if !c.HasExample() {
				t.Fatal("no examples")
			}
			if first := strings.TrimSpace(c.Example); !strings.HasPrefix(first, "tacet") && !strings.Contains(first, c.CommandPath()) {
				t.Errorf("the first example is %q", first)
			}
			var out, errs bytes.Buffer
			if code := run(append(strings.Fields(c.CommandPath())[1:], "--help"), &out, &errs); code != 0 {
				t.Fatalf("exit code %d: %s", code, errs.String())
			}
			if lines := strings.Split(out.String(), "\n"); len(lines) < 3 || lines[2] != "Examples:" {
				t.Errorf("the help does not begin with examples:\n%s", out.String())
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRootCommand())
}

func TestOffset(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"+40d": 40 * 24 * time.Hour, "-2h": -2 * time.Hour, "+1h30m": 90 * time.Minute, "1d": 24 * time.Hour, "-1d12h": -36 * time.Hour,
		"+0.5d": 12 * time.Hour, "0s": 0, "0": 0, "+36500d": 36500 * 24 * time.Hour,
	} {
		var o offset
		if err := o.Set(text); err != nil || time.Duration(o) != want {
			t.Errorf("%s: %s, %v", text, time.Duration(o), err)
		}
	}
	for _, text := range []string{"", "+", "-", "d", "40", "+40x", "--2h", "+-2h", "-+2h", "1d-2h", "-d", "1h1d", "36501d", "999999999999d", "1e9d", "NaNd", "1d1d"} {
		var o offset
		if err := o.Set(text); err == nil {
			t.Errorf("%q was accepted as %s", text, time.Duration(o))
		}
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{"/a/b": "/a/b", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "": "''"} {
		if got := shellWord(in); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
}
