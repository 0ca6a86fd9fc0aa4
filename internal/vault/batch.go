package vault

import (
	"context"

	"tacet"
	"tacet/internal/guard"
)

const maxBatch = 20

// BatchGetSecretValue returns the values of up to 20 secrets, named or found by
// filters. Each is decided and recorded as a GetSecretValue of its own; one that
// cannot be read is among the errors of the answer.
//
// Errors: InvalidParameter, InvalidNextToken.
func (s *Service) BatchGetSecretValue(ctx context.Context, call tacet.Call, in BatchGetSecretValueInput) (BatchGetSecretValueOutput, error) {
	r := request(call, tacet.OpBatchGetSecretValue, tacet.SecretRef{})
	if len(in.Secrets) > 0 {
		ids := make([]string, len(in.Secrets))
		for i, ref := range in.Secrets {
			ids[i] = ref.Given
		}
		r.Parameters["secretIdList"] = ids
	}
	if len(in.Filters) > 0 {
		r.Also = []tacet.Operation{tacet.OpListSecrets}
	}
	recordListing(&r, in.Filters, in.MaxResults)
	return guard.View(ctx, s.g, r, func(v *guard.Snapshot) (BatchGetSecretValueOutput, error) { return batch(v, call, in) })
}

func batch(v *guard.Snapshot, call tacet.Call, in BatchGetSecretValueInput) (BatchGetSecretValueOutput, error) {
	var out BatchGetSecretValueOutput
	refs := in.Secrets
	switch {
	case len(in.Secrets) > 0 && len(in.Filters) > 0:
		return out, tacet.Errorf(tacet.InvalidParameter, "Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case len(in.Secrets) == 0 && len(in.Filters) == 0:
		return out, tacet.Errorf(tacet.InvalidParameter, "Either 'SecretIdList' or 'Filters' must be provided.")
	case len(in.Filters) == 0 && in.MaxResults != 0:
		return out, tacet.Errorf(tacet.InvalidParameter, "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.")
	case len(in.Filters) == 0 && in.NextToken != "":
		return out, &tacet.Error{Code: tacet.InvalidNextToken}
	}
	if len(in.Filters) > 0 {
		limit := in.MaxResults
		if limit == 0 {
			limit = maxBatch
		}
		found, next, err := listSecrets(v, ListSecretsInput{Filters: in.Filters, MaxResults: limit, NextToken: in.NextToken})
		if err != nil {
			return out, err
		}
		out.NextToken = next
		for _, sec := range found {
			refs = append(refs, tacet.SecretRef{Given: sec.ARN(v.Vault()), Name: sec.Name, Suffix: sec.Suffix})
		}
	}
	for _, ref := range refs {
		one := GetSecretValueInput{Secret: ref}
		value, err := guard.Within(v, getRequest(call, one), func(inner *guard.Snapshot) (SecretValue, error) { return get(inner, one) })
		if err != nil {
			out.Errors = append(out.Errors, BatchError{ref.Given, err})
			continue
		}
		out.Values = append(out.Values, value)
	}
	return out, nil
}
