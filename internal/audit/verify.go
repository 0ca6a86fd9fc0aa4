package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"tacet"
)

const verifyBatch = 1024

// VerifyLog reads the whole log again: it hashes every record, compares the hashes
// with the stored tiles and the root with the signed checkpoint, and looks for gaps.
// since, when not nil, is an earlier checkpoint that was kept elsewhere (its Note is
// what counts): the log must begin with what that one covered. It needs the same
// few kilobytes for a log of any length, and the log may grow meanwhile.
//
// What does not hold is told in the report. The error is for what could not be
// checked: the store's, or a verifierKey or since that cannot be read or is not of
// this deployment.
func VerifyLog(ctx context.Context, log Log, verifierKey string, since *Checkpoint) (Report, error) {
	v := verifier{ctx: ctx, log: log, report: Report{Key: verifierKey, FirstBad: -1}, misfiled: -1}
	if _, err := note.NewVerifier(verifierKey); err != nil {
		return v.report, fmt.Errorf("the verifier key cannot be read: %w", err)
	}
	if since != nil {
		head, err := OpenCheckpoint(since.Note, verifierKey)
		if err != nil {
			return v.report, err
		}
		v.since = &head
	}
	if err := v.readHead(); err != nil || !v.report.OK() {
		return v.report, err
	}
	if err := v.readLeaves(); err != nil {
		return v.report, err
	}
	v.conclude()
	return v.report, nil
}

// verifier is one run of VerifyLog.
type verifier struct {
	ctx    context.Context
	log    Log
	report Report
	since  *Head
	head   Head // of the latest checkpoint; the zero Head when there is none

	edge    edge
	pending []Tile // computed from the records, to be compared with the stored ones
	// firstTile is what was first found wrong with the tiles themselves. It counts only
	// when the records are right.
	firstTile string
	// misfiled is the first record whose time column is wrong, -1 for none. It counts
	// only when the records are right, too.
	misfiled int64
}

// readHead opens the latest checkpoint and compares it with since.
func (v *verifier) readHead() error {
	c, err := v.log.Latest(v.ctx)
	if err != nil {
		return err
	}
	r := &v.report
	if c != nil {
		if v.head, err = c.open(r.Key); err != nil {
			r.fail(-1, "%s", problem(err))
			return nil
		}
		r.Checkpoint, r.Signed, r.SignedAt = c.Note, v.head.Size, v.head.Time
	}
	if v.since != nil && v.since.Size > v.head.Size {
		r.fail(v.head.Size, "the log was rolled back: the checkpoint kept elsewhere covers %d records, the log's latest covers %d", v.since.Size, v.head.Size)
		return nil
	}
	return v.putBack()
}

// putBack looks for tiles of records that the latest checkpoint does not cover.
func (v *verifier) putBack() error {
	stored, err := v.log.Tiles(v.ctx, edgeIDs(v.head.Size))
	if err != nil {
		return err
	}
	for _, t := range stored {
		width := v.head.Size >> (TileHeight * t.Level) & (tileWidth - 1)
		if t.Width <= int(width) {
			continue
		}
		moved, err := checkpointMoved(v.ctx, v.log, v.head.Size)
		if err == nil && !moved {
			v.report.fail(v.head.Size, "%s", problem(errPutBack(v.head.Size)))
		}
		return err
	}
	return nil
}

// readLeaves hashes all records in order, until the end or the first gap.
func (v *verifier) readLeaves() error {
	if err := v.passed(); err != nil { // the heads may be of no records
		return err
	}
	for {
		leaves, err := v.log.Leaves(v.ctx, v.edge.size, verifyBatch)
		if err != nil {
			return err
		}
		for i := range leaves {
			l := &leaves[i]
			if l.Seq != v.edge.size {
				v.report.fail(v.edge.size, "record %d is missing: record %d follows the one before it", v.edge.size, l.Seq)
				return v.compare()
			}
			v.checkTime(l)
			v.edge.add(tlog.RecordHash(l.Body))
			if err := v.passed(); err != nil {
				return err
			}
		}
		if err := v.compare(); err != nil {
			return err
		}
		// A short batch of signed records may have been cut for their size; one of unsigned
		// records is near enough to the end of a log that grows meanwhile.
		if len(leaves) == 0 || len(leaves) < verifyBatch && v.edge.size >= v.head.Size {
			return nil
		}
	}
}

// passed compares the root where the records end that a checkpoint covers.
func (v *verifier) passed() error {
	n, full := v.edge.size, v.edge.takeFull()
	if n > v.head.Size {
		return nil // not signed, so there is nothing to compare with
	}
	v.pending = append(v.pending, full...)
	if n == v.head.Size {
		v.pending = append(v.pending, v.edge.partial(0)...)
		if err := v.compare(); err != nil { // it can name the record, the root cannot
			return err
		}
		if root := v.edge.root(); root != v.head.Root && n > 0 {
			v.report.fail(-1, "the %d signed records hash to %s, and the checkpoint says %s: records and tiles were changed after they were signed",
				n, root, v.head.Root)
		}
	}
	if v.since != nil && n == v.since.Size {
		if root := v.edge.root(); root != v.since.Root && n > 0 {
			v.report.fail(-1, "the log has another history: its first %d records hash to %s, and the checkpoint kept elsewhere says %s", n, root, v.since.Root)
		}
	}
	return nil
}

// compare reads the tiles that were computed and finds the first difference.
func (v *verifier) compare() error {
	if len(v.pending) == 0 {
		return nil
	}
	ids := make([]TileID, len(v.pending))
	for i, t := range v.pending {
		ids[i] = TileID{t.Level, t.N}
	}
	stored, err := v.log.Tiles(v.ctx, ids)
	if err != nil {
		return err
	}
	byID := make(map[TileID]Tile, len(stored))
	for _, t := range stored {
		byID[TileID{t.Level, t.N}] = t
	}
	for i, want := range v.pending {
		if err := v.compareTile(want, byID[ids[i]]); err != nil {
			return err
		}
	}
	v.pending = v.pending[:0]
	return nil
}

// compareTile compares a computed tile with the stored one. Where they differ the
// record may have been changed or the tile; the signed root tells which.
func (v *verifier) compareTile(want, got Tile) error {
	if len(got.Data) < len(want.Data) || got.Width*tlog.HashSize != len(got.Data) {
		v.badTile("tile %d of level %d holds %d hashes of %d", want.N, want.Level, got.Width, want.Width)
		return nil
	}
	if bytes.Equal(want.Data, got.Data[:len(want.Data)]) {
		return nil
	}
	if want.Level > 0 {
		v.badTile("tile %d of level %d does not hold the hashes of the tiles below it", want.N, want.Level)
		return nil
	}
	i := 0
	for want.Data[i] == got.Data[i] {
		i++
	}
	seq := want.N<<TileHeight + int64(i/tlog.HashSize)
	switch _, err := hashesAt(v.ctx, v.log, v.head, tlog.StoredHashIndex(0, seq)); {
	case err == nil:
		v.report.fail(seq, "record %d is not what was signed: it was changed, or another stands in its place", seq)
	case isTamper(err):
		v.badTile("tile %d of level 0 does not hold the hash of record %d", want.N, seq)
	default:
		return err
	}
	return nil
}

// conclude says what the whole shows.
func (v *verifier) conclude() {
	r := &v.report
	r.Records, r.To = v.edge.size, v.edge.size
	r.Root = v.edge.root().String()
	if r.OK() && r.Records < r.Signed {
		r.fail(r.Records, "the log is shorter than the checkpoint says: %d records were signed, and those from record %d on are missing", r.Signed, r.Records)
	}
	if r.OK() && v.misfiled >= 0 {
		r.fail(v.misfiled, "record %d is what was signed, but filed under another time than its own", v.misfiled)
	}
	if r.OK() && v.firstTile != "" {
		r.fail(-1, "the records are what was signed, but a stored tile is not: %s", v.firstTile)
	}
}

func (v *verifier) badTile(format string, args ...any) {
	if v.firstTile == "" {
		v.firstTile = fmt.Sprintf(format, args...)
	}
}

// checkTime compares the time beside a record, which is only for search, with the one
// in it: to move it would hide the record from a search.
func (v *verifier) checkTime(l *Leaf) {
	if us, ok := recordTime(l.Body); ok && us != l.Time && v.misfiled < 0 {
		v.misfiled = l.Seq
	}
}

var timeMark = []byte(`,"t":"`)

// recordTime finds the time in a stored record without parsing the rest of it. In a
// record of ours the mark cannot occur earlier: quotes within the id are escaped.
func recordTime(body []byte) (us int64, ok bool) {
	if i := bytes.Index(body, timeMark); i >= 0 {
		text := body[i+len(timeMark):]
		if end := bytes.IndexByte(text, '"'); end >= 0 {
			if t, err := time.Parse(time.RFC3339Nano, string(text[:end])); err == nil {
				return t.UnixMicro(), true
			}
		}
	}
	rec, err := tacet.ParseRecord(body)
	if err != nil {
		return 0, false
	}
	return rec.Time.UnixMicro(), true
}

// isTamper reports whether err contradicts what was signed, rather than being the store's.
func isTamper(err error) bool {
	var t *TamperError
	ok := errors.As(err, &t)
	return ok
}
