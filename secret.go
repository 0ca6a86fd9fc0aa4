package tacet

import (
	"maps"
	"slices"
	"time"
)

// Identifiers that must not be mixed up with one another.
type (
	// VaultID identifies a vault for ever; its name may be given again, its id never.
	VaultID string
	// SecretID identifies a secret through deletion and re-creation of its name.
	SecretID string
	// VersionID is the caller's ClientRequestToken, 32 to 64 characters.
	VersionID string
	// Stage is a staging label. At most one version of a secret carries it.
	Stage string
)

// The staging labels that Tacet itself moves.
const (
	StageCurrent  Stage = "AWSCURRENT"
	StagePrevious Stage = "AWSPREVIOUS"
	StagePending  Stage = "AWSPENDING"
)

// A Vault is an account in a region seen from AWS, and a key vault seen from Azure.
type Vault struct {
	ID      VaultID   `json:"id"`
	Name    string    `json:"name"`
	Account string    `json:"account"` // 12 digits
	Region  string    `json:"region"`
	Created time.Time `json:"created"`
	VaultSettings
}

// A Tag is a key and a value of a secret. Keys are case-sensitive.
type Tag struct {
	Key   string `json:"k"`
	Value string `json:"v"`
}

// A Filter restricts a listing. Values of one filter are alternatives; filters must
// all match. A leading "!" of a value negates it.
type Filter struct {
	Key    string
	Values []string
}

// A Secret is everything about a secret but its values.
type Secret struct {
	ID    SecretID
	Vault VaultID
	Name  string
	// Suffix is the six characters that end the ARN, new on every creation.
	Suffix      string
	Description string
	// KMSKeyID is empty for the default key, the only one until keys exist.
	KMSKeyID      string
	Type          string
	OwningService string
	// Tags is nil when the secret was never tagged, and empty when the last tag
	// was removed: the clouds show the difference.
	Tags []Tag
	// Policy is the resource policy as it was given, empty for none.
	Policy string
	// Stages says which version carries each label.
	Stages map[Stage]VersionID
	// Attributes are what Azure keeps of a version, for those that have any; see
	// [Secret.TagsOf]. They are the secret's, so that its MAC covers them.
	Attributes map[VersionID]VersionAttributes
	// VersionTags says that versions have tags of their own: Azure's face has written here.
	VersionTags bool
	// Versions counts the versions held, labelled or not.
	Versions int

	Created  time.Time
	Changed  time.Time
	Accessed time.Time // zero until the first read; truncated to the day, UTC
	Rotated  time.Time
	// Deleted is when deletion was asked for and PurgeAt when it becomes final;
	// both zero for a live secret.
	Deleted time.Time
	PurgeAt time.Time

	// PrimaryRegion is set on a replicated secret and on its replicas.
	PrimaryRegion string
	// ReplicaOf names the primary; empty on a primary or a secret without replicas.
	ReplicaOf SecretID
	// Replicas lists the regions a primary is replicated to.
	Replicas []Replica
}

// A Replica is the state of a secret's copy in another region of its account.
type Replica struct {
	Region   string   `json:"region"`
	Secret   SecretID `json:"secret,omitempty"` // empty when Status is Failed
	KMSKeyID string   `json:"kms,omitempty"`
	Status   string   `json:"status"` // InProgress, InSync or Failed
	Message  string   `json:"message,omitempty"`
	// Accessed is when the copy was last read. It is the copy's own, and filled in when a
	// primary is described.
	Accessed time.Time `json:"-"`
}

// Replica states. The answer to a request for a replica says InProgress, as AWS's does,
// although the copy is there already.
const (
	ReplicaInProgress = "InProgress"
	ReplicaInSync     = "InSync"
	ReplicaFailed     = "Failed"
)

// ValueKind says what a version holds.
type ValueKind string

// The kinds of value. A version without a value is the AWSPENDING placeholder of
// a rotation.
const (
	ValueNone   ValueKind = ""
	ValueString ValueKind = "string"
	ValueBinary ValueKind = "binary"
)

// A Version is everything about a version but its value.
type Version struct {
	ID       VersionID
	Secret   SecretID
	Kind     ValueKind
	KMSKeyID string
	Created  time.Time
	Accessed time.Time // as Secret.Accessed
}

// StagesOf returns the labels version id carries, in alphabetical order as the
// clouds answer them, nil for none.
func (s *Secret) StagesOf(id VersionID) []Stage {
	var out []Stage
	for stage, holder := range s.Stages {
		if holder == id {
			out = append(out, stage)
		}
	}
	slices.Sort(out)
	return out
}

// Clone returns a deep copy, so that a snapshot can be worked on.
func (s *Secret) Clone() *Secret {
	c := *s
	if s.Tags != nil {
		c.Tags = append([]Tag{}, s.Tags...)
	}
	c.Replicas = slices.Clone(s.Replicas)
	c.Stages = make(map[Stage]VersionID, len(s.Stages)+1)
	for k, v := range s.Stages {
		c.Stages[k] = v
	}
	c.Attributes = maps.Clone(s.Attributes)
	return &c
}

// ScheduledForDeletion reports whether the secret waits for its purge.
func (s *Secret) ScheduledForDeletion() bool { return !s.PurgeAt.IsZero() }

// IsReplica reports whether the secret is a copy kept by a primary elsewhere.
func (s *Secret) IsReplica() bool { return s.ReplicaOf != "" }

// ARN returns the secret's Amazon resource name, which is its canonical name in
// policies and records whichever face the request came through.
func (s *Secret) ARN(v Vault) string { return SecretARN(v.Region, v.Account, s.Name+"-"+s.Suffix) }

// SecretARN returns the ARN of the resource tail ("name-suffix") in an account's region.
func SecretARN(region, account, tail string) string {
	return "arn:aws:secretsmanager:" + region + ":" + account + ":secret:" + tail
}
