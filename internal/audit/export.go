package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"

	"tacet"
)

// A Format is the form of an export's lines.
type Format string

// The formats. All end with the same trailer and can be verified offline.
const (
	// FormatTacet is {"seq":N,"record":{…}}, the record as it is stored.
	FormatTacet Format = "tacet"
	// FormatCloudTrail is a CloudTrail record a line; see [CloudTrail]. The stored record
	// is in additionalEventData.tacet.record, as a string.
	FormatCloudTrail Format = "cloudtrail"
	// FormatAzure is an AuditEvent of Azure Key Vault's a line; see [AuditEvent]. The stored
	// record is in properties.tacet.record, as a string.
	FormatAzure Format = "azure"
)

// ParseFormat returns the format of that name.
func ParseFormat(name string) (Format, error) {
	switch f := Format(name); f {
	case FormatTacet, FormatCloudTrail, FormatAzure:
		return f, nil
	}
	return "", tacet.Errorf(tacet.InvalidParameter, "There is no export format %q; the formats are %q, %q and %q.", name, FormatTacet, FormatCloudTrail, FormatAzure)
}

// rendering counts the changes of how records are rendered: an export of another
// version cannot be compared byte by byte.
const rendering = 2

// exportBatch is small because a record may be large.
const exportBatch = 512

// Export writes the records [from, to) as JSON lines, in order, and then a trailer
// with the latest checkpoint and the proof that these records are in its tree. A
// negative to means all that is signed. See [VerifyExport].
//
// Errors: [ErrNoCheckpoint]; [*TamperError] when the checkpoint or the tiles do not
// hold or a record is missing; those of the log and of w. A record that was changed
// is exported as it is: verifying the export tells.
func Export(ctx context.Context, w io.Writer, log Log, verifierKey string, from, to int64, format Format) error {
	if _, err := ParseFormat(string(format)); err != nil {
		return err
	}
	c, err := log.Latest(ctx)
	if err != nil {
		return err
	}
	if c == nil {
		return ErrNoCheckpoint
	}
	head, err := c.open(verifierKey)
	if err != nil {
		return err
	}
	if to < 0 {
		to = head.Size
	}
	// Asked for first, so that nothing is written when the range is not signed.
	proof, err := ProveRange(ctx, log, head, from, to)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	if err := exportRecords(ctx, out, log, from, to, lineForm{format, tenantOf(verifierKey)}); err != nil {
		return err
	}
	t := trailer{Note: c.Note, Key: verifierKey, Format: format, Version: rendering, From: from, To: to}
	for _, h := range proof {
		t.Proof = append(t.Proof, h.String())
	}
	if _, err := out.Write(append(t.append(nil), '\n')); err != nil {
		return err
	}
	return out.Flush()
}

func exportRecords(ctx context.Context, w io.Writer, log Log, from, to int64, form lineForm) error {
	var line []byte
	for from < to {
		leaves, err := log.Leaves(ctx, from, int(min(exportBatch, to-from)))
		if err != nil {
			return err
		}
		if len(leaves) == 0 {
			return tampered("the log is shorter than the checkpoint says: record %d is missing", from)
		}
		for i := range leaves {
			if leaves[i].Seq != from {
				return tampered("record %d is missing: record %d follows the one before it", from, leaves[i].Seq)
			}
			line = append(form.append(line[:0], &leaves[i]), '\n')
			if _, err := w.Write(line); err != nil {
				return fmt.Errorf("audit: writing the export: %w", err)
			}
			from++
		}
	}
	return nil
}

// A lineForm is what the lines of an export have in common.
type lineForm struct {
	format Format
	tenant string // the deployment's, which FormatAzure shows
}

// append renders a record. Any bytes have a rendering, so that a damaged record
// cannot keep the others from being exported, nor forge a line.
func (f lineForm) append(dst []byte, leaf *Leaf) []byte {
	if f.format == FormatTacet {
		return appendStored(dst, leaf)
	}
	rec, err := tacet.ParseRecord(leaf.Body)
	if err != nil {
		rec = &tacet.Record{Operation: "UnreadableRecord"}
	}
	if f.format == FormatAzure {
		return appendAuditEvent(dst, rec, f.tenant, leaf)
	}
	return appendCloudTrail(dst, rec, leaf)
}

// appendStored writes a record as it is stored.
func appendStored(dst []byte, leaf *Leaf) []byte {
	o := newObject(dst)
	o.value("seq", leaf.Seq)
	if plainObject(leaf.Body) {
		o.raw("record", leaf.Body)
	} else {
		o.text("record", string(leaf.Body))
	}
	return o.close()
}

// plainObject reports whether a stored record can stand in a line as it is.
func plainObject(body []byte) bool {
	if len(body) == 0 || body[0] != '{' || body[len(body)-1] != '}' || !json.Valid(body) {
		return false
	}
	for _, c := range body {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(body)
}

// A trailer is the last line of an export: what proves the others.
type trailer struct {
	Note    string   `json:"tacetCheckpoint"`
	Key     string   `json:"verifierKey"`
	Format  Format   `json:"format"`
	Version int      `json:"version"`
	From    int64    `json:"from"`
	To      int64    `json:"to"`
	Proof   []string `json:"proof"` // base64
}

func (t *trailer) append(dst []byte) []byte {
	o := newObject(dst)
	o.text("tacetCheckpoint", t.Note)
	o.text("verifierKey", t.Key)
	o.text("format", string(t.Format))
	o.value("version", t.Version)
	o.value("from", t.From)
	o.value("to", t.To)
	o.value("proof", t.Proof)
	return o.close()
}

// hashes returns the proof.
func (t *trailer) hashes() ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(t.Proof))
	for i, text := range t.Proof {
		h, err := tlog.ParseHash(text)
		if err != nil {
			return nil, err
		}
		out[i] = h
	}
	return out, nil
}

// exportLine is what has to be read of a line before it can be rendered again.
type exportLine struct {
	Seq        *int64          `json:"seq"`
	Record     json.RawMessage `json:"record"`
	Additional embedding       `json:"additionalEventData"`
	Properties embedding       `json:"properties"`
	Tenant     string          `json:"tenantId"`
	Note       *string         `json:"tacetCheckpoint"`
}

// An embedding is where a line in a cloud's form keeps the stored record.
type embedding struct {
	Tacet *struct {
		Seq    int64  `json:"seq"`
		Record string `json:"record"`
	} `json:"tacet"`
}

// leaf returns the stored record, nil when there is none.
func (e *embedding) leaf() *Leaf {
	if e.Tacet == nil {
		return nil
	}
	return &Leaf{Seq: e.Tacet.Seq, Body: []byte(e.Tacet.Record)}
}

// leaf returns the stored record within a line, and the form of the line.
func (l *exportLine) leaf() (*Leaf, lineForm, bool) {
	if leaf := l.Additional.leaf(); leaf != nil {
		return leaf, lineForm{format: FormatCloudTrail}, true
	}
	if leaf := l.Properties.leaf(); leaf != nil {
		return leaf, lineForm{FormatAzure, l.Tenant}, true
	}
	if l.Seq == nil || len(l.Record) == 0 {
		return nil, lineForm{}, false
	}
	body := []byte(l.Record)
	if body[0] == '"' {
		var text string
		if json.Unmarshal(body, &text) != nil {
			return nil, lineForm{}, false
		}
		body = []byte(text)
	}
	return &Leaf{Seq: *l.Seq, Body: body}, lineForm{format: FormatTacet}, true
}
