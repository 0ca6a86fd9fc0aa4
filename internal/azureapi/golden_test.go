package azureapi_test

import (
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"testing"

	"tacet/internal/azureapi"
	"tacet/internal/tacettest/golden"
)

// TestContractC_Story is a story of every operation on secrets, each with a
// success and a refusal: what is sent and what is answered, byte by byte but for ids and
// times. A request may have in it what an earlier answer had: {version}, the version of the
// last id, {next}, the last nextLink, and {backup}.
func TestContractC_Story(t *testing.T) {
	h := newHouse(t)
	told := map[string]string{}
	answered := map[string]bool{} // "GET secrets/{name} 200"
	masks := []golden.Mask{
		golden.UUIDs(),
		{Pattern: `localhost:\d+`, With: "localhost:8443"},
		{Pattern: `"(created|updated|deletedDate|scheduledPurgeDate)":\d+`, With: `"$1":1700000000`},
		{Pattern: `[0-9a-f]{32}`, With: strings.Repeat("0", 32)},
		{Pattern: `skiptoken=[\w-]+`, With: "skiptoken=…"},
		{Pattern: `"value":"[\w-]{256,}"`, With: `"value":"…"`},
	}
	golden.Check(t, "testdata/secrets.txtar", masks, func(t *testing.T, request []byte) []byte {
		text := string(request)
		for k, v := range told {
			text = strings.ReplaceAll(text, "{"+k+"}", v)
		}
		head, body, hasBody := strings.Cut(text, "\n\n")
		lines := strings.Split(head, "\n")
		method, target, _ := strings.Cut(lines[0], " ")
		var sent []byte
		if hasBody {
			sent = []byte(body)
		}
		req := h.c.Request(method, target, sent)
		for _, l := range lines[1:] {
			name, value, _ := strings.Cut(l, ": ")
			req.Header.Set(name, value)
		}
		res, answer := h.c.Send(req)
		var out in
		if len(answer) > 0 {
			if err := json.Unmarshal(answer, &out); err != nil {
				t.Fatalf("%s: %v", answer, err)
			}
		}
		if id, _ := out["id"].(string); secretID.MatchString(id) {
			told["version"] = path.Base(id)
		}
		if next, _ := out["nextLink"].(string); next != "" {
			told["next"] = next
		}
		if value, _ := out["value"].(string); strings.HasSuffix(req.URL.Path, "/backup") && value != "" {
			told["backup"] = value
		}
		outcome := " refused"
		if res.StatusCode < 300 {
			outcome = " done"
		}
		answered[routeOf(method, req.URL.Path)+outcome] = true
		got := res.Status + "\n"
		for _, name := range []string{"Allow", "Content-Type", "WWW-Authenticate"} {
			if v := res.Header.Get(name); v != "" {
				got += name + ": " + v + "\n"
			}
		}
		return []byte(got + "\n" + string(answer))
	})
	for _, r := range azureapi.Routes() {
		for _, outcome := range []string{" done", " refused"} {
			if !answered[r[0]+" "+r[1]+outcome] {
				t.Errorf("the story has no %s %s that is%s", r[0], r[1], outcome)
			}
		}
	}
}

// routeOf names the operation that a request is for, as Routes does.
func routeOf(method, requested string) string {
	requested = strings.Trim(requested, "/")
	for _, r := range azureapi.Routes() {
		pattern := regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(r[1]), "[^/]+")
		if r[0] == method && regexp.MustCompile("^(?i:"+pattern+")$").MatchString(requested) {
			return r[0] + " " + r[1]
		}
	}
	return ""
}
