# cassert.sh: what test/asserts and test/valgrind share.  To be sourced after
# scripts/setup.sh.
#
# A server that checks its own invariants and every chunk of memory that is
# freed (--enable-cassert), and tells valgrind of its chunks (USE_VALGRIND).  It
# is built from Debian's source, once: some minutes.
# Environment: AREAD_CACHE, where it is kept (default: /var/cache/aread).

cache=${AREAD_CACHE:-/var/cache/aread}
export PG_MAJOR=15
pg_major=$PG_MAJOR
server=$cache/pg$pg_major-cassert
source_package=postgresql-$pg_major

# apt with source packages, beside the system's own lists.
source_apt() {
  local program=$1 suite=bookworm
  shift
  mkdir -p "$cache/apt/lists/partial"
  printf 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s main\n' \
    "http://deb.debian.org/debian $suite" \
    "http://deb.debian.org/debian-security $suite-security" >"$cache/apt/sources.list"
  "$program" -qq -o Dir::Etc::SourceList="$cache/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$cache/apt/lists" -o Dir::Cache::PkgCache= -o Dir::Cache::SrcPkgCache= \
    -o APT::Sandbox::User=root "$@"
}

# The newest source that there is: a list may name one that has gone.
fetch_source() {
  local version
  source_apt apt-get update
  for version in $(source_apt apt-cache showsrc "$source_package" | sed -n 's/^Version: //p' | sort -rVu); do
    source_apt apt-get source --download-only "$source_package=$version" >/dev/null 2>&1 && return 0
  done
  echo "no source of $source_package" >&2
  return 1
}

build_server() {
  local part build
  build=$(mktemp -d /tmp/aread.XXXXXX)
  say "building $server"
  (
    cd "$build"
    fetch_source
    tar -xf postgresql-*.orig.tar.*
    cd postgresql-*/
    ./configure -q --prefix="$server" --enable-cassert --enable-debug --enable-tap-tests \
      --with-libxml --without-readline CFLAGS=-O1
    nice make -s -j"$(nproc)" COPT=-DUSE_VALGRIND
    for part in . contrib/citext contrib/file_fdw; do
      nice make -s -C "$part" install COPT=-DUSE_VALGRIND DESTDIR="$build/stage"
    done
  ) >"$build/log" 2>&1 || { tail -n 50 "$build/log"; rm -rf "$build"; return 1; }
  # whole or not at all
  mv "$build/stage$server" "$server"
  rm -rf "$build"
}

# In place of the installed server: this one, and pgTAP, which is SQL.
copy_postgres() {
  local to=$work/lib/postgresql/$pg_major
  mkdir -p "$(dirname "$to")"
  cp -r "$server" "$to"
  cp /usr/share/postgresql/$pg_major/extension/pgtap* "$to/share/postgresql/extension/"
}

# set_up_cassert [PACKAGE...]: as set_up, with that server.
set_up_cassert() {
  packages gcc make perl libipc-run-perl zlib1g-dev libxml2-dev pkg-config bzip2 dpkg-dev valgrind
  [ -x "$server/bin/postgres" ] || build_server
  set_up postgresql-NN-pgtap "$@"
}
