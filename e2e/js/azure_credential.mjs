// A token by the environment alone.
import assert from "node:assert";
import { DefaultAzureCredential } from "@azure/identity";

const token = await new DefaultAzureCredential().getToken("https://vault.azure.net/.default");
assert.ok(token.expiresOnTimestamp - Date.now() > 59 * 60 * 1000);
console.log("ok");
