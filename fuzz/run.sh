#!/usr/bin/env bash
# Runs every fuzz program of a build for some seconds: fuzz/run.sh build/fuzz 60. Named cases come
# from fuzz/corpus, what the fuzzer finds interesting stays in the build tree, and an input that
# breaks a target is kept and its path printed.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
seconds=$2
failed=()
count=0
for program in "$build"/fuzzers/*; do
    [ -x "$program" ] || continue
    name=$(basename "$program")
    found=$build/corpus/$name
    broken=$build/broken/$name
    mkdir -p "$found" "$broken"
    seeds=()
    [ ! -d "fuzz/corpus/$name" ] || seeds=("fuzz/corpus/$name")
    printf 'fuzz: %s for %s s\n' "$name" "$seconds"
    count=$((count + 1))
    if ! "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -verbosity=0 -artifact_prefix="$broken/" "$found" "${seeds[@]}" >"$build/$name.log" 2>&1; then
        tail -n 60 "$build/$name.log"
        failed+=("$name")
    fi
    grep -E 'stat::number_of_executed_units' "$build/$name.log" | sed 's/.*units: */fuzz:   inputs tried: /' || true
done
[ "$count" -gt 0 ] || { echo "fuzz: error: no fuzz programs in $build/fuzzers" >&2; exit 1; }
if [ ${#failed[@]} -gt 0 ]; then
    echo "fuzz: FAILED: ${failed[*]} (inputs in $build/broken)" >&2
    exit 1
fi
echo "fuzz: $count targets, nothing broken"
