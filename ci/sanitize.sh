#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize.sh asan-ubsan|tsan: builds the C core with these sanitizers and runs its tests.
set -u
cd "$(dirname "$0")/.."
preset=$1
. ci/native.sh
log=$PWD/build/ci/$preset.log
start=$(date +%s)
native_build "$preset" "$log" || exit 1
built=$(date +%s)
cd native || exit 1
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1
if ! (cd build/"$preset" && ctest --output-on-failure --parallel 2 > "$log" 2>&1); then
    grep -E 'Failed|ERROR:|WARNING: ThreadSanitizer|runtime error' "$log" | head -n 40
    tail -n 60 "$log"
    status=1
else
    status=0
fi
sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' "build/$preset/Testing/Temporary/LastTest.log" |
    awk -v what="$preset" '{ p += $1; f += $2 } END { printf "%s: %d passed, %d failed", what, p, f; exit p == 0 }' || status=1
echo "; building took $((built - start)) s, running $(($(date +%s) - built)) s"
echo "the slowest: $(sed -n 's|.* Test *#[0-9]*: [a-z]*/test_\([a-z0-9_]*\) .* \([0-9.]*\) sec.*|\2 \1|p' "$log" | sort -rn | head -n 6 |
    awk '{ printf "%s%s %.0f s", (NR > 1 ? ", " : ""), $2, $1 }')"
exit $status
