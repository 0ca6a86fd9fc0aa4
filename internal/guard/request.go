package guard

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"tacet"
)

// A Request says who asks for what. The door decides it, and records it whatever
// comes of it.
type Request struct {
	Call      tacet.Call
	Operation tacet.Operation
	// Also are further operations that this one implies (CreateSecret with tags
	// implies TagResource). Each must be allowed; the record is of Operation.
	Also []tacet.Operation
	// Secret is what is asked for; zero for an operation without one.
	Secret tacet.SecretRef
	// Create says that Secret is to be made: the decision is about its future name.
	Create bool
	// OrCreate says that Secret is to be made if there is none. The request is then
	// decided as OpCreateSecret, and otherwise as OpPutSecretValue, not as Operation.
	OrCreate bool
	// Vault names the vault that is itself the object of the operation.
	Vault string
	// Principal is what an operation of identity is about. The decision is about its own
	// ARN, so that no way of writing a name gets round it.
	Principal PrincipalRef
	// Becomes is the new name or path of Principal, of one that is to be renamed: what has
	// no value stays. The operation must be allowed on both, or renaming were a way into a
	// policy about another name.
	Becomes PrincipalRef
	// Trust says that Principal is a role whose trust policy decides too: a session of it
	// is asked for.
	Trust bool
	// Conditions are the condition keys this request adds to the context, in lower
	// case; AddCondition fills it.
	Conditions map[string][]string
	// Parameters are what the record says of the request, under CloudTrail's names.
	// Never a secret value. They belong to the door once handed over.
	Parameters map[string]any
}

// A PrincipalRef names what an operation of identity is about.
type PrincipalRef struct {
	Kind tacet.PrincipalKind
	// Name is as the caller wrote it: the name of a user, group or role of the account of
	// the call, or an ARN. Empty means all of the kind.
	Name string
	// Path is the path of one that is about to be made.
	Path string
}

// AddCondition adds values of a condition key. Two tag keys that differ in case alone
// are one condition key, with both values.
func (r *Request) AddCondition(key string, values ...string) {
	if r.Conditions == nil {
		r.Conditions = map[string][]string{}
	}
	key = strings.ToLower(key)
	r.Conditions[key] = append(r.Conditions[key], values...)
}

// newID returns 128 random bits, for ids that must never repeat.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// newRecordID makes the id of a record: 48 bits of milliseconds since 1970 and 80 random
// bits, in hex. Ids are in the order of time, and records very nearly so, which is how
// [scope.FindRecord] finds one without an index.
func newRecordID(now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.UnixMilli())<<16)
	_, _ = rand.Read(b[6:])
	return hex.EncodeToString(b[:])
}

// maxStale is how often a read is done again because what it looked at changed while it
// waited. After that it is done on the committer, where nothing can change meanwhile: a
// steady writer must not starve a reader.
const maxStale = 2

// View decides a read, runs op on a snapshot and returns its result once the record
// is committed. op may run more than once, and must not keep the snapshot.
func View[T any](ctx context.Context, g *Guard, r Request, op func(*Snapshot) (T, error)) (T, error) {
	var zero T
	if err := g.locate(ctx, &r.Call); err != nil {
		return zero, err
	}
	for range maxStale {
		j := g.newJob(ctx)
		j.req = r
		out, err := view(g.newSnapshot(ctx, j), &j.req, op)
		stale, cerr := g.submit(j)
		if cerr != nil {
			return zero, cerr
		}
		g.free(j)
		if !stale {
			return out, err
		}
		g.stats.stale.Add(1)
	}
	var out T
	var opErr error
	j := g.newJob(ctx)
	j.req = r
	j.change = func(tx *Tx) { out, opErr = view(&Snapshot{scope: tx.scope}, &j.req, op) }
	if _, err := g.submit(j); err != nil {
		return zero, err
	}
	g.free(j)
	return out, opErr
}

// Within decides a further request inside a read, runs op for it and adds its own
// record to the same group: a batch is many requests in one answer. A refusal is
// returned like any error and does not end the outer read.
func Within[T any](s *Snapshot, r Request, op func(*Snapshot) (T, error)) (T, error) {
	if s.tx != nil {
		inner := s.tx.scope
		inner.entry, inner.existing, inner.resource, inner.response = nil, nil, "", nil
		return view(&Snapshot{scope: inner}, &r, op)
	}
	return view(s.g.newSnapshot(s.ctx, s.job), &r, op)
}

// view is one decision, one run and one record.
func view[T any](s *Snapshot, r *Request, op func(*Snapshot) (T, error)) (out T, err error) {
	rec := s.job.newRecord(r, s.Now())
	s.req, s.rec = r, rec
	out, err = run(s, func(s *Snapshot) (T, error) {
		if err := s.decide(rec); err != nil {
			var none T
			return none, err
		}
		return op(s)
	})
	finish(rec, s.response, err)
	if err != nil {
		var zero T
		out = zero
	}
	s.job.record(s.g, rec)
	return out, err
}

// Do decides a change, runs op in the next group and returns its result once the
// change and its record are committed. op runs on the committer, so it must be quick and call nothing
// outside, and must not keep the transaction. If ctx ends first the change may
// or may not have been made, as with any lost answer.
func Do[T any](ctx context.Context, g *Guard, r Request, op func(*Tx) (T, error)) (T, error) {
	if err := g.locate(ctx, &r.Call); err != nil {
		var zero T
		return zero, err
	}
	return change(ctx, g, &r, (*Tx).admit, op)
}

// System makes a change that is Tacet's own: preparing the deployment, purging what
// is due. There is no decision because there is no caller; there is a record. No
// face can reach it: its operations cannot be named in a request.
func System[T any](ctx context.Context, g *Guard, r Request, op func(*Tx) (T, error)) (T, error) {
	r.Call.Caller = tacet.Caller{Kind: tacet.CallerSystem, ARN: "tacet", Account: r.Call.Account}
	r.Call.Face = "system"
	return change(ctx, g, &r, (*Tx).admitSystem, op)
}

// admit lets a caller's change in, or refuses it.
func (tx *Tx) admit(rec *tacet.Record) error { return tx.decide(rec) }

// admitSystem lets Tacet's own change in.
func (tx *Tx) admitSystem(rec *tacet.Record) error {
	rec.Event = true
	if tx.req.Secret.IsZero() {
		return nil
	}
	return tx.resolve(rec)
}

// change is one admission, one run and one record on the committer.
func change[T any](ctx context.Context, g *Guard, r *Request, admit func(*Tx, *tacet.Record) error, op func(*Tx) (T, error)) (T, error) {
	var out, zero T
	var opErr error
	j := g.newJob(ctx)
	j.change = func(tx *Tx) {
		rec := j.newRecord(r, tx.Now())
		tx.req, tx.rec = r, rec
		out, opErr = run(tx, func(tx *Tx) (T, error) {
			if err := admit(tx, rec); err != nil {
				return zero, err
			}
			return op(tx)
		})
		if opErr != nil {
			tx.discard()
			out = zero
		}
		if tx.unneeded {
			return // Tacet's own work that turned out not to be due
		}
		finish(rec, tx.response, opErr)
		tx.record(rec)
	}
	if _, err := g.submit(j); err != nil {
		return zero, err
	}
	g.free(j)
	return out, opErr
}

// run calls op and turns a panic into an internal error: one bad request must not
// stop the committer, nor leave a read without its record.
func run[S, T any](s S, op func(S) (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &tacet.Error{Code: tacet.Internal, Cause: fmt.Errorf("panic: %s\n%s", tacet.PanicText(p), debug.Stack())}
		}
	}()
	out, err = op(s)
	if err != nil {
		err = tacet.InternalError(err)
	}
	return out, err
}

// newRecord begins the record of a request.
func (j *job) newRecord(r *Request, now time.Time) *tacet.Record {
	rec := &j.rec
	if j.recUsed { // a further request of a batch
		rec = new(tacet.Record)
	}
	j.recUsed = true
	j.used = useOf(r)
	c := &r.Call
	*rec = tacet.Record{
		ID: newRecordID(now), Time: now, RequestID: c.RequestID, Face: c.Face,
		Operation: r.Operation, ReadOnly: r.Operation.ReadOnly(),
		CallerKind: c.Caller.Kind, Caller: c.Caller.ARN, CallerID: c.Caller.ID, CallerName: c.Caller.Name,
		CallerAcct: c.Caller.Account, AccessKey: c.Caller.AccessKey, Role: c.Caller.Role,
		SourceIP: c.SourceIP, UserAgent: c.UserAgent, TLS: c.TLS, Cipher: c.Cipher, Host: c.Host,
		Base: c.Base, Path: c.Path, APIVersion: c.APIVersion,
		Account: c.Account, Region: c.Region, Vault: c.Vault, Parameters: r.Parameters,
	}
	if s := c.Caller.Session; s != nil {
		rec.SessionStart, rec.SourceIdentity = s.Issued, s.SourceIdentity
	}
	return rec
}

// finish completes a record with what came of the request.
func finish(rec *tacet.Record, response map[string]any, err error) {
	switch code := tacet.CodeOf(err); code {
	case "":
		rec.Outcome = tacet.OutcomeAllowed
		rec.Response = response
	case tacet.Denied:
		rec.Outcome, rec.Error = tacet.OutcomeDenied, code
		shorten(rec.Parameters)
	default:
		rec.Outcome, rec.Error = tacet.OutcomeFailed, code
	}
}

// recordSize is room enough for nearly every record, so that it is built in one piece.
const recordSize = 1536

// record adds a finished record to what the job has to commit.
func (j *job) record(g *Guard, rec *tacet.Record) {
	room := g.buffer()
	*room = rec.AppendJSON(*room)
	j.records = append(j.records, line{rec.Time.UnixMicro(), *room, room})
}

// record adds the record of a change and those of what followed from it.
func (tx *Tx) record(rec *tacet.Record) {
	tx.job.record(tx.g, rec)
	for _, e := range tx.changes.events {
		tx.job.record(tx.g, e)
	}
}

// maxDenied is how much of a parameter the record of a refusal keeps, in bytes: who has
// no right must not be able to fill the disk with what he was refused.
const maxDenied = 512

func shorten(params map[string]any) {
	for name, v := range params {
		switch v := v.(type) {
		case string:
			if len(v) > maxDenied {
				params[name] = strings.ToValidUTF8(v[:maxDenied], "") + "…"
			}
		case []string, []tacet.Tag, []tacet.Filter:
			if len(tacet.AppendJSONValue(nil, v)) > maxDenied {
				params[name] = "…"
			}
		}
	}
}

// Refuse records a request that the face refused before it could be decided, because it
// could not be read or broke a limit of the model: it was authenticated, so it is
// recorded. code says what was wrong. The error is that the record could not be written.
func Refuse(ctx context.Context, g *Guard, r Request, code tacet.Code) error {
	if r.Call.Vault != "" {
		if err := g.locate(ctx, &r.Call); err != nil {
			return err
		}
	}
	j := g.newJob(ctx)
	j.dir = g.dir.Load()
	rec := j.newRecord(&r, g.now(g.stats.highWater.Load()))
	rec.Outcome, rec.Error = tacet.OutcomeFailed, code
	j.record(g, rec)
	stale, err := g.submit(j)
	if err == nil && stale { // nothing was relied on but the time; the directory moved on
		return Refuse(ctx, g, r, code)
	}
	return err
}

// EnsureVault makes the vault of a region of an account if a development server may
// and there is none; otherwise it does nothing.
func (g *Guard) EnsureVault(ctx context.Context, account, region string) error {
	if _, ok := g.dir.Load().vault(account, region); ok || !g.cfg.Development || !tacet.IsRegion(region) {
		return nil
	}
	call := tacet.Call{Account: account, Region: region}
	_, err := System(ctx, g, Request{Call: call, Operation: tacet.OpCreateVault}, func(tx *Tx) (tacet.Vault, error) {
		return tx.CreateVault(g.vaultName(account, region), account, region)
	})
	return err
}

// vaultName is the name of the vault of a further region: the name of the account's
// first vault and the region.
func (g *Guard) vaultName(account, region string) string {
	if first, ok := g.dir.Load().firstVault(account); ok {
		return first.Name + "-" + region
	}
	return strings.Join([]string{"vault", account, region}, "-")
}
