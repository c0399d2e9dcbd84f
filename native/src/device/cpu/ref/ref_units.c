// SPDX-License-Identifier: Apache-2.0
/*
 * Products of the formats whose blocks fall into units (block_format.parts): for each unit along K, ascending, with its
 * whole numbers, scale w and minimum m, and the activations' scale dA (one for 32: two units of 16 share it):
 *
 *     s   = w * dA
 *     acc = fmaf((float)I, s, acc)
 *     acc = fmaf(m, dA * (float)S, acc)     formats with minimums; I and S are the unit's own
 *
 * A K-quant's w = d * (sub-block's scale) and m = -(dmin * (sub-block's minimum)) are exact in single precision.
 */
#include "base/math.h"
#include "device/cpu/columns.h"
#include "device/cpu/pack.h"
#include "device/cpu/ref/ref.h"
#include "format/block.h"

/* Goes on with one row's accumulator over one block, whose first group of K is `group`. */
static float block_dot(const block_format *format, const int8_t *numbers, const float *scales, const float *minimums,
                       const cpu_columns *x, uint32_t column, uint32_t group, float acc) {
    for (uint32_t u = 0; u < format->length / format->unit; u++) {
        uint32_t first = u * format->unit;
        const columns_group at = columns_at(x, column, group + first / CPU_GROUP);
        const int8_t *a = at.q + first % CPU_GROUP;
        int32_t product = 0, sum = 0;
        for (uint32_t k = 0; k < format->unit; k++) {
            product += numbers[first + k] * a[k];
            sum += a[k];
        }
        float scale = *at.d, s = scales[u] * scale, both = scale * (float)sum;
        acc = math_fmaf((float)product, s, acc);
        if (format->has_minimums) acc = math_fmaf(minimums[u], both, acc);
    }
    return acc;
}

/* A row of a tile and `count` columns from `column` on; acc: [count][CPU_TILE]. What a block says is taken out once. */
static void row_dots(const block_format *format, const uint8_t *tile, uint32_t row, const cpu_columns *x,
                     uint32_t column, uint32_t count, float acc[][CPU_TILE]) {
    for (uint32_t b = 0; b < x->cols / format->length; b++) {
        uint8_t block[BLOCK_BYTES_MAX];
        int8_t numbers[BLOCK_LENGTH_MAX];
        float scales[BLOCK_LENGTH_MAX / 16], minimums[BLOCK_LENGTH_MAX / 16];
        pack_block_of(format->type, tile, b, row, block);
        format->parts(block, numbers, scales, minimums);
        for (uint32_t c = 0; c < count; c++)
            acc[c][row] = block_dot(format, numbers, scales, minimums, x, column + c, b * format->length / CPU_GROUP,
                                    acc[c][row]);
    }
}

static void product(uint32_t type, const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    const block_format *format = block_find(type);
    for (uint32_t t = tile_begin; t < tile_end; t++) {
        const uint8_t *tile = p->weight->data + (size_t)t * p->weight->tile_bytes;
        for (uint32_t column = 0; column < p->count; column += COLUMNS_BLOCK) {
            float acc[COLUMNS_BLOCK][CPU_TILE] = {0};
            const uint32_t left = p->count - column, count = left < COLUMNS_BLOCK ? left : COLUMNS_BLOCK;
            for (uint32_t r = 0; r < CPU_TILE; r++) row_dots(format, tile, r, p->x, column, count, acc);
            for (uint32_t c = 0; c < count; c++) ref_finish(p, t, column + c, acc[c]);
        }
    }
}

#define FORMAT(name, type) \
    void ref_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) { \
        product(type, p, tile_begin, tile_end); \
    }

FORMAT(q5_0, BLOCK_Q5_0)
FORMAT(q5_1, BLOCK_Q5_1)
FORMAT(q2_k, BLOCK_Q2_K)
FORMAT(q3_k, BLOCK_Q3_K)
FORMAT(q4_k, BLOCK_Q4_K)
FORMAT(q5_k, BLOCK_Q5_K)
FORMAT(q6_k, BLOCK_Q6_K)
FORMAT(iq4_nl, BLOCK_IQ4_NL)
FORMAT(iq4_xs, BLOCK_IQ4_XS)
FORMAT(mxfp4, BLOCK_MXFP4)

void ref_units_decode_row(const cpu_weight *weight, uint32_t row, float *out) {
    const block_format *format = block_find(weight->type);
    const uint8_t *tile = weight->data + (size_t)(row / CPU_TILE) * weight->tile_bytes;
    for (uint32_t b = 0; b < weight->cols / format->length; b++) {
        uint8_t block[BLOCK_BYTES_MAX];
        pack_block_of(weight->type, tile, b, row % CPU_TILE, block);
        format->decode(block, format->length, out + (size_t)b * format->length);
    }
}
