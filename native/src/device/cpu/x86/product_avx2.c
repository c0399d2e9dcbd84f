// SPDX-License-Identifier: Apache-2.0
/*
 * Products of quantized weights without VNNI, 16 rows (one tile) by up to four columns at a time. vpmaddubsw adds two
 * products u8 * s8 in 16 bits and saturates, so it must not come near: 4-bit numbers give at most 2 * 15 * 127 = 3,810
 * and a whole block of eight such 30,480; Q8_0 goes as |w| * (a with w's sign), at most 2 * 128 * 127 = 32,512, widened
 * each time (a is never -128). So all sums are exact.
 */
#if defined(__x86_64__)

#include "device/cpu/x86/finish_avx2.h"
#include "device/cpu/x86/kernels_avx2.h"
#include "format/block.h"

#define INLINE static inline __attribute__((always_inline))

enum { COLUMNS = 4 };

/* A block of a tile: [8 steps of 4 along K][2 halves of the rows]. */
typedef struct unit {
    __m256i numbers[8][2]; /* u8; of Q8_0 magnitudes */
    __m256i sign[8][2];    /* Q8_0: the s8 numbers */
    __m256 scale[2], minimum[2];
} unit;

INLINE size_t block_bytes(uint32_t type) { return type == BLOCK_Q4_0 ? 288 : type == BLOCK_Q4_1 ? 320 : 544; }

INLINE void unpack(uint32_t type, const uint8_t *block, unit *u) {
    const __m256i low = _mm256_set1_epi8(15), bias = _mm256_set1_epi8(-128);
    const uint8_t *numbers = block + (type == BLOCK_Q4_1 ? 64 : 32);
    for (int h = 0; h < 2; h++) {
        u->scale[h] = eight_halves(block + 16 * h);
        if (type == BLOCK_Q4_1) u->minimum[h] = eight_halves(block + 32 + 16 * h);
        for (int j = 0; j < (type == BLOCK_Q8_0 ? 8 : 4); j++) {
            __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(numbers + 64 * j + 32 * h));
            if (type == BLOCK_Q8_0) {
                u->sign[j][h] = _mm256_xor_si256(x, bias);
                u->numbers[j][h] = _mm256_abs_epi8(u->sign[j][h]);
            } else {
                u->numbers[j][h] = _mm256_and_si256(x, low);
                u->numbers[j + 4][h] = _mm256_and_si256(_mm256_srli_epi16(x, 4), low);
            }
        }
    }
}

/* The exact sums of one unit for `columns` columns that lie `stride` apart. */
INLINE void sums(uint32_t type, int columns, const unit *u, const int8_t *a, size_t stride, __m256i sum[COLUMNS][2]) {
    const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 4
    for (int c = 0; c < columns; c++) sum[c][0] = sum[c][1] = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
#pragma GCC unroll 4
        for (int c = 0; c < columns; c++) {
            int32_t four;
            memcpy(&four, a + (size_t)c * stride + 4 * j, sizeof four);
            __m256i x = _mm256_set1_epi32(four);
#pragma GCC unroll 2
            for (int h = 0; h < 2; h++) {
                if (type == BLOCK_Q8_0) {
                    __m256i pairs = _mm256_maddubs_epi16(u->numbers[j][h], _mm256_sign_epi8(x, u->sign[j][h]));
                    sum[c][h] = _mm256_add_epi32(sum[c][h], _mm256_madd_epi16(pairs, ones));
                } else {
                    sum[c][h] = _mm256_add_epi16(sum[c][h], _mm256_maddubs_epi16(u->numbers[j][h], x));
                }
            }
        }
    }
    if (type == BLOCK_Q8_0) return;
#pragma GCC unroll 4
    for (int c = 0; c < columns; c++)
        for (int h = 0; h < 2; h++) sum[c][h] = _mm256_madd_epi16(sum[c][h], ones);
}

INLINE void tile_columns(uint32_t type, int columns, const cpu_product *p, uint32_t tile, uint32_t column) {
    const cpu_columns *x = p->x;
    const size_t cols = x->cols, groups = cols / CPU_GROUP;
    const uint8_t *block = p->weight->data + (size_t)tile * p->weight->tile_bytes;
    const int8_t *q = x->q + column * cols;
    __m256 acc[COLUMNS][2];
    for (int c = 0; c < columns; c++) acc[c][0] = acc[c][1] = _mm256_setzero_ps();
    for (size_t g = 0; g < groups; g++, block += block_bytes(type), q += CPU_GROUP) {
        unit u;
        __m256i sum[COLUMNS][2];
        unpack(type, block, &u);
        sums(type, columns, &u, q, cols, sum);
#pragma GCC unroll 4
        for (int c = 0; c < columns; c++) {
            size_t at = (column + (size_t)c) * groups + g;
            __m256 d = _mm256_set1_ps(x->d[at]);
#pragma GCC unroll 2
            for (int h = 0; h < 2; h++) {
                __m256i i = sum[c][h];
                if (type == BLOCK_Q4_0) i = _mm256_sub_epi32(i, _mm256_set1_epi32(8 * x->s[at]));
                acc[c][h] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(i), _mm256_mul_ps(u.scale[h], d), acc[c][h]);
                if (type == BLOCK_Q4_1) acc[c][h] = _mm256_fmadd_ps(u.minimum[h], _mm256_set1_ps(x->ds[at]), acc[c][h]);
            }
        }
    }
    for (int c = 0; c < columns; c++)
        for (uint32_t h = 0; h < 2; h++) eight_finish(p, tile, h, column + (uint32_t)c, acc[c][h]);
}

#define FORMAT(name, type) \
    static __attribute__((noinline)) void name##_1(const cpu_product *p, uint32_t tile, uint32_t column) { \
        tile_columns(type, 1, p, tile, column); \
    } \
    static __attribute__((noinline)) void name##_2(const cpu_product *p, uint32_t tile, uint32_t column) { \
        tile_columns(type, 2, p, tile, column); \
    } \
    static __attribute__((noinline)) void name##_4(const cpu_product *p, uint32_t tile, uint32_t column) { \
        tile_columns(type, 4, p, tile, column); \
    } \
    void avx2_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, void *scratch) { \
        (void)scratch; \
        for (uint32_t tile = tile_begin; tile < tile_end; tile++) { \
            uint32_t column = 0; \
            for (; p->count - column >= 4; column += 4) name##_4(p, tile, column); \
            for (; p->count - column >= 2; column += 2) name##_2(p, tile, column); \
            if (column < p->count) name##_1(p, tile, column); \
        } \
    }

FORMAT(q4_0, BLOCK_Q4_0)
FORMAT(q4_1, BLOCK_Q4_1)
FORMAT(q8_0, BLOCK_Q8_0)

#else
typedef int product_avx2_is_for_x86;
#endif
