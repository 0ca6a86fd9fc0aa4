package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A Process is a server that was started for a measurement.
type Process struct {
	Target
	Signer Signer
	// Started is how long it took from the start to the first accepted connection.
	Started time.Duration
	cmd     *exec.Cmd
}

// Options choose how a Tacet is started.
type Options struct {
	Binary  string // of tacet
	Dir     string // for its data; kept between starts
	Engine  string // "sqlite" or a postgres:// URL
	Fsync   string // "group" or "interval"
	Restart bool   // the data exists already
	Admin   string // address of the admin listener, for profiles; empty for none
}

// StartTacet starts a server on a free port and waits until it accepts connections.
func StartTacet(ctx context.Context, o Options) (*Process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	store := o.Engine
	if store == "sqlite" {
		store = "sqlite:" + filepath.Join(o.Dir, "tacet.db")
	}
	urlFile := filepath.Join(o.Dir, "store-url") // it may hold a password
	if err := os.WriteFile(urlFile, []byte(store), 0o600); err != nil {
		return nil, err
	}
	config := filepath.Join(o.Dir, "tacet-"+o.Fsync+".toml")
	admin := ""
	if o.Admin != "" {
		admin = fmt.Sprintf("\n[admin]\nlisten = %q\n", o.Admin)
	}
	text := fmt.Sprintf("[listen]\naddress = %q\nallow_plaintext = true\n\n[store]\nurl = %q\n\n[key]\nfile = %q\n\n[audit]\nfsync = %q\n\n[log]\nlevel = \"warn\"\n\n[limits]\nsecrets = 2000000\nprincipal_rate = 10000000\naddress_rate = 10000000\n%s",
		addr, "file:"+urlFile, filepath.Join(o.Dir, "tacet.key"), o.Fsync, admin)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	creds := filepath.Join(o.Dir, "credentials.env")
	if !o.Restart {
		if err := makeDeployment(ctx, o, store, creds); err != nil {
			return nil, err
		}
	}
	env, err := readEnv(creds)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	cmd := exec.CommandContext(ctx, o.Binary, "server", "--config", config)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{Target: Target{Addr: addr, PID: cmd.Process.Pid}, cmd: cmd}
	p.Signer = Signer{Host: addr, AccessKey: env["AWS_ACCESS_KEY_ID"], SecretKey: env["AWS_SECRET_ACCESS_KEY"], Region: "us-east-1"}
	if err := waitFor(addr); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	p.Started = time.Since(begin)
	p.Signer.ClientID, p.Signer.ClientSecret = env["AZURE_CLIENT_ID"], env["AZURE_CLIENT_SECRET"]
	if p.Signer.Token, err = accessToken(ctx, p.Signer); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// makeDeployment lets a development server make the key, the store and the administrator's
// credentials for both clouds' clients; the server that is measured goes on from there.
func makeDeployment(ctx context.Context, o Options, store, creds string) error {
	cmd := exec.CommandContext(ctx, o.Binary, "dev", "--data", o.Dir, "--store", store, "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--env-file", creds)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &Process{cmd: cmd}
	for range 3000 {
		if _, err := os.Stat(creds); err == nil {
			return p.Stop()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.Join(errors.New("bench: no deployment was made"), p.Stop())
}

// accessToken gets the token that Azure's requests are made with, once for all of them.
func accessToken(ctx context.Context, s Signer) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.Host+tokenPath, strings.NewReader(s.tokenForm()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	var out struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || out.Token == "" {
		return "", fmt.Errorf("bench: no access token: %s: %w", res.Status, err)
	}
	return out.Token, nil
}

// StartBare starts this program as the bare server.
func StartBare(ctx context.Context, valueBytes int) (*Process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "bare", addr, fmt.Sprint(valueBytes))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{Target: Target{Addr: addr, PID: cmd.Process.Pid}, cmd: cmd}
	if err := waitFor(addr); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// Stop ends the process and waits for it.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 {
		return nil // ended by our own signal
	}
	return err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func waitFor(addr string) error {
	for range 3000 {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return c.Close()
		}
		time.Sleep(2 * time.Millisecond)
	}
	return errors.New("bench: " + addr + " did not answer")
}

// readEnv reads KEY=VALUE lines.
func readEnv(file string) (map[string]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	env := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if k, v, ok := strings.Cut(strings.TrimPrefix(s.Text(), "export "), "="); ok {
			env[k] = strings.Trim(v, `"'`)
		}
	}
	return env, nil
}
