package identity

import (
	"context"
	"slices"
	"sync"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/jwa"
)

// The life of a key of access tokens. It is published before it signs, so that whoever
// keeps our keys has it in time, and kept after the last token it signed has expired.
const (
	keySigns   = 30 * 24 * time.Hour
	keyAhead   = 24 * time.Hour
	keyLingers = time.Hour + tokenSkew
)

// tokenKeys keeps the keys of access tokens that were read: the directory has them in the
// form in which they are stored.
type tokenKeys struct {
	mu   sync.Mutex
	keys map[string]*jwa.SigningKey
}

// get returns a key that the directory has.
func (t *tokenKeys) get(g *guard.Guard, id string) (*jwa.SigningKey, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	private, ok := g.PrivateTokenKey(id)
	if !ok {
		delete(t.keys, id)
		return nil, &tacet.Error{Code: tacet.CredentialInvalid}
	}
	if k, ok := t.keys[id]; ok {
		return k, nil
	}
	k, err := jwa.ParseSigningKey(private)
	if err != nil {
		return nil, err
	}
	if t.keys == nil {
		t.keys = map[string]*jwa.SigningKey{}
	}
	t.keys[id] = k
	return k, nil
}

// TokenKeySet returns the keys that verify access tokens, those that are about to sign
// included. They are public.
func (s *Service) TokenKeySet() (jwa.KeySet, error) {
	keys := s.g.TokenKeys()
	public := make([]jwa.PublicKey, 0, len(keys))
	for _, k := range keys {
		key, err := s.keys.get(s.g, k.ID)
		if tacet.CodeOf(err) == tacet.CredentialInvalid {
			continue // it was retired a moment ago
		}
		if err != nil {
			return jwa.KeySet{}, err
		}
		public = append(public, key.Public())
	}
	return jwa.NewKeySet(public...), nil
}

// signingKey returns the key that signs at a time: the one that has been active for the
// shortest time.
func (s *Service) signingKey(now time.Time) (*jwa.SigningKey, error) {
	keys := s.g.TokenKeys()
	for _, k := range slices.Backward(keys) {
		if !k.Active.After(now) {
			return s.keys.get(s.g, k.ID)
		}
	}
	return nil, tacet.Errorf(tacet.Unavailable, "There is no key for access tokens.")
}

// RotateTokenKeys makes the next key of access tokens, for the algorithm "ES256" or
// "RS256", when it is due, and removes those that no token needs any more. On a deployment
// without one it makes the first. It is to be called at the start and now and then; any
// node may.
func (s *Service) RotateTokenKeys(ctx context.Context, algorithm string) error {
	if due, gone := dueKeys(s.g.TokenKeys(), s.g.Now(), algorithm); !due && len(gone) == 0 {
		return nil
	}
	key, err := jwa.GenerateKey(jwa.Algorithm(algorithm)) // outside the door: RSA takes its time
	if err != nil {
		return err
	}
	private, err := key.PKCS8()
	if err != nil {
		return err
	}
	r := guard.Request{Operation: tacet.OpRotateTokenKeys}
	_, err = guard.System(ctx, s.g, r, func(tx *guard.Tx) (none struct{}, err error) {
		keys := tx.TokenKeys()
		due, gone := dueKeys(keys, tx.Now(), algorithm)
		if !due && len(gone) == 0 {
			tx.Unneeded() // another node was faster
			return none, nil
		}
		for _, id := range gone {
			if err := tx.DeleteTokenKey(id); err != nil {
				return none, err
			}
		}
		tx.Respond("retiredKeyIds", gone)
		if !due {
			return none, nil
		}
		k := tacet.TokenKey{ID: key.ID(), Algorithm: algorithm, Created: tx.Now(), Active: tx.Now()}
		if len(keys) > len(gone) { // somebody may rely on the present one
			k.Active = k.Active.Add(keyAhead)
		}
		tx.Respond("keyId", k.ID)
		return none, tx.PutTokenKey(k, private)
	})
	return err
}

// dueKeys decides about keys in the order in which they become active: whether the next one
// has to be made, and which are to go.
func dueKeys(keys []tacet.TokenKey, now time.Time, algorithm string) (due bool, gone []string) {
	for i, k := range keys {
		if i+1 < len(keys) && now.After(keys[i+1].Active.Add(keyLingers)) {
			gone = append(gone, k.ID)
		}
	}
	if len(keys) == 0 {
		return true, nil
	}
	last := keys[len(keys)-1]
	return last.Algorithm != algorithm || now.After(last.Active.Add(keySigns-keyAhead)), gone
}
