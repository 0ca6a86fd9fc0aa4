package vault_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/vault"
)

// TestDenialsExplainThemselves: the record of a refusal keeps how the policies' statements
// took it, condition by condition; that of an allowed request does not.
func TestDenialsExplainThemselves(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("db", "hunter2")
		ci := h.callAs(h.newUser("ci", `{"Version":"2012-10-17","Statement":[
			{"Sid":"Other","Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:*:*:secret:web-??????"},
			{"Sid":"Office","Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}},
			{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}]}`))
		_, err := h.vault.GetSecretValue(h.ctx, ci, vault.GetSecretValueInput{Secret: tacet.NameRef("db")})
		if tacet.CodeOf(err) != tacet.Denied {
			t.Fatal(err)
		}
		_, err = h.get("db")
		h.must(err)
		recs := h.records()
		rec, allowed := recs[len(recs)-2], recs[len(recs)-1]
		if allowed.Why != nil || allowed.Outcome != tacet.OutcomeAllowed {
			t.Errorf("an allowed request is explained: %s", allowed.Why)
		}
		ms, err := strconv.ParseInt(rec.ID[:12], 16, 64)
		if err != nil || len(rec.ID) != 32 || ms != rec.Time.UnixMilli() {
			t.Errorf("the id %s is not of the time %s", rec.ID, rec.Time)
		}
		var why struct {
			Action, Resource string
			Decision         struct{ Reason string }
			Statements       []struct {
				Policy, Sid, Failed string
				Conditions          []struct {
					Key         string
					Wanted, Had []string
					Held        bool
				}
			}
		}
		h.must(json.Unmarshal(rec.Why, &why))
		if why.Action != "secretsmanager:GetSecretValue" || why.Resource != rec.Resource || why.Decision.Reason != rec.Reason || len(why.Statements) != 2 {
			t.Fatalf("%s", rec.Why)
		}
		if s := why.Statements[0]; s.Policy != "test" || s.Sid != "Office" || s.Failed != "condition" || len(s.Conditions) != 1 ||
			s.Conditions[0].Key != "aws:SourceIp" || s.Conditions[0].Held || s.Conditions[0].Had[0] != "192.0.2.1" {
			t.Errorf("%+v", s)
		}
		if s := why.Statements[1]; s.Sid != "Other" || s.Failed != "resource" {
			t.Errorf("%+v", s)
		}
		if strings.Contains(string(rec.Why), "hunter2") || len(rec.Why) > 4<<10 {
			t.Errorf("%s", rec.Why)
		}
	})
}

// TestOperationsUnderTwoNames: what is only asked so that a deny under another cloud's name
// holds is not explained when it denies nothing.
func TestOperationsUnderTwoNames(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("db", "1")
		app := h.callAs(h.newUser("app", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:UpdateSecretVersionStage","Resource":"*"}}`))
		h.clock.Add(int64(time.Second))
		h.put("db", 2, "2")
		_, err := h.vault.UpdateSecretVersionStage(h.ctx, app, vault.UpdateStageInput{Secret: tacet.NameRef("db"), Stage: "x", MoveTo: token(1)})
		h.must(err)
		recs := h.records()
		if rec := recs[len(recs)-1]; rec.Why != nil || rec.Reason != "" || rec.Outcome != tacet.OutcomeAllowed {
			t.Errorf("%+v", rec)
		}
	})
}
