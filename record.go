package tacet

import (
	"encoding/json"
	"time"
)

// Outcomes of a recorded request.
const (
	OutcomeAllowed = "allowed" // decided, done
	OutcomeDenied  = "denied"  // refused by policy
	OutcomeFailed  = "failed"  // allowed, but the operation ended in an error
)

// A Record is one line of the audit: one request decided, and what came of it. Its
// JSON is what is stored, hashed into the tree and exported; the names are short
// because there are very many of them.
type Record struct {
	// Seq is the record's place in the log and its leaf index in the tree, from 0.
	Seq int64 `json:"-"`
	// ID is unique: the event id, and the decision id that `tacet why` explains.
	ID        string    `json:"id"`
	Time      time.Time `json:"t"`
	RequestID string    `json:"req,omitempty"`
	Face      string    `json:"face"`
	Operation Operation `json:"op"`
	ReadOnly  bool      `json:"ro,omitempty"`
	// Event marks something that Tacet did by itself (CloudTrail's AwsServiceEvent).
	Event bool `json:"event,omitempty"`

	CallerKind CallerKind `json:"kind"`
	Caller     string     `json:"caller"` // ARN
	CallerID   string     `json:"cid,omitempty"`
	CallerName string     `json:"cname,omitempty"`
	CallerAcct string     `json:"cacct,omitempty"`
	AccessKey  string     `json:"key,omitempty"`
	Role       string     `json:"role,omitempty"`
	// SessionStart is when the caller's session began, and SourceIdentity who is behind it, as
	// he was named when the first session of its chain was made.
	SessionStart   time.Time `json:"since,omitzero"`
	SourceIdentity string    `json:"src,omitempty"`

	SourceIP  string `json:"ip,omitempty"`
	UserAgent string `json:"ua,omitempty"`
	TLS       string `json:"tls,omitempty"`
	Cipher    string `json:"cipher,omitempty"`
	Host      string `json:"host,omitempty"`
	// Base, Path and APIVersion are what was asked of Azure's face: the vault's URL and what
	// is below it. Of the query there is nothing but the version.
	Base       string `json:"base,omitempty"`
	Path       string `json:"path,omitempty"`
	APIVersion string `json:"api,omitempty"`

	Account string `json:"acct,omitempty"` // of the vault
	Region  string `json:"region,omitempty"`
	Vault   string `json:"vault,omitempty"` // its name
	// Resource is the ARN of what was asked for, as far as it could be told.
	Resource string `json:"res,omitempty"`
	// Parameters are the request's, Response the answer's, under CloudTrail's lowerCamel
	// names. Their values are strings, bools, int64s, []string, []Tag or []Filter; never a
	// secret value.
	Parameters map[string]any `json:"params,omitempty"`
	Response   map[string]any `json:"resp,omitempty"`

	Outcome string `json:"outcome"`
	// Reason is the decision's: which kind of policy allowed or refused.
	Reason string `json:"reason,omitempty"`
	// Policy names the statement that decided, as "policy-name/Sid-or-index".
	Policy string `json:"policy,omitempty"`
	// Error is the code of what went wrong.
	Error Code `json:"error,omitempty"`
	// Why explains a refusal: what was decided and how the policies' statements took it,
	// condition by condition, as one JSON object of a few KiB at most; see
	// policy.Summary. Conditions show names, tags and addresses, never a secret value.
	Why json.RawMessage `json:"why,omitempty"`
}
