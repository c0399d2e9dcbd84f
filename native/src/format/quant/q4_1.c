// SPDX-License-Identifier: Apache-2.0
/*
 * Q4_1: 32 numbers in 20 bytes.
 *
 *     0   half d
 *     2   half m, the smallest number
 *     4   16 bytes: byte j holds number j in its low half and number j + 16 in its high half
 *
 * number = d * q + m, q in 0 ... 15. The product is exact in single precision, the sum rounds once.
 *
 * Exact sums: 32 numbers of at most 15 with activations of at most 127 give at most 60,960.
 */
#include "format/quant/quant.h"

QUANT_DECLARE(q4_1);

enum { LENGTH = 32, BYTES = 20 };

QUANT_EXACT(32, 15);

void q4_1_decode(const uint8_t *blocks, size_t count, float *out) {
    for (; count >= LENGTH; count -= LENGTH, blocks += BYTES, out += LENGTH) {
        float d = math_from_half(bytes_u16(blocks)), m = math_from_half(bytes_u16(blocks + 2));
        for (int j = 0; j < 16; j++) {
            out[j] = d * (float)(blocks[4 + j] & 15) + m;
            out[j + 16] = d * (float)(blocks[4 + j] >> 4) + m;
        }
    }
}

void q4_1_encode(const float *values, size_t count, uint8_t *blocks) {
    for (; count >= LENGTH; count -= LENGTH, blocks += BYTES, values += LENGTH) {
        float least = values[0], most = values[0];
        for (int j = 1; j < LENGTH; j++) {
            if (values[j] < least) least = values[j];
            if (values[j] > most) most = values[j];
        }
        float d = (most - least) / 15, inverse = quant_inverse(d);
        bytes_put_u16(blocks, math_to_half(d));
        bytes_put_u16(blocks + 2, math_to_half(least));
        for (int j = 0; j < 16; j++) {
            uint8_t low = quant_cut((values[j] - least) * inverse + 0.5f, 15);
            uint8_t high = quant_cut((values[j + 16] - least) * inverse + 0.5f, 15);
            blocks[4 + j] = (uint8_t)(low | high << 4);
        }
    }
}
