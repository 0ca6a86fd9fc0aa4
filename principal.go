package tacet

import "time"

// CallerKind says what kind of principal calls.
type CallerKind string

// The kinds of caller.
const (
	CallerUser   CallerKind = "user"
	CallerRoot   CallerKind = "root"   // an account's root
	CallerRole   CallerKind = "role"   // a session of a role
	CallerSystem CallerKind = "system" // Tacet's own work: purge, rotation; never from outside
)

// A Caller is a principal whose credential was verified.
type Caller struct {
	Kind    CallerKind
	Account string
	// ID is the principal's unique id: AIDA… for a user, AROA…:session for a role.
	ID string
	// ARN is what policies and records call it.
	ARN string
	// Name is the user name, or the session name of a role.
	Name string
	// AccessKey is the id of the access key that signed, when one did.
	AccessKey string
	// Role is the role's ARN and Issued the time the session began, for CallerRole.
	Role   string
	Issued time.Time
}

// A Call is one request's circumstances: who calls, from where, on which vault.
// It is the first argument of every operation.
type Call struct {
	Caller Caller
	// Account and Region choose the vault. The faces set them, never the caller's claim alone.
	Account string
	Region  string
	// RequestID is a UUID that the answer carries too.
	RequestID string
	// Face is "aws", "azure", "admin" or "system".
	Face      string
	SourceIP  string
	UserAgent string
	// TLS is "TLSv1.3" or the like, "" for plain HTTP; Cipher its suite and Host the name asked for.
	TLS    string
	Cipher string
	Host   string
}

// A User is a person or a program with access keys: an IAM user, seen from AWS.
type User struct {
	ID      string    `json:"id"` // AIDA…
	Account string    `json:"account"`
	Path    string    `json:"path"` // "/" or "/team/"
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Tags    []Tag     `json:"tags,omitempty"`
	// Policies are the inline identity policies by name, as they were given.
	Policies map[string]string `json:"policies,omitempty"`
	// Root marks the principal that stands for its account itself.
	Root bool `json:"root,omitempty"`
}

// ARN returns the user's Amazon resource name.
func (u *User) ARN() string {
	if u.Root {
		return "arn:aws:iam::" + u.Account + ":root"
	}
	return "arn:aws:iam::" + u.Account + ":user" + u.Path + u.Name
}

// An AccessKey is a long-term credential of a user, without its secret.
type AccessKey struct {
	ID       string    `json:"id"` // AKIA…
	Account  string    `json:"account"`
	User     string    `json:"user"` // the user's name
	Inactive bool      `json:"inactive,omitempty"`
	Created  time.Time `json:"created"`
}
