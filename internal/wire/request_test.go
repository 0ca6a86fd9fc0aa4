package wire

import (
	"net/http"
	"strings"
	"testing"
)

func TestUserAgentAndSource(t *testing.T) {
	for in, want := range map[string]string{
		"aws-sdk-go-v2/1.0": "aws-sdk-go-v2/1.0", "a\r\nb\x00\x7f\u0085c": "abc", "é": "é", "a\xffb": "ab",
		strings.Repeat("x", 600): strings.Repeat("x", 512), strings.Repeat("x", 511) + "é": strings.Repeat("x", 511),
	} {
		if got := printable(in); got != want {
			t.Errorf("%.20q: %.20q", in, got)
		}
	}
	for in, want := range map[string]string{"192.0.2.1:80": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::1", "[fe80::1%eth0]:80": "fe80::1", "": ""} {
		if got := SourceIP(&http.Request{RemoteAddr: in}); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
