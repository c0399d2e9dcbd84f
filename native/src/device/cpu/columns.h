// SPDX-License-Identifier: Apache-2.0
/*
 * Where a quantized column's groups lie (cpu_columns). Columns stand in blocks of 16, the last block having what is
 * left. In a block of w columns group follows group along K; a group has the 32 numbers of each column, then w scales,
 * w scaled sums, w sums, and w sums by lanes of each half: what a kernel reads while it goes along K is one stream,
 * whatever the matrix.
 */
#ifndef PUNA_DEVICE_CPU_COLUMNS_H
#define PUNA_DEVICE_CPU_COLUMNS_H

#include "device/cpu/kernels.h"

enum { COLUMNS_BLOCK = 16, COLUMNS_GROUP_BYTES = CPU_GROUP + 20 /* of one column */ };

/* One group of one column; those of the next column of its block stand behind each. `lanes` is of 16 numbers: in the
   low 16 bits the sum of those whose index modulo 4 is 0 or 1, in the high ones of the others: as vpmaddubsw adds. */
typedef struct columns_group {
    int8_t *q;
    float *d, *ds;
    int32_t *s, *lanes[2];
} columns_group;

/* How many columns the block of `column` has. */
static inline uint32_t columns_width(uint32_t count, uint32_t column) {
    uint32_t left = count - column / COLUMNS_BLOCK * COLUMNS_BLOCK;
    return left < COLUMNS_BLOCK ? left : COLUMNS_BLOCK;
}

static inline columns_group columns_at(const cpu_columns *x, uint32_t column, uint32_t group) {
    const size_t width = columns_width(x->count, column), i = column % COLUMNS_BLOCK;
    uint8_t *at = x->groups + (size_t)(column - i) * (x->cols / CPU_GROUP) * COLUMNS_GROUP_BYTES +
                  group * width * COLUMNS_GROUP_BYTES;
    float *scales = (float *)(void *)(at + CPU_GROUP * width) + i;
    int32_t *sums = (int32_t *)(void *)(scales + 2 * width);
    return (columns_group){(int8_t *)at + CPU_GROUP * i, scales, scales + width, sums,
                           {sums + width, sums + 2 * width}};
}

/* `step` words of four bytes further: by COLUMNS_GROUP_BYTES / 4 * width to the next group along K. */
static inline void columns_move(columns_group *g, size_t step) {
    *g = (columns_group){g->q + 4 * step, g->d + step, g->ds + step, g->s + step,
                         {g->lanes[0] + step, g->lanes[1] + step}};
}

/* From a group to the next along K, in a block of `width` columns. */
static inline void columns_next(columns_group *g, size_t width) {
    columns_move(g, COLUMNS_GROUP_BYTES / 4 * width);
}

/* Quantizes a row [cols] into its place by a tier's kernel; or `count` groups of it from one on, `row` still its
   begin. */
void columns_put(const cpu_columns *x, const cpu_kernels *k, const float *row, uint32_t column);
void columns_put_groups(const cpu_columns *x, const cpu_kernels *k, const float *row, uint32_t column, uint32_t first,
                        uint32_t count);

#endif
