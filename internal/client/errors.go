package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// An Error is a server's refusal, in its words.
type Error struct {
	Status int
	// Code is one of adminapi's, such as "NotFound" or "Denied".
	Code    string
	Message string
	// RequestID is found in the audit record; DecisionID is a refused decision's.
	RequestID  string
	DecisionID string
}

// Error returns the message and the ids.
func (e *Error) Error() string {
	s := e.Message
	if s == "" {
		s = http.StatusText(e.Status)
	}
	s += " (" + e.Code
	if e.DecisionID != "" {
		s += ", decision " + e.DecisionID
	} else if e.RequestID != "" {
		s += ", request " + e.RequestID
	}
	return s + ")"
}

// The classes of refusals and failures, for [errors.Is].
var (
	ErrNotFound        = errors.New("not found")
	ErrUnauthenticated = errors.New("not authenticated")
	ErrDenied          = errors.New("denied")
	ErrConflict        = errors.New("conflict")
	ErrInvalid         = errors.New("invalid")
	ErrUnreachable     = errors.New("unreachable")
)

// Is tells which class the refusal belongs to.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrNotFound:
		return e.Status == http.StatusNotFound
	case ErrUnauthenticated:
		return e.Status == http.StatusUnauthorized || e.notAccepted()
	case ErrDenied:
		return e.Status == http.StatusForbidden && !e.notAccepted()
	case ErrConflict:
		return e.Status == http.StatusConflict
	case ErrInvalid:
		return e.Status == http.StatusBadRequest && !e.notAccepted() && e.Code != "IDPCommunicationError"
	case ErrUnreachable:
		return e.Status == http.StatusBadGateway || e.Status == http.StatusServiceUnavailable || e.Status == http.StatusGatewayTimeout
	}
	return false
}

// notAccepted reports whether STS did not accept a credential or a token: it says so with 400
// or 403, as of other things.
func (e *Error) notAccepted() bool {
	switch e.Code {
	case "InvalidIdentityToken", "ExpiredTokenException", "IDPRejectedClaim", "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "MissingAuthenticationToken":
		return true
	}
	return false
}

// refusal reads an answer that is not a success. Its Error is told even when what
// answered is not Tacet, but something in between.
func refusal(res *http.Response) error {
	e := &Error{Status: res.StatusCode, Code: fmt.Sprintf("HTTP %d", res.StatusCode), RequestID: res.Header.Get("X-Request-Id")}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxRefuse))
	if err != nil {
		return e
	}
	var body struct {
		Error struct{ Code, Message, RequestID, DecisionID string }
	}
	if json.Unmarshal(b, &body) == nil && body.Error.Code != "" {
		e.Code, e.Message, e.DecisionID = body.Error.Code, body.Error.Message, body.Error.DecisionID
		if body.Error.RequestID != "" {
			e.RequestID = body.Error.RequestID
		}
	}
	return e
}

// A noAnswer is a call that got none.
type noAnswer struct {
	endpoint string
	cause    error
}

func unreachable(endpoint string, cause error) error {
	var u *url.Error
	if errors.As(cause, &u) {
		cause = u.Err // the rest of its text is the method and the URL
	}
	return &noAnswer{endpoint, cause}
}

func (e *noAnswer) Error() string        { return "no answer from " + e.endpoint + ": " + e.cause.Error() }
func (e *noAnswer) Unwrap() error        { return e.cause }
func (e *noAnswer) Is(target error) bool { return target == ErrUnreachable }
