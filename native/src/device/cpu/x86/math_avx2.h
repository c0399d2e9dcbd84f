// SPDX-License-Identifier: Apache-2.0
/* base/math.h's functions for 8 numbers, operation by operation. Everything is static: these files' code must not be
   shared with files that run on lesser processors. */
#ifndef PUNA_DEVICE_CPU_MATH_AVX2_H
#define PUNA_DEVICE_CPU_MATH_AVX2_H

#include <immintrin.h>

#include "base/math.h"

/* 2^n * the polynomial of what is left, z = n ln 2 + r: eight_exp within its bounds. */
static inline __m256 eight_exp_scaled(__m256 z) {
    __m256 one = _mm256_set1_ps(1.0f), rounder = _mm256_set1_ps(MATH_EXP_ROUNDER);
    __m256 t = _mm256_fmadd_ps(z, _mm256_set1_ps(MATH_EXP_LOG2E), rounder);
    __m256 n = _mm256_sub_ps(t, rounder);
    __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-MATH_EXP_LN2_HIGH), z);
    r = _mm256_fmadd_ps(n, _mm256_set1_ps(-MATH_EXP_LN2_LOW), r);
    __m256 p = _mm256_set1_ps(MATH_EXP_C6);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(MATH_EXP_C5));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(MATH_EXP_C4));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(MATH_EXP_C3));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(MATH_EXP_C2));
    p = _mm256_fmadd_ps(p, r, one);
    p = _mm256_fmadd_ps(p, r, one);
    __m256i bits = _mm256_add_epi32(_mm256_castps_si256(p), _mm256_slli_epi32(_mm256_castps_si256(t), 23));
    return _mm256_castsi256_ps(bits);
}

static inline __m256 eight_exp(__m256 x) {
    __m256 lowest = _mm256_set1_ps(MATH_EXP_LOWEST), highest = _mm256_set1_ps(MATH_EXP_HIGHEST);
    __m256 z = _mm256_min_ps(_mm256_max_ps(x, lowest), highest); /* NaN: the second operand, as in C's selection */
    __m256 y = _mm256_andnot_ps(_mm256_cmp_ps(x, lowest, _CMP_LT_OQ), eight_exp_scaled(z));
    y = _mm256_blendv_ps(y, _mm256_set1_ps(INFINITY), _mm256_cmp_ps(x, highest, _CMP_GT_OQ));
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

/* eight_exp where no number is above 0, in fewer operations: what is below the lowest becomes 0 in the end, whatever
   was computed, and a NaN stays one. */
static inline __m256 eight_exp_below(__m256 x) {
    __m256 low = _mm256_cmp_ps(x, _mm256_set1_ps(MATH_EXP_LOWEST), _CMP_LT_OQ);
    __m256 y = _mm256_andnot_ps(low, eight_exp_scaled(x));
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

static inline __m256 eight_silu(__m256 x) {
    __m256 minus = _mm256_xor_ps(x, _mm256_set1_ps(-0.0f));
    return _mm256_div_ps(x, _mm256_add_ps(_mm256_set1_ps(1.0f), eight_exp(minus)));
}

static inline __m256 eight_tanh(__m256 x) {
    __m256 sign = _mm256_set1_ps(-0.0f), one = _mm256_set1_ps(1.0f), two = _mm256_set1_ps(2.0f);
    /* NaN: the second operand, as in C */
    __m256 z = _mm256_min_ps(_mm256_andnot_ps(sign, x), _mm256_set1_ps(MATH_TANH_LARGEST));
    __m256 u = _mm256_mul_ps(z, z), p = _mm256_set1_ps(MATH_TANH_C11);
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_TANH_C9));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_TANH_C7));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_TANH_C5));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_TANH_C3));
    __m256 near = _mm256_fmadd_ps(_mm256_mul_ps(z, u), p, z);
    __m256 far = _mm256_sub_ps(one, _mm256_div_ps(two, _mm256_add_ps(eight_exp(_mm256_add_ps(z, z)), one)));
    __m256 y = _mm256_blendv_ps(far, near, _mm256_cmp_ps(z, _mm256_set1_ps(MATH_TANH_SMALL), _CMP_LT_OQ));
    y = _mm256_or_ps(_mm256_andnot_ps(sign, y), _mm256_and_ps(sign, x));
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

static inline __m256 eight_gelu(__m256 x) {
    __m256 inner = _mm256_fmadd_ps(_mm256_mul_ps(x, x), _mm256_set1_ps(MATH_GELU_C1), _mm256_set1_ps(MATH_GELU_C0));
    __m256 t = eight_tanh(_mm256_mul_ps(x, inner)), h = _mm256_mul_ps(x, _mm256_set1_ps(0.5f));
    return _mm256_fmadd_ps(h, t, h);
}

static inline __m256 eight_erf(__m256 x) {
    __m256 sign = _mm256_set1_ps(-0.0f), one = _mm256_set1_ps(1.0f), u = _mm256_mul_ps(x, x);
    __m256 p = _mm256_set1_ps(MATH_ERF_P13);
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_ERF_P11));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_ERF_P9));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_ERF_P7));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_ERF_P5));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_ERF_P3));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_ERF_P1));
    __m256 near = _mm256_fmadd_ps(x, p, x), size = _mm256_andnot_ps(sign, x);
    __m256 z = _mm256_min_ps(size, _mm256_set1_ps(MATH_ERF_LARGEST)); /* NaN: the second operand, as in C */
    __m256 q = _mm256_set1_ps(MATH_ERF_Q6);
    q = _mm256_fmadd_ps(q, z, _mm256_set1_ps(MATH_ERF_Q5));
    q = _mm256_fmadd_ps(q, z, _mm256_set1_ps(MATH_ERF_Q4));
    q = _mm256_fmadd_ps(q, z, _mm256_set1_ps(MATH_ERF_Q3));
    q = _mm256_fmadd_ps(q, z, _mm256_set1_ps(MATH_ERF_Q2));
    q = _mm256_fmadd_ps(q, z, _mm256_set1_ps(MATH_ERF_Q1));
    q = _mm256_fmadd_ps(q, z, _mm256_set1_ps(MATH_ERF_Q0));
    __m256 far = _mm256_sub_ps(one, eight_exp(_mm256_xor_ps(q, sign)));
    far = _mm256_or_ps(_mm256_andnot_ps(sign, far), _mm256_and_ps(sign, x));
    __m256 y = _mm256_blendv_ps(far, near, _mm256_cmp_ps(size, _mm256_set1_ps(MATH_ERF_SMALL), _CMP_LE_OQ));
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

static inline __m256 eight_gelu_erf(__m256 x) {
    __m256 e = eight_erf(_mm256_mul_ps(x, _mm256_set1_ps(MATH_GELU_ROOT))), h = _mm256_mul_ps(x, _mm256_set1_ps(0.5f));
    return _mm256_fmadd_ps(h, e, h);
}

static inline __m256 eight_softplus(__m256 x) {
    __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 e = eight_exp(_mm256_or_ps(sign, x)); /* -|x| */
    __m256 s = _mm256_div_ps(e, _mm256_add_ps(_mm256_set1_ps(2.0f), e)), u = _mm256_mul_ps(s, s);
    __m256 p = _mm256_set1_ps(MATH_SOFTPLUS_L15);
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_SOFTPLUS_L13));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_SOFTPLUS_L11));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_SOFTPLUS_L9));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_SOFTPLUS_L7));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_SOFTPLUS_L5));
    p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(MATH_SOFTPLUS_L3));
    __m256 t = _mm256_fmadd_ps(_mm256_mul_ps(s, u), p, s);
    __m256 y = _mm256_add_ps(_mm256_max_ps(x, _mm256_setzero_ps()), _mm256_add_ps(t, t));
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

/* The contract's tree of 16 lanes: 8+8, 4+4, 2+2, 1+1. */
static inline float eight_lanes_sum(__m256 low, __m256 high) {
    __m256 eight = _mm256_add_ps(low, high);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

static inline __m256 eight_halves(const void *at) { return _mm256_cvtph_ps(_mm_loadu_si128(at)); }

#endif
