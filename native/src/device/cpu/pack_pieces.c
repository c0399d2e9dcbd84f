// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/pack_pieces.h"

#include <string.h>

#include "device/cpu/pack.h"
#include "format/block.h"

/* A run of pieces of one width, in the order of the block. */
typedef struct run {
    uint8_t width, count;
} run;

typedef struct cut {
    uint32_t type;
    run runs[4]; /* ended by width 0 */
} cut;

/* Halves stand alone, so that 16 of them are one load; numbers and packed scales go by four bytes. */
static const cut cuts[] = {
    {BLOCK_Q5_0, {{2, 1}, {4, 5}}},
    {BLOCK_Q5_1, {{2, 2}, {4, 5}}},
    {BLOCK_Q2_K, {{4, 20}, {2, 2}}},
    {BLOCK_Q3_K, {{4, 27}, {2, 1}}},
    {BLOCK_Q4_K, {{2, 2}, {4, 35}}},
    {BLOCK_Q5_K, {{2, 2}, {4, 43}}},
    {BLOCK_Q6_K, {{4, 52}, {2, 1}}},
    {BLOCK_IQ4_NL, {{2, 1}, {4, 4}}},
    {BLOCK_IQ4_XS, {{2, 2}, {4, 33}}},
    {BLOCK_MXFP4, {{1, 1}, {4, 4}}},
};

static const cut *cut_of(uint32_t type) {
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
        if (cuts[i].type == type) return &cuts[i];
    return NULL;
}

bool pack_is_pieces(uint32_t type) { return cut_of(type) != NULL; }

size_t pack_pieces_bytes(uint32_t type, uint32_t cols) {
    const block_format *format = block_find(type);
    if (!format || cols == 0 || cols % format->length != 0) return 0;
    uint64_t bytes = (uint64_t)(cols / format->length) * format->bytes * CPU_TILE;
    return bytes > SIZE_MAX ? 0 : (size_t)bytes;
}

/* One block of one row; `block` is NULL beyond the matrix: zero bytes are zeros in scale, and so in every format. */
static void put(const cut *c, const uint8_t *block, uint32_t row, uint8_t *tile) {
    for (const run *r = c->runs; r->width; r++)
        for (uint32_t i = 0; i < r->count; i++, tile += CPU_TILE * r->width) {
            if (!block) {
                memset(tile + r->width * row, 0, r->width);
                continue;
            }
            memcpy(tile + r->width * row, block, r->width);
            block += r->width;
        }
}

static void get(const cut *c, const uint8_t *tile, uint32_t row, uint8_t *block) {
    for (const run *r = c->runs; r->width; r++)
        for (uint32_t i = 0; i < r->count; i++, tile += CPU_TILE * r->width, block += r->width)
            memcpy(block, tile + r->width * row, r->width);
}

void pack_pieces(uint32_t type, const uint8_t *rows, size_t row_bytes, uint32_t row_count, uint32_t cols,
                 uint8_t *tile) {
    const block_format *format = block_find(type);
    const cut *c = cut_of(type);
    for (uint32_t b = 0; b < cols / format->length; b++)
        for (uint32_t r = 0; r < CPU_TILE; r++)
            put(c, r < row_count ? rows + r * row_bytes + (size_t)b * format->bytes : NULL, r,
                tile + (size_t)b * format->bytes * CPU_TILE);
}

void pack_block_of(uint32_t type, const uint8_t *tile, uint32_t block, uint32_t row, uint8_t *out) {
    get(cut_of(type), tile + (size_t)block * block_find(type)->bytes * CPU_TILE, row, out);
}

void pack_pieces_back(uint32_t type, const uint8_t *tile, uint32_t row_count, uint32_t cols, size_t row_bytes,
                      uint8_t *rows) {
    const block_format *format = block_find(type);
    for (uint32_t r = 0; r < row_count; r++)
        for (uint32_t b = 0; b < cols / format->length; b++)
            pack_block_of(type, tile, b, r, rows + r * row_bytes + (size_t)b * format->bytes);
}
