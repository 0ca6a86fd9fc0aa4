package guard

import (
	"slices"
	"strings"

	"tacet"
)

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

// ContextKeys returns the condition keys on which the policies of a simulation depend, in
// the order of the policies and their keys, each once.
func (m *Simulation) ContextKeys() []string {
	var out []string
	for _, d := range append(m.set.Identity[:len(m.set.Identity):len(m.set.Identity)], m.set.Boundary) {
		if d != nil {
			for _, key := range d.ContextKeys() {
				if !slices.ContainsFunc(out, func(k string) bool { return strings.EqualFold(k, key) }) {
					out = append(out, key)
				}
			}
		}
	}
	return out
}
