package store

import "database/sql"

// An ObjectRow carries authority: a principal, a credential, a grant. ID is unique
// within a kind. There are few enough to be held in memory.
type ObjectRow struct {
	Kind, ID, Parent, Body string
	MAC                    []byte
}

type objectKey struct{ kind, id string }

const objectColumns = `kind, id, parent, mac, body`

func scanObject(rows *sql.Rows, o *ObjectRow) error {
	return rows.Scan(&o.Kind, &o.ID, &o.Parent, bytesOf(&o.MAC), &o.Body)
}

// Objects returns the objects of a kind, or of all kinds if it is empty, by kind
// and id.
func (tx *Tx) Objects(kind string) ([]ObjectRow, error) {
	if kind == "" {
		return list(tx, "objects", `SELECT `+objectColumns+` FROM object ORDER BY kind, id`, scanObject)
	}
	return list(tx, "objects", `SELECT `+objectColumns+` FROM object WHERE kind = $1 ORDER BY id`, scanObject, kind)
}

// Object returns an object, or [ErrNotFound].
func (tx *Tx) Object(kind, id string) (*ObjectRow, error) {
	const text = `SELECT ` + objectColumns + ` FROM object WHERE kind = $1 AND id = $2`
	return one(tx, "object", text, scanObject, kind, id)
}

// PutObjects adds objects or replaces those of the same kind and id; of several
// with one key the last counts.
func (tx *Tx) PutObjects(rows []ObjectRow) error {
	const text = `INSERT INTO object (` + objectColumns + `) VALUES [($1, $2, $3, $4, $5)]
		ON CONFLICT (kind, id) DO UPDATE SET parent = excluded.parent, mac = excluded.mac, body = excluded.body`
	rows = lastOf(rows, func(o *ObjectRow) objectKey { return objectKey{o.Kind, o.ID} })
	return each(tx, "put objects", text, rows, func(args []any, o *ObjectRow) []any {
		return append(args, o.Kind, o.ID, o.Parent, blob(o.MAC), o.Body)
	})
}

// DeleteObject removes an object, if there is one.
func (tx *Tx) DeleteObject(kind, id string) error {
	return tx.exec("delete object", `DELETE FROM object WHERE kind = $1 AND id = $2`, kind, id)
}
