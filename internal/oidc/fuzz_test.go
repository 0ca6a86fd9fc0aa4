package oidc

import (
	"net/http"
	"net/netip"
	"testing"
)

// FuzzFreshness: no Cache-Control makes keys be kept for less or more than the bounds.
func FuzzFreshness(f *testing.F) {
	f.Add("public, max-age=3600", `max-age="5"`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if d := freshness(http.Header{"Cache-Control": {a, b}}); d < minFresh || d > maxFresh {
			t.Fatalf("%q %q: %v", a, b, d)
		}
	})
}

// FuzzMayReach: an address is decided about as the IPv4 address that is in it, and what
// is the machine's own is never public.
func FuzzMayReach(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add(netip.MustParseAddr("2606:4700::1").AsSlice())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		public := mayReach(nil, a)
		if u := a.Unmap(); public && (u.IsLoopback() || u.IsPrivate() || u.IsLinkLocalUnicast() || u.IsMulticast() || u.IsUnspecified() || !u.IsGlobalUnicast()) {
			t.Fatalf("%s is public", a)
		}
		if a.Is4() && mayReach(nil, netip.AddrFrom16(a.As16())) != public {
			t.Fatalf("%s and its mapped form differ", a)
		}
		if public && !mayReach([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, a) {
			t.Fatalf("%s is closed by a list that opens", a)
		}
		if mayReach(nil, a.WithZone("eth0")) && a.Is6() {
			t.Fatalf("%s with a zone is public", a)
		}
	})
}
