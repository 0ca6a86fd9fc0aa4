package audit

import (
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// An edge is the right edge of the tree: of each level the hashes of the tile that is
// not full yet. It is all that growing the tree needs, at most 8 KiB a level,
// and it determines the root.
type edge struct {
	size   int64
	levels [][]byte  // levels[l] are the hashes of the unfinished tile of level l
	full   []Tile    // tiles that became full since they were last taken
	last   tlog.Hash // of the last record, when there is one
}

// add appends the hash of one record. Each record costs its own hash and, spread over
// the tile, about one more.
func (e *edge) add(h tlog.Hash) {
	e.size++
	e.last = h
	n := e.size // of hashes on the level
	for level := 0; ; level++ {
		if level == len(e.levels) {
			e.levels = append(e.levels, nil)
		}
		if e.levels[level] == nil {
			e.levels[level] = make([]byte, 0, tileWidth*tlog.HashSize)
		}
		data := append(e.levels[level], h[:]...)
		if len(data) < tileWidth*tlog.HashSize {
			e.levels[level] = data
			return
		}
		n >>= TileHeight
		e.full = append(e.full, Tile{Level: level, N: n - 1, Width: tileWidth, Data: data})
		e.levels[level] = nil // the tile keeps the bytes
		h = subtreeHash(data)
	}
}

// subtreeHash is the hash of the perfect subtree over the hashes in data.
func subtreeHash(data []byte) tlog.Hash {
	if len(data) == tlog.HashSize {
		return tlog.Hash(data)
	}
	half := len(data) / 2
	return tlog.NodeHash(subtreeHash(data[:half]), subtreeHash(data[half:]))
}

// takeFull returns the tiles that became full since the last call.
func (e *edge) takeFull() []Tile {
	full := e.full
	e.full = nil
	return full
}

// partial returns a copy of the unfinished tiles that changed since the tree had
// since records.
func (e *edge) partial(since int64) []Tile {
	var out []Tile
	for level, data := range e.levels {
		n := e.size >> (TileHeight * level)
		if len(data) > 0 && n != since>>(TileHeight*level) {
			out = append(out, Tile{Level: level, N: n >> TileHeight, Width: len(data) / tlog.HashSize, Data: slices.Clone(data)})
		}
	}
	return out
}

// root returns the hash of the tree. From the bottom up and from right to left, each
// perfect subtree of the edge is the left neighbour of all that came before it.
func (e *edge) root() tlog.Hash {
	var h tlog.Hash
	some := false
	for _, data := range e.levels {
		for len(data) > 0 {
			width := len(data) / tlog.HashSize
			lowest := width & -width // the rightmost perfect subtree
			cut := len(data) - lowest*tlog.HashSize
			sub := subtreeHash(data[cut:])
			if some {
				sub = tlog.NodeHash(sub, h)
			}
			h, some, data = sub, true, data[:cut]
		}
	}
	if !some {
		h, _ = tlog.TreeHash(0, nil)
	}
	return h
}

// edgeIDs names the tiles at the right edge of a tree of size records, one a level
// and one level more than it has: there must be nothing.
func edgeIDs(size int64) []TileID {
	var ids []TileID
	for level := 0; ; level++ {
		n := size >> (TileHeight * level)
		ids = append(ids, TileID{level, n >> TileHeight})
		if n == 0 {
			return ids
		}
	}
}

// edgeOf builds the edge of a tree of size records from stored tiles, of which it
// takes the first hashes. beyond reports that the tiles hold more than the tree.
func edgeOf(size int64, tiles []Tile) (e *edge, beyond bool, err error) {
	e = &edge{size: size}
	byID, err := index(tiles)
	if err != nil {
		return nil, false, err
	}
	for _, id := range edgeIDs(size) {
		width := int(size >> (TileHeight * id.Level) & (tileWidth - 1))
		t := byID[id]
		if t.Width < width {
			return nil, false, tampered("tile %d of level %d holds %d hashes of %d", id.N, id.Level, t.Width, width)
		}
		beyond = beyond || t.Width > width
		var data []byte
		if width > 0 {
			data = make([]byte, width*tlog.HashSize, tileWidth*tlog.HashSize)
			copy(data, t.Data)
		}
		e.levels = append(e.levels, data)
	}
	return e, beyond, nil
}

// index maps tiles by id and checks that each has the bytes it says.
func index(tiles []Tile) (map[TileID]Tile, error) {
	byID := make(map[TileID]Tile, len(tiles))
	for _, t := range tiles {
		if t.Width < 1 || t.Width > tileWidth || len(t.Data) != t.Width*tlog.HashSize {
			return nil, tampered("tile %d of level %d is malformed", t.N, t.Level)
		}
		byID[TileID{t.Level, t.N}] = t
	}
	return byID, nil
}
