// SPDX-License-Identifier: Apache-2.0
/*
 * Products of quantized weights, 16 rows (one tile) by up to 16 columns at a time. A block of a tile is unpacked once
 * into eight registers of u8 [16 rows][4 of K], which then meet each column's 32 activations; a column's float
 * accumulator stays in a register for all of K. Columns don't depend on each other, so that the processor overlaps
 * their chains by itself.
 */
#if defined(__x86_64__)

#include "device/cpu/x86/finish_avx512.h"
#include "device/cpu/x86/kernels_avx512.h"
#include "format/block.h"

#define INLINE static inline __attribute__((always_inline))

typedef struct unit {
    __m512i numbers[8];
    __m512 scale, minimum;
} unit;

INLINE __m512 halves(const uint8_t *at) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)at));
}

INLINE __m512i sixteen(const uint8_t *at) { return _mm512_loadu_si512((const void *)at); }

INLINE size_t block_bytes(uint32_t type) { return type == BLOCK_Q4_0 ? 288 : type == BLOCK_Q4_1 ? 320 : 544; }

INLINE void unpack(uint32_t type, const uint8_t *block, unit *u) {
    const __m512i low = _mm512_set1_epi8(15);
    const uint8_t *numbers = block + (type == BLOCK_Q4_1 ? 64 : 32);
    u->scale = halves(block);
    if (type == BLOCK_Q4_1) u->minimum = halves(block + 32);
    if (type == BLOCK_Q8_0) {
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) u->numbers[j] = sixteen(numbers + 64 * j);
    } else {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            __m512i x = sixteen(numbers + 64 * j);
            u->numbers[j] = _mm512_and_si512(x, low);
            u->numbers[j + 4] = _mm512_and_si512(_mm512_srli_epi16(x, 4), low);
        }
    }
}

/* One unit of one column. u8 numbers carry a bias (8, 128), taken off by the sum of the activations: exact integers. */
INLINE __m512 step(uint32_t type, const unit *u, const int8_t *a, const float *d, const float *ds, const int32_t *s,
                   __m512 acc) {
    __m512i sum = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
        int32_t four;
        memcpy(&four, a + 4 * j, sizeof four);
        sum = _mm512_dpbusd_epi32(sum, u->numbers[j], _mm512_set1_epi32(four));
    }
    if (type == BLOCK_Q4_0) sum = _mm512_sub_epi32(sum, _mm512_slli_epi32(_mm512_set1_epi32(*s), 3));
    if (type == BLOCK_Q8_0) sum = _mm512_sub_epi32(sum, _mm512_slli_epi32(_mm512_set1_epi32(*s), 7));
    __m512 scale = _mm512_mul_ps(u->scale, _mm512_set1_ps(*d));
    acc = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), scale, acc);
    if (type == BLOCK_Q4_1) acc = _mm512_fmadd_ps(u->minimum, _mm512_set1_ps(*ds), acc);
    return acc;
}

INLINE void tile_columns(uint32_t type, int columns, const cpu_product *p, uint32_t tile, uint32_t column) {
    const cpu_columns *x = p->x;
    const size_t cols = x->cols, groups = cols / CPU_GROUP;
    const uint8_t *block = p->weight->data + (size_t)tile * p->weight->tile_bytes;
    const int8_t *q = x->q + column * cols;
    const float *d = x->d + column * groups, *ds = x->ds + column * groups;
    const int32_t *s = x->s + column * groups;
    __m512 acc[16];
#pragma GCC unroll 16
    for (int c = 0; c < columns; c++) acc[c] = _mm512_setzero_ps();
    for (size_t g = 0; g < groups; g++, block += block_bytes(type), q += CPU_GROUP) {
        unit u;
        unpack(type, block, &u);
        const int8_t *a = q;
        size_t at = g, next = cols, next_at = groups;
        /* Hides from the compiler that the steps are the same each time: it would keep 64 pointers in memory. */
        __asm__("" : "+r"(next), "+r"(next_at));
#pragma GCC unroll 16
        for (int c = 0; c < columns; c++, a += next, at += next_at)
            acc[c] = step(type, &u, a, d + at, ds + at, s + at, acc[c]);
    }
#pragma GCC unroll 16
    for (int c = 0; c < columns; c++) wide_finish(p, tile, column + (uint32_t)c, acc[c]);
}

/* One function for each format and number of columns. */
#define COLUMNS(name, type, columns) \
    static __attribute__((noinline)) void name##_##columns(const cpu_product *p, uint32_t tile, uint32_t column) { \
        tile_columns(type, columns, p, tile, column); \
    }

#define FORMAT(name, type) \
    COLUMNS(name, type, 1) \
    COLUMNS(name, type, 2) \
    COLUMNS(name, type, 3) \
    COLUMNS(name, type, 4) \
    COLUMNS(name, type, 5) \
    COLUMNS(name, type, 6) \
    COLUMNS(name, type, 7) \
    COLUMNS(name, type, 8) \
    COLUMNS(name, type, 12) \
    COLUMNS(name, type, 16) \
    static uint32_t name(const cpu_product *p, uint32_t tile, uint32_t column) { \
        uint32_t left = p->count - column; \
        if (left >= 16) return name##_16(p, tile, column), 16; \
        if (left >= 12) return name##_12(p, tile, column), 12; \
        switch (left) { \
        case 1: return name##_1(p, tile, column), 1; \
        case 2: return name##_2(p, tile, column), 2; \
        case 3: return name##_3(p, tile, column), 3; \
        case 4: return name##_4(p, tile, column), 4; \
        case 5: return name##_5(p, tile, column), 5; \
        case 6: return name##_6(p, tile, column), 6; \
        case 7: return name##_7(p, tile, column), 7; \
        default: return name##_8(p, tile, column), 8; \
        } \
    } \
    void avx512_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, void *scratch) { \
        (void)scratch; \
        for (uint32_t tile = tile_begin; tile < tile_end; tile++) \
            for (uint32_t column = 0; column < p->count;) column += name(p, tile, column); \
    }

FORMAT(q4_0, BLOCK_Q4_0)
FORMAT(q4_1, BLOCK_Q4_1)
FORMAT(q8_0, BLOCK_Q8_0)

#else
typedef int product_avx512_is_for_x86;
#endif
