package awsapi

import (
	"time"

	"tacet"
	"tacet/internal/limit"
)

// rates holds callers to AWS's quotas of requests per second, by account and region:
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
//
// A self-hosted store has no reason to be slower than it can, so they are off unless
// the configuration asks for them; then a program that will meet them at AWS meets
// them here first. Calls across accounts count against the caller's account.
type rates map[*quota]*limit.Limiter[rateKey]

type rateKey struct{ account, region string }

// quota is a number of requests a second that some operations share.
type quota struct {
	perSecond  float64
	operations []tacet.Operation
}

// quotas is AWS's table.
var quotas = []*quota{
	{10000, []tacet.Operation{tacet.OpGetSecretValue}},
	{40000, []tacet.Operation{tacet.OpDescribeSecret}},
	{100, []tacet.Operation{tacet.OpBatchGetSecretValue}},
	{100, []tacet.Operation{tacet.OpListSecrets}},
	{50, []tacet.Operation{tacet.OpCreateSecret}},
	{50, []tacet.Operation{tacet.OpDeleteSecret}},
	{50, []tacet.Operation{tacet.OpGetRandomPassword}},
	{50, []tacet.Operation{tacet.OpListSecretVersionIDs}},
	{50, []tacet.Operation{tacet.OpRestoreSecret}},
	{50, []tacet.Operation{tacet.OpPutSecretValue, tacet.OpUpdateSecret, tacet.OpUpdateSecretVersionStage,
		tacet.OpReplicateSecretToRegions, tacet.OpRemoveRegionsFromReplication, tacet.OpStopReplicationToReplica}},
	{50, []tacet.Operation{tacet.OpRotateSecret, tacet.OpCancelRotateSecret}},
	{50, []tacet.Operation{tacet.OpTagResource, tacet.OpUntagResource}},
	{50, []tacet.Operation{tacet.OpPutResourcePolicy, tacet.OpGetResourcePolicy, tacet.OpDeleteResourcePolicy, tacet.OpValidateResourcePolicy}},
}

// newRates returns AWS's quotas; a second's worth may come at once.
func newRates(now func() time.Time) rates {
	r := rates{}
	for _, q := range quotas {
		r[q] = limit.New[rateKey](q.perSecond, int(q.perSecond), now)
	}
	return r
}

func quotaOf(op tacet.Operation) *quota {
	for _, q := range quotas {
		for _, o := range q.operations {
			if o == op {
				return q
			}
		}
	}
	return nil
}

// allow takes a request off the quota of its operation; the error is Throttled. q is
// nil for an operation without one.
func (r rates) allow(call tacet.Call, q *quota) error {
	if r == nil || q == nil || r[q].Allow(rateKey{call.Caller.Account, call.Region}) {
		return nil
	}
	return &tacet.Error{Code: tacet.Throttled}
}
