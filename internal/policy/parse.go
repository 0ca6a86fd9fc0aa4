package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"tacet"
)

// MaxStatements bounds the statements of one document.
const MaxStatements = 256

// The versions of the language.
const (
	version2008 = "2008-10-17" // no variables; also a document without a Version
	version2012 = "2012-10-17"
)

// A SyntaxError says what is wrong with a document and where.
type SyntaxError struct {
	// Place is the path of the offending element, "Statement[1].Condition.StringFoo";
	// "" for the document as a whole.
	Place string
	// Problem is a phrase in English, fit for the policy's author.
	Problem string
}

// Error returns the place and the problem.
func (e *SyntaxError) Error() string {
	if e.Place == "" {
		return e.Problem
	}
	return e.Place + ": " + e.Problem
}

// MaxManaged is the most characters of a managed policy, white space aside.
const MaxManaged = 6144

// maxText bounds a text with its white space, in bytes: IAM takes no longer parameter.
const maxText = 131072

// limit returns how many characters a document of the kind may have, and whether its
// white space counts. See IAM and AWS STS quotas; what the inline policies of one
// principal may come to together is up to who stores them.
func (k Kind) limit() (characters int, whiteSpace bool) {
	switch k {
	case Resource:
		return tacet.MaxPolicy, true
	case Trust:
		return 2048, false
	case Session:
		return 2048, true
	case Boundary:
		return MaxManaged, false
	}
	return 10240, false // the inline policies of a role
}

// Parse reads and compiles a document of at most the size that AWS takes for its kind. Name
// is what decisions call the document: it should tell a reader where the document is to be
// found. An error is always a *[SyntaxError]. See the IAM JSON policy elements reference.
func Parse(name string, kind Kind, text []byte) (*Document, error) {
	limit, _ := kind.limit()
	return ParseLimit(name, kind, text, limit)
}

// ParseStored is [Parse] for a document that was accepted once, however long: what is stored
// stays in force when a limit becomes smaller.
func ParseStored(name string, kind Kind, text []byte) (*Document, error) {
	return ParseLimit(name, kind, text, math.MaxInt)
}

// ParseLimit is [Parse] for a document of at most limit characters, counted as IAM
// does: without white space, save in the policies of resources and sessions.
func ParseLimit(name string, kind Kind, text []byte, limit int) (*Document, error) {
	d, _, err := parse(name, kind, text, limit)
	return d, err
}

// parse also returns the text's tree, which [Lint] walks beside the document.
func parse(name string, kind Kind, text []byte, limit int) (*Document, *node, error) {
	if kind < Identity || kind > Boundary {
		return nil, nil, &SyntaxError{Problem: fmt.Sprintf("there is no policy of kind %d", int(kind))}
	}
	if err := checkSize(kind, text, limit); err != nil {
		return nil, nil, err
	}
	root, err := parseTree(text)
	if err != nil {
		return nil, nil, err
	}
	d := &Document{name: name, kind: kind}
	if err := d.read(root); err != nil {
		return nil, nil, err
	}
	d.locate(text, root.get("Statement").elements())
	for i := range d.statements {
		s := &d.statements[i]
		if s.effect == Deny {
			d.denies = append(d.denies, s)
		} else {
			d.allows = append(d.allows, s)
		}
	}
	return d, root, nil
}

func checkSize(kind Kind, text []byte, limit int) error {
	n := utf8.RuneCount(text)
	if _, whiteSpace := kind.limit(); !whiteSpace {
		if most := max(limit, maxText); len(text) > most {
			return &SyntaxError{Problem: fmt.Sprintf("the policy has %d bytes with its white space, the limit is %d", len(text), most)}
		}
		for _, c := range text {
			if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
				n--
			}
		}
	}
	if n > limit {
		return &SyntaxError{Problem: fmt.Sprintf("the policy has %d characters, the limit is %d", n, limit)}
	}
	return nil
}

func (d *Document) read(root *node) error {
	if root.kind != objectNode {
		return root.fail("a policy must be an object, not %s", root.kind)
	}
	variables := false
	var statements *node
	for i, key := range root.keys {
		v := &root.list[i]
		switch key {
		case "Version":
			if v.kind != stringNode || v.text != version2008 && v.text != version2012 {
				return v.fail("must be %q or %q", version2012, version2008)
			}
			variables = v.text == version2012
		case "Id":
			if v.kind != stringNode {
				return v.fail("must be a string, not %s", v.kind)
			}
			if hasControl(v.text) {
				return v.fail("must not contain control characters")
			}
			d.id = v.text
		case "Statement":
			statements = v
		default:
			return v.fail("unknown element")
		}
	}
	if statements == nil {
		return root.fail("Statement is missing")
	}
	return d.readStatements(statements, variables)
}

func (d *Document) readStatements(n *node, variables bool) error {
	if n.kind != objectNode && n.kind != listNode {
		return n.fail("must be an object or a list of objects, not %s", n.kind)
	}
	list := n.elements()
	if len(list) == 0 {
		return n.fail("must not be empty")
	}
	if len(list) > MaxStatements {
		return n.fail("has %d statements, the limit is %d", len(list), MaxStatements)
	}
	sids := map[string]bool{}
	d.statements = make([]statement, len(list))
	for i := range list {
		s := &d.statements[i]
		s.index = i
		r := statementReader{doc: d, s: s, variables: variables, given: map[string]bool{}}
		if err := r.read(&list[i]); err != nil {
			return err
		}
		// An empty Sid is none; tools write it for statements without one.
		if s.sid != "" && sids[s.sid] {
			return &SyntaxError{Place: list[i].member("Sid"), Problem: fmt.Sprintf("%q is the Sid of an earlier statement", clip(s.sid))}
		}
		sids[s.sid] = true
	}
	return nil
}

// statementReader reads one statement.
type statementReader struct {
	doc       *Document
	s         *statement
	variables bool
	given     map[string]bool // the elements it has
}

func (r *statementReader) read(n *node) error {
	if n.kind != objectNode {
		return n.fail("a statement must be an object, not %s", n.kind)
	}
	for i, key := range n.keys {
		r.given[key] = true
		if err := r.element(key, &n.list[i]); err != nil {
			return err
		}
	}
	if !r.given["Effect"] {
		return n.fail("Effect is missing")
	}
	if err := r.oneOf(n, "Action", "NotAction", true); err != nil {
		return err
	}
	if err := r.oneOf(n, "Resource", "NotResource", r.doc.kind != Trust); err != nil {
		return err
	}
	return r.oneOf(n, "Principal", "NotPrincipal", r.doc.kind.takesPrincipal())
}

// oneOf demands exactly one of an element and its negation, or none where the kind of
// document has no use for either.
func (r *statementReader) oneOf(n *node, name, not string, needed bool) error {
	switch {
	case r.given[name] && r.given[not]:
		return n.fail("%s and %s cannot both be given", name, not)
	case needed && !r.given[name] && !r.given[not]:
		return n.fail("%s is missing", name)
	}
	return nil
}

func (r *statementReader) element(key string, v *node) (err error) {
	s, kind := r.s, r.doc.kind
	switch key {
	case "Sid":
		s.sid, err = readSid(kind, v)
	case "Effect":
		if v.kind != stringNode || v.text != string(Allow) && v.text != string(Deny) {
			return v.fail(`must be "Allow" or "Deny"`)
		}
		s.effect = Effect(v.text)
	case "Action", "NotAction":
		s.notAction = key == "NotAction"
		s.actions, err = readActions(v, kind)
	case "Resource", "NotResource":
		if kind == Trust {
			return v.fail("not an element of this kind of policy (%s)", kind)
		}
		s.notResource = key == "NotResource"
		s.resources, s.resourceTexts, err = readResources(v, r.variables)
	case "Principal", "NotPrincipal":
		if !kind.takesPrincipal() || kind == Trust && key == "NotPrincipal" {
			return v.fail("not an element of this kind of policy (%s)", kind)
		}
		s.notPrincipal = key == "NotPrincipal"
		s.principals, err = readPrincipals(v)
	case "Condition":
		s.conditions, err = readConditions(v, r.variables)
	default:
		return v.fail("unknown element")
	}
	return err
}

// readSid takes what IAM takes: letters and digits in its own policies, any text in
// a resource's policy.
func readSid(kind Kind, v *node) (string, error) {
	if v.kind != stringNode {
		return "", v.fail("must be a string, not %s", v.kind)
	}
	if hasControl(v.text) {
		return "", v.fail("must not contain control characters")
	}
	if kind != Resource {
		for i := range len(v.text) {
			if !isAlnum(v.text[i]) {
				return "", v.fail("must be letters and digits only")
			}
		}
	}
	return v.text, nil
}

// trustActions are what a trust policy may be about.
var trustActions = []string{"sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"}

// readActions reads a list of action patterns: "*", "service:Operation" or an Azure
// data action with its slashes. Anything else could not match and is a slip.
func readActions(n *node, kind Kind) ([]actionPattern, error) {
	list, err := n.stringList()
	if err != nil {
		return nil, err
	}
	out := make([]actionPattern, len(list))
	for i := range list {
		a := &list[i]
		for _, c := range a.text {
			if (c >= utf8.RuneSelf || !isAlnum(byte(c))) && !strings.ContainsRune(":*?/._-", c) {
				return nil, a.fail("%q is not a character of an action", c)
			}
		}
		if a.text != "*" && !strings.ContainsAny(a.text, ":/") {
			return nil, a.fail(`must be "*" or a service, a colon and an operation`)
		}
		out[i] = compileAction(a.text)
		if kind == Trust && (!hasPrefixFold(a.text, "sts:") || !slices.ContainsFunc(trustActions, out[i].match)) {
			return nil, a.fail("AssumeRole policy may only specify STS AssumeRole actions")
		}
	}
	return out, nil
}

// readResources reads a list of resource patterns: "*" or an ARN. It also returns them as written.
func readResources(n *node, variables bool) (out []pattern, texts []string, err error) {
	list, err := n.stringList()
	if err != nil {
		return nil, nil, err
	}
	out, texts = make([]pattern, len(list)), make([]string, len(list))
	for i := range list {
		texts[i] = list[i].text
		if texts[i] != "*" && !strings.HasPrefix(texts[i], "arn:") {
			return nil, nil, list[i].fail(`must be "*" or an ARN`)
		}
		if out[i], err = compilePattern(&list[i], texts[i], variables); err != nil {
			return nil, nil, err
		}
	}
	return out, texts, nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
