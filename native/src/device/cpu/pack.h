// SPDX-License-Identifier: Apache-2.0
/*
 * Packed weights: 16 output rows interleaved so that one register's lane is one row.
 *
 * A tile holds 16 rows by all of K, as K / 32 blocks one after the other (floats: one unit of K each):
 *   Q8_0   16 f16 scales, then 8 x 64 bytes: bytes [16 rows][4 K] as u8 = q + 128
 *   Q4_0   16 f16 scales, then 4 x 64 bytes: low nibble = K 4j.., high nibble = K 16 + 4j.. of [16 rows][4 K]
 *   Q4_1   16 f16 scales, 16 f16 minimums, then as Q4_0
 *   F32, F16, BF16   [K][16 rows] as stored
 *   The others   block by block, each cut into pieces of 1, 2 or 4 bytes (pack_pieces.c has the cuts): the 16 rows'
 *                pieces together, in the order of the block, so that byte o of row r's block, being byte i of a piece
 *                of w bytes, is byte 16 (o - i) + w r + i of the tile's.
 *                Blocks of Q5_0, Q5_1 and Q6_K have their bits moved before: pack_turned.h has theirs
 * The size of a tile is 16 times the file's row, so packing costs no memory. Rows beyond the matrix are zeros.
 */
#ifndef PUNA_DEVICE_CPU_PACK_H
#define PUNA_DEVICE_CPU_PACK_H

#include "device/cpu/kernels.h"

/* Bytes of a packed tile of `cols` columns; 0 if the format can't be packed or cols doesn't fit its block. */
size_t pack_tile_bytes(uint32_t type, uint32_t cols);

/* Packs up to 16 rows (row_count; the rest become zeros) that lie `row_bytes` apart in the file's layout. */
void pack_tile(uint32_t type, const uint8_t *rows, size_t row_bytes, uint32_t row_count, uint32_t cols, uint8_t *tile);

/* The way back, to the file's bytes exactly. */
void pack_untile(uint32_t type, const uint8_t *tile, uint32_t row_count, uint32_t cols, size_t row_bytes,
                 uint8_t *rows);

/* Of the formats with block_format.parts: row `row`'s block `block` of a tile as it was in the file. */
void pack_block_of(uint32_t type, const uint8_t *tile, uint32_t block, uint32_t row, uint8_t *out);

#endif
