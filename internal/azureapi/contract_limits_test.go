package azureapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tacet/internal/server"
	"tacet/internal/tacettest"
)

// throttled holds an answer to the form that clients retry on: 429, code Throttled, and a
// Retry-After that SDKs honour.
func (h *house) throttled(what string, res *http.Response, body []byte) {
	h.Helper()
	const want = `{"error":{"code":"Throttled","message":"Request was not processed because too many requests were received."}}`
	if res.StatusCode != 429 || string(body) != want || res.Header.Get("Retry-After") != "1" || res.Header.Get("X-Ms-Request-Id") == "" ||
		res.Header.Get("Content-Type") != "application/json; charset=utf-8" || res.Header.Get("WWW-Authenticate") != "" {
		h.Errorf("%s: %d %s %v", what, res.StatusCode, body, res.Header)
	}
}

// until sends a request until it is answered with a status, which must not take long.
func (h *house) until(status int, request func() *http.Request) (*http.Response, []byte) {
	h.Helper()
	for range 500 {
		if res, body := h.c.Send(request()); res.StatusCode == status {
			return res, body
		}
	}
	h.Fatalf("never %d", status)
	return nil, nil
}

// principal_rate: each principal has a rate of his own, and a refusal for it is recorded.
func TestContractB_PrincipalRate(t *testing.T) {
	h := newHouse(t, tacettest.WithLimits(server.LimitsConfig{PrincipalRate: 20}))
	app := h.application("app")
	res, body := h.until(429, func() *http.Request { return app.c.Request("GET", "/secrets?api-version=7.4", nil) })
	h.throttled("the application", res, body)
	if res, _ := h.c.Send(h.c.WithToken("").Request("GET", "/secrets?api-version=7.4", nil)); res.StatusCode != 401 {
		t.Errorf("without a token: %d", res.StatusCode)
	}
	h.ok("GET", "/secrets", nil) // the administrator's own
	export, err := json.Marshal(in{"format": "azure"})
	if err != nil {
		t.Fatal(err)
	}
	if _, lines := h.aws.Send(h.adminRequest("audit/export", export), "tacet", export); !strings.Contains(string(lines), `"resultSignature":"Too Many Requests"`) {
		t.Error("a throttled request was not recorded")
	}
}

// address_rate: whoever asks, before it is looked who that is; the token endpoint too.
func TestContractB_AddressRate(t *testing.T) {
	h := newHouse(t, tacettest.WithLimits(server.LimitsConfig{AddressRate: 20}))
	for what, token := range map[string]string{"nobody": "", "a bad token": "x.y.z"} {
		res, body := h.until(429, func() *http.Request { return h.c.WithToken(token).Request("GET", "/secrets/s?api-version=7.4", nil) })
		h.throttled(what, res, body)
	}
	h.authorityThrottled()
}

// failure_rate: an address that fails to say who it is too often is not heard at all; the
// first request of an SDK, which has no token, is no failure.
func TestContractB_FailureRate(t *testing.T) {
	h := newHouse(t, tacettest.WithLimits(server.LimitsConfig{FailureRate: 1}))
	for range 50 {
		if res, _ := h.c.Send(h.c.WithToken("").Request("GET", "/secrets?api-version=7.4", nil)); res.StatusCode != 401 {
			t.Fatalf("without a token: %d", res.StatusCode)
		}
	}
	res, body := h.until(429, func() *http.Request { return h.c.WithToken("x.y.z").Request("GET", "/secrets?api-version=7.4", nil) })
	h.throttled("bad tokens", res, body)
	res, body = h.c.Send(h.c.Request("GET", "/secrets?api-version=7.4", nil))
	h.throttled("a good one from there", res, body)
	h.authorityThrottled()
}

// authorityThrottled holds every endpoint of the authority to its way of saying so.
func (h *house) authorityThrottled() {
	h.Helper()
	for _, path := range []string{"/adfs/oauth2/token", "/" + h.s.TenantID + "/oauth2/v2.0/token", "/adfs/.well-known/openid-configuration", "/adfs/discovery/keys",
		"/common/discovery/instance", "/metadata/identity/oauth2/token", "/msi/token"} {
		res, body := h.until(429, func() *http.Request {
			return h.c.WithToken("").Request("POST", "https://localhost"+h.c.Port()+path, []byte("grant_type=client_credentials"))
		})
		var out in
		if err := json.Unmarshal(body, &out); err != nil || out["error"] != "temporarily_unavailable" || res.Header.Get("Retry-After") != "1" ||
			!strings.HasPrefix(out["error_description"].(string), "AADSTS90055: ") {
			h.Errorf("%s: %d %s %v", path, res.StatusCode, body, res.Header)
		}
	}
}
