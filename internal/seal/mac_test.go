package seal

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

func split(parts ...string) [][]byte {
	out := make([][]byte, len(parts))
	for i, p := range parts {
		out[i] = []byte(p)
	}
	return out
}

// No two lists of parts have the same MAC, however alike they look when joined.
func TestMACIsUnambiguous(t *testing.T) {
	ring, _ := fixedRing(t)
	lists := [][][]byte{
		split("a", "bc"), split("ab", "c"), split("abc"), split("a", "b", "c"), split("abc", ""), split("", "abc"),
		split("", "", "abc"), split(), split(""), split("", ""), split("c", "ab"),
		split("\x00\x00\x00\x00\x00\x00\x00\x01a"), split("a", "\x00\x00\x00\x00\x00\x00\x00\x02bc"),
	}
	for i, a := range lists {
		mac := ring.MAC("p", a...)
		for j, b := range lists {
			if got := ring.CheckMAC(mac, "p", b...); got != (i == j) {
				t.Errorf("the MAC of %q for %q: %t", a, b, got)
			}
		}
	}
	if !ring.CheckMAC(ring.MAC("p", nil), "p", []byte{}) {
		t.Error("nil and empty are different parts")
	}
}

func TestCheckMACRefuses(t *testing.T) {
	ring, keys := fixedRing(t)
	parts := split("row", "columns")
	mac := ring.MAC("object", parts...)
	if !ring.CheckMAC(mac, "object", parts...) || !openRing(t, keys).CheckMAC(mac, "object", parts...) {
		t.Fatal("a MAC is not accepted")
	}
	if !bytes.Equal(mac, ring.MAC("object", parts...)) {
		t.Error("another MAC of the same parts")
	}
	check := func(what string, mac []byte) {
		t.Helper()
		if ring.CheckMAC(mac, "object", parts...) {
			t.Errorf("%s: accepted", what)
		}
	}
	for i := range mac {
		for bit := range 8 {
			b := slices.Clone(mac)
			b[i] ^= 1 << bit
			check(fmt.Sprintf("bit %d of byte %d", bit, i), b)
		}
		check(fmt.Sprintf("cut to %d bytes", i), mac[:i])
	}
	check("a byte appended", append(slices.Clone(mac), 0))
	check("nil", nil)
	check("of another purpose", ring.MAC("secret", parts...))
	_, sum, _ := splitHeader(formatMAC, mac)
	check("under another root", append(appendHeader(nil, formatMAC, "root-old"), sum...))
	check("under an unknown root", append(appendHeader(nil, formatMAC, "root-x"), sum...))

	other, _, err := NewRing(t.Context(), newMemoryKEK(t, "kek"), t0)
	if err != nil {
		t.Fatal(err)
	}
	check("of another store", other.MAC("object", parts...))
}

// More purposes than are kept are slower, and right.
func TestMACPurposesAreBounded(t *testing.T) {
	ring, _ := fixedRing(t)
	macs := map[string]string{}
	for i := range 2 * maxPurposes {
		p := fmt.Sprint("purpose ", i)
		macs[string(ring.MAC(p, []byte("x")))] = p
	}
	if len(macs) != 2*maxPurposes {
		t.Errorf("%d MACs for %d purposes", len(macs), 2*maxPurposes)
	}
	for mac, p := range macs {
		if !ring.CheckMAC([]byte(mac), p, []byte("x")) {
			t.Errorf("%s: not accepted", p)
		}
	}
	if n := len(*ring.newest().macs.Load()); n > maxPurposes {
		t.Errorf("%d keys are kept", n)
	}
}
