package identity

import (
	"fmt"
	"testing"
	"time"

	"tacet"
)

// TestTakenAssertions: an application that fills its memory of assertions stops itself and
// no other, until they expire.
func TestTakenAssertions(t *testing.T) {
	var taken takenAssertions
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	take := func(client, id string, at time.Time) tacet.Code {
		return tacet.CodeOf(taken.take(client, assertionID(id, "https://vault.azure.net"), at.Add(24*time.Hour), at))
	}
	for i := range maxAssertions {
		if code := take("loud", fmt.Sprint(i), now); code != "" {
			t.Fatalf("assertion %d: %s", i, code)
		}
	}
	if code := take("loud", "one more", now); code != tacet.Throttled {
		t.Errorf("one more: %q", code)
	}
	if code := take("quiet", "0", now); code != "" {
		t.Errorf("another application's: %q", code)
	}
	if code := take("loud", "0", now.Add(23*time.Hour)); code != tacet.IdentityTokenRejected {
		t.Errorf("a replay: %q", code)
	}
	if code := take("loud", "one more", now.Add(25*time.Hour)); code != "" {
		t.Errorf("one more, a day later: %q", code)
	}
	for i := range 100 { // an assertion an hour, of which those of a day are remembered
		at := now.Add(time.Duration(i) * time.Hour)
		if code := take("steady", fmt.Sprint(i), at); code != "" || len(taken.of["steady"].until) > 25 {
			t.Fatalf("hour %d: %q, %d remembered", i, code, len(taken.of["steady"].until))
		}
	}
}
