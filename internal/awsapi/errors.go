package awsapi

import (
	"errors"
	"strings"

	"tacet"
)

// A failure is an answer that refuses: what the client sees of an error.
type failure struct {
	status int
	code   string // AWS's name of the exception
	text   string // may be empty
	// modelled exceptions are part of the service's model; their text is in the member
	// "Message", that of the framework's in "message".
	modelled bool
}

// Error returns the code. The text is for the client and not for a log.
func (f *failure) Error() string { return f.code }

func validationException(text string) *failure {
	return &failure{400, "ValidationException", text, false}
}

func serializationException(text string) *failure {
	return &failure{400, "SerializationException", text, false}
}

// The refusals that come before any operation.
var (
	errUnknownOperation = &failure{400, "UnknownOperationException", "", false}
	errBadPath          = &failure{400, "BadRequestException", "The request path is not valid.", false}
	errNoSuchPath       = &failure{404, "UnknownOperationException", "", false}
	errBadMethod        = &failure{405, "MethodNotAllowedException", "Only POST is allowed.", false}
	errTooLarge         = &failure{413, "RequestEntityTooLarge", "The request body is too large.", false}
	errBodyUnread       = &failure{400, "BadRequestException", "The request body could not be read.", false}
)

// translate turns an error of an operation into what the client sees. What is not a
// *tacet.Error or a *failure is a failure of ours and loses its text.
func translate(op tacet.Operation, err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var e *tacet.Error
	if errors.As(err, &e) {
		if e.Code == tacet.TokenMissing && op == tacet.OpRotateSecret {
			// The one operation that answers another exception for it.
			return &failure{400, "InvalidParameterException", tokenMissing, true}
		}
		if f := byCode(e); f != nil {
			return f
		}
	}
	return &failure{500, "InternalServiceError", "An error occurred on the server side.", true}
}

const tokenMissing = "You must provide a ClientRequestToken value. We recommend a UUID-type value."

// byCode is the translation of every code: AWS's exception and its words. Clients
// match on some of the texts (Terraform does), so they are AWS's to the letter where
// AWS's are known. It returns nil for a code it does not know.
func byCode(e *tacet.Error) *failure {
	switch e.Code {
	case tacet.Internal:
		return &failure{500, "InternalServiceError", "An error occurred on the server side.", true}
	case tacet.Unavailable:
		return &failure{503, "ServiceUnavailable", "The service is temporarily unavailable. Try again.", false}
	case tacet.Denied:
		return &failure{400, "AccessDeniedException", denialText(e.Denial), false}
	case tacet.CredentialInvalid:
		return &failure{400, "UnrecognizedClientException", invalidToken, false}
	case tacet.CredentialMissing:
		return &failure{400, "MissingAuthenticationTokenException", "Missing Authentication Token", false}
	case tacet.CredentialExpired:
		return &failure{400, "ExpiredTokenException", "The security token included in the request is expired", false}
	case tacet.RequestInvalid:
		return &failure{400, "ValidationException", "The request is not valid.", false}
	case tacet.Throttled:
		return &failure{400, "ThrottlingException", "Rate exceeded", false}

	case tacet.SecretNotFound:
		return notFound("Secrets Manager can't find the specified secret.")
	case tacet.StageNotFound:
		return notFound("Secrets Manager can't find the specified secret value for staging label: " + string(e.Stage))
	case tacet.VersionNotFound:
		return notFound("Secrets Manager can't find the specified secret value for VersionId: " + string(e.Version))
	case tacet.PrincipalNotFound:
		return notFound(e.Detail)

	case tacet.SecretExists:
		return exists("The operation failed because the secret " + e.Secret + " already exists.")
	case tacet.TokenInUse:
		return exists("You can't use ClientRequestToken " + string(e.Version) +
			" because that value is already in use for a version of secret " + e.ARN + ".")
	case tacet.PrincipalExists:
		return exists(e.Detail)

	case tacet.LimitExceeded:
		return &failure{400, "LimitExceededException", e.Detail, true}
	case tacet.InvalidNextToken:
		return &failure{400, "InvalidNextTokenException", "The NextToken value is invalid.", true}
	case tacet.KMSKeyUnsupported:
		return &failure{400, "EncryptionFailure",
			"Secrets Manager can't encrypt the protected secret text using the provided KMS key " + e.Detail +
				". Check that the KMS key is available, enabled, and not in an invalid state.", true}
	case tacet.PolicyMalformed:
		return malformed("This policy has invalid syntax.", e.Detail)
	case tacet.PolicyPrincipal:
		return malformed("This resource policy contains an unsupported principal.", e.Detail)
	case tacet.PolicyPublic:
		return &failure{400, "PublicPolicyException",
			"The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to the secret.", true}
	}
	if f := invalidRequest(e); f != nil {
		return f
	}
	return invalidParameter(e)
}

func notFound(text string) *failure {
	return &failure{400, "ResourceNotFoundException", text, true}
}

func exists(text string) *failure {
	return &failure{400, "ResourceExistsException", text, true}
}

func malformed(text, detail string) *failure {
	if detail != "" {
		text += " " + detail
	}
	return &failure{400, "MalformedPolicyDocumentException", text, true}
}

// invalidRequest translates what the state of a secret forbids.
func invalidRequest(e *tacet.Error) *failure {
	text := ""
	switch e.Code {
	case tacet.InvalidRequest:
		text = e.Detail
	case tacet.SecretNameScheduled:
		text = "You can't create this secret because a secret with this name is already scheduled for deletion."
	case tacet.SecretMarkedDeleted, tacet.SecretAlreadyScheduled:
		text = "You can't perform this operation on the secret because it was marked for deletion."
	case tacet.SecretManaged:
		text = "You can't perform this operation on the secret because it is managed by another service."
	case tacet.StageNotOnVersion:
		text = "You provided a VersionStage that is not associated to the provided VersionId."
	case tacet.PurgeProtected:
		text = "You can't delete this secret without recovery because purge protection is enabled for its vault."
	case tacet.VersionDisabled:
		text = "You can't perform this operation on the secret version because it is disabled."
	case tacet.TokenMissing:
		text = tokenMissing
	case tacet.ValueMissing:
		text = "You must provide either SecretString or SecretBinary."
	case tacet.CrossAccountKey:
		text = "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key."
	case tacet.RotationUnavailable:
		text = "Rotation isn't available on this server."
	case tacet.PrincipalInUse:
		text = e.Detail
	case tacet.VaultNotEmpty:
		text = e.Detail
	case tacet.DevelopmentOnly:
		text = "This operation exists on a development server only."
	default:
		return nil
	}
	return &failure{400, "InvalidRequestException", text, true}
}

// invalidParameter translates what is wrong with the request whatever the state, or
// with two of its parameters together.
func invalidParameter(e *tacet.Error) *failure {
	text := ""
	switch e.Code {
	case tacet.InvalidParameter, tacet.IdentityTokenInvalid, tacet.IdentityTokenExpired, tacet.IdentityTokenRejected,
		tacet.IssuerUnreachable, tacet.SessionTooLarge, tacet.SessionTagsInvalid: // the latter are STS's: see queryByCode
		text = e.Detail
	case tacet.BackupInvalid:
		text = "The backup is not one of this deployment's."
	case tacet.VaultNotFound:
		text = "There is no vault in region " + e.Region + " of this account."
	case tacet.ValueAmbiguous:
		text = "You can't specify both a binary secret value and a string secret value in the same secret."
	case tacet.StageHolderMissing:
		text = "The parameter RemoveFromVersionId can't be empty. Staging label " + string(e.Stage) +
			" is currently attached to version " + string(e.Version) +
			", so you must explicitly reference that version in RemoveFromVersionId."
	case tacet.StageHolderWrong:
		text = "When you move staging label " + string(e.Stage) +
			", if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label " +
			string(e.Stage) + "."
	case tacet.CurrentNotRemovable:
		text = "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."
	case tacet.StageVersionsMissing:
		text = "You must provide MoveToVersionId, RemoveFromVersionId, or both."
	case tacet.RecoveryOutOfRange:
		text = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
	case tacet.RecoveryAmbiguous:
		text = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
	case tacet.HasReplicas:
		text = "You can't delete secret " + e.ARN + " that still has replica regions [" + strings.Join(e.Regions, ", ") + "]."
	case tacet.ReplicaReadOnly:
		text = "Operation not permitted on a replica secret. Call must be made in primary secret's region."
	case tacet.ReplicaRegionInvalid:
		text = "Invalid replica region."
	case tacet.NotAReplica:
		text = "Operation not permitted on a secret that is not a replica secret."
	case tacet.PasswordTooShort:
		text = "Password length is too short based on the required types."
	case tacet.PasswordAlphabetEmpty:
		text = "The exclusions leave no character to generate a password from."
	default:
		return nil
	}
	return &failure{400, "InvalidParameterException", text, true}
}

// denialText words a refused decision as AWS does. The resource is left out for an
// operation that has none.
func denialText(d *tacet.Denial) string {
	if d == nil {
		return "Access denied."
	}
	text := "User: " + d.Caller + " is not authorized to perform: " + d.Action
	if d.Resource != "" {
		text += " on resource: " + d.Resource
	}
	return text + d.Reason.AWSTail(d.Action)
}
