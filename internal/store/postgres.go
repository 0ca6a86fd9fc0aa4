package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	postgresConns = 10
	// postgresPatience ends a transaction when the server does not answer at all;
	// one that does answer ends it earlier, by the limits in postgresSettings.
	postgresPatience = time.Minute
	// migrationLock is the number of an advisory lock, chosen once at random.
	migrationLock = 5418209346
)

// postgresSettings are the server's parameters of our connections, unless the URL
// sets them. A node that stops in the middle of a transaction holds the turn of
// all nodes, so it is not left to idle long. Every query here is meant to be answered
// from an index; while its statistics are old PostgreSQL would rather sort a whole
// vault for one page.
func postgresSettings() map[string]string {
	return map[string]string{
		"application_name":                    "tacet",
		"client_encoding":                     "UTF8",
		"statement_timeout":                   "30s",
		"lock_timeout":                        "15s",
		"idle_in_transaction_session_timeout": "15s",
		"tcp_user_timeout":                    "30s",
		"enable_seqscan":                      "off",
		"enable_bitmapscan":                   "off",
	}
}

func postgresDialect() dialect {
	return dialect{
		shared: true,
		types: strings.NewReplacer(
			"{{rowid}}", "BIGINT PRIMARY KEY NOT NULL",
			"{{text}}", `TEXT COLLATE "C"`,
			"{{blob}}", "BYTEA"),
		beginWrite:     "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
		beginRead:      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		lockRow:        " FOR UPDATE",
		lockMigrations: fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock),
		durable:        "SET synchronous_commit = on",
		relaxed:        "SET synchronous_commit = off",
		classify:       classifyPostgres,
		patience:       postgresPatience,
	}
}

// usePostgres makes db the database of c.URL.
func (db *DB) usePostgres(c Config) error {
	db.dialect = postgresDialect()
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return fmt.Errorf("store: %w", err) // its text leaves out the password
	}
	for name, value := range postgresSettings() {
		if _, ok := config.RuntimeParams[name]; !ok {
			config.RuntimeParams[name] = value
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	// The first commit may come before anybody has chosen how it waits.
	config.RuntimeParams["synchronous_commit"] = "on"
	db.relaxed = c.Interval
	db.writers = stdlib.OpenDB(*config)
	db.writers.SetMaxIdleConns(0)

	reading := config.Copy()
	reading.RuntimeParams["default_transaction_read_only"] = "on"
	size := postgresConns
	if c.MaxConns > 0 {
		size = max(c.MaxConns, 2) // one writes
	}
	db.readers = newPool(stdlib.OpenDB(*reading), &db.dialect, size-1)
	return nil
}

func classifyPostgres(err error) errorClass {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch {
		case e.Code == "23505": // unique_violation
			return duplicateError
		case strings.HasPrefix(e.Code, "08"), // connection
			strings.HasPrefix(e.Code, "53"),      // insufficient resources: disk, memory, connections
			strings.HasPrefix(e.Code, "57"),      // operator intervention: shutdown, statement timeout
			strings.HasPrefix(e.Code, "58"),      // system error: input and output
			strings.HasPrefix(e.Code, "25"),      // transaction state: idle for too long, a server that became a standby
			e.Code == "40001", e.Code == "40P01", // serialization failure, deadlock
			e.Code == "55P03": // lock not available in time
			return unavailableError
		}
		return otherError
	}
	var network net.Error
	var connect *pgconn.ConnectError
	if errors.As(err, &network) || errors.As(err, &connect) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, errUnavailable) {
		return unavailableError
	}
	return otherError
}
