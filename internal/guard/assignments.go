package guard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/policy"
)

// assignment is an assignment, compiled.
type assignment struct {
	tacet.Assignment
	target target
	role   string           // the role's name
	doc    *policy.Document // nil: it says nothing, or its vault is gone
}

// target is what assignments are looked up by: those of one target are in force together.
type target struct {
	vault tacet.VaultID
	kind  targetKind
	// secret is the name of the one secret, "" for the whole vault. Of a denial it is what
	// [foldedName] makes of the name: in Azure's language names have no case.
	secret string
}

type targetKind uint8

const (
	targetRole   targetKind = iota // in force in a vault that goes by role assignments
	targetPolicy                   // in force in a vault that goes by access policies
	targetDeny                     // in force in both
)

// foldedName is the same for all names that Azure's language takes for one secret's.
func foldedName(name string) string {
	if shown, ok := tacet.ShownName(name); ok {
		name = shown
	}
	return strings.ToLower(name)
}

// compile translates an assignment into a policy of the caller's set.
func (d *directory) compile(a *assignment) error {
	v, ok := d.byID(a.Vault)
	if !ok {
		return nil
	}
	var actions []string
	if a.AccessPolicy() {
		a.role, a.target = "access policy", target{a.Vault, targetPolicy, ""}
		for _, p := range a.Permissions {
			actions = append(actions, tacet.PermissionActions(p)...)
		}
	} else {
		r := d.definition(v, a.Role)
		if r == nil { // it may have been of a denial
			return fmt.Errorf("guard: assignment %q: the role definition %q is missing", a.ID, a.Role)
		}
		a.role, a.target, actions = r.Name, target{a.Vault, targetRole, a.Secret}, grantedBy(r)
	}
	secrets := tacet.SecretARN(v.Region, v.Account, "")
	effect, resources := policy.Allow, []string{"*", secrets + "*"}
	switch {
	case a.Deny:
		effect, a.target.kind, a.target.secret = policy.Deny, targetDeny, foldedName(a.Secret)
		if a.Secret != "" {
			resources = resources[1:] // which of them, the target says
		}
	case a.Secret != "":
		resources = []string{secrets + a.Secret, secrets + a.Secret + "-" + strings.Repeat("?", tacet.SuffixLength)}
	}
	if len(actions) > 0 {
		a.doc = policy.NewAssignment(assignmentName(v, &a.Assignment), a.role, effect, actions, resources)
	}
	return nil
}

// assignmentName is what decisions and records call an assignment: its scope and its id.
func assignmentName(v tacet.Vault, a *tacet.Assignment) string {
	name := "vaults/" + v.Name
	if a.Secret != "" {
		name += "/secrets/" + a.Secret
	}
	return name + ":" + a.ID
}

// assignmentNamed finds the assignment that [assignmentName] names.
func (d *directory) assignmentNamed(name string) *assignment {
	return d.assignments[name[strings.LastIndexByte(name, ':')+1:]]
}

// setAssignment puts an assignment in the place of the one with its id; nil only removes.
func (d *directory) setAssignment(id string, a *assignment) {
	if old := d.assignments[id]; old != nil {
		d.assigned[old.Principal] = slices.DeleteFunc(slices.Clone(d.assigned[old.Principal]), func(o *assignment) bool { return o == old })
		delete(d.assignments, id)
	}
	if a != nil {
		d.assignments[id] = a
		d.assigned[a.Principal] = append(slices.Clip(d.assigned[a.Principal]), a)
	}
}

// assignedTo returns what is assigned to a principal and his groups, by their unique ids.
func (d *directory) assignedTo(id string, groups []string) map[target][]*policy.Document {
	var out map[target][]*policy.Document
	for _, id := range append([]string{id}, groups...) {
		for _, a := range d.assigned[id] {
			if a.doc == nil {
				continue
			}
			if out == nil {
				out = map[target][]*policy.Document{}
			}
			out[a.target] = append(out[a.target], a.doc)
		}
	}
	return out
}

// relinkPrincipal links a principal anew, by his unique id, and whoever has to do with him.
func (d *directory) relinkPrincipal(id string) error {
	switch p := d.ids[id].(type) {
	case *user:
		return d.relinkUser(nameKey(p.Account, p.Name))
	case *role:
		return d.relinkRole(nameKey(p.Account, p.Name))
	case *userGroup:
		return d.relink(kindGroup, "")
	}
	return nil
}

// assigned returns what of a caller's assignments is in force where the request goes.
func (s *scope) assigned(all map[target][]*policy.Document) []*policy.Document {
	if len(all) == 0 || s.vault.ID == "" {
		return nil
	}
	kind := targetRole
	if s.vault.AccessPolicies {
		kind = targetPolicy
	}
	docs := join(all[target{s.vault.ID, targetDeny, ""}], all[target{s.vault.ID, kind, ""}])
	name := s.req.Secret.Name
	if s.entry != nil {
		name = s.entry.secret.Name
	}
	if name != "" {
		docs = join(docs, all[target{s.vault.ID, targetDeny, foldedName(name)}])
		docs = join(docs, all[target{s.vault.ID, kind, name}])
	}
	return docs
}

func join(a, b []*policy.Document) []*policy.Document {
	if len(a) == 0 {
		return b
	}
	return append(slices.Clip(a), b...)
}

// nearby returns what is assigned to the caller at other secrets of the vault: it explains
// a refusal.
func (s *scope) nearby() []*policy.Document {
	var out []*policy.Document
	for t, docs := range s.job.who.grants().assigned {
		if t.vault == s.vault.ID && t.kind == targetRole && t.secret != "" && !s.vault.AccessPolicies {
			out = append(out, docs...)
		}
	}
	slices.SortFunc(out, func(a, b *policy.Document) int { return cmp.Compare(a.Name(), b.Name()) })
	return out
}

// Assignments lists the assignments of a vault, or with "" all, in no order.
func (s *scope) Assignments(vault tacet.VaultID) []tacet.Assignment {
	var out []tacet.Assignment
	for _, a := range s.dir.assignments {
		if vault == "" || a.Vault == vault {
			out = append(out, a.Assignment)
		}
	}
	return out
}

// Assignment returns the assignment with an id; nil for none.
func (s *scope) Assignment(id string) *tacet.Assignment {
	a, ok := s.dir.assignments[strings.ToLower(id)]
	if !ok {
		return nil
	}
	c := a.Assignment
	return &c
}

// PutAssignment stores an assignment. It is in force at once.
func (tx *Tx) PutAssignment(a tacet.Assignment) error {
	return tx.putObject(kindAssignment, a.ID, string(a.Vault), a)
}

// DeleteAssignment removes an assignment.
func (tx *Tx) DeleteAssignment(id string) error { return tx.deleteObject(kindAssignment, id) }

// dropAssignments removes the assignments of a vault or a principal that is no more.
func (tx *Tx) dropAssignments(gone func(*tacet.Assignment) bool) error {
	for _, a := range tx.Assignments("") {
		if gone(&a) {
			if err := tx.DeleteAssignment(a.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropPrincipal removes the assignments of a principal, unless he lives on under another
// name.
func (tx *Tx) dropPrincipal(id string) error {
	if tx.dir.ids[id] != nil {
		return nil
	}
	return tx.dropAssignments(func(a *tacet.Assignment) bool { return a.Principal == id })
}

// A PrincipalInfo is a principal as assignments show him.
type PrincipalInfo struct {
	ID   string // the unique id
	Kind tacet.PrincipalKind
	ARN  string // "" for one who is no more
}

// PrincipalNamed finds a user, group or role: by its object id, which Azure's grants name,
// its client id, its unique id or its ARN, in any account; or as "user/NAME", "group/NAME", "role/NAME",
// "root" or NAME of the caller's.
//
// Errors: PrincipalNotFound, InvalidParameter (a name of two principals).
func (s *scope) PrincipalNamed(text string) (PrincipalInfo, error) {
	account := s.req.Call.Caller.Account
	none := tacet.Errorf(tacet.PrincipalNotFound, "There is no user, group or role %s.", text)
	for id := range s.dir.ids {
		if id == text || strings.EqualFold(tacet.ObjectID(id), text) || strings.EqualFold(tacet.ClientID(id), text) {
			return s.PrincipalByID(id), nil
		}
	}
	a, tail, ok := splitPrincipalARN(text)
	if !ok {
		a, tail = account, text
	}
	if name, isGroup := strings.CutPrefix(tail, "group/"); isGroup {
		g := s.dir.groups[nameKey(a, name[strings.LastIndexByte(name, '/')+1:])]
		if g == nil || ok && g.ARN() != text {
			return PrincipalInfo{}, none
		}
		return s.PrincipalByID(g.ID), nil
	}
	sub, err := s.dir.subject(account, text)
	if err != nil {
		return PrincipalInfo{}, err
	}
	id, session, _ := strings.Cut(sub.caller.ID, ":")
	if session != "" && session != anySession || s.dir.ids[id] == nil {
		return PrincipalInfo{}, none
	}
	return s.PrincipalByID(id), nil
}

// PrincipalByID shows the user, group or role with a unique id.
func (s *scope) PrincipalByID(id string) PrincipalInfo {
	switch p := s.dir.ids[id].(type) {
	case *user:
		return PrincipalInfo{id, tacet.KindUser, p.arn}
	case *role:
		return PrincipalInfo{id, tacet.KindRole, p.arn}
	case *userGroup:
		return PrincipalInfo{id, tacet.KindGroup, p.ARN()}
	}
	return PrincipalInfo{ID: id}
}

// Administers reports whether it is the caller's account's to say what becomes of a vault.
func (s *scope) Administers(v tacet.Vault) bool {
	return s.dir.administers(s.req.Call.Caller.Account, v)
}

// SecretNamed returns the full name of the secret that a name means in a vault: the name
// itself, or that of the one that Azure shows so. It need not exist: then it is the name
// that either face would give it.
func (s *scope) SecretNamed(vault tacet.VaultID, name string) (string, error) {
	e, err := s.lookup(vault, name)
	if e != nil || err != nil || !tacet.ValidShownName(name) {
		return name, err
	}
	shown, err := s.shownName(vault, name)
	return cmp.Or(shown, tacet.NameOfShown(name)), err
}
