"""A token by the environment alone."""

import time

from azure.identity import DefaultAzureCredential

token = DefaultAzureCredential().get_token("https://vault.azure.net/.default")
assert token.expires_on - time.time() > 59 * 60
print("ok")
