package adminapi

import (
	"context"
	"strings"
	"time"

	"tacet"
	"tacet/internal/identity"
)

// A holder is whom a policy, a tag or a boundary belongs to: the member that is given.
type holder struct {
	User  string `json:"user"`
	Group string `json:"group"`
	Role  string `json:"role"`
}

// ref names the holder; the core refuses what is not there.
func (h holder) ref() identity.Ref {
	switch {
	case h.Role != "":
		return identity.Ref{Kind: tacet.KindRole, Name: h.Role}
	case h.Group != "":
		return identity.Ref{Kind: tacet.KindGroup, Name: h.Group}
	}
	return identity.Ref{Kind: tacet.KindUser, Name: h.User}
}

// policyARN takes a managed policy's ARN, "aws/NAME" for one that every deployment has, or
// the name, with its path, of one of the account's own.
func policyARN(call tacet.Call, policy string) string {
	if strings.HasPrefix(policy, "arn:") {
		return policy
	}
	if name, ok := strings.CutPrefix(policy, "aws/"); ok {
		return tacet.PrincipalARN(tacet.KindPolicy, "aws", "/", name)
	}
	return tacet.PrincipalARN(tacet.KindPolicy, call.Account, "/", strings.TrimPrefix(policy, "/"))
}

// providerARN takes an OIDC provider's ARN or its URL.
func providerARN(call tacet.Call, provider string) string {
	if strings.HasPrefix(provider, "arn:") {
		return provider
	}
	return tacet.PrincipalARN(tacet.KindOIDCProvider, call.Account, "/", strings.TrimPrefix(strings.TrimPrefix(provider, "https://"), "http://"))
}

func showTags(tags []tacet.Tag) []tag { return show(tags, func(t tacet.Tag) tag { return tag(t) }) }

func readTags(tags []tag) []tacet.Tag {
	var out []tacet.Tag
	for _, t := range tags {
		out = append(out, tacet.Tag(t))
	}
	return out
}

type inlineIn struct {
	holder
	Policy string `json:"policy"`
}

type putInlineIn struct {
	holder
	Policy   string `json:"policy"`
	Document string `json:"document"` // the policy's JSON, kept as it is given
}

type documentOut struct {
	Document string `json:"document"`
}

type policiesOut struct {
	Policies []string `json:"policies"`
}

func putPolicy(ctx context.Context, h *handler, call tacet.Call, in putInlineIn) (none, error) {
	return none{}, h.Identity.PutInlinePolicy(ctx, call, in.ref(), in.Policy, in.Document)
}

func getPolicy(ctx context.Context, h *handler, call tacet.Call, in inlineIn) (documentOut, error) {
	p, err := h.Identity.GetInlinePolicy(ctx, call, in.ref(), in.Policy)
	return documentOut{Document: p.Document}, err
}

func listPolicies(ctx context.Context, h *handler, call tacet.Call, in holder) (policiesOut, error) {
	names, err := h.Identity.ListInlinePolicies(ctx, call, in.ref(), identity.Page{})
	return policiesOut{Policies: append([]string{}, names.Items...)}, err
}

func deletePolicy(ctx context.Context, h *handler, call tacet.Call, in inlineIn) (none, error) {
	return none{}, h.Identity.DeleteInlinePolicy(ctx, call, in.ref(), in.Policy)
}

func attachPolicy(ctx context.Context, h *handler, call tacet.Call, in inlineIn) (none, error) {
	return none{}, h.Identity.AttachPolicy(ctx, call, in.ref(), policyARN(call, in.Policy))
}

func detachPolicy(ctx context.Context, h *handler, call tacet.Call, in inlineIn) (none, error) {
	return none{}, h.Identity.DetachPolicy(ctx, call, in.ref(), policyARN(call, in.Policy))
}

func listAttached(ctx context.Context, h *handler, call tacet.Call, in holder) (policiesOut, error) {
	list, err := h.Identity.ListAttachedPolicies(ctx, call, in.ref(), identity.Listing{})
	return policiesOut{Policies: show(list.Items, func(p tacet.ManagedPolicy) string { return p.ARN() })}, err
}

func putBoundary(ctx context.Context, h *handler, call tacet.Call, in inlineIn) (none, error) {
	return none{}, h.Identity.PutPermissionsBoundary(ctx, call, in.ref(), policyARN(call, in.Policy))
}

func deleteBoundary(ctx context.Context, h *handler, call tacet.Call, in holder) (none, error) {
	return none{}, h.Identity.DeletePermissionsBoundary(ctx, call, in.ref())
}

// taggedIn names what has tags: a holder but a group, a managed policy or a provider.
type taggedIn struct {
	holder
	Policy   string `json:"policy"`   // as policyARN takes it
	Provider string `json:"provider"` // as providerARN takes it
}

func (in taggedIn) ref(call tacet.Call) identity.Ref {
	switch {
	case in.Policy != "":
		return identity.Ref{Kind: tacet.KindPolicy, Name: policyARN(call, in.Policy)}
	case in.Provider != "":
		return identity.Ref{Kind: tacet.KindOIDCProvider, Name: providerARN(call, in.Provider)}
	}
	return in.holder.ref()
}

type tagIn struct {
	taggedIn
	Tags []tag `json:"tags"`
}

type untagIn struct {
	taggedIn
	Keys []string `json:"keys"`
}

func putTags(ctx context.Context, h *handler, call tacet.Call, in tagIn) (none, error) {
	return none{}, h.Identity.Tag(ctx, call, in.ref(call), readTags(in.Tags))
}

func deleteTags(ctx context.Context, h *handler, call tacet.Call, in untagIn) (none, error) {
	return none{}, h.Identity.Untag(ctx, call, in.ref(call), in.Keys)
}

type groupOut struct {
	Name    string    `json:"name"`
	ARN     string    `json:"arn"`
	ID      string    `json:"id"`
	Path    string    `json:"path"`
	Created time.Time `json:"created"`
	Users   []string  `json:"users,omitempty"`
}

func showGroup(g tacet.Group) groupOut {
	return groupOut{Name: g.Name, ARN: g.ARN(), ID: g.ID, Path: g.Path, Created: g.Created.UTC()}
}

type createGroupIn struct {
	Group string `json:"group"`
	Path  string `json:"path"`
}

type groupIn struct {
	Group string `json:"group"`
}

type membershipIn struct {
	Group string `json:"group"`
	User  string `json:"user"`
}

type groupsOut struct {
	Groups []groupOut `json:"groups"`
}

func createGroup(ctx context.Context, h *handler, call tacet.Call, in createGroupIn) (groupOut, error) {
	g, err := h.Identity.CreateGroup(ctx, call, in.Group, in.Path)
	return showGroup(g), err
}

func getGroup(ctx context.Context, h *handler, call tacet.Call, in groupIn) (groupOut, error) {
	g, err := h.Identity.GetGroup(ctx, call, in.Group, identity.Page{})
	out := showGroup(g.Group)
	out.Users = show(g.Users.Items, func(u tacet.User) string { return u.Name })
	return out, err
}

// listGroups lists the groups of the account, or those of a user.
func listGroups(ctx context.Context, h *handler, call tacet.Call, in userIn) (groupsOut, error) {
	if in.User != "" {
		list, err := h.Identity.ListGroupsForUser(ctx, call, in.User, identity.Page{})
		return groupsOut{Groups: show(list.Items, showGroup)}, err
	}
	list, err := h.Identity.ListGroups(ctx, call, identity.Listing{})
	return groupsOut{Groups: show(list.Items, showGroup)}, err
}

func updateGroup(ctx context.Context, h *handler, call tacet.Call, in renameIn) (none, error) {
	return none{}, h.Identity.UpdateGroup(ctx, call, in.Group, identity.Renaming{Name: in.Name, Path: in.Path})
}

func deleteGroup(ctx context.Context, h *handler, call tacet.Call, in groupIn) (none, error) {
	return none{}, h.Identity.DeleteGroup(ctx, call, in.Group)
}

func addToGroup(ctx context.Context, h *handler, call tacet.Call, in membershipIn) (none, error) {
	return none{}, h.Identity.AddUserToGroup(ctx, call, in.Group, in.User)
}

func removeFromGroup(ctx context.Context, h *handler, call tacet.Call, in membershipIn) (none, error) {
	return none{}, h.Identity.RemoveUserFromGroup(ctx, call, in.Group, in.User)
}

type roleOut struct {
	Name        string    `json:"name"`
	ARN         string    `json:"arn"`
	ID          string    `json:"id"`
	Path        string    `json:"path"`
	Description string    `json:"description,omitempty"`
	Trust       string    `json:"trust"`
	MaxSession  int       `json:"maxSession"` // seconds
	Boundary    string    `json:"boundary,omitempty"`
	Created     time.Time `json:"created"`
	LastUsed    time.Time `json:"lastUsed,omitzero"`
	Tags        []tag     `json:"tags,omitempty"`
	ClientID    string    `json:"clientId"` // as Azure's clients know it
	ObjectID    string    `json:"objectId"`
}

func showRole(r tacet.Role) roleOut {
	return roleOut{Name: r.Name, ARN: r.ARN(), ID: r.ID, Path: r.Path, Description: r.Description, Trust: r.Trust, MaxSession: r.MaxSession,
		Boundary: r.Boundary, Created: r.Created.UTC(), Tags: showTags(r.Tags), ClientID: tacet.ClientID(r.ID), ObjectID: tacet.ObjectID(r.ID)}
}

type createRoleIn struct {
	Role        string `json:"role"`
	Path        string `json:"path"`
	Description string `json:"description"`
	Document    string `json:"document"` // the trust policy
	Seconds     int    `json:"seconds"`  // the longest session
	Boundary    string `json:"boundary"`
	Tags        []tag  `json:"tags"`
}

type roleIn struct {
	Role string `json:"role"`
}

type updateRoleIn struct {
	Role        string  `json:"role"`
	Description *string `json:"description"`
	Seconds     *int    `json:"seconds"`
}

type trustIn struct {
	Role     string `json:"role"`
	Document string `json:"document"`
}

type rolesOut struct {
	Roles []roleOut `json:"roles"`
}

func createRole(ctx context.Context, h *handler, call tacet.Call, in createRoleIn) (roleOut, error) {
	r, err := h.Identity.CreateRole(ctx, call, identity.CreateRoleInput{Path: in.Path, Name: in.Role, Description: in.Description,
		Trust: in.Document, MaxSession: in.Seconds, Boundary: boundaryARN(call, in.Boundary), Tags: readTags(in.Tags)})
	return showRole(r), err
}

// boundaryARN is policyARN for what may be absent.
func boundaryARN(call tacet.Call, policy string) string {
	if policy == "" {
		return ""
	}
	return policyARN(call, policy)
}

func getRole(ctx context.Context, h *handler, call tacet.Call, in roleIn) (roleOut, error) {
	r, err := h.Identity.GetRole(ctx, call, in.Role)
	out := showRole(r.Role)
	out.LastUsed = r.LastUsed.Time.UTC()
	return out, err
}

func listRoles(ctx context.Context, h *handler, call tacet.Call, _ none) (rolesOut, error) {
	list, err := h.Identity.ListRoles(ctx, call, identity.Listing{})
	return rolesOut{Roles: show(list.Items, showRole)}, err
}

func updateRole(ctx context.Context, h *handler, call tacet.Call, in updateRoleIn) (none, error) {
	return none{}, h.Identity.UpdateRole(ctx, call, identity.UpdateRoleInput{Name: in.Role, Description: in.Description, MaxSession: in.Seconds})
}

func setTrust(ctx context.Context, h *handler, call tacet.Call, in trustIn) (none, error) {
	return none{}, h.Identity.UpdateAssumeRolePolicy(ctx, call, in.Role, in.Document)
}

func deleteRole(ctx context.Context, h *handler, call tacet.Call, in roleIn) (none, error) {
	return none{}, h.Identity.DeleteRole(ctx, call, in.Role)
}

func revokeSessions(ctx context.Context, h *handler, call tacet.Call, in roleIn) (none, error) {
	return none{}, h.Identity.RevokeSessions(ctx, call, in.Role)
}
