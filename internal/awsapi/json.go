package awsapi

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"tacet"
)

// Limits of a request's JSON beside its size in bytes. The deepest request of the
// API nests four levels and the longest has a hundred members; the limits leave room
// for members we do not know and none for a body made to be slow to read.
const (
	maxDepth   = 16
	maxTokens  = 8192
	maxMembers = 128 // of one object
)

// What can be wrong with a body. The texts never quote it: it may hold a value.
const (
	badSyntax    = "The request body is not valid JSON."
	badObject    = "The request body is not a JSON object."
	badUTF8      = "The request body is not valid UTF-8."
	badSurrogate = "The request body has an unpaired surrogate in a string."
	badDepth     = "The request body is nested too deeply."
	badTokens    = "The request body has too many elements."
	badDuplicate = "The request body has a member twice."
	badBase64    = "A binary value is not valid base64."
)

// A text is a string member of a request; set is false when it was absent or null.
type text struct {
	s   string
	set bool
}

// An integer is a whole-number member of a request.
type integer struct {
	n   int64
	set bool
}

// A boolean is a boolean member of a request.
type boolean struct{ on, set bool }

// A decoder reads one JSON object (RFC 8259) from a body, strictly and in one pass.
//
// It exists because encoding/json costs more than the rest of a request together,
// takes the last of two equal names where another reader takes the first, and changes
// invalid UTF-8 without saying so: none of that will do for a secret. The first
// problem sticks; after it every method returns nothing and moves nowhere.
type decoder struct {
	buf     []byte
	pos     int
	depth   int
	tokens  int
	names   [][]byte // of the objects that are open, the innermost last
	problem string
}

// reset makes d ready to read body.
func (d *decoder) reset(body []byte) {
	clear(d.names[:cap(d.names)]) // they point into the last body
	*d = decoder{buf: body, names: d.names[:0]}
}

// failed reports whether a problem was met.
func (d *decoder) failed() bool { return d.problem != "" }

func (d *decoder) fail(problem string) {
	if d.problem == "" {
		d.problem = problem
	}
}

// document reads the whole body as one object and calls member for each of its
// members; member must read or skip the value. An empty body is an empty object.
func (d *decoder) document(member func(name []byte)) {
	if len(d.buf) == 0 {
		return
	}
	object := d.peek() == '{'
	if object {
		d.members(member)
	} else {
		d.skip()
	}
	if d.peek(); d.pos < len(d.buf) {
		d.fail(badSyntax)
	}
	if !object {
		d.fail(badObject)
	}
}

// structure reads a nested object as document does. It reports false for null.
func (d *decoder) structure(member func(name []byte)) bool {
	switch d.peek() {
	case '{':
		d.members(member)
		return !d.failed()
	case 'n':
		d.literal("null")
	default:
		d.mismatch("Structure")
	}
	return false
}

// list reads an array and calls item for each element; item must read or skip it. It
// reports false for null.
func (d *decoder) list(item func()) bool {
	switch d.peek() {
	case '[':
		d.items(item)
		return !d.failed()
	case 'n':
		d.literal("null")
	default:
		d.mismatch("List")
	}
	return false
}

// text reads a string.
func (d *decoder) text() text {
	raw, escaped, ok := d.scalar("String")
	if !ok {
		return text{}
	}
	if !escaped {
		return text{string(raw), true}
	}
	return text{string(unescape(raw)), true}
}

// secret reads a string that is a value. The bytes are copied out of the body at once
// and wrapped, so that nothing else of the request can be printed with them.
func (d *decoder) secret() tacet.Plaintext {
	raw, escaped, ok := d.scalar("String")
	if !ok {
		return tacet.Plaintext{}
	}
	if escaped {
		return tacet.NewPlaintext(unescape(raw))
	}
	// Not bytes.Clone, which may return nil for an empty string.
	return tacet.NewPlaintext(append(make([]byte, 0, len(raw)), raw...))
}

// strictBase64 refuses bits behind the end of what is encoded, so that a value has one
// spelling.
var strictBase64 = base64.StdEncoding.Strict()

// secretBinary reads a value in base64 with padding (RFC 4648 section 4), which has
// nothing else in it; the library would skip line breaks.
func (d *decoder) secretBinary() tacet.Plaintext {
	raw, escaped, ok := d.scalar("Blob")
	if !ok {
		return tacet.Plaintext{}
	}
	if escaped { // as "\/", which some encoders write
		raw = unescape(raw)
		defer clear(raw)
	}
	out := make([]byte, strictBase64.DecodedLen(len(raw)))
	n, err := strictBase64.Decode(out, raw)
	if err != nil || bytes.ContainsAny(raw, "\r\n") {
		clear(out)
		d.fail(badBase64)
		return tacet.Plaintext{}
	}
	return tacet.NewPlaintext(out[:n])
}

// integer reads a number without a fraction or an exponent that fits 64 bits.
func (d *decoder) integer(kind string) integer {
	c := d.peek()
	if c == 'n' {
		d.literal("null")
		return integer{}
	}
	if c != '-' && (c < '0' || c > '9') {
		d.mismatch(kind)
		return integer{}
	}
	raw := d.number()
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		d.fail("NUMBER_VALUE can not be converted to " + article(kind))
		return integer{}
	}
	return integer{n, true}
}

// flag reads true or false.
func (d *decoder) flag() boolean {
	switch d.peek() {
	case 't':
		return boolean{true, d.literal("true")}
	case 'f':
		return boolean{false, d.literal("false")}
	case 'n':
		d.literal("null")
	default:
		d.mismatch("Boolean")
	}
	return boolean{}
}

// skip reads any value and forgets it.
func (d *decoder) skip() {
	switch c := d.peek(); c {
	case '{':
		d.members(func([]byte) { d.skip() })
	case '[':
		d.items(d.skip)
	case '"':
		if raw, escaped := d.quoted(); escaped {
			d.checkEscapes(raw)
		}
	case 't':
		d.literal("true")
	case 'f':
		d.literal("false")
	case 'n':
		d.literal("null")
	default:
		d.number()
	}
}

// scalar reads a string where one is wanted. escaped says that raw has escapes, which
// are then known to be good.
func (d *decoder) scalar(kind string) (raw []byte, escaped, ok bool) {
	switch d.peek() {
	case '"':
		raw, escaped = d.quoted()
		if escaped {
			d.checkEscapes(raw)
		}
		return raw, escaped, !d.failed()
	case 'n':
		d.literal("null")
	default:
		d.mismatch(kind)
	}
	return nil, false, false
}

// mismatch records that the value here is of another kind than wanted, in the words
// of AWS's serialisation layer.
func (d *decoder) mismatch(want string) {
	token := ""
	switch c := d.peek(); {
	case c == '{':
		d.fail("Start of structure or map found where not expected.")
		return
	case c == '[':
		d.fail("Start of list found where not expected.")
		return
	case c == '"':
		token = "STRING_VALUE"
	case c == 't' && d.literal("true"):
		token = "TRUE_VALUE"
	case c == 'f' && d.literal("false"):
		token = "FALSE_VALUE"
	case c == '-' || c >= '0' && c <= '9':
		if d.number(); !d.failed() {
			token = "NUMBER_VALUE"
		}
	}
	if token == "" {
		d.fail(badSyntax)
		return
	}
	d.fail(token + " can not be converted to " + article(want))
}

func article(kind string) string {
	if kind == "Integer" {
		return "an " + kind
	}
	return "a " + kind
}

// peek skips white space and returns the next byte, 0 at the end or after a problem.
func (d *decoder) peek() byte {
	if d.problem != "" {
		return 0
	}
	for d.pos < len(d.buf) {
		c := d.buf[d.pos]
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		d.pos++
	}
	return 0
}

// count takes a token off what is allowed.
func (d *decoder) count() bool {
	d.tokens++
	if d.tokens > maxTokens {
		d.fail(badTokens)
		return false
	}
	return true
}

// enter goes into an object or an array.
func (d *decoder) enter() bool {
	d.depth++
	if d.depth > maxDepth {
		d.fail(badDepth)
		return false
	}
	d.pos++ // the bracket
	return d.count()
}

// more moves to the next element of an object or an array that ends in end, and
// reports false behind the last one.
func (d *decoder) more(first bool, end byte) bool {
	switch c := d.peek(); {
	case c == end:
		d.pos++
		d.depth--
		return false
	case first:
		return true
	case c == ',':
		d.pos++
		return true
	}
	d.fail(badSyntax)
	return false
}

func (d *decoder) members(member func(name []byte)) {
	if !d.enter() {
		return
	}
	base := len(d.names)
	for first := true; d.more(first, '}'); first = false {
		if d.peek() != '"' {
			d.fail(badSyntax)
			return
		}
		name := d.name(base)
		if d.peek() != ':' {
			d.fail(badSyntax)
			return
		}
		d.pos++
		if member(name); d.failed() {
			return
		}
	}
	d.names = d.names[:base]
}

// name reads a member's name and refuses one that its object had before.
func (d *decoder) name(base int) []byte {
	name, escaped := d.quoted()
	if escaped {
		if d.checkEscapes(name); d.failed() {
			return nil
		}
		name = unescape(name)
	}
	if len(d.names)-base >= maxMembers {
		d.fail(badTokens)
		return nil
	}
	for _, seen := range d.names[base:] {
		if bytes.Equal(seen, name) {
			d.fail(badDuplicate)
			return nil
		}
	}
	d.names = append(d.names, name)
	return name
}

func (d *decoder) items(item func()) {
	if !d.enter() {
		return
	}
	for first := true; d.more(first, ']'); first = false {
		if item(); d.failed() {
			return
		}
	}
}

// literal reads true, false or null.
func (d *decoder) literal(word string) bool {
	if !d.count() {
		return false
	}
	if !bytes.HasPrefix(d.buf[d.pos:], []byte(word)) {
		d.fail(badSyntax)
		return false
	}
	d.pos += len(word)
	return true
}

// number reads a number and returns its text.
func (d *decoder) number() []byte {
	start := d.pos
	if !d.count() {
		return nil
	}
	if d.at() == '-' {
		d.pos++
	}
	if d.at() == '0' {
		d.pos++
	} else if d.digits() == 0 {
		d.fail(badSyntax)
		return nil
	}
	if d.at() == '.' {
		d.pos++
		if d.digits() == 0 {
			d.fail(badSyntax)
		}
	}
	if c := d.at(); c == 'e' || c == 'E' {
		d.pos++
		if c := d.at(); c == '+' || c == '-' {
			d.pos++
		}
		if d.digits() == 0 {
			d.fail(badSyntax)
		}
	}
	return d.buf[start:d.pos]
}

func (d *decoder) at() byte {
	if d.pos < len(d.buf) {
		return d.buf[d.pos]
	}
	return 0
}

func (d *decoder) digits() int {
	start := d.pos
	for c := d.at(); c >= '0' && c <= '9'; c = d.at() {
		d.pos++
	}
	return d.pos - start
}

// quoted reads a string and returns what is between the quotes, as it is written.
func (d *decoder) quoted() (raw []byte, escaped bool) {
	if !d.count() {
		return nil, false
	}
	d.pos++
	start := d.pos
	high := false
	for d.pos < len(d.buf) {
		switch c := d.buf[d.pos]; {
		case c == '"':
			raw = d.buf[start:d.pos]
			d.pos++
			if high && !utf8.Valid(raw) {
				d.fail(badUTF8)
			}
			return raw, escaped
		case c == '\\':
			escaped = true
			d.pos++ // what follows is no closing quote
		case c < ' ':
			d.fail(badSyntax)
			return nil, false
		case c >= utf8.RuneSelf:
			high = true
		}
		d.pos++
	}
	d.pos = len(d.buf)
	d.fail(badSyntax)
	return nil, false
}

// checkEscapes refuses a string whose escapes are not good.
func (d *decoder) checkEscapes(raw []byte) {
	for i := 0; i < len(raw) && !d.failed(); {
		if raw[i] != '\\' {
			i++
			continue
		}
		r, width := escape(raw[i:])
		if width == 0 {
			d.fail(badSyntax)
		} else if utf16.IsSurrogate(r) {
			d.fail(badSurrogate)
		}
		i += width
	}
}

// unescape returns a copy of raw, whose escapes are good, with the escapes replaced.
func unescape(raw []byte) []byte {
	// What an escape stands for is never longer than the escape, so this never grows
	// and leaves no half copy of a value behind.
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		r, width := escape(raw[i:])
		out = utf8.AppendRune(out, r)
		i += width
	}
	return out
}

// escape reads the escape that raw begins with and returns its character and its
// width, 0 for one that is no escape. A pair of surrogates is one escape; a surrogate
// without its other half is returned as it is.
func escape(raw []byte) (r rune, width int) {
	if len(raw) < 2 {
		return 0, 0
	}
	switch raw[1] {
	case '"', '\\', '/':
		return rune(raw[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r, ok := hex4(raw[2:])
		if !ok {
			return 0, 0
		}
		if utf16.IsSurrogate(r) && len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' {
			if low, ok := hex4(raw[8:]); ok {
				if whole := utf16.DecodeRune(r, low); whole != utf8.RuneError {
					return whole, 12
				}
			}
		}
		return r, 6
	}
	return 0, 0
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
