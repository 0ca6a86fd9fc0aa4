package awsapi

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/tacettest/golden"
	"tacet/internal/vault"
	"tacet/internal/wire"
)

// dump shows an answer as it goes over the wire.
func dump(w *httptest.ResponseRecorder) []byte {
	var b bytes.Buffer
	res := w.Result()
	b.WriteString("HTTP/1.1 " + res.Status + "\n")
	_ = res.Header.Write(&b)
	b.WriteString("\n" + w.Body.String())
	return bytes.ReplaceAll(b.Bytes(), []byte("\r\n"), []byte("\n"))
}

// Requests that are refused before anybody is known.
func TestGoldenRequests(t *testing.T) {
	golden.Check(t, "testdata/requests.txtar", []golden.Mask{golden.UUIDs()}, func(t *testing.T, request []byte) []byte {
		h, _ := newTestHandler(t)
		head, body, _ := strings.Cut(string(request), "\n\n")
		lines := strings.Split(head, "\n")
		method, target, _ := strings.Cut(lines[0], " ")
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.RequestURI = target
		for _, l := range lines[1:] {
			name, value, _ := strings.Cut(l, ": ")
			r.Header.Add(name, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return dump(w)
	})
}

// Requests that are refused for what is in their body.
func TestGoldenRefusals(t *testing.T) {
	golden.Check(t, "testdata/refusals.txtar", []golden.Mask{golden.UUIDs()}, func(t *testing.T, request []byte) []byte {
		op, body, _ := strings.Cut(string(request), "\n")
		h, _ := newTestHandler(t)
		w := httptest.NewRecorder()
		h.answer(&exchange{id: wire.NewRequestID(), w: w}, refusal(t, tacet.Operation(op), body))
		return dump(w)
	})
}

// Answers, from what the core returns. The request names the case below.
func TestGoldenAnswers(t *testing.T) {
	cases := answers()
	golden.Check(t, "testdata/answers.txtar", []golden.Mask{golden.UUIDs()}, func(t *testing.T, request []byte) []byte {
		write, ok := cases[string(request)]
		if !ok {
			t.Fatalf("no case %q", request)
		}
		delete(cases, string(request))
		h, _ := newTestHandler(t)
		w := httptest.NewRecorder()
		x := &exchange{id: wire.NewRequestID(), w: w}
		h.answer(x, write(x))
		return dump(w)
	})
	for name := range cases {
		t.Errorf("%s is in no golden file", name)
	}
}

func answers() map[string]func(*exchange) error {
	const arn, name = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-a1B2c3", "prod/db"
	const v1, v2 = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
	at := time.UnixMilli(1700000000123).UTC()
	fresh := &tacet.Secret{Name: name, Created: at, Changed: at, Stages: map[tacet.Stage]tacet.VersionID{tacet.StageCurrent: v1}}
	bare := &tacet.Secret{Name: name, Created: at, Changed: at, Tags: []tacet.Tag{}}
	full := &tacet.Secret{Name: name, Description: `<d> & "q"`, KMSKeyID: "alias/k", Type: "t", OwningService: "rds", Created: at, Changed: at.Add(time.Second),
		Accessed: at, Rotated: at, Deleted: at, PurgeAt: at.AddDate(0, 0, 30), Tags: []tacet.Tag{{Key: "a", Value: ""}, {Key: "b", Value: "é"}},
		Stages:        map[tacet.Stage]tacet.VersionID{tacet.StageCurrent: v2, tacet.StagePrevious: v1, "APP": v1, tacet.StagePending: v2},
		PrimaryRegion: "eu-central-1", Replicas: []tacet.Replica{{Region: "eu-west-1", Status: tacet.ReplicaInSync, KMSKeyID: "k"},
			{Region: "eu-west-2", Status: tacet.ReplicaFailed, Message: "clash"}}}
	value := vault.SecretValue{ARN: arn, Name: name, Version: v1, Kind: tacet.ValueString, Value: tacet.NewPlaintext([]byte(`{"user":"é<&>","pass":"\"` + "\n\x01" + `"}`)),
		Stages: []tacet.Stage{"APP", tacet.StageCurrent}, Created: at}
	binary := vault.SecretValue{ARN: arn, Name: name, Version: v2, Kind: tacet.ValueBinary, Value: tacet.NewPlaintext([]byte{0, 0xff, 0xfe}), Created: at.Truncate(time.Second)}
	render := func(f func(e *encoder)) func(*exchange) error {
		return func(x *exchange) error { f(&x.out); return nil }
	}
	return map[string]func(*exchange) error{
		"BatchGetSecretValue": render(func(e *encoder) {
			writeBatch(e, vault.BatchGetSecretValueOutput{Values: []vault.SecretValue{value, binary}, NextToken: "n", Errors: []vault.BatchError{
				{SecretID: "gone", Err: &tacet.Error{Code: tacet.SecretNotFound}},
				{SecretID: "broken", Err: errors.New("not for the client")},
				{SecretID: "denied", Err: &tacet.Error{Code: tacet.Denied, Denial: &tacet.Denial{Caller: "arn:aws:iam::123456789012:user/u",
					Action: "secretsmanager:GetSecretValue", Resource: "denied", Reason: tacet.DenyExplicitResource}}}}})
		}),
		"BatchGetSecretValue of nothing": render(func(e *encoder) { writeBatch(e, vault.BatchGetSecretValueOutput{}) }),
		"CreateSecret without a value":   render(func(e *encoder) { writeCreateSecret(e, vault.CreateSecretOutput{ARN: arn, Name: name}) }),
		"CreateSecret with a replica": render(func(e *encoder) {
			writeCreateSecret(e, vault.CreateSecretOutput{ARN: arn, Name: name, Version: v1, Replicas: full.Replicas[:1]})
		}),
		"DeleteSecret":                   render(func(e *encoder) { writeDelete(e, vault.DeleteSecretOutput{ARN: arn, Name: name, PurgeAt: at}) }),
		"DescribeSecret of a fresh one":  render(func(e *encoder) { writeDescribe(e, vault.SecretInfo{ARN: arn, Secret: fresh}) }),
		"DescribeSecret of an empty one": render(func(e *encoder) { writeDescribe(e, vault.SecretInfo{ARN: arn, Secret: bare}) }),
		"DescribeSecret of a full one":   render(func(e *encoder) { writeDescribe(e, vault.SecretInfo{ARN: arn, Secret: full}) }),
		"GetRandomPassword":              render(func(e *encoder) { e.password(tacet.NewPlaintext([]byte(`a"\<`))) }),
		"GetResourcePolicy": render(func(e *encoder) {
			writePolicy(e, vault.ResourcePolicyOutput{ARN: arn, Name: name, Policy: `{"Version":"2012-10-17"}`})
		}),
		"GetResourcePolicy without one": render(func(e *encoder) { writePolicy(e, vault.ResourcePolicyOutput{ARN: arn, Name: name}) }),
		"GetSecretValue of a string":    render(func(e *encoder) { writeSecretValue(e, value) }),
		"GetSecretValue of bytes":       render(func(e *encoder) { writeSecretValue(e, binary) }),
		"ListSecrets": render(func(e *encoder) {
			writeListSecrets(e, vault.ListSecretsOutput{Secrets: []vault.SecretInfo{{ARN: arn, Secret: full}, {ARN: arn, Secret: fresh}}, NextToken: "n"})
		}),
		"ListSecrets of nothing": render(func(e *encoder) { writeListSecrets(e, vault.ListSecretsOutput{}) }),
		"PutSecretValue": render(func(e *encoder) {
			writePutSecretValue(e, vault.PutSecretValueOutput{ARN: arn, Name: name, Version: v1, Stages: value.Stages})
		}),
		"ReplicateSecretToRegions":          render(func(e *encoder) { writeReplication(e, vault.ReplicationOutput{ARN: arn, Replicas: full.Replicas}) }),
		"RemoveRegionsFromReplication, all": render(func(e *encoder) { writeReplication(e, vault.ReplicationOutput{ARN: arn}) }),
		"RestoreSecret":                     render(func(e *encoder) { writeNamed(e, vault.Named{ARN: arn, Name: name}) }),
		"StopReplicationToReplica":          render(func(e *encoder) { writeARN(e, vault.Named{ARN: arn, Name: name}) }),
		"TagResource":                       render(func(e *encoder) { writeNothing(e, vault.Named{ARN: arn, Name: name}) }),
		"UpdateSecret of no value":          render(func(e *encoder) { writeUpdateSecret(e, vault.UpdateSecretOutput{ARN: arn, Name: name}) }),
		"UpdateSecret of a value":           render(func(e *encoder) { writeUpdateSecret(e, vault.UpdateSecretOutput{ARN: arn, Name: name, Version: v2}) }),
		"ValidateResourcePolicy, passed":    render(func(e *encoder) { writeValidation(e, nil) }),
		"ValidateResourcePolicy, failed":    render(func(e *encoder) { writeValidation(e, []vault.ValidationError{{Check: "C", Message: "M"}}) }),
		"ListSecretVersionIds": render(func(e *encoder) {
			writeVersions(e, vault.ListVersionsOutput{ARN: arn, Name: name, NextToken: "n", Versions: []vault.VersionInfo{
				{Version: tacet.Version{ID: v1, Created: at}},
				{Version: tacet.Version{ID: v2, Created: at, Accessed: at, KMSKeyID: "k"}, Stages: []tacet.Stage{tacet.StageCurrent}}}})
		}),
		"GetCallerIdentity": func(x *exchange) error {
			x.query, x.xmlns, x.op = true, stsNamespace, tacet.OpGetCallerIdentity
			x.respond(func(e *encoder) {
				writeCallerIdentity(e, tacet.Caller{Account: "123456789012", ID: "AIDAEXAMPLE", ARN: "arn:aws:iam::123456789012:user/a&b"})
			})
			return nil
		},
		"GetCallerIdentity, internal failure": func(x *exchange) error {
			x.query, x.xmlns = true, stsNamespace
			return errors.New("not for the client")
		},
		"IAM, unknown key": func(x *exchange) error {
			x.query, x.xmlns = true, iamNamespace
			return &failure{400, "UnrecognizedClientException", invalidToken, false}
		},
		"ThrottlingException": func(*exchange) error { return &tacet.Error{Code: tacet.Throttled} },
		"ServiceUnavailable": func(*exchange) error {
			return &tacet.Error{Code: tacet.Unavailable, Cause: errors.New("not for the client")}
		},
		"InternalServiceError": func(*exchange) error { return errors.New("not for the client") },
	}
}
