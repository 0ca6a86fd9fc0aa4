package azureapi_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

var secretID = regexp.MustCompile(`/secrets/[0-9A-Za-z-]+/[0-9a-f]{32}$`)

func TestContractC_SetAndGet(t *testing.T) {
	h := newHouse(t)
	now := h.s.Clock.Now().Unix()
	full := in{"value": "v\u00e9\U0001f600\"\\\n", "contentType": "text/plain", "tags": in{"a": "1", "b": ""},
		"attributes": in{"enabled": true, "nbf": 1893456000, "exp": 2208988800}, "unknown": in{"x": []any{1}}}
	for what, b := range map[string]in{"set": h.ok("PUT", "/secrets/full", full), "get": h.ok("GET", "/secrets/full", nil)} {
		h.members(what, b, "value", "id", "contentType", "attributes", "tags")
		h.members(what+" attributes", attributes(b), "enabled", "nbf", "exp", "created", "updated", "recoveryLevel", "recoverableDays")
		if id, _ := b["id"].(string); !strings.HasPrefix(id, h.c.Base()+"/secrets/full/") || !secretID.MatchString(id) {
			t.Errorf("%s: id %s", what, id)
		}
		a := attributes(b)
		if b["value"] != full["value"] || b["contentType"] != "text/plain" || !reflect.DeepEqual(b["tags"], in{"a": "1", "b": ""}) ||
			a["enabled"] != true || a["nbf"] != 1893456000.0 || a["exp"] != 2208988800.0 || a["recoveryLevel"] != "Recoverable+Purgeable" || a["recoverableDays"] != 90.0 {
			t.Errorf("%s: %v", what, b)
		}
		for _, name := range []string{"created", "updated"} {
			if at, _ := a[name].(float64); at != float64(int64(at)) || at < float64(now) || at > float64(now+60) {
				t.Errorf("%s: %s %v", what, name, a[name])
			}
		}
	}
	// What is absent is left out.
	b := h.set("bare", "")
	h.members("bare", b, "value", "id", "attributes")
	h.members("bare attributes", attributes(b), "enabled", "created", "updated", "recoveryLevel", "recoverableDays")
	b = h.ok("PUT", "/secrets/nulls", in{"value": "v", "contentType": nil, "tags": nil, "attributes": in{"nbf": nil, "exp": nil, "enabled": nil}})
	h.members("nulls", b, "value", "id", "attributes")
}

// Each set makes a version, for equal content too, and takes nothing over.
func TestContractC_EverySetIsAVersion(t *testing.T) {
	h := newHouse(t)
	first := h.ok("PUT", "/secrets/s", in{"value": "v", "contentType": "t", "tags": in{"a": "b"}, "attributes": in{"exp": 2208988800}})
	second := h.set("s", "v")
	if version(first) == version(second) {
		t.Error("the second set made no version")
	}
	h.members("second", second, "value", "id", "attributes", "previousVersion")
	old := h.ok("GET", "/secrets/s/"+version(first), nil)
	if old["contentType"] != "t" || !reflect.DeepEqual(old["tags"], in{"a": "b"}) || attributes(old)["exp"] != 2208988800.0 {
		t.Errorf("the first version changed: %v", old)
	}
}

func TestContractC_BadSets(t *testing.T) {
	h := newHouse(t)
	tags := in{}
	for i := range 16 {
		tags[fmt.Sprint("t", i)] = "v"
	}
	long := strings.Repeat("x", 257)
	const property = "Property  has invalid value\r\n"
	for what, body := range map[string]in{
		"value": {"value": strings.Repeat("v", 25601)}, "contentType": {"value": "v", "contentType": long[:256]}, "tags": {"value": "v", "tags": tags},
		"tag name": {"value": "v", "tags": in{long: "v"}}, "tag value": {"value": "v", "tags": in{"t": long}}, "nbf": {"value": "v", "attributes": in{"nbf": -1}},
		"exp": {"value": "v", "attributes": in{"exp": 1e18}},
	} {
		status, out := h.c.Call("PUT", "/secrets/s", body)
		h.failure(what, status, out, 400, "BadParameter", "", property)
	}
	for what, body := range map[string]any{"none": in{}, "null": in{"value": nil}, "other case": in{"Value": "v"}} {
		status, out := h.c.Call("PUT", "/secrets/s", body)
		h.failure(what, status, out, 400, "BadParameter", "", "The property value is required.")
	}
	for _, body := range []string{"", "{", "[]", `"v"`, "null", `{"value":1}`, `{"value":{}}`, `{"value":"a","value":"b"}`, `{"value":"v","tags":[]}`, `{"value":"v","tags":{"a":1}}`,
		`{"value":"v","attributes":1}`, `{"value":"v","attributes":{"enabled":"true"}}`, `{"value":"v","attributes":{"nbf":"1"}}`, `{"value":"v","attributes":{"nbf":1.5}}`,
		`{"value":"v","contentType":1}`, "{\"value\":\"\xff\"}", `{"value":"\ud800"}`, `{"value":"v"} x`} {
		res, answer := h.c.Send(h.c.Request("PUT", "/secrets/s?api-version=7.4", []byte(body)))
		if res.StatusCode != 400 || !strings.HasPrefix(string(answer), `{"error":{"code":"BadParameter","message":"`) {
			t.Errorf("%s: %d %s", body, res.StatusCode, answer)
		}
	}
	h.fails("GET", "/secrets/s", nil, 404, "SecretNotFound", "", "")
	// At the limits.
	for i := range 16 {
		delete(tags, fmt.Sprint("t", i))
		if len(tags) == 15 {
			break
		}
	}
	tags["t15"] = long[:256]
	h.ok("PUT", "/secrets/s", in{"value": strings.Repeat("v", 25600), "contentType": long[:255], "tags": tags})
}

func TestContractC_Update(t *testing.T) {
	h := newHouse(t)
	first := h.ok("PUT", "/secrets/s", in{"value": "one", "contentType": "t", "tags": in{"a": "1", "b": "2"}, "attributes": in{"nbf": 1000, "exp": 2208988800}})
	h.s.Clock.SetOffset(h.s.Clock.Offset() + 10*time.Minute)
	b := h.ok("PATCH", "/secrets/s/"+version(first), in{"attributes": in{"exp": 2208988801}, "value": "ignored"})
	h.members("update", b, "id", "contentType", "attributes", "tags") // no value
	a := attributes(b)
	if b["id"] != first["id"] || b["contentType"] != "t" || a["nbf"] != 1000.0 || a["exp"] != 2208988801.0 || a["enabled"] != true || !reflect.DeepEqual(b["tags"], in{"a": "1", "b": "2"}) {
		t.Errorf("what was not named changed: %v", b)
	}
	if a["created"] != attributes(first)["created"] || a["updated"].(float64) < a["created"].(float64)+600 {
		t.Errorf("times: %v", a)
	}
	// Tags are replaced as a whole.
	if b := h.ok("PATCH", "/secrets/s/", in{"tags": in{"c": "3"}}); !reflect.DeepEqual(b["tags"], in{"c": "3"}) {
		t.Errorf("tags: %v", b)
	}
	if b := h.ok("PATCH", "/secrets/s", in{"tags": in{}}); b["tags"] != nil {
		t.Errorf("tags: %v", b)
	}
	if got := h.ok("GET", "/secrets/s", nil); got["value"] != "one" || version(got) != version(first) {
		t.Errorf("an update made a version: %v", got)
	}
	second := h.set("s", "two")
	h.ok("PATCH", "/secrets/s/"+version(first), in{"contentType": "old"})
	if got := h.ok("GET", "/secrets/s", nil); got["contentType"] != nil || version(got) != version(second) {
		t.Errorf("the current version changed: %v", got)
	}
	none := strings.Repeat("0", 32)
	h.fails("PATCH", "/secrets/s/"+none, in{}, 404, "SecretNotFound", "", "A secret with (name/id) s/"+none+" was not found in this key vault.")
	h.fails("PATCH", "/secrets/none", in{}, 404, "SecretNotFound", "", "A secret with (name/id) none was not found in this key vault.")
	h.fails("PATCH", "/secrets/s", in{"contentType": strings.Repeat("x", 256)}, 400, "BadParameter", "", "Property  has invalid value\r\n")
}

func TestContractC_Disabled(t *testing.T) {
	h := newHouse(t)
	first := h.set("s", "one")
	second := h.ok("PUT", "/secrets/s", in{"value": "two", "attributes": in{"enabled": false}})
	const text = "Operation get is not allowed on a disabled secret."
	// A disabled current version does not give way to an older one.
	h.fails("GET", "/secrets/s", nil, 403, "Forbidden", "SecretDisabled", text)
	h.fails("GET", "/secrets/s/"+version(second), nil, 403, "Forbidden", "SecretDisabled", text)
	if b := h.ok("GET", "/secrets/s/"+version(first), nil); b["value"] != "one" {
		t.Errorf("the older version: %v", b)
	}
	list, _ := h.ok("GET", "/secrets", nil)["value"].([]any)
	if item, _ := list[0].(in); len(list) != 1 || attributes(item)["enabled"] != false {
		t.Errorf("listed: %v", list)
	}
	h.ok("PATCH", "/secrets/s/", in{"contentType": "t"})
	h.ok("POST", "/secrets/s/backup", nil)
	h.remove("s")
	h.fails("GET", "/deletedsecrets/s", nil, 403, "Forbidden", "SecretDisabled", text)
	h.ok("POST", "/deletedsecrets/s/recover", nil)
	h.ok("PATCH", "/secrets/s/", in{"attributes": in{"enabled": true}})
	if b := h.ok("GET", "/secrets/s", nil); b["value"] != "two" {
		t.Errorf("enabled again: %v", b)
	}
}

// nbf and exp are words to the reader.
func TestContractC_TimesAreInformational(t *testing.T) {
	h := newHouse(t)
	h.ok("PUT", "/secrets/early", in{"value": "v", "attributes": in{"nbf": 4102444800}})
	h.ok("PUT", "/secrets/late", in{"value": "v", "attributes": in{"exp": 1}})
	for _, n := range []string{"early", "late"} {
		if b := h.ok("GET", "/secrets/"+n, nil); b["value"] != "v" {
			t.Errorf("%s: %v", n, b)
		}
	}
}

func TestContractC_NotFound(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	const tail = " was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. " +
		"For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"
	none := strings.Repeat("a", 32)
	for _, r := range []struct{ method, target, id string }{
		{"GET", "/secrets/none", "none"}, {"GET", "/secrets/none/", "none"}, {"GET", "/secrets/none/" + none, "none/" + none}, {"GET", "/secrets/s/" + none, "s/" + none},
		{"GET", "/secrets/s/1", "s/1"}, {"GET", "/secrets/s/backup", "s/backup"}, {"DELETE", "/secrets/none", "none"}, {"GET", "/secrets/none/versions", "none"}, {"POST", "/secrets/none/backup", "none"},
	} {
		h.fails(r.method, r.target, nil, 404, "SecretNotFound", "", "A secret with (name/id) "+r.id+tail)
	}
	for _, r := range []struct{ method, target string }{{"GET", "/deletedsecrets/none"}, {"DELETE", "/deletedsecrets/none"}, {"POST", "/deletedsecrets/none/recover"}} {
		h.fails(r.method, r.target, nil, 404, "SecretNotFound", "", "Deleted Secret not found: none")
	}
	for _, r := range []struct{ method, target string }{{"GET", "/deletedsecrets/s"}, {"DELETE", "/deletedsecrets/s"}, {"POST", "/deletedsecrets/s/recover"}} {
		h.fails(r.method, r.target, nil, 404, "SecretNotFound", "", "Deleted Secret not found: s")
	}
}

func TestContractC_DeleteRecoverPurge(t *testing.T) {
	h := newHouse(t)
	b := h.ok("PUT", "/secrets/s", in{"value": "v", "contentType": "t", "tags": in{"a": "b"}})
	deleted := h.remove("s")
	shown := h.ok("GET", "/deletedsecrets/s", nil)
	for what, d := range map[string]in{"delete": deleted, "deleted": shown} {
		h.members(what, d, "id", "contentType", "attributes", "tags", "recoveryId", "deletedDate", "scheduledPurgeDate")
		at, _ := d["deletedDate"].(float64)
		purge, _ := d["scheduledPurgeDate"].(float64)
		if d["id"] != b["id"] || d["recoveryId"] != h.c.Base()+"/deletedsecrets/s" || purge != at+90*86400 || at == 0 {
			t.Errorf("%s: %v", what, d)
		}
	}
	for _, r := range []struct{ method, target string }{{"GET", "/secrets/s"}, {"GET", "/secrets/s/" + version(b)}, {"PATCH", "/secrets/s"}, {"DELETE", "/secrets/s"},
		{"GET", "/secrets/s/versions"}, {"POST", "/secrets/s/backup"}} {
		h.fails(r.method, r.target, nil, 404, "SecretNotFound", "", "A secret with (name/id) s")
	}
	h.fails("PUT", "/secrets/S", in{"value": "x"}, 409, "Conflict", "ObjectIsDeletedButRecoverable",
		"Secret S is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.")
	if list, _ := h.ok("GET", "/secrets", nil)["value"].([]any); len(list) != 0 {
		t.Errorf("the deleted secret is listed: %v", list)
	}
	list, _ := h.ok("GET", "/deletedsecrets", nil)["value"].([]any)
	if item, _ := list[0].(in); len(list) != 1 || item["id"] != h.c.Base()+"/secrets/s" || item["recoveryId"] != h.c.Base()+"/deletedsecrets/s" || item["deletedDate"] == nil {
		t.Errorf("listed as deleted: %v", list)
	}
	recovered := h.ok("POST", "/deletedsecrets/s/recover", nil)
	h.members("recover", recovered, "id", "contentType", "attributes", "tags")
	if recovered["id"] != b["id"] || h.ok("GET", "/secrets/s", nil)["value"] != "v" {
		t.Errorf("recovered: %v", recovered)
	}
	h.remove("s")
	res, body := h.c.Send(h.c.Request("DELETE", "/deletedsecrets/s?api-version=7.4", nil))
	if res.StatusCode != 204 || len(body) != 0 || res.Header.Get("Content-Type") != "" {
		t.Errorf("purge: %d %q", res.StatusCode, body)
	}
	h.fails("GET", "/deletedsecrets/s", nil, 404, "SecretNotFound", "", "Deleted Secret not found: s")
	if again := h.set("s", "again"); again["previousVersion"] != nil {
		t.Errorf("something outlived the purge: %v", again)
	}
}

// Pages have at most 25 items; nextLink is a whole URL that is followed as it is.
func TestContractC_Paging(t *testing.T) {
	h := newHouse(t)
	const n = 30
	for i := range n {
		h.set(fmt.Sprintf("s%02d", i), "v")
	}
	for range n {
		h.set("many", "v")
	}
	for _, tt := range []struct {
		target string
		size   int
		total  int
	}{{"/secrets", 25, n + 1}, {"/secrets?maxresults=25", 25, n + 1}, {"/secrets?maxresults=7", 7, n + 1}, {"/secrets?maxresults=1", 1, n + 1},
		{"/secrets/many/versions", 25, n}, {"/secrets/many/versions?maxresults=4", 4, n}, {"/secrets/MANY/versions?maxresults=24", 24, n}} {
		seen := map[string]bool{}
		target := tt.target
		for pages := 0; target != "" && pages < 100; pages++ {
			page := h.ok("GET", target, nil)
			h.members("a page", page, "value", "nextLink")
			list, _ := page["value"].([]any)
			if len(list) > tt.size {
				t.Errorf("%s: %d items", tt.target, len(list))
			}
			for _, i := range list {
				item, _ := i.(in)
				id, _ := item["id"].(string)
				if seen[id] || item["value"] != nil || attributes(item)["enabled"] != true || secretID.MatchString(id) != strings.Contains(tt.target, "versions") {
					t.Errorf("%s: %v", tt.target, item)
				}
				seen[id] = true
			}
			target, _ = page["nextLink"].(string)
			if target == "" {
				break
			}
			u, err := url.Parse(target)
			path, _, _ := strings.Cut(tt.target, "?")
			if err != nil || u.Scheme+"://"+u.Host != h.c.Base() || u.Path != path || u.Query().Get("api-version") != "2026-04-01" || !strings.Contains(target, "&$skiptoken=") {
				t.Fatalf("nextLink %s", target)
			}
		}
		if len(seen) != tt.total {
			t.Errorf("%s: %d items in all, want %d", tt.target, len(seen), tt.total)
		}
	}
	for _, bad := range []string{"", "0", "26", "-1", "%2B5", "%205", "x", "1.5", "99999999999999999999", "1&maxresults=2"} {
		for _, target := range []string{"/secrets", "/deletedsecrets", "/secrets/many/versions"} {
			status, out := h.c.Call("GET", target+"?maxresults="+bad, nil)
			h.failure(target+" "+bad, status, out, 400, "BadParameter", "", "The query parameter maxresults ")
		}
	}
	page := h.ok("GET", "/secrets?maxresults=1", nil)
	next, _ := page["nextLink"].(string)
	token := next[strings.Index(next, "$skiptoken"):]
	for _, target := range []string{"/secrets?$skiptoken=x", "/deletedsecrets?" + token, "/secrets/many/versions?" + token} {
		h.fails("GET", target, nil, 400, "BadParameter", "", "The $skiptoken is not valid.")
	}
}

func TestContractC_BackupRestore(t *testing.T) {
	h := newHouse(t)
	first := h.ok("PUT", "/secrets/Backed", in{"value": "one", "tags": in{"a": "1"}})
	second := h.ok("PUT", "/secrets/Backed", in{"value": "two", "contentType": "t", "tags": in{"b": "2"}, "attributes": in{"exp": 2208988800}})
	backup := h.ok("POST", "/secrets/backed/backup", nil)
	h.members("backup", backup, "value")
	blob, _ := backup["value"].(string)
	if raw, err := base64.RawURLEncoding.DecodeString(blob); err != nil || len(raw) == 0 || strings.Contains(string(raw), "two") {
		t.Errorf("backup: %v", err)
	}
	const text = "There was a conflict restoring the secret '"
	h.fails("POST", "/secrets/restore", in{"value": blob}, 409, "Conflict", "", text+h.c.Base()+"/secrets/Backed'. This can happen if either: a second secret")
	h.remove("backed")
	h.fails("POST", "/secrets/restore", in{"value": blob}, 409, "Conflict", "", text)
	if status, out := h.c.Call("DELETE", "/deletedsecrets/backed", nil); status != 204 {
		t.Fatal(status, out)
	}
	restored := h.ok("POST", "/secrets/restore", in{"value": blob + strings.Repeat("=", (4-len(blob)%4)%4)})
	h.members("restore", restored, "id", "contentType", "attributes", "tags", "previousVersion")
	if restored["id"] != second["id"] || attributes(restored)["exp"] != 2208988800.0 || !reflect.DeepEqual(attributes(restored)["created"], attributes(second)["created"]) {
		t.Errorf("restored: %v, was %v", restored, second)
	}
	if b := h.ok("GET", "/secrets/backed/"+version(first), nil); b["value"] != "one" || !reflect.DeepEqual(b["tags"], in{"a": "1"}) {
		t.Errorf("the older version: %v", b)
	}
	// No character of a blob is free, the last one's spare bits included.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, c := range alphabet {
		if last := string(c); !strings.HasSuffix(blob, last) {
			h.fails("POST", "/secrets/restore", in{"value": blob[:len(blob)-1] + last}, 400, "BadParameter", "", "Cannot decrypt backup blob")
		}
	}
	for _, bad := range []string{"AAAA", blob[:len(blob)-8], "!!", blob[8:], strings.Repeat("A", 1<<20)} {
		h.fails("POST", "/secrets/restore", in{"value": bad}, 400, "BadParameter", "", "Cannot decrypt backup blob")
	}
	for _, bad := range []any{in{}, in{"value": ""}, in{"value": nil}} {
		h.fails("POST", "/secrets/restore", bad, 400, "BadParameter", "", "The property value is required.")
	}
	// The words of the path are names too, where the method says so.
	h.set("restore", "v")
	if b := h.ok("GET", "/secrets/restore", nil); b["value"] != "v" {
		t.Errorf("the secret called restore: %v", b)
	}
}

// Bytes of AWS's are text in base64 here, and come back as bytes there.
func TestContractC_Bytes(t *testing.T) {
	h := newHouse(t)
	aws := h.s.AWS(t)
	if status, out := aws.Call("CreateSecret", in{"Name": "bytes", "ClientRequestToken": strings.Repeat("0123", 8), "SecretBinary": "AP/+"}); status != 200 {
		t.Fatal(out)
	}
	b := h.ok("GET", "/secrets/bytes", nil)
	if b["value"] != "AP/+" || b["contentType"] != "application/octet-stream" || version(b) != strings.Repeat("0123", 8) {
		t.Errorf("%v", b)
	}
	h.ok("PUT", "/secrets/bytes", in{"value": "AAEC", "contentType": "application/octet-stream"})
	if _, out := aws.Call("GetSecretValue", in{"SecretId": "bytes"}); out["SecretBinary"] != "AAEC" {
		t.Errorf("%v", out)
	}
}
