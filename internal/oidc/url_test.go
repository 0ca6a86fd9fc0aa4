package oidc

import (
	"strings"
	"testing"

	"tacet"
)

// TestProviderName: arn:aws:iam::A:oidc-provider/<issuer host/path>.
func TestProviderName(t *testing.T) {
	for url, want := range map[string]string{
		"https://token.actions.githubusercontent.com":                  "token.actions.githubusercontent.com",
		"https://gitlab.example.com":                                   "gitlab.example.com",
		"https://gitlab.example.com:8443":                              "gitlab.example.com:8443",
		"https://example.auth0.com/":                                   "example.auth0.com/",
		"https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4": "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4",
		"https://login.microsoftonline.com/72f988bf-86f1/v2.0":         "login.microsoftonline.com/72f988bf-86f1/v2.0",
		"https://jenkins.example.com/oidc":                             "jenkins.example.com/oidc",
		"https://kubernetes.default.svc.cluster.local":                 "kubernetes.default.svc.cluster.local",
		"https://localhost:8443":                                       "localhost:8443",
		"https://192.0.2.1:6443":                                       "192.0.2.1:6443",
		"https://[2001:db8::1]:6443/a":                                 "[2001:db8::1]:6443/a",
		"https://xn--bcher-kva.example/~x/a_b-c.d":                     "xn--bcher-kva.example/~x/a_b-c.d",
		"https://h/" + strings.Repeat("a", 245):                        "h/" + strings.Repeat("a", 245),
	} {
		name, err := ProviderName(url)
		if err != nil || name != want {
			t.Errorf("%s: %q, %v", url, name, err)
		}
		if back := IssuerURL(name); back != url {
			t.Errorf("%s came back as %s", url, back)
		}
	}
	for url, want := range map[string]string{"http://localhost:8080": "localhost:8080", "http://127.0.0.1:8080/a": "127.0.0.1:8080/a", "http://[::1]:8080": "[::1]:8080", "http://id.localhost": "id.localhost"} {
		if name, err := ProviderName(url); err != nil || name != want {
			t.Errorf("%s: %q, %v", url, name, err)
		}
	}
	for _, url := range []string{
		"", "https", "https:", "https://", "https:///a", "https:id.example.com", "//id.example.com", "id.example.com", "/a",
		"http://id.example.com", "http://localhost.example.com", "http://10.0.0.1", "HTTPS://id.example.com", "ftp://id.example.com", "file:///etc/passwd", "javascript:alert(1)",
		"https://user@id.example.com", "https://user:password@id.example.com", "https://@id.example.com", "https://id.example.com@evil.example",
		"https://id.example.com?x", "https://id.example.com/?", "https://id.example.com#x", "https://id.example.com/#", "https://id.example.com?",
		"https://id.example.com:443", "https://id.example.com:", "https://id.example.com:0", "https://id.example.com:08443", "https://id.example.com:65536", "https://id.example.com:a", "http://localhost:80",
		"https://Id.example.com", "https://bücher.example", "https://id.example.com.", "https://id..example.com", "https://-id.example.com", "https://id-.example.com", "https://*.example.com",
		"https://" + strings.Repeat("a", 64) + ".example.com", "https://id.example.com%00", "https://id%2eexample.com", "https://id.example.com\\a",
		"https://127.1", "https://0x7f000001", "https://2130706433", "https://0177.0.0.1", "https://127.0.0.01", "https://[::1%25lo]", "https://[::1%lo]", "https://[0:0::1]", "https://[::FFFF:1]", "https://::1",
		"https://id.example.com/a//b", "https://id.example.com//", "https://id.example.com/a/../b", "https://id.example.com/./a", "https://id.example.com/..", "https://id.example.com/a%2fb", "https://id.example.com/%61",
		"https://id.example.com/a b", "https://id.example.com/*", "https://id.example.com/${aws:username}", "https://id.example.com/a:sub", "https://id.example.com/é", "https://id.example.com/a;b", "https://id.example.com/a\n", " https://id.example.com",
		"https://h/" + strings.Repeat("a", 246),
	} {
		if name, err := ProviderName(url); tacet.CodeOf(err) != tacet.InvalidParameter {
			t.Errorf("%q: %q, %v", url, name, err)
		}
	}
}

// FuzzProviderName: a URL that is accepted is its name with the scheme in front, and the
// name has nothing in it that an ARN, a policy or a condition key would read otherwise.
func FuzzProviderName(f *testing.F) {
	f.Add("https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4")
	f.Add("http://[::1]:8080/")
	f.Fuzz(func(t *testing.T, url string) {
		name, err := ProviderName(url)
		if err != nil {
			if tacet.CodeOf(err) != tacet.InvalidParameter || len(err.Error()) > 200 {
				t.Fatalf("%q: %v", url, err)
			}
			return
		}
		if IssuerURL(name) != url && "http://"+name != url || len(url) > maxURL {
			t.Fatalf("%q is called %q", url, name)
		}
		host, _, _ := strings.Cut(name, "/")
		if host == "" || strings.ContainsAny(name, "*?${}@#%\\ \t\r\n\x00") || host != strings.ToLower(host) || strings.Contains(name+"/", "/../") {
			t.Fatalf("%q is called %q", url, name)
		}
		if again, err := ProviderName(IssuerURL(name)); err != nil && !strings.HasSuffix(host, ":443") || err == nil && again != name {
			t.Fatalf("%q: %q, %v", name, again, err)
		}
	})
}
