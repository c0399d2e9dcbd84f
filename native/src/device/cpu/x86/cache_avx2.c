// SPDX-License-Identifier: Apache-2.0
/* Keys and values into a cache page; halves are made eight at a time. */
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

static void store_half(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    uint16_t *keys = (uint16_t *)(void *)(page + a->k_offset), *values = (uint16_t *)(void *)(page + a->v_offset);
    size_t total = (size_t)a->heads_kv * a->dim_k;
    uint16_t eight[8];
    for (size_t i = 0; i < total; i += 8) {
        size_t n = total - i < 8 ? total - i : 8;
        to_half(k + i, n, eight);
        for (size_t j = 0; j < n; j++) keys[(i + j) * CPU_PAGE + slot] = eight[j];
    }
    for (size_t h = 0; h < a->heads_kv; h++) {
        uint16_t *out = values + (h * CPU_PAGE + slot) * a->dim_v;
        for (size_t i = 0; i < a->dim_v; i += 8) {
            size_t n = a->dim_v - i < 8 ? a->dim_v - i : 8;
            to_half(v + h * a->dim_v + i, n, eight);
            memcpy(out + i, eight, n * sizeof *out);
        }
    }
}

static void store_single(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    float *keys = (float *)(void *)(page + a->k_offset), *values = (float *)(void *)(page + a->v_offset);
    for (size_t i = 0; i < (size_t)a->heads_kv * a->dim_k; i++) keys[i * CPU_PAGE + slot] = k[i];
    for (size_t h = 0; h < a->heads_kv; h++)
        memcpy(values + (h * CPU_PAGE + slot) * a->dim_v, v + h * a->dim_v, a->dim_v * sizeof(float));
}

void avx2_cache_store(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    if (a->type == PUNA_CACHE_F16) store_half(a, page, slot, k, v);
    else if (a->type == PUNA_CACHE_Q8_0) store_q8_0(a, page, slot, k, v);
    else store_single(a, page, slot, k, v);
}

#else
typedef int cache_avx2_is_for_x86;
#endif
