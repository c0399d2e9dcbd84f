// SPDX-License-Identifier: Apache-2.0
/*
 * Q5_1: 32 numbers in 24 bytes.
 *
 *     0   half d
 *     2   half m, the smallest number
 *     4   4 bytes, little endian: bit j is the fifth bit of number j
 *     8   16 bytes: byte j holds number j in its low half and number j + 16 in its high half
 *
 * number = d * q + m, q in 0 ... 31. The product is exact in single precision, the sum rounds once.
 *
 * Exact sums: 32 numbers of at most 31 with activations of at most 127 give at most 125,984.
 */
#include "format/quant/quant.h"

QUANT_DECLARE(q5_1);
QUANT_READ_ONLY(q5_1);

enum { LENGTH = 32, BYTES = 24 };

QUANT_EXACT(32, 31);

void q5_1_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums) {
    uint32_t fifth = bytes_u32(block + 4);
    scales[0] = math_from_half(bytes_u16(block));
    minimums[0] = math_from_half(bytes_u16(block + 2));
    quant_nibbles(block + 8, 16, numbers);
    for (int j = 0; j < LENGTH; j++) numbers[j] = (int8_t)(numbers[j] + (int)(fifth >> j & 1) * 16);
}

QUANT_DECODE(q5_1, LENGTH, BYTES, LENGTH, true)

void q5_1_encode(const float *values, size_t count, uint8_t *blocks) {
    for (; count >= LENGTH; count -= LENGTH, blocks += BYTES, values += LENGTH) {
        float least = values[0], most = values[0];
        for (int j = 1; j < LENGTH; j++) {
            if (values[j] < least) least = values[j];
            if (values[j] > most) most = values[j];
        }
        float d = (most - least) / 31, inverse = quant_inverse(d);
        uint32_t fifth = 0;
        bytes_put_u16(blocks, math_to_half(d));
        bytes_put_u16(blocks + 2, math_to_half(least));
        for (int j = 0; j < 16; j++) {
            uint8_t low = quant_cut((values[j] - least) * inverse + 0.5f, 31);
            uint8_t high = quant_cut((values[j + 16] - least) * inverse + 0.5f, 31);
            blocks[8 + j] = (uint8_t)((low & 15) | (high & 15) << 4);
            fifth |= (uint32_t)(low >> 4) << j | (uint32_t)(high >> 4) << (j + 16);
        }
        bytes_put_u32(blocks + 4, fifth);
    }
}
