package awsapi_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"tacet"
	"tacet/internal/tacettest/golden"
)

// TestContractE_IAM is a story of every operation of "Minimal IAM", with what is
// sent and what is answered, byte by byte but for ids and times. A member of a request may
// be what an earlier answer had: {AccessKeyId}, {Marker}. The texts of refusals are AWS's,
// as recorded by LocalStack's tests against AWS or quoted by users.
func TestContractE_IAM(t *testing.T) {
	h := newServer(t)
	seen, told := map[string]bool{}, map[string]string{}
	masks := []golden.Mask{
		golden.UUIDs(),
		{Pattern: `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, With: "2000-01-01T00:00:00Z"},
		{Pattern: `>(AIDA|AGPA|AROA|ANPA|AKIA)[A-Z2-7]{16}<`, With: ">${1}XXXXXXXXXXXXXXXX<"},
		{Pattern: `<SecretAccessKey>.{40}</SecretAccessKey>`, With: "<SecretAccessKey>…</SecretAccessKey>"},
		{Pattern: `<Marker>.+</Marker>`, With: "<Marker>…</Marker>"},
		{Pattern: `<Content>.+</Content>`, With: "<Content>…</Content>"}, // see TestContractE_CredentialReport
	}
	golden.Check(t, "testdata/iam.txtar", masks, func(_ *testing.T, request []byte) []byte {
		form := url.Values{"Version": {"2010-05-08"}}
		for line := range strings.Lines(string(request)) {
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
		return []byte(res.Status + "\n" + strings.ReplaceAll(string(body), "><", ">\n<"))
	})
	for _, op := range tacet.Operations() {
		ofAzure := strings.Contains(string(op), "ClientCredential") // not AWS's
		if op.Service() == "iam" && !ofAzure && !seen[string(op)] {
			t.Errorf("the story does not have %s", op)
		}
	}
}
