package store

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A SecretRow is a secret without its values. Vault and Name are unique together.
type SecretRow struct {
	ID, Vault, Name, Suffix string
	Created, Changed        int64 // µs
	Accessed                int64 // the day of the last use, in the caller's unit
	PurgeAt                 int64 // µs; 0 for a secret that is not deleted
	Body, Policy            string
	MAC                     []byte
}

const secretColumns = `id, vault, name, suffix, created, changed, accessed, purge_at, mac, body, policy`

func scanSecret(rows *sql.Rows, s *SecretRow) error {
	return rows.Scan(&s.ID, &s.Vault, &s.Name, &s.Suffix, &s.Created, &s.Changed, &s.Accessed, &s.PurgeAt,
		bytesOf(&s.MAC), &s.Body, &s.Policy)
}

// Secret returns the secret of that name in a vault, or [ErrNotFound].
func (tx *Tx) Secret(vault, name string) (*SecretRow, error) {
	const text = `SELECT ` + secretColumns + ` FROM secret WHERE vault = $1 AND name = $2`
	return one(tx, "secret", text, scanSecret, vault, name)
}

// SecretByID returns the secret of that id, or [ErrNotFound].
func (tx *Tx) SecretByID(id string) (*SecretRow, error) {
	const text = `SELECT ` + secretColumns + ` FROM secret WHERE id = $1`
	return one(tx, "secret by id", text, scanSecret, id)
}

const secretShownAs = `SELECT ` + secretColumns + ` FROM secret
	WHERE vault = $1 AND lower(replace(name, '/', '--')) = $2 AND (purge_at = 0 OR purge_at > $3)
	ORDER BY CASE WHEN replace(name, '/', '--') = $4 THEN 0 ELSE 1 END, created, id LIMIT 1`

// SecretShownAs returns the secret that Azure's name shown means in a vault, or
// [ErrNotFound]: one whose name, with "--" for "/", is exactly that, or else is that in
// another case; of several the oldest. Those whose time, PurgeAt, is before or now are
// passed over. Shown is of ASCII.
func (tx *Tx) SecretShownAs(vault, shown string, now int64) (*SecretRow, error) {
	return one(tx, "secret by shown name", secretShownAs, scanSecret, vault, strings.ToLower(shown), now, shown)
}

// PutSecrets adds secrets or replaces those of the same id; of several with one id
// the last counts. It returns [ErrDuplicate] if another secret has the name.
func (tx *Tx) PutSecrets(rows []SecretRow) error {
	const text = `INSERT INTO secret (` + secretColumns + `)
		VALUES [($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)]
		ON CONFLICT (id) DO UPDATE SET vault = excluded.vault, name = excluded.name, suffix = excluded.suffix,
			created = excluded.created, changed = excluded.changed,
			accessed = CASE WHEN excluded.accessed > secret.accessed THEN excluded.accessed ELSE secret.accessed END,
			purge_at = excluded.purge_at, mac = excluded.mac, body = excluded.body, policy = excluded.policy`
	rows = lastOf(rows, func(s *SecretRow) string { return s.ID })
	return each(tx, "put secrets", text, rows, func(args []any, s *SecretRow) []any {
		return append(args, s.ID, s.Vault, s.Name, s.Suffix, s.Created, s.Changed, s.Accessed, s.PurgeAt,
			blob(s.MAC), s.Body, s.Policy)
	})
}

// DeleteSecret removes a secret and its versions, if there is one.
func (tx *Tx) DeleteSecret(id string) error {
	if err := tx.exec("delete versions of a secret", `DELETE FROM version WHERE secret = $1`, id); err != nil {
		return err
	}
	return tx.exec("delete secret", `DELETE FROM secret WHERE id = $1`, id)
}

// A SecretQuery asks for a page of a vault's secrets.
type SecretQuery struct {
	Vault string
	// OrderBy is "name", "created", "changed" or "accessed"; the last three are
	// followed by the id. Descending turns both round.
	OrderBy    string
	Descending bool
	// AfterName, or AfterKey and AfterID, are those of the last secret of the page
	// before; without AfterName, or AfterID, the page is the first.
	AfterName string
	AfterKey  int64
	AfterID   string
	// NamePrefix is what names begin with, upper and lower case told apart.
	NamePrefix string
	// IncludeScheduled lists deleted secrets that wait for their end too.
	IncludeScheduled bool
	// OnlyScheduled lists those alone.
	OnlyScheduled bool
	// Limit is the most rows wanted.
	Limit int
}

// Secrets returns a page of secrets. Names are in the order of their bytes.
func (tx *Tx) Secrets(q SecretQuery) ([]SecretRow, error) {
	text, args, err := q.text()
	if err != nil {
		return nil, tx.fail("secrets", err)
	}
	return list(tx, "secrets", text, scanSecret, args...)
}

// text returns the query's SQL. Only words of ours become part of it; there are
// few enough of them that every combination stays prepared.
func (q SecretQuery) text() (string, []any, error) {
	beyond, direction := ">", ""
	if q.Descending {
		beyond, direction = "<", " DESC"
	}
	args := []any{q.Vault}
	param := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	var b strings.Builder
	b.WriteString(`SELECT ` + secretColumns + ` FROM secret WHERE vault = $1`)
	switch {
	case q.OnlyScheduled:
		b.WriteString(` AND purge_at <> 0`)
	case !q.IncludeScheduled:
		b.WriteString(` AND purge_at = 0`)
	}
	if q.NamePrefix != "" {
		b.WriteString(` AND name >= ` + param(q.NamePrefix))
		if end := afterPrefix(q.NamePrefix); end != "" {
			b.WriteString(` AND name < ` + param(end))
		}
	}
	switch q.OrderBy {
	case "name":
		if q.AfterName != "" {
			b.WriteString(` AND name ` + beyond + ` ` + param(q.AfterName))
		}
		b.WriteString(` ORDER BY name` + direction)
	case "created", "changed", "accessed":
		if q.AfterID != "" {
			b.WriteString(` AND (` + q.OrderBy + `, id) ` + beyond + ` (` + param(q.AfterKey) + `, ` + param(q.AfterID) + `)`)
		}
		b.WriteString(` ORDER BY ` + q.OrderBy + direction + `, id` + direction)
	default:
		return "", nil, fmt.Errorf("no order by %q", q.OrderBy)
	}
	b.WriteString(` LIMIT ` + param(int64(q.Limit)))
	return b.String(), args, nil
}

// afterPrefix returns the first text after all that begin with prefix, "" if there
// is none. It is made of whole characters, whose order is that of their bytes,
// because PostgreSQL takes no half ones.
func afterPrefix(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch last {
		case utf8.MaxRune:
			continue
		case 0xD7FF: // before the surrogates, which are no characters
			return prefix + "\uE000"
		}
		return prefix + string(last+1)
	}
	return ""
}

// CountSecrets returns the number of a vault's secrets, deleted ones included. It
// reads an index of all of them.
func (tx *Tx) CountSecrets(vault string) (int64, error) {
	n, err := one(tx, "count secrets", `SELECT count(*) FROM secret WHERE vault = $1`, scanInt, vault)
	if err != nil {
		return 0, err
	}
	return *n, nil
}

const secretsNamingARNs = `SELECT ` + secretColumns + ` FROM secret
	WHERE policy <> '' AND (replace(policy, ':iam::', '') <> policy OR replace(policy, '\u', '') <> policy) ORDER BY id`

// SecretsNamingARNs returns the secrets, of all vaults, in whose policies an ARN of IAM's may
// stand, perhaps with escapes. It reads the secrets that have a policy, and no others.
func (tx *Tx) SecretsNamingARNs() ([]SecretRow, error) {
	return list(tx, "secrets naming ARNs", secretsNamingARNs, scanSecret)
}

// SecretsToPurge returns deleted secrets whose time, PurgeAt, is before or now,
// the most overdue first.
func (tx *Tx) SecretsToPurge(before int64, limit int) ([]SecretRow, error) {
	const text = `SELECT ` + secretColumns + ` FROM secret WHERE purge_at <> 0 AND purge_at <= $1
		ORDER BY purge_at, id LIMIT $2`
	return list(tx, "secrets to purge", text, scanSecret, before, int64(limit))
}

// TouchSecrets sets Accessed to day where it is earlier.
func (tx *Tx) TouchSecrets(ids []string, day int64) error {
	const text = `UPDATE secret SET accessed = $1 WHERE accessed < $1 AND id IN ([$2])`
	return each(tx, "touch secrets", text, ids, bindText, day)
}

// bindText binds a list of texts.
func bindText(args []any, s *string) []any { return append(args, *s) }
