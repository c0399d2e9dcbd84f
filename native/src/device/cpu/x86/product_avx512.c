// SPDX-License-Identifier: Apache-2.0
/*
 * Products of quantized weights, 16 rows (one tile) by up to 16 columns at a time, for every format: what differs is
 * how a block is unpacked (unpack.h). 32 numbers along K of a tile become eight registers of u8 [16 rows][4 of K],
 * which then meet each column's 32 activations; a column's float accumulator stays in a register for all of K. Nothing
 * is written in between: the weights are read as they were packed, once for 16 columns. Columns don't depend on each
 * other, so that the processor overlaps their chains by itself, and the next unpacking with them.
 */
#if defined(__x86_64__)

#include "device/cpu/columns.h"
#include "device/cpu/x86/finish_avx512.h"
#include "device/cpu/x86/kernels_avx512.h"

#define UNPACK_BYTES 64
#define unpack_halves(at) \
    ((unpack_f32)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(at))))
#define unpack_lookup(table, x) \
    ((unpack_u8)_mm512_shuffle_epi8( \
        _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(table))), (__m512i)(x)))

#include "device/cpu/x86/unpack.h"

typedef int32_t any_four __attribute__((aligned(1), may_alias));

/* sum + n times the four activations at `a`, in one instruction (the compiler would load them apart). */
UNPACK __m512i four_dot(__m512i sum, __m512i n, const int8_t *a) {
    __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(n), "m"(*(const any_four *)(const void *)a));
    return sum;
}

/* Of a unit and its columns: what the sums start from, -(bias * S); dA * (float)S for units of 16 with minimums. */
typedef struct starts {
    int32_t sum[2][COLUMNS_BLOCK];
    float both[2][COLUMNS_BLOCK];
} starts;

/* A block's columns all at once. */
UNPACK void start(unpack_format f, const columns_group *g, starts *out) {
    if (f.unit == 32 && f.bias < 0) return;
    __m512i s = _mm512_loadu_si512(g->s), part[2] = {s, s};
    if (f.unit == 16) {
        part[0] = _mm512_loadu_si512(g->half);
        part[1] = _mm512_sub_epi32(s, part[0]);
    }
#pragma GCC unroll 2
    for (uint32_t u = 0; u < 32 / f.unit; u++) {
        if (f.bias >= 0) {
            __m512i x = _mm512_slli_epi32(part[u], (unsigned)(f.bias & 31));
            _mm512_storeu_si512(out->sum[u], _mm512_sub_epi32(_mm512_setzero_si512(), x));
        } else {
            _mm512_storeu_ps(out->both[u], _mm512_mul_ps(_mm512_loadu_ps(g->d), _mm512_cvtepi32_ps(part[u])));
        }
    }
    /* To be read as broadcasts from memory: the compiler would shuffle registers instead. */
    __asm__("" : "+m"(*out));
}

/* The activations' sum over unit u of column c, in every lane. */
UNPACK __m512i unit_sum(unpack_format f, const columns_group *g, int c, uint32_t u) {
    if (f.unit == 32) return _mm512_set1_epi32(g->s[c]);
    __m512i first = _mm512_set1_epi32(g->half[c]);
    return u == 0 ? first : _mm512_sub_epi32(_mm512_set1_epi32(g->s[c]), first);
}

UNPACK void meet(unpack_format f, int count, const __m512i n[8], const unpack_f32 *scales, const unpack_f32 *minimums,
                 const columns_group *g, __m512 acc[COLUMNS_BLOCK]) {
    const bool whole = count == COLUMNS_BLOCK;
    starts from;
    if (whole) start(f, g, &from);
#pragma GCC unroll 16
    for (int c = 0; c < count; c++) {
        __m512 d = _mm512_set1_ps(g->d[c]);
#pragma GCC unroll 2
        for (uint32_t u = 0; u < 32 / f.unit; u++) {
            __m512i sum = whole && f.bias >= 0 ? _mm512_set1_epi32(from.sum[u][c]) : _mm512_setzero_si512();
#pragma GCC unroll 8
            for (uint32_t j = u * f.unit / 4; j < (u + 1) * f.unit / 4; j++)
                sum = four_dot(sum, n[j], g->q + CPU_GROUP * c + 4 * j);
            if (!whole && f.bias >= 0)
                sum = _mm512_sub_epi32(sum, _mm512_slli_epi32(unit_sum(f, g, c, u), (unsigned)(f.bias & 31)));
            acc[c] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_mul_ps((__m512)scales[u], d), acc[c]);
            if (f.minimums) {
                __m512 both = _mm512_set1_ps(f.unit == 16 && whole ? from.both[u][c] : g->ds[c]);
                if (f.unit == 16 && !whole) both = _mm512_mul_ps(d, _mm512_cvtepi32_ps(unit_sum(f, g, c, u)));
                acc[c] = _mm512_fmadd_ps((__m512)minimums[u], both, acc[c]);
            }
        }
    }
}

UNPACK void tile_columns(unpack_format f, int count, const cpu_product *p, uint32_t tile, uint32_t column) {
    const size_t width = count == COLUMNS_BLOCK ? COLUMNS_BLOCK : columns_width(p->x->count, column);
    columns_group g = columns_at(p->x, column, 0);
    unpack_block b = {p->weight->data + (size_t)tile * p->weight->tile_bytes, 0};
    __m512 acc[COLUMNS_BLOCK];
#pragma GCC unroll 16
    for (int c = 0; c < count; c++) acc[c] = _mm512_setzero_ps();
    for (uint32_t k = 0; k < p->x->cols; k += f.length, b.data += f.bytes * CPU_TILE) {
        unpack_f32 scales[16], minimums[16];
        /* Its parts are read in turns, which the processor's reading ahead doesn't follow. Others only lose by help. */
        if (f.type == BLOCK_Q6_K && count <= 4)
            for (uint32_t i = 0; i < f.bytes * CPU_TILE; i += 64)
                _mm_prefetch((const char *)b.data + 1024 + i, _MM_HINT_T0);
        unpack_scales(f.type, b, scales, minimums);
        for (size_t run = 0; run < f.length / CPU_GROUP; run += f.run) {
#pragma GCC unroll 4
            for (size_t i = 0; i < f.run; i++) {
                const size_t unit = (run + i) * (CPU_GROUP / f.unit);
                __m512i n[8];
#pragma GCC unroll 8
                for (size_t j = 0; j < 8; j++) n[j] = (__m512i)unpack_four(f.type, b, run, i, j);
                /* Hides that the next group reads the same bytes: kept for it, they would push others out. */
                if (count > 4) __asm__("" : "+r"(b.data));
                meet(f, count, n, scales + unit, minimums + unit, &g, acc);
                columns_next(&g, width);
            }
        }
    }
#pragma GCC unroll 16
    for (int c = 0; c < count; c++) wide_finish(p, tile, column + (uint32_t)c, acc[c]);
}

typedef void columns_run(const cpu_product *p, uint32_t tile, uint32_t column);

/* A block of columns times tiles: the block stays near while the tiles pass. runs: of 1, 2, 3, 4, 8, 16 columns. */
static void product(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, columns_run *const runs[6]) {
    for (uint32_t block = 0; block < p->count; block += COLUMNS_BLOCK)
        for (uint32_t tile = tile_begin; tile < tile_end; tile++) {
            uint32_t left = columns_width(p->count, block), column = block;
            if (left == 16) runs[5](p, tile, column), left = 0;
            if (left >= 8) runs[4](p, tile, column), left -= 8, column += 8;
            if (left >= 4) runs[3](p, tile, column), left -= 4, column += 4;
            if (left > 0) runs[left - 1](p, tile, column);
        }
}

#define COLUMNS(name, count) \
    static __attribute__((noinline)) void name##_##count(const cpu_product *p, uint32_t tile, uint32_t column) { \
        tile_columns(name, count, p, tile, column); \
    }

#define FORMAT(name, ...) \
    static const unpack_format name = {__VA_ARGS__}; \
    COLUMNS(name, 1) \
    COLUMNS(name, 2) \
    COLUMNS(name, 3) \
    COLUMNS(name, 4) \
    COLUMNS(name, 8) \
    COLUMNS(name, 16) \
    void avx512_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, void *scratch) { \
        static columns_run *const runs[6] = {name##_1, name##_2, name##_3, name##_4, name##_8, name##_16}; \
        (void)scratch; \
        product(p, tile_begin, tile_end, runs); \
    }

UNPACK_FORMATS(FORMAT)

#else
typedef int product_avx512_is_for_x86;
#endif
