package jwa

import (
	"crypto"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// The limits of a key set. The largest public ones have a few dozen keys.
const (
	// MaxKeySet is the size of the largest key set that is looked at, in bytes.
	MaxKeySet = 256 << 10
	// MaxKeys is how many keys it may have.
	MaxKeys = 100
)

// A PublicKey is a key that verifies signatures.
type PublicKey struct {
	// ID is the kid: what tokens call the key.
	ID string
	// Algorithm is the only algorithm the key is for; empty for all of its type.
	Algorithm Algorithm
	// Key is a *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey.
	Key crypto.PublicKey
}

// A KeySet is public keys to verify with, RFC 7517 section 5. It does not change.
type KeySet struct{ keys []PublicKey }

// NewKeySet returns the set of the keys.
func NewKeySet(keys ...PublicKey) KeySet { return KeySet{slices.Clone(keys)} }

// Len returns how many keys the set has.
func (s KeySet) Len() int { return len(s.keys) }

// Has reports whether a key of the set is called id.
func (s KeySet) Has(id string) bool {
	return slices.ContainsFunc(s.keys, func(k PublicKey) bool { return k.ID == id })
}

// ParseKeySet reads a JWK Set. Keys that cannot verify signatures with an accepted
// algorithm are left out, as RFC 7517 section 5 wishes: another use or key_ops, an
// unknown type, a short modulus. A set with a private or a symmetric key is refused as a
// whole, because it is published by mistake. Certificates in it are not looked at. The
// error is an [*Error] of kind [Malformed].
func ParseKeySet(raw []byte) (KeySet, error) {
	if len(raw) > MaxKeySet {
		return KeySet{}, malformed("The key set is too large.")
	}
	object, err := parseObject(raw)
	if err != nil {
		return KeySet{}, err
	}
	list, ok := object["keys"].([]any)
	if !ok {
		return KeySet{}, malformed("The key set has no array of keys.")
	}
	if len(list) > MaxKeys {
		return KeySet{}, malformed("The key set has too many keys.")
	}
	var s KeySet
	for _, e := range list {
		members, ok := e.(map[string]any)
		if !ok {
			return KeySet{}, malformed("The key set has a key that is not an object.")
		}
		if isPrivate(members) {
			return KeySet{}, malformed("The key set has a private or a symmetric key.")
		}
		if key, ok := parseKey(members); ok {
			s.keys = append(s.keys, key)
		}
	}
	return s, nil
}

// isPrivate reports whether a JWK has a member that only private and symmetric keys
// have, RFC 7518 section 6 and RFC 9964.
func isPrivate(members map[string]any) bool {
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, ok := members[name]; ok {
			return true
		}
	}
	return members["kty"] == "oct"
}

// parseKey reads a JWK and reports whether it can verify signatures.
func parseKey(members map[string]any) (PublicKey, bool) {
	if use, ok := members["use"]; ok && use != "sig" {
		return PublicKey{}, false
	}
	if ops, ok := members["key_ops"]; ok {
		list, _ := ops.([]any)
		if !slices.Contains(list, any("verify")) {
			return PublicKey{}, false
		}
	}
	essential := map[string]any{}
	for _, name := range []string{"kty", "kid", "alg", "crv", "x", "y", "n", "e"} {
		if v, ok := members[name]; ok {
			essential[name] = v
		}
	}
	text, err := json.Marshal(essential)
	if err != nil {
		return PublicKey{}, false
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(text); err != nil {
		return PublicKey{}, false
	}
	key := PublicKey{ID: jwk.KeyID, Algorithm: Algorithm(jwk.Algorithm), Key: jwk.Key}
	return key, key.usable()
}

// usable reports whether there is an algorithm that k verifies.
func (k PublicKey) usable() bool {
	return slices.ContainsFunc(accepted(), func(a jose.SignatureAlgorithm) bool { return k.allows(Algorithm(a)) })
}

// allows reports whether k verifies signatures of the algorithm.
func (k PublicKey) allows(a Algorithm) bool {
	return (k.Algorithm == "" || k.Algorithm == a) && a.fits(k.Key)
}

// find returns the key that the header names.
func (s KeySet) find(h Header) (crypto.PublicKey, error) {
	var named, able []PublicKey
	for _, k := range s.keys {
		if h.KeyID != "" && k.ID != h.KeyID {
			continue
		}
		named = append(named, k)
		if k.allows(h.Algorithm) {
			able = append(able, k)
		}
	}
	switch {
	case len(able) == 1, len(able) > 1 && h.KeyID != "": // one kid may stand for equivalent keys
		return able[0].Key, nil
	case len(named) > 0 && h.KeyID != "":
		return nil, &Error{AlgorithmRefused, "The token's signature algorithm is not one of its key's."}
	}
	return nil, &Error{KeyUnknown, "The token is signed with a key that is not known."}
}

// JSON returns the set as a JWK Set to publish, with kid, use and alg.
func (s KeySet) JSON() ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range s.keys {
		jwk := jose.JSONWebKey{Key: k.Key, KeyID: k.ID, Algorithm: string(k.Algorithm), Use: "sig"}
		if !jwk.IsPublic() {
			return nil, malformed("The key set has a key that is not public.")
		}
		set.Keys = append(set.Keys, jwk)
	}
	return json.Marshal(set)
}
