#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time each.
# Example: scripts/fuzz.sh 30s
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
grep -rlE '^func Fuzz[A-Za-z0-9_]+\(' --include='*_test.go' . | sort | while read -r file; do
	grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | sed 's/^func //' | while read -r target; do
		echo "== $target in $(dirname "$file")"
		go test "$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "$time"
	done
done
