package adminapi

import (
	"errors"
	"strings"

	"tacet"
)

// A failure is an answer that refuses: what the caller sees of an error.
type failure struct {
	code     string
	status   int
	text     string
	decision string // the id of the decision, for a refused one
}

// Error returns the code. The text is for the caller and not for a log.
func (f *failure) Error() string { return f.code }

// The refusals that come before any operation.
var (
	errNoOperation = &failure{code: "UnknownOperation", status: 404, text: "There is no such operation."}
	errMethod      = &failure{code: "MethodNotAllowed", status: 405, text: "Only POST is allowed."}
	errTooLarge    = &failure{code: "RequestTooLarge", status: 413, text: "The request body is too large."}
	errUnread      = &failure{code: "InvalidRequest", status: 400, text: "The request body could not be read."}
	errInternal    = &failure{code: string(tacet.Internal), status: 500, text: "An error occurred on the server side."}
	errNoAuth      = &failure{code: "Unauthenticated", status: 401, text: "The request carries no valid signature."}
)

// translate turns an error of an operation into what the caller sees. An error that is
// not ours is internal and loses its text.
func translate(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var e *tacet.Error
	if errors.As(err, &e) {
		if f := byCode(e); f != nil {
			return f
		}
	}
	return errInternal
}

// refused turns an error of authentication into what the caller sees. Only an
// [AuthError] is told; whatever else is wrong with a signature is not.
func refused(err error) *failure {
	var a *AuthError
	if errors.As(err, &a) {
		return &failure{code: a.Code, status: 401, text: a.Message}
	}
	var e *tacet.Error
	if errors.As(err, &e) {
		return translate(err)
	}
	return errNoAuth
}

// byCode is the translation of every code: its name here, its status and its words.
// Most of the secrets' codes never arise in this face's operations; they are here so
// that one that some day does is told by its own name. It returns nil for a code it
// does not know.
func byCode(e *tacet.Error) *failure {
	switch e.Code {
	case tacet.Internal:
		return errInternal
	case tacet.Unavailable:
		return &failure{code: string(e.Code), status: 503, text: "The server cannot serve this now. Try again."}
	case tacet.Denied:
		return denied(e.Denial)
	case tacet.CredentialInvalid:
		return &failure{code: string(e.Code), status: 401, text: "The access key is no longer valid."}
	case tacet.CredentialMissing:
		return errNoAuth
	case tacet.CredentialExpired:
		return &failure{code: string(e.Code), status: 401, text: "The session is over."}
	case tacet.RequestInvalid:
		return &failure{code: string(e.Code), status: 400, text: "The request is not valid."}
	case tacet.Throttled:
		return &failure{code: string(e.Code), status: 429, text: "Too many requests. Try again later."}
	case tacet.PrincipalNotFound:
		return tell(e, "NotFound", 404, "There is no such principal, policy, access key or decision.")
	case tacet.PrincipalExists:
		return tell(e, "AlreadyExists", 409, "The name is taken.")
	case tacet.PrincipalInUse:
		return tell(e, "InUse", 409, "The user still has access keys or policies.")
	case tacet.DevelopmentOnly:
		return tell(e, string(e.Code), 400, "This operation exists on a development server only.")
	case tacet.VaultNotFound:
		return tell(e, string(e.Code), 404, "There is no vault in region "+e.Region+" of this account.")
	case tacet.VaultNotEmpty:
		return tell(e, string(e.Code), 409, "The vault still has secrets.")
	case tacet.LimitExceeded:
		return tell(e, string(e.Code), 409, "A quota is exceeded.")
	case tacet.InvalidParameter, tacet.InvalidRequest, tacet.IdentityTokenInvalid, tacet.IdentityTokenExpired,
		tacet.IdentityTokenRejected, tacet.IssuerUnreachable, tacet.SessionTooLarge, tacet.SessionTagsInvalid:
		return tell(e, string(e.Code), 400, "The request is not valid.")
	case tacet.PolicyMalformed:
		return tell(e, string(e.Code), 400, "The policy document is not valid.")
	case tacet.PolicyPrincipal:
		return tell(e, string(e.Code), 400, "The policy names a principal that does not exist.")
	case tacet.PolicyPublic:
		return tell(e, string(e.Code), 400, "The policy would allow everybody.")
	}
	return ofSecrets(e)
}

// ofSecrets translates the codes of the operations on secrets, by the kind of what is
// wrong.
func ofSecrets(e *tacet.Error) *failure {
	switch e.Code {
	case tacet.SecretNotFound, tacet.StageNotFound, tacet.VersionNotFound:
		return tell(e, string(e.Code), 404, "There is no such secret or version.")
	case tacet.SecretExists, tacet.SecretNameScheduled, tacet.SecretMarkedDeleted, tacet.SecretAlreadyScheduled,
		tacet.SecretManaged, tacet.TokenInUse, tacet.StageNotOnVersion, tacet.VersionDisabled, tacet.HasReplicas,
		tacet.ReplicaReadOnly, tacet.PurgeProtected, tacet.NotAReplica, tacet.StageHolderMissing, tacet.StageHolderWrong,
		tacet.RotationUnavailable:
		return tell(e, string(e.Code), 409, "The state of the secret does not allow this.")
	case tacet.TokenMissing, tacet.ValueMissing, tacet.ValueAmbiguous, tacet.CurrentNotRemovable,
		tacet.StageVersionsMissing, tacet.InvalidNextToken, tacet.RecoveryOutOfRange, tacet.RecoveryAmbiguous,
		tacet.ReplicaRegionInvalid, tacet.KMSKeyUnsupported, tacet.CrossAccountKey, tacet.BackupInvalid, tacet.PasswordTooShort,
		tacet.PasswordAlphabetEmpty:
		return tell(e, string(e.Code), 400, "The request is not valid.")
	}
	return nil
}

// tell uses the error's own words for the caller, when it has some.
func tell(e *tacet.Error, code string, status int, text string) *failure {
	if e.Detail != "" {
		text = e.Detail
	}
	return &failure{code: code, status: status, text: text}
}

func denied(d *tacet.Denial) *failure {
	f := &failure{code: string(tacet.Denied), status: 403, text: "Access denied."}
	if d == nil {
		return f
	}
	var b strings.Builder
	b.WriteString(d.Caller + " is not allowed to do " + d.Action)
	if d.Resource != "" {
		b.WriteString(" on " + d.Resource)
	}
	if d.Reason != "" {
		b.WriteString(": " + string(d.Reason))
	}
	f.text, f.decision = b.String(), d.ID
	return f
}
