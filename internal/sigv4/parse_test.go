package sigv4

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestContractA5_Syntax walks what [Parse] refuses, each with its text.
func TestContractA5_Syntax(t *testing.T) {
	sig := strings.Repeat("0f", 32)
	const cred = "Credential=AK/20150830/us-east-1/sts/aws4_request"
	const wrong = "Authorization header has an unknown, repeated or malformed "
	const list = "'SignedHeaders' must be lower-case header names, sorted, each once, separated by semicolons. Authorization="
	const five = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
	const noEqual = " not a valid key=value pair (missing equal-sign) in Authorization header: "
	whole := func(c, h, s string) string {
		return "AWS4-HMAC-SHA256 " + c + ", SignedHeaders=" + h + ", Signature=" + s
	}
	for _, tt := range []struct {
		name, header string
		kind         Kind
		message      string // %H stands for the header
	}{
		{"another scheme", "Basic dXNlcjpwYXNzd29yZA==", MissingAuthenticationToken, "Missing Authentication Token"},
		{"bearer", "Bearer eyJ", MissingAuthenticationToken, "Missing Authentication Token"},
		{"empty", "", MissingAuthenticationToken, "Missing Authentication Token"},
		{"signature version 2", "AWS AK:sig", MissingAuthenticationToken, "Missing Authentication Token"},
		{"algorithm", "AWS4-ECDSA-P256-SHA256 " + cred, IncompleteSignature, "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'"},
		{"algorithm's case", "AWS4-hmac-sha256 " + cred, IncompleteSignature, "Unsupported AWS 'algorithm': 'AWS4-hmac-sha256'"},
		{"algorithm and tab", "AWS4-HMAC-SHA256\t" + cred, IncompleteSignature, "Authorization header must be printable ASCII. Authorization=AWS4-HMAC-SHA256?" + cred},
		{"no equal sign", "AWS4-HMAC-SHA256 Signature=b,    Credential,    SignedHeaders", IncompleteSignature, "'Credential'" + noEqual + "'%H'."},
		{"garbage", "AWS4-HMAC-SHA256 garbage", IncompleteSignature, "'garbage'" + noEqual + "'%H'."},
		{"no equal sign behind a stranger", "AWS4-HMAC-SHA256 foo=1,bar", IncompleteSignature, "'bar'" + noEqual + "'%H'."},
		{"no equal sign behind a fourth", whole(cred, "host", sig) + ", Signature=" + sig + ", bar ", IncompleteSignature, "'bar'" + noEqual + "'%H'."},
		{"empty part", "AWS4-HMAC-SHA256 " + cred + ",", IncompleteSignature, "''" + noEqual + "'%H'."},
		{"nothing", "AWS4-HMAC-SHA256", IncompleteSignature, "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=%H"},
		{"no signature nor headers", "AWS4-HMAC-SHA256 " + cred, IncompleteSignature, "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=%H"},
		{"empty signature", whole(cred, "host", ""), IncompleteSignature, "Authorization header requires 'Signature' parameter. Authorization=%H"},
		{"unknown part", whole(cred, "host", sig) + ", Extra=1", IncompleteSignature, wrong + "'Extra' parameter. Authorization=%H"},
		{"repeated part", whole(cred, "host", sig) + ", Signature=" + sig, IncompleteSignature, wrong + "'Signature' parameter. Authorization=%H"},
		{"empty, then again", "AWS4-HMAC-SHA256 Credential=, " + cred + ", SignedHeaders=host, Signature=" + sig, IncompleteSignature, wrong + "'Signature' parameter. Authorization=%H"},
		{"part's case", "AWS4-HMAC-SHA256 credential=a", IncompleteSignature, wrong + "'credential' parameter. Authorization=%H"},
		{"no comma", "AWS4-HMAC-SHA256 " + cred + " SignedHeaders=host, Signature=" + sig, IncompleteSignature, wrong + "'Credential' parameter. Authorization=%H"},
		{"four elements", whole("Credential=a/b/c/d", "host", sig), IncompleteSignature, five + "'a/b/c/d'"},
		{"six elements", whole("Credential=a/b/c/d/aws4_request/e", "host", sig), IncompleteSignature, five + "'a/b/c/d/aws4_request/e'"},
		{"empty element", whole("Credential=a//c/d/aws4_request", "host", sig), IncompleteSignature, five + "'a//c/d/aws4_request'"},
		{"no key id", whole("Credential=/b/c/d/aws4_request", "host", sig), IncompleteSignature, five + "'/b/c/d/aws4_request'"},
		{"terminator", whole("Credential=a/b/c/d/e", "host", sig), InvalidSignature, "Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. "},
		{"unsorted", whole(cred, "x-b;host", sig), IncompleteSignature, list + "%H"},
		{"twice", whole(cred, "host;host", sig), IncompleteSignature, list + "%H"},
		{"upper case", whole(cred, "Host", sig), IncompleteSignature, list + "%H"},
		{"empty name", whole(cred, "host;;x-a", sig), IncompleteSignature, list + "%H"},
		{"empty first name", whole(cred, ";host", sig), IncompleteSignature, list + "%H"},
		{"empty last name", whole(cred, "host;", sig), IncompleteSignature, list + "%H"},
		{"not a name", whole(cred, "host;x:y", sig), IncompleteSignature, list + "%H"},
		{"short signature", whole(cred, "host", sig[1:]), InvalidSignature, mismatchText},
		{"long signature", whole(cred, "host", sig+"0"), InvalidSignature, mismatchText},
		{"upper-case signature", whole(cred, "host", strings.ToUpper(sig)), InvalidSignature, mismatchText},
		{"not hex", whole(cred, "host", "g"+sig[1:]), InvalidSignature, mismatchText},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(&Request{Header: http.Header{"Authorization": {tt.header}, "X-Amz-Date": {suiteStamp}}})
			wantRefusal(t, err, tt.kind, strings.ReplaceAll(tt.message, "%H", tt.header))
		})
	}
}

func TestContractA5_Missing(t *testing.T) {
	_, err := Parse(&Request{})
	wantRefusal(t, err, MissingAuthenticationToken, "Missing Authentication Token")
	header := call().Header.Get("Authorization")
	_, err = Parse(&Request{Header: http.Header{"Authorization": {header, header}, "X-Amz-Date": {suiteStamp}}})
	wantRefusal(t, err, IncompleteSignature, "Request must have exactly one Authorization header.")
	_, err = Parse(&Request{Header: http.Header{"Authorization": {header}}})
	wantRefusal(t, err, IncompleteSignature, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization="+header)
}

func TestContractA5_Dates(t *testing.T) {
	header := call().Header.Get("Authorization")
	for _, date := range []string{"", "201", "20150830T123600", "20150830T123600z", "20150830T123600.5Z", "2015083 T123600Z", "20150830 123600Z", "20150832T123600Z",
		"20150830T243600Z", "20150830T126000Z", "20150229T123600Z", "-0150830T123600Z", "2015-08-30T12:36:00Z", "Sun, 30 Aug 2015 12:36:00 GMT"} {
		_, err := Parse(&Request{Header: http.Header{"Authorization": {header}, "X-Amz-Date": {date}, "Date": {suiteStamp}}})
		wantRefusal(t, err, IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got '"+date+"'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	_, err := Parse(&Request{Header: http.Header{"Authorization": {header}, "Date": {"yesterday"}}})
	wantRefusal(t, err, IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601")
	_, err = Parse(&Request{Header: http.Header{"Authorization": {header}, "Date": {"Fri, 31 Dec 9999 23:59:59 -0100"}}})
	if e := refusal(t, err); e.Kind != IncompleteSignature {
		t.Errorf("a year of five digits: %v", e)
	}
	_, err = Parse(&Request{Header: http.Header{"Authorization": {header}, "X-Amz-Date": {suiteStamp, suiteStamp}}})
	wantRefusal(t, err, IncompleteSignature, "Request must have exactly one 'X-Amz-Date' or 'Date' header.")
}

func TestLongHeader(t *testing.T) {
	header := call().Header.Get("Authorization") + strings.Repeat(" ", maxHeader)
	_, err := Parse(&Request{Header: http.Header{"Authorization": {header}, "X-Amz-Date": {suiteStamp}}})
	if e := refusal(t, err); e.Kind != IncompleteSignature || len(e.Message) > maxEcho+100 {
		t.Errorf("got %s of %d bytes", e.Kind, len(e.Message))
	}
}

func TestEcho(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "a\r\nb\x00\x7f": "a??b??", "\xff\xfe": "??", "é": "é",
		strings.Repeat("x", 5000): strings.Repeat("x", maxEcho),
	} {
		if got := echo(in); got != want {
			t.Errorf("%.20q: got %.20q", in, got)
		}
	}
	// Cut within a rune.
	if got := echo("x" + strings.Repeat("é", maxEcho)); !utf8.ValidString(got) {
		t.Error("not UTF-8")
	}
}
