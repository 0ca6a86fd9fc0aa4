package vault

import (
	"context"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// DescribeSecret returns everything about a secret but its values, also while it
// waits for its purge. Errors: SecretNotFound.
func (s *Service) DescribeSecret(ctx context.Context, call tacet.Call, ref tacet.SecretRef) (SecretInfo, error) {
	return guard.View(ctx, s.g, request(call, tacet.OpDescribeSecret, ref), func(v *guard.Snapshot) (SecretInfo, error) {
		sec, err := v.Secret()
		if err != nil {
			return SecretInfo{}, err
		}
		if sec, err = withReplicas(v, sec); err != nil {
			return SecretInfo{}, err
		}
		return SecretInfo{ARN: v.ARN(), Secret: sec, Region: v.Vault().Region}, nil
	})
}

// UpdateSecret changes the description, the type or the key of a secret, and adds a
// current version if a value is given. With nothing but the secret it succeeds.
//
// Errors: TokenMissing, ValueAmbiguous, KMSKeyUnsupported, SecretNotFound,
// SecretMarkedDeleted, SecretManaged, ReplicaReadOnly, TokenInUse, LimitExceeded.
func (s *Service) UpdateSecret(ctx context.Context, call tacet.Call, in UpdateSecretInput) (UpdateSecretOutput, error) {
	r := request(call, tacet.OpUpdateSecret, in.Secret)
	parameter(&r, "clientRequestToken", string(in.Token))
	if in.Description != nil {
		r.Parameters["description"] = *in.Description
		condition(&r, "secretsmanager:description", *in.Description)
	}
	if in.Type != nil {
		r.Parameters["type"] = *in.Type
		condition(&r, "secretsmanager:type", *in.Type)
	}
	if in.KMSKeyID != nil {
		r.Parameters["kmsKeyId"] = *in.KMSKeyID
		keyConditions(&r, *in.KMSKeyID)
	}
	if !in.Value.IsZero() {
		r.Also = []tacet.Operation{tacet.OpUpdateValue}
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (UpdateSecretOutput, error) { return update(tx, call, in) })
}

func update(tx *guard.Tx, call tacet.Call, in UpdateSecretInput) (UpdateSecretOutput, error) {
	var none UpdateSecretOutput
	if in.Token == "" {
		return none, &tacet.Error{Code: tacet.TokenMissing}
	}
	if err := in.Value.check(); err != nil {
		return none, err
	}
	onlyKey := in.KMSKeyID != nil && in.Description == nil && in.Type == nil && in.Value.IsZero()
	sec, err := live(tx)
	if err == nil && sec.IsReplica() && !onlyKey {
		err = &tacet.Error{Code: tacet.ReplicaReadOnly, Secret: sec.Name}
	}
	if err == nil && sec.OwningService != "" {
		err = &tacet.Error{Code: tacet.SecretManaged, Secret: sec.Name}
	}
	if err == nil && in.KMSKeyID != nil {
		err = checkKey(*in.KMSKeyID, tx.Vault().Account, tx.Vault().Region)
	}
	if err != nil {
		return none, err
	}
	out := UpdateSecretOutput{ARN: sec.ARN(tx.Vault()), Name: sec.Name}
	var copied []tacet.VersionID
	changed := false
	if !in.Value.IsZero() {
		if err := ownKey(tx); err != nil {
			return none, err
		}
		repeated, err := putVersion(tx, sec, in.Token, in.Value)
		if err != nil {
			return none, err
		}
		out.Version = in.Token
		if repeated { // nothing changes, and the answer is that of the first time
			return out, nil
		}
		if err := attachNew(sec, in.Token, nil); err != nil {
			return none, err
		}
		copied, changed = append(copied, in.Token), true
	}
	if in.Description != nil {
		changed = changed || sec.Description != *in.Description
		sec.Description = *in.Description
	}
	if in.Type != nil {
		changed = changed || sec.Type != *in.Type
		sec.Type = *in.Type
	}
	if changed || in.KMSKeyID != nil {
		if err := store(tx, sec, copied...); err != nil {
			return none, err
		}
	}
	respond(tx, sec, out.Version)
	return out, nil
}

// checkTags refuses tags that no secret may have.
func checkTags(tags []tacet.Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case seen[t.Key]:
			return tacet.Errorf(tacet.InvalidParameter, "The request contains duplicate tag keys: %s.", t.Key)
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return tacet.Errorf(tacet.InvalidParameter, "Tag keys can't begin with aws:, which is reserved for system use.")
		}
		seen[t.Key] = true
	}
	if len(tags) > tacet.MaxTags {
		return tacet.Errorf(tacet.InvalidParameter, "A secret can't have more than %d tags.", tacet.MaxTags)
	}
	return nil
}

// TagResource adds tags to a secret, replacing the values of keys it has.
//
// Errors: InvalidParameter, SecretNotFound, SecretMarkedDeleted, ReplicaReadOnly, and
// Denied if the caller would lose his own right to tag.
func (s *Service) TagResource(ctx context.Context, call tacet.Call, ref tacet.SecretRef, tags []tacet.Tag) (Named, error) {
	r := request(call, tacet.OpTagResource, ref)
	r.Parameters["tags"] = tags
	tagConditions(&r, tags)
	return s.retag(ctx, r, func(sec *tacet.Secret) error {
		if err := checkTags(tags); err != nil || len(tags) == 0 {
			return err
		}
		merged := append([]tacet.Tag{}, sec.Tags...)
		for _, t := range tags {
			if i := indexTag(merged, t.Key); i >= 0 {
				merged[i] = t
			} else {
				merged = append(merged, t)
			}
		}
		sec.Tags = merged
		return checkTags(merged)
	})
}

// UntagResource removes tags by key; a key the secret does not have is no error.
//
// Errors: as [Service.TagResource].
func (s *Service) UntagResource(ctx context.Context, call tacet.Call, ref tacet.SecretRef, keys []string) (Named, error) {
	r := request(call, tacet.OpUntagResource, ref)
	r.Parameters["tagKeys"] = keys
	condition(&r, "aws:tagkeys", keys...)
	return s.retag(ctx, r, func(sec *tacet.Secret) error {
		if sec.Tags == nil {
			return nil
		}
		kept := []tacet.Tag{}
		for _, t := range sec.Tags {
			if !slices.Contains(keys, t.Key) {
				kept = append(kept, t)
			}
		}
		sec.Tags = kept
		return nil
	})
}

func (s *Service) retag(ctx context.Context, r guard.Request, change func(*tacet.Secret) error) (Named, error) {
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (Named, error) {
		sec, err := writable(tx)
		if err != nil {
			return Named{}, err
		}
		before := sec.Tags
		if err := keepTags(tx, sec); err != nil {
			return Named{}, err
		}
		if err := change(sec); err != nil {
			return Named{}, err
		}
		if slices.Equal(before, sec.Tags) {
			return named(tx, sec), nil
		}
		if err := tx.StillAllowed(sec); err != nil {
			return Named{}, err
		}
		if err := store(tx, sec); err != nil {
			return Named{}, err
		}
		return named(tx, sec), nil
	})
}

func indexTag(tags []tacet.Tag, key string) int {
	for i, t := range tags {
		if t.Key == key {
			return i
		}
	}
	return -1
}
