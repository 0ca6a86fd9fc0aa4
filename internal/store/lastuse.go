package store

import "database/sql"

// A LastUseRow tells when an access key or a role was last used, and for what.
type LastUseRow struct {
	ID              string
	Time            int64 // µs
	Service, Region string
}

// LastUse returns when an access key or a role was last used, or [ErrNotFound].
func (tx *Tx) LastUse(id string) (*LastUseRow, error) {
	const text = `SELECT id, time, service, region FROM last_use WHERE id = $1`
	return one(tx, "last use", text, func(rows *sql.Rows, u *LastUseRow) error {
		return rows.Scan(&u.ID, &u.Time, &u.Service, &u.Region)
	}, id)
}

// PutLastUses notes uses; of several of one id, also of those that are there, the latest
// counts.
func (tx *Tx) PutLastUses(rows []LastUseRow) error {
	const text = `INSERT INTO last_use (id, time, service, region) VALUES [($1, $2, $3, $4)]
		ON CONFLICT (id) DO UPDATE SET time = excluded.time, service = excluded.service, region = excluded.region
			WHERE excluded.time > last_use.time`
	rows = lastOf(rows, func(u *LastUseRow) string { return u.ID })
	return each(tx, "put last uses", text, rows, func(args []any, u *LastUseRow) []any {
		return append(args, u.ID, u.Time, u.Service, u.Region)
	})
}

// DeleteLastUse forgets the use of an access key or a role.
func (tx *Tx) DeleteLastUse(id string) error {
	return tx.exec("delete last use", `DELETE FROM last_use WHERE id = $1`, id)
}
