package tacet_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"tacet"
)

// Names, and "/" shown as "--".
func TestShownName(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		name, shown string
		ok          bool
	}{
		{"db", "db", true}, {"app/db", "app--db", true}, {"/a", "--a", true}, {"a//b", "a----b", true}, {"a/-b", "a---b", true},
		{"a--b", "a--b", true}, {x(127), x(127), true}, {x(128), x(128), false}, {x(125) + "/", x(125) + "--", true}, {x(126) + "/", x(126) + "--", false},
		{"a_b", "a_b", false}, {"a.b", "a.b", false}, {"a@b", "a@b", false}, {"ä", "ä", false}, {"", "", false},
	} {
		if shown, ok := tacet.ShownName(tt.name); shown != tt.shown || ok != tt.ok {
			t.Errorf("%q is shown as %q, %v", tt.name, shown, ok)
		}
	}
}

// A name that Azure takes becomes one that AWS takes, and is shown again as it was.
func FuzzShownName(f *testing.F) {
	for _, s := range []string{"db", "a--b", "a---b", "----", "-", "--a--", "a-b", "a/b", "Ä", strings.Repeat("-", 127)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, shown string) {
		if !tacet.ValidShownName(shown) {
			return
		}
		name := tacet.NameOfShown(shown)
		if again, ok := tacet.ShownName(name); !ok || again != shown {
			t.Errorf("%q is named %q and shown as %q, %v", shown, name, again, ok)
		}
		if !tacet.ValidSecretName(name, false) || len(name) > tacet.MaxSecretName {
			t.Errorf("%q is no name of AWS's", name)
		}
	})
}

// An id that is a UUID is shown without hyphens and found either way.
func TestVersionIDs(t *testing.T) {
	const uuid, hex = "00112233-4455-6677-8899-aabbccddeeff", "00112233445566778899aabbccddeeff"
	for id, want := range map[tacet.VersionID]string{
		uuid: hex, hex: hex, tacet.VersionID(strings.ToUpper(uuid)): hex,
		"AWS-token-that-is-no-UUID-at-all": "AWS-token-that-is-no-UUID-at-all", uuid + "0": uuid + "0",
		"00112233x4455-6677-8899-aabbccddeeff": "00112233x4455-6677-8899-aabbccddeeff",
	} {
		if got := tacet.ShownVersion(id); got != want {
			t.Errorf("%s is shown as %s", id, got)
		}
	}
	for given, want := range map[string][]tacet.VersionID{
		hex: {hex, uuid}, uuid: {uuid, hex}, strings.ToUpper(hex): {tacet.VersionID(strings.ToUpper(hex)), hex, uuid}, "x": {"x"}, "": {""},
		hex[:31] + "g": {tacet.VersionID(hex[:31] + "g")},
	} {
		if got := tacet.VersionIDs(given); !slices.Equal(got, want) {
			t.Errorf("%q may be %v", given, got)
		}
	}
}

func TestNetworkRules(t *testing.T) {
	rules := tacet.NetworkRules{Deny: true, Allowed: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("fe80::/10")}}
	for address, want := range map[string]bool{"192.0.2.9": true, "::ffff:192.0.2.9": true, "192.0.3.1": false, "fe80::1%eth0": true, "": false, "192.0.2.9:443": false} {
		if rules.Admits(address) != want {
			t.Errorf("%q: %v", address, !want)
		}
	}
	if open := (tacet.NetworkRules{Allowed: rules.Allowed}); !open.Admits("203.0.113.1") {
		t.Error("the default admits everybody")
	}
}

// Recovery levels.
func TestRecoveryLevel(t *testing.T) {
	for _, tt := range []struct {
		days      int
		protected bool
		want      string
	}{{90, false, "Recoverable+Purgeable"}, {90, true, "Recoverable"}, {7, false, "CustomizedRecoverable+Purgeable"}, {89, true, "CustomizedRecoverable"}} {
		if got := (&tacet.VaultSettings{RetentionDays: tt.days, PurgeProtection: tt.protected}).RecoveryLevel(); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// What Azure asks for has a name in AWS's language too, and the parts of operations have
// none of their own.
func TestOperationsHaveAllTheirNames(t *testing.T) {
	for _, op := range tacet.Operations() {
		switch names := op.Actions(); {
		case op == tacet.OpSetSecret: // decided as one of AWS's two
		case op.OnSecrets() && !op.Internal() && !strings.HasPrefix(op.Action(), "secretsmanager:"):
			t.Errorf("%s is called %v", op, names)
		case op.DataAction() != "" && !slices.Contains(names, op.DataAction()):
			t.Errorf("%s is not called %s: %v", op, op.DataAction(), names)
		}
	}
}
