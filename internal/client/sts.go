package client

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tacet/internal/sigv4"
)

// SessionRequest asks for a session of a role.
type SessionRequest struct {
	RoleARN string
	// Name is the session's.
	Name string
	// Duration is how long it is to last; 0 leaves it to the server.
	Duration time.Duration
	// ExternalID is what a role's trust policy may ask for.
	ExternalID string
}

// SessionCredentials are the credentials of a session.
type SessionCredentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

// AssumeRole makes a session of a role for the user whose credentials the client has.
func (c *Client) AssumeRole(ctx context.Context, r SessionRequest) (SessionCredentials, error) {
	form := r.form("AssumeRole")
	if r.ExternalID != "" {
		form.Set("ExternalId", r.ExternalID)
	}
	return c.session(ctx, form, true)
}

// AssumeRoleWithWebIdentity makes a session of a role for whom a token of an OpenID
// Connect issuer speaks for. It needs no credentials.
func (c *Client) AssumeRoleWithWebIdentity(ctx context.Context, r SessionRequest, token string) (SessionCredentials, error) {
	form := r.form("AssumeRoleWithWebIdentity")
	form.Set("WebIdentityToken", token)
	return c.session(ctx, form, false)
}

func (r *SessionRequest) form(action string) url.Values {
	form := url.Values{"Action": {action}, "Version": {"2011-06-15"}, "RoleArn": {r.RoleARN}, "RoleSessionName": {r.Name}}
	if r.Duration > 0 {
		form.Set("DurationSeconds", strconv.Itoa(int(r.Duration/time.Second)))
	}
	return form
}

// session makes one call of STS's Query protocol.
func (c *Client) session(ctx context.Context, form url.Values, signed bool) (SessionCredentials, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body := form.Encode()
	u := *c.base
	u.Path = "/"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(body))
	if err != nil {
		return SessionCredentials{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	req.Header.Set("User-Agent", c.userAgent)
	if signed {
		c.sign(&sigv4.Request{Method: http.MethodPost, EscapedPath: u.Path, Host: u.Host, Header: req.Header, Body: []byte(body)}, "sts")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return SessionCredentials{}, unreachable(c.Endpoint(), err)
	}
	defer closeBody(res)
	text, err := io.ReadAll(io.LimitReader(res.Body, maxRefuse))
	defer clear(text)
	if err != nil {
		return SessionCredentials{}, unreachable(c.Endpoint(), err)
	}
	var answer struct {
		Code        string             `xml:"Error>Code"`
		Message     string             `xml:"Error>Message"`
		RequestID   string             `xml:"RequestId"`
		Credentials SessionCredentials `xml:"AssumeRoleResult>Credentials"`
		Web         SessionCredentials `xml:"AssumeRoleWithWebIdentityResult>Credentials"`
	}
	switch err := xml.Unmarshal(text, &answer); {
	case err != nil:
		return SessionCredentials{}, errors.New("the answer is not what a Tacet server sends: is this one?")
	case res.StatusCode != http.StatusOK:
		return SessionCredentials{}, &Error{Status: res.StatusCode, Code: answer.Code, Message: answer.Message, RequestID: answer.RequestID}
	case answer.Web.AccessKeyID != "":
		return answer.Web, nil
	case answer.Credentials.AccessKeyID == "":
		return SessionCredentials{}, errors.New("the answer has no credentials: is this a Tacet server?")
	}
	return answer.Credentials, nil
}
