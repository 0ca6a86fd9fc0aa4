package jwa

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The claims of the tokens below, which would be accepted if the header were.
const goodClaims = `{"iss":"https://a","sub":"s","aud":"v","exp":1900000000}`

// TestThreat20_AlgorithmConfusion: the key says how a token is signed, not the token.
func TestThreat20_AlgorithmConfusion(t *testing.T) {
	public := rsaKey().Public()
	der := must(x509.MarshalPKIXPublicKey(public.Key))
	keys := NewKeySet(public, ecKey().Public())
	none := func(alg string) string {
		b64 := base64.RawURLEncoding.EncodeToString
		return b64([]byte(`{"alg":"`+alg+`","kid":"`+public.ID+`"}`)) + "." + b64([]byte(goodClaims)) + "."
	}
	hmac := func(secret []byte) string {
		return signed(secret, "HS256", `{"alg":"HS256","kid":"`+public.ID+`"}`, goodClaims)
	}
	for name, c := range map[string]struct {
		token string
		want  Kind
	}{
		"none":                      {none("none"), Malformed}, // there is no signature
		"None":                      {none("None") + "AA", AlgorithmRefused},
		"NONE":                      {none("NONE") + "AA", AlgorithmRefused},
		"none, signed":              {signed(rsaKey().key, RS256, `{"alg":"none"}`, goodClaims), AlgorithmRefused},
		"empty":                     {none("") + "AA", AlgorithmRefused},
		"RS256 with a space":        {none("RS256 ") + "AA", AlgorithmRefused},
		"rs256":                     {none("rs256") + "AA", AlgorithmRefused},
		"no alg":                    {signed(rsaKey().key, RS256, `{}`, goodClaims), AlgorithmRefused},
		"alg is a list":             {signed(rsaKey().key, RS256, `{"alg":["RS256"]}`, goodClaims), Malformed},
		"Alg":                       {signed(rsaKey().key, RS256, `{"Alg":"RS256"}`, goodClaims), AlgorithmRefused},
		"HS256 with the DER":        {hmac(der), AlgorithmRefused},
		"HS256 with the PEM":        {hmac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), AlgorithmRefused},
		"HS256 with the modulus":    {hmac(public.Key.(*rsa.PublicKey).N.Bytes()), AlgorithmRefused},
		"HS256 with the JWK":        {hmac(must(NewKeySet(public).JSON())), AlgorithmRefused},
		"HS256 with nothing":        {hmac([]byte{}), AlgorithmRefused},
		"PS256 where RS256 is":      {signed(rsaKey().key, PS256, `{"alg":"PS256","kid":"`+public.ID+`"}`, goodClaims), AlgorithmRefused},
		"RS512 where RS256 is":      {signed(rsaKey().key, RS512, `{"alg":"RS512","kid":"`+public.ID+`"}`, goodClaims), AlgorithmRefused},
		"ES256 with the RSA kid":    {signed(ecKey().key, ES256, `{"alg":"ES256","kid":"`+public.ID+`"}`, goodClaims), AlgorithmRefused},
		"PS256 called RS256":        {signed(rsaKey().key, PS256, `{"alg":"RS256","kid":"`+public.ID+`"}`, goodClaims), BadSignature},
		"ES256 in ASN.1, not raw":   {withSignature(`{"alg":"ES256","kid":"`+ecKey().ID()+`"}`, asn1Signature("anything")), BadSignature},
		"ES256 of r = s = 0":        {withSignature(`{"alg":"ES256","kid":"`+ecKey().ID()+`"}`, make([]byte, 64)), BadSignature},
		"ES256 too short":           {withSignature(`{"alg":"ES256","kid":"`+ecKey().ID()+`"}`, make([]byte, 63)), BadSignature},
		"RS256 of a zero signature": {withSignature(`{"alg":"RS256","kid":"`+public.ID+`"}`, make([]byte, 256)), BadSignature},
	} {
		if _, err := verify(c.token, keys); KindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// withSignature returns a token of the header and [goodClaims] with the signature.
func withSignature(header string, signature []byte) string {
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(header)) + "." + b64([]byte(goodClaims)) + "." + b64(signature)
}

// asn1Signature signs the input with [ecKey] as everybody but JOSE writes it.
func asn1Signature(input string) []byte {
	digest := sha256.Sum256([]byte(input))
	return must(ecdsa.SignASN1(rand.Reader, ecKey().key.(*ecdsa.PrivateKey), digest[:]))
}

// TestThreat20_KeyIDIsALookup: a kid is compared with the keys' and nothing else.
func TestThreat20_KeyIDIsALookup(t *testing.T) {
	key := ecKey()
	keys := NewKeySet(key.Public(), PublicKey{ID: "other", Key: must(GenerateKey(ES256)).key.Public()})
	for _, kid := range []string{
		"../../../../dev/null", "/etc/passwd", "file:///dev/null", "https://evil.example/key", "' OR '1'='1", "x' UNION SELECT 'k", "$(id)", "|id",
		"", " " + key.ID(), key.ID() + " ", key.ID() + `\u0000`, strings.ToUpper(key.ID()), strings.Repeat("k", 10_000), "*", "%",
	} {
		token := signed(key.key, ES256, fmt.Sprintf(`{"alg":"ES256","kid":"%s"}`, kid), goodClaims)
		if _, err := verify(token, keys); KindOf(err) != KeyUnknown {
			t.Errorf("kid %.40q: %v", kid, err)
		}
	}
	named := signed(key.key, ES256, `{"alg":"ES256","kid":"other"}`, goodClaims)
	if _, err := verify(named, keys); KindOf(err) != BadSignature {
		t.Errorf("the kid of another key: %v", err)
	}
	// Without a kid there has to be no choice.
	anonymous := signed(key.key, ES256, `{"alg":"ES256"}`, goodClaims)
	if _, err := verify(anonymous, keys); KindOf(err) != KeyUnknown {
		t.Errorf("no kid, two keys: %v", err)
	}
	if _, err := verify(anonymous, NewKeySet(key.Public(), rsaKey().Public())); err != nil {
		t.Errorf("no kid, one key of the type: %v", err)
	}
	if _, err := verify(anonymous, KeySet{}); KindOf(err) != KeyUnknown {
		t.Errorf("no keys: %v", err)
	}
}

// TestThreat20_TokensBringNoKeys: jwk, jku, x5u and x5c do not make a key known. The
// package does no I/O, so there is nothing that could follow an address.
func TestThreat20_TokensBringNoKeys(t *testing.T) {
	evil := must(GenerateKey(ES256))
	jwk := strings.TrimSuffix(strings.TrimPrefix(string(must(NewKeySet(evil.Public()).JSON())), `{"keys":[`), `]}`)
	keys := NewKeySet(ecKey().Public())
	for _, header := range []string{
		`{"alg":"ES256","jwk":` + jwk + `}`,
		`{"alg":"ES256","kid":"` + evil.ID() + `","jwk":` + jwk + `}`,
		`{"alg":"ES256","kid":"` + ecKey().ID() + `","jwk":` + jwk + `}`,
		`{"alg":"ES256","kid":"` + ecKey().ID() + `","jku":"https://evil.example/jwks"}`,
		`{"alg":"ES256","kid":"` + ecKey().ID() + `","x5u":"https://evil.example/cert"}`,
		`{"alg":"ES256","kid":"` + ecKey().ID() + `","x5c":["AAAA"]}`,
	} {
		if c, err := verify(signed(evil.key, ES256, header, goodClaims), keys); err == nil {
			t.Errorf("%s: verified %+v", header, c)
		}
	}
	// A good token may carry an address; it does not matter.
	token := signed(ecKey().key, ES256, `{"alg":"ES256","kid":"`+ecKey().ID()+`","jku":"https://evil.example/","x5u":"https://evil.example/"}`, goodClaims)
	if _, err := verify(token, keys); err != nil {
		t.Error(err)
	}
}

// TestThreat20_Sizes: what is too large, nested, compressed or encrypted is refused before
// any work is done on it.
func TestThreat20_Sizes(t *testing.T) {
	key := ecKey()
	sign := func(header, payload string) string { return signed(key.key, ES256, header, payload) }
	const header = `{"alg":"ES256"}`
	for name, token := range map[string]string{
		"20,001 bytes":         strings.Repeat("A", MaxToken+1),
		"a megabyte of claims": sign(header, `{"a":"`+strings.Repeat("a", 1<<20)+`"}`),
		"a JWE":                sign(header, goodClaims) + ".AA.AA",
		"a JWE's header":       sign(`{"alg":"ES256","enc":"A256GCM"}`, goodClaims),
		"compressed":           sign(`{"alg":"ES256","zip":"DEF"}`, goodClaims),
		"JSON serialization":   `{"payload":"e30","signatures":[]}`,
		"deep claims":          sign(header, `{"a":`+strings.Repeat("[", 17)+strings.Repeat("]", 17)+`}`),
		"very deep claims":     sign(header, `{"a":`+strings.Repeat("[", 7000)+strings.Repeat("]", 7000)+`}`),
		"deep header":          sign(`{"alg":"ES256","a":`+strings.Repeat("[", 17)+strings.Repeat("]", 17)+`}`, goodClaims),
		"crit":                 sign(`{"alg":"ES256","crit":["exp"],"exp":1}`, goodClaims),
		"crit that is known":   sign(`{"alg":"ES256","crit":["b64"],"b64":true}`, goodClaims),
		"crit that is null":    sign(`{"alg":"ES256","crit":null}`, goodClaims),
		"crit that is empty":   sign(`{"alg":"ES256","crit":[]}`, goodClaims),
		"b64 without crit":     sign(`{"alg":"ES256","b64":false}`, goodClaims),
		"nothing":              "",
		"dots":                 "..",
		"no signature":         strings.TrimRight(sign(header, goodClaims), "-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
		"a detached payload":   strings.Replace(sign(header, "{}"), ".e30.", "..", 1),
		"a bearer prefix":      "Bearer " + sign(header, goodClaims),
	} {
		if _, err := verify(token, NewKeySet(key.Public())); KindOf(err) != Malformed {
			t.Errorf("%s: %v", name, err)
		}
	}
	most := sign(header, `{"a":"`+strings.Repeat("a", 14_800)+`"}`)
	if _, err := verify(most, NewKeySet(key.Public())); err != nil || len(most) < MaxToken-200 {
		t.Errorf("%d bytes: %v", len(most), err)
	}
}

// TestThreat20_OneWritingOfAToken: a token cannot be written in a second way, which
// would pass a list of tokens that were seen.
func TestThreat20_OneWritingOfAToken(t *testing.T) {
	token := signed(ecKey().key, ES256, `{"alg":"ES256"}`, `{"sub":"s","x":1}`)
	parts := strings.Split(token, ".")
	alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(parts[2]) - 1
	next := alphabet[strings.IndexByte(alphabet, parts[2][last])+1]
	for name, other := range map[string]string{
		"padding":       parts[0] + "." + parts[1] + "." + parts[2] + "==",
		"line break":    parts[0] + "." + parts[1] + "\n." + parts[2],
		"return":        parts[0] + "." + parts[1] + "." + parts[2] + "\r\n",
		"space":         token + " ",
		"stray bits":    token[:len(token)-1] + string(next),
		"plain base64":  parts[0] + "." + parts[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(parts[2]) + "+",
		"a fourth part": token + ".",
	} {
		if _, err := verify(other, NewKeySet(ecKey().Public())); KindOf(err) != Malformed {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := verify(token, NewKeySet(ecKey().Public())); err != nil {
		t.Error(err)
	}
}

// TestThreat20_DuplicateNames: two readers of a token must see one token.
func TestThreat20_DuplicateNames(t *testing.T) {
	for _, c := range []struct{ header, payload string }{
		{`{"alg":"ES256","alg":"ES256"}`, goodClaims},
		{`{"alg":"ES256","kid":"a","kid":"b"}`, goodClaims},
		{`{"alg":"ES256","x":{"a":1,"a":2}}`, goodClaims},
		{`{"alg":"ES256","\u0061lg":"ES256"}`, goodClaims},
		{`{"alg":"ES256"}`, `{"sub":"a","sub":"b"}`},
		{`{"alg":"ES256"}`, `{"sub":"a","s\u0075b":"b"}`},
		{`{"alg":"ES256"}`, `{"aud":"a","aud":["b"]}`},
		{`{"alg":"ES256"}`, `{"exp":1900000000,"exp":1}`},
		{`{"alg":"ES256"}`, `{"kubernetes.io":{"pod":{"name":"a","name":"b"}}}`},
		{`{"alg":"ES256"}`, `{"list":[{"a":1,"a":1}]}`},
		{`{"alg":"ES256"}`, goodClaims + `{}`},
		{`{"alg":"ES256"}`, goodClaims + `}`},
		{`{"alg":"ES256"}`, goodClaims + `null`},
		{`{"alg":"ES256"}`, `[` + goodClaims + `]`},
		{`{"alg":"ES256"}`, `null`},
		{`{"alg":"ES256"}`, `"{}"`},
		{`{"alg":"ES256"}`, "{\"sub\":\"\xff\"}"},
		{`{"alg":"ES256"}`, `{"sub":"\ud800"}`},
		{`{"alg":"ES256"}`, `{"\udc00":"a"}`},
		{`{"alg":"ES256"}`, `{sub:"a"}`},
		{`{"alg":"ES256"}`, "\xef\xbb\xbf" + goodClaims},
	} {
		if _, err := verify(signed(ecKey().key, ES256, c.header, c.payload), NewKeySet(ecKey().Public())); KindOf(err) != Malformed {
			t.Errorf("%s %s: %v", c.header, c.payload, err)
		}
	}
	// Names that differ in case are different names, and only the exact one counts.
	c, err := verify(signed(ecKey().key, ES256, `{"alg":"ES256"}`, `{"SUB":"a","sub":"b","Exp":1}`), NewKeySet(ecKey().Public()))
	if err != nil || c.Subject != "b" || !c.Expires.IsZero() {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestThreat19_AudienceShapes: aud is a string or an array of strings, and nothing else
// becomes one.
func TestThreat19_AudienceShapes(t *testing.T) {
	for payload, want := range map[string][]string{
		`{}`:                    nil,
		`{"aud":"a"}`:           {"a"},
		`{"aud":""}`:            {""},
		`{"aud":["a"]}`:         {"a"},
		`{"aud":["a","b","a"]}`: {"a", "b", "a"},
		`{"aud":[]}`:            nil,
		`{"aud":"a b"}`:         {"a b"},
		`{"aud":"[\"a\"]"}`:     {`["a"]`},
	} {
		c, err := verify(signed(ecKey().key, ES256, `{"alg":"ES256"}`, payload), NewKeySet(ecKey().Public()))
		if err != nil || !slices.Equal(c.Audience, want) {
			t.Errorf("%s: %q, %v", payload, c.Audience, err)
		}
	}
	for _, payload := range []string{`{"aud":null}`, `{"aud":1}`, `{"aud":true}`, `{"aud":{"a":1}}`, `{"aud":["a",1]}`, `{"aud":[["a"]]}`, `{"aud":[null]}`} {
		if _, err := verify(signed(ecKey().key, ES256, `{"alg":"ES256"}`, payload), NewKeySet(ecKey().Public())); KindOf(err) != Malformed {
			t.Errorf("%s: %v", payload, err)
		}
	}
}

// TestThreat19_ClaimShapes: a claim of another type is not there by another name, it is
// an error.
func TestThreat19_ClaimShapes(t *testing.T) {
	for _, payload := range []string{
		`{"iss":1}`, `{"iss":null}`, `{"iss":["a"]}`, `{"sub":{}}`, `{"sub":1.5}`, `{"jti":7}`,
		`{"exp":"1900000000"}`, `{"exp":null}`, `{"exp":true}`, `{"exp":[]}`, `{"exp":-1}`, `{"exp":0}`, `{"exp":1e300}`, `{"exp":1e400}`,
		`{"exp":253402300800}`, `{"nbf":"0"}`, `{"iat":{}}`, `{"exp":9223372036854775808}`, `{"nbf":-9223372036854775808}`, `{"exp":NaN}`,
	} {
		if _, err := verify(signed(ecKey().key, ES256, `{"alg":"ES256"}`, payload), NewKeySet(ecKey().Public())); KindOf(err) != Malformed {
			t.Errorf("%s: %v", payload, err)
		}
	}
	for _, header := range []string{`{"alg":"ES256","kid":1}`, `{"alg":"ES256","typ":["JWT"]}`, `{"alg":"ES256","x5t":null}`, `[]`, `""`, `{"alg":"ES256"`} {
		if _, err := verify(signed(ecKey().key, ES256, header, goodClaims), NewKeySet(ecKey().Public())); KindOf(err) != Malformed {
			t.Errorf("%s: %v", header, err)
		}
	}
}

// TestThreat19_Types: the typ is told the same however it is written.
func TestThreat19_Types(t *testing.T) {
	for typ, want := range map[string]string{"JWT": "jwt", "jwt": "jwt", "application/JWT": "jwt", "at+jwt": "at+jwt", "application/at+JWT": "at+jwt", "": "", "JOSE": "jose"} {
		token := must(Parse(must(ecKey().Sign(struct{}{}, Header{Type: typ}))))
		if token.Type() != want {
			t.Errorf("%q is %q", typ, token.Type())
		}
	}
}

// TestThreat25_ErrorsRepeatNothing: a token is a credential, so an error has none of it.
func TestThreat25_ErrorsRepeatNothing(t *testing.T) {
	const canary = "canary0canary"
	for _, c := range []struct{ header, payload string }{
		{`{"alg":"` + canary + `"}`, goodClaims},
		{`{"alg":"ES256","kid":"` + canary + `"}`, goodClaims},
		{`{"alg":"ES256","kid":{"` + canary + `":1}}`, goodClaims},
		{`{"alg":"ES256","` + canary + `":1,"` + canary + `":1}`, goodClaims},
		{`{"alg":"ES256","jwk":{"kty":"` + canary + `"}}`, goodClaims},
		{`{"alg":"ES256","x5c":["` + canary + `"]}`, goodClaims},
		{`{"alg":"ES256"}`, `{"` + canary + `":1,"` + canary + `":1}`},
		{`{"alg":"ES256"}`, canary},
		{`{"alg":"ES256"}`, `{"exp":"` + canary + `"}`},
	} {
		_, err := verify(signed(must(GenerateKey(ES256)).key, ES256, c.header, c.payload), NewKeySet(ecKey().Public()))
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s %s: %v", c.header, c.payload, err)
		}
	}
}
