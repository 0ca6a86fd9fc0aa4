package sigv4

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// typical is a GetSecretValue as botocore sends it, with a body of 300 bytes.
func typical() *Request {
	return &Request{
		Method: "POST", EscapedPath: "/", Host: "secretsmanager.eu-central-1.example.com:8443",
		Header: http.Header{
			"Content-Type":          {"application/x-amz-json-1.1"},
			"X-Amz-Target":          {"secretsmanager.GetSecretValue"},
			"User-Agent":            {"Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux md/arch#x86_64 lang/python#3.13 cfg/retry-mode#standard"},
			"Amz-Sdk-Invocation-Id": {"7f3e9a44-6b93-4b0e-9b3c-2a1f5d6c7e80"},
			"Amz-Sdk-Request":       {"attempt=1"},
			"Content-Length":        {"300"},
			"Accept-Encoding":       {"identity"},
		},
		Body: bytes.Repeat([]byte("x"), 300),
	}
}

func BenchmarkParseAndVerify(b *testing.B) {
	r := typical()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	secret := []byte("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
	Sign(r, "AKIDEXAMPLE", secret, "eu-central-1", "secretsmanager", now)
	var cache KeyCache
	derive := func() Key { return DeriveKey(secret, "20260301", "eu-central-1", "secretsmanager") }
	b.ReportAllocs()
	for b.Loop() {
		a, err := Parse(r)
		if err != nil {
			b.Fatal(err)
		}
		key := cache.Get(a.AccessKeyID, "1", a.Date, a.Region, a.Service, derive)
		if err := a.Verify(r, key, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	r := typical()
	Sign(r, "AKIDEXAMPLE", []byte("secret"), "eu-central-1", "secretsmanager", time.Unix(1e9, 0))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDeriveKey(b *testing.B) {
	secret := []byte("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
	b.ReportAllocs()
	for b.Loop() {
		DeriveKey(secret, "20260301", "eu-central-1", "secretsmanager")
	}
}

func BenchmarkSign(b *testing.B) {
	r := typical()
	b.ReportAllocs()
	for b.Loop() {
		Sign(r, "AKIDEXAMPLE", []byte("secret"), "eu-central-1", "secretsmanager", time.Unix(1e9, 0))
	}
}

func BenchmarkKeyCacheGet(b *testing.B) {
	var cache KeyCache
	ids := make([]string, 100)
	for i := range ids {
		ids[i] = fmt.Sprintf("AKIDEXAMPLE%03d", i)
	}
	derive := func() Key { return Key{} }
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			cache.Get(ids[i%len(ids)], "1", "20260301", "eu-central-1", "secretsmanager", derive)
		}
	})
}

func BenchmarkKeyCacheFull(b *testing.B) {
	var cache KeyCache
	derive := func() Key { return Key{} }
	ids := make([]string, 3*maxKeys)
	for i := range ids {
		ids[i] = fmt.Sprintf("AKIDEXAMPLE%03d", i)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		cache.Get(ids[i%len(ids)], "1", "20260301", "eu-central-1", "secretsmanager", derive)
		i++
	}
}
