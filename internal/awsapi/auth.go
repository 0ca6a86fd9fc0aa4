package awsapi

import (
	"errors"
	"net/http"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/sigv4"
)

// invalidToken is what AWS says of an unknown or inactive key and of a session token
// that is none.
const invalidToken = "The security token included in the request is invalid."

// An AuthError says why a request is not authenticated: AWS's code for JSON services
// and a text. Both are fit for the caller.
type AuthError struct {
	Code    string
	Message string
}

// Error returns the code and the text.
func (e *AuthError) Error() string { return e.Code + ": " + e.Message }

// Authenticate verifies the signature of a request whose body was read and whose scope
// must name service, and returns the circumstances of the call. The request's id is left
// to the face. It is for the other faces that take the same credentials. An error is an
// [*AuthError].
func (h *Handler) Authenticate(r *http.Request, body []byte, service string) (tacet.Call, error) {
	who, err := h.identify(r, func(string) string { return service })
	if err != nil {
		return tacet.Call{}, authError(err)
	}
	call, err := h.verify(who, r, body)
	if err != nil {
		return tacet.Call{}, authError(err)
	}
	return call, nil
}

// Identify looks at a request's Authorization alone: whether it names a credential that
// could have signed it. It is for a face that will not read a body before that. An error
// is an [*AuthError].
func (h *Handler) Identify(r *http.Request, service string) error {
	if _, err := h.identify(r, func(string) string { return service }); err != nil {
		return authError(err)
	}
	return nil
}

func authError(err error) error {
	f := translate("", err)
	return &AuthError{f.code, f.text}
}

// A claim is who a request says it is from, with the credential to check that.
type claim struct {
	auth       *sigv4.Authorization
	request    *sigv4.Request
	credential identity.Credential
	now        time.Time
}

// identify reads a request's Authorization and looks the credential up. choose is told
// the service of the scope and returns the one it must be; no body is needed yet.
func (h *Handler) identify(r *http.Request, choose func(scope string) (service string)) (claim, error) {
	req := &sigv4.Request{
		Method:      r.Method,
		EscapedPath: r.URL.EscapedPath(),
		RawQuery:    r.URL.RawQuery,
		Host:        r.Host,
		Header:      r.Header,
	}
	auth, err := sigv4.Parse(req)
	if err != nil {
		choose("")
		return claim{}, signatureFailure(err)
	}
	service := choose(auth.Service)
	// A scope that is not ours, or of another day, is refused before a key is derived
	// and kept for it.
	if err := auth.CheckScope(service, h.regionsOf(service)); err != nil {
		return claim{}, signatureFailure(err)
	}
	now := h.cfg.Now()
	if err := auth.CheckTime(now); err != nil {
		return claim{}, signatureFailure(err)
	}
	credential, err := h.cfg.Identity.Credential(auth.AccessKeyID, r.Header.Get("X-Amz-Security-Token"))
	if err != nil {
		return claim{}, err
	}
	return claim{auth, req, credential, now}, nil
}

// verify checks the signature over the request and its body.
func (h *Handler) verify(who claim, r *http.Request, body []byte) (tacet.Call, error) {
	a := who.auth
	who.request.Body = body
	key := h.keys.Get(a.AccessKeyID, who.credential.Generation, a.Date, a.Region, a.Service, func() sigv4.Key {
		return signingKey(who.credential.Secret, a)
	})
	if err := a.Verify(who.request, key, who.now); err != nil {
		return tacet.Call{}, signatureFailure(err)
	}
	region := a.Region
	if region == stsGlobal { // no region: records and policies know where it is
		region = globalRegion
	}
	return newCall(r, who.credential.Caller, region), nil
}

// regionsOf returns which regions a scope of the service may name: what has the form
// of a region's name and is one to the server. STS and IAM are also asked in us-east-1,
// where AWS keeps their global endpoints, whether or not there is a vault. Some SDKs
// call the region of STS's global endpoint "aws-global".
func (h *Handler) regionsOf(service string) func(string) bool {
	return func(region string) bool {
		switch {
		case service == "sts" && region == stsGlobal:
			return true
		case (service == "sts" || service == "iam") && region == globalRegion:
			return true
		}
		return tacet.IsRegion(region) && h.cfg.ValidRegion(region)
	}
}

// Where the global endpoints are, and what a scope may call that place.
const (
	globalRegion = "us-east-1"
	stsGlobal    = "aws-global"
)

// choose takes the protocol from what was sent and, where that leaves it open, from the
// scope's service, which is signed. A request with a target is Secrets Manager's and a
// form is STS's or IAM's, also when it is scoped to another service: then it returns the
// service that was meant.
func (x *exchange) choose(scope string) string {
	if len(x.r.Header["X-Amz-Target"]) == 0 {
		switch scope {
		case "sts":
			x.query = true
			return scope
		case "iam":
			x.query, x.xmlns = true, iamNamespace
			return scope
		}
	}
	if x.query {
		return "sts"
	}
	return "secretsmanager"
}

// signatureFailure translates what package sigv4 says into the JSON services' code.
func signatureFailure(err error) error {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return err
	}
	code := "InvalidSignatureException"
	switch e.Kind {
	case sigv4.MissingAuthenticationToken:
		code = "MissingAuthenticationTokenException"
	case sigv4.IncompleteSignature:
		code = "IncompleteSignatureException"
	}
	return &failure{400, code, e.Message, false}
}
