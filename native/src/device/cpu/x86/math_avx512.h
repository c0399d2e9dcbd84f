// SPDX-License-Identifier: Apache-2.0
/* base/math.h's functions for 16 numbers, operation by operation. Everything is static: these files' code must not be
   shared with files that run on lesser processors. */
#ifndef PUNA_DEVICE_CPU_MATH_AVX512_H
#define PUNA_DEVICE_CPU_MATH_AVX512_H

#include <immintrin.h>

#include "base/math.h"

static inline __m512 wide_exp(__m512 x) {
    __m512 lowest = _mm512_set1_ps(MATH_EXP_LOWEST), highest = _mm512_set1_ps(MATH_EXP_HIGHEST);
    __m512 one = _mm512_set1_ps(1.0f), rounder = _mm512_set1_ps(MATH_EXP_ROUNDER);
    __m512 z = _mm512_min_ps(_mm512_max_ps(x, lowest), highest); /* NaN: the second operand, as in C's selection */
    __m512 t = _mm512_fmadd_ps(z, _mm512_set1_ps(MATH_EXP_LOG2E), rounder);
    __m512 n = _mm512_sub_ps(t, rounder);
    __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-MATH_EXP_LN2_HIGH), z);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(-MATH_EXP_LN2_LOW), r);
    __m512 p = _mm512_set1_ps(MATH_EXP_C6);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(MATH_EXP_C5));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(MATH_EXP_C4));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(MATH_EXP_C3));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(MATH_EXP_C2));
    p = _mm512_fmadd_ps(p, r, one);
    p = _mm512_fmadd_ps(p, r, one);
    __m512i bits = _mm512_add_epi32(_mm512_castps_si512(p), _mm512_slli_epi32(_mm512_castps_si512(t), 23));
    __m512 y = _mm512_castsi512_ps(bits);
    y = _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, lowest, _CMP_LT_OQ), _mm512_setzero_ps());
    y = _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, highest, _CMP_GT_OQ), _mm512_set1_ps(INFINITY));
    return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), x);
}

/* wide_exp where no number is above 0, in fewer operations: what is below the lowest becomes 0 in the end, whatever was
   computed, and a NaN stays one. Above the lowest p * 2^n is a normal number, so that scaling is exact. */
static inline __m512 wide_exp_below(__m512 x) {
    __m512 one = _mm512_set1_ps(1.0f), rounder = _mm512_set1_ps(MATH_EXP_ROUNDER);
    __m512 n = _mm512_sub_ps(_mm512_fmadd_ps(x, _mm512_set1_ps(MATH_EXP_LOG2E), rounder), rounder);
    __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-MATH_EXP_LN2_HIGH), x);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(-MATH_EXP_LN2_LOW), r);
    __m512 p = _mm512_set1_ps(MATH_EXP_C6);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(MATH_EXP_C5));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(MATH_EXP_C4));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(MATH_EXP_C3));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(MATH_EXP_C2));
    p = _mm512_fmadd_ps(p, r, one);
    p = _mm512_fmadd_ps(p, r, one);
    __mmask16 kept = _mm512_cmp_ps_mask(x, _mm512_set1_ps(MATH_EXP_LOWEST), _CMP_NLT_UQ);
    return _mm512_maskz_scalef_ps(kept, p, n);
}

static inline __m512 wide_silu(__m512 x) {
    __m512 minus = _mm512_xor_ps(x, _mm512_set1_ps(-0.0f));
    return _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1.0f), wide_exp(minus)));
}

static inline __m512 wide_tanh(__m512 x) {
    __m512 sign = _mm512_set1_ps(-0.0f), one = _mm512_set1_ps(1.0f), two = _mm512_set1_ps(2.0f);
    /* NaN: the second operand, as in C */
    __m512 z = _mm512_min_ps(_mm512_andnot_ps(sign, x), _mm512_set1_ps(MATH_TANH_LARGEST));
    __m512 u = _mm512_mul_ps(z, z), p = _mm512_set1_ps(MATH_TANH_C11);
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_TANH_C9));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_TANH_C7));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_TANH_C5));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_TANH_C3));
    __m512 near = _mm512_fmadd_ps(_mm512_mul_ps(z, u), p, z);
    __m512 far = _mm512_sub_ps(one, _mm512_div_ps(two, _mm512_add_ps(wide_exp(_mm512_add_ps(z, z)), one)));
    __m512 y = _mm512_mask_mov_ps(far, _mm512_cmp_ps_mask(z, _mm512_set1_ps(MATH_TANH_SMALL), _CMP_LT_OQ), near);
    y = _mm512_or_ps(_mm512_andnot_ps(sign, y), _mm512_and_ps(sign, x));
    return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), x);
}

static inline __m512 wide_gelu(__m512 x) {
    __m512 inner = _mm512_fmadd_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(MATH_GELU_C1), _mm512_set1_ps(MATH_GELU_C0));
    __m512 t = wide_tanh(_mm512_mul_ps(x, inner)), h = _mm512_mul_ps(x, _mm512_set1_ps(0.5f));
    return _mm512_fmadd_ps(h, t, h);
}

static inline __m512 wide_erf(__m512 x) {
    __m512 sign = _mm512_set1_ps(-0.0f), one = _mm512_set1_ps(1.0f), u = _mm512_mul_ps(x, x);
    __m512 p = _mm512_set1_ps(MATH_ERF_P13);
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_ERF_P11));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_ERF_P9));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_ERF_P7));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_ERF_P5));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_ERF_P3));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_ERF_P1));
    __m512 near = _mm512_fmadd_ps(x, p, x), size = _mm512_andnot_ps(sign, x);
    __m512 z = _mm512_min_ps(size, _mm512_set1_ps(MATH_ERF_LARGEST)); /* NaN: the second operand, as in C */
    __m512 q = _mm512_set1_ps(MATH_ERF_Q6);
    q = _mm512_fmadd_ps(q, z, _mm512_set1_ps(MATH_ERF_Q5));
    q = _mm512_fmadd_ps(q, z, _mm512_set1_ps(MATH_ERF_Q4));
    q = _mm512_fmadd_ps(q, z, _mm512_set1_ps(MATH_ERF_Q3));
    q = _mm512_fmadd_ps(q, z, _mm512_set1_ps(MATH_ERF_Q2));
    q = _mm512_fmadd_ps(q, z, _mm512_set1_ps(MATH_ERF_Q1));
    q = _mm512_fmadd_ps(q, z, _mm512_set1_ps(MATH_ERF_Q0));
    __m512 far = _mm512_sub_ps(one, wide_exp(_mm512_xor_ps(q, sign)));
    far = _mm512_or_ps(_mm512_andnot_ps(sign, far), _mm512_and_ps(sign, x));
    __m512 y = _mm512_mask_mov_ps(far, _mm512_cmp_ps_mask(size, _mm512_set1_ps(MATH_ERF_SMALL), _CMP_LE_OQ), near);
    return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), x);
}

static inline __m512 wide_gelu_erf(__m512 x) {
    __m512 e = wide_erf(_mm512_mul_ps(x, _mm512_set1_ps(MATH_GELU_ROOT))), h = _mm512_mul_ps(x, _mm512_set1_ps(0.5f));
    return _mm512_fmadd_ps(h, e, h);
}

static inline __m512 wide_softplus(__m512 x) {
    __m512 sign = _mm512_set1_ps(-0.0f);
    __m512 e = wide_exp(_mm512_or_ps(sign, x)); /* -|x| */
    __m512 s = _mm512_div_ps(e, _mm512_add_ps(_mm512_set1_ps(2.0f), e)), u = _mm512_mul_ps(s, s);
    __m512 p = _mm512_set1_ps(MATH_SOFTPLUS_L15);
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_SOFTPLUS_L13));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_SOFTPLUS_L11));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_SOFTPLUS_L9));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_SOFTPLUS_L7));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_SOFTPLUS_L5));
    p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(MATH_SOFTPLUS_L3));
    __m512 t = _mm512_fmadd_ps(_mm512_mul_ps(s, u), p, s);
    __m512 y = _mm512_add_ps(_mm512_max_ps(x, _mm512_setzero_ps()), _mm512_add_ps(t, t));
    return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), x);
}

/* The contract's tree of 16 lanes: 8+8, 4+4, 2+2, 1+1. */
static inline float wide_lanes_sum(__m512 lanes) {
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* The first n of 16 lanes, n at most 16. */
static inline __mmask16 wide_first(size_t n) { return (__mmask16)((1u << n) - 1u); }

#endif
