// SPDX-License-Identifier: Apache-2.0
/*
 * Q6_K: 256 numbers in 210 bytes, in sixteen sub-blocks of 16 with a scale each.
 *
 *     0    128 bytes: the low four bits. Of half h of 2, byte l of 64 holds number 128 h + l in its low half and
 *          128 h + 64 + l in its high half
 *     128  64 bytes: the high two bits. Of half h, bits 2 j and 2 j + 1 of byte l of 32 are number 128 h + 32 j + l's
 *     192  16 signed bytes: scales s
 *     208  half d
 *
 * number = d * s * (q - 32), q in 0 ... 63. The products are exact in single precision.
 *
 * Exact sums: 16 numbers of at most 32 with activations of at most 127 give at most 65,024
 * (of the bits as they are stored, at most 63: 128,016).
 */
#include "format/quant/quant.h"

QUANT_READ_ONLY(q6_k);

enum { LENGTH = 256, BYTES = 210, UNIT = 16 };

QUANT_EXACT(16, 63);

void q6_k_parts(const uint8_t *block, int8_t *numbers, float *scales, float *minimums) {
    float d = math_from_half(bytes_u16(block + 208));
    (void)minimums;
    for (int u = 0; u < LENGTH / UNIT; u++) scales[u] = d * (float)(int8_t)block[192 + u];
    for (int h = 0; h < 2; h++) quant_nibbles(block + 64 * h, 64, numbers + 128 * h);
    for (int k = 0; k < LENGTH; k++) {
        int high = block[128 + 32 * (k / 128) + k % 32] >> 2 * (k % 128 / 32) & 3;
        numbers[k] = (int8_t)(numbers[k] + high * 16 - 32);
    }
}

QUANT_DECODE(q6_k, LENGTH, BYTES, UNIT, false)
