package seal

import "crypto/cipher"

// formatValue is the first byte of a sealed value: AES-256-GCM under a data key.
const formatValue = 1

// An AAD is where a sealed value belongs. All of it must be the same to open the
// value, so that a value moved to another row, or another vault, does not open.
type AAD struct {
	Vault   string // chooses the key
	Kind    string // what Object is: "secret", "access key"
	Object  string // its id
	Version string
	Purpose string // which of the object's values
}

// append appends the encoding of a to b.
func (a *AAD) append(b []byte) []byte {
	b = append(b, formatValue)
	b = appendPart(b, a.Vault)
	b = appendPart(b, a.Kind)
	b = appendPart(b, a.Object)
	b = appendPart(b, a.Version)
	return appendPart(b, a.Purpose)
}

// aadSize is room for the encoding of an ordinary AAD: ids, not names.
const aadSize = 192

// overhead is what a nonce and a tag add to a ciphertext.
const overhead = 12 + 16

// Seal encrypts plaintext for the place a, with the newest data key of a.Vault.
// The result is
//
//	format (1 byte) | length of the key's id (1 byte) | the key's id | nonce | ciphertext | tag
//
// The error is a [NoKeyError] when the vault has no key, and [ErrExhausted] when the
// seals granted with [Ring.Reserved] are used up.
func (r *Ring) Seal(a AAD, plaintext []byte) ([]byte, error) {
	k := r.keys.Load().active[a.Vault]
	if k == nil {
		return nil, &NoKeyError{Vault: a.Vault}
	}
	if !k.take() {
		return nil, ErrExhausted
	}
	out := make([]byte, 0, 2+len(k.row.ID)+len(plaintext)+overhead)
	out = appendHeader(out, formatValue, k.row.ID)
	return k.aead.Seal(out, nil, plaintext, a.append(make([]byte, 0, aadSize))), nil
}

// Open decrypts what [Ring.Seal] made for the same place. The result is not nil, also
// when it is empty. The error is a [NoKeyError] when the ring does not have the key
// that sealed, and [ErrOpen] for anything else that is wrong.
func (r *Ring) Open(a AAD, sealed []byte) ([]byte, error) {
	id, body, ok := splitHeader(formatValue, sealed)
	if !ok || len(body) < overhead {
		return nil, ErrOpen
	}
	k := r.keys.Load().byID[string(id)]
	if k == nil {
		return nil, &NoKeyError{Vault: a.Vault, KeyID: string(id)}
	}
	if k.row.Vault != a.Vault {
		return nil, ErrOpen
	}
	return open(k.aead, body, a.append(make([]byte, 0, aadSize)))
}

// open decrypts body, which is a nonce, a ciphertext and a tag: at least overhead bytes.
func open(aead cipher.AEAD, body, aad []byte) ([]byte, error) {
	b, err := aead.Open(make([]byte, 0, len(body)-overhead), nil, body, aad)
	if err != nil {
		return nil, ErrOpen
	}
	return b, nil
}

// appendHeader appends what every output begins with: its format and its key.
func appendHeader(b []byte, format byte, id string) []byte {
	return append(append(b, format, byte(len(id))), id...)
}

// splitHeader is the inverse of appendHeader. It returns the key's id and the rest.
func splitHeader(format byte, b []byte) (id, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != format || len(b)-2 < int(b[1]) {
		return nil, nil, false
	}
	n := 2 + int(b[1])
	return b[2:n], b[n:], true
}
