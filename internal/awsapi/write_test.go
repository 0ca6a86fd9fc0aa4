package awsapi

import (
	"testing"
	"time"
)

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
		if e.time("T", tt.in); string(e.Buf) != tt.want {
			t.Errorf("%v: %s, want %s", tt.in, e.Buf, tt.want)
		}
	}
	var e encoder
	e.day("T", at("2023-11-14T22:13:20.5+02:00"))
	if want := `"T":1699920000`; string(e.Buf) != want {
		t.Errorf("day: %s, want %s", e.Buf, want)
	}
}
