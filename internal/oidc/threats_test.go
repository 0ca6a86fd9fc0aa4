package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tacet/internal/jwa"
)

// TestThreat19_OtherTokensOfTheIssuer: a token that the issuer signed for another use, another
// audience or another time proves nothing to us.
func TestThreat19_OtherTokensOfTheIssuer(t *testing.T) {
	i, c, key := newIssuer(t), newClock(), newKey()
	i.publish(key)
	v := i.verifier(c)
	now := c.Now().Unix()
	type changes = map[string]any
	for _, test := range []struct {
		name   string
		typ    string
		claims changes
		want   jwa.Kind
	}{
		{"an ID token", "JWT", nil, ""},
		{"without typ", "", nil, ""},
		{"an access token, RFC 9068", "at+jwt", nil, ""},
		{"the same, in full", "application/AT+JWT", nil, ""},
		{"a logout token", "logout+jwt", nil, jwa.TypeRefused},
		{"a logout token called JWT", "JWT", changes{"events": changes{"http://schemas.openid.net/event/backchannel-logout": changes{}}}, jwa.TypeRefused},
		{"a security event", "secevent+jwt", nil, jwa.TypeRefused},
		{"a proof of possession", "dpop+jwt", nil, jwa.TypeRefused},
		{"a client's assertion", "client-authentication+jwt", nil, jwa.TypeRefused},
		{"an introspection", "token-introspection+jwt", nil, jwa.TypeRefused},

		{"aud in a list", "", changes{"aud": []string{"tacet"}}, ""},
		{"aud among others", "", changes{"aud": []string{"x", "tacet"}}, ""},
		{"another aud", "", changes{"aud": "x"}, jwa.AudienceMismatch},
		{"no aud", "", changes{"aud": nil}, jwa.AudienceMismatch},
		{"an empty list", "", changes{"aud": []string{}}, jwa.AudienceMismatch},
		{"an empty aud", "", changes{"aud": ""}, jwa.AudienceMismatch},
		{"aud in upper case", "", changes{"aud": "TACET"}, jwa.AudienceMismatch},
		{"aud with a space", "", changes{"aud": "tacet "}, jwa.AudienceMismatch},
		{"aud as a list in a string", "", changes{"aud": "tacet other"}, jwa.AudienceMismatch},
		{"aud as a pattern", "", changes{"aud": "*"}, jwa.AudienceMismatch},
		{"aud longer", "", changes{"aud": "tacet.evil.example"}, jwa.AudienceMismatch},
		{"aud is a number", "", changes{"aud": 1}, jwa.Malformed},
		{"aud holds a number", "", changes{"aud": []any{"tacet", 1}}, jwa.Malformed},
		{"only azp is ours", "", changes{"aud": "x", "azp": "tacet"}, jwa.AudienceMismatch},
		{"several audiences, azp another", "", changes{"aud": []string{"tacet", "x"}, "azp": "x"}, jwa.AudienceMismatch},
		{"several audiences, azp ours", "", changes{"aud": []string{"tacet", "x"}, "azp": "other"}, ""},
		{"one audience, azp another, as Google's are", "", changes{"azp": "1089"}, ""},
		{"azp is a list", "", changes{"azp": []string{"tacet"}}, jwa.Malformed},

		{"another issuer", "", changes{"iss": "https://evil.example"}, jwa.IssuerMismatch},
		{"no issuer", "", changes{"iss": nil}, jwa.IssuerMismatch},
		{"the issuer with a slash", "", changes{"iss": i.URL + "/"}, jwa.IssuerMismatch},
		{"the issuer without https", "", changes{"iss": strings.TrimPrefix(i.URL, "https://")}, jwa.IssuerMismatch},
		{"the issuer in upper case", "", changes{"iss": strings.ToUpper(i.URL)}, jwa.IssuerMismatch},
		{"no subject", "", changes{"sub": nil}, jwa.Malformed},
		{"an empty subject", "", changes{"sub": ""}, jwa.Malformed},

		{"no exp", "", changes{"exp": nil}, jwa.Malformed},
		{"expired within the skew", "", changes{"exp": now - 59}, ""},
		{"expired", "", changes{"exp": now - 60}, jwa.Expired},
		{"not yet valid within the skew", "", changes{"nbf": now + 60}, ""},
		{"not yet valid", "", changes{"nbf": now + 61}, jwa.NotYetValid},
		{"issued in the future", "", changes{"iat": now + 61}, jwa.NotYetValid},
		{"exp in words", "", changes{"exp": "tomorrow"}, jwa.Malformed},
	} {
		claims, err := verifyText(v, i.registered(), must(key.Sign(i.claims(c, test.claims), jwa.Header{Type: test.typ})))
		if outcome(err) != string(test.want) || (err == nil) != (claims.Subject != "") {
			t.Errorf("%s: %v", test.name, outcome(err))
		}
	}
	nobody := i.registered()
	nobody.Audiences = nil
	if _, err := verifyText(v, nobody, must(key.Sign(i.claims(c, nil), jwa.Header{}))); jwa.KindOf(err) != jwa.AudienceMismatch {
		t.Errorf("an issuer without audiences: %v", err)
	}
	empty := i.registered()
	empty.Audiences = []string{""}
	if _, err := verifyText(v, empty, must(key.Sign(i.claims(c, map[string]any{"aud": ""}), jwa.Header{}))); jwa.KindOf(err) != jwa.AudienceMismatch {
		t.Errorf("an empty audience: %v", err)
	}
	if n := i.timesAsked(jwksPath); n != 1 {
		t.Errorf("refused tokens asked for keys %d times", n-1)
	}
}

func verifyText(v *Verifier, i Issuer, text string) (Claims, error) {
	tok, err := jwa.Parse(text)
	if err != nil {
		return Claims{}, err
	}
	return v.Verify(context.Background(), i, tok)
}

// forge returns a token of any header, signed with ES256 by the key.
func forge(key *ecdsa.PrivateKey, header, claims map[string]any) string {
	b64 := base64.RawURLEncoding.EncodeToString
	input := b64(must(json.Marshal(header))) + "." + b64(must(json.Marshal(claims)))
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		panic(err)
	}
	return input + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// TestThreat20_TokensAgainstARealIssuer: what a token says about its algorithm and its
// keys changes nothing, and no address in it is called.
func TestThreat20_TokensAgainstARealIssuer(t *testing.T) {
	i, evil, c, key := newIssuer(t), newIssuer(t), newClock(), newKey()
	i.publish(key)
	published := must(jwa.NewKeySet(key.Public()).JSON())
	mine := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	myKeys := jwa.NewKeySet(jwa.PublicKey{ID: key.ID(), Algorithm: jwa.ES256, Key: &mine.PublicKey})
	evil.answer(nil, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(must(myKeys.JSON())) })
	var myJWK struct{ Keys []map[string]any }
	if err := json.Unmarshal(must(myKeys.JSON()), &myJWK); err != nil {
		t.Fatal(err)
	}
	v := i.verifier(c)
	claims := i.claims(c, nil)
	b64 := base64.RawURLEncoding.EncodeToString
	unsigned := func(alg string) string {
		return b64([]byte(`{"alg":"`+alg+`","kid":"`+key.ID()+`"}`)) + "." + b64(must(json.Marshal(claims)))
	}
	mac := hmac.New(sha256.New, published)
	mac.Write([]byte(unsigned("HS256")))
	type header = map[string]any
	for name, text := range map[string]string{
		"none":             unsigned("none") + ".",
		"none, and bytes":  unsigned("none") + ".AAAA",
		"HS256":            unsigned("HS256") + "." + b64(mac.Sum(nil)),
		"RS256":            unsigned("RS256") + "." + b64(make([]byte, 256)),
		"forged":           forge(mine, header{"alg": "ES256", "kid": key.ID()}, claims),
		"forged, no kid":   forge(mine, header{"alg": "ES256"}, claims),
		"jwk":              forge(mine, header{"alg": "ES256", "kid": key.ID(), "jwk": myJWK.Keys[0]}, claims),
		"jku":              forge(mine, header{"alg": "ES256", "kid": key.ID(), "jku": evil.URL + jwksPath}, claims),
		"x5u":              forge(mine, header{"alg": "ES256", "kid": key.ID(), "x5u": evil.URL + jwksPath}, claims),
		"kid is a URL":     forge(mine, header{"alg": "ES256", "kid": evil.URL + jwksPath}, claims),
		"kid is a path":    forge(mine, header{"alg": "ES256", "kid": "../../../../dev/null"}, claims),
		"iss is elsewhere": forge(mine, header{"alg": "ES256", "kid": key.ID()}, i.claims(c, map[string]any{"iss": evil.URL})),
		"crit":             forge(mine, header{"alg": "ES256", "crit": []string{"jku"}, "jku": evil.URL}, claims),
		"oversize":         forge(mine, header{"alg": "ES256"}, i.claims(c, map[string]any{"a": strings.Repeat("a", jwa.MaxToken)})),
	} {
		if _, err := verifyText(v, i.registered(), text); jwa.KindOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		c.Advance(minRefresh) // so that an unknown kid asks the issuer each time
	}
	if n := evil.timesAsked(discoveryPath) + evil.timesAsked(jwksPath); n != 0 {
		t.Errorf("an address in a token was called %d times", n)
	}
}

// TestThreat20_UnknownKeyFlood: tokens with keys that do not exist make the issuer be asked
// no more often than once in the interval, and only if everything else is right.
func TestThreat20_UnknownKeyFlood(t *testing.T) {
	i, c, key := newIssuer(t), newClock(), newKey()
	i.publish(key)
	v := i.verifier(c)
	flood := newKey()
	for n := range 300 {
		claims, kid := i.claims(c, nil), fmt.Sprint("k", n)
		if n%2 == 0 {
			claims["aud"] = "x"
		}
		if _, err := verifyText(v, i.registered(), must(flood.Sign(claims, jwa.Header{KeyID: kid}))); err == nil {
			t.Fatal("verified")
		}
		if err := i.verify(v, c, key); err != nil {
			t.Fatal(outcome(err))
		}
		c.Advance(100 * time.Millisecond)
	}
	if n := i.timesAsked(jwksPath); n != 2 { // in 30 s: at the start, and after 15
		t.Errorf("asked %d times", n)
	}
}

// TestThreat35_Addresses: the addresses that may be reached.
func TestThreat35_Addresses(t *testing.T) {
	listed := prefixes("10.1.0.0/16", "fd12:3456::/32", "127.0.0.1/32", "100.64.0.0/10", "0.0.0.0/1", "169.254.0.0/16", "::/0")
	for _, c := range []struct {
		address        string
		public, listed bool // reached without, and with, the list above
	}{
		{"8.8.8.8", true, true},
		{"140.82.121.4", true, true},
		{"2606:4700:4700::1111", true, true},
		{"::ffff:8.8.8.8", true, true},
		{"64:ff9b::808:808", true, true},

		{"127.0.0.1", false, true},
		{"192.168.1.1", false, false},
		{"172.16.0.1", false, false},
		{"172.31.255.255", false, false},
		{"10.1.2.3", false, true},
		{"::ffff:10.1.2.3", false, true},
		{"64:ff9b::10.1.2.3", false, true},
		{"100.64.0.1", false, true},
		{"fd12:3456::1", false, true},
		{"::1", false, true},
		{"::127.0.0.1", false, true}, // IPv4-compatible, which nothing routes
		{"2002:7f00:1::", false, true},
		{"198.18.0.1", false, false},
		{"192.0.0.1", false, false},
		{"192.0.2.1", false, false},
		{"203.0.113.1", false, false},
		{"240.0.0.1", false, false},
		{"2001:db8::1", false, true},
		{"2001::1", false, true},
		{"fc00::1", false, true},
		{"fec0::1", false, true},
		{"64:ff9b:1::1", false, true},

		// Nothing opens these.
		{"169.254.169.254", false, false},
		{"169.254.170.2", false, false},
		{"::ffff:169.254.169.254", false, false},
		{"::ffff:a9fe:a9fe", false, false},
		{"64:ff9b::169.254.169.254", false, false},
		{"2002:a9fe:a9fe::1", false, false},            // 6to4
		{"2001:0:a9fe:a9fe::1", false, false},          // Teredo, its server
		{"2001:0:808:808:0:0:5601:5601", false, false}, // Teredo, its client
		{"64:ff9b:1::169.254.169.254", false, false},   // NAT64 of a network's own
		{"::169.254.169.254", false, false},            // IPv4-compatible
		{"2002:a83f:8110::1", false, false},            // 168.63.129.16
		{"fd00:ec2::254", false, false},
		{"fd20:ce::254", false, false},
		{"fd00:c1::a9fe:a9fe", false, false},
		{"168.63.129.16", false, false},
		{"100.100.100.200", false, false},
		{"fe80::1", false, false},
		{"fe80::1%eth0", false, false},
		{"2606:4700:4700::1111%eth0", false, false},
		{"0.0.0.0", false, false},
		{"::", false, false},
		{"::ffff:0.0.0.0", false, false},
		{"224.0.0.1", false, false},
		{"255.255.255.255", false, false},
		{"ff02::1", false, false},
		{"ff0e::1", false, false},
	} {
		a := netip.MustParseAddr(c.address)
		if got := mayReach(nil, a); got != c.public {
			t.Errorf("%s, nothing listed: %v", a, got)
		}
		if got := mayReach(listed, a); got != c.listed {
			t.Errorf("%s, listed: %v", a, got)
		}
	}
	for _, c := range []struct{ network, address string }{
		{"udp4", "8.8.8.8:443"}, {"unix", "/run/docker.sock"}, {"tcp", "8.8.8.8:443"}, {"tcp4", "8.8.8.8"}, {"tcp4", ""}, {"tcp4", "dns.google:443"},
	} {
		if err := checkDial(prefixes("0.0.0.0/0"), c.network, c.address); err == nil {
			t.Errorf("%s %s may be dialled", c.network, c.address)
		}
	}
}

// canary counts the connections to an address of this machine that nobody may reach.
func canary(t *testing.T) (port string, count *atomic.Int32) {
	t.Helper()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { _ = listener.Close() })
	count = new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			_ = conn.Close()
		}
	}()
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port, count
}

// TestThreat35_NoWayIn: the server does not connect to itself or to its network for an
// issuer, whatever the issuer's URL, its discovery document, its redirects and its DNS say.
func TestThreat35_NoWayIn(t *testing.T) {
	port, connections := canary(t)
	c, key := newClock(), newKey()
	resolver, asked := nameServer(t)
	ask := func(v *Verifier, url string) error {
		i := Issuer{URL: url, Audiences: []string{"tacet"}}
		now := c.Now().Unix()
		_, err := verifyText(v, i, must(key.Sign(map[string]any{"iss": url, "sub": "s", "aud": "tacet", "exp": now + 60}, jwa.Header{})))
		return err
	}
	refused := func(what string, err error, want string) {
		t.Helper()
		var unreachable *UnreachableError
		if !errors.As(err, &unreachable) || !strings.Contains(outcome(err), want) {
			t.Errorf("%s: %s", what, outcome(err))
		}
	}
	const notAllowed = "neither public nor in an allowed network"
	config := Config{Now: c.Now, Timeout: 2 * time.Second, resolver: resolver}
	for _, host := range []string{
		"127.0.0.1", "127.8.8.8", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "localhost", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1",
	} {
		refused(host, ask(New(config), "https://"+host+":"+port), notAllowed)
	}
	for _, host := range []string{"0x7f000001", "2130706433", "0177.0.0.1", "127.1", "017700000001", "[::1%25lo]", "127.0.0.1.", "%6c%6f%63alhost", "LOCALHOST", "①27.0.0.1"} {
		refused(host, ask(New(config), "https://"+host+":"+port), "URL")
	}
	refused("plain http", ask(New(config), "http://127.0.0.1:"+port), "is not https")

	// An issuer that may be reached sends us on.
	i := newIssuer(t)
	for to, want := range map[string]string{
		"https://127.0.0.2:" + port:                notAllowed,
		"https://[::1]:" + port:                    notAllowed,
		"https://[::ffff:7f00:2]:" + port:          notAllowed,
		"https://169.254.169.254/latest/meta-data": notAllowed,
		"https://2130706434:" + port:               "no such host", // 127.0.0.2 in one number
		"http://127.0.0.2:" + port:                 "is not https",
	} {
		v := i.verifier(c)
		v.client = newClient(Config{RootCAs: v.config.RootCAs, resolver: resolver, AllowNetworks: prefixes("127.0.0.1/32")})
		i.answer(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": i.URL, "jwks_uri": to})
		}, nil)
		refused("jwks_uri "+to, ask(v, i.URL), want)
		i.answer(http.RedirectHandler(to, http.StatusTemporaryRedirect).ServeHTTP, nil)
		refused("redirect "+to, ask(i.verifier(c), i.URL), "307")
	}

	// The name server gives a good answer first and a bad one when it counts.
	for _, host := range []string{"v4.rebind.test", "mapped.rebind.test", "both.rebind.test"} {
		for range 4 {
			refused(host, ask(New(config), "https://"+host+":"+port), notAllowed)
		}
	}
	if asked.Load() == 0 {
		t.Error("the name server was not asked")
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// TestThreat35_NoProxy: a proxy of the environment would resolve names and connect for us,
// where nothing is checked.
func TestThreat35_NoProxy(t *testing.T) {
	proxy, proxied := canary(t)
	port, reached := canary(t)
	resolver, _ := nameServer(t)
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://127.0.0.1:"+proxy)
	}
	c := newClock()
	i := &issuer{Server: &httptest.Server{URL: "https://own.rebind.test:" + port}}
	err := i.verify(New(Config{Now: c.Now, resolver: resolver, AllowNetworks: prefixes("127.0.0.0/8")}), c, newKey())
	if err == nil || reached.Load() != 1 || proxied.Load() != 0 {
		t.Errorf("the issuer was reached %d times, the proxy %d times: %v", reached.Load(), proxied.Load(), outcome(err))
	}
}

// nameServer makes names resolve as an attacker's name server would have them: v4, to
// 240.0.0.1 and 127.0.0.1 in turn; mapped, to ::ffff:127.0.0.1; both, to the two together;
// and own to 127.0.0.1. It returns a resolver that asks it, and how often it was asked.
func nameServer(t *testing.T) (*net.Resolver, *atomic.Int32) {
	t.Helper()
	conn := must(net.ListenPacket("udp", "127.0.0.1:0"))
	asked := new(atomic.Int32)
	go func() {
		query := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			asked.Add(1)
			_, _ = conn.WriteTo(answer(query[:n], asked.Load()), from)
		}
	}()
	t.Cleanup(func() { _ = conn.Close() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}, asked
}

// answer answers a DNS query (RFC 1035) for one name.
func answer(query []byte, turn int32) []byte {
	name := query[13 : 13+int(query[12])]
	end := 12
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	kind := binary.BigEndian.Uint16(query[end+1:])
	loopback, reserved := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("240.0.0.1")
	var addresses []netip.Addr
	switch {
	case string(name) == "v4" && kind == 1:
		addresses = []netip.Addr{[]netip.Addr{reserved, loopback}[turn%2]}
	case string(name) == "own" && kind == 1:
		addresses = []netip.Addr{loopback}
	case string(name) == "both" && kind == 1:
		addresses = []netip.Addr{reserved, loopback}
	case string(name) == "mapped" && kind == 28:
		addresses = []netip.Addr{netip.MustParseAddr("::ffff:127.0.0.1")}
	}
	out := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, byte(len(addresses)), 0, 0, 0, 0}, query[12:end+5]...)
	for _, a := range addresses {
		out = append(out, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(a.BitLen()/8))
		out = append(out, a.AsSlice()...)
	}
	return out
}
