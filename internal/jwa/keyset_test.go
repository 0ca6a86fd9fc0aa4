package jwa

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// jwk returns a key as a JWK with members changed; a nil value removes one.
func jwk(key any, changes map[string]any) string {
	var members map[string]any
	if err := json.Unmarshal(must(jose.JSONWebKey{Key: key, KeyID: "k"}.MarshalJSON()), &members); err != nil {
		panic(err)
	}
	for name, value := range changes {
		if members[name] = value; value == nil {
			delete(members, name)
		}
	}
	return string(must(json.Marshal(members)))
}

func TestParseKeySet(t *testing.T) {
	ec, rs := ecKey().key.Public(), rsaKey().key.Public()
	ed, _ := must2(ed25519.GenerateKey(rand.Reader))
	type changes = map[string]any
	for _, c := range []struct {
		name string
		key  string
		len  int // -1: the set is refused
	}{
		{"P-256", jwk(ec, nil), 1},
		{"P-384", jwk(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)).Public(), nil), 1},
		{"P-521", jwk(must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)).Public(), nil), 1},
		{"RSA", jwk(rs, nil), 1},
		{"Ed25519", jwk(ed, nil), 1},
		{"for signatures", jwk(rs, changes{"use": "sig", "key_ops": []string{"verify"}, "alg": "PS384"}), 1},
		{"without kid", jwk(rs, changes{"kid": nil}), 1},
		{"with certificates that are not looked at", jwk(rs, changes{"x5c": []string{"not a certificate"}, "x5t": "??", "x5u": "https://evil.example/"}), 1},
		{"as Entra publishes it", jwk(rs, changes{"use": "sig", "x5t": "k", "issuer": "https://login.microsoftonline.com/t/v2.0", "cloud_instance_name": "m"}), 1},

		{"for encryption", jwk(rs, changes{"use": "enc"}), 0},
		{"use is a list", jwk(rs, changes{"use": []string{"sig"}}), 0},
		{"for other operations", jwk(rs, changes{"key_ops": []string{"sign", "encrypt"}}), 0},
		{"key_ops is a string", jwk(rs, changes{"key_ops": "verify"}), 0},
		{"for another algorithm", jwk(rs, changes{"alg": "RSA-OAEP"}), 0},
		{"for an algorithm of another type", jwk(rs, changes{"alg": "ES256"}), 0},
		{"for none", jwk(rs, changes{"alg": "none"}), 0},
		{"for HS256", jwk(rs, changes{"alg": "HS256"}), 0},
		{"for another curve's algorithm", jwk(ec, changes{"alg": "ES384"}), 0},
		{"1024 bits", jwk(weakRSA().Public(), nil), 0},
		{"16384 bits", jwk(rs, changes{"n": strings.Repeat("A_", 1365)}), 0},
		{"RSA without e", jwk(rs, changes{"e": nil}), 0},
		{"RSA with e = 1", jwk(rs, changes{"e": "AQ"}), 0},
		{"a point not on the curve", jwk(ec, changes{"x": strings.Repeat("A", 43)}), 0},
		{"another curve's name", jwk(ec, changes{"crv": "P-384"}), 0},
		{"a low-order point", jwk(ed, changes{"x": strings.Repeat("A", 43)}), 0},
		{"secp256k1", jwk(ec, changes{"crv": "secp256k1"}), 0},
		{"unknown type", `{"kty":"new","kid":"k"}`, 0},
		{"no type", jwk(rs, changes{"kty": nil}), 0},
		{"kid is a number", jwk(rs, changes{"kid": 1}), 0},

		{"private RSA", jwk(rsaKey().key, nil), -1},
		{"private EC", jwk(ecKey().key, nil), -1},
		{"a private part of an unknown type", `{"kty":"new","d":"AA"}`, -1},
		{"a prime", jwk(rs, changes{"p": "AA"}), -1},
		{"symmetric", `{"kty":"oct","k":"AAAA"}`, -1},
		{"symmetric, empty", `{"kty":"oct"}`, -1},
		{"not an object", `"k"`, -1},
		{"a name twice", `{"kty":"new","kty":"RSA"}`, -1},
	} {
		set, err := ParseKeySet([]byte(`{"keys":[` + c.key + `],"other":1}`))
		if got := set.Len(); c.len >= 0 && (got != c.len || err != nil) || c.len < 0 && KindOf(err) != Malformed {
			t.Errorf("%s: %d keys, %v", c.name, got, err)
		}
		// One key that cannot be used takes no other with it.
		set, err = ParseKeySet([]byte(`{"keys":[` + c.key + `,` + jwk(ec, map[string]any{"kid": "good"}) + `]}`))
		if c.len >= 0 && (err != nil || !set.Has("good")) {
			t.Errorf("%s and a good one: %v", c.name, err)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "null": "null", "a list": "[]", "no keys": "{}", "keys is an object": `{"keys":{}}`, "keys is null": `{"keys":null}`,
		"keys twice": `{"keys":[],"keys":[]}`, "text after it": `{"keys":[]}{}`, "HTML": "<html>",
		"too many":  `{"keys":[` + strings.Repeat(`{"kty":"new"},`, MaxKeys) + `{"kty":"new"}]}`,
		"too large": `{"keys":[],"pad":"` + strings.Repeat("a", MaxKeySet) + `"}`,
	} {
		if _, err := ParseKeySet([]byte(text)); KindOf(err) != Malformed {
			t.Errorf("%s: %v", name, err)
		}
	}
	if set, err := ParseKeySet([]byte(`{"keys":[]}`)); err != nil || set.Len() != 0 {
		t.Errorf("no keys are a set: %v", err)
	}
}

// TestOneKeyIDForTwoKeys: RFC 7517 section 4.5 lets equivalent keys share a kid.
func TestOneKeyIDForTwoKeys(t *testing.T) {
	keys := NewKeySet(PublicKey{ID: "k", Key: ecKey().key.Public()}, PublicKey{ID: "k", Key: rsaKey().key.Public()})
	for _, key := range []*SigningKey{ecKey(), rsaKey()} {
		if _, err := verify(must(key.Sign(struct{}{}, Header{KeyID: "k"})), keys); err != nil {
			t.Errorf("%s: %v", key.Algorithm(), err)
		}
	}
}

func TestPublishedKeySet(t *testing.T) {
	key := ecKey()
	point := key.key.Public().(*ecdsa.PublicKey)
	text := string(must(NewKeySet(key.Public()).JSON()))
	member := func(b []byte) string { return strings.Trim(string(must(json.Marshal(b64(b)))), `"`) }
	raw := must(point.Bytes()) // 4, x, y
	want := fmt.Sprintf(`{"keys":[{"use":"sig","kty":"EC","kid":%q,"crv":"P-256","alg":"ES256","x":%q,"y":%q}]}`, key.ID(), member(raw[1:33]), member(raw[33:]))
	if text != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
	if text := string(must(NewKeySet().JSON())); text != `{"keys":[]}` {
		t.Errorf("no keys: %s", text)
	}
	for _, key := range []any{key.key, []byte("secret"), nil} {
		if text, err := NewKeySet(PublicKey{Key: key}).JSON(); err == nil {
			t.Errorf("published %s", text)
		}
	}
}
