package identity

import (
	"context"
	"fmt"
	"slices"

	"tacet"
	"tacet/internal/guard"
)

// CreateAccessKey makes an access key of a user, the caller for user ""; its secret is
// never shown again.
//
// Errors: PrincipalNotFound, LimitExceeded (two keys a user), InvalidParameter (no name from
// a caller that is no user).
func (s *Service) CreateAccessKey(ctx context.Context, call tacet.Call, user string) (tacet.AccessKey, tacet.Plaintext, error) {
	var secret tacet.Plaintext
	user = ownName(call, user)
	r := Ref{tacet.KindUser, user}.request(call, tacet.OpCreateAccessKey)
	k, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (tacet.AccessKey, error) {
		u, err := findUser(tx, call, user)
		if err != nil {
			return tacet.AccessKey{}, err
		}
		if len(tx.AccessKeys(call.Account, user)) >= maxAccessKeys {
			return tacet.AccessKey{}, quota("AccessKeysPerUser", maxAccessKeys)
		}
		k, s, err := createKey(tx, u)
		secret = s
		tx.Respond("accessKeyId", k.ID)
		return k, err
	})
	if err != nil {
		return tacet.AccessKey{}, tacet.Plaintext{}, err
	}
	return k, secret, nil
}

// quota words that a limit of IAM is reached.
func quota(name string, limit int) error {
	return tacet.Errorf(tacet.LimitExceeded, "Cannot exceed quota for %s: %d", name, limit)
}

// ListAccessKeys returns the access keys of a user, the caller for user "", oldest first.
//
// Errors: PrincipalNotFound, InvalidNextToken, InvalidParameter (no name from a caller that
// is no user).
func (s *Service) ListAccessKeys(ctx context.Context, call tacet.Call, user string, p Page) (List[tacet.AccessKey], error) {
	user = ownName(call, user)
	r := Ref{tacet.KindUser, user}.request(call, tacet.OpListAccessKeys)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (List[tacet.AccessKey], error) {
		if _, err := findUser(v, call, user); err != nil {
			return List[tacet.AccessKey]{}, err
		}
		return pageOf(v, tacet.OpListAccessKeys, user, p, v.AccessKeys(call.Account, user), func(k *tacet.AccessKey) string {
			return fmt.Sprintf("%020d %s", k.Created.UnixMicro(), k.ID)
		})
	})
}

// UpdateAccessKey makes an access key of a user, the caller for user "", active or inactive.
//
// Errors: PrincipalNotFound, InvalidParameter (no name from a caller that is no user).
func (s *Service) UpdateAccessKey(ctx context.Context, call tacet.Call, user, id string, active bool) error {
	status := "Inactive"
	if active {
		status = "Active"
	}
	return s.changeKey(ctx, call, tacet.OpUpdateAccessKey, user, id, map[string]any{"status": status}, func(tx *guard.Tx, k tacet.AccessKey) error {
		k.Inactive = !active
		return tx.PutAccessKey(k, tacet.Plaintext{})
	})
}

// DeleteAccessKey removes an access key of a user, the caller for user "".
//
// Errors: PrincipalNotFound, InvalidParameter (no name from a caller that is no user).
func (s *Service) DeleteAccessKey(ctx context.Context, call tacet.Call, user, id string) error {
	return s.changeKey(ctx, call, tacet.OpDeleteAccessKey, user, id, nil, func(tx *guard.Tx, k tacet.AccessKey) error {
		return tx.DeleteAccessKey(k.ID)
	})
}

// changeKey changes one of a user's own keys: an id of somebody else's is not found.
func (s *Service) changeKey(ctx context.Context, call tacet.Call, op tacet.Operation, user, id string, params map[string]any,
	do func(*guard.Tx, tacet.AccessKey) error) error {
	user = ownName(call, user)
	r := Ref{tacet.KindUser, user}.request(call, op)
	r.Parameters["accessKeyId"] = id
	for name, v := range params {
		r.Parameters[name] = v
	}
	_, err := guard.Do(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		if _, err := findUser(tx, call, user); err != nil {
			return none, err
		}
		keys := tx.AccessKeys(call.Account, user)
		i := slices.IndexFunc(keys, func(k tacet.AccessKey) bool { return k.ID == id })
		if i < 0 {
			return none, tacet.Errorf(tacet.PrincipalNotFound, "The Access Key with id %s cannot be found.", id)
		}
		return none, do(tx, keys[i])
	})
	return err
}

// KeyUse is the output of [Service.GetAccessKeyLastUsed].
type KeyUse struct {
	User string
	tacet.LastUse
}

// GetAccessKeyLastUsed returns whose an access key is and when it was last used. Of a key
// that is not of the caller's account it says no more than that it may not be asked about.
//
// Errors: Denied.
func (s *Service) GetAccessKeyLastUsed(ctx context.Context, call tacet.Call, id string) (KeyUse, error) {
	r := Ref{tacet.KindAccessKey, id}.request(call, tacet.OpGetAccessKeyLastUsed)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (KeyUse, error) {
		k, ok := v.AccessKey(id)
		if !ok || k.Account != call.Account {
			return KeyUse{}, &tacet.Error{Code: tacet.Denied, Denial: &tacet.Denial{Caller: call.Caller.ARN,
				Action: tacet.OpGetAccessKeyLastUsed.Action(), Resource: "access key " + id}}
		}
		use, err := v.LastUse(id)
		return KeyUse{k.User, use}, err
	})
}
