#!/usr/bin/env bash
# Drives a running tacet with the official clients; see e2e/. Installs Node.js from
# Debian when it is missing, for the JavaScript SDK.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v npm >/dev/null; then
	[ "$(id -u)" = 0 ] || { echo "e2e: npm is missing; install it (Debian: apt-get install npm)" >&2; exit 1; }
	apt-get update -q && apt-get install -y -q --no-install-recommends nodejs npm
fi
# Azure's SDK for Python comes from Debian. Without it, and without root, its tests say that
# they were left out.
if [ -x /usr/bin/python3 ] && [ "$(id -u)" = 0 ] && ! /usr/bin/python3 -c 'import azure.identity, azure.keyvault.secrets' 2>/dev/null; then
	apt-get update -q && apt-get install -y -q --no-install-recommends python3-azure
fi
cd e2e
CGO_ENABLED=0 go test -count=1 -timeout 10m -v ./... 2>&1 | grep -vE '^(=== |ok|    --- PASS)' || exit "${PIPESTATUS[0]}"
exit "${PIPESTATUS[0]}"
