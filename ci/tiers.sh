#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The C tests of what a tier may change (kernels, models against recorded numbers, states that are kept) once more under each
# tier below the one that this processor gets by itself (which mvn verify tested), forced by PUNA_CPU_TIER. A tier that it
# lacks is reported, never passed in silence. test_kernels and test_promise and its matrix go through all tiers by themselves;
# scheduling, limits and misuse are the same above every kernel.
set -u
cd "$(dirname "$0")/.."
build=native/build/release
tests='^(device|model|engine)/|^api/test_(api_engine|model_goldens|encoders|text_to_text|recurrent|adapters|encoder_adapters|state)$'
. ci/native.sh
native_build release build/ci/tiers.log || exit 1
has() { # whether /proc/cpuinfo names all these flags
    local flag
    for flag in "$@"; do grep -m 1 '^flags' /proc/cpuinfo | grep -qw "$flag" || return 1; done
}
status=0
own=ref
! has avx2 fma f16c bmi2 || own=avx2
! has avx2 fma f16c bmi2 avx_vnni || own=avxvnni
! has avx512f avx512bw avx512vl avx512dq avx512_vnni || own=avx512
for tier in ref avx2 avxvnni avx512; do
    [ $tier != $own ] || { echo "tier $tier: this CPU's own, in which all tests run"; break; }
    if [ $tier = avxvnni ] && ! has avx_vnni; then echo "tier $tier: not on this CPU"; continue; fi
    start=$(date +%s)
    if (cd $build && PUNA_CPU_TIER=$tier ctest -R "$tests" -E '/test_kernels$' \
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
[ $own = avx512 ] || echo "tiers above $own: not on this CPU"
exit $status
