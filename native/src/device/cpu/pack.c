// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/pack.h"
#include "device/cpu/pack_pieces.h"

#include <string.h>

#include "format/block.h"

/* How a format's block lies in a file and in a tile: its halves (scale, then minimum) and its bytes of numbers. */
typedef struct shape {
    uint32_t length;  /* numbers a block */
    uint32_t halves;  /* f16 numbers in front */
    uint32_t payload; /* bytes of numbers; for floats, of the one number */
    uint8_t flip;     /* exclusive-or of every payload byte: 128 turns s8 into u8 = q + 128 */
} shape;

static int shape_of(uint32_t type, shape *s) {
    switch (type) {
    case BLOCK_Q4_0: *s = (shape){32, 1, 16, 0}; return 1;
    case BLOCK_Q4_1: *s = (shape){32, 2, 16, 0}; return 1;
    case BLOCK_Q8_0: *s = (shape){32, 1, 32, 0x80}; return 1;
    case BLOCK_F32: *s = (shape){1, 0, 4, 0}; return 1;
    case BLOCK_F16:
    case BLOCK_BF16: *s = (shape){1, 0, 2, 0}; return 1;
    default: return 0;
    }
}

size_t pack_tile_bytes(uint32_t type, uint32_t cols) {
    shape s;
    if (pack_is_pieces(type)) return pack_pieces_bytes(type, cols);
    if (!shape_of(type, &s) || cols == 0 || cols % s.length != 0) return 0;
    uint64_t bytes = (uint64_t)(cols / s.length) * (2u * s.halves + s.payload) * CPU_TILE;
    return bytes > SIZE_MAX ? 0 : (size_t)bytes;
}

static void pack_floats(const shape *s, const uint8_t *rows, size_t row_bytes, uint32_t row_count, uint32_t cols,
                        uint8_t *tile) {
    size_t width = s->payload;
    for (uint32_t r = 0; r < CPU_TILE; r++) {
        uint8_t *out = tile + r * width;
        const uint8_t *in = rows + r * row_bytes;
        if (r >= row_count) {
            for (uint32_t k = 0; k < cols; k++) memset(out + (size_t)k * CPU_TILE * width, 0, width);
        } else if (width == 4) {
            for (uint32_t k = 0; k < cols; k++) memcpy(out + (size_t)k * CPU_TILE * 4, in + (size_t)k * 4, 4);
        } else {
            for (uint32_t k = 0; k < cols; k++) memcpy(out + (size_t)k * CPU_TILE * 2, in + (size_t)k * 2, 2);
        }
    }
}

/* Four payload bytes go together: in a tile, [payload / 4][16 rows][4]. A row beyond the matrix has scale and numbers 0
   (of Q8_0 the number 0 is the byte 128). */
static void pack_blocks(const shape *s, const uint8_t *rows, size_t row_bytes, uint32_t row_count, uint32_t blocks,
                        uint8_t *tile) {
    static const uint8_t zeros[2 * 2 + 32];
    const uint32_t flip = s->flip * 0x01010101u, bytes = 2u * s->halves + s->payload;
    for (uint32_t b = 0; b < blocks; b++) {
        const uint8_t *in[CPU_TILE];
        for (uint32_t r = 0; r < CPU_TILE; r++) {
            in[r] = r < row_count ? rows + r * row_bytes + (size_t)b * bytes : zeros;
            for (uint32_t h = 0; h < s->halves; h++) memcpy(tile + 2 * (CPU_TILE * h + r), in[r] + 2 * h, 2);
            in[r] += 2 * s->halves;
        }
        tile += (size_t)2 * s->halves * CPU_TILE;
        pack_fours(in, s->payload / 4, flip, tile);
        tile += (size_t)s->payload * CPU_TILE;
    }
}

void pack_tile(uint32_t type, const uint8_t *rows, size_t row_bytes, uint32_t row_count, uint32_t cols, uint8_t *tile) {
    shape s;
    if (pack_is_pieces(type)) pack_pieces(type, rows, row_bytes, row_count, cols, tile);
    if (!shape_of(type, &s)) return;
    if (s.length == 1) {
        pack_floats(&s, rows, row_bytes, row_count, cols, tile);
        return;
    }
    pack_blocks(&s, rows, row_bytes, row_count, cols / s.length, tile);
}

static void untile_row(const shape *s, const uint8_t *tile, uint32_t r, uint32_t blocks, uint8_t *out) {
    uint32_t flip = s->flip * 0x01010101u;
    for (uint32_t b = 0; b < blocks; b++) {
        const uint8_t *in = tile + (size_t)b * (2u * s->halves + s->payload) * CPU_TILE;
        for (uint32_t h = 0; h < s->halves; h++, in += 2 * CPU_TILE, out += 2) memcpy(out, in + 2 * r, 2);
        for (uint32_t j = 0; j < s->payload; j += 4, in += 4 * CPU_TILE, out += 4) {
            uint32_t four;
            memcpy(&four, in + 4 * r, 4);
            four ^= flip;
            memcpy(out, &four, 4);
        }
    }
}

void pack_untile(uint32_t type, const uint8_t *tile, uint32_t row_count, uint32_t cols, size_t row_bytes,
                 uint8_t *rows) {
    shape s;
    if (pack_is_pieces(type)) pack_pieces_back(type, tile, row_count, cols, row_bytes, rows);
    if (!shape_of(type, &s)) return;
    for (uint32_t r = 0; r < row_count; r++) {
        uint8_t *out = rows + r * row_bytes;
        if (s.length > 1) {
            untile_row(&s, tile, r, cols / s.length, out);
            continue;
        }
        for (uint32_t k = 0; k < cols; k++)
            memcpy(out + (size_t)k * s.payload, tile + ((size_t)k * CPU_TILE + r) * s.payload, s.payload);
    }
}
