package tacet

import (
	"slices"
	"strings"
)

// An Operation is something a caller can ask for. Its name is the one recorded; its
// actions are all the names it has in policies, in both clouds' languages.
type Operation string

// The operations on secrets, named as AWS Secrets Manager names them.
const (
	OpBatchGetSecretValue          Operation = "BatchGetSecretValue"
	OpCancelRotateSecret           Operation = "CancelRotateSecret"
	OpCreateSecret                 Operation = "CreateSecret"
	OpDeleteResourcePolicy         Operation = "DeleteResourcePolicy"
	OpDeleteSecret                 Operation = "DeleteSecret"
	OpDescribeSecret               Operation = "DescribeSecret"
	OpGetRandomPassword            Operation = "GetRandomPassword"
	OpGetResourcePolicy            Operation = "GetResourcePolicy"
	OpGetSecretValue               Operation = "GetSecretValue"
	OpListSecrets                  Operation = "ListSecrets"
	OpListSecretVersionIDs         Operation = "ListSecretVersionIds"
	OpPutResourcePolicy            Operation = "PutResourcePolicy"
	OpPutSecretValue               Operation = "PutSecretValue"
	OpRemoveRegionsFromReplication Operation = "RemoveRegionsFromReplication"
	OpReplicateSecretToRegions     Operation = "ReplicateSecretToRegions"
	OpRestoreSecret                Operation = "RestoreSecret"
	OpRotateSecret                 Operation = "RotateSecret"
	OpStopReplicationToReplica     Operation = "StopReplicationToReplica"
	OpTagResource                  Operation = "TagResource"
	OpUntagResource                Operation = "UntagResource"
	OpUpdateSecret                 Operation = "UpdateSecret"
	OpUpdateSecretVersionStage     Operation = "UpdateSecretVersionStage"
	OpValidateResourcePolicy       Operation = "ValidateResourcePolicy"
)

// The operations on secrets that Azure has and AWS has not, or has in parts.
const (
	// OpSetSecret is decided as CreateSecret or PutSecretValue, whichever it comes to. It
	// is decided beside UpdateSecretVersionStage, so that a denial in Azure's words holds
	// there too.
	OpSetSecret              Operation = "SetSecret"
	OpUpdateSecretAttributes Operation = "UpdateSecretAttributes"
	OpGetDeletedSecret       Operation = "GetDeletedSecret"
	OpListDeletedSecrets     Operation = "ListDeletedSecrets"
	OpPurgeDeletedSecret     Operation = "PurgeDeletedSecret"
	OpBackupSecret           Operation = "BackupSecret"
	OpRestoreBackup          Operation = "RestoreBackup" // RestoreSecret is AWS's recovery
)

// Parts of operations: what one language grants with another name than the other does.
// No request asks for them; they are decided beside an operation that contains them.
const (
	OpUpdateValue Operation = "UpdateSecretValue" // of UpdateSecret
	OpSetTags     Operation = "SetSecretTags"     // of SetSecret: tags the secret has not
	OpClearTags   Operation = "ClearSecretTags"   // of SetSecret: tags the secret would lose
	OpRestoreTags Operation = "RestoreBackupTags" // of RestoreBackup
)

// The operations of STS.
const (
	OpGetCallerIdentity         Operation = "GetCallerIdentity"
	OpAssumeRole                Operation = "AssumeRole"
	OpAssumeRoleWithWebIdentity Operation = "AssumeRoleWithWebIdentity"
	OpGetSessionToken           Operation = "GetSessionToken"
	OpGetAccessKeyInfo          Operation = "GetAccessKeyInfo"

	OpDecodeAuthorizationMessage Operation = "DecodeAuthorizationMessage"
	// OpTagSession and OpSetSourceIdentity are asked beside the one that makes a session.
	OpTagSession        Operation = "TagSession"
	OpSetSourceIdentity Operation = "SetSourceIdentity"
)

// The operations on what gets access tokens, and that of getting one. Azure has them in
// its directory and its token endpoint; for policies they are IAM's and STS's.
const (
	OpIssueToken             Operation = "IssueToken"
	OpCreateClientCredential Operation = "CreateClientCredential"
	OpListClientCredentials  Operation = "ListClientCredentials"
	OpDeleteClientCredential Operation = "DeleteClientCredential"
)

// The operations of Tacet's own administration.
const (
	OpReadAudit   Operation = "ReadAudit"   // records, checkpoints and proofs
	OpCreateVault Operation = "CreateVault" // a further region or account
	OpListVaults  Operation = "ListVaults"
	OpGetVault    Operation = "GetVault"
	OpUpdateVault Operation = "UpdateVault"
	OpDeleteVault Operation = "DeleteVault"
	OpSetClock    Operation = "SetClock" // development servers only

	OpCreateAccount Operation = "CreateAccount" // with its administrator
	OpListAccounts  Operation = "ListAccounts"

	OpExplainDecision  Operation = "ExplainDecision"  // why a request was refused
	OpSimulateDecision Operation = "SimulateDecision" // what would be decided
	OpListAccess       Operation = "ListAccess"       // who may do something

	// What a vault grants in Azure's language.
	OpCreateRoleAssignment Operation = "CreateRoleAssignment"
	OpListRoleAssignments  Operation = "ListRoleAssignments"
	OpDeleteRoleAssignment Operation = "DeleteRoleAssignment"
	OpCreateRoleDefinition Operation = "CreateRoleDefinition"
	OpListRoleDefinitions  Operation = "ListRoleDefinitions"
	OpDeleteRoleDefinition Operation = "DeleteRoleDefinition"
	OpSetAccessPolicy      Operation = "SetAccessPolicy"
	OpListAccessPolicies   Operation = "ListAccessPolicies"
	OpDeleteAccessPolicy   Operation = "DeleteAccessPolicy"
)

// The operations of Tacet itself, which no request can ask for.
const (
	OpBootstrap       Operation = "Bootstrap"
	OpRotateTokenKeys Operation = "RotateTokenKeys"        // makes and retires keys of access tokens
	OpPurgeSecret     Operation = "EndSecretVersionDelete" // CloudTrail's name for it
	OpPurgeVersions   Operation = "SecretVersionDeletion"
	OpStartDelete     Operation = "StartSecretVersionDelete"
	OpCancelDelete    Operation = "CancelSecretVersionDelete"
)

// opInfo is what the house knows of an operation.
type opInfo struct {
	op       Operation
	service  string // the prefix of its AWS action
	readOnly bool
	azure    string // its Azure data action, when it has one
}

// Internal reports whether the operation is Tacet's own work, which no request can
// ask for and no policy can allow.
func (o Operation) Internal() bool {
	switch o {
	case OpBootstrap, OpRotateTokenKeys, OpPurgeSecret, OpPurgeVersions, OpStartDelete, OpCancelDelete:
		return true
	}
	return false
}

const (
	azureVaults        = "Microsoft.KeyVault/vaults/"
	azureSecrets       = azureVaults + "secrets/"
	azureAuthorization = "Microsoft.Authorization/"
)

var operations = append([]opInfo{
	{OpBatchGetSecretValue, "secretsmanager", true, ""},
	{OpCancelRotateSecret, "secretsmanager", false, ""},
	{OpCreateSecret, "secretsmanager", false, azureSecrets + "setSecret/action"},
	{OpDeleteResourcePolicy, "secretsmanager", false, ""},
	{OpDeleteSecret, "secretsmanager", false, azureSecrets + "delete"},
	{OpDescribeSecret, "secretsmanager", true, azureSecrets + "readMetadata/action"},
	{OpGetRandomPassword, "secretsmanager", true, ""},
	{OpGetResourcePolicy, "secretsmanager", true, ""},
	{OpGetSecretValue, "secretsmanager", true, azureSecrets + "getSecret/action"},
	{OpListSecrets, "secretsmanager", true, azureSecrets + "readMetadata/action"},
	{OpListSecretVersionIDs, "secretsmanager", true, azureSecrets + "readMetadata/action"},
	{OpPutResourcePolicy, "secretsmanager", false, ""},
	{OpPutSecretValue, "secretsmanager", false, azureSecrets + "setSecret/action"},
	{OpRemoveRegionsFromReplication, "secretsmanager", false, ""},
	{OpReplicateSecretToRegions, "secretsmanager", false, ""},
	{OpRestoreSecret, "secretsmanager", false, azureSecrets + "recover/action"},
	{OpRotateSecret, "secretsmanager", false, ""},
	{OpStopReplicationToReplica, "secretsmanager", false, ""},
	{OpTagResource, "secretsmanager", false, azureSecrets + "update/action"},
	{OpUntagResource, "secretsmanager", false, azureSecrets + "update/action"},
	{OpUpdateSecret, "secretsmanager", false, azureSecrets + "update/action"},
	{OpUpdateSecretVersionStage, "secretsmanager", false, ""},
	{OpValidateResourcePolicy, "secretsmanager", true, ""},

	{OpSetSecret, "", false, azureSecrets + "setSecret/action"},
	{OpUpdateSecretAttributes, "", false, azureSecrets + "update/action"},
	{OpGetDeletedSecret, "", true, azureSecrets + "readMetadata/action"},
	{OpListDeletedSecrets, "", true, azureSecrets + "readMetadata/action"},
	{OpPurgeDeletedSecret, "", false, azureSecrets + "purge/action"},
	{OpBackupSecret, "", true, azureSecrets + "backup/action"},
	{OpRestoreBackup, "", false, azureSecrets + "restore/action"},
	{OpUpdateValue, "", false, azureSecrets + "setSecret/action"},
	{OpSetTags, "", false, azureSecrets + "setSecret/action"},
	{OpClearTags, "", false, azureSecrets + "setSecret/action"},
	{OpRestoreTags, "", false, azureSecrets + "restore/action"},

	{OpGetCallerIdentity, "sts", true, ""},
	{OpAssumeRole, "sts", true, ""},
	{OpAssumeRoleWithWebIdentity, "sts", true, ""},
	{OpGetSessionToken, "sts", true, ""},
	{OpGetAccessKeyInfo, "sts", true, ""},
	{OpDecodeAuthorizationMessage, "sts", true, ""},
	{OpTagSession, "sts", true, ""},
	{OpSetSourceIdentity, "sts", true, ""},

	{OpIssueToken, "sts", true, ""},
	{OpCreateClientCredential, "iam", false, ""},
	{OpListClientCredentials, "iam", true, ""},
	{OpDeleteClientCredential, "iam", false, ""},

	{OpReadAudit, "tacet", true, ""},
	{OpCreateVault, "tacet", false, azureVaults + "write"},
	{OpListVaults, "tacet", true, azureVaults + "read"},
	{OpGetVault, "tacet", true, azureVaults + "read"},
	{OpUpdateVault, "tacet", false, azureVaults + "write"},
	{OpDeleteVault, "tacet", false, azureVaults + "delete"},
	{OpSetClock, "tacet", false, ""},
	{OpCreateAccount, "tacet", false, ""},
	{OpListAccounts, "tacet", true, ""},
	{OpExplainDecision, "tacet", true, ""},
	{OpSimulateDecision, "tacet", true, ""},
	{OpListAccess, "tacet", true, ""},
	{OpCreateRoleAssignment, "tacet", false, azureAuthorization + "roleAssignments/write"},
	{OpListRoleAssignments, "tacet", true, azureAuthorization + "roleAssignments/read"},
	{OpDeleteRoleAssignment, "tacet", false, azureAuthorization + "roleAssignments/delete"},
	{OpCreateRoleDefinition, "tacet", false, azureAuthorization + "roleDefinitions/write"},
	{OpListRoleDefinitions, "tacet", true, azureAuthorization + "roleDefinitions/read"},
	{OpDeleteRoleDefinition, "tacet", false, azureAuthorization + "roleDefinitions/delete"},
	{OpSetAccessPolicy, "tacet", false, azureVaults + "accessPolicies/write"},
	{OpListAccessPolicies, "tacet", true, azureVaults + "read"},
	{OpDeleteAccessPolicy, "tacet", false, azureVaults + "accessPolicies/write"},

	{OpBootstrap, "tacet", false, ""},
	{OpRotateTokenKeys, "tacet", false, ""},
	{OpPurgeSecret, "secretsmanager", false, ""},
	{OpPurgeVersions, "secretsmanager", false, ""},
	{OpStartDelete, "secretsmanager", false, ""},
	{OpCancelDelete, "secretsmanager", false, ""},
}, iamOperations()...)

// awsActions are the names in AWS's language of what is not AWS's: the action that means
// the same there, or one of the same form where AWS has nothing like it.
var awsActions = map[Operation]string{
	OpUpdateSecretAttributes: "secretsmanager:UpdateSecret",
	OpGetDeletedSecret:       "secretsmanager:DescribeSecret",
	OpListDeletedSecrets:     "secretsmanager:ListSecrets",
	OpPurgeDeletedSecret:     "secretsmanager:DeleteSecret",
	OpBackupSecret:           "secretsmanager:BackupSecret",
	OpRestoreBackup:          "secretsmanager:RestoreBackup",
	OpUpdateValue:            "secretsmanager:UpdateSecret",
	OpSetTags:                "secretsmanager:TagResource",
	OpClearTags:              "secretsmanager:UntagResource",
	OpRestoreTags:            "secretsmanager:TagResource",
}

// amountsTo are the operations that amount to another one under another cloud's name: who
// is explicitly denied that one is refused this one too, and needs no grant of it.
var amountsTo = map[Operation]Operation{
	OpBackupSecret:             OpGetSecretValue, // restored where the caller may read, it is read
	OpRestoreBackup:            OpCreateSecret,
	OpUpdateSecretVersionStage: OpSetSecret,
	OpCreateClientCredential:   OpCreateAccessKey,
}

// AmountsTo returns the operation that this one amounts to under another name, "" for
// none: it is refused if that one is explicitly denied, and needs no grant of it.
func (o Operation) AmountsTo() Operation { return amountsTo[o] }

// Needs returns the operation that must be allowed beside this one whatever is asked for,
// "" for none. What further ones a request needs depends on its parameters.
func (o Operation) Needs() Operation {
	if o == OpValidateResourcePolicy {
		return OpPutResourcePolicy
	}
	return ""
}

// Free reports whether whoever is authenticated may do the operation: no policy is asked.
func (o Operation) Free() bool {
	return o == OpGetCallerIdentity || o == OpGetSessionToken || o == OpIssueToken
}

type opEntry struct {
	opInfo
	actions   []string
	onSecrets bool
}

var operationTable = func() map[Operation]opEntry {
	m := make(map[Operation]opEntry, len(operations))
	for _, o := range operations {
		var actions []string
		if a := awsActions[o.op]; a != "" {
			actions = append(actions, a)
		} else if o.service != "" {
			actions = append(actions, o.service+":"+string(o.op))
		}
		if o.azure != "" {
			actions = append(actions, o.azure)
		}
		m[o.op] = opEntry{o, actions, o.service == "secretsmanager" || strings.HasPrefix(o.azure, azureSecrets)}
	}
	return m
}()

// Operations lists every operation.
func Operations() []Operation {
	out := make([]Operation, 0, len(operations))
	for _, o := range operations {
		out = append(out, o.op)
	}
	return out
}

// OperationNamed finds the operation of an action as a policy names it, in either cloud's
// words, or of an operation's own name, in any case. Where Azure has one action for
// several operations it is the one that changes or shows a secret itself.
func OperationNamed(action string) (Operation, bool) {
	var found Operation
	for _, o := range operations {
		if o.op.Internal() {
			continue
		}
		switch {
		case o.service != "" && strings.EqualFold(action, o.service+":"+string(o.op)), strings.EqualFold(action, string(o.op)):
			return o.op, true
		case found == "" && strings.EqualFold(action, awsActions[o.op]) && awsActions[o.op] != "":
			found = o.op // unless it is another's own, too
		case !strings.EqualFold(action, o.azure) || o.azure == "":
		case found == "", o.op == OpPutSecretValue, o.op == OpUpdateSecret:
			found = o.op
		}
	}
	return found, found != ""
}

// Actions returns the operation's names in policies, the AWS name first. An allow
// on any of them allows and a deny on any of them denies. The slice is shared and
// must not be changed. It is nil for an operation that does not exist.
func (o Operation) Actions() []string { return operationTable[o].actions }

// Action returns the operation's AWS name, "service:Operation", or its Azure name when
// it has no other.
func (o Operation) Action() string {
	if a := o.Actions(); len(a) > 0 {
		return a[0]
	}
	return ""
}

// DataAction returns the operation's Azure name, "" when it has none.
func (o Operation) DataAction() string { return operationTable[o].azure }

// OnSecrets reports whether the operation is about the secrets of a vault.
func (o Operation) OnSecrets() bool {
	return operationTable[o].onSecrets
}

// Operates reports whether the operation is about the whole deployment, and so only for
// the account that it belongs to.
func (o Operation) Operates() bool {
	switch o {
	case OpReadAudit, OpCreateVault, OpSetClock, OpCreateAccount, OpListAccounts:
		return true
	}
	return false
}

// DataActions lists Azure's names of the operations on what vaults hold, sorted.
func DataActions() []string {
	var out []string
	for _, e := range operationTable {
		if e.onSecrets && e.azure != "" {
			out = append(out, e.azure)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Service returns the service of AWS's whose operation it is: "secretsmanager", "sts" or
// "iam"; "tacet" for Tacet's own; "" for Azure's.
func (o Operation) Service() string { return operationTable[o].service }

// ReadOnly reports whether the operation changes nothing.
func (o Operation) ReadOnly() bool { return operationTable[o].readOnly }

// KnownActions lists every action name a policy may use, both clouds', sorted.
func KnownActions() []string {
	var out []string
	for _, e := range operationTable {
		if !e.op.Internal() {
			out = append(out, e.actions...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
