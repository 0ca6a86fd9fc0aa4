package server

import (
	"errors"
	"io/fs"
	"syscall"

	"tacet/internal/guard"
	"tacet/internal/seal"
	"tacet/internal/store"
)

// A StartCause is why a server did not start, as far as it can be told: enough to say
// what to do next.
type StartCause string

// The causes.
const (
	CauseUnknown        StartCause = ""
	CauseConfig         StartCause = "configuration"
	CauseAddressInUse   StartCause = "address in use"
	CauseLocked         StartCause = "store in use"
	CauseNotInitialised StartCause = "not initialised"
	CauseWrongKey       StartCause = "wrong key"
	CauseSchema         StartCause = "other schema"
	CauseUnreachable    StartCause = "store unreachable"
	CauseNotExist       StartCause = "file missing"
	CausePermission     StartCause = "not permitted"
)

// Cause tells the cause of an error of [Build], [Init], [Check] or [StartDev].
func Cause(err error) StartCause {
	var config *configError
	if errors.As(err, &config) {
		return CauseConfig
	}
	for _, c := range []struct {
		is    error
		cause StartCause
	}{
		{syscall.EADDRINUSE, CauseAddressInUse},
		{store.ErrLocked, CauseLocked},
		{guard.ErrNotInitialised, CauseNotInitialised},
		{seal.ErrWrongKey, CauseWrongKey},
		{store.ErrMigration, CauseSchema},
		{fs.ErrNotExist, CauseNotExist},
		{fs.ErrPermission, CausePermission},
	} {
		if errors.Is(err, c.is) {
			return c.cause
		}
	}
	if store.IsUnavailable(err) {
		return CauseUnreachable
	}
	return CauseUnknown
}
