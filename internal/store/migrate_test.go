package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// raw runs SQL as it is.
func raw(t *testing.T, db *DB, text string) {
	t.Helper()
	if _, err := db.writers.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

func TestMigrationsVerified(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		for _, test := range []struct{ name, spoil, mend, says string }{
			{"changed", `UPDATE migration SET checksum = '0' || checksum`, `UPDATE migration SET checksum = substr(checksum, 2)`, "0001_initial.sql"},
			{"newer", `INSERT INTO migration VALUES (9999, '9999_later.sql', 'x')`, `DELETE FROM migration WHERE version = 9999`, "9999_later.sql"},
		} {
			db, err := Open(t.Context(), Config{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			raw(t, db, test.spoil)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			_, err = Open(t.Context(), Config{URL: url})
			if !errors.Is(err, ErrMigration) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s migration: %v", test.name, err)
			}
			// Mend it with a handle that does not look.
			db = &DB{log: db.log, turn: make(chan struct{}, 1)}
			if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
				err = db.useSQLite(path, Config{})
			} else {
				err = db.usePostgres(Config{URL: url})
			}
			if err != nil {
				t.Fatal(err)
			}
			raw(t, db, test.mend)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			openDB(t, Config{URL: url}).Close()
		}
	})
}

// Migrations apply all or none, and only once.
func TestMigrate(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		ours := must[[]migration](t)(readMigrations(migrations()))
		files := fstest.MapFS{}
		for _, m := range ours {
			files["migrations/"+m.name] = &fstest.MapFile{Data: []byte(m.text)}
		}
		next := func(n int, name, text string) { // the n-th after this build's
			files[fmt.Sprintf("migrations/%04d_%s.sql", len(ours)+n, name)] = &fstest.MapFile{Data: []byte(text)}
		}
		next(1, "more", "CREATE TABLE more (id {{rowid}}, data {{blob}});\nINSERT INTO more VALUES (1, 'a')")
		next(2, "last", "INSERT INTO more VALUES (2, 'b'); INSERT INTO absent VALUES (1)")
		if err := db.migrate(t.Context(), files); err == nil || !strings.Contains(err.Error(), "_last.sql") {
			t.Errorf("a migration that fails: %v", err)
		}
		if _, err := db.writers.ExecContext(t.Context(), "SELECT * FROM more"); err == nil {
			t.Error("a part of the migrations was kept")
		}
		next(2, "last", "INSERT INTO more VALUES (2, 'b')")
		for range 2 {
			if err := db.migrate(t.Context(), files); err != nil {
				t.Fatal(err)
			}
		}
		var n int
		if err := db.writers.QueryRowContext(t.Context(), "SELECT count(*) FROM more").Scan(&n); err != nil || n != 2 {
			t.Errorf("%d rows, %v", n, err)
		}
		if err := db.migrate(t.Context(), migrations()); !errors.Is(err, ErrMigration) {
			t.Errorf("going back: %v", err)
		}
		next(4, "gap", "SELECT 1")
		if err := db.migrate(t.Context(), files); err == nil {
			t.Error("a number was left out")
		}
	})
}

// Nodes that start at once on an empty database migrate it once.
func TestMigrateTogether(t *testing.T) {
	url := postgresURL(t)
	errs := make(chan error)
	for range 6 {
		go func() {
			db, err := Open(t.Context(), Config{URL: url})
			if err == nil {
				err = db.Close()
			}
			errs <- err
		}()
	}
	for range 6 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
