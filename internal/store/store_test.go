package store

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("TACET_TEST_HOLD"); path != "" {
		hold(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// hold opens the database at path, says so, and keeps it until its input ends. It
// is the other process of TestLock.
func hold(path string) {
	db, err := Open(context.Background(), Config{URL: "sqlite:" + path})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := db.Close(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// engines runs test on each engine, with the URL of an empty database.
func engines(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresURL(t)) })
}

// postgresURL makes a schema for the test in the server of TACET_TEST_POSTGRES and
// returns a URL whose connections use it.
func postgresURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("TACET_TEST_POSTGRES")
	switch server {
	case "":
		t.Fatal("no PostgreSQL to test with: run `make test`, set TACET_TEST_POSTGRES to the URL that " +
			"`scripts/postgres.sh start DIR` prints, or set it to \"skip\"")
	case "skip":
		t.Skip("NOT TESTED ON POSTGRESQL: TACET_TEST_POSTGRES=skip")
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	schema := "test_" + strings.ToLower(rand.Text())
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Error(err)
		}
		if err := admin.Close(); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	return u.String()
}

// openDB opens a database until the test ends.
func openDB(t testing.TB, c Config) *DB {
	t.Helper()
	db, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

// write and read run fn in a transaction that must succeed.
func write(t testing.TB, db *DB, fn func(*Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), true, fn); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, db *DB, fn func(*Tx) error) {
	t.Helper()
	if err := db.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// must returns v of a call that must succeed inside a transaction; a failing one
// ends the test.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestOpenRefuses(t *testing.T) {
	folder := t.TempDir()
	for _, url := range []string{"", "tacet.db", "mysql://localhost/x", "sqlite:", "sqlite:" + folder,
		"sqlite:/dev/null/x/tacet.db", "postgres://user:hunter2@127.0.0.1:1/x", "postgres://user:hunter2@%zz/x"} {
		db, err := Open(t.Context(), Config{URL: url})
		if err == nil {
			t.Errorf("Open(%q) succeeded", url)
			_ = db.Close()
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q) repeats the password: %v", url, err)
		}
	}
	_, err := Open(t.Context(), Config{URL: "postgres://user:hunter2@127.0.0.1:1/x"})
	if !IsUnavailable(err) {
		t.Errorf("a server that is not there: %v", err)
	}
}

func TestReopen(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		for i := range 3 {
			db, err := Open(t.Context(), Config{URL: url, Interval: i == 1})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			if got, want := db.Shared(), strings.HasPrefix(url, "postgres"); got != want {
				t.Errorf("Shared() = %v", got)
			}
			err = db.Write(t.Context(), false, func(tx *Tx) error {
				if tx.Head.Records != int64(i) {
					t.Errorf("opened for the %dth time with %d records", i, tx.Head.Records)
				}
				tx.Head.Records++
				return tx.InsertRecords([]RecordRow{{Seq: tx.Head.Records - 1, Time: 1, Body: []byte("x")}})
			})
			if err != nil {
				t.Error(err)
			}
			for range 2 {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}
			for name, err := range map[string]error{
				"Write": db.Write(t.Context(), true, func(*Tx) error { t.Error("ran"); return nil }),
				"Read":  db.Read(t.Context(), func(*Tx) error { t.Error("ran"); return nil }),
				"Ping":  db.Ping(t.Context()),
			} {
				if !IsUnavailable(err) {
					t.Errorf("%s of a closed database: %v", name, err)
				}
			}
		}
	})
}

// TestCloseLeavesOneFile: the file of a stopped server is a whole backup, and what was
// erased is in no log beside it.
func TestCloseLeavesOneFile(t *testing.T) {
	for _, broken := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "tacet.db")
		db, err := Open(t.Context(), Config{URL: "sqlite:" + path})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Write(t.Context(), true, func(tx *Tx) error { return tx.PutSetting("a", "1") }); err != nil {
			t.Fatal(err)
		}
		if broken {
			db.dropWriter()
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
			t.Errorf("%d bytes are in the log", info.Size())
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(t.TempDir(), "copy.db")
		if err := os.WriteFile(copied, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if db, err = Open(t.Context(), Config{URL: "sqlite:" + copied}); err != nil {
			t.Fatal(err)
		}
		err = db.Read(t.Context(), func(tx *Tx) error {
			got, _, err := tx.Setting("a")
			if got != "1" {
				t.Errorf("the copy has %q", got)
			}
			return err
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFileModes(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "what? 100% #1")
	db := openDB(t, Config{URL: "sqlite:" + filepath.Join(folder, "tacet.db")})
	write(t, db, func(tx *Tx) error { return tx.PutSetting("a", "b") })
	read(t, db, func(tx *Tx) error { _, _, err := tx.Setting("a"); return err })
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v %v", info.Mode(), err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(filepath.Join(folder, "tacet.db"+suffix))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("tacet.db%s: %v", suffix, info.Mode())
		}
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tacet.db")
	other := exec.CommandContext(t.Context(), os.Args[0])
	other.Env = append(os.Environ(), "TACET_TEST_HOLD="+path)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("the other process: %q, %v", line, err)
	}
	_, err = Open(t.Context(), Config{URL: "sqlite:" + path})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("while another process has the file: %v", err)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := other.Wait(); err != nil {
		t.Fatal(err)
	}
	openDB(t, Config{URL: "sqlite:" + path})
	_, err = Open(t.Context(), Config{URL: "sqlite:" + path})
	if !errors.Is(err, ErrLocked) {
		t.Errorf("while we have it open ourselves: %v", err)
	}
}

func TestConnectionsOfSQLite(t *testing.T) {
	db := openDB(t, Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "tacet.db"), MaxConns: 100})
	pragma := func(c *conn, name string) (value string) {
		t.Helper()
		if err := c.sql.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "query_only": "0"} {
		if got := pragma(db.writer, name); got != want {
			t.Errorf("%s of the writer is %s", name, got)
		}
	}
	c, err := db.readers.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.readers.put(c, false)
	if got := pragma(c, "query_only"); got != "1" {
		t.Errorf("query_only of a reader is %s", got)
	}
	if size := cap(db.readers.slots)*4096 + 8192; size > 64<<10 {
		t.Errorf("caches of %d KiB", size)
	}
}

func TestExpand(t *testing.T) {
	for _, test := range []struct {
		text          string
		rows          int
		want, unnamed string
	}{
		{"SELECT $1", 0, "SELECT $1", "SELECT $1"},
		{"VALUES [($1, $2)]", 1, "VALUES ($1, $2)", "VALUES (?, ?)"},
		{"VALUES [($1, $2)] RETURNING x", 3, "VALUES ($1, $2), ($3, $4), ($5, $6) RETURNING x", "VALUES (?, ?), (?, ?), (?, ?) RETURNING x"},
		{"a = $1 AND b IN ([$2])", 3, "a = $1 AND b IN ($2, $3, $4)", "a = $1 AND b IN (?, ?, ?)"},
		{"a = $1 AND b IN (VALUES [($2, $3)])", 5, "a = $1 AND b IN (VALUES ($2, $3), ($4, $5), ($6, $7), ($8, $9), ($10, $11))",
			"a = $1 AND b IN (VALUES (?, ?), (?, ?), (?, ?), (?, ?), (?, ?))"},
	} {
		s := statement{test.text, test.rows}
		if got := s.expand(false); got != test.want {
			t.Errorf("%d rows of %s: %s", test.rows, test.text, got)
		}
		if got := s.expand(true); got != test.unnamed {
			t.Errorf("%d rows of %s, unnamed: %s", test.rows, test.text, got)
		}
	}
}
