// SPDX-License-Identifier: Apache-2.0
/*
 * One position's keys and values into a page (cache_page.h has the layouts). Halves saturate at +-65504. Q8_0 quantizes
 * each 32 dimensions of a head as activations are (ref_quantize.c); a last, short group is as if zeros followed.
 */
#include <string.h>

#include "base/math.h"
#include "device/cpu/cache_page.h"
#include "device/cpu/ref/ref.h"

static void put(uint32_t type, uint8_t *at, float x) {
    if (type == PUNA_CACHE_F16) {
        uint16_t h = math_to_half(x);
        memcpy(at, &h, sizeof h);
    } else {
        memcpy(at, &x, sizeof x);
    }
}

/* Group g of a head's row, quantized; the scale is put where it belongs. */
static uint32_t quantize(const float *row, uint32_t dim, uint32_t g, uint8_t *scales, uint32_t slot,
                         int8_t q[CPU_GROUP]) {
    float x[CPU_GROUP] = {0}, d, ds;
    int32_t s;
    uint32_t length = dim - g * CPU_GROUP < CPU_GROUP ? dim - g * CPU_GROUP : CPU_GROUP;
    memcpy(x, row + (size_t)g * CPU_GROUP, length * sizeof *x);
    ref_quantize(x, CPU_GROUP, q, &d, &ds, &s);
    memcpy(scales + ((size_t)g * CPU_PAGE + slot) * sizeof d, &d, sizeof d);
    return length;
}

static void store_q8_0(const cpu_attention *a, uint8_t *keys, uint8_t *values, uint32_t slot, const float *k,
                       const float *v) {
    int8_t q[CPU_GROUP];
    for (uint32_t g = 0; g < cache_page_groups(a->dim_k); g++) {
        uint32_t length = quantize(k, a->dim_k, g, keys + cache_page_key_scales(a->dim_k), slot, q);
        for (uint32_t i = 0; i < (length + 3) / 4 * 4; i++) /* to the end of four: zeros, as q has them */
            keys[((size_t)(g * CPU_GROUP + i) / 4 * CPU_PAGE + slot) * 4 + i % 4] = (uint8_t)(q[i] + CACHE_PAGE_BIAS);
    }
    for (uint32_t g = 0; g < cache_page_groups(a->dim_v); g++) {
        uint32_t length = quantize(v, a->dim_v, g, values + (size_t)CPU_PAGE * a->dim_v, slot, q);
        memcpy(values + (size_t)slot * a->dim_v + (size_t)g * CPU_GROUP, q, length);
    }
}

static void store_floats(const cpu_attention *a, uint8_t *keys, uint8_t *values, uint32_t slot, const float *k,
                         const float *v) {
    size_t w = a->type == PUNA_CACHE_F16 ? 2 : 4;
    for (size_t i = 0; i < a->dim_k; i++) put(a->type, keys + (i * CPU_PAGE + slot) * w, k[i]);
    for (size_t i = 0; i < a->dim_v; i++) put(a->type, values + ((size_t)slot * a->dim_v + i) * w, v[i]);
}

void ref_cache_store(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    for (size_t h = 0; h < a->heads_kv; h++)
        (a->type == PUNA_CACHE_Q8_0 ? store_q8_0 : store_floats)(
            a, page + a->k_offset + h * cache_page_keys(a->type, a->dim_k),
            page + a->v_offset + h * cache_page_values(a->type, a->dim_v), slot, k + h * a->dim_k, v + h * a->dim_v);
}

void ref_cache_store_rows(const cpu_attention *a, uint8_t *page, uint32_t slot, uint32_t rows, const float *k,
                          size_t k_stride, const float *v, size_t v_stride) {
    for (uint32_t i = 0; i < rows; i++) ref_cache_store(a, page, slot + i, k + i * k_stride, v + i * v_stride);
}
