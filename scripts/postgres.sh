#!/usr/bin/env bash
# Give the tests a PostgreSQL: a throw-away instance in one directory, of its own
# user, on a free port of loopback and a socket in the directory.
#
#   scripts/postgres.sh start [--no-fsync] DIR   start one, write DIR/url, print the URL
#   scripts/postgres.sh stop DIR                 stop it and remove DIR
#
# Debian's own server is used; when it is not installed and we are root, it is
# installed with apt-get. --no-fsync is for tests that do not measure durability.
set -euo pipefail

usage() {
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

fail() {
  echo "postgres.sh: $*" >&2
  exit 1
}

# bindir prints the folder of the newest installed server.
bindir() {
  find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -1 | xargs -r dirname
}

# install_server installs Debian's package, without the cluster it would start by itself.
install_server() {
  [ "$(id -u)" = 0 ] || fail "no PostgreSQL server in /usr/lib/postgresql; install the package postgresql, or run this as root"
  command -v apt-get >/dev/null || fail "no PostgreSQL server in /usr/lib/postgresql and no apt-get to install it with"
  {
    apt-get update
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql
  } >&2
}

# as_server runs a command as the user of the server, who must not be root.
as_server() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --clear-groups env HOME="$dir" "$@"
  else
    "$@"
  fi
}

# free_port prints a port of loopback on which nobody listens, outside the range
# the kernel hands out to clients.
free_port() {
  local port
  for _ in $(seq 50); do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  fail "no free port found"
}

start() {
  local fsync=on
  if [ "${1:-}" = --no-fsync ]; then
    fsync=off
    shift
  fi
  [ $# = 1 ] && [ -n "$1" ] || usage
  dir=$(realpath -m "$1")
  [ ! -e "$dir" ] || [ -z "$(ls -A "$dir")" ] || fail "$dir is not empty; stop the instance in it first"
  # The path of a socket can be 107 bytes long at most.
  [ "${#dir}" -le 80 ] || fail "$dir is too long a path for a socket; choose a shorter one"

  local bin port password
  bin=$(bindir)
  if [ -z "$bin" ]; then
    install_server
    bin=$(bindir)
    [ -n "$bin" ] || fail "the package postgresql is installed but has no server in /usr/lib/postgresql"
  fi

  mkdir -p "$dir"
  trap 'cd / && rm -rf "$dir"' EXIT # until it runs
  chmod 711 "$dir"
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && echo "$password" >"$dir/password")
  [ "$(id -u)" != 0 ] || chown -R postgres:postgres "$dir"
  as_server test -w "$dir/." || fail "the user postgres cannot reach $dir; choose a folder that others may enter"
  cd "$dir"
  as_server "$bin/initdb" -D "$dir/data" -U postgres -A scram-sha-256 --pwfile="$dir/password" \
    --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; fail "initdb failed"; }

  # Between choosing a port and listening on it somebody else may take it: try again.
  for _ in 1 2 3 4 5; do
    port=$(free_port)
    if as_server "$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/log" -o "-p $port -c listen_addresses=127.0.0.1 \
      -c unix_socket_directories=$dir -c fsync=$fsync -c max_connections=200" start >"$dir/pg_ctl.log" 2>&1; then
      echo "postgres://postgres:$password@127.0.0.1:$port/postgres?sslmode=disable" >"$dir/url"
      chmod 600 "$dir/url"
      cat "$dir/url"
      trap - EXIT
      return
    fi
  done
  tail -20 "$dir/log" >&2
  fail "the server did not start"
}

stop() {
  [ $# = 1 ] && [ -n "$1" ] || usage
  dir=$(realpath -m "$1")
  [ -e "$dir" ] || return 0
  [ -e "$dir/data/PG_VERSION" ] || fail "$dir holds no instance of ours; nothing removed"
  local bin
  bin=$(bindir)
  cd "$dir"
  if [ -e "$dir/data/postmaster.pid" ]; then
    as_server "$bin/pg_ctl" -D "$dir/data" -w -m immediate stop >"$dir/pg_ctl.log" 2>&1 || { cat "$dir/pg_ctl.log" >&2; fail "the server did not stop"; }
  fi
  cd /
  rm -rf "$dir"
}

case "${1:-}" in
start) shift && start "$@" ;;
stop) shift && stop "$@" ;;
*) usage ;;
esac
