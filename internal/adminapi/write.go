package adminapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"tacet"
)

// writeDeadline is how long one piece of a stream may take to be taken.
const writeDeadline = 30 * time.Second

// inJSON answers with v. It is encoded before anything is sent, so that what cannot be
// encoded is still an honest failure. The encoded answer, which may hold a new secret, is
// overwritten once it is sent.
func inJSON(v any) (answer, error) {
	b, err := marshal(v)
	if err != nil {
		return nil, tacet.InternalError(err)
	}
	return func(_ context.Context, w http.ResponseWriter) error {
		defer clear(b)
		send(w, http.StatusOK, b)
		return nil
	}, nil
}

// marshal is json.Marshal without its escapes for HTML, which would change the bytes of
// a stored record.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return buf.Bytes(), err
}

// newKeyOut is a new access key with its secret.
type newKeyOut struct {
	keyOut
	Secret string `json:"secret"`
}

// withSecret and withClientSecret are the only places where this face reveals one.
func withSecret(k tacet.AccessKey, secret tacet.Plaintext) newKeyOut {
	return newKeyOut{showKey(k), string(secret.Reveal())}
}

// withClientSecret answers with a new client credential and its secret.
func withClientSecret(c credentialOut, secret tacet.Plaintext) (answer, error) {
	return inJSON(struct {
		credentialOut
		Secret string `json:"secret"`
	}{c, string(secret.Reveal())})
}

// inLines answers with lines of JSON that write makes as it goes.
func inLines(write func(context.Context, io.Writer) error) answer {
	return func(ctx context.Context, w http.ResponseWriter) error {
		w.Header().Set("Content-Type", "application/jsonl")
		return write(ctx, &patient{w, http.NewResponseController(w)})
	}
}

// patient gives every piece that is written its own deadline: a stream may be long, a
// reader may not stand still.
type patient struct {
	w io.Writer
	c *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	_ = p.c.SetWriteDeadline(time.Now().Add(writeDeadline)) // what has no deadlines does not need them
	return p.w.Write(b)
}

// failureOut is the one shape of every refusal.
type failureOut struct {
	Error struct {
		Code       string `json:"code"`
		Message    string `json:"message"`
		RequestID  string `json:"requestId"`
		DecisionID string `json:"decisionId,omitempty"`
	} `json:"error"`
}

func writeFailure(w http.ResponseWriter, f *failure, requestID string) {
	var out failureOut
	out.Error.Code, out.Error.Message = f.code, f.text
	out.Error.RequestID, out.Error.DecisionID = requestID, f.decision
	b, err := marshal(out)
	if err != nil { // of strings: cannot be
		b = []byte("{}")
	}
	send(w, f.status, b)
}

// send writes a whole answer. That the other side is gone is not our failure.
func send(w http.ResponseWriter, status int, b []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
