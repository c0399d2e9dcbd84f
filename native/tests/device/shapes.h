// SPDX-License-Identifier: Apache-2.0
/* Random weights, activations and cache pages for the kernels' tests and bench. */
#ifndef PUNA_TEST_SHAPES_H
#define PUNA_TEST_SHAPES_H

#include "device/cpu/kernels.h"

typedef struct shapes_matrix {
    cpu_weight weight;
    uint8_t *file;   /* rows in the file's layout */
    size_t row_bytes;
    uint8_t *tiles;
} shapes_matrix;

typedef struct shapes_columns {
    cpu_columns x;
    float *floats; /* [count][cols] */
} shapes_columns;

typedef struct shapes_cache {
    cpu_attention a;
    uint32_t positions;
    const uint8_t **pages;
    uint8_t *bytes;
} shapes_cache;

enum { SHAPES_TYPES = 16, SHAPES_FLOATS = 3 };

extern const uint32_t shapes_types[SHAPES_TYPES]; /* floats first */

/* `cols` rounded up to whole blocks of the type. */
uint32_t shapes_whole(uint32_t type, uint32_t cols);

/* Zeros between guard pages (guarded.h): bytes at a multiple of 64, floats of 4. */
void *shapes_new(size_t bytes);
float *shapes_floats(size_t n);
void shapes_free(void *block);

/* Random rows: blocks with any nibbles and halves of moderate size; `wild` adds zeros, denormals and huge scales. */
shapes_matrix shapes_matrix_new(uint32_t type, uint32_t rows, uint32_t cols, bool wild);
void shapes_matrix_free(shapes_matrix *m);

shapes_columns shapes_columns_new(uint32_t cols, uint32_t count, bool wild);
void shapes_columns_free(shapes_columns *c);

/* Pages for `positions` keys, all stored by ref; the rest of the last page is filled with NaN. */
shapes_cache shapes_cache_new(cpu_attention a, uint32_t positions);
void shapes_cache_free(shapes_cache *c);

/* Whether n floats are the same bits, NaN being equal to any NaN; the first difference in *at. */
bool shapes_same(const float *a, const float *b, size_t n, size_t *at);

#endif
