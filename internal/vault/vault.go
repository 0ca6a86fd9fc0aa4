// Package vault is the operations on secrets and their lifecycle.
//
// Each exported method of [Service] is one operation: it takes the call (who, from
// where, on which vault) and an input, goes through the door in package guard, and
// returns an output or a *tacet.Error. The methods know nothing of HTTP, of either
// cloud's words or of SQL. What AWS calls a model constraint (length, pattern,
// enumeration) is the face's to check; everything about state is checked here.
package vault

import (
	"time"

	"tacet"
	"tacet/internal/guard"
)

// Service is the operations on secrets. It holds only the door.
type Service struct{ g *guard.Guard }

// New returns the operations behind the door g.
func New(g *guard.Guard) *Service { return &Service{g: g} }

// A Value is what a caller puts into a version: at most one of String and Binary.
// The zero Plaintext is "not given"; both given is an error of the operation's.
type Value struct {
	String tacet.Plaintext
	Binary tacet.Plaintext
}

// IsZero reports whether no value was given.
func (v Value) IsZero() bool { return v.String.IsZero() && v.Binary.IsZero() }

// ReplicaRequest asks for a copy in a region.
type ReplicaRequest struct {
	Region   string
	KMSKeyID string
}

// CreateSecretInput is the input of [Service.CreateSecret].
type CreateSecretInput struct {
	Name                  string
	Token                 tacet.VersionID // ClientRequestToken
	Description           string
	KMSKeyID              string
	Type                  string
	Value                 Value
	Tags                  []tacet.Tag // nil: none given
	Replicas              []ReplicaRequest
	ForceOverwriteReplica bool
}

// CreateSecretOutput is the output of [Service.CreateSecret].
type CreateSecretOutput struct {
	ARN      string
	Name     string
	Version  tacet.VersionID // empty when no value was given
	Replicas []tacet.Replica // nil when no replicas were asked for
}

// GetSecretValueInput is the input of [Service.GetSecretValue].
type GetSecretValueInput struct {
	Secret  tacet.SecretRef
	Version tacet.VersionID // empty: not given
	Stage   tacet.Stage     // empty: not given; without Version it means AWSCURRENT
}

// SecretValue is the value of a version with what identifies it.
type SecretValue struct {
	ARN     string
	Name    string
	Version tacet.VersionID
	Kind    tacet.ValueKind
	Value   tacet.Plaintext
	Stages  []tacet.Stage // sorted; nil for a deprecated version
	Created time.Time     // of the version
}

// BatchGetSecretValueInput is the input of [Service.BatchGetSecretValue]: exactly one of
// Secrets and Filters.
type BatchGetSecretValueInput struct {
	Secrets    []tacet.SecretRef
	Filters    []Filter
	MaxResults int // 0: not given
	NextToken  string
}

// BatchGetSecretValueOutput is the output of [Service.BatchGetSecretValue].
type BatchGetSecretValueOutput struct {
	Values []SecretValue
	// Errors are the secrets that could not be read; the call succeeds all the same.
	Errors    []BatchError
	NextToken string
}

// A BatchError says why one secret of a batch was not read.
type BatchError struct {
	SecretID string // as the caller gave it
	Err      error  // *tacet.Error
}

// SecretInfo is a secret as DescribeSecret and ListSecrets show it.
type SecretInfo struct {
	ARN    string
	Secret *tacet.Secret // a snapshot; must not be changed
	Region string        // of the vault
}

// UpdateSecretInput is the input of [Service.UpdateSecret]. Nil pointers are "not given".
type UpdateSecretInput struct {
	Secret      tacet.SecretRef
	Token       tacet.VersionID
	Description *string
	KMSKeyID    *string
	Type        *string
	Value       Value
}

// UpdateSecretOutput is the output of [Service.UpdateSecret].
type UpdateSecretOutput struct {
	ARN     string
	Name    string
	Version tacet.VersionID // empty when no version was made
}

// PutSecretValueInput is the input of [Service.PutSecretValue].
type PutSecretValueInput struct {
	Secret        tacet.SecretRef
	Token         tacet.VersionID
	Value         Value
	Stages        []tacet.Stage // nil: not given, AWSCURRENT is meant
	RotationToken string
}

// PutSecretValueOutput is the output of [Service.PutSecretValue].
type PutSecretValueOutput struct {
	ARN     string
	Name    string
	Version tacet.VersionID
	Stages  []tacet.Stage
}

// UpdateStageInput is the input of [Service.UpdateSecretVersionStage].
type UpdateStageInput struct {
	Secret     tacet.SecretRef
	Stage      tacet.Stage
	RemoveFrom tacet.VersionID
	MoveTo     tacet.VersionID
}

// Named is the output of the operations that answer only which secret it was.
type Named struct {
	ARN  string
	Name string
}

// ListVersionsInput is the input of [Service.ListSecretVersionIDs].
type ListVersionsInput struct {
	Secret            tacet.SecretRef
	MaxResults        int // 0: not given, 100
	NextToken         string
	IncludeDeprecated bool
}

// ListVersionsOutput is the output of [Service.ListSecretVersionIDs].
type ListVersionsOutput struct {
	ARN       string
	Name      string
	Versions  []VersionInfo
	NextToken string
}

// VersionInfo is a version with its labels.
type VersionInfo struct {
	Version tacet.Version
	Stages  []tacet.Stage // nil for a deprecated version
}

// Filter is [tacet.Filter]; its key is one of the Filter constants.
type Filter = tacet.Filter

// The keys of filters.
const (
	FilterDescription   = "description"
	FilterName          = "name"
	FilterTagKey        = "tag-key"
	FilterTagValue      = "tag-value"
	FilterPrimaryRegion = "primary-region"
	FilterOwningService = "owning-service"
	FilterAll           = "all"
)

// ListSecretsInput is the input of [Service.ListSecrets].
type ListSecretsInput struct {
	Filters                []Filter
	IncludePlannedDeletion bool
	MaxResults             int // 0: not given, 100
	NextToken              string
	SortBy                 string // "" or created-date, last-accessed-date, last-changed-date, name
	Descending             bool
}

// ListSecretsOutput is the output of [Service.ListSecrets].
type ListSecretsOutput struct {
	Secrets   []SecretInfo
	NextToken string
}

// DeleteSecretInput is the input of [Service.DeleteSecret].
type DeleteSecretInput struct {
	Secret       tacet.SecretRef
	RecoveryDays *int64 // nil: not given, 30
	Force        bool
}

// DeleteSecretOutput is the output of [Service.DeleteSecret].
type DeleteSecretOutput struct {
	ARN     string
	Name    string
	PurgeAt time.Time
}

// PutResourcePolicyInput is the input of [Service.PutResourcePolicy].
type PutResourcePolicyInput struct {
	Secret      tacet.SecretRef
	Policy      string
	BlockPublic bool
}

// ResourcePolicyOutput is the output of [Service.GetResourcePolicy].
type ResourcePolicyOutput struct {
	ARN    string
	Name   string
	Policy string // empty when the secret has none
}

// ValidatePolicyInput is the input of [Service.ValidateResourcePolicy]; Secret may be zero.
type ValidatePolicyInput struct {
	Secret tacet.SecretRef
	Policy string
}

// A ValidationError is a check that a policy failed.
type ValidationError struct {
	Check   string // as AWS's CheckName
	Message string
}

// ReplicateInput is the input of [Service.ReplicateSecretToRegions].
type ReplicateInput struct {
	Secret         tacet.SecretRef
	Replicas       []ReplicaRequest
	ForceOverwrite bool
}

// ReplicationOutput is the output of the replication operations.
type ReplicationOutput struct {
	ARN      string
	Replicas []tacet.Replica
}

// RandomPasswordInput is the input of [Service.GetRandomPassword].
type RandomPasswordInput struct {
	Length             int // 0: not given, 32
	ExcludeCharacters  string
	ExcludeNumbers     bool
	ExcludePunctuation bool
	ExcludeUppercase   bool
	ExcludeLowercase   bool
	IncludeSpace       bool
	RequireEachType    bool // the face fills in the default, true
}
