package vault

import (
	"context"
	"crypto/rand"
	"math/big"

	"tacet"
	"tacet/internal/guard"
)

// CreateSecret makes a secret, with its first version if a value is given and with
// copies in other regions if asked for. Repeated with the same token and value it
// changes nothing and answers the same.
//
// Errors: TokenMissing, ValueAmbiguous, InvalidParameter (tags), KMSKeyUnsupported,
// SecretExists, SecretNameScheduled, TokenInUse, ReplicaRegionInvalid.
func (s *Service) CreateSecret(ctx context.Context, call tacet.Call, in CreateSecretInput) (CreateSecretOutput, error) {
	r := guard.Request{Call: call, Operation: tacet.OpCreateSecret, Secret: tacet.NameRef(in.Name), Create: true,
		Parameters: map[string]any{"name": in.Name}}
	parameter(&r, "clientRequestToken", string(in.Token))
	parameter(&r, "description", in.Description)
	parameter(&r, "kmsKeyId", in.KMSKeyID)
	parameter(&r, "type", in.Type)
	condition(&r, "secretsmanager:name", in.Name)
	condition(&r, "secretsmanager:description", in.Description)
	keyConditions(&r, in.KMSKeyID)
	condition(&r, "secretsmanager:type", in.Type)
	if len(in.Tags) > 0 {
		r.Also = append(r.Also, tacet.OpTagResource)
		r.Parameters["tags"] = in.Tags
		tagConditions(&r, in.Tags)
	}
	condition(&r, "secretsmanager:forceoverwritereplicasecret", btoa(in.ForceOverwriteReplica))
	if len(in.Replicas) > 0 {
		r.Also = append(r.Also, tacet.OpReplicateSecretToRegions)
		replicaConditions(&r, in.Replicas, in.ForceOverwriteReplica)
		if err := s.ensureRegions(ctx, call, in.Replicas); err != nil {
			return CreateSecretOutput{}, err
		}
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (CreateSecretOutput, error) { return create(tx, in) })
}

func create(tx *guard.Tx, in CreateSecretInput) (CreateSecretOutput, error) {
	var none CreateSecretOutput
	if in.Token == "" {
		return none, &tacet.Error{Code: tacet.TokenMissing}
	}
	if err := in.Value.check(); err != nil {
		return none, err
	}
	if err := checkKey(in.KMSKeyID, tx.Vault().Account, tx.Vault().Region); err != nil {
		return none, err
	}
	if err := checkTags(in.Tags); err != nil {
		return none, err
	}
	if old := tx.Existing(); old != nil {
		return createAgain(tx, old, in)
	}
	sec := newSecret(tx, in.Name)
	sec.Description, sec.Type = in.Description, in.Type
	if len(in.Tags) > 0 {
		sec.Tags = append([]tacet.Tag{}, in.Tags...)
	}
	out := CreateSecretOutput{ARN: sec.ARN(tx.Vault()), Name: sec.Name}
	if !in.Value.IsZero() {
		if err := addVersion(tx, sec, in.Token, in.Value); err != nil {
			return none, err
		}
		moveStage(sec, tacet.StageCurrent, in.Token)
		out.Version = in.Token
	}
	if err := tx.PutSecret(sec); err != nil {
		return none, err
	}
	if len(in.Replicas) > 0 {
		var err error
		if sec, err = replicate(tx, sec.Clone(), in.Replicas, in.ForceOverwriteReplica); err != nil {
			return none, err
		}
		out.Replicas = inProgress(sec, in.Replicas)
	}
	respond(tx, sec, out.Version)
	return out, nil
}

// newSecret begins a secret without a version, which is not stored yet.
func newSecret(tx *guard.Tx, name string) *tacet.Secret {
	return &tacet.Secret{ID: tacet.SecretID(tx.NewID()), Vault: tx.Vault().ID, Name: name, Suffix: newSuffix(),
		Created: tx.Now(), Changed: tx.Now(), Stages: map[tacet.Stage]tacet.VersionID{}}
}

// createAgain answers a creation whose name is taken: a repetition of the request that
// took it succeeds, anything else is refused.
func createAgain(tx *guard.Tx, old *tacet.Secret, in CreateSecretInput) (CreateSecretOutput, error) {
	var none CreateSecretOutput
	if old.ScheduledForDeletion() {
		return none, &tacet.Error{Code: tacet.SecretNameScheduled, Secret: in.Name}
	}
	if in.Value.IsZero() {
		return none, &tacet.Error{Code: tacet.SecretExists, Secret: in.Name}
	}
	tx.UseExisting()
	same, err := sameVersion(tx, in.Token, in.Value)
	switch {
	case tacet.CodeOf(err) == tacet.VersionNotFound:
		return none, &tacet.Error{Code: tacet.SecretExists, Secret: in.Name}
	case err != nil:
		return none, err
	case !same:
		return none, &tacet.Error{Code: tacet.TokenInUse, Version: in.Token, ARN: old.ARN(tx.Vault())}
	}
	out := CreateSecretOutput{ARN: old.ARN(tx.Vault()), Name: old.Name, Version: in.Token}
	if len(in.Replicas) > 0 {
		out.Replicas = old.Replicas
	}
	return out, nil
}

// newSuffix draws the six letters and digits that end an ARN.
func newSuffix() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b [tacet.SuffixLength]byte
	for i := range b {
		b[i] = alphabet[draw(len(alphabet))]
	}
	return string(b[:])
}

// draw returns a uniform random number below n.
func draw(n int) int {
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // crypto/rand does not fail on any platform Go supports
	}
	return int(v.Int64())
}
