package guard

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"

	"tacet"
	"tacet/internal/store"
)

// Bounds of the search for a record.
const (
	// findPage is how many records are read at once, findPages how many such pages are
	// looked through on either side of where an id's time belongs: clocks of nodes
	// differ, and a slow read is recorded later than it was decided.
	findPage  = 1000
	findPages = 16
	// findBack is how many pages, from the end, are searched for the id of a request,
	// which says nothing of its time.
	findBack = 100
)

// FindRecord returns the record with an id: its own, in hex or written as the UUID that
// CloudTrail shows, or else that of a request, among the last hundred thousand records. It
// returns nil when there is none.
func (s *scope) FindRecord(id string) (*StoredRecord, error) {
	id = strings.ToLower(id)
	var found *StoredRecord
	err := s.source().read(func(tx *store.Tx) error {
		last, err := tx.RecordsDesc(math.MaxInt64, 1)
		if err != nil || len(last) == 0 {
			return err
		}
		f := finder{tx: tx, end: last[0].Seq + 1}
		if own, err := hex.DecodeString(strings.ReplaceAll(id, "-", "")); err == nil && len(own) == 16 {
			f.prefix = []byte(`{"id":"` + hex.EncodeToString(own) + `"`)
			found, err = f.near(int64(binary.BigEndian.Uint64(own)>>16) * 1000)
			if err != nil || found != nil {
				return err
			}
		}
		found, err = f.back(id)
		return err
	})
	return found, err
}

// finder looks for one record in the log.
type finder struct {
	tx     *store.Tx
	end    int64 // the number of records
	prefix []byte
}

// near looks around the place where records of a time stand.
func (f *finder) near(micros int64) (*StoredRecord, error) {
	lo, hi := int64(0), f.end // the first record of that time or later
	for lo < hi {
		mid := lo + (hi-lo)/2
		rows, err := f.tx.Records(mid, 1)
		if err != nil {
			return nil, err
		}
		if len(rows) == 1 && rows[0].Time < micros {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for i := range int64(findPages) {
		for _, from := range []int64{lo + i*findPage, lo - (i+1)*findPage} {
			if from+findPage <= 0 || from >= f.end {
				continue
			}
			n := findPage + min(from, 0) // the last page before the beginning is shorter
			rec, err := f.page(max(from, 0), int(n), func(body []byte) bool { return bytes.HasPrefix(body, f.prefix) })
			if err != nil || rec != nil {
				return rec, err
			}
		}
	}
	return nil, nil
}

// back looks for a request's record from the end of the log.
func (f *finder) back(request string) (*StoredRecord, error) {
	if len(request) != len("00000000-0000-0000-0000-000000000000") {
		return nil, nil
	}
	mark := append([]byte(`,"req":`), tacet.AppendJSONValue(nil, request)...)
	of := func(body []byte) *tacet.Record {
		if !bytes.Contains(body, mark) {
			return nil
		}
		rec, err := tacet.ParseRecord(body)
		if err != nil || rec.RequestID != request {
			return nil
		}
		return rec
	}
	// Of the records of one request, as a batch has, a refusal is what is asked about.
	refused := func(body []byte) bool { rec := of(body); return rec != nil && rec.Outcome == tacet.OutcomeDenied }
	its := func(body []byte) bool { return of(body) != nil }
	for i := range int64(findBack) {
		from := f.end - (i+1)*findPage
		if from+findPage <= 0 {
			break
		}
		rec, err := f.page(max(from, 0), int(findPage+min(from, 0)), refused, its)
		if err != nil || rec != nil {
			return rec, err
		}
	}
	return nil, nil
}

// page returns, of n records from a number on, the first that fits, by the first of the
// tests that one passes.
func (f *finder) page(from int64, n int, tests ...func(body []byte) bool) (*StoredRecord, error) {
	rows, err := f.tx.Records(from, n)
	if err != nil {
		return nil, err
	}
	for _, fits := range tests {
		for _, r := range rows {
			if fits(r.Body) {
				return &StoredRecord{r.Seq, r.Body}, nil
			}
		}
	}
	return nil, nil
}
