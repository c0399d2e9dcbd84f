// SPDX-License-Identifier: Apache-2.0
/*
 * Products of F32, F16 and BF16 weights (each exact in f32) and float activations: one accumulator an output element,
 * from 0, acc = fmaf(w, x, acc) in ascending K; then bias, then residual.
 */
#include <string.h>

#include "base/math.h"
#include "device/cpu/pack_pieces.h"
#include "device/cpu/ref/ref.h"
#include "format/block.h"
#include "format/bytes.h"

static float number(uint32_t type, const uint8_t *tile, size_t index) {
    if (type == BLOCK_F16) return math_from_half(bytes_u16(tile + 2 * index));
    if (type == BLOCK_BF16) return math_from_bfloat(bytes_u16(tile + 2 * index));
    uint32_t bits = bytes_u32(tile + 4 * index);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void product(uint32_t type, const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    for (uint32_t tile = tile_begin; tile < tile_end; tile++) {
        const uint8_t *numbers = p->weight->data + (size_t)tile * p->weight->tile_bytes;
        for (uint32_t column = 0; column < p->count; column++) {
            const float *x = p->xf + (size_t)column * p->xf_stride;
            float acc[CPU_TILE] = {0};
            for (uint32_t k = 0; k < p->weight->cols; k++)
                for (uint32_t r = 0; r < CPU_TILE; r++)
                    acc[r] = math_fmaf(number(type, numbers, (size_t)k * CPU_TILE + r), x[k], acc[r]);
            ref_finish(p, tile, column, acc);
        }
    }
}

void ref_product_f32(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    product(BLOCK_F32, p, tile_begin, tile_end);
}

void ref_product_f16(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    product(BLOCK_F16, p, tile_begin, tile_end);
}

void ref_product_bf16(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    product(BLOCK_BF16, p, tile_begin, tile_end);
}

static float decode_nibble(const uint8_t *numbers, uint32_t i) {
    uint8_t byte = numbers[(i % 16) / 4 * 4 * CPU_TILE + i % 4];
    return (float)(i < 16 ? byte & 15 : byte >> 4);
}

/* The same numbers as the format's own decode (format/quant) gives for the file's row. */
void ref_decode_row(const cpu_weight *weight, uint32_t row, float *out) {
    if (pack_is_pieces(weight->type)) {
        ref_units_decode_row(weight, row, out);
        return;
    }
    const uint8_t *tile = weight->data + (size_t)(row / CPU_TILE) * weight->tile_bytes;
    uint32_t r = row % CPU_TILE;
    for (uint32_t k = 0; k < weight->cols; k++) {
        uint32_t i = k % 32;
        size_t block_bytes = weight->tile_bytes / (weight->cols >= 32 ? weight->cols / 32 : 1);
        const uint8_t *block = tile + (size_t)(k / 32) * block_bytes;
        switch (weight->type) {
        case BLOCK_Q4_0:
            out[k] = math_from_half(bytes_u16(block + 2 * r)) * (decode_nibble(block + 32 + 4 * r, i) - 8.0f);
            break;
        case BLOCK_Q4_1:
            out[k] = math_from_half(bytes_u16(block + 2 * r)) * decode_nibble(block + 64 + 4 * r, i) +
                     math_from_half(bytes_u16(block + 32 + 2 * r));
            break;
        case BLOCK_Q8_0:
            out[k] = math_from_half(bytes_u16(block + 2 * r)) *
                     (float)(block[32 + i / 4 * 4 * CPU_TILE + 4 * r + i % 4] - 128);
            break;
        default: out[k] = number(weight->type, tile, (size_t)k * CPU_TILE + r);
        }
    }
}
