"""The main job with boto3, configured by the environment alone."""

import boto3
from botocore.exceptions import ClientError

sm = boto3.client("secretsmanager")
name = "python/main"
created = sm.create_secret(Name=name, SecretString="one", Tags=[{"Key": "team", "Value": "py"}])
got = sm.get_secret_value(SecretId=name)
assert got["SecretString"] == "one" and got["VersionStages"] == ["AWSCURRENT"]
assert got["ResponseMetadata"]["RequestId"]
put = sm.put_secret_value(SecretId=created["ARN"], SecretBinary=b"\x00\xff")
assert sm.get_secret_value(SecretId=name)["SecretBinary"] == b"\x00\xff"
described = sm.describe_secret(SecretId=name)
assert described["VersionIdsToStages"] == {created["VersionId"]: ["AWSPREVIOUS"], put["VersionId"]: ["AWSCURRENT"]}
pages = sm.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": ["python/"]}])
assert [s["Name"] for p in pages for s in p["SecretList"]] == [name]
assert len(sm.get_random_password(PasswordLength=40)["RandomPassword"]) == 40
sm.untag_resource(SecretId=name, TagKeys=["team"])
assert sm.describe_secret(SecretId=name)["Tags"] == []
sm.delete_secret(SecretId=name)
try:
    sm.get_secret_value(SecretId=name)
    raise AssertionError("a deleted secret was read")
except ClientError as e:
    assert e.response["Error"]["Code"] == "InvalidRequestException", e
sm.restore_secret(SecretId=name)
sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
try:
    sm.describe_secret(SecretId=name)
    raise AssertionError("a purged secret was described")
except sm.exceptions.ResourceNotFoundException as e:
    assert e.response["Error"]["Message"] == "Secrets Manager can't find the specified secret.", e
identity = boto3.client("sts").get_caller_identity()
assert identity["Account"] == "000000000001", identity
print("ok")
