package awsapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What SDKs and proxies add to a request is tolerated, signed or not.
func TestContractA1_WhatSDKsAdd(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	for header, value := range map[string]string{
		"Amz-Sdk-Invocation-Id": "6a44a235-b866-4d35-8ca5-48dd167f6d49", "Amz-Sdk-Request": "attempt=1; max=3",
		"X-Amz-User-Agent": "aws-sdk-js/3.1", "X-Amzn-Query-Mode": "true", "X-Amzn-Trace-Id": "Root=1-2-3", "X-Amz-Cf-Id": "abc",
		"Accept-Encoding": "identity", "Accept": "*/*", "X-Forwarded-For": "192.0.2.1", "Content-Type": "application/x-amz-json-1.1; charset=utf-8",
	} {
		res, o := h.sendWith(func(r *http.Request) { r.Header.Set(header, value); h.sign(r, time.Now()) })
		if res.StatusCode != http.StatusOK || o["SecretString"] != "v" {
			t.Errorf("%s, signed: %d %v", header, res.StatusCode, o)
		}
		if header == "Content-Type" {
			continue // the client signs it
		}
		res, o = h.sendWith(func(r *http.Request) { r.Header.Set(header, value) })
		if res.StatusCode != http.StatusOK || o["SecretString"] != "v" {
			t.Errorf("%s, not signed: %d %v", header, res.StatusCode, o)
		}
	}
}

// An operation that amounts to another needs the right to that one too.
func TestContractA6_ImpliedRights(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	u := h.user("u", allow("secretsmanager:CreateSecret", "*"), allow("secretsmanager:BatchGetSecretValue", "*"), allow("secretsmanager:ValidateResourcePolicy", "*"))
	for _, tt := range []struct {
		op       string
		request  in
		action   string
		resource string // with its introduction
	}{
		{"CreateSecret", in{"Name": "n", "ClientRequestToken": token(1), "Tags": list(in{"Key": "k", "Value": "v"})}, "TagResource", " on resource: n"},
		{"CreateSecret", in{"Name": "n", "ClientRequestToken": token(1), "AddReplicaRegions": list(in{"Region": "eu-west-1"})}, "ReplicateSecretToRegions", " on resource: n"},
		{"BatchGetSecretValue", in{"Filters": list(in{"Key": "name", "Values": list("s")})}, "ListSecrets", ""},
		{"ValidateResourcePolicy", in{"SecretId": "s", "ResourcePolicy": "{}"}, "PutResourcePolicy", " on resource: s"},
		{"ValidateResourcePolicy", in{"ResourcePolicy": "{}"}, "PutResourcePolicy", ""},
	} {
		u.fails(tt.op, tt.request, "AccessDeniedException", "User: "+h.arn("u")+" is not authorized to perform: secretsmanager:"+tt.action+tt.resource+
			" because no identity-based policy allows the secretsmanager:"+tt.action+" action")
	}
	u.ok("CreateSecret", in{"Name": "n", "ClientRequestToken": token(1), "Tags": list()})
}

// A rotation without a function has its own refusal, also before rotation exists.
func TestContractB14_NoFunction(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	h.fails("RotateSecret", in{"SecretId": "s", "ClientRequestToken": token(2)}, "InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
	h.fails("RotateSecret", in{"SecretId": "none", "ClientRequestToken": token(2)}, "ResourceNotFoundException", notFound)
	h.fails("RotateSecret", in{"SecretId": "s", "ClientRequestToken": token(2), "RotationRules": in{"AutomaticallyAfterDays": 5, "ScheduleExpression": "rate(5 days)"}},
		"InvalidParameterException", "You cannot specify both rotation frequency and schedule expression together.")
}

// A request with a target is Secrets Manager's and a form is STS's or IAM's, whatever it is
// scoped to: the scope of another service is refused in the words of the one that was
// meant, as that one's endpoint does.
func TestContractA5_ScopeOfAnotherService(t *testing.T) {
	h := newServer(t)
	for _, service := range []string{"sts", "iam", "s3", "SecretsManager"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.s.URL+"/", bytes.NewReader([]byte("{}")))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		req.Header.Set("X-Amz-Target", "secretsmanager.ListSecrets")
		res, body := h.c.Send(req, service, []byte("{}"))
		var o out
		if err := json.Unmarshal(body, &o); err != nil {
			t.Fatalf("%s: %v: %s", service, err, body)
		}
		if res.StatusCode != 400 || o["__type"] != "InvalidSignatureException" || o["message"] != "Credential should be scoped to correct service: 'secretsmanager'. " {
			t.Errorf("%s: %d %s", service, res.StatusCode, body)
		}
	}
	for _, service := range []string{"secretsmanager", "s3"} {
		res, body := h.query(service, "Action=GetCallerIdentity&Version=2011-06-15")
		if res.StatusCode != 403 || res.Header.Get("Content-Type") != "text/xml" || !strings.Contains(string(body), "<Code>SignatureDoesNotMatch</Code>") ||
			!strings.Contains(string(body), "Credential should be scoped to correct service: &#39;sts&#39;. ") {
			t.Errorf("%s: %d %s", service, res.StatusCode, body)
		}
	}
}

// On a development server, where every test comes from one address, failed attempts to
// prove who one is get the answer they have been made for, however many there are, and whoever comes next is heard.
func TestContractA5_FailuresOfADevelopmentServer(t *testing.T) {
	h := newServer(t)
	wrong := &house{t, h.s, h.c.As(h.s.AccessKey, "x"+h.s.SecretKey)}
	for range 500 {
		wrong.fails("ListSecrets", in{}, "InvalidSignatureException", "The request signature we calculated…")
		if t.Failed() {
			break
		}
	}
	h.ok("ListSecrets", in{})
}
