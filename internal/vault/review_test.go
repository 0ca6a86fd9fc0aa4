package vault_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/store/storetest"
	"tacet/internal/vault"
)

// TestReadsAreNotStarved: a steady writer, of the same secret or of the directory, must
// not keep a reader from his answer.
func TestReadsAreNotStarved(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "value")
		ctx, stop := context.WithCancel(h.ctx)
		var wg sync.WaitGroup
		for w := range 2 {
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					_, _ = h.vault.TagResource(ctx, h.admin, tacet.NameRef("s"), []tacet.Tag{{Key: "n", Value: fmt.Sprint(i)}})
				}
			})
			wg.Go(func() {
				for ctx.Err() == nil {
					name := fmt.Sprintf("user-%d", w)
					_, _ = h.ids.CreateUser(ctx, h.admin, identity.CreateUserInput{Name: name})
					_ = h.ids.DeleteUser(ctx, h.admin, name)
				}
			})
		}
		for range 200 {
			if _, err := h.get("s"); err != nil {
				t.Errorf("a read failed: %v", err)
				break
			}
			if _, err := h.ids.ListUsers(h.ctx, h.admin, identity.Listing{}); err != nil {
				t.Errorf("a listing failed: %v", err)
				break
			}
		}
		stop()
		wg.Wait()
	})
}

// TestHostileIDs: text that no store takes is the caller's error and nobody else's.
func TestHostileIDs(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "value")
		bad := tacet.VersionID(strings.Repeat("\x00", 32))
		ref := tacet.NameRef("s")
		_, err := h.vault.PutSecretValue(h.ctx, h.admin, vault.PutSecretValueInput{Secret: ref, Token: bad, Value: text("x")})
		h.wantCode(err, tacet.InvalidParameter)
		_, err = h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: "t", Token: bad, Value: text("x")})
		h.wantCode(err, tacet.InvalidParameter)
		_, err = h.vault.GetSecretValue(h.ctx, h.admin, vault.GetSecretValueInput{Secret: ref, Version: bad})
		h.wantCode(err, tacet.VersionNotFound)
		_, err = h.vault.UpdateSecretVersionStage(h.ctx, h.admin, vault.UpdateStageInput{Secret: ref, Stage: "x", MoveTo: bad})
		h.wantCode(err, tacet.VersionNotFound)
		h.put("s", 2, "two", tacet.Stage("a\x00b")) // in JSON it is only text
		_, err = h.vault.TagResource(h.ctx, h.admin, ref, []tacet.Tag{{Key: "a\x00", Value: "\x00"}})
		h.must(err)
		if n := h.guard.Stats().Failures; n != 0 {
			t.Errorf("%d groups failed for everybody in them", n)
		}
	})
}

// TestDenialsHoldInBothLanguages: what Azure calls setSecret is refused under each of its
// AWS names, and needs no grant in Azure's words.
func TestDenialsHoldInBothLanguages(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "one")
		h.put("s", 2, "two")
		allow := `{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"}`
		deny := `{"Effect":"Deny","Action":"Microsoft.KeyVault/vaults/secrets/setSecret/action","Resource":"*"}`
		try := func(call tacet.Call) []error {
			ref := tacet.NameRef("s")
			_, put := h.vault.PutSecretValue(h.ctx, call, vault.PutSecretValueInput{Secret: ref, Token: token(7), Value: text("x")})
			_, update := h.vault.UpdateSecret(h.ctx, call, vault.UpdateSecretInput{Secret: ref, Token: token(7), Value: text("x")})
			_, move := h.vault.UpdateSecretVersionStage(h.ctx, call, vault.UpdateStageInput{Secret: ref, Stage: "label", MoveTo: token(1)})
			return []error{put, update, move}
		}
		refused := h.callAs(h.newUser("refused", `{"Version":"2012-10-17","Statement":[`+allow+`,`+deny+`]}`))
		for _, err := range try(refused) {
			h.wantCode(err, tacet.Denied)
		}
		text := "only the description"
		_, err := h.vault.UpdateSecret(h.ctx, refused, vault.UpdateSecretInput{Secret: tacet.NameRef("s"), Token: token(8), Description: &text})
		h.must(err)
		for _, err := range try(h.callAs(h.newUser("allowed", `{"Version":"2012-10-17","Statement":[`+allow+`]}`))) {
			h.must(err)
		}
	})
}

// TestRefusalsAreRecordedBriefly: a request that was refused for its form is recorded,
// and who has no right cannot fill the record with what he was refused.
func TestRefusalsAreRecordedBriefly(t *testing.T) {
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))
	before := len(h.records())
	h.must(h.vault.RecordRefusal(h.ctx, h.nobody, tacet.OpGetSecretValue, tacet.RequestInvalid))
	h.wantCode(h.ids.PutInlinePolicy(h.ctx, h.nobody, identity.Ref{Kind: tacet.KindUser, Name: "nobody"}, "p", strings.Repeat("x", 60000)), tacet.Denied)
	recs := h.records()[before:]
	if len(recs) != 2 || recs[0].Error != tacet.RequestInvalid || recs[0].Outcome != tacet.OutcomeFailed || recs[0].Caller != h.nobody.Caller.ARN {
		t.Fatalf("records %+v", recs)
	}
	if s, _ := recs[1].Parameters["policyDocument"].(string); len(s) > 600 {
		t.Errorf("a refusal keeps %d bytes of what was sent", len(s))
	}
}

// TestPurgesAreRecordedOnce: taking over the name of a secret whose purge is due is a
// purge, and a sweep with nothing to do records nothing.
func TestPurgesAreRecordedOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		first := h.create("s", "one")
		days := int64(7)
		_, err := h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("s"), RecoveryDays: &days})
		h.must(err)
		h.advance(8 * 24 * time.Hour)
		h.create("s", "two")
		for range 3 {
			n, err := h.vault.Sweep(h.ctx)
			h.must(err)
			if n != 0 {
				t.Errorf("the sweep purged %d", n)
			}
		}
		purges := 0
		for _, r := range h.records() {
			if r.Operation == tacet.OpPurgeSecret {
				purges++
				if r.Resource != first.ARN {
					t.Errorf("the purge is of %s, want %s", r.Resource, first.ARN)
				}
			}
		}
		if purges != 1 {
			t.Errorf("%d purges are recorded, want 1", purges)
		}
	})
}

// TestStrangeRegionsGetNoVault: a development server serves every region there may be,
// and no other text.
func TestStrangeRegionsGetNoVault(t *testing.T) {
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))
	for _, region := range []string{"nowhere", "us_east_1", "US-EAST-1", "us-east-1x", "a:b*c", `x'"<>`, strings.Repeat("r", 3000)} {
		call := h.admin
		call.Region = region
		_, err := h.vault.CreateSecret(h.ctx, call, vault.CreateSecretInput{Name: "s", Token: token(1)})
		h.wantCode(err, tacet.VaultNotFound)
		if h.guard.ValidRegion(region) {
			t.Errorf("%q is called valid", region[:min(len(region), 20)])
		}
	}
	vaults, err := h.vault.ListVaults(h.ctx, h.admin)
	h.must(err)
	if len(vaults) != 1 {
		t.Errorf("%d vaults, want 1", len(vaults))
	}
}

// TestNewKeysWorkOnEveryNodeAtOnce: many first requests with a key that another node has
// just made are all let in, also a moment after somebody has guessed.
func TestNewKeysWorkOnEveryNodeAtOnce(t *testing.T) {
	url := storetest.Postgres(t)
	a := newHouse(t, url)
	b := a.node(url)
	for i := range 5 {
		_, err := b.ids.Credential("AKIAUNKNOWNUNKNOWNUN", "")
		a.wantCode(err, tacet.CredentialInvalid)
		key := a.newUser(fmt.Sprintf("user-%d", i), "")
		_, err = a.vault.CreateVault(a.ctx, a.admin, vault.CreateVaultInput{Name: fmt.Sprintf("vault-%d", i), Account: "000000000001", Region: fmt.Sprintf("eu-west-%d", i+1)})
		a.must(err)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if _, err := b.ids.Credential(key, ""); err != nil {
					t.Error("a key that was acknowledged is not known on another node")
				}
				if !b.guard.ValidRegion(fmt.Sprintf("eu-west-%d", i+1)) {
					t.Error("a vault that was acknowledged is not known on another node")
				}
			})
		}
		wg.Wait()
	}
}
