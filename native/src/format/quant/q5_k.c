// SPDX-License-Identifier: Apache-2.0
/*
 * Q5_K: 256 numbers in 176 bytes, in eight sub-blocks of 32 with a scale and a minimum each.
 *
 *     0   half d, half dmin
 *     4   12 bytes: scales and minimums, as in Q4_K
 *     16  32 bytes: bit j of byte l is the fifth bit of number 32 j + l
 *     48  128 bytes: the low four bits, as in Q4_K
 *
 * number = d * s * q - dmin * n, q in 0 ... 31. d * s, d * s * q and dmin * n are exact in single precision, the
 * difference rounds once.
 *
 * Exact sums: 32 numbers of at most 31 with activations of at most 127 give at most 125,984.
 */
#include "format/quant/quant.h"

QUANT_READ_ONLY(q5_k);

enum { LENGTH = 256, BYTES = 176, UNIT = 32 };

QUANT_EXACT(32, 31);

void q5_k_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums) {
    quant_six_bits(block, scales, minimums);
    for (int c = 0; c < 4; c++) quant_nibbles(block + 48 + 32 * c, 32, numbers + 64 * c);
    for (int k = 0; k < LENGTH; k++) numbers[k] = (int8_t)(numbers[k] + (block[16 + k % 32] >> k / 32 & 1) * 16);
}

QUANT_DECODE(q5_k, LENGTH, BYTES, UNIT, true)
