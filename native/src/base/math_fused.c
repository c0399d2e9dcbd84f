// SPDX-License-Identifier: Apache-2.0
/* A correctly rounded float multiply-add by double arithmetic, for targets without the instruction. */
#include "base/math.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>

bool math_has_fma = false;

__attribute__((constructor)) static void math_detect_fma(void) {
    const unsigned fma_bit = 1u << 12, xsave_bit = 1u << 27;
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return;
    if ((c & fma_bit) == 0 || (c & xsave_bit) == 0) return;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    math_has_fma = (low & 6u) == 6u; /* the system saves the AVX registers */
}
#endif

float math_fmaf_exact(float a, float b, float c);

/*
 * The product of two floats is exact in double (48 bits). The sum is rounded to odd: where it is inexact, the neighbour
 * with an odd last bit is taken. With 53 >= 24 + 2 bits, rounding that to float (denormals included) rounds the exact
 * sum once (Boldo and Melquiond).
 */
float math_fmaf_exact(float a, float b, float c) {
    double p = (double)a * (double)b;
    double s = p + (double)c;
    double pp = s - (double)c;
    double e = (p - pp) + ((double)c - (s - pp)); /* s + e is p + c exactly */
    uint64_t u;
    memcpy(&u, &s, sizeof u);
    if ((u & 1) == 0 && e != 0.0 && (u & 0x7FF0000000000000u) != 0x7FF0000000000000u) {
        u += (e > 0.0) == (s > 0.0) ? 1u : UINT64_MAX;
        memcpy(&s, &u, sizeof s);
    }
    return (float)s;
}
