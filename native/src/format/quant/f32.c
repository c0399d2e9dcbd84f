// SPDX-License-Identifier: Apache-2.0
/* F32: IEEE single precision, little endian. */
#include "format/quant/quant.h"

QUANT_DECLARE(f32);

void f32_decode(const uint8_t *blocks, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = bytes_u32(blocks + 4 * i);
        memcpy(&out[i], &bits, sizeof bits);
    }
}

void f32_encode(const float *values, size_t count, uint8_t *blocks) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bytes_put_u32(blocks + 4 * i, bits);
    }
}
