package vault_test

import (
	"testing"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/vault"
)

// TestConditionsSeeTheRequest: what a caller sends is in the context of the decision,
// and tag keys are compared in any case, so that a deny cannot be dodged by spelling.
func TestConditionsSeeTheRequest(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		policy := `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"},
			{"Effect":"Deny","Action":"secretsmanager:CreateSecret","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"red"}}},
			{"Effect":"Deny","Action":"secretsmanager:GetSecretValue","Resource":"*","Condition":{"StringEquals":{"secretsmanager:VersionStage":"AWSPREVIOUS"}}},
			{"Effect":"Deny","Action":"secretsmanager:DeleteSecret","Resource":"*","Condition":{"Bool":{"secretsmanager:ForceDeleteWithoutRecovery":"true"}}},
			{"Effect":"Deny","Action":"secretsmanager:UpdateSecret","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Frozen":"yes"}}}]}`
		call := h.callAs(h.newUser("limited", policy))
		create := func(name string, tags ...tacet.Tag) error {
			_, err := h.vault.CreateSecret(h.ctx, call, vault.CreateSecretInput{Name: name, Token: token(1), Value: text("v"), Tags: tags})
			return err
		}
		h.wantCode(create("a", tacet.Tag{Key: "team", Value: "red"}), tacet.Denied)
		h.wantCode(create("a", tacet.Tag{Key: "Team", Value: "red"}), tacet.Denied)
		h.must(create("a", tacet.Tag{Key: "team", Value: "blue"}))
		h.must(create("b", tacet.Tag{Key: "frozen", Value: "yes"}))

		_, err := h.vault.GetSecretValue(h.ctx, call, vault.GetSecretValueInput{Secret: tacet.NameRef("a")})
		h.must(err)
		_, err = h.vault.GetSecretValue(h.ctx, call, vault.GetSecretValueInput{Secret: tacet.NameRef("a"), Stage: tacet.StagePrevious})
		h.wantCode(err, tacet.Denied)
		text := "new"
		_, err = h.vault.UpdateSecret(h.ctx, call, vault.UpdateSecretInput{Secret: tacet.NameRef("b"), Token: token(2), Description: &text})
		h.wantCode(err, tacet.Denied)
		_, err = h.vault.UpdateSecret(h.ctx, call, vault.UpdateSecretInput{Secret: tacet.NameRef("a"), Token: token(2), Description: &text})
		h.must(err)
		_, err = h.vault.DeleteSecret(h.ctx, call, vault.DeleteSecretInput{Secret: tacet.NameRef("a"), Force: true})
		h.wantCode(err, tacet.Denied)
	})
}

// TestTagsMustNotLockOut: a caller whose right depends on a tag cannot take it off.
func TestTagsMustNotLockOut(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Condition":{"StringEquals":{"secretsmanager:ResourceTag/team":"blue"}}}]}`
		call := h.callAs(h.newUser("blue", policy))
		_, err := h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: "s", Token: token(1), Tags: []tacet.Tag{{Key: "team", Value: "blue"}}})
		h.must(err)
		_, err = h.vault.UntagResource(h.ctx, call, tacet.NameRef("s"), []string{"team"})
		h.wantCode(err, tacet.Denied)
		_, err = h.vault.TagResource(h.ctx, call, tacet.NameRef("s"), []tacet.Tag{{Key: "team", Value: "red"}})
		h.wantCode(err, tacet.Denied)
		_, err = h.vault.TagResource(h.ctx, call, tacet.NameRef("s"), []tacet.Tag{{Key: "other", Value: "x"}})
		h.must(err)
		info, err := h.vault.DescribeSecret(h.ctx, call, tacet.NameRef("s"))
		h.must(err)
		if len(info.Secret.Tags) != 2 || info.Secret.Tags[0].Value != "blue" {
			t.Errorf("tags %v", info.Secret.Tags)
		}
	})
}

// TestThreat01_NamesAreCanonicalInDecisions: a deny on a user's ARN holds however the caller
// writes the name. (Threat classes 1, 2 and 25.)
func TestThreat01_NamesAreCanonicalInDecisions(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"},
			{"Effect":"Deny","Action":"iam:*","Resource":"arn:aws:iam::*:user/vip/Boss"}]}`
		_, err := h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: "Boss", Path: "/vip/"})
		h.must(err)
		call := h.callAs(h.newUser("clerk", policy))
		for _, name := range []string{"Boss", "boss", "BOSS", "bOsS"} {
			_, _, err := h.ids.CreateAccessKey(h.ctx, call, name)
			h.wantCode(err, tacet.Denied)
			h.wantCode(h.ids.DeleteUser(h.ctx, call, name), tacet.Denied)
		}
		_, err = h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: "BOSS"})
		h.wantCode(err, tacet.PrincipalExists)
		for _, name := range []string{"boss ", " boss", "boss\u200b", "ｂoss", "boss%20", "*", "bo?s"} {
			_, err := h.ids.CreateUser(h.ctx, h.admin, identity.CreateUserInput{Name: name})
			h.wantCode(err, tacet.InvalidParameter)
		}
	})
}
