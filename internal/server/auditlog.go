package server

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"tacet/internal/audit"
	"tacet/internal/store"
)

// auditLog shows the store to package audit as its log.
type auditLog struct{ db *store.DB }

// Leaves implements [audit.Log].
func (l auditLog) Leaves(ctx context.Context, from int64, limit int) ([]audit.Leaf, error) {
	var leaves []audit.Leaf
	err := l.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Records(from, limit)
		leaves = make([]audit.Leaf, len(rows))
		for i, r := range rows {
			leaves[i] = audit.Leaf{Seq: r.Seq, Time: r.Time, Body: r.Body}
		}
		return err
	})
	return leaves, err
}

// Tiles implements [audit.Log].
func (l auditLog) Tiles(ctx context.Context, ids []audit.TileID) ([]audit.Tile, error) {
	keys := make([]store.TileKey, len(ids))
	for i, id := range ids {
		keys[i] = store.TileKey(id)
	}
	var tiles []audit.Tile
	err := l.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Tiles(keys)
		tiles = make([]audit.Tile, len(rows))
		for i, r := range rows {
			tiles[i] = audit.Tile(r)
		}
		return err
	})
	return tiles, err
}

// Latest implements [audit.Log].
func (l auditLog) Latest(ctx context.Context) (*audit.Checkpoint, error) {
	var latest *audit.Checkpoint
	err := l.db.Read(ctx, func(tx *store.Tx) error {
		c, err := latestCheckpoint(tx)
		latest = c
		return err
	})
	return latest, err
}

func latestCheckpoint(tx *store.Tx) (*audit.Checkpoint, error) {
	row, err := tx.LatestCheckpoint()
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // the interface says so
	}
	if err != nil {
		return nil, err
	}
	c := audit.Checkpoint(*row)
	return &c, nil
}

// Advance implements [audit.Log]. The one writer of the store is the fence: what is
// read and what is written here stand in one transaction that no other overlaps.
func (l auditLog) Advance(ctx context.Context, expected int64, tiles []audit.Tile, c audit.Checkpoint) error {
	rows := make([]store.TileRow, len(tiles))
	for i, t := range tiles {
		rows[i] = store.TileRow(t)
	}
	// Durable always: a checkpoint that was handed out must not be lost, nor must what it
	// covers, or the log would look rolled back.
	return l.db.Write(ctx, true, func(tx *store.Tx) error {
		latest, err := latestCheckpoint(tx)
		if err != nil {
			return err
		}
		size := int64(0)
		if latest != nil {
			size = latest.Size
		}
		if size != expected {
			return audit.ErrRaced
		}
		if err := tx.PutTiles(rows); err != nil {
			return err
		}
		return tx.PutCheckpoint(store.CheckpointRow(c))
	})
}

// followedLog is the log as the follower sees it. It notes when the follower last had
// signed everything there was, so that a follower that hangs or fails is seen.
type followedLog struct {
	auditLog
	caughtUp atomic.Int64 // the machine's time, Unix nanoseconds
}

func (l *followedLog) touch() { l.caughtUp.Store(time.Now().UnixNano()) }

// Leaves implements [audit.Log]. Nothing new means that all is signed.
func (l *followedLog) Leaves(ctx context.Context, from int64, limit int) ([]audit.Leaf, error) {
	leaves, err := l.auditLog.Leaves(ctx, from, limit)
	if err == nil && len(leaves) == 0 {
		l.touch()
	}
	return leaves, err
}

// Advance implements [audit.Log].
func (l *followedLog) Advance(ctx context.Context, expected int64, tiles []audit.Tile, c audit.Checkpoint) error {
	err := l.auditLog.Advance(ctx, expected, tiles, c)
	if err == nil {
		l.touch()
	}
	return err
}

// lag is how long ago the follower last had signed everything.
func (l *followedLog) lag() time.Duration { return time.Since(time.Unix(0, l.caughtUp.Load())) }
