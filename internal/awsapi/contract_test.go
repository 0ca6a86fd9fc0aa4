package awsapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/client"
	"tacet/internal/tacettest"
)

// requestID is a UUID of version 4 in lower case.
var requestID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// These tests state AWS's contract over the wire, against a whole running server. The
// letters and numbers in their names are the statements' headings: B1 is CreateSecret,
// B2 GetSecretValue, and so on in the order of the API reference's families.

// in is a request and out an answer, as JSON objects.
type (
	in  = map[string]any
	out = map[string]any
)

// house is a server with a client that signs as somebody.
type house struct {
	t *testing.T
	s *tacettest.Server
	c *tacettest.AWSClient
}

func newServer(t *testing.T) *house {
	t.Helper()
	s := tacettest.New(t)
	return &house{t, s, s.AWS(t)}
}

// ok makes a call that must succeed.
func (h *house) ok(op string, request in) out {
	h.t.Helper()
	status, body := h.c.Call(op, request)
	if status != http.StatusOK {
		h.t.Fatalf("%s %v: %d %v", op, request, status, body)
	}
	return body
}

// fails makes a call that must be refused with the code and the text; a text that ends
// in "…" is the beginning of one.
func (h *house) fails(op string, request in, code, text string) {
	h.t.Helper()
	status, body := h.c.Call(op, request)
	got := fmt.Sprint(body["Message"])
	if body["Message"] == nil {
		got = fmt.Sprint(body["message"])
	}
	begin, isPrefix := strings.CutSuffix(text, "…")
	if status != http.StatusBadRequest || body["__type"] != code || got != text && !(isPrefix && strings.HasPrefix(got, begin)) {
		h.t.Errorf("%s %v:\n got %d %v\nwant 400 %s: %s", op, request, status, body, code, text)
	}
}

// token makes the n-th version id: 32 characters and no UUID, as Terraform's.
func token(n int) string { return fmt.Sprintf("terraform-%022d", n) }

// create makes a secret with a first version token(n).
func (h *house) create(name, value string, n int) out {
	h.t.Helper()
	return h.ok("CreateSecret", in{"Name": name, "SecretString": value, "ClientRequestToken": token(n)})
}

// put adds the version token(n).
func (h *house) put(name, value string, n int, stages ...string) out {
	h.t.Helper()
	request := in{"SecretId": name, "SecretString": value, "ClientRequestToken": token(n)}
	if len(stages) > 0 {
		request["VersionStages"] = stages
	}
	return h.ok("PutSecretValue", request)
}

// labels returns which version of a secret has which labels, by the versions' numbers:
// "1: AWSPREVIOUS; 2: AWSCURRENT".
func (h *house) labels(name string) string {
	h.t.Helper()
	versions, _ := h.ok("DescribeSecret", in{"SecretId": name})["VersionIdsToStages"].(out)
	var parts []string
	for n := range 100 {
		if stages, ok := versions[token(n)].([]any); ok {
			var names []string
			for _, s := range stages {
				names = append(names, fmt.Sprint(s))
			}
			parts = append(parts, fmt.Sprintf("%d: %s", n, strings.Join(names, " ")))
		}
	}
	if len(parts) != len(versions) {
		h.t.Errorf("versions %v", versions)
	}
	return strings.Join(parts, "; ")
}

func (h *house) wantLabels(name, want string) {
	h.t.Helper()
	if got := h.labels(name); got != want {
		h.t.Errorf("labels of %s: %q, want %q", name, got, want)
	}
}

func (h *house) wantValue(request in, want string) {
	h.t.Helper()
	if got := h.ok("GetSecretValue", request)["SecretString"]; got != want {
		h.t.Errorf("value of %v: %v, want %s", request, got, want)
	}
}

// members checks that an answer has exactly the members named.
func members(t *testing.T, what string, body out, names ...string) {
	t.Helper()
	for _, n := range names {
		if v, ok := body[n]; !ok || v == nil || v == "" {
			t.Errorf("%s: %s is %v", what, n, v)
		}
	}
	if len(body) != len(names) {
		t.Errorf("%s: %v, want exactly %v", what, body, names)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func list(values ...any) []any { return append([]any{}, values...) }

func text(v any) string { s, _ := v.(string); return s }

func number(v any) float64 { f, _ := v.(float64); return f }

// now returns the server's time as answers write it.
func (h *house) now() float64 { return float64(h.s.Clock.Now().UnixMilli()) / 1000 }

// wait moves the clock on.
func (h *house) wait(d time.Duration) { h.s.Clock.SetOffset(h.s.Clock.Offset() + d) }

// admin calls an operation of the administration face.
func (h *house) admin(op string, request in) out {
	h.t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		h.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.s.URL+"/tacet/v1/"+op, bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, answer := h.s.AWS(h.t).Send(req, "tacet", body)
	if res.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %d %s", op, res.StatusCode, answer)
	}
	var o out
	if err := json.Unmarshal(answer, &o); err != nil {
		h.t.Fatal(err)
	}
	return o
}

// user makes a user with a policy of the statements given, and returns the house as he
// sees it.
func (h *house) user(name string, statements ...in) *house {
	h.t.Helper()
	h.admin("users/create", in{"user": name, "path": "/"})
	if len(statements) > 0 {
		document, err := json.Marshal(in{"Version": "2012-10-17", "Statement": statements})
		if err != nil {
			h.t.Fatal(err)
		}
		h.admin("policies/put", in{"user": name, "policy": "p", "document": string(document)})
	}
	key := h.admin("keys/create", in{"user": name})
	u := *h
	u.c = h.c.As(text(key["id"]), text(key["secret"]))
	return &u
}

func allow(action, resource string) in {
	return in{"Effect": "Allow", "Action": action, "Resource": resource}
}

func deny(action, resource string) in {
	return in{"Effect": "Deny", "Action": action, "Resource": resource}
}

// query makes a signed call of the Query protocol.
func (h *house) query(service, form string) (*http.Response, []byte) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.s.URL+"/", io.NopCloser(strings.NewReader(form)))
	if err != nil {
		h.t.Fatal(err)
	}
	req.ContentLength = int64(len(form))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return h.c.Send(req, service, []byte(form))
}

const (
	notFound  = "Secrets Manager can't find the specified secret."
	noStage   = "Secrets Manager can't find the specified secret value for staging label: "
	noVersion = "Secrets Manager can't find the specified secret value for VersionId: "
	marked    = "You can't perform this operation on the secret because it was marked for deletion."
	noToken   = "You must provide a ClientRequestToken value. We recommend a UUID-type value."
	badName   = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
	replica   = "Operation not permitted on a replica secret. Call must be made in primary secret's region."
)

// arn returns a user's ARN.
func (h *house) arn(user string) string { return "arn:aws:iam::" + h.s.Account + ":user/" + user }

// policyFor returns a resource policy that lets a principal read: "root" stands for
// the account.
func (h *house) policyFor(principal string) string {
	if principal == "root" {
		principal = "arn:aws:iam::" + h.s.Account + ":root"
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`
}

// What is authenticated is recorded, also when it is refused for its form before the
// core has seen it.
func TestContractG_RefusalsOfTheFaceAreRecorded(t *testing.T) {
	h := newServer(t)
	h.c.CallRaw("secretsmanager.GetSecretValue", []byte(`{"SecretId":""}`))
	h.c.CallRaw("secretsmanager.GetSecretValue", []byte(`{"SecretId":`))
	h.c.CallRaw("secretsmanager.Nothing", []byte(`{}`))
	c, err := client.New(client.Config{Endpoint: h.s.URL, AccessKey: h.s.AccessKey, SecretKey: h.s.SecretKey, Region: h.s.Region})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	recs, _, err := c.LastRecords(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	got := map[tacet.Operation]int{}
	for _, r := range recs {
		rec, err := tacet.ParseRecord(r.Record)
		if err != nil {
			t.Fatal(err)
		}
		if rec.Outcome == tacet.OutcomeFailed && rec.Error == tacet.RequestInvalid && rec.AccessKey == h.s.AccessKey {
			got[rec.Operation]++
		}
	}
	if got[tacet.OpGetSecretValue] != 2 || got["Unknown"] != 1 {
		t.Errorf("recorded: %v", got)
	}
}
