// SPDX-License-Identifier: Apache-2.0
/* What the block formats' files share. Each defines NAME_decode, and NAME_encode or NAME_parts or both, with the
   meaning of block_format's members; block.c declares and collects them. */
#ifndef PUNA_FORMAT_QUANT_H
#define PUNA_FORMAT_QUANT_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/math.h"
#include "format/bytes.h"

#define QUANT_DECLARE(name) \
    void name##_decode(const uint8_t *blocks, size_t count, float *out); \
    void name##_encode(const float *values, size_t count, uint8_t *blocks)

/* A format that has `parts` gets its decode from them. */
#define QUANT_READ_ONLY(name) \
    void name##_decode(const uint8_t *blocks, size_t count, float *out); \
    void name##_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums)

/* number * scale (+ minimum): the product is exact, or else rounded once, then the sum is rounded once. */
#define QUANT_DECODE(name, length, bytes, unit, minimum) \
    void name##_decode(const uint8_t *blocks, size_t count, float *out) { \
        for (; count >= (length); count -= (length), blocks += (bytes), out += (length)) { \
            int8_t numbers[length]; \
            float scales[(length) / (unit)], minimums[(length) / (unit)]; \
            name##_parts(blocks, numbers, scales, minimums); \
            for (int k = 0; k < (length); k++) { \
                out[k] = scales[k / (unit)] * (float)numbers[k]; \
                if (minimum) out[k] += minimums[k / (unit)]; \
            } \
        } \
    }

/* Products add a unit's numbers times activations (at most 127 in size) in int32 and turn the sum into a float: that is
   exact below 2^24. `most` is the largest a number can be, in size, as a kernel may take it. */
#define QUANT_EXACT(unit, most) _Static_assert((unit) * (most) * 127 < 1 << 24, "a unit's sum is exact as a float")

/* The values of IQ4_NL's and IQ4_XS's four bits (iq4_nl.c). */
extern const int8_t quant_uneven[16];

/* Byte j of n: number j in its low half, number n + j in its high half. */
static inline void quant_nibbles(const uint8_t *bytes, int n, int8_t *numbers) {
    for (int j = 0; j < n; j++) {
        numbers[j] = (int8_t)(bytes[j] & 15);
        numbers[n + j] = (int8_t)(bytes[j] >> 4);
    }
}

/* Scales and minimums of Q4_K and Q5_K, from a block's first 16 bytes (q4_k.c has the layout). */
static inline void quant_six_bits(const uint8_t *block, float scales[8], float minimums[8]) {
    const uint8_t *t = block + 4;
    float d = math_from_half(bytes_u16(block)), least = math_from_half(bytes_u16(block + 2));
    for (int j = 0; j < 8; j++) {
        int s = j < 4 ? t[j] & 63 : (t[j + 4] & 15) | t[j - 4] >> 6 << 4;
        int n = j < 4 ? t[j + 4] & 63 : t[j + 4] >> 4 | t[j] >> 6 << 4;
        scales[j] = d * (float)s;
        minimums[j] = -(least * (float)n);
    }
}

/* Cuts to 0 ... top toward zero; NaN becomes 0 (a plain cast would be undefined). */
static inline uint8_t quant_cut(float value, int top) {
    if (!(value > 0)) return 0;
    return (uint8_t)(value >= (float)top ? top : (int)value);
}

/* 1 / d, or 0 where a block is all zero. */
static inline float quant_inverse(float d) { return d != 0 ? 1.0f / d : 0.0f; }

#endif
