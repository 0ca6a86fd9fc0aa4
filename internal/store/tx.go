package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Tx is a transaction, given to the function of [DB.Write] or [DB.Read] for as
// long as that runs. It must not be used by two goroutines at once.
//
// After a query has failed every further one returns the same error, on both
// engines, until [Tx.Savepoint] undoes it; [ErrNotFound] is an answer, not a failure.
type Tx struct {
	// Head is the row of head. A writer may raise its fields; see [DB.Write].
	Head Head

	conn     *conn
	dialect  *dialect
	ctx      context.Context // what statements run under
	cancel   context.CancelFunc
	caller   context.Context // whose end stops the transaction between statements
	writable bool
	err      error
	args     []any // reused by each
}

// check returns why the transaction cannot go on.
func (tx *Tx) check(op string) error {
	if tx.err == nil && tx.caller.Err() != nil {
		return tx.fail(op, tx.caller.Err())
	}
	if tx.err != nil {
		return tx.err
	}
	return nil
}

// fail ends the transaction with err.
func (tx *Tx) fail(op string, err error) error {
	tx.err = tx.dialect.wrap(op, err)
	return tx.err
}

// ready prepares s, to be run with args.
func (tx *Tx) ready(op string, s statement, args []any) (*sql.Stmt, error) {
	if err := tx.check(op); err != nil {
		return nil, err
	}
	for _, a := range args {
		if text, ok := a.(string); ok && (strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text)) {
			return nil, tx.dialect.wrap(op, ErrText) // nothing was sent: the transaction goes on
		}
	}
	p, err := tx.conn.prepare(tx.ctx, s)
	if err != nil {
		return nil, tx.fail(op, err)
	}
	return p, nil
}

// exec runs a statement that changes rows.
func (tx *Tx) exec(op, text string, args ...any) error {
	return tx.execList(op, statement{text: text}, args)
}

func (tx *Tx) execList(op string, s statement, args []any) error {
	if !tx.writable {
		return tx.fail(op, ErrReadOnly)
	}
	p, err := tx.ready(op, s, args)
	if err != nil {
		return err
	}
	if _, err := p.ExecContext(tx.ctx, args...); err != nil {
		return tx.fail(op, err)
	}
	return nil
}

// maxList is the longest list in one statement: 256 rows of 11 columns are far
// from the 32,766 parameters of SQLite and the 65,535 of PostgreSQL.
const maxList = 256

// each runs text, whose list stands in square brackets, over all rows: in as few
// statements as there are bits in their number, so that only nine lengths of each
// text are ever prepared. bind appends the parameters of one row to args; fixed
// are those before the list.
func each[T any](tx *Tx, op, text string, rows []T, bind func(args []any, row *T) []any, fixed ...any) error {
	for len(rows) > 0 {
		n := maxList
		for n > len(rows) {
			n /= 2
		}
		args := append(tx.args[:0], fixed...)
		for i := range rows[:n] {
			args = bind(args, &rows[i])
		}
		err := tx.execList(op, statement{text: text, rows: n}, args)
		clear(args) // do not keep the rows alive
		tx.args = args[:0]
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// list returns the rows of a query, each read by scan.
func list[T any](tx *Tx, op, text string, scan func(*sql.Rows, *T) error, args ...any) ([]T, error) {
	p, err := tx.ready(op, statement{text: text}, args)
	if err != nil {
		return nil, err
	}
	rows, err := p.QueryContext(tx.ctx, args...)
	if err != nil {
		return nil, tx.fail(op, err)
	}
	var all []T
	for rows.Next() {
		var row T
		if err := scan(rows, &row); err != nil {
			return nil, tx.fail(op, errors.Join(err, rows.Close()))
		}
		all = append(all, row)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, tx.fail(op, err)
	}
	return all, nil
}

// one returns the only row of a query, or [ErrNotFound].
func one[T any](tx *Tx, op, text string, scan func(*sql.Rows, *T) error, args ...any) (*T, error) {
	rows, err := list(tx, op, text, scan, args...)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("store: %s: %w", op, ErrNotFound)
	}
	return &rows[0], nil
}

// scanInt reads a row of one number.
func scanInt(rows *sql.Rows, n *int64) error { return rows.Scan(n) }

// blob is how bytes are bound: no bytes are not NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// bytesOf is how bytes are read: none are nil, whatever the driver says.
func bytesOf(b *[]byte) *bytesScanner { return (*bytesScanner)(b) }

type bytesScanner []byte

// Scan implements sql.Scanner. The driver's bytes are valid only until the next
// row, so they are copied.
func (s *bytesScanner) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok && v != nil {
		return fmt.Errorf("bytes expected, found %T", v)
	}
	*s = append([]byte(nil), b...)
	return nil
}

// lastOf returns rows without those that a later one with the same key replaces.
// PostgreSQL refuses an upsert that meets a row twice, SQLite does not.
func lastOf[T any, K comparable](rows []T, key func(*T) K) []T {
	if len(rows) < 2 {
		return rows
	}
	last := make(map[K]int, len(rows))
	for i := range rows {
		last[key(&rows[i])] = i
	}
	if len(last) == len(rows) {
		return rows
	}
	kept := make([]T, 0, len(last))
	for i := range rows {
		if last[key(&rows[i])] == i {
			kept = append(kept, rows[i])
		}
	}
	return kept
}
