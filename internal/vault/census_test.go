package vault_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/vault"
)

// exempt are the exported methods that take no call, Tacet's own work and what
// authentication needs, the one that only records what was refused already, and the one
// whose caller is whoever a token speaks for.
var exempt = []string{"Sweep", "Credential", "Bootstrap", "RecordRefusal", "VaultNamed", "FirstVault",
	"AssumeRoleWithWebIdentity", "IssueToken", "IssueIdentityToken", "VerifyBearer", "TokenKeySet", "TenantID", "RotateTokenKeys"}

// TestThreat14_Census walks every exported method of the two services, calls it as somebody
// without rights and demands exactly one record, of a refusal: a method that forgets to
// ask, or to record, fails here. (Threat classes 14, 16, 26.)
func TestThreat14_Census(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("census", "value")
		asked := 0
		for _, svc := range []any{h.vault, h.ids} {
			v := reflect.ValueOf(svc)
			for i := range v.NumMethod() {
				name := v.Type().Method(i).Name
				if slices.Contains(exempt, name) {
					continue
				}
				asked++
				for _, arg := range censusVariants(v.Method(i).Type()) {
					t.Run(strings.TrimSuffix(fmt.Sprint(name, arg), "<nil>"), func(t *testing.T) { censusOne(t, h, v.Method(i), name, arg) })
				}
			}
		}
		if asked < 30 {
			t.Errorf("the census asked only %d methods", asked)
		}
		refused := map[tacet.Operation]bool{}
		for _, rec := range h.records() {
			if rec.Outcome == tacet.OutcomeDenied {
				refused[rec.Operation] = true
			}
		}
		for _, op := range tacet.Operations() {
			if op.Service() == "iam" && !refused[op] {
				t.Errorf("nobody was refused %s: which method is it?", op)
			}
		}
	})
}

// censusVariants are the arguments that make operations of their own of one method: the
// kinds of principal, and what lists nothing.
func censusVariants(method reflect.Type) []any {
	var refs, ops bool
	for i := range method.NumIn() {
		refs = refs || method.In(i) == reflect.TypeFor[identity.Ref]()
		ops = ops || method.In(i) == reflect.TypeFor[tacet.Operation]()
	}
	switch {
	case ops:
		return []any{tacet.OpListMFADevices, tacet.OpListVirtualMFADevices, tacet.OpListSSHPublicKeys, tacet.OpListServiceSpecificCredentials,
			tacet.OpListSigningCertificates, tacet.OpListInstanceProfilesForRole}
	case refs:
		return []any{tacet.KindUser, tacet.KindGroup, tacet.KindRole, tacet.KindPolicy, tacet.KindOIDCProvider}
	}
	return []any{nil}
}

func censusOne(t *testing.T, h *house, method reflect.Value, name string, variant any) {
	before := len(h.records())
	mt := method.Type()
	if mt.NumIn() < 2 || mt.In(0) != reflect.TypeFor[context.Context]() || mt.In(1) != reflect.TypeFor[tacet.Call]() {
		t.Fatalf("%s does not take (context, call): who is calling?", name)
	}
	args := []reflect.Value{reflect.ValueOf(h.ctx), reflect.ValueOf(h.nobody)}
	for i := 2; i < mt.NumIn(); i++ {
		args = append(args, censusArg(mt.In(i), variant))
	}
	out := method.Call(args)
	err, _ := out[len(out)-1].Interface().(error)
	after := h.records()[before:]
	if name == "GetCallerIdentity" || name == "GetSessionToken" { // what everybody may ask
		if err != nil || len(after) != 1 || after[0].Outcome != tacet.OutcomeAllowed {
			t.Fatalf("%s: %v, %d records", name, err, len(after))
		}
		return
	}
	if tacet.CodeOf(err) != tacet.Denied {
		t.Fatalf("error %v, want a refusal", err)
	}
	if len(after) != 1 || after[0].Outcome != tacet.OutcomeDenied {
		t.Fatalf("%d records, want one refusal: %+v", len(after), after)
	}
	if rec := after[0]; rec.Caller != h.nobody.Caller.ARN || rec.Operation == "" || rec.Reason == "" {
		t.Errorf("the record does not say who, what and why: %+v", rec)
	}
	for _, o := range out[:len(out)-1] {
		if p, ok := o.Interface().(tacet.Plaintext); ok && !p.IsZero() {
			t.Errorf("a refused call returned a plaintext")
		}
	}
}

// censusArg makes a plausible argument of a type: the secret and the user that exist.
func censusArg(t reflect.Type, variant any) reflect.Value {
	v := reflect.New(t).Elem()
	switch t {
	case reflect.TypeOf(variant): // an operation
		v.Set(reflect.ValueOf(variant))
		return v
	case reflect.TypeFor[identity.Ref]():
		kind, _ := variant.(tacet.PrincipalKind)
		v.Set(reflect.ValueOf(identity.Ref{Kind: kind, Name: "nobody"}))
		return v
	case reflect.TypeFor[tacet.SecretRef]():
		v.Set(reflect.ValueOf(tacet.NameRef("census")))
		return v
	case reflect.TypeFor[identity.CreateUserInput]():
		v.Set(reflect.ValueOf(identity.CreateUserInput{Name: "new"}))
		return v
	case reflect.TypeFor[vault.CreateSecretInput]():
		v.Set(reflect.ValueOf(vault.CreateSecretInput{Name: "new", Token: token(1), Value: text("x")}))
		return v
	case reflect.TypeFor[vault.BatchGetSecretValueInput]():
		v.Set(reflect.ValueOf(vault.BatchGetSecretValueInput{Secrets: []tacet.SecretRef{tacet.NameRef("census")}}))
		return v
	}
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).Type == reflect.TypeFor[tacet.SecretRef]() {
				v.Field(i).Set(reflect.ValueOf(tacet.NameRef("census")))
			}
		}
	case reflect.String:
		v.SetString("nobody")
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	}
	return v
}
