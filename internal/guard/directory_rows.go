package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/policy"
	"tacet/internal/seal"
	"tacet/internal/store"
)

// Kinds of directory rows.
const (
	kindUser      = "user"
	kindGroup     = "group"
	kindRole      = "role"
	kindPolicy    = "policy"
	kindProvider  = "oidcprovider"
	kindAlias     = "accountalias"
	kindAccessKey = "accesskey"

	kindRoleDefinition = "roledefinition"
	kindAssignment     = "assignment"
)

// readDirectory loads every row that carries authority and checks its MAC.
func (g *Guard) readDirectory(tx *store.Tx) (*directory, error) {
	d := newDirectory()
	vaults, err := tx.Vaults()
	if err != nil {
		return nil, err
	}
	for _, row := range vaults {
		v, err := g.decodeVault(row)
		if err != nil {
			return nil, err
		}
		d.addVault(v)
	}
	rows, err := tx.Objects("")
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if err := d.addObject(g, row); err != nil {
			return nil, err
		}
	}
	return d, d.linkAll()
}

// storedAccessKey is the body of an access key's row.
type storedAccessKey struct {
	tacet.AccessKey
	Sealed     []byte `json:"sealed"`
	Generation string `json:"gen"`
}

func accessKeyAAD(id string) seal.AAD {
	return seal.AAD{Vault: directoryVault, Kind: kindAccessKey, Object: id, Purpose: "secret"}
}

// putObject checks and adds one row, and what follows from it for others.
func (d *directory) putObject(g *Guard, row store.ObjectRow) error {
	given := row.Kind != kindPolicy || d.policies[row.ID] != nil
	if err := d.addObject(g, row); err != nil || !given {
		return err // a new policy is given to nobody yet
	}
	return d.relink(row.Kind, row.ID)
}

// addObject checks and adds one row. The policies of a principal are linked afterwards,
// when all rows are there.
func (d *directory) addObject(g *Guard, row store.ObjectRow) error {
	if !g.ring.Load().CheckMAC(row.MAC, "object", []byte(row.Kind), []byte(row.ID), []byte(row.Parent), []byte(row.Body)) {
		return fmt.Errorf("guard: the %s %q was changed outside Tacet: its MAC does not match", row.Kind, row.ID)
	}
	d.forgetID(row.Kind, row.ID) // of the one that this replaces
	var err error
	switch row.Kind {
	case kindUser:
		u := &user{}
		err = json.Unmarshal([]byte(row.Body), &u.User)
		u.arn = u.ARN()
		d.users[row.ID], d.ids[u.ID] = u, u
		d.apps.addPrincipal(u.ID)
	case kindGroup:
		gr := &userGroup{}
		if err = json.Unmarshal([]byte(row.Body), &gr.Group); err == nil {
			gr.inline, err = parseInline("group:"+gr.Name+"/", gr.Policies)
		}
		d.groups[row.ID], d.ids[gr.ID] = gr, gr
	case kindRole:
		r := &role{}
		if err = json.Unmarshal([]byte(row.Body), &r.Role); err == nil {
			r.trust, err = policy.ParseStored("trust", policy.Trust, []byte(r.Trust))
		}
		r.arn = r.ARN()
		d.roles[row.ID], d.ids[r.ID] = r, r
		d.apps.addPrincipal(r.ID)
	case kindPolicy:
		p := &managedPolicy{}
		if err = json.Unmarshal([]byte(row.Body), &p.ManagedPolicy); err == nil {
			err = p.compile()
		}
		d.policies[row.ID] = p
	case kindProvider:
		p := &tacet.OIDCProvider{}
		err = json.Unmarshal([]byte(row.Body), p)
		d.providers[row.ID] = p
	case kindAlias:
		a := &tacet.AccountAlias{}
		err = json.Unmarshal([]byte(row.Body), a)
		d.aliases[row.ID] = a
	case kindAccessKey:
		d.keys[row.ID], err = g.decodeAccessKey(row)
	case kindClientCredential:
		err = d.apps.addCredential(row)
	case kindTokenKey:
		err = d.apps.addTokenKey(g, row)
	case kindRoleDefinition:
		r := &tacet.RoleDefinition{}
		err = json.Unmarshal([]byte(row.Body), r)
		d.definitions[row.ID] = r
	case kindAssignment:
		a := &assignment{}
		err = json.Unmarshal([]byte(row.Body), &a.Assignment)
		d.setAssignment(row.ID, a)
	default:
		return fmt.Errorf("guard: a directory row of kind %q, which this version does not know", row.Kind)
	}
	if err != nil {
		return fmt.Errorf("guard: %s %q: %w", row.Kind, row.ID, err)
	}
	return nil
}

func (g *Guard) decodeAccessKey(row store.ObjectRow) (*accessKey, error) {
	var k storedAccessKey
	if err := json.Unmarshal([]byte(row.Body), &k); err != nil {
		return nil, err
	}
	secret, err := g.ring.Load().Open(accessKeyAAD(row.ID), k.Sealed)
	if err != nil {
		return nil, err
	}
	return &accessKey{AccessKey: k.AccessKey, secret: tacet.NewPlaintext(secret), generation: k.Generation}, nil
}

// removeObject removes a row's object. Whoever is still linked to it makes relink fail:
// the operations of identity refuse to remove what is in use.
func (d *directory) removeObject(kind, id string) error {
	d.forgetID(kind, id)
	switch kind {
	case kindRoleDefinition:
		delete(d.definitions, id)
	case kindAssignment:
		if a := d.assignments[id]; a != nil {
			d.setAssignment(id, nil)
			return d.relinkPrincipal(a.Principal)
		}
	case kindUser:
		delete(d.users, id)
	case kindGroup:
		delete(d.groups, id)
	case kindRole:
		delete(d.roles, id)
	case kindPolicy:
		delete(d.policies, id)
	case kindProvider:
		delete(d.providers, id)
	case kindAlias:
		delete(d.aliases, id)
	case kindAccessKey:
		delete(d.keys, id)
	case kindClientCredential:
		d.apps.removeCredential(id)
	case kindTokenKey:
		d.apps.removeTokenKey(id)
	}
	return d.relink(kind, id)
}

// forgetID forgets the unique id of the principal that a row is of, unless he has another
// row by now: his new name's.
func (d *directory) forgetID(kind, id string) {
	switch kind {
	case kindUser:
		if u, ok := d.users[id]; ok && d.ids[u.ID] == u {
			delete(d.ids, u.ID)
			d.apps.forgetPrincipal(u.ID)
		}
	case kindGroup:
		if g, ok := d.groups[id]; ok && d.ids[g.ID] == g {
			delete(d.ids, g.ID)
		}
	case kindRole:
		if r, ok := d.roles[id]; ok && d.ids[r.ID] == r {
			delete(d.ids, r.ID)
			d.apps.forgetPrincipal(r.ID)
		}
	}
}

func (p *managedPolicy) compile() error {
	p.arn = p.ARN()
	v := p.Version(p.Default)
	if v == nil {
		return fmt.Errorf("the version in force, %q, is missing", p.Default)
	}
	var err error
	p.doc, err = policy.ParseStored(p.arn, policy.Identity, []byte(v.Document))
	return err
}

// parseInline compiles inline policies, in the order of their names.
func parseInline(prefix string, texts map[string]string) ([]*policy.Document, error) {
	var docs []*policy.Document
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		doc, err := policy.ParseStored(prefix+name, policy.Identity, []byte(texts[name]))
		if err != nil {
			return nil, fmt.Errorf("policy %q: %w", name, err)
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// linkAll gives every principal its compiled policies.
func (d *directory) linkAll() error {
	for _, a := range d.assignments {
		if err := d.compile(a); err != nil {
			return err
		}
	}
	for _, u := range d.users {
		if err := d.linkUser(u); err != nil {
			return err
		}
	}
	for _, r := range d.roles {
		if err := d.linkRole(r); err != nil {
			return err
		}
	}
	return nil
}

// relink links anew whoever a changed object has to do with. An entry that is shared
// with an older directory is never changed: it is replaced.
func (d *directory) relink(kind, id string) error {
	switch kind {
	case kindUser:
		if u, ok := d.users[id]; ok {
			return d.linkUser(u)
		}
		return nil
	case kindRole:
		if r, ok := d.roles[id]; ok {
			return d.linkRole(r)
		}
		return nil
	case kindAssignment:
		if a, ok := d.assignments[id]; ok {
			return errors.Join(d.compile(a), d.relinkPrincipal(a.Principal))
		}
		return nil
	case kindGroup, kindPolicy:
	default:
		return nil
	}
	for k, u := range d.users {
		if kind == kindGroup && len(u.Groups) == 0 {
			continue
		}
		if err := d.relinkUser(k); err != nil {
			return err
		}
	}
	for k := range d.roles {
		if kind == kindGroup {
			break
		}
		if err := d.relinkRole(k); err != nil {
			return err
		}
	}
	return nil
}

// relinkUser links a user anew: a new entry takes his place if that makes a difference.
func (d *directory) relinkUser(key string) error {
	c := *d.users[key]
	if err := d.linkUser(&c); err != nil {
		return err
	}
	if !c.grants.same(&d.users[key].grants) {
		d.users[key], d.ids[c.ID] = &c, &c
	}
	return nil
}

// relinkRole is relinkUser for a role.
func (d *directory) relinkRole(key string) error {
	c := *d.roles[key]
	if err := d.linkRole(&c); err != nil {
		return err
	}
	if !c.grants.same(&d.roles[key].grants) {
		d.roles[key], d.ids[c.ID] = &c, &c
	}
	return nil
}

// same reports whether two principals' policies are the same documents. Inline documents
// are compiled once for each entry, so an entry linked again keeps them.
func (g *grants) same(o *grants) bool {
	return g.boundary == o.boundary && slices.Equal(g.docs, o.docs) && maps.EqualFunc(g.assigned, o.assigned, slices.Equal)
}

func (d *directory) linkUser(u *user) error {
	docs, err := d.granted(&u.Grantee, u.docs)
	if err != nil {
		return fmt.Errorf("guard: user %q: %w", u.arn, err)
	}
	for _, id := range u.Groups {
		g, ok := d.ids[id].(*userGroup)
		if !ok {
			return fmt.Errorf("guard: user %q: the group %q is missing", u.arn, id)
		}
		docs = append(docs, g.inline...)
		if docs, err = d.attached(docs, &g.Grantee); err != nil {
			return fmt.Errorf("guard: group %q: %w", g.Name, err)
		}
	}
	u.docs = docs
	u.assigned = d.assignedTo(u.ID, u.Groups)
	u.boundary, err = d.boundary(u.Boundary)
	return err
}

func (d *directory) linkRole(r *role) (err error) {
	if r.docs, err = d.granted(&r.Grantee, r.docs); err != nil {
		return fmt.Errorf("guard: role %q: %w", r.arn, err)
	}
	r.assigned = d.assignedTo(r.ID, nil)
	r.boundary, err = d.boundary(r.Boundary)
	return err
}

// granted returns the compiled policies of a principal itself. linked are those of the
// last time, whose inline ones come first and are kept.
func (d *directory) granted(p *tacet.Grantee, linked []*policy.Document) (docs []*policy.Document, err error) {
	if n := len(p.Policies); linked != nil {
		docs = slices.Clone(linked[:n])
	} else if docs, err = parseInline("", p.Policies); err != nil {
		return nil, err
	}
	return d.attached(docs, p)
}

// attached appends the managed policies of a principal. One that is missing was removed
// outside Tacet: it may have been a Deny.
func (d *directory) attached(docs []*policy.Document, p *tacet.Grantee) ([]*policy.Document, error) {
	for _, arn := range p.Attached {
		m := d.managed(arn)
		if m == nil {
			return nil, fmt.Errorf("the policy %q is missing", arn)
		}
		docs = append(docs, m.doc)
	}
	return docs, nil
}

func (d *directory) boundary(arn string) (*policy.Document, error) {
	if arn == "" {
		return nil, nil
	}
	m := d.managed(arn)
	if m == nil {
		return nil, fmt.Errorf("guard: the permissions boundary %q is missing", arn)
	}
	return m.doc, nil
}

// providerKey is the row id of an OIDC provider.
func providerKey(account, url string) string { return account + "/" + strings.ToLower(url) }
