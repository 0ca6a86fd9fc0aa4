package guard

import (
	"crypto/sha256"
	"testing"

	"tacet"
)

// TestUnknownApplicationsCostAsMuch: a secret is hashed and compared for an application
// that is not there, or holds nothing, as for one that has a secret, and is never right.
func TestUnknownApplicationsCostAsMuch(t *testing.T) {
	const id = "9c5c5f0e-8d5c-4c39-9d7b-0c2f6f4f7a11"
	known := Application{held: []*clientCredential{{ClientCredential: tacet.ClientCredential{ID: id, Kind: tacet.ClientSecret}, Digest: digestOf(id, "right")}}}
	if known.Secret(tacet.NewPlaintext([]byte("right"))) == nil || known.Secret(tacet.NewPlaintext([]byte("wrong"))) != nil {
		t.Fatal("a secret is not found")
	}
	var unknown Application
	with := unknown.compared()
	if len(with) != 1 || len(with[0].ID) != len(id) || len(with[0].Digest) != sha256.Size {
		t.Fatalf("compared with %+v", with)
	}
	for _, text := range []string{"", "right", string(make([]byte, sha256.Size))} {
		if c := unknown.Secret(tacet.NewPlaintext([]byte(text))); c != nil {
			t.Errorf("%q is the secret %+v", text, c)
		}
	}
}
