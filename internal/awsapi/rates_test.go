package awsapi

import (
	"testing"
	"time"

	"tacet"
)

// Every operation that AWS has a quota for has exactly one here.
func TestContractC_EveryOperationHasItsQuota(t *testing.T) {
	for _, op := range operations() {
		n := 0
		for _, q := range quotas {
			for _, o := range q.operations {
				if o == op.name {
					n++
				}
			}
		}
		if n != 1 {
			t.Errorf("%s has %d quotas", op.name, n)
		}
	}
}

func TestContractC_Rates(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	r := newRates(func() time.Time { return now })
	call := tacet.Call{Caller: tacet.Caller{Account: "000000000001"}, Region: "us-east-1"}
	take := func(call tacet.Call, op tacet.Operation) bool {
		err := r.allow(call, quotaOf(op))
		if err != nil && tacet.CodeOf(err) != tacet.Throttled {
			t.Fatalf("error %v", err)
		}
		return err == nil
	}
	// Put, Update and the moves of labels share 50 a second.
	for i := range 50 {
		op := []tacet.Operation{tacet.OpPutSecretValue, tacet.OpUpdateSecret, tacet.OpUpdateSecretVersionStage}[i%3]
		if !take(call, op) {
			t.Fatalf("request %d was refused", i+1)
		}
	}
	if take(call, tacet.OpPutSecretValue) {
		t.Error("the 51st write of a second was let in")
	}
	if !take(call, tacet.OpCreateSecret) || !take(call, tacet.OpGetSecretValue) {
		t.Error("another quota was used up too")
	}
	elsewhere := call
	elsewhere.Region = "eu-west-1"
	if !take(elsewhere, tacet.OpPutSecretValue) {
		t.Error("another region was refused")
	}
	now = now.Add(100 * time.Millisecond)
	for i := range 5 {
		if !take(call, tacet.OpPutSecretValue) {
			t.Fatalf("request %d after a tenth of a second was refused", i+1)
		}
	}
	if take(call, tacet.OpPutSecretValue) {
		t.Error("more than 50 a second were let in")
	}
	// Off means off.
	if err := rates(nil).allow(call, quotas[0]); err != nil {
		t.Error(err)
	}
}
