package adminapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tacet"
)

// TestEveryCode walks every code of the house: each has a name, a status and words of
// its own, and none but Internal ends as an internal error.
func TestEveryCode(t *testing.T) {
	statuses := map[tacet.Code]int{
		tacet.Internal: 500, tacet.Unavailable: 503, tacet.Denied: 403, tacet.CredentialInvalid: 401, tacet.Throttled: 429,
		tacet.PrincipalNotFound: 404, tacet.PrincipalExists: 409, tacet.PrincipalInUse: 409, tacet.VaultNotFound: 404,
		tacet.SecretNotFound: 404, tacet.SecretExists: 409, tacet.InvalidParameter: 400, tacet.LimitExceeded: 409,
		tacet.PolicyMalformed: 400, tacet.DevelopmentOnly: 400,
	}
	for _, code := range tacet.Codes() {
		f := translate(fmt.Errorf("wrapped: %w", &tacet.Error{Code: code, Cause: errors.New("a cause")}))
		if f.code == "" || f.text == "" || http.StatusText(f.status) == "" {
			t.Errorf("%s: incomplete: %+v", code, f)
		}
		if f == errInternal && code != tacet.Internal {
			t.Errorf("%s is not translated", code)
		}
		if want := statuses[code]; want != 0 && f.status != want {
			t.Errorf("%s: status %d, want %d", code, f.status, want)
		}
		if strings.Contains(f.text, "a cause") {
			t.Errorf("%s tells its cause: %s", code, f.text)
		}
	}
}

func TestDetailIsTold(t *testing.T) {
	f := translate(tacet.Errorf(tacet.PrincipalNotFound, "The user with name %s cannot be found.", "ana"))
	if f.text != "The user with name ana cannot be found." || f.code != "NotFound" {
		t.Errorf("%+v", f)
	}
}

func TestDenial(t *testing.T) {
	f := translate(&tacet.Error{Code: tacet.Denied, Denial: &tacet.Denial{ID: "d1", Caller: "arn:aws:iam::000000000001:user/ci",
		Action: "iam:CreateUser", Resource: "arn:aws:iam::000000000001:user/x", Reason: tacet.DenyImplicitIdentity}})
	want := "arn:aws:iam::000000000001:user/ci is not allowed to do iam:CreateUser on arn:aws:iam::000000000001:user/x: no identity-based policy allows"
	if f.text != want || f.decision != "d1" || f.status != 403 {
		t.Errorf("%+v", f)
	}
}

// TestForeignErrors says that what is not ours loses its text.
func TestForeignErrors(t *testing.T) {
	secret := errors.New("pq: password authentication failed for user tacet")
	if f := translate(secret); f != errInternal {
		t.Errorf("%+v", f)
	}
	if f := refused(secret); f != errNoAuth {
		t.Errorf("%+v", f)
	}
	if f := refused(fmt.Errorf("x: %w", &AuthError{"SignatureDoesNotMatch", "No."})); f.status != 401 || f.code != "SignatureDoesNotMatch" || f.text != "No." {
		t.Errorf("%+v", f)
	}
	if f := refused(&tacet.Error{Code: tacet.Throttled}); f.status != 429 {
		t.Errorf("%+v", f)
	}
}
