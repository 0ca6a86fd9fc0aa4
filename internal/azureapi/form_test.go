package azureapi

import (
	"net/url"
	"testing"
)

// FuzzParseForm holds the reader of token requests to the library's: what it accepts, the
// library reads alike, and it accepts no parameter twice (threat class 28).
func FuzzParseForm(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a=b&a=c", "a=%zz", "a=%ff", "a+b=c%20d", "&&a", "grant_type=client_credentials&scope=https%3A%2F%2Fvault.azure.net%2F.default+openid", "a;b=c", "=x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, problem := parseForm(text)
		if problem != nil {
			return
		}
		for name, v := range got {
			want, err := url.ParseQuery(text)
			if err != nil { // the library refuses semicolons
				continue
			}
			if all := want[name]; len(all) != 1 || all[0] != v {
				t.Errorf("%q: %q is %q, the library reads %q", text, name, v, all)
			}
		}
	})
}
