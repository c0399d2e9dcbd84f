#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize.sh asan-ubsan|tsan: builds the C core with these sanitizers and runs its tests.
set -u
cd "$(dirname "$0")/.."
preset=$1
root=$PWD
generator=
command -v ninja > /dev/null && generator="-G Ninja"
cd native || exit 1
mkdir -p "$root/build/ci"
log=$root/build/ci/$preset.log
# shellcheck disable=SC2086 # two words or none
cmake --preset "$preset" $generator > "$log" 2>&1 && cmake --build --preset "$preset" --parallel >> "$log" 2>&1 ||
    { tail -n 40 "$log"; exit 1; }
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1
if ! (cd build/"$preset" && ctest --output-on-failure --parallel 2 > "$log" 2>&1); then
    grep -E 'Failed|ERROR:|WARNING: ThreadSanitizer|runtime error' "$log" | head -n 40
    tail -n 60 "$log"
    status=1
else
    status=0
fi
sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' "build/$preset/Testing/Temporary/LastTest.log" |
    awk -v what="$preset" '{ p += $1; f += $2 } END { printf "%s: %d passed, %d failed\n", what, p, f; exit p == 0 }' || status=1
exit $status
