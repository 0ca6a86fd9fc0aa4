package vault

import (
	"context"

	"tacet"
	"tacet/internal/guard"
)

// SoftDeleteSecret deletes a secret so that it can be recovered for as long as its vault
// says. Errors: SecretNotFound (also when it is deleted already), HasReplicas,
// ReplicaReadOnly, SecretManaged.
func (s *Service) SoftDeleteSecret(ctx context.Context, call tacet.Call, ref tacet.SecretRef) (SecretBundle, error) {
	return guard.Do(ctx, s.g, request(call, tacet.OpDeleteSecret, ref), func(tx *guard.Tx) (SecretBundle, error) {
		sec, ver, err := shownWhole(tx, shownLive)
		if err == nil && sec.OwningService != "" {
			err = &tacet.Error{Code: tacet.SecretManaged, Secret: sec.Name}
		}
		if err == nil && len(sec.Replicas) > 0 {
			err = &tacet.Error{Code: tacet.HasReplicas, ARN: sec.ARN(tx.Vault()), Regions: regionsOf(sec.Replicas)}
		}
		if err != nil {
			return SecretBundle{}, err
		}
		if sec, err = schedule(tx, sec, tx.Vault().RetentionDays); err != nil {
			return SecretBundle{}, err
		}
		respond(tx, sec, ver.ID)
		return bundle(tx.Vault(), sec, ver), nil
	})
}

// RecoverDeletedSecret takes a secret back from its deletion. Errors: SecretNotFound,
// ReplicaReadOnly.
func (s *Service) RecoverDeletedSecret(ctx context.Context, call tacet.Call, ref tacet.SecretRef) (SecretBundle, error) {
	return guard.Do(ctx, s.g, request(call, tacet.OpRestoreSecret, ref), func(tx *guard.Tx) (SecretBundle, error) {
		sec, ver, err := shownWhole(tx, shownDeleted)
		if err != nil {
			return SecretBundle{}, err
		}
		if sec, err = unschedule(tx, sec); err != nil {
			return SecretBundle{}, err
		}
		respond(tx, sec, ver.ID)
		return bundle(tx.Vault(), sec, ver), nil
	})
}

// PurgeDeletedSecret removes a deleted secret for good, before its time. Errors:
// SecretNotFound (also of a live one), PurgeProtected.
func (s *Service) PurgeDeletedSecret(ctx context.Context, call tacet.Call, ref tacet.SecretRef) error {
	r := request(call, tacet.OpPurgeDeletedSecret, ref)
	condition(&r, "secretsmanager:forcedeletewithoutrecovery", "true") // what it is in AWS's words
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (struct{}, error) {
		sec, err := shownDeleted(tx)
		if err == nil && tx.Vault().PurgeProtection {
			err = &tacet.Error{Code: tacet.PurgeProtected, Secret: sec.Name}
		}
		if err != nil {
			return struct{}{}, err
		}
		tx.DeleteSecret(sec)
		tx.Event(tacet.OpPurgeSecret, sec.ARN(tx.Vault()))
		respond(tx, sec, "")
		return struct{}{}, nil
	})
	return err
}

// shownWhole returns the secret of a change with its current version. A replica changes
// with its primary only.
func shownWhole(tx *guard.Tx, find func(place) (*tacet.Secret, error)) (*tacet.Secret, *tacet.Version, error) {
	sec, err := find(tx)
	if err == nil && sec.IsReplica() {
		err = &tacet.Error{Code: tacet.ReplicaReadOnly, Secret: sec.Name}
	}
	if err != nil {
		return nil, nil, err
	}
	ver, err := shownVersion(tx, sec, "")
	return sec, ver, err
}

// BackupSecret returns a secret with all its versions, sealed so that only this
// deployment can restore it, into any of its vaults. Disabled versions are in it too.
// Errors: SecretNotFound.
func (s *Service) BackupSecret(ctx context.Context, call tacet.Call, ref tacet.SecretRef) ([]byte, error) {
	return guard.View(ctx, s.g, request(call, tacet.OpBackupSecret, ref), func(v *guard.Snapshot) ([]byte, error) {
		if _, _, err := shownCurrent(v); err != nil {
			return nil, err
		}
		return v.Backup()
	})
}

// RestoreBackup makes the secret of a backup anew in the vault of the call, with the ids
// and attributes of its versions, the labels and the tags, and answers its current
// version. Errors: BackupInvalid, SecretExists, SecretNameScheduled.
func (s *Service) RestoreBackup(ctx context.Context, call tacet.Call, backup []byte) (SecretBundle, error) {
	r := request(call, tacet.OpRestoreBackup, tacet.SecretRef{})
	b, invalid := s.g.OpenBackup(backup)
	if invalid == nil {
		shown, ok := tacet.ShownName(b.Name())
		if r.Secret = tacet.NameRef(b.Name()); ok {
			r.Secret.Shown = shown // another name that is shown so is in the way too
		}
		r.Create = true
		parameter(&r, "name", b.Name())
		condition(&r, "secretsmanager:name", b.Name())
		if len(b.Tags()) > 0 {
			r.Also = []tacet.Operation{tacet.OpRestoreTags}
			tagConditions(&r, b.Tags())
		}
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (SecretBundle, error) {
		if invalid != nil {
			return SecretBundle{}, invalid
		}
		if old := tx.Existing(); old != nil {
			code := tacet.SecretExists
			if old.ScheduledForDeletion() {
				code = tacet.SecretNameScheduled
			}
			return SecretBundle{}, &tacet.Error{Code: code, Secret: r.Secret.Given}
		}
		sec, ver, err := tx.RestoreBackup(b, newSuffix())
		if err != nil {
			return SecretBundle{}, err
		}
		respond(tx, sec, ver.ID)
		return bundle(tx.Vault(), sec, ver), nil
	})
}
