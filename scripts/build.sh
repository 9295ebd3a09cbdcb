#!/usr/bin/env bash
# build.sh DIRECTORY [TARGET...]: configures the build directory once and compiles; silent unless something fails.
# A directory whose name ends in -asan is built with the address and undefined-behaviour sanitizers, one in -tsan with the
# thread sanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."
directory=$1
shift

sanitized=(-Dbuildtype=debug -Doptimization=1 -Db_lto=false -Db_lundef=false)
# A report tells lines, for which the least of debug information will do: that spares a quarter of the time. What the sanitizers
# put in has GCC believe that much is not initialised, as its manual says; the release build looks for that.
arguments="-g1 -Wno-maybe-uninitialized"
case $directory in
    # The vptr check opens pipes: in a test that runs out of descriptors it would report what is not there.
    *-asan) options=("${sanitized[@]}" -Db_sanitize=address,undefined "-Dcpp_args=$arguments -fno-sanitize=vptr") ;;
    *-tsan) options=("${sanitized[@]}" -Db_sanitize=thread "-Dcpp_args=$arguments") ;;
    *) options=(-Dbuildtype=release -Db_lto=true) ;;
esac

output=$(mktemp)
trap 'rm -f "$output"' EXIT
quietly() {
    "$@" >"$output" 2>&1 || { cat "$output" >&2; exit 1; }
}

if [ ! -f "$directory/build.ninja" ]; then
    echo "building in $directory: the first time takes a minute or two" >&2
    rm -rf "$directory"
    quietly meson setup "$directory" "${options[@]}"
fi
quietly meson compile -C "$directory" "$@"
