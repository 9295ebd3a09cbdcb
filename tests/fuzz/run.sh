#!/bin/sh
# Fuzzes every target for some seconds each (default 60), from the corpus that is checked in: run.sh [SECONDS]
# Inputs are kept short, for speed: the limits are the corpus's own business, which replay_NAME runs whole.
# What is found on the way is kept in build-fuzz/found/NAME; a failing input is build-fuzz/crash-NAME-*.
set -eu

seconds=${1:-60}
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build-fuzz
compiler=$(command -v clang++-14 || command -v clang++) || { echo "run.sh: needs clang++" >&2; exit 1; }
c_compiler=$(echo "$compiler" | sed 's/clang++/clang/')

if [ ! -f "$build/build.ninja" ]; then
    CC=$c_compiler CXX=$compiler meson setup "$build" "$root" --buildtype=debugoptimized \
        -Db_sanitize=address,undefined -Db_lundef=false -Db_lto=false \
        -Dc_args=-fsanitize=fuzzer-no-link -Dcpp_args=-fsanitize=fuzzer-no-link
fi

names=$(cd "$root/tests/fuzz" && ls ./*_fuzz.cc | sed 's|^\./||; s|_fuzz\.cc$||')
executables=$(for name in $names; do echo "tests/fuzz/fuzz_$name"; done)
# shellcheck disable=SC2086  # the names have no spaces
ninja -C "$build" $executables

export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
status=0
for name in $names; do
    found=$build/found/$name
    log=$build/$name.log
    mkdir -p "$found"
    verdict=ok
    set --
    case $name in
        request_head | response_head | chunk_decoder) set -- "-dict=$root/tests/fuzz/http.dict" ;;
    esac
    "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -max_len=1024 -print_final_stats=1 \
        -artifact_prefix="$build/crash-$name-" "$@" "$found" "$root/tests/fuzz/corpus/$name" >"$log" 2>&1 || verdict=FAILED
    [ "$verdict" = ok ] || status=1
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    echo "$name: $verdict, ${runs:-0} runs, ${rate:-0} a second, ${coverage:-0} edges (log: $log)"
done
exit $status
