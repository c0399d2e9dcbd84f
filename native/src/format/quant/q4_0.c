// SPDX-License-Identifier: Apache-2.0
/*
 * Q4_0: 32 numbers in 18 bytes.
 *
 *     0   half d
 *     2   16 bytes: byte j holds number j in its low half and number j + 16 in its high half
 *
 * number = d * (q - 8), q in 0 ... 15. The product is exact in single precision.
 *
 * Exact sums: 32 numbers of at most 8 with activations of at most 127 give at most 32,512
 * (of the bits as they are stored, at most 15: 60,960).
 */
#include "format/quant/quant.h"

QUANT_DECLARE(q4_0);

enum { LENGTH = 32, BYTES = 18 };

QUANT_EXACT(32, 15);

void q4_0_decode(const uint8_t *blocks, size_t count, float *out) {
    for (; count >= LENGTH; count -= LENGTH, blocks += BYTES, out += LENGTH) {
        float d = math_from_half(bytes_u16(blocks));
        for (int j = 0; j < 16; j++) {
            out[j] = d * (float)((blocks[2 + j] & 15) - 8);
            out[j + 16] = d * (float)((blocks[2 + j] >> 4) - 8);
        }
    }
}

/* The first number of the largest magnitude becomes -8 exactly, whichever its sign: hence d may be negative. */
static float q4_0_scale(const float *values) {
    float extreme = 0;
    for (int j = 0; j < LENGTH; j++)
        if (fabsf(values[j]) > fabsf(extreme)) extreme = values[j];
    return extreme / -8;
}

void q4_0_encode(const float *values, size_t count, uint8_t *blocks) {
    for (; count >= LENGTH; count -= LENGTH, blocks += BYTES, values += LENGTH) {
        float d = q4_0_scale(values), inverse = quant_inverse(d);
        bytes_put_u16(blocks, math_to_half(d));
        for (int j = 0; j < 16; j++) {
            uint8_t low = quant_cut(values[j] * inverse + 8.5f, 15);
            uint8_t high = quant_cut(values[j + 16] * inverse + 8.5f, 15);
            blocks[2 + j] = (uint8_t)(low | high << 4);
        }
    }
}
