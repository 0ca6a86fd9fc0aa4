package guard

import (
	"encoding/json"

	"tacet/internal/policy"
)

// An Explanation says what was decided and how the policies came to it.
type Explanation struct {
	// Action and Resource are what the policies were asked about.
	Action   string `json:"action"`
	Resource string `json:"resource"`
	policy.Summary
}

// explain is the explanation of a decision, for its record. It is made for refusals only:
// what is allowed is recorded with the name of the statement alone.
func explain(set *policy.Set, pr *policy.Request, d policy.Decision) json.RawMessage {
	b, err := json.Marshal(Explanation{pr.Actions[0], pr.Resource, policy.Summarize(set, pr, d)})
	if err != nil { // texts and numbers: cannot be
		return nil
	}
	return b
}
