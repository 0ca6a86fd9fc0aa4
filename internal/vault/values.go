package vault

import (
	"context"
	"time"

	"tacet"
	"tacet/internal/guard"
)

// check refuses a value given in both forms.
func (v Value) check() error {
	if !v.String.IsZero() && !v.Binary.IsZero() {
		return &tacet.Error{Code: tacet.ValueAmbiguous}
	}
	return nil
}

func (v Value) kind() tacet.ValueKind {
	if !v.Binary.IsZero() {
		return tacet.ValueBinary
	}
	return tacet.ValueString
}

func (v Value) plaintext() tacet.Plaintext {
	if !v.Binary.IsZero() {
		return v.Binary
	}
	return v.String
}

// Versions kept without a label, and the most a secret may hold: those and one for
// each label. Only versions older than a day are removed to make room.
const (
	keepDeprecated = 100
	maxVersions    = keepDeprecated + tacet.MaxStages
	minVersionAge  = 24 * time.Hour
)

// addVersion seals a value as a new version of sec, making room if there are too many.
func addVersion(tx *guard.Tx, sec *tacet.Secret, id tacet.VersionID, value Value) error {
	if sec.Versions >= keepDeprecated {
		if err := purgeVersions(tx, sec); err != nil {
			return err
		}
	}
	if sec.Versions >= maxVersions {
		return tacet.Errorf(tacet.LimitExceeded, "You can't store more than %d versions of a secret within 24 hours.", maxVersions)
	}
	sec.Versions++
	v := &tacet.Version{ID: id, Secret: sec.ID, Kind: value.kind(), KMSKeyID: sec.KMSKeyID, Created: tx.Now()}
	return tx.PutVersion(sec.Vault, v, value.plaintext())
}

// purgeVersions removes the oldest versions that have no label and are older than a
// day, until there are fewer than [keepDeprecated] versions.
func purgeVersions(tx *guard.Tx, sec *tacet.Secret) error {
	versions, err := tx.Versions()
	if err != nil {
		return err
	}
	removed := false
	for _, v := range versions {
		if sec.Versions < keepDeprecated {
			break
		}
		if len(sec.StagesOf(v.ID)) == 0 && tx.Now().Sub(v.Created) >= minVersionAge {
			if err := deleteVersion(tx, sec, v.ID); err != nil {
				return err
			}
			sec.Versions--
			removed = true
		}
	}
	if removed {
		tx.Event(tacet.OpPurgeVersions, sec.ARN(tx.Vault()))
	}
	return nil
}

// deleteVersion removes a version of a secret and of its replicas.
func deleteVersion(tx *guard.Tx, sec *tacet.Secret, id tacet.VersionID) error {
	tx.DeleteVersion(sec.ID, id)
	delete(sec.Attributes, id)
	return eachReplica(tx, sec, func(_ tacet.Vault, copied *tacet.Secret) error {
		tx.DeleteVersion(copied.ID, id)
		return nil
	})
}

// sameVersion reports whether version id of the request's secret holds exactly value.
// The error is VersionNotFound when there is no such version.
func sameVersion(tx *guard.Tx, id tacet.VersionID, value Value) (bool, error) {
	v, err := tx.Version(id)
	if err != nil {
		return false, err
	}
	if v.Kind != value.kind() {
		return false, nil
	}
	old, err := tx.Open(id)
	if err != nil {
		return false, err
	}
	return old.Equal(value.plaintext()), nil
}

// putVersion stores value under the token, unless a repetition of the request has
// done so: then it reports repeated. An empty placeholder of a rotation is filled.
func putVersion(tx *guard.Tx, sec *tacet.Secret, token tacet.VersionID, value Value) (repeated bool, err error) {
	v, err := tx.Version(token)
	switch {
	case tacet.CodeOf(err) == tacet.VersionNotFound:
		return false, addVersion(tx, sec, token, value)
	case err != nil:
		return false, err
	case v.Kind == tacet.ValueNone:
		filled := *v
		filled.Kind = value.kind()
		return false, tx.PutVersion(sec.Vault, &filled, value.plaintext())
	}
	same, err := sameVersion(tx, token, value)
	if err == nil && !same {
		err = &tacet.Error{Code: tacet.TokenInUse, Version: token, ARN: sec.ARN(tx.Vault())}
	}
	return true, err
}

// PutSecretValue adds a version to a secret and attaches labels to it, AWSCURRENT
// when none are named. Repeated with the same token and value it changes nothing and
// answers the version's present labels.
//
// Errors: TokenMissing, ValueMissing, ValueAmbiguous, SecretNotFound,
// SecretMarkedDeleted, ReplicaReadOnly, TokenInUse, LimitExceeded, CrossAccountKey.
func (s *Service) PutSecretValue(ctx context.Context, call tacet.Call, in PutSecretValueInput) (PutSecretValueOutput, error) {
	r := request(call, tacet.OpPutSecretValue, in.Secret)
	parameter(&r, "clientRequestToken", string(in.Token))
	if len(in.Stages) > 0 {
		stages := make([]string, len(in.Stages))
		for i, st := range in.Stages {
			stages[i] = string(st)
		}
		r.Parameters["versionStages"] = stages
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (PutSecretValueOutput, error) { return put(tx, call, in) })
}

func put(tx *guard.Tx, call tacet.Call, in PutSecretValueInput) (PutSecretValueOutput, error) {
	var none PutSecretValueOutput
	if in.Token == "" {
		return none, &tacet.Error{Code: tacet.TokenMissing}
	}
	if err := in.Value.check(); err != nil {
		return none, err
	}
	if in.Value.IsZero() {
		return none, &tacet.Error{Code: tacet.ValueMissing}
	}
	sec, err := writable(tx)
	if err != nil {
		return none, err
	}
	if err := ownKey(tx); err != nil {
		return none, err
	}
	if in.RotationToken != "" {
		// A rotation hands its token out; no rotation has handed out any.
		return none, tacet.Errorf(tacet.InvalidParameter, "The RotationToken provided is not valid for this secret.")
	}
	repeated, err := putVersion(tx, sec, in.Token, in.Value)
	if err != nil {
		return none, err
	}
	if !repeated {
		if err := attachNew(sec, in.Token, in.Stages); err != nil {
			return none, err
		}
		if err := store(tx, sec, in.Token); err != nil {
			return none, err
		}
	}
	respond(tx, sec, in.Token)
	return PutSecretValueOutput{ARN: sec.ARN(tx.Vault()), Name: sec.Name, Version: in.Token, Stages: sec.StagesOf(in.Token)}, nil
}

// ownKey refuses values across accounts: the default key is the account's own.
func ownKey(at interface {
	Vault() tacet.Vault
	Account() string
}) error {
	if at.Vault().Account != at.Account() {
		return &tacet.Error{Code: tacet.CrossAccountKey}
	}
	return nil
}

// GetSecretValue returns the value of a version: the one named, the one that carries
// the label named, or the current one.
//
// Errors: SecretNotFound, SecretMarkedDeleted, StageNotFound, VersionNotFound,
// StageNotOnVersion, VersionDisabled, CrossAccountKey.
func (s *Service) GetSecretValue(ctx context.Context, call tacet.Call, in GetSecretValueInput) (SecretValue, error) {
	return guard.View(ctx, s.g, getRequest(call, in), func(v *guard.Snapshot) (SecretValue, error) { return get(v, in) })
}

func getRequest(call tacet.Call, in GetSecretValueInput) guard.Request {
	r := request(call, tacet.OpGetSecretValue, in.Secret)
	parameter(&r, "versionId", string(in.Version))
	parameter(&r, "versionStage", string(in.Stage))
	condition(&r, "secretsmanager:versionid", string(in.Version))
	condition(&r, "secretsmanager:versionstage", string(in.Stage))
	return r
}

func get(v *guard.Snapshot, in GetSecretValueInput) (SecretValue, error) {
	var none SecretValue
	sec, err := v.Secret()
	if err != nil {
		return none, err
	}
	if sec.ScheduledForDeletion() {
		return none, &tacet.Error{Code: tacet.SecretMarkedDeleted, Secret: sec.Name}
	}
	if err := ownKey(v); err != nil {
		return none, err
	}
	id, err := chooseVersion(v, sec, in)
	if err != nil {
		return none, err
	}
	ver, err := v.Version(id)
	if err != nil {
		return none, err
	}
	switch {
	case ver.Kind == tacet.ValueNone && in.Version == "":
		return none, &tacet.Error{Code: tacet.StageNotFound, Stage: in.Stage}
	case ver.Kind == tacet.ValueNone:
		return none, &tacet.Error{Code: tacet.VersionNotFound, Version: id}
	case len(sec.Attributes) > 0 && sec.Attributes[id].Disabled:
		return none, &tacet.Error{Code: tacet.VersionDisabled, Version: id}
	}
	value, err := v.Open(id)
	if err != nil {
		return none, err
	}
	v.Touch(id)
	return SecretValue{ARN: v.ARN(), Name: sec.Name, Version: id, Kind: ver.Kind, Value: value,
		Stages: sec.StagesOf(id), Created: ver.Created}, nil
}

// chooseVersion finds the version a read means. An unknown version id wins over a
// label that is not on it: rotation functions probe with both.
func chooseVersion(v *guard.Snapshot, sec *tacet.Secret, in GetSecretValueInput) (tacet.VersionID, error) {
	if in.Version != "" {
		if _, err := v.Version(in.Version); err != nil {
			return "", err
		}
		if in.Stage != "" && sec.Stages[in.Stage] != in.Version {
			return "", &tacet.Error{Code: tacet.StageNotOnVersion, Stage: in.Stage, Version: in.Version}
		}
		return in.Version, nil
	}
	stage := in.Stage
	if stage == "" {
		stage = tacet.StageCurrent
	}
	id, ok := sec.Stages[stage]
	if !ok {
		return "", &tacet.Error{Code: tacet.StageNotFound, Stage: stage}
	}
	return id, nil
}
