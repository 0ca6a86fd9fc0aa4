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
}

// RotateSecret is refused until rotation exists; what it asks for is decided and
// recorded all the same. Errors: InvalidParameter (no token), SecretNotFound,
// InvalidRequest (no function), RotationUnavailable.
func (s *Service) RotateSecret(ctx context.Context, call tacet.Call, in RotateSecretInput) (Named, error) {
	r := request(call, tacet.OpRotateSecret, in.Secret)
	parameter(&r, "clientRequestToken", string(in.Token))
	parameter(&r, "rotationLambdaARN", in.Function)
	condition(&r, "secretsmanager:rotationlambdaarn", in.Function)
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

// ListVaults lists the vaults of the deployment.
func (s *Service) ListVaults(ctx context.Context, call tacet.Call) ([]tacet.Vault, error) {
	return guard.View(ctx, s.g, request(call, tacet.OpListVaults, tacet.SecretRef{}), func(v *guard.Snapshot) ([]tacet.Vault, error) {
		return v.Vaults(), nil
	})
}

// CreateVault makes the vault of an account in a region.
//
// Errors: InvalidParameter, PrincipalExists (the name or the place is taken).
func (s *Service) CreateVault(ctx context.Context, call tacet.Call, name, account, region string) (tacet.Vault, error) {
	r := request(call, tacet.OpCreateVault, tacet.SecretRef{})
	r.Parameters["name"], r.Parameters["account"], r.Parameters["region"] = name, account, region
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (tacet.Vault, error) {
		if err := checkVault(name, account, region); err != nil {
			return tacet.Vault{}, err
		}
		for _, v := range tx.Vaults() {
			if v.Name == name || v.Account == account && v.Region == region {
				return tacet.Vault{}, tacet.Errorf(tacet.PrincipalExists, "The vault %s of account %s in %s already exists.", v.Name, v.Account, v.Region)
			}
		}
		return tx.CreateVault(name, account, region)
	})
}

// checkVault checks a vault's name, which must be fit for a host name, its account and
// its region.
func checkVault(name, account, region string) error {
	ok := len(name) >= 3 && len(name) <= 64 && name[0] != '-' && name[len(name)-1] != '-'
	for _, c := range name {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	if !ok {
		return tacet.Errorf(tacet.InvalidParameter, "a vault's name is 3 to 64 lower-case letters, digits and inner hyphens")
	}
	if len(account) != 12 || without(account, digits) != "" {
		return tacet.Errorf(tacet.InvalidParameter, "an account is 12 digits")
	}
	if !tacet.IsRegion(region) {
		return tacet.Errorf(tacet.InvalidParameter, "a region is lower-case words and a number, joined by hyphens, such as us-east-1")
	}
	return nil
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
