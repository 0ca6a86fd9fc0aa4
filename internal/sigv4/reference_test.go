package sigv4

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// This file is Signature Version 4 a second time, written from AWS's description
// with the tools at hand and no thought of speed, to hold the first against.

var (
	reserved = regexp.MustCompile(`[^A-Za-z0-9\-._~/]`)
	spaces   = regexp.MustCompile(` +`)
)

func referenceCanonical(r *Request, names []string) string {
	p := path.Clean("/" + r.EscapedPath)
	if p != "/" && strings.HasSuffix(r.EscapedPath, "/") {
		p += "/"
	}
	p = reserved.ReplaceAllStringFunc(p, func(s string) (out string) {
		for _, b := range []byte(s) {
			out += fmt.Sprintf("%%%02X", b)
		}
		return out
	})
	values, err := url.ParseQuery(r.RawQuery)
	if err != nil {
		panic(err)
	}
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	var pairs [][2]string
	for name, list := range values {
		for _, v := range list {
			pairs = append(pairs, [2]string{escape(name), escape(v)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	var query []string
	for _, pair := range pairs {
		query = append(query, pair[0]+"="+pair[1])
	}
	var headers string
	for _, name := range names {
		list := r.Header.Values(name)
		if name == "host" {
			list = []string{r.Host}
		}
		var trimmed []string
		for _, v := range list {
			trimmed = append(trimmed, spaces.ReplaceAllString(strings.Trim(v, " \t"), " "))
		}
		headers += name + ":" + strings.Join(trimmed, ",") + "\n"
	}
	payload := sha256.Sum256(r.Body)
	return strings.Join([]string{r.Method, p, strings.Join(query, "&"), headers, strings.Join(names, ";"), hex.EncodeToString(payload[:])}, "\n")
}

func referenceAuthorization(r *Request, names []string, id, secret, stamp, region, service string) string {
	mac := func(key []byte, s string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		return h.Sum(nil)
	}
	scope := strings.Join([]string{stamp[:8], region, service, "aws4_request"}, "/")
	digest := sha256.Sum256([]byte(referenceCanonical(r, names)))
	toSign := "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hex.EncodeToString(digest[:])
	key := mac(mac(mac(mac([]byte("AWS4"+secret), stamp[:8]), region), service), "aws4_request")
	return fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x", id, scope, strings.Join(names, ";"), mac(key, toSign))
}

// TestReference signs requests of every shape with the second implementation and
// verifies them with the first.
func TestReference(t *testing.T) {
	const stamp = "20150830T123600Z"
	now, _ := time.Parse(timeLayout, stamp)
	key := DeriveKey([]byte("secret-of-ten-or-more"), "20150830", "eu-west-1", "sts")
	escaped := rapid.StringMatching(`(%[0-9A-Fa-f]{2}|[a-z+&=.~ é'/"\\!-]){0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		r := &Request{
			Method:      rapid.SampledFrom([]string{"GET", "POST", "DELETE"}).Draw(t, "method"),
			EscapedPath: "/" + rapid.StringMatching(`(\.|\.\.|/|%[0-9A-F]{2}|[a-z é+=:@]){0,12}`).Draw(t, "path"),
			RawQuery:    escaped.Draw(t, "query"),
			Host:        rapid.StringMatching(`[a-z.]{1,20}(:[0-9]{1,5})?`).Draw(t, "host"),
			Header:      http.Header{"X-Amz-Date": {stamp}},
			Body:        rapid.SliceOfN(rapid.Byte(), 0, 4000).Draw(t, "body"),
		}
		names := []string{"host", "x-amz-date"}
		for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`[b-g][a-z0-9-]{0,80}`), 0, 14, rapid.ID[string]).Draw(t, "names") {
			for _, v := range rapid.SliceOfN(rapid.StringMatching(`[ \ta-z,;:é"]{0,30}`), 1, 3).Draw(t, "values") {
				r.Header.Add(name, v)
			}
			names = append(names, name)
		}
		slices.Sort(names)
		r.Header.Set("Authorization", referenceAuthorization(r, names, "AKIDEXAMPLE", "secret-of-ten-or-more", stamp, "eu-west-1", "sts"))
		a, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Verify(r, key, now); err != nil {
			t.Fatal(err)
		}
	})
}

// TestMAC holds the HMAC written out against the standard library's.
func TestMAC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var key Key
		copy(key[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		message := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "message")
		mac := hmac.New(sha256.New, key[:])
		mac.Write(message)
		if want, got, got2 := [32]byte(mac.Sum(nil)), key.rfc2104(message), key.mac(message); got != want || got2 != want {
			t.Fatalf("got %x and %x, want %x", got, got2, want)
		}
	})
}
