package vault_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/vault"
)

const otherAccount = "000000000002"

// stranger is an administrator of another account, put there as the first one is.
func (h *house) stranger() tacet.Call {
	h.Helper()
	r := guard.Request{Call: tacet.Call{Account: otherAccount, Region: "us-east-1"}, Operation: tacet.OpBootstrap}
	id, err := guard.System(h.ctx, h.guard, r, func(tx *guard.Tx) (string, error) {
		if _, err := tx.CreateVault("other", otherAccount, "us-east-1"); err != nil {
			return "", err
		}
		u := tacet.User{Grantee: tacet.Grantee{ID: tx.NewUniqueID("AIDA"), Account: otherAccount, Path: "/", Name: "stranger", Created: tx.Now(),
			Attached: []string{"arn:aws:iam::aws:policy/AdministratorAccess"}}}
		if err := tx.PutUser(u); err != nil {
			return "", err
		}
		k := tacet.AccessKey{ID: tx.NewUniqueID("AKIA"), Account: otherAccount, User: u.Name, Created: tx.Now()}
		return k.ID, tx.PutAccessKey(k, tacet.NewPlaintext([]byte("secret")))
	})
	h.must(err)
	return h.callAs(id)
}

// arnRef refers to a secret of the first account by its ARN, or without a suffix by a
// partial one.
func arnRef(name, suffix string) tacet.SecretRef {
	ref := tacet.SecretRef{Name: name, Suffix: suffix, Account: "000000000001", Region: "us-east-1"}
	ref.Given = "arn:aws:secretsmanager:us-east-1:000000000001:secret:" + name
	if suffix != "" {
		ref.Given += "-" + suffix
	}
	return ref
}

// TestThreat13_OtherAccounts: whoever knows the ARN of another account's secret gets no
// further with it than without, whatever the operation, whatever his own policies allow.
func TestThreat13_OtherAccounts(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("theirs", "value")
		info, err := h.vault.DescribeSecret(h.ctx, h.admin, tacet.NameRef("theirs"))
		h.must(err)
		who := h.stranger()
		asked := 0
		v := reflect.ValueOf(h.vault)
		for i := range v.NumMethod() {
			for _, suffix := range []string{info.Secret.Suffix, ""} {
				args, takes := secretArgs(v.Method(i).Type(), arnRef("theirs", suffix))
				if !takes {
					continue
				}
				asked++
				before := len(h.records())
				out := v.Method(i).Call(append([]reflect.Value{reflect.ValueOf(h.ctx), reflect.ValueOf(who)}, args...))
				err, _ := out[len(out)-1].Interface().(error)
				name := fmt.Sprintf("%s with suffix %q", v.Type().Method(i).Name, suffix)
				if tacet.CodeOf(err) != tacet.Denied {
					t.Errorf("%s: %v, want a refusal", name, err)
				}
				if after := h.records()[before:]; len(after) != 1 || after[0].Outcome != tacet.OutcomeDenied || after[0].CallerAcct != otherAccount {
					t.Errorf("%s: the refusal is not recorded: %+v", name, after)
				}
			}
		}
		if asked < 2*15 {
			t.Errorf("only %d operations were asked", asked)
		}
		h.wantValue("theirs", "value")
		// A name means the caller's own account, and so does a listing.
		_, err = h.vault.DescribeSecret(h.ctx, who, tacet.NameRef("theirs"))
		h.wantCode(err, tacet.SecretNotFound)
		list, err := h.vault.ListSecrets(h.ctx, who, vault.ListSecretsInput{IncludePlannedDeletion: true})
		h.must(err)
		found, err := h.vault.BatchGetSecretValue(h.ctx, who, vault.BatchGetSecretValueInput{Secrets: []tacet.SecretRef{arnRef("theirs", info.Secret.Suffix)}})
		h.must(err)
		if len(list.Secrets) != 0 || len(found.Values) != 0 || len(found.Errors) != 1 || tacet.CodeOf(found.Errors[0].Err) != tacet.Denied {
			t.Errorf("another account's secrets are shown: %v %v", list, found)
		}
	})
}

// secretArgs makes the arguments of a method behind (context, call), and reports whether
// one of them names a secret.
func secretArgs(method reflect.Type, ref tacet.SecretRef) (args []reflect.Value, takes bool) {
	if method.NumIn() < 3 || method.In(0) != reflect.TypeFor[context.Context]() || method.In(1) != reflect.TypeFor[tacet.Call]() {
		return nil, false
	}
	for i := 2; i < method.NumIn(); i++ {
		arg := censusArg(method.In(i), nil)
		if arg.Type() == reflect.TypeFor[tacet.SecretRef]() {
			arg, takes = reflect.ValueOf(ref), true
		}
		for f := 0; arg.Kind() == reflect.Struct && f < arg.NumField(); f++ {
			if arg.Type().Field(f).Type == reflect.TypeFor[tacet.SecretRef]() && arg.Field(f).CanSet() {
				arg.Field(f).Set(reflect.ValueOf(ref))
				takes = true
			}
		}
		args = append(args, arg)
	}
	return args, takes
}

// TestOtherAccountsByResourcePolicy: a secret's policy and the caller's own together let
// another account in, to everything but the value, which the account's default
// key protects.
func TestOtherAccountsByResourcePolicy(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("shared", "value")
		info, err := h.vault.DescribeSecret(h.ctx, h.admin, tacet.NameRef("shared"))
		h.must(err)
		who := h.stranger()
		grant := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + who.Caller.ARN + `"},"Action":"secretsmanager:*","Resource":"*"}}`
		_, err = h.vault.PutResourcePolicy(h.ctx, h.admin, vault.PutResourcePolicyInput{Secret: tacet.NameRef("shared"), Policy: grant})
		h.must(err)

		ref := arnRef("shared", info.Secret.Suffix)
		_, err = h.vault.GetSecretValue(h.ctx, who, vault.GetSecretValueInput{Secret: ref})
		h.wantCode(err, tacet.CrossAccountKey)
		_, err = h.vault.PutSecretValue(h.ctx, who, vault.PutSecretValueInput{Secret: ref, Token: token(2), Value: text("theirs")})
		h.wantCode(err, tacet.CrossAccountKey)
		_, err = h.vault.UpdateSecret(h.ctx, who, vault.UpdateSecretInput{Secret: ref, Token: token(2), Value: text("theirs")})
		h.wantCode(err, tacet.CrossAccountKey)
		h.wantValue("shared", "value")

		got, err := h.vault.DescribeSecret(h.ctx, who, ref)
		h.must(err)
		if got.ARN != info.ARN {
			t.Errorf("ARN %s, want %s", got.ARN, info.ARN)
		}
		_, err = h.vault.GetResourcePolicy(h.ctx, who, ref)
		h.must(err)
		_, err = h.vault.TagResource(h.ctx, who, ref, []tacet.Tag{{Key: "k", Value: "v"}})
		h.must(err)
		versions, err := h.vault.ListSecretVersionIDs(h.ctx, who, vault.ListVersionsInput{Secret: ref})
		h.must(err)
		if len(versions.Versions) != 1 {
			t.Errorf("%d versions", len(versions.Versions))
		}
		_, err = h.vault.DeleteSecret(h.ctx, who, vault.DeleteSecretInput{Secret: ref})
		h.must(err)
		records := h.records()
		if last := records[len(records)-1]; last.Resource != info.ARN || last.CallerAcct != otherAccount {
			t.Errorf("the record names the secret %s and the caller's account %s", last.Resource, last.CallerAcct)
		}
	})
}

// TestThreat13_OneAccountOperates: an administrator of another account than the first
// vault's has no say in the deployment, and does not learn which vaults there are.
func TestThreat13_OneAccountOperates(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		who := h.stranger()
		for name, err := range map[string]error{
			"audit":   errOf(h.vault.ReadAudit(h.ctx, who, 0, 1, false)),
			"verify":  h.vault.AuthorizeAudit(h.ctx, who),
			"clock":   h.vault.AuthorizeClock(h.ctx, who, "1h"),
			"create":  errOf(h.vault.CreateVault(h.ctx, who, vault.CreateVaultInput{Name: "more", Account: otherAccount, Region: "eu-west-1"})),
			"get":     errOf(h.vault.GetVault(h.ctx, who, "main")),
			"nothing": errOf(h.vault.GetVault(h.ctx, who, "nothing")),
			"update":  errOf(h.vault.UpdateVault(h.ctx, who, vault.UpdateVaultInput{Name: "main"})),
			"delete":  h.vault.DeleteVault(h.ctx, who, "main"),
		} {
			if tacet.CodeOf(err) != tacet.Denied {
				t.Errorf("%s: %v", name, err)
			}
		}
		own, err := h.vault.ListVaults(h.ctx, who)
		h.must(err)
		if len(own) != 1 || own[0].Name != "other" {
			t.Errorf("vaults shown: %+v", own)
		}
		// Nor does the deployment become its by the end of the first vault.
		h.wantCode(h.vault.DeleteVault(h.ctx, h.admin, "main"), tacet.InvalidRequest)
	})
}
