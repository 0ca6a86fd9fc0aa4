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

// An answer writes a success. An error means that it could not be written to its end.
type answer func(ctx context.Context, w http.ResponseWriter) error

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

// An exchange is one request and its answer.
type exchange struct {
	begunWriter
	r  *http.Request
	id string // the request's id, a UUID
	op operation
}

// begunWriter knows whether an answer was begun: then its status is on its way.
type begunWriter struct {
	http.ResponseWriter
	begun bool
}

// WriteHeader begins the answer.
func (w *begunWriter) WriteHeader(status int) {
	w.begun = true
	w.ResponseWriter.WriteHeader(status)
}

// Write begins the answer, if nothing did.
func (w *begunWriter) Write(b []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(b)
}

// Unwrap is for [http.ResponseController].
func (w *begunWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeHTTP answers one request: the route, the method, the size of the body, who
// asks, and only then what is asked.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	x := &exchange{begunWriter: begunWriter{ResponseWriter: w}, r: r, id: wire.NewRequestID()}
	if path := strings.TrimPrefix(r.URL.Path, Prefix); r.URL.Path == Prefix+path {
		x.op = h.routes[path] // none, where there is no such path
	}
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Request-Id", x.id)
	// A panic ends in an answer and a line in the log, and not in a dropped connection.
	defer func() {
		if p := recover(); p != nil {
			h.end(x, start, wire.LogPanic(h.Logger, x.id, tacet.Operation(x.op.path), p))
		}
	}()
	ans, err := h.serve(x)
	if err == nil {
		err = ans(r.Context(), x)
	}
	h.end(x, start, err)
}

// end answers a failure, and tells who observes.
func (h *handler) end(x *exchange, start time.Time, err error) {
	if err == nil {
		h.Observe(x.op.path, "", time.Since(start))
		return
	}
	f := translate(err)
	h.log(x.r.Context(), x.op.path, x.id, f, err)
	h.Observe(x.op.path, f.code, time.Since(start))
	if x.begun {
		// The status is on its way: cutting the connection is the only honest end.
		panic(http.ErrAbortHandler)
	}
	writeFailure(x, f, x.id)
}

// serve does everything up to the answer.
func (h *handler) serve(x *exchange) (answer, error) {
	op, r := x.op, x.r
	if op.run == nil {
		return nil, errNoOperation
	}
	if r.Method != http.MethodPost {
		x.Header().Set("Allow", http.MethodPost)
		return nil, errMethod
	}
	if err := h.Limits.Arrive(r.RemoteAddr); err != nil {
		return nil, err
	}
	// Who sends no credential that could be good cannot make us hold a body.
	if err := h.Identify(r); err != nil {
		return nil, h.unauthenticated(x, err)
	}
	// net/http's own writer is told, and closes the connection.
	body, err := io.ReadAll(http.MaxBytesReader(x.ResponseWriter, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, errUnread
	}
	call, err := h.Authenticate(r, body)
	if err != nil {
		return nil, h.unauthenticated(x, err)
	}
	call.Face, call.RequestID = "admin", x.id
	if err := h.Limits.Admit(&call.Caller); err != nil {
		if rerr := h.Vault.RecordRefusal(r.Context(), call, "", tacet.Throttled); rerr != nil {
			return nil, rerr
		}
		return nil, err
	}
	if op.long {
		// The deadline that protects against slow readers would cut a long wait; it is
		// set again for the answer, and by a stream for every piece.
		_ = http.NewResponseController(x).SetWriteDeadline(time.Time{})
	}
	ans, err := op.run(r.Context(), h, call, body)
	var ours *failure
	if errors.As(err, &ours) { // refused before the core, which records what it is asked, saw it
		if rerr := h.Vault.RecordRefusal(r.Context(), call, "", tacet.RequestInvalid); rerr != nil {
			err = rerr
		}
	}
	if op.long {
		_ = http.NewResponseController(x).SetWriteDeadline(time.Now().Add(writeDeadline))
	}
	return ans, err
}

// unauthenticated counts and words the refusal of a credential.
func (h *handler) unauthenticated(x *exchange, err error) error {
	h.Limits.Fail(x.r.RemoteAddr)
	f := refused(err)
	if f.status == http.StatusUnauthorized {
		x.Header().Set("WWW-Authenticate", "AWS4-HMAC-SHA256")
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
