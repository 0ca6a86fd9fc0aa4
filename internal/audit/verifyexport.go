package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"golang.org/x/mod/sumdb/tlog"
)

// maxLine bounds a line of an export in bytes. It is several times what a record can
// grow to, given the limit on the size of a request.
const maxLine = 16 << 20

// maxSeq keeps what is added to a sequence number from overflowing.
const maxSeq = 1 << 62

// VerifyExport verifies an export with nothing but a verifier key: that the
// checkpoint in its last line is signed with that key, that the records are, in
// order and without a gap, those of the signed tree from the first to the last, and
// that each line says exactly what the record within it says. When no key is given the
// export's own is used; the report then says so.
//
// The input may be anything; memory is bounded by the longest line. What does not
// hold is told in the report; the error is that of r.
func VerifyExport(r io.Reader, verifierKey string) (Report, error) {
	v := exportVerifier{report: Report{Key: verifierKey, FirstBad: -1}}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	n := 0
	for v.report.OK() && lines.Scan() {
		n++
		v.line(n, lines.Bytes())
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		v.report.fail(-1, "line %d is longer than %d bytes", n+1, maxLine)
	case err != nil:
		return v.report, err
	}
	if v.report.OK() && !v.ended {
		v.report.fail(-1, "the export has no trailer: its end was cut off")
	}
	return v.report, nil
}

// exportVerifier is one run of VerifyExport.
type exportVerifier struct {
	report  Report
	records *Range   // nil before the first record
	form    lineForm // of the lines so far
	ended   bool     // the trailer was seen
}

// line takes the next line.
func (v *exportVerifier) line(number int, text []byte) {
	if v.ended {
		v.report.fail(-1, "line %d stands after the trailer", number)
		return
	}
	var l exportLine
	if err := json.Unmarshal(text, &l); err != nil {
		v.report.fail(-1, "line %d is not a line of an export: it is not the JSON expected", number)
		return
	}
	if l.Note != nil {
		v.trailer(number, text)
		return
	}
	leaf, form, ok := l.leaf()
	if !ok {
		v.report.fail(-1, "line %d is not a line of an export: there is no record in it", number)
		return
	}
	v.record(number, text, leaf, form)
}

// record hashes a record and compares its line with the rendering.
func (v *exportVerifier) record(number int, text []byte, leaf *Leaf, form lineForm) {
	if v.records == nil {
		if leaf.Seq < 0 || leaf.Seq > maxSeq {
			v.report.fail(-1, "line %d has no proper sequence number", number)
			return
		}
		v.records, v.form = NewRange(leaf.Seq), form
	}
	r := &v.report
	switch next := v.records.to; {
	case leaf.Seq != next:
		r.fail(next, "line %d holds record %d where record %d is expected: a record was removed, added or moved", number, leaf.Seq, next)
		return
	case form.format != v.form.format:
		r.fail(next, "line %d has another format than the lines before it", number)
		return
	}
	if !bytes.Equal(v.form.append(nil, leaf), text) {
		r.fail(leaf.Seq, "line %d does not say what record %d within it says: the line was changed, or another version of Tacet wrote it", number, leaf.Seq)
		return
	}
	v.records.Add(tlog.RecordHash(leaf.Body))
	r.Records++
}

// trailer verifies the last line, and with it all before.
func (v *exportVerifier) trailer(number int, text []byte) {
	v.ended = true
	r := &v.report
	var t trailer
	if err := json.Unmarshal(text, &t); err != nil || !bytes.Equal(t.append(nil), text) {
		r.fail(-1, "line %d is not a proper trailer", number)
		return
	}
	if t.Version != rendering {
		r.fail(-1, "the export was made by another version of Tacet (form %d, this one reads %d)", t.Version, rendering)
		return
	}
	switch {
	case r.Key == "":
		r.Key, r.KeyFromExport = t.Key, true
	case r.Key != t.Key:
		r.fail(-1, "the export is of another deployment: its key is %q", t.Key)
		return
	}
	head, err := OpenCheckpoint(t.Note, r.Key)
	if err != nil {
		r.fail(-1, "%s", err.Error())
		return
	}
	r.From, r.To, r.Signed, r.Root = t.From, t.To, head.Size, head.Root.String()
	r.Checkpoint, r.SignedAt = t.Note, head.Time
	v.prove(&t, head)
}

// prove verifies that the records are what the trailer says they are.
func (v *exportVerifier) prove(t *trailer, head Head) {
	r := &v.report
	if v.records == nil {
		if t.From < 0 || t.From > maxSeq {
			r.fail(-1, "the trailer's range is not proper")
			return
		}
		v.records, v.form = NewRange(t.From), lineForm{t.Format, tenantOf(r.Key)}
	}
	switch {
	case t.Format != v.form.format:
		r.fail(-1, "the trailer is of an export in another format")
		return
	case t.From != v.records.from, t.To != v.records.to:
		r.fail(-1, "the export holds the records %d to %d and its trailer says %d to %d: lines were removed or added",
			v.records.from, v.records.to, t.From, t.To)
		return
	}
	// The key may be known only now, so that the lines were taken at their word till here.
	if v.form.format == FormatAzure && v.form.tenant != tenantOf(r.Key) {
		r.fail(-1, "the records are shown for the tenant %q and the deployment is another", v.form.tenant)
		return
	}
	proof, err := t.hashes()
	if err != nil {
		r.fail(-1, "the trailer's proof is not proper")
		return
	}
	if err := CheckRange(proof, v.records, head.Size, head.Root); err != nil {
		r.fail(-1, "the records do not prove to be those that were signed: %s", err)
	}
}
