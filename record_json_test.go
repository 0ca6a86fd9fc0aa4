package tacet_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tacet"
)

func sampleRecord() *tacet.Record {
	return &tacet.Record{
		ID: "6f1d0c52b7a94e0f8a1b2c3d4e5f6071", Time: time.Date(2026, 11, 23, 11, 22, 33, 120_000, time.UTC),
		RequestID: "2f8b3c1e-6f0a-4a55-9d3c-0b8d2f6f9a11", Face: "aws", Operation: tacet.OpGetSecretValue, ReadOnly: true,
		CallerKind: tacet.CallerUser, Caller: "arn:aws:iam::123456789012:user/team/app", CallerID: "AIDAEXAMPLEEXAMPLE000", CallerName: "app",
		CallerAcct: "123456789012", AccessKey: "AKIAEXAMPLEEXAMPLE00", SourceIP: "192.0.2.7",
		UserAgent: "Boto3/1.40.1 md/Botocore#1.40.1 ua/2.1 os/linux#6.8 lang/python#3.13 cfg/retry-mode#legacy",
		TLS:       "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256", Host: "secretsmanager.eu-central-1.example.com",
		Account: "123456789012", Region: "eu-central-1", Vault: "main",
		Resource:   "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-a1B2c3",
		Parameters: map[string]any{"secretId": "prod/db", "versionStage": "AWSCURRENT"},
		Outcome:    tacet.OutcomeAllowed, Policy: "read-prod/AllowRead",
	}
}

func TestRecordStoredForm(t *testing.T) {
	r := &tacet.Record{
		ID: "1", Time: time.Date(2026, 1, 2, 4, 4, 5, 6789, time.FixedZone("", 3600)), Face: "system", Operation: tacet.OpTagResource,
		CallerKind: tacet.CallerSystem, Caller: "tacet", Outcome: tacet.OutcomeFailed, Error: tacet.Internal, Event: true,
		Parameters: map[string]any{
			"tags": []tacet.Tag{{Key: "a", Value: "b"}}, "ids": []string{"x", "y"}, "n": int64(math.MaxInt64), "i": 7, "f": 0.5, "yes": true,
			"none": nil, "nan": math.NaN(), "value": tacet.NewPlaintext([]byte("hunter2")), "stage": tacet.StageCurrent, "evil": json.Number(`1,"x":2`),
			"filters": []tacet.Filter{{Key: "name", Values: []string{"x", "!y"}}, {Key: "all"}},
			"deep":    map[string]any{"z": []any{int64(1), "a"}, "a": json.Number("1e3")},
		},
	}
	const want = `{"id":"1","t":"2026-01-02T03:04:05.000006Z","face":"system","op":"TagResource","event":true,"kind":"system","caller":"tacet",` +
		`"params":{"deep":{"a":1e3,"z":[1,"a"]},"evil":"[unrecorded]","f":0.5,"filters":[{"key":"name","values":["x","!y"]},{"key":"all","values":[]}],"i":7,"ids":["x","y"],"n":9223372036854775807,"nan":null,"none":null,` +
		`"stage":"AWSCURRENT","tags":[{"k":"a","v":"b"}],"value":"[unrecorded]","yes":true},` +
		`"outcome":"failed","error":"Internal"}`
	if got := string(r.AppendJSON(nil)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := string(r.AppendJSON([]byte("before "))); got != "before "+want {
		t.Error("AppendJSON does not append")
	}
}

// The names are those of the struct's tags, and all of them are written.
func TestRecordNamesMatchTags(t *testing.T) {
	var full tacet.Record
	v := reflect.ValueOf(&full).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(time.Unix(1, 0).UTC()))
		case map[string]any:
			f.Set(reflect.ValueOf(map[string]any{"p": v.Type().Field(i).Name}))
		case json.RawMessage:
			f.Set(reflect.ValueOf(json.RawMessage(`{"p":1}`)))
		default:
			switch f.Kind() {
			case reflect.String:
				f.SetString(v.Type().Field(i).Name)
			case reflect.Bool:
				f.SetBool(true)
			case reflect.Int64: // Seq, which is not stored
			default:
				t.Fatalf("field %s has a type that AppendJSON does not know", v.Type().Field(i).Name)
			}
		}
	}
	for _, r := range []*tacet.Record{&full, {}} {
		std, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(keys(t, std), keys(t, r.AppendJSON(nil))); d != "" {
			t.Errorf("members differ from the struct's (-tags +written):\n%s", d)
		}
	}
	back, err := tacet.ParseRecord(full.AppendJSON(nil))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&full, back); d != "" {
		t.Error(d)
	}
}

// keys lists the members of an object in their order.
func keys(t *testing.T, body []byte) []string {
	var out []string
	dec := json.NewDecoder(bytes.NewReader(body))
	for depth, key := 0, false; ; {
		tok, err := dec.Token()
		if err != nil {
			return out
		}
		switch tok := tok.(type) {
		case json.Delim:
			if tok == '{' {
				depth++
			} else {
				depth--
			}
			key = depth == 1
		case string:
			if depth == 1 && key {
				out = append(out, tok)
			}
			key = depth == 1 && !key
		default:
			key = depth == 1
		}
	}
}

func drawRecord(t *rapid.T) *tacet.Record {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z/:"\\<>&\n\r\t\x00-\x1f]{0,20}`))
	value := rapid.OneOf(
		rapid.Map(text, func(s string) any { return s }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.SliceOf(text), func(s []string) any { return s }),
		rapid.Map(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) tacet.Tag {
			return tacet.Tag{Key: text.Draw(t, "k"), Value: text.Draw(t, "v")}
		}), 1, 4), func(s []tacet.Tag) any { return s }),
		rapid.Map(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) tacet.Filter {
			return tacet.Filter{Key: text.Draw(t, "key"), Values: append([]string{}, rapid.SliceOf(text).Draw(t, "values")...)}
		}), 1, 4), func(s []tacet.Filter) any { return s }),
		rapid.Map(rapid.Float64Range(0.001, 0.999), func(f float64) any { return f }),
	)
	values := rapid.MapOfN(text, value, 1, 20)
	r := &tacet.Record{
		ID: text.Draw(t, "id"), Time: time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "t")).UTC(), Face: text.Draw(t, "face"),
		Operation: tacet.Operation(text.Draw(t, "op")), ReadOnly: rapid.Bool().Draw(t, "ro"), Event: rapid.Bool().Draw(t, "event"),
		CallerKind: tacet.CallerKind(text.Draw(t, "kind")), Caller: text.Draw(t, "caller"), UserAgent: text.Draw(t, "ua"),
		Outcome: text.Draw(t, "outcome"), Reason: text.Draw(t, "reason"), Error: tacet.Code(text.Draw(t, "error")),
	}
	if rapid.Bool().Draw(t, "params?") {
		r.Parameters = values.Draw(t, "params")
	}
	if rapid.Bool().Draw(t, "resp?") {
		r.Response = values.Draw(t, "resp")
	}
	return r
}

// What is written is read back by encoding/json, unchanged, and written again the same.
func TestRecordRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		body := r.AppendJSON(nil)
		checkLine(t, body)
		var std tacet.Record
		if err := json.Unmarshal(body, &std); err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		got, err := tacet.ParseRecord(body)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, got); d != "" {
			t.Fatal(d)
		}
		if again := got.AppendJSON(nil); !bytes.Equal(again, body) {
			t.Fatalf("not the same bytes again:\n%s\n%s", body, again)
		}
	})
}

type failer interface{ Fatalf(string, ...any) }

// checkLine fails unless body is one line that shows what it holds.
func checkLine(t failer, body []byte) {
	if !json.Valid(body) || !utf8.Valid(body) {
		t.Fatalf("not JSON: %q", body)
	}
	for _, r := range string(body) {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' {
			t.Fatalf("%U stands unescaped in %q", r, body)
		}
	}
}

// Whatever a client sends stays inside its string (threat 27).
func TestThreat27_LogInjection(t *testing.T) {
	for _, s := range []string{
		"x\n{\"id\":\"forged\"}", "x\r\n", `","outcome":"allowed","x":"`, `\`, `\"`, "\x00\x1b[2J\x7f\u009b2J", "\u202egnp.exe\u2066", "line\u2028sep\u2029",
		"\xff\xfe\xc0\xaf", "\xed\xa0\x80", "é\xc3", "\ufeff", "𝕏 ok ü", strings.Repeat("\x01", 300), "</script>",
	} {
		r := sampleRecord()
		r.UserAgent, r.ID = s, s
		r.Parameters = map[string]any{s: s, "list": []string{s}, "tags": []tacet.Tag{{Key: s, Value: s}},
			"filters": []tacet.Filter{{Key: s, Values: []string{s}}}, "other": map[string]string{"k": s}}
		body := r.AppendJSON(nil)
		checkLine(t, body)
		got, err := tacet.ParseRecord(body)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && got.UserAgent != want {
			t.Errorf("%q came back as %q", s, got.UserAgent)
		}
		if got.Outcome != tacet.OutcomeAllowed || got.Operation != tacet.OpGetSecretValue {
			t.Errorf("%q changed another field", s)
		}
	}
}

func TestParseRecordRefuses(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "{", "{}{}", "{} x", ` {}`, `{"t":"yesterday"}`, `{"ro":"yes"}`, `"x"`, strings.Repeat(`{"params":`, 20000)} {
		if _, err := tacet.ParseRecord([]byte(body)); err == nil {
			t.Errorf("%.40q was taken for a record", body)
		}
	}
}

func TestAppendJSONAllocates(t *testing.T) {
	r, buf := sampleRecord(), make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = r.AppendJSON(buf[:0]) }); n > 1 {
		t.Errorf("%v allocations for a record", n)
	}
}

// FuzzParseRecord: no input crashes, and what is accepted is stable: written and read
// again it is the same bytes.
func FuzzParseRecord(f *testing.F) {
	f.Add(sampleRecord().AppendJSON(nil))
	f.Add([]byte(`{"id":"1","t":"2026-01-02T03:04:05.000006Z","params":{"tags":[{"k":"a","v":"b"}],"n":1e400,"x":[1,"a",null,{"k":1}]}}`))
	f.Add([]byte(`{"params":{"filters":[{"key":"name","values":["x"]},{"key":"all","values":[]}],"x":[{"key":"a","values":[1]}],"y":[{"values":["a"],"key":"b"},{"k":"a","v":"b"}]}}`))
	f.Add([]byte(`{"ID":"\ud800","params":{"":{"a":[[]]}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := tacet.ParseRecord(body)
		if err != nil {
			return
		}
		once := r.AppendJSON(nil)
		checkLine(t, once)
		again, err := tacet.ParseRecord(once)
		if err != nil {
			t.Fatalf("%v\n%s", err, once)
		}
		if twice := again.AppendJSON(nil); !bytes.Equal(once, twice) {
			t.Fatalf("unstable:\n%s\n%s", once, twice)
		}
	})
}

func BenchmarkRecordAppendJSON(b *testing.B) {
	r, buf := sampleRecord(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = r.AppendJSON(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}

// TestPlainLen: no byte that needs care is passed over, wherever it stands and whatever
// stands before and behind it, and what needs none is passed over.
func TestPlainLen(t *testing.T) {
	for c := range 256 {
		care := c < ' ' || c == '"' || c == '\\' || c >= 0x7f
		for at := range 16 {
			for _, fill := range []byte{' ', '!', '#', '[', ']', '~'} {
				s := bytes.Repeat([]byte{fill}, 16)
				s[at] = byte(c)
				want := 16
				if care {
					want = at / 8 * 8
				}
				if got := tacet.PlainLen(s); got != want {
					t.Fatalf("%q: %d, want %d", s, got, want)
				}
			}
		}
	}
}
