package guard

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"tacet"
	"tacet/internal/policy"
	"tacet/internal/seal"
	"tacet/internal/store"
)

// secretBody is the part of a secret that no query looks into.
type secretBody struct {
	Description   string                          `json:"desc,omitempty"`
	KMSKeyID      string                          `json:"kms,omitempty"`
	Type          string                          `json:"type,omitempty"`
	OwningService string                          `json:"owner,omitempty"`
	Tags          []tacet.Tag                     `json:"tags,omitempty"`
	Tagged        bool                            `json:"tagged,omitempty"` // tells [] from never tagged
	Stages        map[tacet.Stage]tacet.VersionID `json:"stages,omitempty"`
	Versions      int                             `json:"n,omitempty"`
	Rotated       int64                           `json:"rotated,omitempty"`
	Deleted       int64                           `json:"deleted,omitempty"`
	PrimaryRegion string                          `json:"primary,omitempty"`
	ReplicaOf     tacet.SecretID                  `json:"of,omitempty"`
	Replicas      []tacet.Replica                 `json:"replicas,omitempty"`
	// Attributes refer to TagSets by their index and one: many versions have the same tags.
	Attributes map[tacet.VersionID]attributesBody `json:"attrs,omitempty"`
	TagSets    [][]tacet.Tag                      `json:"sets,omitempty"`
	// VersionTags is [tacet.Secret.VersionTags].
	VersionTags bool `json:"vtags,omitempty"`
}

// bodyOf returns the part of a secret that its row keeps as one text.
func bodyOf(s *tacet.Secret) secretBody {
	attributes, sets := encodeAttributes(s.Attributes)
	return secretBody{
		Attributes: attributes, TagSets: sets, VersionTags: s.VersionTags,
		Description: s.Description, KMSKeyID: s.KMSKeyID, Type: s.Type, OwningService: s.OwningService,
		Tags: s.Tags, Tagged: s.Tags != nil, Stages: s.Stages, Versions: s.Versions,
		Rotated: tacet.Microseconds(s.Rotated), Deleted: tacet.Microseconds(s.Deleted),
		PrimaryRegion: s.PrimaryRegion, ReplicaOf: s.ReplicaOf, Replicas: s.Replicas,
	}
}

// fill gives a secret what bodyOf took from it.
func (b *secretBody) fill(s *tacet.Secret) (err error) {
	if s.Tags = b.Tags; b.Tagged && b.Tags == nil {
		s.Tags = []tacet.Tag{}
	}
	s.Description, s.KMSKeyID, s.Type, s.OwningService = b.Description, b.KMSKeyID, b.Type, b.OwningService
	s.Stages, s.Versions, s.VersionTags = b.Stages, b.Versions, b.VersionTags
	s.Rotated, s.Deleted = tacet.Time(b.Rotated), tacet.Time(b.Deleted)
	s.PrimaryRegion, s.ReplicaOf, s.Replicas = b.PrimaryRegion, b.ReplicaOf, b.Replicas
	s.Attributes, err = decodeAttributes(b.Attributes, b.TagSets)
	return err
}

func (g *Guard) encodeSecret(s *tacet.Secret) (store.SecretRow, error) {
	body, err := json.Marshal(bodyOf(s))
	if err != nil {
		return store.SecretRow{}, err
	}
	row := store.SecretRow{
		ID: string(s.ID), Vault: string(s.Vault), Name: s.Name, Suffix: s.Suffix,
		Created: tacet.Microseconds(s.Created), Changed: tacet.Microseconds(s.Changed),
		Accessed: tacet.Microseconds(s.Accessed), PurgeAt: tacet.Microseconds(s.PurgeAt),
		Body: string(body), Policy: s.Policy,
	}
	row.MAC = g.ring.Load().MAC("secret", secretParts(&row)...)
	return row, nil
}

// secretParts is what a secret's MAC covers: all but the time of the last read,
// which reads move without being changes. It binds the row to its name, so that a
// row cannot be given another name that a policy allows.
func secretParts(r *store.SecretRow) [][]byte {
	var times [24]byte
	binary.BigEndian.PutUint64(times[0:], uint64(r.Created))
	binary.BigEndian.PutUint64(times[8:], uint64(r.Changed))
	binary.BigEndian.PutUint64(times[16:], uint64(r.PurgeAt))
	return [][]byte{[]byte(r.ID), []byte(r.Vault), []byte(r.Name), []byte(r.Suffix), times[:], []byte(r.Body), []byte(r.Policy)}
}

func (g *Guard) decodeSecret(r *store.SecretRow) (*tacet.Secret, error) {
	if !g.ring.Load().CheckMAC(r.MAC, "secret", secretParts(r)...) {
		return nil, &tacet.Error{Code: tacet.Internal, Cause: fmt.Errorf("guard: the secret with id %s was changed outside Tacet: its MAC does not match", r.ID)}
	}
	var b secretBody
	if err := json.Unmarshal([]byte(r.Body), &b); err != nil {
		return nil, fmt.Errorf("guard: secret %s: %w", r.ID, err)
	}
	s := &tacet.Secret{
		ID: tacet.SecretID(r.ID), Vault: tacet.VaultID(r.Vault), Name: r.Name, Suffix: r.Suffix, Policy: r.Policy,
		Created: tacet.Time(r.Created), Changed: tacet.Time(r.Changed), Accessed: tacet.Time(r.Accessed), PurgeAt: tacet.Time(r.PurgeAt),
	}
	if err := b.fill(s); err != nil {
		return nil, fmt.Errorf("guard: secret %s: %w", r.ID, err)
	}
	return s, nil
}

// newEntry compiles a secret for the cache.
func newEntry(s *tacet.Secret) (*entry, error) {
	e := &entry{secret: s}
	if s.Policy != "" {
		doc, err := policy.ParseStored("resource-policy", policy.Resource, []byte(s.Policy))
		if err != nil {
			return nil, fmt.Errorf("guard: resource policy of secret %s: %w", s.ID, err)
		}
		e.policy = doc
	}
	return e, nil
}

// versionBody is the part of a version that no query looks into.
type versionBody struct {
	Kind     tacet.ValueKind `json:"kind,omitempty"`
	KMSKeyID string          `json:"kms,omitempty"`
}

func encodeVersion(v *tacet.Version, sealed []byte) (store.VersionRow, error) {
	body, err := json.Marshal(versionBody{Kind: v.Kind, KMSKeyID: v.KMSKeyID})
	return store.VersionRow{
		Secret: string(v.Secret), ID: string(v.ID), Created: tacet.Microseconds(v.Created),
		Accessed: tacet.Microseconds(v.Accessed), Body: string(body), Sealed: sealed,
	}, err
}

// plainBody is the body of nearly every version: a string and nothing else.
const plainBody = `{"kind":"string"}`

func decodeVersion(r *store.VersionRow) (tacet.Version, error) {
	v := tacet.Version{ID: tacet.VersionID(r.ID), Secret: tacet.SecretID(r.Secret), Kind: tacet.ValueString,
		Created: tacet.Time(r.Created), Accessed: tacet.Time(r.Accessed)}
	if r.Body == plainBody {
		return v, nil
	}
	var b versionBody
	if err := json.Unmarshal([]byte(r.Body), &b); err != nil {
		return v, fmt.Errorf("guard: version %s of secret %s: %w", r.ID, r.Secret, err)
	}
	v.Kind, v.KMSKeyID = b.Kind, b.KMSKeyID
	return v, nil
}

// versionAAD binds a ciphertext to its place, and to its kind so that bytes cannot
// be passed off as a string.
func versionAAD(vault tacet.VaultID, v *tacet.Version) seal.AAD {
	purpose := "value/string" // of nearly every version: nothing to put together
	if v.Kind != tacet.ValueString {
		purpose = "value/" + string(v.Kind)
	}
	return seal.AAD{Vault: string(vault), Kind: "secret", Object: string(v.Secret), Version: string(v.ID), Purpose: purpose}
}

func (g *Guard) putVault(tx *store.Tx, v tacet.Vault) error {
	body, err := json.Marshal(v.VaultSettings)
	if err != nil {
		return err
	}
	row := store.VaultRow{ID: string(v.ID), Name: v.Name, Account: v.Account, Region: v.Region, Created: tacet.Microseconds(v.Created), Body: string(body)}
	row.MAC = g.ring.Load().MAC("vault", vaultParts(&row)...)
	return tx.PutVault(row)
}

func vaultParts(r *store.VaultRow) [][]byte {
	return [][]byte{[]byte(r.ID), []byte(r.Name), []byte(r.Account), []byte(r.Region), []byte(r.Body)}
}

func (g *Guard) decodeVault(r store.VaultRow) (tacet.Vault, error) {
	if !g.ring.Load().CheckMAC(r.MAC, "vault", vaultParts(&r)...) {
		return tacet.Vault{}, fmt.Errorf("guard: the vault %q was changed outside Tacet: its MAC does not match", r.Name)
	}
	v := tacet.Vault{ID: tacet.VaultID(r.ID), Name: r.Name, Account: r.Account, Region: r.Region, Created: tacet.Time(r.Created)}
	if err := json.Unmarshal([]byte(r.Body), &v.VaultSettings); err != nil {
		return tacet.Vault{}, fmt.Errorf("guard: vault %q: %w", r.Name, err)
	}
	v.RetentionDays = cmp.Or(v.RetentionDays, tacet.MaxRetention) // older rows do not say
	return v, nil
}

// day truncates a time to its day in UTC, as LastAccessedDate does.
func day(t time.Time) int64 { return t.UTC().Truncate(24 * time.Hour).UnixMicro() }
