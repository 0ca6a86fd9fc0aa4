package store

import "database/sql"

// A RecordRow is one record of the audit. Seq is its place in the log, from 0
// without gaps: the caller counts it from Head.Records.
type RecordRow struct {
	Seq, Time int64 // Time in µs
	Body      []byte
}

// InsertRecords adds records. It returns [ErrDuplicate] if there is one of the
// same Seq already.
func (tx *Tx) InsertRecords(rows []RecordRow) error {
	const text = `INSERT INTO audit_record (seq, time, body) VALUES [($1, $2, $3)]`
	return each(tx, "insert records", text, rows, func(args []any, r *RecordRow) []any {
		return append(args, r.Seq, r.Time, blob(r.Body))
	})
}

// Records returns records in order, starting with the one of Seq from.
func (tx *Tx) Records(from int64, limit int) ([]RecordRow, error) {
	const text = `SELECT seq, time, body FROM audit_record WHERE seq >= $1 ORDER BY seq LIMIT $2`
	return list(tx, "records", text, scanRecord, from, int64(limit))
}

// RecordsDesc returns the records before the one of Seq before, the latest first.
func (tx *Tx) RecordsDesc(before int64, limit int) ([]RecordRow, error) {
	const text = `SELECT seq, time, body FROM audit_record WHERE seq < $1 ORDER BY seq DESC LIMIT $2`
	return list(tx, "records", text, scanRecord, before, int64(limit))
}

func scanRecord(rows *sql.Rows, r *RecordRow) error {
	return rows.Scan(&r.Seq, &r.Time, bytesOf(&r.Body))
}
