package awsapi

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"time"
)

// element writes an XML element with a text, of which what is no XML becomes U+FFFD.
func (e *encoder) element(name, content string) {
	e.within(name, func() { e.escaped(content) })
}

func (e *encoder) escaped(content string) {
	if plainText(content) {
		e.Raw(content)
		return
	}
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(content)) // a bytes.Buffer takes everything
	e.Raw(b.String())
}

// plainText reports whether a text is itself in XML.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '&' || c == '<' || c == '>' || c == '"' || c == '\'' {
			return false
		}
	}
	return true
}

// optionalElement writes an element unless its text is empty.
func (e *encoder) optionalElement(name, content string) {
	if content != "" {
		e.element(name, content)
	}
}

// number writes an element with a whole number.
func (e *encoder) number(name string, n int64) { e.element(name, strconv.FormatInt(n, 10)) }

// date writes an element with a time, as the Query protocol does: ISO 8601 in UTC.
func (e *encoder) date(name string, t time.Time) {
	e.element(name, t.UTC().Format("2006-01-02T15:04:05Z"))
}

// within writes an element with what write writes inside it.
func (e *encoder) within(name string, write func()) {
	e.Raw("<")
	e.Raw(name)
	e.Raw(">")
	write()
	e.Raw("</")
	e.Raw(name)
	e.Raw(">")
}

// members writes a list, each of its members with write.
func members[T any](e *encoder, name string, list []T, write func(T)) {
	e.within(name, func() {
		for _, v := range list {
			e.within("member", func() { write(v) })
		}
	})
}

// writeQueryFailure writes a refusal.
func writeQueryFailure(e *encoder, xmlns, requestID string, f *failure) {
	kind := "Sender"
	if f.status >= 500 {
		kind = "Receiver"
	}
	e.Raw(`<ErrorResponse xmlns="` + xmlns + `"><Error>`)
	e.element("Type", kind)
	e.element("Code", f.code)
	e.element("Message", f.text)
	e.Raw(`</Error>`)
	e.element("RequestId", requestID)
	e.Raw(`</ErrorResponse>`)
}
