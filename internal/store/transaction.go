package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Write runs fn in a transaction that no other writer, on any node, overlaps. If
// fn returns nil the transaction is committed, with what fn made of tx.Head; if it
// returns an error or panics nothing of it remains. The error is fn's own, or that
// of the store. fn must not keep tx.
//
// With durable the commit is on disk when Write returns; without it that depends
// on Config.Interval. Once ctx is done the transaction is rolled back at its next
// statement, or committed if there is none left; it is never left open.
func (db *DB) Write(ctx context.Context, durable bool, fn func(*Tx) error) (err error) {
	if err := db.takeTurn(ctx); err != nil {
		return db.dialect.wrap("wait for the turn to write", err)
	}
	defer func() { <-db.turn }()
	relaxed := db.relaxed && !durable
	tx, err := db.beginWrite(ctx, relaxed)
	if err != nil {
		return db.dialect.wrap("begin", err)
	}
	defer tx.cancel()
	committed := false
	defer func() { // also when fn panics
		if !committed {
			db.rollbackWrite(tx)
		}
		tx.err = errFinished
	}()

	before := tx.Head
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.putHead(before); err != nil {
		return err
	}
	if err := tx.check("commit"); err != nil {
		return err
	}
	if err := tx.conn.exec(tx.ctx, "COMMIT"); err != nil {
		return db.dialect.wrap("commit", err)
	}
	committed = true
	tx.conn.used = time.Now()
	if relaxed && db.flusher != nil {
		db.flusher.soon()
	}
	return nil
}

// takeTurn waits until no other transaction of this process writes.
func (db *DB) takeTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case db.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := errClosed
	if !db.closed.Load() {
		err = nil
		if db.flusher != nil {
			err = db.flusher.failure()
		}
	}
	if err != nil {
		<-db.turn
	}
	return err
}

// beginWrite opens the transaction and takes the row of head, for which other
// nodes may make it wait.
func (db *DB) beginWrite(ctx context.Context, relaxed bool) (*Tx, error) {
	begin, cancel := db.dialect.limit(ctx)
	defer cancel()
	if db.writer != nil && !db.writer.alive(begin) {
		db.dropWriter()
	}
	if db.writer == nil {
		c, err := open(begin, db.writers, &db.dialect)
		if err != nil {
			return nil, err
		}
		db.writer = c
	}
	tx := &Tx{conn: db.writer, dialect: &db.dialect, ctx: begin, caller: ctx, writable: true}
	err := tx.conn.setRelaxed(begin, relaxed)
	if err == nil {
		err = tx.conn.exec(begin, db.dialect.beginWrite)
	}
	if err == nil {
		if tx.Head, err = tx.head(db.dialect.lockRow); err != nil {
			tx.ctx, tx.cancel = db.dialect.finish(ctx)
			defer tx.cancel()
			db.rollbackWrite(tx)
			return nil, err
		}
	}
	if err != nil {
		db.dropWriter()
		return nil, err
	}
	tx.ctx, tx.cancel = db.dialect.finish(ctx)
	return tx, nil
}

// rollbackWrite undoes tx. A connection that cannot is closed, which undoes too.
func (db *DB) rollbackWrite(tx *Tx) {
	if err := tx.conn.exec(tx.ctx, "ROLLBACK"); err != nil {
		db.log.Warn("closing the database connection for writing", "cause", err)
		db.dropWriter()
	}
}

func (db *DB) dropWriter() {
	_ = db.writer.close() // what it was doing is lost in any case
	db.writer = nil
}

// Read runs fn in a transaction that can only read and that sees one state of the
// database throughout, the one that tx.Head belongs to. fn must not keep tx, and
// should not take long: SQLite cannot shorten its log meanwhile.
func (db *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	return db.read(ctx, true, fn)
}

// ReadEach is Read for a single query: each query sees what is committed when it
// begins, tx.Head is zero, and the round trips of a transaction are saved.
func (db *DB) ReadEach(ctx context.Context, fn func(*Tx) error) error {
	return db.read(ctx, false, fn)
}

func (db *DB) read(ctx context.Context, snapshot bool, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return db.dialect.wrap("read", err)
	}
	limited, cancel := db.dialect.limit(ctx)
	defer cancel()
	c, err := db.readers.get(limited)
	if err != nil {
		return db.dialect.wrap("get a connection", err)
	}
	tx := &Tx{conn: c, dialect: &db.dialect, ctx: limited, caller: ctx}
	broken := true // until shown otherwise, also when fn panics
	defer func() {
		db.readers.put(c, broken)
		tx.err = errFinished
	}()

	if snapshot {
		if err := c.exec(limited, db.dialect.beginRead); err != nil {
			return db.dialect.wrap("begin", err)
		}
		if tx.Head, err = tx.head(""); err != nil {
			return db.dialect.wrap("begin", err)
		}
	}
	err = fn(tx)
	if snapshot {
		if end := c.exec(limited, "ROLLBACK"); end != nil {
			return errors.Join(err, db.dialect.wrap("end", end))
		}
	}
	broken = tx.err != nil
	return err
}

// Head is where the logs of the database stand.
type Head struct {
	// Records is the number of audit records, so the Seq of the next.
	Records int64
	// Change is the number of the last change, 0 if there was none.
	Change int64
	// Time is the latest time that a transaction has used.
	Time int64
}

// head reads the row of head; suffix is the dialect's lockRow or nothing.
func (tx *Tx) head(suffix string) (Head, error) {
	const text = `SELECT records, change, time FROM head WHERE id = 1`
	var h Head
	p, err := tx.conn.prepare(tx.ctx, statement{text: text + suffix})
	if err != nil {
		return h, err
	}
	err = p.QueryRowContext(tx.ctx).Scan(&h.Records, &h.Change, &h.Time)
	return h, err
}

// putHead writes tx.Head back if it is not before any longer.
func (tx *Tx) putHead(before Head) error {
	if tx.Head == before {
		return nil
	}
	if tx.Head.Records < before.Records || tx.Head.Change < before.Change || tx.Head.Time < before.Time {
		return fmt.Errorf("store: head would go back from %+v to %+v", before, tx.Head)
	}
	const text = `UPDATE head SET records = $1, change = $2, time = $3 WHERE id = 1`
	return tx.exec("put head", text, tx.Head.Records, tx.Head.Change, tx.Head.Time)
}

// Savepoint runs fn as a part of the transaction that can fail alone: if it
// returns an error, what it wrote is undone, tx.Head is as before, and the
// transaction goes on. The error is returned.
func (tx *Tx) Savepoint(fn func() error) error {
	if err := tx.exec("savepoint", "SAVEPOINT part"); err != nil {
		return err
	}
	before := tx.Head
	err := fn()
	if err == nil {
		err = tx.exec("savepoint", "RELEASE SAVEPOINT part")
	}
	if err == nil {
		return nil
	}
	if lost := tx.conn.exec(tx.ctx, "ROLLBACK TO SAVEPOINT part"); lost != nil {
		tx.err = tx.dialect.wrap("undo a savepoint", lost)
		return errors.Join(err, tx.err)
	}
	tx.err, tx.Head = nil, before
	return err
}
