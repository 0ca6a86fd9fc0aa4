package vault_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/vault"
)

const dayLong = 24 * time.Hour

func (h *house) softDelete(name string) vault.SecretBundle {
	h.Helper()
	b, err := h.vault.SoftDeleteSecret(h.ctx, h.azure, tacet.ShownRef(name))
	h.must(err)
	return b
}

func (h *house) getDeleted(name string) (vault.SecretBundle, error) {
	return h.vault.GetDeletedSecret(h.ctx, h.azure, tacet.ShownRef(name))
}

func (h *house) purge(name string) error {
	return h.vault.PurgeDeletedSecret(h.ctx, h.azure, tacet.ShownRef(name))
}

// "deletion": one recovery window, seen and ended from both sides.
func TestMapping_Deletion(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.setSecret("s", "one", tag("a", "1"))
		b := h.softDelete("S")
		if b.Name != "s" || b.PurgeAt.Sub(b.Deleted) != 90*dayLong || b.RecoverableDays != 90 || b.RecoveryLevel != "Recoverable+Purgeable" || !b.Value.IsZero() {
			t.Errorf("deleted: %+v", b)
		}
		info, err := h.vault.DescribeSecret(h.ctx, h.admin, tacet.NameRef("s"))
		h.must(err)
		if !info.Secret.Deleted.Equal(b.Deleted) || !info.Secret.PurgeAt.Equal(b.PurgeAt) {
			t.Error("AWS shows other times")
		}
		_, err = h.get("s")
		h.wantCode(err, tacet.SecretMarkedDeleted)
		ref := tacet.ShownRef("s")
		for name, call := range map[string]func() error{
			"get":    func() error { _, err := h.getSecret("s"); return err },
			"delete": func() error { _, err := h.vault.SoftDeleteSecret(h.ctx, h.azure, ref); return err },
			"update": func() error {
				_, err := h.vault.UpdateSecretAttributes(h.ctx, h.azure, vault.UpdateAttributesInput{Secret: ref})
				return err
			},
			"versions": func() error {
				_, err := h.vault.ListShownVersions(h.ctx, h.azure, vault.ListShownVersionsInput{Secret: ref})
				return err
			},
			"backup": func() error { _, err := h.vault.BackupSecret(h.ctx, h.azure, ref); return err },
		} {
			if err := call(); tacet.CodeOf(err) != tacet.SecretNotFound {
				t.Errorf("%s of a deleted secret: %v", name, err)
			}
		}
		_, err = h.vault.SetSecret(h.ctx, h.azure, vault.SetSecretInput{Secret: ref, Value: text("x")})
		h.wantCode(err, tacet.SecretNameScheduled)
		if h.listed(25) != "" || h.listedDeleted() != "s" {
			t.Errorf("listed %q, deleted %q", h.listed(25), h.listedDeleted())
		}
		got, err := h.getDeleted("s")
		h.must(err)
		if got.Version != b.Version || tags(got.Tags) != "a=1" || !got.PurgeAt.Equal(b.PurgeAt) {
			t.Errorf("the deleted secret: %+v", got)
		}

		// AWS takes back what Azure deleted, and the other way round.
		_, err = h.vault.RestoreSecret(h.ctx, h.admin, tacet.NameRef("s"))
		h.must(err)
		h.wantShown("s", "one")
		_, err = h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("s"), RecoveryDays: ptr(int64(7))})
		h.must(err)
		if got, err = h.getDeleted("s"); err != nil || got.RecoverableDays != 7 {
			t.Errorf("deleted by AWS: %+v, %v", got, err)
		}
		back, err := h.vault.RecoverDeletedSecret(h.ctx, h.azure, ref)
		h.must(err)
		if back.Version != b.Version || !back.Deleted.IsZero() {
			t.Errorf("recovered: %+v", back)
		}
		h.wantValue("s", "one")
		for _, err := range []error{h.purge("s"), errOf(h.getDeleted("s")), errOf(h.vault.RecoverDeletedSecret(h.ctx, h.azure, ref))} {
			h.wantCode(err, tacet.SecretNotFound) // it is not deleted
		}

		h.softDelete("s")
		h.must(h.purge("s"))
		h.wantCode(h.purge("s"), tacet.SecretNotFound)
		_, err = h.get("s")
		h.wantCode(err, tacet.SecretNotFound)
		h.setSecret("s", "again")
		if got := len(h.versions("s", 25)); got != 1 {
			t.Errorf("%d versions of the new secret", got)
		}

		// When the window has ended it is gone, before it is swept.
		h.softDelete("s")
		h.advance(90*dayLong + time.Second)
		_, err = h.getDeleted("s")
		h.wantCode(err, tacet.SecretNotFound)
		if got := h.listedDeleted(); got != "" {
			t.Errorf("deleted: %s", got)
		}
		h.setSecret("S", "in its place")
		h.wantShown("s", "in its place")
	})
}

func errOf[T any](_ T, err error) error { return err }

// listedDeleted pages through the deleted secrets and returns their names.
func (h *house) listedDeleted() string {
	h.Helper()
	var names []string
	in := vault.ShownListInput{MaxResults: 2}
	for {
		out, err := h.vault.ListDeletedSecrets(h.ctx, h.azure, in)
		h.must(err)
		for _, b := range out.Items {
			names = append(names, b.Name)
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return strings.Join(names, " ")
		}
	}
}

// GET of a deleted secret that is disabled is the refusal of a disabled one.
func TestContractC_DeletedAndDisabled(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		for _, name := range []string{"a", "b", "c"} {
			h.setSecret(name, "x")
			h.patch(name, "", vault.UpdateAttributesInput{Attributes: vault.AttributesInput{Enabled: ptr(false)}})
			h.softDelete(name)
		}
		_, err := h.getDeleted("a")
		h.wantCode(err, tacet.VersionDisabled)
		if got := h.listedDeleted(); got != "a b c" {
			t.Errorf("deleted: %s", got)
		}
		_, err = h.vault.RecoverDeletedSecret(h.ctx, h.azure, tacet.ShownRef("a"))
		h.must(err)
		_, err = h.getSecret("a")
		h.wantCode(err, tacet.VersionDisabled)
		h.must(h.purge("b"))
	})
}

// Purge protection: nobody ends a window early, whatever he calls it.
func TestContractF_PurgeProtection(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		v, err := h.vault.UpdateVault(h.ctx, h.admin, vault.UpdateVaultInput{Name: "main", VaultChange: vault.VaultChange{PurgeProtection: ptr(true)}})
		h.must(err)
		if v.RecoveryLevel() != "Recoverable" {
			t.Errorf("recovery level %s", v.RecoveryLevel())
		}
		h.setSecret("s", "x")
		force := vault.DeleteSecretInput{Secret: tacet.NameRef("s"), Force: true}
		_, err = h.vault.DeleteSecret(h.ctx, h.admin, force)
		h.wantCode(err, tacet.PurgeProtected)
		out, err := h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("s"), RecoveryDays: ptr(int64(7))})
		h.must(err)
		if left := out.PurgeAt.Sub(h.now()); left < 89*dayLong {
			t.Errorf("AWS's window ends in %v", left)
		}
		_, err = h.vault.DeleteSecret(h.ctx, h.admin, force)
		h.wantCode(err, tacet.PurgeProtected)
		h.wantCode(h.purge("s"), tacet.PurgeProtected)
		_, err = h.vault.UpdateVault(h.ctx, h.admin, vault.UpdateVaultInput{Name: "main", VaultChange: vault.VaultChange{PurgeProtection: ptr(false)}})
		h.wantCode(err, tacet.InvalidRequest)
		h.advance(90*dayLong + time.Minute)
		n, err := h.vault.Sweep(h.ctx)
		h.must(err)
		if n != 1 {
			t.Errorf("the sweeper purged %d", n)
		}

		// A replica is not overwritten in a protected vault either.
		there := h.admin
		there.Region = "eu-west-1"
		_, err = h.vault.CreateSecret(h.ctx, there, vault.CreateSecretInput{Name: "r", Token: token(1), Value: text("there")})
		h.must(err)
		_, err = h.vault.UpdateVault(h.ctx, h.admin, vault.UpdateVaultInput{Name: "main-eu-west-1", VaultChange: vault.VaultChange{PurgeProtection: ptr(true)}})
		h.must(err)
		made, err := h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: "r", Token: token(1), Value: text("here"),
			Replicas: []vault.ReplicaRequest{{Region: "eu-west-1"}}, ForceOverwriteReplica: true})
		h.must(err)
		if made.Replicas[0].Status != tacet.ReplicaFailed {
			t.Errorf("the replica is %+v", made.Replicas[0])
		}
	})
}

// Backup and restore.
func TestContractC_Backup(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		expires := time.Unix(1900000000, 0).UTC()
		h.create("app/db", "one")
		_, err := h.vault.SetSecret(h.ctx, h.azure, vault.SetSecretInput{Secret: tacet.ShownRef("app--db"), Value: text("two"), ContentType: "text/plain",
			Tags: []tacet.Tag{tag("a", "1")}, Attributes: vault.AttributesInput{Enabled: ptr(false), Expires: &expires}})
		h.must(err)
		h.setSecret("app--db", "three", tag("b", "2"))
		h.put("app/db", 4, "pending", tacet.StagePending)
		before := h.versions("app--db", 25)
		blob, err := h.vault.BackupSecret(h.ctx, h.azure, tacet.ShownRef("APP--db"))
		h.must(err)
		for _, value := range []string{"one", "two", "three", "pending", "app/db"} {
			if bytes.Contains(blob, []byte(value)) {
				t.Errorf("the backup shows %q", value)
			}
		}
		restore := func(call tacet.Call, blob []byte) error {
			_, err := h.vault.RestoreBackup(h.ctx, call, blob)
			return err
		}
		h.wantCode(restore(h.azure, blob), tacet.SecretExists)
		h.softDelete("app--db")
		h.wantCode(restore(h.azure, blob), tacet.SecretNameScheduled)
		h.must(h.purge("app--db"))
		h.create("APP/DB", "another case is in the way too")
		h.wantCode(restore(h.azure, blob), tacet.SecretExists)
		_, err = h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("APP/DB"), Force: true})
		h.must(err)
		h.must(restore(h.azure, blob))
		if after := h.versions("app--db", 25); !slices.EqualFunc(before, after, sameVersion) {
			t.Errorf("restored: %+v\nwant: %+v", after, before)
		}
		h.wantValue("app/db", "three")
		info, err := h.vault.DescribeSecret(h.ctx, h.admin, tacet.NameRef("app/db"))
		h.must(err)
		if info.Secret.Stages[tacet.StagePending] != token(4) || tags(info.Secret.Tags) != "b=2" {
			t.Errorf("labels %v, tags %v", info.Secret.Stages, info.Secret.Tags)
		}

		// Into another vault, but not into another deployment.
		other := h.admin
		other.Region = "eu-west-1"
		h.must(restore(other, blob))
		out, err := h.vault.GetSecretValue(h.ctx, other, vault.GetSecretValueInput{Secret: tacet.NameRef("app/db")})
		h.must(err)
		if string(out.Value.Reveal()) != "three" {
			t.Error("the copy has another value")
		}
		last := blob[len(blob)-1] ^ 1
		for name, bad := range map[string][]byte{"nothing": nil, "garbage": []byte("garbage"), "a flipped bit": append(slices.Clone(blob[:len(blob)-1]), last),
			"cut short": blob[:len(blob)-1], "something added": append(slices.Clone(blob), 0)} {
			if err := restore(h.azure, bad); tacet.CodeOf(err) != tacet.BackupInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		elsewhere := newHouse(t, "sqlite:"+t.TempDir()+"/other.db")
		_, err = elsewhere.vault.RestoreBackup(h.ctx, elsewhere.azure, blob)
		h.wantCode(err, tacet.BackupInvalid)
	})
}

func sameVersion(a, b vault.SecretBundle) bool {
	return a.Version == b.Version && a.Enabled == b.Enabled && a.ContentType == b.ContentType && a.Expires.Equal(b.Expires) &&
		a.Created.Equal(b.Created) && a.Updated.Equal(b.Updated) && tags(a.Tags) == tags(b.Tags) && a.Kind == b.Kind
}
