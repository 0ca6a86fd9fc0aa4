package guard

import (
	"context"

	"tacet"
	"tacet/internal/policy"
	"tacet/internal/store"
)

// unbound are policies that name users or roles who are there by their ARNs, as versions
// before wrote them, with the texts to be kept in their place.
type unbound struct {
	secrets []*tacet.Secret
	roles   []tacet.Role
}

// rebind rewrites the policies that an older version stored with ARNs, so that they are kept
// as [directory.bind] keeps them. It runs at each start and not once, because nodes of both
// versions may have worked on a store for a while. Whom a policy lets in does not change, so
// there is no record of it. An ARN of nobody stays: nobody knows whose it was.
func (g *Guard) rebind(ctx context.Context) error {
	var old unbound
	if err := g.db.Read(ctx, func(tx *store.Tx) (err error) {
		old, err = g.unbound(tx, g.dir.Load())
		return err
	}); err != nil || old.empty() {
		return err
	}
	if err := g.db.Write(ctx, true, func(tx *store.Tx) error {
		dir, err := g.readDirectory(tx) // another node may have been at it
		if err != nil {
			return err
		}
		if old, err = g.unbound(tx, dir); err != nil {
			return err
		}
		return (&group{g: g, store: tx, changes: newChangeset()}).put(&old)
	}); err != nil {
		return err
	}
	g.cfg.Logger.Info("policies keep whom they name by unique id now", "secrets", len(old.secrets), "roles", len(old.roles))
	return g.load(ctx)
}

func (u *unbound) empty() bool { return len(u.secrets)+len(u.roles) == 0 }

func (g *Guard) unbound(tx *store.Tx, dir *directory) (u unbound, err error) {
	for _, r := range dir.roles {
		if c := r.Role; dir.rebound(r.trust, &c.Trust) {
			u.roles = append(u.roles, c)
		}
	}
	rows, err := tx.SecretsNamingARNs()
	if err != nil {
		return u, err
	}
	for i := range rows {
		sec, err := g.decodeSecret(&rows[i])
		var e *entry
		if err == nil {
			e, err = newEntry(sec)
		}
		if err != nil { // whoever asks for this one is refused; the others are served
			g.cfg.Logger.Warn("a secret's policy cannot be read", "error", err)
			continue
		}
		if dir.rebound(e.policy, &sec.Policy) {
			u.secrets = append(u.secrets, sec)
		}
	}
	return u, nil
}

// rebound rewrites the text of a policy and reports whether there was anything to do.
func (d *directory) rebound(doc *policy.Document, text *string) bool {
	for _, p := range doc.Principals() {
		if p.Type == "AWS" && d.idOf(p.Value) != "" {
			*text = policy.RewritePrincipals(*text, d.boundTo)
			return true
		}
	}
	return false
}

// put stores rewritten policies and tells other nodes.
func (gr *group) put(u *unbound) error {
	for _, sec := range u.secrets {
		row, err := gr.g.encodeSecret(sec)
		if err != nil {
			return err
		}
		k := key{sec.Vault, sec.Name}
		gr.changes.secrets[k] = &secretChange{entry: &entry{secret: sec}, row: row}
		gr.note(k)
	}
	for _, r := range u.roles {
		row, err := gr.g.objectRow(kindRole, nameKey(r.Account, r.Name), r.Account, r)
		if err != nil {
			return err
		}
		gr.changes.objects[objectKey{row.Kind, row.ID}] = &row
	}
	if len(u.roles) > 0 {
		gr.log(changeDirectory, "", "")
	}
	return gr.flush()
}
