package vault_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/vault"
)

// subject is a user without policies, who is assigned things and then tries.
type subject struct {
	*house
	aws, azure tacet.Call
}

func (h *house) subject(name string) *subject {
	h.Helper()
	aws := h.callAs(h.newUser(name, ""))
	azure := aws
	azure.Vault, azure.Account, azure.Region = "main", "", ""
	return &subject{h, aws, azure}
}

// assign gives the subject a role at the vault, or at one of its secrets, and returns what
// takes it back.
func (s *subject) assign(role, secret string, deny bool) (takeBack func()) {
	s.Helper()
	a, err := s.ids.CreateRoleAssignment(s.ctx, s.admin, identity.CreateAssignmentInput{Vault: "main", Secret: secret,
		Principal: tacet.ObjectID(s.aws.Caller.ID), Role: role, Deny: deny})
	s.must(err)
	return func() { s.must(s.ids.DeleteRoleAssignment(s.ctx, s.admin, "main", a.ID)) }
}

// can tells which of the grant cases the subject may do.
func (s *subject) can() (names []string) {
	s.Helper()
	for _, c := range grantCases() {
		s.prepare()
		switch err := c.do(s.house, s.aws, s.azure); {
		case err == nil:
			names = append(names, c.name)
		case tacet.CodeOf(err) != tacet.Denied:
			s.Errorf("%s: %v", c.name, err)
		}
	}
	return names
}

func (s *subject) wantCan(what string, want []string) {
	s.Helper()
	if got := s.can(); !slices.Equal(got, want) {
		s.Errorf("%s:\n can %q,\nwant %q", what, got, want)
	}
}

// What the built-in roles can do with secrets.
var (
	canListAny  = []string{"list", "list deleted"}
	canRead     = []string{"list", "list deleted", "get deleted"}
	canUse      = []string{"get", "list", "list deleted", "get deleted"}
	canAll      = allCases()
	canOfPolicy = map[string][]string{
		"get":     {"get", "get deleted"},
		"list":    {"list", "list deleted"},
		"set":     {"set a new secret", "set another version", "set a version with tags", "set a version without the tags there are", "update attributes", "update tags", "AWS's update with a value"},
		"delete":  {"delete"},
		"recover": {"recover"},
		"purge":   {"purge"},
		"backup":  {"back up"},
		"restore": {"restore"},
	}
)

func allCases() (out []string) {
	for _, c := range grantCases() {
		out = append(out, c.name)
	}
	return out
}

// TestBuiltInRoles: the built-in roles with their data actions, at vault and at
// object scope. "A data role on one secret cannot list."
func TestBuiltInRoles(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		s := h.subject("subject")
		for _, r := range []struct {
			role, id string
			can      []string
		}{
			{"Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483", canAll},
			{"Key Vault Reader", "21090545-7ca7-4776-b22c-e363652d74d2", canRead},
			{"Key Vault Secrets Officer", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", canAll},
			{"Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6", canUse},
			{"Key Vault Crypto Officer", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", nil},
			{"Key Vault Crypto User", "12338af0-0e69-4776-bea7-57ae8d297424", nil},
			{"Key Vault Crypto Service Encryption User", "e147488a-f6f5-4113-8e2d-b22465e65bf6", nil},
			{"Key Vault Crypto Service Release User", "08bbd89e-9f13-488c-ac41-acfcb10c90ab", nil},
			{"Key Vault Certificates Officer", "a4417e6f-fecd-4de8-b567-7b0420556985", nil},
			{"Key Vault Certificate User", "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba", canUse},
			{"Key Vault Contributor", "f25e0fa2-a7c8-4377-a976-54943a77a395", nil},
			{"Key Vault Data Access Administrator", "8b54135c-b56d-4d72-a534-26097cfdc8d8", nil},
		} {
			takeBack := s.assign(strings.ToUpper(r.role), "", false) // names have no case
			s.wantCan(r.role, r.can)
			takeBack()
			var all []func()
			for _, name := range []string{"new", "live", "tagged", "gone", "kept"} {
				all = append(all, s.assign(r.id, name, false))
			}
			s.wantCan(r.role+" at every secret", slices.DeleteFunc(slices.Clone(r.can), func(c string) bool { return slices.Contains(canListAny, c) }))
			for _, takeBack := range all {
				takeBack()
			}
			takeBack = s.assign(r.id, "another", false)
			s.wantCan(r.role+" at another secret", nil)
			takeBack()
		}
	})
}

// TestCustomRoles: "Match is segment-wise, case-insensitive, * spans segments;
// notDataActions subtract; deny wins."
func TestCustomRoles(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		s := h.subject("subject")
		without := func(names ...string) []string {
			return slices.DeleteFunc(slices.Clone(canAll), func(c string) bool { return slices.Contains(names, c) })
		}
		for i, c := range []struct {
			actions, not []string
			can          []string
		}{
			{actions: []string{"microsoft.keyvault/VAULTS/secrets/getsecret/ACTION"}, can: []string{"get"}},
			{actions: []string{"*"}, not: []string{"Microsoft.KeyVault/vaults/secrets/*"}},
			{actions: []string{"*/read"}},
			{actions: []string{"Microsoft.KeyVault/vaults/*/readMetadata/action"}, can: canRead},
			{actions: []string{kv + "*"}, not: []string{kv + "PURGE/*"}, can: without("purge", "AWS's force")},
			{actions: []string{kv + "get*", kv + "purge/action"}, not: []string{"*/getSecret/*"}, can: []string{"purge"}},
		} {
			name := fmt.Sprint("custom ", i)
			_, err := h.ids.CreateRoleDefinition(h.ctx, h.admin, identity.CreateDefinitionInput{Name: name, DataActions: c.actions, NotDataActions: c.not})
			h.must(err)
			takeBack := s.assign(name, "", false)
			s.wantCan(fmt.Sprint(c.actions, " without ", c.not), c.can)
			h.wantCode(h.ids.DeleteRoleDefinition(h.ctx, h.admin, name), tacet.PrincipalInUse)
			takeBack()
			h.must(h.ids.DeleteRoleDefinition(h.ctx, h.admin, name))
		}
		for _, bad := range []identity.CreateDefinitionInput{
			{Name: "x"}, {DataActions: []string{"*"}}, {Name: "x", DataActions: []string{"a?b/c"}}, {Name: "x", DataActions: []string{"secrets"}}, {Name: " x", DataActions: []string{"*"}},
		} {
			h.wantCode(errOf(h.ids.CreateRoleDefinition(h.ctx, h.admin, bad)), tacet.InvalidParameter)
		}
		h.wantCode(errOf(h.ids.CreateRoleDefinition(h.ctx, h.admin, identity.CreateDefinitionInput{Name: "key vault reader", DataActions: []string{"*"}})), tacet.PrincipalExists)
		h.wantCode(h.ids.DeleteRoleDefinition(h.ctx, h.admin, "Key Vault Reader"), tacet.InvalidParameter)
	})
}

// TestAccessPolicies: permissions on the secrets of the whole vault, ignored
// while the vault goes by role assignments, and the other way round.
func TestAccessPolicies(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		s := h.subject("subject")
		set := func(permissions ...string) {
			_, err := h.ids.SetAccessPolicy(h.ctx, h.admin, "main", "subject", permissions)
			h.must(err)
		}
		goBy := func(accessPolicies bool) {
			_, err := h.vault.UpdateVault(h.ctx, h.admin, vault.UpdateVaultInput{Name: "main", VaultChange: vault.VaultChange{AccessPolicies: &accessPolicies}})
			h.must(err)
		}
		set("all")
		s.wantCan("an access policy in a vault of role assignments", nil)
		goBy(true)
		for _, p := range slices.Sorted(maps.Keys(canOfPolicy)) {
			set(strings.ToUpper(p))
			s.wantCan(p, canOfPolicy[p])
		}
		set("all")
		s.wantCan("all", canAll)
		list, err := h.ids.ListAccessPolicies(h.ctx, h.admin, "main")
		h.must(err)
		if len(list) != 1 || !slices.Equal(list[0].Permissions, tacet.SecretPermissions()) {
			t.Errorf("the access policies are %+v", list)
		}
		takeBack := s.assign("Key Vault Secrets User", "", true)
		s.wantCan("all, with a deny assignment", slices.DeleteFunc(slices.Clone(canAll), func(c string) bool {
			return slices.Contains(canUse, c) || c == "back up" // which reads the value
		}))
		takeBack()
		h.must(h.ids.DeleteAccessPolicy(h.ctx, h.admin, "main", "subject"))
		h.wantCode(h.ids.DeleteAccessPolicy(h.ctx, h.admin, "main", "subject"), tacet.PrincipalNotFound)
		s.assign("Key Vault Administrator", "", false)
		s.wantCan("a role in a vault of access policies", nil)
		goBy(false)
		s.wantCan("the role in a vault of role assignments", canAll)
		h.wantCode(errOf(h.ids.SetAccessPolicy(h.ctx, h.admin, "main", "subject", []string{"wrap"})), tacet.InvalidParameter)
	})
}

// TestThreat09_DenyInTheOtherLanguage: nobody gets round a deny by the language of his grant,
// or by the spelling of a name.
func TestThreat09_DenyInTheOtherLanguage(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("App/Db", "value")
		s := h.subject("subject")
		grant := func(policy string) {
			h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, identity.Ref{Kind: tacet.KindUser, Name: "subject"}, "test", policy))
		}
		read := func() (aws, azure error) {
			_, aws = h.vault.GetSecretValue(h.ctx, s.aws, vault.GetSecretValueInput{Secret: tacet.NameRef("App/Db")})
			_, azure = h.vault.GetSecret(h.ctx, s.azure, vault.GetSecretInput{Secret: tacet.ShownRef("app--db")})
			return aws, azure
		}
		want := func(what string, code tacet.Code) {
			t.Helper()
			aws, azure := read()
			if tacet.CodeOf(aws) != code || tacet.CodeOf(azure) != code {
				t.Errorf("%s: %v, %v", what, aws, azure)
			}
		}
		want("nothing", tacet.Denied)
		takeBack := s.assign("Key Vault Secrets User", "app--DB", false)
		want("the role", "")
		grant(policyOf(statement("Deny", sm+"GetSecretValue")))
		want("IAM's deny", tacet.Denied)
		grant(policyOf(statement("Allow", "*")))
		takeBack()
		want("IAM's allow", "")
		for _, scope := range []string{"", "App/Db", "app--db"} {
			takeBack := s.assign("Key Vault Secrets User", scope, true)
			want("a deny assignment at "+scope, tacet.Denied)
			var e *tacet.Error
			if aws, _ := read(); !errors.As(aws, &e) || e.Denial.Reason != tacet.DenyExplicitAssignment || h.guardHas(e.Denial.Assignment) != nil {
				t.Errorf("the refusal does not say which assignment: %+v", e)
			}
			takeBack()
		}
		// A denial holds for a name that does not exist yet, in any case of letters.
		s.assign("Key Vault Secrets Officer", "later", true)
		for _, name := range []string{"later", "LATER"} {
			h.wantCode(errOf(h.vault.SetSecret(h.ctx, s.azure, vault.SetSecretInput{Secret: tacet.ShownRef(name), Value: text("x")})), tacet.Denied)
			h.wantCode(errOf(h.vault.CreateSecret(h.ctx, s.aws, vault.CreateSecretInput{Name: name, Token: token(1), Value: text("x")})), tacet.Denied)
		}
	})
}

// guardHas tells whether the vault has an assignment.
func (h *house) guardHas(id string) error {
	list, err := h.ids.ListRoleAssignments(h.ctx, h.admin, "main")
	h.must(err)
	if !slices.ContainsFunc(list, func(a identity.AssignmentInfo) bool { return a.ID == id }) {
		return fmt.Errorf("no assignment %q", id)
	}
	return nil
}

// TestAuthorizationBeforeExistence: no permission and an unknown name is 403.
func TestAuthorizationBeforeExistence(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		s := h.subject("subject")
		get := func(name string) error {
			return errOf(h.vault.GetSecret(h.ctx, s.azure, vault.GetSecretInput{Secret: tacet.ShownRef(name)}))
		}
		s.assign("Key Vault Secrets User", "app", false)
		h.wantCode(get("app"), tacet.SecretNotFound)
		h.wantCode(get("app-abcdef"), tacet.Denied) // which looks like app with its suffix
		h.wantCode(get("other"), tacet.Denied)
		s.assign("Key Vault Secrets User", "", false)
		h.wantCode(get("other"), tacet.SecretNotFound)
	})
}

// TestAssignedFromAbroad: a principal has a home account and may be granted roles on any
// vault: the vault's side is enough, and it is the vault's to say.
func TestAssignedFromAbroad(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		out := h.create("shared", "value")
		h.create("private", "value")
		who := h.stranger()
		azure := who
		azure.Vault, azure.Account, azure.Region = "main", "", ""
		get := func() error {
			return errOf(h.vault.GetSecret(h.ctx, azure, vault.GetSecretInput{Secret: tacet.ShownRef("shared")}))
		}
		h.wantCode(get(), tacet.Denied)
		in := identity.CreateAssignmentInput{Vault: "main", Secret: "shared", Principal: who.Caller.ARN, Role: "Key Vault Secrets User"}
		// Threat 13: his rights at home, which are all, are no rights here.
		for _, vaultName := range []string{"main", "MAIN"} {
			in := in
			in.Vault = vaultName
			h.wantCode(errOf(h.ids.CreateRoleAssignment(h.ctx, who, in)), tacet.Denied)
		}
		h.wantCode(errOf(h.ids.ListRoleAssignments(h.ctx, who, "main")), tacet.Denied)
		h.wantCode(errOf(h.ids.SetAccessPolicy(h.ctx, who, "main", "stranger", []string{"all"})), tacet.Denied)

		a, err := h.ids.CreateRoleAssignment(h.ctx, h.admin, in)
		h.must(err)
		h.wantCode(h.ids.DeleteRoleAssignment(h.ctx, who, "main", a.ID), tacet.Denied)
		h.wantCode(h.ids.DeleteRoleAssignment(h.ctx, who, "other", a.ID), tacet.PrincipalNotFound)
		h.must(get())
		ref := tacet.SecretRef{Given: out.ARN, Name: "shared", Account: "000000000001", Region: "us-east-1"}
		_, err = h.vault.DescribeSecret(h.ctx, who, ref)
		h.must(err)
		// AWS's rule stands beside: the default key is its account's own.
		h.wantCode(errOf(h.vault.GetSecretValue(h.ctx, who, vault.GetSecretValueInput{Secret: ref})), tacet.CrossAccountKey)
		h.wantCode(errOf(h.vault.GetSecret(h.ctx, azure, vault.GetSecretInput{Secret: tacet.ShownRef("private")})), tacet.Denied)

		// His own vault is his to say, and not another account's.
		own := identity.CreateAssignmentInput{Vault: "other", Principal: h.admin.Caller.ARN, Role: "Key Vault Reader"}
		h.wantCode(errOf(h.ids.CreateRoleAssignment(h.ctx, h.admin, own)), tacet.Denied)
		h.must(errOf(h.ids.CreateRoleAssignment(h.ctx, who, own)))
		on := true
		h.wantCode(errOf(h.vault.UpdateVault(h.ctx, who, vault.UpdateVaultInput{Name: "main", VaultChange: vault.VaultChange{AccessPolicies: &on}})), tacet.Denied)
		h.wantCode(errOf(h.ids.ListAccess(h.ctx, who, identity.Question{Action: "tacet:CreateRoleAssignment", Resource: "vault/main"})), tacet.Denied)
		h.must(errOf(h.ids.ListAccess(h.ctx, h.admin, identity.Question{Action: "tacet:CreateRoleAssignment", Resource: "arn:aws:tacet:::vault/main"})))

		// The vault of an account that has nobody is whoever's who may administer vaults.
		_, err = h.vault.CreateVault(h.ctx, h.admin, vault.CreateVaultInput{Name: "empty", Account: "000000000003", Region: "us-east-1"})
		h.must(err)
		_, err = h.ids.CreateRoleDefinition(h.ctx, h.admin, identity.CreateDefinitionInput{Name: "There", DataActions: []string{"*"}, Vaults: []string{"empty"}})
		h.must(err)
		h.must(errOf(h.ids.CreateRoleAssignment(h.ctx, h.admin, identity.CreateAssignmentInput{Vault: "empty", Principal: "nobody", Role: "There"})))
		there := h.nobody
		there.Vault, there.Account, there.Region = "empty", "", ""
		h.must(errOf(h.vault.SetSecret(h.ctx, there, vault.SetSecretInput{Secret: tacet.ShownRef("x"), Value: text("x")})))
		_, err = h.ids.CreateRoleDefinition(h.ctx, h.admin, identity.CreateDefinitionInput{Name: "Not there", DataActions: []string{"*"}, Vaults: []string{"other"}})
		h.wantCode(err, tacet.VaultNotFound)

		// Roles of one account are not another's.
		_, err = h.ids.CreateRoleDefinition(h.ctx, who, identity.CreateDefinitionInput{Name: "Friendly", DataActions: []string{"*"}})
		h.must(err)
		in.Role = "Friendly"
		h.wantCode(errOf(h.ids.CreateRoleAssignment(h.ctx, h.admin, in)), tacet.PrincipalNotFound)
	})
}

// TestThreat07_WhoMayAssign: as in Azure nobody need hold what he gives: he must be allowed
// to give at that vault. Nothing else is enough, above all not a data role.
func TestThreat07_WhoMayAssign(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		in := identity.CreateAssignmentInput{Vault: "main", Principal: "group/readers", Role: "Key Vault Secrets User"}
		_, err := h.ids.CreateGroup(h.ctx, h.admin, "readers", "")
		h.must(err)
		s := h.subject("subject")
		s.assign("Key Vault Administrator", "", false)
		h.wantCode(errOf(h.ids.CreateRoleAssignment(h.ctx, s.aws, in)), tacet.Denied)
		for i, action := range []string{"tacet:CreateRoleAssignment", "microsoft.authorization/roleassignments/write"} {
			for _, at := range []struct {
				vault string
				want  tacet.Code
			}{{"elsewhere", tacet.Denied}, {"main", ""}} {
				key := h.newUser(fmt.Sprint("giver", i, at.vault), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"`+action+`","Resource":"arn:aws:tacet:::vault/`+at.vault+`"}]}`)
				a, err := h.ids.CreateRoleAssignment(h.ctx, h.callAs(key), in)
				h.wantCode(err, at.want)
				h.wantCode(errOf(h.vault.GetSecretValue(h.ctx, h.callAs(key), vault.GetSecretValueInput{Secret: tacet.NameRef("x")})), tacet.Denied)
				if err == nil {
					h.wantCode(errOf(h.ids.CreateRoleAssignment(h.ctx, h.callAs(key), in)), tacet.PrincipalExists)
					h.wantCode(h.ids.DeleteRoleAssignment(h.ctx, h.callAs(key), "main", a.ID), tacet.Denied)
					h.must(h.ids.DeleteRoleAssignment(h.ctx, h.admin, "main", a.ID))
				}
			}
		}
	})
}

// TestAssignmentsEnd: an assignment is to one principal, through his groups, and ends with
// him, with the group, with the membership and with the vault.
func TestAssignmentsEnd(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("s", "value")
		s := h.subject("subject")
		get := func() error {
			return errOf(h.vault.GetSecretValue(h.ctx, s.aws, vault.GetSecretValueInput{Secret: tacet.NameRef("s")}))
		}
		_, err := h.ids.CreateGroup(h.ctx, h.admin, "readers", "")
		h.must(err)
		h.must(h.ids.AddUserToGroup(h.ctx, h.admin, "readers", "subject"))
		h.wantCode(get(), tacet.Denied)
		_, err = h.ids.CreateRoleAssignment(h.ctx, h.admin, identity.CreateAssignmentInput{Vault: "main", Principal: "group/readers", Role: "Key Vault Secrets User"})
		h.must(err)
		h.must(get())
		h.must(h.ids.RemoveUserFromGroup(h.ctx, h.admin, "readers", "subject"))
		h.wantCode(get(), tacet.Denied)
		h.must(h.ids.DeleteGroup(h.ctx, h.admin, "readers"))

		s.assign("Key Vault Secrets User", "", false)
		h.must(get())
		h.must(h.ids.UpdateUser(h.ctx, h.admin, "subject", identity.Renaming{Name: "renamed"}))
		s.aws = h.callAs(s.aws.Caller.AccessKey)
		h.must(get())
		h.must(h.ids.DeleteAccessKey(h.ctx, h.admin, "renamed", s.aws.Caller.AccessKey))
		h.must(h.ids.DeleteUser(h.ctx, h.admin, "renamed"))
		s.aws = h.callAs(h.newUser("renamed", ""))
		h.wantCode(get(), tacet.Denied)
		list, err := h.ids.ListRoleAssignments(h.ctx, h.admin, "main")
		h.must(err)
		if len(list) > 0 {
			t.Errorf("assignments are left: %+v", list)
		}

		_, err = h.vault.CreateVault(h.ctx, h.admin, vault.CreateVaultInput{Name: "short", Account: "000000000001", Region: "eu-west-1"})
		h.must(err)
		_, err = h.ids.CreateRoleAssignment(h.ctx, h.admin, identity.CreateAssignmentInput{Vault: "short", Principal: "renamed", Role: "Key Vault Administrator"})
		h.must(err)
		h.must(h.vault.DeleteVault(h.ctx, h.admin, "short"))
		_, err = h.vault.CreateVault(h.ctx, h.admin, vault.CreateVaultInput{Name: "short", Account: "000000000001", Region: "eu-west-1"})
		h.must(err)
		if list, err = h.ids.ListRoleAssignments(h.ctx, h.admin, "short"); err != nil || len(list) > 0 {
			t.Errorf("the new vault has %+v, %v", list, err)
		}
	})
}

// naiveRole is what the property below knows of a role.
type naiveRole struct{ actions, not []string }

func (r naiveRole) grants(action string) bool {
	covers := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			return regexp.MustCompile("(?i)^" + strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, ".*") + "$").MatchString(action)
		})
	}
	return covers(r.actions) && !covers(r.not)
}

// TestRolesAgreeWithANaiveEvaluator: on random roles and assignments, the translated
// policies decide as Azure's rules, read literally, do.
func TestRolesAgreeWithANaiveEvaluator(t *testing.T) {
	h := newHouse(t, "sqlite:"+t.TempDir()+"/tacet.db")
	h.create("one", "x")
	h.create("two", "x")
	s := h.subject("subject")
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	patterns := func(n int) (out []string) {
		for range n {
			out = append(out, pick("*", "Microsoft.KeyVault/*", kv+"*", "*/action", "*/delete", "*/READ", kv+"getSecret/action", kv+"*Secret/action",
				"Microsoft.KeyVault/vaults/keys/*", kv+"re*", strings.ToUpper(kv)+"readmetadata/action", kv+"purge/*", kv+"update"))
		}
		return out
	}
	questions := map[string][2]string{ // by action in AWS's language: Azure's, and the resource
		"secretsmanager:GetSecretValue": {kv + "getSecret/action", "one"}, "secretsmanager:PutSecretValue": {kv + "setSecret/action", "two"},
		"secretsmanager:DescribeSecret": {kv + "readMetadata/action", "one"}, "secretsmanager:ListSecrets": {kv + "readMetadata/action", "*"},
		"secretsmanager:UpdateSecret": {kv + "update/action", "one"}, "secretsmanager:DeleteSecret": {kv + "delete", "two"},
		"secretsmanager:RestoreSecret": {kv + "recover/action", "one"}, "ListDeletedSecrets": {kv + "readMetadata/action", "*"},
		"secretsmanager:PutResourcePolicy": {"", "one"}, "PurgeDeletedSecret": {kv + "purge/action", "two"},
	}
	allowed := 0
	for n := range 40 {
		role := naiveRole{patterns(1 + rnd.IntN(3)), patterns(rnd.IntN(2))}
		name := fmt.Sprint("role ", n)
		_, err := h.ids.CreateRoleDefinition(h.ctx, h.admin, identity.CreateDefinitionInput{Name: name, DataActions: role.actions, NotDataActions: role.not})
		h.must(err)
		denied := naiveRole{patterns(1), nil}
		_, err = h.ids.CreateRoleDefinition(h.ctx, h.admin, identity.CreateDefinitionInput{Name: name + " refused", DataActions: denied.actions})
		h.must(err)
		scope, deniedScope := pick("", "one", "two"), pick("", "one", "two", "three", "three")
		end, endDenied := s.assign(name, scope, false), s.assign(name+" refused", deniedScope, true)
		for action, q := range questions {
			covers := func(scope string) bool { return scope == "" || scope == q[1] }
			want := q[0] != "" && covers(scope) && role.grants(q[0]) && !(covers(deniedScope) && denied.grants(q[0]))
			v, err := h.ids.SimulateDecision(h.ctx, h.admin, identity.Question{Principal: "subject", Action: action, Resource: q[1]})
			h.must(err)
			if (v.Answer == "allowed") != want {
				t.Errorf("%s on %s: %s, want %v; %+v at %q, less %v at %q", action, q[1], v.Answer, want, role, scope, denied.actions, deniedScope)
			}
			if want {
				allowed++
			}
		}
		end()
		endDenied()
	}
	if allowed < 40 {
		t.Errorf("only %d requests were allowed: the cases say little", allowed)
	}
}
