package policy

import "strings"

// KeyType is the type of a condition key's values, which says what operators suit it.
type KeyType string

// The types of condition keys.
const (
	StringKey  KeyType = "String"
	ARNKey     KeyType = "ARN"
	BoolKey    KeyType = "Bool"
	NumericKey KeyType = "Numeric"
	DateKey    KeyType = "Date"
	IPKey      KeyType = "IPAddress"
)

// ConditionKey is what is known of a condition key.
type ConditionKey struct {
	// Name is the key as the documentation spells it. One that ends in "/" stands for
	// all keys that it begins: a tag key follows.
	Name string  `json:"name"`
	Type KeyType `json:"type"`
	// Multi says that a request may have several values of the key.
	Multi bool `json:"multi,omitempty"`
	// Never says that no request to Tacet has the key: it is about a part of AWS
	// that Tacet has no counterpart of.
	Never bool `json:"never,omitempty"`
	// Only is the one value that the key ever has where a request has it, "" if there are
	// several.
	Only string `json:"only,omitempty"`
}

// conditionKeys are the keys of the Service Authorization Reference for AWS Secrets
// Manager, STS and IAM, and the global keys, as far as they concern them.
var conditionKeys = []ConditionKey{
	{Name: "secretsmanager:AddReplicaRegions", Type: StringKey, Multi: true},
	{Name: "secretsmanager:BlockPublicPolicy", Type: BoolKey},
	{Name: "secretsmanager:Description", Type: StringKey},
	{Name: "secretsmanager:ExternalSecretRotationRoleArn", Type: ARNKey},
	{Name: "secretsmanager:ForceDeleteWithoutRecovery", Type: BoolKey},
	{Name: "secretsmanager:ForceOverwriteReplicaSecret", Type: BoolKey},
	{Name: "secretsmanager:KmsKeyArn", Type: ARNKey},
	{Name: "secretsmanager:KmsKeyId", Type: StringKey},
	{Name: "secretsmanager:ModifyRotationRules", Type: BoolKey},
	{Name: "secretsmanager:Name", Type: StringKey},
	{Name: "secretsmanager:RecoveryWindowInDays", Type: NumericKey},
	{Name: "secretsmanager:ResourceTag/", Type: StringKey},
	{Name: "secretsmanager:RotateImmediately", Type: BoolKey},
	{Name: "secretsmanager:RotationLambdaARN", Type: ARNKey},
	{Name: "secretsmanager:SecretId", Type: ARNKey},
	{Name: "secretsmanager:SecretPrimaryRegion", Type: StringKey},
	{Name: "secretsmanager:Type", Type: StringKey},
	{Name: "secretsmanager:VersionId", Type: StringKey},
	{Name: "secretsmanager:VersionStage", Type: StringKey},
	{Name: "secretsmanager:resource/AllowRotationLambdaArn", Type: ARNKey, Never: true},
	{Name: "secretsmanager:resource/Type", Type: StringKey},

	{Name: "aws:CalledVia", Type: StringKey, Multi: true, Never: true},
	{Name: "aws:CalledViaFirst", Type: StringKey, Never: true},
	{Name: "aws:CalledViaLast", Type: StringKey, Never: true},
	{Name: "aws:CurrentTime", Type: DateKey},
	{Name: "aws:EpochTime", Type: DateKey},
	{Name: "aws:FederatedProvider", Type: StringKey},
	{Name: "aws:MultiFactorAuthAge", Type: NumericKey, Never: true},
	{Name: "aws:MultiFactorAuthPresent", Type: BoolKey, Only: "false"},
	{Name: "aws:PrincipalAccount", Type: StringKey},
	{Name: "aws:PrincipalArn", Type: ARNKey},
	{Name: "aws:PrincipalIsAWSService", Type: BoolKey, Only: "false"},
	{Name: "aws:PrincipalOrgID", Type: StringKey, Never: true},
	{Name: "aws:PrincipalOrgPaths", Type: StringKey, Multi: true, Never: true},
	{Name: "aws:PrincipalServiceName", Type: StringKey, Never: true},
	{Name: "aws:PrincipalTag/", Type: StringKey},
	{Name: "aws:PrincipalType", Type: StringKey},
	{Name: "aws:Referer", Type: StringKey},
	{Name: "aws:RequestedRegion", Type: StringKey},
	{Name: "aws:RequestTag/", Type: StringKey},
	{Name: "aws:ResourceAccount", Type: StringKey},
	{Name: "aws:ResourceOrgID", Type: StringKey, Never: true},
	{Name: "aws:ResourceOrgPaths", Type: StringKey, Multi: true, Never: true},
	{Name: "aws:ResourceTag/", Type: StringKey},
	{Name: "aws:SecureTransport", Type: BoolKey},
	{Name: "aws:SourceAccount", Type: StringKey, Never: true},
	{Name: "aws:SourceArn", Type: ARNKey, Never: true},
	{Name: "aws:SourceIdentity", Type: StringKey},
	{Name: "aws:SourceIp", Type: IPKey},
	{Name: "aws:SourceOrgID", Type: StringKey, Never: true},
	{Name: "aws:SourceOrgPaths", Type: StringKey, Multi: true, Never: true},
	{Name: "aws:SourceVpc", Type: StringKey, Never: true},
	{Name: "aws:SourceVpcArn", Type: ARNKey, Never: true},
	{Name: "aws:SourceVpce", Type: StringKey, Never: true},
	{Name: "aws:TagKeys", Type: StringKey, Multi: true},
	{Name: "aws:TokenIssueTime", Type: DateKey},
	{Name: "aws:UserAgent", Type: StringKey},
	{Name: "aws:userid", Type: StringKey},
	{Name: "aws:username", Type: StringKey},
	{Name: "aws:ViaAWSService", Type: BoolKey, Only: "false"},
	{Name: "aws:VpcSourceIp", Type: IPKey, Never: true},

	{Name: "sts:DurationSeconds", Type: NumericKey, Never: true},
	{Name: "sts:ExternalId", Type: StringKey},
	{Name: "sts:RoleSessionName", Type: StringKey},
	{Name: "sts:SourceIdentity", Type: StringKey},
	{Name: "sts:TransitiveTagKeys", Type: StringKey, Multi: true},

	{Name: "iam:PermissionsBoundary", Type: StringKey},
	{Name: "iam:PolicyARN", Type: ARNKey},
	{Name: "iam:PassedToService", Type: StringKey, Never: true},
	{Name: "iam:ResourceTag/", Type: StringKey},
}

// ConditionKeys lists the condition keys that are known. The claims of a token are not
// among them: they are keys too, "issuer:claim".
func ConditionKeys() []ConditionKey {
	return append([]ConditionKey(nil), conditionKeys...)
}

// lookupKey finds a key by its name in any case.
func lookupKey(name string) (ConditionKey, bool) {
	for _, k := range conditionKeys {
		n := len(k.Name)
		if strings.EqualFold(k.Name, name) || k.Name[n-1] == '/' && len(name) > n && strings.EqualFold(k.Name, name[:n]) {
			return k, true
		}
	}
	return ConditionKey{}, false
}

// isClaim reports whether a key is a claim of a token: "id.example.com/path:sub". An
// issuer is a domain, which the names of services are not.
func isClaim(key string) bool {
	i := strings.LastIndexByte(key, ':')
	if i <= 0 {
		return false
	}
	host, _, _ := strings.Cut(key[:i], "/")
	host, _, _ = strings.Cut(host, ":")
	return isDomain(host) || host == "localhost"
}
