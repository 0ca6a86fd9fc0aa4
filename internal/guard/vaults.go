package guard

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/store"
)

// vaultNames finds vaults by name. Directories share it until a vault changes, so that a
// read can tell by the pointer that it relied on vaults as they are no longer.
type vaultNames struct {
	at map[string]int // by name in lower case, an index into the directory's vaults
}

// named returns the vault called name, in any case.
func (d *directory) named(name string) (tacet.Vault, bool) {
	i, ok := d.names.at[strings.ToLower(name)]
	if !ok {
		return tacet.Vault{}, false
	}
	return d.vaults[i], true
}

// withVaults returns the directory with vaults changed or added, and others gone.
func (d *directory) withVaults(changed []tacet.Vault, gone []tacet.VaultID) *directory {
	if len(changed)+len(gone) == 0 {
		return d
	}
	c := d.clone()
	c.places, c.names = map[place]int{}, &vaultNames{map[string]int{}}
	c.vaults = nil
	for _, v := range append(slices.Clone(d.vaults), changed...) {
		if !slices.Contains(gone, v.ID) {
			c.addVault(v)
		}
	}
	return c
}

// VaultNamed returns the vault called name, in any case, for a face that has to know
// which vault a host name means. It is not a decision: whether a vault exists is known to
// whoever can resolve its name.
func (g *Guard) VaultNamed(name string) (tacet.Vault, bool) {
	v, ok := g.dir.Load().named(name)
	if !ok {
		g.refresh()
		v, ok = g.dir.Load().named(name)
	}
	return v, ok
}

// FirstVault returns the deployment's oldest vault, which is the default one.
func (g *Guard) FirstVault() (tacet.Vault, bool) { return oldest(g.dir.Load().vaults) }

// oldest returns the vault that was made first.
func oldest(vaults []tacet.Vault) (tacet.Vault, bool) {
	var first tacet.Vault
	for _, v := range vaults {
		if first.ID == "" || v.Created.Before(first.Created) {
			first = v
		}
	}
	return first, first.ID != ""
}

// operator returns the account that the deployment belongs to: its first vault's.
func (d *directory) operator() string {
	first, _ := oldest(d.vaults)
	return first.Account
}

// Operator returns the account that the deployment belongs to, whose principals alone may
// be let to do what concerns all of it.
func (s *scope) Operator() string { return s.dir.operator() }

// administered returns the account whose policies say who may do an operation on the
// deployment or on a vault itself. A vault that does not exist is answered like one of the
// operator's.
func (s *scope) administered(op tacet.Operation) string {
	v, ok := s.dir.named(s.req.Vault)
	switch {
	case op.Operates() || !ok:
		return s.dir.operator()
	case s.dir.administers(s.req.Call.Caller.Account, v):
		return s.req.Call.Account
	}
	return v.Account
}

// locate finds the place of a vault that a call names, or on a development server makes
// the vault of a place on first use.
func (g *Guard) locate(ctx context.Context, call *tacet.Call) error {
	if call.Vault == "" {
		if !g.cfg.Development || call.Region == "" {
			return nil
		}
		return g.EnsureVault(ctx, call.Account, call.Region)
	}
	v, _ := g.VaultNamed(call.Vault)
	call.Account, call.Region = v.Account, v.Region // empty for none: there is no such place
	return nil
}

// Named returns the vault called name, in any case, or VaultNotFound.
func (s *scope) Named(name string) (tacet.Vault, error) {
	v, ok := s.dir.named(name)
	if !ok {
		return v, noVault(name)
	}
	return v, nil
}

func noVault(name string) error {
	return tacet.Errorf(tacet.VaultNotFound, "There is no vault named %s.", name)
}

// vaultARN is what policies call a vault that is itself the object of an operation. Names
// of vaults are unique in the deployment, so it needs no account.
func vaultARN(name string) string { return "arn:aws:tacet:::vault/" + strings.ToLower(name) }

// administers reports whether it is an account's to say what becomes of a vault: it is its
// own, or one of an account that has nobody who could.
func (d *directory) administers(account string, v tacet.Vault) bool {
	if account == v.Account {
		return true
	}
	for _, p := range d.ids {
		switch p := p.(type) {
		case *user:
			if p.Account == v.Account {
				return false
			}
		case *role:
			if p.Account == v.Account {
				return false
			}
		}
	}
	return true
}

// admitted refuses a caller whose address the vault's network rules do not let in.
func (s *scope) admitted(rec *tacet.Record) error {
	if s.vault.Network.Admits(s.req.Call.SourceIP) {
		return nil
	}
	rec.Reason, rec.Why = string(tacet.DenyNetwork), s.explain(s.req.Operation, cmp.Or(s.resource, "*"), byNetwork)
	return s.refusal(rec, s.req.Operation, s.req.Secret.Given, tacet.DenyNetwork)
}

// shownName returns the name of the secret that Azure's name means in a vault, "" when
// there is none. See [tacet.ShownRef].
func (s *scope) shownName(vault tacet.VaultID, shown string) (string, error) {
	if !strings.Contains(shown, "--") && tacet.ValidShownName(shown) { // nothing else is shown exactly so
		if e, err := s.lookup(vault, shown); e != nil || err != nil {
			return shown, err
		}
	}
	if !tacet.ValidShownName(shown) { // no secret is shown so
		return "", nil
	}
	if s.tx != nil {
		return s.storedShown(vault, shown)
	}
	return s.job.snapshot.rememberedShown(vault, shown)
}

// rememberedShown is what the name meant lately, or else what the store says. Another
// secret may answer to it once one of those that could has changed, or once the one that
// did is due to be purged.
func (s *Snapshot) rememberedShown(vault tacet.VaultID, shown string) (string, error) {
	all, written := shownKey(vault, shown), key{vault, shown}
	s.job.looked = append(s.job.looked, look{all, s.stamp})
	if m, ok := s.g.cache.shown.Get(written); ok && !s.g.cache.stale(all, m.stamp) {
		if e, err := s.lookup(vault, m.name); e != nil || err != nil {
			return m.name, err
		}
	}
	name, err := s.storedShown(vault, shown)
	if name != "" && err == nil {
		s.g.cache.shown.Put(written, shownAt{name, s.stamp})
	}
	return name, err
}

func (s *scope) storedShown(vault tacet.VaultID, shown string) (name string, err error) {
	err = s.source().read(func(tx *store.Tx) error {
		row, err := tx.SecretShownAs(string(vault), shown, s.now.UnixMicro())
		if err == nil {
			name = row.Name
		}
		return notFoundIsNone(err)
	})
	return name, err
}

// Shown returns the name that Azure shows for a secret of the vault, and the name of the
// secret that answers to it there: its own, another's that is shown in its place, or ""
// when it cannot be shown.
func (s *scope) Shown(sec *tacet.Secret) (shown, means string, err error) {
	shown, ok := tacet.ShownName(sec.Name)
	switch {
	case !ok:
		return shown, "", nil
	case !strings.Contains(shown, "--"):
		return shown, sec.Name, nil
	}
	means, err = s.shownName(sec.Vault, shown)
	return shown, means, err
}

// PutVault stores the changed settings of a vault. Its name and place stay.
func (tx *Tx) PutVault(v tacet.Vault) { tx.changes.vaults = append(tx.changes.vaults, v) }

// DeleteVault removes a vault and its data keys. The error is VaultNotEmpty while it has
// secrets, deleted ones that wait for their purge included, and InvalidRequest if the
// deployment would belong to another account without it.
func (tx *Tx) DeleteVault(v tacet.Vault) error {
	var n int64
	err := tx.read(func(st *store.Tx) (err error) {
		n, err = st.CountSecrets(string(v.ID))
		return err
	})
	if err != nil {
		return err
	}
	if n > 0 {
		return tacet.Errorf(tacet.VaultNotEmpty, "The vault %s still has %d secrets, deleted ones that can be recovered included.", v.Name, n)
	}
	left := slices.DeleteFunc(tx.Vaults(), func(o tacet.Vault) bool { return o.ID == v.ID })
	if next, ok := oldest(left); ok && next.Account != tx.Operator() {
		return tacet.Errorf(tacet.InvalidRequest, "The vault %s is the first one: without it the deployment would belong to the account %s.", v.Name, next.Account)
	}
	tx.changes.goneVaults = append(tx.changes.goneVaults, v.ID)
	return tx.dropAssignments(func(a *tacet.Assignment) bool { return a.Vault == v.ID })
}

// deleteVaults removes the rows of vaults and of their keys.
func deleteVaults(tx *store.Tx, gone []tacet.VaultID) error {
	for _, id := range gone {
		if err := tx.DeleteVault(string(id)); err != nil {
			return err
		}
		if err := tx.DeleteKeys(string(id)); err != nil {
			return err
		}
	}
	return nil
}

// adopt makes a directory that was read from the store the one in use, and forgets the
// keys of vaults that are no longer in it.
func (g *Guard) adopt(d *directory) {
	if old := g.dir.Load(); old != nil {
		for _, v := range old.vaults {
			if _, ok := d.byID(v.ID); !ok {
				g.ring.Load().Forget(string(v.ID))
			}
		}
	}
	g.dir.Store(d)
}
