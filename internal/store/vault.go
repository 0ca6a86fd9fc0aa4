package store

import "database/sql"

// A VaultRow is a vault. Name is unique, and so are Account and Region together.
type VaultRow struct {
	ID, Name, Account, Region string
	Created                   int64 // µs
	Body                      string
	MAC                       []byte
}

// Vaults returns all vaults by name.
func (tx *Tx) Vaults() ([]VaultRow, error) {
	const text = `SELECT id, name, account, region, created, body, mac FROM vault ORDER BY name`
	return list(tx, "vaults", text, scanVault)
}

func scanVault(rows *sql.Rows, v *VaultRow) error {
	return rows.Scan(&v.ID, &v.Name, &v.Account, &v.Region, &v.Created, &v.Body, bytesOf(&v.MAC))
}

// PutVault adds a vault or replaces the one of the same id. It returns
// [ErrDuplicate] if another has its name, or its account and region.
func (tx *Tx) PutVault(v VaultRow) error {
	const text = `INSERT INTO vault (id, name, account, region, created, body, mac) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, account = excluded.account, region = excluded.region,
			created = excluded.created, body = excluded.body, mac = excluded.mac`
	return tx.exec("put vault", text, v.ID, v.Name, v.Account, v.Region, v.Created, v.Body, blob(v.MAC))
}

// DeleteVault removes the vault's own row, if there is one, and nothing in it.
func (tx *Tx) DeleteVault(id string) error {
	return tx.exec("delete vault", `DELETE FROM vault WHERE id = $1`, id)
}
