package vault_test

import (
	"testing"

	"tacet"
	"tacet/internal/vault"
)

// set makes a version in Azure's words.
func (h *house) set(name, value string, tags ...tacet.Tag) vault.SecretBundle {
	h.Helper()
	b, err := h.vault.SetSecret(h.ctx, h.azure, vault.SetSecretInput{Secret: tacet.ShownRef(name), Value: text(value), Tags: tags})
	h.must(err)
	return b
}

// shown reads the current version, or the one with an id, in Azure's words.
func (h *house) shown(name string, version ...string) (vault.SecretBundle, error) {
	in := vault.GetSecretInput{Secret: tacet.ShownRef(name)}
	if len(version) > 0 {
		in.Version = version[0]
	}
	return h.vault.GetSecret(h.ctx, h.azure, in)
}

func (h *house) wantShown(name, want string) {
	h.Helper()
	b, err := h.shown(name)
	h.must(err)
	if string(b.Value.Reveal()) != want {
		h.Errorf("the value of %s is not the one expected", name)
	}
}

// design.md 1, "secret": a secret written by either face is read through the other.
func TestMapping_Secret(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("app/db", "from AWS")
		h.wantShown("app--db", "from AWS")
		h.wantShown("APP--Db", "from AWS")
		h.set("app--api", "from Azure")
		h.wantValue("app/api", "from Azure")
		h.set("Simple-Name", "one")
		h.wantValue("Simple-Name", "one")
		h.put("Simple-Name", 2, "two")
		h.wantShown("simple-name", "two")
		b := h.set("SIMPLE-name", "three")
		if b.Name != "Simple-Name" {
			t.Errorf("the name is %q, not the one first stored", b.Name)
		}
		h.wantValue("Simple-Name", "three")
	})
}
