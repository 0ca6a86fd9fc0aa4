package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// idleBeforePing is how long a connection may rest before it is tried for life.
const idleBeforePing = time.Second

// A conn is one connection with the statements prepared on it. Going through
// *sql.Conn and not *sql.Tx keeps them: a statement moved into an *sql.Tx is
// prepared anew each time, which costs more than running it.
type conn struct {
	dialect    *dialect
	sql        *sql.Conn
	statements map[statement]*sql.Stmt
	relaxed    bool // commits do not wait for the disk
	used       time.Time

	raw, packed []byte // used again by pack
}

// A statement is a text of SQL. A part of it in square brackets is a list of rows
// items, written once; see expand.
type statement struct {
	text string
	rows int
}

// open makes a connection of its own from db.
func open(ctx context.Context, db *sql.DB, d *dialect) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{dialect: d, sql: c, statements: map[statement]*sql.Stmt{}, used: time.Now()}, nil
}

// prepare returns s ready to run on c.
func (c *conn) prepare(ctx context.Context, s statement) (*sql.Stmt, error) {
	if p, ok := c.statements[s]; ok {
		return p, nil
	}
	p, err := c.sql.PrepareContext(ctx, s.expand(c.dialect.unnamed))
	if err != nil {
		return nil, err
	}
	c.statements[s] = p
	return p, nil
}

// exec runs a statement that takes nothing and returns nothing.
func (c *conn) exec(ctx context.Context, text string) error {
	p, err := c.prepare(ctx, statement{text: text})
	if err != nil {
		return err
	}
	_, err = p.ExecContext(ctx)
	return err
}

// setRelaxed makes the following commits wait for the disk or not. It must not be
// called inside a transaction.
func (c *conn) setRelaxed(ctx context.Context, relaxed bool) error {
	if c.relaxed == relaxed {
		return nil
	}
	text := c.dialect.durable
	if relaxed {
		text = c.dialect.relaxed
	}
	if _, err := c.sql.ExecContext(ctx, text); err != nil {
		return err
	}
	c.relaxed = relaxed
	return nil
}

// alive reports whether c can be used, trying it when it has rested.
func (c *conn) alive(ctx context.Context) bool {
	return time.Since(c.used) < idleBeforePing || c.sql.PingContext(ctx) == nil
}

// close ends the connection. A transaction still open on it is rolled back. Errors
// of a connection already lost are of no interest.
func (c *conn) close() error {
	err := c.sql.Close()
	if errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}

// expand returns the SQL of s with the list in square brackets repeated, each time
// with the next parameters: "VALUES [($1, $2)]" of 2 rows is
// "VALUES ($1, $2), ($3, $4)", or "VALUES (?, ?), (?, ?)" if unnamed. The list must
// hold the last parameters of the text, in order.
func (s statement) expand(unnamed bool) string {
	start, end := strings.IndexByte(s.text, '['), strings.IndexByte(s.text, ']')
	if start < 0 || end < start {
		return s.text
	}
	parts := strings.Split(s.text[start+1:end], "$") // each but the first begins with a number
	width := len(parts) - 1
	var b strings.Builder
	b.WriteString(s.text[:start])
	for row := range s.rows {
		if row > 0 {
			b.WriteString(", ")
		}
		b.WriteString(parts[0])
		for _, part := range parts[1:] {
			digits := len(part) - len(strings.TrimLeft(part, "0123456789"))
			number, err := strconv.Atoi(part[:digits])
			if err != nil {
				panic(fmt.Sprintf("store: a parameter without a number: %s", s.text))
			}
			if unnamed {
				b.WriteByte('?')
			} else {
				b.WriteString("$" + strconv.Itoa(number+row*width))
			}
			b.WriteString(part[digits:])
		}
	}
	b.WriteString(s.text[end+1:])
	return b.String()
}

// A pool lends connections for reading.
type pool struct {
	db      *sql.DB
	dialect *dialect
	slots   chan struct{} // a token for each connection lent

	mu     sync.Mutex
	idle   []*conn // the last used is the last
	closed bool
}

func newPool(db *sql.DB, d *dialect, size int) *pool {
	db.SetMaxIdleConns(0) // a connection given back to db is closed
	return &pool{db: db, dialect: d, slots: make(chan struct{}, size)}
}

// get lends a connection; it must be given to put.
func (p *pool) get(ctx context.Context) (*conn, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			<-p.slots
			return nil, errClosed
		}
		var c *conn
		if n := len(p.idle); n > 0 {
			c, p.idle = p.idle[n-1], p.idle[:n-1]
		}
		p.mu.Unlock()
		if c == nil {
			c, err := open(ctx, p.db, p.dialect)
			if err != nil {
				<-p.slots
			}
			return c, err
		}
		if c.alive(ctx) {
			return c, nil
		}
		_ = c.close()
	}
}

// put takes a connection back; broken ones are closed.
func (p *pool) put(c *conn, broken bool) {
	if broken {
		_ = c.close()
	} else {
		c.used = time.Now()
		p.mu.Lock()
		p.idle = append(p.idle, c)
		p.mu.Unlock()
	}
	<-p.slots
}

// close waits for the connections that are lent and closes all.
func (p *pool) close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	var errs []error
	for _, c := range p.idle {
		errs = append(errs, c.close())
	}
	p.idle = nil
	for range cap(p.slots) {
		<-p.slots
	}
	return errors.Join(append(errs, p.db.Close())...)
}
