package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// decodeAny reads a body into what encoding/json would make of it, with the decoder's
// own methods.
func decodeAny(body []byte) (map[string]any, string) {
	var d Decoder
	d.Reset(body)
	out := map[string]any{}
	var value func() any
	value = func() any {
		switch d.peek() {
		case '{':
			m := map[string]any{}
			d.Structure(func(name []byte) { k := string(name); m[k] = value() })
			return m
		case '[':
			l := []any{}
			d.List(func() { l = append(l, value()) })
			return l
		case '"':
			return d.Text().S
		case 't', 'f':
			return d.Flag().On
		case 'n':
			d.literal("null")
			return nil
		default:
			return json.Number(d.number())
		}
	}
	d.Document(func(name []byte) { k := string(name); out[k] = value() })
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
		var d Decoder // the same, when nobody is interested in the members
		d.Reset([]byte(tt.body))
		if d.Document(func([]byte) { d.Skip() }); d.problem != tt.problem {
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
	})
}

func TestDecodeSecretBinary(t *testing.T) {
	value := []byte{0, 1, 0xfe, 0xff, '/', '+'}
	in := `{"SecretBinary":"` + strings.ReplaceAll(base64.StdEncoding.EncodeToString(value), "/", `\/`) + `"}`
	var d Decoder
	d.Reset([]byte(in))
	d.Document(func([]byte) {
		if got := d.SecretBinary(); !bytes.Equal(got.Reveal(), value) {
			t.Error("binary value changed")
		}
	})
	for _, bad := range []string{"aGk", "aGk=x", "a-_=", "=", "a GK", `aG\nk=`, `aGk=\n`, `\r\naGk=`, `a\u000aGk=`, "aGl=", "aR==", `a\/==`} {
		d.Reset([]byte(`{"SecretBinary":"` + bad + `"}`))
		if d.Document(func([]byte) { d.SecretBinary() }); d.problem != badBase64 {
			t.Errorf("%q: %q", bad, d.problem)
		}
	}
}
