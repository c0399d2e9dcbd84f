// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/pack_pieces.h"

#include <string.h>

#include "device/cpu/pack.h"
#include "format/block.h"
#include "format/bytes.h"

enum { PACK_TURNED_MAX = 24 }; /* bytes of a block of Q5_1, the longer one that is turned */

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

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define PACK_TRANSPOSES 1
#endif
#endif

#if defined(PACK_TRANSPOSES)
typedef uint32_t quad __attribute__((vector_size(16)));

/* Four pieces of four rows: in a register a row's, out a piece's. */
static inline void turn_four(const uint8_t *const rows[4], size_t at, quad flip, uint8_t *out) {
    quad r[4];
    for (int i = 0; i < 4; i++) memcpy(&r[i], rows[i] + at, sizeof r[i]);
    quad a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), b = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
    quad c = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7), d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
    const quad to[4] = {__builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
                        __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
    for (size_t i = 0; i < 4; i++) {
        const quad flipped = to[i] ^ flip;
        memcpy(out + 4 * CPU_TILE * i, &flipped, sizeof flipped);
    }
}
#endif

void pack_fours(const uint8_t *const rows[CPU_TILE], uint32_t count, uint32_t flip, uint8_t *out) {
    uint32_t i = 0;
#if defined(PACK_TRANSPOSES)
    const quad flips = {flip, flip, flip, flip};
    for (; i + 4 <= count; i += 4)
        for (uint32_t r = 0; r < CPU_TILE; r += 4)
            turn_four(rows + r, (size_t)4 * i, flips, out + (size_t)4 * CPU_TILE * i + 4 * r);
#endif
    for (; i < count; i++)
        for (uint32_t r = 0; r < CPU_TILE; r++) {
            uint32_t four;
            memcpy(&four, rows[r] + (size_t)4 * i, sizeof four);
            four ^= flip;
            memcpy(out + (size_t)4 * CPU_TILE * i + 4 * r, &four, sizeof four);
        }
}

/* One block of 16 rows. */
static void put(const cut *c, const uint8_t *blocks[CPU_TILE], uint8_t *tile) {
    for (const run *p = c->runs; p->width; p++) {
        const size_t bytes = (size_t)p->width * p->count;
        if (p->width == 4) pack_fours(blocks, p->count, 0, tile);
        for (uint32_t r = 0; r < CPU_TILE; r++) {
            for (uint32_t i = 0; i < p->count && p->width == 2; i++)
                memcpy(tile + 2 * (CPU_TILE * i + r), blocks[r] + 2 * i, 2);
            for (uint32_t i = 0; i < p->count && p->width == 1; i++) tile[CPU_TILE * i + r] = blocks[r][i];
            blocks[r] += bytes;
        }
        tile += CPU_TILE * bytes;
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
    static const uint8_t zeros[BLOCK_BYTES_MAX]; /* zero bytes are zeros in scale, and so in every format */
    uint8_t turned[CPU_TILE][PACK_TURNED_MAX];
    for (uint32_t b = 0; b < cols / format->length; b++) {
        const uint8_t *blocks[CPU_TILE];
        for (uint32_t r = 0; r < CPU_TILE; r++) {
            blocks[r] = r < row_count ? rows + r * row_bytes + (size_t)b * format->bytes : zeros;
            if (!c->turned) continue;
            memcpy(turned[r], blocks[r], format->bytes);
            bytes_put_u32(turned[r] + c->turned, turn(bytes_u32(turned[r] + c->turned)));
            blocks[r] = turned[r];
        }
        put(c, blocks, tile + (size_t)b * format->bytes * CPU_TILE);
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
