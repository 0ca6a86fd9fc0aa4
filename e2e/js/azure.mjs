// The main job by the environment's credential: set, read, list, delete, recover, purge.
import assert from "node:assert";
import { EnvironmentCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";

const client = new SecretClient(process.argv[2], new EnvironmentCredential());
const name = "azure-js";
const options = { updateIntervalInMs: 100 };

const set = await client.setSecret(name, "one", { contentType: "text/plain", tags: { team: "blue" } });
const got = await client.getSecret(name);
assert.equal(got.value, "one");
assert.equal(got.properties.version, set.properties.version);
assert.deepEqual(got.properties.tags, { team: "blue" });
await client.setSecret(name, "two", { enabled: false });
await assert.rejects(client.getSecret(name), { statusCode: 403, code: "Forbidden" });
assert.equal((await client.getSecret(name, { version: set.properties.version })).value, "one");

const names = [];
for await (const s of client.listPropertiesOfSecrets()) names.push(s.name);
assert.ok(names.includes(name));
const versions = [];
for await (const s of client.listPropertiesOfSecretVersions(name)) versions.push(s.version);
assert.equal(versions.length, 2);
await client.updateSecretProperties(name, versions[1], { enabled: true });

let poller = await client.beginDeleteSecret(name, options);
assert.equal((await poller.pollUntilDone()).properties.recoveryId.endsWith("/deletedsecrets/" + name), true);
assert.equal((await client.getDeletedSecret(name)).name, name);
await (await client.beginRecoverDeletedSecret(name, options)).pollUntilDone();
const backup = await client.backupSecret(name);
poller = await client.beginDeleteSecret(name, options);
await poller.pollUntilDone();
await client.purgeDeletedSecret(name);
await assert.rejects(client.getSecret(name), { statusCode: 404, code: "SecretNotFound" });
assert.equal((await client.restoreSecretBackup(backup)).name, name);
console.log("ok");
