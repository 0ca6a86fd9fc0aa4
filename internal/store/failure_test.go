package store

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// with returns a PostgreSQL URL with one more parameter.
func with(t *testing.T, raw, name, value string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// A connection that the server drops costs the transaction that was on it, and
// nothing after.
func TestConnectionLost(t *testing.T) {
	url := postgresURL(t)
	db, other := openDB(t, Config{URL: url}), openDB(t, Config{URL: url})
	err := db.Write(t.Context(), true, func(tx *Tx) error {
		if err := tx.PutSetting("a", "1"); err != nil {
			return err
		}
		kill(t, other, tx.conn)
		return tx.PutSetting("b", "1")
	})
	if !IsUnavailable(err) {
		t.Errorf("writing on a lost connection: %v", err)
	}
	err = db.Write(t.Context(), true, func(tx *Tx) error {
		kill(t, other, tx.conn)
		return nil
	})
	if !IsUnavailable(err) {
		t.Errorf("committing on a lost connection: %v", err)
	}
	write(t, db, func(tx *Tx) error { return tx.PutSetting("c", "1") })
	if got := settings(t, db); got != "c" {
		t.Errorf("settings %s are left", got)
	}
}

// kill ends the server's side of c.
func kill(t *testing.T, other *DB, c *conn) {
	t.Helper()
	var id int
	if err := c.sql.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&id); err != nil {
		t.Fatal(err)
	}
	if _, err := other.writers.ExecContext(t.Context(), "SELECT pg_terminate_backend($1, 5000)", id); err != nil {
		t.Fatal(err)
	}
}

// Connections lost while they rest, as by a restart of the server, cost nothing.
func TestConnectionLostAtRest(t *testing.T) {
	url := postgresURL(t)
	db, other := openDB(t, Config{URL: url}), openDB(t, Config{URL: url})
	write(t, db, func(tx *Tx) error { return tx.PutSetting("a", "1") })
	settings(t, db)
	for _, c := range append(db.readers.idle, db.writer) {
		kill(t, other, c)
	}
	time.Sleep(idleBeforePing)
	if got := settings(t, db); got != "a" {
		t.Errorf("settings %s", got)
	}
	write(t, db, func(tx *Tx) error { return tx.PutSetting("b", "1") })
}

// A node that stops in the middle of a transaction loses its turn.
func TestTurnIsNotHeldForEver(t *testing.T) {
	url := postgresURL(t)
	slow := openDB(t, Config{URL: with(t, url, "idle_in_transaction_session_timeout", "200ms")})
	other := openDB(t, Config{URL: url})
	err := slow.Write(t.Context(), true, func(tx *Tx) error {
		write(t, other, func(tx *Tx) error { return tx.PutSetting("a", "1") }) // waits until slow is thrown out
		return tx.PutSetting("b", "1")
	})
	if !IsUnavailable(err) {
		t.Errorf("after losing the turn: %v", err)
	}
	write(t, slow, func(tx *Tx) error { return tx.PutSetting("c", "1") })
	if got := settings(t, other); got != "ac" {
		t.Errorf("settings %s are left", got)
	}
}

// Who waits too long for the turn is told so, and can try again.
func TestLockTimeout(t *testing.T) {
	url := postgresURL(t)
	db := openDB(t, Config{URL: url})
	hasty := openDB(t, Config{URL: with(t, url, "lock_timeout", "50ms")})
	write(t, db, func(tx *Tx) error {
		err := hasty.Write(t.Context(), true, func(*Tx) error { t.Error("two writers at once"); return nil })
		if !IsUnavailable(err) {
			t.Errorf("waiting in vain: %v", err)
		}
		return nil
	})
	write(t, hasty, func(tx *Tx) error { return tx.PutSetting("a", "1") })
}

// Commits that nobody waits for are forced to disk soon after; when that fails,
// nothing is written any more.
func TestFlush(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tacet.db")
	db, err := Open(t.Context(), Config{URL: "sqlite:" + path, Interval: true})
	if err != nil {
		t.Fatal(err)
	}
	put := func(durable bool) error {
		return db.Write(t.Context(), durable, func(tx *Tx) error { return tx.PutSetting("a", "1") })
	}
	for range 3 {
		if err := put(false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * flushDelay)
	}
	if err := db.flusher.failure(); err != nil {
		t.Fatal(err)
	}
	settings(t, db) // so that there is a connection for reading
	// The log becomes something that cannot be opened for writing.
	if err := os.Rename(path+"-wal", path+"-away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+"-wal", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := put(true); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * flushDelay)
	if err := put(true); err != nil {
		t.Errorf("a durable commit needs no flush: %v", err)
	}
	if err := put(false); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for db.flusher.failure() == nil && time.Now().Before(deadline) {
		time.Sleep(flushDelay / 5)
	}
	for _, durable := range []bool{true, false} {
		if err := put(durable); !IsUnavailable(err) {
			t.Errorf("writing after a failed flush (durable %v): %v", durable, err)
		}
	}
	if got := settings(t, db); got != "a" {
		t.Errorf("settings %s", got)
	}
	if err := db.Close(); !IsUnavailable(err) {
		t.Errorf("Close does not tell of the failed flush: %v", err)
	}
}

// A full disk is no bug of ours, and passes.
func TestFullDisk(t *testing.T) {
	db := openDB(t, Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "tacet.db")})
	limit := func(pages string) {
		t.Helper()
		var n int
		if err := db.writer.sql.QueryRowContext(t.Context(), "PRAGMA max_page_count = "+pages).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // the current size
	err := db.Write(t.Context(), true, func(tx *Tx) error {
		return tx.PutVersions([]VersionRow{{Secret: "s", ID: "a", Sealed: make([]byte, 1<<20)}})
	})
	if !IsUnavailable(err) {
		t.Errorf("on a full disk: %v", err)
	}
	if db.writer != nil { // the rollback may have closed it
		limit("1000000")
	}
	write(t, db, func(tx *Tx) error {
		return tx.PutVersions([]VersionRow{{Secret: "s", ID: "a", Sealed: make([]byte, 1<<20)}})
	})
}
