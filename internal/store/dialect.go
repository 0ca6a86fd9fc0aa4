package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A dialect is all that differs between the two engines.
type dialect struct {
	// shared says that other processes may write.
	shared bool
	// types replaces the tokens of the migrations.
	types *strings.Replacer
	// beginWrite and beginRead open a transaction; lockRow ends the query that
	// takes the row of head.
	beginWrite, beginRead, lockRow string
	// lockMigrations keeps other processes from migrating until the transaction ends.
	lockMigrations string
	// durable and relaxed make the commits of a connection wait for the disk or not.
	durable, relaxed string
	// settle brings the database's file up to date when it is closed; "" for an engine that
	// looks after itself.
	settle string
	// unnamed writes the parameters of a list as question marks.
	unnamed bool
	// classify tells the kind of an error of the driver.
	classify func(error) errorClass
	// patience is how long a transaction may take, 0 for an engine inside our own
	// process: its statements are not interrupted half way.
	patience time.Duration
}

// An errorClass is a kind of error that the two engines word differently.
type errorClass int

const (
	otherError errorClass = iota
	duplicateError
	unavailableError
)

// wrap names the operation and the kind of err.
func (d *dialect) wrap(op string, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("store: %s: %w", op, err)
	case errors.Is(err, context.DeadlineExceeded), d.classify(err) == unavailableError:
		return fmt.Errorf("store: %s: %w: %w", op, errUnavailable, err)
	case d.classify(err) == duplicateError:
		return fmt.Errorf("store: %s: %w: %w", op, ErrDuplicate, err)
	}
	return fmt.Errorf("store: %s: %w", op, err)
}

// limit returns the context that statements run under when the caller may stop
// them at any moment.
func (d *dialect) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.patience == 0 {
		return context.WithoutCancel(ctx), func() {}
	}
	return context.WithTimeout(ctx, d.patience)
}

// finish is limit for what must not be left half done.
func (d *dialect) finish(ctx context.Context) (context.Context, context.CancelFunc) {
	return d.limit(context.WithoutCancel(ctx))
}
