package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"tacet/internal/server"
)

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

// startFailure finds the next step for what keeps a server from starting.
func startFailure(what string, err error) error {
	code, next := exitFailed, "tacet doctor --config FILE looks for more"
	switch server.Cause(err) {
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
