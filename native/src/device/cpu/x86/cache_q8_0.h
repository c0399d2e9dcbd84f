// SPDX-License-Identifier: Apache-2.0
/*
 * Storing into a Q8_0 page, for the x86 tiers: ref/ref_cache.c with the includer's own tier_quantize, which it defines
 * first. Everything is static, since each includer is compiled for another instruction set.
 */
#ifndef PUNA_DEVICE_CPU_CACHE_Q8_0_H
#define PUNA_DEVICE_CPU_CACHE_Q8_0_H

#include <string.h>

#include "device/cpu/cache_page.h"

static void tier_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s);

/* Group g of a head's row to q; its scale into the page. Returns how many numbers it has. */
static uint32_t quantize_group(const float *row, uint32_t dim, uint32_t g, uint8_t *scales, uint32_t slot, int8_t *q) {
    float short_one[CPU_GROUP] = {0}, d, ds;
    const float *x = row + (size_t)g * CPU_GROUP;
    uint32_t left = dim - g * CPU_GROUP;
    int32_t s;
    if (left < CPU_GROUP) x = memcpy(short_one, x, left * sizeof *x);
    tier_quantize(x, CPU_GROUP, q, &d, &ds, &s);
    memcpy(scales + ((size_t)g * CPU_PAGE + slot) * sizeof d, &d, sizeof d);
    return left < CPU_GROUP ? left : CPU_GROUP;
}

static void store_q8_0(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    int8_t q[CPU_GROUP];
    for (size_t h = 0; h < a->heads_kv; h++) {
        uint8_t *keys = page + a->k_offset + h * cache_page_keys(PUNA_CACHE_Q8_0, a->dim_k);
        uint8_t *values = page + a->v_offset + h * cache_page_values(PUNA_CACHE_Q8_0, a->dim_v);
        for (uint32_t g = 0; g < cache_page_groups(a->dim_k); g++) {
            uint32_t length =
                quantize_group(k + h * a->dim_k, a->dim_k, g, keys + cache_page_key_scales(a->dim_k), slot, q);
            for (uint32_t i = 0; i < length; i += 4) {
                uint32_t four;
                memcpy(&four, q + i, sizeof four);
                four ^= 0x80808080u; /* the bias */
                memcpy(keys + ((size_t)(g * CPU_GROUP + i) / 4 * CPU_PAGE + slot) * 4, &four, sizeof four);
            }
        }
        for (uint32_t g = 0; g < cache_page_groups(a->dim_v); g++) {
            uint32_t length =
                quantize_group(v + h * a->dim_v, a->dim_v, g, values + (size_t)CPU_PAGE * a->dim_v, slot, q);
            memcpy(values + (size_t)slot * a->dim_v + (size_t)g * CPU_GROUP, q, length);
        }
    }
}

#endif
