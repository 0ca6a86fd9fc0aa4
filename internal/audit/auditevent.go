package audit

import (
	"strings"

	"tacet"
)

// AuditEvent renders a record in the form of Azure Key Vault's AuditEvent log, one JSON
// object on one line (Azure Key Vault logging). tenant is the deployment's, a GUID. The
// same record and tenant always give the same bytes.
//
// Results are those that Key Vault answers, whichever face was asked. What a record does
// not keep is left out: durationMs, and operationVersion, requestUri and the vault's URL in
// properties.id of what was not asked of Azure's face. That id is then
// "/secrets/{name}/{version}".
func AuditEvent(rec *tacet.Record, tenant string) []byte {
	return appendAuditEvent(nil, rec, tenant, nil)
}

// appendAuditEvent is AuditEvent, with the stored record embedded when there is a leaf.
func appendAuditEvent(dst []byte, rec *tacet.Record, tenant string, leaf *Leaf) []byte {
	e := auditEvent{rec: rec, tenant: tenant, vault: vaultName(rec)}
	result := e.result()
	o := newObject(dst)
	o.text("time", rec.Time.UTC().Format("2006-01-02T15:04:05.0000000Z"))
	o.text("resourceId", strings.ToUpper(e.resourceID()))
	if e.anonymous() {
		o.text("operationName", authentication)
	} else {
		o.text("operationName", operationName(rec.Operation))
	}
	o.optional("operationVersion", rec.APIVersion)
	o.text("category", "AuditEvent")
	if rec.Outcome == tacet.OutcomeAllowed {
		o.text("resultType", "Success")
	} else {
		o.text("resultType", "Failed")
	}
	o.optional("resultSignature", result.signature())
	o.optional("resultDescription", result.text)
	o.optional("callerIpAddress", rec.SourceIP)
	o.text("correlationId", rec.RequestID)
	o.begin("identity")
	o.begin("claim")
	e.appendClaims(o)
	o.end()
	o.end()
	o.text("tenantId", tenant)
	o.begin("properties")
	o.optional("clientInfo", rec.UserAgent)
	o.optional("requestUri", e.uri())
	o.optional("id", e.objectID())
	if result.status != 0 {
		o.value("httpStatusCode", result.status)
	}
	o.optional("tlsVersion", strings.Replace(rec.TLS, "v1.", "1_", 1)) // "TLSv1.3" is Azure's "TLS1_3"
	if leaf != nil {
		o.begin("tacet")
		o.value("seq", leaf.Seq)
		o.text("record", string(leaf.Body))
		o.end()
	}
	o.end()
	return o.close()
}

// tenantOf returns the tenant that a deployment is, by the key that verifies its
// checkpoints: the key's name is the log's origin.
func tenantOf(verifierKey string) string {
	name, _, _ := strings.Cut(verifierKey, "+")
	return tacet.TenantID(strings.TrimPrefix(name, originPrefix))
}

// An auditEvent is a record on its way into Azure's form.
type auditEvent struct {
	rec           *tacet.Record
	tenant, vault string
}

// resourceID is the vault's id in Azure's resource manager: the deployment is one
// subscription with one resource group. It ends there for what is of no vault.
func (e *auditEvent) resourceID() string {
	id := "/subscriptions/" + e.tenant + "/resourcegroups/tacet"
	if e.vault != "" {
		id += "/providers/microsoft.keyvault/vaults/" + strings.ToLower(e.vault)
	}
	return id
}

// vaultName returns the name of the vault that a record is about, "" when it does not say.
func vaultName(rec *tacet.Record) string {
	if _, name, ok := strings.Cut(rec.Resource, ":vault/"); ok && strings.HasPrefix(rec.Resource, "arn:aws:tacet:") {
		return name
	}
	return rec.Vault
}

// objectID is the id of the secret, and of the version if one is known.
func (e *auditEvent) objectID() string {
	if !e.rec.Operation.OnSecrets() {
		return ""
	}
	name := firstOf(textIn(e.rec.Parameters, "secretId"), textIn(e.rec.Parameters, "name"))
	if name == "" || strings.HasPrefix(name, "arn:") {
		_, tail, _ := strings.Cut(e.rec.Resource, ":secret:")
		name, _, _ = tacet.SplitSuffix(tail)
	}
	if name == "" {
		return ""
	}
	shown, _ := tacet.ShownName(name) // one that Azure cannot show is told all the same
	id := e.rec.Base + "/secrets/" + shown
	if v := firstOf(textIn(e.rec.Response, "versionId"), textIn(e.rec.Parameters, "versionId")); v != "" {
		id += "/" + tacet.ShownVersion(tacet.VersionID(v))
	}
	return id
}

// uri is what was asked of Azure's face: without the query, of which only the version is
// kept.
func (e *auditEvent) uri() string {
	if e.rec.APIVersion == "" {
		return e.rec.Base + e.rec.Path
	}
	return e.rec.Base + e.rec.Path + "?api-version=" + e.rec.APIVersion
}

// anonymous reports whether the caller did not prove who he is, as on the first request of
// every client.
func (e *auditEvent) anonymous() bool { return e.rec.CallerKind == "" && refusesToken(e.rec.Error) }

// textIn returns a member that is a string, "" for any other.
func textIn(m map[string]any, name string) string {
	text, _ := m[name].(string)
	return text
}

// principal returns the unique id of the caller, "" for one who has none here: Tacet
// itself, or an identity of another issuer.
func (e *auditEvent) principal() string {
	switch e.rec.CallerKind {
	case tacet.CallerUser, tacet.CallerRoot, tacet.CallerRole:
		id, _, _ := strings.Cut(e.rec.CallerID, ":")
		return id
	}
	return ""
}

// appendClaims writes who called as the claims of an access token that Tacet would give him.
func (e *auditEvent) appendClaims(o *object) {
	id := e.principal()
	if id == "" {
		return
	}
	o.text("http://schemas.microsoft.com/identity/claims/objectidentifier", tacet.ObjectID(id))
	if e.rec.CallerKind == tacet.CallerUser && e.rec.CallerName != "" {
		o.text("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", e.rec.CallerName+"@"+e.rec.CallerAcct)
	}
	o.text("appid", tacet.ClientID(id))
}

// operationName is Key Vault's name of an operation. What Key Vault has not keeps its own
// name: DescribeSecret, because SecretGet says that a value was asked for, and what Tacet
// does by itself, which would count a purge twice.
func operationName(op tacet.Operation) string {
	switch op {
	case tacet.OpSetSecret, tacet.OpCreateSecret, tacet.OpPutSecretValue:
		return "SecretSet"
	case tacet.OpGetSecretValue:
		return "SecretGet"
	case tacet.OpUpdateSecretAttributes, tacet.OpUpdateSecret, tacet.OpTagResource, tacet.OpUntagResource:
		return "SecretUpdate"
	case tacet.OpListSecrets:
		return "SecretList"
	case tacet.OpListSecretVersionIDs:
		return "SecretListVersions"
	case tacet.OpDeleteSecret:
		return "SecretDelete"
	case tacet.OpGetDeletedSecret:
		return "SecretGetDeleted"
	case tacet.OpListDeletedSecrets:
		return "SecretListDeleted"
	case tacet.OpRestoreSecret:
		return "SecretRecover"
	case tacet.OpPurgeDeletedSecret:
		return "SecretPurge"
	case tacet.OpBackupSecret:
		return "SecretBackup"
	case tacet.OpRestoreBackup:
		return "SecretRestore"
	case tacet.OpCreateVault:
		return "VaultPut"
	case tacet.OpGetVault, tacet.OpListAccessPolicies:
		return "VaultGet"
	case tacet.OpListVaults:
		return "VaultList"
	case tacet.OpUpdateVault, tacet.OpSetAccessPolicy, tacet.OpDeleteAccessPolicy:
		return "VaultPatch"
	case tacet.OpDeleteVault:
		return "VaultDelete"
	}
	if authenticates(op) {
		return authentication
	}
	return string(op)
}

// authentication is Key Vault's name of finding out who calls.
const authentication = "Authentication"

// authenticates reports whether an operation gives out a session.
func authenticates(op tacet.Operation) bool {
	switch op {
	case tacet.OpIssueToken, tacet.OpAssumeRole, tacet.OpAssumeRoleWithWebIdentity, tacet.OpGetSessionToken:
		return true
	}
	return false
}

// An azureResult is what Key Vault would have answered.
type azureResult struct {
	status int // of HTTP; 0: not known
	text   string
}

// signature is the status in words, as Azure writes them.
func (r azureResult) signature() string {
	switch r.status {
	case 200:
		return "OK"
	case 204:
		return "No Content"
	case 400:
		return "Bad Request"
	case 401:
		return "Unauthorized"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 409:
		return "Conflict"
	case 429:
		return "Too Many Requests"
	case 500:
		return "Internal Server Error"
	case 503:
		return "Service Unavailable"
	}
	return ""
}

// result words what came of the request.
func (e *auditEvent) result() azureResult {
	switch rec := e.rec; {
	case rec.Error == "" && rec.Outcome != tacet.OutcomeAllowed:
		return azureResult{}
	case rec.Error == "" && rec.Operation == tacet.OpPurgeDeletedSecret:
		return azureResult{204, ""}
	case rec.Error == "":
		return azureResult{200, ""}
	case authenticates(rec.Operation) && refusesToken(rec.Error):
		return azureResult{401, errorIn(rec.Operation, rec.Error).message}
	case rec.Error == tacet.Denied:
		return azureResult{403, e.denial()}
	}
	return azureResultOf(e.rec.Error)
}

// refusesToken reports whether a code says that a caller did not prove who he is. Entra
// answers such a request with 401, and Key Vault one with such a token.
func refusesToken(code tacet.Code) bool {
	switch code {
	case tacet.CredentialInvalid, tacet.CredentialMissing, tacet.CredentialExpired, tacet.IdentityTokenInvalid, tacet.IdentityTokenExpired, tacet.IdentityTokenRejected:
		return true
	}
	return false
}

// denial words a refused decision as Key Vault does for a vault that goes by roles.
func (e *auditEvent) denial() string {
	rec := e.rec
	who := ""
	if id := e.principal(); id != "" {
		who = "appid=" + tacet.ClientID(id) + ";oid=" + tacet.ObjectID(id) + ";iss=https://sts.windows.net/" + e.tenant + "/"
	}
	place := e.vault + ";location=" + rec.Region
	if rec.Reason == string(tacet.DenyNetwork) {
		return "Client address is not authorized and caller is not a trusted service.\r\nClient address: " + rec.SourceIP +
			"\r\nCaller: " + who + "\r\nVault: " + place
	}
	deny := "null"
	if tacet.DenyReason(rec.Reason).Explicit() {
		deny = "'" + rec.ID + "'" // what `tacet why` explains
	}
	return "Caller is not authorized to perform action on resource.\r\nCaller: " + who +
		"\r\nAction: '" + firstOf(rec.Operation.DataAction(), rec.Operation.Action()) +
		"'\r\nResource: '" + e.resourceID() + strings.ToLower(strings.TrimPrefix(e.objectID(), rec.Base)) +
		"'\r\nAssignment: (not found)\r\nDenyAssignmentId: " + deny + "\r\nDecisionReason: " + firstOf(rec.Reason, "null") +
		"\r\nVault: " + place + "\r\n"
}

// azureResultOf is the translation of every code into Key Vault's status and words. A code
// that this version does not know is told by its own name. A record keeps no more of a
// failure than its code, so that a text is the general one; of what no operation of Key
// Vault's meets it is CloudTrail's.
func azureResultOf(code tacet.Code) azureResult {
	switch code {
	case tacet.Internal:
		return azureResult{500, "An unexpected error occurred."}
	case tacet.Unavailable:
		return azureResult{503, "The service is temporarily unavailable. Try again."}
	case tacet.Throttled:
		return azureResult{429, "Request was not processed because too many requests were received."}
	case tacet.CredentialInvalid:
		return azureResult{401, "AKV10046: Unable to resolve the key used for signature validation, or the token is not valid."}
	case tacet.CredentialMissing:
		return azureResult{401, "AKV10000: Request is missing a Bearer or PoP token."}
	case tacet.CredentialExpired:
		return azureResult{401, "AKV10001: The token has expired."}

	case tacet.VaultNotFound:
		return azureResult{404, "There is no such vault."}
	case tacet.SecretNotFound, tacet.VersionNotFound, tacet.SecretMarkedDeleted, tacet.SecretAlreadyScheduled:
		return azureResult{404, "A secret with this name or id was not found in this key vault."}
	case tacet.VersionDisabled:
		return azureResult{403, "Operation get is not allowed on a disabled secret."}
	case tacet.PurgeProtected:
		return azureResult{403, `Operation "purge" is not allowed because purge protection is enabled for this vault.`}
	case tacet.SecretManaged:
		return azureResult{403, "The operation is not allowed as this object's lifetime is managed by Key Vault."}
	case tacet.LimitExceeded:
		return azureResult{403, "A limit was exceeded."}
	case tacet.SecretNameScheduled:
		return azureResult{409, "The secret is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."}
	case tacet.SecretExists:
		return azureResult{409, "A secret with the same name already exists."}
	case tacet.HasReplicas:
		return azureResult{409, "The secret has replicas, which have to be removed first."}
	case tacet.ReplicaReadOnly:
		return azureResult{409, "The secret is a replica and changes with its primary only."}
	case tacet.BackupInvalid:
		return azureResult{400, "Cannot decrypt backup blob"}
	case tacet.StageNotFound:
		return azureResult{400, "No version of the secret has the label."}
	case tacet.ValueMissing:
		return azureResult{400, "The property value is required."}
	}
	if text := errorOf(code).message; text != "" {
		return azureResult{400, text}
	}
	return azureResult{0, string(code)}
}
