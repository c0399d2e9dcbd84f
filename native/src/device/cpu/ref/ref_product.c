// SPDX-License-Identifier: Apache-2.0
/*
 * Products of quantized weights and quantized activations: for each unit of 32 along K, ascending, with weight scale w,
 * activation scale dA and exact integers I = sum of (weight number * activation number), S = sum of activation numbers:
 *
 *     s   = w * dA
 *     acc = fmaf((float)I, s, acc)
 *     acc = fmaf(m, dA * (float)S, acc)     Q4_1
 *
 * One accumulator an output element, from 0. The numbers of Q4_0 are 0 to 15 less 8, of Q4_1 0 to 15, of Q8_0 the
 * stored byte less 128. Then bias, then residual are added.
 */
#include <string.h>

#include "base/math.h"
#include "device/cpu/columns.h"
#include "device/cpu/ref/ref.h"
#include "format/block.h"
#include "format/bytes.h"

void ref_finish(const cpu_product *p, uint32_t tile, uint32_t column, const float acc[CPU_TILE]) {
    size_t row = (size_t)tile * CPU_TILE;
    for (uint32_t r = 0; r < CPU_TILE && row < p->weight->rows; r++, row++) {
        float y = acc[r];
        if (p->bias) y += p->bias[row];
        if (p->residual) y += p->residual[column * p->out_stride + row];
        p->out[column * p->out_stride + row] = y;
    }
}

/* The exact sums of one row over a unit. `numbers`: the row's first four bytes; further ones 64 bytes apart. */
static int32_t sum_nibbles(const uint8_t *numbers, const int8_t *a, int32_t bias) {
    int32_t sum = 0;
    for (uint32_t j = 0; j < 4; j++, numbers += 4 * CPU_TILE) {
        for (uint32_t i = 0; i < 4; i++) {
            sum += ((numbers[i] & 15) - bias) * a[4 * j + i];
            sum += ((numbers[i] >> 4) - bias) * a[16 + 4 * j + i];
        }
    }
    return sum;
}

static int32_t sum_bytes(const uint8_t *numbers, const int8_t *a) {
    int32_t sum = 0;
    for (uint32_t j = 0; j < 8; j++, numbers += 4 * CPU_TILE)
        for (uint32_t i = 0; i < 4; i++) sum += (numbers[i] - 128) * a[4 * j + i];
    return sum;
}

static float half_at(const uint8_t *halves, uint32_t r) { return math_from_half(bytes_u16(halves + 2 * r)); }

/* One row of a tile times one column. */
static float dot(uint32_t type, const uint8_t *block, uint32_t r, const cpu_columns *x, uint32_t column) {
    uint32_t groups = x->cols / CPU_GROUP;
    float acc = 0;
    for (uint32_t g = 0; g < groups; g++) {
        const columns_group at = columns_at(x, column, g);
        const int8_t *a = at.q;
        float s = half_at(block, r) * *at.d;
        switch (type) {
        case BLOCK_Q4_0:
            acc = math_fmaf((float)sum_nibbles(block + 32 + 4 * r, a, 8), s, acc);
            block += 288;
            break;
        case BLOCK_Q4_1:
            acc = math_fmaf((float)sum_nibbles(block + 64 + 4 * r, a, 0), s, acc);
            acc = math_fmaf(half_at(block + 32, r), *at.ds, acc);
            block += 320;
            break;
        default: /* Q8_0 */
            acc = math_fmaf((float)sum_bytes(block + 32 + 4 * r, a), s, acc);
            block += 544;
        }
    }
    return acc;
}

static void product(uint32_t type, const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    for (uint32_t tile = tile_begin; tile < tile_end; tile++) {
        const uint8_t *block = p->weight->data + (size_t)tile * p->weight->tile_bytes;
        for (uint32_t column = 0; column < p->count; column++) {
            float acc[CPU_TILE];
            for (uint32_t r = 0; r < CPU_TILE; r++) acc[r] = dot(type, block, r, p->x, column);
            ref_finish(p, tile, column, acc);
        }
    }
}

void ref_product_q4_0(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    product(BLOCK_Q4_0, p, tile_begin, tile_end);
}

void ref_product_q4_1(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    product(BLOCK_Q4_1, p, tile_begin, tile_end);
}

void ref_product_q8_0(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    product(BLOCK_Q8_0, p, tile_begin, tile_end);
}
