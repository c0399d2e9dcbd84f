// SPDX-License-Identifier: Apache-2.0
/* What the block formats' files share. Each defines NAME_decode and NAME_encode with the meaning of block_format's
   members; block.c declares and collects them. */
#ifndef PUNA_FORMAT_QUANT_H
#define PUNA_FORMAT_QUANT_H

#include <math.h>
#include <stddef.h>

#include "base/math.h"
#include "format/bytes.h"

#define QUANT_DECLARE(name) \
    void name##_decode(const uint8_t *blocks, size_t count, float *out); \
    void name##_encode(const float *values, size_t count, uint8_t *blocks)

/* Cuts to 0 ... top toward zero; NaN becomes 0 (a plain cast would be undefined). */
static inline uint8_t quant_cut(float value, int top) {
    if (!(value > 0)) return 0;
    return (uint8_t)(value >= (float)top ? top : (int)value);
}

/* 1 / d, or 0 where a block is all zero. */
static inline float quant_inverse(float d) { return d != 0 ? 1.0f / d : 0.0f; }

#endif
