// SPDX-License-Identifier: Apache-2.0
/*
 * Keys and values into a cache page: values 16 at a time; keys of one position one by one, 64 positions apart, those of
 * neighbours by squares of 16 positions by 16 dimensions, turned in registers.
 */
#if defined(__x86_64__)

#include "device/cpu/x86/kernels_avx512.h"
#include "device/cpu/x86/math_avx512.h"
#include "device/cpu/x86/cache_q8_0.h"

static void tier_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s) {
    avx512_quantize(x, cols, q, d, ds, s);
}

/* Saturates before rounding, which is the same; NaN, the second operand, passes. */
static __m256i to_half(__m512 x) {
    x = _mm512_min_ps(_mm512_set1_ps(65504.0f), x);
    x = _mm512_max_ps(_mm512_set1_ps(-65504.0f), x);
    return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

static void values_half(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *v) {
    uint16_t *values = (uint16_t *)(void *)(page + a->v_offset);
    for (size_t h = 0; h < a->heads_kv; h++) {
        uint16_t *out = values + (h * CPU_PAGE + slot) * a->dim_v;
        for (size_t i = 0; i < a->dim_v; i += 16) {
            __mmask16 m = wide_first(a->dim_v - i < 16 ? a->dim_v - i : 16);
            _mm256_mask_storeu_epi16(out + i, m, to_half(_mm512_maskz_loadu_ps(m, v + h * a->dim_v + i)));
        }
    }
}

static void store_half(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    uint16_t *keys = (uint16_t *)(void *)(page + a->k_offset);
    size_t total = (size_t)a->heads_kv * a->dim_k;
    for (size_t i = 0; i < total; i += 16) {
        size_t n = total - i < 16 ? total - i : 16;
        uint16_t sixteen[16];
        _mm256_storeu_si256((__m256i *)(void *)sixteen, to_half(_mm512_maskz_loadu_ps(wide_first(n), k + i)));
        for (size_t j = 0; j < n; j++) keys[(i + j) * CPU_PAGE + slot] = sixteen[j];
    }
    values_half(a, page, slot, v);
}

static void values_single(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *v) {
    float *values = (float *)(void *)(page + a->v_offset);
    for (size_t h = 0; h < a->heads_kv; h++)
        memcpy(values + (h * CPU_PAGE + slot) * a->dim_v, v + h * a->dim_v, a->dim_v * sizeof(float));
}

static void store_single(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    float *keys = (float *)(void *)(page + a->k_offset);
    for (size_t i = 0; i < (size_t)a->heads_kv * a->dim_k; i++) keys[i * CPU_PAGE + slot] = k[i];
    values_single(a, page, slot, v);
}

void avx512_cache_store(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    if (a->type == PUNA_CACHE_F16) store_half(a, page, slot, k, v);
    else if (a->type == PUNA_CACHE_Q8_0) store_q8_0(a, page, slot, k, v);
    else store_single(a, page, slot, k, v);
}

/* ---- several positions ---- */

/* Four rows' quarters, each turned: of out[j] quarter q holds number 4q + j of the rows a, b, c, d. */
static inline void turn4(__m512 a, __m512 b, __m512 c, __m512 d, __m512 out[4]) {
    __m512d ab = _mm512_castps_pd(_mm512_unpacklo_ps(a, b)), cd = _mm512_castps_pd(_mm512_unpacklo_ps(c, d));
    __m512d ab_high = _mm512_castps_pd(_mm512_unpackhi_ps(a, b)), cd_high = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
    out[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
    out[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
    out[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab_high, cd_high));
    out[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab_high, cd_high));
}

/* Columns of up to 16 rows of up to 16 numbers; rows that there aren't hold anything. */
static inline void turn(const float *x, size_t stride, uint32_t rows, __mmask16 m, __m512 out[16]) {
    __m512 fours[4][4]; /* [rows 4i to 4i + 3][j]: of each quarter number j */
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++) {
        __m512 row[4];
#pragma GCC unroll 4
        for (uint32_t n = 0; n < 4; n++)
            row[n] = _mm512_maskz_loadu_ps(m, x + (4 * i + n < rows ? 4 * i + n : 0) * stride);
        turn4(row[0], row[1], row[2], row[3], fours[i]);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        __m512 low = _mm512_shuffle_f32x4(fours[0][j], fours[1][j], 0x44); /* quarters 0 and 1 of both */
        __m512 high = _mm512_shuffle_f32x4(fours[0][j], fours[1][j], 0xee);
        __m512 low2 = _mm512_shuffle_f32x4(fours[2][j], fours[3][j], 0x44);
        __m512 high2 = _mm512_shuffle_f32x4(fours[2][j], fours[3][j], 0xee);
        out[j] = _mm512_shuffle_f32x4(low, low2, 0x88);
        out[4 + j] = _mm512_shuffle_f32x4(low, low2, 0xdd);
        out[8 + j] = _mm512_shuffle_f32x4(high, high2, 0x88);
        out[12 + j] = _mm512_shuffle_f32x4(high, high2, 0xdd);
    }
}

static void store_keys(const cpu_attention *a, uint8_t *keys, uint32_t slot, uint32_t rows, const float *k,
                       size_t stride) {
    const size_t total = (size_t)a->heads_kv * a->dim_k;
    const __mmask16 there = wide_first(rows);
    for (size_t i = 0; i < total; i += 16) {
        size_t n = total - i < 16 ? total - i : 16;
        __m512 columns[16];
        turn(k + i, stride, rows, wide_first(n), columns);
        for (size_t j = 0; j < n; j++) {
            size_t at = (i + j) * CPU_PAGE + slot;
            if (a->type == PUNA_CACHE_F16) _mm256_mask_storeu_epi16(keys + 2 * at, there, to_half(columns[j]));
            else _mm512_mask_storeu_ps(keys + 4 * at, there, columns[j]);
        }
    }
}

void avx512_cache_store_rows(const cpu_attention *a, uint8_t *page, uint32_t slot, uint32_t rows, const float *k,
                             size_t k_stride, const float *v, size_t v_stride) {
    if (rows < 3 || a->type == PUNA_CACHE_Q8_0) {
        for (uint32_t i = 0; i < rows; i++)
            avx512_cache_store(a, page, slot + i, k + i * k_stride, v + i * v_stride);
        return;
    }
    store_keys(a, page + a->k_offset, slot, rows, k, k_stride);
    for (uint32_t i = 0; i < rows; i++) {
        if (a->type == PUNA_CACHE_F16) values_half(a, page, slot + i, v + i * v_stride);
        else values_single(a, page, slot + i, v + i * v_stride);
    }
}

#else
typedef int cache_avx512_is_for_x86;
#endif
