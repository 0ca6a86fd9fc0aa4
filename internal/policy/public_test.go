package policy

import "testing"

const everyone = `"Principal":"*"`

// publicTests: a principal, a condition, and whether a policy that allows them is public.
var publicTests = []struct {
	rule      string
	principal string
	condition string
	want      bool
}{
	{"everyone, without a condition", everyone, ``, true},
	{"the same in long", `"Principal":{"AWS":"*"}`, ``, true},
	{"everyone among others", `"Principal":{"AWS":["` + alice + `","*"]}`, ``, true},
	{"everyone but one", `"NotPrincipal":{"AWS":"` + alice + `"}`, ``, true},
	{"an empty condition", everyone, `{}`, true},
	{"a user", `"Principal":{"AWS":"` + alice + `"}`, ``, false},
	{"an account", `"Principal":{"AWS":"` + abroad + `"}`, ``, false},
	{"a service", `"Principal":{"Service":"lambda.amazonaws.com"}`, ``, false},

	{"pinned to an account", everyone, `{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`, false},
	{"pinned to accounts", everyone, `{"StringLike":{"AWS:principalaccount":["111122223333","444455556666"]}}`, false},
	{"one value of two does not pin", everyone, `{"StringLike":{"aws:PrincipalAccount":["111122223333","*"]}}`, true},
	{"a wildcard does not pin", everyone, `{"StringLike":{"aws:PrincipalAccount":"1111*"}}`, true},
	{"a variable does not pin", everyone, `{"StringEquals":{"aws:PrincipalAccount":"${aws:SourceAccount}"}}`, true},
	{"pinned to a source account", everyone, `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`, false},
	{"pinned to an organisation", everyone, `{"StringEqualsIgnoreCase":{"aws:PrincipalOrgID":"o-example"}}`, false},
	{"an organisation with a wildcard", everyone, `{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`, true},
	{"pinned to a path of an organisation", everyone, `{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-example/r-1/*"}}`, false},
	{"a path of any organisation", everyone, `{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-*/r-1/*"}}`, true},
	{"pinned to a VPC", everyone, `{"StringEquals":{"aws:SourceVpc":"vpc-1"}}`, false},
	{"pinned to an endpoint", everyone, `{"StringEquals":{"aws:SourceVpce":["vpce-1","vpce-2"]}}`, false},
	{"pinned to a unique id", everyone, `{"StringEquals":{"aws:userid":"AIDAALICEALICEALICE1"}}`, false},
	{"pinned to a principal", everyone, `{"ArnEquals":{"aws:PrincipalArn":"` + opsRole + `"}}`, false},
	{"pinned to an account by a principal's ARN", everyone, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`, false},
	{"the same as a string", everyone, `{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`, false},
	{"the role of any account", everyone, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/ops"}}`, true},
	{"as a string, a wildcard before the account reaches over it", everyone, `{"StringLike":{"aws:PrincipalArn":"arn:aws:iam*:111122223333:role/ops"}}`, true},
	{"any ARN", everyone, `{"ArnLike":{"aws:PrincipalArn":"*"}}`, true},
	{"pinned to a bucket, whose ARN has no account", everyone, `{"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::bucket"}}`, false},
	{"any bucket", everyone, `{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}}`, true},
	{"another ARN says nothing of who asks", everyone, `{"ArnEquals":{"secretsmanager:SecretId":"` + dbSecret + `"}}`, true},

	{"an address does not pin", everyone, `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, true},
	{"a tag does not pin", everyone, `{"StringEquals":{"aws:PrincipalTag/team":"red"}}`, true},
	{"a name does not pin", everyone, `{"StringEquals":{"aws:username":"alice"}}`, true},
	{"TLS does not pin", everyone, `{"Bool":{"aws:SecureTransport":"true"}}`, true},
	{"a negated operator does not pin", everyone, `{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}`, true},
	{"IfExists does not pin", everyone, `{"StringEqualsIfExists":{"aws:PrincipalAccount":"111122223333"}}`, true},
	{"ForAllValues does not pin", everyone, `{"ForAllValues:StringEquals":{"aws:PrincipalAccount":"111122223333"}}`, true},
	{"that a key is there does not pin", everyone, `{"Null":{"aws:PrincipalOrgID":"false"}}`, true},
	{"one condition of two pins", everyone, `{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:PrincipalOrgID":"o-example"}}`, false},
}

// TestPublicDocumentation: which resource policies are public. With its table it reads as
// the documentation of the rule in the comment of [Document.Public].
func TestPublicDocumentation(t *testing.T) {
	for _, tt := range publicTests {
		condition := ""
		if tt.condition != "" {
			condition = `,"Condition":` + tt.condition
		}
		body := tt.principal + `,"Action":"secretsmanager:GetSecretValue","Resource":"*"` + condition
		if got := mustParse(t, Resource, st(`"Effect":"Allow",`+body)).Public(); got != tt.want {
			t.Errorf("%s: %v", tt.rule, got)
		}
		if mustParse(t, Resource, st(`"Effect":"Deny",`+body)).Public() {
			t.Errorf("%s, denied: public", tt.rule)
		}
	}
	if mustParse(t, Identity, allowAll).Public() {
		t.Error("an identity policy is public")
	}
}
