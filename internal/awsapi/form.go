package awsapi

import (
	"net/url"
	"strconv"
	"strings"
)

// A form is the input of a Query operation: members by name, those of a structure or a
// list under a prefix, "Tags.member.1.Key". What an operation does not ask for is
// ignored, as AWS does.
type form struct {
	values url.Values
	prefix string
}

// maxElements bounds the elements of a list that is looked for in a form.
const maxElements = 1000

// parseForm reads a form. A member that is given twice is refused: two readers could
// take different ones.
func parseForm(body []byte) (*form, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &failure{400, "ValidationError", "The request body is not a valid form.", false}
	}
	for name, v := range values {
		if len(v) > 1 {
			return nil, &failure{400, "ValidationError", "The parameter " + printable(name) + " is given more than once.", false}
		}
	}
	return &form{values: values}, nil
}

// text reads a string.
func (f *form) text(name string) text {
	v, ok := f.values[f.prefix+name]
	if !ok {
		return text{}
	}
	return text{S: v[0], Set: true}
}

// integer reads a whole number.
func (f *form) integer(c *checks, name string) integer {
	t := f.text(name)
	if !t.Set || t.S == "" {
		return integer{}
	}
	n, err := strconv.ParseInt(t.S, 10, 64)
	if err != nil {
		c.malformed()
	}
	return integer{N: n, Set: err == nil}
}

// boolean reads true or false.
func (f *form) boolean(c *checks, name string) boolean {
	t := f.text(name)
	switch {
	case !t.Set || t.S == "":
		return boolean{}
	case strings.EqualFold(t.S, "true"):
		return boolean{On: true, Set: true}
	case strings.EqualFold(t.S, "false"):
		return boolean{Set: true}
	}
	c.malformed()
	return boolean{}
}

// texts reads a list of strings, nil for an absent one. An empty list is written as a
// member without a number.
func (f *form) texts(name string) []text {
	if v, ok := f.values[f.prefix+name]; ok && v[0] == "" {
		return []text{}
	}
	var out []text
	for i := 1; i <= maxElements; i++ {
		t := f.text(name + ".member." + strconv.Itoa(i))
		if !t.Set {
			break
		}
		out = append(out, t)
	}
	return out
}

// structures reads a list of structures, nil for an absent one.
func (f *form) structures(name string) []form {
	var out []form
	for i := 1; i <= maxElements; i++ {
		prefix := f.prefix + name + ".member." + strconv.Itoa(i) + "."
		if !f.has(prefix) {
			break
		}
		out = append(out, form{f.values, prefix})
	}
	return out
}

func (f *form) has(prefix string) bool {
	for name := range f.values {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
