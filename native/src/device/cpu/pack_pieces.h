// SPDX-License-Identifier: Apache-2.0
/* Packing of blocks as they are, or turned (pack_turned.h), cut into pieces: pack.h has the layout, and the meaning of
   these. */
#ifndef PUNA_DEVICE_CPU_PACK_PIECES_H
#define PUNA_DEVICE_CPU_PACK_PIECES_H

#include "device/cpu/kernels.h"

/* Pieces of four bytes of 16 rows, piece after piece: [count][16 rows][4], exclusive-or `flip`. */
void pack_fours(const uint8_t *const rows[CPU_TILE], uint32_t count, uint32_t flip, uint8_t *out);

bool pack_is_pieces(uint32_t type);
size_t pack_pieces_bytes(uint32_t type, uint32_t cols);
void pack_pieces(uint32_t type, const uint8_t *rows, size_t row_bytes, uint32_t row_count, uint32_t cols,
                 uint8_t *tile);
void pack_pieces_back(uint32_t type, const uint8_t *tile, uint32_t row_count, uint32_t cols, size_t row_bytes,
                      uint8_t *rows);

#endif
