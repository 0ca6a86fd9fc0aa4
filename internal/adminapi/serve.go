package adminapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"tacet"
	"tacet/internal/wire"
)

// maxBody bounds a request's body. The longest is a policy document, of which IAM
// allows 2,048 characters without white space, escaped in JSON.
const maxBody = 64 << 10

// An operation is a row of the table of routes: what is special about one. All that
// operations have in common is done by [handler.ServeHTTP], in one order, so that none
// can forget a step.
type operation struct {
	path string // below Prefix
	// run decodes the body, makes one call and returns what to answer.
	run func(ctx context.Context, h *handler, call tacet.Call, body []byte) (answer, error)
	// long says that answering may take as long as the records are many.
	long bool
}

// An answer writes a success. An error comes with whether the answer was begun.
type answer func(ctx context.Context, w http.ResponseWriter) (begun bool, err error)

type handler struct {
	Config
	routes map[string]operation
}

func newHandler(cfg Config) *handler {
	h := &handler{Config: cfg, routes: map[string]operation{}}
	for _, op := range operations() {
		h.routes[op.path] = op
	}
	return h
}

// ServeHTTP answers one request: the route, the method, the size of the body, who
// asks, and only then what is asked.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	path := strings.TrimPrefix(r.URL.Path, Prefix)
	op, known := h.routes[path]
	if !known || r.URL.Path != Prefix+path {
		path, op = "", operation{}
	}
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")

	call, ans, err := h.serve(w, r, op)
	id := call.RequestID
	if id == "" {
		id = wire.NewRequestID()
	}
	header.Set("X-Request-Id", id)
	begun := false
	if err == nil {
		begun, err = ans(r.Context(), w)
	}
	if err == nil {
		h.Observe(path, "", time.Since(start))
		return
	}
	f := translate(err)
	h.log(r.Context(), path, id, f, err)
	h.Observe(path, f.code, time.Since(start))
	if begun {
		// The status is on its way: cutting the connection is the only honest end.
		panic(http.ErrAbortHandler)
	}
	writeFailure(w, f, id)
}

// serve does everything up to the answer.
func (h *handler) serve(w http.ResponseWriter, r *http.Request, op operation) (tacet.Call, answer, error) {
	if op.run == nil {
		return tacet.Call{}, nil, errNoOperation
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return tacet.Call{}, nil, errMethod
	}
	if err := h.Limits.Arrive(r.RemoteAddr); err != nil {
		return tacet.Call{}, nil, err
	}
	// Who sends no credential that could be good cannot make us hold a body.
	if err := h.Identify(r); err != nil {
		h.Limits.Fail(r.RemoteAddr)
		return tacet.Call{}, nil, unauthenticated(w, err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return tacet.Call{}, nil, errTooLarge
	}
	if err != nil {
		return tacet.Call{}, nil, errUnread
	}
	call, err := h.Authenticate(r, body)
	if err != nil {
		h.Limits.Fail(r.RemoteAddr)
		return call, nil, unauthenticated(w, err)
	}
	call.Face = "admin"
	if err := h.Limits.Admit(&call.Caller); err != nil {
		if rerr := h.Vault.RecordRefusal(r.Context(), call, "", tacet.Throttled); rerr != nil {
			return call, nil, rerr
		}
		return call, nil, err
	}
	if op.long {
		// The deadline that protects against slow readers would cut a long wait; it is
		// set again for the answer, and by a stream for every piece.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	}
	ans, err := op.run(r.Context(), h, call, body)
	var ours *failure
	if errors.As(err, &ours) { // refused before the core, which records what it is asked, saw it
		if rerr := h.Vault.RecordRefusal(r.Context(), call, "", tacet.RequestInvalid); rerr != nil {
			err = rerr
		}
	}
	if op.long {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeDeadline))
	}
	return call, ans, err
}

// unauthenticated words the refusal of a credential.
func unauthenticated(w http.ResponseWriter, err error) error {
	f := refused(err)
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "AWS4-HMAC-SHA256")
	}
	return &refusal{f, err}
}

// A refusal is a failure together with what it was made from, which the log may see.
type refusal struct {
	f     *failure
	cause error
}

func (r *refusal) Error() string { return r.cause.Error() }
func (r *refusal) Unwrap() error { return r.f }

// log writes what is ours to repair. What callers do wrong is in the record, not here.
func (h *handler) log(ctx context.Context, path, id string, f *failure, err error) {
	if f.status >= http.StatusInternalServerError {
		h.Logger.ErrorContext(ctx, "request failed", slog.String("face", "admin"), slog.String("op", path),
			slog.String("req_id", id), slog.String("code", f.code), slog.String("error", err.Error()))
	}
}
