package policy

// NewAssignment compiles what a vault assigns in Azure's language: one statement, with a
// Sid of any text, about the actions, which may have wildcards, on the resources. Those are
// ARNs with wildcards; "*" is not one, it is the resource of operations that have none.
// There is no Principal: whom it is for is up to who puts it into [Set].Assigned.
func NewAssignment(name, sid string, effect Effect, actions, resources []string) *Document {
	d := &Document{name: name, kind: Assignment, statements: []statement{{sid: sid, effect: effect, resourceTexts: resources}}}
	s := &d.statements[0]
	for _, a := range actions {
		s.actions = append(s.actions, compileAction(a))
	}
	for _, r := range resources {
		p := simplePattern(encode(r))
		if r == "*" {
			p = pattern{kind: matchExact, text: r}
		}
		s.resources = append(s.resources, p)
	}
	if effect == Deny {
		d.denies = []*statement{s}
	} else {
		d.allows = []*statement{s}
	}
	return d
}

// MatchAction reports whether a pattern with wildcards, "*" for any run of characters and
// "?" for one, covers an action, in any case of letters.
func MatchAction(pattern, action string) bool {
	p := compileAction(pattern)
	return p.match(action)
}
