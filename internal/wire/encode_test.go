package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func quoted[T string | []byte](s T) string {
	var e Encoder
	Quote(&e, s)
	return string(e.Buf)
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"":                   `""`,
		"plain":              `"plain"`,
		`"\/`:                `"\"\\/"`,
		"\b\f\n\r\t\x00\x1f": `"\b\f\n\r\t\u0000\u001f"`,
		"<b>&'\x7f":          "\"<b>&'\x7f\"", // HTML is not escaped
		"é€😀\u2028":          "\"é€😀\u2028\"",
		"a\xffb":             "\"a\ufffdb\"",
	} {
		if got := quoted(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// What is written reads back as it was, through our decoder and through encoding/json.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a", "\"\\\x00", "é€😀", "\xff", "\xed\xa0\x80", "{[,:"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out := quoted(in)
		if out != quoted(string(in)) {
			t.Fatal("bytes and strings are written differently")
		}
		if len(out) > quotedLen(in) {
			t.Fatalf("%q took %d bytes, %d were reckoned", in, len(out), quotedLen(in))
		}
		var back string
		if err := json.Unmarshal([]byte(out), &back); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if utf8.Valid(in) && back != string(in) {
			t.Fatalf("%q came back as %q", in, back)
		}
		got, problem := decodeAny([]byte(`{"v":` + out + `}`))
		if problem != "" || got["v"] != back {
			t.Fatalf("%q: our decoder reads %q (%s)", out, got["v"], problem)
		}
	})
}

// A buffer that grows leaves nothing of a value in the one it grew out of, and a
// buffer that was used is empty to the last byte.
func TestEncoderLeavesNoCopies(t *testing.T) {
	const canary = "canary-in-a-buffer"
	var e Encoder
	e.Buf = make([]byte, 0, 64)
	old := e.Buf[:64]
	e.Open("{")
	e.Name("SecretString")
	Quote(&e, []byte(canary))
	e.Text("Name", strings.Repeat("x", 100))
	if strings.Contains(string(old), canary) {
		t.Error("the value stayed in the smaller buffer")
	}
	used := e.Buf[:cap(e.Buf)]
	if !strings.Contains(string(used), canary) {
		t.Fatal("the value was not written")
	}
	if e.Reset(); strings.Contains(string(used), canary) {
		t.Error("the value stayed in the buffer after reset")
	}
}

func BenchmarkQuote(b *testing.B) {
	var e Encoder
	value := bytes.Repeat([]byte("x"), 1024)
	b.SetBytes(1024)
	for b.Loop() {
		e.Buf = e.Buf[:0]
		Quote(&e, value)
	}
}
