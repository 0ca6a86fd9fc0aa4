package awsapi_test

import (
	"bytes"
	"flag"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"tacet"
)

// What differs from run to run in an answer.
var masks = []struct{ pattern, mask string }{
	{`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`, "00000000-0000-4000-8000-000000000000"},
	{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "2000-01-01T00:00:00Z"},
	{`>(AIDA|AGPA|AROA|ANPA|AKIA)[A-Z2-7]{16}<`, ">${1}XXXXXXXXXXXXXXXX<"},
	{`<SecretAccessKey>.{40}</SecretAccessKey>`, "<SecretAccessKey>…</SecretAccessKey>"},
	{`<Marker>.+</Marker>`, "<Marker>…</Marker>"},
}

// TestContractE_IAM is a story of every operation of "Minimal IAM" (aws.md e), with what is
// sent and what is answered, byte by byte but for ids and times. A member of a request may
// be what an earlier answer had: {AccessKeyId}, {Marker}. The texts of refusals are AWS's,
// as recorded by LocalStack's tests against AWS or quoted by users.
func TestContractE_IAM(t *testing.T) {
	const path = "testdata/iam.txtar"
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h := newServer(t)
	update := flag.Lookup("update").Value.String() == "true"
	seen, told := map[string]bool{}, map[string]string{}
	var out []txtar.File
	for _, f := range a.Files {
		what, kind, _ := strings.Cut(f.Name, "/")
		if kind != "request" {
			continue
		}
		form := url.Values{"Version": {"2010-05-08"}}
		for line := range strings.Lines(string(f.Data)) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			for k, v := range told {
				value = strings.ReplaceAll(value, "{"+k+"}", v)
			}
			form.Set(name, value)
		}
		seen[form.Get("Action")] = true
		res, body := h.query("iam", form.Encode())
		for _, name := range []string{"AccessKeyId", "Marker"} {
			if m := regexp.MustCompile("<" + name + ">(.*?)</").FindSubmatch(body); m != nil {
				told[name] = string(m[1])
			}
		}
		got := []byte(res.Status + "\n" + strings.ReplaceAll(string(body), "><", ">\n<") + "\n")
		for _, m := range masks {
			got = regexp.MustCompile(m.pattern).ReplaceAll(got, []byte(m.mask))
		}
		out = append(out, f, txtar.File{Name: what + "/response", Data: got})
		i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == what+"/response" })
		if !update && (i < 0 || !bytes.Equal(a.Files[i].Data, got)) {
			t.Errorf("%s:\n%s", what, got)
		}
	}
	if update {
		if err := os.WriteFile(path, txtar.Format(&txtar.Archive{Comment: a.Comment, Files: out}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, op := range tacet.Operations() {
		ofAzure := strings.Contains(string(op), "ClientCredential") // not AWS's
		if op.Service() == "iam" && !ofAzure && !seen[string(op)] {
			t.Errorf("the story does not have %s", op)
		}
	}
}
