package awsapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tacet"
)

// The tests of this file are about classes of vulnerability by their numbers in
// docs/design/0010-threats.md.

// A pair is two requests that must not be told from one another.
type pair struct {
	// ask sends the request about what is there, or about what is not.
	ask func(there bool) (*http.Response, []byte)
	// names are what each of them names, which an answer may repeat.
	there, none string
}

// plain is all of an answer but what is another one for every request, and the name.
func (p *pair) plain(there bool) (status int, text string) {
	res, body := p.ask(there)
	res.Header.Del("Date")
	for _, name := range []string{"X-Amzn-Requestid", "X-Tacet-Decision-Id"} {
		if v := res.Header.Get(name); v != "" {
			body = bytes.ReplaceAll(body, []byte(v), []byte("ID"))
			res.Header.Set(name, "ID")
		}
	}
	name := p.none
	if there {
		name = p.there
	}
	var head bytes.Buffer
	_ = res.Header.Write(&head)
	return res.StatusCode, res.Status + "\n" + head.String() + strings.ReplaceAll(string(body), name, "NAME")
}

// gap is how much longer the answer about what is there takes. The quick ones of many are
// compared, asked in turn: what else the machine does only makes answers slower. short is how
// long an answer takes at least.
func (p *pair) gap() (gap, short time.Duration) {
	const rounds = 100
	var times [2][]time.Duration
	for n := range 2 * rounds {
		begin := time.Now()
		p.ask(n%2 == 0)
		times[n%2] = append(times[n%2], time.Since(begin))
	}
	for i := range times {
		slices.Sort(times[i])
	}
	const quick = rounds / 5
	return times[0][quick] - times[1][quick], min(times[0][0], times[1][0])
}

// TestThreat05_NoEnumeration: what the caller has no right to and what does not exist are
// refused alike: status, headers and text, and in the same time.
func TestThreat05_NoEnumeration(t *testing.T) {
	h := newServer(t)
	i := newIssuer(t)
	provider := h.register(i, "tacet")
	h.role("there", trusting(`{"AWS":"`+h.arn("admin")+`"}`, ""), "")
	h.role("their", trusting(`{"Federated":"`+provider+`"}`, `{"StringEquals":{"`+i.name()+`:sub":"other"}}`, "sts:AssumeRoleWithWebIdentity"), "")
	h.create("there", "v", 1)
	u := h.user("u", in{"Effect": "Allow", "Action": "sts:*", "Resource": "*"})
	h.user("there", in{"Effect": "Allow", "Action": "*", "Resource": "*"})
	key := between(h.ask("iam", "CreateAccessKey", "UserName", "there").Body, "AccessKeyId")
	h.iam("UpdateAccessKey", "UserName", "there", "AccessKeyId", key, "Status", "Inactive")
	token := i.token(nil)

	arn := "arn:aws:iam::" + h.s.Account + ":role/"
	of := func(there bool, a, b string) string {
		if there {
			return a
		}
		return b
	}
	for name, p := range map[string]pair{
		"AssumeRole": {func(there bool) (*http.Response, []byte) {
			return u.query("sts", form("AssumeRole", "RoleArn", arn+of(there, "there", "thera"), "RoleSessionName", "s1"))
		}, "role/there", "role/thera"},
		"AssumeRoleWithWebIdentity": {func(there bool) (*http.Response, []byte) {
			res, err := http.Post(h.s.URL+"/", "application/x-www-form-urlencoded",
				strings.NewReader(form("AssumeRoleWithWebIdentity", "RoleArn", arn+of(there, "their", "theiz"), "RoleSessionName", "s1", "WebIdentityToken", token)))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			return res, body
		}, "role/their", "role/theiz"},
		"GetUser": {func(there bool) (*http.Response, []byte) {
			return u.query("iam", form("GetUser", "UserName", of(there, "there", "thera")))
		}, "user there", "user thera"},
		"GetSecretValue": {func(there bool) (*http.Response, []byte) {
			return u.c.CallRaw("secretsmanager.GetSecretValue", []byte(`{"SecretId":"`+of(there, "there", "thera")+`"}`))
		}, "there", "thera"},
		"an inactive access key": {func(there bool) (*http.Response, []byte) {
			return h.c.As(of(there, key, key[:19]+flip(key[19])), "wrong").CallRaw("secretsmanager.GetSecretValue", []byte(`{"SecretId":"x"}`))
		}, key, key[:19] + flip(key[19])},
	} {
		t.Run(name, func(t *testing.T) {
			status, first := p.plain(true)
			if _, other := p.plain(false); status != 403 && status != 400 || first != other {
				t.Fatalf("told apart:\n%s\n%s", first, other)
			}
			// A look-up that only one of them needs, in a store or of a hash, takes longer than this.
			// Three times over: a busy machine is not a leak.
			var gaps []time.Duration
			for range 3 {
				gap, short := p.gap()
				if gaps = append(gaps, gap); gap.Abs() < max(300*time.Microsecond, short/4) {
					return
				}
			}
			t.Errorf("it tells by time: the answer about what is there takes %v longer", gaps)
		})
	}
}

// identifiers are the parameters of IAM and STS that identify something, with the operations
// that take them. It is the whole table: an operation that is in no row of it, nor in
// unidentified, fails the test.
var identifiers = map[string]string{
	"UserName": `GetUser UpdateUser DeleteUser TagUser UntagUser ListUserTags ListGroupsForUser PutUserPermissionsBoundary DeleteUserPermissionsBoundary ListMFADevices
		ListSSHPublicKeys ListServiceSpecificCredentials ListSigningCertificates GetLoginProfile DeleteLoginProfile CreateAccessKey ListAccessKeys UpdateAccessKey DeleteAccessKey AddUserToGroup
		RemoveUserFromGroup PutUserPolicy GetUserPolicy ListUserPolicies DeleteUserPolicy AttachUserPolicy DetachUserPolicy ListAttachedUserPolicies`,
	"GroupName": `GetGroup UpdateGroup DeleteGroup AddUserToGroup RemoveUserFromGroup PutGroupPolicy GetGroupPolicy ListGroupPolicies DeleteGroupPolicy AttachGroupPolicy
		DetachGroupPolicy ListAttachedGroupPolicies`,
	"RoleName": `GetRole UpdateRole UpdateRoleDescription DeleteRole UpdateAssumeRolePolicy TagRole UntagRole ListRoleTags PutRolePermissionsBoundary DeleteRolePermissionsBoundary
		ListInstanceProfilesForRole PutRolePolicy GetRolePolicy ListRolePolicies DeleteRolePolicy AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies`,
	"PolicyArn": `GetPolicy DeletePolicy CreatePolicyVersion GetPolicyVersion ListPolicyVersions DeletePolicyVersion SetDefaultPolicyVersion TagPolicy UntagPolicy ListPolicyTags
		ListEntitiesForPolicy AttachUserPolicy DetachUserPolicy AttachGroupPolicy DetachGroupPolicy AttachRolePolicy DetachRolePolicy`,
	"AccessKeyId": "UpdateAccessKey DeleteAccessKey GetAccessKeyLastUsed",
	"OpenIDConnectProviderArn": `GetOpenIDConnectProvider DeleteOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint AddClientIDToOpenIDConnectProvider
		RemoveClientIDFromOpenIDConnectProvider TagOpenIDConnectProvider UntagOpenIDConnectProvider ListOpenIDConnectProviderTags`,
	"PermissionsBoundary":     "CreateUser CreateRole PutUserPermissionsBoundary PutRolePermissionsBoundary",
	"RoleArn":                 "AssumeRole",
	"PolicyArns.member.1.arn": "AssumeRole",
	"PolicySourceArn":         "SimulatePrincipalPolicy GetContextKeysForPrincipalPolicy",
	"EncodedMessage":          "DecodeAuthorizationMessage",
	"AccountAlias":            "DeleteAccountAlias",
}

// unidentified are the operations that take no identifier; two that do are told apart as AWS
// tells them: GetAccessKeyInfo tells the account of any key, and who sends
// AssumeRoleWithWebIdentity is of no account (TestThreat05 and TestThreat17 ask it). Those
// that are no operations of this protocol have no name here.
const unidentified = `GetCallerIdentity GetSessionToken GetAccessKeyInfo AssumeRoleWithWebIdentity CreateGroup CreatePolicy CreateOpenIDConnectProvider ListUsers ListGroups
	ListRoles ListPolicies ListOpenIDConnectProviders ListAccountAliases GetAccountSummary ListVirtualMFADevices SimulateCustomPolicy GetContextKeysForCustomPolicy GenerateCredentialReport
	GetCredentialReport CreateAccountAlias GetAccountAuthorizationDetails
	- TagSession SetSourceIdentity IssueToken CreateClientCredential ListClientCredentials DeleteClientCredential`

// A tenant is an account with one of everything that has an identifier.
type tenant map[string]string

// furnish makes them; every text of it has the mark.
func (h *house) furnish(account, mark string) tenant {
	arn := "arn:aws:iam::" + account + ":"
	me := tenant{"UserName": "ana" + mark, "GroupName": "ops" + mark, "RoleName": "deploy" + mark, "PolicyArn": arn + "policy/readers" + mark, "PermissionsBoundary": arn + "policy/readers" + mark,
		"PolicyArns.member.1.arn": arn + "policy/readers" + mark, "RoleArn": arn + "role/deploy" + mark, "PolicySourceArn": arn + "role/deploy" + mark,
		"OpenIDConnectProviderArn": arn + "oidc-provider/issuer." + mark + ".example"}
	me["AccountAlias"] = "alias-" + mark
	h.iam("CreateAccountAlias", "AccountAlias", me["AccountAlias"])
	h.iam("CreateUser", "UserName", me["UserName"], "Path", "/"+mark+"/")
	h.iam("CreateGroup", "GroupName", me["GroupName"], "Path", "/"+mark+"/")
	h.iam("CreateRole", "RoleName", me["RoleName"], "Description", mark, "AssumeRolePolicyDocument", trusting(`{"AWS":"`+account+`"}`, "", "sts:AssumeRole", "sts:TagSession"))
	h.iam("CreatePolicy", "PolicyName", "readers"+mark, "Description", mark, "PolicyDocument", everything)
	h.iam("CreatePolicyVersion", "PolicyArn", me["PolicyArn"], "PolicyDocument", everything)
	h.iam("CreateOpenIDConnectProvider", "Url", "https://issuer."+mark+".example", "ClientIDList.member.1", "x", "Tags.member.1.Key", mark, "Tags.member.1.Value", "v")
	for _, of := range []string{"User", "Group", "Role"} {
		h.iam("Put"+of+"Policy", of+"Name", me[of+"Name"], "PolicyName", "own", "PolicyDocument", everything)
		h.iam("Attach"+of+"Policy", of+"Name", me[of+"Name"], "PolicyArn", me["PolicyArn"])
	}
	h.iam("AddUserToGroup", "UserName", me["UserName"], "GroupName", me["GroupName"])
	a := h.ask("iam", "CreateAccessKey", "UserName", me["UserName"])
	me["AccessKeyId"] = between(a.Body, "AccessKeyId")
	h.iam("CreateUser", "UserName", "nobody"+mark)
	nobody := h.ask("iam", "CreateAccessKey", "UserName", "nobody"+mark)
	res, _ := h.c.As(between(nobody.Body, "AccessKeyId"), between(nobody.Body, "SecretAccessKey")).CallRaw("secretsmanager.GetSecretValue", []byte(`{"SecretId":"`+mark+`"}`))
	me["EncodedMessage"] = res.Header.Get("X-Tacet-Decision-Id")
	return me
}

// state is all of an account that could be changed by its identifiers.
func (h *house) state(me tenant) string {
	var b strings.Builder
	for _, r := range []struct {
		path    string
		request in
	}{{"users/list", in{}}, {"groups/get", in{"group": me["GroupName"]}}, {"roles/get", in{"role": me["RoleName"]}}, {"managed/get", in{"policy": me["PolicyArn"]}}, {"versions/list", in{"policy": me["PolicyArn"]}},
		{"providers/get", in{"provider": me["OpenIDConnectProviderArn"]}}, {"keys/list", in{"user": me["UserName"]}}, {"policies/list", in{"user": me["UserName"]}}, {"policies/attached", in{"user": me["UserName"]}},
		{"policies/list", in{"role": me["RoleName"]}}, {"policies/attached", in{"role": me["RoleName"]}}, {"policies/list", in{"group": me["GroupName"]}}, {"policies/attached", in{"group": me["GroupName"]}},
		{"managed/holders", in{"policy": me["PolicyArn"]}}} {
		body, _ := json.Marshal(h.admin(r.path, r.request))
		b.WriteString(r.path + string(body) + "\n")
	}
	return b.String()
}

// TestThreat13_IdentityOfAnotherAccount: for every operation of IAM and STS and every
// identifier that it takes, another account's is answered like nobody's, while all the rest
// of the request is right and one's own.
func TestThreat13_IdentityOfAnotherAccount(t *testing.T) {
	h := newServer(t)
	other := h.account()
	theirs, own := h.furnish(h.s.Account, "zzmarker"), other.furnish(second, "own")
	before := h.state(theirs)
	nobodys := tenant{}
	for name, v := range theirs {
		nobodys[name] = strings.Replace(v, "zzmarker", "zzmarkes", 1)
	}
	nobodys["AccessKeyId"] = theirs["AccessKeyId"][:19] + flip(theirs["AccessKeyId"][19])
	nobodys["EncodedMessage"] = strings.Repeat("0", 31) + "1"
	rest := []string{"PolicyName", "own", "PolicyDocument", everything, "VersionId", "v1", "Status", "Inactive", "ClientID", "x", "NewPath", "/x/", "RoleSessionName", "s1",
		"Tags.member.1.Key", "k", "Tags.member.1.Value", "v", "TagKeys.member.1", "k", "Description", "x", "ThumbprintList.member.1", strings.Repeat("a", 40),
		"ActionNames.member.1", "s3:GetObject", "PolicyInputList.member.1", everything, "AssumeRolePolicyDocument", trusting(`{"AWS":"`+second+`"}`, "")}
	ask := func(op tacet.Operation, with tenant, foreign string) queryAnswer {
		pairs := slices.Clone(rest)
		if op == tacet.OpUpdateAssumeRolePolicy {
			pairs[slices.Index(pairs, "PolicyDocument")+1] = trusting(`{"AWS":"`+second+`"}`, "", "sts:AssumeRole", "sts:TagSession")
		}
		for name, v := range own {
			takes := slices.Contains(strings.Fields(identifiers[name]), string(op))
			if name == foreign {
				v = with[name]
			} else if strings.HasPrefix(string(op), "Create") && (name == "UserName" || name == "RoleName") && !takes {
				v = "newcomer"
			}
			if takes || name == "UserName" || name == "RoleName" {
				pairs = append(pairs, name, v)
			}
		}
		return other.ask(op.Service(), string(op), pairs...)
	}
	ours, absent, _ := strings.Cut(unidentified, "- ")
	asked := 0
	for _, op := range tacet.Operations() {
		if op.Internal() || op.Service() != "iam" && op.Service() != "sts" {
			continue
		}
		if slices.Contains(strings.Fields(absent), string(op)) {
			if a := ask(op, nil, ""); a.Code != "InvalidAction" {
				t.Errorf("%s is an operation: %s", op, a.Body)
			}
			continue
		}
		known := slices.Contains(strings.Fields(ours), string(op))
		for name, list := range identifiers {
			if !slices.Contains(strings.Fields(list), string(op)) {
				continue
			}
			known = true
			asked++
			a, b := ask(op, theirs, name), ask(op, nobodys, name)
			got := strings.ReplaceAll(a.Message, theirs[name], nobodys[name])
			if a.Status != b.Status || a.Code != b.Code || got != b.Message {
				t.Errorf("%s tells by %s one from the other:\n%d %s\n%d %s", op, name, a.Status, a.Body, b.Status, b.Body)
			}
			if a.Status == 200 || a.Code == "ValidationError" || strings.Contains(strings.ReplaceAll(a.Body, theirs[name], ""), "zzmarker") {
				t.Errorf("%s with another account's %s: %d %s", op, name, a.Status, a.Body)
			}
		}
		if !known {
			t.Errorf("%s is not in the table: which identifiers does it take?", op)
		}
	}
	for _, list := range []string{"ListAccountAliases", "ListUsers", "ListGroups", "ListRoles", "ListPolicies", "ListOpenIDConnectProviders", "GetAccountSummary", "GenerateCredentialReport", "GetAccountAuthorizationDetails"} {
		if a := other.ask("iam", list); a.Status != 200 || strings.Contains(a.Body, "zzmarker") {
			t.Errorf("%s shows another account's: %s", list, a.Body)
		}
	}
	if after := h.state(theirs); after != before {
		t.Errorf("changed from another account:\n%s\n%s", before, after)
	}
	if asked < 90 {
		t.Errorf("only %d pairs were asked", asked)
	}
	// The requests were right but for that: with one's own throughout none is refused for its
	// form or for want of a right.
	var gone, here [][2]string // what removes something comes last
	for name, list := range identifiers {
		for _, op := range strings.Fields(list) {
			if strings.HasPrefix(op, "Delete") {
				gone = append(gone, [2]string{op, name})
			} else {
				here = append(here, [2]string{op, name})
			}
		}
	}
	for _, r := range append(here, gone...) {
		op, name := r[0], r[1]
		if a := ask(tacet.Operation(op), own, name); a.Code == "ValidationError" || a.Code == "AccessDenied" || a.Status == 400 && a.Code != "InvalidInput" {
			t.Errorf("%s with one's own %s: %d %s", op, name, a.Status, a.Body)
		}
	}
}

// flip returns another digit of an access key's id.
func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
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

// TestThreat41_ChildrenOfOthers: what belongs to one principal is not found, and not
// changed, under another's name.
func TestThreat41_ChildrenOfOthers(t *testing.T) {
	h := newServer(t)
	arn := "arn:aws:iam::" + h.s.Account + ":"
	parents := map[string][2]string{"User": {"ana", "ben"}, "Group": {"ops", "devs"}, "Role": {"deploy", "build"}}
	policy := arn + "policy/"
	for _, name := range []string{"ana", "ben"} {
		h.iam("CreateUser", "UserName", name)
		h.iam("CreatePolicy", "PolicyName", name, "PolicyDocument", everything)
	}
	for i := range 2 {
		h.iam("CreateGroup", "GroupName", parents["Group"][i])
		h.iam("CreateRole", "RoleName", parents["Role"][i], "AssumeRolePolicyDocument", trusting(`{"AWS":"`+h.s.Account+`"}`, ""))
	}
	h.iam("CreatePolicyVersion", "PolicyArn", policy+"ana", "PolicyDocument", everything)
	h.iam("AddUserToGroup", "UserName", "ana", "GroupName", "ops")
	key := between(h.ask("iam", "CreateAccessKey", "UserName", "ana").Body, "AccessKeyId")
	rows := [][]string{
		{"UpdateAccessKey", "UserName", "ben", "AccessKeyId", key, "Status", "Inactive"},
		{"DeleteAccessKey", "UserName", "ben", "AccessKeyId", key},
		{"GetPolicyVersion", "PolicyArn", policy + "ben", "VersionId", "v2"},
		{"SetDefaultPolicyVersion", "PolicyArn", policy + "ben", "VersionId", "v2"},
		{"DeletePolicyVersion", "PolicyArn", policy + "ben", "VersionId", "v2"},
	}
	for kind, name := range parents {
		h.iam("Put"+kind+"Policy", kind+"Name", name[0], "PolicyName", "own", "PolicyDocument", everything)
		h.iam("Attach"+kind+"Policy", kind+"Name", name[0], "PolicyArn", policy+"ana")
		rows = append(rows, []string{"Get" + kind + "Policy", kind + "Name", name[1], "PolicyName", "own"}, []string{"Delete" + kind + "Policy", kind + "Name", name[1], "PolicyName", "own"},
			[]string{"Detach" + kind + "Policy", kind + "Name", name[1], "PolicyArn", policy + "ana"})
	}
	for _, tt := range rows {
		if a := h.ask("iam", tt[0], tt[1:]...); a.Status != 404 || a.Code != "NoSuchEntity" {
			t.Errorf("%v: %d %s", tt, a.Status, a.Body)
		}
	}
	// Every operation that reaches into what belongs to a principal is in a row.
	for _, op := range tacet.Operations() {
		name := string(op)
		child := op.Service() == "iam" && !op.Internal() && (strings.HasSuffix(name, "AccessKey") || strings.HasSuffix(name, "PolicyVersion") || strings.HasPrefix(name, "Detach") ||
			slices.Contains([]string{"User", "Group", "Role"}, strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(name, "Get"), "Delete"), "Policy")) && strings.HasSuffix(name, "Policy"))
		if child && !strings.HasPrefix(name, "Create") && !strings.HasPrefix(name, "Put") && !strings.HasPrefix(name, "Attach") &&
			!slices.ContainsFunc(rows, func(tt []string) bool { return tt[0] == name }) {
			t.Errorf("%s is in no row", name)
		}
	}
	for _, tt := range [][]string{{"GetPolicyVersion", "PolicyArn", policy + "ana", "VersionId", "v2"}, {"UpdateAccessKey", "UserName", "ana", "AccessKeyId", key, "Status", "Inactive"},
		// Who is not in a group may be taken out of it, which changes nothing.
		{"RemoveUserFromGroup", "UserName", "ben", "GroupName", "ops"}, {"RemoveUserFromGroup", "UserName", "ana", "GroupName", "devs"}} {
		h.iam(tt[0], tt[1:]...)
	}
	if a := h.ask("iam", "GetGroup", "GroupName", "ops"); !strings.Contains(a.Body, "<UserName>ana</UserName>") {
		t.Errorf("ana is in the group no more: %s", a.Body)
	}
	for kind, name := range parents {
		h.iam("Get"+kind+"Policy", kind+"Name", name[0], "PolicyName", "own")
		h.iam("Detach"+kind+"Policy", kind+"Name", name[0], "PolicyArn", policy+"ana")
	}
	// A version of one secret is none of another.
	h.create("one", "1", 1)
	h.create("two", "2", 2)
	h.fails("GetSecretValue", in{"SecretId": "two", "VersionId": token(1)}, "ResourceNotFoundException", noVersion+token(1))
	h.fails("UpdateSecretVersionStage", in{"SecretId": "two", "VersionStage": "X", "MoveToVersionId": token(1)}, "ResourceNotFoundException", "…")
}
