package azureapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/wire"
)

// An aadError is a refusal of the token endpoint in Entra's words: AADSTS, a number and a
// sentence.
type aadError struct {
	number int
	text   string
	code   string // of OAuth 2.0, where it is not the number's usual one
	cause  error  // for the log, of a failure of ours
}

func aadErrorf(number int, format string, args ...any) *aadError {
	return &aadError{number: number, text: fmt.Sprintf(format, args...)}
}

// missing says that a parameter is missing.
func missing(name string) *aadError {
	return aadErrorf(900144, "The request body must contain the following parameter: '%s'.", name)
}

// oauth returns the status and the OAuth 2.0 code of a number (RFC 6749 section 5.2).
func (e *aadError) oauth() (int, string) {
	switch e.number {
	case 7000215, 7000216, 7000222, 700021, 700023, 700024, 700027, 700211, 700212, 700213:
		return http.StatusUnauthorized, "invalid_client"
	case 700016:
		return http.StatusBadRequest, "unauthorized_client"
	case 70003:
		return http.StatusBadRequest, "unsupported_grant_type"
	case 1002012, 28000:
		return http.StatusBadRequest, "invalid_scope"
	case 700054:
		return http.StatusBadRequest, "unsupported_response_type"
	case 500011:
		return http.StatusBadRequest, "invalid_resource"
	case 50049:
		return http.StatusBadRequest, "invalid_instance"
	case 90055:
		return http.StatusTooManyRequests, "temporarily_unavailable"
	case 90033:
		return http.StatusServiceUnavailable, "temporarily_unavailable"
	case 90000:
		return http.StatusInternalServerError, "server_error"
	}
	return http.StatusBadRequest, "invalid_request"
}

// translate words why identity refused a token. client is what the request called the
// application.
func (a *Authority) translate(client string, err error) *aadError {
	e := a.words(client, err)
	e.cause = err
	return e
}

func (a *Authority) words(client string, err error) *aadError {
	client = short(client)
	switch code := tacet.CodeOf(err); code {
	case tacet.PrincipalNotFound:
		return aadErrorf(700016, "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", client, a.tenant)
	case tacet.CredentialInvalid:
		return aadErrorf(7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", client)
	case tacet.CredentialExpired:
		return aadErrorf(7000222, "The provided client secret keys for app '%s' are expired. Create new keys and try again.", client)
	case tacet.IdentityTokenExpired:
		return aadErrorf(700024, "Client assertion is not within its valid time range. Current time: %s.", a.cfg.Now().UTC().Format(time.RFC3339))
	case tacet.IdentityTokenInvalid, tacet.IdentityTokenRejected, tacet.Denied:
		return refusedAssertion(err)
	case tacet.Throttled:
		return aadErrorf(90055, "The server has terminated the request because there are too many requests.")
	case tacet.Unavailable, tacet.IssuerUnreachable:
		return aadErrorf(90033, "A transient error has occurred. Please try again.")
	}
	return aadErrorf(90000, "An internal error has occurred.")
}

// refusedAssertion words what is wrong with an application's own assertion, or what of
// another issuer's matches no federated credential.
func refusedAssertion(err error) *aadError {
	mismatch, _ := errors.AsType[*identity.Mismatch](err)
	switch federated := tacet.CodeOf(err) == tacet.Denied; {
	case mismatch == nil:
		return aadErrorf(700027, "%s", detailOf(err))
	case federated:
		number := map[string]int{"issuer": 700211, "audience": 700212, "subject": 700213}[mismatch.Claim]
		return aadErrorf(number, "No matching federated identity record found for presented assertion %s '%s'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.", mismatch.Claim, short(mismatch.Value))
	case mismatch.Claim == "audience":
		return aadErrorf(700023, "Client assertion audience claim does not match Realm issuer.")
	}
	return aadErrorf(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
}

// detailOf returns what an error says for callers.
func detailOf(err error) string {
	if e, ok := errors.AsType[*tacet.Error](err); ok && e.Detail != "" {
		return e.Detail
	}
	return "The client assertion is not valid."
}

// aadBody is the body of a refusal.
type aadBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
	Timestamp   string `json:"timestamp"`
	Trace       string `json:"trace_id"`
	Correlation string `json:"correlation_id"`
	URI         string `json:"error_uri"`
}

// guidForm is what a client's request id has to look like to be told back.
var guidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// refuse answers with an error of Entra's, and returns its code of OAuth 2.0.
func (a *Authority) refuse(w http.ResponseWriter, r *http.Request, e *aadError) string {
	status, code := e.oauth()
	code = cmp.Or(e.code, code)
	trace, correlation := w.Header().Get("X-Ms-Request-Id"), cmp.Or(r.Header.Get("Client-Request-Id"), r.URL.Query().Get("client-request-id"))
	if !guidForm.MatchString(correlation) {
		correlation = wire.NewRequestID()
	}
	timestamp := a.cfg.Now().UTC().Format("2006-01-02 15:04:05Z")
	if e.cause != nil {
		asked, _ := a.route(rawPath(r))
		wire.LogFailure(a.cfg.Logger, trace, tacet.Operation(asked.operation), status, e.cause)
	}
	if id := tacet.DecisionOf(e.cause); id != "" {
		w.Header().Set("X-Tacet-Decision-Id", id)
	}
	if _, _, basic := basicCredentials(r); basic && status == http.StatusUnauthorized { // RFC 6749 section 5.2
		w.Header().Set("WWW-Authenticate", `Basic realm="`+a.tenant+`"`)
	}
	writeJSON(w, status, aadBody{Error: code, Codes: []int{e.number}, Timestamp: timestamp, Trace: trace, Correlation: correlation,
		Description: fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", e.number, e.text, trace, correlation, timestamp),
		URI:         fmt.Sprintf("%s/error?code=%d", a.base(r), e.number)})
	return code
}

// short is what an answer repeats of a request: of a value into which a client that writes
// forms in another way has put the rest of its form, secret and all, no more than the value.
func short(s string) string {
	if i := strings.IndexFunc(s, func(r rune) bool { return r < ' ' || strings.ContainsRune("=&;", r) }); i >= 0 {
		s = s[:i]
	}
	return strings.ToValidUTF8(s[:min(len(s), 128)], "")
}

// seconds is how long a token is good.
func seconds(t identity.IssuedToken) int64 {
	return int64(t.Expires.Sub(t.Issued.Truncate(time.Second)) / time.Second)
}

// tokenV1 is what version 1.0 of the endpoint and the endpoints of managed identities
// answer: their numbers are strings.
type tokenV1 struct {
	Type       string `json:"token_type"`
	Expires    string `json:"expires_in"`
	ExtExpires string `json:"ext_expires_in"`
	ExpiresOn  string `json:"expires_on"`
	NotBefore  string `json:"not_before"`
	Resource   string `json:"resource"`
	ClientID   string `json:"client_id,omitempty"`
	Token      string `json:"access_token"`
}

func showV1(t identity.IssuedToken) tokenV1 {
	life := strconv.FormatInt(seconds(t), 10)
	return tokenV1{Type: "Bearer", Expires: life, ExtExpires: life, ExpiresOn: strconv.FormatInt(t.Expires.Unix(), 10),
		NotBefore: strconv.FormatInt(t.Issued.Unix(), 10), Resource: t.Audience, Token: t.Token}
}

// mayRetry says when, with a status that is for a while.
func mayRetry(header http.Header, status int) {
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		header["Retry-After"] = []string{"1"}
	}
}

// writeJSON answers with a value.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // nothing that is answered here can fail
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header()["Content-Type"] = typeJSON
	mayRetry(w.Header(), status)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone needs no answer
}
