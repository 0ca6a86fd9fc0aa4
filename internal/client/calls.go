package client

import (
	"context"
	"encoding/json"
	"io"
	"time"
)

// Identity is who a credential belongs to.
type Identity struct {
	ARN     string `json:"arn"`
	Account string `json:"account"`
	UserID  string `json:"userId"`
}

// WhoAmI returns who the client calls as.
func (c *Client) WhoAmI(ctx context.Context) (Identity, error) {
	var out Identity
	_, err := c.call(ctx, "whoami", struct{}{}, &out)
	return out, err
}

// Tag is a key and a value of a user.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// User is a person or a program.
type User struct {
	Name    string    `json:"name"`
	ARN     string    `json:"arn"`
	ID      string    `json:"id"`
	Path    string    `json:"path"`
	Account string    `json:"account"`
	Created time.Time `json:"created"`
	// Boundary is the ARN of the managed policy that limits the user.
	Boundary string `json:"boundary,omitempty"`
	Tags     []Tag  `json:"tags,omitempty"`
	// ClientID and ObjectID are what Azure's clients and grants call the user.
	ClientID string `json:"clientId"`
	ObjectID string `json:"objectId"`
}

// request is the members that requests are made of; each call sets the ones it sends.
type request struct {
	User        string   `json:"user,omitempty"`
	Group       string   `json:"group,omitempty"`
	Role        string   `json:"role,omitempty"`
	Path        string   `json:"path,omitempty"`
	Description *string  `json:"description,omitempty"`
	Boundary    string   `json:"boundary,omitempty"`
	Tags        []Tag    `json:"tags,omitempty"`
	Keys        []string `json:"keys,omitempty"`
	Policy      string   `json:"policy,omitempty"`
	Version     string   `json:"version,omitempty"`
	Document    string   `json:"document,omitempty"`
	Seconds     *int     `json:"seconds,omitempty"`
	URL         string   `json:"url,omitempty"`
	Provider    string   `json:"provider,omitempty"`
	Audience    string   `json:"audience,omitempty"`
	Audiences   []string `json:"audiences,omitempty"`
	JWKS        string   `json:"jwks,omitempty"`
	Key         string   `json:"key,omitempty"`
	Kind        string   `json:"kind,omitempty"`
	Certificate string   `json:"certificate,omitempty"`
	Active      *bool    `json:"active,omitempty"`
	Name        string   `json:"name,omitempty"`
	Account     string   `json:"account,omitempty"`
	Region      string   `json:"region,omitempty"`
	After       *int64   `json:"after,omitempty"`
	Before      *int64   `json:"before,omitempty"`
	Limit       int      `json:"limit,omitempty"`
	Since       string   `json:"since,omitempty"`
	Offset      *int64   `json:"offset,omitempty"`
	Vault       string   `json:"vault,omitempty"`
	Secret      string   `json:"secret,omitempty"`
	Principal   string   `json:"principal,omitempty"`
	Permissions []string `json:"permissions,omitempty"`
	ID          string   `json:"id,omitempty"`
}

// NewPrincipal is what a user or a role is made with beside its name.
type NewPrincipal struct {
	Path     string // "" means "/"
	Boundary string // a managed policy that limits it; "" for none
	Tags     []Tag
}

// CreateUser makes a user without any right. Names are unique in any case of letters.
func (c *Client) CreateUser(ctx context.Context, name string, with NewPrincipal) (User, error) {
	var out User
	_, err := c.call(ctx, "users/create", request{User: name, Path: with.Path, Boundary: with.Boundary, Tags: with.Tags}, &out)
	return out, err
}

// GetUser returns a user.
func (c *Client) GetUser(ctx context.Context, name string) (User, error) {
	var out User
	_, err := c.call(ctx, "users/get", request{User: name}, &out)
	return out, err
}

// ListUsers returns the users of the caller's account, by name.
func (c *Client) ListUsers(ctx context.Context) ([]User, error) {
	var out struct{ Users []User }
	_, err := c.call(ctx, "users/list", request{}, &out)
	return out.Users, err
}

// UpdateUser gives a user another name, another path or both; "" keeps the old.
func (c *Client) UpdateUser(ctx context.Context, user, name, path string) error {
	return c.do(ctx, "users/update", request{User: user, Name: name, Path: path})
}

// DeleteUser removes a user without access keys and policies.
func (c *Client) DeleteUser(ctx context.Context, name string) error {
	_, err := c.call(ctx, "users/delete", request{User: name}, nil)
	return err
}

// NewAccount is an account that was made, with its administrator's access key.
type NewAccount struct {
	Account string `json:"account"`
	Vault   Vault  `json:"vault"`
	User    User   `json:"user"`
	Key     struct {
		AccessKey
		Secret string `json:"secret"` // never given again
	} `json:"key"`
}

// CreateAccount makes the administrator of an account and, unless it has one, its vault.
// What is "" is the server's choice.
func (c *Client) CreateAccount(ctx context.Context, account, region, vault, administrator string) (NewAccount, error) {
	return get[NewAccount](ctx, c, "accounts/create", request{Account: account, Region: region, Name: vault, User: administrator})
}

// Account is what there is of an account.
type Account struct {
	Account string `json:"account"`
	// Operator says that the deployment belongs to it.
	Operator bool    `json:"operator"`
	Vaults   []Vault `json:"vaults"`
	Users    int     `json:"users"`
	Roles    int     `json:"roles"`
}

// ListAccounts returns the accounts of the deployment.
func (c *Client) ListAccounts(ctx context.Context) ([]Account, error) {
	out, err := get[struct{ Accounts []Account }](ctx, c, "accounts/list", request{})
	return out.Accounts, err
}

// AccessKey is a credential of a user, without its secret.
type AccessKey struct {
	ID      string    `json:"id"`
	User    string    `json:"user"`
	Active  bool      `json:"active"`
	Created time.Time `json:"created"`
}

// CreateAccessKey makes an access key. Its secret is never given again.
func (c *Client) CreateAccessKey(ctx context.Context, user string) (key AccessKey, secret string, err error) {
	var out struct {
		AccessKey
		Secret string
	}
	_, err = c.call(ctx, "keys/create", request{User: user}, &out)
	return out.AccessKey, out.Secret, err
}

// ListAccessKeys returns a user's access keys, oldest first.
func (c *Client) ListAccessKeys(ctx context.Context, user string) ([]AccessKey, error) {
	var out struct{ Keys []AccessKey }
	_, err := c.call(ctx, "keys/list", request{User: user}, &out)
	return out.Keys, err
}

// UpdateAccessKey makes an access key active or inactive.
func (c *Client) UpdateAccessKey(ctx context.Context, user, id string, active bool) error {
	_, err := c.call(ctx, "keys/update", request{User: user, Key: id, Active: &active}, nil)
	return err
}

// DeleteAccessKey removes an access key.
func (c *Client) DeleteAccessKey(ctx context.Context, user, id string) error {
	_, err := c.call(ctx, "keys/delete", request{User: user, Key: id}, nil)
	return err
}

// Vault is an account in a region.
type Vault struct {
	Name    string    `json:"name"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
}

// ListVaults returns the vaults of the deployment.
func (c *Client) ListVaults(ctx context.Context) ([]Vault, error) {
	var out struct{ Vaults []Vault }
	_, err := c.call(ctx, "vaults/list", request{}, &out)
	return out.Vaults, err
}

// Record is a line of the audit.
type Record struct {
	Seq int64 `json:"seq"`
	// Record is a tacet.Record in JSON, byte for byte what was hashed into the tree.
	Record json.RawMessage `json:"record"`
}

// LastRecords returns the last limit records (1 to 1000), oldest first, and the id of
// this request, which is recorded itself.
func (c *Client) LastRecords(ctx context.Context, limit int) ([]Record, string, error) {
	return c.records(ctx, request{Limit: limit})
}

// RecordsAfter returns up to limit records (1 to 1000) that follow the one numbered
// seq, and the id of this request.
func (c *Client) RecordsAfter(ctx context.Context, seq int64, limit int) ([]Record, string, error) {
	return c.records(ctx, request{After: &seq, Limit: limit})
}

// RecordsBefore returns the up to limit records (1 to 1000) that come before the one
// numbered seq, oldest first, and the id of this request.
func (c *Client) RecordsBefore(ctx context.Context, seq int64, limit int) ([]Record, string, error) {
	return c.records(ctx, request{Before: &seq, Limit: limit})
}

func (c *Client) records(ctx context.Context, in request) ([]Record, string, error) {
	var out struct{ Records []Record }
	id, err := c.call(ctx, "audit/records", in, &out)
	return out.Records, id, err
}

// Checkpoint is a signed statement of how long the record is and what it hashes to.
type Checkpoint struct {
	Note string `json:"note"` // a signed note of several lines
	Key  string `json:"key"`  // verifies it
}

// Checkpoint has the server sign the present end of the record.
func (c *Client) Checkpoint(ctx context.Context) (Checkpoint, error) {
	var out Checkpoint
	_, err := c.call(ctx, "audit/checkpoint", request{}, &out)
	return out, err
}

// AuditReport says what a verification found.
type AuditReport struct {
	Records       int64     `json:"records"` // read: From up to but not including To
	From          int64     `json:"from"`
	To            int64     `json:"to"`
	Signed        int64     `json:"signed"` // how many the checkpoint covers
	Root          string    `json:"root"`
	Checkpoint    string    `json:"checkpoint,omitempty"`
	SignedAt      time.Time `json:"signedAt,omitzero"`
	Key           string    `json:"key,omitempty"`
	KeyFromExport bool      `json:"keyFromExport,omitempty"`
	Problem       string    `json:"problem,omitempty"` // the first thing that does not hold
	FirstBad      int64     `json:"firstBad"`
}

// VerifyAudit has the server read its whole record again and check it against the
// signed tree and, when since is not empty, against an earlier checkpoint's note. It
// waits as long as that takes.
func (c *Client) VerifyAudit(ctx context.Context, since string) (AuditReport, error) {
	var out AuditReport
	_, err := c.wait(ctx, "audit/verify", request{Since: since}, &out)
	return out, err
}

// ExportAudit writes the records from the time from (inclusive) to the time to
// (exclusive) to w, as JSON lines; zero times are no bounds. The format is "tacet",
// "cloudtrail" or "azure".
func (c *Client) ExportAudit(ctx context.Context, w io.Writer, format string, from, to time.Time) error {
	in := struct {
		Format string    `json:"format"`
		From   time.Time `json:"from,omitzero"`
		To     time.Time `json:"to,omitzero"`
	}{format, from, to}
	return c.stream(ctx, "audit/export", in, w)
}

type clockInfo struct {
	Offset int64 `json:"offset"`
}

// ClockOffset returns how far a development server's clock is ahead of its machine's.
func (c *Client) ClockOffset(ctx context.Context) (time.Duration, error) {
	var out clockInfo
	_, err := c.call(ctx, "clock/get", request{}, &out)
	return time.Duration(out.Offset) * time.Second, err
}

// SetClockOffset moves a development server's clock to d ahead of its machine's, in
// whole seconds.
func (c *Client) SetClockOffset(ctx context.Context, d time.Duration) error {
	s := int64(d / time.Second)
	_, err := c.call(ctx, "clock/set", request{Offset: &s}, nil)
	return err
}
