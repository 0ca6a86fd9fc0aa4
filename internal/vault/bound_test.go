package vault_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/vault"
)

const arnOfAnn = "arn:aws:iam::" + account + ":user/ann"

func letIn(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["` + principal + `"]},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`
}

// annAgain deletes the user ann, makes another one of her name and returns both ids.
func (h *house) annAgain(key string) (first, second string) {
	h.Helper()
	u, err := h.ids.GetUser(h.ctx, h.admin, "ann")
	h.must(err)
	h.must(h.ids.DeleteAccessKey(h.ctx, h.admin, "ann", key))
	h.must(h.ids.DeleteUser(h.ctx, h.admin, "ann"))
	again, err := h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: "ann"})
	h.must(err)
	return u.ID, again.ID
}

func (h *house) putSecretPolicy(name, text string) error {
	_, err := h.vault.PutResourcePolicy(h.ctx, h.admin, vault.PutResourcePolicyInput{Secret: tacet.NameRef(name), Policy: text})
	return err
}

func (h *house) secretPolicy(call tacet.Call, name string) string {
	h.Helper()
	out, err := h.vault.GetResourcePolicy(h.ctx, call, tacet.NameRef(name))
	h.must(err)
	return out.Policy
}

// TestPolicyNamesADeletedPrincipal: the policy shows his id, who-can and can say that he is no
// more, the one who has his name now is not let in, and no policy may name him again.
func TestPolicyNamesADeletedPrincipal(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "one")
		key := h.newUser("ann", "")
		h.must(h.putSecretPolicy("s", letIn(arnOfAnn)))
		ask := func() (guard.Access, identity.Verdict) {
			t.Helper()
			access, err := h.ids.ListAccess(h.ctx, h.admin, identity.Question{Action: read, Resource: "s"})
			h.must(err)
			verdict, err := h.ids.SimulateDecision(h.ctx, h.admin, identity.Question{Principal: "user/ann", Action: read, Resource: "s"})
			h.must(err)
			return access, verdict
		}
		of := func(a guard.Access) (names []string) {
			for _, p := range a.Principals {
				names = append(names, p.ARN)
			}
			return names
		}
		access, verdict := ask()
		if !slices.Contains(of(access), arnOfAnn) || access.Deleted != nil || verdict.Answer != "allowed" || verdict.Deleted != nil {
			t.Errorf("at first: %+v, %+v", access, verdict)
		}
		first, second := h.annAgain(key)
		access, verdict = ask()
		if slices.Contains(of(access), arnOfAnn) || !slices.Equal(access.Deleted, []string{first}) {
			t.Errorf("who can: %+v", access)
		}
		if verdict.Answer != "denied" || !slices.Equal(verdict.Deleted, []string{first}) {
			t.Errorf("can: %+v", verdict)
		}
		if got := h.secretPolicy(h.admin, "s"); got != letIn(first) {
			t.Errorf("shown as %s, want %s", got, letIn(first))
		}
		h.wantCode(h.putSecretPolicy("s", letIn(first)), tacet.PolicyPrincipal)
		out, err := h.vault.ValidateResourcePolicy(h.ctx, h.admin, vault.ValidatePolicyInput{Secret: tacet.NameRef("s"), Policy: letIn(first)})
		if h.must(err); len(out) != 1 || out[0].Check != "UNSUPPORTED_PRINCIPAL" {
			t.Errorf("checked: %+v", out)
		}
		h.must(h.putSecretPolicy("s", letIn(second)))
		if got := h.secretPolicy(h.admin, "s"); got != letIn(arnOfAnn) {
			t.Errorf("shown as %s, want %s", got, letIn(arnOfAnn))
		}
		if _, verdict = ask(); verdict.Answer != "allowed" {
			t.Errorf("the new one: %+v", verdict)
		}
	})
}

// TestReplicaNamesPrincipals: a replica's policy names those whom the primary's does, also
// when it becomes a secret of its own.
func TestReplicaNamesPrincipals(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "one")
		key := h.newUser("ann", "")
		h.newVault("west", account, "eu-west-1")
		far := h.admin
		far.Region = "eu-west-1"
		_, err := h.vault.ReplicateSecretToRegions(h.ctx, h.admin, vault.ReplicateInput{Secret: tacet.NameRef("s"), Replicas: []vault.ReplicaRequest{{Region: far.Region}}})
		h.must(err)
		h.must(h.putSecretPolicy("s", letIn(arnOfAnn)))
		reads := func(key string) error {
			call := h.callAs(key)
			call.Region = far.Region
			_, err := h.vault.GetSecretValue(h.ctx, call, vault.GetSecretValueInput{Secret: tacet.NameRef("s")})
			return err
		}
		h.must(reads(key))
		if got := h.secretPolicy(far, "s"); got != letIn(arnOfAnn) {
			t.Errorf("the replica's policy is shown as %s", got)
		}
		first, _ := h.annAgain(key)
		k, _, err := h.ids.CreateAccessKey(h.ctx, h.admin, "ann")
		h.must(err)
		h.wantCode(reads(k.ID), tacet.Denied)
		_, err = h.vault.StopReplicationToReplica(h.ctx, far, tacet.NameRef("s"))
		h.must(err)
		h.advance(time.Second)
		h.wantCode(reads(k.ID), tacet.Denied)
		if got := h.secretPolicy(far, "s"); got != letIn(first) {
			t.Errorf("the promoted secret's policy is shown as %s", got)
		}
	})
}

// TestPolicyAsWritten: of a policy that is read nothing has changed but the names.
func TestPolicyAsWritten(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "one")
		h.newUser("ann", "")
		text := strings.ReplaceAll(`{ "Statement":
	[ {"Resource" : "*", "Condition": {"ArnLike": {"aws:PrincipalArn": ["ANN", "arn:aws:iam::*:user/x"]}}, "Action":["secretsmanager:Get*"],
	 "Effect": "Deny", "NotPrincipal": { "Service": "lambda.amazonaws.com", "AWS" : [ "000000000001",  "ANN", "arn:aws:iam::000000000001:root" ] } } ],
	"Id": "ANN \" é \u00e9",   "Version":"2012-10-17" }`+"\n", "ANN", arnOfAnn)
		h.must(h.putSecretPolicy("s", text))
		if got := h.secretPolicy(h.admin, "s"); got != text {
			t.Errorf("shown as\n%s\nwant\n%s", got, text)
		}
		for _, rec := range h.records() {
			if rec.Operation == tacet.OpPutResourcePolicy && rec.Parameters["resourcePolicy"] != text {
				t.Errorf("recorded as %s", rec.Parameters["resourcePolicy"])
			}
		}
	})
}
