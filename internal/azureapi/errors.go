package azureapi

import (
	"errors"
	"net/http"
	"strings"

	"tacet"
)

// A failure is a refusal as Key Vault words it: the status, the code, the inner error's
// code if there is one, and the message.
type failure struct {
	status int
	code   string
	inner  string
	text   string
	// allowed are the methods of the request's URI, where that is what was wrong.
	allowed []string
}

// Error returns the code. The text is for the client and not for a log.
func (f *failure) Error() string { return f.code }

func badParameter(text string) *failure {
	return &failure{status: http.StatusBadRequest, code: "BadParameter", text: text}
}

func forbidden(inner, text string) *failure {
	return &failure{status: http.StatusForbidden, code: "Forbidden", inner: inner, text: text}
}

func conflict(inner, text string) *failure {
	return &failure{status: http.StatusConflict, code: "Conflict", inner: inner, text: text}
}

func unauthorized(text string) *failure {
	return &failure{status: http.StatusUnauthorized, code: "Unauthorized", text: text}
}

func notFound(text string) *failure {
	return &failure{status: http.StatusNotFound, code: "SecretNotFound", text: text}
}

// The refusals that come before any operation, or from reading its input.
var (
	errNoVault = &failure{status: http.StatusNotFound, code: "VaultNotFound",
		text: "There is no vault with this host name on this server."}
	errNoRoute     = &failure{status: http.StatusNotFound, code: "NotFound", text: "There is no such resource in this key vault."}
	errSecretsOnly = &failure{status: http.StatusNotFound, code: "NotFound", text: "This server has secrets only: no keys, certificates or storage accounts."}
	errTooLarge    = &failure{status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLarge", text: "The request body is too large."}
	errBodyUnread  = badParameter("The request body could not be read.")
	errNoValue     = badParameter("The property value is required.")
	errBadProperty = badParameter(badProperty)
)

// badProperty is Key Vault's message for a member that breaks a limit, to the letter.
const badProperty = "Property  has invalid value\r\n"

// translate turns an error into what the client sees. What is not a *tacet.Error or a
// *failure is a failure of ours and loses its text.
func (x *exchange) translate(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var e *tacet.Error
	if errors.As(err, &e) {
		if f := x.byCode(e); f != nil {
			return f
		}
	}
	return &failure{status: http.StatusInternalServerError, code: "InternalServerError", text: "An unexpected error occurred."}
}

// byCode is the translation of every code: Key Vault's code and words. Clients match on
// codes, inner codes and some of the texts, so they are Azure's to the letter where Azure's
// are known. It returns nil for a code it does not know.
func (x *exchange) byCode(e *tacet.Error) *failure {
	switch e.Code {
	case tacet.Internal:
		return &failure{status: http.StatusInternalServerError, code: "InternalServerError", text: "An unexpected error occurred."}
	case tacet.Unavailable:
		return &failure{status: http.StatusServiceUnavailable, code: "ServiceUnavailable", text: "The service is temporarily unavailable. Try again."}
	case tacet.Throttled:
		return &failure{status: http.StatusTooManyRequests, code: "Throttled", text: "Request was not processed because too many requests were received."}
	case tacet.Denied:
		return x.denial(e.Denial)
	case tacet.CredentialInvalid:
		if strings.HasPrefix(e.Detail, "AKV") {
			return unauthorized(e.Detail)
		}
		return unauthorized("AKV10046: Unable to resolve the key used for signature validation, or the token is not valid.")
	case tacet.CredentialMissing:
		return unauthorized("AKV10000: Request is missing a Bearer or PoP token.")
	case tacet.CredentialExpired:
		return unauthorized("AKV10001: The token has expired.")
	case tacet.RequestInvalid:
		return badParameter("The request is not valid.")
	case tacet.VaultNotFound:
		return errNoVault
	case tacet.SecretNotFound, tacet.VersionNotFound:
		return x.missing()
	case tacet.VersionDisabled:
		return forbidden("SecretDisabled", "Operation get is not allowed on a disabled secret.")
	case tacet.PurgeProtected:
		return forbidden("", `Operation "purge" is not allowed because purge protection is enabled for this vault. `+
			"Key Vault service will automatically purge it after the retention period has passed.\r\nVault: "+x.vaultText())
	case tacet.SecretManaged:
		return forbidden("SecretManagedByKeyVault", `Operation "`+x.verb+`" is not allowed as this object's lifetime is managed by Key Vault.`)
	case tacet.BackupInvalid:
		return badParameter("Cannot decrypt backup blob")
	case tacet.ValueMissing:
		return errNoValue
	}
	if f := x.inTheWay(e); f != nil {
		return f
	}
	return elsewhere(e)
}

// missing words that something is not there.
func (x *exchange) missing() *failure {
	if x.target.collection == "deletedsecrets" {
		return notFound("Deleted Secret not found: " + x.target.name)
	}
	return notFound("A secret with (name/id) " + printable(x.target.id()) + " was not found in this key vault. " +
		"If you recently deleted this secret you may be able to recover it using the correct recovery command. " +
		"For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182")
}

// inTheWay translates what a name that is taken forbids, and what replicas do.
func (x *exchange) inTheWay(e *tacet.Error) *failure {
	switch e.Code {
	case tacet.SecretNameScheduled:
		if x.op == tacet.OpRestoreBackup {
			return x.notRestored(e)
		}
		return conflict("ObjectIsDeletedButRecoverable", "Secret "+x.target.name+" is currently in a deleted but recoverable state, "+
			"and its name cannot be reused; in this state, the secret can only be recovered or purged.")
	case tacet.SecretExists:
		return x.notRestored(e)
	case tacet.SecretMarkedDeleted, tacet.SecretAlreadyScheduled:
		return x.missing()
	case tacet.HasReplicas:
		return conflict("", "The secret has replicas in "+strings.Join(e.Regions, ", ")+", which have to be removed first.")
	case tacet.ReplicaReadOnly:
		return conflict("", "The secret is a replica and changes with its primary only.")
	case tacet.LimitExceeded:
		return forbidden("LimitExceeded", e.Detail)
	}
	return nil
}

// notRestored words that a backup's name is taken.
func (x *exchange) notRestored(e *tacet.Error) *failure {
	name, _ := tacet.ShownName(e.Secret)
	return conflict("", "There was a conflict restoring the secret '"+x.site.base+"/secrets/"+name+"'. This can happen if either: "+
		"a second secret with the same name already exists, or a secret with that name is in a deleted but recoverable state.")
}

// elsewhere translates the codes that no operation of this face meets: what is wrong with
// parameters that only the other cloud has, or with identities.
func elsewhere(e *tacet.Error) *failure {
	text := e.Detail
	switch e.Code {
	case tacet.InvalidNextToken:
		text = "The $skiptoken is not valid."
	case tacet.PrincipalNotFound, tacet.VaultNotEmpty, tacet.PrincipalExists, tacet.PrincipalInUse, tacet.InvalidParameter, tacet.InvalidRequest:
	case tacet.IdentityTokenInvalid, tacet.IdentityTokenExpired, tacet.IdentityTokenRejected, tacet.IssuerUnreachable, tacet.SessionTooLarge, tacet.SessionTagsInvalid:
	case tacet.PolicyMalformed, tacet.KMSKeyUnsupported:
	case tacet.StageNotFound, tacet.StageNotOnVersion, tacet.StageHolderMissing, tacet.StageHolderWrong, tacet.StageVersionsMissing, tacet.CurrentNotRemovable:
		text = "The version has another label."
	case tacet.TokenMissing, tacet.TokenInUse, tacet.ValueAmbiguous, tacet.RecoveryOutOfRange, tacet.RecoveryAmbiguous,
		tacet.ReplicaRegionInvalid, tacet.NotAReplica, tacet.CrossAccountKey, tacet.RotationUnavailable,
		tacet.PolicyPrincipal, tacet.PolicyPublic, tacet.PasswordTooShort, tacet.PasswordAlphabetEmpty, tacet.DevelopmentOnly:
		text = "The operation is not supported."
	default:
		return nil
	}
	if text == "" {
		text = badProperty
	}
	return badParameter(text)
}
