package guard

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"tacet"
	"tacet/internal/seal"
	"tacet/internal/store"
)

// Kinds of directory rows for access tokens.
const (
	kindClientCredential = "clientcredential"
	kindTokenKey         = "tokenkey"
)

// applications is what the directory knows of principals as Azure's clients see them.
type applications struct {
	clients     map[string]string // client id -> unique id
	objects     map[string]string // object id -> unique id
	credentials map[string]*clientCredential
	held        map[string][]*clientCredential // by the unique id of the principal; never changed in place
	tokenKeys   []tokenKey                     // by Active; likewise
}

// clientCredential is a client credential; a secret is kept as its digest only: it has 256
// random bits, so that there is nothing to guess.
type clientCredential struct {
	tacet.ClientCredential
	Digest []byte `json:"digest,omitempty"`
}

type tokenKey struct {
	tacet.TokenKey
	private tacet.Plaintext
}

// storedTokenKey is the body of a token key's row.
type storedTokenKey struct {
	tacet.TokenKey
	Sealed []byte `json:"sealed"`
}

func tokenKeyAAD(id string) seal.AAD {
	return seal.AAD{Vault: directoryVault, Kind: kindTokenKey, Object: id, Purpose: "private"}
}

func newApplications() applications {
	return applications{clients: map[string]string{}, objects: map[string]string{},
		credentials: map[string]*clientCredential{}, held: map[string][]*clientCredential{}}
}

func (a *applications) clone() applications {
	return applications{clients: maps.Clone(a.clients), objects: maps.Clone(a.objects),
		credentials: maps.Clone(a.credentials), held: maps.Clone(a.held), tokenKeys: a.tokenKeys}
}

// addPrincipal makes a principal known by its GUIDs.
func (a *applications) addPrincipal(uniqueID string) {
	a.clients[tacet.ClientID(uniqueID)], a.objects[tacet.ObjectID(uniqueID)] = uniqueID, uniqueID
}

func (a *applications) forgetPrincipal(uniqueID string) {
	delete(a.clients, tacet.ClientID(uniqueID))
	delete(a.objects, tacet.ObjectID(uniqueID))
}

func (a *applications) addCredential(row store.ObjectRow) error {
	c := &clientCredential{}
	if err := json.Unmarshal([]byte(row.Body), c); err != nil {
		return err
	}
	a.removeCredential(c.ID)
	a.credentials[c.ID] = c
	a.held[c.Principal] = append(slices.Clip(a.held[c.Principal]), c)
	return nil
}

func (a *applications) removeCredential(id string) {
	c, ok := a.credentials[id]
	if !ok {
		return
	}
	delete(a.credentials, id)
	a.held[c.Principal] = slices.DeleteFunc(slices.Clone(a.held[c.Principal]), func(o *clientCredential) bool { return o.ID == id })
	if len(a.held[c.Principal]) == 0 {
		delete(a.held, c.Principal)
	}
}

func (a *applications) addTokenKey(g *Guard, row store.ObjectRow) error {
	var k storedTokenKey
	if err := json.Unmarshal([]byte(row.Body), &k); err != nil {
		return err
	}
	private, err := g.ring.Load().Open(tokenKeyAAD(row.ID), k.Sealed)
	if err != nil {
		return err
	}
	a.removeTokenKey(row.ID)
	a.tokenKeys = append(slices.Clip(a.tokenKeys), tokenKey{k.TokenKey, tacet.NewPlaintext(private)})
	slices.SortFunc(a.tokenKeys, func(x, y tokenKey) int { return cmp.Or(x.Active.Compare(y.Active), cmp.Compare(x.ID, y.ID)) })
	return nil
}

func (a *applications) removeTokenKey(id string) {
	a.tokenKeys = slices.DeleteFunc(slices.Clone(a.tokenKeys), func(k tokenKey) bool { return k.ID == id })
}

// An Application is a principal as it asks for an access token.
type Application struct {
	// Caller is the principal; a role's has no session yet.
	Caller tacet.Caller
	held   []*clientCredential
}

// Application returns the user or the role with a client id, which is a GUID in lower case.
// Like [Guard.Credential] it looks into the directory before there is anybody to decide
// about, and takes in what other nodes changed when it finds nothing.
func (g *Guard) Application(clientID string) (Application, bool) {
	a, ok := g.dir.Load().application(clientID)
	if !ok {
		g.refresh()
		a, ok = g.dir.Load().application(clientID)
	}
	return a, ok
}

func (d *directory) application(clientID string) (Application, bool) {
	id, ok := d.apps.clients[clientID]
	if !ok {
		return Application{}, false
	}
	c, ok := d.sessionCaller(&tacet.Session{Principal: id})
	c.Session = nil
	return Application{Caller: c, held: d.apps.held[id]}, ok
}

// ApplicationNamed returns the user or the role of an account with a name.
func (g *Guard) ApplicationNamed(account string, ref PrincipalRef) (Application, bool) {
	d := g.dir.Load()
	id := ""
	switch k := nameKey(account, ref.Name); ref.Kind {
	case tacet.KindUser:
		if u, ok := d.users[k]; ok {
			id = u.ID
		}
	case tacet.KindRole:
		if r, ok := d.roles[k]; ok {
			id = r.ID
		}
	}
	return d.application(tacet.ClientID(id))
}

// ByIdentityHeader returns the principal whose identity header value is, and the header's
// credential.
func (g *Guard) ByIdentityHeader(value tacet.Plaintext, now time.Time) (Application, tacet.ClientCredential, bool) {
	text := string(value.Reveal())
	id, _, _ := strings.Cut(text, ".")
	find := func() (Application, tacet.ClientCredential, bool) {
		d := g.dir.Load()
		c, ok := d.apps.credentials[id]
		if !ok || c.Kind != tacet.IdentityHeader || !c.matches(text) || !now.Before(c.Expires) {
			return Application{}, tacet.ClientCredential{}, false
		}
		a, ok := d.application(tacet.ClientID(c.Principal))
		return a, c.ClientCredential, ok
	}
	a, c, ok := find()
	if !ok {
		g.refresh()
		a, c, ok = find()
	}
	return a, c, ok
}

// Secret returns the client secret of the application that value is; nil when it is none. It
// compares with all of them, whatever value is.
func (a *Application) Secret(value tacet.Plaintext) *tacet.ClientCredential {
	var found *tacet.ClientCredential
	text := string(value.Reveal())
	for _, c := range a.compared() {
		if c.matches(text) && c.Kind == tacet.ClientSecret {
			found = &c.ClientCredential
		}
	}
	return found
}

// nobodys stands for the credentials of an application that holds none.
var nobodys = []*clientCredential{{ClientCredential: tacet.ClientCredential{ID: "00000000-0000-0000-0000-000000000000"}, Digest: make([]byte, sha256.Size)}}

// compared are the credentials that a secret is compared with. An application that holds
// none, or is not there at all, costs as much as one with a secret.
func (a *Application) compared() []*clientCredential {
	if len(a.held) == 0 {
		return nobodys
	}
	return a.held
}

// Certificates returns the client certificates of the application.
func (a *Application) Certificates() []tacet.ClientCredential {
	var out []tacet.ClientCredential
	for _, c := range a.held {
		if c.Kind == tacet.ClientCertificate {
			out = append(out, c.ClientCredential)
		}
	}
	return out
}

func (c *clientCredential) matches(secret string) bool {
	digest := digestOf(c.ID, secret)
	return subtle.ConstantTimeCompare(digest, c.Digest) == 1
}

// digestOf is what is kept of a client secret: it is bound to the credential, so that a
// digest that was moved to another row means nothing there.
func digestOf(id, secret string) []byte {
	sum := sha256.Sum256([]byte("client secret\x00" + id + "\x00" + secret))
	return sum[:]
}

// SessionCaller returns the caller whose access token carries a session: one whose
// principal, and the credential that the token was given for, are still there.
//
// Errors: CredentialInvalid.
func (g *Guard) SessionCaller(s *tacet.Session) (tacet.Caller, error) {
	find := func() (tacet.Caller, bool) {
		d := g.dir.Load()
		c, ok := d.sessionCaller(s)
		w := d.who(&c)
		return c, ok && w.known(&c)
	}
	c, ok := find()
	if !ok {
		g.refresh()
		if c, ok = find(); !ok {
			return tacet.Caller{}, &tacet.Error{Code: tacet.CredentialInvalid}
		}
	}
	return c, nil
}

// TokenKeys returns the keys of access tokens, in the order in which they become active.
func (g *Guard) TokenKeys() []tacet.TokenKey { return g.dir.Load().apps.listTokenKeys() }

// TokenKeys is [Guard.TokenKeys] as of this operation.
func (s *scope) TokenKeys() []tacet.TokenKey { return s.dir.apps.listTokenKeys() }

func (a *applications) listTokenKeys() []tacet.TokenKey {
	out := make([]tacet.TokenKey, len(a.tokenKeys))
	for i, k := range a.tokenKeys {
		out[i] = k.TokenKey
	}
	return out
}

// Refresh takes in what other nodes have changed, unless that was done a moment ago.
func (g *Guard) Refresh() { g.refresh() }

// HasTokenKey reports whether tokens that a key signed may still be good.
func (g *Guard) HasTokenKey(id string) bool {
	return slices.ContainsFunc(g.dir.Load().apps.tokenKeys, func(k tokenKey) bool { return k.ID == id })
}

// PrivateTokenKey returns the private part of a key of access tokens (PKCS #8).
func (g *Guard) PrivateTokenKey(id string) (tacet.Plaintext, bool) {
	for _, k := range g.dir.Load().apps.tokenKeys {
		if k.ID == id {
			return k.private, true
		}
	}
	return tacet.Plaintext{}, false
}

// Now is the time of the door: the clock's, but never before the newest recorded one.
func (g *Guard) Now() time.Time { return g.now(g.stats.highWater.Load()) }

// ClientCredentials lists the client credentials of a principal, in no order.
func (s *scope) ClientCredentials(principal string) []tacet.ClientCredential {
	var out []tacet.ClientCredential
	for _, c := range s.dir.apps.held[principal] {
		out = append(out, c.ClientCredential)
	}
	return out
}

// PutClientCredential stores a new client credential, with its secret unless it is a
// certificate.
func (tx *Tx) PutClientCredential(c tacet.ClientCredential, secret tacet.Plaintext) error {
	stored := clientCredential{ClientCredential: c}
	if (c.Kind == tacet.ClientCertificate) != secret.IsZero() {
		return errors.New("guard: a client secret and an identity header need a secret, and a certificate has none")
	}
	if !secret.IsZero() {
		stored.Digest = digestOf(c.ID, string(secret.Reveal()))
	}
	return tx.putObject(kindClientCredential, c.ID, c.Principal, stored)
}

// DeleteClientCredential removes a client credential. The access tokens that were given
// for it end with it.
func (tx *Tx) DeleteClientCredential(id string) error {
	return tx.deleteObject(kindClientCredential, id)
}

// deleteCredentialsOf removes what a principal that is gone leaves behind.
func (tx *Tx) deleteCredentialsOf(principal string) error {
	if tx.dir.ids[principal] != nil { // it only has another name
		return nil
	}
	for _, c := range tx.dir.apps.held[principal] {
		if err := tx.DeleteClientCredential(c.ID); err != nil {
			return err
		}
	}
	return nil
}

// PutTokenKey stores a key of access tokens with its private part.
func (tx *Tx) PutTokenKey(k tacet.TokenKey, private tacet.Plaintext) error {
	sealed, err := tx.sealSecret(tokenKeyAAD(k.ID), private)
	if err != nil {
		return err
	}
	return tx.putObject(kindTokenKey, k.ID, "", storedTokenKey{k, sealed})
}

// DeleteTokenKey removes a key of access tokens. No token that it signed is good any more.
func (tx *Tx) DeleteTokenKey(id string) error { return tx.deleteObject(kindTokenKey, id) }

// Unneeded says that work of Tacet's own was not due after all: there is nothing to record.
func (tx *Tx) Unneeded() { tx.unneeded = true }
