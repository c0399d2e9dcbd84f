#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the library and base's tests for the other platforms, warnings being errors, and runs what can be run here: Windows
# under wine, ARM under qemu. macOS is built, not run. Among the tests is test_math, whose checksums prove that the
# arithmetic contract's functions have the same bits everywhere.
set -u
cd "$(dirname "$0")/../.."
. ci/cross/common.sh

tests="test_math test_memory test_os test_threads test_utf8"
passed=0
failed=0
builds=0
scratch=$cross_folder/run
mkdir -p "$scratch"

seconds_since() { echo $(($(date +%s) - $1)); }

# run NAME COMMAND...: one test program, its last line into the table
run() {
    name=$1
    shift
    start=$(date +%s)
    if (cd "$scratch" && timeout 240 "$@") > "$scratch/output" 2>&1; then
        count=$(sed -n 's/^\([0-9][0-9]*\) passed, 0 failed.*/\1/p' "$scratch/output" | tail -n 1)
    else
        count=
    fi
    if [ -n "$count" ] && [ "$count" -gt 0 ]; then
        passed=$((passed + count))
        printf '%-44s %3d passed %5d s\n' "$name" "$count" "$(seconds_since "$start")"
    else
        failed=$((failed + 1))
        printf '%-44s FAILED\n' "$name"
        tail -n 20 "$scratch/output"
    fi
}

# No kernel runs here: those of x86 are compiled and not optimized. What is released is built by ci/release.
for platform in linux-aarch64 windows-x86_64 macos-aarch64 macos-x86_64; do
    start=$(date +%s)
    # shellcheck disable=SC2086 # tests are words
    if cross_build $platform "$cross_folder/$platform" -DPUNA_TESTS=ON -DPUNA_KERNEL_LEVEL=-O1 -- puna $tests; then
        builds=$((builds + 1))
        printf '%-44s     built %6d s\n' "$platform" "$(seconds_since "$start")"
    else
        failed=$((failed + 1))
        printf '%-44s NOT BUILT\n' "$platform"
    fi
done

for processor in max cortex-a72; do
    for test in $tests; do
        [ $processor = max ] || [ "$test" = test_math ] || continue
        run "linux-aarch64, qemu $processor: $test" qemu-aarch64-static -cpu $processor -L /usr/aarch64-linux-gnu \
            "$cross_folder/linux-aarch64/tests/$test"
    done
done

export WINEPREFIX="$cross_folder/wine" WINEDEBUG=-all
start=$(date +%s)
[ -d "$WINEPREFIX" ] || timeout 120 wine wineboot -i > /dev/null 2>&1
printf '%-44s     ready %6d s\n' wine "$(seconds_since "$start")"
for test in $tests; do
    run "windows-x86_64, wine: $test" wine "$cross_folder/windows-x86_64/tests/$test.exe"
done

echo "cross: $builds of 4 platforms built (macOS is not run), $passed tests passed, $failed failed"
[ $failed -eq 0 ]
