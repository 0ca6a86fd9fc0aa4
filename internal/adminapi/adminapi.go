// Package adminapi is Tacet's own face: JSON for the tacet command and the console.
//
// It is not modelled on a cloud. Every operation is POST /tacet/v1/NAME with a JSON
// object, signed with AWS Signature Version 4 for the service "tacet", so that one
// credential opens both faces. What it does it does through the same door as the
// clouds' faces: decided by the same policies, written into the same record.
package adminapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/limit"
	"tacet/internal/vault"
)

// Prefix is the path every operation is under.
const Prefix = "/tacet/v1/"

// Service is the name of the service that requests are signed for.
const Service = "tacet"

// Config is what the face needs. Everything must be set but Clock and Observe.
type Config struct {
	Vault    *vault.Service
	Identity *identity.Service
	Audit    Audit
	// Limits protect the server; nil means none.
	Limits *limit.Callers
	// Identify looks whether a request names a credential that could have signed it,
	// before its body is read. It returns an [AuthError] to say why it refuses.
	Identify func(r *http.Request) error
	// Authenticate verifies the signature of a request whose body was read and
	// returns the circumstances of the call, but for the request's id. It returns an [AuthError] to say why it
	// refuses; any other error that is not a *tacet.Error is answered without a reason.
	Authenticate func(r *http.Request, body []byte) (tacet.Call, error)
	// Clock is the clock of a development server, nil on any other.
	Clock  Clock
	Logger *slog.Logger
	// Observe, when not nil, is told of every answered request: its operation's path
	// below [Prefix] ("" for one that does not exist), the code it ended with ("" for
	// success) and how long it took.
	Observe func(op, code string, d time.Duration)
}

// Audit is the proof over the records: what the face needs of it beyond reading
// records, which goes through the vault. Its methods are called after the door
// allowed and recorded the caller's reading.
type Audit interface {
	// Checkpoint signs the present end of the log.
	Checkpoint(ctx context.Context) (Checkpoint, error)
	// Verify reads the whole log again and compares it with the signed tree. When since
	// is not empty it is an earlier checkpoint, as [Checkpoint.Note], and the log must
	// contain what that one covered. What does not hold is told in
	// [AuditReport.Problem]; the error is for what could not be checked
	// (InvalidParameter for a since that cannot be read).
	Verify(ctx context.Context, since string) (AuditReport, error)
	// Export writes the records as JSON lines, in order.
	Export(ctx context.Context, w io.Writer, x Export) error
}

// A Checkpoint is a signed statement of how long the log is and what its tree hashes to.
type Checkpoint struct {
	// Note is the signed note (c2sp.org/tlog-checkpoint), text of several lines.
	Note string `json:"note"`
	// Key verifies it (c2sp.org/signed-note, "name+hash+key").
	Key string `json:"key"`
}

// An AuditReport says what a verification found.
type AuditReport struct {
	// Records is how many records were read and hashed: From up to but not including To.
	Records int64 `json:"records"`
	From    int64 `json:"from"`
	To      int64 `json:"to"`
	// Signed is how many records the checkpoint covers; those after it are in order but
	// not signed yet.
	Signed int64 `json:"signed"`
	// Root is the hash of the tree, in base64.
	Root string `json:"root"`
	// Checkpoint is the signed note that was verified, SignedAt the time it states, and
	// Key what verified it.
	Checkpoint string    `json:"checkpoint,omitempty"`
	SignedAt   time.Time `json:"signedAt,omitzero"`
	Key        string    `json:"key,omitempty"`
	// KeyFromExport says that the key came with what was verified, so that it has still
	// to be compared with the deployment's.
	KeyFromExport bool `json:"keyFromExport,omitempty"`
	// Problem is the first thing that does not hold, "" when everything does.
	Problem string `json:"problem,omitempty"`
	// FirstBad is the first record that Problem is about, -1 when none can be told.
	FirstBad int64 `json:"firstBad"`
}

// The formats of an export.
const (
	FormatTacet      = "tacet"      // the records as they were hashed, with what proves them
	FormatCloudTrail = "cloudtrail" // one CloudTrail record a line
	FormatAzure      = "azure"      // one AuditEvent of Azure Key Vault's a line
)

// An Export says which records to write and how.
type Export struct {
	Format string
	// From and To bound the time of the records: From inclusive, To exclusive; the zero
	// time is no bound.
	From, To time.Time
}

// Clock is a clock that can be moved.
type Clock interface {
	// Offset is how far the clock is ahead of the machine's.
	Offset() time.Duration
	SetOffset(time.Duration)
}

// An AuthError is why a request was not believed, in words fit for its sender.
type AuthError struct {
	Code    string // such as "SignatureDoesNotMatch"
	Message string
}

// Error returns the code and the message.
func (e *AuthError) Error() string { return e.Code + ": " + e.Message }

// New returns the face. It panics when something it cannot do without is missing:
// there is no face without a door, a record and a check of signatures.
func New(cfg Config) http.Handler {
	if cfg.Vault == nil || cfg.Identity == nil || cfg.Audit == nil || cfg.Identify == nil || cfg.Authenticate == nil || cfg.Logger == nil {
		panic(errors.New("adminapi: incomplete Config"))
	}
	if cfg.Observe == nil {
		cfg.Observe = func(string, string, time.Duration) {}
	}
	return newHandler(cfg)
}
