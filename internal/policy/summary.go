package policy

import (
	"cmp"
	"encoding/json"
	"slices"
)

// MaxSummary bounds the JSON of a [Summary], in bytes.
const MaxSummary = 4096

// Bounds of what a summary shows of one statement.
const (
	shownConditions = 8
	shownResources  = 5
	shownValues     = 5
)

// Summary is a decision with what is worth telling about the policies, small enough to be
// kept with the record of a denial.
type Summary struct {
	Decision Decision `json:"decision"`
	// Statements are the statements about the action, the one that decided first, then
	// those that were closest to matching.
	Statements []Trace `json:"statements,omitempty"`
	// Others counts the statements that are about other actions.
	Others []OtherActions `json:"others,omitempty"`
	// Left is how many statements are in neither, for want of room.
	Left int `json:"left,omitempty"`
}

// OtherActions counts a document's statements about other actions than the one asked for.
type OtherActions struct {
	Role       Kind   `json:"role"`
	Policy     string `json:"policy"`
	Statements int    `json:"statements"`
}

// Summarize explains a decision of [Decide] on the same set and request in at most
// [MaxSummary] bytes of JSON. What is left out is counted; long values are clipped.
func Summarize(s *Set, r *Request, d Decision) Summary {
	out := Summary{Decision: d}
	out.Decision.Policy, out.Decision.Sid = clip(d.Policy), clip(d.Sid)
	room := MaxSummary - size(out) - len(`,"statements":[],"others":[],"left":1000000`)
	fits := func(v any) bool {
		n := size(v) + len(",")
		if n <= room {
			room -= n
			return true
		}
		return false
	}
	var others []OtherActions
	var about []Trace
	for _, t := range Explain(s, r) {
		switch i := len(others) - 1; {
		case t.Failed != "action":
			about = append(about, t)
		case i >= 0 && others[i].Policy == t.Policy && others[i].Role == t.Role:
			others[i].Statements++
		default:
			others = append(others, OtherActions{t.Role, t.Policy, 1})
		}
	}
	slices.SortStableFunc(about, func(a, b Trace) int { return cmp.Compare(a.distance(d), b.distance(d)) })
	for i, t := range about {
		t.shorten()
		if !fits(t) {
			t.Left += len(t.Conditions) + len(t.Resources)
			t.Conditions, t.Resources = nil, nil
			if !fits(t) {
				out.Left = len(about) - i
				break
			}
		}
		out.Statements = append(out.Statements, t)
	}
	for _, o := range others {
		if o.Policy = clip(o.Policy); fits(o) {
			out.Others = append(out.Others, o)
		} else {
			out.Left += o.Statements
		}
	}
	return out
}

// distance orders statements by how much they explain a decision: the one that
// decided, then what matched, then what nearly did.
func (t *Trace) distance(d Decision) int {
	switch {
	case t.Matched && t.Policy == d.Policy && t.Statement == d.Statement && (t.Effect == Allow) == d.Allowed:
		return 0
	case t.Matched && t.Effect == Deny:
		return 1
	case t.Matched:
		return 2
	case t.Failed == "condition" && t.Effect == Allow:
		return 3
	case t.Failed == "resource" && t.Effect == Allow:
		return 4
	case t.Effect == Allow:
		return 5
	}
	return 6 // a deny that does not concern the request
}

// shorten caps the lists of a trace and clips its texts. Conditions that were not met
// are kept before those that were.
func (t *Trace) shorten() {
	t.Policy, t.Sid = clip(t.Policy), clip(t.Sid)
	t.Resources = shortenTexts(t.Resources, shownResources, &t.Left)
	if len(t.Conditions) > shownConditions {
		slices.SortStableFunc(t.Conditions, func(a, b ConditionTrace) int { return cmp.Compare(metLast(a), metLast(b)) })
		t.Left += len(t.Conditions) - shownConditions
		t.Conditions = t.Conditions[:shownConditions]
	}
	for i := range t.Conditions {
		c := &t.Conditions[i]
		c.Key = clip(c.Key)
		c.Wanted = shortenTexts(c.Wanted, shownValues, &c.Left)
		c.Resolved = shortenTexts(c.Resolved, shownValues, new(int))
		c.Had = shortenTexts(c.Had, shownValues, &c.Left)
	}
}

func metLast(c ConditionTrace) int {
	if c.Held {
		return 1
	}
	return 0
}

// shortenTexts returns at most n clipped texts and adds the number of the rest to left. It
// leaves list as it is, which belongs to a document.
func shortenTexts(list []string, n int, left *int) []string {
	if len(list) > n {
		*left += len(list) - n
		list = list[:n]
	}
	out := slices.Clone(list)
	for i := range out {
		out[i] = clip(out[i])
	}
	return out
}

// size is the length of a value's JSON.
func size(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return MaxSummary + 1 // never: a summary is texts and numbers
	}
	return len(b)
}
