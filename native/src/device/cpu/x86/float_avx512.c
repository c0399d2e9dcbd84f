// SPDX-License-Identifier: Apache-2.0
/*
 * Products of F32, F16 and BF16 weights: several tiles (16 rows each) by several columns at a time, so that enough
 * independent accumulators are in flight; each is one register for all of K.
 */
#if defined(__x86_64__)

#include "device/cpu/x86/finish_avx512.h"
#include "device/cpu/x86/kernels_avx512.h"
#include "format/block.h"

#define INLINE static inline __attribute__((always_inline))

INLINE __m512 rows16(uint32_t type, const uint8_t *tile, size_t k) {
    if (type == BLOCK_F32) return _mm512_loadu_ps((const void *)(tile + 64 * k));
    __m256i h = _mm256_loadu_si256((const __m256i *)(const void *)(tile + 32 * k));
    if (type == BLOCK_F16) return _mm512_cvtph_ps(h);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}

INLINE void block(uint32_t type, int tiles, int columns, const cpu_product *p, uint32_t tile, uint32_t column) {
    const size_t cols = p->weight->cols, bytes = p->weight->tile_bytes;
    const uint8_t *w = p->weight->data + (size_t)tile * bytes;
    const float *x = p->xf + (size_t)column * p->xf_stride;
    __m512 acc[4][8];
#pragma GCC unroll 4
    for (int t = 0; t < tiles; t++)
#pragma GCC unroll 8
        for (int c = 0; c < columns; c++) acc[t][c] = _mm512_setzero_ps();
    for (size_t k = 0; k < cols; k++) {
        __m512 v[4];
#pragma GCC unroll 4
        for (int t = 0; t < tiles; t++) v[t] = rows16(type, w + (size_t)t * bytes, k);
#pragma GCC unroll 8
        for (int c = 0; c < columns; c++) {
            __m512 a = _mm512_set1_ps(x[(size_t)c * p->xf_stride + k]);
#pragma GCC unroll 4
            for (int t = 0; t < tiles; t++) acc[t][c] = _mm512_fmadd_ps(v[t], a, acc[t][c]);
        }
    }
#pragma GCC unroll 4
    for (int t = 0; t < tiles; t++)
#pragma GCC unroll 8
        for (int c = 0; c < columns; c++) wide_finish(p, tile + (uint32_t)t, column + (uint32_t)c, acc[t][c]);
}

#define BLOCK(name, type, tiles, columns) \
    static __attribute__((noinline)) void name##_##tiles##x##columns(const cpu_product *p, uint32_t tile, \
                                                                     uint32_t column) { \
        block(type, tiles, columns, p, tile, column); \
    }

/* `tiles` tiles by all columns, six at a time, then three, then one. */
#define SWEEP(name, type, tiles) \
    BLOCK(name, type, tiles, 1) \
    BLOCK(name, type, tiles, 3) \
    BLOCK(name, type, tiles, 6) \
    static void name##_sweep##tiles(const cpu_product *p, uint32_t tile) { \
        uint32_t column = 0; \
        for (; p->count - column >= 6; column += 6) name##_##tiles##x6(p, tile, column); \
        for (; p->count - column >= 3; column += 3) name##_##tiles##x3(p, tile, column); \
        for (; column < p->count; column++) name##_##tiles##x1(p, tile, column); \
    }

#define FORMAT(name, type) \
    SWEEP(name, type, 1) \
    SWEEP(name, type, 4) \
    void avx512_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) { \
        uint32_t tile = tile_begin; \
        for (; tile < tile_end && tile_end - tile >= 4; tile += 4) name##_sweep4(p, tile); \
        for (; tile < tile_end; tile++) name##_sweep1(p, tile); \
    }

FORMAT(f32, BLOCK_F32)
FORMAT(f16, BLOCK_F16)
FORMAT(bf16, BLOCK_BF16)

#else
typedef int float_avx512_is_for_x86;
#endif
