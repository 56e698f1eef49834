#!/bin/sh
# Runs every test with every feature, against a throwaway PostGIS server and with the Python readers.
#
#   sh tests/run.sh                  everything
#   sh tests/run.sh postgis::        what cargo test is told after `--all-features`
#   sh tests/run.sh --install-only   only install the packages that are missing
#
# POIMILL_TEST_DATABASE_URL  a server to use instead of a throwaway one; its user may create databases with PostGIS
# POIMILL_DATA               folder of real extracts; the tests that need it report themselves as skipped where it is absent
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
unset DATABASE_URL || true

# Highest version of PostgreSQL whose server is installed; nothing where there is none.
server_version() {
    for initdb in /usr/lib/postgresql/*/bin/initdb; do
        if [ -x "$initdb" ]; then
            initdb=${initdb%/bin/initdb}
            echo "${initdb##*/}"
        fi
    done | sort -n | tail -n 1
}

# A Python that can make virtual environments; nothing where there is none.
python() {
    for candidate in python3 /usr/bin/python3; do
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
}

# Names of the distribution's packages that the full test needs and that are not there.
missing_packages() {
    command -v gcc >/dev/null || echo gcc libc6-dev
    command -v g++ >/dev/null || echo g++
    command -v pkg-config >/dev/null || echo pkg-config
    pkg-config --exists gdal 2>/dev/null || echo libgdal-dev
    command -v osmium >/dev/null || echo osmium-tool
    [ -n "$(python)" ] || echo python3-venv
    if [ -z "${POIMILL_TEST_DATABASE_URL:-}" ]; then
        version=$(server_version)
        if [ -z "$version" ]; then
            echo postgresql postgresql-postgis
        elif ! ls "/usr/lib/postgresql/$version/lib/"postgis-*.so >/dev/null 2>&1; then
            echo "postgresql-$version-postgis-3"
        fi
    fi
}

install_packages() {
    missing=$(missing_packages | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        as_root=env
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n env'
    else
        echo "missing packages: $missing" >&2
        echo "install them, e.g. with: sudo apt-get install --no-install-recommends $missing" >&2
        exit 1
    fi
    echo "installing: $missing" >&2
    log=$(mktemp)
    # shellcheck disable=SC2086
    if ! {
        $as_root apt-get update &&
            $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
    } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        echo "could not install: $missing" >&2
        exit 1
    fi
    rm -f "$log"
    missing=$(missing_packages | tr '\n' ' ')
    if [ -n "$missing" ]; then
        echo "still missing after installing: $missing" >&2
        exit 1
    fi
}

# The server may not run as root; everything else runs as whoever called.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

start_server() {
    bin=/usr/lib/postgresql/$(server_version)/bin
    server=$work/server
    mkdir "$server"
    [ "$(id -u)" != 0 ] || chown postgres: "$server"
    (cd "$server" && as_postgres "$bin/initdb" -D "$server/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync) \
        >"$work/initdb.log" 2>&1 || { cat "$work/initdb.log" >&2; exit 1; }
    # A private socket and no TCP; durability is not what is tested here.
    cat >>"$server/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$server'
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
shared_buffers = 256MB
maintenance_work_mem = 256MB
jit = off
CONF
    (cd "$server" && as_postgres "$bin/pg_ctl" -D "$server/data" -l "$server/log" -w -t 60 start) \
        >"$work/start.log" 2>&1 || { cat "$work/start.log" "$server/log" >&2; exit 1; }
    # In template1, so that every test database has it from the start.
    "$bin/psql" -q -h "$server" -U postgres -d template1 -c 'set client_min_messages = error' -c 'create extension postgis'
    POIMILL_TEST_DATABASE_URL="host=$server user=postgres dbname=postgres"
    export POIMILL_TEST_DATABASE_URL
}

# A virtual environment with the readers, kept beside the build as long as its requirements stay the same.
prepare_readers() {
    venv=$target/readers-venv
    if ! cmp -s tests/python/requirements.txt "$venv/requirements.txt"; then
        echo "preparing the Python readers in $venv" >&2
        rm -rf "$venv"
        "$(python)" -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir -r tests/python/requirements.txt
        cp tests/python/requirements.txt "$venv/requirements.txt"
    fi
    POIMILL_TEST_PYTHON=$venv/bin/python
    export POIMILL_TEST_PYTHON
}

# Runs cargo in a process group of its own, so that a signal ends it and its tests; blank lines at the end are left out.
cargo_test() {
    mkfifo "$work/output"
    awk 'NF { for (; blank; blank--) print ""; print; fflush(); next } { blank++ }' <"$work/output" &
    printer=$!
    setsid cargo test --locked --all-features "$@" >"$work/output" 2>&1 &
    child=$!
    status=0
    wait "$child" || status=$?
    child=
    wait "$printer"
    rm "$work/output"
    return "$status"
}

clean_up() {
    trap - EXIT INT TERM HUP
    [ -z "${child:-}" ] || kill -TERM "-$child" 2>/dev/null || true
    if [ -e "${server:-}/data/postmaster.pid" ]; then
        (cd / && as_postgres "$bin/pg_ctl" -D "$server/data" -m immediate stop) >/dev/null 2>&1 || true
    fi
    rm -rf "$work"
}

install_packages
[ "${1:-}" != --install-only ] || exit 0

# Not under TMPDIR: the path of a socket has at most 107 bytes.
work=$(mktemp -d /tmp/poimill-test.XXXXXX)
chmod 755 "$work"
trap clean_up EXIT
trap 'clean_up; exit 129' HUP
trap 'clean_up; exit 130' INT
trap 'clean_up; exit 143' TERM

target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
prepare_readers
[ -n "${POIMILL_TEST_DATABASE_URL:-}" ] || start_server

POIMILL_TEST_REQUIRE_ALL=1
export POIMILL_TEST_REQUIRE_ALL
if [ -z "${POIMILL_DATA:-}" ] && [ -d "$root/../shared/data" ]; then
    POIMILL_DATA=$(cd "$root/../shared/data" && pwd)
    export POIMILL_DATA
fi

# Nothing is written to the caller's home: cargo and rustup keep theirs by name.
CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
HOME=$work/home
mkdir "$HOME"
export CARGO_HOME RUSTUP_HOME HOME
unset XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME || true

if [ $# -gt 0 ]; then
    cargo_test "$@"
else
    # Documentation first, so that the last summary is that of the scenarios.
    cargo_test --doc
    # From the seeds alone and with a fixed seed. By hand it goes on for longer: `just fuzz-pbf SECONDS`.
    sh tests/fuzz/run.sh 10 1
    cargo_test --lib --bins --tests
fi
