package policy

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	getValue   = `"Action":"secretsmanager:GetSecretValue"`
	prodSecret = `"Resource":"arn:aws:secretsmanager:*:*:secret:prod/*"`
	readProd   = `"Effect":"Allow",` + getValue + `,` + prodSecret
)

// lintTests: a policy and what is found in it, one line a finding.
var lintTests = []struct {
	rule string
	kind Kind
	text string
	want []string
}{
	{"a policy that is as it should be", Identity, st(readProd), nil},
	{"a policy that cannot be read", Identity, st(readProd + `,"Resouce":"*"`), []string{
		"error: Statement[0].Resouce: unknown element [syntax]"}},

	// Actions.
	{"a slip in the name of an action", Identity, st(`"Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:GetSecretVaule"],` + prodSecret), []string{
		"error: Statement[0].Action[1]: there is no action secretsmanager:GetSecretVaule [unknown-action]. Did you mean secretsmanager:GetSecretValue?"}},
	{"a wildcard that matches nothing", Identity, st(`"Effect":"Allow","Action":"secretsmanager:Read*",` + prodSecret), []string{
		"error: Statement[0].Action: secretsmanager:Read* matches no action [unknown-action]"}},
	{"a slip in a deny leaves a door open", Identity, st(`"Effect":"Deny","Action":"secretsmanager:DeleteSecrets","Resource":"*"`), []string{
		"error: Statement[0].Action: there is no action secretsmanager:DeleteSecrets [unknown-action]. Did you mean secretsmanager:DeleteSecret?"}},
	{"an action of a service that is not here", Identity, st(`"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"`), []string{
		"note: Statement[0].Action: Tacet has no service kms: kms:Decrypt matches nothing here [foreign-action]"}},
	{"an Azure name", Identity, st(`"Effect":"Allow","Action":"Microsoft.KeyVault/vaults/secrets/getSecret/action",` + prodSecret), nil},
	{"an action that Azure alone has", Identity, st(`"Effect":"Allow","Action":"Microsoft.KeyVault/vaults/secrets/purge/action",` + prodSecret), nil},
	{"a slip in an Azure name", Identity, st(`"Effect":"Allow","Action":"Microsoft.KeyVault/vaults/secrets/getSecrets/action",` + prodSecret), []string{
		"error: Statement[0].Action: there is no action Microsoft.KeyVault/vaults/secrets/getSecrets/action [unknown-action]. Did you mean Microsoft.KeyVault/vaults/secrets/getSecret/action?"}},
	{"actions that AWS has and Tacet has not", Identity, st(`"Effect":"Allow","Action":["iam:GetRole","iam:PassRole"],"Resource":"arn:aws:iam::111122223333:role/ci"`), []string{
		"note: Statement[0].Action[1]: Tacet has no action iam:PassRole, which AWS has: it matches nothing here [foreign-action]"}},
	{"what is spared when there is no second factor, as AWS's guide has it", Identity, st(`"Effect":"Deny","NotAction":["iam:EnableMFADevice","sts:GetSessionToken"],"Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`), []string{
		"note: Statement[0].NotAction[0]: Tacet has no action iam:EnableMFADevice, which AWS has: it matches nothing here [foreign-action]"}},
	{"a slip in the name of the service", Identity, st(`"Effect":"Allow","Action":"secretmanager:GetSecretValue",` + prodSecret), []string{
		"error: Statement[0].Action: there is no service secretmanager [unknown-action]. Did you mean secretsmanager?"}},
	{"Allow with NotAction", Identity, st(`"Effect":"Allow","NotAction":"secretsmanager:DeleteSecret",` + prodSecret), []string{
		"warning: Statement[0].NotAction: Allow with NotAction grants every action but those named, also ones to come [allow-not-action]. List the actions to allow under Action"}},
	{"Deny with NotAction is a usual guard", Identity, st(`"Effect":"Deny","NotAction":"secretsmanager:Get*","Resource":"*"`), nil},

	// Wildcards on changes.
	{"every action", Identity, st(`"Effect":"Allow","Action":"*","Resource":"*"`), []string{
		"warning: Statement[0].Action: every action is allowed, changes and deletions among them [wildcard-write]. List the actions that are needed"}},
	{"every action of the service", Identity, st(`"Effect":"Allow","Action":["sts:GetCallerIdentity","secretsmanager:*"],` + prodSecret), []string{
		"warning: Statement[0].Action[1]: every action is allowed, changes and deletions among them [wildcard-write]. List the actions that are needed",
		`warning: Statement[0].Resource: sts:GetCallerIdentity has no resource: it is decided on "*", which is not listed [needs-any-resource]. Give it a statement of its own with "Resource": "*"`}},
	{"a change of every secret", Identity, st(`"Effect":"Allow","Action":["secretsmanager:DeleteSecret","secretsmanager:PutSecretValue"],"Resource":"*"`), []string{
		"warning: Statement[0].Resource: secretsmanager:DeleteSecret, secretsmanager:PutSecretValue allowed on every resource [wildcard-write]. Name the resources, or add a condition on their tags"}},
	{"a change of the secrets with a tag", Identity, st(`"Effect":"Allow","Action":"secretsmanager:DeleteSecret","Resource":"*","Condition":{"StringEquals":{"secretsmanager:ResourceTag/team":"${aws:PrincipalTag/team}"}}`), nil},
	{"every action on the secrets with a tag", Identity, st(`"Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/project":"${aws:PrincipalTag/project}"}}`), nil},
	{"new secrets of any name", Identity, st(`"Effect":"Allow","Action":"secretsmanager:CreateSecret","Resource":"*"`), nil},
	{"every role", Identity, st(`"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"`), []string{
		"warning: Statement[0].Resource: sts:AssumeRole allowed on every resource [wildcard-write]. Name the resources, or add a condition on their tags"}},
	{"reading everything changes nothing", Identity, st(`"Effect":"Allow","Action":["secretsmanager:Get*","secretsmanager:ListSecrets"],"Resource":"*"`), nil},
	{"denying everything is no grant", Identity, st(`"Effect":"Deny","Action":"*","Resource":"*"`), nil},
	{"a boundary may be wide: it grants nothing", Boundary, st(`"Effect":"Allow","Action":"*","Resource":"*"`), nil},

	// Resources that match nothing.
	{"a secret without its suffix", Identity, st(`"Effect":"Allow",` + getValue + `,"Resource":"arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db"`), []string{
		"error: Statement[0].Resource: the ARN of a secret ends in a hyphen and six characters that are made with it [resource-never-matches]. Write secret:prod/db-??????"}},
	{"a secret with its suffix", Identity, st(`"Effect":"Allow",` + getValue + `,"Resource":["` + dbSecret + `","arn:aws:secretsmanager:*:*:secret:prod/db-??????"]`), nil},
	{"a secret with a star for its suffix", Identity, st(`"Effect":"Allow",` + getValue + `,"Resource":"arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-*"`), []string{
		"note: Statement[0].Resource: secrets whose names go on after the hyphen match too [wide-suffix]. Write secret:db-??????"}},
	{"a slash for a colon", Identity, st(`"Effect":"Allow",` + getValue + `,"Resource":"arn:aws:secretsmanager:eu-central-1:111122223333:secret/prod*"`), []string{
		"error: Statement[0].Resource: the ARN of a secret ends in secret:name [resource-never-matches]. Write secret:prod"}},
	{"another service's resource", Identity, st(`"Effect":"Allow",` + getValue + `,"Resource":"arn:aws:s3:::bucket"`), []string{
		`error: Statement[0].Resource: the actions have no resources of the service "s3" [resource-never-matches]`}},
	{"too few parts", Identity, st(`"Effect":"Allow",` + getValue + `,"Resource":"arn:aws:secretsmanager"`), []string{
		"error: Statement[0].Resource: an ARN has six parts, arn:aws:service:region:account:resource [resource-never-matches]"}},
	{"an account that is none", Identity, st(`"Effect":"Allow",` + getValue + `,"Resource":"arn:aws:secretsmanager:eu-central-1:1111:secret:prod/*"`), []string{
		`error: Statement[0].Resource: an account has twelve digits, not "1111" [resource-never-matches]`}},
	{"a secret in no region", Identity, st(`"Effect":"Allow",` + getValue + `,"Resource":"arn:aws:secretsmanager::111122223333:secret:prod/*"`), []string{
		`error: Statement[0].Resource: the ARN of a secret has a region [resource-never-matches]. Write the region, or "*"`}},
	{"a role in a region", Identity, st(`"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam:eu-central-1:111122223333:role/deploy"`), []string{
		"error: Statement[0].Resource: the ARN of a principal has no region [resource-never-matches]. Leave the region empty: arn:aws:iam::account:…"}},
	{"a role's name alone", Identity, st(`"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::111122223333:deploy"`), []string{
		"error: Statement[0].Resource: the ARN of a principal ends in user/, group/, role/, policy/ or oidc-provider/ and a name [resource-never-matches]"}},
	{"a role", Identity, st(`"Effect":"Allow","Action":"sts:AssumeRole","Resource":["` + deployRole + `","arn:aws:iam::*:role/ci-*"]`), nil},
	{"from a wildcard on anything may follow", Identity, st(`"Effect":"Allow",` + getValue + `,"Resource":["arn:aws:secretsmanager:*:secret:x","arn:*","arn:aws:secretsmanager:${aws:RequestedRegion}:*"]`), nil},
	{"another partition", Identity, st(`"Effect":"Allow",` + getValue + `,"Resource":"arn:aws-cn:secretsmanager:*:*:secret:*"`), []string{
		`error: Statement[0].Resource: the partition is aws, not "aws-cn" [resource-never-matches]`}},
	{"an operation without a resource", Identity, st(`"Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:ListSecrets"],` + prodSecret), []string{
		`warning: Statement[0].Resource: secretsmanager:ListSecrets has no resource: it is decided on "*", which is not listed [needs-any-resource]. Give it a statement of its own with "Resource": "*"`}},
	{"Allow with NotResource", Identity, st(`"Effect":"Allow",` + getValue + `,"NotResource":"arn:aws:secretsmanager:*:*:secret:prod/*"`), []string{
		"warning: Statement[0].NotResource: Allow with NotResource grants every resource but those named, also ones to come [allow-not-resource]. List the resources to allow under Resource"}},

	// Principals.
	{"a public secret", Resource, st(`"Effect":"Allow","Principal":"*",` + getValue + `,"Resource":"*"`), []string{
		"error: Statement[0].Principal: anybody is let in, from any account [public-principal]. Name the accounts, users or roles, or add a condition on aws:PrincipalAccount"}},
	{"an address does not make it less public", Resource, st(`"Effect":"Allow","Principal":{"AWS":"*"},` + getValue + `,"Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), []string{
		"error: Statement[0].Principal: anybody is let in, from any account [public-principal]. Name the accounts, users or roles, or add a condition on aws:PrincipalAccount"}},
	{"an account does", Resource, st(`"Effect":"Allow","Principal":"*",` + getValue + `,"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`), nil},
	{"a deny for everybody is no grant", Resource, st(`"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}`), nil},
	{"Allow with NotPrincipal", Resource, st(`"Effect":"Allow","NotPrincipal":{"AWS":"` + bob + `"},` + getValue + `,"Resource":"*"`), []string{
		"error: Statement[0].NotPrincipal: Allow with NotPrincipal lets in everybody but those named [allow-not-principal]. Name those who may come under Principal"}},
	{"Deny with NotPrincipal", Resource, st(`"Effect":"Deny","NotPrincipal":{"AWS":"` + bob + `"},` + getValue + `,"Resource":"*"`), []string{
		`note: Statement[0].NotPrincipal: sessions are spared only if both the role and the session are named [deny-not-principal]. Use "Principal": "*" with an ArnNotLike condition on aws:PrincipalArn`}},
	{"the id that is shown for a deleted principal", Trust, st(`"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/bob","AIDAEXAMPLEEXAMPLE12"]},"Action":"sts:AssumeRole"`), []string{
		"warning: Statement[0].Principal.AWS[1]: AIDAEXAMPLEEXAMPLE12 is a unique id, as a policy that was read shows one for a deleted principal [unique-id]. Name who is meant by his ARN, or leave it out"}},
	{"and under NotPrincipal", Resource, st(`"Effect":"Deny","NotPrincipal":{"AWS":"AROAEXAMPLEEXAMPLE12"},"Action":"*","Resource":"*"`), []string{
		"warning: Statement[0].NotPrincipal.AWS: AROAEXAMPLEEXAMPLE12 is a unique id, as a policy that was read shows one for a deleted principal [unique-id]. Name who is meant by his ARN, or leave it out",
		`note: Statement[0].NotPrincipal: sessions are spared only if both the role and the session are named [deny-not-principal]. Use "Principal": "*" with an ArnNotLike condition on aws:PrincipalArn`}},
	{"a whole account may do anything to the secret", Resource, st(`"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"secretsmanager:*","Resource":"*"`), []string{
		"warning: Statement[0].Action: every action is allowed, changes and deletions among them [wildcard-write]. List the actions that are needed"}},

	// Trust.
	{"a role for a user", Trust, st(`"Effect":"Allow","Principal":{"AWS":"` + alice + `"},"Action":"sts:AssumeRole"`), nil},
	{"a role for everybody", Trust, st(`"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"`), []string{
		"error: Statement[0].Principal: anybody is let in, from any account [public-principal]. Name the accounts, users or roles, or add a condition on aws:PrincipalAccount"}},
	{"a role for any token of a provider", Trust, st(`"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"id.example.com:aud":"tacet"}}`), []string{
		"error: Statement[0].Principal: any token that id.example.com ever issues may assume the role [open-provider]. Add a StringEquals condition on id.example.com:sub"}},
	{"a subject that is anything is none", Trust, st(`"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:*","Condition":{"StringLike":{"id.example.com:aud":"tacet","id.example.com:sub":"*"}}`), []string{
		"error: Statement[0].Principal: any token that id.example.com ever issues may assume the role [open-provider]. Add a StringEquals condition on id.example.com:sub"}},
	{"a role for anybody's repository", Trust, githubTrust("repo:*"), []string{
		"error: Statement[0].Principal: repo:* lets in tokens of others' projects at token.actions.githubusercontent.com [open-owner]. Write out whose project it is, before the first wildcard"}},
	{"a role for whose name begins so", Trust, githubTrust("repo:octo*"), []string{
		"error: Statement[0].Principal: repo:octo* lets in tokens of others' projects at token.actions.githubusercontent.com [open-owner]. Write out whose project it is, before the first wildcard"}},
	{"a role for all repositories of an owner", Trust, githubTrust("repo:octo-org/*"), nil},
	{"a role for any branch called main", Trust, strings.Replace(githubTrust("refs/heads/main"), ":sub", ":ref", 1), []string{
		"error: Statement[0].Principal: any token that token.actions.githubusercontent.com ever issues may assume the role [open-provider]. Add a StringEquals condition on token.actions.githubusercontent.com:sub"}},
	{"a token without the action for it", Trust, strings.Replace(githubTrust("repo:octo-org/*"), "WithWebIdentity", "", 1), []string{
		"error: Statement[0].Principal: whoever has a token assumes a role with sts:AssumeRoleWithWebIdentity, which is not allowed [principal-action]. Add it to Action"}},
	{"the action for a token without one", Trust, st(`"Effect":"Allow","Principal":{"AWS":"` + alice + `"},"Action":"sts:AssumeRoleWithWebIdentity"`), []string{
		"error: Statement[0].Principal: accounts, users and roles assume a role with sts:AssumeRole, which is not allowed [principal-action]. Add it to Action"}},
	{"a role for any audience", Trust, st(`"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"id.example.com:sub":"repo:me/*"}}`), []string{
		"warning: Statement[0].Principal: tokens of id.example.com for other audiences are taken too [open-audience]. Add a StringEquals condition on id.example.com:aud"}},
	{"a role for a job", Trust, st(`"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"id.example.com:aud":"tacet","id.example.com:sub":"job:7"}}`), nil},
	{"a role for nobody", Trust, st(`"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"`), []string{
		"warning: Statement: a trust policy without an Allow lets nothing pass [allows-nothing]"}},

	// Statements without effect.
	{"an allow that a deny takes back", Identity, `{"Version":"2012-10-17","Statement":[{"Sid":"Read",` + readProd + `},
		{"Sid":"NoProd","Effect":"Deny","Action":"secretsmanager:*","Resource":"arn:aws:secretsmanager:*:*:secret:*"}]}`, []string{
		"error: Statement[0]: the statement allows nothing: Statement[1] (NoProd) denies all of it [shadowed]. Remove one of them"}},
	{"a deny with a condition takes back a part", Identity, `{"Version":"2012-10-17","Statement":[{` + readProd + `},
		{"Effect":"Deny","Action":"secretsmanager:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`, nil},
	{"a deny of other resources takes back nothing", Identity, `{"Version":"2012-10-17","Statement":[{` + readProd + `},
		{"Effect":"Deny","Action":"secretsmanager:*","Resource":"arn:aws:secretsmanager:*:*:secret:test/*"}]}`, nil},
	{"a deny for others takes back nothing", Resource, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + alice + `"},` + getValue + `,"Resource":"*"},
		{"Effect":"Deny","Principal":{"AWS":"` + bob + `"},` + getValue + `,"Resource":"*"}]}`, nil},
	{"a statement that says again what another says", Identity, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:Get*","Resource":"*"},{` + readProd + `}]}`, []string{
		"note: Statement[1]: Statement[0] says it all already [redundant]. Remove the statement"}},
	{"of two that say the same, the later is too many", Identity, `{"Version":"2012-10-17","Statement":[{` + readProd + `},{` + readProd + `}]}`, []string{
		"note: Statement[1]: Statement[0] says it all already [redundant]. Remove the statement"}},

	// Conditions.
	{"a slip in the name of a key", Identity, st(readProd + `,"Condition":{"IpAddress":{"aws:SourceIP":"10.0.0.0/8"},"StringEquals":{"aws:PrincipalTags/team":"a"}}`), []string{
		"error: Statement[0].Condition.StringEquals.aws:PrincipalTags/team: no request has the key aws:PrincipalTags/team, so the condition is never met [unknown-key]. Did you mean aws:PrincipalTag/?"}},
	{"a slip that makes a guard hold always", Identity, st(readProd + `,"Condition":{"StringNotEquals":{"secretsmanager:VersionStages":"AWSPENDING"}}`), []string{
		"error: Statement[0].Condition.StringNotEquals.secretsmanager:VersionStages: no request has the key secretsmanager:VersionStages, so the condition is always met [unknown-key]. Did you mean secretsmanager:VersionStage?"}},
	{"a key of a part of AWS that is not here", Identity, st(`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`), []string{
		"warning: Statement[0].Condition.StringNotEquals.aws:SourceVpce: no request to Tacet has the key aws:SourceVpce, so the condition is always met [absent-key]"}},
	{"a second factor, which nobody has here", Identity, st(readProd + `,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), []string{
		"warning: Statement[0].Condition.Bool.aws:MultiFactorAuthPresent: aws:MultiFactorAuthPresent is never anything but false, so the condition is never met [fixed-key]"}},
	{"a second factor, if there is word of it", Identity, st(readProd + `,"Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}`), []string{
		"warning: Statement[0].Condition.BoolIfExists.aws:MultiFactorAuthPresent: aws:MultiFactorAuthPresent is never anything but false, so the condition is met only by a request without it [fixed-key]"}},
	{"no second factor", Identity, st(`"Effect":"Deny","Action":"secretsmanager:DeleteSecret","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`), nil},
	{"the claims of a token are keys", Trust, st(`"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"id.example.com:aud":"tacet","id.example.com:repository_id":"7"}}`), nil},
	{"text compared as an address", Identity, st(readProd + `,"Condition":{"StringEquals":{"aws:SourceIp":"10.0.0.1"}}`), []string{
		"warning: Statement[0].Condition.StringEquals.aws:SourceIp: StringEquals is for other values than those of aws:SourceIp, whose type is IPAddress [key-type]. Use IpAddress"}},
	{"a number compared as a date", Identity, st(readProd + `,"Condition":{"DateLessThan":{"secretsmanager:RecoveryWindowInDays":"7"}}`), []string{
		"warning: Statement[0].Condition.DateLessThan.secretsmanager:RecoveryWindowInDays: DateLessThan is for other values than those of secretsmanager:RecoveryWindowInDays, whose type is Numeric [key-type]. Use NumericEquals"}},
	{"an ARN may be compared as text", Identity, st(readProd + `,"Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/ci-*"}}`), nil},
	{"several values without a quantifier", Identity, st(readProd + `,"Condition":{"StringEquals":{"aws:TagKeys":"team"}}`), []string{
		"warning: Statement[0].Condition.StringEquals.aws:TagKeys: aws:TagKeys may have several values [needs-quantifier]. Say ForAnyValue:StringEquals or ForAllValues:StringEquals"}},
	{"a quantifier on a single value", Identity, st(readProd + `,"Condition":{"ForAllValues:StringEquals":{"aws:PrincipalTag/team":"a"}}`), []string{
		"warning: Statement[0].Condition.ForAllValues:StringEquals.aws:PrincipalTag/team: ForAllValues is met by a request without aws:PrincipalTag/, which never has more than one value [for-all-of-one]. Use StringEquals"}},
	{"all values of none", Identity, st(readProd + `,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]}}`), []string{
		`note: Statement[0].Condition.ForAllValues:StringEquals.aws:TagKeys: ForAllValues is met by a request without aws:TagKeys [for-all-of-none]. Add "Null": {"aws:TagKeys": "false"} if it must have some`}},
	{"all values of some", Identity, st(readProd + `,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]},"Null":{"aws:TagKeys":"false"}}`), nil},
	{"a wildcard that is none", Identity, st(readProd + `,"Condition":{"StringNotEquals":{"aws:username":"ci-*"}}`), []string{
		"warning: Statement[0].Condition.StringNotEquals.aws:username: to StringNotEquals a wildcard is a plain character [literal-wildcard]. Use StringNotLike"}},
	{"seconds that look like a year", Identity, st(readProd + `,"Condition":{"DateGreaterThan":{"aws:CurrentTime":["2026-01-01T00:00:00Z","2030"]}}`), []string{
		"warning: Statement[0].Condition.DateGreaterThan.aws:CurrentTime: 2030 is so many seconds since 1970, and no year [year-alone]. Write 2030-01-01"}},
	{"no contradiction, as there may be two tags", Identity, st(readProd + `,"Condition":{"StringEquals":{"aws:TagKeys":"a"},"StringLike":{"aws:TagKeys":"b"}}`), []string{
		"warning: Statement[0].Condition.StringEquals.aws:TagKeys: aws:TagKeys may have several values [needs-quantifier]. Say ForAnyValue:StringEquals or ForAllValues:StringEquals",
		"warning: Statement[0].Condition.StringLike.aws:TagKeys: aws:TagKeys may have several values [needs-quantifier]. Say ForAnyValue:StringLike or ForAllValues:StringLike"}},
	{"a contradiction", Identity, st(readProd + `,"Condition":{"StringLike":{"aws:username":"a*"},"StringNotLike":{"aws:username":"a*"}}`), []string{
		"error: Statement[0].Condition: no request meets all conditions on aws:username [contradiction]"}},
	{"there and not there", Identity, st(readProd + `,"Condition":{"Null":{"aws:TokenIssueTime":"true"},"DateGreaterThan":{"AWS:TokenIssueTime":"2026-01-01T00:00:00Z"}}`), []string{
		"error: Statement[0].Condition: no request meets all conditions on aws:TokenIssueTime [contradiction]"}},
	{"too much and too little", Identity, st(`"Effect":"Allow","Action":"secretsmanager:DeleteSecret",` + prodSecret + `,"Condition":{"NumericLessThan":{"secretsmanager:RecoveryWindowInDays":"7"},"NumericGreaterThan":{"secretsmanager:RecoveryWindowInDays":"7"}}`), []string{
		"error: Statement[0].Condition: no request meets all conditions on secretsmanager:RecoveryWindowInDays [contradiction]"}},
	{"between two values", Identity, st(`"Effect":"Allow","Action":"secretsmanager:DeleteSecret",` + prodSecret + `,"Condition":{"NumericLessThan":{"secretsmanager:RecoveryWindowInDays":"8"},"NumericGreaterThan":{"secretsmanager:RecoveryWindowInDays":"7"}}`), nil},
	{"a net within a net", Identity, st(readProd + `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"NotIpAddress":{"aws:SourceIp":"10.0.0.0/16"}}`), nil},
	{"a net within itself", Identity, st(readProd + `,"Condition":{"IpAddress":{"aws:SourceIp":"10.1.0.0/16"},"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), []string{
		"error: Statement[0].Condition: no request meets all conditions on aws:SourceIp [contradiction]"}},
	{"two of several values", Identity, st(readProd + `,"Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":"a"},"ForAnyValue:StringLike":{"aws:TagKeys":"b*"}}`), nil},

	// Versions.
	{"variables in 2008", Identity, `{"Statement":{"Effect":"Allow",` + getValue + `,"Resource":"arn:aws:secretsmanager:*:*:secret:${aws:username}/*"}}`, []string{
		`error: Statement.Resource: in version 2008-10-17 a variable is plain text [variable-without-version]. Write "Version": "2012-10-17"`}},
	{"no version", Identity, `{"Statement":{` + readProd + `}}`, []string{
		`note: the policy is of version 2008-10-17, which has no variables [old-version]. Write "Version": "2012-10-17"`}},
}

// githubTrust is a trust policy for jobs of GitHub's with a subject.
func githubTrust(subject string) string {
	const issuer = "token.actions.githubusercontent.com"
	return st(`"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/` + issuer + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{
		"StringEquals":{"` + issuer + `:aud":"sts.amazonaws.com"},"StringLike":{"` + issuer + `:sub":"` + subject + `"}}`)
}

// TestLintTellsTheLine: a finding says at which line and column it begins, and of a text
// that is not JSON, where it ceases to be.
func TestLintTellsTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Effect\": \"Allow\",\n     \"Action\": [\"secretsmanager:GetSecretValue\", \"secretsmanager:Nope\"],\n     \"Resource\": \"arn:aws:secretsmanager:*:*:secret:prod/*\"}]}": "5:50",
		"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"secretsmanager:ListSecrets\"}]}":                                                                                                                          "1:38",
		"{\"Version\":\"2012-10-17\",\n\"Statement\":{\"Effect\":\"Deny\",\n\t\"Action\":\"secretsmanager:Nope\",\"Resource\":\"*\"}}":                                                                                                           "3:11",
		"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [}\n}": "3:17",
		"{}": "0:0",
	} {
		got := Lint(Identity, []byte(text))
		if len(got) == 0 || fmt.Sprint(got[0].Line, ":", got[0].Column) != want {
			t.Errorf("%s: %v %d:%d, want %s", text, got, got[0].Line, got[0].Column, want)
		}
	}
}

func TestLint(t *testing.T) {
	for _, tt := range lintTests {
		t.Run(tt.rule, func(t *testing.T) {
			var got []string
			for _, f := range Lint(tt.kind, []byte(tt.text)) {
				got = append(got, f.String())
				if i := strings.IndexAny(f.Place, "0123456789"); i > 0 && f.Rule != "syntax" && f.Statement != int(f.Place[i]-'0') {
					t.Errorf("%s: statement %d", f.Place, f.Statement)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLintNamesTheStatement: a finding says which statement it is in, and its Sid.
func TestLintNamesTheStatement(t *testing.T) {
	got := Lint(Identity, []byte(`{"Version":"2012-10-17","Statement":[{`+readProd+`},{"Sid":"All","Effect":"Allow","Action":"*","Resource":"*"}]}`))
	got[1].Line, got[1].Column = 0, 0 // see TestLintTellsTheLine
	want := Finding{Severity: SeverityWarning, Rule: "wildcard-write", Place: "Statement[1].Action", Statement: 1, Sid: "All",
		Message: "every action is allowed, changes and deletions among them", Suggestion: "List the actions that are needed"}
	if len(got) != 2 || got[0].Rule != "redundant" || got[1] != want {
		t.Errorf("%+v", got)
	}
}

func TestGuessKind(t *testing.T) {
	for text, want := range map[string]Kind{
		st(readProd):                      Identity,
		st(readProd + `,"Principal":"*"`): Resource,
		st(`"Effect":"Deny","NotPrincipal":{"AWS":"1"},"NotResource":"*"`):                                 Resource,
		st(`"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"`):                                   Trust,
		st(`"Effect":"Allow","Principal":"*","Action":["sts:AssumeRole","STS:TagSession"],"Resource":"*"`): Trust,
		`{`: Identity, `{}`: Identity, `[]`: Identity, `{"Statement":"x"}`: Identity,
	} {
		if got := GuessKind([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestConditionKeys: every key of the Service Authorization Reference for Secrets Manager, and
// every global key, is known, in any case, and only tag keys take a name after them.
func TestConditionKeys(t *testing.T) {
	const contract = `secretsmanager:Name secretsmanager:Description secretsmanager:KmsKeyId secretsmanager:KmsKeyArn secretsmanager:SecretId secretsmanager:VersionId
		secretsmanager:VersionStage secretsmanager:ResourceTag/team secretsmanager:resource/AllowRotationLambdaArn secretsmanager:RotationLambdaARN
		secretsmanager:RotateImmediately secretsmanager:ModifyRotationRules secretsmanager:RecoveryWindowInDays secretsmanager:ForceDeleteWithoutRecovery
		secretsmanager:BlockPublicPolicy secretsmanager:AddReplicaRegions secretsmanager:ForceOverwriteReplicaSecret secretsmanager:SecretPrimaryRegion
		secretsmanager:Type secretsmanager:resource/Type aws:RequestTag/k aws:ResourceTag/k aws:TagKeys aws:PrincipalArn aws:PrincipalAccount aws:PrincipalOrgID
		aws:PrincipalTag/k aws:userid aws:username aws:SourceIp aws:SourceVpc aws:SourceVpce aws:VpcSourceIp aws:SecureTransport aws:CurrentTime aws:EpochTime
		aws:RequestedRegion aws:MultiFactorAuthPresent aws:MultiFactorAuthAge aws:UserAgent aws:Referer aws:CalledVia aws:ViaAWSService aws:SourceArn
		aws:SourceAccount aws:TokenIssueTime`
	for _, key := range strings.Fields(contract) {
		for _, name := range []string{key, strings.ToUpper(key), strings.ToLower(key)} {
			if _, ok := lookupKey(name); !ok {
				t.Errorf("%s is not known", name)
			}
		}
	}
	for _, key := range []string{"aws:RequestTag", "aws:username/x", "aws:", "secretsmanager:ResourceTag"} {
		if _, ok := lookupKey(key); ok {
			t.Errorf("%s is known", key)
		}
	}
	seen := map[string]bool{}
	for _, k := range ConditionKeys() {
		if folded := strings.ToLower(k.Name); seen[folded] || operatorFor[k.Type] == "" || checkKey(k.Name+"x") != "" {
			t.Errorf("%+v", k)
		} else {
			seen[folded] = true
		}
		if multi := k.Multi && strings.HasSuffix(k.Name, "/"); multi {
			t.Errorf("%s: a tag has one value", k.Name)
		}
	}
}

// TestLintAgreesWithDecide: what is called a statement without effect has none, whatever
// is asked.
func TestLintAgreesWithDecide(t *testing.T) {
	rules := map[string]int{}
	checkCases(t, "3000", func(g generator) {
		r := g.request()
		r.Caller = callers["alice"]
		for _, k := range ConditionKeys() { // Lint counts on one value where a request never has more
			if values := r.context[strings.ToLower(k.Name)]; !k.Multi && len(values) > 1 {
				r.context[strings.ToLower(k.Name)] = values[:1]
			}
		}
		text := g.document(Identity, &r)
		set := &Set{Identity: []*Document{mustParse(t, Identity, text)}}
		traces, d := Explain(set, r.Request), Decide(set, r.Request)
		for _, f := range Lint(Identity, []byte(text)) {
			rules[f.Rule]++
			switch f.Rule {
			case "shadowed":
				if d.Allowed && d.Statement == f.Statement {
					g.Fatalf("%v, yet it allows\n%s", f, text)
				}
			case "contradiction":
				if traces[f.Statement].Matched {
					g.Fatalf("%v, yet it matches\n%s\n%+v", f, text, traces[f.Statement])
				}
			case "redundant":
				other := slices.ContainsFunc(traces, func(o Trace) bool {
					return o.Statement != f.Statement && o.Effect == traces[f.Statement].Effect && o.Matched
				})
				if traces[f.Statement].Matched && !other {
					g.Fatalf("%v, yet nothing else says it\n%s", f, text)
				}
			}
		}
	})
	t.Log(rules)
	if rules["shadowed"] == 0 || rules["redundant"] == 0 || rules["contradiction"] == 0 {
		t.Errorf("too few cases: %v", rules)
	}
}

// TestPolicyDocumentationHolds: the tables of docs/policies.md about operators say what is
// the case. The policy's values are "a" and "b".
func TestPolicyDocumentationHolds(t *testing.T) {
	b, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	// table returns the rows of the table with a header, each as its cells.
	table := func(header string) (rows [][]string) {
		_, after, found := strings.Cut(string(b), header)
		body, _, _ := strings.Cut(after, "\n\n")
		for _, line := range strings.Split(body, "\n") {
			if cells := strings.Split(strings.Trim(line, "| "), " | "); line != "" && !strings.HasPrefix(line, "|---") && len(cells) > 1 {
				rows = append(rows, cells)
			}
		}
		if !found || len(rows) == 0 {
			t.Fatalf("there is no table %q", header)
		}
		return rows
	}
	holds := func(operator string, values ...string) bool {
		c := condition{operator: mustOperator(t, operator), ask: "aws:tagkeys", texts: []pattern{simplePattern("a"), simplePattern("b")}}
		return c.holds(mapContext{"aws:tagkeys": values})
	}
	met := map[string]bool{"met": true, "no": false, "not met": false}
	for _, row := range table("| | positive | negated (`Not`) |\n") {
		form := strings.Trim(strings.Fields(row[0])[0], "`")
		for i, base := range []string{"StringEquals", "StringNotEquals"} {
			operator := strings.ReplaceAll(form, "…", base)
			if form == "the" {
				operator = base
			}
			if want, ok := met[row[i+1]]; !ok || holds(operator) != want {
				t.Errorf("%s without the key: the page says %q", operator, row[i+1])
			}
		}
	}
	quantified := []string{"ForAllValues:StringEquals", "ForAnyValue:StringEquals", "ForAllValues:StringNotEquals", "ForAnyValue:StringNotEquals"}
	for _, row := range table("| the request has | `" + strings.Join(quantified, "` | `") + "` |\n") {
		values := strings.Fields(strings.NewReplacer("`", "", ",", "", "nothing", "").Replace(row[0]))
		for i, operator := range quantified {
			if want, ok := met[row[i+1]]; !ok || holds(operator, values...) != want {
				t.Errorf("%s of %q: the page says %q", operator, values, row[i+1])
			}
		}
	}
	named := map[string]bool{}
	for _, row := range table("| operators | compare | values |\n") {
		for _, name := range strings.Split(row[0], ", ") {
			name = strings.Trim(name, "`")
			named[name] = true
			mustOperator(t, name)
		}
	}
	for _, list := range conditionOperators {
		for _, name := range list {
			if !named[name] {
				t.Errorf("the page lacks the operator %s", name)
			}
		}
	}
}

func mustOperator(t *testing.T, name string) operator {
	t.Helper()
	op, ok := parseOperator(name)
	if !ok {
		t.Fatalf("there is no operator %s", name)
	}
	return op
}

// TestPolicyDocumentation: docs/policies.md lists every condition key with its type, and
// every rule of Lint.
func TestPolicyDocumentation(t *testing.T) {
	b, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, k := range ConditionKeys() {
		line := fmt.Sprintf("| `%s` | %s", k.Name, k.Type)
		if k.Multi {
			line += ", several"
		}
		if k.Never {
			line += ", never"
		}
		if k.Only != "" {
			line += ", always `" + k.Only + "`"
		}
		if line += " |"; !strings.Contains(page, line) {
			t.Errorf("the page lacks %s", line)
		}
	}
	for _, tt := range lintTests {
		for _, f := range Lint(tt.kind, []byte(tt.text)) {
			if !strings.Contains(page, "`"+f.Rule+"`") {
				t.Errorf("the page lacks the rule %s", f.Rule)
			}
		}
	}
}

// TestLintRealPolicies: policies as the guides of AWS, GitHub, External Secrets Operator
// and others have them are not called wrong; the slips and open doors in the others are.
func TestLintRealPolicies(t *testing.T) {
	for file, wrong := range map[string]bool{"testdata/good.json": false, "testdata/bad.json": true} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var policies map[string]json.RawMessage
		if err := json.Unmarshal(b, &policies); err != nil || len(policies) < 30 {
			t.Fatalf("%d policies, %v", len(policies), err)
		}
		for name, text := range policies {
			findings := Lint(GuessKind(text), text)
			bad := slices.ContainsFunc(findings, func(f Finding) bool {
				return f.Severity == SeverityError || wrong && f.Severity == SeverityWarning
			})
			if bad != wrong {
				t.Errorf("%s in %s: %v", name, file, findings)
			}
		}
	}
}
