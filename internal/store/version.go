package store

import "database/sql"

// A VersionRow is a version of a secret. ID is unique within the secret.
type VersionRow struct {
	Secret, ID string
	Created    int64 // µs
	Accessed   int64 // the day of the last use, in the caller's unit
	Body       string
	Sealed     []byte
}

// A VersionKey names a version.
type VersionKey struct{ Secret, ID string }

// Version returns a version, or [ErrNotFound].
func (tx *Tx) Version(secret, id string) (*VersionRow, error) {
	const text = `SELECT secret, id, created, accessed, body, sealed FROM version WHERE secret = $1 AND id = $2`
	return one(tx, "version", text, func(rows *sql.Rows, v *VersionRow) error {
		return rows.Scan(&v.Secret, &v.ID, &v.Created, &v.Accessed, &v.Body, bytesOf(&v.Sealed))
	}, secret, id)
}

// VersionInfo is Version without Sealed.
func (tx *Tx) VersionInfo(secret, id string) (*VersionRow, error) {
	const text = `SELECT secret, id, created, accessed, body FROM version WHERE secret = $1 AND id = $2`
	return one(tx, "version info", text, scanVersionInfo, secret, id)
}

func scanVersionInfo(rows *sql.Rows, v *VersionRow) error {
	return rows.Scan(&v.Secret, &v.ID, &v.Created, &v.Accessed, &v.Body)
}

// Versions returns the versions of a secret, the oldest first, without Sealed.
func (tx *Tx) Versions(secret string) ([]VersionRow, error) {
	const text = `SELECT secret, id, created, accessed, body FROM version WHERE secret = $1 ORDER BY created, id`
	return list(tx, "versions", text, scanVersionInfo, secret)
}

// PutVersions adds versions or replaces those of the same secret and id, with
// Sealed; of several with one key the last counts.
func (tx *Tx) PutVersions(rows []VersionRow) error {
	const text = `INSERT INTO version (secret, id, created, accessed, body, sealed) VALUES [($1, $2, $3, $4, $5, $6)]
		ON CONFLICT (secret, id) DO UPDATE SET created = excluded.created,
			accessed = CASE WHEN excluded.accessed > version.accessed THEN excluded.accessed ELSE version.accessed END,
			body = excluded.body, sealed = excluded.sealed`
	rows = lastOf(rows, func(v *VersionRow) VersionKey { return VersionKey{v.Secret, v.ID} })
	return each(tx, "put versions", text, rows, func(args []any, v *VersionRow) []any {
		return append(args, v.Secret, v.ID, v.Created, v.Accessed, v.Body, blob(v.Sealed))
	})
}

// TouchVersions sets Accessed to day where it is earlier.
func (tx *Tx) TouchVersions(keys []VersionKey, day int64) error {
	const text = `UPDATE version SET accessed = $1 WHERE accessed < $1 AND (secret, id) IN (VALUES [($2, $3)])`
	return each(tx, "touch versions", text, keys, func(args []any, k *VersionKey) []any {
		return append(args, k.Secret, k.ID)
	}, day)
}

// DeleteVersions removes those of a secret's versions that exist.
func (tx *Tx) DeleteVersions(secret string, ids []string) error {
	const text = `DELETE FROM version WHERE secret = $1 AND id IN ([$2])`
	return each(tx, "delete versions", text, ids, bindText, secret)
}
