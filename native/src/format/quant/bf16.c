// SPDX-License-Identifier: Apache-2.0
/* BF16: the upper half of an IEEE single, little endian; rounded to nearest even. */
#include "format/quant/quant.h"

QUANT_DECLARE(bf16);

void bf16_decode(const uint8_t *blocks, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = math_from_bfloat(bytes_u16(blocks + 2 * i));
}

void bf16_encode(const float *values, size_t count, uint8_t *blocks) {
    for (size_t i = 0; i < count; i++) bytes_put_u16(blocks + 2 * i, math_to_bfloat(values[i]));
}
