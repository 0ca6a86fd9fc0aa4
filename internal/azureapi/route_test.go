package azureapi

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"tacet"
	"tacet/internal/wire"
)

// Threat 14: every operation on secrets that Azure names is a row, and each row is whole.
func TestThreat14_EveryOperationIsARow(t *testing.T) {
	rows := map[tacet.Operation]bool{}
	for _, op := range operations() {
		rows[op.name] = true
		if op.serve == nil || op.verb == "" || op.status == 0 || len(op.path) == 0 || op.name.DataAction() == "" {
			t.Errorf("%s %s: the row is not complete", op.method, strings.Join(op.path, "/"))
		}
		if hasBody := op.method == "PUT" || op.method == "PATCH" || op.path[len(op.path)-1] == "restore"; hasBody != (op.body > 0) {
			t.Errorf("%s %s: a body of %d", op.method, strings.Join(op.path, "/"), op.body)
		}
	}
	for _, op := range []tacet.Operation{tacet.OpSetSecret, tacet.OpGetSecretValue, tacet.OpUpdateSecretAttributes, tacet.OpListSecrets, tacet.OpListSecretVersionIDs,
		tacet.OpDeleteSecret, tacet.OpGetDeletedSecret, tacet.OpListDeletedSecrets, tacet.OpRestoreSecret, tacet.OpPurgeDeletedSecret, tacet.OpBackupSecret, tacet.OpRestoreBackup} {
		if !rows[op] {
			t.Errorf("%s has no row", op)
		}
	}
}

func TestHostname(t *testing.T) {
	for in, want := range map[string]string{"Main.Vault.LOCALHOST:8443": "main.vault.localhost", "a.b.": "a.b", "a:": "a", "[::1]:8443": "::1", "[::1]": "::1", "": "", "127.0.0.1:1": "127.0.0.1"} {
		if got := hostname(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestSplitHosts(t *testing.T) {
	h := Hosts{Domains: []string{"localhost", "vault.localhost", "vault.azure.net"}}
	for host, want := range map[string][2]string{"main.vault.localhost": {"main", "vault.localhost"}, "main.localhost": {"main", "localhost"}, "vault.localhost": {"vault", "localhost"},
		"a.vault.azure.net": {"a", "vault.azure.net"}, "localhost": {}, "a.b.vault.localhost": {}, "a.b.localhost": {}, ".localhost": {}, "mainlocalhost": {}, "vault.azure.net": {}} {
		name, domain, ok := h.split(host)
		if name != want[0] || domain != want[1] || ok != (want[0] != "") {
			t.Errorf("%s: %q in %q", host, name, domain)
		}
	}
}

func TestVersionsAreOrdered(t *testing.T) {
	order := []string{"2015-06-01", "2016-10-01", "7.0", "7.1", "7.6", "7.10", "2025-06-01-preview", "2025-07-01", "2026-04-01"}
	for i, v := range order {
		for j, w := range order {
			if got := (&query{version: v}).since(w); got != (i >= j) {
				t.Errorf("%s since %s: %v", v, w, got)
			}
		}
	}
}

// Threat 28, 29: no path and no query makes the router panic, or finds an operation whose
// name is none.
func FuzzRoute(f *testing.F) {
	for _, s := range []string{"/secrets", "/secrets/a/", "//secrets//a/b", "/deletedsecrets/a/recover", "/secrets/restore", "/secrets/%2e%2e/x", "/secrets/a%2Fb", "/%", "/secrets/\x00",
		"http://h/secrets/a", "/Secrets/A/Versions", "*", ""} {
		f.Add(s, "api-version=7.4&maxresults=1&%24skiptoken=x", "GET")
		f.Add(s, "api%2Dversion=2026-04-01", "POST")
	}
	h := &Handler{operations: operations()}
	f.Fuzz(func(t *testing.T, target, rawQuery, method string) {
		r := &http.Request{Method: method, RequestURI: target, URL: &url.URL{RawQuery: rawQuery}, Header: http.Header{}}
		x := &exchange{r: r}
		op, err := h.route(x)
		if (err == nil) != (op.serve != nil) {
			t.Fatalf("%q: %v without an operation", target, err)
		}
		if err == nil && !isVaultPath(rawPath(r)) && !strings.Contains(target, "%") {
			t.Fatalf("%q is an operation and no path of a vault", target)
		}
		if x.target.check() == nil && x.target.name != "" && !tacet.ValidShownName(x.target.name) {
			t.Fatalf("%q: the name %q", target, x.target.name)
		}
		if x.readQuery() == nil && (x.query.version == "" || x.query.maxResults < 0 || x.query.maxResults > maxPage) {
			t.Fatalf("%q: %+v", rawQuery, x.query)
		}
	})
}

// No body makes the inputs panic, and whatever they read is text.
func FuzzInputs(f *testing.F) {
	for _, s := range []string{"", "{}", `{"value":"v"}`, `{"value":"v","contentType":"t","tags":{"a":"b"},"attributes":{"enabled":true,"nbf":1,"exp":2}}`,
		`{"tags":{"a":null}}`, `{"value":"AAEC","contentType":"application/octet-stream"}`, `{"attributes":{"nbf":-1}}`, `{"value":null,"tags":null,"attributes":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		x := &exchange{body: wire.Body{Bytes: body}}
		if in, err := readSet(x); err == nil {
			for _, tag := range in.Tags {
				if !utf8.ValidString(tag.Key) || !utf8.ValidString(tag.Value) {
					t.Fatalf("%q: %+v", body, tag)
				}
			}
			if in.Value.IsZero() {
				t.Fatalf("%q: no value", body)
			}
		}
		_, _ = readUpdate(x)
		_, _ = readBackup(x)
	})
}

// What is claimed and what is left to the AWS face.
func TestClaims(t *testing.T) {
	h := &Handler{cfg: Config{Hosts: Hosts{Domains: []string{"vault.example.com"}}}}
	for _, tt := range []struct {
		method, host, target string
		want                 bool
	}{
		{"POST", "main.vault.example.com", "/", false}, {"GET", "main.vault.example.com", "/", true}, {"POST", "main.vault.example.com", "/x", true},
		{"GET", "127.0.0.1", "/secrets/x", true}, {"GET", "127.0.0.1", "//secrets/x", true}, {"GET", "127.0.0.1", "/Keys", true}, {"POST", "example.org", "/", false},
		{"GET", "127.0.0.1", "/", false}, {"GET", "127.0.0.1", "/x", false}, {"GET", "127.0.0.1", "/secretsx", false}, {"GET", "example.org", "/secrets", true},
		{"PUT", "x", "http://main.vault.example.com/secrets/a", true},
	} {
		r := httptest.NewRequest(tt.method, "/", nil)
		r.Host, r.RequestURI = tt.host, tt.target
		if got := h.Claims(r); got != tt.want {
			t.Errorf("%s %s %s: %v", tt.method, tt.host, tt.target, got)
		}
	}
}
