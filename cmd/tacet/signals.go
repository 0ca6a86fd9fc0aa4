package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"tacet/internal/server"
)

// signalEcho is how soon after a signal another is still the same one. `timeout` and some
// process managers send it to the process and once more to its group.
const signalEcho = 200 * time.Millisecond

// stopOn returns a context that ends with the first of the signals. A second one, no echo
// of the first, ends the process at once.
func stopOn(ctx context.Context, signals ...os.Signal) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, func() { time.AfterFunc(signalEcho, stop) })
	return ctx, stop
}

// hangups returns the SIGHUPs to come, and what ends that.
func hangups() (<-chan os.Signal, func()) {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGHUP)
	return ch, func() {
		signal.Stop(ch)
		close(ch)
	}
}

// outliveReaders lets a server go on, or end in good order, when whoever read its output
// has gone: otherwise the first line written after that would kill it.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }

// easeCollector halves the number of garbage collections, unless GOGC says otherwise. A
// read leaves a few KiB of garbage, and the live heap is small and bounded by
// limits.cache_bytes: that costs some tens of MiB at most.
func easeCollector() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(200)
	}
}

// devFailure finds the next step for what keeps a development server from starting. It
// speaks of flags: there is no configuration.
func devFailure(err error) error {
	const what = "the development server did not start"
	switch server.Cause(err) {
	case server.CauseConfig:
		return fail(exitUsage, what, err, "see tacet dev --help")
	case server.CauseNotExist:
		return fail(exitNotFound, what, err, "check the paths in --data and --store")
	case server.CausePermission:
		return fail(exitFailed, what, err, "name a folder of your own with --data, and ports that you may use")
	case server.CauseUnreachable:
		return fail(exitUnreachable, what, err, "check --store and that the database runs")
	case server.CauseUnknown:
		return fail(exitFailed, what, err, "see its log: --log-level debug")
	}
	return startFailure(what, err)
}

// startFailure finds the next step for what keeps a server from starting.
func startFailure(what string, err error) error {
	code, next := exitFailed, "tacet doctor --config FILE looks for more"
	switch server.Cause(err) {
	case server.CauseConfig:
		code, next = exitUsage, server.ConfigAdvice(err)
	case server.CauseAddressInUse:
		code, next = exitConflict, "stop the other program, or choose another address (port 0 is a free one)"
	case server.CauseLocked:
		code, next = exitConflict, "another server has the store open: stop it, or use another store"
	case server.CauseNotInitialised:
		code, next = exitUsage, "run: tacet init --config FILE"
	case server.CauseWrongKey:
		next = "put the key file back that the store was made with"
	case server.CauseSchema:
		next = "use the version of tacet that last opened the store, or a newer one"
	case server.CauseNotExist:
		code, next = exitNotFound, "check the path; a new deployment is made with: tacet init --config FILE"
	case server.CausePermission:
		next = "the files must belong to the user that tacet runs as, and the key file to nobody else (chmod 600)"
	case server.CauseUnreachable:
		code, next = exitUnreachable, "check store.url and that the database runs"
	}
	var f *failure
	if errors.As(err, &f) {
		return err
	}
	return fail(code, what, err, next)
}
