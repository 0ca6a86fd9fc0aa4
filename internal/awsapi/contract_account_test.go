package awsapi_test

import (
	"encoding/base64"
	"encoding/csv"
	"strings"
	"testing"
	"time"
)

// TestContractE_AccountAliases: an alias is one account's.
func TestContractE_AccountAliases(t *testing.T) {
	h := newServer(t)
	other := h.account()
	h.iamOK("CreateAccountAlias", "AccountAlias", "acme")
	if a := other.ask("iam", "CreateAccountAlias", "AccountAlias", "acme"); a.Status != 409 || a.Code != "EntityAlreadyExists" || a.Message != "The account alias acme already exists." {
		t.Errorf("the alias of another: %d %s", a.Status, a.Body)
	}
	if a := other.ask("iam", "DeleteAccountAlias", "AccountAlias", "acme"); a.Status != 404 || a.Code != "NoSuchEntity" {
		t.Errorf("removing the alias of another: %d %s", a.Status, a.Body)
	}
	other.iamOK("CreateAccountAlias", "AccountAlias", "other")
	equal(t, "own", h.iamOK("ListAccountAliases").values("member"), []string{"acme"})
	equal(t, "other", other.iamOK("ListAccountAliases").values("member"), []string{"other"})
	// What an account leaves, another may take.
	h.iamOK("CreateAccountAlias", "AccountAlias", "acme-corp")
	other.iamOK("CreateAccountAlias", "AccountAlias", "acme")
	equal(t, "other", other.iamOK("ListAccountAliases").values("member"), []string{"acme"})
	for _, bad := range []string{"ab", strings.Repeat("a", 64), "-abc", "abc-", "a--b", "aBc", "a_b", "a.b", ""} {
		for _, op := range []string{"CreateAccountAlias", "DeleteAccountAlias"} {
			if a := h.ask("iam", op, "AccountAlias", bad); a.Status != 400 || a.Code != "ValidationError" {
				t.Errorf("%s %q: %d %s", op, bad, a.Status, a.Body)
			}
		}
	}
	h.iamOK("CreateAccountAlias", "AccountAlias", strings.Repeat("a", 63))
	h.iamOK("CreateAccountAlias", "AccountAlias", "0-1")
}

// TestContractE_CredentialReport reads the report as an auditor's program does.
func TestContractE_CredentialReport(t *testing.T) {
	h := newServer(t)
	h.iamOK("CreateUser", "UserName", "Zoe", "Path", "/a/")
	h.iamOK("CreateUser", "UserName", "bob")
	h.wait(time.Hour)
	first := h.iamOK("CreateAccessKey", "UserName", "bob").values("AccessKeyId")[0]
	h.wait(time.Hour)
	second := h.iamOK("CreateAccessKey", "UserName", "bob")
	h.iamOK("UpdateAccessKey", "UserName", "bob", "AccessKeyId", first, "Status", "Inactive")
	bob := *h
	bob.c = h.c.As(second.values("AccessKeyId")[0], second.values("SecretAccessKey")[0])
	bob.ask("sts", "GetCallerIdentity")
	h.iamOK("GenerateCredentialReport")
	content, err := base64.StdEncoding.DecodeString(h.iamOK("GetCredentialReport").values("Content")[0])
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(string(content))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	report := map[string]map[string]string{}
	var order []string
	for _, l := range lines[1:] {
		m := map[string]string{}
		for i, name := range lines[0] {
			m[name] = l[i]
		}
		report[m["user"]], order = m, append(order, m["user"])
	}
	equal(t, "users", order, []string{"<root_account>", "admin", "bob", "Zoe"})
	equal(t, "columns", len(lines[0]), 22)
	now, ago := h.s.Clock.Now().UTC().Format("2006-01-02T15"), h.s.Clock.Now().Add(-time.Hour).UTC().Format("2006-01-02T15")
	for _, tt := range []struct{ user, column, want string }{
		{"<root_account>", "arn", "arn:aws:iam::" + h.s.Account + ":root"},
		{"<root_account>", "access_key_1_active", "false"},
		{"<root_account>", "mfa_active", "false"},
		{"Zoe", "arn", "arn:aws:iam::" + h.s.Account + ":user/a/Zoe"},
		{"Zoe", "access_key_1_active", "false"},
		{"Zoe", "access_key_1_last_rotated", "N/A"},
		{"bob", "password_enabled", "false"},
		{"bob", "access_key_1_active", "false"},
		{"bob", "access_key_1_last_rotated", ago},
		{"bob", "access_key_1_last_used_date", "N/A"},
		{"bob", "access_key_2_active", "true"},
		{"bob", "access_key_2_last_rotated", now},
		{"bob", "access_key_2_last_used_date", now},
		{"bob", "access_key_2_last_used_service", "sts"},
		{"bob", "access_key_2_last_used_region", "us-east-1"},
	} {
		got := report[tt.user][tt.column]
		if len(tt.want) == len(now) && strings.HasSuffix(got, "+00:00") { // a time: to the hour
			got = got[:len(now)]
		}
		equal(t, tt.user+" "+tt.column, got, tt.want)
	}
}
