package store

import (
	"database/sql"
	"errors"
)

// Setting returns a setting and whether it is there.
func (tx *Tx) Setting(key string) (value string, ok bool, err error) {
	v, err := one(tx, "setting", `SELECT value FROM setting WHERE name = $1`, func(rows *sql.Rows, v *string) error {
		return rows.Scan(v)
	}, key)
	if errors.Is(err, ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	return *v, true, nil
}

// PutSetting adds a setting or replaces it.
func (tx *Tx) PutSetting(key, value string) error {
	const text = `INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	return tx.exec("put setting", text, key, value)
}
