package server_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tacet/internal/server"
	"tacet/internal/tacettest"
)

// spellings are ways to write one name that some reader might take for the same.
func spellings(name string) []string {
	wide := strings.Map(func(r rune) rune { return r - 0x21 + 0xff01 }, name) // NFKC of it is the name
	return []string{name, strings.ToLower(name), strings.ToUpper(name), name + " ", " " + name, name + "\u200b", "\ufeff" + name, wide,
		name[:1] + "\u0301" + name[1:], url.QueryEscape(name) + "%20", "%" + "41" + name[1:], name + "%00", name + "/", name + "\t"}
}

// A guess is one attempt to be somebody, by one of the ways that there are.
type guess struct {
	way           string
	method, url   string
	contentType   string
	authorization string
	target        string
	body          string
}

// guesses are attempts by every way in, with every spelling of who it is.
func guesses(s *tacettest.Server) (out []guess) {
	const form = "application/x-www-form-urlencoded"
	scope := "/" + time.Now().UTC().Format("20060102") + "/" + s.Region
	signed := func(id, service string) string {
		return "AWS4-HMAC-SHA256 Credential=" + id + scope + "/" + service + "/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("0", 64)
	}
	for _, id := range spellings(s.AccessKey) {
		out = append(out,
			guess{way: "Secrets Manager", method: "POST", url: s.URL + "/", authorization: signed(id, "secretsmanager"), target: "secretsmanager.ListSecrets", body: "{}"},
			guess{way: "IAM", method: "POST", url: s.URL + "/", authorization: signed(id, "iam"), contentType: form, body: "Action=GetUser&Version=2010-05-08"},
			guess{way: "the administration face", method: "POST", url: s.URL + "/tacet/v1/whoami", authorization: signed(id, "tacet"), body: "{}"})
	}
	for _, name := range spellings("admin") {
		token := url.QueryEscape(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+name+`"}`)) + ".")
		out = append(out, guess{way: "STS", method: "POST", url: s.URL + "/", contentType: form, body: "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=s1&RoleArn=" +
			url.QueryEscape("arn:aws:iam::"+s.Account+":role/"+name) + "&WebIdentityToken=" + token},
			guess{way: "a vault", method: "GET", url: s.URL + "/secrets?api-version=7.4", authorization: "Bearer " + base64.RawURLEncoding.EncodeToString([]byte(name)) + ".e30.e30"})
	}
	for _, id := range spellings(s.ClientID) {
		out = append(out, guess{way: "the token endpoint", method: "POST", url: s.URL + "/adfs/oauth2/token", contentType: form,
			body: "grant_type=client_credentials&scope=https%3A%2F%2Fvault.azure.net%2F.default&client_secret=wrong&client_id=" + url.QueryEscape(id)},
			guess{way: "a managed identity", method: "GET", url: s.URL + "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net&client_id=" + url.QueryEscape(id), authorization: "-"})
	}
	return out
}

// send makes an attempt from a connection of its own, as a proxy would that says it comes from
// somewhere else each time.
func (g *guess) send(t *testing.T, n int) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), g.method, g.url, strings.NewReader(g.body))
	if err != nil {
		t.Fatal(err)
	}
	from := "203.0.113." + string(rune('1'+n%9))
	for name, value := range map[string]string{"Content-Type": g.contentType, "X-Amz-Target": g.target, "X-Amz-Date": time.Now().UTC().Format("20060102T150405Z"),
		"X-Forwarded-For": from, "X-Real-Ip": from, "Forwarded": "for=" + from, "X-Client-Ip": from, "True-Client-Ip": from, "User-Agent": "agent " + from} {
		if value != "" && (g.authorization != "-" || !strings.Contains(name, "Forwarded")) { // whoever comes through a proxy is no managed identity
			req.Header.Set(name, value)
		}
	}
	switch g.authorization {
	case "":
	case "-":
		req.Header.Set("X-Identity-Header", "00000000-0000-4000-8000-000000000000.wrong")
	default:
		// As bytes: what the client would refuse to send, a server may be sent.
		req.Header["Authorization"] = []string{strings.Map(func(r rune) rune {
			if r < ' ' {
				return ' '
			}
			return r
		}, g.authorization)}
	}
	req.Close = true
	res, err := client(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// isThrottled holds a refusal to the form of the face that was asked.
func isThrottled(way string, status int, body string) bool {
	switch way {
	case "Secrets Manager":
		return status == 400 && body == `{"__type":"ThrottlingException","message":"Rate exceeded"}`
	case "IAM", "STS":
		return status == 400 && strings.Contains(body, "<Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error>")
	case "the administration face":
		return status == 429 && strings.Contains(body, `"code":"Throttled"`)
	case "a vault":
		return status == 429 && strings.Contains(body, `"code":"Throttled"`)
	}
	return status == 429 && strings.Contains(body, "AADSTS90055")
}

// TestThreat01_GuessesShareOneCount: whatever an address writes and by whichever way it comes,
// it has one count of failed attempts, and it waits when that is used up. What it says of
// where it comes from is not believed.
func TestThreat01_GuessesShareOneCount(t *testing.T) {
	limits := tacettest.WithLimits(server.LimitsConfig{FailureRate: 1})
	for _, way := range []string{"Secrets Manager", "IAM", "the administration face", "STS", "a vault", "the token endpoint", "a managed identity"} {
		t.Run(way, func(t *testing.T) {
			s := tacettest.New(t, limits)
			begin, heard, asked := time.Now(), 0, 0
			for n, g := range guesses(s) {
				if g.way != way {
					continue
				}
				asked++
				status, body := g.send(t, n)
				if status < 400 || status >= 500 {
					t.Fatalf("%+v: %d %s", g, status, body)
				}
				if !isThrottled(way, status, body) {
					heard++
				}
			}
			if most := 2 + int(time.Since(begin).Seconds()) + 1; asked < 14 || heard > most || heard == 0 {
				t.Errorf("%d of %d were heard, at most %d should be", heard, asked, most)
			}
		})
	}
	t.Run("all ways are one", func(t *testing.T) {
		s := tacettest.New(t, limits)
		list := guesses(s)
		ways := map[string]bool{}
		for _, g := range list {
			if status, body := g.send(t, 0); isThrottled(g.way, status, body) {
				ways[g.way] = true
			}
		}
		if len(ways) != 7 {
			t.Errorf("only these made the address wait: %v", ways)
		}
		// Nobody is heard from there, until the address has waited.
		if status, body := s.AWS(t).Call("ListSecrets", map[string]any{}); status != 400 || body["__type"] != "ThrottlingException" {
			t.Errorf("a good request from there: %d %v", status, body)
		}
		time.Sleep(1500 * time.Millisecond)
		if status, body := s.AWS(t).Call("ListSecrets", map[string]any{}); status != 200 {
			t.Errorf("after it waited: %d %v", status, body)
		}
	})
}

// TestPrincipalRate: a principal has one rate for all its credentials, on all faces; a refusal
// has each face's form and is in the record.
func TestPrincipalRate(t *testing.T) {
	s := tacettest.New(t, tacettest.WithLimits(server.LimitsConfig{PrincipalRate: 1}))
	aws := s.AWS(t)
	ask := func(service, target, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		switch service {
		case "secretsmanager":
			req.Header.Set("X-Amz-Target", "secretsmanager.ListSecrets")
		case "tacet":
		default:
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		res, answer := aws.Send(req, service, []byte(body))
		return res.StatusCode, string(answer)
	}
	refused := map[string]bool{}
	for range 30 {
		for _, r := range [][4]string{{"Secrets Manager", "secretsmanager", "/", "{}"}, {"STS", "sts", "/", "Action=GetCallerIdentity&Version=2011-06-15"},
			{"IAM", "iam", "/", "Action=ListUsers&Version=2010-05-08"}, {"the administration face", "tacet", "/tacet/v1/whoami", "{}"}} {
			status, body := ask(r[1], r[2], r[3])
			if isThrottled(r[0], status, body) {
				refused[r[0]] = true
			} else if status != 200 {
				t.Fatalf("%s: %d %s", r[0], status, body)
			}
		}
	}
	if len(refused) != 4 {
		t.Errorf("only these have a rate: %v", refused)
	}
	var out struct {
		Records []struct{ Record struct{ Error string } }
	}
	for range 200 {
		status, body := ask("tacet", "/tacet/v1/audit/records", `{"limit":1000}`)
		if status != 200 {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		if err := json.Unmarshal([]byte(body), &out); err != nil {
			t.Fatal(err)
		}
		break
	}
	n := 0
	for _, r := range out.Records {
		if r.Record.Error == "Throttled" {
			n++
		}
	}
	if n < 50 {
		t.Errorf("%d of more than a hundred refusals are in the record of %d", n, len(out.Records))
	}
}
