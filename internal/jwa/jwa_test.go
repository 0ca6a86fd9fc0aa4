package jwa

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tacet"
)

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// rsaKey and ecKey are made once: an RSA key takes a while.
var (
	rsaKey = sync.OnceValue(func() *SigningKey { return must(GenerateKey(RS256)) })
	ecKey  = sync.OnceValue(func() *SigningKey { return must(GenerateKey(ES256)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// signed returns a token of any header and payload, signed by the key: what a hostile
// or a careless issuer could write. alg is taken from the header text.
func signed(key crypto.PrivateKey, a Algorithm, header, payload string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	if secret, ok := key.([]byte); ok {
		var sum []byte
		fips140.WithoutEnforcement(func() { // short secrets are an attacker's
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(input))
			sum = mac.Sum(nil)
		})
		return input + "." + b64(sum)
	}
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(a), Key: rawSigner{key, input}}, nil))
	compact := must(must(signer.Sign(nil)).CompactSerialize())
	return input + compact[strings.LastIndexByte(compact, '.'):]
}

// rawSigner signs the input it carries in place of the one that go-jose makes.
type rawSigner struct {
	key   crypto.PrivateKey
	input string
}

func (s rawSigner) Public() *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: s.key.(crypto.Signer).Public()}
}

func (s rawSigner) Algs() []jose.SignatureAlgorithm { return accepted() }

func (s rawSigner) SignPayload(_ []byte, alg jose.SignatureAlgorithm) ([]byte, error) {
	var hash crypto.Hash
	switch alg[2:] {
	case "256":
		hash = crypto.SHA256
	case "384":
		hash = crypto.SHA384
	case "512":
		hash = crypto.SHA512
	default:
		return ed25519.Sign(s.key.(ed25519.PrivateKey), []byte(s.input)), nil
	}
	h := hash.New()
	h.Write([]byte(s.input))
	switch k := s.key.(type) {
	case *ecdsa.PrivateKey:
		r, v, err := ecdsa.Sign(rand.Reader, k, h.Sum(nil))
		size := (k.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), v.FillBytes(make([]byte, size))...), err
	case *rsa.PrivateKey:
		if alg[0] == 'P' {
			return rsa.SignPSS(rand.Reader, k, hash, h.Sum(nil), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(rand.Reader, k, hash, h.Sum(nil))
	}
	return nil, fmt.Errorf("no signer for %T", s.key)
}

// verify is the whole way: parse, then verify.
func verify(token string, keys KeySet) (Claims, error) {
	t, err := Parse(token)
	if err != nil {
		return Claims{}, err
	}
	return t.Verify(keys)
}

func TestOurTokens(t *testing.T) {
	for _, key := range []*SigningKey{ecKey(), rsaKey()} {
		t.Run(string(key.Algorithm()), func(t *testing.T) {
			token := must(key.Sign(map[string]any{"iss": "https://a", "sub": "s", "aud": "v", "exp": now.Unix() + 1, "nbf": now.Unix(),
				"iat": float64(now.Unix()) - 0.5, "jti": "1", "repository_id": int64(9007199254740993)}, Header{Type: "JWT", X5T: "abc"}))
			parsed := must(Parse(token))
			if got, want := parsed.Header(), (Header{Algorithm: key.Algorithm(), KeyID: key.ID(), Type: "JWT", X5T: "abc"}); got != want {
				t.Errorf("header %+v, want %+v", got, want)
			}
			// The way of a verifier elsewhere: through the published set.
			keys := must(ParseKeySet(must(NewKeySet(key.Public()).JSON())))
			c, err := parsed.Verify(keys)
			if err != nil {
				t.Fatal(err)
			}
			if c.Issuer != "https://a" || c.Subject != "s" || c.ID != "1" || len(c.Audience) != 1 || c.Audience[0] != "v" ||
				!c.Expires.Equal(now.Add(time.Second)) || !c.NotBefore.Equal(now) || !c.IssuedAt.Equal(now.Add(-500*time.Millisecond)) {
				t.Errorf("claims %+v", c)
			}
			if c.All["repository_id"] != int64(9007199254740993) {
				t.Errorf("a large number became %v", c.All["repository_id"])
			}
		})
	}
}

func TestSigningKeysAreStoredAsPKCS8(t *testing.T) {
	for _, key := range []*SigningKey{ecKey(), rsaKey()} {
		stored := must(key.PKCS8())
		back, err := ParseSigningKey(stored)
		if err != nil {
			t.Fatal(err)
		}
		if back.ID() != key.ID() || back.Algorithm() != key.Algorithm() {
			t.Errorf("%v came back as %v", key, back)
		}
		if _, err := verify(must(back.Sign(map[string]string{}, Header{})), NewKeySet(key.Public())); err != nil {
			t.Error(err)
		}
		private := key.key
		if s := fmt.Sprintf("%v %+v %s", key, struct{ K *SigningKey }{key}, stored); strings.Contains(s, fmt.Sprint(private)) || strings.Count(s, key.ID()) != 2 {
			t.Errorf("printed as %s", s)
		}
	}
	for name, der := range map[string][]byte{
		"nothing": nil, "garbage": []byte("garbage"),
		"P-384":        must(x509.MarshalPKCS8PrivateKey(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)))),
		"1024-bit RSA": must(x509.MarshalPKCS8PrivateKey(weakRSA())),
	} {
		if k, err := ParseSigningKey(tacet.NewPlaintext(der)); err == nil {
			t.Errorf("%s: read as %v", name, k)
		}
	}
	if _, err := GenerateKey("HS256"); err == nil {
		t.Error("made a key for HS256")
	}
}

// weakRSA makes a key of 1024 bits, which FIPS 140-3 mode forbids and we refuse.
func weakRSA() (key *rsa.PrivateKey) {
	fips140.WithoutEnforcement(func() { key = must(rsa.GenerateKey(rand.Reader, 1024)) })
	return key
}

// TestRFC7515_A3 is the example of RFC 7515, appendix A.3.
func TestRFC7515_A3(t *testing.T) {
	keys := must(ParseKeySet([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`)))
	c, err := verify("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."+
		"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", keys)
	if err != nil || c.Issuer != "joe" || c.Expires.Unix() != 1300819380 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestRFC7638 is the example of RFC 7638 section 3.1, a thumbprint of an RSA key.
func TestRFC7638(t *testing.T) {
	n := "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	key := must(ParseKeySet([]byte(`{"keys":[{"kty":"RSA","n":"` + n + `","e":"AQAB","alg":"RS256","kid":"2011-04-29"}]}`))).keys[0]
	jwk := jose.JSONWebKey{Key: key.Key}
	if got := base64.RawURLEncoding.EncodeToString(must(jwk.Thumbprint(crypto.SHA256))); got != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Error(got)
	}
}

func TestEveryAlgorithm(t *testing.T) {
	rsaPrivate := rsaKey().key
	_, edPrivate := must2(ed25519.GenerateKey(rand.Reader))
	curves := map[Algorithm]*ecdsa.PrivateKey{}
	for a, c := range map[Algorithm]elliptic.Curve{ES256: elliptic.P256(), ES384: elliptic.P384(), ES512: elliptic.P521()} {
		curves[a] = must(ecdsa.GenerateKey(c, rand.Reader))
	}
	keys := map[Algorithm]crypto.Signer{RS256: rsaPrivate, RS384: rsaPrivate, RS512: rsaPrivate, PS256: rsaPrivate, PS384: rsaPrivate, PS512: rsaPrivate,
		ES256: curves[ES256], ES384: curves[ES384], ES512: curves[ES512], EdDSA: edPrivate}
	if len(keys) != len(accepted()) {
		t.Fatal("an algorithm is not tested")
	}
	for a, key := range keys {
		token := signed(key, a, `{"alg":"`+string(a)+`","kid":"k"}`, `{"sub":"s"}`)
		for b, other := range keys {
			set := NewKeySet(PublicKey{ID: "k", Algorithm: b, Key: other.Public()})
			_, err := verify(token, set)
			if want := map[bool]Kind{true: "", false: AlgorithmRefused}[a == b]; KindOf(err) != want {
				t.Errorf("%s by a key for %s: %v", a, b, err)
			}
			set = NewKeySet(PublicKey{ID: "k", Key: other.Public()}) // not pinned by the issuer: by its type
			if _, err := verify(token, set); (err == nil) != (a == b || strings.ContainsAny(string(a[0]), "RP") && strings.ContainsAny(string(b[0]), "RP")) {
				t.Errorf("%s by a key of the type of %s: %v", a, b, err)
			}
		}
		changed := signed(key, a, `{"alg":"`+string(a)+`","kid":"k"}`, `{"sub":"t"}`)
		changed = changed[:strings.LastIndexByte(changed, '.')] + token[strings.LastIndexByte(token, '.'):]
		if _, err := verify(changed, NewKeySet(PublicKey{ID: "k", Key: key.Public()})); KindOf(err) != BadSignature {
			t.Errorf("%s: a changed token: %v", a, err)
		}
	}
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

func TestTimes(t *testing.T) {
	at := func(d time.Duration) time.Time { return now.Add(d) }
	for _, c := range []struct {
		name   string
		claims Claims
		want   Kind
	}{
		{"no exp", Claims{}, Malformed},
		{"exp ahead", Claims{Expires: at(1)}, ""},
		{"exp now, within the skew", Claims{Expires: at(0)}, ""},
		{"exp just within the skew", Claims{Expires: at(1 - time.Minute)}, ""},
		{"exp at the end of the skew", Claims{Expires: at(-time.Minute)}, Expired},
		{"nbf at the end of the skew", Claims{Expires: at(time.Hour), NotBefore: at(time.Minute)}, ""},
		{"nbf beyond", Claims{Expires: at(time.Hour), NotBefore: at(time.Minute + 1)}, NotYetValid},
		{"iat at the end of the skew", Claims{Expires: at(time.Hour), IssuedAt: at(time.Minute)}, ""},
		{"iat beyond", Claims{Expires: at(time.Hour), IssuedAt: at(time.Minute + 1)}, NotYetValid},
	} {
		if err := c.claims.CheckTime(now, time.Minute); KindOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestCertificateAssertions: alg RS256 or PS256, x5t or x5t#S256.
func TestCertificateAssertions(t *testing.T) {
	key := rsaKey().key
	certificate := func(serial int64, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
		template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "app"}, NotAfter: now}
		return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, public, signer))))
	}
	cert, other := certificate(1, key.Public(), key), certificate(2, key.Public(), key)
	ec := ecKey().key
	ecCert := certificate(3, ec.Public(), ec)
	sum := sha256.Sum256(cert.Raw)
	for _, c := range []struct {
		name   string
		alg    Algorithm
		key    crypto.Signer
		header map[string]any
		want   Kind
	}{
		{"x5t#S256", PS256, key, map[string]any{"x5t#S256": X5TS256(cert)}, ""},
		{"x5t", RS256, key, map[string]any{"x5t": X5T(cert)}, ""},
		{"as MSAL for Go writes it: plain base64", PS256, key, map[string]any{"x5t#S256": base64.StdEncoding.EncodeToString(sum[:])}, ""},
		{"as MSAL for Python writes it: padded", PS256, key, map[string]any{"x5t#S256": base64.URLEncoding.EncodeToString(sum[:])}, ""},
		{"with its chain", RS256, key, map[string]any{"x5t": X5T(cert), "x5c": []string{base64.StdEncoding.EncodeToString(cert.Raw)}}, ""},
		{"kid beside it is not looked at", RS256, key, map[string]any{"x5t": X5T(cert), "kid": X5T(other)}, ""},
		{"as Terraform writes it: kid, padded", RS256, key, map[string]any{"kid": X5T(cert) + "="}, ""},
		{"kid of another", RS256, key, map[string]any{"kid": X5T(other)}, KeyUnknown},
		{"kid beside an x5t of another", RS256, key, map[string]any{"x5t": X5T(other), "kid": X5T(cert)}, KeyUnknown},
		{"both, of two certificates", PS256, key, map[string]any{"x5t": X5T(other), "x5t#S256": X5TS256(cert)}, KeyUnknown},
		{"neither", RS256, key, nil, KeyUnknown},
		{"only a chain", RS256, key, map[string]any{"x5c": []string{base64.StdEncoding.EncodeToString(cert.Raw)}}, KeyUnknown},
		{"of a certificate that is not registered", RS256, key, map[string]any{"x5t": X5T(other)}, KeyUnknown},
		{"RS384", RS384, key, map[string]any{"x5t": X5T(cert)}, AlgorithmRefused},
		{"ES256", ES256, ec, map[string]any{"x5t": X5T(ecCert)}, AlgorithmRefused},
		{"RS256 of an ECDSA certificate", RS256, key, map[string]any{"x5t": X5T(ecCert)}, AlgorithmRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := map[string]any{"alg": c.alg}
			for k, v := range c.header {
				header[k] = v
			}
			token := signed(c.key, c.alg, string(must(json.Marshal(header))), `{"iss":"app"}`)
			claims, err := must(Parse(token)).VerifyCertificate([]*x509.Certificate{cert, ecCert})
			if KindOf(err) != c.want || (err == nil) != (claims.Issuer == "app") {
				t.Errorf("%+v, %v", claims, err)
			}
		})
	}
	forged := signed(must(rsa.GenerateKey(rand.Reader, 2048)), RS256, `{"alg":"RS256","x5t":"`+X5T(cert)+`"}`, `{"iss":"app"}`)
	if _, err := must(Parse(forged)).VerifyCertificate([]*x509.Certificate{cert}); KindOf(err) != BadSignature {
		t.Errorf("signed by another key: %v", err)
	}
}
