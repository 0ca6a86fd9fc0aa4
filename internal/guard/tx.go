package guard

import (
	"errors"
	"slices"
	"strings"
	"time"

	"tacet"
	"tacet/internal/seal"
	"tacet/internal/store"
)

// A Tx is what a change works on: all that a [Snapshot] shows, and the verbs that
// change. What it changes is kept aside until the operation has succeeded. It is good
// until the operation returns.
type Tx struct {
	scope
	group   *group
	changes *changeset
	// unneeded marks work of Tacet's own that was not due after all: nothing was asked
	// for and nothing was done, so there is nothing to record.
	unneeded bool
}

func (gr *group) newTx(j *job) *Tx {
	tx := &Tx{group: gr, changes: newChangeset()}
	tx.scope = scope{g: gr.g, ctx: j.ctx, job: j, now: gr.now, dir: gr.directory(), tx: tx}
	return tx
}

// discard forgets what the operation changed: it failed.
func (tx *Tx) discard() { tx.changes = newChangeset() }

// NewID returns a new id, 32 hex characters.
func (tx *Tx) NewID() string { return newID() }

// Existing is, for a creation, the secret that has the name already; nil if none.
func (tx *Tx) Existing() *tacet.Secret {
	if tx.existing == nil {
		return nil
	}
	return tx.existing.secret
}

// PutSecret stores a secret, new or changed. The caller hands it over: it must not
// be changed afterwards.
func (tx *Tx) PutSecret(sec *tacet.Secret) error {
	row, err := tx.g.encodeSecret(sec)
	if err != nil {
		return err
	}
	e, err := newEntry(sec)
	if err != nil {
		return err
	}
	k := key{sec.Vault, sec.Name}
	old, err := tx.entryOf(k)
	if err != nil {
		return err
	}
	if old == nil {
		if err := tx.roomForSecret(sec.Vault); err != nil {
			return err
		}
		tx.changes.count(sec.Vault, 1)
	}
	if old != nil && old.secret.ID == sec.ID {
		e.versions.Store(old.versions.Load())
	} else if old != nil {
		// The name is being taken over from a secret whose purge is due.
		tx.changes.deleted[old.secret.ID] = true
		if v, ok := tx.dir.byID(old.secret.Vault); ok {
			tx.Event(tacet.OpPurgeSecret, old.secret.ARN(v))
		}
	}
	tx.changes.secrets[k] = &secretChange{entry: e, row: row}
	if tx.scope.entry != nil && tx.scope.entry.secret.ID == sec.ID {
		tx.scope.entry = e
	}
	return nil
}

// DeleteSecret removes a secret and all its versions, for good.
func (tx *Tx) DeleteSecret(sec *tacet.Secret) {
	tx.changes.secrets[key{sec.Vault, sec.Name}] = &secretChange{}
	tx.changes.deleted[sec.ID] = true
	tx.changes.count(sec.Vault, -1)
}

// PutVersion seals value and stores it as version v of a secret in vault. A version of
// kind ValueNone has no value.
func (tx *Tx) PutVersion(vault tacet.VaultID, v *tacet.Version, value tacet.Plaintext) error {
	if strings.IndexByte(string(v.ID), 0) >= 0 {
		return tacet.Errorf(tacet.InvalidParameter, "The ClientRequestToken must not contain a NUL character.")
	}
	var sealed []byte
	if v.Kind != tacet.ValueNone {
		if err := tx.group.reserve(string(vault)); err != nil {
			return err
		}
		var err error
		if sealed, err = tx.g.ring.Load().Seal(versionAAD(vault, v), value.Reveal()); err != nil {
			return err
		}
	}
	row, err := encodeVersion(v, sealed)
	if err != nil {
		return err
	}
	tx.changes.versions[store.VersionKey{Secret: row.Secret, ID: row.ID}] = &row
	return nil
}

// DeleteVersion removes a version of the secret that was asked for.
func (tx *Tx) DeleteVersion(secret tacet.SecretID, id tacet.VersionID) {
	tx.changes.versions[store.VersionKey{Secret: string(secret), ID: string(id)}] = nil
}

// CopyVersions seals every version of one secret again as versions of another, in the
// other's vault: replication.
func (tx *Tx) CopyVersions(from *tacet.Secret, to *tacet.Secret) error {
	ids, err := tx.VersionIDs(from.ID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := tx.CopyVersion(from, to, id); err != nil {
			return err
		}
	}
	return nil
}

// CopyVersion seals one version of a secret again as a version of another.
func (tx *Tx) CopyVersion(from, to *tacet.Secret, id tacet.VersionID) error {
	row, err := tx.versionRow(from.ID, nil, id)
	if err != nil || row == nil {
		return errors.Join(err, missing(row == nil, id))
	}
	v, err := decodeVersion(row)
	if err != nil {
		return err
	}
	var value []byte
	if v.Kind != tacet.ValueNone {
		if value, err = tx.g.open(tx.ctx, versionAAD(from.Vault, &v), row.Sealed); err != nil {
			return err
		}
	}
	v.Secret, v.Accessed = to.ID, time.Time{}
	return tx.PutVersion(to.Vault, &v, tacet.NewPlaintext(value))
}

// VersionIDs returns the ids of all versions of a secret, as this operation leaves them.
func (tx *Tx) VersionIDs(secret tacet.SecretID) ([]tacet.VersionID, error) {
	var out []tacet.VersionID
	err := tx.read(func(st *store.Tx) error {
		rows, err := st.Versions(string(secret))
		for _, r := range rows {
			if c, ok := tx.changes.versions[store.VersionKey{Secret: r.Secret, ID: r.ID}]; !ok || c != nil {
				out = append(out, tacet.VersionID(r.ID))
			}
		}
		return err
	})
	for k, row := range tx.changes.versions {
		if k.Secret == string(secret) && row != nil && !slices.Contains(out, tacet.VersionID(k.ID)) {
			out = append(out, tacet.VersionID(k.ID))
		}
	}
	return out, err
}

// CreateVault makes the vault of a region of an account, with its data key. When the
// account has a vault there, that is returned instead.
func (tx *Tx) CreateVault(name, account, region string) (tacet.Vault, error) {
	if v, ok := tx.group.directory().vault(account, region); ok {
		return v, nil
	}
	if _, taken := tx.group.directory().named(name); taken || !tacet.ValidVaultName(name) {
		name = "vault-" + tx.NewID()[:12] // a name made of another's and a region may be taken, or too long
	}
	v := tacet.Vault{ID: tacet.VaultID(tx.NewID()), Name: name, Account: account, Region: region, Created: tx.now,
		VaultSettings: tacet.VaultSettings{RetentionDays: tacet.MaxRetention}}
	k, err := tx.g.ring.Load().NewDataKey(string(v.ID), tx.now)
	if err != nil {
		return tacet.Vault{}, err
	}
	tx.changes.vaults = append(tx.changes.vaults, v)
	tx.changes.keys = append(tx.changes.keys, k)
	return v, nil
}

// PurgeIfDue removes the secret called name, and its versions, if it waits for its
// purge and the time has come. It reports whether it did.
func (tx *Tx) PurgeIfDue(name string) (bool, error) {
	e, err := tx.entryOf(key{tx.vault.ID, name})
	if err != nil || e == nil || !e.secret.ScheduledForDeletion() || tx.now.Before(e.secret.PurgeAt) {
		tx.unneeded = err == nil
		return false, err
	}
	tx.rec.Resource = e.secret.ARN(tx.vault)
	tx.DeleteSecret(e.secret)
	return true, nil
}

// entryOf finds a secret: as this operation changed it, as the group did, as the cache
// has it, or in the store.
func (tx *Tx) entryOf(k key) (*entry, error) {
	if c, ok := tx.changes.secrets[k]; ok {
		return c.entry, nil
	}
	return tx.group.entry(k)
}

func (tx *Tx) version(e *entry, id tacet.VersionID) (*store.VersionRow, error) {
	return tx.versionRow(e.secret.ID, e, id)
}

func (tx *Tx) versionRow(secret tacet.SecretID, e *entry, id tacet.VersionID) (*store.VersionRow, error) {
	vk := store.VersionKey{Secret: string(secret), ID: string(id)}
	if row, ok := tx.changes.versions[vk]; ok {
		return row, nil
	}
	if row, ok := tx.group.versions[vk]; ok {
		return row, nil
	}
	if e != nil {
		if row := e.version(id); row != nil {
			return row, nil
		}
	}
	return readVersion(tx.group.store, secret, id)
}

// read runs a query in the group's transaction, after what the group has changed so
// far is written, so that the query sees it.
func (tx *Tx) read(f func(*store.Tx) error) error {
	if err := tx.group.flush(); err != nil {
		return err
	}
	return f(tx.group.store)
}

type objectKey struct{ kind, id string }

type secretChange struct {
	entry *entry // nil: deleted
	row   store.SecretRow
}

// changeset is what an operation, or a group of them, changed.
type changeset struct {
	secrets  map[key]*secretChange
	deleted  map[tacet.SecretID]bool
	versions map[store.VersionKey]*store.VersionRow // nil: deleted
	objects  map[objectKey]*store.ObjectRow         // nil: deleted
	vaults   []tacet.Vault
	// goneVaults are removed before vaults are written.
	goneVaults []tacet.VaultID
	keys       []seal.WrappedKey
	log        []store.ChangeRow
	events     []*tacet.Record
	counts     map[tacet.VaultID]int64 // secrets made less secrets deleted
}

func newChangeset() *changeset {
	return &changeset{secrets: map[key]*secretChange{}, deleted: map[tacet.SecretID]bool{},
		versions: map[store.VersionKey]*store.VersionRow{}, objects: map[objectKey]*store.ObjectRow{}}
}

func (c *changeset) empty() bool {
	return len(c.secrets)+len(c.versions)+len(c.objects)+len(c.vaults)+len(c.goneVaults)+len(c.keys)+len(c.deleted) == 0
}

// UseExisting makes the secret that has the name the one the operation is about: a
// repeated creation looks at what the first one made.
func (tx *Tx) UseExisting() { tx.scope.entry = tx.existing }
