package sigv4

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// The tests named TestContractA4_n and TestContractA5 each stand for one
// statement of how AWS verifies signatures and words its refusals. Statement 4.5,
// the string to sign and the key, is what TestSuite and TestDeriveKey show with
// AWS's own numbers; 4.9, which keys need a session token, and the refusals of
// keys and tokens are decided where keys are known, not here.

const mismatchText = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// call is a signed GetSecretValue of the suite's key, at the suite's time.
func call() *Request {
	r := typical()
	Sign(r, suiteID, []byte(suiteSecret), "eu-central-1", "secretsmanager", suiteNow)
	return r
}

// seal signs r as it is, the names given, by the second implementation.
func seal(r *Request, names ...string) *Request {
	r.Header.Set("Authorization", referenceAuthorization(r, names, suiteID, suiteSecret, suiteStamp, "eu-central-1", "secretsmanager"))
	return r
}

func check(r *Request, now time.Time) error {
	a, err := Parse(r)
	if err != nil {
		return err
	}
	return a.Verify(r, DeriveKey([]byte(suiteSecret), a.Date, a.Region, a.Service), now)
}

// wantRefusal demands a refusal of the kind with the message.
func wantRefusal(t *testing.T, err error, kind Kind, message string) {
	t.Helper()
	if e := refusal(t, err); e.Kind != kind || e.Message != message {
		t.Errorf("\n got %s: %s\nwant %s: %s", e.Kind, e.Message, kind, message)
	}
}

func TestContractA4_1_PartsInAnyOrderAndSpacing(t *testing.T) {
	r := call()
	header := r.Header.Get("Authorization")
	scheme, rest, _ := strings.Cut(header, " ")
	p := strings.Split(rest, ", ")
	for _, form := range []string{
		scheme + " " + p[0] + "," + p[1] + "," + p[2],
		scheme + " " + p[2] + ", " + p[0] + ", " + p[1],
		scheme + "   " + p[1] + " ,  " + p[2] + "," + p[0] + " ",
	} {
		r.Header.Set("Authorization", form)
		if err := check(r, suiteNow); err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
	a, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if a.AccessKeyID != suiteID || a.Date != "20150830" || a.Region != "eu-central-1" || a.Service != "secretsmanager" ||
		!a.Time.Equal(suiteNow) || strings.Join(a.SignedHeaders, ";") != "content-type;host;x-amz-date;x-amz-target" {
		t.Errorf("parsed %+v", a)
	}
}

func TestContractA4_2_DateFromXAmzDateElseDate(t *testing.T) {
	for _, date := range []string{suiteStamp, "Sun, 30 Aug 2015 12:36:00 GMT", "Sun, 30 Aug 2015 12:36:00 -0000", "Sun, 30 Aug 2015 14:36:00 +0200"} {
		r := typical()
		r.Header.Set("Date", date)
		if err := check(seal(r, "date", "host", "x-amz-target"), suiteNow); err != nil {
			t.Errorf("Date %s: %v", date, err)
		}
		// X-Amz-Date has precedence, whatever Date says.
		r.Header.Set("X-Amz-Date", "20150830T123600Z")
		r.Header.Set("Date", "Mon, 31 Aug 2026 01:02:03 GMT")
		if err := check(seal(r, "host", "x-amz-date", "x-amz-target"), suiteNow); err != nil {
			t.Error(err)
		}
	}
	// Nobody can move a Date that is not among the signed headers: it is in the string to sign.
	r := typical()
	r.Header.Set("Date", suiteStamp)
	seal(r, "host", "x-amz-target").Header.Set("Date", "20150830T123601Z")
	wantRefusal(t, check(r, suiteNow), InvalidSignature, mismatchText)
}

func TestContractA4_3_HeaderValues(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   string
	}{
		{[]string{"a"}, "a"},
		{[]string{""}, ""},
		{[]string{"   "}, ""},
		{[]string{" \ta   b  c\t "}, "a b c"},
		{[]string{"a\tb"}, "a\tb"},
		{[]string{"a ", " b"}, "a,b"},
		{[]string{"a", ""}, "a,"},
		{[]string{"a,b", "c"}, "a,b,c"},
		{[]string{"  é  é "}, "é é"},
	} {
		if got, ok := appendValues(nil, tt.values); !ok || string(got) != tt.want {
			t.Errorf("%q: got %q, want %q", tt.values, got, tt.want)
		}
	}
}

func TestContractA4_3_Path(t *testing.T) {
	for path, want := range map[string]string{
		"": "/", "/": "/", "//": "/", "/.": "/", "/..": "/", "/../../a": "/a", "/a/": "/a/", "/a//b": "/a/b",
		"/a/./b/../c": "/a/c", "/a%20b": "/a%2520b", "/%2e%2E/": "/%252e%252E/", "/a+b=c@d:e": "/a%2Bb%3Dc%40d%3Ae", "*": "%2A",
	} {
		if got := string(appendPath(nil, path)); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

func TestContractA4_3_Query(t *testing.T) {
	for query, want := range map[string]string{
		"": "", "a": "a=", "a=": "a=", "b=2&a=1": "a=1&b=2", "a=2&a=1": "a=1&a=2", "a=b=c": "a=b%3Dc", "a=1&&": "a=1",
		"a=%7e%2f%c3%a9": "a=~%2F%C3%A9", "a=x+y": "a=x%20y", "a-b=1&a=2": "a=2&a-b=1", "a%26b=1": "a%26b=1", "A=1&a=2": "A=1&a=2",
	} {
		if got, ok := appendQuery(nil, query); !ok || string(got) != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"%", "a=%2", "a=%zz", "%g0=1", "a=%%"} {
		if got, ok := appendQuery(nil, query); ok {
			t.Errorf("%q: got %q, want none", query, got)
		}
	}
}

func TestContractA4_4_PayloadHash(t *testing.T) {
	r := typical()
	r.Header.Set("X-Amz-Date", suiteStamp)
	canonical := referenceCanonical(r, nil)
	right := canonical[strings.LastIndexByte(canonical, '\n')+1:]
	for value, ok := range map[string]bool{right: true, strings.Repeat("0", 64): false, strings.ToUpper(right): false, "UNSIGNED-PAYLOAD": false, "": false} {
		r.Header.Set("X-Amz-Content-Sha256", value)
		for _, names := range [][]string{{"host", "x-amz-content-sha256", "x-amz-date", "x-amz-target"}, {"host", "x-amz-date", "x-amz-target"}} {
			err := check(seal(r, names...), suiteNow)
			if ok && err != nil {
				t.Errorf("%q: %v", value, err)
			}
			if !ok {
				wantRefusal(t, err, InvalidSignature, mismatchText)
			}
		}
	}
}

func TestContractA4_6_HostMustBeSigned(t *testing.T) {
	r := typical()
	r.Header.Set("X-Amz-Date", suiteStamp)
	wantRefusal(t, check(seal(r, "content-type", "x-amz-date", "x-amz-target"), suiteNow),
		InvalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
}

func TestContractA4_6_HostIsTheRequestsNotAHeader(t *testing.T) {
	r := call()
	r.Header.Set("Host", "evil.example.com") // net/http never puts one there
	if err := check(r, suiteNow); err != nil {
		t.Error(err)
	}
	for _, host := range []string{"secretsmanager.eu-central-1.example.com", "evil.example.com:8443", ""} {
		r.Host = host
		wantRefusal(t, check(r, suiteNow), InvalidSignature, mismatchText)
	}
}

func TestContractA4_6_AmzHeadersMustBeSigned(t *testing.T) {
	signed := []string{"host", "x-amz-date", "x-amz-target"}
	for name, ok := range map[string]bool{
		"X-Amz-Security-Token": false, "X-Amz-Anything": false, "X-Amz-": false, "X-Amz-Targe": false, "X-Amz-Targetx": false,
		"X-Amz-Cf-Id": true, "X-Amz-User-Agent": true, "X-Amzn-Trace-Id": true, "X-Forwarded-For": true, "Amz-Sdk-Request": true,
	} {
		r := typical()
		r.Header.Set("X-Amz-Date", suiteStamp)
		r.Header.Set(name, "value")
		err := check(seal(r, signed...), suiteNow)
		if ok && err != nil {
			t.Errorf("unsigned %s: %v", name, err)
		}
		if !ok {
			wantRefusal(t, err, InvalidSignature, mismatchText)
		}
	}
	for _, left := range [][]string{{"host", "x-amz-date"}, {"host", "x-amz-target"}} {
		r := typical()
		r.Header.Set("X-Amz-Date", suiteStamp)
		wantRefusal(t, check(seal(r, left...), suiteNow), InvalidSignature, mismatchText)
	}
}

func TestContractA4_6_AmzHeadersOnceAndInOneSpelling(t *testing.T) {
	for _, change := range []func(http.Header){
		func(h http.Header) { h["X-Amz-Target"] = []string{"a", "b"} },
		func(h http.Header) { h["X-Amz-Target"] = nil },
		func(h http.Header) { h["x-amz-target"] = []string{"b"} },
		func(h http.Header) { h["X-AMZ-TARGET"] = []string{"b"} },
	} {
		r := typical()
		r.Header.Set("X-Amz-Date", suiteStamp)
		change(r.Header)
		wantRefusal(t, check(seal(r, "host", "x-amz-date", "x-amz-target"), suiteNow), InvalidSignature, mismatchText)
	}
}

func TestContractA4_6_SignedHeaderMustBePresent(t *testing.T) {
	r := typical()
	r.Header.Set("X-Amz-Date", suiteStamp)
	names := []string{"host", "x-absent", "x-amz-date", "x-amz-target"}
	wantRefusal(t, check(seal(r, names...), suiteNow), InvalidSignature, mismatchText)
	r.Header.Set("X-Absent", "")
	if err := check(seal(r, names...), suiteNow); err != nil {
		t.Error("present but empty:", err)
	}
}

func TestContractA4_7_Window(t *testing.T) {
	r := call()
	for offset, want := range map[time.Duration]Kind{
		0:                        "",
		5 * time.Minute:          "",
		5*time.Minute + 999e6:    "", // a fraction of a second does not count
		5*time.Minute + 1e9:      SignatureExpired,
		24 * time.Hour:           SignatureExpired,
		-5 * time.Minute:         "",
		-5*time.Minute - 1:       SignatureNotYetCurrent,
		-24 * 365 * time.Hour:    SignatureNotYetCurrent,
		-5*time.Minute - 1e9:     SignatureNotYetCurrent,
		-5*time.Minute + 1e9 - 1: "",
	} {
		now := suiteNow.Add(offset).In(time.FixedZone("elsewhere", 7*3600))
		err := check(r, now)
		if want == "" && err != nil {
			t.Errorf("%v: %v", offset, err)
		}
		if want != "" && refusal(t, err).Kind != want {
			t.Errorf("%v: got %v, want %s", offset, err, want)
		}
	}
}

func TestContractA4_8_Scope(t *testing.T) {
	a, err := Parse(call())
	if err != nil {
		t.Fatal(err)
	}
	is := func(want string) func(string) bool { return func(region string) bool { return region == want } }
	if err := a.CheckScope("secretsmanager", is("eu-central-1")); err != nil {
		t.Error(err)
	}
	wantRefusal(t, a.CheckScope("sts", is("eu-central-1")), ScopeService, "Credential should be scoped to correct service: 'sts'. ")
	wantRefusal(t, a.CheckScope("secretsmanager", is("us-east-1")), ScopeRegion, "Credential should be scoped to a valid region. ")
}

func TestContractA5_ScopeDate(t *testing.T) {
	r := call()
	r.Header.Set("X-Amz-Date", "20150831T000100Z")
	wantRefusal(t, check(r, suiteNow), ScopeDate, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150830' != '20150831', from '20150831T000100Z'.")
	// A prefix of the date is not the date.
	r = call()
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/20150830/", "/2015083/", 1))
	wantRefusal(t, check(r, suiteNow), ScopeDate, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '2015083' != '20150830', from '20150830T123600Z'.")
}

func TestContractA5_ClockTexts(t *testing.T) {
	now := time.Date(2025, 11, 6, 13, 26, 8, 0, time.UTC)
	r := typical()
	Sign(r, suiteID, []byte(suiteSecret), "eu-central-1", "secretsmanager", time.Date(2025, 11, 5, 22, 8, 58, 0, time.UTC))
	wantRefusal(t, check(r, now), SignatureExpired, "Signature expired: 20251105T220858Z is now earlier than 20251106T132108Z (20251106T132608Z - 5 min.)")
	Sign(r, suiteID, []byte(suiteSecret), "eu-central-1", "secretsmanager", now.Add(time.Hour))
	wantRefusal(t, check(r, now), SignatureNotYetCurrent, "Signature not yet current: 20251106T142608Z is still later than 20251106T133108Z (20251106T132608Z + 5 min.)")
}

// TestContractA5_Order: scope date, then clock, then signed headers, then signature.
func TestContractA5_Order(t *testing.T) {
	r := call()
	a, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	late := suiteNow.Add(time.Hour)
	a.Signature[0] ^= 1
	a.SignedHeaders = a.SignedHeaders[:1]
	a.Date = "20150101"
	steps := []struct {
		want Kind
		mend func()
	}{
		{ScopeDate, func() { a.Date = "20150830" }},
		{SignatureExpired, func() { late = suiteNow }},
	}
	for _, s := range steps {
		if e := refusal(t, a.Verify(r, Key{}, late)); e.Kind != s.want {
			t.Errorf("got %v, want %s", e, s.want)
		}
		s.mend()
	}
	wantRefusal(t, a.Verify(r, Key{}, late), InvalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
}
