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
	limit int64 // of the body, in bytes
	serve func(ctx context.Context, v *vault.Service, call tacet.Call, x *exchange) error
}

// Body limits. A value of 65,536 bytes may be six times as long in JSON escapes, and
// so may the longest policy and the longest list of tags.
const (
	plainBody = 256 << 10
	valueBody = 1 << 20
)

// operations is the table.
func operations() []operation {
	type svc = vault.Service
	return []operation{
		{tacet.OpBatchGetSecretValue, plainBody, serve(readBatchGetSecretValue, (*svc).BatchGetSecretValue, writeBatch)},
		{tacet.OpCancelRotateSecret, plainBody, serve(readSecretID, (*svc).CancelRotateSecret, writeNamed)},
		{tacet.OpCreateSecret, valueBody, serve(readCreateSecret, (*svc).CreateSecret, writeCreateSecret)},
		{tacet.OpDeleteResourcePolicy, plainBody, serve(readSecretID, (*svc).DeleteResourcePolicy, writeNamed)},
		{tacet.OpDeleteSecret, plainBody, serve(readDeleteSecret, (*svc).DeleteSecret, writeDelete)},
		{tacet.OpDescribeSecret, plainBody, serve(readSecretID, (*svc).DescribeSecret, writeDescribe)},
		{tacet.OpGetRandomPassword, plainBody, serve(readRandomPassword, (*svc).GetRandomPassword, (*encoder).password)},
		{tacet.OpGetResourcePolicy, plainBody, serve(readSecretID, (*svc).GetResourcePolicy, writePolicy)},
		{tacet.OpGetSecretValue, plainBody, serve(readGetSecretValue, (*svc).GetSecretValue, writeSecretValue)},
		{tacet.OpListSecrets, plainBody, serve(readListSecrets, (*svc).ListSecrets, writeListSecrets)},
		{tacet.OpListSecretVersionIDs, plainBody, serve(readListVersions, (*svc).ListSecretVersionIDs, writeVersions)},
		{tacet.OpPutResourcePolicy, plainBody, serve(readPutPolicy, (*svc).PutResourcePolicy, writeNamed)},
		{tacet.OpPutSecretValue, valueBody, serve(readPutSecretValue, (*svc).PutSecretValue, writePutSecretValue)},
		{tacet.OpRemoveRegionsFromReplication, plainBody, serve(readRemoveRegions, callRemoveRegions, writeReplication)},
		{tacet.OpReplicateSecretToRegions, plainBody, serve(readReplicate, (*svc).ReplicateSecretToRegions, writeReplication)},
		{tacet.OpRestoreSecret, plainBody, serve(readSecretID, (*svc).RestoreSecret, writeNamed)},
		{tacet.OpRotateSecret, plainBody, serve(readRotateSecret, callRotate, writeNamed)},
		{tacet.OpStopReplicationToReplica, plainBody, serve(readSecretID, (*svc).StopReplicationToReplica, writeARN)},
		{tacet.OpTagResource, plainBody, serve(readTagResource, callTag, writeNothing)},
		{tacet.OpUntagResource, plainBody, serve(readUntagResource, callUntag, writeNothing)},
		{tacet.OpUpdateSecret, valueBody, serve(readUpdateSecret, (*svc).UpdateSecret, writeUpdateSecret)},
		{tacet.OpUpdateSecretVersionStage, plainBody, serve(readUpdateStage, (*svc).UpdateSecretVersionStage, writeNamed)},
		{tacet.OpValidateResourcePolicy, plainBody, serve(readValidatePolicy, (*svc).ValidateResourcePolicy, writeValidation)},
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
		x.in.reset(x.body)
		var c checks
		in := read(&x.in, &c)
		if x.in.failed() {
			return serializationException(x.in.problem)
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

func callRotate(v *vault.Service, ctx context.Context, by tacet.Call, in rotateInput) (vault.Named, error) {
	return v.RotateSecret(ctx, by, in.secret, in.token)
}

func callTag(v *vault.Service, ctx context.Context, by tacet.Call, in tagsInput) (vault.Named, error) {
	return v.TagResource(ctx, by, in.secret, in.tags)
}

func callUntag(v *vault.Service, ctx context.Context, by tacet.Call, in tagsInput) (vault.Named, error) {
	return v.UntagResource(ctx, by, in.secret, in.keys)
}
