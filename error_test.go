package tacet_test

import (
	"errors"
	"strings"
	"testing"

	"tacet"
)

// TestPanicText: what was thrown is told by its type alone, as it may hold a value; what Go
// itself throws is told in its words.
func TestPanicText(t *testing.T) {
	const canary = "hunter2hunter2"
	for _, thrown := range []any{canary, errors.New(canary), []byte(canary), struct{ S string }{canary}, errors.Join(errors.New(canary))} {
		if got := tacet.PanicText(thrown); got == "" || strings.Contains(got, canary) {
			t.Errorf("%T: %q", thrown, got)
		}
	}
	defer func() {
		if got := tacet.PanicText(recover()); got != "runtime error: index out of range [3] with length 0" {
			t.Error(got)
		}
	}()
	var none []int
	i := 3
	_ = none[i]
}
