// SPDX-License-Identifier: Apache-2.0
/*
 * Products of quantized weights without VNNI, 16 rows (one tile, in two parts of eight) by up to four columns at a
 * time, for every format: what differs is how a block is unpacked (unpack.h).
 *
 * vpmaddubsw adds two products u8 * s8 in 16 bits and saturates, so it must not come near: bytes up to `top` give at
 * most 254 top a pair, of which `span` may be added up in 16 bits: eight for 15 (30,480), four for 31 (31,496), two for
 * 63 (32,004). Larger ones (Q8_0, and the uneven numbers, up to 241 with their bias) go as |w| * (a with w's sign) and
 * without the bias, at most 2 * 128 * 127 = 32,512 (a is never -128). So all sums are exact.
 */
#if defined(__x86_64__)

#include "device/cpu/columns.h"
#include "device/cpu/x86/finish_avx2.h"
#include "device/cpu/x86/kernels_avx2.h"

#define UNPACK_BYTES 32
#define unpack_halves(at) ((unpack_f32)eight_halves(at))
#define unpack_lookup(table, x) \
    ((unpack_u8)_mm256_shuffle_epi8( \
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table))), (__m256i)(x)))

#include "device/cpu/x86/unpack.h"

enum { COLUMNS = 4 };

/* Hides from the compiler where x comes from: it would add in another order, or keep what it loaded for later, and run
   out of registers either way. */
#define KEEP(kind, x) __asm__("" : kind(x))

/* The exact sums of unit u of eight rows; without the bias if it goes by signs. */
UNPACK void dots(unpack_format f, int count, unpack_block b, size_t run, size_t i, size_t u, const columns_group *g,
                 __m256i sum[COLUMNS]) {
    const size_t span = f.top <= 15 ? 8 : f.top <= 31 ? 4 : f.top <= 63 ? 2 : 1, fours = f.unit / 4;
    const __m256i ones = _mm256_set1_epi16(1);
    const int8_t *q = g->q + u * f.unit;
    __m256i part[COLUMNS];
    KEEP("+r", q);
#pragma GCC unroll 4
    for (int c = 0; c < count; c++) sum[c] = part[c] = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (size_t j = 0; j < fours; j++) {
        __m256i n = (__m256i)unpack_four(f.type, b, run, i, u * fours + j), sign = n;
        if (f.top > 63) {
            sign = _mm256_xor_si256(n, _mm256_set1_epi8(-128));
            n = _mm256_abs_epi8(sign);
        }
#pragma GCC unroll 4
        for (int c = 0; c < count; c++) {
            int32_t four;
            memcpy(&four, q + CPU_GROUP * c + 4 * j, sizeof four);
            __m256i x = _mm256_set1_epi32(four);
            if (f.top > 63) x = _mm256_sign_epi8(x, sign);
            x = _mm256_maddubs_epi16(n, x);
            part[c] = j % span == 0 ? x : _mm256_add_epi16(part[c], x);
            KEEP("+x", part[c]);
            if (j % span == span - 1 || j == fours - 1)
                sum[c] = _mm256_add_epi32(sum[c], _mm256_madd_epi16(part[c], ones));
        }
    }
}

UNPACK void meet(unpack_format f, int count, unpack_block b, size_t run, size_t i, unpack_f32 scales[2][16],
                 unpack_f32 minimums[2][16], const columns_group *g, __m256 acc[COLUMNS][2]) {
#pragma GCC unroll 2
    for (uint32_t part = 0; part < 2; part++) {
        b.part = part;
#pragma GCC unroll 2
        for (size_t u = 0; u < CPU_GROUP / f.unit; u++) {
            const size_t unit = (run + i) * (CPU_GROUP / f.unit) + u;
            __m256i sum[COLUMNS];
            dots(f, count, b, run, i, u, g, sum);
#pragma GCC unroll 4
            for (int c = 0; c < count; c++) {
                int32_t s = f.unit == 32 ? g->s[c] : u == 0 ? g->half[c] : g->s[c] - g->half[c];
                if (f.bias >= 0 && f.top <= 63)
                    sum[c] = _mm256_sub_epi32(sum[c], _mm256_set1_epi32(s * (1 << (f.bias & 31))));
                __m256 w = _mm256_mul_ps((__m256)scales[part][unit], _mm256_set1_ps(g->d[c]));
                acc[c][part] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[c]), w, acc[c][part]);
                if (f.minimums) {
                    __m256 both = _mm256_set1_ps(f.unit == 16 ? g->d[c] * (float)s : g->ds[c]);
                    acc[c][part] = _mm256_fmadd_ps((__m256)minimums[part][unit], both, acc[c][part]);
                }
            }
        }
    }
}

UNPACK void tile_columns(unpack_format f, int count, const cpu_product *p, uint32_t tile, uint32_t column) {
    const cpu_columns *x = p->x;
    const size_t width = columns_width(x->count, column);
    columns_group g = columns_at(x, column, 0);
    unpack_block b = {p->weight->data + (size_t)tile * p->weight->tile_bytes, 0};
    __m256 acc[COLUMNS][2];
#pragma GCC unroll 4
    for (int c = 0; c < count; c++) acc[c][0] = acc[c][1] = _mm256_setzero_ps();
    for (uint32_t k = 0; k < x->cols; k += f.length, b.data += f.bytes * CPU_TILE) {
        unpack_f32 scales[2][16], minimums[2][16];
        unpack_scales(f.type, (unpack_block){b.data, 0}, scales[0], minimums[0]);
        unpack_scales(f.type, (unpack_block){b.data, 1}, scales[1], minimums[1]);
        for (size_t run = 0; run < f.length / CPU_GROUP; run += f.run) {
#pragma GCC unroll 4
            for (size_t i = 0; i < f.run; i++) {
                meet(f, count, b, run, i, scales, minimums, &g, acc);
                columns_next(&g, width);
            }
        }
    }
#pragma GCC unroll 4
    for (int c = 0; c < count; c++)
        for (uint32_t h = 0; h < 2; h++) eight_finish(p, tile, h, column + (uint32_t)c, acc[c][h]);
}

typedef void (*columns_run)(const cpu_product *p, uint32_t tile, uint32_t column);

/* A block of columns times tiles: the block stays near while the tiles pass. */
static void product(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, const columns_run runs[COLUMNS]) {
    for (uint32_t block = 0; block < p->count; block += COLUMNS_BLOCK)
        for (uint32_t tile = tile_begin; tile < tile_end; tile++) {
            uint32_t left = columns_width(p->count, block), column = block;
            for (; left >= COLUMNS; left -= COLUMNS, column += COLUMNS) runs[COLUMNS - 1](p, tile, column);
            if (left > 0) runs[left - 1](p, tile, column);
        }
}

#define COLUMNS_OF(name, count) \
    static __attribute__((noinline)) void name##_##count(const cpu_product *p, uint32_t tile, uint32_t column) { \
        tile_columns(name, count, p, tile, column); \
    }

#define FORMAT(name, ...) \
    static const unpack_format name = {__VA_ARGS__}; \
    COLUMNS_OF(name, 1) \
    COLUMNS_OF(name, 2) \
    COLUMNS_OF(name, 3) \
    COLUMNS_OF(name, 4) \
    void avx2_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, void *scratch) { \
        static const columns_run runs[COLUMNS] = {name##_1, name##_2, name##_3, name##_4}; \
        (void)scratch; \
        product(p, tile_begin, tile_end, runs); \
    }

UNPACK_FORMATS(FORMAT)

#else
typedef int product_avx2_is_for_x86;
#endif
