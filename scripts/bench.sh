#!/usr/bin/env bash
# Measures Tacet beside a bare net/http server: scripts/bench.sh [bench's flags].
# Starts a throw-away PostgreSQL with fsync on, so that both engines are measured.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
chmod 755 "$dir"
trap 'scripts/postgres.sh stop "$dir/postgres" >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
go build -o .build/bench ./cmd/bench
case " $* " in
*" -scale "*) exec_args=() ;;
*) scripts/postgres.sh start "$dir/postgres" >/dev/null; exec_args=(-postgres "$(cat "$dir/postgres/url")") ;;
esac
.build/bench -server .build/tacet "${exec_args[@]}" "$@"
