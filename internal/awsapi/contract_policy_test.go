package awsapi_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"tacet/internal/sigv4"
)

func TestContractB13_ResourcePolicy(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	members(t, "none", h.ok("GetResourcePolicy", in{"SecretId": "s"}), "ARN", "Name")
	policy := h.policyFor("root")
	members(t, "Put", h.ok("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": policy}), "ARN", "Name")
	o := h.ok("GetResourcePolicy", in{"SecretId": "s"})
	members(t, "Get", o, "ARN", "Name", "ResourcePolicy")
	var got, want any
	if err := json.Unmarshal([]byte(text(o["ResourcePolicy"])), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(policy), &want); err != nil {
		t.Fatal(err)
	}
	equal(t, "policy", got, want)
	members(t, "Delete", h.ok("DeleteResourcePolicy", in{"SecretId": "s"}), "ARN", "Name")
	members(t, "Delete again", h.ok("DeleteResourcePolicy", in{"SecretId": "s"}), "ARN", "Name")
	members(t, "none again", h.ok("GetResourcePolicy", in{"SecretId": "s"}), "ARN", "Name")

	for _, bad := range []string{"{", "[]", `"a"`, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, `{"Version":"1999-01-01","Statement":[]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps","Principal":"*","Action":"*","Resource":"*"}]}`} {
		h.fails("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": bad}, "MalformedPolicyDocumentException", "This policy has invalid syntax.…")
	}
	h.fails("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": h.policyFor(h.arn("nobody"))}, "MalformedPolicyDocumentException",
		"This resource policy contains an unsupported principal. "+h.arn("nobody"))
	h.fails("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": h.policyFor("arn:aws:iam::" + h.s.Account + ":group/g")}, "MalformedPolicyDocumentException",
		"This resource policy contains an unsupported principal. Statement[0].Principal.AWS: must be…")
	public := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`
	h.fails("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": public, "BlockPublicPolicy": true}, "PublicPolicyException", "The BlockPublicPolicy parameter…")
	members(t, "none stored", h.ok("GetResourcePolicy", in{"SecretId": "s"}), "ARN", "Name")
	h.ok("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": public})
	pinned := strings.Replace(public, `"Resource":"*"`, `"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"`+h.s.Account+`"}}`, 1)
	h.ok("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": pinned, "BlockPublicPolicy": true})
}

func TestContractB13_ValidateResourcePolicy(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	for _, request := range []in{{"ResourcePolicy": h.policyFor("root")}, {"ResourcePolicy": h.policyFor("root"), "SecretId": "s"}} {
		equal(t, "good", h.ok("ValidateResourcePolicy", request), out{"PolicyValidationPassed": true, "ValidationErrors": list()})
	}
	for _, bad := range []string{"{", strings.Replace(h.policyFor("root"), `{"AWS":"arn:aws:iam::`+h.s.Account+`:root"}`, `"*"`, 1)} {
		o := h.ok("ValidateResourcePolicy", in{"ResourcePolicy": bad})
		failures, _ := o["ValidationErrors"].([]any)
		if o["PolicyValidationPassed"] != false || len(failures) == 0 {
			t.Fatalf("%s: %v", bad, o)
		}
		first, _ := failures[0].(out)
		members(t, "error", first, "CheckName", "ErrorMessage")
	}
}

// A resource policy that names a user lets him read, and one that denies stops everybody.
func TestContractB13_ResourcePolicyDecides(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	u := h.user("u")
	u.fails("GetSecretValue", in{"SecretId": "s"}, "AccessDeniedException", "User: "+h.arn("u")+" is not authorized to perform: secretsmanager:GetSecretValue on resource: s because no identity-based policy allows the secretsmanager:GetSecretValue action")
	h.ok("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": h.policyFor(h.arn("u"))})
	u.wantValue(in{"SecretId": "s"}, "v")
	h.ok("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": strings.Replace(h.policyFor(h.arn("u")), "Allow", "Deny", 1)})
	u.fails("GetSecretValue", in{"SecretId": "s"}, "AccessDeniedException", "User: "+h.arn("u")+" is not authorized to perform: secretsmanager:GetSecretValue on resource: s with an explicit deny in a resource-based policy")
}

// A refusal carries the id of its decision in a header of Tacet's, and nothing in its body
// but AWS's words; other errors carry none.
func TestDecisionID(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	u := h.user("u")
	res, body := u.c.CallRaw("secretsmanager.GetSecretValue", []byte(`{"SecretId":"s"}`))
	id := res.Header.Get("X-Tacet-Decision-Id")
	if len(id) != 32 || strings.Contains(string(body), id) || res.StatusCode != 400 {
		t.Errorf("%d, decision %q: %s", res.StatusCode, id, body)
	}
	h.admin("decisions/explain", in{"id": id})
	h.admin("decisions/explain", in{"id": res.Header.Get("X-Amzn-Requestid")})
	for _, request := range []string{`{"SecretId":"none"}`, `{"SecretId":"s"}`, `{`} {
		if res, _ := h.c.CallRaw("secretsmanager.GetSecretValue", []byte(request)); res.Header.Get("X-Tacet-Decision-Id") != "" {
			t.Errorf("%s: a decision id", request)
		}
	}
}

func TestContractB14_RotationIsRefused(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	before := h.ok("DescribeSecret", in{"SecretId": "s"})
	h.fails("RotateSecret", in{"SecretId": "s", "ClientRequestToken": token(2), "RotationLambdaARN": "arn:aws:lambda:eu-central-1:123456789012:function:f",
		"RotationRules": in{"AutomaticallyAfterDays": 1}}, "InvalidRequestException", "Rotation isn't available on this server.")
	h.fails("CancelRotateSecret", in{"SecretId": "s"}, "InvalidRequestException", "Rotation isn't available on this server.")
	equal(t, "nothing stored", h.ok("DescribeSecret", in{"SecretId": "s"}), before)
}

func TestContractB15_Replication(t *testing.T) {
	h := newServer(t)
	arn := text(h.create("s", "1", 1)["ARN"])
	far := *h
	far.c = h.c.InRegion("eu-west-1")
	o := h.ok("ReplicateSecretToRegions", in{"SecretId": "s", "AddReplicaRegions": list(in{"Region": "eu-west-1"})})
	members(t, "Replicate", o, "ARN", "ReplicationStatus")
	status := func(o out) out {
		t.Helper()
		l, _ := o["ReplicationStatus"].([]any)
		if len(l) != 1 {
			t.Fatalf("ReplicationStatus %v", o)
		}
		first, _ := l[0].(out)
		return first
	}
	equal(t, "region", status(o)["Region"], "eu-west-1")
	d := h.ok("DescribeSecret", in{"SecretId": "s"})
	equal(t, "state", status(d)["Status"], "InSync")
	equal(t, "PrimaryRegion", d["PrimaryRegion"], h.s.Region)
	d = far.ok("DescribeSecret", in{"SecretId": "s"})
	equal(t, "replica's ARN", d["ARN"], strings.Replace(arn, h.s.Region, "eu-west-1", 1))
	equal(t, "replica's primary", d["PrimaryRegion"], h.s.Region)
	far.wantValue(in{"SecretId": "s"}, "1")

	h.put("s", "2", 2)
	h.ok("TagResource", in{"SecretId": "s", "Tags": list(in{"Key": "k", "Value": "v"})})
	h.ok("UpdateSecret", in{"SecretId": "s", "ClientRequestToken": token(3), "Description": "d"})
	far.wantValue(in{"SecretId": "s"}, "2")
	far.wantValue(in{"SecretId": "s", "VersionId": token(1)}, "1")
	far.wantLabels("s", "1: AWSPREVIOUS; 2: AWSCURRENT")
	d = far.ok("DescribeSecret", in{"SecretId": "s"})
	equal(t, "tags", d["Tags"], any(list(out{"Key": "k", "Value": "v"})))
	equal(t, "description", d["Description"], "d")
	for op, request := range map[string]in{
		"PutSecretValue": {"SecretString": "x", "ClientRequestToken": token(4)}, "UpdateSecret": {"SecretString": "x", "ClientRequestToken": token(4)},
		"TagResource": {"Tags": list(in{"Key": "a", "Value": ""})}, "UntagResource": {"TagKeys": list("k")}, "DeleteSecret": {}, "DeleteResourcePolicy": {},
		"PutResourcePolicy":            {"ResourcePolicy": h.policyFor("root")},
		"UpdateSecretVersionStage":     {"VersionStage": "X", "MoveToVersionId": token(1)},
		"ReplicateSecretToRegions":     {"AddReplicaRegions": list(in{"Region": "eu-west-2"})},
		"RemoveRegionsFromReplication": {"RemoveReplicaRegions": list("eu-west-1")},
	} {
		request["SecretId"] = "s"
		far.fails(op, request, "InvalidParameterException", replica)
	}
	h.fails("DeleteSecret", in{"SecretId": "s"}, "InvalidParameterException", "You can't delete secret "+arn+" that still has replica regions [eu-west-1].")
	h.fails("ReplicateSecretToRegions", in{"SecretId": "s", "AddReplicaRegions": list(in{"Region": h.s.Region})}, "InvalidParameterException", "Invalid replica region.")

	o = h.ok("RemoveRegionsFromReplication", in{"SecretId": "s", "RemoveReplicaRegions": list("eu-west-1")})
	equal(t, "Remove", o, out{"ARN": arn, "ReplicationStatus": list()})
	far.fails("DescribeSecret", in{"SecretId": "s"}, "ResourceNotFoundException", notFound)
	if _, ok := h.ok("DescribeSecret", in{"SecretId": "s"})["ReplicationStatus"]; ok {
		t.Error("ReplicationStatus without replicas")
	}
	h.ok("DeleteSecret", in{"SecretId": "s"})
}

func TestContractB15_StopReplicationAndClashes(t *testing.T) {
	h := newServer(t)
	far := *h
	far.c = h.c.InRegion("eu-west-1")
	h.create("s", "1", 1)
	h.ok("ReplicateSecretToRegions", in{"SecretId": "s", "AddReplicaRegions": list(in{"Region": "eu-west-1"})})
	o := far.ok("StopReplicationToReplica", in{"SecretId": "s"})
	members(t, "Stop", o, "ARN")
	if !strings.Contains(text(o["ARN"]), ":eu-west-1:") {
		t.Errorf("ARN %v", o["ARN"])
	}
	far.ok("PutSecretValue", in{"SecretId": "s", "SecretString": "own", "ClientRequestToken": token(2)})
	h.wantValue(in{"SecretId": "s"}, "1")
	if _, ok := h.ok("DescribeSecret", in{"SecretId": "s"})["ReplicationStatus"]; ok {
		t.Error("the primary still lists it")
	}
	status, body := far.c.Call("StopReplicationToReplica", in{"SecretId": "s"})
	if status != 400 || body["__type"] != "InvalidParameterException" {
		t.Errorf("on no replica: %d %v", status, body)
	}
	// The name is taken there now: the call succeeds and the replica has failed.
	o = h.ok("ReplicateSecretToRegions", in{"SecretId": "s", "AddReplicaRegions": list(in{"Region": "eu-west-1"})})
	l, _ := o["ReplicationStatus"].([]any)
	first, _ := l[0].(out)
	members(t, "clash", first, "KmsKeyId", "Region", "Status", "StatusMessage")
	equal(t, "clash", first["Status"], "Failed")
	far.wantValue(in{"SecretId": "s"}, "own")
	h.ok("ReplicateSecretToRegions", in{"SecretId": "s", "AddReplicaRegions": list(in{"Region": "eu-west-1"}), "ForceOverwriteReplicaSecret": true})
	far.wantValue(in{"SecretId": "s"}, "1")
}

func TestContractB16_GetRandomPassword(t *testing.T) {
	h := newServer(t)
	password := func(request in) string {
		t.Helper()
		o := h.ok("GetRandomPassword", request)
		members(t, "GetRandomPassword", o, "RandomPassword")
		return text(o["RandomPassword"])
	}
	has := func(s string, f func(rune) bool) bool { return strings.ContainsFunc(s, f) }
	punctuation := func(r rune) bool { return strings.ContainsRune("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", r) }
	for range 20 {
		p := password(in{})
		if len(p) != 32 || !has(p, unicode.IsLower) || !has(p, unicode.IsUpper) || !has(p, unicode.IsDigit) || !has(p, punctuation) || has(p, unicode.IsSpace) {
			t.Errorf("%q", p)
		}
		if p := password(in{"PasswordLength": 4}); len(p) != 4 || !has(p, unicode.IsLower) || !has(p, unicode.IsUpper) || !has(p, unicode.IsDigit) || !has(p, punctuation) {
			t.Errorf("%q", p)
		}
		if p := password(in{"PasswordLength": 5, "IncludeSpace": true}); len(p) != 5 || !strings.Contains(p, " ") {
			t.Errorf("%q", p)
		}
	}
	for _, length := range []int{1, 64, 4096} {
		if p := password(in{"PasswordLength": length, "RequireEachIncludedType": false, "ExcludeCharacters": "abc/@\"'\\"}); len(p) != length || strings.ContainsAny(p, "abc/@\"'\\") {
			t.Errorf("length %d: %d characters", length, len(p))
		}
	}
	p := password(in{"PasswordLength": 500, "ExcludePunctuation": true, "ExcludeUppercase": true, "ExcludeLowercase": true})
	if has(p, func(r rune) bool { return !unicode.IsDigit(r) }) {
		t.Errorf("digits only: %q", p)
	}
	if has(password(in{"PasswordLength": 500, "ExcludeNumbers": true}), unicode.IsDigit) {
		t.Error("digits in spite of ExcludeNumbers")
	}
	h.fails("GetRandomPassword", in{"PasswordLength": 3}, "InvalidParameterException", "Password length is too short based on the required types.")
	status, body := h.c.Call("GetRandomPassword", in{"ExcludePunctuation": true, "ExcludeUppercase": true, "ExcludeLowercase": true, "ExcludeNumbers": true})
	if status != 400 || body["__type"] != "InvalidParameterException" {
		t.Errorf("nothing left: %d %v", status, body)
	}
}

// Authorisation precedes existence: an unknown name is denied like any other.
func TestContractA6_DeniedBeforeNotFound(t *testing.T) {
	h := newServer(t)
	arn := text(h.create("s", "v", 1)["ARN"])
	u := h.user("u")
	for op, request := range map[string]in{
		"DescribeSecret": {}, "GetSecretValue": {}, "DeleteSecret": {}, "ListSecretVersionIds": {}, "GetResourcePolicy": {},
		"PutSecretValue": {"SecretString": "x"}, "UpdateSecret": {}, // no token: authorisation precedes that, too
		"RotateSecret": {},
	} {
		for _, id := range []string{"s", "nowhere", arn} {
			request["SecretId"] = id
			u.fails(op, request, "AccessDeniedException", "User: "+h.arn("u")+" is not authorized to perform: secretsmanager:"+op+" on resource: "+id+
				" because no identity-based policy allows the secretsmanager:"+op+" action")
		}
	}
	for op, request := range map[string]in{"ListSecrets": {}, "GetRandomPassword": {}, "BatchGetSecretValue": {"SecretIdList": list("s")}} {
		u.fails(op, request, "AccessDeniedException", "User: "+h.arn("u")+" is not authorized to perform: secretsmanager:"+op+
			" because no identity-based policy allows the secretsmanager:"+op+" action")
	}
	u.fails("CreateSecret", in{"Name": "mine", "ClientRequestToken": token(1)}, "AccessDeniedException", "User: "+h.arn("u")+
		" is not authorized to perform: secretsmanager:CreateSecret on resource: mine because no identity-based policy allows the secretsmanager:CreateSecret action")
	// But a request that is wrong in itself is told so first.
	u.fails("DescribeSecret", in{}, "ValidationException", "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null")
}

func TestContractA6_ExplicitDeny(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	u := h.user("u", allow("secretsmanager:*", "*"), deny("secretsmanager:GetSecretValue", "*"))
	u.ok("DescribeSecret", in{"SecretId": "s"})
	u.fails("GetSecretValue", in{"SecretId": "s"}, "AccessDeniedException", "User: "+h.arn("u")+
		" is not authorized to perform: secretsmanager:GetSecretValue on resource: s with an explicit deny in an identity-based policy")
}

const sendBody = `{"SecretId":"s"}`

// sendWith makes a call that is changed after it was signed.
func (h *house) sendWith(change func(*http.Request)) (*http.Response, out) {
	h.t.Helper()
	body := []byte(sendBody)
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.s.URL+"/", bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	h.c.Send(req, "secretsmanager", body) // signs it, too
	req.Body = io.NopCloser(bytes.NewReader(body))
	change(req)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var o out
	if err := json.NewDecoder(res.Body).Decode(&o); err != nil {
		h.t.Fatal(err)
	}
	return res, o
}

func TestContractA5_Authentication(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	const invalid = "The security token included in the request is invalid."
	for what, tt := range map[string]struct {
		change     func(*http.Request)
		code, text string
	}{
		"no signature":   {func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		"another body":   {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"SecretId":"t"}`)) }, "InvalidSignatureException", mismatch},
		"another target": {func(r *http.Request) { r.Header.Set("X-Amz-Target", "secretsmanager.DeleteSecret") }, "InvalidSignatureException", mismatch},
		"a query":        {func(r *http.Request) { r.URL.RawQuery = "a=b" }, "InvalidSignatureException", mismatch},
		"a session token": {func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") },
			"UnrecognizedClientException", invalid},
	} {
		res, o := h.sendWith(tt.change)
		if res.StatusCode != 400 || o["__type"] != tt.code || o["message"] != tt.text {
			t.Errorf("%s: %d %v", what, res.StatusCode, o)
		}
		if date, err := http.ParseTime(res.Header.Get("Date")); err != nil || time.Since(date).Abs() > time.Minute {
			t.Errorf("%s: Date %q", what, res.Header.Get("Date"))
		}
	}
	for what, c := range map[string]*house{
		"unknown key":  {t, h.s, h.c.As("AKIAIOSFODNN7EXAMPLE", h.s.SecretKey)},
		"session key":  {t, h.s, h.c.As("ASIAIOSFODNN7EXAMPLE", h.s.SecretKey)},
		"wrong secret": {t, h.s, h.c.As(h.s.AccessKey, "x"+h.s.SecretKey)},
	} {
		code, text := "UnrecognizedClientException", invalid
		if what == "wrong secret" {
			code, text = "InvalidSignatureException", mismatch
		}
		c.fails("GetSecretValue", in{"SecretId": "s"}, code, text)
	}
	u := h.user("u", allow("*", "*"))
	u.wantValue(in{"SecretId": "s"}, "v")
	keys, _ := h.admin("keys/list", in{"user": "u"})["keys"].([]any)
	first, _ := keys[0].(out)
	h.admin("keys/update", in{"user": "u", "key": first["id"], "active": false})
	u.fails("GetSecretValue", in{"SecretId": "s"}, "UnrecognizedClientException", invalid)
	mars := &house{t, h.s, h.c.InRegion("MARS")}
	mars.fails("GetSecretValue", in{"SecretId": "s"}, "InvalidSignatureException", "Credential should be scoped to a valid region. ")
}

func TestContractA5_Clock(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	for _, tt := range []struct {
		skew time.Duration
		text string
	}{{-6 * time.Minute, "Signature expired: "}, {6 * time.Minute, "Signature not yet current: "}} {
		res, o := h.sendWith(func(r *http.Request) { h.sign(r, time.Now().Add(tt.skew)) })
		if res.StatusCode != 400 || o["__type"] != "InvalidSignatureException" || !strings.HasPrefix(text(o["message"]), tt.text) {
			t.Errorf("%v: %d %v", tt.skew, res.StatusCode, o)
		}
	}
	for _, skew := range []time.Duration{-4 * time.Minute, 4 * time.Minute} {
		if res, o := h.sendWith(func(r *http.Request) { h.sign(r, time.Now().Add(skew)) }); res.StatusCode != 200 {
			t.Errorf("%v: %d %v", skew, res.StatusCode, o)
		}
	}
}

// sign signs a request of sendWith again, at another time.
func (h *house) sign(r *http.Request, at time.Time) {
	r.Header.Del("Authorization")
	req := &sigv4.Request{Method: r.Method, EscapedPath: "/", Host: r.URL.Host, Header: r.Header, Body: []byte(sendBody)}
	sigv4.Sign(req, h.s.AccessKey, []byte(h.s.SecretKey), h.s.Region, "secretsmanager", at)
}

func TestContractA1_Targets(t *testing.T) {
	h := newServer(t)
	for _, target := range []string{"", "secretsmanager.Nope", "secretsmanager.getSecretValue", "GetSecretValue", "tacet.GetSecretValue", "secretsmanager.GetSecretValue ", "secretsmanager.Bootstrap"} {
		res, body := h.c.CallRaw(target, []byte("{}"))
		if target == "secretsmanager.GetSecretValue " {
			continue // HTTP drops the space
		}
		var o out
		if err := json.Unmarshal(body, &o); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != 400 || o["__type"] != "UnknownOperationException" || !requestID.MatchString(res.Header.Get("x-amzn-requestid")) {
			t.Errorf("%q: %d %s", target, res.StatusCode, body)
		}
	}
	// An empty body is an empty object, and what is not known is passed over.
	if res, body := h.c.CallRaw("secretsmanager.ListSecrets", nil); res.StatusCode != 200 || string(body) != `{"SecretList":[]}` || res.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, body := h.c.CallRaw("secretsmanager.ListSecrets", []byte(`{"Unknown":[{"a":1}],"MaxResults":null}`)); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, body := h.c.CallRaw("secretsmanager.ListSecrets", []byte(`{`)); res.StatusCode != 400 || !strings.Contains(string(body), "SerializationException") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestContractE_GetCallerIdentity(t *testing.T) {
	h := newServer(t)
	u := h.user("u") // who needs no permission to ask
	for who, c := range map[string]*house{"admin": h, "u": u} {
		res, body := c.query("sts", "Action=GetCallerIdentity&Version=2011-06-15")
		var answer struct {
			XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
			Arn     string   `xml:"GetCallerIdentityResult>Arn"`
			UserID  string   `xml:"GetCallerIdentityResult>UserId"`
			Account string   `xml:"GetCallerIdentityResult>Account"`
			ID      string   `xml:"ResponseMetadata>RequestId"`
		}
		if err := xml.Unmarshal(body, &answer); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if res.StatusCode != 200 || answer.Account != h.s.Account || !strings.HasPrefix(answer.UserID, "AIDA") || answer.ID != res.Header.Get("x-amzn-RequestId") ||
			who == "u" && answer.Arn != h.arn("u") || res.Header.Get("Content-Type") != "text/xml" {
			t.Errorf("%s: %d %s", who, res.StatusCode, body)
		}
	}
}

// The action is there in one version only; a request that names none means that one.
func TestContractE_QueryVersion(t *testing.T) {
	h := newServer(t)
	for form, want := range map[string]string{
		"Action=GetCallerIdentity":                    "",
		"Action=GetCallerIdentity&Version=":           "",
		"Action=GetCallerIdentity&Version=2099-01-01": "Could not find operation GetCallerIdentity for version 2099-01-01",
		"Action=GetCallerIdentity&Version=2010-05-08": "Could not find operation GetCallerIdentity for version 2010-05-08",
		"Action=Nothing":                              "Could not find operation Nothing for version NO_VERSION_SPECIFIED",
	} {
		res, body := h.query("sts", form)
		var answer struct {
			Code    string `xml:"Error>Code"`
			Message string `xml:"Error>Message"`
		}
		if err := xml.Unmarshal(body, &answer); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if answer.Message != want || (res.StatusCode == 200) != (want == "") || want != "" && (res.StatusCode != 400 || answer.Code != "InvalidAction") {
			t.Errorf("%s: %d %s", form, res.StatusCode, body)
		}
	}
}

// A request in absolute form is the same request: it is signed for the host it names.
func TestContractA1_AbsoluteForm(t *testing.T) {
	h := newServer(t)
	host := strings.TrimPrefix(h.s.URL, "http://")
	for target, want := range map[string]string{"http://" + host + "/": "200", "http://" + host + "/x": "404", "http://" + host + "//": "400", "http://" + host: "400"} {
		r := &sigv4.Request{Method: "POST", Host: host, Header: http.Header{}, Body: []byte("{}")}
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "secretsmanager.ListSecrets")
		sigv4.Sign(r, h.s.AccessKey, []byte(h.s.SecretKey), h.s.Region, "secretsmanager", time.Now())
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		var head bytes.Buffer
		_ = r.Header.Write(&head) // a buffer takes everything
		if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: elsewhere\r\nContent-Length: 2\r\nConnection: close\r\n%s\r\n{}", target, &head); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		if !bytes.HasPrefix(answer, []byte("HTTP/1.1 "+want+" ")) {
			t.Errorf("%s: %s", target, answer)
		}
	}
}

// STS is at home in us-east-1 and also goes by "aws-global"; nothing else does.
func TestContractE_GlobalRegion(t *testing.T) {
	h := newServer(t)
	u := *h
	u.c = h.c.InRegion("aws-global")
	if res, body := u.query("sts", "Action=GetCallerIdentity&Version=2011-06-15"); res.StatusCode != 200 {
		t.Errorf("sts: %d %s", res.StatusCode, body)
	}
	const outside = "Credential should be scoped to a valid region. "
	if res, body := u.query("iam", "Action=ListUsers"); res.StatusCode != 403 || !strings.Contains(string(body), outside) {
		t.Errorf("iam: %d %s", res.StatusCode, body)
	}
	u.fails("ListSecrets", in{}, "InvalidSignatureException", outside)
	for _, region := range []string{"nowhere", "us_east_1", "US-EAST-1", "us-east-1x", "a:b*c", strings.Repeat("r", 3000)} {
		u.c = h.c.InRegion(region)
		u.fails("ListSecrets", in{}, "InvalidSignatureException", outside)
	}
}

func TestContractE_QueryErrors(t *testing.T) {
	h := newServer(t)
	bad := *h
	bad.c = h.c.As(h.s.AccessKey, "wrong")
	unknown := *h
	unknown.c = h.c.As("AKIAIOSFODNN7EXAMPLE", "wrong")
	for _, tt := range []struct {
		h             *house
		service, form string
		status        int
		ns, code      string
	}{
		{h, "sts", "Action=AssumeRoot&Version=2011-06-15", 400, "sts", "InvalidAction"},
		{h, "sts", "Action=getcalleridentity&Version=2011-06-15", 400, "sts", "InvalidAction"},
		{h, "sts", "Action=GetCallerIdentity&Version=2099-01-01", 400, "sts", "InvalidAction"},
		{h, "sts", "Version=2011-06-15", 400, "sts", "MissingAction"},
		{h, "sts", "", 400, "sts", "MissingAction"},
		{h, "sts", "Action=%zz", 400, "sts", "ValidationError"},
		{h, "sts", "Action=GetCallerIdentity&Action=X", 400, "sts", "ValidationError"},
		{h, "iam", "Action=CreateInstanceProfile&Version=2010-05-08", 400, "iam", "InvalidAction"},
		{h, "iam", "Action=GetCallerIdentity&Version=2011-06-15", 400, "iam", "InvalidAction"},
		{&bad, "sts", "Action=GetCallerIdentity&Version=2011-06-15", 403, "sts", "SignatureDoesNotMatch"},
		{&unknown, "sts", "Action=GetCallerIdentity&Version=2011-06-15", 403, "sts", "InvalidClientTokenId"},
		{&unknown, "iam", "Action=ListUsers", 403, "iam", "InvalidClientTokenId"},
		{h, "ec2", "Action=DescribeInstances", 403, "sts", "SignatureDoesNotMatch"},
	} {
		res, body := tt.h.query(tt.service, tt.form)
		var answer struct {
			XMLName xml.Name `xml:"ErrorResponse"`
			Error   struct{ Type, Code, Message string }
			ID      string `xml:"RequestId"`
		}
		if err := xml.Unmarshal(body, &answer); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if res.StatusCode != tt.status || answer.Error.Code != tt.code || answer.Error.Type != "Sender" || answer.Error.Message == "" ||
			!strings.HasPrefix(answer.XMLName.Space, "https://"+tt.ns+".amazonaws.com/doc/") || answer.ID != res.Header.Get("x-amzn-RequestId") {
			t.Errorf("%s %s: %d %s", tt.service, tt.form, res.StatusCode, body)
		}
	}
}
