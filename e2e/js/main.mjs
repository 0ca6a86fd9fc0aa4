// The main job with the AWS SDK for JavaScript v3, configured by the environment alone.
import assert from "node:assert/strict";
import {
  BatchGetSecretValueCommand, CreateSecretCommand, DeleteSecretCommand, DescribeSecretCommand, GetSecretValueCommand,
  ListSecretsCommand, PutSecretValueCommand, RestoreSecretCommand, SecretsManagerClient, UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";

const sm = new SecretsManagerClient({});
const Name = "js/main";
const created = await sm.send(new CreateSecretCommand({ Name, SecretString: "één", Tags: [{ Key: "team", Value: "js" }] }));
let got = await sm.send(new GetSecretValueCommand({ SecretId: created.ARN }));
assert.equal(got.SecretString, "één");
assert.ok(got.CreatedDate instanceof Date && Math.abs(Date.now() - got.CreatedDate) < 60_000);

const put = await sm.send(new PutSecretValueCommand({ SecretId: Name, SecretBinary: new Uint8Array([0, 255]) }));
assert.deepEqual(put.VersionStages, ["AWSCURRENT"]);
got = await sm.send(new GetSecretValueCommand({ SecretId: Name }));
assert.deepEqual([...got.SecretBinary], [0, 255]);

await sm.send(new UpdateSecretVersionStageCommand({
  SecretId: Name, VersionStage: "AWSCURRENT", MoveToVersionId: created.VersionId, RemoveFromVersionId: put.VersionId,
}));
got = await sm.send(new GetSecretValueCommand({ SecretId: Name }));
assert.equal(got.VersionId, created.VersionId);

const batch = await sm.send(new BatchGetSecretValueCommand({ SecretIdList: [Name, "js/none"] }));
assert.equal(batch.SecretValues.length, 1);
assert.equal(batch.Errors[0].ErrorCode, "ResourceNotFoundException");

const listed = await sm.send(new ListSecretsCommand({ Filters: [{ Key: "tag-value", Values: ["js"] }] }));
assert.equal(listed.SecretList.length, 1);

await sm.send(new DeleteSecretCommand({ SecretId: Name, RecoveryWindowInDays: 7 }));
await assert.rejects(sm.send(new GetSecretValueCommand({ SecretId: Name })), { name: "InvalidRequestException" });
await sm.send(new RestoreSecretCommand({ SecretId: Name }));
await sm.send(new DeleteSecretCommand({ SecretId: Name, ForceDeleteWithoutRecovery: true }));
await assert.rejects(sm.send(new DescribeSecretCommand({ SecretId: Name })), { name: "ResourceNotFoundException" });
console.log("ok");
