// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/pack_pieces.h"

#include <string.h>

#include "device/cpu/pack.h"
#include "device/cpu/pack_turned.h"
#include "format/block.h"

/* A run of pieces of one width, in the order of the block. */
typedef struct run {
    uint8_t width, count;
} run;

typedef struct cut {
    uint32_t type;
    run runs[4]; /* ended by width 0; of the turned block, if it is turned */
    void (*turn)(const uint8_t *block, uint8_t *out);
    void (*back)(const uint8_t *turned, uint8_t *out);
} cut;

/* Halves stand alone, so that 16 of them are one load; numbers and packed scales go by four bytes. */
static const cut cuts[] = {
    {BLOCK_Q5_0, {{2, 1}, {4, 5}}, pack_turn_q5_0, pack_turn_back_q5_0},
    {BLOCK_Q5_1, {{2, 2}, {4, 5}}, pack_turn_q5_1, pack_turn_back_q5_1},
    {BLOCK_Q2_K, {{4, 20}, {2, 2}}, NULL, NULL},
    {BLOCK_Q3_K, {{4, 27}, {2, 1}}, NULL, NULL},
    {BLOCK_Q4_K, {{2, 2}, {4, 35}}, NULL, NULL},
    {BLOCK_Q5_K, {{2, 2}, {4, 43}}, NULL, NULL},
    {BLOCK_Q6_K, {{2, 1}, {1, 16}, {4, 48}}, pack_turn_q6_k, pack_turn_back_q6_k},
    {BLOCK_IQ4_NL, {{2, 1}, {4, 4}}, NULL, NULL},
    {BLOCK_IQ4_XS, {{2, 2}, {4, 33}}, NULL, NULL},
    {BLOCK_MXFP4, {{1, 1}, {4, 4}}, NULL, NULL},
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
    uint8_t turned[CPU_TILE][BLOCK_BYTES_MAX];
    for (uint32_t b = 0; b < cols / format->length; b++) {
        const uint8_t *blocks[CPU_TILE];
        for (uint32_t r = 0; r < CPU_TILE; r++) {
            blocks[r] = r < row_count ? rows + r * row_bytes + (size_t)b * format->bytes : zeros;
            if (!c->turn) continue;
            c->turn(blocks[r], turned[r]);
            blocks[r] = turned[r];
        }
        put(c, blocks, tile + (size_t)b * format->bytes * CPU_TILE);
    }
}

void pack_block_of(uint32_t type, const uint8_t *tile, uint32_t block, uint32_t row, uint8_t *out) {
    const cut *c = cut_of(type);
    uint8_t turned[BLOCK_BYTES_MAX];
    get(c, tile + (size_t)block * block_find(type)->bytes * CPU_TILE, row, c->back ? turned : out);
    if (c->back) c->back(turned, out);
}

void pack_pieces_back(uint32_t type, const uint8_t *tile, uint32_t row_count, uint32_t cols, size_t row_bytes,
                      uint8_t *rows) {
    const block_format *format = block_find(type);
    for (uint32_t r = 0; r < row_count; r++)
        for (uint32_t b = 0; b < cols / format->length; b++)
            pack_block_of(type, tile, b, r, rows + r * row_bytes + (size_t)b * format->bytes);
}
