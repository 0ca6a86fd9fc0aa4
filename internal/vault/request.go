package vault

import (
	"cmp"
	"context"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// request begins a request about a secret, with what every such record says.
func request(call tacet.Call, op tacet.Operation, ref tacet.SecretRef) guard.Request {
	r := guard.Request{Call: call, Operation: op, Secret: ref, Parameters: map[string]any{}}
	if !ref.IsZero() {
		r.Parameters["secretId"] = ref.Given
	}
	return r
}

// RecordRefusal records a request that a face refused before it could be decided: it
// could not be read, broke a constraint or a rate. op is empty for an unknown operation.
func (s *Service) RecordRefusal(ctx context.Context, call tacet.Call, op tacet.Operation, code tacet.Code) error {
	return guard.Refuse(ctx, s.g, guard.Request{Call: call, Operation: cmp.Or(op, "Unknown")}, code)
}

// condition adds a condition key to a request, unless the value is empty: a key that
// the caller did not send is absent from the context.
func condition(r *guard.Request, key string, values ...string) {
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return
	}
	r.AddCondition(key, values...)
}

// parameter adds what the caller sent to the record, unless it is empty.
func parameter(r *guard.Request, name, value string) {
	if value != "" {
		r.Parameters[name] = value
	}
}

// given adds what the caller sent to the record, unless he did not.
func given[T any](r *guard.Request, name string, value *T) {
	if value != nil {
		r.Parameters[name] = *value
	}
}

// keyConditions are the condition keys of a KMS key that the caller sent. The ARN is that of
// the key or the alias that the id names in the vault's account and region.
func keyConditions(r *guard.Request, id string) {
	condition(r, "secretsmanager:kmskeyid", id)
	arn := id
	if id != "" && !strings.HasPrefix(id, "arn:") {
		arn = "arn:aws:kms:" + r.Call.Region + ":" + r.Call.Account + ":"
		if !strings.HasPrefix(id, "alias/") {
			arn += "key/"
		}
		arn += id
	}
	condition(r, "secretsmanager:kmskeyarn", arn)
}

func tagConditions(r *guard.Request, tags []tacet.Tag) {
	keys := make([]string, len(tags))
	for i, t := range tags {
		r.AddCondition("aws:requesttag/"+t.Key, t.Value)
		keys[i] = t.Key
	}
	condition(r, "aws:tagkeys", keys...)
}

// live returns the secret of a change, which must exist and not wait for its purge.
func live(tx *guard.Tx) (*tacet.Secret, error) {
	sec, err := tx.Secret()
	if err != nil {
		return nil, err
	}
	if sec.ScheduledForDeletion() {
		return nil, &tacet.Error{Code: tacet.SecretMarkedDeleted, Secret: sec.Name}
	}
	return sec.Clone(), nil
}

// writable is live, and refuses replicas: they change with their primary.
func writable(tx *guard.Tx) (*tacet.Secret, error) {
	sec, err := live(tx)
	if err != nil {
		return nil, err
	}
	if sec.IsReplica() {
		return nil, &tacet.Error{Code: tacet.ReplicaReadOnly, Secret: sec.Name}
	}
	return sec, nil
}

// store writes a changed primary and brings its replicas up to date, copying the
// versions named.
func store(tx *guard.Tx, sec *tacet.Secret, versions ...tacet.VersionID) error {
	sec.Changed = tx.Now()
	if err := tx.PutSecret(sec); err != nil {
		return err
	}
	return propagate(tx, sec, versions)
}

func named(tx interface{ Vault() tacet.Vault }, sec *tacet.Secret) Named {
	return Named{ARN: sec.ARN(tx.Vault()), Name: sec.Name}
}

// respond adds to the record which secret a change was about, as CloudTrail does.
func respond(tx *guard.Tx, sec *tacet.Secret, version tacet.VersionID) {
	tx.Respond("arn", sec.ARN(tx.Vault()))
	tx.Respond("name", sec.Name)
	if version != "" {
		tx.Respond("versionId", string(version))
	}
}

// defaultKey is the alias of the key that stands for "no key of your own".
const defaultKey = "alias/aws/secretsmanager"

// checkKey refuses every key but the default one of an account in a region, the only one
// there is until Tacet has keys: any other is refused, never quietly replaced. Empty means
// the default key.
func checkKey(id, account, region string) error {
	switch id {
	case "", defaultKey, "arn:aws:kms:" + region + ":" + account + ":" + defaultKey:
		return nil
	}
	return tacet.Errorf(tacet.KMSKeyUnsupported, "%s", id)
}
