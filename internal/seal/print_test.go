package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// Nothing of this package prints key material, however it is printed.
func TestNothingPrintsKeys(t *testing.T) {
	ring, keys := fixedRing(t)
	kek := newMemoryKEK(t, "kek")
	ring.MAC("p") // so that a MAC key is kept
	data := ring.keys.Load().byID[keys[2].ID]
	secrets := [][]byte{
		fixedSecret("the secret of root-old"), fixedSecret("the secret of root-new"),
		fixedSecret("the secret of " + vaultA), fixedSecret("the secret of " + vaultB), fixedSecret("kek"),
		ring.newest().derive("mac", "p", nil, keySize), ring.newest().derive("wrap", "", nil, keySize),
	}
	type holder struct{ inner any } // fmt calls no methods of what is in an unexported field
	out := &bytes.Buffer{}
	for _, v := range []any{ring, ring.newest(), ring.keys.Load(), data, data.row, kek, keys, ring.newest().macKey("p")} {
		for _, v := range []any{v, holder{v}, &holder{v}, []any{v}, map[string]any{"k": v}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
				fmt.Fprintf(out, verb+"\n", v)
			}
			slog.New(slog.NewTextHandler(out, nil)).Info("m", "v", v)
			slog.New(slog.NewJSONHandler(out, nil)).Info("m", "v", v)
			_ = json.NewEncoder(out).Encode(v) // an error prints nothing
			_ = gob.NewEncoder(out).Encode(v)
		}
	}
	if !strings.Contains(out.String(), "ring of 2 root and 2 data keys") {
		t.Error("the ring was not printed")
	}
	for i, s := range secrets {
		for _, form := range forms(s) {
			if strings.Contains(out.String(), form) {
				t.Errorf("secret %d was printed", i)
			}
		}
	}
}

// forms returns how the first bytes of a secret look when they are printed.
func forms(secret []byte) []string {
	b := secret[:12]
	decimal := strings.Trim(fmt.Sprint(b), "[]")
	return []string{string(b), hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), decimal,
		strings.ReplaceAll(decimal, " ", ", "), base64.StdEncoding.EncodeToString(b), base64.URLEncoding.EncodeToString(b),
		strings.Trim(fmt.Sprintf("%#v", b), "[]byte{}")}
}

// The forms do find a key that is printed.
func TestFormsFindKeys(t *testing.T) {
	secret := fixedSecret("root-old")
	for _, verb := range []string{"%v", "%s", "%x", "%X", "%#v"} {
		printed, found := fmt.Sprintf(verb, secret), false
		for _, form := range forms(secret) {
			found = found || strings.Contains(printed, form)
		}
		if !found {
			t.Errorf("%s is not found", verb)
		}
	}
}
