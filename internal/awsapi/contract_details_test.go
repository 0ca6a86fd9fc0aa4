package awsapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The details of the contract that are about two operations together.

// A page's token is good for the question it was given to and for no other.
func TestContractB9_TokensOfOtherQuestions(t *testing.T) {
	h := newServer(t)
	for n := range 3 {
		h.create(fmt.Sprintf("s%d", n), "v", n)
	}
	h.put("s0", "w", 8)
	h.create("other", "v", 1)
	h.put("other", "w", 8)
	next := func(op string, request in) string {
		t.Helper()
		return text(h.ok(op, request)["NextToken"])
	}
	named := list(in{"Key": "name", "Values": list("s")})
	secrets := next("ListSecrets", in{"MaxResults": 1})
	filtered := next("ListSecrets", in{"MaxResults": 1, "Filters": named})
	versions := next("ListSecretVersionIds", in{"SecretId": "s0", "MaxResults": 1})
	batch := next("BatchGetSecretValue", in{"Filters": named, "MaxResults": 1})
	for _, tt := range []struct {
		op      string
		request in
	}{
		{"ListSecrets", in{"NextToken": secrets, "Filters": named}},
		{"ListSecrets", in{"NextToken": secrets, "SortBy": "name"}},
		{"ListSecrets", in{"NextToken": secrets, "SortOrder": "desc"}},
		{"ListSecrets", in{"NextToken": secrets, "IncludePlannedDeletion": true}},
		{"ListSecrets", in{"NextToken": filtered}},
		{"ListSecrets", in{"NextToken": filtered, "Filters": list(in{"Key": "name", "Values": list("o")})}},
		{"ListSecrets", in{"NextToken": versions}},
		{"ListSecrets", in{"NextToken": secrets[:len(secrets)-1]}},
		{"ListSecrets", in{"NextToken": "A" + secrets}},
		{"ListSecrets", in{"NextToken": strings.Repeat("A", 4096)}},
		{"ListSecretVersionIds", in{"SecretId": "s0", "NextToken": secrets}},
		{"ListSecretVersionIds", in{"SecretId": "s0", "NextToken": versions, "IncludeDeprecated": true}},
		{"ListSecretVersionIds", in{"SecretId": "other", "NextToken": versions}},
		{"BatchGetSecretValue", in{"NextToken": batch, "Filters": list(in{"Key": "name", "Values": list("o")})}},
		{"BatchGetSecretValue", in{"NextToken": versions, "Filters": named}},
	} {
		h.fails(tt.op, tt.request, "InvalidNextTokenException", "The NextToken value is invalid.")
	}
	far := &house{t, h.s, h.c.InRegion("eu-west-1")}
	far.fails("ListSecrets", in{"NextToken": secrets}, "InvalidNextTokenException", "The NextToken value is invalid.")
	// The length of the next page is free to choose.
	equal(t, "the rest", h.names(in{"NextToken": secrets, "MaxResults": 2}), "s1 s2")
	equal(t, "the rest, filtered", h.names(in{"NextToken": filtered, "Filters": named}), "s1 s2")
}

// A label that is where it should be is left there; one that is nowhere cannot be taken
// from a version.
func TestContractB7_LabelsThatNeedNoMove(t *testing.T) {
	h := newServer(t)
	h.create("s", "1", 1)
	h.put("s", "2", 2, "blue")
	start := "1: AWSCURRENT; 2: blue"
	for _, from := range []any{nil, token(1)} {
		h.ok("UpdateSecretVersionStage", in{"SecretId": "s", "VersionStage": "AWSCURRENT", "MoveToVersionId": token(1), "RemoveFromVersionId": from})
		h.wantLabels("s", start)
	}
	const wrong = "When you move staging label new, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label new."
	h.fails("UpdateSecretVersionStage", in{"SecretId": "s", "VersionStage": "new", "RemoveFromVersionId": token(1)}, "InvalidParameterException", wrong)
	h.fails("UpdateSecretVersionStage", in{"SecretId": "s", "VersionStage": "new", "RemoveFromVersionId": token(1), "MoveToVersionId": token(2)}, "InvalidParameterException", wrong)
	h.wantLabels("s", start)
	// The last label gone, the version is deprecated.
	h.ok("UpdateSecretVersionStage", in{"SecretId": "s", "VersionStage": "blue", "RemoveFromVersionId": token(2)})
	h.wantLabels("s", "1: AWSCURRENT")
	h.wantValue(in{"SecretId": "s", "VersionId": token(2)}, "2")
}

// The 21st label is refused to UpdateSecretVersionStage as it is to PutSecretValue, and more
// than 20 in one request are against the model.
func TestContractC_LabelQuotaOfMoves(t *testing.T) {
	h := newServer(t)
	h.create("s", "1", 1)
	attach := func(n int) in {
		return in{"SecretId": "s", "VersionStage": fmt.Sprintf("label-%02d", n), "MoveToVersionId": token(1)}
	}
	for n := range 19 {
		h.ok("UpdateSecretVersionStage", attach(n))
	}
	h.fails("UpdateSecretVersionStage", attach(19), "LimitExceededException", "You can't attach more than 20 staging labels to a secret.")
	h.fails("PutSecretValue", in{"SecretId": "s", "ClientRequestToken": token(2), "SecretString": "2"}, "LimitExceededException", "You can't attach more than 20 staging labels to a secret.")
	h.wantValue(in{"SecretId": "s"}, "1")
	many := list()
	for n := range 21 {
		many = append(many, fmt.Sprintf("l%d", n))
	}
	h.fails("PutSecretValue", in{"SecretId": "s", "ClientRequestToken": token(2), "SecretString": "2", "VersionStages": many}, "ValidationException",
		"1 validation error detected: Value '[l0, …")
}

// What is forbidden and what is allowed on a replica.
func TestContractB15_OnAReplica(t *testing.T) {
	h := newServer(t)
	far := &house{t, h.s, h.c.InRegion("eu-west-1")}
	h.create("s", "1", 1)
	h.ok("PutResourcePolicy", in{"SecretId": "s", "ResourcePolicy": h.policyFor("root")})
	o := h.ok("ReplicateSecretToRegions", in{"SecretId": "s", "AddReplicaRegions": list(in{"Region": "eu-west-1"}, in{"Region": "eu-west-2"})})
	states, _ := o["ReplicationStatus"].([]any)
	for _, s := range states {
		equal(t, "state at first", s.(out)["Status"], "InProgress")
	}
	equal(t, "policy", text(far.ok("GetResourcePolicy", in{"SecretId": "s"})["ResourcePolicy"]), h.policyFor("root"))
	for op, request := range map[string]in{
		"RestoreSecret": {}, "RotateSecret": {"ClientRequestToken": token(4)},
		"UpdateSecret": {"ClientRequestToken": token(4), "KmsKeyId": "", "Description": "d"},
		"DeleteSecret": {"ForceDeleteWithoutRecovery": true},
	} {
		request["SecretId"] = "s"
		far.fails(op, request, "InvalidParameterException", replica)
	}
	far.ok("UpdateSecret", in{"SecretId": "s", "ClientRequestToken": token(4), "KmsKeyId": ""})
	far.ok("ListSecretVersionIds", in{"SecretId": "s"})
	// An ARN of the primary's is not found in the replica's region, nor the other way.
	far.fails("GetSecretValue", in{"SecretId": o["ARN"]}, "ResourceNotFoundException", notFound)
	h.fails("GetSecretValue", in{"SecretId": far.ok("DescribeSecret", in{"SecretId": "s"})["ARN"]}, "ResourceNotFoundException", notFound)

	far.ok("GetSecretValue", in{"SecretId": "s"})
	states, _ = h.ok("DescribeSecret", in{"SecretId": "s"})["ReplicationStatus"].([]any)
	members(t, "read replica", states[0].(out), "Region", "KmsKeyId", "Status", "LastAccessedDate")
	members(t, "unread replica", states[1].(out), "Region", "KmsKeyId", "Status")
	equal(t, "day", states[0].(out)["LastAccessedDate"], any(float64(h.s.Clock.Now().UTC().Truncate(24*time.Hour).Unix())))

	equal(t, "by primary region", far.names(in{"Filters": list(in{"Key": "primary-region", "Values": list(h.s.Region)})}), "s")
	h.fails("DeleteSecret", in{"SecretId": "s", "ForceDeleteWithoutRecovery": true}, "InvalidParameterException",
		"You can't delete secret "+text(o["ARN"])+" that still has replica regions [eu-west-1, eu-west-2].")
	o = h.ok("RemoveRegionsFromReplication", in{"SecretId": "s", "RemoveReplicaRegions": list("eu-west-1")})
	states, _ = o["ReplicationStatus"].([]any)
	if len(states) != 1 || states[0].(out)["Region"] != "eu-west-2" || states[0].(out)["Status"] != "InSync" {
		t.Errorf("left: %v", states)
	}
	h.ok("RemoveRegionsFromReplication", in{"SecretId": "s", "RemoveReplicaRegions": list("eu-west-2")})
	if r, ok := h.ok("DescribeSecret", in{"SecretId": "s"})["PrimaryRegion"]; ok {
		t.Errorf("PrimaryRegion %v of a secret without replicas", r)
	}
	// A creation that cannot be replicated creates nothing.
	h.fails("CreateSecret", in{"Name": "n", "ClientRequestToken": token(1), "SecretString": "v", "AddReplicaRegions": list(in{"Region": h.s.Region})},
		"InvalidParameterException", "Invalid replica region.")
	h.fails("DescribeSecret", in{"SecretId": "n"}, "ResourceNotFoundException", notFound)
}

// The order of the checks: form, model, authorisation, token, and only then the secret and
// its state.
func TestContractA1_OrderOfChecks(t *testing.T) {
	h := newServer(t)
	h.create("gone", "v", 1)
	h.ok("DeleteSecret", in{"SecretId": "gone"})
	u := h.user("u")
	wrong := in{"SecretId": "gone", "SecretString": "v", "VersionStages": list(), "ClientRequestToken": 1}
	u.fails("PutSecretValue", wrong, "SerializationException", "NUMBER_VALUE can not be converted to a String")
	delete(wrong, "ClientRequestToken")
	u.fails("PutSecretValue", wrong, "ValidationException", "1 validation error detected: Value '[]' at 'versionStages'…")
	delete(wrong, "VersionStages")
	u.fails("PutSecretValue", wrong, "AccessDeniedException", "User: "+h.arn("u")+"…")
	h.fails("PutSecretValue", wrong, "InvalidRequestException", noToken)
	wrong["ClientRequestToken"] = token(2)
	h.fails("PutSecretValue", wrong, "InvalidRequestException", marked)
	// A window out of range is told before the secret is looked for.
	h.fails("DeleteSecret", in{"SecretId": "nowhere", "RecoveryWindowInDays": 6}, "InvalidParameterException", "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	h.fails("GetSecretValue", in{"SecretId": "gone", "VersionId": token(9)}, "InvalidRequestException", marked)
}
