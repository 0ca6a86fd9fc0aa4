package awsapi

import (
	"context"

	"tacet"
	"tacet/internal/vault"
)

// An operation is a row of the face's table: everything that is its own. The steps all
// operations share are in serve and in the handler, so that none can forget one.
type operation struct {
	name  tacet.Operation
	quota *quota
	serve func(ctx context.Context, v *vault.Service, call tacet.Call, x *exchange) error
}

// maxBody is the longest body of a request, in bytes. A value of 65,536 bytes may be six
// times as long in JSON escapes.
const maxBody = 1 << 20

// operations is the table.
func operations() []operation {
	type svc = vault.Service
	return []operation{
		{tacet.OpBatchGetSecretValue, quotaOf(tacet.OpBatchGetSecretValue), serve(readBatchGetSecretValue, (*svc).BatchGetSecretValue, writeBatch)},
		{tacet.OpCancelRotateSecret, quotaOf(tacet.OpCancelRotateSecret), serve(readSecretID, (*svc).CancelRotateSecret, writeNamed)},
		{tacet.OpCreateSecret, quotaOf(tacet.OpCreateSecret), serve(readCreateSecret, (*svc).CreateSecret, writeCreateSecret)},
		{tacet.OpDeleteResourcePolicy, quotaOf(tacet.OpDeleteResourcePolicy), serve(readSecretID, (*svc).DeleteResourcePolicy, writeNamed)},
		{tacet.OpDeleteSecret, quotaOf(tacet.OpDeleteSecret), serve(readDeleteSecret, (*svc).DeleteSecret, writeDelete)},
		{tacet.OpDescribeSecret, quotaOf(tacet.OpDescribeSecret), serve(readSecretID, (*svc).DescribeSecret, writeDescribe)},
		{tacet.OpGetRandomPassword, quotaOf(tacet.OpGetRandomPassword), serve(readRandomPassword, (*svc).GetRandomPassword, (*encoder).password)},
		{tacet.OpGetResourcePolicy, quotaOf(tacet.OpGetResourcePolicy), serve(readSecretID, (*svc).GetResourcePolicy, writePolicy)},
		{tacet.OpGetSecretValue, quotaOf(tacet.OpGetSecretValue), serve(readGetSecretValue, (*svc).GetSecretValue, writeSecretValue)},
		{tacet.OpListSecrets, quotaOf(tacet.OpListSecrets), serve(readListSecrets, (*svc).ListSecrets, writeListSecrets)},
		{tacet.OpListSecretVersionIDs, quotaOf(tacet.OpListSecretVersionIDs), serve(readListVersions, (*svc).ListSecretVersionIDs, writeVersions)},
		{tacet.OpPutResourcePolicy, quotaOf(tacet.OpPutResourcePolicy), serve(readPutPolicy, (*svc).PutResourcePolicy, writeNamed)},
		{tacet.OpPutSecretValue, quotaOf(tacet.OpPutSecretValue), serve(readPutSecretValue, (*svc).PutSecretValue, writePutSecretValue)},
		{tacet.OpRemoveRegionsFromReplication, quotaOf(tacet.OpRemoveRegionsFromReplication), serve(readRemoveRegions, callRemoveRegions, writeReplication)},
		{tacet.OpReplicateSecretToRegions, quotaOf(tacet.OpReplicateSecretToRegions), serve(readReplicate, (*svc).ReplicateSecretToRegions, writeReplication)},
		{tacet.OpRestoreSecret, quotaOf(tacet.OpRestoreSecret), serve(readSecretID, (*svc).RestoreSecret, writeNamed)},
		{tacet.OpRotateSecret, quotaOf(tacet.OpRotateSecret), serve(readRotateSecret, (*svc).RotateSecret, writeNamed)},
		{tacet.OpStopReplicationToReplica, quotaOf(tacet.OpStopReplicationToReplica), serve(readSecretID, (*svc).StopReplicationToReplica, writeARN)},
		{tacet.OpTagResource, quotaOf(tacet.OpTagResource), serve(readTagResource, callTag, writeNothing)},
		{tacet.OpUntagResource, quotaOf(tacet.OpUntagResource), serve(readUntagResource, callUntag, writeNothing)},
		{tacet.OpUpdateSecret, quotaOf(tacet.OpUpdateSecret), serve(readUpdateSecret, (*svc).UpdateSecret, writeUpdateSecret)},
		{tacet.OpUpdateSecretVersionStage, quotaOf(tacet.OpUpdateSecretVersionStage), serve(readUpdateStage, (*svc).UpdateSecretVersionStage, writeNamed)},
		{tacet.OpValidateResourcePolicy, quotaOf(tacet.OpValidateResourcePolicy), serve(readValidatePolicy, (*svc).ValidateResourcePolicy, writeValidation)},
	}
}

// serve makes an operation of its three parts: how its input is read and checked, what
// the core does, and how the output is written. The order of the checks is the
// service's: JSON, then the model's constraints, then the core.
func serve[In, Out any](
	read func(*decoder, *checks) In,
	call func(*vault.Service, context.Context, tacet.Call, In) (Out, error),
	write func(*encoder, Out),
) func(context.Context, *vault.Service, tacet.Call, *exchange) error {
	return func(ctx context.Context, v *vault.Service, by tacet.Call, x *exchange) error {
		x.in.Reset(x.body.Bytes)
		var c checks
		in := read(&x.in, &c)
		if x.in.Failed() {
			return serializationException(x.in.trouble())
		}
		if err := c.failure(); err != nil {
			return err
		}
		out, err := call(v, ctx, by, in)
		if err != nil {
			return err
		}
		write(&x.out, out)
		return nil
	}
}

// The core's methods that take more than one argument, in the form serve wants.

func callRemoveRegions(v *vault.Service, ctx context.Context, by tacet.Call, in regionsInput) (vault.ReplicationOutput, error) {
	return v.RemoveRegionsFromReplication(ctx, by, in.secret, in.regions)
}

func callTag(v *vault.Service, ctx context.Context, by tacet.Call, in tagsInput) (vault.Named, error) {
	return v.TagResource(ctx, by, in.secret, in.tags)
}

func callUntag(v *vault.Service, ctx context.Context, by tacet.Call, in tagsInput) (vault.Named, error) {
	return v.UntagResource(ctx, by, in.secret, in.keys)
}
