package azureapi

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"time"

	"tacet"
	"tacet/internal/vault"
	"tacet/internal/wire"
)

// The answers. Members that are absent are left out, never null. This is the one file of
// the face that reveals a value.

// writeBundle writes a version of a secret: SecretBundle, or DeletedSecretBundle for a
// deleted one.
func writeBundle(x *exchange, b vault.SecretBundle) {
	e := &x.out
	e.Room(512 + b.Value.Len())
	e.Open("{")
	if !b.Value.IsZero() {
		writeValue(e, b.Kind, b.Value)
	}
	e.Text("id", x.site.id(&b, b.Version))
	writeMembers(x, &b)
	// Members that came with the version are not shown to those that did not know them.
	if b.Previous != "" && x.query.since("2025-07-01") {
		e.Text("previousVersion", b.Previous)
	}
	e.Raw("}")
}

// writeValue writes the value of a version; bytes are text in base64 to Azure.
func writeValue(e *wire.Encoder, kind tacet.ValueKind, p tacet.Plaintext) {
	e.Name("value")
	if kind != tacet.ValueBinary {
		wire.Quote(e, p.Reveal())
		return
	}
	b := p.Reveal()
	e.Room(base64.StdEncoding.EncodedLen(len(b)) + 2)
	e.Buf = append(e.Buf, '"')
	e.Buf = base64.StdEncoding.AppendEncode(e.Buf, b)
	e.Buf = append(e.Buf, '"')
}

// writeMembers writes what a version and an item of a listing have in common.
func writeMembers(x *exchange, b *vault.SecretBundle) {
	e := &x.out
	e.Optional("contentType", b.ContentType)
	e.Name("attributes")
	e.Open("{")
	e.Flag("enabled", b.Enabled)
	writeTime(e, "nbf", b.NotBefore)
	writeTime(e, "exp", b.Expires)
	writeTime(e, "created", b.Created)
	writeTime(e, "updated", b.Updated)
	e.Text("recoveryLevel", b.RecoveryLevel)
	if x.query.since("7.1") {
		e.Int("recoverableDays", int64(b.RecoverableDays))
	}
	e.Raw("}")
	if len(b.Tags) > 0 {
		e.Name("tags")
		e.Open("{")
		for _, t := range b.Tags {
			e.Sep()
			wire.Quote(e, t.Key)
			e.Raw(":")
			wire.Quote(e, t.Value)
		}
		e.Raw("}")
	}
	if b.Managed {
		e.Flag("managed", true)
	}
	if !b.Deleted.IsZero() {
		e.Text("recoveryId", x.site.base+"/deletedsecrets/"+b.Name)
		writeTime(e, "deletedDate", b.Deleted)
		writeTime(e, "scheduledPurgeDate", b.PurgeAt)
	}
}

// writeTime writes a time in whole seconds since 1970, and leaves out the zero time.
func writeTime(e *wire.Encoder, name string, t time.Time) {
	if !t.IsZero() {
		e.Int(name, t.Unix())
	}
}

// id is the id of a version in a vault, or without one of its secret.
func (s *site) id(b *vault.SecretBundle, version string) string {
	id := s.base + "/secrets/" + b.Name
	if version != "" {
		id += "/" + version
	}
	return id
}

// writeList writes a page of secrets, one item for each.
func writeList(x *exchange, page vault.ShownList) { writePage(x, page, false) }

// writeVersions writes a page of a secret's versions.
func writeVersions(x *exchange, page vault.ShownList) { writePage(x, page, true) }

func writePage(x *exchange, page vault.ShownList, versions bool) {
	e := &x.out
	e.Open("{")
	e.Name("value")
	e.Open("[")
	for i := range page.Items {
		b := &page.Items[i]
		version := ""
		if versions {
			version = b.Version
		}
		e.Open("{")
		e.Text("id", x.site.id(b, version))
		writeMembers(x, b)
		e.Raw("}")
	}
	e.Raw("]")
	e.Name("nextLink")
	if page.NextToken == "" {
		e.Raw("null")
	} else {
		wire.Quote(e, x.nextLink(page.NextToken))
	}
	e.Raw("}")
}

// nextLink is where the next page is, whole: SDKs fetch it as it is.
func (x *exchange) nextLink(token string) string {
	link := x.site.base + "/" + x.target.collection
	if x.target.name != "" {
		link += "/" + x.target.name + "/versions"
	}
	link += "?api-version=" + url.QueryEscape(x.query.version) + "&$skiptoken=" + url.QueryEscape(token)
	if x.query.maxResults > 0 {
		link += "&maxresults=" + strconv.Itoa(x.query.maxResults)
	}
	return link
}

// writeBackup writes a sealed backup.
func writeBackup(x *exchange, backup []byte) {
	x.out.Open("{")
	x.out.Text("value", base64.RawURLEncoding.EncodeToString(backup))
	x.out.Raw("}")
}

// writeNothing is the answer without a body.
func writeNothing(*exchange, struct{}) {}

// writeFailure writes the body of a refusal.
func writeFailure(e *wire.Encoder, f *failure) {
	e.Open("{")
	e.Name("error")
	e.Open("{")
	e.Text("code", f.code)
	e.Text("message", f.text)
	if f.inner != "" {
		e.Name("innererror")
		e.Open("{")
		e.Text("code", f.inner)
		e.Raw("}")
	}
	e.Raw("}}")
}
