// SPDX-License-Identifier: Apache-2.0
/*
 * How one head's keys and values of 64 positions lie in a page. Heads follow each other; all sizes are in bytes.
 *
 *     F16, F32  keys    [dim][64 positions]               values  [64 positions][dim]
 *     Q8_0      keys    [ceil(dim / 4)][64 positions][4]  then their scales, float [ceil(dim / 32)][64 positions]
 *               values  [64 positions][dim]               then their scales, likewise
 *
 * Q8_0 has a scale for each 32 consecutive dimensions of a position; the last group may be short. A key's numbers are
 * kept as q + 128, unsigned, four dimensions together: what a dot product of bytes takes, whose lane is a position. A
 * key's bytes beyond dim are 128, a zero. A value's numbers are signed. Scales lie by position, so that a page's
 * weights are multiplied by them a register at a time.
 */
#ifndef PUNA_DEVICE_CPU_CACHE_PAGE_H
#define PUNA_DEVICE_CPU_CACHE_PAGE_H

#include "device/cpu/kernels.h"
#include "puna.h"

#define CACHE_PAGE_BIAS 128 /* of Q8_0's keys */

static inline size_t cache_page_groups(size_t dim) { return (dim + CPU_GROUP - 1) / CPU_GROUP; }

/* Where the scales of a head's Q8_0 keys begin; those of its values begin at CPU_PAGE * dim. */
static inline size_t cache_page_key_scales(size_t dim) { return CPU_PAGE * ((dim + 3) & ~(size_t)3); }

static inline size_t cache_page_keys(uint32_t type, size_t dim) {
    if (type == PUNA_CACHE_Q8_0)
        return cache_page_key_scales(dim) + CPU_PAGE * cache_page_groups(dim) * sizeof(float);
    return CPU_PAGE * dim * (type == PUNA_CACHE_F16 ? 2 : 4);
}

static inline size_t cache_page_values(uint32_t type, size_t dim) {
    if (type == PUNA_CACHE_Q8_0) return CPU_PAGE * (dim + cache_page_groups(dim) * sizeof(float));
    return CPU_PAGE * dim * (type == PUNA_CACHE_F16 ? 2 : 4);
}

#endif
