package store

import "database/sql"

// A ChangeRow says that an object is not what it was. Change is its number, from 1
// without gaps: the caller counts it from Head.Change, one for each row.
type ChangeRow struct {
	Change              int64
	Kind, Vault, Object string
}

// InsertChanges adds changes. It returns [ErrDuplicate] for a number in use.
func (tx *Tx) InsertChanges(rows []ChangeRow) error {
	const text = `INSERT INTO change (change, kind, vault, object) VALUES [($1, $2, $3, $4)]`
	return each(tx, "insert changes", text, rows, func(args []any, c *ChangeRow) []any {
		return append(args, c.Change, c.Kind, c.Vault, c.Object)
	})
}

// Changes returns changes in order, starting with the one after number after.
func (tx *Tx) Changes(after int64, limit int) ([]ChangeRow, error) {
	const text = `SELECT change, kind, vault, object FROM change WHERE change > $1 ORDER BY change LIMIT $2`
	return list(tx, "changes", text, func(rows *sql.Rows, c *ChangeRow) error {
		return rows.Scan(&c.Change, &c.Kind, &c.Vault, &c.Object)
	}, after, int64(limit))
}

// PruneChanges removes the changes before number before.
func (tx *Tx) PruneChanges(before int64) error {
	return tx.exec("prune changes", `DELETE FROM change WHERE change < $1`, before)
}

// OldestChange returns the number of the first change that is kept, 0 if none is.
// Who last looked at an earlier one but its predecessor has missed some.
func (tx *Tx) OldestChange() (int64, error) {
	n, err := one(tx, "oldest change", `SELECT coalesce(min(change), 0) FROM change`, scanInt)
	if err != nil {
		return 0, err
	}
	return *n, nil
}
