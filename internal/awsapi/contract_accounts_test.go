package awsapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tacet"
)

const second = "000000000002"

// account makes a second account and returns the house as its administrator sees it.
func (h *house) account() *house {
	h.t.Helper()
	made := h.admin("accounts/create", in{"account": second, "name": "second"})
	key, _ := made["key"].(out)
	o := *h
	o.c = h.c.As(text(key["id"]), text(key["secret"]))
	return &o
}

// aws.md (e), AssumeRole: a role of another account is assumed if its trust policy names the
// caller's account, himself or his role, and, where it does not name him alone, his own
// account lets him too.
func TestContractE_AssumeRoleAcrossAccounts(t *testing.T) {
	h := newServer(t)
	h.create("db", "one", 1)
	other := h.account()
	for _, name := range []string{"allowed", "plain", "denied"} {
		other.iam("CreateUser", "UserName", name)
	}
	policy := func(user, effect string) {
		other.iam("PutUserPolicy", "UserName", user, "PolicyName", "p", "PolicyDocument", statement(effect, "sts:AssumeRole", "*"))
	}
	policy("allowed", "Allow")
	policy("denied", "Deny")
	users := map[string]*house{"admin": other}
	for _, name := range []string{"allowed", "plain", "denied"} {
		a := other.ask("iam", "CreateAccessKey", "UserName", name)
		u := *h
		u.c = h.c.As(between(a.Body, "AccessKeyId"), between(a.Body, "SecretAccessKey"))
		users[name] = &u
	}
	other.iam("CreateRole", "RoleName", "hop", "AssumeRolePolicyDocument", trusting(`{"AWS":"`+second+`"}`, ""))
	other.iam("PutRolePolicy", "RoleName", "hop", "PolicyName", "p", "PolicyDocument", statement("Allow", "sts:AssumeRole", "*"))
	users["hop"], _ = other.assume("arn:aws:iam::"+second+":role/hop", "s1")

	read := statement("Allow", "secretsmanager:GetSecretValue", "*")
	const arn = "arn:aws:iam::" + second
	for name, tt := range map[string]struct {
		principal, conditions string
		lets                  []string
	}{
		"account":       {second, "", []string{"admin", "allowed", "hop"}},
		"root":          {arn + ":root", "", []string{"admin", "allowed", "hop"}},
		"user":          {arn + ":user/allowed", "", []string{"allowed"}},
		"user-refused":  {arn + ":user/denied", "", nil},
		"user-unsaid":   {arn + ":user/plain", "", nil},
		"role":          {arn + ":role/hop", "", []string{"hop"}},
		"session":       {"arn:aws:sts::" + second + ":assumed-role/hop/s1", "", []string{"hop"}},
		"other-session": {"arn:aws:sts::" + second + ":assumed-role/hop/s2", "", nil},
		"own-account":   {h.s.Account, "", nil},
		"external-id":   {second, `{"StringEquals":{"sts:ExternalId":"blue"}}`, nil},
	} {
		role := h.role(name, trusting(`{"AWS":"`+tt.principal+`"}`, tt.conditions), read)
		for who, u := range users {
			a := u.ask("sts", "AssumeRole", "RoleArn", role, "RoleSessionName", "s1")
			if lets := slices.Contains(tt.lets, who); lets != (a.Status == 200) || !lets && a.Code != "AccessDenied" {
				t.Errorf("%s, asked by %s: %d %s", name, who, a.Status, a.Body)
			} else if lets {
				u.inSession(a).ok("GetSecretValue", in{"SecretId": "db"})
			}
		}
	}
	role := "arn:aws:iam::" + h.s.Account + ":role/external-id"
	if a := users["allowed"].ask("sts", "AssumeRole", "RoleArn", role, "RoleSessionName", "s1", "ExternalId", "red"); a.Status != 403 {
		t.Errorf("another external id: %s", a.Body)
	}
	users["allowed"].assume(role, "s1", "ExternalId", "blue")
}

// between returns the text of the first element of a name.
func between(body, name string) string {
	_, rest, _ := strings.Cut(body, "<"+name+">")
	inner, _, _ := strings.Cut(rest, "</"+name+">")
	return inner
}

// aws.md (d): a secret of another account is reached by its ARN if its resource policy and
// the caller's own policies allow it, and only by what both allow; its value is not, since
// it is sealed under the default key.
func TestContractD_SecretsAcrossAccounts(t *testing.T) {
	h := newServer(t)
	arn := text(h.create("shared", "one", 1)["ARN"])
	hidden := text(h.create("hidden", "two", 2)["ARN"])
	other := h.account()
	h.ok("PutResourcePolicy", in{"SecretId": "shared", "ResourcePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` +
		second + `"},"Action":["secretsmanager:GetSecretValue","secretsmanager:DescribeSecret"],"Resource":"*"}]}`})
	other.ok("DescribeSecret", in{"SecretId": arn})
	other.fails("GetSecretValue", in{"SecretId": arn}, "InvalidRequestException", // aws.md (b) 2
		"You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.")
	other.fails("GetSecretValue", in{"SecretId": "shared"}, "ResourceNotFoundException", notFound) // a name is of one's own account
	other.fails("PutSecretValue", in{"SecretId": arn, "SecretString": "x", "ClientRequestToken": token(3)}, "AccessDeniedException", "User: …")
	other.fails("DeleteSecret", in{"SecretId": arn}, "AccessDeniedException", "User: …")
	other.fails("GetSecretValue", in{"SecretId": hidden}, "AccessDeniedException", "User: …")
	other.iam("CreateUser", "UserName", "plain")
	a := other.ask("iam", "CreateAccessKey", "UserName", "plain")
	plain := *h
	plain.c = h.c.As(between(a.Body, "AccessKeyId"), between(a.Body, "SecretAccessKey"))
	plain.fails("DescribeSecret", in{"SecretId": arn}, "AccessDeniedException", "User: …") // his own account does not let him
	h.wantValue(in{"SecretId": "shared"}, "one")
}

// TestThreat13_IdentityOfAnotherAccount: for every operation of IAM and STS the ids, names
// and ARNs of another account's principals are answered like those of nobody's.
func TestThreat13_IdentityOfAnotherAccount(t *testing.T) {
	h := newServer(t)
	other := h.account()
	const marker = "zzmarker"
	h.iam("CreateUser", "UserName", "ana", "Path", "/"+marker+"/")
	h.iam("CreateGroup", "GroupName", "ops", "Path", "/"+marker+"/")
	h.iam("CreateRole", "RoleName", "deploy", "Description", marker, "AssumeRolePolicyDocument", trusting(`{"AWS":"`+h.s.Account+`"}`, ""))
	h.iam("CreatePolicy", "PolicyName", "readers", "Description", marker, "PolicyDocument", everything)
	h.iam("CreateOpenIDConnectProvider", "Url", "https://issuer.example", "ClientIDList.member.1", marker)
	h.iam("PutUserPolicy", "UserName", "ana", "PolicyName", "own", "PolicyDocument", everything)
	h.iam("AddUserToGroup", "UserName", "ana", "GroupName", "ops")
	key := between(h.ask("iam", "CreateAccessKey", "UserName", "ana").Body, "AccessKeyId")
	h.c.As(key, "wrong").Call("GetSecretValue", in{"SecretId": "x"})
	state := func() string {
		var b strings.Builder
		for path, request := range map[string]in{"users/list": {}, "groups/get": {"group": "ops"}, "roles/get": {"role": "deploy"}, "managed/get": {"policy": "readers"},
			"providers/list": {}, "keys/list": {"user": "ana"}, "policies/list": {"user": "ana"}, "policies/attached": {"user": "ana"}} {
			body, _ := json.Marshal(h.admin(path, request))
			b.WriteString(path + string(body) + "\n")
		}
		lines := strings.Split(b.String(), "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	before := state()

	arn := "arn:aws:iam::" + h.s.Account + ":"
	theirs := []string{"UserName", "ana", "GroupName", "ops", "RoleName", "deploy", "PolicyArn", arn + "policy/readers", "AccessKeyId", key, "RoleArn", arn + "role/deploy",
		"OpenIDConnectProviderArn", arn + "oidc-provider/issuer.example", "PermissionsBoundary", arn + "policy/readers", "PolicySourceArn", arn + "role/deploy"}
	nobodys := []string{"UserName", "anb", "GroupName", "opt", "RoleName", "deplox", "PolicyArn", arn + "policy/readert", "AccessKeyId", key[:19] + flip(key[19]), "RoleArn", arn + "role/deplox",
		"OpenIDConnectProviderArn", arn + "oidc-provider/issuer.exampld", "PermissionsBoundary", arn + "policy/readert", "PolicySourceArn", arn + "role/deplox"}
	rest := []string{"PolicyName", "own", "PolicyDocument", everything, "VersionId", "v1", "Status", "Inactive", "ClientID", "x", "NewPath", "/x/", "RoleSessionName", "s1",
		"Tags.member.1.Key", "k", "Tags.member.1.Value", "v", "TagKeys.member.1", "k", "Description", "x", "ThumbprintList.member.1", strings.Repeat("a", 40),
		"ActionNames.member.1", "s3:GetObject", "PolicyInputList.member.1", everything, "WebIdentityToken", "not.a.token", "Url", "https://issuer.example", "AssumeRolePolicyDocument", trusting(`{"AWS":"`+second+`"}`, "")}
	for _, op := range tacet.Operations() {
		service := op.Service()
		if op.Internal() || service != "iam" && service != "sts" || strings.HasPrefix(string(op), "Create") && op != tacet.OpCreateAccessKey && op != tacet.OpCreatePolicyVersion ||
			op == tacet.OpGetAccessKeyInfo { // which tells the account of any key, at AWS too
			continue
		}
		a := other.ask(service, string(op), append(slices.Clone(theirs), rest...)...)
		b := other.ask(service, string(op), append(slices.Clone(nobodys), rest...)...)
		got := a.Message
		for i := 1; i < len(theirs); i += 2 {
			got = strings.ReplaceAll(got, theirs[i], nobodys[i])
		}
		if a.Status != b.Status || a.Code != b.Code || got != b.Message {
			t.Errorf("%s tells one from the other:\n%d %s\n%d %s", op, a.Status, a.Body, b.Status, b.Body)
		}
		if strings.Contains(a.Body, marker) {
			t.Errorf("%s shows another account's: %s", op, a.Body)
		}
	}
	if after := state(); after != before {
		t.Errorf("changed from another account:\n%s\n%s", before, after)
	}
}

// flip returns another digit of an access key's id.
func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

// TestThreat41_ChildrenOfOthers: what belongs to one principal is not found, and not
// changed, under another's name.
func TestThreat41_ChildrenOfOthers(t *testing.T) {
	h := newServer(t)
	for _, name := range []string{"ana", "ben"} {
		h.iam("CreateUser", "UserName", name)
		h.iam("CreatePolicy", "PolicyName", name, "PolicyDocument", everything)
	}
	policy := "arn:aws:iam::" + h.s.Account + ":policy/"
	h.iam("CreatePolicyVersion", "PolicyArn", policy+"ana", "PolicyDocument", everything)
	h.iam("PutUserPolicy", "UserName", "ana", "PolicyName", "own", "PolicyDocument", everything)
	h.iam("AttachUserPolicy", "UserName", "ana", "PolicyArn", policy+"ana")
	key := between(h.ask("iam", "CreateAccessKey", "UserName", "ana").Body, "AccessKeyId")
	for _, tt := range [][]string{
		{"UpdateAccessKey", "UserName", "ben", "AccessKeyId", key, "Status", "Inactive"},
		{"DeleteAccessKey", "UserName", "ben", "AccessKeyId", key},
		{"GetUserPolicy", "UserName", "ben", "PolicyName", "own"},
		{"DeleteUserPolicy", "UserName", "ben", "PolicyName", "own"},
		{"DetachUserPolicy", "UserName", "ben", "PolicyArn", policy + "ana"},
		{"GetPolicyVersion", "PolicyArn", policy + "ben", "VersionId", "v2"},
		{"SetDefaultPolicyVersion", "PolicyArn", policy + "ben", "VersionId", "v2"},
		{"DeletePolicyVersion", "PolicyArn", policy + "ben", "VersionId", "v2"},
	} {
		if a := h.ask("iam", tt[0], tt[1:]...); a.Status != 404 || a.Code != "NoSuchEntity" {
			t.Errorf("%v: %d %s", tt, a.Status, a.Body)
		}
	}
	for _, tt := range [][]string{{"GetUserPolicy", "UserName", "ana", "PolicyName", "own"}, {"GetPolicyVersion", "PolicyArn", policy + "ana", "VersionId", "v2"},
		{"UpdateAccessKey", "UserName", "ana", "AccessKeyId", key, "Status", "Inactive"}} {
		h.iam(tt[0], tt[1:]...)
	}
	// A version of one secret is none of another.
	h.create("one", "1", 1)
	h.create("two", "2", 2)
	h.fails("GetSecretValue", in{"SecretId": "two", "VersionId": token(1)}, "ResourceNotFoundException", noVersion+token(1))
	h.fails("UpdateSecretVersionStage", in{"SecretId": "two", "VersionStage": "X", "MoveToVersionId": token(1)}, "ResourceNotFoundException", "…")
}

// TestThreat05_NoEnumeration: a role that does not let the caller in and a role that does not
// exist are refused alike: status, headers and text, and in the same time.
func TestThreat05_NoEnumeration(t *testing.T) {
	h := newServer(t)
	h.role("there", trusting(`{"AWS":"`+h.arn("admin")+`"}`, ""), "")
	u := h.user("u", in{"Effect": "Allow", "Action": "*", "Resource": "*"})
	ask := func(role string) (*http.Response, []byte, time.Duration) {
		begin := time.Now()
		res, body := u.query("sts", form("AssumeRole", "RoleArn", "arn:aws:iam::"+h.s.Account+":role/"+role, "RoleSessionName", "s1"))
		return res, body, time.Since(begin)
	}
	plain := func(res *http.Response, body []byte, role string) string {
		res.Header.Del("Date")
		var head bytes.Buffer
		for _, name := range []string{"X-Amzn-Requestid", "X-Tacet-Decision-Id"} {
			if v := res.Header.Get(name); v != "" {
				body = bytes.ReplaceAll(body, []byte(v), []byte("ID"))
				res.Header.Set(name, "ID")
			}
		}
		_ = res.Header.Write(&head)
		return res.Status + head.String() + strings.ReplaceAll(string(body), "role/"+role, "role/X")
	}
	a, body, _ := ask("there")
	first := plain(a, body, "there")
	b, body, _ := ask("thera")
	if other := plain(b, body, "thera"); a.StatusCode != 403 || first != other {
		t.Errorf("told apart:\n%s\n%s", first, other)
	}
	const rounds = 60
	var there, none []time.Duration
	for range rounds {
		_, _, d := ask("there")
		there = append(there, d)
		_, _, d = ask("thera")
		none = append(none, d)
	}
	slices.Sort(there)
	slices.Sort(none)
	// What tells them apart would be a look-up or a computation of a millisecond or more.
	if d := (there[rounds/2] - none[rounds/2]).Abs(); d > 2*time.Millisecond && d > min(there[rounds/2], none[rounds/2])/2 {
		t.Errorf("one takes %v, the other %v", there[rounds/2], none[rounds/2])
	}
}

// TestThreat15_InternalOperations: Tacet's own work has no name that a request or a policy
// could use.
func TestThreat15_InternalOperations(t *testing.T) {
	h := newServer(t)
	internal := 0
	for _, op := range tacet.Operations() {
		if !op.Internal() {
			continue
		}
		internal++
		if found, ok := tacet.OperationNamed(op.Action()); ok || slices.Contains(tacet.KnownActions(), op.Action()) {
			t.Errorf("%s is known as %s", op, found)
		}
		if status, body := h.c.Call(string(op), in{"SecretId": "x"}); status != 400 || body["__type"] != "UnknownOperationException" {
			t.Errorf("%s: %d %v", op, status, body)
		}
		for _, service := range []string{"sts", "iam"} {
			if a := h.ask(service, string(op)); a.Code != "InvalidAction" {
				t.Errorf("%s of %s: %s", op, service, a.Body)
			}
		}
	}
	if internal == 0 {
		t.Error("there are none")
	}
}

// STS API reference, DecodeAuthorizationMessage: the message is the decision's id.
func TestContractE_DecodeAuthorizationMessage(t *testing.T) {
	h := newServer(t)
	h.create("db", "one", 1)
	u := h.user("u", in{"Sid": "Never", "Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*", "Condition": in{"Bool": in{"aws:SecureTransport": "false"}}})
	res, _ := u.c.CallRaw("secretsmanager.GetSecretValue", []byte(`{"SecretId":"db"}`))
	id := res.Header.Get("X-Tacet-Decision-Id")
	decode := func(h *house, id string) queryAnswer {
		return h.ask("sts", "DecodeAuthorizationMessage", "EncodedMessage", id)
	}
	a := decode(h, id)
	var got decoded
	if err := json.Unmarshal([]byte(a.Result.DecodedMessage), &got); err != nil || a.Status != 200 {
		t.Fatalf("%v: %d %s", err, a.Status, a.Body)
	}
	m := got.MatchedStatements.Items
	if got.Allowed || !got.ExplicitDeny || len(m) != 1 || m[0].StatementID != "Never" || m[0].Effect != "DENY" || got.Failures.Items == nil ||
		got.Context.Principal.ARN != h.arn("u") || got.Context.Action != "secretsmanager:GetSecretValue" || !strings.Contains(got.Context.Resource, ":secret:db-") {
		t.Errorf("%s", a.Result.DecodedMessage)
	}
	c := got.Context.Conditions.Items
	if len(c) != 1 || c[0].Key != "aws:SecureTransport" || len(c[0].Values.Items) != 1 || c[0].Values.Items[0].Value != "false" {
		t.Errorf("%s", a.Result.DecodedMessage)
	}
	if a := decode(u, id); a.Status != 403 || a.Code != "AccessDenied" {
		t.Errorf("without the right: %d %s", a.Status, a.Body)
	}
	for _, id := range []string{"x", strings.Repeat("0", 32)} {
		if a := decode(h, id); a.Status != 400 || a.Code != "InvalidAuthorizationMessageException" {
			t.Errorf("%s: %d %s", id, a.Status, a.Body)
		}
	}
	if a := decode(h.account(), id); a.Code != "InvalidAuthorizationMessageException" {
		t.Errorf("another account's: %s", a.Body)
	}
}

// decoded is what the test looks at in a decoded message.
type decoded struct {
	Allowed, ExplicitDeny bool
	MatchedStatements     struct {
		Items []struct{ StatementID, Effect string }
	}
	Failures struct{ Items []any }
	Context  struct {
		Principal        struct{ ARN string }
		Action, Resource string
		Conditions       struct {
			Items []struct {
				Key    string
				Values struct{ Items []struct{ Value string } }
			}
		}
	}
}
