// Package store keeps the house's rows in SQL: one set of queries for SQLite and
// PostgreSQL, as typed methods on [Tx].
//
// There is one writer at a time, everywhere. A writing transaction begins by
// taking the single row of table head, so transactions are serial over all nodes
// and each sees everything committed before it; numbers given out from [Head] are
// therefore without gaps and in the order of commits. Readers wait for nobody.
//
// The text of a query stands in the method that runs it and is the same for both
// engines. What differs is listed in one place, type dialect. The rows' texts and
// bytes are opaque here: the store neither reads a secret nor decides anything.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
)

// Errors that callers tell apart with errors.Is; see also [IsUnavailable].
var (
	// ErrNotFound is the answer of a method that reads one row and finds none.
	ErrNotFound = errors.New("not found")
	// ErrDuplicate is a row that breaks the uniqueness of another.
	ErrDuplicate = errors.New("duplicate")
	// ErrLocked is a database file that another process has open.
	ErrLocked = errors.New("in use by another process")
	// ErrText is text that not every engine can hold: with a NUL, or not UTF-8.
	ErrText = errors.New("text is not UTF-8 or holds a NUL")
	// ErrReadOnly is a write inside [DB.Read].
	ErrReadOnly = errors.New("transaction is read-only")
	// ErrMigration is a schema that this build does not know or that was changed.
	ErrMigration = errors.New("schema does not match this version of tacet")

	errUnavailable = errors.New("unavailable")
	errClosed      = fmt.Errorf("closed: %w", errUnavailable)
	errFinished    = errors.New("transaction is over")
)

// IsUnavailable reports whether err is a failure to reach or use the database that
// may pass: a lost connection, a full disk, a lock not had in time. After such an
// error of [DB.Write] it is not known whether the transaction was committed.
func IsUnavailable(err error) bool { return errors.Is(err, errUnavailable) }

// Config says which database to open and how.
type Config struct {
	// URL is "sqlite:PATH" or a PostgreSQL URL, "postgres://...".
	URL string
	// Interval lets commits that need not be durable return before they are on
	// disk; they are at most 100 ms later on SQLite, and with the server's
	// wal_writer_delay on PostgreSQL. Without it every commit waits for the disk.
	Interval bool
	// MaxConns limits the connections to PostgreSQL, 10 if zero. SQLite uses one
	// for writing and at most four for reading.
	MaxConns int
	// Logger gets what happens beside a request. nil is silence.
	Logger *slog.Logger
}

// A DB is an open database. Its methods may be called concurrently.
type DB struct {
	dialect dialect
	log     *slog.Logger

	// turn holds one token: who has it may use writer, which is nil until it is
	// needed and after it broke.
	turn    chan struct{}
	writer  *conn
	writers *sql.DB
	readers *pool
	closed  atomic.Bool
	relaxed bool // Config.Interval

	// On SQLite only.
	lock    *os.File
	flusher *flusher
}

// Open opens the database that c names, creating an absent SQLite file (0600, in a
// folder of 0700) and bringing the schema up to date. It returns [ErrLocked] when
// another process has the file and [ErrMigration] when the schema is not ours.
func Open(ctx context.Context, c Config) (*DB, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	db := &DB{log: c.Logger, turn: make(chan struct{}, 1)}
	var err error
	if path, ok := strings.CutPrefix(c.URL, "sqlite:"); ok {
		err = db.useSQLite(path, c)
	} else if strings.HasPrefix(c.URL, "postgres://") || strings.HasPrefix(c.URL, "postgresql://") {
		err = db.usePostgres(c)
	} else {
		// The URL may hold a password: do not repeat it.
		err = errors.New("store: the database URL must begin with sqlite: or postgres://")
	}
	if err == nil {
		err = db.migrate(ctx, migrations())
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Close waits for the transactions in progress and closes the database. What was
// committed is on disk when it returns nil. A second call does nothing.
func (db *DB) Close() error {
	if db.closed.Swap(true) {
		return nil
	}
	db.turn <- struct{}{}
	defer func() { <-db.turn }()
	var errs []error
	if db.readers != nil {
		errs = append(errs, db.readers.close())
	}
	if db.flusher != nil {
		errs = append(errs, db.flusher.close())
	}
	if db.writer != nil {
		errs = append(errs, db.writer.close())
		db.writer = nil
	}
	if db.writers != nil {
		db.settle()
		errs = append(errs, db.writers.Close())
	}
	if db.lock != nil {
		// Closing gives up the lock. The file stays: removing it would let two
		// processes each lock a file of that name.
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}

// settle brings the file of the embedded engine up to date, so that it is a whole backup by
// itself. Where that fails nothing is lost: the log stays beside the file.
func (db *DB) settle() {
	if db.dialect.settle == "" {
		return
	}
	if _, err := db.writers.ExecContext(context.Background(), db.dialect.settle); err != nil {
		db.log.Warn("the database's log stays beside its file", "cause", err)
	}
}

// Shared reports whether other processes may write the database too.
func (db *DB) Shared() bool { return db.dialect.shared }

// Ping asks the database for an answer.
func (db *DB) Ping(ctx context.Context) error {
	return db.ReadEach(ctx, func(tx *Tx) error {
		_, err := tx.head("")
		return err
	})
}
