package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tacet"
)

// Severity says how sure a finding is to be a mistake.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // the policy does not do what it says, or opens a door
	SeverityWarning Severity = "warning" // most probably not what was meant
	SeverityNote    Severity = "note"    // works, and could be said better
)

// Finding is something in a policy that its author hardly meant.
type Finding struct {
	Severity Severity `json:"severity"`
	// Rule is a fixed name for this kind of finding, "unknown-action".
	Rule string `json:"rule"`
	// Place is the path of the element, "Statement[1].Action[0]"; "" for the whole.
	Place string `json:"place,omitempty"`
	// Line and Column are where it begins in the text, from 1; 0 when there is no telling.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"` // in bytes
	// Statement is the index of the statement, from 0, with its Sid; -1 for the whole.
	Statement int    `json:"statement"`
	Sid       string `json:"sid,omitempty"`
	Message   string `json:"message"`
	// Suggestion says what to write instead, "" when there is no telling.
	Suggestion string `json:"suggestion,omitempty"`
}

// String returns the finding in a line.
func (f Finding) String() string {
	s := fmt.Sprintf("%s: %s: %s [%s]", f.Severity, f.Place, f.Message, f.Rule)
	if f.Place == "" {
		s = fmt.Sprintf("%s: %s [%s]", f.Severity, f.Message, f.Rule)
	}
	if f.Suggestion != "" {
		s += ". " + f.Suggestion
	}
	return s
}

// Lint reads a policy and finds what cannot work or should not be: what [Parse] refuses,
// actions and keys that do not exist, statements without effect, doors left open. It
// knows Tacet's operations and [ConditionKeys]. The findings are in the order of the text.
func Lint(kind Kind, text []byte) []Finding {
	findings := lint(kind, text)
	for i := range findings {
		f := &findings[i]
		f.Line, f.Column = locate(text, f.Place)
	}
	return findings
}

func lint(kind Kind, text []byte) []Finding {
	limit, _ := kind.limit()
	doc, root, err := parse("", kind, text, limit)
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		return []Finding{{Severity: SeverityError, Rule: "syntax", Place: e.Place, Statement: -1, Message: e.Problem}}
	}
	l := linter{doc: doc}
	for _, op := range tacet.Operations() {
		if !op.Internal() && len(op.Actions()) > 0 {
			l.operations = append(l.operations, op)
		}
	}
	l.version(root)
	if len(doc.allows) == 0 && (kind == Boundary || kind == Session || kind == Trust) {
		l.add(SeverityWarning, "allows-nothing", "Statement", fmt.Sprintf("a %s without an Allow lets nothing pass", kind), "")
	}
	for i, n := range root.get("Statement").elements() {
		l.s, l.n = &doc.statements[i], &n
		l.principals()
		l.actions()
		l.resources()
		l.conditions()
		l.reach()
	}
	return l.findings
}

// GuessKind guesses from a text's elements what kind of policy it is: Trust, Resource or
// Identity. A text that is no policy is Identity.
func GuessKind(text []byte) Kind {
	root, err := parseTree(text)
	if err != nil {
		return Identity
	}
	for _, s := range root.get("Statement").elements() {
		switch {
		case s.get("Principal") == nil && s.get("NotPrincipal") == nil:
		case s.get("Resource") == nil && s.get("NotResource") == nil, onlySTS(s.get("Action").elements()):
			return Trust
		default:
			return Resource
		}
	}
	return Identity
}

// onlySTS reports whether all actions are of STS, which only a trust policy is about.
func onlySTS(actions []node) bool {
	return len(actions) > 0 && !slices.ContainsFunc(actions, func(n node) bool { return !hasPrefixFold(n.text, "sts:") })
}

// linter looks at one statement after the other.
type linter struct {
	doc        *Document
	operations []tacet.Operation
	s          *statement // nil: about the whole
	n          *node
	findings   []Finding
}

func (l *linter) add(severity Severity, rule, place, message, suggestion string) {
	f := Finding{Severity: severity, Rule: rule, Place: place, Statement: -1, Message: message, Suggestion: suggestion}
	if l.s != nil {
		f.Statement, f.Sid = l.s.index, l.s.sid
	}
	l.findings = append(l.findings, f)
}

// version: without 2012-10-17 there are no variables, and what looks like one is text.
func (l *linter) version(root *node) {
	if v := root.get("Version"); v != nil && v.text == version2012 {
		return
	}
	const write = `Write "Version": "2012-10-17"`
	found := false
	root.get("Statement").walk(func(n *node) {
		if n.kind == stringNode && strings.Contains(n.text, "${") {
			found = true
			l.add(SeverityError, "variable-without-version", n.place, "in version 2008-10-17 a variable is plain text", write)
		}
	})
	if !found {
		l.add(SeverityNote, "old-version", "", "the policy is of version 2008-10-17, which has no variables", write)
	}
}

// walk visits a node and everything in it.
func (n *node) walk(visit func(*node)) {
	visit(n)
	for i := range n.list {
		n.list[i].walk(visit)
	}
}

// principals: an Allow for anybody, and a role that any token of a provider may assume.
func (l *linter) principals() {
	s := l.s
	if s.principals != nil {
		l.uniqueIDs()
	}
	switch {
	case s.principals == nil:
	case s.notPrincipal && s.effect == Allow:
		l.add(SeverityError, "allow-not-principal", l.n.get("NotPrincipal").place,
			"Allow with NotPrincipal lets in everybody but those named", "Name those who may come under Principal")
	case s.notPrincipal:
		l.add(SeverityNote, "deny-not-principal", l.n.get("NotPrincipal").place,
			"sessions are spared only if both the role and the session are named",
			`Use "Principal": "*" with an ArnNotLike condition on aws:PrincipalArn`)
	case s.effect == Allow && s.principals.anyone && !s.pinned():
		l.add(SeverityError, "public-principal", l.n.get("Principal").place, "anybody is let in, from any account",
			"Name the accounts, users or roles, or add a condition on aws:PrincipalAccount")
	case s.effect == Allow && l.doc.kind == Trust:
		l.federated()
	}
	if s.principals != nil && l.doc.kind == Trust {
		l.reachable()
	}
}

// uniqueIDs: a policy that was read shows the ids of those only who are no more.
func (l *linter) uniqueIDs() {
	for _, element := range []string{"Principal", "NotPrincipal"} {
		n := l.n.get(element)
		if n == nil {
			continue
		}
		named := n.get("AWS").elements()
		for i := range named {
			if isUniqueID(named[i].text) {
				l.add(SeverityWarning, "unique-id", named[i].place, named[i].text+" is a unique id, as a policy that was read shows one for a deleted principal",
					"Name who is meant by his ARN, or leave it out")
			}
		}
	}
}

// demands reports whether the condition asks for something that not every request has.
func (c *condition) demands() bool {
	if c.holds(nil) || c.negated {
		return false
	}
	return !slices.ContainsFunc(c.texts, func(p pattern) bool { return p.kind == matchAll })
}

// actions: names that do not exist, and more than one would grant by name.
func (l *linter) actions() {
	s, name := l.s, "Action"
	if s.notAction {
		name = "NotAction"
		if s.effect == Allow {
			l.add(SeverityWarning, "allow-not-action", l.n.get(name).place, "Allow with NotAction grants every action but those named, also ones to come",
				"List the actions to allow under Action")
		}
	}
	nodes := l.n.get(name).elements()
	for i := range nodes {
		if l.doc.kind != Trust && !slices.ContainsFunc(l.operations, func(op tacet.Operation) bool { return slices.ContainsFunc(op.Actions(), s.actions[i].match) }) {
			l.unknownAction(&nodes[i], &s.actions[i])
		}
	}
	if s.effect == Allow && !s.notAction && (l.doc.kind == Identity || l.doc.kind == Resource) {
		l.writes(nodes)
	}
}

func (l *linter) unknownAction(n *node, a *actionPattern) {
	service, _, _ := strings.Cut(n.text, ":")
	names := tacet.KnownActions()
	ours := strings.Contains(n.text, "/") || slices.ContainsFunc(names, func(a string) bool {
		return hasPrefixFold(a, strings.ToLower(service)+":")
	})
	if elsewhere(a) {
		l.add(SeverityNote, "foreign-action", n.place, fmt.Sprintf("Tacet has no action %s, which AWS has: it matches nothing here", clip(n.text)), "")
		return
	}
	if near := nearService(service); !ours && near != "" {
		l.add(SeverityError, "unknown-action", n.place, fmt.Sprintf("there is no service %s", clip(service)), "Did you mean "+near+"?")
		return
	}
	if !ours {
		l.add(SeverityNote, "foreign-action", n.place, fmt.Sprintf("Tacet has no service %s: %s matches nothing here", clip(service), clip(n.text)), "")
		return
	}
	message := "there is no action " + clip(n.text)
	if strings.ContainsAny(n.text, "*?") {
		message = clip(n.text) + " matches no action"
	}
	l.add(SeverityError, "unknown-action", n.place, message, didYouMean(n.text, names))
}

// nearService returns the service that a name was most probably meant for, "" for none.
// Short names are all near to one another.
func nearService(name string) string {
	const service = "secretsmanager"
	if name = strings.ToLower(name); name != service && editDistance(name, service) <= 3 {
		return service
	}
	return ""
}

// writes: an Allow of changes that names neither the actions nor the resource.
func (l *linter) writes(nodes []node) {
	if slices.ContainsFunc(l.s.conditions, func(c condition) bool { return strings.Contains(c.ask, "resourcetag/") && c.demands() }) {
		return // it is for the resources with a tag
	}
	for i := range nodes {
		service, ok := strings.CutSuffix(nodes[i].text, "*")
		if ok && (service == "" || strings.HasSuffix(service, ":") && strings.Count(service, "*") == 0) {
			l.add(SeverityWarning, "wildcard-write", nodes[i].place, "every action is allowed, changes and deletions among them",
				"List the actions that are needed")
			return
		}
	}
	if l.doc.kind == Resource || l.s.notResource || len(l.s.conditions) > 0 || !slices.Contains(l.s.resourceTexts, "*") {
		return
	}
	var writes []string
	for _, op := range l.operations {
		if l.s.namesAction(op.Actions()) && (!op.ReadOnly() || op == tacet.OpAssumeRole) && op != tacet.OpCreateSecret && !withoutResource(op) && !slices.Contains(writes, op.Action()) {
			writes = append(writes, op.Action())
		}
	}
	if len(writes) > 0 {
		more := ""
		if len(writes) > 3 {
			more = fmt.Sprintf(" and %d more", len(writes)-3)
			writes = writes[:3]
		}
		l.add(SeverityWarning, "wildcard-write", l.n.get("Resource").place, strings.Join(writes, ", ")+more+" allowed on every resource",
			"Name the resources, or add a condition on their tags")
	}
}

// withoutResource reports whether the operation is decided on the resource "*".
func withoutResource(op tacet.Operation) bool {
	switch op {
	case tacet.OpListSecrets, tacet.OpListDeletedSecrets, tacet.OpBatchGetSecretValue, tacet.OpGetRandomPassword, tacet.OpGetCallerIdentity,
		tacet.OpGetSessionToken, tacet.OpGetAccessKeyInfo:
		return true
	}
	return op.Service() == "tacet"
}

// didYouMean suggests the name nearest to a text, if one is near.
func didYouMean(text string, names []string) string {
	best, least := "", len(text)/3+1
	for _, name := range names {
		if d := editDistance(strings.ToLower(text), strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "Did you mean " + best + "?"
}

// editDistance is Levenshtein's: how many bytes to insert, delete or replace.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
