package awsapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// decodeAny reads a body into what encoding/json would make of it, with the decoder's
// own methods.
func decodeAny(body []byte) (map[string]any, string) {
	var d decoder
	d.reset(body)
	out := map[string]any{}
	var value func() any
	value = func() any {
		switch d.peek() {
		case '{':
			m := map[string]any{}
			d.structure(func(name []byte) { k := string(name); m[k] = value() })
			return m
		case '[':
			l := []any{}
			d.list(func() { l = append(l, value()) })
			return l
		case '"':
			return d.text().s
		case 't', 'f':
			return d.flag().on
		case 'n':
			d.literal("null")
			return nil
		default:
			return json.Number(d.number())
		}
	}
	d.document(func(name []byte) { k := string(name); out[k] = value() })
	return out, d.problem
}

func TestDecoderRefuses(t *testing.T) {
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	many := `{"a":[` + strings.Repeat("0,", maxTokens) + `0]}`
	var wide strings.Builder
	wide.WriteString(`{"x":0`)
	for i := range maxMembers {
		wide.WriteString(`,"` + strings.Repeat("k", i+1) + `":0`)
	}
	wide.WriteString("}")
	for _, tt := range []struct{ body, problem string }{
		{"[]", badObject}, {"null", badObject}, {`"a"`, badObject}, {"1", badObject}, {"true", badObject}, {" [1] ", badObject},
		{"[", badSyntax}, {"[] []", badSyntax}, {" ", badSyntax}, {"x", badSyntax}, {"\xef\xbb\xbf{}", badSyntax},
		{"{", badSyntax}, {"{}}", badSyntax}, {"{} x", badSyntax}, {`{"a"}`, badSyntax}, {`{"a":}`, badSyntax},
		{`{"a":1,}`, badSyntax}, {`{,"a":1}`, badSyntax}, {`{"a" 1}`, badSyntax}, {`{a:1}`, badSyntax}, {`{'a':1}`, badSyntax},
		{`{"a":[1,]}`, badSyntax}, {`{"a":[,1]}`, badSyntax}, {`{"a":[1 2]}`, badSyntax}, {`{"a":[1}`, badSyntax},
		{`{"a":01}`, badSyntax}, {`{"a":+1}`, badSyntax}, {`{"a":.5}`, badSyntax}, {`{"a":1.}`, badSyntax}, {`{"a":1e}`, badSyntax},
		{`{"a":-}`, badSyntax}, {`{"a":NaN}`, badSyntax}, {`{"a":nul}`, badSyntax}, {`{"a":truex}`, badSyntax},
		{`{"a":"`, badSyntax}, {`{"a":"\`, badSyntax}, {`{"a":"\x"}`, badSyntax}, {`{"a":"\u12"}`, badSyntax}, {`{"a":"\u12G4"}`, badSyntax},
		{"{\"a\":\"\n\"}", badSyntax}, {"{\"a\":\"\x00\"}", badSyntax}, {"{}\x00", badSyntax}, {"{\"a\":1}\x00{}", badSyntax},
		{"{\"a\":\"\xff\"}", badUTF8}, {"{\"\xc3\":1}", badUTF8}, {"{\"a\":\"\xed\xa0\x80\"}", badUTF8},
		{`{"a":"\ud800"}`, badSurrogate}, {`{"a":"\udc00\ud800"}`, badSurrogate}, {`{"a":"\ud800\u0041"}`, badSurrogate}, {`{"\udfff":1}`, badSurrogate},
		{`{"a":1,"a":2}`, badDuplicate}, {`{"a":1,"\u0061":2}`, badDuplicate}, {`{"x":{"b":1,"c":2,"b":3}}`, badDuplicate},
		{`{"a":` + deep + `}`, badDepth}, {strings.Repeat(`{"a":`, 100000), badDepth},
		{many, badTokens}, {wide.String(), badTokens},
	} {
		if _, problem := decodeAny([]byte(tt.body)); problem != tt.problem {
			t.Errorf("%.40q: %q, want %q", tt.body, problem, tt.problem)
		}
		var d decoder // the same, when nobody is interested in the members
		d.reset([]byte(tt.body))
		if d.document(func([]byte) { d.skip() }); d.problem != tt.problem {
			t.Errorf("%.40q skipped: %q, want %q", tt.body, d.problem, tt.problem)
		}
	}
}

func TestDecoderAccepts(t *testing.T) {
	for _, body := range []string{
		"", "{}", " { } ", "\t{\r\n}\n", `{"a":null}`, `{"":""}`, `{"a":{"a":{"a":1}}}`, `{"a":[{"b":1},{"b":1}]}`,
		`{"a":-0,"b":0.5,"c":1e9,"d":-1.25E-3,"e":9223372036854775807}`, `{"a":[],"b":[[]],"c":{}}`,
		`{"a":"\"\\\/\b\f\n\r\t\u0000\u001f\u007f\u00e9\u20ac\ud83d\ude00 é€😀"}`, `{"A":1,"a":2}`, `{"a":true,"b":false}`,
	} {
		got, problem := decodeAny([]byte(body))
		if problem != "" {
			t.Errorf("%q: %s", body, problem)
			continue
		}
		if body == "" {
			body = "{}"
		}
		if want := stdDecode(t, []byte(body)); !sameJSON(t, got, want) {
			t.Errorf("%q: got %v, want %v", body, got, want)
		}
	}
}

func stdDecode(t *testing.T, body []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("encoding/json refuses %q: %v", body, err)
	}
	return v
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	ja, errA := json.Marshal(a)
	jb, errB := json.Marshal(b)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	return bytes.Equal(ja, jb)
}

// Whatever the decoder accepts, encoding/json accepts and reads the same; whatever it
// calls bad syntax, encoding/json refuses too.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "{}", `{"SecretId":"a","VersionId":null}`, `{"a":[1,2,{"b":"\ud83d\ude00"}]}`, `{"a":1,"a":2}`,
		`{"SecretBinary":"aGk="}`, `{"Tags":[{"Key":"k","Value":"v"}]}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `[1]`, `{"a":1e5}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, problem := decodeAny(body)
		switch problem {
		case "":
			if len(body) == 0 {
				return
			}
			if !json.Valid(body) {
				t.Fatalf("accepted %q, which is not JSON", body)
			}
			if !utf8.Valid(body) {
				t.Fatalf("accepted %q, which is not UTF-8", body)
			}
			if want := stdDecode(t, body); !sameJSON(t, got, want) {
				t.Fatalf("%q: got %v, want %v", body, got, want)
			}
		case badSyntax:
			// A problem is told where it is met, and what follows it is not read; syntax is
			// never told of a good body.
			if json.Valid(body) {
				t.Fatalf("refused %q, which is JSON", body)
			}
		case badUTF8:
			if utf8.Valid(body) {
				t.Fatalf("refused %q, which is UTF-8", body)
			}
		case badObject:
			if !json.Valid(body) || bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
				t.Fatalf("%q is no JSON but an object", body)
			}
		}
		for _, op := range operations() {
			fuzzRead(op.name, body)
		}
	})
}

// fuzzRead runs the input of every operation over a body; it must not panic.
func fuzzRead[T ~string](op T, body []byte) {
	run := func(read func(*decoder, *checks)) {
		var d decoder
		var c checks
		d.reset(body)
		if read(&d, &c); !d.failed() {
			_ = c.failure()
		}
	}
	switch string(op) {
	case "BatchGetSecretValue":
		run(func(d *decoder, c *checks) { readBatchGetSecretValue(d, c) })
	case "CreateSecret":
		run(func(d *decoder, c *checks) { readCreateSecret(d, c) })
	case "DeleteSecret":
		run(func(d *decoder, c *checks) { readDeleteSecret(d, c) })
	case "DescribeSecret":
		run(func(d *decoder, c *checks) { readSecretID(d, c) })
	case "GetRandomPassword":
		run(func(d *decoder, c *checks) { readRandomPassword(d, c) })
	case "GetSecretValue":
		run(func(d *decoder, c *checks) { readGetSecretValue(d, c) })
	case "ListSecrets":
		run(func(d *decoder, c *checks) { readListSecrets(d, c) })
	case "ListSecretVersionIds":
		run(func(d *decoder, c *checks) { readListVersions(d, c) })
	case "PutResourcePolicy":
		run(func(d *decoder, c *checks) { readPutPolicy(d, c) })
	case "PutSecretValue":
		run(func(d *decoder, c *checks) { readPutSecretValue(d, c) })
	case "RemoveRegionsFromReplication":
		run(func(d *decoder, c *checks) { readRemoveRegions(d, c) })
	case "ReplicateSecretToRegions":
		run(func(d *decoder, c *checks) { readReplicate(d, c) })
	case "RotateSecret":
		run(func(d *decoder, c *checks) { readRotateSecret(d, c) })
	case "TagResource":
		run(func(d *decoder, c *checks) { readTagResource(d, c) })
	case "UntagResource":
		run(func(d *decoder, c *checks) { readUntagResource(d, c) })
	case "UpdateSecret":
		run(func(d *decoder, c *checks) { readUpdateSecret(d, c) })
	case "UpdateSecretVersionStage":
		run(func(d *decoder, c *checks) { readUpdateStage(d, c) })
	case "ValidateResourcePolicy":
		run(func(d *decoder, c *checks) { readValidatePolicy(d, c) })
	}
}

// Threat 28: a body made of depth, width, duplicates or escapes costs no more memory
// than a small multiple of its size.
func TestThreat28_MemoryIsBounded(t *testing.T) {
	const size = 1 << 20
	for name, body := range map[string]string{
		"depth":   strings.Repeat(`{"a":`, size/5),
		"arrays":  strings.Repeat("[", size),
		"members": "{" + strings.Repeat(`"a":1,`, size/6) + "}",
		"names":   `{"` + strings.Repeat(`\u0061`, size/6) + `":1}`,
		"numbers": `{"a":[` + strings.Repeat("1,", size/2) + "1]}",
		"filters": `{"Filters":[` + strings.Repeat(`{},`, size/3) + `{}]}`,
		"tags":    `{"Tags":[` + strings.Repeat(`{"Key":"k"},`, size/12) + `{}]}`,
		"strings": `{"SecretString":"` + strings.Repeat(`\u00e9`, size/6) + `"}`,
		"ids":     `{"SecretIdList":[` + strings.Repeat(`"",`, size/3) + `""]}`,
	} {
		t.Run(name, func(t *testing.T) {
			raw := []byte(body)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for _, op := range operations() {
				fuzzRead(op.name, raw)
			}
			runtime.ReadMemStats(&after)
			per := (after.TotalAlloc - before.TotalAlloc) / uint64(len(operations()))
			if per > 3*size {
				t.Errorf("%d bytes allocated for a body of %d", per, len(body))
			}
		})
	}
}

func TestDecodeSecretBinary(t *testing.T) {
	value := []byte{0, 1, 0xfe, 0xff, '/', '+'}
	in := `{"SecretBinary":"` + strings.ReplaceAll(base64.StdEncoding.EncodeToString(value), "/", `\/`) + `"}`
	var d decoder
	d.reset([]byte(in))
	d.document(func([]byte) {
		if got := d.secretBinary(); !bytes.Equal(got.Reveal(), value) {
			t.Error("binary value changed")
		}
	})
	for _, bad := range []string{"aGk", "aGk=x", "a-_=", "=", "a GK", `aG\nk=`, `aGk=\n`, `\r\naGk=`, `a\u000aGk=`, "aGl=", "aR==", `a\/==`} {
		d.reset([]byte(`{"SecretBinary":"` + bad + `"}`))
		if d.document(func([]byte) { d.secretBinary() }); d.problem != badBase64 {
			t.Errorf("%q: %q", bad, d.problem)
		}
	}
}

// A value read must not change when the body's buffer is used for another request.
func TestDecodedValuesAreCopies(t *testing.T) {
	body := []byte(`{"SecretId":"name","SecretString":"first","ClientRequestToken":"t"}`)
	var d decoder
	var c checks
	d.reset(body)
	in := readPutSecretValue(&d, &c)
	clear(body)
	if string(in.Value.String.Reveal()) != "first" || in.Secret.Name != "name" || in.Token != "t" {
		t.Error("an input shares memory with the body")
	}
}
