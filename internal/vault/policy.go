package vault

import (
	"context"

	"tacet"
	"tacet/internal/guard"
)

// PutResourcePolicy attaches a policy to a secret, in place of the one it has. The users and
// roles that it names are meant themselves, whatever they and others are called later.
//
// Errors: PolicyMalformed, PolicyPrincipal, PolicyPublic (with BlockPublic),
// SecretNotFound, SecretMarkedDeleted, ReplicaReadOnly.
func (s *Service) PutResourcePolicy(ctx context.Context, call tacet.Call, in PutResourcePolicyInput) (Named, error) {
	r := request(call, tacet.OpPutResourcePolicy, in.Secret)
	r.Parameters["resourcePolicy"] = in.Policy
	if in.BlockPublic {
		r.Parameters["blockPublicPolicy"] = true
	}
	condition(&r, "secretsmanager:blockpublicpolicy", btoa(in.BlockPublic))
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (Named, error) {
		sec, err := writable(tx)
		if err != nil {
			return Named{}, err
		}
		report, err := tx.CheckPolicy(in.Policy)
		if err != nil {
			return Named{}, err
		}
		if report.Public && in.BlockPublic {
			return Named{}, &tacet.Error{Code: tacet.PolicyPublic}
		}
		sec.Policy = report.Stored
		if err := store(tx, sec); err != nil {
			return Named{}, err
		}
		respond(tx, sec, "")
		return named(tx, sec), nil
	})
}

// GetResourcePolicy returns the policy of a secret as it was given, save that it names users
// and roles as they are called now, and by their unique ids those who are no more.
//
// Errors: SecretNotFound, SecretMarkedDeleted.
func (s *Service) GetResourcePolicy(ctx context.Context, call tacet.Call, ref tacet.SecretRef) (ResourcePolicyOutput, error) {
	return guard.View(ctx, s.g, request(call, tacet.OpGetResourcePolicy, ref), func(v *guard.Snapshot) (ResourcePolicyOutput, error) {
		sec, err := v.Secret()
		if err != nil {
			return ResourcePolicyOutput{}, err
		}
		if sec.ScheduledForDeletion() {
			return ResourcePolicyOutput{}, &tacet.Error{Code: tacet.SecretMarkedDeleted, Secret: sec.Name}
		}
		return ResourcePolicyOutput{ARN: sec.ARN(v.Vault()), Name: sec.Name, Policy: v.ShowResourcePolicy(sec.Policy)}, nil
	})
}

// DeleteResourcePolicy removes the policy of a secret; it is no error that there is
// none. Errors: SecretNotFound, SecretMarkedDeleted, ReplicaReadOnly.
func (s *Service) DeleteResourcePolicy(ctx context.Context, call tacet.Call, ref tacet.SecretRef) (Named, error) {
	return guard.Do(ctx, s.g, request(call, tacet.OpDeleteResourcePolicy, ref), func(tx *guard.Tx) (Named, error) {
		sec, err := writable(tx)
		if err != nil {
			return Named{}, err
		}
		if sec.Policy != "" {
			sec.Policy = ""
			if err := store(tx, sec); err != nil {
				return Named{}, err
			}
		}
		respond(tx, sec, "")
		return named(tx, sec), nil
	})
}

// Names of the checks of ValidateResourcePolicy.
const (
	checkSyntax    = "INVALID_POLICY_SYNTAX"
	checkPrincipal = "UNSUPPORTED_PRINCIPAL"
	checkPublic    = "PUBLIC_ACCESS"
	checkLockout   = "LOCKOUT"
)

// ValidateResourcePolicy says what speaks against attaching a policy; nothing if the
// answer is empty. It needs the right to attach it too. Errors: SecretNotFound.
func (s *Service) ValidateResourcePolicy(ctx context.Context, call tacet.Call, in ValidatePolicyInput) ([]ValidationError, error) {
	r := request(call, tacet.OpValidateResourcePolicy, in.Secret)
	r.Parameters["resourcePolicy"] = in.Policy
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) ([]ValidationError, error) {
		if !in.Secret.IsZero() {
			if _, err := v.Secret(); err != nil {
				return nil, err
			}
		}
		report, err := v.CheckPolicy(in.Policy)
		switch tacet.CodeOf(err) {
		case "":
		case tacet.PolicyMalformed:
			return []ValidationError{{checkSyntax, "This policy has invalid syntax. " + detail(err)}}, nil
		case tacet.PolicyPrincipal:
			return []ValidationError{{checkPrincipal, "This resource policy contains an unsupported principal. " + detail(err)}}, nil
		default:
			return nil, err
		}
		var out []ValidationError
		if report.Public {
			out = append(out, ValidationError{checkPublic, "This resource policy grants broad access to the secret."})
		}
		if report.LocksOut {
			out = append(out, ValidationError{checkLockout, "This resource policy would not allow you to change it again."})
		}
		return out, nil
	})
}
