package sigv4

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func (r *Request) clone() *Request {
	c := *r
	c.Header, c.Body = r.Header.Clone(), bytes.Clone(r.Body)
	return &c
}

// rich is a signed request with something in every part.
func rich() *Request {
	r := &Request{
		Method: "POST", EscapedPath: "/a/b%20c", RawQuery: "k=v&l=w%20x", Host: "example.com:8443",
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"secretsmanager.GetSecretValue"}, "X-Amz-Security-Token": {"token"}},
		Body:   []byte(`{"SecretId":"db/password"}`),
	}
	Sign(r, suiteID, []byte(suiteSecret), "eu-central-1", "secretsmanager", suiteNow)
	return r
}

// TestThreat18_AnyChangeIsRefused changes one thing at a time.
func TestThreat18_AnyChangeIsRefused(t *testing.T) {
	base := rich()
	if err := check(base, suiteNow); err != nil {
		t.Fatal(err)
	}
	refused := func(name string, change func(*Request)) {
		t.Helper()
		r := base.clone()
		change(r)
		if err := check(r, suiteNow); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, v := range []string{"GET", "post", "POSTS", "", "POST\n", "POST /"} {
		refused("method "+v, func(r *Request) { r.Method = v })
	}
	for _, v := range []string{"/", "", "/a", "/a/b%20c/", "/a/b%20d", "/a/b c", "/a%2Fb%20c", "/a/b%20c/x", "/A/b%20c", "a/b%20c", "/a/b%20c\n", "/a/b+c"} {
		refused("path "+v, func(r *Request) { r.EscapedPath = v })
	}
	for _, v := range []string{"", "k=v", "k=v&l=w%20y", "k=v&l=w%20x&m=", "k=v&k=v&l=w%20x", "l=v&k=w%20x", "k=v%26l=w%20x", "k=v&l=w%2520x", "K=v&l=w%20x", "k%3Dv&l=w%20x", "k=v&l=w%20x%"} {
		refused("query "+v, func(r *Request) { r.RawQuery = v })
	}
	for _, v := range []string{"", "example.com", "example.com:8444", "EXAMPLE.com:8443", "example.com:8443\nx:y", "evil.com"} {
		refused("host "+v, func(r *Request) { r.Host = v })
	}
	for i := range base.Body {
		for bit := range 8 {
			refused("body's bit", func(r *Request) { r.Body[i] ^= 1 << bit })
		}
		refused("body cut", func(r *Request) { r.Body = r.Body[:i] })
	}
	refused("body longer", func(r *Request) { r.Body = append(r.Body, 0) })
	for key := range base.Header {
		refused("without "+key, func(r *Request) { r.Header.Del(key) })
		refused("twice "+key, func(r *Request) { r.Header.Add(key, r.Header.Get(key)) })
		value, first := base.Header.Get(key), 0
		if key == "Authorization" { // the access key id and the spaces are not signed
			first = strings.Index(value, "/")
		}
		for i := first; i < len(value); i++ {
			if value[i] == ' ' {
				continue
			}
			refused(key, func(r *Request) { r.Header.Set(key, value[:i]+"\x01"+value[i+1:]) })
			refused(key, func(r *Request) { r.Header.Set(key, value[:i]+value[i+1:]) })
			refused(key, func(r *Request) { r.Header.Set(key, value[:i]+string(rune(value[i]^1))+value[i+1:]) })
		}
	}
	header := base.Header.Get("Authorization")
	for from, to := range map[string]string{
		"/20150830/": "/20150829/", "/eu-central-1/": "/eu-central-2/", "/secretsmanager/": "/sts/",
		"SignedHeaders=content-type;": "SignedHeaders=", ";x-amz-security-token": "", ";x-amz-target": "", "host;": "",
	} {
		if !strings.Contains(header, from) {
			t.Fatal(from)
		}
		refused(from+" for "+to, func(r *Request) { r.Header.Set("Authorization", strings.Replace(header, from, to, 1)) })
	}
	a, err := Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	key := DeriveKey([]byte(suiteSecret), a.Date, a.Region, a.Service)
	for i := range 256 {
		b := *a
		b.Signature[i/8] ^= 1 << (i % 8)
		if b.Verify(base, key, suiteNow) == nil {
			t.Errorf("signature's bit %d: accepted", i)
		}
		k := key
		k[i/8] ^= 1 << (i % 8)
		if a.Verify(base, k, suiteNow) == nil {
			t.Errorf("key's bit %d: accepted", i)
		}
	}
}

// TestThreat18_WhatIsActedOnIsSigned: a signature that is right, but leaves out a header that
// the server acts on, does not cover the request: whoever passes it on could change that.
func TestThreat18_WhatIsActedOnIsSigned(t *testing.T) {
	all := []string{"content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"}
	if err := check(seal(rich(), all...), suiteNow); err != nil {
		t.Fatal(err)
	}
	for i, left := range all {
		if left == "content-type" { // AWS does not ask for it; the service, which is signed, has one protocol
			continue
		}
		names := slices.Delete(slices.Clone(all), i, i+1)
		if err := check(seal(rich(), names...), suiteNow); err == nil {
			t.Errorf("%s is not signed, and the request is taken", left)
		}
		// Nor does another header stand for it that is as long.
		twin := strings.Repeat("z", len(left))
		r := rich()
		r.Header.Set(twin, "v")
		names = append(names, twin)
		slices.Sort(names)
		if err := check(seal(r, names...), suiteNow); err == nil {
			t.Errorf("%s is not signed but %s is, and the request is taken", left, twin)
		}
	}
}

// TestThreat18_ScopeBindsTheKey: a key of one scope signs for no other.
func TestThreat18_ScopeBindsTheKey(t *testing.T) {
	secret := []byte(suiteSecret)
	keys := map[Key]string{}
	for _, s := range [][3]string{
		{"20150830", "us-east-1", "sts"}, {"20150831", "us-east-1", "sts"}, {"20150830", "us-east-2", "sts"}, {"20150830", "us-east-1", "iam"},
		{"20150830", "sts", "us-east-1"}, {"20150830us-east-1", "", "sts"}, {"20150830", "us-east-1sts", ""}, {"20150830", "", "us-east-1sts"},
	} {
		name := strings.Join(s[:], "/")
		key := DeriveKey(secret, s[0], s[1], s[2])
		if other, ok := keys[key]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		keys[key] = name
	}
}

// TestCanonicalIsUnambiguous: requests that mean different things have different
// canonical forms, or none, however their parts are cut. Among the rows are those
// that naive joining would make equal.
func TestCanonicalIsUnambiguous(t *testing.T) {
	h := func(pairs ...string) http.Header {
		out := make(http.Header)
		for i := 0; i < len(pairs); i += 2 {
			out.Add(pairs[i], pairs[i+1])
		}
		return out
	}
	seen := map[string]int{}
	for i, tt := range []struct {
		r     Request
		names string
	}{
		{Request{Method: "GET", EscapedPath: "/a", RawQuery: "b=c", Host: "h"}, "host"},
		{Request{Method: "GET", EscapedPath: "/a%3Fb=c", Host: "h"}, "host"},
		{Request{Method: "GET", EscapedPath: "/a?b=c", Host: "h"}, "host"},
		{Request{Method: "GET", EscapedPath: "/a\nb=c", Host: "h"}, "host"},
		{Request{Method: "GET\n/a", EscapedPath: "", RawQuery: "b=c", Host: "h"}, "host"},
		{Request{Method: "GETA", EscapedPath: "/", RawQuery: "b=c", Host: "h"}, "host"},
		{Request{Method: "GET", EscapedPath: "/", RawQuery: "b=c&d=e", Host: "h"}, "host"},
		{Request{Method: "GET", EscapedPath: "/", RawQuery: "b=c%26d=e", Host: "h"}, "host"},
		{Request{Method: "GET", EscapedPath: "/", RawQuery: "b=c%26d%3De", Host: "h", Header: h("D", "e")}, "d;host"},
		{Request{Method: "GET", EscapedPath: "/", RawQuery: "b%3Dc&d=e", Host: "h"}, "host"},
		{Request{Method: "GET", EscapedPath: "/", RawQuery: "b=c%0Ahost:h", Host: "h"}, "host"},
		{Request{Method: "GET", EscapedPath: "/", Host: "h\nx:y"}, "host"},
		{Request{Method: "GET", EscapedPath: "/", Host: "h", Header: h("X", "y")}, "host;x"},
		{Request{Method: "GET", EscapedPath: "/", Host: "h", Header: h("X", "y\nz:w")}, "host;x"},
		{Request{Method: "GET", EscapedPath: "/", Host: "h", Header: h("X", "y", "Z", "w")}, "host;x;z"},
		{Request{Method: "GET", EscapedPath: "/", Host: "h", Header: h("X", "", "Z", "w")}, "host;x;z"},
		{Request{Method: "GET", EscapedPath: "/", Host: "h", Header: h("X", "y,z:w")}, "host;x"},
		{Request{Method: "GET", EscapedPath: "/", Host: "h", Header: h("X", "y\r\n\r\nhost;x")}, "host;x"},
		{Request{Method: "GET", EscapedPath: "/", Host: "h", Body: []byte("y")}, "host"},
	} {
		canonical, ok := appendCanonical(nil, &tt.r, strings.Split(tt.names, ";"), [32]byte{})
		unsafe := strings.ContainsAny(tt.r.Method+tt.r.Host+strings.Join(slices.Concat(slices.Collect(maps.Values(tt.r.Header))...), ""), "\r\n")
		if ok == unsafe {
			t.Errorf("row %d: a canonical form: %v", i, ok)
		}
		if !ok || tt.r.Body != nil {
			continue
		}
		if other, ok := seen[string(canonical)]; ok {
			t.Errorf("rows %d and %d are one:\n%s", other, i, canonical)
		}
		seen[string(canonical)] = i
		if got := strings.Count(string(canonical), "\n"); got != 5+len(strings.Split(tt.names, ";")) {
			t.Errorf("row %d has %d lines", i, got)
		}
	}
	if len(seen) < 12 {
		t.Errorf("only %d rows compared", len(seen))
	}
}

func TestLongURL(t *testing.T) {
	for _, r := range []*Request{
		{EscapedPath: "/" + strings.Repeat("a", maxURL)}, {RawQuery: strings.Repeat("&a", maxURL/2+1)},
	} {
		r.Method, r.Host = "GET", "h"
		Sign(r, suiteID, []byte(suiteSecret), "eu-central-1", "secretsmanager", suiteNow)
		wantRefusal(t, check(r, suiteNow), InvalidSignature, mismatchText)
	}
}

// TestLongNames signs more and longer names than there is room for on the stack.
func TestLongNames(t *testing.T) {
	r := &Request{Method: "GET", Host: "h", Header: http.Header{}}
	for i := range 40 {
		r.Header.Set("X-Amz-"+strings.Repeat("n", 2*i+1), strings.Repeat("v", i))
	}
	Sign(r, suiteID, []byte(suiteSecret), "eu-central-1", "secretsmanager", suiteNow)
	if err := check(r, suiteNow); err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-"+strings.Repeat("n", 79), "w")
	wantRefusal(t, check(r, suiteNow), InvalidSignature, mismatchText)
}

func TestSignReplacesWhatWasThere(t *testing.T) {
	r := call()
	first := r.Header.Get("Authorization")
	Sign(r, suiteID, []byte(suiteSecret), "eu-central-1", "secretsmanager", suiteNow.Add(time.Minute+5).In(time.FixedZone("", 3600)))
	if len(r.Header["Authorization"]) != 1 || r.Header.Get("Authorization") == first || r.Header.Get("X-Amz-Date") != "20150830T123700Z" {
		t.Errorf("got %q at %q", r.Header["Authorization"], r.Header["X-Amz-Date"])
	}
	if err := check(r, suiteNow); err != nil {
		t.Error(err)
	}
}
