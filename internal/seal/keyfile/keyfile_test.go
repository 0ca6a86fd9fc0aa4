package keyfile

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"tacet/internal/seal"
	"tacet/internal/seal/sealtest"
)

func TestKEK(t *testing.T) {
	sealtest.TestKEK(t, func(t *testing.T) seal.KEK { return mustCreate(t, filepath.Join(t.TempDir(), "key")) })
}

func mustCreate(t *testing.T, path string) *KEK {
	t.Helper()
	kek, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return kek
}

func TestCreateAndOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	made := mustCreate(t, path)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := regexp.MustCompile(`^TACET-KEY-1 file-[0-9a-f]{20} [A-Za-z0-9_-]{43}\n$`); !want.Match(b) {
		t.Error("the file is not one line of the form documented")
	}
	if !bytes.Contains(b, []byte(made.Name())) {
		t.Error("the file does not say the key's name")
	}
	read, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if read.Name() != made.Name() {
		t.Errorf("made %s and read %s", made, read)
	}
	wrapped, err := made.Wrap(t.Context(), []byte("key"), []byte("aad"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read.Unwrap(t.Context(), wrapped, []byte("aad")); err != nil || string(got) != "key" {
		t.Errorf("the key that was read does not unwrap: %v", err)
	}
}

// What a file of an earlier version wrapped stays readable.
func TestGolden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	line := "TACET-KEY-1 " + goldenName + " MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\n"
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	kek, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := hex.DecodeString(goldenWrapped)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := kek.Unwrap(t.Context(), wrapped, []byte("aad")); err != nil || string(got) != "plaintext" {
		t.Errorf("Unwrap: %q, %v", got, err)
	}
}

func TestCreateDoesNotReplace(t *testing.T) {
	dir := t.TempDir()
	for name, prepare := range map[string]func(path string) error{
		"file":             func(path string) error { return os.WriteFile(path, []byte("precious"), 0o600) },
		"directory":        func(path string) error { return os.Mkdir(path, 0o700) },
		"symlink":          func(path string) error { return os.Symlink(filepath.Join(dir, "target"), path) },
		"link to a file":   func(path string) error { return os.Symlink(filepath.Join(dir, "file"), path) },
		"missing/dir/file": func(string) error { return nil },
	} {
		path := filepath.Join(dir, name)
		if err := prepare(path); err != nil {
			t.Fatal(err)
		}
		if _, err := Create(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one that names the path", name, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "target")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("Create went through a symbolic link")
	}
	if b, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(b) != "precious" {
		t.Error("Create changed a file")
	}
}

// Threat 44: a key file that others could read or replace is refused.
func TestThreat44_Permissions(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	mustCreate(t, path)
	for perm := fs.FileMode(0o400); perm <= 0o777; perm++ {
		if perm&0o400 == 0 {
			continue // root reads it, others cannot
		}
		if err := os.Chmod(path, perm); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		if perm&0o077 == 0 {
			if err != nil {
				t.Errorf("%04o: %v", perm, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) || !strings.Contains(err.Error(), fmt.Sprintf("%04o", perm)) {
			t.Errorf("%04o: error %v, want one that says chmod 600", perm, err)
		}
	}
}

func TestThreat44_Umask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	for _, mask := range []int{0, 0o022, 0o077, 0o177, 0o277, 0o777} {
		syscall.Umask(mask)
		path := filepath.Join(t.TempDir(), "key")
		if err := os.Chmod(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		mustCreate(t, path)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("umask %04o: the file has %v, want -rw-------", mask, info.Mode())
		}
		if _, err := Open(path); err != nil {
			t.Errorf("umask %04o: %v", mask, err)
		}
	}
}

func TestThreat44_NotAFile(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	mustCreate(t, path("key"))
	for _, err := range []error{
		os.Symlink("key", path("link")),
		os.Symlink("nothing", path("dangling")),
		os.Mkdir(path("directory"), 0o700),
		syscall.Mkfifo(path("pipe"), 0o600), // and nobody writes: Open must not wait
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"link":      "is a symbolic link",
		"dangling":  "is a symbolic link",
		"directory": "is not a regular file",
		"pipe":      "is not a regular file",
		"missing":   "no such file",
	} {
		if _, err := Open(path(name)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path(name)) {
			t.Errorf("%s: error %v, want %q and the path", name, err, want)
		}
	}
}

func TestMalformed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	mustCreate(t, path)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(b))
	words := strings.Fields(line)
	flip := func(s string, i int) string { return s[:i] + string(rune(s[i]^1)) + s[i+1:] }
	good := map[string]string{
		"no newline":    line,
		"CRLF":          line + "\r\n",
		"wrapped lines": strings.Join(words, "\n"),
		"indented":      "  " + line + "\n\n",
	}
	bad := map[string]string{
		"empty":           "",
		"blank":           "\n",
		"a word missing":  words[0] + " " + words[1],
		"no name":         words[0] + " " + words[2],
		"a word more":     line + " x",
		"two keys":        line + "\n" + line,
		"another version": strings.Replace(line, "KEY-1", "KEY-2", 1),
		"lower case":      strings.ToLower(words[0]) + " " + words[1] + " " + words[2],
		"another name":    words[0] + " " + flip(words[1], 9) + " " + words[2],
		"another key":     words[0] + " " + words[1] + " " + flip(words[2], 9),
		"short key":       words[0] + " " + words[1] + " " + words[2][:42],
		"long key":        line + "A",
		"padded key":      line + "=",
		"not base64":      words[0] + " " + words[1] + " " + words[2][:20] + "?" + words[2][21:],
		"NUL":             line + "\x00",
		"byte order mark": "\ufeff" + line,
		"a PEM file":      "-----BEGIN PRIVATE KEY-----\n" + words[2] + "\n-----END PRIVATE KEY-----\n",
		"long":            line + strings.Repeat(" ", maxFile),
	}
	open := func(content string) error {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		return err
	}
	for name, content := range good {
		if err := open(content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, content := range bad {
		err := open(content)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one that names the file", name, err)
		} else if strings.Contains(err.Error(), words[2][:8]) {
			t.Errorf("%s: the error shows the key", name)
		}
	}
}

// Neither a KEK nor what holds it prints its key.
func TestNothingPrintsTheKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	kek := mustCreate(t, path)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Fields(string(b))[2]
	key, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct{ inner any }
	out := &bytes.Buffer{}
	for _, v := range []any{kek, *kek, holder{kek}, holder{*kek}, &holder{kek}, []any{kek}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(out, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(out, nil)).Info("m", "v", v)
		if err := json.NewEncoder(out).Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(out.String(), `"level":"INFO"`) || !strings.Contains(out.String(), kek.Name()) {
		t.Error("the KEK was not printed")
	}
	for _, form := range []string{text[:12], string(key[:8]), hex.EncodeToString(key[:8]), strings.Trim(fmt.Sprint(key[:8]), "[]"),
		base64.StdEncoding.EncodeToString(key[:9])} {
		if strings.Contains(out.String(), form) {
			t.Error("the key was printed")
		}
	}
}

// FuzzParse: what is accepted is a key and its name, and is written again to the same words.
func FuzzParse(f *testing.F) {
	f.Add([]byte("TACET-KEY-1 " + goldenName + " MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		kek, err := parse(b)
		if err != nil {
			return
		}
		words := bytes.Fields(b)
		key, err := encoding.DecodeString(string(words[2]))
		if err != nil {
			t.Fatal("accepted a key that is not base64url")
		}
		if want := string(bytes.Join(words, []byte(" "))) + "\n"; string(encode(kek.name, key)) != want {
			t.Fatal("written again it is another line")
		}
	})
}
