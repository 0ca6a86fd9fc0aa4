package vault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tacet"
	"tacet/internal/vault"
)

// reason tells why an error refused.
func reason(err error) tacet.DenyReason {
	var e *tacet.Error
	if errors.As(err, &e) && e.Denial != nil {
		return e.Denial.Reason
	}
	return ""
}

// statement writes a policy statement on every resource.
func statement(effect string, actions ...string) string {
	return fmt.Sprintf(`{"Effect":%q,"Action":["%s"],"Resource":"*"}`, effect, strings.Join(actions, `","`))
}

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// grantCase is one thing to do, in one face's words, with the names that allow it alone
// and the names that forbid it to who may do everything.
type grantCase struct {
	name   string
	do     func(h *house, aws, azure tacet.Call) error
	allow  []string // each is enough, with the others of needs
	refuse []string // each forbids
	tooFew []string // together not enough
}

const (
	sm = "secretsmanager:"
	kv = "Microsoft.KeyVault/vaults/secrets/"
)

var tagged = []tacet.Tag{{Key: "t", Value: "1"}}

func grantCases() []grantCase {
	ref, live, gone := tacet.ShownRef("new"), tacet.ShownRef("live"), tacet.ShownRef("gone")
	set := func(ref tacet.SecretRef, tags []tacet.Tag) func(*house, tacet.Call, tacet.Call) error {
		return func(h *house, _, azure tacet.Call) error {
			_, err := h.vault.SetSecret(h.ctx, azure, vault.SetSecretInput{Secret: ref, Value: text("x"), Tags: tags})
			return err
		}
	}
	return []grantCase{
		{"set a new secret", set(ref, nil), []string{sm + "CreateSecret", kv + "setSecret/action"}, []string{sm + "CreateSecret", kv + "setSecret/action"},
			[]string{sm + "PutSecretValue", kv + "update/action"}},
		{"set another version", set(live, nil), []string{sm + "PutSecretValue", kv + "setSecret/action"}, []string{sm + "PutSecretValue", kv + "setSecret/action"},
			[]string{sm + "CreateSecret", kv + "update/action"}},
		{"set a version with tags", set(live, tagged), []string{kv + "setSecret/action"}, []string{sm + "TagResource", sm + "PutSecretValue", kv + "setSecret/action"},
			[]string{sm + "PutSecretValue"}},
		{"set a version without the tags there are", set(tacet.ShownRef("tagged"), nil), []string{kv + "setSecret/action"}, []string{sm + "UntagResource"},
			[]string{sm + "PutSecretValue", sm + "TagResource"}},
		{"get", func(h *house, _, azure tacet.Call) error {
			return errOf(h.vault.GetSecret(h.ctx, azure, vault.GetSecretInput{Secret: live}))
		}, []string{sm + "GetSecretValue", kv + "getSecret/action"}, []string{sm + "GetSecretValue", kv + "getSecret/action"}, []string{sm + "DescribeSecret", kv + "readMetadata/action"}},
		{"list", func(h *house, _, azure tacet.Call) error {
			return errOf(h.vault.ListShownSecrets(h.ctx, azure, vault.ShownListInput{}))
		}, []string{sm + "ListSecrets", kv + "readMetadata/action"}, []string{sm + "ListSecrets", kv + "readMetadata/action"}, []string{kv + "getSecret/action"}},
		{"list deleted", func(h *house, _, azure tacet.Call) error {
			return errOf(h.vault.ListDeletedSecrets(h.ctx, azure, vault.ShownListInput{}))
		}, []string{sm + "ListSecrets", kv + "readMetadata/action"}, []string{sm + "ListSecrets", kv + "readMetadata/action"}, []string{kv + "getSecret/action"}},
		{"get deleted", func(h *house, _, azure tacet.Call) error { return errOf(h.vault.GetDeletedSecret(h.ctx, azure, gone)) },
			[]string{sm + "DescribeSecret", kv + "readMetadata/action"}, []string{sm + "DescribeSecret", kv + "readMetadata/action"}, []string{sm + "GetSecretValue"}},
		{"update attributes", func(h *house, _, azure tacet.Call) error {
			return errOf(h.vault.UpdateSecretAttributes(h.ctx, azure, vault.UpdateAttributesInput{Secret: live, ContentType: ptr("x")}))
		}, []string{sm + "UpdateSecret", kv + "update/action"}, []string{sm + "UpdateSecret", kv + "update/action"}, []string{kv + "setSecret/action", sm + "TagResource"}},
		{"update tags", func(h *house, _, azure tacet.Call) error {
			return errOf(h.vault.UpdateSecretAttributes(h.ctx, azure, vault.UpdateAttributesInput{Secret: live, Tags: tagged}))
		}, []string{kv + "update/action"}, []string{sm + "TagResource", kv + "update/action"}, []string{sm + "UpdateSecret"}},
		{"delete", func(h *house, _, azure tacet.Call) error { return errOf(h.vault.SoftDeleteSecret(h.ctx, azure, live)) },
			[]string{sm + "DeleteSecret", kv + "delete"}, []string{sm + "DeleteSecret", kv + "delete"}, []string{kv + "purge/action"}},
		{"recover", func(h *house, _, azure tacet.Call) error {
			return errOf(h.vault.RecoverDeletedSecret(h.ctx, azure, gone))
		},
			[]string{sm + "RestoreSecret", kv + "recover/action"}, []string{sm + "RestoreSecret", kv + "recover/action"}, []string{kv + "restore/action"}},
		{"purge", func(h *house, _, azure tacet.Call) error { return h.vault.PurgeDeletedSecret(h.ctx, azure, gone) },
			[]string{sm + "DeleteSecret", kv + "purge/action"}, []string{sm + "DeleteSecret", kv + "purge/action"}, []string{kv + "delete"}},
		{"AWS's force", func(h *house, aws, _ tacet.Call) error {
			return errOf(h.vault.DeleteSecret(h.ctx, aws, vault.DeleteSecretInput{Secret: tacet.NameRef("live"), Force: true}))
		}, []string{sm + "DeleteSecret"}, []string{sm + "DeleteSecret", kv + "purge/action", kv + "delete"}, []string{kv + "delete"}},
		{"AWS's update with a value", func(h *house, aws, _ tacet.Call) error {
			return errOf(h.vault.UpdateSecret(h.ctx, aws, vault.UpdateSecretInput{Secret: tacet.NameRef("live"), Token: token(2), Value: text("x")}))
		}, []string{sm + "UpdateSecret"}, []string{sm + "UpdateSecret", kv + "setSecret/action", kv + "update/action"}, []string{kv + "update/action"}},
		{"back up", func(h *house, _, azure tacet.Call) error { return errOf(h.vault.BackupSecret(h.ctx, azure, live)) },
			[]string{sm + "BackupSecret", kv + "backup/action"}, []string{sm + "BackupSecret", kv + "backup/action", sm + "GetSecretValue", kv + "getSecret/action"},
			[]string{sm + "GetSecretValue"}},
		{"restore", func(h *house, _, azure tacet.Call) error { return errOf(h.vault.RestoreBackup(h.ctx, azure, h.backup)) },
			[]string{kv + "restore/action"}, []string{sm + "RestoreBackup", kv + "restore/action", sm + "CreateSecret", sm + "TagResource"},
			[]string{sm + "RestoreBackup", kv + "setSecret/action"}},
	}
}

// TestThreat09_EveryNameInBothLanguages: an operation is allowed under each of its names
// and forbidden under each, in either language, whichever face asks; and no name of one
// language opens more than it says there. (Nobody gets round a deny by
// changing face.)
func TestThreat09_EveryNameInBothLanguages(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		key := h.newUser("subject", "")
		for _, c := range grantCases() {
			try := func(kind, policy string, want bool) {
				t.Helper()
				h.prepare()
				h.putPolicy("subject", policy)
				aws := h.callAs(key)
				azure := aws
				azure.Vault, azure.Account, azure.Region = "main", "", ""
				err := c.do(h, aws, azure)
				if want && err != nil || !want && tacet.CodeOf(err) != tacet.Denied {
					t.Errorf("%s, %s %s: %v", c.name, kind, policy, err)
				}
			}
			for _, name := range c.allow {
				try("allowed by", policyOf(statement("Allow", name)), true)
			}
			for _, name := range c.refuse {
				try("refused by", policyOf(statement("Allow", "*"), statement("Deny", name)), false)
			}
			try("too little is", policyOf(statement("Allow", c.tooFew...)), false)
		}
	})
}

// prepare makes the secrets that the grant cases are about: live, tagged and gone, and
// a backup of one that is not there.
func (h *house) prepare() {
	h.Helper()
	for _, name := range []string{"new", "live", "tagged", "gone", "kept"} {
		_, err := h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef(name), Force: true})
		h.must(err)
	}
	h.create("live", "x")
	h.setSecret("tagged", "x", tag("a", "1"))
	if h.backup == nil {
		h.setSecret("kept", "x", tag("a", "1"))
		var err error
		h.backup, err = h.vault.BackupSecret(h.ctx, h.azure, tacet.ShownRef("kept"))
		h.must(err)
		_, err = h.vault.DeleteSecret(h.ctx, h.admin, vault.DeleteSecretInput{Secret: tacet.NameRef("kept"), Force: true})
		h.must(err)
	}
	h.setSecret("gone", "x")
	h.softDelete("gone")
}

// A label moved by AWS's words changes the secret's tags where Azure gave versions their
// own: it takes the right to tag.
func TestThreat08_TagsByMovingLabels(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		old := h.setSecret("s", "1", tag("team", "red"))
		now := h.setSecret("s", "2", tag("team", "blue"))
		key := h.newUser("mover", policyOf(statement("Allow", sm+"UpdateSecretVersionStage")))
		move := vault.UpdateStageInput{Secret: tacet.NameRef("s"), Stage: tacet.StageCurrent, MoveTo: tacet.VersionID(old.Version), RemoveFrom: tacet.VersionID(now.Version)}
		_, err := h.vault.UpdateSecretVersionStage(h.ctx, h.callAs(key), move)
		h.wantCode(err, tacet.Denied)
		h.putPolicy("mover", policyOf(statement("Allow", sm+"UpdateSecretVersionStage", sm+"TagResource")))
		_, err = h.vault.UpdateSecretVersionStage(h.ctx, h.callAs(key), move)
		h.must(err)
	})
}
