// SPDX-License-Identifier: Apache-2.0
/*
 * Q3_K: 256 numbers in 110 bytes, in sixteen sub-blocks of 16 with a scale each.
 *
 *     0    32 bytes: bit j of byte l is the third bit of number 32 j + l
 *     32   64 bytes: the low two bits. Of half h of 2, bits 2 j and 2 j + 1 of byte l of 32 are number 128 h + 32 j +
 *          l's
 *     96   12 bytes t: scales of 6 bits
 *     108  half d
 *
 * s = (u < 8 ? t[u] & 15 : t[u - 8] >> 4) | (t[8 + u % 4] >> 2 (u / 4) & 3) << 4
 * number = d * (s - 32) * (q - 4), q in 0 ... 7. The products are exact in single precision.
 *
 * Exact sums: 16 numbers of at most 4 with activations of at most 127 give at most 8,128
 * (of the bits as they are stored, at most 7: 14,224).
 */
#include "format/quant/quant.h"

QUANT_READ_ONLY(q3_k);

enum { LENGTH = 256, BYTES = 110, UNIT = 16 };

QUANT_EXACT(16, 7);

void q3_k_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums) {
    const uint8_t *t = block + 96;
    float d = math_from_half(bytes_u16(block + 108));
    (void)minimums;
    for (int u = 0; u < LENGTH / UNIT; u++) {
        int s = (u < 8 ? t[u] & 15 : t[u - 8] >> 4) | (t[8 + u % 4] >> 2 * (u / 4) & 3) << 4;
        scales[u] = d * (float)(s - 32);
    }
    for (int k = 0; k < LENGTH; k++) {
        int low = block[32 + 32 * (k / 128) + k % 32] >> 2 * (k % 128 / 32) & 3;
        numbers[k] = (int8_t)(low + (block[k % 32] >> k / 32 & 1) * 4 - 4);
    }
}

QUANT_DECODE(q3_k, LENGTH, BYTES, UNIT, false)
