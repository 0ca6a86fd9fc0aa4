"""Reads a secret with boto3's default credential chain, once for each line of standard input.

It prints the id of the access key that it read with, and the value; or the code of the error."""

import os
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

session = boto3.Session()
secrets = session.client("secretsmanager")
for _ in sys.stdin:
    try:
        value = secrets.get_secret_value(SecretId=os.environ["CHAIN_SECRET"])["SecretString"]
        print(session.get_credentials().get_frozen_credentials().access_key, value, flush=True)
    except ClientError as e:
        print("error", e.response["Error"]["Code"], flush=True)
    except BotoCoreError as e:
        print("error", type(e).__name__, flush=True)
