// SPDX-License-Identifier: Apache-2.0
/* Products of F32, F16 and BF16 weights: three tiles (16 rows, two registers each) by two columns at a time. */
#if defined(__x86_64__)

#include "device/cpu/x86/finish_avx2.h"
#include "device/cpu/x86/kernels_avx2.h"
#include "format/block.h"

#define INLINE static inline __attribute__((always_inline))

INLINE __m256 rows8(uint32_t type, const uint8_t *tile, size_t k, int part) {
    size_t at = CPU_TILE * k + 8 * (size_t)part;
    if (type == BLOCK_F32) return _mm256_loadu_ps((const void *)(tile + 4 * at));
    if (type == BLOCK_F16) return eight_halves(tile + 2 * at);
    __m128i h = _mm_loadu_si128((const __m128i *)(const void *)(tile + 2 * at));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

INLINE void block(uint32_t type, int tiles, int columns, const cpu_product *p, uint32_t tile, uint32_t column) {
    const size_t cols = p->weight->cols, bytes = p->weight->tile_bytes;
    const uint8_t *w = p->weight->data + (size_t)tile * bytes;
    const float *x = p->xf + (size_t)column * p->xf_stride;
    __m256 acc[8][2]; /* [tile and part][column] */
#pragma GCC unroll 8
    for (int t = 0; t < 2 * tiles; t++)
#pragma GCC unroll 2
        for (int c = 0; c < columns; c++) acc[t][c] = _mm256_setzero_ps();
    for (size_t k = 0; k < cols; k++) {
        __m256 a[2];
#pragma GCC unroll 2
        for (int c = 0; c < columns; c++) a[c] = _mm256_set1_ps(x[(size_t)c * p->xf_stride + k]);
#pragma GCC unroll 8
        for (int t = 0; t < 2 * tiles; t++) {
            __m256 v = rows8(type, w + (size_t)(t / 2) * bytes, k, t % 2);
#pragma GCC unroll 2
            for (int c = 0; c < columns; c++) acc[t][c] = _mm256_fmadd_ps(v, a[c], acc[t][c]);
        }
    }
#pragma GCC unroll 8
    for (int t = 0; t < 2 * tiles; t++)
#pragma GCC unroll 2
        for (int c = 0; c < columns; c++)
            eight_finish(p, tile + (uint32_t)t / 2, (uint32_t)t % 2, column + (uint32_t)c, acc[t][c]);
}

#define BLOCK(name, type, tiles, columns) \
    static __attribute__((noinline)) void name##_##tiles##x##columns(const cpu_product *p, uint32_t tile, \
                                                                     uint32_t column) { \
        block(type, tiles, columns, p, tile, column); \
    }

#define SWEEP(name, type, tiles) \
    BLOCK(name, type, tiles, 1) \
    BLOCK(name, type, tiles, 2) \
    static void name##_sweep##tiles(const cpu_product *p, uint32_t tile) { \
        uint32_t column = 0; \
        for (; p->count - column >= 2; column += 2) name##_##tiles##x2(p, tile, column); \
        if (column < p->count) name##_##tiles##x1(p, tile, column); \
    }

#define FORMAT(name, type) \
    SWEEP(name, type, 1) \
    SWEEP(name, type, 3) \
    void avx2_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) { \
        uint32_t tile = tile_begin; \
        for (; tile < tile_end && tile_end - tile >= 3; tile += 3) name##_sweep3(p, tile); \
        for (; tile < tile_end; tile++) name##_sweep1(p, tile); \
    }

FORMAT(f32, BLOCK_F32)
FORMAT(f16, BLOCK_F16)
FORMAT(bf16, BLOCK_BF16)

#else
typedef int float_avx2_is_for_x86;
#endif
