package vault_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to write the database behind Tacet's back

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/seal/keyfile"
	"tacet/internal/store"
	"tacet/internal/store/storetest"
	"tacet/internal/vault"
)

// TestThreat42_Tampering writes the database as somebody who does not hold the key, and demands
// that it is noticed. (Threat class 42, and the integrity rules.)
func TestThreat42_Tampering(t *testing.T) {
	for _, c := range []struct {
		name string
		sql  string
	}{
		{"another secret's name", `UPDATE secret SET name = 'public' WHERE name = 'private'`},
		{"a forged resource policy", `UPDATE secret SET policy = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}' WHERE name = 'private'`},
		{"a forged resource policy for one user", `UPDATE secret SET policy = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000001:user/nobody"},"Action":"*","Resource":"*"}}' WHERE name = 'private'`},
		{"a moved label", `UPDATE secret SET body = replace(body, '000000000002', '000000000001') WHERE name = 'private'`},
		{"a forged tag", `UPDATE secret SET body = replace(body, 'blue', 'gold') WHERE name = 'private'`},
		{"a disabled version enabled", `UPDATE secret SET body = replace(body, '"off":true', '"off":false') WHERE name = 'private'`},
		{"another version's attributes", `UPDATE secret SET body = replace(body, '"attrs"', '"attr"') WHERE name = 'private'`},
		{"a version's own tags", `UPDATE secret SET body = replace(body, 'green', 'grey') WHERE name = 'private'`},
		{"a moved ciphertext", `UPDATE version SET sealed = (SELECT sealed FROM version v JOIN secret s ON s.id = v.secret WHERE s.name = 'other') WHERE secret = (SELECT id FROM secret WHERE name = 'private')`},
		{"a ciphertext of an older version", `UPDATE version SET sealed = (SELECT sealed FROM version v WHERE v.id LIKE '%01' AND v.secret = version.secret) WHERE id LIKE '%02'`},
		{"bytes passed off as a string", `UPDATE version SET body = '{"kind":"binary"}' WHERE id LIKE '%02'`},
		{"a flipped bit", `UPDATE version SET sealed = zeroblob(length(sealed)) WHERE id LIKE '%02'`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, path := tamperable(t)
			h.execute(path, c.sql)
			h.reopen(path)
			for _, name := range []string{"private", "public"} {
				got, err := h.get(name)
				if err == nil {
					t.Errorf("%s was read: %q", name, got)
				}
				if code := tacet.CodeOf(err); code != tacet.Internal && !(name == "public" && code == tacet.SecretNotFound) && !(name == "private" && code == tacet.SecretNotFound) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestForgedGrants: the directory is loaded whole, so one forged row refuses the start.
func TestForgedGrants(t *testing.T) {
	for _, c := range []struct{ name, sql, says string }{
		{"a policy", `UPDATE object SET body = replace(body, '"name":"nobody"', '"name":"nobody","policies":{"x":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"}') WHERE kind = 'user' AND id LIKE '%/nobody'`, "changed outside Tacet"},
		{"a key given to another user", `UPDATE object SET parent = '000000000001/admin' WHERE kind = 'accesskey'`, "changed outside Tacet"},
		{"a vault's account", `UPDATE vault SET account = '000000000002'`, "changed outside Tacet"},
		{"a vault's network rules", `UPDATE vault SET body = '{}'`, "changed outside Tacet"},
		{"a role assigned to another", `UPDATE object SET body = replace(body, 'AGPA', 'AIDA') WHERE kind = 'assignment'`, "changed outside Tacet"},
		{"a denial turned round", `UPDATE object SET body = replace(body, '"deny":true', '"deny":false') WHERE kind = 'assignment'`, "changed outside Tacet"},
		{"what a role grants", `UPDATE object SET body = replace(body, '*/read', '*') WHERE kind = 'roledefinition'`, "changed outside Tacet"},
		{"a role that is gone", `DELETE FROM object WHERE kind = 'roledefinition'`, "is missing"},
		{"a row copied to another id", `INSERT INTO object SELECT kind, id || 'x', parent, mac, body FROM object WHERE kind = 'user'`, "changed outside Tacet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, path := tamperable(t)
			h.must(errOf(h.ids.CreateGroup(h.ctx, h.admin, "readers", "")))
			h.must(errOf(h.ids.CreateRoleDefinition(h.ctx, h.admin, identity.CreateDefinitionInput{Name: "Reader", DataActions: []string{"*/read"}})))
			h.must(errOf(h.ids.CreateRoleAssignment(h.ctx, h.admin, identity.CreateAssignmentInput{Vault: "main", Principal: "group/readers", Role: "Reader", Deny: true})))
			h.execute(path, c.sql)
			err := h.tryReopen(path)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("opening said %v", err)
			}
		})
	}
}

func TestWrongKeyIsNoticedBeforeAnythingIsWritten(t *testing.T) {
	h, path := tamperable(t)
	h.guard.Close()
	h.must(h.db.Close())
	db, err := store.Open(h.ctx, store.Config{URL: "sqlite:" + path})
	h.must(err)
	defer func() { h.must(db.Close()) }()
	other, err := keyfile.Create(filepath.Join(t.TempDir(), "other"))
	h.must(err)
	_, err = guard.Open(h.ctx, guard.Config{DB: db, KEK: other, Now: h.now})
	if err == nil || !strings.Contains(err.Error(), "key") {
		t.Errorf("a wrong key opened the store: %v", err)
	}
}

func tamperable(t *testing.T) (*house, string) {
	path := filepath.Join(t.TempDir(), "tacet.db")
	h := newHouse(t, "sqlite:"+path)
	_, err := h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: "private", Token: token(1), Value: text("one"), Tags: []tacet.Tag{{Key: "team", Value: "blue"}}})
	h.must(err)
	h.put("private", 2, "two")
	made := h.setSecret("private", "off", tag("colour", "green"))
	h.patch("private", made.Version, vault.UpdateAttributesInput{Attributes: vault.AttributesInput{Enabled: ptr(false)}})
	_, err = h.vault.UpdateSecretVersionStage(h.ctx, h.admin, vault.UpdateStageInput{Secret: tacet.NameRef("private"), Stage: tacet.StageCurrent, MoveTo: token(2), RemoveFrom: tacet.VersionID(made.Version)})
	h.must(err)
	h.create("other", "other")
	h.wantValue("private", "two")
	return h, path
}

// TestThreat39_NothingIsLeftOfAPurgedSecret: whichever way a secret goes, no row of it
// stays and, once the server has stopped, no ciphertext in the file.
func TestThreat39_NothingIsLeftOfAPurgedSecret(t *testing.T) {
	h, path := tamperable(t)
	db, err := sql.Open("sqlite", path)
	h.must(err)
	count := func(query string) (n int) {
		t.Helper()
		h.must(db.QueryRowContext(h.ctx, query).Scan(&n))
		return n
	}
	remove := func(call tacet.Call, name string, force bool) {
		t.Helper()
		_, err := h.vault.DeleteSecret(h.ctx, call, vault.DeleteSecretInput{Secret: tacet.NameRef(name), Force: force})
		h.must(err)
	}
	far := h.admin
	far.Region = "eu-west-1"
	for _, name := range []string{"removed-replica", "overwritten", "stopped-replica"} {
		h.create(name, "value of "+name)
		if name == "overwritten" {
			_, err := h.vault.CreateSecret(h.ctx, far, vault.CreateSecretInput{Name: name, Token: token(7), Value: text("goes")})
			h.must(err)
		}
		_, err := h.vault.ReplicateSecretToRegions(h.ctx, h.admin, vault.ReplicateInput{Secret: tacet.NameRef(name),
			Replicas: []vault.ReplicaRequest{{Region: "eu-west-1"}}, ForceOverwrite: true})
		h.must(err)
	}
	var sealed [][]byte
	rows, err := db.QueryContext(h.ctx, "SELECT sealed FROM version WHERE secret <> (SELECT id FROM secret WHERE name = 'other')")
	h.must(err)
	for rows.Next() {
		var b []byte
		h.must(rows.Scan(&b))
		sealed = append(sealed, b)
	}
	h.must(rows.Err())
	h.must(rows.Close())
	if len(sealed) != 9 {
		t.Fatalf("%d versions", len(sealed))
	}

	remove(h.admin, "private", false)
	h.advance(31 * 24 * time.Hour)
	_, err = h.vault.Sweep(h.ctx)
	h.must(err)
	for _, name := range []string{"removed-replica", "overwritten"} {
		_, err := h.vault.RemoveRegionsFromReplication(h.ctx, h.admin, tacet.NameRef(name), []string{"eu-west-1"})
		h.must(err)
		remove(h.admin, name, true)
	}
	_, err = h.vault.StopReplicationToReplica(h.ctx, far, tacet.NameRef("stopped-replica"))
	h.must(err)
	remove(far, "stopped-replica", true)
	remove(h.admin, "stopped-replica", true)

	if secrets, versions := count("SELECT count(*) FROM secret"), count("SELECT count(*) FROM version"); secrets != 1 || versions != 1 {
		t.Errorf("%d secrets and %d versions are left, want the other one's", secrets, versions)
	}
	h.guard.Close()
	h.must(db.Close())
	h.must(h.db.Close()) // the last to close: its log goes into the file and away
	for _, file := range []string{path, path + "-wal"} {
		b, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for _, s := range sealed {
			if bytes.Contains(b, s) {
				t.Errorf("a ciphertext is left in %s", filepath.Base(file))
			}
		}
	}
}

// execute writes the database while no Tacet has it open.
func (h *house) execute(path, statement string) {
	h.Helper()
	h.guard.Close()
	h.must(h.db.Close())
	db, err := sql.Open("sqlite", path)
	h.must(err)
	res, err := db.ExecContext(h.ctx, statement)
	h.must(err)
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		h.Fatalf("the statement changed nothing (%v)", err)
	}
	h.must(db.Close())
}

func (h *house) tryReopen(path string) error {
	var err error
	h.db, err = store.Open(h.ctx, store.Config{URL: "sqlite:" + path})
	h.must(err)
	kek, err := keyfile.Open(filepath.Join(h.dir, "key"))
	h.must(err)
	h.guard, err = guard.Open(h.ctx, guard.Config{DB: h.db, KEK: kek, Now: h.now, Development: true})
	return err
}

func (h *house) reopen(path string) {
	h.Helper()
	h.must(h.tryReopen(path))
	guarded := h.guard
	h.Cleanup(guarded.Close)
	h.vault, h.ids = vault.New(h.guard), identity.New(h.guard, identity.Config{})
}

// TestTwoNodes runs two nodes on one PostgreSQL: what one acknowledges the other shows
// at once, and what one refuses from now on the other refuses too. (Threat class 43.)
func TestTwoNodes(t *testing.T) {
	url := storetest.Postgres(t)
	a := newHouse(t, url)
	b := a.node(url)

	a.create("shared", "one")
	b.wantValue("shared", "one")
	for i := 2; i < 40; i++ {
		writer, reader := a, b
		if i%2 == 0 {
			writer, reader = b, a
		}
		value := strings.Repeat("x", i)
		writer.put("shared", i, value)
		reader.wantValue("shared", value)
	}
	// A vault that one node makes serves the other, with its key.
	there := b.admin
	there.Region = "eu-west-1"
	_, err := b.vault.CreateSecret(b.ctx, there, vault.CreateSecretInput{Name: "far", Token: token(1), Value: text("far")})
	b.must(err)
	there = a.admin
	there.Region = "eu-west-1"
	_, err = a.vault.GetSecretValue(a.ctx, there, vault.GetSecretValueInput{Secret: tacet.NameRef("far")})
	a.must(err)

	allow := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}}`
	reader := a.callAs(a.newUser("reader", allow))
	read := func(h *house) error {
		_, err := h.vault.GetSecretValue(h.ctx, reader, vault.GetSecretValueInput{Secret: tacet.NameRef("shared")})
		return err
	}
	b.must(read(b))
	a.must(a.ids.DeleteInlinePolicy(a.ctx, a.admin, identity.Ref{Kind: tacet.KindUser, Name: "reader"}, "test"))
	b.wantCode(read(b), tacet.Denied)
	if n := len(b.records()); n != len(a.records()) {
		t.Errorf("the nodes disagree on the record: %d", n)
	}
}
