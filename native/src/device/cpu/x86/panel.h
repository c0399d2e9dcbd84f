// SPDX-License-Identifier: Apache-2.0
/*
 * Products of the formats whose blocks fall into units (block_format.parts), in two steps: a tile is unpacked to a panel
 * of bytes, which then meets the columns. A format needs an unpacker alone (panel_unpack.h); the rest is the same for all.
 *
 * A panel holds `groups` groups of 32 along K of one tile of 16 rows:
 *   numbers    u8 [groups * 8][16 rows][4 of K], plus the format's bias, a power of two: taken off by the activations' sum
 *   scales     f32 [units][16 rows]
 *   minimums   f32 [units][16 rows], of formats that have them
 * With more columns than PANEL_COLUMNS a panel is all of K, and PANEL_TILES of them are kept; else it is PANEL_SLAB
 * numbers, so that it stays in the first cache.
 */
#ifndef PUNA_DEVICE_CPU_PANEL_H
#define PUNA_DEVICE_CPU_PANEL_H

#include "device/cpu/kernels.h"

enum { PANEL_COLUMNS = 16, PANEL_TILES = 4, PANEL_SLAB = 256 };

typedef struct panel {
    uint8_t *numbers;
    float *scales, *minimums;
} panel;

/* Up to PANEL_COLUMNS columns: which, and what their units of 16 sum up to. */
typedef struct panel_columns {
    const cpu_columns *x;
    uint32_t first, count;
    uint32_t group_begin, group_end; /* along K; the panel begins at group_begin */
    const void *sums;                /* [PANEL_COLUMNS][cols / 16], see panel_kind.sums */
    float *acc;                      /* [PANEL_COLUMNS][16 rows] */
} panel_columns;

/* What a format is to a tier. */
typedef struct panel_kind {
    uint32_t length, bytes, unit; /* of a block */
    void (*unpack)(const uint8_t *block, uint8_t *numbers, float *scales, float *minimums); /* one block of a tile */
    /* Units of 16 alone, one column: int32 -(bias * S) of formats with a bias, float dA * (float)S of those with
       minimums. S is the unit's own sum, exact. */
    void (*sums)(const int8_t *q, const float *d, uint32_t cols, void *out);
    void (*step)(const panel *t, const panel_columns *c); /* goes on with acc */
    void (*finish)(const cpu_product *p, uint32_t tile, uint32_t column, const float *acc);
} panel_kind;

size_t panel_scratch(uint32_t cols);

void panel_product(const panel_kind *kind, const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, void *scratch);

#endif
