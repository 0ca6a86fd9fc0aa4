package awsapi_test

import (
	"net/url"
	"strings"
	"testing"
)

// trustIn is a trust policy that lets a principal assume the role.
func trustIn(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"}]}`
}

// trust returns a role's trust policy as GetRole shows it.
func (h *house) trust(role string) string {
	h.t.Helper()
	a := h.ask("iam", "GetRole", "RoleName", role)
	_, rest, _ := strings.Cut(a.Body, "<AssumeRolePolicyDocument>")
	document, _, ok := strings.Cut(rest, "</AssumeRolePolicyDocument>")
	text, err := url.PathUnescape(document)
	if !ok || err != nil {
		h.t.Fatalf("GetRole %s: %s", role, a.Body)
	}
	return text
}

// told returns an element of IAM's answer about a user.
func (h *house) told(action, user, element string) string {
	h.t.Helper()
	a := h.ask("iam", action, "UserName", user)
	_, rest, _ := strings.Cut(a.Body, "<"+element+">")
	value, _, ok := strings.Cut(rest, "</"+element+">")
	if !ok {
		h.t.Fatalf("%s %s: %s", action, user, a.Body)
	}
	return value
}

func (h *house) userID(name string) string { return h.told("GetUser", name, "UserId") }

// removeUser deletes a user with one access key.
func (h *house) removeUser(name string) {
	h.t.Helper()
	h.iam("DeleteAccessKey", "UserName", name, "AccessKeyId", h.told("ListAccessKeys", name, "AccessKeyId"))
	h.iam("DeleteUser", "UserName", name)
}

// IAM user guide, "AWS JSON policy elements: Principal": the ARN of a user or role in a
// policy is kept as his unique id and shown as his ARN, and as the id once he is deleted; one
// who is made again under the name is not let in. An account is shown as its root's ARN. The
// texts are AWS's.
func TestContractE_TrustNamesPrincipalsByID(t *testing.T) {
	h := newServer(t)
	ann := h.user("ann")
	id := h.userID("ann")
	role := h.role("target", trustIn(h.arn("ann")), "")
	equal(t, "shown", h.trust("target"), trustIn(h.arn("ann")))
	ann.assume(role, "job")

	h.iam("UpdateUser", "UserName", "ann", "NewUserName", "bea")
	equal(t, "after a renaming", h.trust("target"), trustIn(h.arn("bea")))
	ann.assume(role, "job")

	h.removeUser("bea")
	equal(t, "after the deletion", h.trust("target"), trustIn(id))
	for _, name := range []string{"ann", "bea"} {
		again := h.user(name)
		again.refused(403, "AccessDenied", "User: "+h.arn(name)+" is not authorized to perform: sts:AssumeRole on resource: "+role,
			"AssumeRole", "RoleArn", role, "RoleSessionName", "job")
	}
	for _, bad := range []string{id, h.arn("nobody"), "arn:aws:iam::999999999999:user/ann", "999999999999"} {
		for _, request := range [][]string{
			{"CreateRole", "RoleName", "other", "AssumeRolePolicyDocument", trustIn(bad)},
			{"UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", trustIn(bad)},
		} {
			a := h.ask("iam", request[0], request[1:]...)
			if a.Status != 400 || a.Code != "MalformedPolicyDocument" || a.Message != `Invalid principal in policy: "AWS":"`+bad+`"` {
				t.Errorf("%s: %d %s", request[0], a.Status, a.Body)
			}
		}
	}
	equal(t, "kept", h.trust("target"), trustIn(id))

	h.iam("UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", trustIn(h.userID("bea")))
	equal(t, "named by an id", h.trust("target"), trustIn(h.arn("bea")))
	h.iam("UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", trustIn(h.s.Account))
	equal(t, "an account", h.trust("target"), trustIn("arn:aws:iam::"+h.s.Account+":root"))
	h.iam("UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", trustIn(role))
	equal(t, "the role itself", h.trust("target"), trustIn(role))
}

// The same of a secret's policy.
func TestContractB13_ResourcePolicyNamesPrincipalsByID(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	ann := h.user("ann")
	id := h.userID("ann")
	shown := func() string { return text(h.ok("GetResourcePolicy", in{"SecretId": "s"})["ResourcePolicy"]) }
	h.ok("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": h.policyFor(h.arn("ann"))})
	equal(t, "shown", shown(), h.policyFor(h.arn("ann")))
	h.iam("UpdateUser", "UserName", "ann", "NewUserName", "bea")
	equal(t, "after a renaming", shown(), h.policyFor(h.arn("bea")))
	ann.wantValue(in{"SecretId": "s"}, "v")
	h.removeUser("bea")
	equal(t, "after the deletion", shown(), h.policyFor(id))
	h.user("bea").fails("GetSecretValue", in{"SecretId": "s"}, "AccessDeniedException", "User: "+h.arn("bea")+" is not authorized to perform: secretsmanager:GetSecretValue on resource: s because no identity-based policy allows the secretsmanager:GetSecretValue action")
	h.fails("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": shown()}, "MalformedPolicyDocumentException",
		"This resource policy contains an unsupported principal. "+id)
	h.ok("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": h.policyFor(h.s.Account)})
	equal(t, "an account", shown(), h.policyFor(h.s.Account))
}
