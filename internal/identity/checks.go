package identity

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tacet"
	"tacet/internal/guard"
)

// Limits of IAM, from the page "IAM and AWS STS quotas". Sizes are in characters and do
// not count white space.
const (
	maxName          = 64 // of users and roles
	maxLongName      = 128
	maxPath          = 512
	maxDescription   = 1000
	maxAccessKeys    = 2 // of a user
	maxAttached      = 10
	maxGroups        = 10 // of a user
	maxUserInline    = 2048
	maxGroupInline   = 5120
	maxRoleInline    = 10240
	maxManaged       = 6144
	maxTrust         = 2048
	maxVersions      = 5 // of a managed policy
	defaultMaxLength = 3600
	leastMaxLength   = 3600 // seconds, of a role's sessions
	mostMaxLength    = 43200
)

// validName checks a name: IAM's [\w+=,.@-]{1,limit}.
func validName(what, name string, limit int) error {
	ok := name != "" && len(name) <= limit
	for i := range len(name) {
		c := name[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_+=,.@-", c) >= 0)
	}
	if !ok {
		return tacet.Errorf(tacet.InvalidParameter, "The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", what)
	}
	return nil
}

func validPath(what, path string) error {
	ok := len(path) <= maxPath && strings.HasPrefix(path, "/") && strings.HasSuffix(path, "/")
	for i := range len(path) {
		ok = ok && path[i] > ' ' && path[i] < 0x7f
	}
	if !ok {
		return badPath(what)
	}
	return nil
}

func badPath(what string) error {
	return tacet.Errorf(tacet.InvalidParameter, "The specified value for %s is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.", what)
}

// ValidPolicyPath reports whether a text is the path of a managed policy, for which IAM has
// fewer characters than for that of a principal: ((/[A-Za-z0-9.,+@=_-]+)*)/.
func ValidPolicyPath(path string) bool {
	if path == "/" {
		return true
	}
	inner, ok := strings.CutPrefix(path, "/")
	inner, closed := strings.CutSuffix(inner, "/")
	for part := range strings.SplitSeq(inner, "/") {
		ok = ok && validName("path", part, maxPath) == nil
	}
	return ok && closed
}

func validDescription(text string) error {
	if utf8.RuneCountInString(text) > maxDescription {
		return tacet.Errorf(tacet.InvalidParameter, "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to %d", maxDescription)
	}
	return nil
}

// validTags checks tags that are to be added. Keys of users and roles differ in more than
// case, those of other things in anything.
func validTags(tags []tacet.Tag, fold bool) error {
	seen := map[string]bool{}
	for _, t := range tags {
		key := t.Key
		if fold {
			key = strings.ToLower(key)
		}
		switch {
		case seen[key] && fold:
			return tacet.Errorf(tacet.InvalidRequest, "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		case seen[key]:
			return tacet.Errorf(tacet.InvalidRequest, "Duplicate tag keys found.")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return tacet.Errorf(tacet.InvalidRequest, "Tag keys beginning with aws: are reserved for system use.")
		case t.Key == "" || utf8.RuneCountInString(t.Key) > tacet.MaxTagKey || utf8.RuneCountInString(t.Value) > tacet.MaxTagValue || !ValidTagText(t.Key) || !ValidTagText(t.Value):
			return tacet.Errorf(tacet.InvalidParameter, "The specified value for tags is invalid. A key has 1 to %d characters and a value at most %d: letters, digits, spaces and _.:/=+-@", tacet.MaxTagKey, tacet.MaxTagValue)
		}
		seen[key] = true
	}
	if len(tags) > tacet.MaxTags {
		return tooManyTags()
	}
	return nil
}

func tooManyTags() error {
	return tacet.Errorf(tacet.LimitExceeded, "The number of tags has reached the maximum limit.")
}

// ValidTagText reports whether a text has only the characters of tags: [\p{L}\p{Z}\p{N}_.:/=+\-@].
func ValidTagText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r)
	})
}

// validPolicyARN checks the form of a managed policy's ARN. AWS refuses a bad one under
// two codes, by the parameter that it stands in.
func validPolicyARN(code tacet.Code, arn string) error {
	rest, ok := strings.CutPrefix(arn, "arn:aws:iam::")
	account, tail, _ := strings.Cut(rest, ":")
	name, policy := strings.CutPrefix(tail, string(tacet.KindPolicy)+"/")
	if !ok || account == "" || !policy || name == "" {
		return tacet.Errorf(code, "ARN %s is not valid.", arn)
	}
	return nil
}

// validBoundary checks that a permissions boundary can be set.
func validBoundary(s scope, call tacet.Call, arn string) error {
	if arn == "" {
		return nil
	}
	if err := validPolicyARN(tacet.InvalidRequest, arn); err != nil {
		return err
	}
	if p := s.ManagedPolicy(arn); p == nil || !ours(call, p.Account) {
		return tacet.Errorf(tacet.PrincipalNotFound, "Scope ARN: %s does not exist or is not attachable.", arn)
	}
	return nil
}

// withoutSpace counts the characters of a policy that are not white space.
func withoutSpace(s string) int {
	n := 0
	for _, c := range s {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			n++
		}
	}
	return n
}

// newPrincipal is what the creation of a user, a group, a role or a policy may say.
type newPrincipal struct {
	ref      Ref
	path     string // "" means "/"
	boundary string // ARN
	tags     []tacet.Tag
}

// request begins the request that makes it.
func (n *newPrincipal) request(call tacet.Call) guard.Request {
	n.path = cmp.Or(n.path, "/")
	r := n.ref.request(call, n.ref.op("Create", ""))
	r.Principal.Path = n.path
	r.Parameters["path"] = n.path
	if n.ref.Kind == tacet.KindPolicy {
		delete(r.Parameters, parameterOf(n.ref.Kind))
		r.Parameters["policyName"] = n.ref.Name
	}
	if n.boundary != "" {
		r.Parameters["permissionsBoundary"] = n.boundary
		r.AddCondition("iam:permissionsboundary", n.boundary)
	}
	if len(n.tags) > 0 {
		r.Also = append(r.Also, n.ref.op("Tag", ""))
		addTags(&r, n.tags)
	}
	return r
}

// check checks what was said, and returns what all kinds have in common.
func (n *newPrincipal) check(tx *guard.Tx, call tacet.Call, idPrefix string, limit int) (tacet.Grantee, error) {
	g := tacet.Grantee{Account: call.Account, Path: n.path, Name: n.ref.Name, Created: tx.Now()}
	if err := validName(string(n.ref.Kind)+"Name", n.ref.Name, limit); err != nil {
		return g, err
	}
	if err := validPath("path", n.path); err != nil {
		return g, err
	}
	if n.ref.Kind == tacet.KindPolicy && !ValidPolicyPath(n.path) {
		return g, badPath("path")
	}
	if err := validTags(n.tags, n.ref.foldsTags()); err != nil {
		return g, err
	}
	if err := validBoundary(tx, call, n.boundary); err != nil {
		return g, err
	}
	g.ID = tx.NewUniqueID(idPrefix)
	return g, nil
}

// addTags tells policies and the record of tags that a request brings.
func addTags(r *guard.Request, tags []tacet.Tag) {
	r.Parameters["tags"] = tags
	for _, t := range tags {
		r.AddCondition("aws:requesttag/"+t.Key, t.Value)
		r.AddCondition("aws:tagkeys", t.Key)
	}
}

// sortTags returns tags in the order that IAM shows them in.
func sortTags(tags []tacet.Tag) []tacet.Tag {
	if len(tags) == 0 {
		return nil
	}
	out := slices.Clone(tags)
	slices.SortFunc(out, func(a, b tacet.Tag) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// A Renaming is the new name and the new path of a user or a group; "" keeps the old.
type Renaming struct {
	Name string
	Path string
}

// request begins the request that renames.
func (n Renaming) request(call tacet.Call, r Ref) guard.Request {
	req := r.request(call, r.op("Update", ""))
	if n.Name != "" || n.Path != "" {
		req.Becomes = guard.PrincipalRef{Kind: r.Kind, Name: n.Name, Path: n.Path}
	}
	if n.Name != "" {
		req.Parameters["new"+r.noun()+"Name"] = n.Name
	}
	if n.Path != "" {
		req.Parameters["newPath"] = n.Path
	}
	return req
}

// apply gives a principal its new name, which nobody else must have.
func (n Renaming) apply(g *tacet.Grantee, what string, limit int, taken func(name string) bool) error {
	if n.Path != "" {
		if err := validPath("newPath", n.Path); err != nil {
			return err
		}
		g.Path = n.Path
	}
	if n.Name == "" || n.Name == g.Name {
		return nil
	}
	if err := validName("new"+what+"Name", n.Name, limit); err != nil {
		return err
	}
	if !strings.EqualFold(n.Name, g.Name) && taken(n.Name) {
		return tacet.Errorf(tacet.PrincipalExists, "%s with name %s already exists.", what, n.Name)
	}
	g.Name = n.Name
	return nil
}
