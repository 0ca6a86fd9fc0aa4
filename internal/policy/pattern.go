package policy

import (
	"strings"
	"unicode/utf8"
)

// In a compiled pattern the wildcards are two bytes that occur in no UTF-8 text, so
// that no literal, and no value of a variable, can be taken for one.
const (
	anyRun = 0xff // "*": any run of characters, also none
	anyOne = 0xfe // "?": one character
)

// patternKind is how a pattern is compared.
type patternKind uint8

const (
	matchAll      patternKind = iota // "*"
	matchExact                       // no wildcard
	matchPrefix                      // one "*", at the end
	matchRuns                        // "*" in other places, and no "?"
	matchGlob                        // anything else
	matchTemplate                    // has variables: made into one of the others for each request
)

// pattern is a compiled text with wildcards and variables.
type pattern struct {
	kind  patternKind
	head  string   // of a matchRuns or matchGlob: what precedes the first wildcard
	text  string   // encoded; without the "*" for matchPrefix, without head for matchRuns and matchGlob
	need  string   // of a matchGlob: the longest run without wildcards in text
	runs  []string // of a matchRuns: what stands between one "*" and the next
	tail  string   // of a matchRuns: what follows the last "*"
	parts []part   // of a matchTemplate
}

// part is a piece of a template: a text, or a variable when key is not empty.
type part struct {
	text       string // encoded
	key        string // as Context takes it
	fallback   string // the default, a literal
	hasDefault bool
}

// encode turns the wildcards of a text into their bytes. Runs of "*" are one.
func encode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch s[i] {
		case '*':
			if i == 0 || s[i-1] != '*' {
				b.WriteByte(anyRun)
			}
		case '?':
			b.WriteByte(anyOne)
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func isWild(r byte) bool { return r == anyRun || r == anyOne }

// simplePattern classifies an encoded text without variables.
func simplePattern(encoded string) pattern {
	for i := range len(encoded) {
		if !isWild(encoded[i]) {
			continue
		}
		switch {
		case encoded[i] == anyRun && i == len(encoded)-1 && i == 0:
			return pattern{kind: matchAll}
		case encoded[i] == anyRun && i == len(encoded)-1:
			return pattern{kind: matchPrefix, text: encoded[:i]}
		}
		if rest := encoded[i:]; strings.IndexByte(rest, anyOne) < 0 {
			runs := strings.Split(rest[1:], string([]byte{anyRun}))
			last := len(runs) - 1
			return pattern{kind: matchRuns, head: encoded[:i], text: rest, runs: runs[:last], tail: runs[last]}
		}
		return pattern{kind: matchGlob, head: encoded[:i], text: encoded[i:], need: longestLiteral(encoded[i:])}
	}
	return pattern{kind: matchExact, text: encoded}
}

// longestLiteral returns the longest run without wildcards. Looking for it first is much
// quicker than matching, and most patterns that do not match lack it.
func longestLiteral(encoded string) (longest string) {
	start := 0
	for i := range len(encoded) + 1 {
		if i == len(encoded) || isWild(encoded[i]) {
			if i-start > len(longest) {
				longest = encoded[start:i]
			}
			start = i + 1
		}
	}
	return longest
}

// compilePattern compiles a text with wildcards and, if the version has them, variables.
// n is where the text stands, for errors.
func compilePattern(n *node, text string, variables bool) (pattern, error) {
	return compileText(n, text, variables, encode)
}

// compileExact is [compilePattern] without wildcards.
func compileExact(n *node, text string, variables bool) (pattern, error) {
	return compileText(n, text, variables, func(s string) string { return s })
}

func compileText(n *node, text string, variables bool, encode func(string) string) (pattern, error) {
	if !variables || !strings.Contains(text, "${") {
		return simplePattern(encode(text)), nil
	}
	var parts []part
	dynamic := false
	for text != "" {
		i := strings.Index(text, "${")
		if i < 0 {
			i = len(text)
		}
		if i > 0 {
			parts = append(parts, part{text: encode(text[:i])})
			text = text[i:]
			continue
		}
		p, size, problem := readVariable(text)
		if problem != "" {
			return pattern{}, n.fail("variable %q: %s", clip(text[:size]), problem)
		}
		dynamic = dynamic || p.key != ""
		parts = append(parts, p)
		text = text[size:]
	}
	if dynamic {
		return pattern{kind: matchTemplate, parts: parts}, nil
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text)
	}
	return simplePattern(b.String()), nil
}

// readVariable reads the variable that s begins with: ${key}, ${key, 'default'}, or
// one of ${*}, ${?} and ${$}, which are the characters themselves. It returns the
// size of its text.
func readVariable(s string) (p part, size int, problem string) {
	end := strings.IndexAny(s, ",}")
	if end < 0 {
		return part{}, len(s), "has no closing brace"
	}
	key := s[len("${"):end]
	if s[end] == '}' && (key == "*" || key == "?" || key == "$") {
		return part{text: key}, end + 1, ""
	}
	if problem := checkKey(key); problem != "" {
		return part{}, end + 1, problem
	}
	p.key = contextKey(key)
	if s[end] == '}' {
		return p, end + 1, ""
	}
	rest := strings.TrimLeft(s[end+1:], " ")
	if !strings.HasPrefix(rest, "'") {
		return part{}, len(s), "a default stands in single quotes"
	}
	value, after, ok := strings.Cut(rest[1:], "'")
	after = strings.TrimLeft(after, " ")
	if !ok || !strings.HasPrefix(after, "}") {
		return part{}, len(s), "has no closing quote and brace after its default"
	}
	p.fallback, p.hasDefault = value, true
	return p, len(s) - len(after) + 1, ""
}

// match reports whether s as a whole matches. In a pattern with variables it looks
// into ctx; without values for them it matches nothing.
func (p *pattern) match(s string, ctx Context) bool {
	switch p.kind {
	case matchAll:
		return true
	case matchExact:
		return s == p.text
	case matchPrefix:
		return strings.HasPrefix(s, p.text)
	case matchRuns:
		return strings.HasPrefix(s, p.head) && p.matchRuns(s[len(p.head):])
	case matchGlob:
		return strings.HasPrefix(s, p.head) && strings.Contains(s[len(p.head):], p.need) && glob(p.text, s[len(p.head):])
	}
	var space [512]byte
	buf, ok := p.resolve(space[:0], ctx)
	return ok && glob(buf, s)
}

// matchRuns matches what follows the head of a pattern without "?". Each run is taken where it
// first occurs, which leaves the most to those after it. A run is whole characters, so it
// occurs in no other's middle.
func (p *pattern) matchRuns(s string) bool {
	for _, run := range p.runs {
		i := strings.Index(s, run)
		if i < 0 {
			return false
		}
		s = s[i+len(run):]
	}
	return strings.HasSuffix(s, p.tail)
}

// resolve appends a template with the values of its variables to buf. It reports
// false when a variable has no value, more than one, or one that is not text.
func (p *pattern) resolve(buf []byte, ctx Context) ([]byte, bool) {
	for i := range p.parts {
		part := &p.parts[i]
		if part.key == "" {
			buf = append(buf, part.text...)
			continue
		}
		switch values := lookup(ctx, part.key); {
		case len(values) == 1 && utf8.ValidString(values[0]):
			buf = append(buf, values[0]...)
		case len(values) == 0 && part.hasDefault:
			buf = append(buf, part.fallback...)
		default:
			return buf, false
		}
	}
	return buf, true
}

// resolvable reports whether every variable of the pattern has a value.
func (p *pattern) resolvable(ctx Context) bool {
	var space [512]byte
	_, ok := p.resolve(space[:0], ctx)
	return ok
}

// equalFold compares without regard to case. The pattern has no wildcards.
func (p *pattern) equalFold(s string, ctx Context) bool {
	if p.kind != matchTemplate {
		return strings.EqualFold(p.text, s)
	}
	buf, ok := p.resolve(nil, ctx)
	return ok && strings.EqualFold(string(buf), s)
}

// actionPattern is a pattern for names of actions, which have no case.
type actionPattern struct {
	written pattern // as the author wrote it: nearly always the very name, and quick to compare
	folded  pattern // in lower case
}

// compileAction compiles an ASCII text without variables.
func compileAction(text string) actionPattern {
	return actionPattern{simplePattern(encode(text)), simplePattern(encode(strings.ToLower(text)))}
}

func (a *actionPattern) match(s string) bool {
	if a.written.match(s, nil) {
		return true
	}
	p := &a.folded
	switch p.kind {
	case matchExact:
		return len(s) == len(p.text) && hasPrefixFold(s, p.text)
	case matchPrefix:
		return hasPrefixFold(s, p.text)
	}
	return hasPrefixFold(s, p.head) && globFold(p.text, s[len(p.head):])
}

func hasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if lower(s[i]) != prefix[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// glob matches s with an encoded pattern.
func glob[P string | []byte](p P, s string) bool { return globBy(p, s, false) }

// globFold is glob for a pattern in lower case and any case of s.
func globFold(p, s string) bool { return globBy(p, s, true) }

// globBy matches with the last "*" seen as the only place to go back to: what an
// earlier one could try again, a later one has already covered. So the cost is
// at most len(p) times len(s), and there is no recursion.
func globBy[P string | []byte](p P, s string, fold bool) bool {
	i, j := 0, 0         // in p, in s
	star, again := -1, 0 // the last "*", and where in s its run ends for now
	for j < len(s) {
		if i < len(p) {
			switch c := p[i]; {
			case c == anyRun:
				star, again = i, j
				i++
				continue
			case c == anyOne:
				i, j = i+1, j+width(s, j)
				continue
			case c == s[j], fold && c == lower(s[j]):
				i, j = i+1, j+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		again += width(s, again)
		if i = star + 1; i < len(p) && !isWild(p[i]) && !fold {
			// Only where the next character is can the run end. It is the first
			// byte of a character in p, so this does not stop inside one in s.
			skip := strings.IndexByte(s[again:], p[i])
			if skip < 0 {
				return false
			}
			again += skip
		}
		j = again
	}
	for i < len(p) && p[i] == anyRun {
		i++
	}
	return i == len(p)
}

// width is the size of the character of s at i. A wildcard never stops inside one.
func width(s string, i int) int {
	if s[i] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s[i:])
	return n
}
