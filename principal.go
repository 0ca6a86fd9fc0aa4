package tacet

import "time"

// CallerKind says what kind of principal calls.
type CallerKind string

// The kinds of caller.
const (
	CallerUser CallerKind = "user"
	CallerRoot CallerKind = "root" // an account's root
	CallerRole CallerKind = "role" // a session of a role
	// CallerFederated is an identity that another issuer vouches for, while it asks for
	// a session of a role.
	CallerFederated CallerKind = "federated"
	CallerSystem    CallerKind = "system" // Tacet's own work: purge, rotation; never from outside
)

// A Caller is a principal whose credential was verified.
type Caller struct {
	Kind    CallerKind
	Account string
	// ID is the principal's unique id: AIDA… for a user, AROA…:session for a role.
	ID string
	// ARN is what policies and records call it. Of a federated identity it is that of the
	// provider that vouches for it.
	ARN string
	// Name is the user name, or the session name of a role.
	Name string
	// AccessKey is the id of the access key that signed, when one did.
	AccessKey string
	// Role is the role's ARN, for CallerRole.
	Role string
	// Session is what the caller's temporary credential carries; nil for a long-term one.
	// It is shared and must not be changed.
	Session *Session
}

// Issued returns when the caller's session began, the zero time for a caller that has none.
func (c *Caller) Issued() time.Time {
	if c.Session == nil {
		return time.Time{}
	}
	return c.Session.Issued
}

// A Call is one request's circumstances: who calls, from where, on which vault.
// It is the first argument of every operation.
type Call struct {
	Caller Caller
	// Account and Region choose the vault. The faces set them, never the caller's claim alone.
	Account string
	Region  string
	// Vault, when not empty, names the vault instead, in any case; the door fills in
	// Account and Region. The caller may be of another account.
	Vault string
	// RequestID is a UUID that the answer carries too.
	RequestID string
	// Face is "aws", "azure", "admin" or "system".
	Face      string
	SourceIP  string
	UserAgent string
	Referer   string // the page that sent the caller, as he says
	// TLS is "TLSv1.3" or the like, "" for plain HTTP; Cipher its suite and Host the name asked for.
	TLS    string
	Cipher string
	Host   string
	// Of a request to Azure's face: the vault's URL as the caller used it, the path below,
	// and the api-version.
	Base       string
	Path       string
	APIVersion string
	// Granted, unless nil, is where the door writes the id of the role assignment that allowed
	// the request; "" if it was something else. If the context ends first, it may still do so
	// when the operation has returned.
	Granted *string
}

// PrincipalKind says what an operation of identity is about, in the word that ARNs use.
type PrincipalKind string

// The kinds of principal, and what is given to them.
const (
	KindUser         PrincipalKind = "user"
	KindGroup        PrincipalKind = "group"
	KindRole         PrincipalKind = "role"
	KindPolicy       PrincipalKind = "policy"
	KindOIDCProvider PrincipalKind = "oidc-provider"
	// KindAccessKey names an access key by its id. What is decided is about its user.
	KindAccessKey PrincipalKind = "access-key"
)

// Known reports whether k is one of the kinds.
func (k PrincipalKind) Known() bool {
	switch k {
	case KindUser, KindGroup, KindRole, KindPolicy, KindOIDCProvider:
		return true
	}
	return false
}

// A Grantee is what users, groups and roles have in common: a name, and policies.
type Grantee struct {
	ID      string    `json:"id"` // AIDA…, AGPA…, AROA…
	Account string    `json:"account"`
	Path    string    `json:"path"` // "/" or "/team/"
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	// Policies are the inline identity policies by name, as they were given.
	Policies map[string]string `json:"policies,omitempty"`
	// Attached are the ARNs of managed policies, in the order they were attached.
	Attached []string `json:"attached,omitempty"`
}

// A User is a person or a program with access keys: an IAM user, seen from AWS.
type User struct {
	Grantee
	Tags []Tag `json:"tags,omitempty"`
	// Boundary is the ARN of the managed policy that limits what the user's own grant; "" for none.
	Boundary string `json:"boundary,omitempty"`
	// Groups are the ids of the groups the user belongs to, in the order of joining.
	Groups []string `json:"groups,omitempty"`
	// Root marks the principal that stands for its account itself.
	Root bool `json:"root,omitempty"`
}

// ARN returns the user's Amazon resource name.
func (u *User) ARN() string {
	if u.Root {
		return "arn:aws:iam::" + u.Account + ":root"
	}
	return PrincipalARN(KindUser, u.Account, u.Path, u.Name)
}

// A Group is users who have policies in common.
type Group struct {
	Grantee
}

// ARN returns the group's Amazon resource name.
func (g *Group) ARN() string { return PrincipalARN(KindGroup, g.Account, g.Path, g.Name) }

// A Role is a principal without a credential of its own: whoever its trust policy lets
// may act as it for a while.
type Role struct {
	Grantee
	Tags        []Tag  `json:"tags,omitempty"`
	Boundary    string `json:"boundary,omitempty"` // as a User's
	Description string `json:"description,omitempty"`
	// Trust is the trust policy, as it was given.
	Trust string `json:"trust"`
	// MaxSession is the longest session, in seconds.
	MaxSession int `json:"maxSession"`
}

// ARN returns the role's Amazon resource name.
func (r *Role) ARN() string { return PrincipalARN(KindRole, r.Account, r.Path, r.Name) }

// A ManagedPolicy is a policy with a name of its own, to be attached to principals.
type ManagedPolicy struct {
	ID          string          `json:"id"` // ANPA…
	Account     string          `json:"account"`
	Path        string          `json:"path"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Created     time.Time       `json:"created"`
	Updated     time.Time       `json:"updated"`
	Tags        []Tag           `json:"tags,omitempty"`
	Versions    []PolicyVersion `json:"versions"` // oldest first
	Default     string          `json:"default"`  // the id of the version in force
	// NextVersion is the number of the version to be made next: ids are not used again.
	NextVersion int `json:"next"`
}

// A PolicyVersion is one text of a managed policy.
type PolicyVersion struct {
	ID       string    `json:"id"` // "v1"
	Document string    `json:"document"`
	Created  time.Time `json:"created"`
}

// ARN returns the policy's Amazon resource name.
func (p *ManagedPolicy) ARN() string { return PrincipalARN(KindPolicy, p.Account, p.Path, p.Name) }

// Version returns the version with an id, nil for none.
func (p *ManagedPolicy) Version(id string) *PolicyVersion {
	for i := range p.Versions {
		if p.Versions[i].ID == id {
			return &p.Versions[i]
		}
	}
	return nil
}

// An OIDCProvider is an issuer of identities outside Tacet that roles may trust.
type OIDCProvider struct {
	Account string `json:"account"`
	// URL is the issuer without "https://": host, port if not 443, and path.
	URL string `json:"url"`
	// ClientIDs are the audiences that a token may be for.
	ClientIDs   []string  `json:"clientIds,omitempty"`
	Thumbprints []string  `json:"thumbprints,omitempty"` // kept for AWS's sake, not used
	Created     time.Time `json:"created"`
	Tags        []Tag     `json:"tags,omitempty"`
	// JWKS are the issuer's keys, for one that cannot be reached; "" to fetch them.
	JWKS string `json:"jwks,omitempty"`
	// Plain marks an issuer that speaks plain HTTP, on this machine, for development.
	Plain bool `json:"plain,omitempty"`
}

// Issuer returns the issuer's URL, which its tokens have as iss.
func (p *OIDCProvider) Issuer() string {
	if p.Plain {
		return "http://" + p.URL
	}
	return "https://" + p.URL
}

// ARN returns the provider's Amazon resource name.
func (p *OIDCProvider) ARN() string { return PrincipalARN(KindOIDCProvider, p.Account, "/", p.URL) }

// An AccountAlias is another name of an account, for people.
type AccountAlias struct {
	Account string `json:"account"`
	Alias   string `json:"alias"`
}

// PrincipalARN returns the ARN of a principal of an account.
func PrincipalARN(kind PrincipalKind, account, path, name string) string {
	return "arn:aws:iam::" + account + ":" + string(kind) + path + name
}

// An AccessKey is a long-term credential of a user, without its secret.
type AccessKey struct {
	ID       string    `json:"id"` // AKIA…
	Account  string    `json:"account"`
	User     string    `json:"user"` // the user's name
	Inactive bool      `json:"inactive,omitempty"`
	Created  time.Time `json:"created"`
}

// A LastUse tells when an access key, or a role, was last used: to within fifteen minutes,
// as AWS does.
type LastUse struct {
	Time    time.Time // zero for never
	Service string    // the prefix of the operation's action
	Region  string
}

// A Session is what a temporary credential stands for. All of it travels in the sealed
// session token: no node keeps any of it.
type Session struct {
	// AccessKey is the id of the credential, ASIA…, or of an access token.
	AccessKey string `json:"k"`
	// Principal is the unique id of the role or the user, without the session's name.
	Principal string `json:"p"`
	// Name is the session's name, of a role's session.
	Name    string    `json:"n,omitempty"`
	Issued  time.Time `json:"i"`
	Expires time.Time `json:"e"`
	// Policies and PolicyARNs are the session policies: texts, and managed policies.
	Policies   []string `json:"sp,omitempty"`
	PolicyARNs []string `json:"sa,omitempty"`
	// Tags are the session's, those it inherited included; Transitive are the keys of those
	// that a session made from this one inherits.
	Tags           []Tag    `json:"t,omitempty"`
	Transitive     []string `json:"tt,omitempty"`
	SourceIdentity string   `json:"si,omitempty"`
	// Provider is the ARN of the OIDC provider that vouched for the caller, "" for none.
	Provider string `json:"op,omitempty"`
	// Subject is the subject in that provider's token.
	Subject string `json:"os,omitempty"`
	// Credential is the id of the client credential that an access token was given for, ""
	// for another kind of session. The session ends with it.
	Credential string `json:"c,omitempty"`
	// Key is the id of the access key that a session of a user was asked for with, "" for
	// another kind of session. The session is good while the key is there and active.
	Key string `json:"uk,omitempty"`
}

// HasPolicy reports whether session policies limit the session.
func (s *Session) HasPolicy() bool { return len(s.Policies)+len(s.PolicyARNs) > 0 }
