package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"tacet"
	"tacet/internal/adminapi"
	"tacet/internal/audit"
	"tacet/internal/guard"
	"tacet/internal/store"
)

// auditor keeps the record signed and answers for it: it runs the follower and is the
// administration face's [adminapi.Audit].
type auditor struct {
	db       *store.DB
	log      *slog.Logger
	now      func() time.Time
	followed *followedLog
	signer   *audit.Signer
	follower *audit.Follower
	failed   atomic.Pointer[error] // why the follower ended
}

// purposeCheckpoint names the key that checkpoints are signed with among those derived
// from the root key.
const purposeCheckpoint = "audit checkpoint"

// maxAuditLag is how long records may stay unsigned before the server says that it is
// not ready. The follower takes about a second.
const maxAuditLag = 30 * time.Second

// Checkpoints are kept whole for a day, and then one for each hour.
const (
	keepCheckpoints  = 24 * time.Hour
	pruneCheckpoints = time.Hour
)

func newAuditor(s *Server) (*auditor, error) {
	signer, err := newSigner(s.rooms.guard)
	if err != nil {
		return nil, err
	}
	a := &auditor{db: s.rooms.db, log: room(s.log, "audit"), now: s.now, signer: signer,
		followed: &followedLog{auditLog: auditLog{s.rooms.db}}}
	a.followed.touch()
	a.follower = audit.NewFollower(audit.FollowerConfig{Log: a.followed, Recent: s.rooms.recent, Signer: signer, Now: s.now, Logger: a.log})
	return a, nil
}

// newSigner returns what signs the deployment's checkpoints, the same on every node.
func newSigner(g *guard.Guard) (*audit.Signer, error) {
	return audit.NewSigner(audit.Origin(g.Deployment()), g.Derive(purposeCheckpoint, 32))
}

// lastStep is how long the last checkpoint may take when the server stops.
const lastStep = 5 * time.Second

// run follows the record until ctx ends and then signs what is left. A record that was
// tampered with is not followed further, and the server stays not ready.
func (a *auditor) run(ctx context.Context) {
	if err := a.follower.Run(ctx); err != nil {
		a.failed.Store(&err)
		a.log.Error("the audit record is broken: run `tacet audit verify`; the server reports that it is not ready", "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastStep)
	defer cancel()
	if _, err := a.follower.Advance(ctx); err != nil {
		a.log.Warn("the last records are not signed yet; the next start does it", "error", err)
	}
}

// prune thins old checkpoints out, from time to time.
func (a *auditor) prune(ctx context.Context) {
	ticker := time.NewTicker(pruneCheckpoints)
	defer ticker.Stop()
	for {
		before := a.now().Add(-keepCheckpoints).UnixMicro()
		err := a.db.Write(ctx, false, func(tx *store.Tx) error { return tx.PruneCheckpoints(before) })
		if err != nil && ctx.Err() == nil {
			a.log.Warn("old checkpoints could not be removed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// problem returns why the record is not being signed, nil when it is.
func (a *auditor) problem() error {
	if err := a.failed.Load(); err != nil {
		return *err
	}
	if lag := a.followed.lag(); lag > maxAuditLag {
		return fmt.Errorf("records have been waiting for a checkpoint for %s", lag.Round(time.Second))
	}
	return nil
}

// watchAudit adds the record's state to the metrics.
func (m *metrics) watchAudit(a *auditor) {
	m.gauge("tacet_audit_checkpoint_lag_seconds", "Time since all records were last seen signed; about one when all is well.",
		func() float64 { return a.followed.lag().Seconds() })
	m.gauge("tacet_audit_intact", "0 when the stored record contradicts what was signed.", func() float64 {
		if a.failed.Load() != nil {
			return 0
		}
		return 1
	})
}

// Checkpoint implements [adminapi.Audit].
func (a *auditor) Checkpoint(ctx context.Context) (adminapi.Checkpoint, error) {
	if _, err := a.follower.Advance(ctx); err != nil {
		return adminapi.Checkpoint{}, auditError(err)
	}
	c, err := a.followed.Latest(ctx)
	if err != nil {
		return adminapi.Checkpoint{}, auditError(err)
	}
	if c == nil {
		return adminapi.Checkpoint{}, auditError(audit.ErrNoCheckpoint)
	}
	return adminapi.Checkpoint{Note: c.Note, Key: a.signer.VerifierKey()}, nil
}

// Verify implements [adminapi.Audit].
func (a *auditor) Verify(ctx context.Context, since string) (adminapi.AuditReport, error) {
	key := a.signer.VerifierKey()
	var earlier *audit.Checkpoint
	if since != "" {
		if _, err := audit.OpenCheckpoint(since, key); err != nil {
			return adminapi.AuditReport{}, tacet.Errorf(tacet.InvalidParameter, "The earlier checkpoint cannot be used: %v", err)
		}
		earlier = &audit.Checkpoint{Note: since}
	}
	r, err := audit.VerifyLog(ctx, auditLog{a.db}, key, earlier)
	if err != nil {
		return adminapi.AuditReport{}, auditError(err)
	}
	return AuditReport(r), nil
}

// auditError gives an error of the record a code: a store that cannot be used may be
// asked again, a tampered record may not.
func auditError(err error) error {
	var ours *tacet.Error
	if errors.As(err, &ours) {
		return err
	}
	if store.IsUnavailable(err) {
		return &tacet.Error{Code: tacet.Unavailable, Cause: err}
	}
	return tacet.InternalError(err)
}

// Export implements [adminapi.Audit]. The records are signed up to the present first,
// so that the export proves all it holds.
func (a *auditor) Export(ctx context.Context, w io.Writer, x adminapi.Export) error {
	format, err := audit.ParseFormat(x.Format)
	if err != nil {
		return err
	}
	size, err := a.follower.Advance(ctx)
	if err != nil {
		return auditError(err)
	}
	log := auditLog{a.db}
	from, to := int64(0), size
	if !x.From.IsZero() {
		if from, err = audit.SeqAt(ctx, log, x.From, size); err != nil {
			return auditError(err)
		}
	}
	if !x.To.IsZero() {
		if to, err = audit.SeqAt(ctx, log, x.To, size); err != nil {
			return auditError(err)
		}
	}
	if err := audit.Export(ctx, w, log, a.signer.VerifierKey(), from, max(from, to), format); err != nil {
		return auditError(err)
	}
	return nil
}
