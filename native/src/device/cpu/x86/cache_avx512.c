// SPDX-License-Identifier: Apache-2.0
/* Keys and values into a cache page: values 16 at a time, keys one by one, 64 positions apart. */
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

static void store_half(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    uint16_t *keys = (uint16_t *)(void *)(page + a->k_offset), *values = (uint16_t *)(void *)(page + a->v_offset);
    size_t total = (size_t)a->heads_kv * a->dim_k;
    for (size_t i = 0; i < total; i += 16) {
        size_t n = total - i < 16 ? total - i : 16;
        uint16_t sixteen[16];
        _mm256_storeu_si256((__m256i *)(void *)sixteen, to_half(_mm512_maskz_loadu_ps(wide_first(n), k + i)));
        for (size_t j = 0; j < n; j++) keys[(i + j) * CPU_PAGE + slot] = sixteen[j];
    }
    for (size_t h = 0; h < a->heads_kv; h++) {
        uint16_t *out = values + (h * CPU_PAGE + slot) * a->dim_v;
        for (size_t i = 0; i < a->dim_v; i += 16) {
            __mmask16 m = wide_first(a->dim_v - i < 16 ? a->dim_v - i : 16);
            _mm256_mask_storeu_epi16(out + i, m, to_half(_mm512_maskz_loadu_ps(m, v + h * a->dim_v + i)));
        }
    }
}

static void store_single(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    float *keys = (float *)(void *)(page + a->k_offset), *values = (float *)(void *)(page + a->v_offset);
    for (size_t i = 0; i < (size_t)a->heads_kv * a->dim_k; i++) keys[i * CPU_PAGE + slot] = k[i];
    for (size_t h = 0; h < a->heads_kv; h++)
        memcpy(values + (h * CPU_PAGE + slot) * a->dim_v, v + h * a->dim_v, a->dim_v * sizeof(float));
}

void avx512_cache_store(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    if (a->type == PUNA_CACHE_F16) store_half(a, page, slot, k, v);
    else if (a->type == PUNA_CACHE_Q8_0) store_q8_0(a, page, slot, k, v);
    else store_single(a, page, slot, k, v);
}

#else
typedef int cache_avx512_is_for_x86;
#endif
