package wire

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"

	"tacet"
)

// LogFailure logs why a request was answered with a status, if that is a failure of ours,
// under the id that the client was told. That a client did not wait is none.
func LogFailure(l *slog.Logger, id string, op tacet.Operation, status int, err error) {
	if status < http.StatusInternalServerError || errors.Is(err, context.Canceled) {
		return
	}
	l.Error("request failed", "request", id, "operation", string(op), "error", err)
}

// LogPanic logs what a request panicked with, and returns the error to answer with. What
// net/http is to abort the connection for, it is handed on.
func LogPanic(l *slog.Logger, id string, op tacet.Operation, p any) error {
	if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		panic(p)
	}
	l.Error("request panicked", "request", id, "operation", string(op), "panic", tacet.PanicText(p), "stack", string(debug.Stack()))
	return &tacet.Error{Code: tacet.Internal, Cause: errors.New("panic")}
}
