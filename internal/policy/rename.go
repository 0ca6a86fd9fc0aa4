package policy

import (
	"bytes"
	"encoding/json"
)

// UniqueID reports whether the principal is named by a unique id, which is nobody else's
// ever, and not by a name.
func (p Principal) UniqueID() bool { return p.Type == "AWS" && isUniqueID(p.Value) }

// RewritePrincipals returns the text of a policy in which every AWS principal, under Principal
// and NotPrincipal, is written as to gives it. Nothing else of the text changes, no white space
// either. A text that is no JSON is returned as it is.
func RewritePrincipals(text string, to func(value string) string) string {
	root, err := parseTree([]byte(text))
	if err != nil {
		return text
	}
	var out []byte
	done := 0 // how much of text is in out
	for _, s := range root.get("Statement").elements() {
		for i, key := range s.keys { // in the order of the text
			if key != "Principal" && key != "NotPrincipal" {
				continue
			}
			for _, v := range s.list[i].get("AWS").elements() {
				if v.kind != stringNode {
					continue
				}
				if name := to(v.text); name != v.text {
					out = append(append(out, text[done:v.start]...), quoted(name)...)
					done = v.end
				}
			}
		}
	}
	if done == 0 {
		return text
	}
	return string(append(out, text[done:]...))
}

// quoted writes a string as JSON, and leaves <, > and & as they are.
func quoted(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // of a string to memory: does not fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
