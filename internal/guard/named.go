package guard

import (
	"strings"

	"tacet"
	"tacet/internal/policy"
)

// How policies of secrets and roles name users and roles. They are written with ARNs, kept
// with unique ids, and shown with ARNs again: see docs/design/0011-principals-by-id.md.

// bind returns the text of a policy as it is kept. The error is PolicyPrincipal, of an account,
// a user, a role or a session's role that does not exist.
func (d *directory) bind(doc *policy.Document, text string) (stored string, err error) {
	for _, p := range doc.Principals() {
		if p.Type == "AWS" && !d.hasPrincipal(p.Value) {
			return "", tacet.Errorf(tacet.PolicyPrincipal, "%s", p.Value)
		}
	}
	return policy.RewritePrincipals(text, d.boundTo), nil
}

// boundTo returns the unique id of the user or role that a policy names by his ARN; what is
// named otherwise, or does not exist, stays as it is.
func (d *directory) boundTo(value string) string {
	if id := d.idOf(value); id != "" {
		return id
	}
	return value
}

// idOf returns the unique id of the user or the role with exactly the ARN, "" for none. An
// account's root has none.
func (d *directory) idOf(arn string) string {
	account, tail, ok := splitPrincipalARN(arn)
	if !ok {
		return ""
	}
	kind, _, _ := strings.Cut(tail, "/")
	switch kind {
	case "user":
		if u, ok := d.users[nameKey(account, tail[strings.LastIndexByte(tail, '/')+1:])]; ok && u.arn == arn && !u.Root {
			return u.ID
		}
	case "role":
		if r := d.roleByARN(arn); r != nil {
			return r.ID
		}
	}
	return ""
}

// nameOf returns the ARN of the user or role with a unique id, "" for one who is no more.
func (d *directory) nameOf(id string) string {
	switch p := d.ids[id].(type) {
	case *user:
		if !p.Root {
			return p.arn
		}
	case *role:
		return p.arn
	}
	return ""
}

// shownAs is the way back from boundTo: who is no more is shown by his id.
func (d *directory) shownAs(value string) string {
	if arn := d.nameOf(value); arn != "" {
		return arn
	}
	return value
}

// deleted reports whether a principal of a policy is one who is no more.
func (d *directory) deleted(p policy.Principal) bool { return p.UniqueID() && d.nameOf(p.Value) == "" }

// deletedIn lists the unique ids in a policy of principals who are no more. nil has none.
func (d *directory) deletedIn(doc *policy.Document) (ids []string) {
	if doc == nil {
		return nil
	}
	for _, p := range doc.Principals() {
		if d.deleted(p) {
			ids = append(ids, p.Value)
		}
	}
	return ids
}

// ShowResourcePolicy returns a secret's policy as it is shown: it names users and roles by the
// ARNs they have now, and those who are no more by their ids. All else is as it was given.
func (s *scope) ShowResourcePolicy(stored string) string {
	if stored == "" {
		return ""
	}
	return policy.RewritePrincipals(stored, s.dir.shownAs)
}

// ShowTrustPolicy is [scope.ShowResourcePolicy] for a role's trust policy, in which IAM shows
// an account, too, by an ARN.
func (s *scope) ShowTrustPolicy(stored string) string {
	return policy.RewritePrincipals(stored, func(value string) string {
		if tacet.IsAccount(value) {
			return "arn:aws:iam::" + value + ":root"
		}
		return s.dir.shownAs(value)
	})
}

// hasPrincipal reports whether an AWS principal of a policy exists here.
func (d *directory) hasPrincipal(value string) bool {
	if value == "*" || d.idOf(value) != "" || d.nameOf(value) != "" {
		return true
	}
	account := value
	if rest, ok := strings.CutPrefix(value, "arn:aws:sts::"); ok {
		return d.hasSessionRole(rest)
	} else if acct, tail, ok := splitPrincipalARN(value); ok && tail == "root" {
		account = acct
	}
	_, ok := d.firstVault(account)
	return ok
}

// hasSessionRole reports whether the role of a session's ARN, without its beginning, exists.
func (d *directory) hasSessionRole(rest string) bool {
	account, tail, _ := strings.Cut(rest, ":")
	parts := strings.Split(tail, "/")
	if len(parts) != 3 || parts[0] != "assumed-role" {
		return false
	}
	_, ok := d.roles[nameKey(account, parts[1])]
	return ok
}
