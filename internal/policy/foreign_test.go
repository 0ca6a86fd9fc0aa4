package policy

import (
	"slices"
	"strings"
	"testing"

	"tacet"
)

// TestAWSOnly: what is called AWS's alone is not here.
func TestAWSOnly(t *testing.T) {
	for service, names := range awsOnly {
		for _, name := range strings.Fields(names) {
			if op := tacet.Operation(name); slices.Contains(tacet.Operations(), op) && op.Service() == service {
				t.Errorf("%s:%s is here too", service, name)
			}
		}
	}
}
