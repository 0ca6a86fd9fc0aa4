package tacet

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// A Code says what went wrong in Tacet's own terms. Each face translates a code
// once, in its errors.go, into its cloud's code, status and words.
type Code string

// The codes. The comment says which fields of [Error] a face may use in its text.
const (
	// Internal is any failure of ours; its text never leaves the process.
	Internal Code = "Internal"
	// Unavailable is a store or a seal that cannot serve now.
	Unavailable Code = "Unavailable"
	// Denied is a refused decision. Denial is set.
	Denied Code = "Denied"
	// CredentialInvalid is a credential that was good a moment ago and is no longer.
	CredentialInvalid Code = "CredentialInvalid"
	// CredentialMissing is a request of somebody who does not say who he is.
	CredentialMissing Code = "CredentialMissing"
	// CredentialExpired is a session that is over.
	CredentialExpired Code = "CredentialExpired"
	// RequestInvalid is a request that a face refused for its form: it could not be read,
	// or broke a constraint of the model.
	RequestInvalid Code = "RequestInvalid"
	// Throttled is a limit of rate.
	Throttled Code = "Throttled"

	VaultNotFound Code = "VaultNotFound" // Region; or Detail: the whole sentence
	VaultNotEmpty Code = "VaultNotEmpty" // Detail: the whole sentence

	SecretNotFound         Code = "SecretNotFound"         // Secret
	SecretExists           Code = "SecretExists"           // Secret (name)
	SecretNameScheduled    Code = "SecretNameScheduled"    // Secret (name): creation over a scheduled one
	SecretMarkedDeleted    Code = "SecretMarkedDeleted"    // Secret: use of a scheduled one
	SecretAlreadyScheduled Code = "SecretAlreadyScheduled" // Secret: deletion of a scheduled one
	SecretManaged          Code = "SecretManaged"          // Secret: belongs to a service
	PurgeProtected         Code = "PurgeProtected"         // Secret: its vault forbids to purge early
	BackupInvalid          Code = "BackupInvalid"          // what is to be restored is no backup of this deployment

	StageNotFound        Code = "StageNotFound"        // Stage: no version carries it
	VersionNotFound      Code = "VersionNotFound"      // Version
	StageNotOnVersion    Code = "StageNotOnVersion"    // Stage, Version
	VersionDisabled      Code = "VersionDisabled"      // Version
	TokenMissing         Code = "TokenMissing"         // no ClientRequestToken
	TokenInUse           Code = "TokenInUse"           // Version, ARN
	ValueMissing         Code = "ValueMissing"         // neither string nor binary
	ValueAmbiguous       Code = "ValueAmbiguous"       // both string and binary
	StageHolderMissing   Code = "StageHolderMissing"   // Stage, Version: the holder must be named
	StageHolderWrong     Code = "StageHolderWrong"     // Stage
	CurrentNotRemovable  Code = "CurrentNotRemovable"  // AWSCURRENT can only be moved
	StageVersionsMissing Code = "StageVersionsMissing" // neither MoveTo nor RemoveFrom

	LimitExceeded    Code = "LimitExceeded"    // Detail
	InvalidParameter Code = "InvalidParameter" // Detail: the whole text, in the cloud's words
	InvalidRequest   Code = "InvalidRequest"   // Detail
	InvalidNextToken Code = "InvalidNextToken"

	RecoveryOutOfRange    Code = "RecoveryOutOfRange"
	RecoveryAmbiguous     Code = "RecoveryAmbiguous" // force and window together
	HasReplicas           Code = "HasReplicas"       // ARN, Regions
	ReplicaReadOnly       Code = "ReplicaReadOnly"
	ReplicaRegionInvalid  Code = "ReplicaRegionInvalid" // Region
	NotAReplica           Code = "NotAReplica"
	KMSKeyUnsupported     Code = "KMSKeyUnsupported" // Detail (the key id)
	CrossAccountKey       Code = "CrossAccountKey"
	RotationUnavailable   Code = "RotationUnavailable"
	PolicyMalformed       Code = "PolicyMalformed" // Detail
	PolicyPrincipal       Code = "PolicyPrincipal" // a principal that does not exist
	PolicyPublic          Code = "PolicyPublic"
	PasswordTooShort      Code = "PasswordTooShort"
	PasswordAlphabetEmpty Code = "PasswordAlphabetEmpty"

	PrincipalNotFound Code = "PrincipalNotFound" // Detail: the whole sentence
	PrincipalExists   Code = "PrincipalExists"   // Detail: likewise
	PrincipalInUse    Code = "PrincipalInUse"    // Detail: likewise
	// What another issuer's token may have wrong. Detail is the sentence.
	IdentityTokenInvalid  Code = "IdentityTokenInvalid"
	IdentityTokenExpired  Code = "IdentityTokenExpired"
	IdentityTokenRejected Code = "IdentityTokenRejected" // a claim is not acceptable
	IssuerUnreachable     Code = "IssuerUnreachable"     // its keys could not be had
	SessionTooLarge       Code = "SessionTooLarge"       // policies and tags do not fit a session token
	SessionTagsInvalid    Code = "SessionTagsInvalid"    // Detail: the whole sentence
	DevelopmentOnly       Code = "DevelopmentOnly"       // the operation exists on a development server only
)

// Codes lists every code, for the test that walks them through each face.
func Codes() []Code {
	return []Code{Internal, Unavailable, Denied, CredentialInvalid, CredentialMissing, CredentialExpired, RequestInvalid, Throttled, VaultNotFound, VaultNotEmpty,
		SecretNotFound, SecretExists, SecretNameScheduled, SecretMarkedDeleted, SecretAlreadyScheduled, SecretManaged, PurgeProtected, BackupInvalid,
		StageNotFound, VersionNotFound, StageNotOnVersion, VersionDisabled, TokenMissing, TokenInUse, ValueMissing, ValueAmbiguous,
		StageHolderMissing, StageHolderWrong, CurrentNotRemovable, StageVersionsMissing,
		LimitExceeded, InvalidParameter, InvalidRequest, InvalidNextToken, RecoveryOutOfRange, RecoveryAmbiguous,
		HasReplicas, ReplicaReadOnly, ReplicaRegionInvalid, NotAReplica, KMSKeyUnsupported, CrossAccountKey, RotationUnavailable,
		PolicyMalformed, PolicyPrincipal, PolicyPublic, PasswordTooShort, PasswordAlphabetEmpty,
		PrincipalNotFound, PrincipalExists, PrincipalInUse,
		IdentityTokenInvalid, IdentityTokenExpired, IdentityTokenRejected, IssuerUnreachable, SessionTooLarge, DevelopmentOnly}
}

// An Error is a refusal or a failure in Tacet's own terms. Its fields are names and
// ids, never values; which are set depends on the code.
type Error struct {
	Code    Code
	Secret  string // a secret's name, or what the caller sent for it
	ARN     string
	Version VersionID
	Stage   Stage
	Region  string
	Regions []string
	// Detail is a text fit for the caller.
	Detail string
	// Denial explains a refused decision.
	Denial *Denial
	// Cause is for the log; it never reaches a caller.
	Cause error
}

// A Denial is what a face needs to word a refused decision.
type Denial struct {
	// ID is what `tacet why` explains.
	ID string
	// Caller is the principal's ARN.
	Caller string
	// Action is the name of the refused action, with its service prefix.
	Action string
	// DataAction is its name in Azure's language, when it has one.
	DataAction string
	// Resource is the secret as the caller named it; empty for an operation without one.
	Resource string
	// Reason tells which kind of policy decided.
	Reason DenyReason
	// Assignment is the id of the deny assignment that decided; "" for none.
	Assignment string
}

// DenyReason tells why a request was refused, as AWS's message tails do.
type DenyReason string

// The reasons.
const (
	DenyImplicitIdentity DenyReason = "no identity-based policy allows"
	DenyImplicitResource DenyReason = "no resource-based policy allows"
	DenyImplicitBoundary DenyReason = "no permissions boundary allows"
	DenyImplicitSession  DenyReason = "no session policy allows"
	DenyExplicitIdentity DenyReason = "explicit deny in an identity-based policy"
	DenyExplicitResource DenyReason = "explicit deny in a resource-based policy"
	DenyExplicitBoundary DenyReason = "explicit deny in a permissions boundary"
	DenyExplicitSession  DenyReason = "explicit deny in a session policy"
	DenyNetwork          DenyReason = "explicit deny in the network rules of the vault"

	DenyExplicitAssignment DenyReason = "explicit deny in a deny assignment"

	DenyImplicitTrust DenyReason = "no role trust policy allows"
	DenyExplicitTrust DenyReason = "explicit deny in the role trust policy"
)

// Explicit reports whether the reason is a policy's own word, not the lack of a grant.
func (r DenyReason) Explicit() bool {
	switch r {
	case DenyExplicitIdentity, DenyExplicitResource, DenyExplicitBoundary, DenyExplicitSession, DenyExplicitTrust, DenyExplicitAssignment, DenyNetwork:
		return true
	}
	return false
}

// AWSTail is how AWS's message about a refusal of action ends, after whom and what it is about;
// "" for no reason. What a vault has beside policies, deny assignments and network rules, is to
// AWS's clients a policy of the resource.
func (r DenyReason) AWSTail(action string) string {
	switch {
	case r == DenyExplicitAssignment, r == DenyNetwork:
		r = DenyExplicitResource
	case r == "":
		return ""
	case !r.Explicit():
		return " because " + string(r) + " the " + action + " action"
	}
	return " with an " + string(r)
}

// Error returns a text for logs: the code, the detail and the cause.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an error of the code with a detail that the caller may see.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// InternalError wraps a failure of ours. It returns nil for nil.
func InternalError(cause error) error {
	if cause == nil {
		return nil
	}
	var e *Error
	if errors.As(cause, &e) {
		return cause
	}
	return &Error{Code: Internal, Cause: cause}
}

// PanicText is what of a panic is fit for a log: the Go runtime's words, which are indices
// and types, or else only the type of what was thrown.
func PanicText(p any) string {
	if err, ok := p.(error); ok {
		if re, ok := errors.AsType[runtime.Error](err); ok {
			return re.Error()
		}
	}
	return fmt.Sprintf("%T", p)
}

// CodeOf returns the code of err, [Internal] for an error that is not ours and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// DecisionOf returns the id of the refused decision that err is, which an administrator can
// have explained; "" for any other error. Faces tell it in the header X-Tacet-Decision-Id,
// since their texts are the clouds'.
func DecisionOf(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Denial != nil {
		return e.Denial.ID
	}
	return ""
}

// Microseconds is how times are kept in the store: microseconds since 1970 UTC,
// zero for the zero time.
func Microseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time is the inverse of [Microseconds], in UTC.
func Time(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
