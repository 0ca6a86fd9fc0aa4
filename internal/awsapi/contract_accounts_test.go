package awsapi_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
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

// AssumeRole: a role of another account is assumed if its trust policy names the
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

// A secret of another account is reached by its ARN if its resource policy and
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
	other.fails("GetSecretValue", in{"SecretId": arn}, "InvalidRequestException",
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
