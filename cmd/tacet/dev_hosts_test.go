package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAddHosts(t *testing.T) {
	names := []string{"main.vault.localhost", "main.localhost"}
	const line = "127.0.0.1 main.vault.localhost main.localhost # tacet dev\n"
	for before, after := range map[string]string{
		"":                      line,
		"127.0.0.1 localhost\n": "127.0.0.1 localhost\n" + line,
		"127.0.0.1 localhost":   "127.0.0.1 localhost\n" + line,
		"# 127.0.0.1 main.localhost main.vault.localhost\n": "# 127.0.0.1 main.localhost main.vault.localhost\n" + line,
		"::1 x main.localhost # y\n":                        "::1 x main.localhost # y\n127.0.0.1 main.vault.localhost # tacet dev\n",
		line:                                                line,
	} {
		file := filepath.Join(t.TempDir(), "hosts")
		if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		left, err := addHosts(file, names)
		got, rerr := os.ReadFile(file)
		if err != nil || rerr != nil || left != "" || string(got) != after {
			t.Errorf("%q becomes %q (%q, %v, %v), want %q", before, got, left, err, rerr, after)
		}
	}
	// Where it may not write it says what to write.
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		return // root may write everything
	}
	if left, err := addHosts(file, names); err != nil || left != "127.0.0.1 main.vault.localhost main.localhost" {
		t.Errorf("%q %v", left, err)
	}
}
