#!/usr/bin/env bash
# Runs the live test-suite that ships inside the Go module azsecrets against a tacet, which
# answers under the public cloud's own host names: in a network and a mount namespace of
# its own, so that nothing outside is asked or changed. Needs root, for the namespaces.
# Usage: scripts/azsecrets-live.sh PATH-OF-TACET [ARGUMENTS OF THE TEST BINARY]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" != inside ]; then
	tacet=$(realpath "$1")
	shift
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	# The suite is built outside, where there is a network.
	module=$(cd "$here/../e2e" && go list -m -f '{{.Dir}}' github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets)
	cp -r "$module" "$dir/suite"
	chmod -R u+w "$dir/suite"
	(cd "$dir/suite" && CGO_ENABLED=0 go test -c -o "$dir/suite.test" .)
	unshare -n -m "$here/$(basename "$0")" inside "$dir" "$tacet" "$@"
	exit
fi

dir=$2 tacet=$3
shift 3
ip link set lo up
echo "127.0.0.1 localhost main.vault.azure.net login.microsoftonline.com" >"$dir/hosts"
mount --bind "$dir/hosts" /etc/hosts
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=tacet \
	-addext 'subjectAltName=DNS:*.vault.azure.net,DNS:login.microsoftonline.com' \
	-keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null

# A development server makes the deployment and its credentials; a real one then serves it.
"$tacet" dev --data "$dir/data" --listen 127.0.0.1:0 --tls-listen 127.0.0.1:0 --env-file "$dir/env" >/dev/null &
for _ in $(seq 600); do [ -e "$dir/env" ] && break; sleep 0.1; done
kill $!
wait $! || true
cat >"$dir/tacet.toml" <<END
[listen]
address = "127.0.0.1:443"
[tls]
cert_file = "cert.pem"
key_file = "key.pem"
[store]
url = "sqlite:data/tacet.db"
[key]
file = "data/tacet.key"
[azure]
domains = ["vault.azure.net"]
authority_hosts = ["login.microsoftonline.com"]
tenant = "guid"
[log]
level = "warn"
END
"$tacet" server --config "$dir/tacet.toml" &
server=$!
trap 'kill $server; wait $server || true' EXIT
value() { sed -n "s/^$1=//p" "$dir/env"; }
for _ in $(seq 600); do (exec 3<>/dev/tcp/127.0.0.1/443) 2>/dev/null && break; sleep 0.1; done

cd "$dir/suite"
env -i PATH="$PATH" HOME="$dir" SSL_CERT_FILE="$dir/cert.pem" \
	AZURE_RECORD_MODE=live AZURE_KEYVAULT_URL=https://main.vault.azure.net \
	AZURE_TENANT_ID="$(value TACET_TENANT_ID)" AZURE_CLIENT_ID="$(value AZURE_CLIENT_ID)" AZURE_CLIENT_SECRET="$(value AZURE_CLIENT_SECRET)" \
	"$dir/suite.test" -test.timeout 5m "$@"
