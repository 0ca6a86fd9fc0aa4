package wire

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"tacet"
)

// Limits of a request's JSON beside its size in bytes. The deepest request of either
// cloud nests four levels and the longest has a hundred members; the limits leave room
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
	badType      = "A member of the request body has the wrong type."
)

// A Text is a string member of a request; Set is false when it was absent or null.
type Text struct {
	S   string
	Set bool
}

// Pointer returns nil for an absent string.
func (t Text) Pointer() *string {
	if !t.Set {
		return nil
	}
	return &t.S
}

// An Integer is a whole-number member of a request.
type Integer struct {
	N   int64
	Set bool
}

// A Boolean is a boolean member of a request.
type Boolean struct{ On, Set bool }

// Pointer returns nil for an absent flag.
func (b Boolean) Pointer() *bool {
	if !b.Set {
		return nil
	}
	return &b.On
}

// A Mismatch says that a value was of another kind than wanted. Got is the value's first
// byte: '{', '[', '"', 't', 'f', '0' for any number. Want is the kind as the reader called it.
type Mismatch struct {
	Got  byte
	Want string
}

// A Decoder reads one JSON object (RFC 8259) from a body, strictly and in one pass.
//
// It exists because encoding/json costs more than the rest of a request together,
// takes the last of two equal names where another reader takes the first, and changes
// invalid UTF-8 without saying so: none of that will do for a secret. The first
// problem sticks; after it every method returns nothing and moves nowhere.
type Decoder struct {
	buf     []byte
	pos     int
	depth   int
	tokens  int
	names   [][]byte // of the objects that are open, the innermost last
	problem string
	wrong   Mismatch
}

// Reset makes d ready to read body.
func (d *Decoder) Reset(body []byte) {
	clear(d.names[:cap(d.names)]) // they point into the last body
	*d = Decoder{buf: body, names: d.names[:0]}
}

// Failed reports whether a problem was met.
func (d *Decoder) Failed() bool { return d.problem != "" }

// Problem is what was wrong, in a sentence for the caller; "" for nothing. It never quotes
// the body.
func (d *Decoder) Problem() string { return d.problem }

// Mismatch tells more of the problem if it was a value of the wrong kind.
func (d *Decoder) Mismatch() (Mismatch, bool) { return d.wrong, d.wrong.Got != 0 }

func (d *Decoder) fail(problem string) {
	if d.problem == "" {
		d.problem = problem
	}
}

// Document reads the whole body as one object and calls member for each of its
// members; member must read or skip the value. An empty body is an empty object.
func (d *Decoder) Document(member func(name []byte)) {
	if len(d.buf) == 0 {
		return
	}
	object := d.peek() == '{'
	if object {
		d.members(member)
	} else {
		d.Skip()
	}
	if d.peek(); d.pos < len(d.buf) {
		d.fail(badSyntax)
	}
	if !object {
		d.fail(badObject)
	}
}

// Structure reads a nested object as Document does. It reports false for null.
func (d *Decoder) Structure(member func(name []byte)) bool {
	switch d.peek() {
	case '{':
		d.members(member)
		return !d.Failed()
	case 'n':
		d.literal("null")
	default:
		d.mismatch("Structure")
	}
	return false
}

// List reads an array and calls item for each element; item must read or skip it. It
// reports false for null.
func (d *Decoder) List(item func()) bool {
	switch d.peek() {
	case '[':
		d.items(item)
		return !d.Failed()
	case 'n':
		d.literal("null")
	default:
		d.mismatch("List")
	}
	return false
}

// Text reads a string.
func (d *Decoder) Text() Text {
	raw, escaped, ok := d.scalar("String")
	if !ok {
		return Text{}
	}
	if !escaped {
		return Text{string(raw), true}
	}
	return Text{string(unescape(raw)), true}
}

// Secret reads a string that is a value. The bytes are copied out of the body at once
// and wrapped, so that nothing else of the request can be printed with them.
func (d *Decoder) Secret() tacet.Plaintext {
	b := d.Bytes()
	if b == nil {
		return tacet.Plaintext{}
	}
	return tacet.NewPlaintext(b)
}

// Bytes reads a string into bytes of its own, nil for null.
func (d *Decoder) Bytes() []byte {
	raw, escaped, ok := d.scalar("String")
	switch {
	case !ok:
		return nil
	case escaped:
		return unescape(raw)
	}
	// Not bytes.Clone, which may return nil for an empty string.
	return append(make([]byte, 0, len(raw)), raw...)
}

// strictBase64 refuses bits behind the end of what is encoded, so that a value has one
// spelling.
var strictBase64 = base64.StdEncoding.Strict()

// SecretBinary reads a value in base64 with padding (RFC 4648 section 4), which has
// nothing else in it; the library would skip line breaks.
func (d *Decoder) SecretBinary() tacet.Plaintext {
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

// Integer reads a number without a fraction or an exponent that fits 64 bits.
func (d *Decoder) Integer(kind string) Integer {
	c := d.peek()
	if c == 'n' {
		d.literal("null")
		return Integer{}
	}
	if c != '-' && (c < '0' || c > '9') {
		d.mismatch(kind)
		return Integer{}
	}
	raw := d.number()
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		d.wrongKind('0', kind)
		return Integer{}
	}
	return Integer{n, true}
}

// Flag reads true or false.
func (d *Decoder) Flag() Boolean {
	switch d.peek() {
	case 't':
		return Boolean{true, d.literal("true")}
	case 'f':
		return Boolean{false, d.literal("false")}
	case 'n':
		d.literal("null")
	default:
		d.mismatch("Boolean")
	}
	return Boolean{}
}

// Skip reads any value and forgets it.
func (d *Decoder) Skip() {
	switch c := d.peek(); c {
	case '{':
		d.members(func([]byte) { d.Skip() })
	case '[':
		d.items(d.Skip)
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
func (d *Decoder) scalar(kind string) (raw []byte, escaped, ok bool) {
	switch d.peek() {
	case '"':
		raw, escaped = d.quoted()
		if escaped {
			d.checkEscapes(raw)
		}
		return raw, escaped, !d.Failed()
	case 'n':
		d.literal("null")
	default:
		d.mismatch(kind)
	}
	return nil, false, false
}

// mismatch records that the value here is of another kind than wanted. A value that is
// not JSON at all is told as that.
func (d *Decoder) mismatch(want string) {
	c := d.peek()
	switch {
	case c == '{', c == '[', c == '"':
	case c == 't' && d.literal("true"), c == 'f' && d.literal("false"):
	case c == '-' || c >= '0' && c <= '9':
		d.number()
		c = '0'
	default:
		d.fail(badSyntax)
	}
	d.wrongKind(c, want)
}

func (d *Decoder) wrongKind(got byte, want string) {
	if d.problem == "" {
		d.problem, d.wrong = badType, Mismatch{got, want}
	}
}

// peek skips white space and returns the next byte, 0 at the end or after a problem.
func (d *Decoder) peek() byte {
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
func (d *Decoder) count() bool {
	d.tokens++
	if d.tokens > maxTokens {
		d.fail(badTokens)
		return false
	}
	return true
}

// enter goes into an object or an array.
func (d *Decoder) enter() bool {
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
func (d *Decoder) more(first bool, end byte) bool {
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

func (d *Decoder) members(member func(name []byte)) {
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
		if member(name); d.Failed() {
			return
		}
	}
	d.names = d.names[:base]
}

// name reads a member's name and refuses one that its object had before.
func (d *Decoder) name(base int) []byte {
	name, escaped := d.quoted()
	if escaped {
		if d.checkEscapes(name); d.Failed() {
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

func (d *Decoder) items(item func()) {
	if !d.enter() {
		return
	}
	for first := true; d.more(first, ']'); first = false {
		if item(); d.Failed() {
			return
		}
	}
}

// literal reads true, false or null.
func (d *Decoder) literal(word string) bool {
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
func (d *Decoder) number() []byte {
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

func (d *Decoder) at() byte {
	if d.pos < len(d.buf) {
		return d.buf[d.pos]
	}
	return 0
}

func (d *Decoder) digits() int {
	start := d.pos
	for c := d.at(); c >= '0' && c <= '9'; c = d.at() {
		d.pos++
	}
	return d.pos - start
}

// quoted reads a string and returns what is between the quotes, as it is written.
func (d *Decoder) quoted() (raw []byte, escaped bool) {
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
