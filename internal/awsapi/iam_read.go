package awsapi

import (
	"strings"

	"tacet"
	"tacet/internal/identity"
)

// A reader reads what an operation takes, or a part of it, and checks it.
type reader[T any] = func(*form, *checks) T

func both[A, B any](a reader[A], b reader[B]) reader[two[A, B]] {
	return func(f *form, c *checks) two[A, B] { return two[A, B]{a(f, c), b(f, c)} }
}

func both3[A, B, C any](a reader[A], b reader[B], third reader[C]) reader[three[A, B, C]] {
	return func(f *form, c *checks) three[A, B, C] { return three[A, B, C]{a(f, c), b(f, c), third(f, c)} }
}

// placeOf is a member's name as messages have it.
func placeOf(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// optional reads a text of so many characters, "" for none.
func optional(name string, low, high int) reader[string] {
	return func(f *form, c *checks) string { return c.length(placeOf(name), f.text(name), low, high) }
}

// needed reads a text that must be there.
func needed(name string, low, high int) reader[string] {
	return func(f *form, c *checks) string {
		t := f.text(name)
		c.required(placeOf(name), t.Set)
		return c.length(placeOf(name), t, low, high)
	}
}

// What IAM says of a member with a character that it must not have. The model has a
// pattern for each, but the service does not name it.
const (
	nameCharacters       = "contain only alphanumeric characters and/or the following: +=,.@_-"
	pathCharacters       = "begin and end with / and contain only alphanumeric characters and/or / characters."
	pathPrefixCharacters = "begin with the / character and contain only alphanumeric characters and/or / characters."
	keyIDCharacters      = "contain only alphanumeric characters."
	documentCharacters   = "contain only printable ASCII characters."
)

// wrong records that a member has a character that it must not have.
func (c *checks) wrong(at, mustDo string) {
	if c.malformedText == "" {
		c.malformedText = "The specified value for " + at + " is invalid. It must " + mustDo
	}
}

// of adds to a reader of a text what the text must look like.
func of(name string, read reader[string], good func(string) bool, mustDo string) reader[string] {
	return func(f *form, c *checks) string {
		s := read(f, c)
		if f.text(name).Set && !good(s) {
			c.wrong(placeOf(name), mustDo)
		}
		return s
	}
}

// named reads a name that must be there.
func named(name string, limit int) reader[string] {
	return of(name, needed(name, 1, limit), matchName, nameCharacters)
}

// maybeNamed reads a name, "" for none.
func maybeNamed(name string, limit int) reader[string] {
	return of(name, optional(name, 1, limit), matchName, nameCharacters)
}

// matchName is [\w+=,.@-]+.
func matchName(s string) bool { return strings.Trim(s, alphanumeric+"_+=,.@-") == "" }

// path reads the path of a user, group or role.
func path(name string) reader[string] {
	return of(name, optional(name, 1, 512), func(s string) bool { return matchPathPrefix(s) && strings.HasSuffix(s, "/") }, pathCharacters)
}

// policyPath reads the path of a managed policy.
func policyPath(name, mustDo string) reader[string] {
	return of(name, optional(name, 1, 512), identity.ValidPolicyPath, mustDo)
}

// matchPathPrefix is /[!-~]* (with DEL in the model, which no path can have).
func matchPathPrefix(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// document reads a policy.
func document(name string) reader[string] {
	return of(name, needed(name, 1, 131072), matchLatin, documentCharacters)
}

// matchLatin is [\t\n\r\x20-\xff]*.
func matchLatin(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && !isSpace(r) || r > 0xff })
}

// descriptionPattern is what the description of a role looks like.
const descriptionPattern = `[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`

func roleDescription(f *form, c *checks) text {
	t := f.text("Description")
	c.length("description", t, 0, 1000)
	c.pattern("description", t, descriptionPattern, func(s string) bool {
		return matchLatin(s) && !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x7f && r <= 0xa0 })
	})
	return t
}

func refOf(kind tacet.PrincipalKind, name reader[string]) reader[identity.Ref] {
	return func(f *form, c *checks) identity.Ref { return identity.Ref{Kind: kind, Name: name(f, c)} }
}

// nobody is what an operation about the whole account is about.
func nobody(*form, *checks) identity.Ref { return identity.Ref{} }

func policyARN(f *form, c *checks) string { return needed("PolicyArn", 20, 2048)(f, c) }
func providerARN(f *form, c *checks) string {
	return needed("OpenIDConnectProviderArn", 20, 2048)(f, c)
}
func keyID(f *form, c *checks) string {
	return of("AccessKeyId", needed("AccessKeyId", 16, 128), matchAccessKey, keyIDCharacters)(f, c)
}

// truth reads a truth value, false for none.
func truth(name string) reader[bool] {
	return func(f *form, c *checks) bool { return f.boolean(c, name).On }
}

func readStatus(f *form, c *checks) (active bool) {
	t := f.text("Status")
	c.required("status", t.Set)
	return c.enum("status", t, "Active", "Inactive") == "Active"
}

// versionIDPattern is what the id of a managed policy's version looks like.
const versionIDPattern = `v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`

func versionID(f *form, c *checks) string {
	t := f.text("VersionId")
	c.required("versionId", t.Set)
	c.pattern("versionId", t, versionIDPattern, matchVersionID)
	return t.S
}

// matchVersionID is versionIDPattern.
func matchVersionID(s string) bool {
	number, tail, _ := strings.Cut(s, ".")
	digits, ok := strings.CutPrefix(number, "v")
	return ok && digits != "" && digits[0] != '0' && strings.Trim(digits, "0123456789") == "" && strings.Trim(tail, alphanumeric+"-") == ""
}

// defaultItems is how long a page is that is not told.
const defaultItems = 100

func readPage(f *form, c *checks) identity.Page {
	p := identity.Page{Marker: c.length("marker", f.text("Marker"), 1, 0), Limit: defaultItems}
	if n := f.integer(c, "MaxItems"); n.Set {
		p.Limit = int(c.bounds("maxItems", n, 1, 1000))
	}
	return p
}

func readListing(f *form, c *checks) identity.Listing {
	prefix := of("PathPrefix", optional("PathPrefix", 0, 512), matchPathPrefix, pathPrefixCharacters)
	return identity.Listing{PathPrefix: prefix(f, c), Page: readPage(f, c)}
}

// readPolicyListing is readListing for managed policies, whose prefix is a whole path.
func readPolicyListing(f *form, c *checks) identity.Listing {
	prefix := of("PathPrefix", optional("PathPrefix", 0, 512), identity.ValidPolicyPath, pathPrefixCharacters)
	return identity.Listing{PathPrefix: prefix(f, c), Page: readPage(f, c)}
}

// readRenaming reads the new name and path of what is to be renamed.
func readRenaming(name string, limit int) reader[identity.Renaming] {
	return func(f *form, c *checks) identity.Renaming {
		return identity.Renaming{Name: maybeNamed(name, limit)(f, c), Path: path("NewPath")(f, c)}
	}
}

// tagKeyPattern is what tags look like.
const (
	tagKeyPattern   = `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`
	tagValuePattern = `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`
)

func tagKeys(f *form, c *checks) []string {
	l := f.texts("TagKeys")
	c.required("tagKeys", l != nil)
	return c.strings("tagKeys", l, [2]int{0, tacet.MaxTags}, [2]int{1, tacet.MaxTagKey}, tagKeyPattern, identity.ValidTagText)
}

// tags reads tags that must be there.
func tags(f *form, c *checks) []tacet.Tag {
	c.required("tags", f.text("Tags").Set || f.has("Tags.member.1."))
	return f.tags(c)
}

func thumbprints(f *form, c *checks) []string {
	return c.strings("thumbprintList", f.texts("ThumbprintList"), [2]int{}, [2]int{40, 40}, "", nil)
}

func neededThumbprints(f *form, c *checks) []string {
	l := thumbprints(f, c)
	c.required("thumbprintList", l != nil)
	return l
}

func readCreateUser(f *form, c *checks) identity.CreateUserInput {
	return identity.CreateUserInput{
		Name: named("UserName", 64)(f, c), Path: path("Path")(f, c),
		Boundary: optional("PermissionsBoundary", 20, 2048)(f, c), Tags: f.tags(c),
	}
}

// maxSession reads a role's longest session, in seconds.
func maxSession(f *form, c *checks) *int {
	n := f.integer(c, "MaxSessionDuration")
	if !n.Set {
		return nil
	}
	seconds := int(c.bounds("maxSessionDuration", n, 3600, 43200))
	return &seconds
}

func readCreateRole(f *form, c *checks) identity.CreateRoleInput {
	in := identity.CreateRoleInput{
		Name: named("RoleName", 64)(f, c), Path: path("Path")(f, c), Description: roleDescription(f, c).S,
		Trust:    document("AssumeRolePolicyDocument")(f, c),
		Boundary: optional("PermissionsBoundary", 20, 2048)(f, c), Tags: f.tags(c),
	}
	if seconds := maxSession(f, c); seconds != nil {
		in.MaxSession = *seconds
	}
	return in
}

func readUpdateRole(f *form, c *checks) identity.UpdateRoleInput {
	in := identity.UpdateRoleInput{Name: named("RoleName", 64)(f, c), MaxSession: maxSession(f, c)}
	in.Description = roleDescription(f, c).Pointer()
	return in
}

func neededDescription(f *form, c *checks) string {
	t := roleDescription(f, c)
	c.required("description", t.Set)
	return t.S
}

func readCreatePolicy(f *form, c *checks) identity.CreatePolicyInput {
	return identity.CreatePolicyInput{
		Name: named("PolicyName", 128)(f, c), Path: policyPath("Path", pathCharacters)(f, c), Description: optional("Description", 0, 1000)(f, c),
		Document: document("PolicyDocument")(f, c), Tags: f.tags(c),
	}
}

// usage reads how a managed policy is used, by which a listing goes.
func usage(f *form, c *checks) string {
	return c.enum("policyUsageFilter", f.text("PolicyUsageFilter"), identity.UsagePolicy, identity.UsageBoundary)
}

func readListPolicies(f *form, c *checks) identity.ListPoliciesInput {
	return identity.ListPoliciesInput{
		Scope: c.enum("scope", f.text("Scope"), "All", "AWS", "Local"), OnlyAttached: truth("OnlyAttached")(f, c),
		Usage: usage(f, c), Listing: readPolicyListing(f, c),
	}
}

func readListEntities(f *form, c *checks) identity.ListEntitiesInput {
	in := identity.ListEntitiesInput{Policy: policyARN(f, c), Usage: usage(f, c), Listing: readListing(f, c)}
	switch c.enum("entityFilter", f.text("EntityFilter"), "User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy") {
	case "User":
		in.Kind = tacet.KindUser
	case "Role":
		in.Kind = tacet.KindRole
	case "Group":
		in.Kind = tacet.KindGroup
	case "LocalManagedPolicy", "AWSManagedPolicy":
		in.Kind = tacet.KindPolicy // no entity is one
	}
	return in
}

func readCreateProvider(f *form, c *checks) identity.CreateOIDCProviderInput {
	return identity.CreateOIDCProviderInput{
		URL:         needed("Url", 1, 255)(f, c),
		ClientIDs:   c.strings("clientIDList", f.texts("ClientIDList"), [2]int{}, [2]int{1, 255}, "", nil),
		Thumbprints: thumbprints(f, c), Tags: f.tags(c),
	}
}
