package store

import (
	"cmp"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
)

// A RecordRow is one record of the audit. Seq is its place in the log, from 0
// without gaps: the caller counts it from Head.Records.
type RecordRow struct {
	Seq, Time int64 // Time in µs
	Body      []byte
}

// A recordGroup is a row: a record, or several that follow each other, packed. Records
// of one moment say nearly the same, so that together they take a seventh of the room,
// and of the time that a row and its pages take.
type recordGroup struct {
	seq, time int64 // of the first
	records   int64
	body      []byte
}

const (
	// packed is the first byte of a packed body. After it comes, as a block of S2, each
	// record's time since the one before as a varint, its length as a uvarint, and itself.
	packed = 1

	// maxPacked bounds what is unpacked to read one record. A longer group is several rows.
	maxPacked = 256 << 10
	// maxUnpacked is more than that and the longest record. What claims more is damaged.
	maxUnpacked = 64 << 20

	// groupsRead is how many rows are asked for at once, as nobody knows beforehand how
	// many records they hold.
	groupsRead = 32
)

// InsertRecords adds records. It returns [ErrDuplicate] if there is one of the
// same Seq already.
func (tx *Tx) InsertRecords(rows []RecordRow) error {
	const text = `INSERT INTO audit_record (seq, time, records, body) VALUES [($1, $2, $3, $4)]`
	groups, err := tx.conn.pack(rows)
	if err != nil {
		return tx.fail("insert records", err)
	}
	return each(tx, "insert records", text, groups, func(args []any, g *recordGroup) []any {
		return append(args, g.seq, g.time, g.records, blob(g.body))
	})
}

// Records returns records in order, starting with the one of Seq from.
func (tx *Tx) Records(from int64, limit int) ([]RecordRow, error) {
	const text = `SELECT seq, time, records, body FROM audit_record
		WHERE seq >= (SELECT coalesce(max(seq), 0) FROM audit_record WHERE seq <= $1) ORDER BY seq LIMIT $2`
	var all []RecordRow
	for len(all) < limit {
		rows, err := tx.records(text, from, limit-len(all))
		if err != nil || len(rows) == 0 {
			return all, err
		}
		next := rows[len(rows)-1].Seq + 1
		rows = slices.DeleteFunc(rows, func(r RecordRow) bool { return r.Seq < from })
		all = append(all, rows[:min(len(rows), limit-len(all))]...)
		if from = max(from, next); len(rows) == 0 {
			break
		}
	}
	return all, nil
}

// RecordsDesc returns the records before the one of Seq before, the latest first.
func (tx *Tx) RecordsDesc(before int64, limit int) ([]RecordRow, error) {
	const text = `SELECT seq, time, records, body FROM audit_record WHERE seq < $1 ORDER BY seq DESC LIMIT $2`
	var all []RecordRow
	for len(all) < limit {
		rows, err := tx.records(text, before, limit-len(all))
		if err != nil || len(rows) == 0 {
			return all, err
		}
		slices.SortFunc(rows, func(a, b RecordRow) int { return cmp.Compare(b.Seq, a.Seq) })
		first := rows[len(rows)-1].Seq
		rows = slices.DeleteFunc(rows, func(r RecordRow) bool { return r.Seq >= before })
		all = append(all, rows[:min(len(rows), limit-len(all))]...)
		before = first
	}
	return all, nil
}

// records returns the records of the rows that a query gives, in the order of each row: of
// one row more than limit, as the first may have none that is wanted.
func (tx *Tx) records(text string, seq int64, limit int) ([]RecordRow, error) {
	groups, err := list(tx, "records", text, scanRecordGroup, seq, int64(min(limit, groupsRead)+1))
	if err != nil {
		return nil, err
	}
	rows := make([]RecordRow, 0, len(groups))
	for i := range groups {
		if rows, err = groups[i].unpack(rows); err != nil {
			return nil, tx.fail("records", err)
		}
	}
	return rows, nil
}

func scanRecordGroup(rows *sql.Rows, g *recordGroup) error {
	return rows.Scan(&g.seq, &g.time, &g.records, bytesOf(&g.body))
}

// pack makes rows of records. They are valid until c packs again.
func (c *conn) pack(rows []RecordRow) ([]recordGroup, error) {
	var groups []recordGroup
	out := c.packed[:0]
	for len(rows) > 0 {
		raw, n := c.raw[:0], 0
		for at := rows[0].Time; n < len(rows) && rows[n].Seq == rows[0].Seq+int64(n) && len(raw) < maxPacked; n++ {
			r := &rows[n]
			raw = binary.AppendVarint(raw, r.Time-at)
			raw = binary.AppendUvarint(raw, uint64(len(r.Body)))
			raw = append(raw, r.Body...)
			at = r.Time
		}
		g := recordGroup{seq: rows[0].Seq, time: rows[0].Time, records: int64(n), body: rows[0].Body}
		if n > 1 {
			size := s2.MaxEncodedLen(len(raw))
			if size < 0 {
				return nil, fmt.Errorf("%d bytes of records are too many", len(raw))
			}
			out = append(slices.Grow(out, 1+size), packed)
			start := len(out)
			out = out[:start+len(s2.Encode(out[start:start+size], raw))]
			g.body = out[start-1:]
		}
		c.raw = raw
		groups, rows = append(groups, g), rows[n:]
	}
	if c.packed = out; cap(c.raw)+cap(c.packed) > 4*maxPacked {
		c.raw, c.packed = nil, nil
	}
	return groups, nil
}

var errPacked = errors.New("a group of records cannot be unpacked")

// unpack appends the records of a row.
func (g *recordGroup) unpack(rows []RecordRow) ([]RecordRow, error) {
	if g.records == 1 {
		return append(rows, RecordRow{g.seq, g.time, g.body}), nil
	}
	if len(g.body) == 0 || g.body[0] != packed {
		return nil, fmt.Errorf("%w: %d: of a kind that this version does not know", errPacked, g.seq)
	}
	if n, err := s2.DecodedLen(g.body[1:]); err != nil || n > maxUnpacked || g.records < 1 {
		return nil, fmt.Errorf("%w: %d: its length", errPacked, g.seq)
	}
	raw, err := s2.Decode(nil, g.body[1:])
	if err != nil {
		return nil, fmt.Errorf("%w: %d: %w", errPacked, g.seq, err)
	}
	for seq, at := g.seq, g.time; seq < g.seq+g.records; seq++ {
		since, n := binary.Varint(raw)
		size, m := binary.Uvarint(raw[max(n, 0):])
		if n <= 0 || m <= 0 || size > uint64(len(raw)-n-m) {
			return nil, fmt.Errorf("%w: %d: cut off", errPacked, g.seq)
		}
		at += since
		end := n + m + int(size)
		rows = append(rows, RecordRow{seq, at, raw[n+m : end : end]})
		raw = raw[end:]
	}
	if len(raw) > 0 {
		return nil, fmt.Errorf("%w: %d: longer than its records", errPacked, g.seq)
	}
	return rows, nil
}
