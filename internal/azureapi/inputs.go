package azureapi

import (
	"encoding/base64"
	"strings"
	"time"

	"tacet"
	"tacet/internal/vault"
	"tacet/internal/wire"
)

// The inputs of the operations, one function per shape. Members that are not known are
// passed over, as Azure does.

func readRef(x *exchange) (tacet.SecretRef, error) { return tacet.ShownRef(x.target.name), nil }

func readGet(x *exchange) (vault.GetSecretInput, error) {
	if t := x.query.outType; t != "" && !strings.EqualFold(t, "application/x-pem-file") && x.query.since("2025-07-01") {
		return vault.GetSecretInput{}, badParameter("The query parameter outContentType must be application/x-pem-file.")
	}
	return vault.GetSecretInput{Secret: tacet.ShownRef(x.target.name), Version: x.target.version}, nil
}

func readList(x *exchange) (vault.ShownListInput, error) {
	return vault.ShownListInput{MaxResults: x.query.maxResults, NextToken: x.query.skipToken}, nil
}

func readVersions(x *exchange) (vault.ListShownVersionsInput, error) {
	page, err := readList(x)
	return vault.ListShownVersionsInput{Secret: tacet.ShownRef(x.target.name), ShownListInput: page}, err
}

// A secretBody is the body of a set or an update.
type secretBody struct {
	value       []byte // nil: not given
	contentType wire.Text
	tags        []tacet.Tag // nil: not given
	attributes  vault.AttributesInput
}

// read reads the members of the body in any order.
func (b *secretBody) read(x *exchange) error {
	d := &x.in
	d.Reset(x.body.Bytes)
	var enabled wire.Boolean
	var notBefore, expires wire.Integer
	d.Document(func(name []byte) {
		switch string(name) {
		case "value":
			b.value = d.Bytes()
		case "contentType":
			b.contentType = d.Text()
		case "tags":
			b.tags = readTags(d)
		case "attributes":
			d.Structure(func(name []byte) {
				switch string(name) {
				case "enabled":
					enabled = d.Flag()
				case "nbf":
					notBefore = d.Integer("Integer")
				case "exp":
					expires = d.Integer("Integer")
				default:
					d.Skip()
				}
			})
		default:
			d.Skip()
		}
	})
	if d.Failed() {
		return badParameter(d.Problem())
	}
	var err error
	b.attributes.Enabled = enabled.Pointer()
	if b.attributes.NotBefore, err = timeOf(notBefore); err == nil {
		b.attributes.Expires, err = timeOf(expires)
	}
	return err
}

// readTags reads a map of strings, nil for null.
func readTags(d *wire.Decoder) []tacet.Tag {
	tags := []tacet.Tag{}
	given := d.Structure(func(name []byte) {
		tag := tacet.Tag{Key: string(name)}
		tag.Value = d.Text().S
		tags = append(tags, tag)
	})
	if !given {
		return nil
	}
	return tags
}

// latest is the last second that a time may name: the end of the year 9999.
const latest = 253402300799

// timeOf reads seconds since 1970, nil where none were given.
func timeOf(n wire.Integer) (*time.Time, error) {
	if !n.Set {
		return nil, nil
	}
	if n.N < 0 || n.N > latest {
		return nil, errBadProperty
	}
	t := time.Unix(n.N, 0).UTC()
	return &t, nil
}

func readSet(x *exchange) (vault.SetSecretInput, error) {
	var b secretBody
	if err := b.read(x); err != nil {
		return vault.SetSecretInput{}, err
	}
	if b.value == nil {
		return vault.SetSecretInput{}, errNoValue
	}
	return vault.SetSecretInput{Secret: tacet.ShownRef(x.target.name), Value: vault.TextValue(b.value, b.contentType.S),
		ContentType: b.contentType.S, Tags: b.tags, Attributes: b.attributes}, nil
}

func readUpdate(x *exchange) (vault.UpdateAttributesInput, error) {
	var b secretBody
	if err := b.read(x); err != nil {
		return vault.UpdateAttributesInput{}, err
	}
	clear(b.value) // an update changes no value
	return vault.UpdateAttributesInput{Secret: tacet.ShownRef(x.target.name), Version: x.target.version,
		ContentType: b.contentType.Pointer(), Tags: b.tags, Attributes: b.attributes}, nil
}

// readBackup reads what a backup answered, in base64url with or without padding.
func readBackup(x *exchange) ([]byte, error) {
	d := &x.in
	d.Reset(x.body.Bytes)
	var value wire.Text
	d.Document(func(name []byte) {
		if string(name) == "value" {
			value = d.Text()
		} else {
			d.Skip()
		}
	})
	if d.Failed() {
		return nil, badParameter(d.Problem())
	}
	if value.S == "" {
		return nil, errNoValue
	}
	encoding := base64.RawURLEncoding
	if value.S[len(value.S)-1] == '=' {
		encoding = base64.URLEncoding
	}
	blob, err := encoding.Strict().DecodeString(value.S)
	if err != nil {
		return nil, &tacet.Error{Code: tacet.BackupInvalid, Cause: err}
	}
	return blob, nil
}
