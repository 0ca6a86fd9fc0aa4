package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of JSON values. The language needs six: document,
// statements, statement, condition, operator, values.
const maxDepth = 8

// nodeKind is a JSON type.
type nodeKind int

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	stringNode
	listNode
	objectNode
)

func (k nodeKind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// node is a JSON value that remembers the order of its members and where it stands.
type node struct {
	kind  nodeKind
	place string
	text  string   // of a string, a number or a boolean
	keys  []string // of an object, beside list
	list  []node   // elements of a list, values of an object
	// Where an object or a string stands in the text, a string with its quotes. An object that
	// is an element of a list begins where what precedes it ends, which is how AWS IAM counts.
	start, end int
}

// fail makes the error about a node.
func (n *node) fail(format string, args ...any) error {
	return &SyntaxError{Place: n.place, Problem: fmt.Sprintf(format, args...)}
}

// member returns the place of a member of the node.
func (n *node) member(key string) string {
	if n.place == "" {
		return quotePlace(key)
	}
	return n.place + "." + quotePlace(key)
}

// get returns a member of an object, nil when it has none of the name.
func (n *node) get(key string) *node {
	if i := slices.Index(n.keys, key); i >= 0 {
		return &n.list[i]
	}
	return nil
}

// elements returns the elements of a list, or the node itself: where the language takes
// a list it takes a single value too.
func (n *node) elements() []node {
	switch {
	case n == nil:
		return nil
	case n.kind == listNode:
		return n.list
	}
	return []node{*n}
}

// quotePlace keeps a hostile key from writing what it likes into a message or a log.
func quotePlace(key string) string {
	if key == "" {
		return `""`
	}
	for i := range len(key) {
		if c := key[i]; c <= ' ' || c == '"' || c >= 0x7f {
			return strconv.Quote(clip(key))
		}
	}
	return clip(key)
}

// clip shortens a text of the author's for a message.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// parseTree reads one JSON value and refuses what encoding/json would let pass:
// duplicate keys, text after the value, invalid UTF-8 and half surrogates, which it
// replaces, so that two different texts would mean the same.
func parseTree(text []byte) (*node, error) {
	if !utf8.Valid(text) {
		return nil, &SyntaxError{Problem: "the text is not valid UTF-8"}
	}
	if bytes.HasPrefix(text, []byte("\ufeff")) {
		return nil, &SyntaxError{Problem: "the text begins with a byte order mark: save it without"}
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, &SyntaxError{Problem: "the text is empty"}
	}
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		problem := fmt.Sprintf("not JSON: %v", err)
		if e, ok := errors.AsType[*json.SyntaxError](err); ok {
			at := int(e.Offset) // behind the character that is wrong, or the end
			if at > 0 && !strings.Contains(err.Error(), "unexpected end") {
				at--
			}
			pos := Position{1, 1}.after(text[:min(at, len(text))])
			problem += fmt.Sprintf(", in line %d, column %d", pos.Line, pos.Column)
		}
		return nil, &SyntaxError{Problem: problem}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	t := treeReader{d, text}
	root := node{}
	if err := t.read(&root, 1); err != nil {
		return nil, err
	}
	return &root, nil
}

type treeReader struct {
	d    *json.Decoder
	text []byte
}

// offset is where the last token ended.
func (t treeReader) offset() int { return int(t.d.InputOffset()) }

// token returns the next token. The text is known to be JSON, so there is one.
func (t treeReader) token(n *node) (json.Token, error) {
	tok, err := t.d.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, n.fail("not JSON: %v", err)
	}
	return tok, nil
}

func (t treeReader) read(n *node, depth int) error {
	before := t.offset()
	tok, err := t.token(n)
	if err != nil {
		return err
	}
	switch v := tok.(type) {
	case nil:
		n.kind = nullNode
	case bool:
		n.kind, n.text = boolNode, strconv.FormatBool(v)
	case json.Number:
		n.kind, n.text = numberNode, v.String()
	case string:
		n.kind, n.text = stringNode, v
		n.start, n.end = before+bytes.IndexByte(t.text[before:], '"'), t.offset()
		return checkText(n, v)
	case json.Delim:
		if depth > maxDepth {
			return n.fail("nested deeper than %d levels", maxDepth)
		}
		if v == '{' {
			if n.start == 0 {
				n.start = t.offset() - 1
			}
			return t.readObject(n, depth)
		}
		return t.readList(n, depth)
	}
	return nil
}

func (t treeReader) readList(n *node, depth int) error {
	n.kind = listNode
	for start := t.offset(); t.d.More(); start = t.offset() {
		e := node{place: n.place + "[" + strconv.Itoa(len(n.list)) + "]", start: start}
		if err := t.read(&e, depth+1); err != nil {
			return err
		}
		n.list = append(n.list, e)
	}
	_, err := t.token(n)
	return err
}

func (t treeReader) readObject(n *node, depth int) error {
	n.kind = objectNode
	seen := map[string]bool{}
	for t.d.More() {
		tok, err := t.token(n)
		if err != nil {
			return err
		}
		key, ok := tok.(string)
		if !ok {
			return n.fail("not JSON: a key must be a string")
		}
		e := node{place: n.member(key)}
		if err := checkText(&e, key); err != nil {
			return err
		}
		if seen[key] {
			return e.fail("given twice")
		}
		seen[key] = true
		if err := t.read(&e, depth+1); err != nil {
			return err
		}
		n.keys, n.list = append(n.keys, key), append(n.list, e)
	}
	_, err := t.token(n)
	n.end = t.offset()
	return err
}

// checkText refuses the mark that encoding/json puts in place of what it cannot decode.
func checkText(n *node, s string) error {
	if strings.ContainsRune(s, utf8.RuneError) {
		return n.fail("contains U+FFFD or a half surrogate")
	}
	return nil
}

// stringList returns the strings of a node that is a string or a list of strings,
// with their nodes for messages. An empty list is an error.
func (n *node) stringList() ([]node, error) {
	if n.kind != stringNode && n.kind != listNode {
		return nil, n.fail("must be a string or a list of strings, not %s", n.kind)
	}
	list := n.elements()
	if len(list) == 0 {
		return nil, n.fail("must not be empty")
	}
	for i := range list {
		if list[i].kind != stringNode {
			return nil, list[i].fail("must be a string, not %s", list[i].kind)
		}
		if list[i].text == "" {
			return nil, list[i].fail("must not be empty")
		}
	}
	return list, nil
}
