package awsapi_test

import (
	"net/url"
	"strings"
	"testing"
)

// iamOK makes a call to IAM that must succeed, and returns the answer.
func (h *house) iamOK(op string, pairs ...string) queryAnswer {
	h.t.Helper()
	a := h.ask("iam", op, pairs...)
	if a.Status != 200 {
		h.t.Fatalf("%s %v: %d %s", op, pairs, a.Status, a.Body)
	}
	return a
}

// values returns the texts of all elements of a name, in their order.
func (a queryAnswer) values(name string) []string {
	var out []string
	for _, part := range strings.Split(a.Body, "<"+name+">")[1:] {
		v, _, _ := strings.Cut(part, "</")
		out = append(out, v)
	}
	return out
}

const (
	iamPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:ListSecrets","Resource":"*"}]}`
	iamTrust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
)

// TestContractE_IAMParameters: what is wrong with a parameter is told in AWS's words, which
// the tests of emulators recorded (LocalStack's, mulgadc/spinifex's, versitygw's).
func TestContractE_IAMParameters(t *testing.T) {
	h := newServer(t)
	const (
		arn    = "arn:aws:iam::000000000001:policy/none"
		oidc   = "arn:aws:iam::000000000001:oidc-provider/none.example.com"
		failed = "1 validation error detected: Value at "
		must   = " failed to satisfy constraint: Member must "
		names  = " is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
		prefix = "The specified value for pathPrefix is invalid. It must begin with the / character and contain only alphanumeric characters and/or / characters."
	)
	long := strings.Repeat("x", 65)
	for _, tt := range []struct{ op, params, message string }{
		// Several members: in the order of their names. Texts are not repeated, numbers
		// and words of a set are.
		{"CreateRole", "", "2 validation errors detected: Value at 'assumeRolePolicyDocument'" + must + "not be null; Value at 'roleName'" + must + "not be null"},
		{"CreateOpenIDConnectProvider", "Url=https://" + strings.Repeat("a", 250) + "&ClientIDList.member.1=" + strings.Repeat("x", 256) + "&ThumbprintList.member.1=a",
			"3 validation errors detected: Value at 'clientIDList'" + must + "satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 1]; " +
				"Value at 'thumbprintList'" + must + "satisfy constraint: [Member must have length less than or equal to 40, Member must have length greater than or equal to 40]; " +
				"Value at 'url'" + must + "have length less than or equal to 255"},
		{"ListUsers", "MaxItems=0", "1 validation error detected: Value '0' at 'maxItems'" + must + "have value greater than or equal to 1"},
		{"ListPolicies", "Scope=Mine", "1 validation error detected: Value 'Mine' at 'scope'" + must + "satisfy enum value set: [All, AWS, Local]"},

		// Names that exist are checked as new ones are.
		{"GetUser", "UserName=a:b", "The specified value for userName" + names},
		{"GetRole", "RoleName=arn:aws:iam::000000000001:role/x", "The specified value for roleName" + names},
		{"GetGroup", "GroupName=a b", "The specified value for groupName" + names},
		{"GetUserPolicy", "UserName=a&PolicyName=a/b", "The specified value for policyName" + names},
		{"UpdateUser", "UserName=admin&NewUserName=ä", "The specified value for newUserName" + names},
		{"GetUser", "UserName=" + strings.Repeat("x:", 65), failed + "'userName'" + must + "have length less than or equal to 128"},
		{"AttachUserPolicy", "UserName=" + long + "&PolicyArn=" + arn, failed + "'userName'" + must + "have length less than or equal to 64"},
		{"DeleteAccessKey", "AccessKeyId=AKIAIOSFODNN7EXAMPL!", "The specified value for accessKeyId is invalid. It must contain only alphanumeric characters."},

		// Paths.
		{"UpdateUser", "UserName=admin&NewPath=x", "The specified value for newPath is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."},
		{"CreatePolicy", "PolicyName=a&PolicyDocument=" + url.QueryEscape(iamPolicy) + "&Path=/a!/", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."},
		{"ListUsers", "PathPrefix=", prefix},
		{"ListRoles", "PathPrefix=team", prefix},
		{"ListGroups", "PathPrefix=/bad path/", prefix},
		{"ListPolicies", "PathPrefix=/team", prefix},
		{"ListAttachedRolePolicies", "RoleName=a&PathPrefix=/team", prefix},
		{"ListEntitiesForPolicy", "PolicyArn=" + arn + "&PathPrefix=team", prefix},
		{"ListUsers", "PathPrefix=/" + strings.Repeat("a", 512), failed + "'pathPrefix'" + must + "have length less than or equal to 512"},

		// Texts.
		{"PutUserPolicy", "UserName=admin&PolicyName=p&PolicyDocument=" + url.QueryEscape(`{"Id":"☃"}`), "The specified value for policyDocument is invalid. It must contain only printable ASCII characters."},
		{"UpdateRoleDescription", "RoleName=a&Description=☃", failed + "'description'" + must + `satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`},

		// Lists that must be there.
		{"TagUser", "UserName=admin", failed + "'tags'" + must + "not be null"},
		{"TagPolicy", "PolicyArn=" + arn, failed + "'tags'" + must + "not be null"},
		{"UpdateOpenIDConnectProviderThumbprint", "OpenIDConnectProviderArn=" + oidc, failed + "'thumbprintList'" + must + "not be null"},

		// Of listings of nothing too.
		{"ListMFADevices", "MaxItems=1001", "1 validation error detected: Value '1001' at 'maxItems'" + must + "have value less than or equal to 1000"},
		{"ListVirtualMFADevices", "AssignmentStatus=Some", "1 validation error detected: Value 'Some' at 'assignmentStatus'" + must + "satisfy enum value set: [Assigned, Unassigned, Any]"},
	} {
		var params []string
		for _, p := range strings.Split(tt.params, "&") {
			name, value, _ := strings.Cut(p, "=")
			if unescaped, err := url.QueryUnescape(value); err == nil && name != "Url" {
				value = unescaped
			}
			if name != "" {
				params = append(params, name, value)
			}
		}
		if a := h.ask("iam", tt.op, params...); a.Status != 400 || a.Code != "ValidationError" || a.Message != tt.message {
			t.Errorf("%s %.80s:\n got %d %s: %s\nwant 400 ValidationError: %s", tt.op, tt.params, a.Status, a.Code, a.Message, tt.message)
		}
	}
	// What just fits.
	h.iamOK("ListUsers", "PathPrefix", "/"+strings.Repeat("a", 511))
	h.iamOK("ListUsers", "PathPrefix", "/~")
	h.iamOK("ListPolicies", "PathPrefix", "/a.b,c+d@e=f_g-h/i/")
	h.iamOK("CreatePolicy", "PolicyName", "latin", "PolicyDocument", strings.Replace(iamPolicy, `"Effect"`, `"Condition":{"StringEquals":{"aws:ResourceTag/ä":"ÿ"}},"Effect"`, 1))
	h.iamOK("CreateRole", "RoleName", "latin", "AssumeRolePolicyDocument", iamTrust, "Description", "für\n¡alle!")
}

// TestContractE_IAMAnswers: what AWS answers, and in which order.
func TestContractE_IAMAnswers(t *testing.T) {
	h := newServer(t)
	// The answer of a creation has the tags as they came; later they are in order.
	created := h.iamOK("CreatePolicy", "PolicyName", "p", "PolicyDocument", iamPolicy, "Tags.member.1.Key", "a", "Tags.member.1.Value", "1", "Tags.member.2.Key", "A", "Tags.member.2.Value", "2")
	equal(t, "tags of the creation", created.values("Key"), []string{"a", "A"})
	arn := created.values("Arn")[0]
	equal(t, "tags", h.iamOK("ListPolicyTags", "PolicyArn", arn).values("Key"), []string{"A", "a"})

	// Names are shown as they were given, whatever case they are asked for in.
	h.iamOK("CreateUser", "UserName", "Bob", "Path", "/secret/")
	h.iamOK("PutUserPolicy", "UserName", "BOB", "PolicyName", "p", "PolicyDocument", iamPolicy)
	equal(t, "name", h.iamOK("GetUserPolicy", "UserName", "bob", "PolicyName", "p").values("UserName"), []string{"Bob"})

	// An entity is never a policy.
	h.iamOK("AttachUserPolicy", "UserName", "Bob", "PolicyArn", arn)
	for filter, want := range map[string]int{"User": 1, "Role": 0, "LocalManagedPolicy": 0, "AWSManagedPolicy": 0} {
		equal(t, "entities of "+filter, len(h.iamOK("ListEntitiesForPolicy", "PolicyArn", arn, "EntityFilter", filter).values("UserName")), want)
	}

	// A policy that is too long is told so, however long it is.
	big := func(n int) string {
		return strings.Replace(iamPolicy, `"*"`, `"arn:aws:s3:::`+strings.Repeat("x", n)+`"`, 1)
	}
	for _, tt := range []struct{ message, op, params string }{
		{"Maximum policy size of 2048 bytes exceeded for user Bob", "PutUserPolicy", "UserName=Bob&PolicyName=big&PolicyDocument="},
		{"Cannot exceed quota for PolicySize: 6144", "CreatePolicy", "PolicyName=big&PolicyDocument="},
		{"Cannot exceed quota for ACLSizePerRole: 2048", "CreateRole", "RoleName=big&AssumeRolePolicyDocument="},
	} {
		var params []string
		for _, p := range strings.Split(tt.params, "&") {
			name, value, _ := strings.Cut(p, "=")
			params = append(params, name, value)
		}
		params[len(params)-1] = big(20000)
		if a := h.ask("iam", tt.op, params...); a.Status != 409 || a.Code != "LimitExceeded" || a.Message != tt.message {
			t.Errorf("%s: %d %s: %s, want %s", tt.op, a.Status, a.Code, a.Message, tt.message)
		}
	}
}

// TestContractE_IAMDenials: IAM names what a refused request was about as the caller named
// it. So nobody learns from a refusal whether somebody exists, or in which path.
func TestContractE_IAMDenials(t *testing.T) {
	h := newServer(t)
	h.iamOK("CreateUser", "UserName", "bob", "Path", "/hidden/")
	h.iamOK("CreateRole", "RoleName", "deploy", "Path", "/hidden/", "AssumeRolePolicyDocument", iamTrust)
	key := h.iamOK("CreateAccessKey", "UserName", "bob").values("AccessKeyId")[0]
	nobody := h.user("nobody")
	who, account := "User: "+h.arn("nobody"), "arn:aws:iam::"+h.s.Account
	for _, tt := range []struct{ op, params, resource string }{
		{"GetUser", "UserName=bob", "user bob"},
		{"GetUser", "UserName=none", "user none"},
		{"GetUser", "", "user nobody"},
		{"GetRole", "RoleName=deploy", "role deploy"},
		{"GetRole", "RoleName=none", "role none"},
		{"AddUserToGroup", "GroupName=g&UserName=bob", "group g"},
		{"CreateUser", "UserName=new&Path=/a/", account + ":user/a/new"},
		{"CreatePolicy", "PolicyName=new&PolicyDocument=" + iamPolicy, "policy new"},
		{"GetPolicy", "PolicyArn=" + account + ":policy/p", "policy " + account + ":policy/p"},
		{"ListPolicies", "", "policy path /"},
		{"ListUsers", "", account + ":user/"},
		{"GetOpenIDConnectProvider", "OpenIDConnectProviderArn=" + account + ":oidc-provider/x.example.com", account + ":oidc-provider/x.example.com"},
		{"GetAccountSummary", "", "*"},
		{"GetAccessKeyLastUsed", "AccessKeyId=" + key, "access key " + key},
		{"GetAccessKeyLastUsed", "AccessKeyId=AKIAIOSFODNN7EXAMPLE", "access key AKIAIOSFODNN7EXAMPLE"},
	} {
		var params []string
		for _, p := range strings.Split(tt.params, "&") {
			if name, value, ok := strings.Cut(p, "="); ok {
				params = append(params, name, value)
			}
		}
		colon := ": "
		if tt.op == "GetAccessKeyLastUsed" {
			colon = " " // so AWS
		}
		want := who + " is not authorized to perform" + colon + "iam:" + tt.op + " on resource: " + tt.resource +
			" because no identity-based policy allows the iam:" + tt.op + " action"
		if a := nobody.ask("iam", tt.op, params...); a.Status != 403 || a.Code != "AccessDenied" || a.Message != want {
			t.Errorf("%s %s:\n got %d %s: %s\nwant 403 AccessDenied: %s", tt.op, tt.params, a.Status, a.Code, a.Message, want)
		}
	}
}
