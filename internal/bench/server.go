package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
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
	url := o.Engine
	if url == "sqlite" {
		url = "sqlite:" + filepath.Join(o.Dir, "tacet.db")
	}
	urlFile := filepath.Join(o.Dir, "store-url") // it may hold a password
	if err := os.WriteFile(urlFile, []byte(url), 0o600); err != nil {
		return nil, err
	}
	config := filepath.Join(o.Dir, "tacet-"+o.Fsync+".toml")
	admin := ""
	if o.Admin != "" {
		admin = fmt.Sprintf("\n[admin]\nlisten = %q\n", o.Admin)
	}
	text := fmt.Sprintf("[listen]\naddress = %q\nallow_plaintext = true\n\n[store]\nurl = %q\n\n[key]\nfile = %q\n\n[audit]\nfsync = %q\n\n[log]\nlevel = \"warn\"\n\n[limits]\nsecrets = 2000000\nprincipal_rate = 10000000\naddress_rate = 10000000\n%s",
		addr, "file:"+urlFile, filepath.Join(o.Dir, "key"), o.Fsync, admin)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	creds := filepath.Join(o.Dir, "credentials.env")
	if !o.Restart {
		initCmd := exec.CommandContext(ctx, o.Binary, "init", "--config", config, "--credentials-file", creds)
		if out, err := initCmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("tacet init: %w: %s", err, out)
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
	return p, nil
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
