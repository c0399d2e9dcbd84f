// SPDX-License-Identifier: Apache-2.0
/*
 * Q5_0: 32 numbers in 22 bytes.
 *
 *     0   half d
 *     2   4 bytes, little endian: bit j is the fifth bit of number j
 *     6   16 bytes: byte j holds number j in its low half and number j + 16 in its high half
 *
 * number = d * (q - 16), q in 0 ... 31. The product is exact in single precision.
 *
 * Exact sums: 32 numbers of at most 16 with activations of at most 127 give at most 65,024
 * (of the bits as they are stored, at most 31: 125,984).
 */
#include "format/quant/quant.h"

QUANT_DECLARE(q5_0);
QUANT_READ_ONLY(q5_0);

enum { LENGTH = 32, BYTES = 22 };

QUANT_EXACT(32, 31);

void q5_0_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums) {
    uint32_t fifth = bytes_u32(block + 2);
    (void)minimums;
    scales[0] = math_from_half(bytes_u16(block));
    quant_nibbles(block + 6, 16, numbers);
    for (int j = 0; j < LENGTH; j++) numbers[j] = (int8_t)(numbers[j] + (int)(fifth >> j & 1) * 16 - 16);
}

QUANT_DECODE(q5_0, LENGTH, BYTES, LENGTH, false)

/* The first number of the largest magnitude becomes -16 exactly, whichever its sign: hence d may be negative. */
static float q5_0_scale(const float *values) {
    float extreme = 0;
    for (int j = 0; j < LENGTH; j++)
        if (fabsf(values[j]) > fabsf(extreme)) extreme = values[j];
    return extreme / -16;
}

void q5_0_encode(const float *values, size_t count, uint8_t *blocks) {
    for (; count >= LENGTH; count -= LENGTH, blocks += BYTES, values += LENGTH) {
        float d = q5_0_scale(values), inverse = quant_inverse(d);
        uint32_t fifth = 0;
        bytes_put_u16(blocks, math_to_half(d));
        for (int j = 0; j < 16; j++) {
            uint8_t low = quant_cut(values[j] * inverse + 16.5f, 31);
            uint8_t high = quant_cut(values[j + 16] * inverse + 16.5f, 31);
            blocks[6 + j] = (uint8_t)((low & 15) | (high & 15) << 4);
            fifth |= (uint32_t)(low >> 4) << j | (uint32_t)(high >> 4) << (j + 16);
        }
        bytes_put_u32(blocks + 2, fifth);
    }
}
