package vault_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/store/storetest"
	"tacet/internal/vault"
)

// TestLabelsMoveAsOnAWS: the label movement engine.
func TestLabelsMoveAsOnAWS(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "one")
		h.put("s", 2, "two")
		want := func(w string) {
			t.Helper()
			if got := h.stages("s"); got != w {
				t.Errorf("labels %q, want %q", got, w)
			}
		}
		want("AWSPREVIOUS=1 AWSCURRENT=2")
		h.put("s", 3, "three", "AWSPENDING", "blue")
		want("AWSPREVIOUS=1 AWSCURRENT=2 AWSPENDING=3 blue=3")
		h.wantValue("s", "two")
		_, err := h.vault.UpdateSecretVersionStage(h.ctx, h.admin, vault.UpdateStageInput{Secret: tacet.NameRef("s"), Stage: tacet.StageCurrent, MoveTo: token(3), RemoveFrom: token(2)})
		h.must(err)
		want("AWSPREVIOUS=2 AWSCURRENT=3 AWSPENDING=3 blue=3")
		// A put that moves AWSCURRENT takes AWSPENDING away; the custom label stays.
		h.put("s", 4, "four")
		want("AWSPREVIOUS=3 blue=3 AWSCURRENT=4")
		// Back to the one before.
		_, err = h.vault.UpdateSecretVersionStage(h.ctx, h.admin, vault.UpdateStageInput{Secret: tacet.NameRef("s"), Stage: tacet.StageCurrent, MoveTo: token(3), RemoveFrom: token(4)})
		h.must(err)
		want("AWSCURRENT=3 blue=3 AWSPREVIOUS=4")
		h.wantValue("s", "three")
	})
}

// TestDeletionAndTime: the recovery window and what is left behind it.
func TestDeletionAndTime(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		first := h.create("gone", "value")
		days := int64(7)
		_, err := h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("gone"), RecoveryDays: &days})
		h.must(err)
		_, err = h.get("gone")
		h.wantCode(err, tacet.SecretMarkedDeleted)
		_, err = h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: "gone", Token: token(9)})
		h.wantCode(err, tacet.SecretNameScheduled)
		_, err = h.vault.RestoreSecret(h.ctx, h.admin, tacet.NameRef("gone"))
		h.must(err)
		h.wantValue("gone", "value")
		_, err = h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("gone"), RecoveryDays: &days})
		h.must(err)

		h.advance(8 * 24 * time.Hour)
		_, err = h.get("gone")
		h.wantCode(err, tacet.SecretNotFound)
		// The name is free again even before the sweep, under a new ARN.
		again := h.create("gone", "other")
		if again.ARN == first.ARN {
			t.Error("the new secret has the old one's ARN")
		}
		h.wantValue("gone", "other")

		_, err = h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("gone"), RecoveryDays: &days})
		h.must(err)
		h.advance(8 * 24 * time.Hour)
		n, err := h.vault.Sweep(h.ctx)
		h.must(err)
		if n != 1 {
			t.Errorf("the sweep purged %d secrets, want 1", n)
		}
		last := h.records()[len(h.records())-1]
		if last.Operation != tacet.OpPurgeSecret || !last.Event || last.CallerKind != tacet.CallerSystem {
			t.Errorf("the purge is not recorded: %+v", last)
		}
	})
}

// TestVersionQuota: versions without a label are purged beyond a hundred, those of the last day never; a
// secret that has too many of those takes no more.
func TestVersionQuota(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("many", "value")
		put := func(n int) error {
			_, err := h.vault.PutSecretValue(h.ctx, h.admin, vault.PutSecretValueInput{Secret: tacet.NameRef("many"), Token: token(n), Value: text("v")})
			return err
		}
		n := 2
		for ; n < 300; n++ {
			if err := put(n); err != nil {
				h.wantCode(err, tacet.LimitExceeded)
				break
			}
		}
		if n != 121 {
			t.Fatalf("the quota was met at put %d, want 121", n)
		}
		// A day later the old ones make room, the labelled ones stay.
		h.advance(25 * time.Hour)
		h.must(put(n))
		out, err := h.vault.ListSecretVersionIDs(h.ctx, h.admin, vault.ListVersionsInput{Secret: tacet.NameRef("many"), IncludeDeprecated: true})
		h.must(err)
		if len(out.Versions) != 100 || out.NextToken != "" {
			t.Errorf("%d versions are left (more: %t), want 100", len(out.Versions), out.NextToken != "")
		}
		_, err = h.vault.GetSecretValue(h.ctx, h.admin, vault.GetSecretValueInput{Secret: tacet.NameRef("many"), Stage: tacet.StagePrevious})
		h.must(err)
	})
}

// TestReplicasFollowTheirPrimary: what a replica gets of its primary, and when.
func TestReplicasFollowTheirPrimary(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("r", "one")
		out, err := h.vault.ReplicateSecretToRegions(h.ctx, h.admin, vault.ReplicateInput{Secret: tacet.NameRef("r"), Replicas: []vault.ReplicaRequest{{Region: "eu-west-1"}}})
		h.must(err)
		if len(out.Replicas) != 1 || out.Replicas[0].Status != tacet.ReplicaInProgress {
			t.Fatalf("replication: %+v", out)
		}
		there := h.admin
		there.Region = "eu-west-1"
		read := func() (vault.SecretValue, error) {
			return h.vault.GetSecretValue(h.ctx, there, vault.GetSecretValueInput{Secret: tacet.NameRef("r")})
		}
		v, err := read()
		h.must(err)
		if string(v.Value.Reveal()) != "one" || v.ARN != strings.Replace(out.ARN, "us-east-1", "eu-west-1", 1) {
			t.Errorf("the replica is not the primary's copy: %s", v.ARN)
		}
		info, err := h.vault.DescribeSecret(h.ctx, h.admin, tacet.NameRef("r"))
		h.must(err)
		if rep := info.Secret.Replicas[0]; rep.Status != tacet.ReplicaInSync || rep.Accessed.IsZero() {
			t.Errorf("the replica as the primary shows it: %+v", rep)
		}
		_, err = h.vault.RestoreSecret(h.ctx, there, tacet.NameRef("r"))
		h.wantCode(err, tacet.ReplicaReadOnly)
		h.put("r", 2, "two")
		if v, err = read(); err != nil || string(v.Value.Reveal()) != "two" || v.Version != token(2) {
			t.Errorf("the replica did not follow: %v", err)
		}
		_, err = h.vault.PutSecretValue(h.ctx, there, vault.PutSecretValueInput{Secret: tacet.NameRef("r"), Token: token(3), Value: text("three")})
		h.wantCode(err, tacet.ReplicaReadOnly)
		_, err = h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("r")})
		h.wantCode(err, tacet.HasReplicas)
		_, err = h.vault.StopReplicationToReplica(h.ctx, there, tacet.NameRef("r"))
		h.must(err)
		_, err = h.vault.PutSecretValue(h.ctx, there, vault.PutSecretValueInput{Secret: tacet.NameRef("r"), Token: token(3), Value: text("three")})
		h.must(err)
		h.wantValue("r", "two")
		info, err = h.vault.DescribeSecret(h.ctx, h.admin, tacet.NameRef("r"))
		h.must(err)
		if len(info.Secret.Replicas) != 0 || info.Secret.PrimaryRegion != "" {
			t.Errorf("the primary still lists its replica: %+v", info.Secret.Replicas)
		}
	})
}

func TestFailedChangesLeaveARecordAndNoRows(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "one")
		before := len(h.records())
		_, err := h.vault.PutSecretValue(h.ctx, h.admin, vault.PutSecretValueInput{Secret: tacet.NameRef("s"), Token: token(1), Value: text("other")})
		h.wantCode(err, tacet.TokenInUse)
		// More labels than a secret may have: fails after the version was made.
		var stages []tacet.Stage
		for i := range 20 {
			stages = append(stages, tacet.Stage(fmt.Sprintf("label-%d", i)))
		}
		_, err = h.vault.PutSecretValue(h.ctx, h.admin, vault.PutSecretValueInput{Secret: tacet.NameRef("s"), Token: token(2), Value: text("two"), Stages: stages})
		h.wantCode(err, tacet.LimitExceeded)
		after := h.records()[before:]
		if len(after) != 2 || after[0].Outcome != tacet.OutcomeFailed || after[1].Error != tacet.LimitExceeded {
			t.Errorf("records of the failures: %+v", after)
		}
		if got := h.stages("s"); got != "AWSCURRENT=1" {
			t.Errorf("labels after the failures: %q", got)
		}
		_, err = h.vault.GetSecretValue(h.ctx, h.admin, vault.GetSecretValueInput{Secret: tacet.NameRef("s"), Version: token(2)})
		h.wantCode(err, tacet.VersionNotFound)
	})
}

// TestFilterWords: how the filter "all" splits words.
func TestFilterWords(t *testing.T) {
	for _, c := range []struct {
		text string
		want string
	}{
		{"prod/AppBeta/x", "prod app beta x"},
		{"SecretOne", "secret one"},
		{"COMPANYthings", "compan ythings"},
		{"a1b2", "a 1 b 2"},
		{"+", ""},
		{"one-two_three", "one two three"},
	} {
		if got := strings.Join(vault.SplitWords(c.text), " "); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

// TestSecretQuota: a vault holds only so many secrets; deleting one makes room, and
// what a failed creation would have added does not count.
func TestSecretQuota(t *testing.T) {
	for name, url := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "tacet.db"), "postgres": storetest.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, url, func(c *guard.Config) { c.MaxSecrets = 3 })
			create := func(name string) error {
				_, err := h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: name, Token: token(1), Value: text("v")})
				return err
			}
			h.must(create("a"))
			h.must(create("b"))
			h.wantCode(create("a"), "") // a repetition makes none
			h.must(create("c"))
			h.wantCode(create("d"), tacet.LimitExceeded)
			_, err := h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("a")})
			h.must(err)
			h.wantCode(create("d"), tacet.LimitExceeded) // it still waits for its purge
			_, err = h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("a"), Force: true})
			h.must(err)
			h.must(create("d"))
			h.wantCode(create("e"), tacet.LimitExceeded)
		})
	}
}

// TestChangesThatChangeNothing: a repetition, an empty list and a tag that is not there
// leave the secret as it was, its date included.
func TestChangesThatChangeNothing(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "one")
		h.put("s", 2, "two")
		describe := func() tacet.Secret {
			t.Helper()
			info, err := h.vault.DescribeSecret(h.ctx, h.admin, tacet.NameRef("s"))
			h.must(err)
			return *info.Secret
		}
		before := describe()
		h.advance(time.Hour)
		other := "another description"
		_, err := h.vault.UpdateSecret(h.ctx, h.admin, vault.UpdateSecretInput{Secret: tacet.NameRef("s"), Token: token(2), Value: text("two"), Description: &other})
		h.must(err)
		_, err = h.vault.UpdateSecret(h.ctx, h.admin, vault.UpdateSecretInput{Secret: tacet.NameRef("s"), Token: token(3)})
		h.must(err)
		_, err = h.vault.TagResource(h.ctx, h.admin, tacet.NameRef("s"), nil)
		h.must(err)
		_, err = h.vault.UntagResource(h.ctx, h.admin, tacet.NameRef("s"), []string{"none"})
		h.must(err)
		_, err = h.vault.RestoreSecret(h.ctx, h.admin, tacet.NameRef("s"))
		h.must(err)
		after := describe()
		if !after.Changed.Equal(before.Changed) || after.Description != "" || after.Tags != nil {
			t.Errorf("changed: %+v", after)
		}
		// AWSPREVIOUS goes to the version that was current, whatever else is asked for.
		h.put("s", 4, "four", tacet.StagePrevious, tacet.StageCurrent)
		if got := h.stages("s"); got != "AWSPREVIOUS=2 AWSCURRENT=4" {
			t.Errorf("labels %q", got)
		}
	})
}

// TestOnlyTheDefaultKey: a KmsKeyId means the default key of the secret's own account and
// region, or is refused; never silently accepted.
func TestOnlyTheDefaultKey(t *testing.T) {
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))
	h.create("s", "value")
	const arn = "arn:aws:kms:us-east-1:000000000001:"
	for i, tt := range []struct {
		id   string
		code tacet.Code
	}{
		{"", ""}, {"alias/aws/secretsmanager", ""}, {arn + "alias/aws/secretsmanager", ""},
		{"alias/mine", tacet.KMSKeyUnsupported}, {arn + "alias/mine", tacet.KMSKeyUnsupported}, {"11111111-2222-3333-4444-555555555555", tacet.KMSKeyUnsupported},
		{"arn:aws:kms:us-east-1:000000000002:alias/aws/secretsmanager", tacet.KMSKeyUnsupported},
		{"arn:aws:kms:eu-west-1:000000000001:alias/aws/secretsmanager", tacet.KMSKeyUnsupported},
		{arn + "key/alias/x:alias/aws/secretsmanager", tacet.KMSKeyUnsupported},
	} {
		_, err := h.vault.UpdateSecret(h.ctx, h.admin, vault.UpdateSecretInput{Secret: tacet.NameRef("s"), Token: token(2), KMSKeyID: &tt.id})
		h.wantCode(err, tt.code)
		_, err = h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: fmt.Sprintf("new%d", i), Token: token(1), KMSKeyID: tt.id})
		h.wantCode(err, tt.code)
	}
	mine := "alias/mine"
	_, err := h.vault.UpdateSecret(h.ctx, h.admin, vault.UpdateSecretInput{Secret: tacet.NameRef("none"), Token: token(2), KMSKeyID: &mine})
	h.wantCode(err, tacet.SecretNotFound)
	for region, code := range map[string]tacet.Code{"eu-west-1": "", "eu-west-2": tacet.KMSKeyUnsupported} {
		_, err := h.vault.ReplicateSecretToRegions(h.ctx, h.admin, vault.ReplicateInput{Secret: tacet.NameRef("s"),
			Replicas: []vault.ReplicaRequest{{Region: region, KMSKeyID: "arn:aws:kms:eu-west-1:000000000001:alias/aws/secretsmanager"}}})
		h.wantCode(err, code)
	}
}

func TestPolicyChecks(t *testing.T) {
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))
	h.create("s", "one")
	deny := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"secretsmanager:*","Resource":"*"}}`
	for _, ref := range []tacet.SecretRef{{}, tacet.NameRef("s")} {
		out, err := h.vault.ValidateResourcePolicy(h.ctx, h.admin, vault.ValidatePolicyInput{Secret: ref, Policy: deny})
		h.must(err)
		if len(out) != 1 || out[0].Check != "LOCKOUT" {
			t.Errorf("secret %q: %+v", ref.Name, out)
		}
	}
	for _, principal := range []string{`{"AWS":"bob"}`, `{"AWS":"arn:aws:s3:::x"}`, `{"AWS":"arn:aws:iam::000000000001:user/none"}`, `{"AWS":"999999999999"}`} {
		_, err := h.vault.PutResourcePolicy(h.ctx, h.admin, vault.PutResourcePolicyInput{Secret: tacet.NameRef("s"),
			Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"*","Resource":"*"}]}`})
		h.wantCode(err, tacet.PolicyPrincipal)
	}
	_, err := h.vault.PutResourcePolicy(h.ctx, h.admin, vault.PutResourcePolicyInput{Secret: tacet.NameRef("s"),
		Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`})
	h.wantCode(err, tacet.PolicyMalformed)
}
