// Principals with the AWS SDK for JavaScript v3, configured by the environment alone.
import assert from "node:assert/strict";
import {
  AttachRolePolicyCommand, CreateAccessKeyCommand, CreatePolicyCommand, CreateRoleCommand, CreateUserCommand, DeleteAccessKeyCommand,
  DeletePolicyCommand, DeleteRoleCommand, DeleteUserCommand, DetachRolePolicyCommand, GetRoleCommand, IAMClient, PutUserPolicyCommand,
  DeleteUserPolicyCommand, paginateListUsers,
} from "@aws-sdk/client-iam";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

const iam = new IAMClient({});
const allow = (Action) => JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] });

const { User } = await iam.send(new CreateUserCommand({ UserName: "js", Path: "/js/", Tags: [{ Key: "team", Value: "blue" }] }));
assert.ok(User.CreateDate instanceof Date && User.UserId.startsWith("AIDA"));
await assert.rejects(iam.send(new CreateUserCommand({ UserName: "JS" })), { name: "EntityAlreadyExistsException" });
const names = [];
for await (const page of paginateListUsers({ client: iam, pageSize: 1 }, {})) names.push(...page.Users.map((u) => u.UserName));
assert.ok(names.includes("js") && names.includes("admin"));

// What the user's policy allows holds at once, and no more.
await iam.send(new PutUserPolicyCommand({ UserName: "js", PolicyName: "read", PolicyDocument: allow("secretsmanager:GetSecretValue") }));
const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "js" }));
const credentials = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
const sm = new SecretsManagerClient({ credentials });
await assert.rejects(sm.send(new GetSecretValueCommand({ SecretId: "js/none" })), { name: "ResourceNotFoundException" });
await assert.rejects(new IAMClient({ credentials }).send(new DeleteUserCommand({ UserName: "js" })), { name: "AccessDenied" });

const trust = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: User.Arn }, Action: "sts:AssumeRole" }] });
await iam.send(new CreateRoleCommand({ RoleName: "js", AssumeRolePolicyDocument: trust }));
const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: "js", PolicyDocument: allow("secretsmanager:*") }));
await iam.send(new AttachRolePolicyCommand({ RoleName: "js", PolicyArn: Policy.Arn }));
const { Role } = await iam.send(new GetRoleCommand({ RoleName: "js" }));
assert.equal(decodeURIComponent(Role.AssumeRolePolicyDocument), trust);
await assert.rejects(iam.send(new DeletePolicyCommand({ PolicyArn: Policy.Arn })), { name: "DeleteConflictException" });

await iam.send(new DetachRolePolicyCommand({ RoleName: "js", PolicyArn: Policy.Arn }));
await iam.send(new DeletePolicyCommand({ PolicyArn: Policy.Arn }));
await iam.send(new DeleteRoleCommand({ RoleName: "js" }));
await iam.send(new DeleteAccessKeyCommand({ UserName: "js", AccessKeyId: AccessKey.AccessKeyId }));
await iam.send(new DeleteUserPolicyCommand({ UserName: "js", PolicyName: "read" }));
await iam.send(new DeleteUserCommand({ UserName: "js" }));
await assert.rejects(iam.send(new GetRoleCommand({ RoleName: "js" })), { name: "NoSuchEntityException" });
console.log("ok");
