package vault

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tacet"
	"tacet/internal/guard"
)

// TextValue makes a value of what came through Azure's face as text. Text of the content
// type "application/octet-stream" that is base64, in the one standard way to write it, is
// bytes, as AWS's face shows them; Azure's face writes the same text again. The text must
// not be changed afterwards.
func TextValue(text []byte, contentType string) Value {
	if strings.EqualFold(contentType, contentTypeBytes) && len(text) > 0 {
		b := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
		n, err := base64.StdEncoding.Strict().Decode(b, text)
		if err == nil && base64.StdEncoding.EncodedLen(n) == len(text) { // else it had line breaks
			return Value{Binary: tacet.NewPlaintext(b[:n])}
		}
	}
	return Value{String: tacet.NewPlaintext(text)}
}

// AttributesInput are the attributes that a request gives a version; nil: not given.
type AttributesInput struct {
	Enabled   *bool
	NotBefore *time.Time
	Expires   *time.Time
}

func (in *AttributesInput) apply(a *tacet.VersionAttributes) {
	if in.Enabled != nil {
		a.Disabled = !*in.Enabled
	}
	if in.NotBefore != nil {
		a.NotBefore = *in.NotBefore
	}
	if in.Expires != nil {
		a.Expires = *in.Expires
	}
}

// record adds the attributes to what the record says of the request.
func (in *AttributesInput) record(r *guard.Request) {
	if in.Enabled != nil {
		r.Parameters["enabled"] = *in.Enabled
	}
	if in.NotBefore != nil {
		r.Parameters["notBefore"] = in.NotBefore.UTC().Format(time.RFC3339)
	}
	if in.Expires != nil {
		r.Parameters["expires"] = in.Expires.UTC().Format(time.RFC3339)
	}
}

// SetSecretInput is the input of [Service.SetSecret].
type SetSecretInput struct {
	Secret      tacet.SecretRef // a [tacet.ShownRef]
	Value       Value           // see [TextValue]
	ContentType string
	Tags        []tacet.Tag // nil or empty: the version has none
	Attributes  AttributesInput
}

// SetSecret makes a version with a value, and the secret if there is none, and makes the
// version current: AWS's labels move as for PutSecretValue. Nothing is taken over from
// the version before. The version's tags become the secret's.
//
// It is decided as CreateSecret or PutSecretValue, and who is allowed that in AWS's words
// alone needs TagResource and UntagResource for what happens to the secret's tags.
//
// Errors: InvalidParameter (the name or a limit of Azure's), ValueMissing,
// ValueAmbiguous, SecretNameScheduled (it is deleted and can be recovered),
// ReplicaReadOnly, SecretManaged, LimitExceeded.
func (s *Service) SetSecret(ctx context.Context, call tacet.Call, in SetSecretInput) (SecretBundle, error) {
	r := request(call, tacet.OpSetSecret, in.Secret)
	r.OrCreate = true
	parameter(&r, "contentType", in.ContentType)
	in.Attributes.record(&r)
	condition(&r, "secretsmanager:name", in.Secret.Name)
	if len(in.Tags) > 0 {
		r.Parameters["tags"] = in.Tags
		tagConditions(&r, in.Tags)
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (SecretBundle, error) { return set(tx, in) })
}

func set(tx *guard.Tx, in SetSecretInput) (SecretBundle, error) {
	var none SecretBundle
	if err := in.check(); err != nil {
		return none, err
	}
	sec, err := settable(tx, in.Secret.Name)
	if err != nil {
		return none, err
	}
	ver := &tacet.Version{ID: tacet.VersionID(tx.NewID()), Kind: in.Value.kind(), Created: tx.Now()}
	if err := addVersion(tx, sec, ver.ID, in.Value); err != nil {
		return none, err
	}
	if err := attachNew(sec, ver.ID, nil); err != nil {
		return none, err
	}
	a := tacet.VersionAttributes{ContentType: in.ContentType}
	in.Attributes.apply(&a)
	setAttributes(sec, ver.ID, a)
	sec.VersionTags = true
	if err := setTags(tx, sec, in.Tags, tacet.OpSetTags, tacet.OpClearTags); err != nil {
		return none, err
	}
	if err := store(tx, sec, ver.ID); err != nil {
		return none, err
	}
	b := bundle(tx.Vault(), sec, ver)
	b.Value = in.Value.plaintext()
	respond(tx, sec, ver.ID)
	return b, nil
}

// settable returns the secret that is to have another version: the one that was asked
// for, or else a new one called name.
func settable(tx *guard.Tx, name string) (*tacet.Secret, error) {
	sec, err := writable(tx)
	switch tacet.CodeOf(err) {
	case "":
		if sec.OwningService != "" {
			return nil, &tacet.Error{Code: tacet.SecretManaged, Secret: sec.Name}
		}
		return sec, nil
	case tacet.SecretNotFound:
		return newSecret(tx, name), nil
	case tacet.SecretMarkedDeleted:
		err = &tacet.Error{Code: tacet.SecretNameScheduled, Secret: name}
	}
	return nil, err
}

// setAttributes gives a version its attributes.
func setAttributes(sec *tacet.Secret, id tacet.VersionID, a tacet.VersionAttributes) {
	if a.IsZero() {
		delete(sec.Attributes, id)
		return
	}
	if sec.Attributes == nil {
		sec.Attributes = map[tacet.VersionID]tacet.VersionAttributes{}
	}
	sec.Attributes[id] = a
}

// badProperty is how Azure refuses a member of a request that breaks a limit.
func badProperty() error {
	return tacet.Errorf(tacet.InvalidParameter, "Property  has invalid value\r\n")
}

// check refuses what Azure's limits do.
func (in *SetSecretInput) check() error {
	if in.Secret.Shown == "" || !tacet.ValidShownName(in.Secret.Shown) {
		return tacet.Errorf(tacet.InvalidParameter, "The request URI contains an invalid name: %s", in.Secret.Given)
	}
	if in.Value.IsZero() {
		return &tacet.Error{Code: tacet.ValueMissing}
	}
	if err := in.Value.check(); err != nil {
		return err
	}
	size := in.Value.plaintext().Len()
	if in.Value.kind() == tacet.ValueBinary {
		size = base64.StdEncoding.EncodedLen(size)
	}
	if size > tacet.MaxShownValue || utf8.RuneCountInString(in.ContentType) > tacet.MaxContentType {
		return badProperty()
	}
	return checkShownTags(in.Tags)
}

func checkShownTags(tags []tacet.Tag) error {
	if len(tags) > tacet.MaxShownTags {
		return badProperty()
	}
	for _, t := range tags {
		if n := utf8.RuneCountInString(t.Key); n == 0 || n > tacet.MaxShownTag || utf8.RuneCountInString(t.Value) > tacet.MaxShownTag {
			return badProperty()
		}
	}
	return checkTags(tags)
}

// UpdateAttributesInput is the input of [Service.UpdateSecretAttributes].
type UpdateAttributesInput struct {
	Secret      tacet.SecretRef // a [tacet.ShownRef]
	Version     string          // as Azure shows it; empty: the current one
	ContentType *string         // nil: not given
	Tags        []tacet.Tag     // nil: not given; else all the tags the version has from now on
	Attributes  AttributesInput
}

// UpdateSecretAttributes changes what a version has beside its value, of a disabled one
// too. What is not given stays. The current version's tags are the secret's.
//
// Errors: InvalidParameter (a limit of Azure's), SecretNotFound, VersionNotFound,
// ReplicaReadOnly, SecretManaged.
func (s *Service) UpdateSecretAttributes(ctx context.Context, call tacet.Call, in UpdateAttributesInput) (SecretBundle, error) {
	r := request(call, tacet.OpUpdateSecretAttributes, in.Secret)
	parameter(&r, "versionId", in.Version)
	if in.ContentType != nil {
		r.Parameters["contentType"] = *in.ContentType
	}
	in.Attributes.record(&r)
	if in.Tags != nil {
		r.Parameters["tags"] = in.Tags
		tagConditions(&r, in.Tags)
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (SecretBundle, error) { return updateAttributes(tx, in) })
}

func updateAttributes(tx *guard.Tx, in UpdateAttributesInput) (SecretBundle, error) {
	var none SecretBundle
	if in.ContentType != nil && utf8.RuneCountInString(*in.ContentType) > tacet.MaxContentType {
		return none, badProperty()
	}
	if err := checkShownTags(in.Tags); err != nil {
		return none, err
	}
	if _, err := shownLive(tx); err != nil {
		return none, err
	}
	sec, err := writable(tx)
	if err == nil && sec.OwningService != "" {
		err = &tacet.Error{Code: tacet.SecretManaged, Secret: sec.Name}
	}
	if err != nil {
		return none, err
	}
	ver, err := shownVersion(tx, sec, in.Version)
	if err != nil {
		return none, err
	}
	a := sec.Attributes[ver.ID]
	if in.ContentType != nil {
		a.ContentType = *in.ContentType
	}
	in.Attributes.apply(&a)
	a.Changed = tx.Now()
	current := sec.Stages[tacet.StageCurrent] == ver.ID
	if in.Tags != nil && !current {
		a.Tags, a.HasTags = in.Tags, true
	}
	setAttributes(sec, ver.ID, a)
	sec.VersionTags = true
	if in.Tags != nil && current {
		if err := setTags(tx, sec, in.Tags, tacet.OpTagResource, tacet.OpUntagResource); err != nil {
			return none, err
		}
	}
	if err := store(tx, sec); err != nil {
		return none, err
	}
	respond(tx, sec, ver.ID)
	return bundle(tx.Vault(), sec, ver), nil
}

// setTags gives a secret, and with it its current version, other tags. The caller must be
// allowed to: add and clear are what that is called in the request's words.
func setTags(tx *guard.Tx, sec *tacet.Secret, tags []tacet.Tag, add, clear tacet.Operation) error {
	var cleared []string
	for _, t := range sec.Tags {
		if indexTag(tags, t.Key) < 0 {
			cleared = append(cleared, t.Key)
		}
	}
	added := slices.ContainsFunc(tags, func(t tacet.Tag) bool { return !slices.Contains(sec.Tags, t) })
	if !added && cleared == nil {
		return nil
	}
	if added {
		if err := tx.Allowed(add); err != nil {
			return err
		}
	}
	if cleared != nil {
		tx.AddCondition("aws:tagkeys", cleared...)
		if err := tx.Allowed(clear); err != nil {
			return err
		}
	}
	if err := keepTags(tx, sec); err != nil {
		return err
	}
	sec.Tags = append([]tacet.Tag{}, tags...)
	return nil
}

// keepTags lets the versions that are not current keep the tags the secret has now,
// before it gets others. In a secret that only AWS's face has written, no version has tags.
func keepTags(tx *guard.Tx, sec *tacet.Secret) error {
	if !sec.VersionTags {
		return nil
	}
	ids, err := tx.VersionIDs(sec.ID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if a := sec.Attributes[id]; !a.HasTags && id != sec.Stages[tacet.StageCurrent] {
			a.Tags, a.HasTags = sec.Tags, true
			setAttributes(sec, id, a)
		}
	}
	return nil
}

// followTags gives the secret the tags of the version that has just become current, if
// it has tags of its own.
func followTags(tx *guard.Tx, sec *tacet.Secret) error {
	id := sec.Stages[tacet.StageCurrent]
	a := sec.Attributes[id]
	if !a.HasTags {
		return nil
	}
	tags := a.Tags
	a.Tags, a.HasTags = nil, false
	setAttributes(sec, id, a)
	return setTags(tx, sec, tags, tacet.OpTagResource, tacet.OpUntagResource)
}
