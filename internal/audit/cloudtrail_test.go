package audit_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tacet"
	"tacet/internal/audit"
)

func TestCloudTrail(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 999_999_000, time.FixedZone("", 3600))
	const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-a1B2c3"
	for _, tc := range []struct {
		name string
		rec  tacet.Record
		want string
	}{
		{"a user reads", tacet.Record{
			ID: "6f1d0c52b7a94e0f8a1b2c3d4e5f6071", Time: at, RequestID: "r1", Face: "aws", Operation: tacet.OpGetSecretValue, ReadOnly: true,
			CallerKind: tacet.CallerUser, Caller: "arn:aws:iam::123456789012:user/app", CallerID: "AIDA1", CallerName: "app", CallerAcct: "123456789012",
			AccessKey: "AKIA1", SourceIP: "192.0.2.7", UserAgent: "Boto3", TLS: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256", Host: "sm.example.com",
			Account: "123456789012", Region: "eu-central-1", Resource: arn, Parameters: map[string]any{"secretId": "prod/db"},
			Response: map[string]any{"never": "shown"}, Outcome: tacet.OutcomeAllowed,
		}, `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDA1","arn":"arn:aws:iam::123456789012:user/app",` +
			`"accountId":"123456789012","accessKeyId":"AKIA1","userName":"app"},"eventTime":"2026-11-23T11:00:00Z",` +
			`"eventSource":"secretsmanager.amazonaws.com","eventName":"GetSecretValue","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.7",` +
			`"userAgent":"Boto3","requestParameters":{"secretId":"prod/db"},"responseElements":null,"requestID":"r1","eventID":"6f1d0c52-b7a9-4e0f-8a1b-2c3d4e5f6071","readOnly":true,` +
			`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management",` +
			`"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"sm.example.com"}}`},
		{"a role is refused a change", tacet.Record{
			ID: "e2", Time: at, RequestID: "r2", Operation: tacet.OpTagResource, CallerKind: tacet.CallerRole,
			Caller: "arn:aws:sts::123456789012:assumed-role/ci/build-7", CallerID: "AROA1:build-7", CallerName: "build-7", CallerAcct: "123456789012",
			AccessKey: "ASIA1", Role: "arn:aws:iam::123456789012:role/team/ci", SessionStart: at.Add(-time.Minute), SourceIdentity: "alice", SourceIP: "192.0.2.7", UserAgent: "x", Account: "210987654321", Region: "eu-central-1",
			Resource: arn, Parameters: map[string]any{"tags": []tacet.Tag{{Key: "a", Value: "b"}}, "secretId": "prod/db"},
			Outcome: tacet.OutcomeDenied, Error: tacet.Denied, Reason: string(tacet.DenyImplicitSession),
		}, `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROA1:build-7",` +
			`"arn":"arn:aws:sts::123456789012:assumed-role/ci/build-7","accountId":"123456789012","accessKeyId":"ASIA1",` +
			`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA1","arn":"arn:aws:iam::123456789012:role/team/ci",` +
			`"accountId":"123456789012","userName":"ci"},"attributes":{"creationDate":"2026-11-23T10:59:00Z","mfaAuthenticated":"false"},"sourceIdentity":"alice"}},"eventTime":"2026-11-23T11:00:00Z",` +
			`"eventSource":"secretsmanager.amazonaws.com","eventName":"TagResource","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.7",` +
			`"userAgent":"x","errorCode":"AccessDenied","errorMessage":"User: arn:aws:sts::123456789012:assumed-role/ci/build-7 is not authorized to perform: ` +
			`secretsmanager:TagResource on resource: ` + arn + ` because no session policy allows the secretsmanager:TagResource action",` +
			`"requestParameters":{"secretId":"prod/db","tags":[{"key":"a","value":"b"}]},"responseElements":null,"requestID":"r2","eventID":"e2",` +
			`"readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"210987654321","eventCategory":"Management"}`},
		{"a user's session", tacet.Record{
			ID: "e2", Time: at, RequestID: "r2", Operation: tacet.OpListSecrets, ReadOnly: true, CallerKind: tacet.CallerUser, Caller: "arn:aws:iam::123456789012:user/app",
			CallerID: "AIDA1", CallerName: "app", CallerAcct: "123456789012", AccessKey: "ASIA1", SessionStart: at, Account: "123456789012", Outcome: tacet.OutcomeAllowed,
		}, `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDA1","arn":"arn:aws:iam::123456789012:user/app","accountId":"123456789012",` +
			`"accessKeyId":"ASIA1","userName":"app","sessionContext":{"attributes":{"creationDate":"2026-11-23T11:00:00Z","mfaAuthenticated":"false"}}},` +
			`"eventTime":"2026-11-23T11:00:00Z","eventSource":"secretsmanager.amazonaws.com","eventName":"ListSecrets","awsRegion":"","sourceIPAddress":"",` +
			`"userAgent":"","requestParameters":null,"responseElements":null,"requestID":"r2","eventID":"e2","readOnly":true,"eventType":"AwsApiCall",` +
			`"managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management"}`},
		{"the holder of a token asks for a session", tacet.Record{
			ID: "e2", Time: at, RequestID: "r2", Operation: tacet.OpAssumeRoleWithWebIdentity, ReadOnly: true, CallerKind: tacet.CallerFederated,
			Caller: "arn:aws:iam::123456789012:oidc-provider/id.example.com", CallerID: "id.example.com:tacet:job", CallerName: "job", CallerAcct: "123456789012",
			Account: "123456789012", Outcome: tacet.OutcomeAllowed,
		}, `{"eventVersion":"1.08","userIdentity":{"type":"WebIdentityUser","principalId":"id.example.com:tacet:job","userName":"job",` +
			`"identityProvider":"arn:aws:iam::123456789012:oidc-provider/id.example.com"},"eventTime":"2026-11-23T11:00:00Z","eventSource":"sts.amazonaws.com",` +
			`"eventName":"AssumeRoleWithWebIdentity","awsRegion":"","sourceIPAddress":"","userAgent":"","requestParameters":null,"responseElements":null,` +
			`"requestID":"r2","eventID":"e2","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management"}`},
		{"root creates a user", tacet.Record{
			ID: "e3", Time: at, RequestID: "r3", Operation: tacet.OpCreateUser, CallerKind: tacet.CallerRoot, Caller: "arn:aws:iam::123456789012:root",
			CallerID: "AIDA9", CallerAcct: "123456789012", AccessKey: "AKIA9", SourceIP: "::1", UserAgent: "x", Region: "us-east-1",
			Response: map[string]any{"userId": "AIDA2"}, Outcome: tacet.OutcomeAllowed,
		}, `{"eventVersion":"1.08","userIdentity":{"type":"Root","principalId":"123456789012","arn":"arn:aws:iam::123456789012:root",` +
			`"accountId":"123456789012","accessKeyId":"AKIA9"},"eventTime":"2026-11-23T11:00:00Z","eventSource":"iam.amazonaws.com",` +
			`"eventName":"CreateUser","awsRegion":"us-east-1","sourceIPAddress":"::1","userAgent":"x","requestParameters":null,` +
			`"responseElements":{"userId":"AIDA2"},"requestID":"r3","eventID":"e3","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,` +
			`"recipientAccountId":"123456789012","eventCategory":"Management"}`},
		{"Tacet purges", tacet.Record{
			ID: "e4", Time: at, Operation: tacet.OpPurgeSecret, Event: true, CallerKind: tacet.CallerSystem, Caller: "tacet", Face: "system",
			Account: "123456789012", Region: "eu-central-1", Resource: arn, Parameters: map[string]any{"secretId": "x"}, Response: map[string]any{"arn": "x"},
			Outcome: tacet.OutcomeAllowed,
		}, `{"eventVersion":"1.08","userIdentity":{"type":"AWSService","invokedBy":"tacet.internal"},"eventTime":"2026-11-23T11:00:00Z",` +
			`"eventSource":"secretsmanager.amazonaws.com","eventName":"EndSecretVersionDelete","awsRegion":"eu-central-1",` +
			`"sourceIPAddress":"tacet.internal","userAgent":"tacet.internal","requestParameters":null,"responseElements":null,` +
			`"additionalEventData":{"SecretId":"` + arn + `"},"requestID":"","eventID":"e4","readOnly":false,"eventType":"AwsServiceEvent",` +
			`"managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management"}`},
		{"a listing", tacet.Record{
			ID: "6F1D0C52B7A94E0F8A1B2C3D4E5F6071", Time: at, Operation: tacet.OpListSecrets, ReadOnly: true,
			Parameters: map[string]any{"maxResults": int64(5), "includePlannedDeletion": true, "sortOrder": "desc",
				"filters": []tacet.Filter{{Key: "name", Values: []string{"x", "!y"}}, {Key: "all", Values: []string{"z"}}}},
		}, `{"eventVersion":"1.08","userIdentity":{"type":"Unknown"},"eventTime":"2026-11-23T11:00:00Z","eventSource":"secretsmanager.amazonaws.com",` +
			`"eventName":"ListSecrets","awsRegion":"","sourceIPAddress":"","userAgent":"","requestParameters":{"filters":[{"key":"name","values":["x","!y"]},` +
			`{"key":"all","values":["z"]}],"includePlannedDeletion":true,"maxResults":5,"sortOrder":"desc"},"responseElements":null,"requestID":"",` +
			`"eventID":"6F1D0C52B7A94E0F8A1B2C3D4E5F6071","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"",` +
			`"eventCategory":"Management"}`},
		{"somebody unknown", tacet.Record{Time: at, Operation: "Later"},
			`{"eventVersion":"1.08","userIdentity":{"type":"Unknown"},"eventTime":"2026-11-23T11:00:00Z","eventSource":"tacet.internal",` +
				`"eventName":"Later","awsRegion":"","sourceIPAddress":"","userAgent":"","requestParameters":null,"responseElements":null,` +
				`"requestID":"","eventID":"","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"","eventCategory":"Management"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, string(audit.CloudTrail(&tc.rec))); d != "" {
				t.Error(d)
			}
			if !json.Valid([]byte(tc.want)) {
				t.Error("what is wanted is not JSON")
			}
		})
	}
}

// Every code has a name in AWS's shape and words to it.
func TestCloudTrailEveryCode(t *testing.T) {
	shape := regexp.MustCompile(`^[A-Z][A-Za-z]+$`)
	aws := regexp.MustCompile(`^(AccessDenied|InternalServiceError|ServiceUnavailable|EncryptionFailure|ExpiredToken|InvalidIdentityToken|IDPRejectedClaim|IDPCommunicationError|PackedPolicyTooLarge|[A-Za-z]+Exception)$`)
	for _, code := range tacet.Codes() {
		var got struct{ ErrorCode, ErrorMessage string }
		must(t, json.Unmarshal(audit.CloudTrail(&tacet.Record{Operation: tacet.OpGetSecretValue, Caller: "a", Error: code}), &got))
		if !shape.MatchString(got.ErrorCode) || !aws.MatchString(got.ErrorCode) || got.ErrorMessage == "" {
			t.Errorf("%s is rendered as %q, %q", code, got.ErrorCode, got.ErrorMessage)
		}
	}
	if got := string(audit.CloudTrail(&tacet.Record{Error: "FromTheFuture"})); !strings.Contains(got, `"errorCode":"FromTheFuture","requestParameters"`) {
		t.Errorf("an unknown code: %s", got)
	}
}

func TestCloudTrailEventSource(t *testing.T) {
	for _, op := range tacet.Operations() {
		var got struct{ EventSource, EventName string }
		must(t, json.Unmarshal(audit.CloudTrail(&tacet.Record{Operation: op}), &got))
		want := op.Service() + ".amazonaws.com"
		if s := op.Service(); s == "" || s == "tacet" {
			want = "tacet.internal"
		}
		if got.EventSource != want || got.EventName != string(op) {
			t.Errorf("%s: %+v", op, got)
		}
	}
}

// Every reason of a refusal ends the message as AWS's does.
func TestCloudTrailDenials(t *testing.T) {
	for reason, want := range map[tacet.DenyReason]string{
		tacet.DenyImplicitIdentity: "because no identity-based policy allows the secretsmanager:ListSecrets action",
		tacet.DenyImplicitBoundary: "because no permissions boundary allows the secretsmanager:ListSecrets action",
		tacet.DenyExplicitIdentity: "with an explicit deny in an identity-based policy",
		tacet.DenyExplicitResource: "with an explicit deny in a resource-based policy",
		tacet.DenyNetwork:          "with an explicit deny in a resource-based policy",
		"":                         "is not authorized to perform: secretsmanager:ListSecrets",
	} {
		var got struct{ ErrorMessage string }
		rec := tacet.Record{Operation: tacet.OpListSecrets, Caller: "arn:x", Error: tacet.Denied, Reason: string(reason)}
		must(t, json.Unmarshal(audit.CloudTrail(&rec), &got))
		if !strings.HasPrefix(got.ErrorMessage, "User: arn:x is not authorized to perform: secretsmanager:ListSecrets") || !strings.HasSuffix(got.ErrorMessage, want) ||
			strings.Contains(got.ErrorMessage, "on resource") {
			t.Errorf("%s: %s", reason, got.ErrorMessage)
		}
	}
}

// What a client sent cannot make a line of its own in an export (threat 27).
func TestThreat27_ExportLines(t *testing.T) {
	l := newLog()
	rec := record(0)
	evil := "x\n{\"eventName\":\"forged\"}\r\n\u2028\x1b[2J\xff\",\"eventName\":\"forged\",\"operationName\":\"forged"
	rec.UserAgent, rec.Caller, rec.SourceIP, rec.Host, rec.RequestID = evil, evil, evil, evil, evil
	rec.Parameters = map[string]any{evil: evil}
	l.leaves = []audit.Leaf{{Time: rec.Time.UnixMicro(), Body: rec.AppendJSON(nil)}}
	advance(t, follower(t, l), 1)
	for _, f := range formats {
		data := export(t, l, 0, 1, f)
		if n := bytes.Count(data, []byte("\n")); n != 2 {
			t.Errorf("%s: %d lines", f, n)
		}
		if i := bytes.IndexFunc(bytes.ReplaceAll(data, []byte("\n"), nil), func(r rune) bool { return r < ' ' || r == '\u2028' || r == 0x7f }); i >= 0 {
			t.Errorf("%s: a control character", f)
		}
		if r := verifyExport(t, data); !r.OK() {
			t.Error(r.Problem)
		}
		var line struct{ EventName, OperationName string }
		must(t, json.Unmarshal(data[:bytes.IndexByte(data, '\n')], &line))
		if line.EventName == "forged" || line.OperationName == "forged" {
			t.Errorf("%s: the operation was forged", f)
		}
	}
}
