package client

import (
	"context"
	"time"
)

// A Holder names one that policies, tags and boundaries belong to: Kind is "user", "group"
// or "role", of tags also "policy" or "provider".
type Holder struct{ Kind, Name string }

// in puts the holder into a request.
func (h Holder) in(r request) request {
	switch h.Kind {
	case "group":
		r.Group = h.Name
	case "role":
		r.Role = h.Name
	case "policy":
		r.Policy = h.Name
	case "provider":
		r.Provider = h.Name
	default:
		r.User = h.Name
	}
	return r
}

// do makes a call that answers nothing.
func (c *Client) do(ctx context.Context, path string, in request) error {
	_, err := c.call(ctx, path, in, nil)
	return err
}

// get makes a call and returns its answer.
func get[T any](ctx context.Context, c *Client, path string, in request) (out T, err error) {
	_, err = c.call(ctx, path, in, &out)
	return out, err
}

// PutPolicy gives an inline policy, in place of the one of that name.
func (c *Client) PutPolicy(ctx context.Context, to Holder, policy, document string) error {
	return c.do(ctx, "policies/put", to.in(request{Policy: policy, Document: document}))
}

// GetPolicy returns an inline policy as it was given.
func (c *Client) GetPolicy(ctx context.Context, of Holder, policy string) (string, error) {
	out, err := get[struct{ Document string }](ctx, c, "policies/get", of.in(request{Policy: policy}))
	return out.Document, err
}

// ListPolicies returns the names of inline policies.
func (c *Client) ListPolicies(ctx context.Context, of Holder) ([]string, error) {
	out, err := get[struct{ Policies []string }](ctx, c, "policies/list", of.in(request{}))
	return out.Policies, err
}

// DeletePolicy removes an inline policy.
func (c *Client) DeletePolicy(ctx context.Context, of Holder, policy string) error {
	return c.do(ctx, "policies/delete", of.in(request{Policy: policy}))
}

// AttachPolicy gives a managed policy: an ARN, the name of one of the account, or
// "aws/NAME" for one that every deployment has. All calls take policies so.
func (c *Client) AttachPolicy(ctx context.Context, to Holder, policy string) error {
	return c.do(ctx, "policies/attach", to.in(request{Policy: policy}))
}

// DetachPolicy takes a managed policy away.
func (c *Client) DetachPolicy(ctx context.Context, from Holder, policy string) error {
	return c.do(ctx, "policies/detach", from.in(request{Policy: policy}))
}

// ListAttached returns the ARNs of managed policies.
func (c *Client) ListAttached(ctx context.Context, of Holder) ([]string, error) {
	out, err := get[struct{ Policies []string }](ctx, c, "policies/attached", of.in(request{}))
	return out.Policies, err
}

// PutBoundary limits what a user's or a role's policies grant by a managed policy.
func (c *Client) PutBoundary(ctx context.Context, of Holder, policy string) error {
	return c.do(ctx, "boundaries/put", of.in(request{Policy: policy}))
}

// DeleteBoundary ends that limit.
func (c *Client) DeleteBoundary(ctx context.Context, of Holder) error {
	return c.do(ctx, "boundaries/delete", of.in(request{}))
}

// Tag adds tags; those of the same key are replaced.
func (c *Client) Tag(ctx context.Context, of Holder, tags []Tag) error {
	return c.do(ctx, "tags/put", of.in(request{Tags: tags}))
}

// Untag removes the tags of these keys.
func (c *Client) Untag(ctx context.Context, of Holder, keys []string) error {
	return c.do(ctx, "tags/delete", of.in(request{Keys: keys}))
}

// Group is users who have policies in common.
type Group struct {
	Name    string    `json:"name"`
	ARN     string    `json:"arn"`
	ID      string    `json:"id"`
	Path    string    `json:"path"`
	Created time.Time `json:"created"`
	Users   []string  `json:"users,omitempty"` // of [Client.GetGroup]
}

// CreateGroup makes a group of nobody and without any right.
func (c *Client) CreateGroup(ctx context.Context, name, path string) (Group, error) {
	return get[Group](ctx, c, "groups/create", request{Group: name, Path: path})
}

// GetGroup returns a group with its users.
func (c *Client) GetGroup(ctx context.Context, name string) (Group, error) {
	return get[Group](ctx, c, "groups/get", request{Group: name})
}

// ListGroups returns the groups of the account, or of a user if one is named.
func (c *Client) ListGroups(ctx context.Context, user string) ([]Group, error) {
	out, err := get[struct{ Groups []Group }](ctx, c, "groups/list", request{User: user})
	return out.Groups, err
}

// UpdateGroup gives a group another name, another path or both; "" keeps the old.
func (c *Client) UpdateGroup(ctx context.Context, group, name, path string) error {
	return c.do(ctx, "groups/update", request{Group: group, Name: name, Path: path})
}

// DeleteGroup removes a group without users and policies.
func (c *Client) DeleteGroup(ctx context.Context, name string) error {
	return c.do(ctx, "groups/delete", request{Group: name})
}

// AddToGroup gives a user the policies of a group.
func (c *Client) AddToGroup(ctx context.Context, group, user string) error {
	return c.do(ctx, "groups/add", request{Group: group, User: user})
}

// RemoveFromGroup takes them away again.
func (c *Client) RemoveFromGroup(ctx context.Context, group, user string) error {
	return c.do(ctx, "groups/remove", request{Group: group, User: user})
}

// Role is a principal that others become for a while.
type Role struct {
	Name        string    `json:"name"`
	ARN         string    `json:"arn"`
	ID          string    `json:"id"`
	Path        string    `json:"path"`
	Description string    `json:"description,omitempty"`
	Trust       string    `json:"trust"`      // the trust policy, as it was given
	MaxSession  int       `json:"maxSession"` // seconds
	Boundary    string    `json:"boundary,omitempty"`
	Created     time.Time `json:"created"`
	LastUsed    time.Time `json:"lastUsed,omitzero"` // of [Client.GetRole]
	Tags        []Tag     `json:"tags,omitempty"`
	// ClientID and ObjectID are what Azure's clients and grants call the role.
	ClientID string `json:"clientId"`
	ObjectID string `json:"objectId"`
}

// CreateRole makes a role without any right. The longest session is in seconds; 0 means
// an hour.
func (c *Client) CreateRole(ctx context.Context, name, trust, description string, seconds int, with NewPrincipal) (Role, error) {
	in := request{Role: name, Document: trust, Path: with.Path, Boundary: with.Boundary, Tags: with.Tags}
	if description != "" {
		in.Description = &description
	}
	if seconds != 0 {
		in.Seconds = &seconds
	}
	return get[Role](ctx, c, "roles/create", in)
}

// GetRole returns a role.
func (c *Client) GetRole(ctx context.Context, name string) (Role, error) {
	return get[Role](ctx, c, "roles/get", request{Role: name})
}

// ListRoles returns the roles of the account, by name.
func (c *Client) ListRoles(ctx context.Context) ([]Role, error) {
	out, err := get[struct{ Roles []Role }](ctx, c, "roles/list", request{})
	return out.Roles, err
}

// UpdateRole changes a role's description and longest session, in seconds; nil keeps it.
func (c *Client) UpdateRole(ctx context.Context, name string, description *string, seconds *int) error {
	return c.do(ctx, "roles/update", request{Role: name, Description: description, Seconds: seconds})
}

// SetTrust replaces the trust policy of a role.
func (c *Client) SetTrust(ctx context.Context, role, document string) error {
	return c.do(ctx, "roles/trust", request{Role: role, Document: document})
}

// DeleteRole removes a role without policies. Its sessions end with it.
func (c *Client) DeleteRole(ctx context.Context, name string) error {
	return c.do(ctx, "roles/delete", request{Role: name})
}

// RevokeSessions ends the sessions of a role that have begun until now.
func (c *Client) RevokeSessions(ctx context.Context, role string) error {
	return c.do(ctx, "roles/revoke", request{Role: role})
}

// ManagedPolicy is a policy with a name of its own.
type ManagedPolicy struct {
	Name        string    `json:"name"`
	ARN         string    `json:"arn"`
	ID          string    `json:"id"`
	Path        string    `json:"path"`
	Description string    `json:"description,omitempty"`
	Version     string    `json:"version"`            // the one in force
	Document    string    `json:"document,omitempty"` // its text, of [Client.GetManaged]
	Attached    int       `json:"attached"`           // how many principals it grants to
	Boundaries  int       `json:"boundaries"`         // how many it limits
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
	Tags        []Tag     `json:"tags,omitempty"`
}

// CreateManaged makes a managed policy, which nobody has yet.
func (c *Client) CreateManaged(ctx context.Context, name, path, description, document string, tags []Tag) (ManagedPolicy, error) {
	in := request{Policy: name, Path: path, Document: document, Tags: tags}
	if description != "" {
		in.Description = &description
	}
	return get[ManagedPolicy](ctx, c, "managed/create", in)
}

// GetManaged returns a managed policy with the text that is in force.
func (c *Client) GetManaged(ctx context.Context, policy string) (ManagedPolicy, error) {
	return get[ManagedPolicy](ctx, c, "managed/get", request{Policy: policy})
}

// ListManaged returns the managed policies of the account and of every deployment, by name.
func (c *Client) ListManaged(ctx context.Context) ([]ManagedPolicy, error) {
	out, err := get[struct{ Policies []ManagedPolicy }](ctx, c, "managed/list", request{})
	return out.Policies, err
}

// DeleteManaged removes a managed policy that nobody has.
func (c *Client) DeleteManaged(ctx context.Context, policy string) error {
	return c.do(ctx, "managed/delete", request{Policy: policy})
}

// PolicyHolder is who has a managed policy.
type PolicyHolder struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// ListHolders returns who has a managed policy.
func (c *Client) ListHolders(ctx context.Context, policy string) ([]PolicyHolder, error) {
	out, err := get[struct{ Holders []PolicyHolder }](ctx, c, "managed/holders", request{Policy: policy})
	return out.Holders, err
}

// PolicyVersion is one text of a managed policy.
type PolicyVersion struct {
	Version  string    `json:"version"`
	InForce  bool      `json:"inForce"`
	Document string    `json:"document,omitempty"`
	Created  time.Time `json:"created"`
}

// UpdateManaged puts a new text of a managed policy in force.
func (c *Client) UpdateManaged(ctx context.Context, policy, document string) (PolicyVersion, error) {
	return get[PolicyVersion](ctx, c, "managed/update", request{Policy: policy, Document: document})
}

// ListVersions returns the versions of a managed policy.
func (c *Client) ListVersions(ctx context.Context, policy string) ([]PolicyVersion, error) {
	out, err := get[struct{ Versions []PolicyVersion }](ctx, c, "versions/list", request{Policy: policy})
	return out.Versions, err
}

// GetVersion returns a version of a managed policy with its text.
func (c *Client) GetVersion(ctx context.Context, policy, version string) (PolicyVersion, error) {
	return get[PolicyVersion](ctx, c, "versions/get", request{Policy: policy, Version: version})
}

// SetVersion puts a version of a managed policy in force.
func (c *Client) SetVersion(ctx context.Context, policy, version string) error {
	return c.do(ctx, "versions/set", request{Policy: policy, Version: version})
}

// DeleteVersion removes a version that is not in force.
func (c *Client) DeleteVersion(ctx context.Context, policy, version string) error {
	return c.do(ctx, "versions/delete", request{Policy: policy, Version: version})
}

// Provider is an issuer of identities that roles may trust.
type Provider struct {
	URL       string    `json:"url"`
	ARN       string    `json:"arn"`
	Audiences []string  `json:"clientIds"` // whom its tokens may be for
	Created   time.Time `json:"created"`
	Tags      []Tag     `json:"tags,omitempty"`
}

// CreateProvider makes an OIDC issuer known. jwks are its keys, a JWK Set, if it cannot be
// reached; else "".
func (c *Client) CreateProvider(ctx context.Context, url string, audiences []string, jwks string, tags []Tag) (Provider, error) {
	return get[Provider](ctx, c, "providers/create", request{URL: url, Audiences: audiences, JWKS: jwks, Tags: tags})
}

// GetProvider returns an OIDC provider by its ARN or URL. All calls take providers so.
func (c *Client) GetProvider(ctx context.Context, provider string) (Provider, error) {
	return get[Provider](ctx, c, "providers/get", request{Provider: provider})
}

// ListProviders returns the OIDC providers of the account.
func (c *Client) ListProviders(ctx context.Context) ([]Provider, error) {
	out, err := get[struct{ Providers []Provider }](ctx, c, "providers/list", request{})
	return out.Providers, err
}

// DeleteProvider makes an issuer unknown again.
func (c *Client) DeleteProvider(ctx context.Context, provider string) error {
	return c.do(ctx, "providers/delete", request{Provider: provider})
}

// AddAudience lets tokens of a provider be for a further audience.
func (c *Client) AddAudience(ctx context.Context, provider, audience string) error {
	return c.do(ctx, "providers/add", request{Provider: provider, Audience: audience})
}

// RemoveAudience takes an audience away.
func (c *Client) RemoveAudience(ctx context.Context, provider, audience string) error {
	return c.do(ctx, "providers/remove", request{Provider: provider, Audience: audience})
}

// KeyUse is when an access key was last used.
type KeyUse struct {
	User    string    `json:"user"`
	Time    time.Time `json:"time,omitzero"` // zero for never
	Service string    `json:"service,omitempty"`
	Region  string    `json:"region,omitempty"`
}

// LastUse returns when an access key was last used.
func (c *Client) LastUse(ctx context.Context, key string) (KeyUse, error) {
	return get[KeyUse](ctx, c, "keys/used", request{Key: key})
}
