package azureapi_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// "attributes{enabled,nbf,exp}", "times are integer unix seconds", "nbf/exp are
// informational": what of them is taken and shown, and what is no time or flag.
func TestContractC_Attributes(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct {
		sent string
		want in // beside enabled: true
	}{
		{`{}`, nil}, {`null`, nil}, {`{"enabled":true}`, nil}, {`{"enabled":false}`, in{"enabled": false}}, {`{"enabled":null,"nbf":null,"exp":null}`, nil},
		{`{"nbf":0}`, in{"nbf": 0.0}}, {`{"exp":0}`, in{"exp": 0.0}}, {`{"nbf":2000000000,"exp":1000000000}`, in{"nbf": 2e9, "exp": 1e9}},
		{`{"exp":253402300799}`, in{"exp": 253402300799.0}}, {`{"nbf":1,"exp":1,"enabled":false}`, in{"nbf": 1.0, "exp": 1.0, "enabled": false}},
		{`{"created":5,"updated":6,"recoveryLevel":"x","recoverableDays":1,"other":{"a":[]}}`, nil}, // the server's to say
	} {
		for _, method := range []string{"PUT", "PATCH"} {
			if method == "PATCH" {
				h.set("a", "v")
			}
			status, out := h.raw(method, "/secrets/a", `{"value":"v","attributes":`+tt.sent+`}`)
			a := attributes(out)
			want := in{"enabled": true, "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90.0, "created": a["created"], "updated": a["updated"]}
			for k, v := range tt.want {
				want[k] = v
			}
			if status != 200 || !reflect.DeepEqual(a, want) || a["created"] == 5.0 || a["updated"] == 6.0 {
				t.Errorf("%s %s: %d %v, want %v", method, tt.sent, status, out, want)
			}
		}
	}
	before := h.set("a", "before")
	for _, bad := range []string{`[]`, `""`, `1`, `{"enabled":"true"}`, `{"enabled":1}`, `{"nbf":"1"}`, `{"nbf":1.5}`, `{"nbf":1e9}`, `{"nbf":true}`, `{"exp":-1}`, `{"exp":[]}`,
		`{"exp":253402300800}`, `{"exp":9223372036854775808}`, `{"nbf":1,"nbf":1}`} {
		for _, method := range []string{"PUT", "PATCH"} {
			status, out := h.raw(method, "/secrets/a", `{"value":"v","attributes":`+bad+`}`)
			h.failure(method+" "+bad, status, out, 400, "BadParameter", "", "")
		}
	}
	if got := h.ok("GET", "/secrets/a", nil); got["value"] != "before" || got["id"] != before["id"] || !reflect.DeepEqual(attributes(got), attributes(before)) {
		t.Errorf("a refused request did something: %v", got)
	}
}

// raw sends a body as it is.
func (h *house) raw(method, path, body string) (int, in) {
	h.Helper()
	res, answer := h.c.Send(h.c.Request(method, path+"?api-version=7.4", []byte(body)))
	var out in
	if err := json.Unmarshal(answer, &out); err != nil {
		h.Fatalf("%s: %d %s", body, res.StatusCode, answer)
	}
	return res.StatusCode, out
}

// "Limits: value 25 600 bytes, contentType 255, 15 tags, 256 chars tag name and
// value": bytes of UTF-8 for the value, characters for the rest.
func TestContractC_LimitsOfOtherAlphabets(t *testing.T) {
	h := newHouse(t)
	repeat := strings.Repeat
	for _, tt := range []struct {
		sent, over in
	}{
		{in{"value": repeat("é", 12800)}, in{"value": repeat("é", 12800) + "x"}}, {in{"value": repeat("€", 8533) + "x"}, in{"value": repeat("€", 8534)}},
		{in{"value": repeat("\U0001f600", 6400)}, in{"value": repeat("\U0001f600", 6401)}}, {in{"value": repeat("\x01", 25600)}, in{"value": repeat("\x01", 25601)}},
		{in{"value": "v", "contentType": repeat("é", 255)}, in{"value": "v", "contentType": repeat("é", 256)}},
		{in{"value": "v", "tags": in{repeat("é", 256): repeat("ü", 256)}}, in{"value": "v", "tags": in{repeat("é", 257): ""}}},
		{in{"value": "v", "tags": in{"": "x"}}, nil},
	} {
		if tt.over == nil {
			tt.over, tt.sent = tt.sent, in{"value": ""}
		}
		b := h.ok("PUT", "/secrets/s", tt.sent)
		for k, v := range tt.sent {
			if !reflect.DeepEqual(b[k], v) {
				t.Errorf("%.30v came back as %.30v", v, b[k])
			}
		}
		status, out := h.c.Call("PUT", "/secrets/s", tt.over)
		h.failure(fmt.Sprintf("%.30v", tt.over), status, out, 400, "BadParameter", "", "Property  has invalid value\r\n")
		delete(tt.over, "value")
		if len(tt.over) > 0 {
			h.fails("PATCH", "/secrets/s", tt.over, 400, "BadParameter", "", "Property  has invalid value\r\n")
		}
	}
}

// Any text is a value, and comes back as it was.
func TestContractC_Values(t *testing.T) {
	h := newHouse(t)
	for _, v := range []string{"", " ", "a\nb\r\n\t", `"\/`, "<>&\u2028\u2029", "\x00\x01\x7f", "\u00e9\U0001f600", `{"json":1}`, "null"} {
		set := h.set("s", v)
		if got := h.ok("GET", "/secrets/s", nil); got["value"] != v || !reflect.DeepEqual(got, set) {
			t.Errorf("%q came back as %v", v, got)
		}
	}
}

// "nextLink", "clients fetch it verbatim": a page goes on where the last one
// ended, whatever was removed meanwhile, and its token is good for that listing of that
// vault alone.
func TestContractC_PagingWhileThingsChange(t *testing.T) {
	h := newHouse(t)
	for i := range 9 {
		h.set(fmt.Sprintf("s%d", i), "v")
		h.set("many", "v")
	}
	names := func(page in) (out []string) {
		list, _ := page["value"].([]any)
		for _, i := range list {
			out = append(out, version(i.(in))) // the last of the path
		}
		return out
	}
	first := h.ok("GET", "/secrets?maxresults=4&api-version=7.3", nil)
	next, _ := first["nextLink"].(string)
	if !strings.HasPrefix(next, h.c.Base()+"/secrets?api-version=7.3&$skiptoken=") || !strings.HasSuffix(next, "&maxresults=4") {
		t.Fatalf("nextLink %s", next)
	}
	seen := names(first) // many, s0, s1, s2
	for _, gone := range []string{"s1", "s2", "s3"} {
		h.remove(gone)
	}
	h.set("aaa", "behind the page")
	h.set("s9", "before it")
	for next != "" {
		page := h.ok("GET", next, nil)
		seen = append(seen, names(page)...)
		next, _ = page["nextLink"].(string)
	}
	if got := strings.Join(seen, " "); got != "many s0 s1 s2 s4 s5 s6 s7 s8 s9" {
		t.Errorf("listed: %s", got)
	}
	h.admin("vaults/create", in{"name": "other", "account": h.s.Account, "region": "eu-west-1"})
	other := h.c.At("https://other.vault.localhost" + h.c.Port())
	token := func(path string) string {
		u, err := url.Parse(h.ok("GET", path+"?maxresults=1", nil)["nextLink"].(string))
		if err != nil {
			t.Fatal(err)
		}
		return "?$skiptoken=" + u.Query().Get("$skiptoken")
	}
	paths := []string{"/secrets", "/deletedsecrets", "/secrets/many/versions"}
	for _, of := range paths {
		good := token(of)
		for _, path := range append(paths, "/secrets/s4/versions") {
			if path != of {
				h.fails("GET", path+good, nil, 400, "BadParameter", "", "The $skiptoken is not valid.")
			}
		}
		for _, bad := range []string{good[:len(good)-1], good + "A", good[:20] + "%20" + good[21:], good[:12] + good[13:]} {
			h.fails("GET", of+bad, nil, 400, "BadParameter", "", "The $skiptoken is not valid.")
		}
		status, out := other.Call("GET", strings.Replace(of, "/many/versions", "", 1)+good, nil)
		h.failure("another vault", status, out, 400, "BadParameter", "", "The $skiptoken is not valid.")
	}
}

// "Restorable ... (self-host: same installation key)": into another vault of the
// deployment too, with the versions' ids, and it is another secret there.
func TestContractC_RestoreElsewhere(t *testing.T) {
	h := newHouse(t)
	h.admin("vaults/create", in{"name": "other", "account": h.s.Account, "region": "eu-west-1"})
	other := *h
	other.c = h.c.At("https://other.vault.localhost" + h.c.Port())
	first := h.ok("PUT", "/secrets/Moved", in{"value": "one", "tags": in{"a": "1"}, "attributes": in{"enabled": false}})
	second := h.set("moved", "two")
	blob := h.ok("POST", "/secrets/moved/backup", nil)
	restored := other.ok("POST", "/secrets/restore", blob)
	if restored["id"] != other.c.Base()+"/secrets/Moved/"+version(second) {
		t.Errorf("restored: %v", restored)
	}
	other.fails("GET", "/secrets/moved/"+version(first), nil, 403, "Forbidden", "SecretDisabled", "Operation get is not allowed on a disabled secret.")
	if b := other.ok("PATCH", "/secrets/moved/"+version(first), in{"attributes": in{"enabled": true}}); !reflect.DeepEqual(b["tags"], in{"a": "1"}) {
		t.Errorf("the older version: %v", b)
	}
	other.fails("POST", "/secrets/restore", blob, 409, "Conflict", "", "There was a conflict restoring the secret '"+other.c.Base()+"/secrets/Moved'.")
	h.fails("GET", "/secrets/moved/"+version(first), nil, 403, "Forbidden", "SecretDisabled", "") // the other one
	stranger := newHouse(t)
	stranger.fails("POST", "/secrets/restore", blob, 400, "BadParameter", "", "Cannot decrypt backup blob")
}
