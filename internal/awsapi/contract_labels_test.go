package awsapi_test

import (
	"testing"
	"time"
)

func TestContractB0_LabelEngine(t *testing.T) {
	h := newServer(t)
	h.create("s", "1", 1)
	h.wantLabels("s", "1: AWSCURRENT")
	h.put("s", "2", 2)
	h.wantLabels("s", "1: AWSPREVIOUS; 2: AWSCURRENT")
	h.put("s", "3", 3)
	h.wantLabels("s", "2: AWSPREVIOUS; 3: AWSCURRENT")
	// Custom labels stay where they are, beside and without AWSPREVIOUS.
	h.put("s", "4", 4, "AWSCURRENT", "blue")
	h.put("s", "5", 5)
	h.wantLabels("s", "4: AWSPREVIOUS blue; 5: AWSCURRENT")
	h.put("s", "6", 6)
	h.wantLabels("s", "4: blue; 5: AWSPREVIOUS; 6: AWSCURRENT")
	// A custom label is on one version only.
	h.put("s", "7", 7, "blue")
	h.wantLabels("s", "5: AWSPREVIOUS; 6: AWSCURRENT; 7: blue")
	// A put without AWSCURRENT does not move it.
	h.wantValue(in{"SecretId": "s"}, "6")
}

// A put or an update that moves AWSCURRENT takes AWSPENDING from the version it leaves.
func TestContractB0_ManualChangeEndsRotation(t *testing.T) {
	for _, op := range []string{"PutSecretValue", "UpdateSecret"} {
		t.Run(op, func(t *testing.T) {
			h := newServer(t)
			h.create("s", "1", 1)
			h.put("s", "2", 2, "AWSCURRENT", "AWSPENDING")
			h.wantLabels("s", "1: AWSPREVIOUS; 2: AWSCURRENT AWSPENDING")
			h.ok(op, in{"SecretId": "s", "SecretString": "3", "ClientRequestToken": token(3)})
			h.wantLabels("s", "2: AWSPREVIOUS; 3: AWSCURRENT")
			// On another version than the current one it stays.
			h.put("s", "4", 4, "AWSPENDING")
			h.ok(op, in{"SecretId": "s", "SecretString": "5", "ClientRequestToken": token(5)})
			h.wantLabels("s", "3: AWSPREVIOUS; 4: AWSPENDING; 5: AWSCURRENT")
		})
	}
}

func TestContractB5_UpdateSecret(t *testing.T) {
	h := newServer(t)
	h.create("s", "1", 1)
	o := h.ok("UpdateSecret", in{"SecretId": "s", "ClientRequestToken": token(2)})
	members(t, "nothing", o, "ARN", "Name")
	o = h.ok("UpdateSecret", in{"SecretId": "s", "ClientRequestToken": token(2), "Description": "d"})
	members(t, "description", o, "ARN", "Name")
	h.wantLabels("s", "1: AWSCURRENT")
	o = h.ok("UpdateSecret", in{"SecretId": "s", "ClientRequestToken": token(3), "SecretString": "1"})
	members(t, "the same value", o, "ARN", "Name", "VersionId")
	h.wantLabels("s", "1: AWSPREVIOUS; 3: AWSCURRENT")
	equal(t, "description", h.ok("DescribeSecret", in{"SecretId": "s"})["Description"], "d")
	h.ok("UpdateSecret", in{"SecretId": "s", "ClientRequestToken": token(4), "Description": ""})
	if d, ok := h.ok("DescribeSecret", in{"SecretId": "s"})["Description"]; ok {
		t.Errorf("description %v", d)
	}
	o = h.ok("UpdateSecret", in{"SecretId": "s", "ClientRequestToken": token(5), "KmsKeyId": "", "Type": "t"})
	members(t, "default key and type", o, "ARN", "Name")
	equal(t, "type", h.ok("DescribeSecret", in{"SecretId": "s"})["Type"], "t")
	h.fails("UpdateSecret", in{"SecretId": "s", "ClientRequestToken": token(6), "SecretString": "v", "SecretBinary": "dg=="}, "InvalidParameterException",
		"You can't specify both a binary secret value and a string secret value in the same secret.")
	h.fails("UpdateSecret", in{"SecretId": "s", "ClientRequestToken": token(6), "KmsKeyId": "alias/mine"}, "EncryptionFailure", "Secrets Manager can't encrypt…")
	h.ok("UpdateSecret", in{"SecretId": "s", "ClientRequestToken": token(6), "KmsKeyId": "alias/aws/secretsmanager"})
}

func TestContractB6_PutSecretValue(t *testing.T) {
	h := newServer(t)
	h.ok("CreateSecret", in{"Name": "s", "ClientRequestToken": token(1)})
	// The first version always gets AWSCURRENT in addition.
	o := h.put("s", "1", 1, "blue")
	members(t, "Put", o, "ARN", "Name", "VersionId", "VersionStages")
	equal(t, "stages", o["VersionStages"], any(list("AWSCURRENT", "blue")))
	o = h.put("s", "2", 2)
	equal(t, "stages", o["VersionStages"], any(list("AWSCURRENT")))
	o = h.put("s", "3", 3, "z", "AWSPENDING", "a")
	equal(t, "stages", o["VersionStages"], any(list("AWSPENDING", "a", "z")))
	h.wantLabels("s", "1: AWSPREVIOUS blue; 2: AWSCURRENT; 3: AWSPENDING a z")
	h.fails("PutSecretValue", in{"SecretId": "s", "ClientRequestToken": token(4)}, "InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	h.fails("PutSecretValue", in{"SecretId": "s", "ClientRequestToken": token(4), "SecretString": "v", "SecretBinary": "dg=="}, "InvalidParameterException",
		"You can't specify both a binary secret value and a string secret value in the same secret.")
	h.ok("PutSecretValue", in{"SecretId": "s", "ClientRequestToken": token(4), "SecretBinary": "dg=="})
	equal(t, "binary", h.ok("GetSecretValue", in{"SecretId": "s"})["SecretBinary"], "dg==")
}

func TestContractC_LabelQuota(t *testing.T) {
	h := newServer(t)
	h.create("s", "1", 1)
	var labels []string
	for n := range 20 {
		labels = append(labels, token(n)[20:])
	}
	h.put("s", "2", 2, labels[:19]...)
	status, body := h.c.Call("PutSecretValue", in{"SecretId": "s", "SecretString": "3", "ClientRequestToken": token(3), "VersionStages": labels[19:]})
	if status != 400 || body["__type"] != "LimitExceededException" {
		t.Errorf("the 21st label: %d %v", status, body)
	}
	h.fails("GetSecretValue", in{"SecretId": "s", "VersionId": token(3)}, "ResourceNotFoundException", noVersion+token(3))
}

func TestContractB7_UpdateSecretVersionStage(t *testing.T) {
	h := newServer(t)
	h.create("s", "1", 1)
	h.put("s", "2", 2)
	h.put("s", "3", 3, "blue")
	start := "1: AWSPREVIOUS; 2: AWSCURRENT; 3: blue"
	h.wantLabels("s", start)
	move := func(stage, from, to string) in {
		m := in{"SecretId": "s", "VersionStage": stage}
		if from != "" {
			m["RemoveFromVersionId"] = from
		}
		if to != "" {
			m["MoveToVersionId"] = to
		}
		return m
	}
	wrong := func(stage string) string {
		return "When you move staging label " + stage + ", if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label " + stage + "."
	}
	missing := func(stage string, holder int) string {
		return "The parameter RemoveFromVersionId can't be empty. Staging label " + stage + " is currently attached to version " + token(holder) +
			", so you must explicitly reference that version in RemoveFromVersionId."
	}
	for _, tt := range []struct {
		request    in
		code, text string
	}{
		{move("AWSCURRENT", "", token(3)), "InvalidParameterException", missing("AWSCURRENT", 2)},
		{move("blue", "", token(1)), "InvalidParameterException", missing("blue", 3)},
		{move("AWSCURRENT", token(1), token(3)), "InvalidParameterException", wrong("AWSCURRENT")},
		{move("blue", token(9), token(1)), "InvalidParameterException", wrong("blue")},
		{move("blue", token(1), ""), "InvalidParameterException", wrong("blue")},
		{move("AWSCURRENT", token(2), ""), "InvalidParameterException",
			"You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."},
		{move("new", "", token(9)), "ResourceNotFoundException", noVersion + token(9)},
		{move("AWSCURRENT", token(2), token(9)), "ResourceNotFoundException", noVersion + token(9)},
		{move("blue", "", ""), "InvalidParameterException", "You must provide MoveToVersionId, RemoveFromVersionId, or both."},
	} {
		h.fails("UpdateSecretVersionStage", tt.request, tt.code, tt.text)
		h.wantLabels("s", start) // a failing call moves nothing
	}
	members(t, "attach", h.ok("UpdateSecretVersionStage", move("new", "", token(1))), "ARN", "Name")
	h.wantLabels("s", "1: AWSPREVIOUS new; 2: AWSCURRENT; 3: blue")
	h.ok("UpdateSecretVersionStage", move("blue", token(3), token(2)))
	h.wantLabels("s", "1: AWSPREVIOUS new; 2: AWSCURRENT blue")
	h.ok("UpdateSecretVersionStage", move("blue", token(2), ""))
	h.wantLabels("s", "1: AWSPREVIOUS new; 2: AWSCURRENT")
	// Promotion: AWSPENDING is not removed, and a deprecated version can come back.
	h.put("s", "4", 4, "AWSPENDING")
	h.ok("UpdateSecretVersionStage", move("AWSCURRENT", token(2), token(4)))
	h.wantLabels("s", "1: new; 2: AWSPREVIOUS; 4: AWSCURRENT AWSPENDING")
	h.ok("UpdateSecretVersionStage", move("AWSCURRENT", token(4), token(3)))
	h.wantLabels("s", "1: new; 3: AWSCURRENT; 4: AWSPENDING AWSPREVIOUS")
	h.ok("UpdateSecretVersionStage", move("AWSCURRENT", token(3), token(4)))
	h.wantLabels("s", "1: new; 3: AWSPREVIOUS; 4: AWSCURRENT AWSPENDING")
	h.wantValue(in{"SecretId": "s"}, "4")
}

func TestContractB8_ListSecretVersionIds(t *testing.T) {
	h := newServer(t)
	arn := h.create("s", "1", 1)["ARN"]
	for n := 2; n <= 4; n++ {
		h.wait(time.Second)
		h.put("s", "v", n)
	}
	h.ok("GetSecretValue", in{"SecretId": "s"})
	o := h.ok("ListSecretVersionIds", in{"SecretId": "s"})
	members(t, "List", o, "ARN", "Name", "Versions")
	equal(t, "ARN", o["ARN"], arn)
	versions, _ := o["Versions"].([]any)
	if len(versions) != 2 {
		t.Fatalf("versions %v", versions)
	}
	for _, v := range versions {
		v, _ := v.(out)
		names := []string{"VersionId", "VersionStages", "CreatedDate", "KmsKeyIds"}
		if v["VersionId"] == token(4) {
			names = append(names, "LastAccessedDate")
		}
		members(t, "version", v, names...)
		equal(t, "keys", v["KmsKeyIds"], any(list("DefaultEncryptionKey")))
	}
	o = h.ok("ListSecretVersionIds", in{"SecretId": "s", "IncludeDeprecated": true})
	if versions, _ = o["Versions"].([]any); len(versions) != 4 {
		t.Fatalf("with deprecated: %v", versions)
	}
	for _, v := range versions {
		if v, _ := v.(out); v["VersionId"] == token(1) {
			members(t, "deprecated", v, "VersionId", "CreatedDate", "KmsKeyIds")
		}
	}
	seen := map[any]bool{}
	request := in{"SecretId": "s", "IncludeDeprecated": true, "MaxResults": 3}
	for range 2 {
		o = h.ok("ListSecretVersionIds", request)
		versions, _ = o["Versions"].([]any)
		for _, v := range versions {
			v, _ := v.(out)
			seen[v["VersionId"]] = true
		}
		request["NextToken"] = o["NextToken"]
	}
	if _, more := o["NextToken"]; more || len(seen) != 4 {
		t.Errorf("pages saw %v, more %v", seen, more)
	}
	h.fails("ListSecretVersionIds", in{"SecretId": "s", "NextToken": "nonsense"}, "InvalidNextTokenException", "The NextToken value is invalid.")
	h.ok("CreateSecret", in{"Name": "empty", "ClientRequestToken": token(1)})
	equal(t, "versions of none", h.ok("ListSecretVersionIds", in{"SecretId": "empty"})["Versions"], any(list()))
}
