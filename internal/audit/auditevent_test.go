package audit_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tacet"
	"tacet/internal/audit"
)

// tenant is the one that the deployment of the tests is.
var tenant = tacet.TenantID("test")

// event is an AuditEvent as a reader of Azure's log sees it.
type event struct {
	ResourceID, OperationName, ResultType, ResultSignature, ResultDescription string
	Identity                                                                  struct{ Claim map[string]string }
	Properties                                                                struct {
		ID             string
		HTTPStatusCode int
	}
}

func auditEvent(t *testing.T, rec tacet.Record) (e event) {
	t.Helper()
	must(t, json.Unmarshal(audit.AuditEvent(&rec, tenant), &e))
	return e
}

// The audit record.
func TestAuditEvent(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 999_999_000, time.FixedZone("", 3600))
	const (
		arn   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-a1B2c3"
		group = "/SUBSCRIPTIONS/F4B1A5E6-0D47-8A9A-A9B4-AD8E1F2D4D0B/RESOURCEGROUPS/TACET"
		main  = group + "/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/MAIN"
		tid   = "f4b1a5e6-0d47-8a9a-a9b4-ad8e1f2d4d0b"
	)
	app := func(id string) string { return `"appid":"` + tacet.ClientID(id) + `"` }
	oid := func(id string) string {
		return `"http://schemas.microsoft.com/identity/claims/objectidentifier":"` + tacet.ObjectID(id) + `"`
	}
	for _, tc := range []struct {
		name string
		rec  tacet.Record
		want string
	}{
		{"a role reads a version", tacet.Record{
			ID: "e1", Time: at, RequestID: "5b7ad2b1-0d1c-4e9c-8a3e-5d7c9b1f2a33", Face: "azure", Operation: tacet.OpGetSecretValue, ReadOnly: true,
			CallerKind: tacet.CallerRole, Caller: "arn:aws:sts::123456789012:assumed-role/ci/build-7", CallerID: "AROA1:build-7", CallerName: "build-7", CallerAcct: "123456789012",
			SourceIP: "192.0.2.7", UserAgent: "azsdk-go-azsecrets/v1.5.1", TLS: "TLSv1.3", Account: "123456789012", Region: "eu-central-1", Resource: arn,
			Vault:      "main",
			Parameters: map[string]any{"secretId": "prod--db", "versionId": "0123456789abcdef0123456789abcdef"}, Outcome: tacet.OutcomeAllowed,
		}, `{"time":"2026-11-23T11:00:00.9999990Z","resourceId":"` + main + `","operationName":"SecretGet","category":"AuditEvent","resultType":"Success",` +
			`"resultSignature":"OK","callerIpAddress":"192.0.2.7","correlationId":"5b7ad2b1-0d1c-4e9c-8a3e-5d7c9b1f2a33","identity":{"claim":{` + oid("AROA1") + `,` + app("AROA1") + `}},` +
			`"tenantId":"` + tid + `","properties":{"clientInfo":"azsdk-go-azsecrets/v1.5.1","id":"/secrets/prod--db/0123456789abcdef0123456789abcdef","httpStatusCode":200,"tlsVersion":"TLS1_3"}}`},
		{"a user is refused", tacet.Record{
			ID: "e2", Time: at, RequestID: "r2", Face: "azure", Operation: tacet.OpSetSecret, CallerKind: tacet.CallerUser, Caller: "arn:aws:iam::123456789012:user/app",
			CallerID: "AIDA1", CallerName: "app", CallerAcct: "123456789012", SourceIP: "192.0.2.7", UserAgent: "x", Account: "123456789012", Region: "eu-central-1", Resource: arn,
			Vault:      "main",
			Parameters: map[string]any{"secretId": "Prod--DB"}, Outcome: tacet.OutcomeDenied, Error: tacet.Denied, Reason: string(tacet.DenyImplicitIdentity),
		}, `{"time":"2026-11-23T11:00:00.9999990Z","resourceId":"` + main + `","operationName":"SecretSet","category":"AuditEvent","resultType":"Failed",` +
			`"resultSignature":"Forbidden","resultDescription":"Caller is not authorized to perform action on resource.\u000d\u000a` +
			`Caller: appid=` + tacet.ClientID("AIDA1") + `;oid=` + tacet.ObjectID("AIDA1") + `;iss=https://sts.windows.net/` + tid + `/\u000d\u000a` +
			`Action: 'Microsoft.KeyVault/vaults/secrets/setSecret/action'\u000d\u000aResource: '` + strings.ToLower(main) + `/secrets/prod--db'\u000d\u000a` +
			`Assignment: (not found)\u000d\u000aDenyAssignmentId: null\u000d\u000aDecisionReason: no identity-based policy allows\u000d\u000aVault: main;location=eu-central-1\u000d\u000a",` +
			`"callerIpAddress":"192.0.2.7","correlationId":"r2","identity":{"claim":{` + oid("AIDA1") + `,"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"app@123456789012",` +
			app("AIDA1") + `}},"tenantId":"` + tid + `","properties":{"clientInfo":"x","id":"/secrets/Prod--DB","httpStatusCode":403}}`},
		{"Tacet purges", tacet.Record{
			ID: "e3", Time: at, Operation: tacet.OpPurgeSecret, Event: true, CallerKind: tacet.CallerSystem, Caller: "tacet", Face: "system",
			Account: "123456789012", Region: "eu-central-1", Vault: "main", Resource: arn, Outcome: tacet.OutcomeAllowed,
		}, `{"time":"2026-11-23T11:00:00.9999990Z","resourceId":"` + main + `","operationName":"EndSecretVersionDelete","category":"AuditEvent","resultType":"Success","resultSignature":"OK",` +
			`"correlationId":"","identity":{"claim":{}},"tenantId":"` + tid + `","properties":{"id":"/secrets/prod--db","httpStatusCode":200}}`},
		{"somebody unknown", tacet.Record{Time: at, Operation: "Later"},
			`{"time":"2026-11-23T11:00:00.9999990Z","resourceId":"` + group + `","operationName":"Later","category":"AuditEvent","resultType":"Failed",` +
				`"correlationId":"","identity":{"claim":{}},"tenantId":"` + tid + `","properties":{}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, string(audit.AuditEvent(&tc.rec, tid))); d != "" {
				t.Error(d)
			}
			if !json.Valid([]byte(tc.want)) {
				t.Error("what is wanted is not JSON")
			}
		})
	}
}

// OperationName. Every operation has one: Key Vault's or, where Key Vault has
// none, its own.
func TestAuditEventEveryOperation(t *testing.T) {
	names := map[tacet.Operation]string{
		tacet.OpSetSecret: "SecretSet", tacet.OpCreateSecret: "SecretSet", tacet.OpPutSecretValue: "SecretSet",
		tacet.OpGetSecretValue: "SecretGet", tacet.OpListSecrets: "SecretList", tacet.OpListSecretVersionIDs: "SecretListVersions",
		tacet.OpUpdateSecretAttributes: "SecretUpdate", tacet.OpUpdateSecret: "SecretUpdate", tacet.OpTagResource: "SecretUpdate", tacet.OpUntagResource: "SecretUpdate",
		tacet.OpDeleteSecret: "SecretDelete", tacet.OpGetDeletedSecret: "SecretGetDeleted", tacet.OpListDeletedSecrets: "SecretListDeleted",
		tacet.OpRestoreSecret: "SecretRecover", tacet.OpPurgeDeletedSecret: "SecretPurge",
		tacet.OpBackupSecret: "SecretBackup", tacet.OpRestoreBackup: "SecretRestore",
		tacet.OpCreateVault: "VaultPut", tacet.OpGetVault: "VaultGet", tacet.OpListVaults: "VaultList", tacet.OpUpdateVault: "VaultPatch", tacet.OpDeleteVault: "VaultDelete",
		tacet.OpSetAccessPolicy: "VaultPatch", tacet.OpDeleteAccessPolicy: "VaultPatch", tacet.OpListAccessPolicies: "VaultGet",
		tacet.OpIssueToken: "Authentication", tacet.OpAssumeRole: "Authentication", tacet.OpAssumeRoleWithWebIdentity: "Authentication", tacet.OpGetSessionToken: "Authentication",
	}
	// What Azure grants by a data action and Key Vault's log has no name for.
	own := []tacet.Operation{tacet.OpDescribeSecret, tacet.OpUpdateValue, tacet.OpSetTags, tacet.OpClearTags, tacet.OpRestoreTags}
	for _, op := range tacet.Operations() {
		want, ok := names[op]
		if !ok {
			if want = string(op); op.OnSecrets() && op.DataAction() != "" && !slices.Contains(own, op) {
				t.Errorf("%s is Azure's %s and has no name of Key Vault's", op, op.DataAction())
			}
		}
		if got := auditEvent(t, tacet.Record{Operation: op}).OperationName; got != want {
			t.Errorf("%s is rendered as %q, want %q", op, got, want)
		}
	}
}

// Every code has a status of Key Vault's and words to it.
func TestAuditEventEveryCode(t *testing.T) {
	shape := regexp.MustCompile(`^(Bad Request|Unauthorized|Forbidden|Not Found|Conflict|Too Many Requests|Internal Server Error|Service Unavailable)$`)
	for _, op := range []tacet.Operation{tacet.OpGetSecretValue, tacet.OpIssueToken} {
		for _, code := range tacet.Codes() {
			e := auditEvent(t, tacet.Record{Operation: op, Outcome: tacet.OutcomeFailed, Error: code})
			if e.ResultType != "Failed" || !shape.MatchString(e.ResultSignature) || e.ResultDescription == "" || e.Properties.HTTPStatusCode < 400 ||
				strings.Contains(e.ResultDescription, "Secrets Manager") {
				t.Errorf("%s, %s: %+v", op, code, e)
			}
		}
	}
	e := auditEvent(t, tacet.Record{Outcome: tacet.OutcomeFailed, Error: "FromTheFuture"})
	if e.ResultDescription != "FromTheFuture" || e.Properties.HTTPStatusCode != 0 || e.ResultSignature != "" {
		t.Errorf("an unknown code: %+v", e)
	}
	if e := auditEvent(t, tacet.Record{Operation: tacet.OpPurgeDeletedSecret, Outcome: tacet.OutcomeAllowed}); e.Properties.HTTPStatusCode != 204 || e.ResultSignature != "No Content" {
		t.Errorf("a purge: %+v", e)
	}
}

func TestAuditEventIDs(t *testing.T) {
	const secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"
	type m = map[string]any
	for name, tc := range map[string]struct {
		rec          tacet.Record
		id, resource string // resource: what comes after the resource group
	}{
		"by ARN":            {tacet.Record{Operation: tacet.OpDescribeSecret, Resource: secret + "a/b-a1B2c3", Parameters: m{"secretId": secret + "a/b-a1B2c3"}}, "/secrets/a--b", ""},
		"by name":           {tacet.Record{Operation: tacet.OpDescribeSecret, Resource: secret + "db-backup", Parameters: m{"secretId": "db-backup"}}, "/secrets/db-backup", ""},
		"made":              {tacet.Record{Operation: tacet.OpCreateSecret, Parameters: m{"name": "a_b"}, Response: m{"versionId": "01234567-89AB-cdef-0123-456789abcdef"}}, "/secrets/a_b/0123456789abcdef0123456789abcdef", ""},
		"asked of Azure":    {tacet.Record{Operation: tacet.OpGetSecretValue, Base: "https://v.example:8443", Path: "//Secrets/Db/", Parameters: m{"secretId": "Db"}}, "https://v.example:8443/secrets/Db", ""},
		"no secret":         {tacet.Record{Operation: tacet.OpListSecrets, Vault: "main"}, "", "/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/MAIN"},
		"a vault":           {tacet.Record{Operation: tacet.OpCreateVault, Resource: "arn:aws:tacet:::vault/Team-1", Parameters: m{"name": "Team-1"}}, "", "/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/TEAM-1"},
		"no vault's":        {tacet.Record{Operation: tacet.OpCreateUser, Resource: "arn:aws:iam::123456789012:user/vault/x", Parameters: m{"userName": "x"}}, "", ""},
		"not even a string": {tacet.Record{Operation: tacet.OpGetSecretValue, Parameters: m{"secretId": int64(7)}}, "", ""},
		"nothing asked for": {tacet.Record{Operation: tacet.OpGetRandomPassword}, "", ""},
	} {
		e := auditEvent(t, tc.rec)
		if want := "/SUBSCRIPTIONS/" + strings.ToUpper(tenant) + "/RESOURCEGROUPS/TACET" + tc.resource; e.ResourceID != want || e.Properties.ID != tc.id {
			t.Errorf("%s: %q of %q, want %q of %q", name, e.Properties.ID, e.ResourceID, tc.id, want)
		}
	}
}

// Whom a token would be for has claims; Tacet itself and strangers have none.
func TestAuditEventCallers(t *testing.T) {
	for kind, want := range map[tacet.CallerKind]int{tacet.CallerUser: 3, tacet.CallerRoot: 2, tacet.CallerRole: 2, tacet.CallerFederated: 0, tacet.CallerSystem: 0, "": 0} {
		e := auditEvent(t, tacet.Record{CallerKind: kind, CallerID: "X1:s", CallerName: "n", CallerAcct: "123456789012"})
		if len(e.Identity.Claim) != want || want > 0 && e.Identity.Claim["appid"] != tacet.ClientID("X1") {
			t.Errorf("%s: %v", kind, e.Identity.Claim)
		}
	}
}

// The texts of refusals, as far as a record can tell them.
func TestAuditEventDenials(t *testing.T) {
	rec := tacet.Record{ID: "decision", Operation: tacet.OpGetSecretValue, SourceIP: "192.0.2.7", Error: tacet.Denied, Outcome: tacet.OutcomeDenied}
	for reason, want := range map[tacet.DenyReason]string{
		tacet.DenyNetwork:            "Client address is not authorized and caller is not a trusted service.\r\nClient address: 192.0.2.7\r\n",
		tacet.DenyExplicitAssignment: "DenyAssignmentId: 'decision'\r\nDecisionReason: explicit deny in a deny assignment\r\n",
		tacet.DenyImplicitIdentity:   "DenyAssignmentId: null\r\nDecisionReason: no identity-based policy allows\r\n",
		"":                           "DenyAssignmentId: null\r\nDecisionReason: null\r\n",
	} {
		rec.Reason = string(reason)
		if e := auditEvent(t, rec); !strings.Contains(e.ResultDescription, want) || e.Properties.HTTPStatusCode != 403 {
			t.Errorf("%q: %+v", reason, e)
		}
	}
}
