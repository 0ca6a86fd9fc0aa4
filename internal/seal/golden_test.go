package seal

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/golden.json anew: what older versions sealed is then not tested any more")

// A golden is what an earlier version wrote with the keys of fixedRing.
type golden struct {
	Keys   []WrappedKey
	Value  []byte // sealed for place
	MAC    []byte // of the parts "row" and "columns", for "object"
	Token  string // for "page"
	Derive []byte // 32 bytes for "audit"
}

// What was stored once must stay readable: a change of any format, label or derivation
// fails here.
func TestGolden(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	g := readGolden(t)
	ring := openRing(t, g.Keys)
	checkOpens(t, ring, place, g.Value, "a value")
	if !ring.CheckMAC(g.MAC, "object", split("row", "columns")...) {
		t.Error("the MAC is not accepted")
	}
	if got, err := ring.OpenToken("page", g.Token); err != nil || string(got) != "position" {
		t.Errorf("the token does not open: %v", err)
	}
	if !bytes.Equal(ring.Derive("audit", 32), g.Derive) {
		t.Error("the derived key is another one")
	}
}

func readGolden(t testing.TB) golden {
	t.Helper()
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func writeGolden(t *testing.T) {
	ring, keys := fixedRing(t)
	b, err := json.MarshalIndent(golden{
		Keys:   keys,
		Value:  mustSeal(t, ring, place, "a value"),
		MAC:    ring.MAC("object", split("row", "columns")...),
		Token:  ring.SealToken("page", []byte("position")),
		Derive: ring.Derive("audit", 32),
	}, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("testdata/golden.json", append(b, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}
