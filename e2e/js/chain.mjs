// Reads a secret with the default credential chain, once for each line of standard input. It
// prints the id of the access key that it read with, and the value; or the name of the error.
import { createInterface } from "node:readline";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

const secrets = new SecretsManagerClient({});
for await (const _ of createInterface({ input: process.stdin })) {
  try {
    const got = await secrets.send(new GetSecretValueCommand({ SecretId: process.env.CHAIN_SECRET }));
    console.log((await secrets.config.credentials()).accessKeyId, got.SecretString);
  } catch (e) {
    console.log("error", e.Code ?? e.name);
  }
}
