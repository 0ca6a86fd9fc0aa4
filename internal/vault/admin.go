package vault

import (
	"context"
	"errors"

	"tacet"
	"tacet/internal/guard"
)

// detail returns what an error says to its caller.
func detail(err error) string {
	var e *tacet.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return ""
}

// RotateSecretInput is the input of [Service.RotateSecret].
type RotateSecretInput struct {
	Secret   tacet.SecretRef
	Token    tacet.VersionID
	Function string // the ARN of the rotation function; empty: not given
	Role     string // the ARN of the role for managed external secrets; empty: not given
	NewRules bool   // rules were given
	Later    bool   // not at once, but when the rules next say so
}

// RotateSecret is refused until rotation exists; what it asks for is decided and
// recorded all the same. Errors: InvalidParameter (no token), SecretNotFound,
// InvalidRequest (no function), RotationUnavailable.
func (s *Service) RotateSecret(ctx context.Context, call tacet.Call, in RotateSecretInput) (Named, error) {
	r := request(call, tacet.OpRotateSecret, in.Secret)
	parameter(&r, "clientRequestToken", string(in.Token))
	parameter(&r, "rotationLambdaARN", in.Function)
	condition(&r, "secretsmanager:rotationlambdaarn", in.Function)
	condition(&r, "secretsmanager:externalsecretrotationrolearn", in.Role)
	condition(&r, "secretsmanager:modifyrotationrules", btoa(in.NewRules))
	condition(&r, "secretsmanager:rotateimmediately", btoa(!in.Later))
	return s.noRotation(ctx, r, func() error {
		switch {
		case in.Token == "":
			return tacet.Errorf(tacet.InvalidParameter, "You must provide a ClientRequestToken value. We recommend a UUID-type value.")
		case in.Function == "":
			return tacet.Errorf(tacet.InvalidRequest, "No Lambda rotation function ARN is associated with this secret.")
		}
		return nil
	})
}

// CancelRotateSecret is refused until rotation exists. Errors: as RotateSecret.
func (s *Service) CancelRotateSecret(ctx context.Context, call tacet.Call, ref tacet.SecretRef) (Named, error) {
	return s.noRotation(ctx, request(call, tacet.OpCancelRotateSecret, ref), func() error { return nil })
}

func (s *Service) noRotation(ctx context.Context, r guard.Request, check func() error) (Named, error) {
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (Named, error) {
		_, err := writable(tx)
		if bad := check(); tacet.CodeOf(bad) == tacet.InvalidParameter || bad != nil && err == nil {
			err = bad // a missing token is told before a missing secret
		}
		if err != nil {
			return Named{}, err
		}
		return Named{}, &tacet.Error{Code: tacet.RotationUnavailable}
	})
}

// AuditLine is a record as it is stored.
type AuditLine = guard.StoredRecord

// maxAuditPage bounds a page of records.
const maxAuditPage = 1000

// ReadAudit returns up to limit records: from the one numbered from on, or,
// descending, backwards from the one before from. Reading the record is recorded.
func (s *Service) ReadAudit(ctx context.Context, call tacet.Call, from int64, limit int, descending bool) ([]AuditLine, error) {
	return guard.View(ctx, s.g, request(call, tacet.OpReadAudit, tacet.SecretRef{}), func(v *guard.Snapshot) ([]AuditLine, error) {
		return v.ReadRecords(from, min(max(limit, 1), maxAuditPage), descending)
	})
}

// AuthorizeAudit decides and records that the caller reads the whole record, for a
// verification or an export that then streams outside the door.
func (s *Service) AuthorizeAudit(ctx context.Context, call tacet.Call) error {
	_, err := guard.View(ctx, s.g, request(call, tacet.OpReadAudit, tacet.SecretRef{}), func(*guard.Snapshot) (struct{}, error) {
		return struct{}{}, nil
	})
	return err
}

// AuthorizeClock decides and records that the caller moves a development server's clock.
func (s *Service) AuthorizeClock(ctx context.Context, call tacet.Call, offset string) error {
	r := request(call, tacet.OpSetClock, tacet.SecretRef{})
	r.Parameters["offset"] = offset
	_, err := guard.Do(ctx, s.g, r, func(*guard.Tx) (struct{}, error) { return struct{}{}, nil })
	return err
}
