// SPDX-License-Identifier: Apache-2.0
/* F16: IEEE half precision, little endian. Numbers beyond +-65504 are stored as that. */
#include "format/quant/quant.h"

QUANT_DECLARE(f16);

void f16_decode(const uint8_t *blocks, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = math_from_half(bytes_u16(blocks + 2 * i));
}

void f16_encode(const float *values, size_t count, uint8_t *blocks) {
    for (size_t i = 0; i < count; i++) bytes_put_u16(blocks + 2 * i, math_to_half(values[i]));
}
