package guard

import "tacet"

// AccountAlias returns the alias of an account; nil when it has none.
func (s *scope) AccountAlias(account string) *tacet.AccountAlias {
	for _, a := range s.dir.aliases {
		if a.Account == account {
			c := *a
			return &c
		}
	}
	return nil
}

// AliasNamed returns an alias, whichever account has it; nil when there is none.
func (s *scope) AliasNamed(alias string) *tacet.AccountAlias {
	a := s.dir.aliases[alias]
	if a == nil {
		return nil
	}
	c := *a
	return &c
}

// PutAccountAlias gives an account an alias in place of the one it has. Nobody else may have
// it.
func (tx *Tx) PutAccountAlias(a tacet.AccountAlias) error {
	if old := tx.AccountAlias(a.Account); old != nil && old.Alias != a.Alias {
		if err := tx.DeleteAccountAlias(old.Alias); err != nil {
			return err
		}
	}
	return tx.putObject(kindAlias, a.Alias, a.Account, a)
}

// DeleteAccountAlias removes an alias.
func (tx *Tx) DeleteAccountAlias(alias string) error { return tx.deleteObject(kindAlias, alias) }
