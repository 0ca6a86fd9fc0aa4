package identity

import (
	"context"
	"strings"

	"tacet"
	"tacet/internal/guard"
)

// The length of an account's alias, in characters.
const (
	minAlias = 3
	maxAlias = 63
)

// validAlias checks an alias: IAM's ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$.
func validAlias(alias string) error {
	ok := len(alias) >= minAlias && len(alias) <= maxAlias && alias[0] != '-' && alias[len(alias)-1] != '-' && !strings.Contains(alias, "--") &&
		strings.Trim(alias, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
	if !ok {
		return tacet.Errorf(tacet.InvalidParameter, "The specified value for accountAlias is invalid. It must be a minimum length of %d characters and maximum length of %d characters, "+
			"contain only digits, lowercase letters, and hyphens (-), but cannot begin or end with a hyphen.", minAlias, maxAlias)
	}
	return nil
}

// CreateAccountAlias gives the caller's account an alias in place of the one it has. An
// alias is one account's in the whole deployment. It is a name for people: nothing is
// decided by it.
//
// Errors: InvalidParameter, PrincipalExists (another account has it).
func (s *Service) CreateAccountAlias(ctx context.Context, call tacet.Call, alias string) error {
	_, err := guard.Do(ctx, s.g, aliasRequest(call, tacet.OpCreateAccountAlias, alias), func(tx *guard.Tx) (none struct{}, err error) {
		if err := validAlias(alias); err != nil {
			return none, err
		}
		if a := tx.AliasNamed(alias); a != nil && a.Account != call.Account {
			return none, tacet.Errorf(tacet.PrincipalExists, "The account alias %s already exists.", alias)
		}
		return none, tx.PutAccountAlias(tacet.AccountAlias{Account: call.Account, Alias: alias})
	})
	return err
}

func aliasRequest(call tacet.Call, op tacet.Operation, alias string) guard.Request {
	r := Ref{}.request(call, op)
	r.Parameters["accountAlias"] = alias
	return r
}

// DeleteAccountAlias takes the alias from the caller's account.
//
// Errors: InvalidParameter, PrincipalNotFound.
func (s *Service) DeleteAccountAlias(ctx context.Context, call tacet.Call, alias string) error {
	_, err := guard.Do(ctx, s.g, aliasRequest(call, tacet.OpDeleteAccountAlias, alias), func(tx *guard.Tx) (none struct{}, err error) {
		if err := validAlias(alias); err != nil {
			return none, err
		}
		if a := tx.AliasNamed(alias); a == nil || a.Account != call.Account {
			return none, tacet.Errorf(tacet.PrincipalNotFound, "The account alias %s cannot be found.", alias)
		}
		return none, tx.DeleteAccountAlias(alias)
	})
	return err
}

// ListAccountAliases returns the aliases of the caller's account: the one, or none.
//
// Errors: InvalidNextToken.
func (s *Service) ListAccountAliases(ctx context.Context, call tacet.Call, p Page) (List[string], error) {
	return guard.View(ctx, s.g, Ref{}.request(call, tacet.OpListAccountAliases), func(v *guard.Snapshot) (List[string], error) {
		var out []string
		if a := v.AccountAlias(call.Account); a != nil {
			out = []string{a.Alias}
		}
		return pageOf(v, tacet.OpListAccountAliases, "", p, out, func(alias *string) string { return *alias })
	})
}
