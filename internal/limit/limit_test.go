package limit

import (
	"fmt"
	"testing"
	"time"

	"tacet"
)

// TestThreat01_OneCallerOneCount: whatever way of writing an address or a caller is used,
// the same count is taken from.
func TestThreat01_OneCallerOneCount(t *testing.T) {
	for _, tt := range []struct {
		name string
		same []string
	}{
		{"an IPv4 address, with ports, and in IPv6's clothes", []string{"192.0.2.1", "192.0.2.1:80", "192.0.2.1:65535", "[::ffff:192.0.2.1]:80", "::ffff:c000:201"}},
		{"the addresses of one IPv6 network", []string{"2001:db8::1", "[2001:db8::2]:443", "[2001:DB8:0:0:ffff::%eth0]:1"}},
		{"what is no address", []string{"", "localhost", "192.0.2.1.5", "@"}},
	} {
		want := Origin(tt.same[0])
		for _, a := range tt.same {
			if got := Origin(a); got != want {
				t.Errorf("%s: %q counts as %v, %q as %v", tt.name, a, got, tt.same[0], want)
			}
		}
	}
	if Origin("192.0.2.1") == Origin("192.0.2.2") || Origin("2001:db8::1") == Origin("2001:db8:0:1::1") {
		t.Error("two origins are one")
	}

	clock := time.Unix(1e9, 0)
	c := NewCallers(Rates{Principal: 1}, func() time.Time { return clock })
	callers := []tacet.Caller{
		{Kind: tacet.CallerRole, ID: "AROAEXAMPLE:one", Name: "one", AccessKey: "ASIA1"},
		{Kind: tacet.CallerRole, ID: "AROAEXAMPLE:two", Name: "two", AccessKey: "ASIA2"},
		{Kind: tacet.CallerRole, ID: "AROAEXAMPLE:ONE", Name: "ONE", AccessKey: "ASIA3"},
	}
	admitted := 0
	for i := range 30 {
		if c.Admit(&callers[i%len(callers)]) == nil {
			admitted++
		}
	}
	if admitted != burstSeconds {
		t.Errorf("three sessions of one role were admitted %d times, want %d", admitted, burstSeconds)
	}
	if err := c.Admit(&tacet.Caller{Kind: tacet.CallerUser, ID: "AIDAOTHER"}); err != nil {
		t.Errorf("another principal: %v", err)
	}
	clock = clock.Add(time.Second)
	if c.Admit(&callers[0]) != nil || c.Admit(&callers[1]) == nil {
		t.Error("a second gives back one request, for all sessions together")
	}
}

// Failures are counted to the address, and stop it before anything is done for it.
func TestFailuresCostTheCaller(t *testing.T) {
	clock := time.Unix(1e9, 0)
	c := NewCallers(Rates{Failures: 5}, func() time.Time { return clock })
	tried := 0
	for c.Arrive("192.0.2.1:1000") == nil && tried < 100 {
		c.Fail("192.0.2.1:1001")
		tried++
	}
	if tried != 5*burstSeconds {
		t.Errorf("%d failures were taken, want %d", tried, 5*burstSeconds)
	}
	if err := c.Arrive("[::ffff:192.0.2.1]:1"); tacet.CodeOf(err) != tacet.Throttled {
		t.Errorf("the same address written otherwise: %v", err)
	}
	if err := c.Arrive("192.0.2.2:1"); err != nil {
		t.Errorf("another address: %v", err)
	}
	clock = clock.Add(time.Second)
	if err := c.Arrive("192.0.2.1:1"); err != nil {
		t.Errorf("a second later: %v", err)
	}
}

// Who comes steadily is not forgotten, however many others come.
func TestLimiterForgetsTheIdle(t *testing.T) {
	clock := time.Unix(1e9, 0)
	l := New[string](1, 1, func() time.Time { return clock })
	allowed := 0
	for i := range 40 * shards * maxKeys / 10 {
		l.Allow(fmt.Sprint(i))
		if i%1000 == 0 && l.Allow("steady") {
			allowed++
		}
	}
	if allowed != 1 {
		t.Errorf("who came steadily was allowed %d times", allowed)
	}
}

func TestNoLimit(t *testing.T) {
	var none *Callers
	if none.Arrive("192.0.2.1:1") != nil || none.Admit(&tacet.Caller{}) != nil {
		t.Error("nothing is limited, and refused")
	}
	none.Fail("192.0.2.1:1")
	if l := New[int](0, 0, time.Now); !l.Allow(1) || l.exhausted(1, time.Now()) {
		t.Error("a limit of nothing is no limit")
	}
}

func BenchmarkArriveAndAdmit(b *testing.B) {
	c := NewCallers(Rates{Principal: 1e9, Address: 1e9, Failures: 1e9}, time.Now)
	who := &tacet.Caller{Kind: tacet.CallerRole, ID: "AROAEXAMPLE:one"}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if c.Arrive("192.0.2.1:12345") != nil || c.Admit(who) != nil {
				b.Error("refused")
			}
		}
	})
}
