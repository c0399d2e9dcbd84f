// SPDX-License-Identifier: Apache-2.0
/*
 * Q8_0: 32 numbers in 34 bytes.
 *
 *     0   half d
 *     2   32 signed bytes
 *
 * number = d * q, q in -127 ... 127. The product is exact in single precision.
 *
 * Exact sums: 32 numbers of at most 128 with activations of at most 127 give at most 520,192.
 */
#include "format/quant/quant.h"

QUANT_DECLARE(q8_0);

enum { LENGTH = 32, BYTES = 34 };

QUANT_EXACT(32, 128);

void q8_0_decode(const uint8_t *blocks, size_t count, float *out) {
    for (; count >= LENGTH; count -= LENGTH, blocks += BYTES, out += LENGTH) {
        float d = math_from_half(bytes_u16(blocks));
        for (int j = 0; j < LENGTH; j++) out[j] = d * (float)(int8_t)blocks[2 + j];
    }
}

/* To the nearest whole number, halves away from zero; NaN becomes 0. */
static int8_t q8_0_round(float x) {
    if (!(x > -127.5f)) return x < 0 ? -127 : 0;
    if (x >= 127) return 127;
    return (int8_t)roundf(x);
}

void q8_0_encode(const float *values, size_t count, uint8_t *blocks) {
    for (; count >= LENGTH; count -= LENGTH, blocks += BYTES, values += LENGTH) {
        float largest = 0;
        for (int j = 0; j < LENGTH; j++)
            if (fabsf(values[j]) > largest) largest = fabsf(values[j]);
        float d = largest / 127, inverse = quant_inverse(d);
        bytes_put_u16(blocks, math_to_half(d));
        for (int j = 0; j < LENGTH; j++) blocks[2 + j] = (uint8_t)q8_0_round(values[j] * inverse);
    }
}
