package azureapi

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"tacet"
	"tacet/internal/audit"
)

// testExchange is a request of which nothing but its target is known.
func testExchange(op tacet.Operation, verb, collection, name string) *exchange {
	x := &exchange{op: op, verb: verb, tenant: "11111111-1111-4111-8111-111111111111", target: target{collection: collection, name: name}}
	x.site.base = "https://main.vault.example.com"
	x.site.vault = tacet.Vault{Name: "main", Region: "us-east-1"}
	x.call = tacet.Call{SourceIP: "192.0.2.7", Caller: tacet.Caller{ID: "AIDAEXAMPLE:session"}}
	return x
}

// Every code has a translation of its own: a new one without is a failing test and not an
// InternalServerError in somebody's log.
func TestEveryCodeIsTranslated(t *testing.T) {
	statuses := map[string]int{"InternalServerError": 500, "ServiceUnavailable": 503, "Throttled": 429, "Unauthorized": 401, "BadParameter": 400,
		"VaultNotFound": 404, "SecretNotFound": 404, "Forbidden": 403, "Conflict": 409}
	x := testExchange(tacet.OpGetSecretValue, "get", "secrets", "n")
	for _, code := range tacet.Codes() {
		e := &tacet.Error{Code: code, Secret: "n", ARN: "arn", Version: "v", Stage: "s", Region: "r", Regions: []string{"r"}, Detail: "d",
			Cause: errors.New("the cause"), Denial: &tacet.Denial{Caller: "c", Action: "a", DataAction: "da", Reason: tacet.DenyImplicitIdentity}}
		f := x.byCode(e)
		if f == nil {
			t.Errorf("%s has no translation", code)
			continue
		}
		if want, known := statuses[f.code]; !known || f.status != want || f.text == "" || strings.Contains(f.text, "the cause") {
			t.Errorf("%s: %+v", code, f)
		}
		if code != tacet.Internal && f.status == 500 {
			t.Errorf("%s is a failure of ours", code)
		}
	}
	if f := x.byCode(&tacet.Error{Code: "NoSuchCode"}); f != nil {
		t.Errorf("a code that does not exist is %+v", f)
	}
	if f := x.translate(errors.New("something with a secret in it")); f.status != 500 || f.text != "An unexpected error occurred." {
		t.Errorf("an unknown error is %+v", f)
	}
}

// The record tells the status that the client was told.
func TestRecordTellsTheStatus(t *testing.T) {
	x := testExchange(tacet.OpGetSecretValue, "get", "secrets", "n")
	for _, code := range tacet.Codes() {
		var told struct{ Properties struct{ HTTPStatusCode int } }
		rec := tacet.Record{Operation: x.op, Outcome: tacet.OutcomeFailed, Error: code}
		if err := json.Unmarshal(audit.AuditEvent(&rec, x.tenant), &told); err != nil {
			t.Fatal(err)
		}
		if f := x.byCode(&tacet.Error{Code: code}); f == nil || f.status != told.Properties.HTTPStatusCode {
			t.Errorf("%s: %+v is recorded with status %d", code, f, told.Properties.HTTPStatusCode)
		}
	}
}

// The texts that no test over the wire reaches.
func TestContractF_Texts(t *testing.T) {
	const who = "appid=%s;oid=%s;iss=https://sts.windows.net/11111111-1111-4111-8111-111111111111/"
	caller := strings.Replace(strings.Replace(who, "%s", tacet.ClientID("AIDAEXAMPLE"), 1), "%s", tacet.ObjectID("AIDAEXAMPLE"), 1)
	const action = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
	denied := func(reason tacet.DenyReason) *tacet.Error {
		return &tacet.Error{Code: tacet.Denied, Denial: &tacet.Denial{ID: "decision", DataAction: action, Reason: reason}}
	}
	policies := testExchange(tacet.OpGetSecretValue, "get", "secrets", "S")
	policies.site.vault.AccessPolicies = true
	roles := testExchange(tacet.OpGetSecretValue, "get", "secrets", "S")
	for _, tt := range []struct {
		x           *exchange
		err         *tacet.Error
		status      int
		inner, text string
	}{
		{roles, denied(tacet.DenyImplicitIdentity), 403, "ForbiddenByRbac", "Caller is not authorized to perform action on resource.\r\n" +
			"If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n" +
			"Caller: " + caller + "\r\nAction: '" + action + "'\r\n" +
			"Resource: '/subscriptions/11111111-1111-4111-8111-111111111111/resourcegroups/tacet/providers/microsoft.keyvault/vaults/main/secrets/s'\r\n" +
			"Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: main;location=us-east-1\r\n"},
		{policies, denied(tacet.DenyImplicitIdentity), 403, "ForbiddenByPolicy", "The user, group or application '" + caller + "' does not have secrets get permission on key vault " +
			"'main;location=us-east-1'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287"},
		{policies, denied(tacet.DenyNetwork), 403, "ForbiddenByFirewall", "Client address is not authorized and caller is not a trusted service.\r\nClient address: 192.0.2.7\r\n" +
			"Caller: " + caller + "\r\nVault: main;location=us-east-1"},
		{testExchange(tacet.OpDeleteSecret, "delete", "secrets", "s"), &tacet.Error{Code: tacet.SecretManaged}, 403, "SecretManagedByKeyVault",
			`Operation "delete" is not allowed as this object's lifetime is managed by Key Vault.`},
		{testExchange(tacet.OpPurgeDeletedSecret, "purge", "deletedsecrets", "s"), &tacet.Error{Code: tacet.PurgeProtected}, 403, "",
			`Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.` +
				"\r\nVault: main;location=us-east-1"},
		{testExchange(tacet.OpSetSecret, "set", "secrets", "S"), &tacet.Error{Code: tacet.SecretNameScheduled, Secret: "s"}, 409, "ObjectIsDeletedButRecoverable",
			"Secret S is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."},
	} {
		f := tt.x.translate(tt.err)
		if f.status != tt.status || f.inner != tt.inner || f.text != tt.text {
			t.Errorf("%s %s:\n%+v\nwant %d %s %q", tt.x.op, tt.err.Code, f, tt.status, tt.inner, tt.text)
		}
	}
	deny := roles.translate(denied(tacet.DenyExplicitIdentity))
	if !strings.Contains(deny.text, "DenyAssignmentId: 'decision'") {
		t.Errorf("an explicit deny: %q", deny.text)
	}
}
