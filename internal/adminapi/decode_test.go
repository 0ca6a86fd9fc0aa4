package adminapi

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	for _, c := range []struct {
		name, body string
		want       error
	}{
		{"nothing", ``, nil},
		{"empty object", ` {} `, nil},
		{"all members", `{"user":"a","path":"/x/","tags":[{"key":"k","value":"v"},{"key":"k2","value":"v"}]}`, nil},
		{"null members", `{"user":null,"tags":null}`, nil},
		{"escaped name", `{"\u0075ser":"a"}`, nil},
		{"cut", `{"user":"a"`, errBadJSON},
		{"array", `[]`, errBadJSON},
		{"string", `"user"`, errBadJSON},
		{"null", `null`, errBadJSON},
		{"no JSON", `user=a`, errBadJSON},
		{"form feed", "\f{}", errBadJSON},
		{"comma at the end", `{"user":"a",}`, errBadJSON},
		{"two documents", `{}{}`, errBadJSON},
		{"rubbish behind", `{} x`, errBadJSON},
		{"not UTF-8", "{\"user\":\"\xff\"}", errBadUTF8},
		{"same member twice", `{"user":"a","user":"b"}`, errBadDuplicate},
		{"same member, spelt otherwise", `{"user":"a","us\u0065r":"b"}`, errBadDuplicate},
		{"same member inside", `{"tags":[{"key":"a","key":"b"}]}`, errBadDuplicate},
		{"other case", `{"User":"a"}`, errBadMember},
		{"folds to k", "{\"tags\":[{\"\u212aey\":\"a\"}]}", errBadMember},
		{"unknown", `{"users":"a"}`, errBadMember},
		{"unknown inside", `{"tags":[{"name":"a"}]}`, errBadMember},
		{"empty name", `{"":"a"}`, errBadMember},
		{"wrong type", `{"user":1}`, errBadType},
		{"wrong type inside", `{"tags":{}}`, errBadType},
		{"too deep", `{"user":` + deep + `}`, errBadSize},
		{"too many", `{"tags":[` + strings.Repeat(`"",`, maxTokens) + `""]}`, errBadSize},
	} {
		t.Run(c.name, func(t *testing.T) {
			var in createUserIn
			if err := decode([]byte(c.body), &in); !errors.Is(err, c.want) {
				t.Errorf("decode(%.80s) = %#v, want %#v", c.body, err, c.want)
			}
		})
	}
}

func TestDecodeTime(t *testing.T) {
	var in exportIn
	if err := decode([]byte(`{"from":"yesterday"}`), &in); !errors.Is(err, errBadType) {
		t.Errorf("a time that is none: %v", err)
	}
	if err := decode([]byte(`{"from":"2026-11-01T00:00:00Z"}`), &in); err != nil || in.From.Unix() != 1793491200 {
		t.Errorf("a time: %v, %v", in.From, err)
	}
}

// FuzzDecode demands that what is accepted means one thing only: written again by its
// meaning, it decodes to the same, and another reader sees the same members.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{}`, `{"user":"a","path":"/"}`, `{"user":"a","user":"b"}`, `{"tags":[{"key":"k","value":"v"}]}`,
		`{"tags":[null,{}]}`, `{"\u0075ser":"\ud83d\ude00"}`, `{"User":"a"}`, `[[[[`, `{"user":{"user":{"user":1}}}`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in createUserIn
		err := decode(body, &in)
		if err != nil {
			var known *failure
			if !errors.As(err, &known) || known.status != 400 {
				t.Fatalf("an error that is no refusal: %v", err)
			}
			return
		}
		again, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var second createUserIn
		if err := decode(again, &second); err != nil {
			t.Fatalf("%s decodes, written again it does not: %v", body, err)
		}
		if len(body) == 0 {
			return
		}
		var other map[string]any
		if err := json.Unmarshal(body, &other); err != nil {
			t.Fatalf("%s is accepted but is no JSON object: %v", body, err)
		}
		if user, _ := other["user"].(string); user != in.User {
			t.Fatalf("%s: one reader sees %q, another %q", body, in.User, user)
		}
	})
}
