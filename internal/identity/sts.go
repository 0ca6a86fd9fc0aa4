package identity

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"tacet"
	"tacet/internal/guard"
)

// Limits of STS, in seconds and bytes.
const (
	minSession        = 900
	defaultSession    = 3600
	maxRoleSession    = 43200
	maxChainedSession = 3600
	maxUserSession    = 129600
	defaultUser       = 43200
	// maxPacked is the size of a session's policies and tags in its token.
	maxPacked = 6144
)

// Credentials are a session's, to be shown once.
type Credentials struct {
	AccessKey  string
	Secret     tacet.Plaintext
	Token      string
	Expiration time.Time
}

// SessionInput is what a session may be made with, whoever asks for it.
type SessionInput struct {
	RoleARN string
	Name    string
	// Duration is in seconds; 0 means an hour.
	Duration int64
	// Policy and PolicyARNs limit the session.
	Policy     string
	PolicyARNs []string
}

// AssumeRoleInput is the input of [Service.AssumeRole].
type AssumeRoleInput struct {
	SessionInput
	Tags           []tacet.Tag
	TransitiveKeys []string
	ExternalID     string
	SourceIdentity string
}

// RoleSession is a session of a role that was made.
type RoleSession struct {
	Credentials Credentials
	// ID and ARN are those of the session, as a caller.
	ID, ARN        string
	SourceIdentity string
	// Packed is how much of the room for policies and tags is used, in percent; -1 when
	// there are none.
	Packed int
}

// AssumeRole makes a session of a role for a caller whom the role's trust policy, and
// where that leaves it to his account, his own policies let. A session of a session
// inherits its transitive tags and its source identity, and lasts an hour at most.
//
// See the AWS STS API reference, AssumeRole. Errors: Denied, also for a role that does not
// exist; InvalidParameter, PolicyMalformed, SessionTagsInvalid, SessionTooLarge.
func (s *Service) AssumeRole(ctx context.Context, call tacet.Call, in AssumeRoleInput) (RoleSession, error) {
	var from *tacet.Session // the session that the new one is chained to
	if call.Caller.Kind == tacet.CallerRole {
		from = call.Caller.Session
	}
	r := assumeRequest(call, in, from)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (RoleSession, error) {
		if call.Caller.Kind == tacet.CallerRoot {
			return RoleSession{}, tacet.Errorf(tacet.InvalidRequest, "Roles may not be assumed by root accounts.")
		}
		sess := tacet.Session{Tags: in.Tags, Transitive: in.TransitiveKeys, SourceIdentity: in.SourceIdentity}
		if err := validSessionTags(tacet.SessionTagsInvalid, in.Tags, in.TransitiveKeys); err != nil {
			return RoleSession{}, err
		}
		if from != nil {
			if in.Duration > maxChainedSession {
				return RoleSession{}, tacet.Errorf(tacet.InvalidParameter, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
			}
			if err := inherit(&sess, from); err != nil {
				return RoleSession{}, err
			}
		}
		return s.newRoleSession(v, in.SessionInput, sess)
	})
}

// assumeRequest is the request for a session of a role that is signed. What a session hands
// on is set in the next one, which takes the same permission as setting it anew (IAM User
// Guide, "Monitor and control actions taken with assumed roles").
func assumeRequest(call tacet.Call, in AssumeRoleInput, from *tacet.Session) guard.Request {
	r := sessionRequest(call, tacet.OpAssumeRole, in.SessionInput)
	source, tagged := in.SourceIdentity, len(in.Tags) > 0
	if from != nil {
		source, tagged = cmp.Or(source, from.SourceIdentity), tagged || len(from.Transitive) > 0
	}
	if in.ExternalID != "" {
		r.AddCondition("sts:externalid", in.ExternalID)
		r.Parameters["externalId"] = in.ExternalID
	}
	if source != "" {
		r.Also = append(r.Also, tacet.OpSetSourceIdentity)
		r.AddCondition("sts:sourceidentity", source)
	}
	if in.SourceIdentity != "" {
		r.Parameters["sourceIdentity"] = in.SourceIdentity
	}
	if tagged {
		r.Also = append(r.Also, tacet.OpTagSession)
	}
	if len(in.Tags) > 0 {
		addTags(&r, in.Tags)
	}
	if len(in.TransitiveKeys) > 0 {
		r.AddCondition("sts:transitivetagkeys", in.TransitiveKeys...)
		r.Parameters["transitiveTagKeys"] = in.TransitiveKeys
	}
	return r
}

// validSessionTags checks the tags of a new session, and that those to be handed on are
// among them. The error has the code that the way they came asks for.
func validSessionTags(code tacet.Code, tags []tacet.Tag, transitive []string) error {
	if err := validTags(tags, true); err != nil {
		e, ok := errors.AsType[*tacet.Error](err)
		if !ok {
			return err
		}
		return tacet.Errorf(code, "%s", e.Detail)
	}
	for _, key := range transitive {
		if !slices.ContainsFunc(tags, func(t tacet.Tag) bool { return strings.EqualFold(t.Key, key) }) {
			return tacet.Errorf(code, "The specified transitive tag key must be included in the requested tags.")
		}
	}
	return nil
}

// sessionRequest begins the request for a session of a role.
func sessionRequest(call tacet.Call, op tacet.Operation, in SessionInput) guard.Request {
	r := guard.Request{Call: call, Operation: op, Trust: true,
		Principal:  guard.PrincipalRef{Kind: tacet.KindRole, Name: in.RoleARN},
		Parameters: map[string]any{"roleArn": in.RoleARN, "roleSessionName": in.Name}}
	r.AddCondition("sts:rolesessionname", in.Name)
	if in.Duration != 0 {
		r.Parameters["durationSeconds"] = in.Duration
	}
	if in.Policy != "" {
		r.Parameters["policy"] = in.Policy
	}
	if len(in.PolicyARNs) > 0 {
		r.Parameters["policyArns"] = in.PolicyARNs
	}
	return r
}

// inherit takes over what a session hands on to those made from it.
func inherit(sess, from *tacet.Session) error {
	for _, key := range from.Transitive {
		i := slices.IndexFunc(from.Tags, func(t tacet.Tag) bool { return strings.EqualFold(t.Key, key) })
		if i < 0 {
			continue
		}
		if slices.ContainsFunc(sess.Tags, func(t tacet.Tag) bool { return strings.EqualFold(t.Key, key) }) {
			return tacet.Errorf(tacet.SessionTagsInvalid, "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		sess.Tags = append(slices.Clip(sess.Tags), from.Tags[i])
		sess.Transitive = append(slices.Clip(sess.Transitive), key)
	}
	switch {
	case from.SourceIdentity == "":
	case sess.SourceIdentity == "":
		sess.SourceIdentity = from.SourceIdentity
	case sess.SourceIdentity != from.SourceIdentity:
		return tacet.Errorf(tacet.InvalidRequest, "The source identity of the calling session can't be changed.")
	}
	return nil
}

// newRoleSession makes a session of the role that was decided about.
func (s *Service) newRoleSession(v *guard.Snapshot, in SessionInput, sess tacet.Session) (RoleSession, error) {
	role := v.Role("", in.RoleARN)
	if role == nil {
		return RoleSession{}, tacet.Errorf(tacet.PrincipalNotFound, "The role %s cannot be found.", in.RoleARN)
	}
	duration := in.Duration
	if duration == 0 {
		duration = defaultSession
	}
	if duration > int64(role.MaxSession) {
		return RoleSession{}, tacet.Errorf(tacet.InvalidParameter, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	if in.Policy != "" {
		if err := v.CheckSessionPolicy(in.Policy); err != nil {
			return RoleSession{}, err
		}
		sess.Policies = []string{in.Policy}
	}
	for _, arn := range in.PolicyARNs {
		p := v.ManagedPolicy(arn)
		if p == nil || p.Account != role.Account && p.Account != "aws" {
			return RoleSession{}, tacet.Errorf(tacet.PolicyMalformed, "PolicyArns: the policy %s does not exist in the role's account", arn)
		}
	}
	sess.PolicyARNs = in.PolicyARNs
	sess.Principal, sess.Name = role.ID, in.Name
	packed, err := packedSize(sess)
	if err != nil {
		return RoleSession{}, err
	}
	creds, err := newCredentials(v, sess, duration)
	if err != nil {
		return RoleSession{}, err
	}
	v.Respond("assumedRoleId", role.ID+":"+in.Name)
	return RoleSession{Credentials: creds, Packed: packed, SourceIdentity: sess.SourceIdentity, ID: role.ID + ":" + in.Name,
		ARN: "arn:aws:sts::" + role.Account + ":assumed-role/" + role.Name + "/" + in.Name}, nil
}

// packedSize is how much of the room for policies and tags a session uses, in percent, or
// the error that it is more than all.
func packedSize(sess tacet.Session) (int, error) {
	if !sess.HasPolicy() && len(sess.Tags) == 0 {
		return -1, nil
	}
	size := guard.SessionSize(tacet.Session{Policies: sess.Policies, PolicyARNs: sess.PolicyARNs, Tags: sess.Tags, Transitive: sess.Transitive})
	percent := (100*size + maxPacked - 1) / maxPacked
	if size > maxPacked {
		if !sess.HasPolicy() {
			return 0, tacet.Errorf(tacet.SessionTooLarge, "Packed size of session tags consumes %d%% of allotted space.", percent)
		}
		return 0, tacet.Errorf(tacet.SessionTooLarge, "Packed policy consumes %d%% of allotted space, please use smaller policy.", percent)
	}
	return percent, nil
}

// newCredentials makes the credential of a session that lasts so many seconds.
func newCredentials(v *guard.Snapshot, sess tacet.Session, seconds int64) (Credentials, error) {
	sess.Expires = v.Now().Add(time.Duration(seconds) * time.Second).Truncate(time.Second)
	id, secret, token, err := v.NewSession(sess)
	v.Respond("accessKeyId", id) // so that what the session does is traced to this
	return Credentials{AccessKey: id, Secret: secret, Token: token, Expiration: sess.Expires}, err
}

// GetSessionToken makes a session of the user who calls, with all his rights but those on
// IAM. duration is in seconds; 0 means twelve hours, and an hour for an account's root,
// which is the longest for it. Anyone with a long-term access key may ask; the session ends
// with that key, which at AWS it outlives.
//
// Errors: InvalidRequest for a caller who has a session, not an access key.
func (s *Service) GetSessionToken(ctx context.Context, call tacet.Call, duration int64) (Credentials, error) {
	r := guard.Request{Call: call, Operation: tacet.OpGetSessionToken, Parameters: map[string]any{}}
	if duration != 0 {
		r.Parameters["durationSeconds"] = duration
	}
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (Credentials, error) {
		if call.Caller.Session != nil || call.Caller.AccessKey == "" {
			return Credentials{}, tacet.Errorf(tacet.InvalidRequest, "Cannot call GetSessionToken with session credentials")
		}
		if duration == 0 {
			duration = defaultUser
		}
		if call.Caller.Kind == tacet.CallerRoot {
			duration = min(duration, defaultSession)
		}
		return newCredentials(v, tacet.Session{Principal: call.Caller.ID, Key: call.Caller.AccessKey}, duration)
	})
}

// GetAccessKeyInfo returns the account that a long-term access key belongs to.
//
// Errors: PrincipalNotFound.
func (s *Service) GetAccessKeyInfo(ctx context.Context, call tacet.Call, id string) (account string, err error) {
	r := guard.Request{Call: call, Operation: tacet.OpGetAccessKeyInfo, Parameters: map[string]any{"accessKeyId": id}}
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (string, error) {
		k, ok := v.AccessKey(id)
		if !ok {
			return "", tacet.Errorf(tacet.PrincipalNotFound, "The Access Key with id %s cannot be found.", id)
		}
		return k.Account, nil
	})
}
