#!/usr/bin/env bash
# What a machine can say about the source: formatting, go vet, staticcheck, and that
# the modules are tidy. The tool is pinned here and built by the go command.
set -euo pipefail
cd "$(dirname "$0")/.."
STATICCHECK=honnef.co/go/tools/cmd/staticcheck@v0.8.2

bad=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)
if [ -n "$bad" ]; then
	printf 'not formatted by gofmt:\n%s\n' "$bad" >&2
	exit 1
fi
for module in . e2e; do
	[ -f "$module/go.mod" ] || continue
	(cd "$module" && go mod tidy -diff && go vet ./... && CGO_ENABLED=0 go run "$STATICCHECK" ./...)
done
echo "check: clean"
