package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// sqliteReaders is the most connections for reading. Each has a cache of its
	// own, so with the writer's they come to 24 MiB at most.
	sqliteReaders = 4

	// A page of the log that is rewritten before the log is carried over costs
	// nothing then; 4000 pages are 16 MiB. secure_delete writes zeros over erased
	// keys and values.
	sqliteWriterPragmas = `PRAGMA busy_timeout = 10000; PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
		PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;
		PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864`

	sqliteReaderPragmas = `PRAGMA busy_timeout = 10000; PRAGMA query_only = ON;
		PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF`
)

func sqliteDialect() dialect {
	return dialect{
		types: strings.NewReplacer(
			"{{rowid}}", "INTEGER PRIMARY KEY NOT NULL", // INTEGER makes it the rowid itself
			"{{text}}", "TEXT",
			"{{blob}}", "BLOB"),
		beginWrite: "BEGIN IMMEDIATE",
		beginRead:  "BEGIN",
		// The file is locked against other processes, and BEGIN IMMEDIATE is a lock too.
		lockRow:        "",
		lockMigrations: "",
		durable:        "PRAGMA synchronous = FULL",
		relaxed:        "PRAGMA synchronous = NORMAL",
		// SQLite should do so when the last connection closes; with this driver it does not.
		settle: "PRAGMA wal_checkpoint(TRUNCATE)",
		// SQLite looks for the name of each parameter among those before it.
		unnamed:  true,
		classify: classifySQLite,
	}
}

// useSQLite makes db the database in the file at path.
func (db *DB) useSQLite(path string, c Config) error {
	db.dialect = sqliteDialect()
	if path == "" {
		return errors.New("store: sqlite: without a path")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if db.lock, err = lockFile(path); err != nil {
		return err
	}
	// SQLite would create the file readable by all; its log takes the file's mode.
	// This happens before SQLite has the file open: closing a file gives up all of
	// the process's locks on it.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("store: %w", err)
	}

	// As a URI, so that a path with a question mark is still a path.
	name := "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=rw"
	if db.writers, err = openSQLite(name, sqliteWriterPragmas); err != nil {
		return err
	}
	readers, err := openSQLite(name, sqliteReaderPragmas)
	if err != nil {
		return err
	}
	size := sqliteReaders
	if c.MaxConns > 0 {
		size = min(size, c.MaxConns)
	}
	db.readers = newPool(readers, &db.dialect, size)
	if c.Interval {
		db.relaxed = true
		db.flusher = newFlusher(path+"-wal", c.Logger)
	}
	return nil
}

// lockFile takes the lock of the database at path for this process, for as long
// as the returned file is open.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("store: %s: %w", path, ErrLocked)
		}
		return nil, fmt.Errorf("store: lock %s: %w", path, err)
	}
	return f, nil
}

// openSQLite returns a source of connections on which pragmas were run.
func openSQLite(name, pragmas string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(name)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	db := sql.OpenDB(preparedConnector{c, pragmas})
	db.SetMaxIdleConns(0)
	return db, nil
}

// A preparedConnector runs statements on each new connection.
type preparedConnector struct {
	driver.Connector
	pragmas string
}

// Connect implements driver.Connector.
func (p preparedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	e, ok := c.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("store: the driver cannot run statements"), c.Close())
	}
	if _, err := e.ExecContext(ctx, p.pragmas, nil); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func classifySQLite(err error) errorClass {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, errUnavailable) {
			return unavailableError
		}
		return otherError
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return duplicateError
	}
	switch e.Code() & 0xff { // the rest says more of the same
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL:
		return unavailableError
	}
	return otherError
}
