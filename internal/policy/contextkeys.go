package policy

import (
	"slices"
	"strings"
)

// ContextKeys returns the condition keys on which the document depends, as it spells them:
// those of its conditions and of its variables, in alphabetical order. Keys that differ in
// case alone are one.
func (d *Document) ContextKeys() []string {
	var out []string
	note := func(key string) {
		if !slices.ContainsFunc(out, func(k string) bool { return strings.EqualFold(k, key) }) {
			out = append(out, key)
		}
	}
	for i := range d.statements {
		st := &d.statements[i]
		for j, r := range st.resources {
			if r.kind == matchTemplate {
				variableKeys(st.resourceTexts[j], note)
			}
		}
		for j := range st.conditions {
			c := &st.conditions[j]
			note(c.key)
			if c.variables {
				for _, text := range c.wanted {
					variableKeys(text, note)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return out
}

// variableKeys notes the keys of the variables in a text, which was parsed: "aws:username"
// of ${aws:username} and of ${aws:username, 'nobody'}.
func variableKeys(text string, note func(string)) {
	for {
		_, rest, ok := strings.Cut(text, "${")
		if !ok {
			return
		}
		inside, after, _ := strings.Cut(rest, "}")
		key, _, _ := strings.Cut(inside, ",")
		if key = strings.TrimSpace(key); len(key) > 1 { // the others are the characters *, ? and $
			note(key)
		}
		text = after
	}
}
