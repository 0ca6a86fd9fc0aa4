package oidc

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
)

// newClient returns the client for everything that is sent to issuers. It has no proxy, whatever
// the environment says: a proxy would resolve names where we cannot see it. It follows no
// redirects, and keeps no connections, so that each request is a new decision. Time limits are the
// request's context's.
func newClient(c Config) *http.Client {
	networks := slices.Clone(c.AllowNetworks)
	if c.AllowLoopbackHTTP {
		networks = append(networks, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	}
	dialer := &net.Dialer{Resolver: c.resolver, Control: func(network, address string, _ syscall.RawConn) error {
		return checkDial(networks, network, address)
	}}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: c.RootCAs, MinVersion: tls.VersionTLS12},
			MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives:      true,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// checkDial refuses a connection by the address that it is about to be made to. It is a
// net.Dialer's Control: it sees every address after it was resolved, so a name cannot mean one
// address when it is checked and another when it is dialled.
func checkDial(allowed []netip.Prefix, network, address string) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("connections of type %s are not made", network)
	}
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !mayReach(allowed, a.Addr()) {
		return fmt.Errorf("the address %s is neither public nor in an allowed network", a.Addr())
	}
	return nil
}

// mayReach decides about one address.
func mayReach(allowed []netip.Prefix, a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap() // ::ffff:127.0.0.1 is 127.0.0.1
	if b := a.As16(); nat64.Contains(a) {
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	in := func(p netip.Prefix) bool { return p.Contains(a) }
	if slices.ContainsFunc(never, in) || neverInside(a) || a.IsMulticast() || a.IsUnspecified() {
		return false
	}
	return slices.ContainsFunc(allowed, in) ||
		slices.ContainsFunc(global, in) && !slices.ContainsFunc(special, in)
}

// neverInside reports whether an IPv6 address is a tunnel's, or a translator's, for an IPv4
// address that is never reached: an allowed network must not open it by another writing.
func neverInside(a netip.Addr) bool {
	b := a.As16()
	var inside []netip.Addr
	switch {
	case sixToFour.Contains(a):
		inside = []netip.Addr{netip.AddrFrom4([4]byte(b[2:6]))}
	case teredo.Contains(a): // the server's, and the client's with its bits turned over
		inside = []netip.Addr{netip.AddrFrom4([4]byte(b[4:8])), netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})}
	case localNAT64.Contains(a), compatible.Contains(a):
		inside = []netip.Addr{netip.AddrFrom4([4]byte(b[12:]))}
	}
	return slices.ContainsFunc(inside, func(v4 netip.Addr) bool {
		return slices.ContainsFunc(never, func(p netip.Prefix) bool { return p.Contains(v4) })
	})
}

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, t := range texts {
		list = append(list, netip.MustParsePrefix(t))
	}
	return list
}

var (
	// never is what no configuration opens: link-local addresses, where most clouds answer
	// questions about the machine, and where they answer them otherwise: AWS, Oracle and
	// Google by IPv6, Azure's wire server, Alibaba.
	never = prefixes("169.254.0.0/16", "fe80::/10",
		"fd00:ec2::/32", "fd00:c1::/32", "fd20:ce::/32", "168.63.129.16/32", "100.100.100.200/32")

	// global is what IANA gives out as global unicast addresses.
	global = prefixes("0.0.0.0/0", "2000::/3")

	// nat64 is how a network without IPv4 writes an IPv4 address, RFC 6052.
	nat64 = netip.MustParsePrefix("64:ff9b::/96")

	// Other ways in which an IPv6 address has an IPv4 address in it: 6to4 (RFC 3056), Teredo
	// (RFC 4380), a network's own NAT64 (RFC 8215) and the IPv4-compatible form (RFC 4291).
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")
	compatible = netip.MustParsePrefix("::/96")

	// special is what of these is not for the Internet: the IANA special-purpose address
	// registries, RFC 6890 and its successors, with the ways that tunnels write an IPv4
	// address in IPv6.
	special = prefixes(
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
