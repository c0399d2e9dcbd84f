// SPDX-License-Identifier: Apache-2.0
/*
 * Block formats: how a tensor's numbers lie in a file. One row a format (block.def), one file a format (quant/NAME.c).
 *
 * A row of K numbers is K / block->length blocks of block->bytes bytes each, without padding; K is a multiple of
 * length.
 */
#ifndef PUNA_FORMAT_BLOCK_H
#define PUNA_FORMAT_BLOCK_H

#include <stddef.h>
#include <stdint.h>

/* GGUF's tensor type numbers, of the formats that we decode. */
enum {
    BLOCK_F32 = 0, BLOCK_F16 = 1, BLOCK_Q4_0 = 2, BLOCK_Q4_1 = 3, BLOCK_Q5_0 = 6, BLOCK_Q5_1 = 7, BLOCK_Q8_0 = 8,
    BLOCK_Q2_K = 10, BLOCK_Q3_K = 11, BLOCK_Q4_K = 12, BLOCK_Q5_K = 13, BLOCK_Q6_K = 14, BLOCK_IQ4_NL = 20,
    BLOCK_IQ4_XS = 23, BLOCK_BF16 = 30, BLOCK_MXFP4 = 39
};

enum { BLOCK_LENGTH_MAX = 256, BLOCK_BYTES_MAX = 210 }; /* of the formats that we decode */

typedef struct block_format {
    uint32_t type;     /* GGUF's number */
    const char *name;  /* "Q4_1" */
    uint32_t length;   /* numbers a block */
    uint32_t bytes;    /* bytes a block */
    /* `count` numbers (a multiple of length) from blocks to floats, and back (nearest; as llama.cpp's reference
       quantizers do, so that files agree). Sources need no alignment. encode is NULL for formats that we only read. */
    void (*decode)(const uint8_t *blocks, size_t count, float *out);
    void (*encode)(const float *values, size_t count, uint8_t *blocks);
    /* One block as whole numbers and, for each `unit` of them, a float scale and minimum (`minimums` is left alone
       unless has_minimums): number * scale + minimum. NULL for F32, F16, BF16, Q4_0, Q4_1, Q8_0. */
    uint32_t unit;
    int has_minimums;
    void (*parts)(const uint8_t *block, int8_t *numbers, float *scales, float *minimums);
} block_format;

/* The format's row, or NULL for a number that this library does not decode. */
const block_format *block_find(uint32_t type);

/* The name of any GGUF tensor type, also of those that we don't decode: "Q4_1", "IQ2_XXS"; "type 77" style names are
   the caller's matter: NULL for an unknown number. */
const char *block_type_name(uint32_t type);

/* The names of all formats that we decode, "F32, F16, Q4_0", for messages; cut to whole names. Returns `out`. */
const char *block_names(char *out, size_t capacity);

/* The first of `count` blocks whose scale is NaN or infinite (of a float format: such a number); count if there is
   none. */
size_t block_unsound(uint32_t type, const uint8_t *blocks, size_t count);

/* Length and bytes of any known GGUF tensor type's blocks; 0 if unknown. */
int block_type_shape(uint32_t type, uint32_t *length, uint32_t *bytes);

#endif
