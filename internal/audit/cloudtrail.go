package audit

import (
	"strings"
	"time"

	"tacet"
)

// CloudTrail renders a record in the form of an AWS CloudTrail record, one JSON object
// on one line (CloudTrail record contents, event version 1.08). The same record
// always gives the same bytes.
//
// requestParameters and responseElements are null where CloudTrail has them null: when
// there is nothing to say, for the answer of a read, and for what Tacet did by
// itself, which names its secret in additionalEventData.SecretId instead.
func CloudTrail(rec *tacet.Record) []byte { return appendCloudTrail(nil, rec, nil) }

// appendCloudTrail is CloudTrail, with the stored record embedded when there is a leaf.
func appendCloudTrail(dst []byte, rec *tacet.Record, leaf *Leaf) []byte {
	o := newObject(dst)
	o.text("eventVersion", "1.08")
	o.begin("userIdentity")
	appendIdentity(o, rec)
	o.end()
	o.text("eventTime", rec.Time.UTC().Format("2006-01-02T15:04:05Z"))
	o.text("eventSource", eventSource(rec.Operation))
	o.text("eventName", string(rec.Operation))
	o.text("awsRegion", rec.Region)
	if rec.CallerKind == tacet.CallerSystem {
		o.text("sourceIPAddress", ownService)
		o.text("userAgent", ownService)
	} else {
		o.text("sourceIPAddress", rec.SourceIP)
		o.text("userAgent", rec.UserAgent)
	}
	if rec.Error != "" {
		e := errorIn(rec.Operation, rec.Error)
		o.text("errorCode", e.code)
		o.optional("errorMessage", errorMessage(rec, e))
	}
	o.value("requestParameters", elements(rec.Parameters, rec.Event))
	o.value("responseElements", elements(rec.Response, rec.Event || rec.ReadOnly && rec.Operation.Service() != "sts"))
	appendAdditional(o, rec, leaf)
	o.text("requestID", rec.RequestID)
	o.text("eventID", eventID(rec.ID))
	o.value("readOnly", rec.ReadOnly)
	o.text("eventType", eventType(rec))
	o.value("managementEvent", true)
	o.text("recipientAccountId", firstOf(rec.Account, rec.CallerAcct))
	o.text("eventCategory", "Management")
	if rec.TLS != "" {
		o.begin("tlsDetails")
		o.text("tlsVersion", rec.TLS)
		o.optional("cipherSuite", rec.Cipher)
		o.optional("clientProvidedHostHeader", rec.Host)
		o.end()
	}
	return o.close()
}

// eventID writes a record's id, 32 hex digits, as the UUID that CloudTrail's are; what
// is no such id stays as it is.
func eventID(id string) string {
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// ownService is what Tacet calls itself where AWS names one of its services.
const ownService = "tacet.internal"

func eventSource(op tacet.Operation) string {
	switch s := op.Service(); s {
	case "", "tacet":
		return ownService
	default:
		return s + ".amazonaws.com"
	}
}

func eventType(rec *tacet.Record) string {
	if rec.Event {
		return "AwsServiceEvent"
	}
	return "AwsApiCall"
}

// appendIdentity writes who called, by the kind of caller.
func appendIdentity(o *object, rec *tacet.Record) {
	switch rec.CallerKind {
	case tacet.CallerSystem:
		o.text("type", "AWSService")
		o.text("invokedBy", ownService)
		return
	case tacet.CallerUser:
		o.text("type", "IAMUser")
	case tacet.CallerRoot:
		o.text("type", "Root")
	case tacet.CallerRole:
		o.text("type", "AssumedRole")
	case tacet.CallerFederated:
		o.text("type", "WebIdentityUser")
		o.optional("principalId", rec.CallerID)
		o.optional("userName", rec.CallerName)
		o.optional("identityProvider", rec.Caller)
		return
	default:
		o.text("type", "Unknown")
	}
	id := rec.CallerID
	if rec.CallerKind == tacet.CallerRoot {
		id = rec.CallerAcct // as AWS: the account is its root's id
	}
	o.optional("principalId", id)
	o.optional("arn", rec.Caller)
	o.optional("accountId", rec.CallerAcct)
	o.optional("accessKeyId", rec.AccessKey)
	switch rec.CallerKind {
	case tacet.CallerUser:
		o.optional("userName", rec.CallerName)
	}
	if rec.CallerKind == tacet.CallerRole || !rec.SessionStart.IsZero() {
		appendSession(o, rec)
	}
}

// appendSession writes what is known of a session: of a role's, which role it is of.
func appendSession(o *object, rec *tacet.Record) {
	o.begin("sessionContext")
	if rec.CallerKind == tacet.CallerRole {
		roleID, _, _ := strings.Cut(rec.CallerID, ":")
		o.begin("sessionIssuer")
		o.text("type", "Role")
		o.optional("principalId", roleID)
		o.optional("arn", rec.Role)
		o.optional("accountId", rec.CallerAcct)
		o.optional("userName", rec.Role[strings.LastIndexByte(rec.Role, '/')+1:])
		o.end()
	}
	o.begin("attributes")
	if !rec.SessionStart.IsZero() {
		o.text("creationDate", rec.SessionStart.UTC().Format(time.RFC3339))
	}
	o.text("mfaAuthenticated", "false")
	o.end()
	o.optional("sourceIdentity", rec.SourceIdentity)
	o.end()
}

// appendAdditional writes what has no place of its own in CloudTrail.
func appendAdditional(o *object, rec *tacet.Record, leaf *Leaf) {
	event := rec.Event && rec.Resource != ""
	if !event && leaf == nil {
		return
	}
	o.begin("additionalEventData")
	if event {
		o.text("SecretId", rec.Resource)
	}
	if leaf != nil {
		o.begin("tacet")
		o.value("seq", leaf.Seq)
		o.text("record", string(leaf.Body))
		o.end()
	}
	o.end()
}

// elements are the parameters or the answer as CloudTrail shows them.
func elements(m map[string]any, null bool) any {
	if null || len(m) == 0 {
		return nil
	}
	out := make(map[string]any, len(m))
	for name, v := range m {
		if tags, ok := v.([]tacet.Tag); ok {
			v = tagElements(tags)
		}
		out[name] = v
	}
	return out
}

func tagElements(tags []tacet.Tag) []any {
	out := make([]any, len(tags))
	for i, t := range tags {
		out[i] = map[string]any{"key": t.Key, "value": t.Value}
	}
	return out
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// An awsError is what CloudTrail shows of a failed request.
type awsError struct{ code, message string }

// errorMessage words a failure. A record keeps the code and no text, so the message
// is the general one; of a refusal it is the cloud's own, whose parts are all there.
func errorMessage(rec *tacet.Record, e awsError) string {
	if rec.Error != tacet.Denied {
		return e.message
	}
	action := rec.Operation.Action()
	text := "User: " + rec.Caller + " is not authorized to perform: " + action
	if rec.Resource != "" {
		text += " on resource: " + rec.Resource
	}
	return text + tacet.DenyReason(rec.Reason).AWSTail(action)
}

// errorIn is errorOf with the words that IAM and STS have for what other services call
// otherwise.
func errorIn(op tacet.Operation, code tacet.Code) awsError {
	if s := op.Service(); s == "iam" || s == "sts" {
		switch code {
		case tacet.InvalidParameter, tacet.InvalidNextToken:
			return awsError{"ValidationException", "A parameter is not valid."}
		case tacet.InvalidRequest:
			if s == "iam" {
				return awsError{"InvalidInputException", "The request is not valid."}
			}
			return awsError{"AccessDenied", "The request is not allowed with this credential."}
		case tacet.PolicyPrincipal:
			return awsError{"MalformedPolicyDocumentException", "The policy names a principal that does not exist."}
		case tacet.CredentialInvalid:
			return awsError{"InvalidClientTokenId", "The security token included in the request is invalid."}
		}
	}
	return errorOf(code)
}

// errorOf is the translation of every code into AWS's name for it. A code that this
// version does not know keeps its own name.
func errorOf(code tacet.Code) awsError {
	if e := credentialProblem(code); e.code != "" {
		return e
	}
	switch code {
	case tacet.Internal:
		return awsError{"InternalServiceError", "An error occurred on the server side."}
	case tacet.Unavailable:
		return awsError{"ServiceUnavailable", "The service is temporarily unavailable."}
	case tacet.Denied:
		return awsError{"AccessDenied", ""}
	case tacet.SessionTooLarge:
		return awsError{"PackedPolicyTooLarge", "The session's policies and tags are too large."}
	case tacet.SessionTagsInvalid:
		return awsError{"InvalidParameterValue", "The session's tags are not valid."}
	case tacet.RequestInvalid:
		return awsError{"ValidationException", "The request is not valid."}
	case tacet.Throttled:
		return awsError{"ThrottlingException", "Rate exceeded"}

	case tacet.SecretNotFound:
		return awsError{notFound, "Secrets Manager can't find the specified secret."}
	case tacet.StageNotFound:
		return awsError{notFound, "Secrets Manager can't find the specified secret value for the staging label."}
	case tacet.VersionNotFound:
		return awsError{notFound, "Secrets Manager can't find the specified secret value for the VersionId."}
	case tacet.SecretExists:
		return awsError{exists, "The operation failed because the secret already exists."}
	case tacet.TokenInUse:
		return awsError{exists, "The ClientRequestToken is already in use for a version of the secret."}

	case tacet.LimitExceeded:
		return awsError{"LimitExceededException", "A limit was exceeded."}
	case tacet.InvalidNextToken:
		return awsError{"InvalidNextTokenException", "The NextToken value is invalid."}
	case tacet.KMSKeyUnsupported:
		return awsError{"EncryptionFailure", "The KMS key is not available."}
	case tacet.PolicyMalformed:
		return awsError{"MalformedPolicyDocumentException", "The policy has invalid syntax."}
	case tacet.PolicyPrincipal:
		return awsError{"MalformedPolicyDocumentException", "The policy contains an unsupported principal."}
	case tacet.PolicyPublic:
		return awsError{"PublicPolicyException", "The policy does not prevent broad access to the secret."}

	case tacet.PrincipalNotFound:
		return awsError{"NoSuchEntityException", "The principal cannot be found."}
	case tacet.PrincipalExists:
		return awsError{"EntityAlreadyExistsException", "The principal already exists."}
	case tacet.PrincipalInUse:
		return awsError{"DeleteConflictException", "The principal is still in use."}
	}
	if text := requestProblem(code); text != "" {
		return awsError{"InvalidRequestException", text}
	}
	if text := parameterProblem(code); text != "" {
		return awsError{"InvalidParameterException", text}
	}
	return awsError{string(code), ""}
}

// credentialProblem words that a caller did not prove who he is.
func credentialProblem(code tacet.Code) awsError {
	switch code {
	case tacet.CredentialInvalid:
		return awsError{"UnrecognizedClientException", "The security token included in the request is invalid."}
	case tacet.CredentialMissing:
		return awsError{"MissingAuthenticationTokenException", "Missing Authentication Token"}
	case tacet.CredentialExpired:
		return awsError{"ExpiredToken", "The security token included in the request is expired"}
	case tacet.IdentityTokenInvalid:
		return awsError{"InvalidIdentityToken", "The identity token is not valid."}
	case tacet.IdentityTokenExpired:
		return awsError{"ExpiredTokenException", "The identity token is expired."}
	case tacet.IdentityTokenRejected:
		return awsError{"IDPRejectedClaim", "The identity token was rejected."}
	case tacet.IssuerUnreachable:
		return awsError{"IDPCommunicationError", "The identity provider could not be reached."}
	}
	return awsError{}
}

const (
	notFound = "ResourceNotFoundException"
	exists   = "ResourceExistsException"
)

// requestProblem words what the state of a secret forbade.
func requestProblem(code tacet.Code) string {
	switch code {
	case tacet.InvalidRequest:
		return "The request is not valid in the present state."
	case tacet.SecretNameScheduled:
		return "A secret with this name is already scheduled for deletion."
	case tacet.SecretMarkedDeleted, tacet.SecretAlreadyScheduled:
		return "You can't perform this operation on the secret because it was marked for deletion."
	case tacet.SecretManaged:
		return "The secret is managed by another service."
	case tacet.StageNotOnVersion:
		return "You provided a VersionStage that is not associated to the provided VersionId."
	case tacet.PurgeProtected:
		return "Purge protection is enabled for the vault."
	case tacet.VersionDisabled:
		return "The secret version is disabled."
	case tacet.TokenMissing:
		return "You must provide a ClientRequestToken value."
	case tacet.ValueMissing:
		return "You must provide either SecretString or SecretBinary."
	case tacet.CrossAccountKey:
		return "A secret encrypted with the default key can't be accessed from another account."
	case tacet.RotationUnavailable:
		return "Rotation isn't available on this server."
	case tacet.VaultNotEmpty:
		return "The vault still has secrets."
	case tacet.DevelopmentOnly:
		return "This operation exists on a development server only."
	}
	return ""
}

// parameterProblem words what was wrong with a request whatever the state.
func parameterProblem(code tacet.Code) string {
	switch code {
	case tacet.InvalidParameter:
		return "A parameter is not valid."
	case tacet.BackupInvalid:
		return "The backup is not valid."
	case tacet.VaultNotFound:
		return "There is no vault in this region of the account."
	case tacet.ValueAmbiguous:
		return "You can't specify both a binary secret value and a string secret value in the same secret."
	case tacet.StageHolderMissing:
		return "The parameter RemoveFromVersionId can't be empty."
	case tacet.StageHolderWrong:
		return "RemoveFromVersionId must be the version that currently has the staging label."
	case tacet.CurrentNotRemovable:
		return "Staging label AWSCURRENT can't be completely removed."
	case tacet.StageVersionsMissing:
		return "You must provide MoveToVersionId, RemoveFromVersionId, or both."
	case tacet.RecoveryOutOfRange:
		return "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
	case tacet.RecoveryAmbiguous:
		return "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
	case tacet.HasReplicas:
		return "You can't delete a secret that still has replica regions."
	case tacet.ReplicaReadOnly:
		return "Operation not permitted on a replica secret. Call must be made in primary secret's region."
	case tacet.ReplicaRegionInvalid:
		return "Invalid replica region."
	case tacet.NotAReplica:
		return "Operation not permitted on a secret that is not a replica secret."
	case tacet.PasswordTooShort:
		return "Password length is too short based on the required types."
	case tacet.PasswordAlphabetEmpty:
		return "No characters are left for the password."
	}
	return ""
}
