package store

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// someRecords makes n records, from a number on, as a log has them: each much like the one
// before, with times that go back now and then.
func someRecords(from int64, n int) []RecordRow {
	rows := make([]RecordRow, n)
	for i := range rows {
		seq := from + int64(i)
		rows[i] = RecordRow{seq, seq*1000 - seq%3*2500, fmt.Appendf(nil, `{"id":"%d","op":"GetSecretValue","caller":"arn:aws:iam::000000000001:user/admin"}`, seq)}
	}
	return rows
}

// TestRecordGroups: what is read does not depend on how records were grouped when they
// were written, from which end they are read and how many at once.
func TestRecordGroups(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		r := rand.New(rand.NewPCG(1, 2))
		var all []RecordRow
		for len(all) < 500 {
			group := someRecords(int64(len(all)), 1+r.IntN(1+r.IntN(60)))
			all = append(all, group...)
			write(t, db, func(tx *Tx) error { return tx.InsertRecords(group) })
		}
		back := slices.Clone(all)
		slices.Reverse(back)
		read(t, db, func(tx *Tx) error {
			for range 200 {
				from, limit := r.IntN(len(all)+3), r.IntN(70)
				some := all[min(from, len(all)):]
				if limit < len(some) {
					some = some[:limit]
				}
				same(t, fmt.Sprintf("%d from %d", limit, from), must[[]RecordRow](t)(tx.Records(int64(from), limit)), append([]RecordRow(nil), some...))
				some = back[max(len(all)-from, 0):]
				if limit < len(some) {
					some = some[:limit]
				}
				same(t, fmt.Sprintf("%d before %d", limit, from), must[[]RecordRow](t)(tx.RecordsDesc(int64(from), limit)), append([]RecordRow(nil), some...))
			}
			return nil
		})
		// A group that somebody took away leaves a hole, not an end.
		write(t, db, func(tx *Tx) error {
			return tx.exec("tamper", `DELETE FROM audit_record WHERE seq = (SELECT max(seq) FROM audit_record WHERE seq <= 250)`)
		})
		read(t, db, func(tx *Tx) error {
			rows := must[[]RecordRow](t)(tx.Records(250, 1))
			if len(rows) != 1 || rows[0].Seq <= 250 {
				t.Errorf("behind a hole: %v", rows)
			}
			return nil
		})
	})
}

// TestRecordsOfEarlierVersions: a record that was written as a row of its own is read as
// ever, and so is one that is written so today.
func TestRecordsOfEarlierVersions(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		db := openDB(t, Config{URL: url})
		all := someRecords(0, 3)
		write(t, db, func(tx *Tx) error {
			for _, r := range all[:2] {
				if err := tx.exec("insert", `INSERT INTO audit_record (seq, time, body) VALUES ($1, $2, $3)`, r.Seq, r.Time, r.Body); err != nil {
					return err
				}
			}
			return tx.InsertRecords(all[2:])
		})
		read(t, db, func(tx *Tx) error {
			same(t, "records", must[[]RecordRow](t)(tx.Records(0, 10)), all)
			return nil
		})
	})
}

// TestPackRecords: a group is much smaller than its records, one that is very long is
// several rows, and the order of the rows does not depend on the scratch memory.
func TestPackRecords(t *testing.T) {
	c := new(conn)
	rows := someRecords(7, 40)
	size := 0
	for _, r := range rows {
		size += len(r.Body)
	}
	groups, err := c.pack(rows)
	if err != nil || len(groups) != 1 || groups[0].records != 40 || len(groups[0].body) > size/4 {
		t.Fatalf("%d records of %d bytes: %d rows, %v", len(rows), size, len(groups), err)
	}
	big := []byte(strings.Repeat("0123456789abcdef", maxPacked/64))
	for i := range rows {
		rows[i].Body = append(bytes.Clone(big), byte(i))
	}
	for range 2 {
		if groups, err = c.pack(rows); err != nil || len(groups) < 8 {
			t.Fatalf("%d rows, %v", len(groups), err)
		}
		var got []RecordRow
		for _, g := range groups {
			if got, err = g.unpack(got); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "unpacked", got, rows)
	}
}

// FuzzUnpackRecords: whatever stands in a row, unpacking ends in an error or in as many
// records as the row says, and takes no more memory than their bytes.
func FuzzUnpackRecords(f *testing.F) {
	groups, err := new(conn).pack(someRecords(3, 5))
	if err != nil {
		f.Fatal(err)
	}
	body := groups[0].body
	f.Add(int64(5), body)
	f.Add(int64(4), body)
	f.Add(int64(6), body)
	f.Add(int64(5), body[:len(body)-3])
	f.Add(int64(2), []byte{2, 0})
	f.Add(int64(2), []byte{packed, 0xff, 0xff, 0xff, 0xff, 0x0f, 0})
	f.Add(int64(math.MaxInt64), body)
	f.Add(int64(-1), body)
	f.Fuzz(func(t *testing.T, n int64, body []byte) {
		g := recordGroup{seq: 3, records: n, body: body}
		rows, err := g.unpack(nil)
		if err == nil && int64(len(rows)) != n {
			t.Errorf("%d records of %d", len(rows), n)
		}
	})
}
