#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The C tests of what runs kernels once more under each tier, forced by PUNA_CPU_TIER. A tier that this processor lacks is
# reported, never passed in silence. test_kernels and test_promise go through all tiers by themselves.
set -u
cd "$(dirname "$0")/.."
build=native/build/release
[ -f $build/CTestTestfile.cmake ] || cmake -DBUILD=$PWD/$build -P native/maven/configure.cmake || exit 1
cmake --build $build --parallel > build/ci/tiers.log 2>&1 || { tail -n 30 build/ci/tiers.log; exit 1; }
has() { # whether /proc/cpuinfo names all these flags
    local flag
    for flag in "$@"; do grep -m 1 '^flags' /proc/cpuinfo | grep -qw "$flag" || return 1; done
}
status=0
for tier in ref avx2 avxvnni avx512; do
    case $tier in
        avx2) has avx2 fma f16c bmi2 || { echo "tier $tier: not on this CPU"; continue; } ;;
        avxvnni) has avx2 fma f16c bmi2 avx_vnni || { echo "tier $tier: not on this CPU"; continue; } ;;
        avx512) has avx512f avx512bw avx512vl avx512dq avx512_vnni || { echo "tier $tier: not on this CPU"; continue; } ;;
    esac
    start=$(date +%s)
    if (cd $build && PUNA_CPU_TIER=$tier ctest -L '^(device|model|engine|api)$' -E '/(test_kernels|test_promise)$' \
        --output-on-failure --parallel 2 > tier.log 2>&1); then
        result=passed
    else
        result=FAILED
        status=1
        tail -n 40 $build/tier.log
    fi
    echo "tier $tier: $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' $build/Testing/Temporary/LastTest.log |
        awk '{ p += $1; f += $2 } END { printf "%d passed, %d failed", p, f }'), $result, $(($(date +%s) - start)) s"
done
exit $status
