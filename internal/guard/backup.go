package guard

import (
	"encoding/json"
	"errors"
	"time"

	"tacet"
)

// backupPurpose separates backups from everything else that the deployment seals.
const backupPurpose = "backup/secret"

// backupFormat is the only format of a backup there has been.
const backupFormat = 1

// Backup is an opened backup of a secret.
type Backup struct {
	body backupBody
}

// Name is the secret's name as it was backed up.
func (b *Backup) Name() string { return b.body.Name }

// Tags are the tags of its current version.
func (b *Backup) Tags() []tacet.Tag { return b.body.Secret.Tags }

type backupBody struct {
	Format   int             `json:"format"`
	Name     string          `json:"name"`
	Secret   secretBody      `json:"secret"`
	Versions []backupVersion `json:"versions"`
}

type backupVersion struct {
	ID      tacet.VersionID `json:"id"`
	Kind    tacet.ValueKind `json:"kind,omitempty"`
	KMSKey  string          `json:"kms,omitempty"`
	Created int64           `json:"created"`
	Value   []byte          `json:"value,omitempty"`
}

// Backup seals the secret that was asked for with all its versions, labels, tags and
// attributes, for this deployment alone. Its resource policy, its replicas and what
// owns it stay behind.
func (s *scope) Backup() ([]byte, error) {
	sec := s.entry.secret.Clone()
	sec.Deleted, sec.OwningService, sec.PrimaryRegion, sec.ReplicaOf, sec.Replicas = time.Time{}, "", "", "", nil
	out := backupBody{Format: backupFormat, Name: sec.Name, Secret: bodyOf(sec)}
	versions, err := s.Versions()
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		ver, value, err := s.open(v.ID)
		if err != nil {
			return nil, err
		}
		out.Versions = append(out.Versions, backupVersion{ver.ID, ver.Kind, ver.KMSKeyID, tacet.Microseconds(ver.Created), value})
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return s.g.ring.Load().SealBlob(backupPurpose, text), nil
}

// OpenBackup opens what [Snapshot.Backup] made in this deployment, so that a decision
// can be about the name in it; nothing else of it can be seen before. The error is
// BackupInvalid for anything else.
func (g *Guard) OpenBackup(sealed []byte) (*Backup, error) {
	text, err := g.ring.Load().OpenBlob(backupPurpose, sealed)
	if err != nil {
		return nil, &tacet.Error{Code: tacet.BackupInvalid, Cause: err}
	}
	b := &Backup{}
	if err := json.Unmarshal(text, &b.body); err != nil {
		return nil, &tacet.Error{Code: tacet.BackupInvalid, Cause: errors.New("what was sealed is no backup")}
	}
	if b.body.Format != backupFormat || b.body.Name == "" {
		return nil, &tacet.Error{Code: tacet.BackupInvalid, Cause: errors.New("a backup in a format of another version")}
	}
	return b, nil
}

// RestoreBackup makes the secret of a backup anew, in the vault of the request and with
// the ARN's suffix given. The ids and times of its versions are those of before. It
// returns the secret and its current version.
func (tx *Tx) RestoreBackup(b *Backup, suffix string) (*tacet.Secret, *tacet.Version, error) {
	var current *tacet.Version
	sec := &tacet.Secret{ID: tacet.SecretID(tx.NewID()), Vault: tx.vault.ID, Name: b.body.Name, Suffix: suffix, Created: tx.now, Changed: tx.now}
	if err := b.body.Secret.fill(sec); err != nil {
		return nil, nil, err
	}
	sec = sec.Clone() // the backup may be restored again
	if err := tx.PutSecret(sec); err != nil {
		return nil, nil, err
	}
	for _, v := range b.body.Versions {
		ver := &tacet.Version{ID: v.ID, Secret: sec.ID, Kind: v.Kind, KMSKeyID: v.KMSKey, Created: tacet.Time(v.Created)}
		if err := tx.PutVersion(sec.Vault, ver, tacet.NewPlaintext(v.Value)); err != nil {
			return nil, nil, err
		}
		if ver.ID == sec.Stages[tacet.StageCurrent] {
			current = ver
		}
	}
	if current == nil {
		return nil, nil, &tacet.Error{Code: tacet.BackupInvalid, Cause: errors.New("a backup without a current version")}
	}
	return sec, current, nil
}
