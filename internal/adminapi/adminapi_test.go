package adminapi_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tacet"
	"tacet/internal/adminapi"
	"tacet/internal/client"
	"tacet/internal/tacettest"
)

func dial(t *testing.T, s *tacettest.Server, accessKey, secretKey string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{Endpoint: s.HTTPSURL, CAFile: s.CAFile, AccessKey: accessKey, SecretKey: secretKey, Region: s.Region})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// stranger makes a user without rights and returns an access key of it.
func stranger(t *testing.T, admin *client.Client, name string) (id, secret string) {
	t.Helper()
	must[client.User](t)(admin.CreateUser(t.Context(), name, client.NewPrincipal{}))
	k, secret, err := admin.CreateAccessKey(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return k.ID, secret
}

// bodies are a good request of every operation.
var bodies = map[string]string{
	"whoami": `{}`, "users/create": `{"user":"x"}`, "users/get": `{"user":"admin"}`, "users/list": ``, "users/delete": `{"user":"admin"}`,
	"policies/put": `{"user":"admin","policy":"p","document":"{}"}`, "policies/get": `{"user":"admin","policy":"p"}`,
	"policies/list": `{"user":"admin"}`, "policies/delete": `{"user":"admin","policy":"AdministratorAccess"}`,
	"keys/create": `{"user":"admin"}`, "keys/list": `{"user":"admin"}`, "keys/update": `{"user":"admin","key":"AKIA","active":false}`,
	"keys/delete": `{"user":"admin","key":"AKIA"}`, "vaults/list": `{}`, "vaults/create": `{"name":"eu","account":"000000000001","region":"eu-west-1"}`,
	"audit/records": `{}`, "audit/checkpoint": `{}`, "audit/verify": `{}`, "audit/export": `{}`, "decisions/explain": `{"id":"00000000000000000000000000000000"}`,
	"policies/attach": `{"role":"r","policy":"aws/ReadOnlyAccess"}`, "policies/detach": `{"group":"g","policy":"p"}`, "policies/attached": `{"user":"admin"}`,
	"boundaries/put": `{"user":"admin","policy":"p"}`, "boundaries/delete": `{"role":"r"}`,
	"tags/put": `{"policy":"p","tags":[{"key":"a","value":"b"}]}`, "tags/delete": `{"provider":"https://issuer.example","keys":["a"]}`,
	"groups/create": `{"group":"g"}`, "groups/get": `{"group":"g"}`, "groups/list": `{}`, "groups/delete": `{"group":"g"}`,
	"groups/add": `{"group":"g","user":"admin"}`, "groups/remove": `{"group":"g","user":"admin"}`,
	"roles/create": `{"role":"r","document":"{}"}`, "roles/get": `{"role":"r"}`, "roles/list": `{}`, "roles/update": `{"role":"r","seconds":3600}`,
	"roles/trust": `{"role":"r","document":"{}"}`, "roles/delete": `{"role":"r"}`, "roles/revoke": `{"role":"r"}`,
	"managed/create": `{"policy":"p","document":"{}"}`, "managed/get": `{"policy":"p"}`, "managed/list": `{}`, "managed/delete": `{"policy":"p"}`,
	"managed/update": `{"policy":"p","document":"{}"}`, "managed/holders": `{"policy":"p"}`, "versions/list": `{"policy":"p"}`,
	"versions/get": `{"policy":"p","version":"v1"}`, "versions/set": `{"policy":"p","version":"v1"}`, "versions/delete": `{"policy":"p","version":"v1"}`,
	"providers/create": `{"url":"https://issuer.example","audiences":["a"]}`, "providers/get": `{"provider":"https://issuer.example"}`, "providers/list": `{}`,
	"providers/delete": `{"provider":"https://issuer.example"}`, "providers/add": `{"provider":"https://issuer.example","audience":"b"}`,
	"providers/remove": `{"provider":"https://issuer.example","audience":"b"}`, "keys/used": `{"key":"AKIAIOSFODNN7EXAMPLE"}`,
	"decisions/simulate": `{"principal":"admin","action":"GetSecretValue","resource":"db"}`,
	"access/list":        `{"action":"GetSecretValue","resource":"db","context":[{"key":"aws:SourceIp","value":"10.0.0.1"}]}`,
	"vaults/get":         `{"vault":"main"}`, "vaults/update": `{"vault":"main","network":{"deny":true,"allowed":["10.0.0.0/8"]}}`, "vaults/delete": `{"vault":"main"}`,
	"vaults/names":            `{"vault":"main","unreachable":true}`,
	"role-assignments/create": `{"vault":"main","principal":"admin","role":"Key Vault Reader"}`, "role-assignments/list": `{"vault":"main"}`,
	"role-assignments/delete": `{"vault":"main","id":"x"}`, "role-definitions/create": `{"name":"r","actions":["*"],"vaults":["main"]}`, "role-definitions/list": `{}`,
	"role-definitions/delete": `{"role":"r"}`, "access-policies/set": `{"vault":"main","principal":"admin","permissions":["get"]}`,
	"access-policies/list": `{"vault":"main"}`, "access-policies/delete": `{"vault":"main","principal":"admin"}`,
	"client-credentials/create": `{"user":"admin","kind":"client-secret"}`, "client-credentials/list": `{"user":"admin"}`,
	"client-credentials/delete": `{"user":"admin","id":"x"}`,
	"clock/get":                 `{}`, "clock/set": `{"offset":1}`,
	"users/update": `{"user":"admin","name":"root"}`, "groups/update": `{"group":"g","path":"/x/"}`,
	"accounts/create": `{"account":"000000000002"}`, "accounts/list": `{}`,
}

// post sends a signed request as it is.
func post(t *testing.T, c *tacettest.AWSClient, s *tacettest.Server, service, path, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.URL+adminapi.Prefix+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, b := c.Send(req, service, []byte(body))
	return res.StatusCode, b
}

// TestDenied asks for every operation as a user without rights: each is refused by the
// door, with a decision that is in the record once.
func TestDenied(t *testing.T) {
	s := tacettest.New(t)
	admin := dial(t, s, s.AccessKey, s.SecretKey)
	c := s.AWS(t).As(stranger(t, admin, "stranger"))
	decisions := map[string]string{}
	for _, path := range adminapi.Paths() {
		body, ok := bodies[path]
		if !ok {
			t.Errorf("%s has no request in this test", path)
			continue
		}
		status, b := post(t, c, s, adminapi.Service, path, body)
		if path == "whoami" {
			if status != 200 {
				t.Errorf("whoami: %d %s", status, b)
			}
			continue
		}
		var out struct {
			Error struct{ Code, DecisionID, RequestID string }
		}
		if err := json.Unmarshal(b, &out); err != nil || status != 403 || out.Error.Code != "Denied" || out.Error.DecisionID == "" || out.Error.RequestID == "" {
			t.Errorf("%s: %d %s", path, status, b)
		}
		decisions[out.Error.DecisionID] = path
	}
	if len(decisions) != len(adminapi.Paths())-1 {
		t.Errorf("%d decisions for %d operations", len(decisions), len(adminapi.Paths())-1)
	}
	for _, r := range records(t, admin) {
		if r.CallerName != "stranger" || r.Operation == tacet.OpGetCallerIdentity {
			continue
		}
		if r.Outcome != tacet.OutcomeDenied || r.Face != "admin" || decisions[r.ID] == "" {
			t.Errorf("unexpected record: %+v", r)
		}
		delete(decisions, r.ID)
	}
	for id, path := range decisions {
		t.Errorf("%s: the decision %s is not in the record", path, id)
	}
	if users := must[[]client.User](t)(admin.ListUsers(t.Context())); len(users) != 2 {
		t.Errorf("a refused operation was done: %+v", users)
	}
}

// records returns the whole record.
func records(t *testing.T, admin *client.Client) []tacet.Record {
	t.Helper()
	var out []tacet.Record
	for seq := int64(-1); ; {
		page, _, err := admin.RecordsAfter(t.Context(), seq, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			if r.Seq != seq+1 {
				t.Fatalf("record %d follows %d", r.Seq, seq)
			}
			seq = r.Seq
			var rec tacet.Record
			if err := json.Unmarshal(r.Record, &rec); err != nil {
				t.Fatal(err)
			}
			out = append(out, rec)
		}
		if len(page) < 7 {
			return out
		}
	}
}

// TestSignatures says what opens the face: a signature for its own service over this
// very request, by an active key.
func TestSignatures(t *testing.T) {
	s := tacettest.New(t)
	admin := dial(t, s, s.AccessKey, s.SecretKey)
	c := s.AWS(t)
	if status, b := post(t, c, s, "tacet", "whoami", ""); status != 200 {
		t.Fatalf("%d %s", status, b)
	}
	if status, b := post(t, c, s, "secretsmanager", "whoami", ""); status != 401 {
		t.Errorf("a signature for another service: %d %s", status, b)
	}
	if status, b := post(t, c.As(s.AccessKey, s.SecretKey[1:]), s, "tacet", "whoami", ""); status != 401 || bytes.Contains(b, []byte(s.SecretKey[1:])) {
		t.Errorf("another secret: %d %s", status, b)
	}
	if status, b := post(t, c.As("AKIAAAAAAAAAAAAAAAAA", s.SecretKey), s, "tacet", "whoami", ""); status != 401 {
		t.Errorf("an unknown key: %d %s", status, b)
	}
	id, secret := stranger(t, admin, "ci")
	theirs := dial(t, s, id, secret)
	must[client.Identity](t)(theirs.WhoAmI(t.Context()))
	if err := admin.UpdateAccessKey(t.Context(), "CI", id, false); err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.WhoAmI(t.Context()); !errors.Is(err, client.ErrUnauthenticated) {
		t.Errorf("an inactive key: %v", err)
	}
	if err := admin.UpdateAccessKey(t.Context(), "ci", id, true); err != nil {
		t.Fatal(err)
	}
	must[client.Identity](t)(theirs.WhoAmI(t.Context()))
	if err := admin.DeleteAccessKey(t.Context(), "ci", id); err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.WhoAmI(t.Context()); !errors.Is(err, client.ErrUnauthenticated) {
		t.Errorf("a removed key: %v", err)
	}
}

// TestIdentity walks users, policies and keys through the client.
func TestIdentity(t *testing.T) {
	s := tacettest.New(t)
	ctx, admin := t.Context(), dial(t, s, s.AccessKey, s.SecretKey)
	u := must[client.User](t)(admin.CreateUser(ctx, "Ana", client.NewPrincipal{Path: "/team/", Tags: []client.Tag{{Key: "k", Value: "v"}}}))
	if u.ARN != "arn:aws:iam::000000000001:user/team/Ana" || !strings.HasPrefix(u.ID, "AIDA") || len(u.Tags) != 1 || time.Since(u.Created) > time.Minute {
		t.Errorf("%+v", u)
	}
	for _, name := range []string{"Ana", "ana", "ANA"} {
		if got := must[client.User](t)(admin.GetUser(ctx, name)); got.ID != u.ID || got.Name != "Ana" {
			t.Errorf("%s: %+v", name, got)
		}
		if _, err := admin.CreateUser(ctx, name, client.NewPrincipal{}); !errors.Is(err, client.ErrConflict) {
			t.Errorf("%s twice: %v", name, err)
		}
	}
	if _, err := admin.GetUser(ctx, "bob"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	if _, err := admin.CreateUser(ctx, "a b", client.NewPrincipal{}); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("a bad name: %v", err)
	}
	doc := "{\"Version\":\"2012-10-17\",\n \"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]} "
	if err := admin.PutPolicy(ctx, client.Holder{Kind: "user", Name: "ANA"}, "all", doc); err != nil {
		t.Fatal(err)
	}
	if got := must[string](t)(admin.GetPolicy(ctx, client.Holder{Kind: "user", Name: "ana"}, "all")); got != doc {
		t.Errorf("the policy came back as %q", got)
	}
	if err := admin.PutPolicy(ctx, client.Holder{Kind: "user", Name: "ana"}, "bad", `{"Version":"2012-10-17"}`); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("a bad policy: %v", err)
	}
	if names := must[[]string](t)(admin.ListPolicies(ctx, client.Holder{Kind: "user", Name: "ana"})); fmt.Sprint(names) != "[all]" {
		t.Errorf("policies: %v", names)
	}
	if err := admin.DeleteUser(ctx, "ana"); !errors.Is(err, client.ErrConflict) {
		t.Errorf("a user with a policy was removed: %v", err)
	}
	if err := admin.DeletePolicy(ctx, client.Holder{Kind: "user", Name: "ana"}, "all"); err != nil {
		t.Fatal(err)
	}
	if err := admin.DeleteUser(ctx, "aNa"); err != nil {
		t.Fatal(err)
	}
	if users := must[[]client.User](t)(admin.ListUsers(ctx)); len(users) != 1 || users[0].Name != "admin" {
		t.Errorf("users: %+v", users)
	}
}

// TestBadRequests says that what is wrong with a request is told after the signature
// was checked.
func TestBadRequests(t *testing.T) {
	s := tacettest.New(t)
	c := s.AWS(t)
	for _, r := range []struct{ path, body string }{
		{"users/list", `{"x":1}`}, {"users/create", `{"user":"a","user":"b"}`}, {"users/get", `[`}, {"keys/update", `{"user":"admin","key":"k"}`},
		{"audit/records", `{"after":1,"before":2}`}, {"audit/records", `{"limit":1001}`}, {"audit/records", `{"limit":-1}`},
		{"audit/export", `{"format":"xml"}`}, {"clock/set", `{}`}, {"clock/set", `{"offset":99999999999}`},
	} {
		status, b := post(t, c, s, "tacet", r.path, r.body)
		if status != 400 || !bytes.Contains(b, []byte(`"code":"InvalidRequest"`)) {
			t.Errorf("%s %s: %d %s", r.path, r.body, status, b)
		}
	}
	if users := must[[]client.User](t)(dial(t, s, s.AccessKey, s.SecretKey).ListUsers(t.Context())); len(users) != 1 {
		t.Errorf("a bad request was done: %+v", users)
	}
}

// TestRecords pages through the record in both directions.
func TestRecords(t *testing.T) {
	s := tacettest.New(t)
	ctx, admin := t.Context(), dial(t, s, s.AccessKey, s.SecretKey)
	for range 5 {
		must[client.Identity](t)(admin.WhoAmI(ctx))
	}
	last, id, err := admin.LastRecords(ctx, 3)
	if err != nil || len(last) != 3 || last[0].Seq != last[2].Seq-2 {
		t.Fatalf("%+v, %v", last, err)
	}
	before, _, err := admin.RecordsBefore(ctx, last[0].Seq, 2)
	if err != nil || len(before) != 2 || before[1].Seq != last[0].Seq-1 {
		t.Fatalf("%+v, %v", before, err)
	}
	after, _, err := admin.RecordsAfter(ctx, last[2].Seq, 1)
	if err != nil || len(after) != 1 || after[0].Seq != last[2].Seq+1 {
		t.Fatalf("%+v, %v", after, err)
	}
	// The first record after the question is the question's own.
	var rec tacet.Record
	if err := json.Unmarshal(after[0].Record, &rec); err != nil || rec.RequestID != id || rec.Operation != tacet.OpReadAudit {
		t.Errorf("%s is not the record of request %s", after[0].Record, id)
	}
	report := must[client.AuditReport](t)(admin.VerifyAudit(ctx, must[client.Checkpoint](t)(admin.Checkpoint(ctx)).Note))
	if report.Problem != "" || report.Records == 0 || report.Signed == 0 {
		t.Errorf("%+v", report)
	}
	var export bytes.Buffer
	if err := admin.ExportAudit(ctx, &export, adminapi.FormatTacet, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(export.Bytes(), last[0].Record) {
		t.Errorf("the export does not contain the record %s as it is", last[0].Record)
	}
}

func TestVaultsAndClock(t *testing.T) {
	s := tacettest.New(t)
	ctx, admin := t.Context(), dial(t, s, s.AccessKey, s.SecretKey)
	v := must[client.VaultSettings](t)(admin.CreateVault(ctx, "main-eu", s.Account, "eu-west-1", client.VaultChange{}))
	vaults := must[[]client.Vault](t)(admin.ListVaults(ctx))
	if len(vaults) != 2 || v.Region != "eu-west-1" || v.ID == "" {
		t.Errorf("%+v", vaults)
	}
	if _, err := admin.CreateVault(ctx, "other", s.Account, "eu-west-1", client.VaultChange{}); !errors.Is(err, client.ErrConflict) {
		t.Errorf("a second vault of a region: %v", err)
	}
	if err := admin.SetClockOffset(ctx, 90*time.Second); err != nil {
		t.Fatal(err)
	}
	if d := s.Clock.Offset(); d != 90*time.Second {
		t.Errorf("the clock is %s ahead", d)
	}
	if d := must[time.Duration](t)(admin.ClockOffset(ctx)); d != 90*time.Second {
		t.Errorf("the clock says it is %s ahead", d)
	}
}

// The names that Azure shows for secrets, and why it has none, by the caller's right to list
// them.
func TestSecretNames(t *testing.T) {
	s := tacettest.New(t)
	ctx, admin := t.Context(), dial(t, s, s.AccessKey, s.SecretKey)
	if names := must[[]client.SecretName](t)(admin.ListSecretNames(ctx, "main", false)); names == nil || len(names) != 0 {
		t.Errorf("an empty vault has %#v", names)
	}
	aws := s.AWS(t)
	for i, name := range []string{"a/b", "a--b", "dot.ted"} {
		if status, out := aws.Call("CreateSecret", map[string]any{"Name": name, "SecretString": "v", "ClientRequestToken": strings.Repeat(strconv.Itoa(i), 32)}); status != 200 {
			t.Fatalf("%d %v", status, out)
		}
	}
	hidden := []client.SecretName{{Name: "a--b", Why: "hidden by a/b"}, {Name: "dot.ted", Why: "characters"}}
	if names := must[[]client.SecretName](t)(admin.ListSecretNames(ctx, "MAIN", true)); !slices.Equal(names, hidden) {
		t.Errorf("%+v", names)
	}
	all := slices.Insert(slices.Clone(hidden), 1, client.SecretName{Name: "a/b", Shown: "a--b"})
	if names := must[[]client.SecretName](t)(admin.ListSecretNames(ctx, "main", false)); !slices.Equal(names, all) {
		t.Errorf("%+v", names)
	}
	recorded := slices.DeleteFunc(records(t, admin), func(r tacet.Record) bool { return r.Operation == tacet.OpReadAudit })
	if r := recorded[len(recorded)-1]; r.Operation != tacet.OpListSecrets || r.Face != "admin" || r.Vault != "main" || r.Outcome != tacet.OutcomeAllowed {
		t.Errorf("the last record is %+v", r)
	}
	if _, err := admin.ListSecretNames(ctx, "nowhere", false); !errors.Is(err, client.ErrNotFound) || !strings.Contains(err.Error(), "no vault named nowhere") {
		t.Errorf("a vault that does not exist: %v", err)
	}
	c := s.AWS(t)
	if status, b := post(t, c, s, adminapi.Service, "vaults/names", `{"vault":"main","limit":1}`); status != 200 || !bytes.Contains(b, []byte(`"token":"`)) || bytes.Contains(b, []byte("dot.ted")) {
		t.Errorf("the first page of several: %d %s", status, b)
	}
	if status, b := post(t, c, s, adminapi.Service, "vaults/names", `{}`); status != 400 {
		t.Errorf("without a vault: %d %s", status, b)
	}
}

// TestThreat25_Canary makes access keys and uses them, well and badly, and then looks for their
// secrets in everything the server leaves behind.
func TestThreat25_Canary(t *testing.T) {
	var log lockedBuffer
	dir := t.TempDir()
	s, stop := tacettest.Start(t, tacettest.WithData(dir), tacettest.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	defer stop()
	admin := dial(t, s, s.AccessKey, s.SecretKey)
	id, secret := stranger(t, admin, "canary")
	theirs := dial(t, s, id, secret)
	must[client.Identity](t)(theirs.WhoAmI(t.Context()))
	_, err := theirs.ListUsers(t.Context())
	if !errors.Is(err, client.ErrDenied) {
		t.Fatal(err)
	}
	guess := dial(t, s, id, secret+"x")
	_, wrong := guess.WhoAmI(t.Context())
	if !errors.Is(wrong, client.ErrUnauthenticated) {
		t.Fatal(wrong)
	}
	must[client.User](t)(admin.GetUser(t.Context(), "canary"))
	must[[]client.AccessKey](t)(admin.ListAccessKeys(t.Context(), "canary"))
	var export bytes.Buffer
	if err := admin.ExportAudit(t.Context(), &export, adminapi.FormatCloudTrail, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	// An idle connection of HTTP/2 that is left open holds a stop up for a second, which is
	// half of what this server has for it.
	theirs.Close()
	guess.Close()
	admin.Close()
	stop()

	places := map[string][]byte{"log": log.Bytes(), "export": export.Bytes(), "errors": fmt.Appendf(nil, "%v %+v %v %+v", err, err, wrong, wrong),
		"client": fmt.Appendf(nil, "%v %+v %#v", theirs, theirs, *theirs)}
	walkErr := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		places[d.Name()], err = os.ReadFile(p)
		return err
	})
	if walkErr != nil {
		t.Fatal(walkErr)
	}
	if len(places["tacet.db"]) == 0 || len(places["export"]) == 0 || len(places["log"]) == 0 {
		t.Fatal("the test looks at nothing")
	}
	for where, b := range places {
		for form, mark := range encodings(secret) {
			if bytes.Contains(b, mark) {
				t.Errorf("the secret of an access key is in the %s, as %s", where, form)
			}
		}
	}
}

func encodings(s string) map[string][]byte {
	b := []byte(s)
	quoted, _ := json.Marshal(s)
	reversed := bytes.Clone(b)
	for i, j := 0, len(reversed)-1; i < j; i, j = i+1, j-1 {
		reversed[i], reversed[j] = reversed[j], reversed[i]
	}
	return map[string][]byte{
		"text": b, "hex": []byte(hex.EncodeToString(b)), "HEX": bytes.ToUpper([]byte(hex.EncodeToString(b))),
		"base64": []byte(base64.RawStdEncoding.EncodeToString(b)), "JSON": quoted, "bytes": fmt.Append(nil, b), "reversed": reversed,
	}
}

// lockedBuffer takes a log from many goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}
