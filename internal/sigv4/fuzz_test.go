package sigv4

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse: Parse never panics, its messages are short and printable, and what
// it accepts it renders and accepts again as the same.
func FuzzParse(f *testing.F) {
	f.Add(call().Header.Get("Authorization"), suiteStamp, "")
	f.Fuzz(func(t *testing.T, header, amzDate, date string) {
		h := http.Header{"Authorization": {header}}
		if amzDate != "" {
			h["X-Amz-Date"] = []string{amzDate}
		}
		if date != "" {
			h["Date"] = []string{date}
		}
		a, err := Parse(&Request{Header: h})
		if err != nil {
			text := refusal(t, err).Message
			if len(text) > 3*maxEcho || !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\x00\x1b") {
				t.Errorf("message %q", text)
			}
			return
		}
		if a.AccessKeyID == "" || strings.Contains(a.AccessKeyID+a.Date+a.Region+a.Service, "/") || len(a.SignedHeaders) == 0 {
			t.Errorf("parsed %+v", a)
		}
		if a.Time.Format(timeLayout) != a.stamp || a.Time.UTC() != a.Time {
			t.Errorf("time %v signed as %q", a.Time, a.stamp)
		}
		h.Set("Authorization", string(a.appendHeader(nil)))
		h.Set("X-Amz-Date", a.stamp)
		b, err := Parse(&Request{Header: h})
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("rendered %q: %v", h.Get("Authorization"), err)
		}
		_ = a.CheckTime(suiteNow)
	})
}

// FuzzVerify: a request that has a canonical form verifies as signed, agrees with
// the second implementation, and no longer verifies after a change.
func FuzzVerify(f *testing.F) {
	f.Add("POST", "/", "", "example.com", "X-Amz-Target", "secretsmanager.GetSecretValue", []byte("{}"), uint16(0))
	f.Fuzz(func(t *testing.T, method, path, query, host, name, value string, body []byte, flip uint16) {
		name = http.CanonicalHeaderKey(name)
		if name == "Host" || name == "Authorization" || name == "X-Amz-Date" {
			return
		}
		r := &Request{Method: method, EscapedPath: path, RawQuery: query, Host: host, Header: http.Header{name: {value}}, Body: body}
		Sign(r, suiteID, []byte(suiteSecret), "eu-central-1", "secretsmanager", suiteNow)
		a, err := Parse(r)
		if err != nil { // a name that cannot be in the list
			if isToken(name) {
				t.Fatal(err)
			}
			return
		}
		key := DeriveKey([]byte(suiteSecret), a.Date, a.Region, a.Service)
		_, ok := appendCanonical(nil, r, a.SignedHeaders, [32]byte{})
		err = a.Verify(r, key, suiteNow)
		if !ok || name == "X-Amz-Content-Sha256" || isAmz(name) && !isCanonicalKey(name) {
			if err == nil {
				t.Fatal("verified without a canonical form")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		// path.Clean and ParseQuery are narrower than what is signed.
		if strings.HasPrefix(path, "/") && !strings.Contains(query, ";") {
			want := referenceAuthorization(r, a.SignedHeaders, suiteID, suiteSecret, suiteStamp, "eu-central-1", "secretsmanager")
			if got := r.Header.Get("Authorization"); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
		changed := r.clone()
		if len(body) > 0 {
			changed.Body[int(flip)%len(body)] ^= 1 << (flip % 8)
		} else {
			changed.Body = []byte{byte(flip)}
		}
		if a.Verify(changed, key, suiteNow) == nil {
			t.Fatal("verified with another body")
		}
		a.Signature[flip%32] ^= 1 << (flip / 32 % 8)
		if a.Verify(r, key, suiteNow) == nil {
			t.Fatal("verified with another signature")
		}
	})
}
