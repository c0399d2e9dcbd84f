// SPDX-License-Identifier: Apache-2.0
/*
 * Keys and values into a cache page; halves are made eight at a time. Keys of eight positions go together, by squares
 * of 8 positions by 8 dimensions, turned in registers.
 */
#if defined(__x86_64__)

#include "device/cpu/x86/kernels_avx2.h"
#include "device/cpu/x86/math_avx2.h"
#include "device/cpu/x86/cache_q8_0.h"

static void tier_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s) {
    avx2_quantize(x, cols, q, d, ds, s);
}

/* Up to 8 numbers. Saturates before rounding, which is the same; NaN, the second operand, passes. */
static void to_half(const float *x, size_t n, uint16_t out[8]) {
    float last[8] = {0};
    if (n < 8) x = memcpy(last, x, n * sizeof(float));
    __m256 y = _mm256_min_ps(_mm256_set1_ps(65504.0f), _mm256_loadu_ps(x));
    y = _mm256_max_ps(_mm256_set1_ps(-65504.0f), y);
    _mm_storeu_si128((__m128i *)(void *)out, _mm256_cvtps_ph(y, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static void values_half(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *v) {
    uint16_t *values = (uint16_t *)(void *)(page + a->v_offset), eight[8];
    for (size_t h = 0; h < a->heads_kv; h++) {
        uint16_t *out = values + (h * CPU_PAGE + slot) * a->dim_v;
        for (size_t i = 0; i < a->dim_v; i += 8) {
            size_t n = a->dim_v - i < 8 ? a->dim_v - i : 8;
            to_half(v + h * a->dim_v + i, n, eight);
            memcpy(out + i, eight, n * sizeof *out);
        }
    }
}

static void store_half(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    uint16_t *keys = (uint16_t *)(void *)(page + a->k_offset);
    size_t total = (size_t)a->heads_kv * a->dim_k;
    uint16_t eight[8];
    for (size_t i = 0; i < total; i += 8) {
        size_t n = total - i < 8 ? total - i : 8;
        to_half(k + i, n, eight);
        for (size_t j = 0; j < n; j++) keys[(i + j) * CPU_PAGE + slot] = eight[j];
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

void avx2_cache_store(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    if (a->type == PUNA_CACHE_F16) store_half(a, page, slot, k, v);
    else if (a->type == PUNA_CACHE_Q8_0) store_q8_0(a, page, slot, k, v);
    else store_single(a, page, slot, k, v);
}

/* ---- several positions ---- */

/* Columns of 8 rows of up to 8 numbers. */
static inline void turn(const float *x, size_t stride, size_t n, __m256 out[8]) {
    __m256 row[8], pairs[8], fours[8];
    for (size_t i = 0; i < 8; i++) {
        float last[8] = {0};
        row[i] = _mm256_loadu_ps(n < 8 ? memcpy(last, x + i * stride, n * sizeof(float)) : x + i * stride);
    }
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) { /* fours[i + j]: rows i to i + 3, number j of both halves */
        fours[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
        fours[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
        fours[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
        fours[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
    }
    for (int j = 0; j < 4; j++) {
        out[j] = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x20);
        out[4 + j] = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x31);
    }
}

static void store_eight(const cpu_attention *a, uint8_t *keys, uint32_t slot, const float *k, size_t stride) {
    const size_t total = (size_t)a->heads_kv * a->dim_k;
    for (size_t i = 0; i < total; i += 8) {
        size_t n = total - i < 8 ? total - i : 8;
        __m256 columns[8];
        turn(k + i, stride, n, columns);
        for (size_t j = 0; j < n; j++) {
            size_t at = (i + j) * CPU_PAGE + slot;
            float eight[8];
            _mm256_storeu_ps(eight, columns[j]);
            if (a->type == PUNA_CACHE_F16) to_half(eight, 8, (uint16_t *)(void *)keys + at);
            else memcpy((float *)(void *)keys + at, eight, sizeof eight);
        }
    }
}

void avx2_cache_store_rows(const cpu_attention *a, uint8_t *page, uint32_t slot, uint32_t rows, const float *k,
                           size_t k_stride, const float *v, size_t v_stride) {
    uint32_t i = 0;
    for (; a->type != PUNA_CACHE_Q8_0 && rows - i >= 8; i += 8) {
        store_eight(a, page + a->k_offset, slot + i, k + i * k_stride, k_stride);
        for (uint32_t n = i; n < i + 8; n++) {
            if (a->type == PUNA_CACHE_F16) values_half(a, page, slot + n, v + n * v_stride);
            else values_single(a, page, slot + n, v + n * v_stride);
        }
    }
    for (; i < rows; i++) avx2_cache_store(a, page, slot + i, k + i * k_stride, v + i * v_stride);
}

#else
typedef int cache_avx2_is_for_x86;
#endif
