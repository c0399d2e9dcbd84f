#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each reader afresh for FUZZ_SECONDS (20), two at a time, from the inputs that are kept in native/fuzz/corpus; those
# are replayed by every other build's tests, too. What breaks one lies in build/ci/fuzz/TARGET afterwards; put it into the
# corpus under a name that says what it is, and it stays a test. `ci/fuzz.sh TARGET ...` runs some.
set -u
cd "$(dirname "$0")/.."
root=$PWD
seconds=${FUZZ_SECONDS:-20}
mkdir -p build/ci/fuzz
. ci/native.sh
native_build fuzz "$root/build/ci/fuzz/build.log" || exit 1
programs=$root/native/build/fuzz/fuzz

one() { # target: fuzzes it in a folder of its own
    local target=$1 folder=$root/build/ci/fuzz/$1
    rm -rf "$folder"
    mkdir -p "$folder/corpus"
    cd "$folder" || return 1
    "$programs/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=8192 -use_value_profile=1 \
        -print_final_stats=1 -artifact_prefix="$folder/broken-" corpus "$root/native/fuzz/corpus/$target" > log 2>&1
    local code=$? runs coverage
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' log)
    coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' log | tail -n 1)
    if [ $code = 0 ] && [ "${runs:-0}" -gt 0 ]; then
        printf '%-12s passed %9d runs, %5d places reached\n' "$target" "$runs" "$coverage"
        return 0
    fi
    printf '%-12s FAILED %s\n' "$target" "$folder"
    grep -E 'broken:|ERROR:|runtime error|SUMMARY' log | head -n 10
    tail -n 30 log
    return 1
}
export -f one
export root seconds programs

targets=${*:-$(cd native/fuzz && ls fuzz_*.c | sed 's/^fuzz_\(.*\)\.c$/\1/')}
# shellcheck disable=SC2086 # targets are words
printf '%s\n' $targets | xargs -P 2 -I{} bash -c 'one {}' > build/ci/fuzz/results
status=$?
cat build/ci/fuzz/results
passed=$(grep -c ' passed ' build/ci/fuzz/results)
failed=$(grep -c ' FAILED ' build/ci/fuzz/results)
echo "fuzz: $passed targets passed, $failed failed, $seconds s each"
[ $status = 0 ] && [ "$passed" -gt 0 ]
