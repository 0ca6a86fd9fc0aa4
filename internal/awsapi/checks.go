package awsapi

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tacet"
)

// Texts of the checks that are no list of constraints.
const (
	invalidName = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"

	regionPattern        = `^([a-z]+-)+\d+$`
	filterValuePattern   = `^\!?[a-zA-Z0-9 :_@\/\+\=\.\-\!]*$`
	rotationTokenPattern = `^[a-zA-Z0-9\-]+$`
	schedulePattern      = `[0-9A-Za-z\(\)#\?\*\-\/, ]+`
	durationPattern      = `[0-9]+h`
)

// maxEcho bounds how much of a refused value one message repeats, in bytes. It is more than
// the longest member that is repeated may have, a policy's 20,480 characters, so that a
// value just over its limit is repeated whole, as AWS does.
const maxEcho = 24 << 10

// checks collects what a request breaks of the service's model (lengths, ranges,
// patterns, enumerations, required members), to be answered as one
// ValidationException in AWS's words.
//
// Lengths count characters, as the model does, but for values, whose quota is in bytes.
type checks struct {
	failed    []violation
	badName   bool   // a name or secret id with a forbidden character
	parameter string // the text of an InvalidParameterException
	// unreadable says that a member of a form cannot be read: "abc" for a number.
	unreadable bool
	// iam words the messages as IAM does: texts are not repeated, and the members come
	// in the order of their names.
	iam bool
	// malformedText is IAM's text for the first member with a character it must not have,
	// which it tells when every constraint is kept.
	malformedText string

	// Where the members under check are: "tags" and 1 for tags.1.member., "rotationRules"
	// and 0 for rotationRules.
	outer string
	index int
}

// failure returns the exception to answer, nil when every check passed.
func (c *checks) failure() error {
	switch {
	case c.unreadable:
		return &failure{400, "MalformedInput", "Start of structure or map found where not expected.", false}
	case len(c.failed) > 0:
		return validationException(c.told())
	case c.malformedText != "":
		return validationException(c.malformedText)
	case c.badName:
		return validationException(invalidName)
	case c.parameter != "":
		return &failure{400, "InvalidParameterException", c.parameter, true}
	}
	return nil
}

// A violation is a broken constraint: of which member, and the message about it.
type violation struct{ at, text string }

// told is the message about all broken constraints.
func (c *checks) told() string {
	if c.iam {
		slices.SortStableFunc(c.failed, func(a, b violation) int { return strings.Compare(strings.ToLower(a.at), strings.ToLower(b.at)) })
	}
	var b strings.Builder
	b.WriteString(strconv.Itoa(len(c.failed)) + " validation error")
	if len(c.failed) > 1 {
		b.WriteString("s")
	}
	b.WriteString(" detected: ")
	for i, v := range c.failed {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(v.text)
	}
	return b.String()
}

// in says that the next members belong to the structure outer, or to the element
// index (from 1) of the list outer; in("", 0) goes back to the request itself.
func (c *checks) in(outer string, index int) { c.outer, c.index = outer, index }

// malformed records that a member of a form has no value of its type.
func (c *checks) malformed() { c.unreadable = true }

// fail records a broken constraint. A value of "" prints the form without one, and so does
// IAM's.
func (c *checks) fail(value, at, rule string) {
	if c.iam {
		value = ""
	}
	c.tell(value, at, rule)
}

// tell is fail for what IAM repeats too, numbers and words of a set.
func (c *checks) tell(value, at, rule string) {
	if c.outer != "" {
		if c.index > 0 {
			at = strconv.Itoa(c.index) + ".member." + at
		}
		at = c.outer + "." + at
	}
	if value != "" {
		value += " "
	}
	c.failed = append(c.failed, violation{at, "Value " + value + "at '" + at + "' failed to satisfy constraint: " + rule})
}

// quoteValue prints a member's value as the messages do.
func quoteValue(s string) string {
	if len(s) > maxEcho {
		s = strings.ToValidUTF8(s[:maxEcho], "")
	}
	return "'" + s + "'"
}

const notNull = "Member must not be null"

func atLeast(n int) string {
	return "Member must have length greater than or equal to " + strconv.Itoa(n)
}

func atMost(n int) string {
	return "Member must have length less than or equal to " + strconv.Itoa(n)
}

func matching(pattern string) string {
	return "Member must satisfy regular expression pattern: " + pattern
}

// required refuses an absent member.
func (c *checks) required(at string, set bool) {
	if !set {
		c.fail("null", at, notNull)
	}
}

// length checks a string's length in characters and returns the string. A low of 0
// and a high of 0 are no bounds.
func (c *checks) length(at string, t text, low, high int) string {
	if rule := lengthRule(t, low, high); rule != "" {
		c.fail(quoteValue(t.S), at, rule)
	}
	return t.S
}

func lengthRule(t text, low, high int) string {
	// Bytes are never fewer than characters, so that most strings are not counted.
	switch {
	case !t.Set || len(t.S) >= 4*low && len(t.S) <= high:
		return ""
	case high > 0 && len(t.S) > high && utf8.RuneCountInString(t.S) > high:
		return atMost(high)
	case low > 0 && utf8.RuneCountInString(t.S) < low:
		return atLeast(low)
	}
	return ""
}

// pattern checks a string with match, which does what the pattern shown says.
func (c *checks) pattern(at string, t text, pattern string, match func(string) bool) {
	if t.Set && !match(t.S) {
		c.fail(quoteValue(t.S), at, matching(pattern))
	}
}

// enum checks that a string is one of set.
func (c *checks) enum(at string, t text, set ...string) string {
	if !t.Set {
		return ""
	}
	for _, s := range set {
		if s == t.S {
			return s
		}
	}
	c.tell(quoteValue(t.S), at, "Member must satisfy enum value set: ["+strings.Join(set, ", ")+"]")
	return ""
}

// bounds checks a number and returns it.
func (c *checks) bounds(at string, n integer, low, high int64) int64 {
	value := func() string { return "'" + strconv.FormatInt(n.N, 10) + "'" }
	switch {
	case !n.Set:
	case n.N < low:
		c.tell(value(), at, "Member must have value greater than or equal to "+strconv.FormatInt(low, 10))
	case n.N > high:
		c.tell(value(), at, "Member must have value less than or equal to "+strconv.FormatInt(high, 10))
	}
	return n.N
}

// value checks a secret value's length in bytes; the message never repeats the value.
func (c *checks) value(at string, p tacet.Plaintext) tacet.Plaintext {
	switch {
	case p.IsZero():
	case p.Len() > tacet.MaxValue:
		c.fail("", at, atMost(tacet.MaxValue))
	case p.Len() == 0:
		c.fail("", at, atLeast(1))
	}
	return p
}

// size checks the number of a list's elements. The list is not repeated: its
// elements have no form in a message.
func (c *checks) size(at string, n, low, high int) {
	switch {
	case n < low:
		c.fail("'[]'", at, atLeast(low))
	case high > 0 && n > high:
		c.fail("", at, atMost(high))
	}
}

// strings checks a list of strings and its elements and returns them, nil for an
// absent list. As in AWS's messages a bad element is told of the list as a whole.
func (c *checks) strings(at string, l []text, size, length [2]int, pattern string, match func(string) bool) []string {
	if l == nil {
		return nil
	}
	if len(l) < size[0] {
		c.fail(quoteList(l), at, atLeast(size[0]))
	}
	if size[1] > 0 && len(l) > size[1] {
		c.fail(quoteList(l), at, atMost(size[1]))
	}
	out := make([]string, len(l))
	good := true
	for i, t := range l {
		out[i] = t.S
		good = good && t.Set && lengthRule(t, length[0], length[1]) == "" && (match == nil || match(t.S))
	}
	if good {
		return out
	}
	var rules []string
	if length[1] > 0 {
		rules = append(rules, atMost(length[1]))
	}
	if length[0] > 0 {
		rules = append(rules, atLeast(length[0]))
	}
	if match != nil {
		rules = append(rules, matching(pattern))
	}
	if !c.iam || match != nil { // IAM's lists of tag keys alone say so
		rules = append(rules, notNull)
	}
	c.fail(quoteList(l), at, "Member must satisfy constraint: ["+strings.Join(rules, ", ")+"]")
	return out
}

func quoteList(l []text) string {
	var b strings.Builder
	for i, t := range l {
		if b.Len() > maxEcho {
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		if t.Set {
			b.WriteString(t.S)
		} else {
			b.WriteString("null")
		}
	}
	s := quoteValue(b.String())
	return "'[" + s[1:len(s)-1] + "]'"
}

// token checks the id of a version.
func (c *checks) token(at string, t text) tacet.VersionID {
	return tacet.VersionID(c.length(at, t, 32, 64))
}

// stage checks a staging label.
func (c *checks) stage(at string, t text) tacet.Stage { return tacet.Stage(c.length(at, t, 1, 256)) }

// newName checks the name of a secret to be created.
func (c *checks) newName(t text) string {
	c.required("name", t.Set)
	c.length("name", t, 1, tacet.MaxSecretName)
	if t.Set && !tacet.ValidSecretName(t.S, false) {
		c.badName = true
	}
	return t.S
}

// secretID checks a required SecretId and reads it.
func (c *checks) secretID(t text) tacet.SecretRef {
	c.required("secretId", t.Set)
	return c.optionalSecretID(t)
}

// maxSecretID is the longest SecretId, in characters.
const maxSecretID = 2048

// optionalSecretID is secretID for the operation that may go without.
func (c *checks) optionalSecretID(t text) tacet.SecretRef {
	if !t.Set {
		return tacet.SecretRef{}
	}
	c.length("secretId", t, 1, maxSecretID)
	ref, ok := tacet.ParseSecretID(t.S)
	if !ok {
		c.badName = true
	}
	return ref
}

// matchRegion is regionPattern.
func matchRegion(s string) bool {
	words := strings.Split(s, "-")
	last := words[len(words)-1]
	if len(words) < 2 || last == "" || strings.Trim(last, "0123456789") != "" {
		return false
	}
	for _, w := range words[:len(words)-1] {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
			return false
		}
	}
	return true
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// matchFilterValue is filterValuePattern.
func matchFilterValue(s string) bool { return strings.Trim(s, alphanumeric+" :_@/+=.-!") == "" }

// matchRotationToken is rotationTokenPattern.
func matchRotationToken(s string) bool { return s != "" && strings.Trim(s, alphanumeric+"-") == "" }

// matchSchedule is schedulePattern.
func matchSchedule(s string) bool { return s != "" && strings.Trim(s, alphanumeric+"()#?*-/, ") == "" }

// matchDuration is durationPattern.
func matchDuration(s string) bool {
	hours, ok := strings.CutSuffix(s, "h")
	return ok && hours != "" && strings.Trim(hours, "0123456789") == ""
}

// rotationToken checks a RotationToken; the messages never repeat it.
func (c *checks) rotationToken(t text) string {
	const at = "rotationToken"
	if rule := lengthRule(t, 36, 256); rule != "" {
		c.fail("", at, rule)
	}
	if t.Set && !matchRotationToken(t.S) {
		c.fail("", at, matching(rotationTokenPattern))
	}
	return t.S
}
