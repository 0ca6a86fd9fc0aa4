package sigv4

import (
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// maxHeader is the longest Authorization header that is read, in bytes.
const maxHeader = 8 << 10

// Parse reads the Authorization header of r and its date. It checks syntax and
// presence only and believes nothing. The error is an [*Error]:
//
//   - [MissingAuthenticationToken] without an Authorization header, or with one of
//     another scheme. Such a header is not repeated: it may be a password;
//   - [IncompleteSignature] for an algorithm other than AWS4-HMAC-SHA256; more than
//     one Authorization or X-Amz-Date header; a header over 8 KiB or with bytes
//     that are not printable ASCII; a part that is not key=value, or is unknown, or
//     comes twice, or is missing; a Credential without five elements; SignedHeaders
//     that are not lower-case, sorted and unique; a date that is missing or wrong;
//   - [InvalidSignature] for a signature that is not 64 lower-case hex digits, and
//     for a scope that does not end in aws4_request.
//
// The parts may come in any order, with or without a space after the comma.
func Parse(r *Request) (*Authorization, error) {
	values := r.Header["Authorization"]
	switch {
	case len(values) == 0 || len(values) == 1 && !strings.HasPrefix(values[0], "AWS4-"):
		return nil, &Error{MissingAuthenticationToken, "Missing Authentication Token"}
	case len(values) > 1:
		return nil, &Error{IncompleteSignature, "Request must have exactly one Authorization header."}
	}
	header := values[0]
	p, err := split(header)
	if err != nil {
		return nil, err
	}
	if err := p.present(r.Header, header); err != nil {
		return nil, err
	}
	a := new(Authorization)
	if err := a.readDate(r.Header); err != nil {
		return nil, err
	}
	if err := a.readCredential(p.credential); err != nil {
		return nil, err
	}
	if !a.readSignedHeaders(p.signedHeaders) {
		return nil, incomplete("'SignedHeaders' must be lower-case header names, sorted, each once, separated by semicolons.", header)
	}
	if !a.readSignature(p.signature) {
		return nil, mismatch()
	}
	return a, nil
}

// parts are the values of an Authorization header, "" where missing or empty.
type parts struct{ credential, signedHeaders, signature string }

// split takes an Authorization header apart.
func split(header string) (p parts, _ error) {
	if len(header) > maxHeader {
		return p, incomplete("Authorization header must not be longer than 8192 bytes.", header)
	}
	for i := range len(header) {
		if header[i] < ' ' || header[i] > '~' {
			return p, incomplete("Authorization header must be printable ASCII.", header)
		}
	}
	scheme, rest, _ := strings.Cut(header, " ")
	if scheme != algorithm {
		return p, &Error{IncompleteSignature, "Unsupported AWS 'algorithm': '" + echo(scheme) + "'"}
	}
	rest = strings.Trim(rest, " ")
	if err := pairs(header, rest); err != nil {
		return p, err
	}
	// Three parts at most, so that one cannot be empty first and full later.
	count := 0
	for more := rest != ""; more; count++ {
		var part string
		part, rest, more = strings.Cut(rest, ",")
		part = strings.Trim(part, " ")
		name, value, _ := strings.Cut(part, "=")
		field := p.field(name)
		if field == nil || *field != "" || count == 3 || strings.Contains(value, " ") {
			return p, incomplete("Authorization header has an unknown, repeated or malformed '"+echo(name)+"' parameter.", header)
		}
		*field = value
	}
	return p, nil
}

// pairs checks that every part has an equal sign, as AWS does before it looks at what a
// part is called.
func pairs(header, rest string) error {
	for more := rest != ""; more; {
		var part string
		part, rest, more = strings.Cut(rest, ",")
		if !strings.Contains(part, "=") {
			return &Error{IncompleteSignature, "'" + echo(strings.Trim(part, " ")) +
				"' not a valid key=value pair (missing equal-sign) in Authorization header: '" + echo(header) + "'."}
		}
	}
	return nil
}

// field returns where the value of the named part goes, nil for a stranger.
func (p *parts) field(name string) *string {
	switch name {
	case "Credential":
		return &p.credential
	case "SignedHeaders":
		return &p.signedHeaders
	case "Signature":
		return &p.signature
	}
	return nil
}

// present checks that nothing is missing, and says all that is in one message.
func (p *parts) present(h http.Header, header string) error {
	var text []string
	for _, part := range [...]struct{ name, value string }{
		{"Credential", p.credential}, {"Signature", p.signature}, {"SignedHeaders", p.signedHeaders},
	} {
		if part.value == "" {
			text = append(text, "Authorization header requires '"+part.name+"' parameter.")
		}
	}
	if len(h["X-Amz-Date"]) == 0 && len(h["Date"]) == 0 {
		text = append(text, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if text == nil {
		return nil
	}
	return incomplete(strings.Join(text, " "), header)
}

// readDate sets Time from X-Amz-Date or, in its absence, from Date. X-Amz-Date
// must be in the basic format; Date may also be in one of HTTP's formats.
func (a *Authorization) readDate(h http.Header) error {
	values, plain := h["X-Amz-Date"], false
	if len(values) == 0 {
		values, plain = h["Date"], true
	}
	if len(values) > 1 {
		return &Error{IncompleteSignature, "Request must have exactly one 'X-Amz-Date' or 'Date' header."}
	}
	t, ok := parseTime(values[0])
	if !ok && plain {
		t, ok = parseHTTPDate(values[0])
	}
	if !ok {
		return &Error{IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got '" + echo(values[0]) +
			"'. See http://en.wikipedia.org/wiki/ISO_8601"}
	}
	a.Time, a.stamp = t, values[0]
	if plain {
		a.stamp = t.Format(timeLayout)
	}
	return nil
}

// parseTime reads yyyymmddThhmmssZ. The length is checked because time.Parse
// would also take a fraction of a second.
func parseTime(s string) (time.Time, bool) {
	if len(s) != len(timeLayout) {
		return time.Time{}, false
	}
	t, err := time.Parse(timeLayout, s)
	return t, err == nil
}

// parseHTTPDate reads the Date header: the formats of RFC 9110 and, because
// botocore writes it, RFC 5322 with a numeric zone.
func parseHTTPDate(s string) (time.Time, bool) {
	t, err := http.ParseTime(s)
	if err != nil {
		t, err = time.Parse(time.RFC1123Z, s)
	}
	t = t.UTC().Truncate(time.Second)
	// A zone can carry a time out of the four-digit years that can be signed.
	return t, err == nil && t.Year() >= 0 && t.Year() <= 9999
}

// readCredential reads keyid/date/region/service/aws4_request.
func (a *Authorization) readCredential(s string) error {
	id, rest, _ := strings.Cut(s, "/")
	date, rest, _ := strings.Cut(rest, "/")
	region, rest, _ := strings.Cut(rest, "/")
	service, term, _ := strings.Cut(rest, "/")
	if id == "" || date == "" || region == "" || service == "" || term == "" || strings.Contains(term, "/") {
		return &Error{IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + echo(s) + "'"}
	}
	if term != terminator {
		return &Error{InvalidSignature, "Credential should be scoped with a valid terminator: '" + terminator + "', not '" + echo(term) + "'. "}
	}
	a.AccessKeyID, a.Date, a.Region, a.Service = id, date, region, service
	return nil
}

// readSignedHeaders reads the list of names. Sorted and unique is one test: each
// name is greater than the one before.
func (a *Authorization) readSignedHeaders(s string) bool {
	a.SignedHeaders = a.names[:0]
	last := ""
	for more := true; more; {
		var name string
		name, s, more = strings.Cut(s, ";")
		if name <= last || !isLowerToken(name) {
			return false
		}
		a.SignedHeaders = append(a.SignedHeaders, name)
		last = name
	}
	return true
}

// readSignature reads 64 lower-case hex digits. The hex package would take
// upper case too, and one signature is to have one spelling.
func (a *Authorization) readSignature(s string) bool {
	if len(s) != hex.EncodedLen(len(a.Signature)) {
		return false
	}
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'F' {
			return false
		}
	}
	_, err := hex.Decode(a.Signature[:], []byte(s))
	return err == nil
}

// appendHeader appends the Authorization header that a was, or could have been,
// parsed from.
func (a *Authorization) appendHeader(dst []byte) []byte {
	dst = append(dst, algorithm+" Credential="...)
	dst = append(dst, a.AccessKeyID...)
	dst = append(dst, '/')
	dst = a.appendScope(dst)
	dst = append(dst, ", SignedHeaders="...)
	dst = appendJoined(dst, a.SignedHeaders)
	dst = append(dst, ", Signature="...)
	return hex.AppendEncode(dst, a.Signature[:])
}

// appendScope appends date/region/service/aws4_request.
func (a *Authorization) appendScope(dst []byte) []byte {
	dst = append(dst, a.Date...)
	dst = append(dst, '/')
	dst = append(dst, a.Region...)
	dst = append(dst, '/')
	dst = append(dst, a.Service...)
	return append(dst, "/"+terminator...)
}
