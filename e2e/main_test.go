package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// env is what `tacet dev --env-file` wrote, for the tests of this package.
var env map[string]string

// binary is the tacet command.
var binary string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "tacet-e2e-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if binary = os.Getenv("TACET_BIN"); binary == "" {
		binary = filepath.Join(dir, "tacet")
		build := exec.Command("go", "build", "-o", binary, "./cmd/tacet")
		build.Dir = ".."
		if out, err := build.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	file := filepath.Join(dir, "env")
	server := exec.Command(binary, "dev", "--hosts", "--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--env-file", file)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	}()
	if env, err = waitEnv(file); err != nil {
		return 0, err
	}
	for k, v := range env {
		if err := os.Setenv(k, v); err != nil {
			return 0, err
		}
	}
	return m.Run(), nil
}

func waitEnv(file string) (map[string]string, error) {
	for range 1200 {
		if f, err := os.Open(file); err == nil {
			defer func() { _ = f.Close() }()
			out := map[string]string{}
			for s := bufio.NewScanner(f); s.Scan(); {
				if k, v, ok := strings.Cut(s.Text(), "="); ok {
					out[k] = v
				}
			}
			return out, nil
		}
		time.Sleep(25 * time.Millisecond)
	}
	return nil, fmt.Errorf("%s was not written: the server did not start", file)
}

// tool finds a command that may be missing. It is left out loudly, and only where the
// machine has no way to install it.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("LEFT OUT: %s is not installed on this machine", name)
	}
	return path
}

// installJavaScript installs what the programs under js need, once in a run.
func installJavaScript(t *testing.T) {
	t.Helper()
	npm.Do(func() {
		if out, err := command(t, "js", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
	})
}

var npm sync.Once

// command runs a client program and returns what it printed to its standard output,
// and on failure what it complained about too.
func command(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	if err != nil {
		out.Write(complaints.Bytes())
	}
	return out.String(), err
}
