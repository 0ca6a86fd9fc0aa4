package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tacet"
	"tacet/internal/client"
	"tacet/internal/tacettest"
)

// oneDeed is one operation as the three doors are asked for it.
type oneDeed struct {
	form string // of IAM's Query API
	path string // of adminapi
	body string
	args string // of the command
}

const (
	aPolicy  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}}`
	aTrust   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"000000000001"},"Action":"sts:AssumeRole"}}`
	readers  = "arn:aws:iam::000000000001:policy/readers"
	github   = "token.actions.githubusercontent.com"
	provider = "arn:aws:iam::000000000001:oidc-provider/" + github
)

// deedsOfDoors are the operations that all three doors have, good and bad.
func deedsOfDoors() []oneDeed {
	doc := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	return []oneDeed{
		{form: "Action=CreateUser&UserName=ci&Path=/x/&Tags.member.1.Key=team&Tags.member.1.Value=a", path: "users/create", body: `{"user":"ci","path":"/x/","tags":[{"key":"team","value":"a"}]}`, args: "user create ci --path /x/ --tag team=a"},
		{form: "Action=CreateUser&UserName=CI&Path=/", path: "users/create", body: `{"user":"CI","path":"/"}`, args: "user create CI"},
		{form: "Action=CreateGroup&GroupName=ops&Path=/", path: "groups/create", body: `{"group":"ops","path":"/"}`, args: "group create ops"},
		{form: "Action=AddUserToGroup&GroupName=ops&UserName=ci", path: "groups/add", body: `{"group":"ops","user":"ci"}`, args: "group add ops ci"},
		{form: "Action=CreatePolicy&PolicyName=readers&Path=/&PolicyDocument=" + url.QueryEscape(aPolicy), path: "managed/create", body: `{"policy":"readers","path":"/","document":` + doc(aPolicy) + `}`, args: "policy create readers POLICY"},
		{form: "Action=AttachUserPolicy&UserName=ci&PolicyArn=" + readers, path: "policies/attach", body: `{"user":"ci","policy":"readers"}`, args: "user attach ci readers"},
		{form: "Action=AttachGroupPolicy&GroupName=ops&PolicyArn=" + readers, path: "policies/attach", body: `{"group":"ops","policy":"` + readers + `"}`, args: "group attach ops " + readers},
		{form: "Action=PutUserPolicy&UserName=ci&PolicyName=own&PolicyDocument=" + url.QueryEscape(aPolicy), path: "policies/put", body: `{"user":"ci","policy":"own","document":` + doc(aPolicy) + `}`, args: "user policy put ci own POLICY"},
		{form: "Action=PutUserPolicy&UserName=ci&PolicyName=bad&PolicyDocument=" + url.QueryEscape(aTrust), path: "policies/put", body: `{"user":"ci","policy":"bad","document":` + doc(aTrust) + `}`, args: "user policy put ci bad TRUST"},
		{form: "Action=CreateAccessKey&UserName=ci", path: "keys/create", body: `{"user":"ci"}`, args: "key create ci"},
		{form: "Action=UpdateAccessKey&UserName=ci&AccessKeyId=AKIAIOSFODNN7EXAMPLE&Status=Inactive", path: "keys/update", body: `{"user":"ci","key":"AKIAIOSFODNN7EXAMPLE","active":false}`, args: "key deactivate ci AKIAIOSFODNN7EXAMPLE"},
		{form: "Action=DeleteAccessKey&UserName=ci&AccessKeyId=AKIAIOSFODNN7EXAMPLE", path: "keys/delete", body: `{"user":"ci","key":"AKIAIOSFODNN7EXAMPLE"}`, args: "key delete ci AKIAIOSFODNN7EXAMPLE"},
		{form: "Action=CreateRole&RoleName=deploy&Path=/&AssumeRolePolicyDocument=" + url.QueryEscape(aTrust), path: "roles/create", body: `{"role":"deploy","path":"/","document":` + doc(aTrust) + `}`, args: "role create deploy --trust TRUST"},
		{form: "Action=UpdateAssumeRolePolicy&RoleName=deploy&PolicyDocument=" + url.QueryEscape(aTrust), path: "roles/trust", body: `{"role":"deploy","document":` + doc(aTrust) + `}`, args: "role trust deploy TRUST"},
		{form: "Action=PutRolePermissionsBoundary&RoleName=deploy&PermissionsBoundary=" + readers, path: "boundaries/put", body: `{"role":"deploy","policy":"readers"}`, args: "role boundary put deploy readers"},
		{form: "Action=DeleteRolePermissionsBoundary&RoleName=deploy", path: "boundaries/delete", body: `{"role":"deploy"}`, args: "role boundary delete deploy"},
		{form: "Action=TagRole&RoleName=deploy&Tags.member.1.Key=a&Tags.member.1.Value=b", path: "tags/put", body: `{"role":"deploy","tags":[{"key":"a","value":"b"}]}`, args: "role tag deploy a=b"},
		{form: "Action=UntagRole&RoleName=deploy&TagKeys.member.1=a", path: "tags/delete", body: `{"role":"deploy","keys":["a"]}`, args: "role untag deploy a"},
		{form: "Action=CreateOpenIDConnectProvider&Url=https://" + github + "&ClientIDList.member.1=sts.amazonaws.com", path: "providers/create", body: `{"url":"https://` + github + `","audiences":["sts.amazonaws.com"]}`, args: "oidc create https://" + github + " --audience sts.amazonaws.com"},
		{form: "Action=CreatePolicyVersion&SetAsDefault=true&PolicyArn=" + readers + "&PolicyDocument=" + url.QueryEscape(aPolicy), path: "managed/update", body: `{"policy":"readers","document":` + doc(aPolicy) + `}`, args: "policy update readers POLICY"},
		{form: "Action=SetDefaultPolicyVersion&VersionId=v1&PolicyArn=" + readers, path: "versions/set", body: `{"policy":"readers","version":"v1"}`, args: "policy version use readers v1"},
		{form: "Action=DeletePolicyVersion&VersionId=v2&PolicyArn=" + readers, path: "versions/delete", body: `{"policy":"readers","version":"v2"}`, args: "policy version delete readers v2"},
		{form: "Action=ListUsers", path: "users/list", body: `{}`, args: "user list"},
		{form: "Action=ListRoles", path: "roles/list", body: `{}`, args: "role list"},
		{form: "Action=ListGroups", path: "groups/list", body: `{}`, args: "group list"},
		{form: "Action=UpdateUser&UserName=ci&NewUserName=cd", path: "users/update", body: `{"user":"ci","name":"cd"}`, args: "user update ci --name cd"},
		{form: "Action=DetachUserPolicy&UserName=cd&PolicyArn=" + readers, path: "policies/detach", body: `{"user":"cd","policy":"readers"}`, args: "user detach cd readers"},
		{form: "Action=DeleteUserPolicy&UserName=cd&PolicyName=own", path: "policies/delete", body: `{"user":"cd","policy":"own"}`, args: "user policy delete cd own"},
		{form: "Action=RemoveUserFromGroup&GroupName=ops&UserName=cd", path: "groups/remove", body: `{"group":"ops","user":"cd"}`, args: "group remove ops cd"},
		{form: "Action=DeleteRole&RoleName=deploy", path: "roles/delete", body: `{"role":"deploy"}`, args: "role delete deploy"},
		{form: "Action=DeleteUser&UserName=nobody", path: "users/delete", body: `{"user":"nobody"}`, args: "user delete nobody"},
		{form: "Action=DeleteOpenIDConnectProvider&OpenIDConnectProviderArn=" + provider, path: "providers/delete", body: `{"provider":"https://` + github + `"}`, args: "oidc delete https://" + github},
	}
}

// TestThreeDoorsAreOne: what IAM's API, adminapi and the command are asked for comes out
// the same and is recorded the same, whichever is asked.
func TestThreeDoorsAreOne(t *testing.T) {
	send := func(t *testing.T, s *tacettest.Server, service, path, kind, body string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		s.AWS(t).Send(req, service, []byte(body))
	}
	doors := map[string]func(t *testing.T, s *tacettest.Server, d oneDeed){
		"iam": func(t *testing.T, s *tacettest.Server, d oneDeed) {
			send(t, s, "iam", "/", "application/x-www-form-urlencoded; charset=utf-8", d.form+"&Version=2010-05-08")
		},
		"adminapi": func(t *testing.T, s *tacettest.Server, d oneDeed) {
			send(t, s, "tacet", "/tacet/v1/"+d.path, "application/json", d.body)
		},
		"command": func(t *testing.T, s *tacettest.Server, d oneDeed) {
			dir := t.TempDir()
			args := strings.Fields(d.args)
			for i, a := range args {
				if text := map[string]string{"POLICY": aPolicy, "TRUST": aTrust}[a]; text != "" {
					args[i] = filepath.Join(dir, a)
					if err := os.WriteFile(args[i], []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			env := filepath.Join(dir, "env")
			text := fmt.Sprintf("AWS_ENDPOINT_URL=%s\nAWS_REGION=%s\nAWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n", s.URL, s.Region, s.AccessKey, s.SecretKey)
			if err := os.WriteFile(env, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			if code := run(append(args, "--env-file", env), io.Discard, &stderr); code == exitUsage && !strings.Contains(stderr.String(), "request") {
				t.Errorf("%s: %s", d.args, &stderr)
			}
		},
	}
	records := map[string][]string{}
	for name, ask := range doors {
		s := tacettest.New(t)
		c, err := client.New(client.Config{Endpoint: s.HTTPSURL, CAFile: s.CAFile, AccessKey: s.AccessKey, SecretKey: s.SecretKey, Region: s.Region})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		for _, d := range deedsOfDoors() {
			ask(t, s, d)
		}
		list, _, err := c.LastRecords(t.Context(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if line := said(t, r); line != "" {
				records[name] = append(records[name], line)
			}
		}
		if n := len(records[name]); n != len(deedsOfDoors()) {
			t.Errorf("%s: %d records of %d deeds", name, n, len(deedsOfDoors()))
		}
	}
	for _, name := range []string{"adminapi", "command"} {
		if diff := cmp.Diff(records["iam"], records[name]); diff != "" {
			t.Errorf("iam and %s: %s", name, diff)
		}
	}
}

// said is what a record says of a request on principals, apart from by whom, when and how
// it was asked; "" for others.
func said(t *testing.T, r client.Record) string {
	t.Helper()
	var rec tacet.Record
	if err := json.Unmarshal(r.Record, &rec); err != nil {
		t.Fatal(err)
	}
	if rec.Event || rec.Operation.Service() != "iam" || rec.Operation == tacet.OpListPolicyVersions { // the command looks for room first
		return ""
	}
	params, err := json.Marshal(rec.Parameters)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %s %s %s %s %s %v", rec.Operation, rec.Resource, rec.Outcome, rec.Error, rec.Policy, params, rec.ReadOnly)
}
