package vault

import (
	"context"
	"errors"
	"time"

	"tacet"
	"tacet/internal/guard"
)

const defaultRecovery = tacet.MaxRecovery // days

// DeleteSecret schedules a secret's deletion, or with Force deletes it at once, also
// when it is scheduled already. Force on a name that does not exist succeeds, so that
// a clean-up can be repeated.
//
// Errors: RecoveryAmbiguous, RecoveryOutOfRange, SecretNotFound,
// SecretAlreadyScheduled, HasReplicas, ReplicaReadOnly, PurgeProtected. In a vault with
// purge protection no window is shorter than the vault's own.
func (s *Service) DeleteSecret(ctx context.Context, call tacet.Call, in DeleteSecretInput) (DeleteSecretOutput, error) {
	r := request(call, tacet.OpDeleteSecret, in.Secret)
	if in.RecoveryDays != nil {
		r.Parameters["recoveryWindowInDays"] = *in.RecoveryDays
		condition(&r, "secretsmanager:recoverywindowindays", itoa(*in.RecoveryDays))
	}
	condition(&r, "secretsmanager:forcedeletewithoutrecovery", btoa(in.Force))
	if in.Force {
		r.Parameters["forceDeleteWithoutRecovery"] = true
		r.Also = []tacet.Operation{tacet.OpPurgeDeletedSecret}
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (DeleteSecretOutput, error) { return remove(tx, in) })
}

func remove(tx *guard.Tx, in DeleteSecretInput) (DeleteSecretOutput, error) {
	var none DeleteSecretOutput
	days := int64(defaultRecovery)
	if in.RecoveryDays != nil {
		days = *in.RecoveryDays
		if in.Force {
			return none, &tacet.Error{Code: tacet.RecoveryAmbiguous}
		}
	}
	if days < tacet.MinRecovery || days > tacet.MaxRecovery {
		return none, &tacet.Error{Code: tacet.RecoveryOutOfRange}
	}
	sec, err := tx.Secret()
	if tacet.CodeOf(err) == tacet.SecretNotFound && in.Force {
		v := tx.Vault()
		arn := tacet.SecretARN(v.Region, v.Account, in.Secret.Name+"-"+newSuffix())
		return DeleteSecretOutput{ARN: arn, Name: in.Secret.Name, PurgeAt: tx.Now()}, nil
	}
	if err != nil {
		return none, err
	}
	arn := sec.ARN(tx.Vault())
	switch {
	case sec.IsReplica():
		return none, &tacet.Error{Code: tacet.ReplicaReadOnly, Secret: sec.Name}
	case len(sec.Replicas) > 0:
		return none, &tacet.Error{Code: tacet.HasReplicas, ARN: arn, Regions: regionsOf(sec.Replicas)}
	case sec.ScheduledForDeletion() && !in.Force:
		return none, &tacet.Error{Code: tacet.SecretAlreadyScheduled, Secret: sec.Name}
	case in.Force && tx.Vault().PurgeProtection:
		return none, &tacet.Error{Code: tacet.PurgeProtected, Secret: sec.Name}
	case tx.Vault().PurgeProtection:
		days = max(days, int64(tx.Vault().RetentionDays))
	}
	out := DeleteSecretOutput{ARN: arn, Name: sec.Name, PurgeAt: tx.Now()}
	if in.Force {
		tx.DeleteSecret(sec)
		tx.Event(tacet.OpPurgeSecret, arn)
	} else {
		if sec, err = schedule(tx, sec, int(days)); err != nil {
			return none, err
		}
		out.PurgeAt = sec.PurgeAt
	}
	respond(tx, sec, "")
	tx.Respond("deletionDate", out.PurgeAt.Format(time.RFC3339))
	return out, nil
}

// schedule deletes a secret, to be purged after some days, and returns it as stored.
func schedule(tx *guard.Tx, sec *tacet.Secret, days int) (*tacet.Secret, error) {
	sec = sec.Clone()
	sec.Deleted, sec.PurgeAt, sec.Changed = tx.Now(), tx.Now().Add(time.Duration(days)*24*time.Hour), tx.Now()
	tx.Event(tacet.OpStartDelete, sec.ARN(tx.Vault()))
	return sec, tx.PutSecret(sec)
}

// unschedule takes a secret back from its deletion, and returns it as stored.
func unschedule(tx *guard.Tx, sec *tacet.Secret) (*tacet.Secret, error) {
	sec = sec.Clone()
	sec.Deleted, sec.PurgeAt, sec.Changed = time.Time{}, time.Time{}, tx.Now()
	tx.Event(tacet.OpCancelDelete, sec.ARN(tx.Vault()))
	return sec, tx.PutSecret(sec)
}

// RestoreSecret takes a secret back from its scheduled deletion, with all versions
// and labels. A secret that is not scheduled is left as it is, without an error.
//
// Errors: SecretNotFound, ReplicaReadOnly.
func (s *Service) RestoreSecret(ctx context.Context, call tacet.Call, ref tacet.SecretRef) (Named, error) {
	return guard.Do(ctx, s.g, request(call, tacet.OpRestoreSecret, ref), func(tx *guard.Tx) (Named, error) {
		sec, err := tx.Secret()
		if err == nil && sec.IsReplica() {
			err = &tacet.Error{Code: tacet.ReplicaReadOnly, Secret: sec.Name}
		}
		if err != nil {
			return Named{}, err
		}
		if sec.ScheduledForDeletion() {
			if sec, err = unschedule(tx, sec); err != nil {
				return Named{}, err
			}
		}
		respond(tx, sec, "")
		return named(tx, sec), nil
	})
}

// sweepBatch is how many secrets one sweep purges at most.
const sweepBatch = 100

// Sweep purges the secrets whose recovery window has ended and returns how many. It
// is Tacet's own work: nobody asks for it, and each purge is recorded. Until it runs,
// such a secret is already gone for every caller.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	due, err := s.g.DueForPurge(ctx, sweepBatch)
	if err != nil {
		return 0, err
	}
	purged := 0
	var errs []error
	for _, d := range due {
		r := guard.Request{Call: tacet.Call{Account: d.Vault.Account, Region: d.Vault.Region}, Operation: tacet.OpPurgeSecret, Secret: d.Secret}
		ok, err := guard.System(ctx, s.g, r, func(tx *guard.Tx) (bool, error) { return tx.PurgeIfDue(d.Secret.Name) })
		if err != nil {
			errs = append(errs, err) // one that cannot be purged must not keep the others
		}
		if ok {
			purged++
		}
	}
	return purged, errors.Join(errs...)
}
