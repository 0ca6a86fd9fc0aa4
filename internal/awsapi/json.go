package awsapi

import "tacet/internal/wire"

// A decoder reads the JSON of a request.
type decoder struct{ wire.Decoder }

// The members of a request.
type (
	text    = wire.Text
	integer = wire.Integer
	boolean = wire.Boolean
)

// trouble words what was wrong with a body as AWS's serialisation layer does.
func (d *decoder) trouble() string {
	m, ok := d.Mismatch()
	if !ok {
		return d.Problem()
	}
	article := "a "
	if m.Want == "Integer" {
		article = "an "
	}
	token := ""
	switch m.Got {
	case '{':
		return "Start of structure or map found where not expected."
	case '[':
		return "Start of list found where not expected."
	case '"':
		token = "STRING_VALUE"
	case 't':
		token = "TRUE_VALUE"
	case 'f':
		token = "FALSE_VALUE"
	default:
		token = "NUMBER_VALUE"
	}
	return token + " can not be converted to " + article + m.Want
}
