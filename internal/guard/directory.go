package guard

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/policy"
)

// directory is everything that authenticates and authorises, held in memory and
// never changed: a change makes a new one. Rows enter it only with a valid MAC.
type directory struct {
	vaults    []tacet.Vault
	places    map[place]int // index into vaults
	names     *vaultNames
	users     map[string]*user
	groups    map[string]*userGroup
	roles     map[string]*role
	policies  map[string]*managedPolicy
	providers map[string]*tacet.OIDCProvider
	aliases   map[string]*tacet.AccountAlias
	keys      map[string]*accessKey
	// definitions are the deployment's own roles in Azure's language, by id, and
	// assignments what vaults grant in it: by id, and by the principal's unique id.
	definitions map[string]*tacet.RoleDefinition
	assignments map[string]*assignment
	assigned    map[string][]*assignment
	// ids finds what has a unique id: *user, *role or *userGroup.
	ids  map[string]any
	apps applications
}

type place struct{ account, region string }

// grants are a principal's policies, compiled. They change with the groups and managed
// policies that they come from, and then the principal's entry is a new one.
type grants struct {
	docs     []*policy.Document
	boundary *policy.Document // nil: none
	// assigned are what vaults assign, by what it is about; nil for nothing.
	assigned map[target][]*policy.Document
}

type user struct {
	tacet.User
	grants
	arn string
}

type userGroup struct {
	tacet.Group
	inline []*policy.Document
}

type role struct {
	tacet.Role
	grants
	arn   string
	trust *policy.Document
}

type managedPolicy struct {
	tacet.ManagedPolicy
	arn string
	doc *policy.Document // of the version in force
}

type accessKey struct {
	tacet.AccessKey
	secret     tacet.Plaintext
	generation string
}

// nameKey is the one canonical form of a principal's name: IAM keeps the case that was
// given and allows one name in any case.
func nameKey(account, name string) string { return account + "/" + strings.ToLower(name) }

// policyKey is the same for a managed policy's ARN, in which the name stands behind a path.
func policyKey(arn string) string {
	account, tail, _ := splitPrincipalARN(arn)
	return nameKey(account, tail[strings.LastIndexByte(tail, '/')+1:])
}

// splitPrincipalARN splits arn:aws:iam::<account>:<kind and name>.
func splitPrincipalARN(arn string) (account, tail string, ok bool) {
	rest, ok := strings.CutPrefix(arn, "arn:aws:iam::")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ":")
}

func (d *directory) vault(account, region string) (tacet.Vault, bool) {
	i, ok := d.places[place{account, region}]
	if !ok {
		return tacet.Vault{}, false
	}
	return d.vaults[i], true
}

// firstVault is the account's oldest vault.
func (d *directory) firstVault(account string) (tacet.Vault, bool) {
	var first tacet.Vault
	for _, v := range d.vaults {
		if v.Account == account && (first.ID == "" || v.Created.Before(first.Created)) {
			first = v
		}
	}
	return first, first.ID != ""
}

func (d *directory) byID(id tacet.VaultID) (tacet.Vault, bool) {
	i := slices.IndexFunc(d.vaults, func(v tacet.Vault) bool { return v.ID == id })
	if i < 0 {
		return tacet.Vault{}, false
	}
	return d.vaults[i], true
}

// managed returns the managed policy with an ARN, the account's own or one that every
// deployment has; nil when there is none of exactly that ARN.
func (d *directory) managed(arn string) *managedPolicy {
	if p, ok := builtin()[arn]; ok {
		return p
	}
	if p, ok := d.policies[policyKey(arn)]; ok && p.arn == arn {
		return p
	}
	return nil
}

// roleByARN returns the role with exactly the ARN; nil when there is none.
func (d *directory) roleByARN(arn string) *role {
	account, tail, _ := splitPrincipalARN(arn)
	r, ok := d.roles[nameKey(account, tail[strings.LastIndexByte(tail, '/')+1:])]
	if !ok || r.arn != arn {
		return nil
	}
	return r
}

// who is a caller as a directory knows him. The pointers are shared by every directory
// in which he and his policies are unchanged.
type who struct {
	user *user
	role *role
	// key is the access key that signed, or that the caller's session was asked for with.
	key *accessKey
	// credential is what the access token of the caller was given for.
	credential *clientCredential
}

// who finds the principal that a caller is, by his unique id: one who was deleted and
// made again under his old name is somebody else.
func (d *directory) who(c *tacet.Caller) who {
	w := who{key: d.keys[c.AccessKey]}
	id := c.ID
	if c.Session != nil {
		id = c.Session.Principal
		w.credential, w.key = d.apps.credentials[c.Session.Credential], d.keys[c.Session.Key]
	}
	switch p := d.ids[id].(type) {
	case *user:
		if c.Kind == tacet.CallerUser || c.Kind == tacet.CallerRoot {
			w.user = p
		}
	case *role:
		if c.Kind == tacet.CallerRole {
			w.role = p
		}
	}
	return w
}

func (w *who) grants() grants {
	switch {
	case w.user != nil:
		return w.user.grants
	case w.role != nil:
		return w.role.grants
	}
	return grants{}
}

func (w *who) tags() []tacet.Tag {
	switch {
	case w.user != nil:
		return w.user.Tags
	case w.role != nil:
		return w.role.Tags
	}
	return nil
}

// known reports whether the caller's principal, and the key that he signed with, are
// still there. A federated identity is nobody's principal.
func (w *who) known(c *tacet.Caller) bool {
	if c.Kind == tacet.CallerFederated {
		return true
	}
	if w.user == nil && w.role == nil {
		return false
	}
	if s := c.Session; s != nil {
		return (s.Credential == "" || w.credential != nil && w.credential.Principal == s.Principal) && (s.Key == "" || w.hasKey())
	}
	return w.hasKey()
}

// hasKey reports whether the access key is there, active, and the user's.
func (w *who) hasKey() bool {
	return w.key != nil && !w.key.Inactive && w.user != nil && nameKey(w.key.Account, w.key.User) == nameKey(w.user.Account, w.user.Name)
}

// principalTag returns a tag of the caller: of his session, or else of his principal.
func (w *who) principalTag(c *tacet.Caller, tag string) ([]string, bool) {
	if c.Session != nil {
		if v, ok := tagValues(c.Session.Tags, tag); ok {
			return v, true
		}
	}
	return tagValues(w.tags(), tag)
}

// arnOf returns the ARN of what an operation of identity is about: of what is there under
// that name, or else of what would be.
func (d *directory) arnOf(account string, ref PrincipalRef) string {
	if ref.Name == "" {
		return tacet.PrincipalARN(ref.Kind, account, "/", "*")
	}
	if strings.HasPrefix(ref.Name, "arn:") {
		return ref.Name
	}
	k := nameKey(account, ref.Name)
	switch ref.Kind {
	case tacet.KindAccessKey:
		if u := d.owner(account, ref.Name); u != nil {
			return u.arn
		}
		return tacet.PrincipalARN(tacet.KindUser, account, "/", "*")
	case tacet.KindUser:
		if u, ok := d.users[k]; ok {
			return u.arn
		}
	case tacet.KindGroup:
		if g, ok := d.groups[k]; ok {
			return g.ARN()
		}
	case tacet.KindRole:
		if r, ok := d.roles[k]; ok {
			return r.arn
		}
	}
	return tacet.PrincipalARN(ref.Kind, account, cmp.Or(ref.Path, "/"), ref.Name)
}

// owner returns the user of an account whose access key it is, nil for none.
func (d *directory) owner(account, key string) *user {
	if k, ok := d.keys[key]; ok && k.Account == account {
		return d.users[nameKey(account, k.User)]
	}
	return nil
}

// renamed returns the ARN that the principal of a request is to have.
func (d *directory) renamed(r *Request) string {
	arn := d.arnOf(r.Call.Account, r.Principal)
	_, tail, _ := splitPrincipalARN(arn)
	path, name := "/", tail
	if first, last := strings.IndexByte(tail, '/'), strings.LastIndexByte(tail, '/'); first >= 0 {
		path, name = tail[first:last+1], tail[last+1:]
	}
	return tacet.PrincipalARN(r.Becomes.Kind, r.Call.Account, cmp.Or(r.Becomes.Path, path), cmp.Or(r.Becomes.Name, name))
}

// clone copies what a change may touch; the documents are shared.
func (d *directory) clone() *directory {
	return &directory{vaults: slices.Clone(d.vaults), places: maps.Clone(d.places), names: d.names, users: maps.Clone(d.users),
		groups: maps.Clone(d.groups), roles: maps.Clone(d.roles), policies: maps.Clone(d.policies),
		providers: maps.Clone(d.providers), aliases: maps.Clone(d.aliases), keys: maps.Clone(d.keys), ids: maps.Clone(d.ids),
		definitions: maps.Clone(d.definitions), assignments: maps.Clone(d.assignments), assigned: maps.Clone(d.assigned), apps: d.apps.clone()}
}

func newDirectory() *directory {
	return &directory{places: map[place]int{}, names: &vaultNames{map[string]int{}}, users: map[string]*user{}, groups: map[string]*userGroup{}, roles: map[string]*role{},
		policies: map[string]*managedPolicy{}, providers: map[string]*tacet.OIDCProvider{}, aliases: map[string]*tacet.AccountAlias{}, keys: map[string]*accessKey{}, ids: map[string]any{},
		definitions: map[string]*tacet.RoleDefinition{}, assignments: map[string]*assignment{}, assigned: map[string][]*assignment{}, apps: newApplications()}
}

func (d *directory) addVault(v tacet.Vault) {
	if i, ok := d.places[place{v.Account, v.Region}]; ok {
		d.vaults[i] = v
		return
	}
	d.names.at[strings.ToLower(v.Name)] = len(d.vaults)
	d.places[place{v.Account, v.Region}] = len(d.vaults)
	d.vaults = append(d.vaults, v)
}

func (d *directory) hasRegion(region string) bool {
	return slices.ContainsFunc(d.vaults, func(v tacet.Vault) bool { return v.Region == region })
}

// ValidRegion reports whether any account has a vault in the region, or a
// development server would make one.
func (g *Guard) ValidRegion(region string) bool {
	if g.cfg.Development {
		return tacet.IsRegion(region)
	}
	if g.dir.Load().hasRegion(region) {
		return true
	}
	g.refresh()
	return g.dir.Load().hasRegion(region)
}
