package server

import (
	"net"
	"net/netip"
	"testing"
)

// Connections are bounded in all and by address, and a place that is given free can be taken
// again; nothing is kept of an address that has none.
func TestConnectionsAreBounded(t *testing.T) {
	c := newConnections(4, 2)
	from := func(address string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address)) }
	var leave []func()
	for _, tt := range []struct {
		address  string
		admitted bool
	}{
		{"192.0.2.1:1", true}, {"192.0.2.1:2", true}, {"192.0.2.1:3", false}, {"[::ffff:192.0.2.1]:4", false},
		{"[2001:db8::1]:1", true}, {"[2001:db8::2]:1", true}, {"[2001:db8::ffff:0:0:1]:1", false}, // one /64
		{"192.0.2.2:1", false}, {"[2001:db8:1::1]:1", false}, // four there are
	} {
		if out := c.admit(from(tt.address)); (out != nil) != tt.admitted {
			t.Errorf("%s: admitted %v", tt.address, out != nil)
		} else if out != nil {
			leave = append(leave, out)
		}
	}
	leave[0]()
	if c.admit(from("192.0.2.1:5")) == nil || c.admit(from("192.0.2.2:1")) != nil {
		t.Error("the place that was given free is not the only one")
	}
	for _, out := range leave[1:] {
		out()
	}
	if len(c.byPrefix) != 1 {
		t.Errorf("%d addresses are remembered", len(c.byPrefix))
	}
}
