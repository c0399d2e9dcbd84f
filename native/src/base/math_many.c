// SPDX-License-Identifier: Apache-2.0
/* math_expf for many numbers: the same operations, in a loop that the compiler can make several lanes of. */
#include "base/math.h"

static inline __attribute__((always_inline)) void exps(const float *x, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) {
        float z = x[i] > MATH_EXP_LOWEST ? x[i] : MATH_EXP_LOWEST;
        z = z < MATH_EXP_HIGHEST ? z : MATH_EXP_HIGHEST;
        float t = __builtin_fmaf(z, MATH_EXP_LOG2E, MATH_EXP_ROUNDER), k = t - MATH_EXP_ROUNDER;
        float r = __builtin_fmaf(k, -MATH_EXP_LN2_HIGH, z);
        r = __builtin_fmaf(k, -MATH_EXP_LN2_LOW, r);
        float p = __builtin_fmaf(MATH_EXP_C6, r, MATH_EXP_C5);
        p = __builtin_fmaf(p, r, MATH_EXP_C4);
        p = __builtin_fmaf(p, r, MATH_EXP_C3);
        p = __builtin_fmaf(p, r, MATH_EXP_C2);
        p = __builtin_fmaf(p, r, 1.0f);
        p = __builtin_fmaf(p, r, 1.0f);
        union {
            float f;
            uint32_t u;
        } from = {t}, to = {p};
        to.u += from.u << 23;
        float out = x[i] < MATH_EXP_LOWEST ? 0.0f : to.f;
        out = x[i] > MATH_EXP_HIGHEST ? INFINITY : out;
        y[i] = x[i] == x[i] ? out : x[i];
    }
}

#if defined(__x86_64__) && defined(__GNUC__)

#if defined(__clang__) /* makes lanes of it as it is */
#define LANES
#else
#define LANES optimize("O3"),
#endif

/* AVX and FMA: what math_has_fma stands for. */
__attribute__((LANES target("avx,fma"))) static void exps_fused(const float *x, size_t n, float *y) {
    exps(x, n, y);
}

void math_expf_many(const float *x, size_t n, float *y) {
    if (math_has_fma) {
        exps_fused(x, n, y);
        return;
    }
    for (size_t i = 0; i < n; i++) y[i] = math_expf(x[i]);
}

#elif defined(__FP_FAST_FMAF)

void math_expf_many(const float *x, size_t n, float *y) { exps(x, n, y); }

#else

void math_expf_many(const float *x, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = math_expf(x[i]);
}

#endif
