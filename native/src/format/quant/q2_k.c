// SPDX-License-Identifier: Apache-2.0
/*
 * Q2_K: 256 numbers in 84 bytes, in sixteen sub-blocks of 16 with a scale and a minimum each.
 *
 *     0    16 bytes: scale s in the low half, minimum n in the high half
 *     16   64 bytes. Of half h of 2, bits 2 j and 2 j + 1 of byte l of 32 are number 128 h + 32 j + l
 *     80   half d, half dmin
 *
 * number = d * s * q - dmin * n, q in 0 ... 3. The products are exact in single precision, the difference rounds once.
 *
 * Exact sums: 16 numbers of at most 3 with activations of at most 127 give at most 6,096.
 */
#include "format/quant/quant.h"

QUANT_READ_ONLY(q2_k);

enum { LENGTH = 256, BYTES = 84, UNIT = 16 };

QUANT_EXACT(16, 3);

void q2_k_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums) {
    float d = math_from_half(bytes_u16(block + 80)), least = math_from_half(bytes_u16(block + 82));
    for (int u = 0; u < LENGTH / UNIT; u++) {
        scales[u] = d * (float)(block[u] & 15);
        minimums[u] = -(least * (float)(block[u] >> 4));
    }
    for (int k = 0; k < LENGTH; k++)
        numbers[k] = (int8_t)(block[16 + 32 * (k / 128) + k % 32] >> 2 * (k % 128 / 32) & 3);
}

QUANT_DECODE(q2_k, LENGTH, BYTES, UNIT, true)
