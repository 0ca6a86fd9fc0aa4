package client

import (
	"context"
	"encoding/json"
)

// A Decision is what the policies said; when a statement decided, it is named.
type Decision struct {
	Allowed   bool   `json:"allowed"`
	Reason    string `json:"reason,omitempty"` // of a refusal
	Policy    string `json:"policy,omitempty"`
	Statement int    `json:"statement"` // its index in the policy, from 0
	Sid       string `json:"sid,omitempty"`
}

// A Statement tells how one statement took a request.
type Statement struct {
	Role      string `json:"role"` // "identity-based policy", "permissions boundary" …
	Policy    string `json:"policy"`
	Statement int    `json:"statement"`
	Sid       string `json:"sid,omitempty"`
	Effect    string `json:"effect"`
	Matched   bool   `json:"matched"`
	// Open says of one that matched that it depends on conditions of which nothing is known.
	Open bool `json:"open,omitempty"`
	// Sessions are those of a role that it names, if it is not known which asks.
	Sessions []string `json:"sessions,omitempty"`
	// Failed is the part that did not match: "principal", "action", "resource" or "condition".
	Failed     string      `json:"failed,omitempty"`
	Resources  []string    `json:"resources,omitempty"`
	Excepted   bool        `json:"excepted,omitempty"` // the resources stand under NotResource
	Conditions []Condition `json:"conditions,omitempty"`
	Delegates  bool        `json:"delegates,omitempty"` // leaves it to the account's identity policies
	Limited    bool        `json:"limited,omitempty"`   // boundary and session policy must allow too
	Left       int         `json:"left,omitempty"`      // how many resources and conditions are not shown
}

// A Condition tells how one operator on one key took a request.
type Condition struct {
	Operator string   `json:"operator"`
	Key      string   `json:"key"`
	Wanted   []string `json:"wanted"`
	Resolved []string `json:"resolved,omitempty"` // Wanted with the values of variables
	Had      []string `json:"had,omitempty"`
	Held     bool     `json:"held"`
	Open     bool     `json:"open,omitempty"` // not known
	Left     int      `json:"left,omitempty"` // how many values are not shown
}

// Others counts the statements of a policy that are about other actions.
type Others struct {
	Role       string `json:"role"`
	Policy     string `json:"policy"`
	Statements int    `json:"statements"`
}

// An Explanation says what was decided and how the policies came to it. Statements are in
// the order of how much they explain.
type Explanation struct {
	Action     string `json:"action"`
	DataAction string `json:"dataAction,omitempty"` // the same in Azure's language
	Resource   string `json:"resource"`
	// AccessPolicies says that the vault goes by access policies, and Network that its
	// network rules let in some addresses only.
	AccessPolicies bool `json:"accessPolicies,omitempty"`
	Network        bool `json:"network,omitempty"`

	Decision   Decision    `json:"decision"`
	Statements []Statement `json:"statements,omitempty"`
	Others     []Others    `json:"others,omitempty"`
	Left       int         `json:"left,omitempty"` // how many statements are not shown
}

// The answers to whether a principal may do something.
const (
	Allowed     = "allowed"
	Denied      = "denied"
	Conditional = "conditional" // it depends on conditions of which nothing is known
)

// What has a say in a request beside all policies.
const (
	RuleAnyone    = "anyone"         // whoever is authenticated may
	RuleNotRoot   = "not-root"       // an account's root may not
	RuleOtherFace = "key-vault-only" // a caller of another account may through Key Vault's API only
)

// A Verdict is what the policies would say of a request.
type Verdict struct {
	Principal string   `json:"principal"` // ARN
	Answer    string   `json:"answer"`
	Missing   bool     `json:"missing,omitempty"`  // there is no such secret
	Networks  []string `json:"networks,omitempty"` // the caller must come from one of these
	Rule      string   `json:"rule,omitempty"`     // has a say beside the policies
	// Deleted are the unique ids of principals whom the resource's policy names and who are no more.
	Deleted []string `json:"deleted,omitempty"`
	Explanation
}

// Explained is a recorded request with what is to be said of it.
type Explained struct {
	Seq    int64           `json:"seq"`
	Record json.RawMessage `json:"record"` // a tacet.Record
	// Today is what the policies would say now, nil when they cannot be asked: see Problem.
	Today   *Verdict `json:"today,omitempty"`
	Problem string   `json:"problem,omitempty"`
}

// ExplainDecision returns the record of a decision by its id, or by the id of one of the
// latest requests, with what today's policies would say.
func (c *Client) ExplainDecision(ctx context.Context, id string) (Explained, error) {
	in := struct {
		ID string `json:"id"`
	}{id}
	var out Explained
	_, err := c.call(ctx, "decisions/explain", in, &out)
	return out, err
}

// A Question is whether a principal may do something, or without one who may.
type Question struct {
	Principal string `json:"principal,omitempty"`
	Action    string `json:"action"`
	Resource  string `json:"resource"`
	// Context are condition keys that the request is supposed to have.
	Context []Tag `json:"context,omitempty"`
}

// SimulateDecision returns what the policies would say of a principal's request.
func (c *Client) SimulateDecision(ctx context.Context, q Question) (Verdict, error) {
	var out Verdict
	_, err := c.call(ctx, "decisions/simulate", q, &out)
	return out, err
}

// Access is who may do something.
type Access struct {
	Action     string     `json:"action"`
	Resource   string     `json:"resource"`
	Missing    bool       `json:"missing,omitempty"`  // there is no such secret
	Public     bool       `json:"public,omitempty"`   // the resource's policy lets in anybody
	Networks   []string   `json:"networks,omitempty"` // everybody must come from one of these
	Reason     string     `json:"reason,omitempty"`   // why it is nobody, if not for lack of grants
	Rule       string     `json:"rule,omitempty"`     // RuleAnyone: everybody may, and nobody is listed
	Deleted    []string   `json:"deleted,omitempty"`  // as in a Verdict
	Principals []Accessor `json:"principals"`
}

// An Accessor is a principal that may, and through which grants.
type Accessor struct {
	Kind        string    `json:"kind"` // "user", "role", "session", "root", "federated" or "anyone"
	ARN         string    `json:"arn"`
	Conditional bool      `json:"conditional,omitempty"`
	Rule        string    `json:"rule,omitempty"` // has a say beside the policies
	Grants      []Grant   `json:"grants"`
	Within      []Grant   `json:"within,omitempty"` // one of these must match too
	Unless      []Grant   `json:"unless,omitempty"` // these would refuse
	AssumedBy   []Trusted `json:"assumedBy,omitempty"`
}

// A Grant is a statement that reaches a request.
type Grant struct {
	Kind       string      `json:"kind"` // "inline policy", "managed policy" …
	Group      string      `json:"group,omitempty"`
	Policy     string      `json:"policy,omitempty"`
	Scope      string      `json:"scope,omitempty"` // of an assignment: "vaults/NAME" or "vaults/NAME/secrets/NAME"
	Statement  int         `json:"statement"`
	Sid        string      `json:"sid,omitempty"`
	Conditions []Condition `json:"conditions,omitempty"` // of which nothing is known
	Resources  []string    `json:"resources,omitempty"`  // with a variable of which nothing is known
	Sessions   []string    `json:"sessions,omitempty"`   // of a role, that it is about
}

// Trusted is whom one statement of a role's trust policy lets in.
type Trusted struct {
	Principals []string    `json:"principals"`
	Deleted    []string    `json:"deleted,omitempty"`  // those of them who are no more, unique ids
	Excepted   bool        `json:"excepted,omitempty"` // everybody else
	Conditions []Condition `json:"conditions,omitempty"`
}

// ListAccess returns every principal that may do something.
func (c *Client) ListAccess(ctx context.Context, q Question) (Access, error) {
	var out Access
	_, err := c.call(ctx, "access/list", q, &out)
	return out, err
}
