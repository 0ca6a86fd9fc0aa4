package vault

import (
	"slices"
	"time"

	"tacet"
)

// A SecretBundle is a version of a secret as Azure shows it (Azure Key Vault REST
// reference, SecretBundle, SecretItem and DeletedSecretBundle). In a listing of secrets
// it is the current version.
type SecretBundle struct {
	// Name is the secret's name as Azure shows it, in the case it was first stored in.
	Name string
	// Version is the version's id as Azure shows it.
	Version string
	// Kind and Value are set by SetSecret and GetSecret only. Azure's text for a value of
	// kind [tacet.ValueBinary] is its base64, in the standard encoding.
	Kind  tacet.ValueKind
	Value tacet.Plaintext
	// ContentType is "application/octet-stream" for bytes that were given none.
	ContentType string
	Tags        []tacet.Tag // in no order; nil or empty for none
	Enabled     bool
	NotBefore   time.Time // zero: none
	Expires     time.Time // zero: none
	Created     time.Time
	Updated     time.Time
	// RecoveryLevel and RecoverableDays are the vault's, or those of this deletion.
	RecoveryLevel   string
	RecoverableDays int
	// Managed marks a secret that belongs to something else and changes with it.
	Managed bool
	// Previous is the version that was current before the current one, which is the only
	// one to have it; empty for none. Azure shows it for certificates' secrets.
	Previous string
	// Deleted is when the secret was deleted and PurgeAt when it goes for good; both zero
	// for a live one.
	Deleted time.Time
	PurgeAt time.Time
}

// contentTypeBytes is the content type of bytes.
const contentTypeBytes = "application/octet-stream"

// bundle shows a version of a secret of a vault, without its value.
func bundle(v tacet.Vault, sec *tacet.Secret, ver *tacet.Version) SecretBundle {
	a := sec.Attributes[ver.ID]
	b := SecretBundle{
		Version: tacet.ShownVersion(ver.ID), Kind: ver.Kind, ContentType: a.ContentType, Tags: sec.TagsOf(ver.ID),
		Enabled: !a.Disabled, NotBefore: a.NotBefore, Expires: a.Expires, Created: ver.Created, Updated: ver.Created,
		RecoveryLevel: v.RecoveryLevel(), RecoverableDays: v.RetentionDays, Managed: sec.OwningService != "",
		Deleted: sec.Deleted, PurgeAt: sec.PurgeAt,
	}
	b.Name, _ = tacet.ShownName(sec.Name)
	if !a.Changed.IsZero() {
		b.Updated = a.Changed
	}
	if ver.Kind == tacet.ValueBinary && b.ContentType == "" {
		b.ContentType = contentTypeBytes
	}
	if sec.Stages[tacet.StageCurrent] == ver.ID {
		b.Previous = tacet.ShownVersion(sec.Stages[tacet.StagePrevious])
	}
	if sec.ScheduledForDeletion() {
		b.RecoverableDays = int(sec.PurgeAt.Sub(sec.Deleted) / (24 * time.Hour))
	}
	return b
}

// place is what a read and a change have in common.
type place interface {
	Vault() tacet.Vault
	Secret() (*tacet.Secret, error)
	Version(tacet.VersionID) (*tacet.Version, error)
	Versions() ([]tacet.Version, error)
}

// shownLive returns the secret that was asked for, unless it is deleted: in Azure it is
// then not there. The error is SecretNotFound.
func shownLive(at place) (*tacet.Secret, error) { return shownIf(at, false) }

// shownCurrent is shownLive with the current version; without one the secret is not there
// either.
func shownCurrent(at place) (*tacet.Secret, *tacet.Version, error) {
	sec, err := shownLive(at)
	if err != nil {
		return nil, nil, err
	}
	ver, err := shownVersion(at, sec, "")
	return sec, ver, err
}

// shownDeleted is shownLive for the deleted ones.
func shownDeleted(at place) (*tacet.Secret, error) { return shownIf(at, true) }

func shownIf(at place, deleted bool) (*tacet.Secret, error) {
	sec, err := at.Secret()
	if err != nil {
		return nil, err
	}
	if sec.ScheduledForDeletion() != deleted {
		return nil, &tacet.Error{Code: tacet.SecretNotFound, Secret: sec.Name}
	}
	return sec, nil
}

// shownVersion returns the version that Azure's id means, the current one for an empty
// id: with the hyphens of a UUID or without, in any case. A secret that has no value yet
// is not there in Azure. Errors: SecretNotFound, VersionNotFound.
func shownVersion(at place, sec *tacet.Secret, id string) (*tacet.Version, error) {
	var candidates []tacet.VersionID
	if id == "" {
		candidates = []tacet.VersionID{sec.Stages[tacet.StageCurrent]}
	} else {
		candidates = tacet.VersionIDs(id)
		for _, holder := range sec.Stages { // known without asking the store
			if slices.Contains(candidates, holder) {
				candidates = []tacet.VersionID{holder}
				break
			}
		}
	}
	for _, c := range candidates {
		v, err := at.Version(c)
		if err == nil && v.Kind != tacet.ValueNone {
			return v, nil
		}
		if err != nil && tacet.CodeOf(err) != tacet.VersionNotFound {
			return nil, err
		}
	}
	if id == "" {
		return nil, &tacet.Error{Code: tacet.SecretNotFound, Secret: sec.Name}
	}
	if len(candidates) > 1 { // of a UUID: the case is left
		versions, err := at.Versions()
		if err != nil {
			return nil, err
		}
		want := tacet.ShownVersion(candidates[1])
		for i := range versions {
			if v := &versions[i]; v.Kind != tacet.ValueNone && tacet.ShownVersion(v.ID) == want {
				return v, nil
			}
		}
	}
	return nil, &tacet.Error{Code: tacet.VersionNotFound, Secret: sec.Name, Version: tacet.VersionID(id)}
}
