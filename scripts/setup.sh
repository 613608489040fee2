# setup.sh: what scripts/check, scripts/demo and others share.  To be sourced.
#
# From a bare Debian to a running throw-away cluster that has aread: packages
# that are missing are installed (root or sudo); everything else happens in
# one temporary directory, which goes when the script ends.  The server runs
# from a private copy of its installation there, so that "make install"
# touches nothing of the system, nor a run beside this one.
#
# Environment: PG_MAJOR (which PostgreSQL; default: the newest one installed,
# else Debian's default), WERROR (see Makefile).

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
unset PGDATABASE PGSERVICE PGPASSWORD PGOPTIONS PGPORT PGHOSTADDR PGUSER PGDATA MAKEFLAGS MAKELEVEL

say() { printf '== %s\n' "$*"; }

# The server refuses to run as root.
if [ "$(id -u)" = 0 ]; then
  server_user=postgres
  as_root() { "$@"; }
  as_server() { runuser -u postgres -- env HOME="$work" "$@"; }
else
  server_user=$(id -un)
  as_root() { sudo "$@"; }
  as_server() { env HOME="$work" "$@"; }
fi

# packages NAME...: install those that are missing.
packages() {
  local name missing=()
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing packages: ${missing[*]}"
  as_root apt-get -qq update
  as_root env DEBIAN_FRONTEND="$DEBIAN_FRONTEND" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# known NAME...: those that this Debian has.  Tests that need others are skipped.
known() {
  local name
  for name in "$@"; do
    apt-cache show "$name" >/dev/null 2>&1 && echo "$name" || say "no package $name" >&2
  done
}

# Sets pg_major.
choose_postgres() {
  pg_major=${PG_MAJOR:-}
  if [ -z "$pg_major" ] && [ -d /usr/lib/postgresql ]; then
    pg_major=$(find /usr/lib/postgresql -path '*/bin/postgres' | sed 's|.*postgresql/\([0-9]*\)/.*|\1|' | sort -n | tail -1)
  fi
  if [ -z "$pg_major" ]; then
    as_root apt-get -qq update
    pg_major=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -1)
  fi
  [ -n "$pg_major" ] || { echo "no PostgreSQL found, and none to install" >&2; return 1; }
}

# Everything that was started or made goes, however the script ends.
clean_up() {
  [ -z "${work:-}" ] || [ ! -d "$work" ] && return
  [ ! -e "$work/data/postmaster.pid" ] || as_server "$bin/pg_ctl" -s -D "$work/data" -m immediate stop || true
  rm -rf "$work"
}

# A copy of the tree without what builds left in it, as the server's user can
# write there; tests look for sample data beside the tree.
copy_tree() {
  mkdir "$work/tree"
  tar -C "$top" --exclude=./.git --exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude='./aread--*.sql' \
    --exclude=./test/unit/build --exclude=./test/fuzz/build --exclude=./tmp_check --exclude=./results -cf - . | tar -C "$work/tree" -xf -
  [ ! -d "$top/../shared" ] || ln -s "$(cd "$top/../shared" && pwd)" "$work/shared"
}

# PostgreSQL finds its files relative to its programs: those are copied, the
# rest is linked.
copy_postgres() {
  mkdir -p "$work/lib/postgresql/$pg_major" "$work/share/postgresql"
  cp -r "/usr/lib/postgresql/$pg_major/bin" "$work/lib/postgresql/$pg_major/"
  cp -rs "/usr/lib/postgresql/$pg_major/lib" "$work/lib/postgresql/$pg_major/"
  cp -rs "/usr/share/postgresql/$pg_major" "$work/share/postgresql/"
  ln -s /usr/include "$work/include"
  rm -f "$work/lib/postgresql/$pg_major/lib/aread.so" "$work/share/postgresql/$pg_major/extension"/aread*
}

# quiet NAME COMMAND...: output to log NAME, shown if the command fails.
quiet() {
  local name=$1
  shift
  "$@" >"$work/log/$name" 2>&1 || { cat "$work/log/$name"; echo "$name failed" >&2; return 1; }
}

# make in the copied tree, for the copied PostgreSQL.
tree_make() {
  as_server make --no-print-directory -C "$work/tree" PG_CONFIG="$bin/pg_config" ${WERROR:+WERROR=1} "$@"
}

# Sum up one suite's log: summaries of unit tests, lines of pg_regress (before
# and since its TAP format), TAP (a failing TODO is no failure).
count() {
  awk '
    /^[0-9]+ passed, [0-9]+ failed$/ { ok += $1; bad += $3 }
    / \.\.\. ok( |$)/ || /^ok [0-9]+/ { ok++ }
    / \.\.\. FAILED( |$)/ || (/^not ok [0-9]+/ && !/# TODO/) { bad++ }
    END { print ok + 0, bad + 0 }' "$1"
}

# set_up [PACKAGE...] [-- PACKAGE...]: on return aread is built and installed for
# the server in $bin, and PGHOST and PGUSER lead to a running cluster.  "NN" in a
# package's name is the server's major version; those after "--" are installed
# where there are such.
set_up() {
  local needed=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    needed+=("$1")
    shift
  done
  [ $# = 0 ] || shift
  choose_postgres
  packages gcc libc6-dev make libopenblas-dev "postgresql-$pg_major" "postgresql-server-dev-$pg_major" "${needed[@]//NN/$pg_major}"
  # shellcheck disable=SC2046
  packages $(known "${@//NN/$pg_major}")

  work=$(mktemp -d /tmp/aread.XXXXXX)
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP
  bin=$work/lib/postgresql/$pg_major/bin
  mkdir "$work/log" "$work/socket"
  copy_tree
  copy_postgres
  [ "$(id -u)" != 0 ] || chown -R -h "$server_user" "$work"
  cd "$work"

  say "building for PostgreSQL $pg_major"
  quiet build tree_make -j"$(nproc)" all
  quiet install tree_make install

  export PGHOST=$work/socket PGUSER=postgres
  quiet initdb as_server "$bin/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync
  cat >>"$work/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$work/socket'
fsync = off
CONF
  quiet start as_server "$bin/pg_ctl" -s -w -D "$work/data" -l "$work/log/server-log" start
}
