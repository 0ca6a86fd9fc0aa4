package tacet

import (
	"regexp"
	"testing"
)

// TestGUIDs holds the ids that Azure's clients see to what they were: grants and
// configurations of others name them.
func TestGUIDs(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, c := range []struct{ got, want string }{
		{ClientID("AIDAIOSFODNN7EXAMPLE"), "48ad55f5-c6dd-8ae4-aecf-97f4143759e9"},
		{ObjectID("AIDAIOSFODNN7EXAMPLE"), "206938e9-58b2-8c15-ae52-e043e907b363"},
		{TenantID("0123456789abcdef0123456789abcdef"), "ab3ba1bb-23ae-89e4-8ce1-0f5a99695acf"},
	} {
		if c.got != c.want || !form.MatchString(c.got) {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}
