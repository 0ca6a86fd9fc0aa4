package awsapi_test

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestContractB0_SecretIDResolution(t *testing.T) {
	h := newServer(t)
	arn := text(h.create("prod/db", "v", 1)["ARN"])
	if !regexp.MustCompile(`^arn:aws:secretsmanager:` + h.s.Region + `:` + h.s.Account + `:secret:prod/db-[A-Za-z0-9]{6}$`).MatchString(arn) {
		t.Errorf("ARN %s", arn)
	}
	partial := arn[:len(arn)-7]
	for _, id := range []string{"prod/db", arn, partial} {
		o := h.ok("GetSecretValue", in{"SecretId": id})
		equal(t, id, o["ARN"], arn)
		equal(t, id, o["Name"], "prod/db")
	}
	last := arn[len(arn)-1:]
	other := map[bool]string{true: "b", false: "a"}[last == "a"]
	for _, id := range []string{
		"prod", "prod/DB", "prod/db-" + arn[len(arn)-6:], arn[:len(arn)-1] + other, partial + "x", strings.Replace(partial, "prod/db", "prod/d", 1),
		strings.Replace(arn, h.s.Region, "ap-south-1", 1), strings.Replace(partial, h.s.Region, "ap-south-1", 1),
	} {
		for _, op := range []string{"GetSecretValue", "DescribeSecret", "ListSecretVersionIds", "GetResourcePolicy", "RestoreSecret"} {
			h.fails(op, in{"SecretId": id}, "ResourceNotFoundException", notFound)
		}
	}
	for _, id := range []string{"prod db", "prod:db", "prod*", "é", "arn:aws:secretsmanager", "arn:aws:s3:::bucket", strings.Replace(arn, "prod", "pr od", 1)} {
		h.fails("GetSecretValue", in{"SecretId": id}, "ValidationException", badName)
	}
}

// A name that ends like a suffix is found by name and by its whole ARN, and not by the
// partial one.
func TestContractB0_NamesThatLookLikeSuffixes(t *testing.T) {
	h := newServer(t)
	for i, tt := range []struct {
		name  string
		found bool
	}{{"name-a1b2c3", false}, {"name-a1b2", true}, {"name-a1b2c3-", true}, {"name-a1b2c3d", true}, {"name-abcdef", false}} {
		arn := text(h.create(tt.name, "v", i)["ARN"])
		h.wantValue(in{"SecretId": tt.name}, "v")
		h.wantValue(in{"SecretId": arn}, "v")
		if partial := arn[:len(arn)-7]; tt.found {
			h.wantValue(in{"SecretId": partial}, "v")
		} else {
			h.fails("GetSecretValue", in{"SecretId": partial}, "ResourceNotFoundException", notFound)
		}
	}
}

func TestContractB0_SuffixIsNewOnEveryCreation(t *testing.T) {
	h := newServer(t)
	first := h.create("again", "v", 1)["ARN"]
	h.ok("DeleteSecret", in{"SecretId": "again", "ForceDeleteWithoutRecovery": true})
	second := h.create("again", "v", 2)["ARN"]
	if first == second {
		t.Errorf("both are %v", first)
	}
	h.fails("GetSecretValue", in{"SecretId": first}, "ResourceNotFoundException", notFound)
}

func TestContractB0_UnknownSecretOfEveryOperation(t *testing.T) {
	h := newServer(t)
	for op, request := range map[string]in{
		"DeleteResourcePolicy": {}, "DeleteSecret": {}, "DescribeSecret": {}, "GetResourcePolicy": {}, "GetSecretValue": {}, "ListSecretVersionIds": {},
		"RestoreSecret": {}, "StopReplicationToReplica": {}, "CancelRotateSecret": {}, "RotateSecret": {"ClientRequestToken": token(1)},
		"PutResourcePolicy":            {"ResourcePolicy": `{"Version":"2012-10-17","Statement":[]}`},
		"PutSecretValue":               {"SecretString": "v", "ClientRequestToken": token(1)},
		"UpdateSecret":                 {"SecretString": "v", "ClientRequestToken": token(1)},
		"RemoveRegionsFromReplication": {"RemoveReplicaRegions": list("eu-west-1")},
		"ReplicateSecretToRegions":     {"AddReplicaRegions": list(in{"Region": "eu-west-1"})},
		"TagResource":                  {"Tags": list(in{"Key": "k", "Value": "v"})},
		"UntagResource":                {"TagKeys": list("k")},
		"UpdateSecretVersionStage":     {"VersionStage": "A", "MoveToVersionId": token(1)},
		"ValidateResourcePolicy":       {"ResourcePolicy": `{"Version":"2012-10-17","Statement":[]}`},
	} {
		request["SecretId"] = "nowhere"
		h.fails(op, request, "ResourceNotFoundException", notFound)
	}
}

func TestContractB0_ScheduledForDeletion(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	h.ok("DeleteSecret", in{"SecretId": "s"})
	for op, request := range map[string]in{
		"GetSecretValue": {}, "DeleteSecret": {}, "CancelRotateSecret": {}, "DeleteResourcePolicy": {}, "GetResourcePolicy": {},
		"RotateSecret":                 {"ClientRequestToken": token(2)},
		"PutResourcePolicy":            {"ResourcePolicy": `{"Version":"2012-10-17","Statement":[]}`},
		"PutSecretValue":               {"SecretString": "v", "ClientRequestToken": token(2)},
		"UpdateSecret":                 {"SecretString": "v", "ClientRequestToken": token(2)},
		"RemoveRegionsFromReplication": {"RemoveReplicaRegions": list("eu-west-1")},
		"ReplicateSecretToRegions":     {"AddReplicaRegions": list(in{"Region": "eu-west-1"})},
		"StopReplicationToReplica":     {},
		"TagResource":                  {"Tags": list(in{"Key": "k", "Value": "v"})},
		"UntagResource":                {"TagKeys": list("k")},
		"UpdateSecretVersionStage":     {"VersionStage": "A", "MoveToVersionId": token(1)},
	} {
		request["SecretId"] = "s"
		h.fails(op, request, "InvalidRequestException", marked)
	}
	h.ok("DescribeSecret", in{"SecretId": "s"})
	h.ok("ListSecretVersionIds", in{"SecretId": "s"})
	h.ok("ListSecrets", in{"IncludePlannedDeletion": true})
	h.ok("DeleteSecret", in{"SecretId": "s", "ForceDeleteWithoutRecovery": true})
}

// The token is looked for before the secret is.
func TestContractB0_TokenMissing(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	for _, id := range []string{"s", "nowhere"} {
		h.fails("CreateSecret", in{"Name": id, "SecretString": "v"}, "InvalidRequestException", noToken)
		h.fails("PutSecretValue", in{"SecretId": id, "SecretString": "v"}, "InvalidRequestException", noToken)
		h.fails("UpdateSecret", in{"SecretId": id, "SecretString": "v"}, "InvalidRequestException", noToken)
		h.fails("UpdateSecret", in{"SecretId": id, "Description": "d"}, "InvalidRequestException", noToken)
		h.fails("RotateSecret", in{"SecretId": id}, "InvalidParameterException", noToken)
	}
}

func TestContractB0_TokenBecomesTheVersion(t *testing.T) {
	h := newServer(t)
	for i, tok := range []string{token(7), strings.Repeat("x", 64), "not a uuid, but any characters: é€", "01234567-89ab-cdef-0123-456789abcdef"} {
		name := fmt.Sprintf("s%d", i)
		o := h.ok("CreateSecret", in{"Name": name, "SecretString": "v", "ClientRequestToken": tok})
		equal(t, "VersionId", o["VersionId"], tok)
		h.wantValue(in{"SecretId": name, "VersionId": tok}, "v")
	}
}

func TestContractB0_Idempotency(t *testing.T) {
	h := newServer(t)
	created := h.create("s", "v", 1)
	equal(t, "the same creation again", h.create("s", "v", 1), created)
	inUse := "You can't use ClientRequestToken " + token(1) + " because that value is already in use for a version of secret " + text(created["ARN"]) + "."
	h.fails("CreateSecret", in{"Name": "s", "SecretString": "w", "ClientRequestToken": token(1)}, "ResourceExistsException", inUse)

	put := h.put("s", "two", 2)
	equal(t, "the same put again", h.put("s", "two", 2), put)
	h.wantLabels("s", "1: AWSPREVIOUS; 2: AWSCURRENT")
	h.put("s", "three", 3)
	again := h.put("s", "two", 2) // answers what the version has now
	equal(t, "stages", again["VersionStages"], list("AWSPREVIOUS"))
	h.wantLabels("s", "2: AWSPREVIOUS; 3: AWSCURRENT")

	update := h.ok("UpdateSecret", in{"SecretId": "s", "SecretString": "four", "ClientRequestToken": token(4)})
	equal(t, "the same update again", h.ok("UpdateSecret", in{"SecretId": "s", "SecretString": "four", "ClientRequestToken": token(4)}), update)
	h.wantLabels("s", "3: AWSPREVIOUS; 4: AWSCURRENT")

	for _, op := range []string{"PutSecretValue", "UpdateSecret"} {
		h.fails(op, in{"SecretId": "s", "SecretString": "other", "ClientRequestToken": token(1)}, "ResourceExistsException", inUse)
		// The same bytes of another kind are another value.
		h.fails(op, in{"SecretId": "s", "SecretBinary": base64.StdEncoding.EncodeToString([]byte("v")), "ClientRequestToken": token(1)}, "ResourceExistsException", inUse)
	}
	h.wantLabels("s", "3: AWSPREVIOUS; 4: AWSCURRENT")
}

func TestContractB0_LastChangedAndAccessed(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	d := h.ok("DescribeSecret", in{"SecretId": "s"})
	changed := number(d["LastChangedDate"])
	if changed < h.now()-60 || changed > h.now() || changed != number(d["CreatedDate"]) {
		t.Errorf("changed %v, created %v, now %v", changed, d["CreatedDate"], h.now())
	}
	for op, request := range map[string]in{
		"TagResource": {"Tags": list(in{"Key": "other", "Value": "v"})}, "UntagResource": {"TagKeys": list("k")},
		"PutResourcePolicy": {"ResourcePolicy": h.policyFor("root")}, "DeleteResourcePolicy": {},
		"UpdateSecret":             {"Description": "new", "ClientRequestToken": token(8)},
		"PutSecretValue":           {"SecretString": "w", "ClientRequestToken": token(2)},
		"UpdateSecretVersionStage": {"VersionStage": "X", "MoveToVersionId": token(1)},
		"ReplicateSecretToRegions": {"AddReplicaRegions": list(in{"Region": "eu-west-1"})},
	} {
		h.wait(time.Second)
		if op == "DeleteResourcePolicy" || op == "UntagResource" { // whatever came before, there is something to remove
			h.ok("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": h.policyFor("root")})
			h.ok("TagResource", in{"SecretId": "s", "Tags": list(in{"Key": "k", "Value": "v"})})
			changed = number(h.ok("DescribeSecret", in{"SecretId": "s"})["LastChangedDate"])
			h.wait(time.Second)
		}
		request["SecretId"] = "s"
		h.ok(op, request)
		now := number(h.ok("DescribeSecret", in{"SecretId": "s"})["LastChangedDate"])
		if now <= changed {
			t.Errorf("%s did not change LastChangedDate", op)
		}
		changed = now
	}
	if _, ok := h.ok("DescribeSecret", in{"SecretId": "s"})["LastAccessedDate"]; ok {
		t.Error("LastAccessedDate before the first read")
	}
	h.wait(48 * time.Hour)
	h.ok("GetSecretValue", in{"SecretId": "s"})
	d = h.ok("DescribeSecret", in{"SecretId": "s"})
	day := float64(h.s.Clock.Now().UTC().Truncate(24 * time.Hour).Unix())
	equal(t, "LastAccessedDate", d["LastAccessedDate"], any(day))
	equal(t, "LastChangedDate after a read", number(d["LastChangedDate"]), changed)
}

func TestContractB1_CreateSecret(t *testing.T) {
	h := newServer(t)
	o := h.create("with", "v", 1)
	members(t, "with a value", o, "ARN", "Name", "VersionId")
	o = h.ok("CreateSecret", in{"Name": "without", "ClientRequestToken": token(1)})
	members(t, "without a value", o, "ARN", "Name")
	h.fails("GetSecretValue", in{"SecretId": "without"}, "ResourceNotFoundException", noStage+"AWSCURRENT")
	members(t, "Describe without a value", h.ok("DescribeSecret", in{"SecretId": "without"}), "ARN", "CreatedDate", "LastChangedDate", "Name")
	o = h.ok("CreateSecret", in{"Name": "replicated", "ClientRequestToken": token(1), "SecretString": "v", "AddReplicaRegions": list(in{"Region": "eu-west-1"})})
	members(t, "with a replica", o, "ARN", "Name", "VersionId", "ReplicationStatus")

	h.fails("CreateSecret", in{"Name": "both", "ClientRequestToken": token(1), "SecretString": "v", "SecretBinary": "dg=="}, "InvalidParameterException",
		"You can't specify both a binary secret value and a string secret value in the same secret.")
	h.fails("DescribeSecret", in{"SecretId": "both"}, "ResourceNotFoundException", notFound)
	h.fails("CreateSecret", in{"Name": "with", "ClientRequestToken": token(2), "SecretString": "v"}, "ResourceExistsException",
		"The operation failed because the secret with already exists.")
	h.fails("CreateSecret", in{"Name": "without", "ClientRequestToken": token(2)}, "ResourceExistsException",
		"The operation failed because the secret without already exists.")
	h.ok("DeleteSecret", in{"SecretId": "with"})
	h.fails("CreateSecret", in{"Name": "with", "ClientRequestToken": token(3), "SecretString": "v"}, "InvalidRequestException",
		"You can't create this secret because a secret with this name is already scheduled for deletion.")
	for _, name := range []string{"a b", "a:b", "a!b", "ä", "a*", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x-a1b2c3"} {
		h.fails("CreateSecret", in{"Name": name, "ClientRequestToken": token(1)}, "ValidationException", badName)
	}
	for _, name := range []string{"/a/b", "a_b+c=d.e@f-g", "-", strings.Repeat("n", 512)} {
		h.ok("CreateSecret", in{"Name": name, "ClientRequestToken": token(1)})
	}
}

func TestContractB1_WhatTerraformSends(t *testing.T) {
	h := newServer(t)
	h.ok("CreateSecret", in{"Name": "t", "ClientRequestToken": token(1), "Description": "", "Tags": list(), "ForceOverwriteReplicaSecret": false})
	members(t, "Describe", h.ok("DescribeSecret", in{"SecretId": "t"}), "ARN", "CreatedDate", "LastChangedDate", "Name")
	h.ok("CreateSecret", in{"Name": "u", "ClientRequestToken": token(1), "Tags": nil, "KmsKeyId": nil, "SecretString": nil})
	members(t, "GetResourcePolicy", h.ok("GetResourcePolicy", in{"SecretId": "u"}), "ARN", "Name")
}

func TestContractB1_Tags(t *testing.T) {
	h := newServer(t)
	var many []any
	for i := range 51 {
		many = append(many, in{"Key": fmt.Sprintf("k%d", i), "Value": ""})
	}
	for what, tags := range map[string][]any{
		"51": many, "duplicate": list(in{"Key": "a", "Value": "1"}, in{"Key": "a", "Value": "2"}), "reserved": list(in{"Key": "aws:x", "Value": "1"}),
	} {
		status, body := h.c.Call("CreateSecret", in{"Name": "s", "ClientRequestToken": token(1), "Tags": tags})
		if status != 400 || body["__type"] != "InvalidParameterException" {
			t.Errorf("%s: %d %v", what, status, body)
		}
	}
	h.ok("CreateSecret", in{"Name": "s", "ClientRequestToken": token(1), "Tags": many[:50]})
	equal(t, "tags", h.ok("DescribeSecret", in{"SecretId": "s"})["Tags"], any(many[:50]))
}

func TestContractB2_GetSecretValue(t *testing.T) {
	h := newServer(t)
	h.create("s", "one", 1)
	h.put("s", "two", 2, "AWSCURRENT", "blue")
	o := h.ok("GetSecretValue", in{"SecretId": "s"})
	members(t, "Get", o, "ARN", "Name", "VersionId", "SecretString", "VersionStages", "CreatedDate")
	equal(t, "VersionId", o["VersionId"], token(2))
	equal(t, "VersionStages", o["VersionStages"], any(list("AWSCURRENT", "blue")))
	h.wantValue(in{"SecretId": "s", "VersionStage": "AWSPREVIOUS"}, "one")
	h.wantValue(in{"SecretId": "s", "VersionStage": "blue"}, "two")
	h.wantValue(in{"SecretId": "s", "VersionId": token(1)}, "one")
	h.wantValue(in{"SecretId": "s", "VersionId": token(1), "VersionStage": "AWSPREVIOUS"}, "one")
	h.fails("GetSecretValue", in{"SecretId": "s", "VersionStage": "nope"}, "ResourceNotFoundException", noStage+"nope")
	h.fails("GetSecretValue", in{"SecretId": "s", "VersionStage": "awscurrent"}, "ResourceNotFoundException", noStage+"awscurrent")
	h.fails("GetSecretValue", in{"SecretId": "s", "VersionId": token(9)}, "ResourceNotFoundException", noVersion+token(9))
	h.fails("GetSecretValue", in{"SecretId": "s", "VersionId": token(1), "VersionStage": "AWSCURRENT"}, "InvalidRequestException",
		"You provided a VersionStage that is not associated to the provided VersionId.")
	h.fails("GetSecretValue", in{"SecretId": "s", "VersionId": token(9), "VersionStage": "AWSPENDING"}, "ResourceNotFoundException", noVersion+token(9))
	h.put("s", "three", 3)
	h.put("s", "four", 4)
	// Version 1 has no label any more. It can be read, and says none.
	o = h.ok("GetSecretValue", in{"SecretId": "s", "VersionId": token(1)})
	members(t, "deprecated", o, "ARN", "Name", "VersionId", "SecretString", "CreatedDate")
}

func TestContractB2_ValuesComeBackAsTheyWere(t *testing.T) {
	h := newServer(t)
	for i, value := range []string{"v", " ", `{"a":"b\\\"<>&'"}`, "é€😀\u2028\x00\x1f\x7f", strings.Repeat("x", 65536), strings.Repeat("\x01", 65536)} {
		name := fmt.Sprintf("s%d", i)
		h.create(name, value, 1)
		h.wantValue(in{"SecretId": name}, value)
	}
	for i, value := range [][]byte{{0}, {0xff, 0xfe}, make([]byte, 65536)} {
		name, b64 := fmt.Sprintf("b%d", i), base64.StdEncoding.EncodeToString(value)
		h.ok("CreateSecret", in{"Name": name, "SecretBinary": b64, "ClientRequestToken": token(1)})
		o := h.ok("GetSecretValue", in{"SecretId": name})
		members(t, "binary", o, "ARN", "Name", "VersionId", "SecretBinary", "VersionStages", "CreatedDate")
		if o["SecretBinary"] != b64 {
			t.Errorf("%s changed", name)
		}
	}
}

func TestContractB3_BatchGetSecretValue(t *testing.T) {
	h := newServer(t)
	a, b := h.create("a", "1", 1), h.create("b", "2", 2)
	h.ok("CreateSecret", in{"Name": "empty", "ClientRequestToken": token(1)})
	h.create("gone", "3", 3)
	h.ok("DeleteSecret", in{"SecretId": "gone"})
	o := h.ok("BatchGetSecretValue", in{"SecretIdList": list("b", a["ARN"], "nowhere", "gone", "empty")})
	members(t, "Batch", o, "SecretValues", "Errors")
	values, _ := o["SecretValues"].([]any)
	if len(values) != 2 {
		t.Fatalf("values %v", values)
	}
	first, _ := values[0].(out)
	members(t, "value", first, "ARN", "Name", "VersionId", "SecretString", "VersionStages", "CreatedDate")
	equal(t, "order", first["ARN"], b["ARN"])
	equal(t, "errors", o["Errors"], any(list(
		out{"SecretId": "nowhere", "ErrorCode": "ResourceNotFoundException", "Message": notFound},
		out{"SecretId": "gone", "ErrorCode": "InvalidRequestException", "Message": marked},
		out{"SecretId": "empty", "ErrorCode": "ResourceNotFoundException", "Message": noStage + "AWSCURRENT"})))

	// With filters what is scheduled is left out, and pages are as long as asked for.
	o = h.ok("BatchGetSecretValue", in{"Filters": list(in{"Key": "name", "Values": list("a", "b", "gone")}), "MaxResults": 1})
	members(t, "page", o, "SecretValues", "Errors", "NextToken")
	o2 := h.ok("BatchGetSecretValue", in{"Filters": list(in{"Key": "name", "Values": list("a", "b", "gone")}), "MaxResults": 1, "NextToken": o["NextToken"]})
	v1, _ := o["SecretValues"].([]any)
	v2, _ := o2["SecretValues"].([]any)
	if len(v1) != 1 || len(v2) != 1 || v1[0].(out)["Name"] != "a" || v2[0].(out)["Name"] != "b" {
		t.Errorf("pages %v and %v", v1, v2)
	}
	if _, more := o2["NextToken"]; more {
		t.Error("a token behind the last page")
	}
	for _, request := range []in{
		{}, {"SecretIdList": list("a"), "Filters": list(in{"Key": "name", "Values": list("a")})}, {"SecretIdList": list("a"), "MaxResults": 1}, {"MaxResults": 1},
	} {
		if status, body := h.c.Call("BatchGetSecretValue", request); status != 400 || body["__type"] != "InvalidParameterException" {
			t.Errorf("%v: %d %v", request, status, body)
		}
	}
	h.fails("BatchGetSecretValue", in{"Filters": list(in{"Key": "name", "Values": list("a")}), "NextToken": "nonsense"}, "InvalidNextTokenException", "The NextToken value is invalid.")
}

// Permission on the batch is not permission on the secrets.
func TestContractB3_BatchDecidesPerSecret(t *testing.T) {
	h := newServer(t)
	h.create("open/a", "1", 1)
	h.create("shut/b", "2", 2)
	u := h.user("u", allow("secretsmanager:BatchGetSecretValue", "*"), allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:open/*"))
	o := u.ok("BatchGetSecretValue", in{"SecretIdList": list("open/a", "shut/b")})
	values, _ := o["SecretValues"].([]any)
	failures, _ := o["Errors"].([]any)
	if len(values) != 1 || len(failures) != 1 {
		t.Fatalf("%v", o)
	}
	equal(t, "error", failures[0], any(out{"SecretId": "shut/b", "ErrorCode": "AccessDeniedException", "Message": "User: " + u.arn("u") +
		" is not authorized to perform: secretsmanager:GetSecretValue on resource: shut/b because no identity-based policy allows the secretsmanager:GetSecretValue action"}))
	u.fails("BatchGetSecretValue", in{"Filters": list(in{"Key": "name", "Values": list("open")})}, "AccessDeniedException", "User: "+u.arn("u")+
		" is not authorized to perform: secretsmanager:ListSecrets because no identity-based policy allows the secretsmanager:ListSecrets action")
}
