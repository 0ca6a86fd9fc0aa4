package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"tacet"
	"tacet/internal/audit"
)

var formats = []audit.Format{audit.FormatTacet, audit.FormatCloudTrail, audit.FormatAzure}

func export(t testing.TB, l audit.Log, from, to int64, f audit.Format) []byte {
	t.Helper()
	var out bytes.Buffer
	must(t, audit.Export(ctx, &out, l, newSigner(t).VerifierKey(), from, to, f))
	return out.Bytes()
}

func verifyExport(t testing.TB, data []byte) audit.Report {
	t.Helper()
	r, err := audit.VerifyExport(bytes.NewReader(data), newSigner(t).VerifierKey())
	must(t, err)
	return r
}

func TestExportVerifies(t *testing.T) {
	l := signed(t, 700)
	for _, f := range formats {
		for _, rg := range [][2]int64{{0, 700}, {0, -1}, {0, 0}, {700, 700}, {0, 1}, {699, 700}, {256, 512}, {3, 300}, {511, 513}} {
			data := export(t, l, rg[0], rg[1], f)
			to := rg[1]
			if to < 0 {
				to = 700
			}
			r := verifyExport(t, data)
			if !r.OK() || r.From != rg[0] || r.To != to || r.Records != to-rg[0] || r.Signed != 700 || r.KeyFromExport || !r.SignedAt.Equal(start) {
				t.Errorf("%s %v: %+v", f, rg, r)
			}
			if r.Root != head(t, l).Root.String() {
				t.Errorf("the root is %s", r.Root)
			}
			if got := bytes.Count(data, []byte("\n")); int64(got) != to-rg[0]+1 {
				t.Errorf("%d lines", got)
			}
			for line := range bytes.Lines(data) {
				if !json.Valid(line) {
					t.Fatalf("not JSON: %s", line)
				}
			}
		}
	}
	r, err := audit.VerifyExport(bytes.NewReader(export(t, l, 0, 5, audit.FormatTacet)), "")
	must(t, err)
	if !r.OK() || !r.KeyFromExport || r.Key != newSigner(t).VerifierKey() {
		t.Errorf("%+v", r)
	}
}

func TestExportForms(t *testing.T) {
	l := signed(t, 3)
	lines := strings.Split(string(export(t, l, 1, 2, audit.FormatTacet)), "\n")
	if want := `{"seq":1,"record":` + string(l.leaves[1].Body) + `}`; lines[0] != want {
		t.Errorf("got  %s\nwant %s", lines[0], want)
	}
	var trailer struct {
		Note, Key string
		From, To  int64
		Proof     []string
	}
	must(t, json.Unmarshal([]byte(strings.Replace(lines[1], "tacetCheckpoint", "note", 1)), &trailer))
	if trailer.Note != l.checkpoints[0].Note || trailer.From != 1 || trailer.To != 2 || len(trailer.Proof) != 2 {
		t.Errorf("the trailer is %s", lines[1])
	}
	lines = strings.Split(string(export(t, l, 1, 2, audit.FormatCloudTrail)), "\n")
	var ct struct {
		EventName           string
		AdditionalEventData struct{ Tacet struct{ Record string } }
	}
	must(t, json.Unmarshal([]byte(lines[0]), &ct))
	if ct.EventName != "TagResource" || ct.AdditionalEventData.Tacet.Record != string(l.leaves[1].Body) {
		t.Errorf("the line is %s", lines[0])
	}
}

// Any bytes in the store have a line of their own, and the export of a damaged log
// tells that it is damaged.
func TestExportDamagedRecord(t *testing.T) {
	for _, body := range []string{"", "\n", "{}\n{}", `{"id":`, "\xff\xfe", `"text"`, "null", " {}", "{} ", "{\"a\":\"\x7f\"}", `{"record":{}}`, `{"params":{"x":1e999}}`,
		`{"seq":9}],"tacetCheckpoint":"`} {
		l := signed(t, 5)
		l.leaves[2].Body = []byte(body)
		for _, f := range formats {
			data := export(t, l, 0, 5, f)
			if n := bytes.Count(data, []byte("\n")); n != 6 {
				t.Errorf("%q as %s: %d lines", body, f, n)
			}
			if r := verifyExport(t, data); r.OK() || !strings.Contains(r.Problem, "not those of the signed tree") && body != "\xff\xfe" {
				t.Errorf("%q as %s: %q", body, f, r.Problem)
			}
		}
		// A log that was signed with such a record is exported and proved like any other.
		l.tiles, l.checkpoints = map[audit.TileID]audit.Tile{}, nil
		advance(t, follower(t, l), 5)
		for _, f := range formats {
			if r := verifyExport(t, export(t, l, 0, 5, f)); !r.OK() && body != "\xff\xfe" {
				t.Errorf("%q as %s: %q", body, f, r.Problem)
			}
		}
	}
}

// Whatever byte of an export is changed, verification notices: everything in it is
// either hashed, signed or compared.
func TestExportEveryByte(t *testing.T) {
	l := signed(t, 12)
	for _, f := range formats {
		data := export(t, l, 3, 5, f)
		step := 1
		if testing.Short() {
			step = 7
		}
		for i := 0; i < len(data)-1; i += step { // the last line end may be missing
			for _, c := range []byte{data[i] ^ 1, ' '} {
				if c == data[i] {
					continue
				}
				was := data[i]
				data[i] = c
				if r := verifyExport(t, data); r.OK() {
					t.Errorf("%s: byte %d changed from %q to %q unnoticed", f, i, was, c)
				}
				data[i] = was
			}
		}
		if r := verifyExport(t, data); !r.OK() {
			t.Error(r.Problem)
		}
	}
}

func TestExportTampered(t *testing.T) {
	l := signed(t, 40)
	other := newLog()
	other.write(40)
	other.leaves[12].Body = record(13).AppendJSON(nil)
	advance(t, follower(t, other), 40)
	for _, f := range formats {
		lines := strings.SplitAfter(string(export(t, l, 10, 30, f)), "\n")
		lines = lines[:len(lines)-1]
		otherLines := strings.SplitAfter(string(export(t, other, 10, 30, f)), "\n")
		later := strings.SplitAfter(string(export(t, l, 11, 30, f)), "\n")
		for name, tc := range map[string]struct {
			lines []string
			want  string
		}{
			"removed":       {slices.Delete(slices.Clone(lines), 4, 5), "record 15 where record 14"},
			"first removed": {lines[1:], "its trailer says 10 to 30"},
			"last removed":  {slices.Delete(slices.Clone(lines), 19, 20), "its trailer says 10 to 30"},
			"cut":           {lines[:15], "cut off"},
			"empty":         {nil, "cut off"},
			"swapped":       {slices.Concat(lines[:4], lines[5:6], lines[4:5], lines[6:]), "record 15 where record 14"},
			"twice":         {slices.Concat(lines[:5], lines[4:]), "record 14 where record 15"},
			"foreign":       {slices.Concat(lines[:2], otherLines[2:3], lines[3:]), "not those of the signed tree"},
			"foreign all":   {slices.Concat(otherLines[:20], lines[20:]), "not those of the signed tree"},
			"other range":   {slices.Concat(lines[1:20], lines[20:]), "its trailer says"},
			"other trailer": {slices.Concat(lines[:20], later[19:]), "its trailer says 11 to 30"},
			"after":         {append(slices.Clone(lines), lines[0]), "after the trailer"},
			"two trailers":  {append(slices.Clone(lines), lines[20]), "after the trailer"},
			"blank line":    {slices.Insert(slices.Clone(lines), 3, "\n"), "not the JSON expected"},
			"visible":       {replace(lines, 5, "192.0.2.7", "192.0.2.8", 1), ""},
			"escaped":       {replace(lines, 5, "eu-central-1", "eu-central\\u002d1", 1), ""},
			"extra member":  {replace(lines, 5, "{", `{"x":1,`, 1), "the line was changed"},
			"proof changed": {replace(lines, 20, `"proof":["`, `"proof":["A`, 1), "proof is not proper"},
			"proof cut":     {replace(lines, 20, `"proof":["`, `"proof":["`+strings.Repeat("A", 43)+`=","`, 1), "proof"},
			"not JSON":      {replace(lines, 2, "{", "[", 1), "not the JSON expected"},
			"no record":     {slices.Insert(slices.Clone(lines), 0, "{}\n"), "no record in it"},
			"negative":      {slices.Insert(slices.Clone(lines), 0, `{"seq":-1,"record":{}}`+"\n"), "no proper sequence number"},
			"huge":          {slices.Insert(slices.Clone(lines), 0, `{"seq":9223372036854775807,"record":{}}`+"\n"), "no proper sequence number"},
			"version":       {replace(lines, 20, `"version":2`, `"version":1`, 1), "another version"},
			"format":        {replace(lines, 20, `"format":"`+string(f), `"format":"other`, 1), "another format"},
			"mixed formats": {slices.Concat(lines[:3], strings.SplitAfter(string(export(t, l, 13, 14, formats[(slices.Index(formats, f)+1)%2])), "\n")[:1], lines[4:]), "another format"},
		} {
			if r := verifyExport(t, []byte(strings.Join(tc.lines, ""))); r.OK() || !strings.Contains(r.Problem, tc.want) {
				t.Errorf("%s, %s: %q, want %q", f, name, r.Problem, tc.want)
			}
		}
	}
}

// An AuditEvent's line has the stored record in it, and shows the tenant that
// the key's deployment is: an export that is all of another tenant does not verify,
// whether the key came with it or not.
func TestExportAzure(t *testing.T) {
	l := signed(t, 3)
	data := export(t, l, 1, 2, audit.FormatAzure)
	var line struct {
		OperationName string
		TenantID      string
		Properties    struct {
			Tacet struct {
				Seq    int64
				Record string
			}
		}
	}
	must(t, json.Unmarshal(data[:bytes.IndexByte(data, '\n')], &line))
	if line.OperationName != "SecretUpdate" || line.TenantID != tenant || line.Properties.Tacet.Seq != 1 || line.Properties.Tacet.Record != string(l.leaves[1].Body) {
		t.Errorf("the line is %s", data)
	}
	other := tacet.TenantID("other")
	moved := bytes.ReplaceAll(data, []byte(tenant), []byte(other))
	moved = bytes.ReplaceAll(moved, []byte(strings.ToUpper(tenant)), []byte(strings.ToUpper(other)))
	for _, key := range []string{"", newSigner(t).VerifierKey()} {
		r, err := audit.VerifyExport(bytes.NewReader(data), key)
		must(t, err)
		if !r.OK() {
			t.Error(r.Problem)
		}
		r, err = audit.VerifyExport(bytes.NewReader(moved), key)
		must(t, err)
		if !strings.Contains(r.Problem, "for the tenant \""+other) {
			t.Errorf("another tenant: %q", r.Problem)
		}
	}
	r := verifyExport(t, bytes.Replace(data, []byte(`"resultType":"Success"`), []byte(`"resultType":"Failed"`), 1))
	if r.OK() || r.FirstBad != 1 {
		t.Errorf("%q (record %d)", r.Problem, r.FirstBad)
	}
}

// A visible field of a CloudTrail line is not hashed, but compared.
func TestExportVisibleField(t *testing.T) {
	lines := strings.SplitAfter(string(export(t, signed(t, 9), 0, 9, audit.FormatCloudTrail)), "\n")
	r := verifyExport(t, []byte(strings.Join(replace(lines, 4, `"eventName":"TagResource"`, `"eventName":"GetSecretValue"`, 1), "")))
	if r.OK() || r.FirstBad != 4 || !strings.Contains(r.Problem, "line 5 does not say what record 4 within it says") {
		t.Errorf("%q (record %d)", r.Problem, r.FirstBad)
	}
}

func TestExportOtherKeys(t *testing.T) {
	data := export(t, signed(t, 5), 0, 5, audit.FormatTacet)
	s, err := audit.NewSigner("tacet/other", slices.Repeat([]byte{9}, 32))
	must(t, err)
	r, err := audit.VerifyExport(bytes.NewReader(data), s.VerifierKey())
	must(t, err)
	if r.OK() || !strings.Contains(r.Problem, "another deployment") {
		t.Error(r.Problem)
	}
	// The key replaced in the export as well: the note is still not signed with it.
	data = bytes.Replace(data, []byte(newSigner(t).VerifierKey()), []byte(s.VerifierKey()), 1)
	r, err = audit.VerifyExport(bytes.NewReader(data), s.VerifierKey())
	must(t, err)
	if r.OK() || !strings.Contains(r.Problem, "not signed by") {
		t.Error(r.Problem)
	}
}

func TestExportRefuses(t *testing.T) {
	key := newSigner(t).VerifierKey()
	run := func(l audit.Log, w io.Writer, from, to int64, f audit.Format) error {
		return audit.Export(ctx, w, l, key, from, to, f)
	}
	var out bytes.Buffer
	if err := run(newLog(), &out, 0, -1, audit.FormatTacet); !errors.Is(err, audit.ErrNoCheckpoint) {
		t.Errorf("got %v", err)
	}
	l := signed(t, 20)
	if err := run(l, &out, 0, -1, "csv"); tacet.CodeOf(err) != tacet.InvalidParameter {
		t.Errorf("got %v", err)
	}
	if err := run(l, &out, 0, 21, audit.FormatTacet); err == nil {
		t.Error("records were exported that are not signed")
	}
	gap := l.clone()
	gap.leaves = slices.Delete(gap.leaves, 5, 6)
	wantTamper(t, run(gap, io.Discard, 0, -1, audit.FormatTacet))
	gap.leaves = nil
	wantTamper(t, run(gap, io.Discard, 0, -1, audit.FormatTacet))
	bad := l.clone()
	bad.checkpoints[0] = forge(t, 20)
	wantTamper(t, run(bad, &out, 0, -1, audit.FormatTacet))
	if out.Len() > 0 {
		t.Error("something was written before the refusal")
	}
	full := errors.New("no space left")
	if err := run(l, failingWriter{full}, 0, -1, audit.FormatTacet); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestVerifyExportReader(t *testing.T) {
	broken := errors.New("the network is gone")
	if _, err := audit.VerifyExport(iotest.ErrReader(broken), ""); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	// A line without an end must not be kept in memory.
	r, err := audit.VerifyExport(io.LimitReader(zeros{}, 1<<32), "")
	must(t, err)
	if r.OK() || !strings.Contains(r.Problem, "line 1 is longer than") {
		t.Error(r.Problem)
	}
	data := bytes.ReplaceAll(export(t, signed(t, 5), 0, 5, audit.FormatTacet), []byte("\n"), []byte("\r\n"))
	if r := verifyExport(t, data); !r.OK() {
		t.Errorf("line ends of another system: %s", r.Problem)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func replace(lines []string, i int, was, now string, n int) []string {
	out := slices.Clone(lines)
	out[i] = strings.Replace(out[i], was, now, n)
	return out
}

// FuzzVerifyExport: no input crashes, and one that verifies holds records of the log
// that was signed, those it says and no others.
func FuzzVerifyExport(f *testing.F) {
	l := signed(f, 9)
	key := newSigner(f).VerifierKey()
	for _, format := range formats {
		f.Add(export(f, l, 0, -1, format), true)
		f.Add(export(f, l, 3, 5, format), true)
		f.Add(export(f, l, 4, 4, format), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, expected bool) {
		expect := ""
		if expected {
			expect = key
		}
		r, err := audit.VerifyExport(bytes.NewReader(data), expect)
		if err != nil {
			t.Fatal(err)
		}
		if !r.OK() || r.Key != key {
			return
		}
		if r.From < 0 || r.To > 9 || r.Records != r.To-r.From {
			t.Fatalf("%+v", r)
		}
		for seq := r.From; seq < r.To; seq++ {
			body := l.leaves[seq].Body
			if !bytes.Contains(data, body) && !bytes.Contains(data, []byte(strconv.Quote(string(body)))) {
				t.Fatalf("record %d is not in what verified", seq)
			}
		}
	})
}

func BenchmarkExport(b *testing.B) {
	l := signed(b, 4096)
	key := newSigner(b).VerifierKey()
	for _, f := range formats {
		b.Run(string(f), func(b *testing.B) {
			for b.Loop() {
				if err := audit.Export(ctx, io.Discard, l, key, 0, -1, f); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*4096), "ns/record")
		})
	}
}
