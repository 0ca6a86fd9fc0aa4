"""The main job by the environment's credential: set, read, list, delete, recover, purge."""

import sys

from azure.core.exceptions import ResourceNotFoundError
from azure.identity import EnvironmentCredential
from azure.keyvault.secrets import SecretClient

client = SecretClient(sys.argv[1], EnvironmentCredential())
name = "azure-python"

made = client.set_secret(name, "one", content_type="text/plain", tags={"team": "blue"})
got = client.get_secret(name)
assert got.value == "one" and got.id == made.id and got.properties.tags == {"team": "blue"}
client.set_secret(name, "two")
assert client.get_secret(name, made.properties.version).value == "one"
assert name in [s.name for s in client.list_properties_of_secrets()]
assert len(list(client.list_properties_of_secret_versions(name))) == 2
client.update_secret_properties(name, content_type="changed")
client.begin_delete_secret(name).result()
assert client.get_deleted_secret(name).name == name
client.begin_recover_deleted_secret(name).result()
backup = client.backup_secret(name)
client.begin_delete_secret(name).result()
client.purge_deleted_secret(name)
try:
    client.get_secret(name)
    raise AssertionError("the purged secret is there")
except ResourceNotFoundError:
    pass
assert client.restore_secret_backup(backup).name == name
print("ok")
