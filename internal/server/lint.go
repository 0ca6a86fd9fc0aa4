package server

import (
	"fmt"

	"tacet/internal/policy"
)

// PolicyFinding is something in a policy that its author hardly meant.
type PolicyFinding = policy.Finding

// PolicyKinds are the names that [CheckPolicy] takes for kinds of policy.
func PolicyKinds() []string { return []string{"identity", "resource", "trust", "session", "boundary"} }

// CheckPolicy finds what is wrong with a policy, without a server. kind is one of
// [PolicyKinds], or "" to guess it from the text; the kind that was taken is returned. An
// error is that there is no such kind.
func CheckPolicy(kind string, text []byte) (findings []PolicyFinding, taken string, err error) {
	k := policy.GuessKind(text)
	switch kind {
	case "":
	case "identity":
		k = policy.Identity
	case "resource":
		k = policy.Resource
	case "trust":
		k = policy.Trust
	case "session":
		k = policy.Session
	case "boundary":
		k = policy.Boundary
	default:
		return nil, "", fmt.Errorf("there is no kind of policy %q", kind)
	}
	return policy.Lint(k, text), k.String(), nil
}

// IsPolicyError reports whether a finding is an error, not only something to think about.
func IsPolicyError(f PolicyFinding) bool { return f.Severity == policy.SeverityError }
