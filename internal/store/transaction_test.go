package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var errTest = errors.New("made by a test")

// settings returns the names of "a" to "z" that are set.
func settings(t *testing.T, db *DB) string {
	t.Helper()
	var all []string
	read(t, db, func(tx *Tx) error {
		for name := 'a'; name <= 'z'; name++ {
			if _, ok, err := tx.Setting(string(name)); err != nil {
				return err
			} else if ok {
				all = append(all, string(name))
			}
		}
		return nil
	})
	return strings.Join(all, "")
}

func TestRollback(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		var kept *Tx
		err := db.Write(t.Context(), true, func(tx *Tx) error {
			kept = tx
			tx.Head.Records, tx.Head.Change, tx.Head.Time = 5, 6, 7
			return errors.Join(tx.PutSetting("a", "1"), errTest)
		})
		if !errors.Is(err, errTest) {
			t.Errorf("the function's error became %v", err)
		}
		if err := kept.PutSetting("b", "1"); err == nil {
			t.Error("a transaction that is over can be used")
		}
		func() {
			defer func() {
				if r := recover(); r != errTest {
					t.Errorf("recovered %v", r)
				}
			}()
			_ = db.Write(t.Context(), true, func(tx *Tx) error {
				if err := tx.PutSetting("c", "1"); err != nil {
					t.Error(err)
				}
				panic(errTest)
			})
		}()
		func() {
			defer func() { _ = recover() }()
			_ = db.Read(t.Context(), func(*Tx) error { panic(errTest) })
		}()
		write(t, db, func(tx *Tx) error {
			if tx.Head != (Head{}) {
				t.Errorf("head after rolling back: %+v", tx.Head)
			}
			return tx.PutSetting("d", "1")
		})
		if got := settings(t, db); got != "d" {
			t.Errorf("settings %s are left", got)
		}
	})
}

// A failed query ends the transaction on PostgreSQL, so it must on SQLite too, also
// if the function overlooks it.
func TestFailureSticks(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		err := db.Write(t.Context(), true, func(tx *Tx) error {
			if err := tx.InsertRecords([]RecordRow{{Seq: 0}, {Seq: 0}}); !errors.Is(err, ErrDuplicate) {
				t.Errorf("the same record twice: %v", err)
			}
			if err := tx.PutSetting("a", "1"); !errors.Is(err, ErrDuplicate) {
				t.Errorf("after a failure: %v", err)
			}
			return nil
		})
		if !errors.Is(err, ErrDuplicate) {
			t.Errorf("Write with a failure inside: %v", err)
		}
		if got := settings(t, db); got != "" {
			t.Errorf("settings %s are left", got)
		}
	})
}

func TestSavepoint(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		write(t, db, func(tx *Tx) error {
			if err := tx.PutSetting("a", "1"); err != nil {
				return err
			}
			err := tx.Savepoint(func() error {
				tx.Head.Records = 9
				return errors.Join(tx.PutSetting("b", "1"), errTest)
			})
			if !errors.Is(err, errTest) || tx.Head.Records != 0 {
				t.Errorf("savepoint: %v, %+v", err, tx.Head)
			}
			err = tx.Savepoint(func() error {
				if err := tx.PutSetting("c", "1"); err != nil {
					return err
				}
				_ = tx.InsertRecords([]RecordRow{{Seq: 0}, {Seq: 0}})
				return nil
			})
			if !errors.Is(err, ErrDuplicate) {
				t.Errorf("a failure overlooked inside a savepoint: %v", err)
			}
			return tx.Savepoint(func() error {
				if err := tx.PutSetting("d", "1"); err != nil {
					return err
				}
				err := tx.Savepoint(func() error { return errors.Join(tx.PutSetting("e", "1"), errTest) })
				if !errors.Is(err, errTest) {
					t.Errorf("inner savepoint: %v", err)
				}
				tx.Head.Records = 1
				return tx.Savepoint(func() error { return tx.PutSetting("f", "1") })
			})
		})
		if got := settings(t, db); got != "adf" {
			t.Errorf("settings %s are left", got)
		}
		read(t, db, func(tx *Tx) error {
			if tx.Head.Records != 1 {
				t.Errorf("head %+v", tx.Head)
			}
			return nil
		})
	})
}

func TestHeadNeverGoesBack(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		start := Head{10, 20, 30}
		write(t, db, func(tx *Tx) error { tx.Head = start; return nil })
		for _, h := range []Head{{9, 20, 30}, {10, 19, 30}, {10, 20, 29}} {
			if err := db.Write(t.Context(), true, func(tx *Tx) error { tx.Head = h; return nil }); err == nil {
				t.Errorf("head went to %+v", h)
			}
		}
		read(t, db, func(tx *Tx) error {
			if tx.Head != start {
				t.Errorf("head is %+v", tx.Head)
			}
			return nil
		})
	})
}

// Sixteen writers at once, through two handles where the engine allows it: their
// numbers have no gaps, and each sees what the one before committed.
func TestWritersInTurn(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		handles := []*DB{openDB(t, Config{URL: url, Interval: true})}
		if handles[0].Shared() {
			handles = append(handles, openDB(t, Config{URL: url}))
		} else {
			handles = append(handles, handles[0])
		}
		const writers, rounds = 16, 20
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				for i := range rounds {
					err := handles[w%2].Write(t.Context(), i%2 == 0, func(tx *Tx) error { return appendOne(tx, w, i) })
					if err != nil && !errors.Is(err, errTest) {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		read(t, handles[0], func(tx *Tx) error {
			records := must[[]RecordRow](t)(tx.Records(0, 10000))
			want := writers * (rounds - rounds/5)
			if len(records) != want || tx.Head.Records != int64(want) || tx.Head.Change != int64(want) {
				t.Errorf("%d records, head %+v, want %d", len(records), tx.Head, want)
			}
			for i, r := range records {
				if r.Seq != int64(i) {
					t.Fatalf("record %d has number %d", i, r.Seq)
				}
				if i > 0 && r.Time <= records[i-1].Time {
					t.Errorf("time went back at %d", i)
				}
			}
			return nil
		})
	})
}

// appendOne adds a record and a change, and fails in every fifth round.
func appendOne(tx *Tx, w, i int) error {
	last, err := tx.RecordsDesc(tx.Head.Records+1, 1)
	if err != nil {
		return err
	}
	if tx.Head.Records > 0 && (len(last) != 1 || last[0].Seq != tx.Head.Records-1 || last[0].Time != tx.Head.Time) {
		return fmt.Errorf("head %+v but last record %+v", tx.Head, last)
	}
	tx.Head.Time++
	tx.Head.Change++
	row := RecordRow{Seq: tx.Head.Records, Time: tx.Head.Time, Body: fmt.Append(nil, w, i)}
	tx.Head.Records++
	if err := tx.InsertRecords([]RecordRow{row}); err != nil {
		return err
	}
	if err := tx.InsertChanges([]ChangeRow{{Change: tx.Head.Change, Kind: "secret"}}); err != nil {
		return err
	}
	if i%5 == 4 {
		return errTest
	}
	return nil
}

func TestReadSeesOneState(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		put := func(value string) {
			write(t, db, func(tx *Tx) error { tx.Head.Change++; return tx.PutSetting("a", value) })
		}
		put("1")
		read(t, db, func(tx *Tx) error {
			put("2")
			if value, _, err := tx.Setting("a"); err != nil || value != "1" || tx.Head.Change != 1 {
				t.Errorf("inside: %q, %+v, %v", value, tx.Head, err)
			}
			if err := tx.PutSetting("a", "3"); !errors.Is(err, ErrReadOnly) {
				t.Errorf("writing while reading: %v", err)
			}
			return nil
		})
		err := db.ReadEach(t.Context(), func(tx *Tx) error {
			put("4")
			if value, _, err := tx.Setting("a"); err != nil || value != "4" {
				t.Errorf("each: %q, %v", value, err)
			}
			_, _, err := tx.ReserveSeals("k", 1)
			if !errors.Is(err, ErrReadOnly) {
				t.Errorf("reserving while reading: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// The engine itself refuses to write through the connections for reading.
func TestReadersCannotWrite(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		for name, run := range map[string]func(context.Context, func(*Tx) error) error{"Read": db.Read, "ReadEach": db.ReadEach} {
			err := run(t.Context(), func(tx *Tx) error {
				tx.writable = true // get past our own check
				return tx.PutSetting("a", "1")
			})
			if !IsUnavailable(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := settings(t, db); got != "" {
			t.Errorf("settings %s are left", got)
		}
	})
}

func TestCancel(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		done, cancel := context.WithCancel(t.Context())
		cancel()
		run := func(*Tx) error { t.Error("ran after it was cancelled"); return nil }
		for name, err := range map[string]error{"Write": db.Write(done, true, run), "Read": db.Read(done, run), "Ping": db.Ping(done)} {
			if !errors.Is(err, context.Canceled) || IsUnavailable(err) {
				t.Errorf("%s: %v", name, err)
			}
		}

		writer := db.writer
		for name, run := range map[string]func(context.Context, func(*Tx) error) error{
			"Read":  db.Read,
			"Write": func(ctx context.Context, fn func(*Tx) error) error { return db.Write(ctx, true, fn) },
		} {
			ctx, cancel := context.WithCancel(t.Context())
			err := run(ctx, func(tx *Tx) error {
				if tx.writable {
					if err := tx.PutSetting("a", "1"); err != nil {
						t.Error(err)
					}
				}
				cancel()
				_, _, err := tx.Setting("a")
				return err
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s cancelled inside: %v", name, err)
			}
		}
		if db.writer != writer {
			t.Error("the connection for writing was lost")
		}
		// Cancelled after its last statement: Write must not commit.
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Write(ctx, true, func(tx *Tx) error { defer cancel(); return tx.PutSetting("b", "1") })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before the commit: %v", err)
		}
		write(t, db, func(tx *Tx) error { return tx.PutSetting("c", "1") })
		if got := settings(t, db); got != "c" {
			t.Errorf("settings %s are left", got)
		}
	})
}

func TestCancelWhileWaiting(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		other := db
		if db.Shared() {
			other = openDB(t, Config{URL: url}) // which waits in the server for the row of head
		}
		write(t, db, func(tx *Tx) error {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			start := time.Now()
			err := other.Write(ctx, true, func(*Tx) error { t.Error("two writers at once"); return nil })
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("waiting in vain: %v", err)
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("waited %v", d)
			}
			return tx.PutSetting("a", "1")
		})
		write(t, other, func(tx *Tx) error { return tx.PutSetting("b", "1") })
		if got := settings(t, db); got != "ab" {
			t.Errorf("settings %s are left", got)
		}
	})
}

func TestManyReaders(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url, MaxConns: 3})
		write(t, db, func(tx *Tx) error { return tx.PutSetting("a", "1") })
		var group sync.WaitGroup
		for range 32 {
			group.Go(func() {
				for range 20 {
					err := db.ReadEach(t.Context(), func(tx *Tx) error {
						if v, _, err := tx.Setting("a"); err != nil || v != "1" {
							return fmt.Errorf("%q %w", v, err)
						}
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if n := len(db.readers.idle); n == 0 || n > 3 {
			t.Errorf("%d connections", n)
		}
	})
}

// How commits wait for the disk is a setting of the connection, turned only when
// it has to change.
func TestDurability(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		for _, interval := range []bool{false, true} {
			db := openDB(t, Config{URL: url, Interval: interval})
			query, full, less := "PRAGMA synchronous", "2", "1"
			if db.Shared() {
				query, full, less = "SHOW synchronous_commit", "on", "off"
			}
			var got []string
			for _, durable := range []bool{true, false, false, true, false} {
				err := db.Write(t.Context(), durable, func(tx *Tx) error {
					var mode string
					defer func() { got = append(got, mode) }()
					return tx.conn.sql.QueryRowContext(tx.ctx, query).Scan(&mode)
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			want := []string{full, full, full, full, full}
			if interval {
				want = []string{full, less, less, full, less}
			}
			if !slices.Equal(got, want) {
				t.Errorf("interval %v: %v", interval, got)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
