package awsapi

import (
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/sigv4"
	"tacet/internal/wire"
)

// An encoder appends one answer, JSON or XML. This is the one file of the face that
// reveals a value.
type encoder struct{ wire.Encoder }

// time writes a time as seconds since 1970 with up to three decimals, and leaves out
// the zero time.
func (e *encoder) time(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	e.Name(name)
	e.Room(24)
	ms := t.UnixMilli()
	e.Buf = strconv.AppendInt(e.Buf, ms/1000, 10)
	if ms %= 1000; ms > 0 {
		e.Buf = append(e.Buf, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
		for e.Buf[len(e.Buf)-1] == '0' {
			e.Buf = e.Buf[:len(e.Buf)-1]
		}
	}
}

// day writes a time as time does, at the beginning of its day.
func (e *encoder) day(name string, t time.Time) {
	if !t.IsZero() {
		e.time(name, t.UTC().Truncate(24*time.Hour))
	}
}

// stages writes a list of labels, left out when there are none.
func (e *encoder) stages(name string, stages []tacet.Stage) {
	if len(stages) == 0 {
		return
	}
	e.Name(name)
	e.Open("[")
	for _, s := range stages {
		e.Sep()
		wire.Quote(&e.Encoder, string(s))
	}
	e.Raw("]")
}

// stagesByVersion writes which labels each version has, the versions in the order of
// their labels; left out when there are none.
func (e *encoder) stagesByVersion(name string, s *tacet.Secret) {
	if len(s.Stages) == 0 {
		return
	}
	labels := make([]tacet.Stage, 0, len(s.Stages))
	for l := range s.Stages {
		labels = append(labels, l)
	}
	slices.Sort(labels)
	e.Name(name)
	e.Open("{")
	for i, l := range labels {
		id := s.Stages[l]
		if slices.ContainsFunc(labels[:i], func(l tacet.Stage) bool { return s.Stages[l] == id }) {
			continue // written with its first label
		}
		e.Sep()
		wire.Quote(&e.Encoder, string(id))
		e.Raw(":[")
		for _, l := range labels[i:] {
			if s.Stages[l] == id {
				e.Sep()
				wire.Quote(&e.Encoder, string(l))
			}
		}
		e.Raw("]")
	}
	e.Raw("}")
}

// tags writes a secret's tags: left out for a secret that was never tagged, an empty
// list for one whose last tag was removed.
func (e *encoder) tags(tags []tacet.Tag) {
	if tags == nil {
		return
	}
	e.Name("Tags")
	e.Open("[")
	for _, t := range tags {
		e.Open("{")
		e.Text("Key", t.Key)
		e.Text("Value", t.Value)
		e.Raw("}")
	}
	e.Raw("]")
}

// value writes the value of a version.
func (e *encoder) value(kind tacet.ValueKind, p tacet.Plaintext) {
	if kind != tacet.ValueBinary {
		e.Name("SecretString")
		wire.Quote(&e.Encoder, p.Reveal())
		return
	}
	e.Name("SecretBinary")
	b := p.Reveal()
	e.Room(base64.StdEncoding.EncodedLen(len(b)) + 2)
	e.Buf = append(e.Buf, '"')
	e.Buf = base64.StdEncoding.AppendEncode(e.Buf, b)
	e.Buf = append(e.Buf, '"')
}

// password writes the answer of GetRandomPassword.
func (e *encoder) password(p tacet.Plaintext) {
	e.Open("{")
	e.Name("RandomPassword")
	wire.Quote(&e.Encoder, p.Reveal())
	e.Raw("}")
}

// signingKey derives the key that a request must have been signed with. It stands in
// this file because a secret access key, too, is revealed here only.
func signingKey(secret tacet.Plaintext, a *sigv4.Authorization) sigv4.Key {
	return sigv4.DeriveKey(secret.Reveal(), a.Date, a.Region, a.Service)
}

// writeNewAccessKey shows the secret of an access key, this once.
func writeNewAccessKey(e *encoder, k newAccessKey) {
	e.within("AccessKey", func() {
		writeAccessKey(e, &k.AccessKey)
		e.element("SecretAccessKey", string(k.secret.Reveal()))
	})
}

// writeCredentials writes a session's credentials in XML: the one time that its secret
// is told.
func writeCredentials(e *encoder, c identity.Credentials) {
	e.within("Credentials", func() {
		e.element("AccessKeyId", c.AccessKey)
		e.element("SecretAccessKey", string(c.Secret.Reveal()))
		e.element("SessionToken", c.Token)
		e.date("Expiration", c.Expiration)
	})
}
