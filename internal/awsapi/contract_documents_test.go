package awsapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// A door is an operation that takes a policy document.
type door struct {
	name string
	kind string // "identity", "trust" or "resource"
	put  func(document string) (status int, code, text string)
	// What a document that cannot be read is answered with.
	status       int
	code, before string
}

// doors are all the operations that store a document or use one.
func (h *house) doors() []door {
	query := func(service, action, name string, pairs ...string) func(string) (int, string, string) {
		return func(document string) (int, string, string) {
			a := h.ask(service, action, append([]string{name, document}, pairs...)...)
			return a.Status, a.Code, a.Message
		}
	}
	iam := func(kind, action string, pairs ...string) door {
		name := "PolicyDocument"
		if action == "CreateRole" {
			name = "AssumeRolePolicyDocument"
		}
		return door{action, kind, query("iam", action, name, pairs...), 400, "MalformedPolicyDocument", "Syntax errors in policy. "}
	}
	admin := func(kind, op string, request in) door {
		return door{"admin " + op, kind, func(document string) (int, string, string) {
			request["document"] = document
			body, _ := json.Marshal(request)
			req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.s.URL+"/tacet/v1/"+op, strings.NewReader(string(body)))
			if err != nil {
				h.t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			res, answer := h.c.Send(req, "tacet", body)
			var e struct {
				Error struct{ Code, Message string }
			}
			_ = json.Unmarshal(answer, &e)
			return res.StatusCode, e.Error.Code, e.Error.Message
		}, 400, "PolicyMalformed", ""}
	}
	secret := func(op string) func(string) (int, string, string) {
		return func(document string) (int, string, string) {
			status, body := h.c.Call(op, in{"SecretId": "s", "ResourcePolicy": document})
			if failures, _ := body["ValidationErrors"].([]any); len(failures) > 0 {
				first, _ := failures[0].(out)
				return status, text(first["CheckName"]), text(first["ErrorMessage"])
			}
			return status, text(body["__type"]), text(body["Message"])
		}
	}
	u := h.user("u")
	role := h.role("assumed", trusting(`{"AWS":"`+h.arn("u")+`"}`, ""), "")
	h.role("r", trusting(`{"AWS":"`+h.arn("u")+`"}`, ""), "")
	h.iam("CreateGroup", "GroupName", "g")
	h.iam("CreatePolicy", "PolicyName", "p", "PolicyDocument", everything)
	h.create("s", "v", 1)
	managed := "arn:aws:iam::" + h.s.Account + ":policy/p"
	return []door{
		iam("identity", "PutUserPolicy", "UserName", "u", "PolicyName", "p"),
		iam("identity", "PutGroupPolicy", "GroupName", "g", "PolicyName", "p"),
		iam("identity", "PutRolePolicy", "RoleName", "r", "PolicyName", "p"),
		iam("identity", "CreatePolicy", "PolicyName", "new"),
		iam("identity", "CreatePolicyVersion", "PolicyArn", managed),
		iam("trust", "CreateRole", "RoleName", "new"),
		iam("trust", "UpdateAssumeRolePolicy", "RoleName", "r"),
		admin("identity", "policies/put", in{"user": "u", "policy": "p"}),
		admin("trust", "roles/create", in{"role": "newer"}),
		admin("trust", "roles/trust", in{"role": "r"}),
		{"AssumeRole", "identity", func(document string) (int, string, string) {
			a := u.ask("sts", "AssumeRole", "RoleArn", role, "RoleSessionName", "s1", "Policy", document)
			return a.Status, a.Code, a.Message
		}, 400, "MalformedPolicyDocument", "Syntax errors in policy. "},
		{"PutResourcePolicy", "resource", secret("PutResourcePolicy"), 400, "MalformedPolicyDocumentException", "This policy has invalid syntax. "},
		{"ValidateResourcePolicy", "resource", secret("ValidateResourcePolicy"), 200, "INVALID_POLICY_SYNTAX", "This policy has invalid syntax. "},
	}
}

// TestContractD_MalformedDocuments: a document that cannot be read is refused wherever one is
// taken, with that operation's code, and the answer names the place.
func TestContractD_MalformedDocuments(t *testing.T) {
	h := newServer(t)
	// Each is a document but for one slip; %s is what its kind needs.
	documents := []struct{ rule, document, place string }{
		{"no JSON", `{"Version":"2012-10-17","Statement":[{%s}],}`, "in line 1, column "},
		{"no statements", `{"Version":"2012-10-17"}`, "Statement is missing"},
		{"a version that there is not", `{"Version":"2012-10-18","Statement":[{%s}]}`, "Version: must be"},
		{"an element given twice", `{"Version":"2012-10-17","Statement":[{%s}],"Version":"2008-10-17"}`, "Version: given twice"},
		{"a slip in an element", `{"Version":"2012-10-17","Statement":[{%s},{%s,"Conditions":{}}]}`, "Statement[1].Conditions: unknown element"},
		{"an unknown operator", `{"Version":"2012-10-17","Statement":[{%s},{%s,"Condition":{"StringFoo":{"aws:username":"a"}}}]}`, "Statement[1].Condition.StringFoo: unknown operator"},
		{"a value of the wrong form", `{"Version":"2012-10-17","Statement":{%s,"Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","10.0.0.0/33"]}}}}`, "Statement.Condition.IpAddress.aws:SourceIp[1]: must be an IP address"},
		{"nested too deep", `{"Version":"2012-10-17","Statement":[{%s,"Condition":{"Bool":{"a:b":[[[["x"]]]]}}}]}`, "nested deeper than 8 levels"},
		{"a variable without an end", `{"Version":"2012-10-17","Statement":[{%s,"Condition":{"StringLike":{"a:b":"${aws:username"}}}]}`, `Statement[0].Condition.StringLike.a:b: variable "${aws:username"`},
	}
	good := map[string]string{
		"identity": `"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"`,
		"trust":    `"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + h.s.Account + `"}`,
		"resource": `"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*","Principal":{"AWS":"` + h.s.Account + `"}`,
	}
	for _, d := range h.doors() {
		for _, tt := range documents {
			status, code, message := d.put(strings.ReplaceAll(tt.document, "%s", good[d.kind]))
			if status != d.status || code != d.code || !strings.HasPrefix(message, d.before) || !strings.Contains(message, tt.place) {
				t.Errorf("%s, %s: %d %s: %s\nwant %d %s: %s…%s", d.name, tt.rule, status, code, message, d.status, d.code, d.before, tt.place)
			}
		}
		if status, code, message := d.put(`{"Version":"2012-10-17","Statement":[{` + good[d.kind] + `}]}`); status != 200 {
			t.Errorf("%s, a good one: %d %s: %s", d.name, status, code, message)
		}
	}
}

// TestContractE_DocumentQuotas: a document that is too long for its kind exceeds a quota,
// however much too long it is, and white space does not count in IAM's.
func TestContractE_DocumentQuotas(t *testing.T) {
	h := newServer(t)
	statement := `"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"`
	trust := `"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + h.s.Account + `"}`
	// long makes a document of n characters beside white space.
	long := func(statement string, n int) string {
		const frame = `{"Version":"2012-10-17","Id":"","Statement":[{}]}`
		return `{"Version":"2012-10-17","Id":"` + strings.Repeat("x", n-len(frame)-len(statement)) + `",` + strings.Repeat(" \n", 100) + `"Statement":[{` + statement + `}]}`
	}
	limits := map[string]struct {
		most int
		text string
	}{
		"PutUserPolicy":          {2048, "Maximum policy size of 2048 bytes exceeded for user u"},
		"PutGroupPolicy":         {5120, "Maximum policy size of 5120 bytes exceeded for group g"},
		"PutRolePolicy":          {10240, "Maximum policy size of 10240 bytes exceeded for role r"},
		"CreatePolicy":           {6144, "Cannot exceed quota for PolicySize: 6144"},
		"CreatePolicyVersion":    {6144, "Cannot exceed quota for PolicySize: 6144"},
		"CreateRole":             {2048, "Cannot exceed quota for ACLSizePerRole: 2048"},
		"UpdateAssumeRolePolicy": {2048, "Cannot exceed quota for ACLSizePerRole: 2048"},
	}
	for _, d := range h.doors() {
		limit, ok := limits[d.name]
		if !ok {
			continue
		}
		body := statement
		if d.kind == "trust" {
			body = trust
		}
		for _, n := range []int{limit.most + 1, 20000, 100000} {
			if status, code, message := d.put(long(body, n)); status != 409 || code != "LimitExceeded" || message != limit.text {
				t.Errorf("%s of %d characters: %d %s: %s", d.name, n, status, code, message)
			}
		}
		if status, code, message := d.put(long(body, limit.most)); status != 200 {
			t.Errorf("%s of %d characters: %d %s: %s", d.name, limit.most, status, code, message)
		}
	}
}
