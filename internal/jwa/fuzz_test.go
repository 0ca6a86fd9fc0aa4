package jwa

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// FuzzParse: a token made of any header and payload never panics, and one that is
// accepted is signed by the key, has one writing, and claims that any reader sees.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"alg":"ES256","typ":"JWT"}`), []byte(`{"iss":"https://a","sub":"s","aud":["v"],"exp":1900000000}`), byte(0))
	keys := NewKeySet(ecKey().Public())
	key := ecKey().key
	f.Fuzz(func(t *testing.T, header, payload []byte, flip byte) {
		token := signed(key, ES256, string(header), string(payload))
		parsed, err := Parse(token)
		if err != nil {
			if KindOf(err) != Malformed && KindOf(err) != AlgorithmRefused {
				t.Fatalf("another kind: %v", err)
			}
			return
		}
		_, _ = parsed.VerifyCertificate([]*x509.Certificate{{Raw: []byte("a"), PublicKey: key.Public()}})
		if _, err := parsed.Verify(NewKeySet(rsaKey().Public())); err == nil {
			t.Fatal("verified by another key")
		}
		claims, err := parsed.Verify(keys)
		if err != nil {
			if parsed.Header().Algorithm == ES256 && parsed.Header().KeyID == "" {
				t.Fatalf("signed, and refused: %v", err)
			}
			return
		}
		if len(token) > MaxToken || parsed.Header().Algorithm != ES256 || !utf8.Valid(payload) || bytes.Contains(header, []byte(`"crit"`)) && parsed.jws.Signatures[0].Header.ExtraHeaders["crit"] != nil {
			t.Fatalf("accepted %q %q", header, payload)
		}
		_ = claims.CheckTime(now, time.Minute)
		// Any other character in the signature is another token, and none of ours.
		at := len(token) - 1 - int(flip)%86
		changed := token[:at] + string(rune('A'+flip%26)) + token[at+1:]
		if _, err := verify(changed, keys); err == nil && changed != token {
			t.Fatalf("%s verified as well as %s", changed, token)
		}
	})
}

// FuzzParseCompact: Parse never panics on any text, and what it accepts it accepts as
// written only.
func FuzzParseCompact(f *testing.F) {
	f.Add("eyJhbGciOiJFUzI1NiJ9.e30.AA")
	f.Fuzz(func(t *testing.T, token string) {
		parsed, err := Parse(token)
		if err != nil {
			return
		}
		if strings.Count(token, ".") != 2 || strings.Trim(token, "-_.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" {
			t.Fatalf("accepted %q", token)
		}
		if _, err := parsed.Verify(NewKeySet(ecKey().Public())); err == nil {
			t.Fatalf("verified %q", token)
		}
	})
}

// FuzzParseKeySet: ParseKeySet never panics, and what it accepts are public keys that
// it publishes and reads again.
func FuzzParseKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[` + jwk(ecKey().key.Public(), nil) + `]}`))
	f.Add([]byte(`{"keys":[` + jwk(rsaKey().key.Public(), map[string]any{"use": "sig", "alg": "RS256"}) + `]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := ParseKeySet(text)
		if err != nil {
			if KindOf(err) != Malformed {
				t.Fatalf("another kind: %v", err)
			}
			return
		}
		if set.Len() > MaxKeys {
			t.Fatalf("%d keys", set.Len())
		}
		published, err := set.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseKeySet(published)
		if err != nil || again.Len() != set.Len() {
			t.Fatalf("%s became %s: %v", text, published, err)
		}
		_, _ = verify("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30."+strings.Repeat("A", 342), set)
	})
}
