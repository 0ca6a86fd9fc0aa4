package jwa

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"testing"
)

// accessToken is claims of the size and shape of Entra's for an application.
var accessToken = map[string]any{
	"aud": "https://vault.azure.net", "iss": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
	"iat": 1780000000, "nbf": 1780000000, "exp": 1780003600,
	"appid": "11111111-2222-3333-4444-555555555555", "appidacr": "1", "idp": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
	"oid": "66666666-7777-8888-9999-000000000000", "sub": "66666666-7777-8888-9999-000000000000",
	"tid": "72f988bf-86f1-41af-91ab-2d7cd011db47", "uti": "AAAAAAAAAAAAAAAAAAAAAA", "ver": "1.0", "roles": []string{"a", "b"},
}

// BenchmarkVerify is what a bearer token costs that is not in its caller's cache:
// reading it and one ECDSA verification, which is measured beside it.
func BenchmarkVerify(b *testing.B) {
	for _, a := range []Algorithm{ES256, RS256} {
		b.Run(string(a), func(b *testing.B) {
			key, err := GenerateKey(a)
			if err != nil {
				b.Fatal(err)
			}
			token, err := key.Sign(accessToken, Header{Type: "JWT"})
			if err != nil {
				b.Fatal(err)
			}
			keys := NewKeySet(key.Public())
			b.ReportAllocs()
			for b.Loop() {
				t, err := Parse(token)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := t.Verify(keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("ECDSA alone", func(b *testing.B) {
		key, err := GenerateKey(ES256)
		if err != nil {
			b.Fatal(err)
		}
		digest := sha256.Sum256(make([]byte, 1000))
		private := key.key.(*ecdsa.PrivateKey)
		signature, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if !ecdsa.VerifyASN1(&private.PublicKey, digest[:], signature) {
				b.Fatal("not verified")
			}
		}
	})
}

// BenchmarkSign is what issuing a token costs.
func BenchmarkSign(b *testing.B) {
	for _, a := range []Algorithm{ES256, RS256} {
		b.Run(string(a), func(b *testing.B) {
			key, err := GenerateKey(a)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := key.Sign(accessToken, Header{Type: "JWT", X5T: key.ID()}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
