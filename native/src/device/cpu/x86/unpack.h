// SPDX-License-Identifier: Apache-2.0
/*
 * A packed tile's block (pack.h) to registers, for each format: 32 numbers along K of a part of the rows as eight
 * registers, each of four bytes a row, and the scales and minimums of the block's units, one float a row. The layouts
 * are in format/quant/NAME.c, those of blocks that are turned before in pack_turned.h. Numbers are unsigned: formats
 * with a bias, a power of two, have it added.
 *
 * Written in the compiler's vectors, of a tier's width. The tier's file defines before it:
 *
 *     UNPACK_BYTES             of a register: 64 (all 16 rows), or 32 (eight rows: part 0 and part 1)
 *     unpack_halves(at)        as many halves to singles as it has lanes
 *     unpack_wide(at)          as many signed bytes to words (the compiler does that of eight bytes one by one)
 *     unpack_lookup(table, x)  bytes in 0 ... 15, each replaced by table's
 *
 * Nothing here is passed by a call, all being inlined: -Wno-psabi is safe.
 */
#ifndef PUNA_DEVICE_CPU_UNPACK_H
#define PUNA_DEVICE_CPU_UNPACK_H

#include <string.h>

#include "device/cpu/kernels.h"
#include "format/block.h"

#define UNPACK static inline __attribute__((always_inline))

enum { UNPACK_ROWS = UNPACK_BYTES / 4 };

typedef uint8_t unpack_u8 __attribute__((vector_size(UNPACK_BYTES)));
typedef uint16_t unpack_u16 __attribute__((vector_size(UNPACK_BYTES)));
typedef uint32_t unpack_u32 __attribute__((vector_size(UNPACK_BYTES)));
typedef int32_t unpack_s32 __attribute__((vector_size(UNPACK_BYTES)));
typedef float unpack_f32 __attribute__((vector_size(UNPACK_BYTES)));
typedef uint16_t unpack_row_u16 __attribute__((vector_size(2 * UNPACK_ROWS)));

/* Where to read: a block of a tile, and which part of its rows. `at` is a piece's offset in the block of a row, as
   it was packed. */
typedef struct unpack_block {
    const uint8_t *data;
    uint32_t part;
} unpack_block;

UNPACK const uint8_t *unpack_at(unpack_block b, size_t at, size_t width) {
    return b.data + CPU_TILE * at + b.part * UNPACK_ROWS * width;
}

UNPACK unpack_u8 unpack_bytes(unpack_block b, size_t at) {
    unpack_u8 x;
    memcpy(&x, unpack_at(b, at, 4), sizeof x);
    return x;
}

UNPACK unpack_u32 unpack_words(unpack_block b, size_t at) { return (unpack_u32)unpack_bytes(b, at); }

UNPACK unpack_f32 unpack_half(unpack_block b, size_t at) { return unpack_halves(unpack_at(b, at, 2)); }

/* Each byte's bits from `shift` on; those above the field that is meant must be masked by `mask`. */
UNPACK unpack_u8 unpack_bits(unpack_u8 x, size_t shift, uint8_t mask) {
    return (unpack_u8)((unpack_u16)x >> (uint16_t)shift) & mask;
}

/* The same to the left. */
UNPACK unpack_u8 unpack_raised(unpack_u8 x, size_t shift, uint8_t mask) {
    return (unpack_u8)((unpack_u16)x << (uint16_t)shift) & mask;
}

UNPACK unpack_f32 unpack_scaled(unpack_f32 d, unpack_u32 whole) {
    return d * __builtin_convertvector((unpack_s32)whole, unpack_f32);
}

/* ---- numbers: four `j` of 8 of group `run + i` of the block, `i` below unpack_run ---- */

UNPACK unpack_u8 unpack_nibble(unpack_block b, size_t at, size_t j) {
    return unpack_bits(unpack_bytes(b, at + 4 * (j % 4)), j < 4 ? 0 : 4, 15);
}

/* Bit j of each byte of Q5_0's and Q5_1's word, as pack_pieces.c turned it. */
UNPACK unpack_u8 unpack_fifth(unpack_block b, size_t at, size_t j) {
    unpack_u8 x = unpack_bytes(b, at);
    return j < 4 ? unpack_raised(x, 4 - j, 16) : unpack_bits(x, j - 4, 16);
}

UNPACK unpack_u8 unpack_q5_k(unpack_block b, size_t run, size_t i, size_t j) {
    unpack_u8 fifths = unpack_bits(unpack_bytes(b, 16 + 4 * j), run, 3);
    return unpack_bits(unpack_bytes(b, 48 + 16 * run + 4 * j), 4 * i, 15) | unpack_raised(fifths, 4 - i, 16);
}

/* As pack_turned.h has it. */
UNPACK unpack_u8 unpack_q6_k(unpack_block b, size_t run, size_t i, size_t j) {
    const size_t at = 18 + 24 * run + 4 * j;
    if (i < 3) return unpack_bytes(b, at + 32 * i) & 63;
    return unpack_bits(unpack_bytes(b, at), 6, 3) | unpack_bits(unpack_bytes(b, at + 32), 4, 12) |
           unpack_bits(unpack_bytes(b, at + 64), 2, 48);
}

UNPACK unpack_u8 unpack_q3_k(unpack_block b, size_t run, size_t i, size_t j) {
    unpack_u8 third = unpack_bits(unpack_bytes(b, 4 * j), run, 15);
    third = i < 2 ? unpack_raised(third, 2 - i, 4) : unpack_bits(third, i - 2, 4);
    return unpack_bits(unpack_bytes(b, 32 + 8 * run + 4 * j), 2 * i, 3) | third;
}

/* IQ4_NL's and IQ4_XS's values plus 128, MXFP4's doubled ones plus 16. */
static const uint8_t unpack_uneven[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
static const uint8_t unpack_doubled[16] = {16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4};

UNPACK unpack_u8 unpack_four(uint32_t type, unpack_block b, size_t run, size_t i, size_t j) {
    switch (type) {
    case BLOCK_Q4_0: return unpack_nibble(b, 2, j);
    case BLOCK_Q4_1: return unpack_nibble(b, 4, j);
    case BLOCK_Q5_0: return unpack_nibble(b, 6, j) | unpack_fifth(b, 2, j);
    case BLOCK_Q5_1: return unpack_nibble(b, 8, j) | unpack_fifth(b, 4, j);
    case BLOCK_Q2_K: return unpack_bits(unpack_bytes(b, 16 + 8 * run + 4 * j), 2 * i, 3);
    case BLOCK_Q3_K: return unpack_q3_k(b, run, i, j);
    case BLOCK_Q4_K: return unpack_bits(unpack_bytes(b, 16 + 16 * run + 4 * j), 4 * i, 15);
    case BLOCK_Q5_K: return unpack_q5_k(b, run, i, j);
    case BLOCK_Q6_K: return unpack_q6_k(b, run, i, j);
    case BLOCK_IQ4_NL: return unpack_lookup(unpack_uneven, unpack_nibble(b, 2, j));
    case BLOCK_IQ4_XS: return unpack_lookup(unpack_uneven, unpack_nibble(b, 8 + 16 * run, j));
    case BLOCK_MXFP4: return unpack_lookup(unpack_doubled, unpack_nibble(b, 1, j));
    default: return unpack_bytes(b, 2 + 4 * j); /* Q8_0 */
    }
}

/* ---- scales and minimums of all units of the block ---- */

/* w = 2^(e - 128); the lowest two are below the normal numbers. */
UNPACK unpack_f32 unpack_powers(unpack_block b) {
    unpack_u32 e = (unpack_u32)unpack_wide(unpack_at(b, 0, 1)) & 255, small = (unpack_u32)(e < 2);
    return (unpack_f32)((small & ((e + 1) << 21)) | (~small & ((e - 1) << 23)));
}

UNPACK void unpack_six_bits(unpack_block b, unpack_f32 *scales, unpack_f32 *minimums) {
    unpack_f32 d = unpack_half(b, 0), least = -unpack_half(b, 2);
    unpack_u32 s = unpack_words(b, 4), n = unpack_words(b, 8), mixed = unpack_words(b, 12);
#pragma GCC unroll 4
    for (uint32_t j = 0; j < 4; j++) {
        uint32_t byte = 8 * j;
        scales[j] = unpack_scaled(d, (s >> byte) & 63);
        minimums[j] = unpack_scaled(least, (n >> byte) & 63);
        scales[4 + j] = unpack_scaled(d, ((mixed >> byte) & 15) | ((s >> (byte + 2)) & 48));
        minimums[4 + j] = unpack_scaled(least, ((mixed >> (byte + 4)) & 15) | ((n >> (byte + 2)) & 48));
    }
}

UNPACK void unpack_sixteens(uint32_t type, unpack_block b, unpack_f32 *scales, unpack_f32 *minimums) {
    unpack_f32 d = unpack_half(b, type == BLOCK_Q6_K ? 0 : type == BLOCK_Q3_K ? 108 : 80), least = d;
    unpack_u32 high = {0};
    if (type == BLOCK_Q2_K) least = -unpack_half(b, 82);
    if (type == BLOCK_Q3_K) high = unpack_words(b, 104);
#pragma GCC unroll 16
    for (uint32_t u = 0; u < 16; u++) {
        uint32_t byte = 8 * (u % 4);
        if (type == BLOCK_Q6_K) {
            scales[u] = unpack_scaled(d, (unpack_u32)unpack_wide(unpack_at(b, 2 + u, 1)));
        } else if (type == BLOCK_Q3_K) {
            unpack_u32 low = (unpack_words(b, 96 + u / 4 % 2 * 4) >> (byte + u / 8 * 4)) & 15;
            scales[u] = unpack_scaled(d, (low | ((high >> (byte + u / 4 * 2)) & 3) << 4) - 32);
        } else {
            unpack_u32 x = unpack_words(b, u / 4 * 4) >> byte;
            scales[u] = unpack_scaled(d, x & 15);
            minimums[u] = unpack_scaled(least, (x >> 4) & 15);
        }
    }
}

UNPACK void unpack_iq4_xs(unpack_block b, unpack_f32 *scales) {
    unpack_f32 d = unpack_half(b, 0);
    unpack_row_u16 pairs;
    memcpy(&pairs, unpack_at(b, 2, 2), sizeof pairs);
    unpack_u32 low = unpack_words(b, 4), high = __builtin_convertvector(pairs, unpack_u32);
#pragma GCC unroll 8
    for (uint32_t u = 0; u < 8; u++)
        scales[u] = unpack_scaled(d, (((low >> (4 * u)) & 15) | ((high >> (2 * u)) & 3) << 4) - 32);
}

UNPACK void unpack_scales(uint32_t type, unpack_block b, unpack_f32 *scales, unpack_f32 *minimums) {
    switch (type) {
    case BLOCK_Q4_1:
    case BLOCK_Q5_1: minimums[0] = unpack_half(b, 2); /* fall through */
    case BLOCK_Q4_0:
    case BLOCK_Q5_0:
    case BLOCK_Q8_0:
    case BLOCK_IQ4_NL: scales[0] = unpack_half(b, 0); break;
    case BLOCK_Q4_K:
    case BLOCK_Q5_K: unpack_six_bits(b, scales, minimums); break;
    case BLOCK_IQ4_XS: unpack_iq4_xs(b, scales); break;
    case BLOCK_MXFP4: scales[0] = unpack_powers(b); break;
    default: unpack_sixteens(type, b, scales, minimums);
    }
}

/* ---- the table ---- */

/* What a tier's kernel has to know of a format; all constants where it is inlined. */
typedef struct unpack_format {
    uint32_t type, length, bytes, unit;
    uint32_t run;   /* groups along K whose unpacking differs: the kernel's loop takes so many at once */
    int bias;       /* log2, -1: none */
    bool minimums;
    int top;        /* the largest byte */
} unpack_format;

#define UNPACK_FORMATS(FORMAT) \
    FORMAT(q4_0, BLOCK_Q4_0, 32, 18, 32, 1, 3, false, 15) \
    FORMAT(q4_1, BLOCK_Q4_1, 32, 20, 32, 1, -1, true, 15) \
    FORMAT(q8_0, BLOCK_Q8_0, 32, 34, 32, 1, 7, false, 255) \
    FORMAT(q5_0, BLOCK_Q5_0, 32, 22, 32, 1, 4, false, 31) \
    FORMAT(q5_1, BLOCK_Q5_1, 32, 24, 32, 1, -1, true, 31) \
    FORMAT(q2_k, BLOCK_Q2_K, 256, 84, 16, 4, -1, true, 3) \
    FORMAT(q3_k, BLOCK_Q3_K, 256, 110, 16, 4, 2, false, 7) \
    FORMAT(q4_k, BLOCK_Q4_K, 256, 144, 32, 2, -1, true, 15) \
    FORMAT(q5_k, BLOCK_Q5_K, 256, 176, 32, 2, -1, true, 31) \
    FORMAT(q6_k, BLOCK_Q6_K, 256, 210, 16, 4, 5, false, 63) \
    FORMAT(iq4_nl, BLOCK_IQ4_NL, 32, 18, 32, 1, 7, false, 241) \
    FORMAT(iq4_xs, BLOCK_IQ4_XS, 256, 136, 32, 1, 7, false, 241) \
    FORMAT(mxfp4, BLOCK_MXFP4, 32, 17, 32, 1, 4, false, 28)

#endif
