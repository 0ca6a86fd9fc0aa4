package store

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations returns the folder of this build's migrations.
func migrations() fs.FS { return migrationFiles }

// A migration is one step of the schema. Once released it never changes.
type migration struct {
	version  int64
	name     string
	text     string
	checksum string
}

// readMigrations reads the files migrations/NNNN_name.sql of fsys, which must be
// numbered from 1 without gaps.
func readMigrations(fsys fs.FS) ([]migration, error) {
	names, err := fs.Glob(fsys, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []migration
	for i, name := range names {
		base := path.Base(name)
		number, _, _ := strings.Cut(base, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil || version != int64(i)+1 {
			return nil, fmt.Errorf("store: migration %s: the number %d expected", base, i+1)
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		all = append(all, migration{version, base, string(text), hex.EncodeToString(sum[:])})
	}
	return all, nil
}

// migrate applies the migrations of fsys that the database does not have yet, all
// or none, while no other process can. It refuses a database that has one which
// this build lacks or has otherwise.
func (db *DB) migrate(ctx context.Context, fsys fs.FS) (err error) {
	ours, err := readMigrations(fsys)
	if err != nil {
		return err
	}
	ctx, cancel := db.dialect.limit(ctx)
	defer cancel()
	c, err := open(ctx, db.writers, &db.dialect)
	if err != nil {
		return db.dialect.wrap("connect", err)
	}
	defer func() {
		if err == nil && db.writer == nil {
			db.writer = c
			return
		}
		_ = c.close() // which rolls back
	}()
	const table = `CREATE TABLE IF NOT EXISTS migration (
		version BIGINT PRIMARY KEY NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL)`
	for _, text := range []string{db.dialect.beginWrite, db.dialect.lockMigrations, table} {
		if text == "" {
			continue
		}
		if _, err := c.sql.ExecContext(ctx, text); err != nil {
			return db.dialect.wrap("migrate", err)
		}
	}
	theirs, err := appliedMigrations(ctx, c)
	if err != nil {
		return db.dialect.wrap("migrate", err)
	}
	pending, err := pendingMigrations(ours, theirs)
	if err != nil {
		return err
	}
	for _, m := range pending {
		if err := db.apply(ctx, c, m); err != nil {
			return db.dialect.wrap("migration "+m.name, err)
		}
		db.log.Info("database migrated", "migration", m.name)
	}
	if err := c.exec(ctx, "COMMIT"); err != nil {
		return db.dialect.wrap("migrate", err)
	}
	return nil
}

// apply runs one migration inside the transaction on c and writes down that it did.
func (db *DB) apply(ctx context.Context, c *conn, m migration) error {
	if _, err := c.sql.ExecContext(ctx, db.dialect.types.Replace(m.text)); err != nil {
		return err
	}
	const text = `INSERT INTO migration (version, name, checksum) VALUES ($1, $2, $3)`
	_, err := c.sql.ExecContext(ctx, text, m.version, m.name, m.checksum)
	return err
}

// appliedMigrations returns what the database has, without the texts.
func appliedMigrations(ctx context.Context, c *conn) (all []migration, err error) {
	rows, err := c.sql.QueryContext(ctx, `SELECT version, name, checksum FROM migration ORDER BY version`)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = e
		}
	}()
	for rows.Next() {
		var m migration
		if err := rows.Scan(&m.version, &m.name, &m.checksum); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// pendingMigrations returns those of ours that come after theirs, which must be
// the beginning of ours.
func pendingMigrations(ours, theirs []migration) ([]migration, error) {
	for i, m := range theirs {
		if i >= len(ours) {
			return nil, fmt.Errorf("store: migration %s was made by a newer version: %w", m.name, ErrMigration)
		}
		if m.version != ours[i].version || m.checksum != ours[i].checksum {
			return nil, fmt.Errorf("store: migration %s was applied with other contents than %s has now: %w",
				m.name, ours[i].name, ErrMigration)
		}
	}
	return ours[len(theirs):], nil
}
