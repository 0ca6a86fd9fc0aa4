#!/usr/bin/env bash
# Everything that has to pass, from a fresh clone on Debian with Go alone: starts a
# throw-away PostgreSQL (installing Debian's package when there is none), runs the
# module's tests on both engines, then the official clients against the built binary.
# Nothing is skipped silently: what cannot be had is a failure, except where the line
# printed says otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0

dir=$(mktemp -d)
cleanup() {
	scripts/postgres.sh stop "$dir/postgres" >/dev/null 2>&1 || true
	rm -rf "$dir"
}
trap cleanup EXIT
chmod 755 "$dir"

scripts/postgres.sh start --no-fsync "$dir/postgres" >/dev/null
TACET_TEST_POSTGRES=$(cat "$dir/postgres/url")
export TACET_TEST_POSTGRES

echo "== unit and contract tests, SQLite and PostgreSQL"
go test -timeout 15m ./...

echo "== the official clients"
scripts/e2e.sh
