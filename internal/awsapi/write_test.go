package awsapi

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tacet"
)

func quoted[T string | []byte](s T) string {
	var e encoder
	quote(&e, s)
	return string(e.b)
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

func TestEncoderTimes(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct {
		in   time.Time
		want string
	}{
		{at("2023-11-14T22:13:20Z"), `"T":1700000000`},
		{at("2023-11-14T22:13:20.5Z"), `"T":1700000000.5`},
		{at("2023-11-14T22:13:20.05Z"), `"T":1700000000.05`},
		{at("2023-11-14T22:13:20.123999Z"), `"T":1700000000.123`},
		{at("2023-11-14T22:13:20.120Z"), `"T":1700000000.12`},
		{time.Time{}, ""},
	} {
		var e encoder
		if e.time("T", tt.in); string(e.b) != tt.want {
			t.Errorf("%v: %s, want %s", tt.in, e.b, tt.want)
		}
	}
	var e encoder
	e.day("T", at("2023-11-14T22:13:20.5+02:00"))
	if want := `"T":1699920000`; string(e.b) != want {
		t.Errorf("day: %s, want %s", e.b, want)
	}
}

// A buffer that grows leaves nothing of a value in the one it grew out of, and a
// buffer that was used is empty to the last byte.
func TestEncoderLeavesNoCopies(t *testing.T) {
	const canary = "canary-in-a-buffer"
	var e encoder
	e.b = make([]byte, 0, 64)
	old := e.b[:64]
	e.open("{")
	e.value(tacet.ValueString, tacet.NewPlaintext([]byte(canary)))
	e.text("Name", strings.Repeat("x", 100))
	if strings.Contains(string(old), canary) {
		t.Error("the value stayed in the smaller buffer")
	}
	used := e.b[:cap(e.b)]
	if !strings.Contains(string(used), canary) {
		t.Fatal("the value was not written")
	}
	if e.reset(); strings.Contains(string(used), canary) {
		t.Error("the value stayed in the buffer after reset")
	}
}
