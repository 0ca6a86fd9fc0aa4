package awsapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tacet/internal/policy"
)

// These tests state which condition keys a request has: for every operation exactly those
// that the Service Authorization Reference lists for it and that the caller sent, with the
// values that he sent, and no other. A policy allows everything on condition that each key
// of docs/policies.md is as it should be, so one key too many or too few is a refusal.

// keys are condition keys with their values.
type keys map[string][]string

func (k keys) with(more keys) keys {
	out := maps.Clone(k)
	maps.Copy(out, more)
	return out
}

// key makes keys from pairs of a name and a value.
func key(pairs ...string) keys {
	out := keys{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = []string{pairs[i+1]}
	}
	return out
}

// Keys that change while the test runs: that they are there is all that is asked here.
var timely = []string{"aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime"}

// exactly is a policy that allows everything if the request has these keys and, of those
// in [policy.ConditionKeys] and a few tags, no others. Without "if" it is the condition.
func exactly(want keys) string {
	single, all, one, two, null := in{}, in{}, in{}, in{}, in{}
	for name, values := range want {
		switch {
		case slices.Contains(timely, name):
		case len(values) == 1:
			single[name] = values[0]
		default:
			all[name], one[name], two[name] = values, values[0], values[len(values)-1]
		}
		null[name] = "false"
	}
	var absent []string
	for _, k := range policy.ConditionKeys() {
		_, trust := want["sts:RoleSessionName"] // whose policy is shorter, and its caller is not asked about
		switch service, name, _ := strings.Cut(k.Name, ":"); {
		case trust && (service == "secretsmanager" || service == "aws" && !strings.Contains(name, "Tag")):
		case strings.HasSuffix(name, "/"):
			absent = append(absent, k.Name+"team", k.Name+"none")
		default:
			absent = append(absent, k.Name)
		}
	}
	for _, name := range absent {
		if _, there := want[name]; !there {
			null[name] = "true"
		}
	}
	condition := in{"Null": null}
	for operator, keys := range map[string]in{"StringEquals": single, "ForAllValues:StringEquals": all, "ForAnyValue:StringEquals": one, "ForAnyValue:StringLike": two} {
		if len(keys) > 0 {
			condition[operator] = keys
		}
	}
	document, _ := json.Marshal(in{"Version": "2012-10-17", "Statement": in{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}})
	return string(document)
}

// contexts checks what requests of one caller have in their context.
type contexts struct {
	*house        // as the administrator
	caller *house // whom put gives his only policy
	put    func(document string)
	always keys // of every request of his
}

// newContexts makes a user whose policy is his group's, which may be the longest.
func newContexts(t *testing.T) *contexts {
	h := newServer(t)
	u := h.user("keen")
	h.iam("TagUser", "UserName", "keen", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "blue")
	h.iam("CreateGroup", "GroupName", "g")
	h.iam("AddUserToGroup", "GroupName", "g", "UserName", "keen")
	id := u.ask("sts", "GetCallerIdentity").Result.UserID
	c := &contexts{house: h, caller: u, always: key(
		"aws:PrincipalArn", h.arn("keen"), "aws:PrincipalAccount", h.s.Account, "aws:PrincipalType", "User", "aws:PrincipalTag/team", "blue",
		"aws:PrincipalIsAWSService", "false", "aws:username", "keen", "aws:userid", id, "aws:ResourceAccount", h.s.Account,
		"aws:RequestedRegion", h.s.Region, "aws:SourceIp", "127.0.0.1", "aws:SecureTransport", "false", "aws:ViaAWSService", "false",
		"aws:UserAgent", "Go-http-client/1.1", "aws:CurrentTime", "", "aws:EpochTime", "")}
	c.put = func(document string) {
		h.iam("PutGroupPolicy", "GroupName", "g", "PolicyName", "p", "PolicyDocument", document)
	}
	return c
}

// check sends a request under the policy that wants exactly these keys, which must let it
// in, and under policies that want another value of one of the keys of its own, which must not.
func (c *contexts) check(t *testing.T, own keys, send func() (*http.Response, []byte)) {
	t.Helper()
	want := c.always.with(own)
	for name := range own {
		if slices.Contains(timely, name) {
			continue
		}
		c.put(exactly(want.with(key(name, "another"))))
		if res, body := send(); res.Header.Get("X-Tacet-Decision-Id") == "" {
			t.Errorf("let in with another %s: %d %s", name, res.StatusCode, body)
		}
	}
	c.put(exactly(want))
	res, body := send()
	if id := res.Header.Get("X-Tacet-Decision-Id"); id != "" {
		t.Errorf("refused: %s%s", body, c.unmet(id))
	}
}

// unmet lists the conditions that a decision found unmet.
func (c *contexts) unmet(id string) string {
	var out strings.Builder
	why := c.admin("decisions/explain", in{"id": id})
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if held, ok := v["held"].(bool); ok && !held && v["open"] != true {
				fmt.Fprintf(&out, "\n%v %v: wanted %v, had %v", v["operator"], v["key"], v["wanted"], v["had"])
			}
			for _, e := range v {
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(why)
	return out.String()
}

// TestContractD_ConditionKeysOfSecrets: the keys of each operation of Secrets Manager.
func TestContractD_ConditionKeysOfSecrets(t *testing.T) {
	c := newContexts(t)
	lambda, kms := "arn:aws:lambda:"+c.s.Region+":"+c.s.Account+":function:f", "arn:aws:kms:"+c.s.Region+":"+c.s.Account+":"
	rotator := "arn:aws:iam::" + c.s.Account + ":role/rotator"
	team := in{"Tags": list(in{"Key": "team", "Value": "red"}, in{"Key": "b", "Value": ""})}
	tagged := keys{"aws:RequestTag/team": {"red"}, "aws:TagKeys": {"team", "b"}}
	eu := list(in{"Region": "eu-west-1"}, in{"Region": "eu-west-2"})
	regions := keys{"secretsmanager:AddReplicaRegions": {"eu-west-1", "eu-west-2"}}
	tests := []struct {
		rule, op string
		request  in
		keys     keys
	}{
		{"a read names neither version nor stage", "GetSecretValue", in{}, keys{}},
		{"a read of a version", "GetSecretValue", in{"VersionId": token(1)}, key("secretsmanager:VersionId", token(1))},
		{"a read of a stage", "GetSecretValue", in{"VersionStage": "AWSCURRENT"}, key("secretsmanager:VersionStage", "AWSCURRENT")},
		{"", "DescribeSecret", in{}, keys{}},
		{"", "ListSecretVersionIds", in{}, keys{}},
		{"", "GetResourcePolicy", in{}, keys{}},
		{"", "DeleteResourcePolicy", in{}, keys{}},
		{"a policy is not asked to block the public", "PutResourcePolicy", in{"ResourcePolicy": c.policyFor("root")}, key("secretsmanager:BlockPublicPolicy", "false")},
		{"it is", "PutResourcePolicy", in{"ResourcePolicy": c.policyFor("root"), "BlockPublicPolicy": true}, key("secretsmanager:BlockPublicPolicy", "true")},
		{"", "ValidateResourcePolicy", in{"ResourcePolicy": c.policyFor("root")}, keys{}},
		{"a new value says nothing of itself", "PutSecretValue", in{"SecretString": "x", "ClientRequestToken": token(2), "VersionStages": list("X")}, keys{}},
		{"a label that moves", "UpdateSecretVersionStage", in{"VersionStage": "X", "MoveToVersionId": token(1)}, key("secretsmanager:VersionStage", "X")},
		{"an update of nothing", "UpdateSecret", in{"ClientRequestToken": token(3)}, keys{}},
		{"an update", "UpdateSecret", in{"ClientRequestToken": token(3), "Description": "d", "KmsKeyId": "alias/aws/secretsmanager"},
			key("secretsmanager:Description", "d", "secretsmanager:KmsKeyId", "alias/aws/secretsmanager", "secretsmanager:KmsKeyArn", kms+"alias/aws/secretsmanager")},
		{"a key by its ARN", "UpdateSecret", in{"ClientRequestToken": token(3), "KmsKeyId": kms + "key/k"},
			key("secretsmanager:KmsKeyId", kms+"key/k", "secretsmanager:KmsKeyArn", kms+"key/k")},
		{"a key by its id", "UpdateSecret", in{"ClientRequestToken": token(3), "KmsKeyId": "k"},
			key("secretsmanager:KmsKeyId", "k", "secretsmanager:KmsKeyArn", kms+"key/k")},
		{"a deletion says whether it is at once", "DeleteSecret", in{}, key("secretsmanager:ForceDeleteWithoutRecovery", "false")},
		{"a deletion with a window", "DeleteSecret", in{"RecoveryWindowInDays": 7}, key("secretsmanager:ForceDeleteWithoutRecovery", "false", "secretsmanager:RecoveryWindowInDays", "7")},
		{"a deletion at once", "DeleteSecret", in{"ForceDeleteWithoutRecovery": true}, key("secretsmanager:ForceDeleteWithoutRecovery", "true")},
		{"", "RestoreSecret", in{}, keys{}},
		{"tags", "TagResource", team, tagged},
		{"tag keys", "UntagResource", in{"TagKeys": list("a", "b")}, keys{"aws:TagKeys": {"a", "b"}}},
		{"replicas", "ReplicateSecretToRegions", in{"AddReplicaRegions": eu}, regions.with(key("secretsmanager:ForceOverwriteReplicaSecret", "false"))},
		{"replicas that replace what is there", "ReplicateSecretToRegions", in{"AddReplicaRegions": eu, "ForceOverwriteReplicaSecret": true}, regions.with(key("secretsmanager:ForceOverwriteReplicaSecret", "true"))},
		{"", "RemoveRegionsFromReplication", in{"RemoveReplicaRegions": list("eu-west-1")}, keys{}},
		{"", "StopReplicationToReplica", in{}, keys{}},
		{"a rotation now, with the rules there are", "RotateSecret", in{"ClientRequestToken": token(4)}, key("secretsmanager:ModifyRotationRules", "false", "secretsmanager:RotateImmediately", "true")},
		{"a rotation by new rules, later", "RotateSecret", in{"ClientRequestToken": token(4), "RotationLambdaARN": lambda, "RotateImmediately": false, "RotationRules": in{"AutomaticallyAfterDays": 1}, "ExternalSecretRotationRoleArn": rotator},
			key("secretsmanager:ExternalSecretRotationRoleArn", rotator, "secretsmanager:ModifyRotationRules", "true", "secretsmanager:RotateImmediately", "false", "secretsmanager:RotationLambdaARN", lambda)},
		{"", "CancelRotateSecret", in{}, keys{}},
	}
	for i, tt := range tests {
		t.Run(tt.op+" "+tt.rule, func(t *testing.T) {
			name := fmt.Sprintf("s%d", i)
			arn := text(c.ok("CreateSecret", in{"Name": name, "SecretString": "v", "ClientRequestToken": token(1), "Tags": list(in{"Key": "Team", "Value": "blue"}), "Type": "SalesforceClientSecret"})["ARN"])
			tt.request["SecretId"] = name
			own := tt.keys.with(key("secretsmanager:SecretId", arn, "secretsmanager:ResourceTag/team", "blue", "aws:ResourceTag/team", "blue", "secretsmanager:resource/Type", "SalesforceClientSecret"))
			c.check(t, own, c.call(tt.op, tt.request))
		})
	}
	more := []struct {
		rule, op string
		request  in
		keys     keys
	}{
		{"a new secret, by its name alone", "CreateSecret", in{"Name": "n1", "ClientRequestToken": token(1)}, key("secretsmanager:Name", "n1", "secretsmanager:ForceOverwriteReplicaSecret", "false")},
		{"a new secret with everything", "CreateSecret", in{"Name": "n2", "ClientRequestToken": token(1), "Description": "d", "KmsKeyId": kms + "key/k", "Type": "x", "AddReplicaRegions": eu, "ForceOverwriteReplicaSecret": true, "Tags": team["Tags"]},
			tagged.with(regions).with(key("secretsmanager:Name", "n2", "secretsmanager:Description", "d", "secretsmanager:KmsKeyId", kms+"key/k",
				"secretsmanager:KmsKeyArn", kms+"key/k", "secretsmanager:Type", "x", "secretsmanager:ForceOverwriteReplicaSecret", "true"))},
		{"", "ListSecrets", in{}, keys{}},
		{"", "BatchGetSecretValue", in{"SecretIdList": list("s0")}, keys{}},
		{"", "GetRandomPassword", in{}, keys{}},
		{"a secret that does not exist has no keys", "DescribeSecret", in{"SecretId": "none"}, keys{}},
	}
	for _, tt := range more {
		t.Run(tt.op+" "+tt.rule, func(t *testing.T) { c.check(t, tt.keys, c.call(tt.op, tt.request)) })
	}
	t.Run("a secret with replicas has a primary region", func(t *testing.T) {
		arn := text(c.ok("CreateSecret", in{"Name": "wide", "SecretString": "v", "ClientRequestToken": token(1), "AddReplicaRegions": eu})["ARN"])
		c.check(t, key("secretsmanager:SecretId", arn, "secretsmanager:SecretPrimaryRegion", c.s.Region), c.call("DescribeSecret", in{"SecretId": "wide"}))
	})
}

// call sends a request to Secrets Manager as the caller.
func (c *contexts) call(op string, request in) func() (*http.Response, []byte) {
	return func() (*http.Response, []byte) {
		body, err := json.Marshal(request)
		if err != nil {
			c.t.Fatal(err)
		}
		return c.caller.c.CallRaw("secretsmanager."+op, body)
	}
}

// TestContractD_ConditionKeysOfIAM: the keys of the operations of IAM.
func TestContractD_ConditionKeysOfIAM(t *testing.T) {
	c := newContexts(t)
	c.iam("CreatePolicy", "PolicyName", "limit", "PolicyDocument", everything, "Tags.member.1.Key", "Team", "Tags.member.1.Value", "blue")
	limit := "arn:aws:iam::" + c.s.Account + ":policy/limit"
	admin := "arn:aws:iam::aws:policy/AdministratorAccess"
	c.iam("CreateUser", "UserName", "u", "PermissionsBoundary", limit, "Tags.member.1.Key", "Team", "Tags.member.1.Value", "blue")
	c.iam("CreateUser", "UserName", "free")
	c.iam("CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trusting(`"*"`, ""), "PermissionsBoundary", limit, "Tags.member.1.Key", "Team", "Tags.member.1.Value", "blue")
	c.iam("CreateGroup", "GroupName", "other")
	blue := key("iam:ResourceTag/team", "blue", "aws:ResourceTag/team", "blue")
	bounded := blue.with(key("iam:PermissionsBoundary", limit))
	arn := func(p string) keys { return key("iam:PolicyARN", p) }
	tag := []string{"Tags.member.1.Key", "team", "Tags.member.1.Value", "red", "Tags.member.2.Key", "b", "Tags.member.2.Value", "x"}
	tagged := keys{"aws:RequestTag/team": {"red"}, "aws:TagKeys": {"team", "b"}}
	untag, untagged := []string{"TagKeys.member.1", "a", "TagKeys.member.2", "b"}, keys{"aws:TagKeys": {"a", "b"}}
	join := func(more []string, pairs ...string) []string { return append(pairs, more...) }
	tests := []struct {
		op    string
		pairs []string
		keys  keys
	}{
		{"CreateUser", join(tag, "UserName", "new", "PermissionsBoundary", limit), tagged.with(key("iam:PermissionsBoundary", limit))},
		{"CreateUser", []string{"UserName", "new2"}, keys{}},
		{"GetUser", []string{"UserName", "u"}, blue},
		{"UpdateUser", []string{"UserName", "u", "NewPath", "/"}, blue},
		{"ListUsers", nil, keys{}},
		{"TagUser", join(tag, "UserName", "u"), blue.with(tagged)},
		{"UntagUser", join(untag, "UserName", "u"), blue.with(untagged)},
		{"ListUserTags", []string{"UserName", "u"}, blue},
		{"PutUserPermissionsBoundary", []string{"UserName", "u", "PermissionsBoundary", admin}, blue.with(key("iam:PermissionsBoundary", admin))},
		{"PutUserPermissionsBoundary", []string{"UserName", "u", "PermissionsBoundary", limit}, bounded},
		{"PutUserPolicy", []string{"UserName", "u", "PolicyName", "p", "PolicyDocument", everything}, bounded},
		{"PutUserPolicy", []string{"UserName", "free", "PolicyName", "p", "PolicyDocument", everything}, keys{}},
		{"GetUserPolicy", []string{"UserName", "u", "PolicyName", "p"}, blue},
		{"DeleteUserPolicy", []string{"UserName", "u", "PolicyName", "p"}, bounded},
		{"AttachUserPolicy", []string{"UserName", "u", "PolicyArn", admin}, bounded.with(arn(admin))},
		{"DetachUserPolicy", []string{"UserName", "u", "PolicyArn", admin}, bounded.with(arn(admin))},
		{"DeleteUserPermissionsBoundary", []string{"UserName", "u"}, bounded},
		{"CreateAccessKey", []string{"UserName", "u"}, blue},
		{"ListAccessKeys", []string{"UserName", "u"}, blue},

		{"CreateRole", join(tag, "RoleName", "new", "AssumeRolePolicyDocument", trusting(`"*"`, ""), "PermissionsBoundary", limit), tagged.with(key("iam:PermissionsBoundary", limit))},
		{"GetRole", []string{"RoleName", "r"}, blue},
		{"UpdateRole", []string{"RoleName", "r", "Description", "d"}, blue},
		{"UpdateAssumeRolePolicy", []string{"RoleName", "r", "PolicyDocument", trusting(`"*"`, "")}, blue},
		{"TagRole", join(tag, "RoleName", "r"), blue.with(tagged)},
		{"UntagRole", join(untag, "RoleName", "r"), blue.with(untagged)},
		{"PutRolePolicy", []string{"RoleName", "r", "PolicyName", "p", "PolicyDocument", everything}, bounded},
		{"DeleteRolePolicy", []string{"RoleName", "r", "PolicyName", "p"}, bounded},
		{"AttachRolePolicy", []string{"RoleName", "r", "PolicyArn", admin}, bounded.with(arn(admin))},
		{"DetachRolePolicy", []string{"RoleName", "r", "PolicyArn", admin}, bounded.with(arn(admin))},
		{"PutRolePermissionsBoundary", []string{"RoleName", "r", "PermissionsBoundary", admin}, blue.with(key("iam:PermissionsBoundary", admin))},
		{"DeleteRolePermissionsBoundary", []string{"RoleName", "r"}, blue.with(key("iam:PermissionsBoundary", admin))},

		{"AttachGroupPolicy", []string{"GroupName", "other", "PolicyArn", admin}, arn(admin)},
		{"DetachGroupPolicy", []string{"GroupName", "other", "PolicyArn", admin}, arn(admin)},
		{"PutGroupPolicy", []string{"GroupName", "other", "PolicyName", "p", "PolicyDocument", everything}, keys{}},

		{"CreatePolicy", join(tag, "PolicyName", "new", "PolicyDocument", everything), tagged},
		{"GetPolicy", []string{"PolicyArn", limit}, blue},
		{"TagPolicy", join(tag, "PolicyArn", limit), blue.with(tagged)},
		{"UntagPolicy", join(untag, "PolicyArn", limit), blue.with(untagged)},
		{"CreatePolicyVersion", []string{"PolicyArn", limit, "PolicyDocument", everything}, blue},
		{"CreateOpenIDConnectProvider", join(tag, "Url", "https://id.example.com", "ClientIDList.member.1", "x"), tagged},
	}
	for _, tt := range tests {
		t.Run(tt.op, func(t *testing.T) {
			if strings.HasPrefix(tt.op, "Tag") {
				defer c.iam(tt.op, append([]string{"Tags.member.1.Key", "Team", "Tags.member.1.Value", "blue"}, tt.pairs[:2]...)...)
			}
			c.check(t, tt.keys, func() (*http.Response, []byte) { return c.caller.query("iam", form(tt.op, tt.pairs...)) })
		})
	}
}

// TestContractD_ConditionKeysOfSTS: what a role's trust policy may ask.
func TestContractD_ConditionKeysOfSTS(t *testing.T) {
	c := newContexts(t)
	role := c.role("r", trusting(`"*"`, ""), everything)
	c.iam("TagRole", "RoleName", "r", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "green")
	c.always = key("aws:PrincipalTag/team", "blue")
	c.put = func(document string) {
		actions := `"Principal":{"AWS":"` + c.arn("keen") + `"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]`
		c.iam("UpdateAssumeRolePolicy", "RoleName", "r", "PolicyDocument", strings.Replace(strings.Replace(document, `"Action":"*"`, actions, 1), `,"Resource":"*"`, "", 1))
	}
	green := key("iam:ResourceTag/team", "green", "aws:ResourceTag/team", "green", "sts:RoleSessionName", "s1")
	tests := []struct {
		rule  string
		pairs []string
		keys  keys
	}{
		{"nothing but the role", nil, keys{}},
		{"an external id", []string{"ExternalId", "e1"}, key("sts:ExternalId", "e1")},
		{"a source identity", []string{"SourceIdentity", "me"}, key("sts:SourceIdentity", "me")},
		{"a duration is not asked", []string{"DurationSeconds", "900"}, keys{}},
		{"tags", []string{"Tags.member.1.Key", "team", "Tags.member.1.Value", "red", "Tags.member.2.Key", "b", "Tags.member.2.Value", "x", "TransitiveTagKeys.member.1", "team", "TransitiveTagKeys.member.2", "b"},
			keys{"aws:RequestTag/team": {"red"}, "aws:TagKeys": {"team", "b"}, "sts:TransitiveTagKeys": {"team", "b"}}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			c.check(t, green.with(tt.keys), func() (*http.Response, []byte) {
				return c.caller.query("sts", form("AssumeRole", append([]string{"RoleArn", role, "RoleSessionName", "s1"}, tt.pairs...)...))
			})
		})
	}
}

// TestContractD_ConditionKeysOfCallers: what is known of him who asks, of whatever kind.
func TestContractD_ConditionKeysOfCallers(t *testing.T) {
	c := newContexts(t)
	ask := c.call("GetRandomPassword", in{})
	t.Run("a user with an access key", func(t *testing.T) { c.check(t, keys{}, ask) })
	t.Run("a user with a session", func(t *testing.T) {
		got := c.caller.ask("sts", "GetSessionToken").Result.Credentials
		old := c.caller.c
		defer func() { c.caller.c = old }()
		c.caller.c = old.WithSession(got.AccessKeyID, got.SecretAccessKey, got.SessionToken)
		c.check(t, key("aws:TokenIssueTime", "", "aws:MultiFactorAuthPresent", "false"), ask)
	})
	t.Run("who says where he comes from", func(t *testing.T) {
		c.check(t, key("aws:Referer", "https://wiki.example.com/x"), func() (*http.Response, []byte) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.s.URL+"/", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-amz-json-1.1")
			req.Header.Set("X-Amz-Target", "secretsmanager.GetRandomPassword")
			req.Header.Set("Referer", "https://wiki.example.com/x")
			return c.caller.c.Send(req, "secretsmanager", []byte("{}"))
		})
	})
	t.Run("a session of a role", func(t *testing.T) {
		role := c.role("r", trusting(`{"AWS":"`+c.arn("keen")+`"}`, "", "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"), "")
		c.iam("TagRole", "RoleName", "r", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "green")
		a := c.caller.ask("sts", "AssumeRole", "RoleArn", role, "RoleSessionName", "s1", "SourceIdentity", "me", "Tags.member.1.Key", "cost", "Tags.member.1.Value", "c1").Result
		caller := *c.caller
		caller.c = c.caller.c.WithSession(a.Credentials.AccessKeyID, a.Credentials.SecretAccessKey, a.Credentials.SessionToken)
		d := &contexts{house: c.house, caller: &caller, always: c.always.with(key("aws:PrincipalArn", role, "aws:PrincipalType", "AssumedRole",
			"aws:PrincipalTag/team", "green", "aws:PrincipalTag/cost", "c1", "aws:userid", caller.ask("sts", "GetCallerIdentity").Result.UserID,
			"aws:TokenIssueTime", "", "aws:MultiFactorAuthPresent", "false", "aws:SourceIdentity", "me"))}
		delete(d.always, "aws:username")
		d.put = func(document string) {
			c.iam("PutRolePolicy", "RoleName", "r", "PolicyName", "p", "PolicyDocument", document)
		}
		d.check(t, keys{}, d.call("GetRandomPassword", in{}))
	})
	t.Run("the times", func(t *testing.T) {
		for _, tt := range []struct{ operator, key string }{{"Date", "aws:CurrentTime"}, {"Date", "aws:EpochTime"}, {"Numeric", "aws:EpochTime"}} {
			for before, want := range map[time.Duration]bool{-time.Hour: false, time.Hour: true} {
				at := any(c.s.Clock.Now().Add(before).UTC().Format(time.RFC3339))
				if tt.operator == "Numeric" {
					at = c.s.Clock.Now().Add(before).Unix()
				}
				document, _ := json.Marshal(in{"Version": "2012-10-17", "Statement": in{"Effect": "Allow", "Action": "*", "Resource": "*",
					"Condition": in{tt.operator + "LessThan": in{tt.key: at}}}})
				c.put(string(document))
				if res, body := ask(); (res.StatusCode == 200) != want {
					t.Errorf("%s: %d %s", document, res.StatusCode, body)
				}
			}
		}
	})
}

// TestContractD_ConditionKeysOfTokens: what a trust policy may ask of whoever brings a token: its
// claims, and nothing of a principal. Then what a policy may ask of the session.
func TestContractD_ConditionKeysOfTokens(t *testing.T) {
	c := newContexts(t)
	i := newIssuer(t)
	provider := c.register(i, "tacet")
	role := c.role("deploy", trusting(`{"Federated":"`+provider+`"}`, "", "sts:AssumeRoleWithWebIdentity"), "")
	put := func(want keys) {
		actions := `"Principal":{"Federated":"` + provider + `"},"Action":["sts:AssumeRoleWithWebIdentity","sts:TagSession"]`
		c.iam("UpdateAssumeRolePolicy", "RoleName", "deploy", "PolicyDocument",
			strings.Replace(strings.Replace(exactly(want), `"Action":"*"`, actions, 1), `,"Resource":"*"`, "", 1))
	}
	assume := func() queryAnswer {
		return c.unsigned("AssumeRoleWithWebIdentity", "RoleArn", role, "RoleSessionName", "s1", "WebIdentityToken", i.token(map[string]any{
			"repository_id": "74", "https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"team": []string{"red"}}}}))
	}
	want := keys{i.name() + ":aud": {"tacet"}, i.name() + ":sub": {"repo:octo/app:ref:refs/heads/main"}, i.name() + ":repository_id": {"74"},
		"sts:RoleSessionName": {"s1"}, "aws:RequestTag/team": {"red"}, "aws:TagKeys": {"team"}}
	for name := range want {
		if put(want.with(key(name, "another"))); assume().Status != 403 {
			t.Errorf("let in with another %s", name)
		}
	}
	put(want)
	a := assume()
	if a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	session := c.inSession(a)
	d := &contexts{house: c.house, caller: session, always: c.always.with(key("aws:PrincipalArn", role, "aws:PrincipalType", "AssumedRole",
		"aws:PrincipalTag/team", "red", "aws:userid", session.ask("sts", "GetCallerIdentity").Result.UserID,
		"aws:TokenIssueTime", "", "aws:MultiFactorAuthPresent", "false", "aws:FederatedProvider", provider))}
	delete(d.always, "aws:username")
	d.put = func(document string) {
		c.iam("PutRolePolicy", "RoleName", "deploy", "PolicyName", "p", "PolicyDocument", document)
	}
	d.check(t, keys{}, d.call("GetRandomPassword", in{}))
}
