package main

import (
	"slices"
	"strings"

	"tacet/internal/client"
)

// trustedNames are whom a statement of a trust policy names.
func trustedNames(t client.Trusted) []string {
	names := slices.Clone(t.Principals)
	for i, p := range names {
		if slices.Contains(t.Deleted, p) {
			names[i] += " (deleted principal)"
		}
	}
	return names
}

// deletedNote says whom a policy names in vain, by their unique ids.
func deletedNote(ids []string) string {
	named := "a deleted principal"
	if len(ids) > 1 {
		named = "deleted principals"
	}
	return "The resource's policy names " + named + ", " + strings.Join(ids, ", ") + ": one made again under the old name is somebody else"
}
