// SPDX-License-Identifier: Apache-2.0
/*
 * Q4_K: 256 numbers in 144 bytes, in eight sub-blocks of 32 with a scale and a minimum each.
 *
 *     0   half d, half dmin
 *     4   12 bytes: scales and minimums
 *     16  128 bytes: byte l of 32 of part c of 4 holds number 64 c + l in its low half, 64 c + 32 + l in its high half
 *
 * The 12 bytes t hold eight 6-bit scales s and eight 6-bit minimums n:
 *     j < 4    s = t[j] & 63                               n = t[j + 4] & 63
 *     j >= 4   s = t[j + 4] & 15 | (t[j - 4] >> 6) << 4    n = t[j + 4] >> 4 | (t[j] >> 6) << 4
 *
 * number = d * s * q - dmin * n, q in 0 ... 15. d * s, d * s * q and dmin * n are exact in single precision, the
 * difference rounds once.
 *
 * Exact sums: 32 numbers of at most 15 with activations of at most 127 give at most 60,960.
 */
#include "format/quant/quant.h"

QUANT_READ_ONLY(q4_k);

enum { LENGTH = 256, BYTES = 144, UNIT = 32 };

QUANT_EXACT(32, 15);

void q4_k_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums) {
    quant_six_bits(block, scales, minimums);
    for (int c = 0; c < 4; c++) quant_nibbles(block + 16 + 32 * c, 32, numbers + 64 * c);
}

QUANT_DECODE(q4_k, LENGTH, BYTES, UNIT, true)
