package store

import (
	"database/sql"
	"fmt"
)

// A KeyRow is a key that seals, wrapped by the key that KEK names.
type KeyRow struct {
	ID, Purpose string
	Vault       string // "" for a key of the deployment
	KEK         string
	Wrapped     []byte
	Created     int64 // µs
	Seals       int64 // seals given out; see ReserveSeals
}

// Keys returns all keys, the oldest first.
func (tx *Tx) Keys() ([]KeyRow, error) {
	const text = `SELECT id, purpose, vault, kek, wrapped, created, seals FROM seal_key ORDER BY created, id`
	return list(tx, "keys", text, func(rows *sql.Rows, k *KeyRow) error {
		return rows.Scan(&k.ID, &k.Purpose, &k.Vault, &k.KEK, bytesOf(&k.Wrapped), &k.Created, &k.Seals)
	})
}

// PutKeys adds keys or replaces those of the same id; of several with one id the
// last counts. Seals of a key that is replaced only grows: a count that went back
// would let a key seal more often than is safe.
func (tx *Tx) PutKeys(rows []KeyRow) error {
	const text = `INSERT INTO seal_key (id, purpose, vault, kek, wrapped, created, seals) VALUES [($1, $2, $3, $4, $5, $6, $7)]
		ON CONFLICT (id) DO UPDATE SET purpose = excluded.purpose, vault = excluded.vault, kek = excluded.kek,
			wrapped = excluded.wrapped, created = excluded.created,
			seals = CASE WHEN excluded.seals > seal_key.seals THEN excluded.seals ELSE seal_key.seals END`
	rows = lastOf(rows, func(k *KeyRow) string { return k.ID })
	return each(tx, "put keys", text, rows, func(args []any, k *KeyRow) []any {
		return append(args, k.ID, k.Purpose, k.Vault, k.KEK, blob(k.Wrapped), k.Created, k.Seals)
	})
}

// DeleteKeys removes the keys of a vault, after which nothing it sealed can be
// opened. The deployment's own keys, of no vault, are not removed.
func (tx *Tx) DeleteKeys(vault string) error {
	return tx.exec("delete keys", `DELETE FROM seal_key WHERE vault = $1 AND vault <> ''`, vault)
}

// ReserveSeals takes the next n seals of a key for the caller: those numbered from
// to to, to not included. It returns [ErrNotFound] for an unknown key.
func (tx *Tx) ReserveSeals(keyID string, n int64) (from, to int64, err error) {
	const op, text = "reserve seals", `UPDATE seal_key SET seals = seals + $1 WHERE id = $2 RETURNING seals`
	if !tx.writable {
		return 0, 0, tx.fail(op, ErrReadOnly)
	}
	if n < 0 {
		return 0, 0, tx.fail(op, fmt.Errorf("%d seals", n))
	}
	seals, err := one(tx, op, text, scanInt, n, keyID)
	if err != nil {
		return 0, 0, err
	}
	return *seals - n, *seals, nil
}
