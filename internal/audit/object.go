package audit

import "tacet"

// An object writes a JSON object member by member. Exports are compared byte by byte
// when they are verified, so the order of members and every escape is ours and not
// left to a library that may change.
type object struct {
	buf   []byte
	first bool // the next member is the first of its object
}

func newObject(dst []byte) *object { return &object{append(dst, '{'), true} }

// close ends the outermost object and returns everything written.
func (o *object) close() []byte { return append(o.buf, '}') }

func (o *object) name(name string) {
	if !o.first {
		o.buf = append(o.buf, ',')
	}
	o.first = false
	o.buf = append(tacet.AppendJSONValue(o.buf, name), ':')
}

// begin opens an object within this one, and end ends it.
func (o *object) begin(name string) {
	o.name(name)
	o.buf = append(o.buf, '{')
	o.first = true
}

func (o *object) end() {
	o.buf = append(o.buf, '}')
	o.first = false
}

func (o *object) value(name string, v any) {
	o.name(name)
	o.buf = tacet.AppendJSONValue(o.buf, v)
}

func (o *object) text(name, text string) { o.value(name, text) }

// optional leaves out a member without a value.
func (o *object) optional(name, text string) {
	if text != "" {
		o.value(name, text)
	}
}

// raw writes a member whose value is JSON already.
func (o *object) raw(name string, text []byte) {
	o.name(name)
	o.buf = append(o.buf, text...)
}
