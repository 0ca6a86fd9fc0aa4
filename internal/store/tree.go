package store

import (
	"database/sql"
	"errors"
)

// A TileRow is a tile of the Merkle tree over the records. Level -1 is the level
// of data tiles, where they are kept.
type TileRow struct {
	Level int
	N     int64
	Width int
	Data  []byte
}

// A TileKey names a tile.
type TileKey struct {
	Level int
	N     int64
}

// Tile returns a tile, or [ErrNotFound].
func (tx *Tx) Tile(level int, n int64) (*TileRow, error) {
	const text = `SELECT level, n, width, data FROM tile WHERE level = $1 AND n = $2`
	return one(tx, "tile", text, func(rows *sql.Rows, t *TileRow) error {
		return rows.Scan(&t.Level, &t.N, &t.Width, bytesOf(&t.Data))
	}, int64(level), n)
}

// Tiles returns those of the tiles that exist, in the order of keys.
func (tx *Tx) Tiles(keys []TileKey) ([]TileRow, error) {
	tiles := make([]TileRow, 0, len(keys))
	for _, k := range keys {
		t, err := tx.Tile(k.Level, k.N)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		tiles = append(tiles, *t)
	}
	return tiles, nil
}

// PutTiles adds tiles or replaces those of the same level and number; of several
// with one key the last counts.
func (tx *Tx) PutTiles(rows []TileRow) error {
	const text = `INSERT INTO tile (level, n, width, data) VALUES [($1, $2, $3, $4)]
		ON CONFLICT (level, n) DO UPDATE SET width = excluded.width, data = excluded.data`
	rows = lastOf(rows, func(t *TileRow) TileKey { return TileKey{t.Level, t.N} })
	return each(tx, "put tiles", text, rows, func(args []any, t *TileRow) []any {
		return append(args, int64(t.Level), t.N, int64(t.Width), blob(t.Data))
	})
}

// A CheckpointRow is a signed head of the tree, of Size records.
type CheckpointRow struct {
	Size, Time int64 // Time in µs
	Note       string
}

func scanCheckpoint(rows *sql.Rows, c *CheckpointRow) error {
	return rows.Scan(&c.Size, &c.Time, &c.Note)
}

// LatestCheckpoint returns the checkpoint of the most records, or [ErrNotFound].
func (tx *Tx) LatestCheckpoint() (*CheckpointRow, error) {
	const text = `SELECT size, time, note FROM checkpoint ORDER BY size DESC LIMIT 1`
	return one(tx, "latest checkpoint", text, scanCheckpoint)
}

// Checkpoints returns the latest checkpoints, the latest first.
func (tx *Tx) Checkpoints(limit int) ([]CheckpointRow, error) {
	const text = `SELECT size, time, note FROM checkpoint ORDER BY size DESC LIMIT $1`
	return list(tx, "checkpoints", text, scanCheckpoint, int64(limit))
}

// PutCheckpoint adds a checkpoint or replaces the one of the same size.
func (tx *Tx) PutCheckpoint(c CheckpointRow) error {
	const text = `INSERT INTO checkpoint (size, time, note) VALUES ($1, $2, $3)
		ON CONFLICT (size) DO UPDATE SET time = excluded.time, note = excluded.note`
	return tx.exec("put checkpoint", text, c.Size, c.Time, c.Note)
}

// PruneCheckpoints removes the checkpoints made before a time (µs), except the
// last of each hour.
func (tx *Tx) PruneCheckpoints(before int64) error {
	const text = `DELETE FROM checkpoint WHERE time < $1 AND size NOT IN (
		SELECT max(size) FROM checkpoint WHERE time < $1 GROUP BY time / 3600000000)`
	return tx.exec("prune checkpoints", text, before)
}
