package tacet

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// ClientID returns the GUID under which Azure's clients ask for tokens of a user or a
// role: appid of the application, client id of the managed identity. It follows from the
// principal's unique id and is a UUID of version 8 (RFC 9562).
func ClientID(uniqueID string) string { return guid("client", uniqueID) }

// ObjectID returns the GUID that Azure's grants and records call a user or a role: oid of
// the service principal. It follows from the principal's unique id.
func ObjectID(uniqueID string) string { return guid("object", uniqueID) }

// TenantID returns the GUID of the tenant that a deployment is. It follows from the
// deployment's id.
func TenantID(deployment string) string { return guid("tenant", deployment) }

// guid makes an id of a name in a space of names, RFC 9562 section 5.8.
func guid(space, name string) string {
	sum := sha256.Sum256([]byte(space + "\x00" + name))
	return FormatGUID([16]byte(sum[:16]), 8)
}

// FormatGUID writes 128 bits as a UUID of a version (RFC 9562 section 4), in lower case.
func FormatGUID(b [16]byte, version byte) string {
	b[6], b[8] = b[6]&0x0f|version<<4, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// A ClientCredentialKind is a way in which a principal proves who it is when it asks for
// an access token.
type ClientCredentialKind string

// The kinds of client credentials.
const (
	// ClientSecret is sent with the client id: OAuth 2.0's client_secret.
	ClientSecret ClientCredentialKind = "client-secret"
	// ClientCertificate is the certificate whose key signs client assertions.
	ClientCertificate ClientCredentialKind = "client-certificate"
	// IdentityHeader is sent alone, as X-IDENTITY-HEADER: who has it is the principal.
	IdentityHeader ClientCredentialKind = "identity-header"
)

// A ClientCredential is a long-term credential that gets access tokens, without its secret.
type ClientCredential struct {
	ID   string               `json:"id"` // a GUID, Azure's key id
	Kind ClientCredentialKind `json:"kind"`
	// Account and Principal are whose it is; Principal is a unique id, AIDA… or AROA….
	Account     string `json:"account"`
	Principal   string `json:"principal"`
	Description string `json:"description,omitempty"`
	// Hint is how a secret begins, to tell one from another.
	Hint    string    `json:"hint,omitempty"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	// Thumbprint is a client certificate's SHA-1 in hex, as Azure shows it; Certificate is
	// the certificate in DER.
	Thumbprint  string `json:"thumbprint,omitempty"`
	Certificate []byte `json:"certificate,omitempty"`
}

// A TokenKey is a key that signs access tokens, without its private part.
type TokenKey struct {
	ID        string `json:"id"`        // kid
	Algorithm string `json:"algorithm"` // RFC 7518's name: ES256 or RS256
	// Created is when it was published, Active when it begins to sign.
	Created time.Time `json:"created"`
	Active  time.Time `json:"active"`
}
