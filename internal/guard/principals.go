package guard

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/seal"
	"tacet/internal/store"
)

// Vaults lists every vault of the deployment.
func (s *scope) Vaults() []tacet.Vault { return append([]tacet.Vault(nil), s.dir.vaults...) }

// User returns the user of an account by name, in any case; nil when there is none.
func (s *scope) User(account, name string) *tacet.User {
	if u, ok := s.dir.users[nameKey(account, name)]; ok {
		c := u.User
		return &c
	}
	return nil
}

// Group returns the group of an account by name, in any case; nil when there is none.
func (s *scope) Group(account, name string) *tacet.Group {
	if g, ok := s.dir.groups[nameKey(account, name)]; ok {
		c := g.Group
		return &c
	}
	return nil
}

// GroupByID returns a group by its unique id; nil when there is none.
func (s *scope) GroupByID(id string) *tacet.Group {
	if g, ok := s.dir.ids[id].(*userGroup); ok {
		c := g.Group
		return &c
	}
	return nil
}

// Role returns the role of an account by name, in any case, or by its ARN; nil when there
// is none.
func (s *scope) Role(account, name string) *tacet.Role {
	r := s.dir.roles[nameKey(account, name)]
	if strings.HasPrefix(name, "arn:") {
		r = s.dir.roleByARN(name)
	}
	if r == nil {
		return nil
	}
	c := r.Role
	return &c
}

// ManagedPolicy returns the managed policy with an ARN, which may be one of those that
// every deployment has; nil when there is none.
func (s *scope) ManagedPolicy(arn string) *tacet.ManagedPolicy {
	p := s.dir.managed(arn)
	if p == nil {
		return nil
	}
	c := p.ManagedPolicy
	return &c
}

// PolicyNamed returns the account's own managed policy of a name, in any case; nil when
// there is none.
func (s *scope) PolicyNamed(account, name string) *tacet.ManagedPolicy {
	if p, ok := s.dir.policies[nameKey(account, name)]; ok {
		c := p.ManagedPolicy
		return &c
	}
	return nil
}

// OIDCProvider returns the provider with an ARN; nil when there is none.
func (s *scope) OIDCProvider(arn string) *tacet.OIDCProvider {
	p := s.dir.provider(arn)
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// provider returns the OIDC provider with an ARN; nil when there is none.
func (d *directory) provider(arn string) *tacet.OIDCProvider {
	account, tail, _ := splitPrincipalARN(arn)
	url, ok := strings.CutPrefix(tail, string(tacet.KindOIDCProvider)+"/")
	if !ok {
		return nil
	}
	return d.providers[providerKey(account, url)]
}

// ofAccount lists what an account has of a kind, in no order; see tells an entry's account
// and what is shown of it.
func ofAccount[E, T any](entries map[string]E, account string, see func(E) (string, T)) []T {
	var out []T
	for _, e := range entries {
		if of, shown := see(e); of == account {
			out = append(out, shown)
		}
	}
	return out
}

// Users lists the users of an account, in no order.
func (s *scope) Users(account string) []tacet.User {
	return ofAccount(s.dir.users, account, func(u *user) (string, tacet.User) { return u.Account, u.User })
}

// Groups lists the groups of an account, in no order.
func (s *scope) Groups(account string) []tacet.Group {
	return ofAccount(s.dir.groups, account, func(g *userGroup) (string, tacet.Group) { return g.Account, g.Group })
}

// Roles lists the roles of an account, in no order.
func (s *scope) Roles(account string) []tacet.Role {
	return ofAccount(s.dir.roles, account, func(r *role) (string, tacet.Role) { return r.Account, r.Role })
}

// ManagedPolicies lists the managed policies of an account, in no order; account "aws" has
// those of every deployment.
func (s *scope) ManagedPolicies(account string) []tacet.ManagedPolicy {
	if account == builtinAccount {
		var out []tacet.ManagedPolicy
		for _, p := range builtin() {
			out = append(out, p.ManagedPolicy)
		}
		return out
	}
	return ofAccount(s.dir.policies, account, func(p *managedPolicy) (string, tacet.ManagedPolicy) { return p.Account, p.ManagedPolicy })
}

// OIDCProviders lists the OIDC providers of an account, in no order.
func (s *scope) OIDCProviders(account string) []tacet.OIDCProvider {
	return ofAccount(s.dir.providers, account, func(p *tacet.OIDCProvider) (string, tacet.OIDCProvider) { return p.Account, *p })
}

// AccessKeys lists the access keys of a user, in no order.
func (s *scope) AccessKeys(account, name string) []tacet.AccessKey {
	var out []tacet.AccessKey
	for _, k := range s.dir.keys {
		if nameKey(k.Account, k.User) == nameKey(account, name) {
			out = append(out, k.AccessKey)
		}
	}
	return out
}

// AccessKey returns an access key by its id.
func (s *scope) AccessKey(id string) (tacet.AccessKey, bool) {
	k, ok := s.dir.keys[id]
	if !ok {
		return tacet.AccessKey{}, false
	}
	return k.AccessKey, true
}

// PutUser stores a user.
func (tx *Tx) PutUser(u tacet.User) error {
	return tx.putObject(kindUser, nameKey(u.Account, u.Name), u.Account, u)
}

// DeleteUser removes a user, and his client credentials and assignments with him.
func (tx *Tx) DeleteUser(account, name string) error {
	u, ok := tx.dir.users[nameKey(account, name)]
	if !ok {
		return nil
	}
	return errors.Join(tx.deleteObject(kindUser, nameKey(account, name)), tx.deleteCredentialsOf(u.ID), tx.dropPrincipal(u.ID))
}

// PutGroup stores a group.
func (tx *Tx) PutGroup(g tacet.Group) error {
	return tx.putObject(kindGroup, nameKey(g.Account, g.Name), g.Account, g)
}

// DeleteGroup removes a group, which must have no members.
func (tx *Tx) DeleteGroup(account, name string) error {
	g, ok := tx.dir.groups[nameKey(account, name)]
	if !ok {
		return nil
	}
	return errors.Join(tx.deleteObject(kindGroup, nameKey(account, name)), tx.dropPrincipal(g.ID))
}

// PutRole stores a role.
func (tx *Tx) PutRole(r tacet.Role) error {
	return tx.putObject(kindRole, nameKey(r.Account, r.Name), r.Account, r)
}

// DeleteRole removes a role, and its client credentials and assignments. Its sessions end with it.
func (tx *Tx) DeleteRole(account, name string) error {
	r, ok := tx.dir.roles[nameKey(account, name)]
	if !ok {
		return nil
	}
	return errors.Join(tx.deleteObject(kindRole, nameKey(account, name)), tx.deleteCredentialsOf(r.ID), tx.dropPrincipal(r.ID))
}

// PutManagedPolicy stores a managed policy. It is in force, in its default version, at
// once for everybody it is attached to.
func (tx *Tx) PutManagedPolicy(p tacet.ManagedPolicy) error {
	return tx.putObject(kindPolicy, nameKey(p.Account, p.Name), p.Account, p)
}

// DeleteManagedPolicy removes a managed policy, which must not be attached to anybody.
func (tx *Tx) DeleteManagedPolicy(account, name string) error {
	return tx.deleteObject(kindPolicy, nameKey(account, name))
}

// PutOIDCProvider stores an OIDC provider.
func (tx *Tx) PutOIDCProvider(p tacet.OIDCProvider) error {
	return tx.putObject(kindProvider, providerKey(p.Account, p.URL), p.Account, p)
}

// DeleteOIDCProvider removes an OIDC provider.
func (tx *Tx) DeleteOIDCProvider(account, url string) error {
	return tx.deleteObject(kindProvider, providerKey(account, url))
}

// PutAccessKey stores an access key with its secret; a zero secret keeps the old one.
func (tx *Tx) PutAccessKey(k tacet.AccessKey, secret tacet.Plaintext) error {
	stored := storedAccessKey{AccessKey: k, Generation: tx.NewID()}
	if secret.IsZero() {
		old, ok := tx.dir.keys[k.ID]
		if !ok {
			return errors.New("guard: a new access key needs a secret")
		}
		secret, stored.Generation = old.secret, old.generation
	}
	var err error
	if stored.Sealed, err = tx.sealSecret(accessKeyAAD(k.ID), secret); err != nil {
		return err
	}
	return tx.putObject(kindAccessKey, k.ID, nameKey(k.Account, k.User), stored)
}

// sealSecret seals a credential of the directory.
func (tx *Tx) sealSecret(aad seal.AAD, secret tacet.Plaintext) ([]byte, error) {
	if err := tx.group.reserve(directoryVault); err != nil {
		return nil, err
	}
	return tx.g.ring.Load().Seal(aad, secret.Reveal())
}

// DeleteAccessKey removes an access key.
func (tx *Tx) DeleteAccessKey(id string) error { return tx.deleteObject(kindAccessKey, id) }

// objectRow makes a row of the directory, with its MAC.
func (g *Guard) objectRow(kind, id, parent string, body any) (store.ObjectRow, error) {
	text, err := json.Marshal(body)
	row := store.ObjectRow{Kind: kind, ID: id, Parent: parent, Body: string(text)}
	row.MAC = g.ring.Load().MAC("object", []byte(row.Kind), []byte(row.ID), []byte(row.Parent), []byte(row.Body))
	return row, err
}

func (tx *Tx) putObject(kind, id, parent string, body any) error {
	row, err := tx.g.objectRow(kind, id, parent, body)
	if err != nil {
		return err
	}
	tx.changes.objects[objectKey{kind, id}] = &row
	d := tx.dir.clone()
	if err := d.putObject(tx.g, row); err != nil {
		return err
	}
	tx.dir = d
	return nil
}

func (tx *Tx) deleteObject(kind, id string) error {
	tx.changes.objects[objectKey{kind, id}] = nil
	d := tx.dir.clone()
	if err := d.removeObject(kind, id); err != nil {
		return err
	}
	tx.dir = d
	return nil
}

// A Holder is a principal that a managed policy is given to.
type Holder struct {
	tacet.Grantee
	Kind tacet.PrincipalKind
	// Boundary says that the policy limits the principal, and does not grant.
	Boundary bool
}

// Holders lists whom of an account a managed policy is given to, in no order.
func (s *scope) Holders(account, arn string) []Holder {
	var out []Holder
	add := func(g *tacet.Grantee, kind tacet.PrincipalKind, boundary string) {
		if g.Account == account && slices.Contains(g.Attached, arn) {
			out = append(out, Holder{*g, kind, false})
		}
		if g.Account == account && boundary == arn {
			out = append(out, Holder{*g, kind, true})
		}
	}
	for _, u := range s.dir.users {
		add(&u.Grantee, tacet.KindUser, u.Boundary)
	}
	for _, r := range s.dir.roles {
		add(&r.Grantee, tacet.KindRole, r.Boundary)
	}
	for _, g := range s.dir.groups {
		add(&g.Grantee, tacet.KindGroup, "")
	}
	return out
}

// Uses counts whom a managed policy is given to.
type Uses struct {
	Attached int // users, groups and roles
	Boundary int // users and roles that it limits
}

// PolicyUses counts whom of an account every managed policy is given to, by ARN.
func (s *scope) PolicyUses(account string) map[string]Uses {
	out := map[string]Uses{}
	add := func(g *tacet.Grantee, boundary string) {
		if g.Account != account {
			return
		}
		for _, arn := range g.Attached {
			u := out[arn]
			u.Attached++
			out[arn] = u
		}
		if boundary != "" {
			u := out[boundary]
			u.Boundary++
			out[boundary] = u
		}
	}
	for _, u := range s.dir.users {
		add(&u.Grantee, u.Boundary)
	}
	for _, r := range s.dir.roles {
		add(&r.Grantee, r.Boundary)
	}
	for _, g := range s.dir.groups {
		add(&g.Grantee, "")
	}
	return out
}
