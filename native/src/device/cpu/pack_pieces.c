// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/pack_pieces.h"

#include <string.h>

#include "device/cpu/pack.h"
#include "format/block.h"
#include "format/bytes.h"

/* A run of pieces of one width, in the order of the block. */
typedef struct run {
    uint8_t width, count;
} run;

typedef struct cut {
    uint32_t type;
    run runs[4];    /* ended by width 0 */
    uint8_t turned; /* where in the block a word of fifth bits is turned, 0: none */
} cut;

/* Halves stand alone, so that 16 of them are one load; numbers and packed scales go by four bytes. */
static const cut cuts[] = {
    {BLOCK_Q5_0, {{2, 1}, {4, 5}}, 2},
    {BLOCK_Q5_1, {{2, 2}, {4, 5}}, 4},
    {BLOCK_Q2_K, {{4, 20}, {2, 2}}, 0},
    {BLOCK_Q3_K, {{4, 27}, {2, 1}}, 0},
    {BLOCK_Q4_K, {{2, 2}, {4, 35}}, 0},
    {BLOCK_Q5_K, {{2, 2}, {4, 43}}, 0},
    {BLOCK_Q6_K, {{4, 52}, {2, 1}}, 0},
    {BLOCK_IQ4_NL, {{2, 1}, {4, 4}}, 0},
    {BLOCK_IQ4_XS, {{2, 2}, {4, 33}}, 0},
    {BLOCK_MXFP4, {{1, 1}, {4, 4}}, 0},
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

/* Bit 4 j + i of a word of fifth bits is number 4 j + i's: it becomes bit j of byte i, where the number's byte is. */
static uint32_t turn(uint32_t x) {
    uint32_t out = 0;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t bits = (x >> i) & 0x11111111u;
        bits = (bits | bits >> 3) & 0x03030303u;
        bits = (bits | bits >> 6) & 0x000f000fu;
        out |= ((bits | bits >> 12) & 0xffu) << (8 * i);
    }
    return out;
}

static uint32_t turn_back(uint32_t x) {
    uint32_t out = 0;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t bits = (x >> (8 * i)) & 0xffu;
        bits = (bits | bits << 12) & 0x000f000fu;
        bits = (bits | bits << 6) & 0x03030303u;
        out |= ((bits | bits << 3) & 0x11111111u) << i;
    }
    return out;
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
        for (uint32_t r = 0; r < CPU_TILE; r++) {
            const uint8_t *block = r < row_count ? rows + r * row_bytes + (size_t)b * format->bytes : NULL;
            uint8_t turned[BLOCK_BYTES_MAX];
            if (block && c->turned) {
                memcpy(turned, block, format->bytes);
                bytes_put_u32(turned + c->turned, turn(bytes_u32(turned + c->turned)));
                block = turned;
            }
            put(c, block, r, tile + (size_t)b * format->bytes * CPU_TILE);
        }
}

void pack_block_of(uint32_t type, const uint8_t *tile, uint32_t block, uint32_t row, uint8_t *out) {
    const cut *c = cut_of(type);
    get(c, tile + (size_t)block * block_find(type)->bytes * CPU_TILE, row, out);
    if (c->turned) bytes_put_u32(out + c->turned, turn_back(bytes_u32(out + c->turned)));
}

void pack_pieces_back(uint32_t type, const uint8_t *tile, uint32_t row_count, uint32_t cols, size_t row_bytes,
                      uint8_t *rows) {
    const block_format *format = block_find(type);
    for (uint32_t r = 0; r < row_count; r++)
        for (uint32_t b = 0; b < cols / format->length; b++)
            pack_block_of(type, tile, b, r, rows + r * row_bytes + (size_t)b * format->bytes);
}
