package awsapi

import (
	"bytes"
	"encoding/xml"
	"net/url"

	"tacet"
)

// stsVersion is the version of STS's API, the only one there is.
const stsVersion = "2011-06-15"

// The namespaces of the Query protocol's answers.
const (
	stsNamespace = "https://sts.amazonaws.com/doc/" + stsVersion + "/"
	iamNamespace = "https://iam.amazonaws.com/doc/2010-05-08/"
)

// serveQuery answers a request of the Query protocol: a form in, XML out. STS's
// GetCallerIdentity is the one action there is; IAM is answered so that a client learns
// that it is not here.
func (h *Handler) serveQuery(x *exchange, call tacet.Call) error {
	x.op = ""
	form, err := url.ParseQuery(string(x.body))
	if err != nil {
		return &failure{400, "ValidationError", "The request body is not a valid form.", false}
	}
	action, version := form.Get("Action"), form.Get("Version")
	switch {
	case action == "":
		return &failure{400, "MissingAction", "The request is missing an action parameter.", false}
	case len(form["Action"]) > 1:
		return &failure{400, "ValidationError", "The request has more than one Action.", false}
	case x.xmlns != stsNamespace || version != "" && version != stsVersion || action != string(tacet.OpGetCallerIdentity):
		return &failure{400, "InvalidAction", "Could not find operation " + printable(action) +
			" for version " + printable(version), false}
	}
	x.op = tacet.OpGetCallerIdentity
	who, err := h.cfg.Identity.GetCallerIdentity(x.r.Context(), call)
	if err != nil {
		return err
	}
	writeCallerIdentity(&x.out, x.id, who)
	return nil
}

// printable cuts what a caller sent to what an answer repeats of it.
func printable(s string) string {
	if s == "" {
		return "NO_VERSION_SPECIFIED"
	}
	return s[:min(len(s), 128)]
}

// queryFailure turns a JSON service's exception into the Query protocol's: another
// code for the same thing, and 403 where authentication or authorisation failed.
func queryFailure(f *failure) *failure {
	q := *f
	switch f.code {
	case "MissingAuthenticationTokenException":
		q.status, q.code = 403, "MissingAuthenticationToken"
	case "IncompleteSignatureException":
		q.code = "IncompleteSignature"
	case "InvalidSignatureException":
		q.status, q.code = 403, "SignatureDoesNotMatch"
	case "UnrecognizedClientException":
		q.status, q.code = 403, "InvalidClientTokenId"
	case "ExpiredTokenException":
		q.status, q.code = 403, "ExpiredToken"
	case "AccessDeniedException":
		q.status, q.code = 403, "AccessDenied"
	case "ThrottlingException":
		q.code = "Throttling"
	case "InternalServiceError":
		q.code = "InternalFailure"
	case "UnknownOperationException":
		q.code = "InvalidAction"
	case "InvalidParameterException", "ValidationException":
		q.code = "ValidationError"
	}
	return &q
}

func writeCallerIdentity(e *encoder, requestID string, who tacet.Caller) {
	e.raw(`<GetCallerIdentityResponse xmlns="` + stsNamespace + `"><GetCallerIdentityResult>`)
	e.element("Arn", who.ARN)
	e.element("UserId", who.ID)
	e.element("Account", who.Account)
	e.raw(`</GetCallerIdentityResult><ResponseMetadata>`)
	e.element("RequestId", requestID)
	e.raw(`</ResponseMetadata></GetCallerIdentityResponse>`)
}

func writeQueryFailure(e *encoder, xmlns, requestID string, f *failure) {
	kind := "Sender"
	if f.status >= 500 {
		kind = "Receiver"
	}
	e.raw(`<ErrorResponse xmlns="` + xmlns + `"><Error>`)
	e.element("Type", kind)
	e.element("Code", f.code)
	e.element("Message", f.text)
	e.raw(`</Error>`)
	e.element("RequestId", requestID)
	e.raw(`</ErrorResponse>`)
}

// element writes an XML element with a text, of which what is no XML becomes U+FFFD.
func (e *encoder) element(name, content string) {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(content)) // a bytes.Buffer takes everything
	e.raw("<" + name + ">" + b.String() + "</" + name + ">")
}
