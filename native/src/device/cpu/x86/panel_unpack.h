// SPDX-License-Identifier: Apache-2.0
/*
 * A tile's block to a panel (panel.h), for each format; the layouts are in format/quant/NAME.c and pack.h. Written for
 * 64 bytes at a time as the compiler's vectors, which every tier's file compiles for itself. It defines before it:
 *
 *     panel_halves(in, out)       16 halves to singles
 *     panel_lookup(table, bytes)  64 bytes in 0 ... 15, each replaced by table's
 *
 * Their arguments and results are never passed by a call, all being inlined: -Wno-psabi is safe.
 */
#ifndef PUNA_DEVICE_CPU_PANEL_UNPACK_H
#define PUNA_DEVICE_CPU_PANEL_UNPACK_H

#include <string.h>

#include "device/cpu/kernels.h"

#define PANEL static inline __attribute__((always_inline))

typedef uint8_t panel_u8 __attribute__((vector_size(64)));
typedef int32_t panel_s32 __attribute__((vector_size(64)));
typedef uint32_t panel_u32 __attribute__((vector_size(64)));
typedef float panel_f32 __attribute__((vector_size(64)));

PANEL panel_u8 panel_bytes_at(const uint8_t *at) {
    panel_u8 x;
    memcpy(&x, at, sizeof x);
    return x;
}

/* One u32 a row. */
PANEL panel_u32 panel_words_at(const uint8_t *at) {
    panel_u32 x;
    memcpy(&x, at, sizeof x);
    return x;
}

PANEL panel_f32 panel_halves_at(const uint8_t *at) {
    float out[CPU_TILE];
    panel_f32 x;
    panel_halves(at, out);
    memcpy(&x, out, sizeof x);
    return x;
}

PANEL void panel_put(uint8_t *numbers, uint32_t four, panel_u8 x) { memcpy(numbers + 64 * four, &x, sizeof x); }

/* out = d * whole numbers */
PANEL void panel_scale(float *out, panel_f32 d, panel_u32 whole) {
    panel_f32 x = d * __builtin_convertvector((panel_s32)whole, panel_f32);
    memcpy(out, &x, sizeof x);
}

/* Bits 4 p ... 4 p + 3 of each row's word, as bit 4 of its four bytes. */
PANEL panel_u8 panel_fifths(panel_u32 word, uint32_t p) {
    panel_u32 four = (word >> (4 * p)) & 15;
    return (panel_u8)(((four * 0x00204081u) & 0x01010101u) << 4);
}

/* ---- blocks of 32 ---- */

PANEL void panel_nibbles(const uint8_t *in, uint8_t *numbers) {
#pragma GCC unroll 4
    for (uint32_t p = 0; p < 4; p++) {
        panel_u8 x = panel_bytes_at(in + 64 * p);
        panel_put(numbers, p, x & 15);
        panel_put(numbers, p + 4, x >> 4);
    }
}

PANEL void panel_five(const uint8_t *in, uint8_t *numbers) {
    panel_u32 fifths = panel_words_at(in);
#pragma GCC unroll 4
    for (uint32_t p = 0; p < 4; p++) {
        panel_u8 x = panel_bytes_at(in + 64 + 64 * p);
        panel_put(numbers, p, (x & 15) | panel_fifths(fifths, p));
        panel_put(numbers, p + 4, (x >> 4) | panel_fifths(fifths, p + 4));
    }
}

static void panel_q5_0(const uint8_t *block, uint8_t *numbers, float *scales, float *minimums) {
    (void)minimums;
    panel_halves(block, scales);
    panel_five(block + 32, numbers);
}

static void panel_q5_1(const uint8_t *block, uint8_t *numbers, float *scales, float *minimums) {
    panel_halves(block, scales);
    panel_halves(block + 32, minimums);
    panel_five(block + 64, numbers);
}

/* IQ4_NL's and IQ4_XS's values plus 128, MXFP4's doubled ones plus 16. */
static const uint8_t panel_uneven[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
static const uint8_t panel_doubled[16] = {16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4};

static void panel_iq4_nl(const uint8_t *block, uint8_t *numbers, float *scales, float *minimums) {
    (void)minimums;
    panel_halves(block, scales);
    panel_nibbles(block + 32, numbers);
    for (uint32_t i = 0; i < 8; i++) panel_lookup(panel_uneven, numbers + 64 * i);
}

static void panel_mxfp4(const uint8_t *block, uint8_t *numbers, float *scales, float *minimums) {
    (void)minimums;
    for (uint32_t r = 0; r < CPU_TILE; r++) {
        uint32_t e = block[r], bits = e < 2 ? UINT32_C(0x00200000) << e : (e - 1) << 23;
        memcpy(&scales[r], &bits, sizeof bits);
    }
    panel_nibbles(block + 16, numbers);
    for (uint32_t i = 0; i < 8; i++) panel_lookup(panel_doubled, numbers + 64 * i);
}

/* ---- blocks of 256 ---- */

static void panel_iq4_xs(const uint8_t *block, uint8_t *numbers, float *scales, float *minimums) {
    panel_f32 d = panel_halves_at(block);
    panel_u32 low = panel_words_at(block + 64), high;
    (void)minimums;
    for (uint32_t r = 0; r < CPU_TILE; r++) high[r] = block[32 + 2 * r] | (uint32_t)block[33 + 2 * r] << 8;
    for (uint32_t u = 0; u < 8; u++) {
        panel_scale(scales + CPU_TILE * u, d, (((low >> (4 * u)) & 15) | ((high >> (2 * u)) & 3) << 4) - 32);
        panel_nibbles(block + 128 + 256 * u, numbers + 512 * u);
    }
    for (uint32_t i = 0; i < 64; i++) panel_lookup(panel_uneven, numbers + 64 * i);
}

/* Q4_K's and Q5_K's, from the block's begin. */
PANEL void panel_six_bits(const uint8_t *block, float *scales, float *minimums) {
    panel_f32 d = panel_halves_at(block), least = -panel_halves_at(block + 32);
    panel_u32 s = panel_words_at(block + 64), n = panel_words_at(block + 128), mixed = panel_words_at(block + 192);
#pragma GCC unroll 4
    for (uint32_t j = 0; j < 4; j++) {
        uint32_t byte = 8 * j;
        panel_scale(scales + CPU_TILE * j, d, (s >> byte) & 63);
        panel_scale(minimums + CPU_TILE * j, least, (n >> byte) & 63);
        panel_scale(scales + CPU_TILE * (4 + j), d, ((mixed >> byte) & 15) | ((s >> (byte + 6)) & 3) << 4);
        panel_scale(minimums + CPU_TILE * (4 + j), least, ((mixed >> (byte + 4)) & 15) | ((n >> (byte + 6)) & 3) << 4);
    }
}

static void panel_q4_k(const uint8_t *block, uint8_t *numbers, float *scales, float *minimums) {
    panel_six_bits(block, scales, minimums);
#pragma GCC unroll 32
    for (uint32_t p = 0; p < 32; p++) {
        panel_u8 x = panel_bytes_at(block + 256 + 64 * p);
        panel_put(numbers, p / 8 * 16 + p % 8, x & 15);
        panel_put(numbers, p / 8 * 16 + p % 8 + 8, x >> 4);
    }
}

static void panel_q5_k(const uint8_t *block, uint8_t *numbers, float *scales, float *minimums) {
    panel_six_bits(block, scales, minimums);
#pragma GCC unroll 8
    for (uint32_t p = 0; p < 8; p++) {
        panel_u8 fifths = panel_bytes_at(block + 256 + 64 * p);
#pragma GCC unroll 4
        for (uint32_t c = 0; c < 4; c++) {
            panel_u8 x = panel_bytes_at(block + 768 + 64 * (8 * c + p));
            panel_put(numbers, 16 * c + p, (x & 15) | ((fifths >> (uint8_t)(2 * c)) & 1) << 4);
            panel_put(numbers, 16 * c + 8 + p, (x >> 4) | ((fifths >> (uint8_t)(2 * c + 1)) & 1) << 4);
        }
    }
}

static void panel_q6_k(const uint8_t *block, uint8_t *numbers, float *scales, float *minimums) {
    panel_f32 d = panel_halves_at(block + 16 * 208);
    (void)minimums;
    for (uint32_t u = 0; u < 16; u++) {
        panel_s32 s = (panel_s32)(panel_words_at(block + 16 * 192 + 64 * (u / 4)) << (24 - 8 * (u % 4))) >> 24;
        panel_scale(scales + CPU_TILE * u, d, (panel_u32)s);
    }
#pragma GCC unroll 2
    for (uint32_t h = 0; h < 2; h++)
#pragma GCC unroll 16
        for (uint32_t p = 0; p < 16; p++) {
            panel_u8 x = panel_bytes_at(block + 64 * (16 * h + p));
            panel_u8 high = panel_bytes_at(block + 16 * 128 + 64 * (8 * h + p % 8)) >> (uint8_t)(2 * (p / 8));
            panel_put(numbers, 32 * h + p, (x & 15) | (high & 3) << 4);
            panel_put(numbers, 32 * h + 16 + p, (x >> 4) | (high & 0x30));
        }
}

static void panel_q3_k(const uint8_t *block, uint8_t *numbers, float *scales, float *minimums) {
    panel_f32 d = panel_halves_at(block + 16 * 108);
    panel_u32 high = panel_words_at(block + 16 * 104);
    (void)minimums;
    for (uint32_t u = 0; u < 16; u++) {
        panel_u32 low = panel_words_at(block + 16 * 96 + 64 * (u / 4 % 2)) >> (8 * (u % 4) + 4 * (u / 8));
        panel_scale(scales + CPU_TILE * u, d, ((low & 15) | ((high >> (8 * (u % 4) + 2 * (u / 4))) & 3) << 4) - 32);
    }
#pragma GCC unroll 2
    for (uint32_t h = 0; h < 2; h++)
#pragma GCC unroll 8
        for (uint32_t p = 0; p < 8; p++) {
            panel_u8 x = panel_bytes_at(block + 512 + 64 * (8 * h + p)), third = panel_bytes_at(block + 64 * p);
#pragma GCC unroll 4
            for (uint32_t j = 0; j < 4; j++)
                panel_put(numbers, 32 * h + 8 * j + p,
                          ((x >> (uint8_t)(2 * j)) & 3) | ((third >> (uint8_t)(4 * h + j)) & 1) << 2);
        }
}

static void panel_q2_k(const uint8_t *block, uint8_t *numbers, float *scales, float *minimums) {
    panel_f32 d = panel_halves_at(block + 16 * 80), least = -panel_halves_at(block + 16 * 82);
    for (uint32_t u = 0; u < 16; u++) {
        panel_u32 x = panel_words_at(block + 64 * (u / 4)) >> (8 * (u % 4));
        panel_scale(scales + CPU_TILE * u, d, x & 15);
        panel_scale(minimums + CPU_TILE * u, least, (x >> 4) & 15);
    }
#pragma GCC unroll 2
    for (uint32_t h = 0; h < 2; h++)
#pragma GCC unroll 8
        for (uint32_t p = 0; p < 8; p++) {
            panel_u8 x = panel_bytes_at(block + 256 + 64 * (8 * h + p));
#pragma GCC unroll 4
            for (uint32_t j = 0; j < 4; j++) panel_put(numbers, 32 * h + 8 * j + p, (x >> (uint8_t)(2 * j)) & 3);
        }
}

/* ---- sums of units of 16 (panel_kind.sums) ---- */

PANEL int32_t panel_sixteen(const int8_t *q) {
    int32_t sum = 0;
    for (int i = 0; i < 16; i++) sum += q[i];
    return sum;
}

PANEL void panel_biases(const int8_t *q, uint32_t cols, uint32_t shift, int32_t *out) {
    for (uint32_t u = 0; u < cols / 16; u++, q += 16) out[u] = -(panel_sixteen(q) * (1 << shift));
}

static void panel_sums_4(const int8_t *q, const float *d, uint32_t cols, void *out) {
    (void)d;
    panel_biases(q, cols, 2, out);
}

static void panel_sums_32(const int8_t *q, const float *d, uint32_t cols, void *out) {
    (void)d;
    panel_biases(q, cols, 5, out);
}

static void panel_sums_scaled(const int8_t *q, const float *d, uint32_t cols, void *out) {
    float *scaled = out;
    for (uint32_t u = 0; u < cols / 16; u++, q += 16) scaled[u] = d[u / 2] * (float)panel_sixteen(q);
}

/* ---- the table: FORMAT(name, numbers a block, bytes a block, unit, log2 of the bias or -1, minimums, largest byte,
   sums) ---- */

#define PANEL_FORMATS(FORMAT) \
    FORMAT(q5_0, 32, 22, 32, 4, 0, 31, NULL) \
    FORMAT(q5_1, 32, 24, 32, -1, 1, 31, NULL) \
    FORMAT(q2_k, 256, 84, 16, -1, 1, 3, panel_sums_scaled) \
    FORMAT(q3_k, 256, 110, 16, 2, 0, 7, panel_sums_4) \
    FORMAT(q4_k, 256, 144, 32, -1, 1, 15, NULL) \
    FORMAT(q5_k, 256, 176, 32, -1, 1, 31, NULL) \
    FORMAT(q6_k, 256, 210, 16, 5, 0, 63, panel_sums_32) \
    FORMAT(iq4_nl, 32, 18, 32, 7, 0, 241, NULL) \
    FORMAT(iq4_xs, 256, 136, 32, 7, 0, 241, NULL) \
    FORMAT(mxfp4, 32, 17, 32, 4, 0, 28, NULL)

#endif
