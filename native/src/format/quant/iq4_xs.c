// SPDX-License-Identifier: Apache-2.0
/*
 * IQ4_XS: 256 numbers in 136 bytes, in eight sub-blocks of 32 with a scale each.
 *
 *     0   half d
 *     2   2 bytes, little endian: bits 2 u and 2 u + 1 are the high bits of scale u
 *     4   4 bytes: the low four bits of scale u are in byte u / 2, the even one's in its low half
 *     8   128 bytes: of sub-block u, byte j of 16 holds number 32 u + j in its low half, 32 u + 16 + j in its high half
 *
 * number = d * (s - 32) * quant_uneven[q], q in 0 ... 15. The products are exact in single precision.
 *
 * Exact sums: 32 numbers of at most 127 with activations of at most 127 give at most 516,128.
 */
#include "format/quant/quant.h"

QUANT_READ_ONLY(iq4_xs);

enum { LENGTH = 256, BYTES = 136, UNIT = 32 };

QUANT_EXACT(32, 127);

void iq4_xs_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums) {
    float d = math_from_half(bytes_u16(block));
    uint32_t high = bytes_u16(block + 2);
    (void)minimums;
    for (int u = 0; u < LENGTH / UNIT; u++) {
        int s = (block[4 + u / 2] >> 4 * (u % 2) & 15) | (int)(high >> 2 * u & 3) << 4;
        scales[u] = d * (float)(s - 32);
        quant_nibbles(block + 8 + 16 * u, 16, numbers + UNIT * u);
    }
    for (int k = 0; k < LENGTH; k++) numbers[k] = quant_uneven[numbers[k]];
}

QUANT_DECODE(iq4_xs, LENGTH, BYTES, UNIT, false)
