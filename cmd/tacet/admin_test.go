package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSecretAndTerminal says that a new secret is not printed to a terminal that did
// not ask for it, and that no key is made then: there is no server here to make it.
// A character device that is not the null device passes for a terminal.
func TestSecretAndTerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/zero", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = terminal.Close(), null.Close() }()
	env := filepath.Join(t.TempDir(), "env")
	text := "AWS_ENDPOINT_URL=http://127.0.0.1:1\nAWS_ACCESS_KEY_ID=AKIA\nAWS_SECRET_ACCESS_KEY=secret\n"
	if err := os.WriteFile(env, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		out  io.Writer
		args []string
		code int
	}{
		{terminal, nil, exitUsage},
		{terminal, []string{"--reveal"}, exitUnreachable},
		{null, nil, exitUnreachable},
		{io.Discard, []string{"-o", "env"}, exitUnreachable},
		{io.Discard, []string{"-o", "table"}, exitUsage},
	} {
		var stderr bytes.Buffer
		args := append([]string{"key", "create", "ci", "--env-file", env}, c.args...)
		if code := run(args, c.out, &stderr); code != c.code {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.code, &stderr)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{"": "-", "ana": "ana", "été 1": "été 1", "\x1b[31mred\a": "\uFFFD[31mred\uFFFD", "a\tb\nc": "a\uFFFDb\uFFFDc", "\u202eabc": "\uFFFDabc"} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCallerName(t *testing.T) {
	for in, want := range map[string]string{"arn:aws:iam::000000000001:user/a/b": "user/a/b", "tacet": "tacet", "": "",
		"arn:aws:sts::000000000001:assumed-role/r/s:t": "assumed-role/r/s:t"} {
		if got := callerName(in); got != want {
			t.Errorf("callerName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShowOffset(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "+0s", 40 * 24 * time.Hour: "+40d", -2 * time.Hour: "-2h0m0s", 36*time.Hour + time.Second: "+1d12h0m1s"} {
		got := showOffset(d)
		if got != want {
			t.Errorf("showOffset(%s) = %q, want %q", d, got, want)
		}
		var back offset
		if err := back.Set(got); err != nil || time.Duration(back) != d {
			t.Errorf("%q reads as %s, %v", got, time.Duration(back), err)
		}
	}
}

func TestParseTime(t *testing.T) {
	for in, want := range map[string]int64{"2026-11-01": 1793491200, "2026-11-01T06:00:00Z": 1793512800, "2026-11-01T06:00:00+01:00": 1793509200} {
		if got, err := parseTime(in); err != nil || got.Unix() != want {
			t.Errorf("parseTime(%q) = %v, %v", in, got, err)
		}
	}
	if got, err := parseTime(""); err != nil || !got.IsZero() {
		t.Errorf("no time: %v, %v", got, err)
	}
	if _, err := parseTime("1 November"); err == nil {
		t.Error("no error")
	}
}

// TestWriteWhole says that an export that breaks off leaves what was there before.
func TestWriteWhole(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "record.jsonl")
	write := func(s string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			_, _ = io.WriteString(w, s)
			return err
		}
	}
	if err := writeWhole(name, write("one", nil)); err != nil {
		t.Fatal(err)
	}
	if err := writeWhole(name, write("tw", io.ErrUnexpectedEOF)); err == nil {
		t.Error("no error")
	}
	b, err := os.ReadFile(name)
	if err != nil || string(b) != "one" {
		t.Errorf("%q, %v", b, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestReadEnvFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(name, []byte("# a comment\n\nexport A=1\nB='x=y'\nC=\"z\"\nD=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readEnvFile(name)
	if err != nil || got["A"] != "1" || got["B"] != "x=y" || got["C"] != "z" || len(got) != 4 {
		t.Errorf("%v, %v", got, err)
	}
}
