// SPDX-License-Identifier: Apache-2.0
/*
 * Products of quantized weights without VNNI, 16 rows (one tile, in two parts of eight) by up to four columns at a
 * time, for every format: what differs is how a block is unpacked (unpack.h). Few columns take it to registers; whole
 * blocks of 16 columns meet a panel, the tile unpacked to bytes in the thread's scratch: four columns at once are too
 * few to unpack it for.
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

/* Where a group's numbers, scales and minimums come from. */
typedef struct source {
    unpack_block b;
    size_t run, i;
    const uint8_t *panel;           /* [8 of K][16 rows][4 of K]; or it is packed: b's group run + i */
    const float *scales, *minimums; /* [units of the group][16 rows] */
} source;

UNPACK __m256i numbers(unpack_format f, bool packed, const source *from, uint32_t part, size_t j) {
    if (packed) {
        unpack_block b = {from->b.data, part};
        return (__m256i)unpack_four(f.type, b, from->run, from->i, j);
    }
    return _mm256_loadu_si256((const __m256i *)(const void *)(from->panel + 64 * j + 32 * part));
}

/* The exact sums of unit u of eight rows; without the bias if it goes by signs. */
UNPACK void dots(unpack_format f, bool packed, int count, const source *from, uint32_t rows, size_t u,
                 const columns_group *g, __m256i sum[COLUMNS]) {
    const size_t span = f.top <= 15 ? 8 : f.top <= 31 ? 4 : f.top <= 63 ? 2 : 1, fours = f.unit / 4;
    const __m256i ones = _mm256_set1_epi16(1);
    const int8_t *q = g->q + u * f.unit;
    __m256i part[COLUMNS];
    KEEP("+r", q);
#pragma GCC unroll 4
    for (int c = 0; c < count; c++) sum[c] = part[c] = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (size_t j = 0; j < fours; j++) {
        __m256i n = numbers(f, packed, from, rows, u * fours + j), sign = n;
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

UNPACK void meet(unpack_format f, bool packed, int count, const source *from, const columns_group *g,
                 __m256 acc[COLUMNS][2]) {
#pragma GCC unroll 2
    for (uint32_t part = 0; part < 2; part++) {
#pragma GCC unroll 2
        for (size_t u = 0; u < CPU_GROUP / f.unit; u++) {
            __m256i sum[COLUMNS];
            dots(f, packed, count, from, part, u, g, sum);
            __m256 scale = _mm256_loadu_ps(from->scales + CPU_TILE * u + 8 * part);
#pragma GCC unroll 4
            for (int c = 0; c < count; c++) {
                int32_t s = f.unit == 32 ? g->s[c] : u == 0 ? g->half[c] : g->s[c] - g->half[c];
                if (f.bias >= 0 && f.top <= 63)
                    sum[c] = _mm256_sub_epi32(sum[c], _mm256_set1_epi32(s * (1 << (f.bias & 31))));
                __m256 w = _mm256_mul_ps(scale, _mm256_set1_ps(g->d[c]));
                acc[c][part] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[c]), w, acc[c][part]);
                if (f.minimums) {
                    __m256 both = _mm256_set1_ps(f.unit == 16 ? g->d[c] * (float)s : g->ds[c]);
                    __m256 least = _mm256_loadu_ps(from->minimums + CPU_TILE * u + 8 * part);
                    acc[c][part] = _mm256_fmadd_ps(least, both, acc[c][part]);
                }
            }
        }
    }
}

/* Both parts of a block's units: [units][16 rows]. */
UNPACK void block_scales(unpack_format f, const uint8_t *data, float *scales, float *minimums) {
#pragma GCC unroll 2
    for (uint32_t part = 0; part < 2; part++) {
        unpack_f32 w[16], m[16];
        unpack_scales(f.type, (unpack_block){data, part}, w, m);
        for (size_t u = 0; u < f.length / f.unit; u++) {
            memcpy(scales + CPU_TILE * u + 8 * part, &w[u], sizeof w[u]);
            if (f.minimums) memcpy(minimums + CPU_TILE * u + 8 * part, &m[u], sizeof m[u]);
        }
    }
}

static const uint8_t *tile_of(const cpu_product *p, uint32_t tile) {
    return p->weight->data + (size_t)tile * p->weight->tile_bytes;
}

UNPACK void tile_finish(int count, const cpu_product *p, uint32_t tile, uint32_t column, __m256 acc[COLUMNS][2]) {
#pragma GCC unroll 4
    for (int c = 0; c < count; c++)
        for (uint32_t h = 0; h < 2; h++) eight_finish(p, tile, h, column + (uint32_t)c, acc[c][h]);
}

UNPACK void few_columns(unpack_format f, int count, const cpu_product *p, uint32_t tile, uint32_t column) {
    const size_t width = columns_width(p->x->count, column);
    columns_group g = columns_at(p->x, column, 0);
    source from = {.b = {tile_of(p, tile), 0}};
    __m256 acc[COLUMNS][2];
#pragma GCC unroll 4
    for (int c = 0; c < count; c++) acc[c][0] = acc[c][1] = _mm256_setzero_ps();
    for (uint32_t k = 0; k < p->x->cols; k += f.length, from.b.data += f.bytes * CPU_TILE) {
        float scales[16 * CPU_TILE], minimums[16 * CPU_TILE];
        block_scales(f, from.b.data, scales, minimums);
        for (size_t run = 0; run < f.length / CPU_GROUP; run += f.run) {
#pragma GCC unroll 4
            for (size_t i = 0; i < f.run; i++) {
                const size_t unit = (run + i) * (CPU_GROUP / f.unit) * CPU_TILE;
                from = (source){from.b, run, i, NULL, scales + unit, minimums + unit};
                meet(f, true, count, &from, &g, acc);
                columns_next(&g, width);
            }
        }
    }
    tile_finish(count, p, tile, column, acc);
}

/* A tile's bytes, scales and minimums in the scratch, for all of K: room for units of 16 with minimums. */
typedef struct panel {
    uint8_t *numbers;
    float *scales, *minimums;
} panel;

static panel panel_in(void *scratch, size_t cols) {
    panel t = {.numbers = scratch};
    t.scales = (float *)(void *)(t.numbers + cols * CPU_TILE);
    t.minimums = t.scales + cols;
    return t;
}

size_t avx2_product_scratch(uint32_t cols) { return (size_t)cols * CPU_TILE + 2 * (size_t)cols * sizeof(float); }

UNPACK void fill(unpack_format f, const uint8_t *data, uint32_t cols, panel t) {
    const size_t units = f.length / f.unit;
    for (uint32_t k = 0; k < cols; k += f.length, data += f.bytes * CPU_TILE) {
        block_scales(f, data, t.scales, t.minimums);
        for (size_t run = 0; run < f.length / CPU_GROUP; run += f.run)
#pragma GCC unroll 4
            for (size_t i = 0; i < f.run; i++, t.numbers += 512)
#pragma GCC unroll 8
                for (size_t j = 0; j < 8; j++)
#pragma GCC unroll 2
                    for (uint32_t part = 0; part < 2; part++) {
                        unpack_u8 n = unpack_four(f.type, (unpack_block){data, part}, run, i, j);
                        memcpy(t.numbers + 64 * j + 32 * part, &n, sizeof n);
                    }
        t.scales += units * CPU_TILE;
        t.minimums += units * CPU_TILE;
    }
}

UNPACK void panel_columns(unpack_format f, panel t, const cpu_product *p, uint32_t tile, uint32_t column) {
    columns_group g = columns_at(p->x, column, 0);
    __m256 acc[COLUMNS][2];
#pragma GCC unroll 4
    for (int c = 0; c < COLUMNS; c++) acc[c][0] = acc[c][1] = _mm256_setzero_ps();
    for (uint32_t k = 0; k < p->x->cols; k += CPU_GROUP, t.numbers += 512) {
        const source from = {.panel = t.numbers, .scales = t.scales, .minimums = t.minimums};
        meet(f, false, COLUMNS, &from, &g, acc);
        columns_next(&g, COLUMNS_BLOCK);
        t.scales += CPU_GROUP / f.unit * CPU_TILE;
        t.minimums += CPU_GROUP / f.unit * CPU_TILE;
    }
    tile_finish(COLUMNS, p, tile, column, acc);
}

/* What a format is made of: few columns of a packed tile, the filling of a panel, four columns of it. */
typedef struct kind {
    void (*few[COLUMNS])(const cpu_product *p, uint32_t tile, uint32_t column);
    void (*fill)(const uint8_t *data, uint32_t cols, panel t);
    void (*block)(panel t, const cpu_product *p, uint32_t tile, uint32_t column);
} kind;

/* Blocks of columns that a filled panel meets: more of them would not stay near. */
enum { BLOCKS = 8 };

static void product(const kind *k, const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, void *scratch) {
    const uint32_t whole = p->count - p->count % COLUMNS_BLOCK, step = BLOCKS * COLUMNS_BLOCK;
    const panel t = panel_in(scratch, p->x->cols);
    for (uint32_t first = 0; first < whole; first += step)
        for (uint32_t tile = tile_begin; tile < tile_end; tile++) {
            k->fill(tile_of(p, tile), p->x->cols, t);
            for (uint32_t c = first; c < whole && c < first + step; c += COLUMNS) k->block(t, p, tile, c);
        }
    for (uint32_t tile = tile_begin; tile < tile_end && whole < p->count; tile++) {
        uint32_t column = whole;
        for (; p->count - column >= COLUMNS; column += COLUMNS) k->few[COLUMNS - 1](p, tile, column);
        if (column < p->count) k->few[p->count - column - 1](p, tile, column);
    }
}

#define COLUMNS_OF(name, count) \
    static __attribute__((noinline)) void name##_##count(const cpu_product *p, uint32_t tile, uint32_t column) { \
        few_columns(name, count, p, tile, column); \
    }

#define FORMAT(name, ...) \
    static const unpack_format name = {__VA_ARGS__}; \
    COLUMNS_OF(name, 1) \
    COLUMNS_OF(name, 2) \
    COLUMNS_OF(name, 3) \
    COLUMNS_OF(name, 4) \
    static void name##_fill(const uint8_t *data, uint32_t cols, panel t) { fill(name, data, cols, t); } \
    static void name##_block(panel t, const cpu_product *p, uint32_t tile, uint32_t column) { \
        panel_columns(name, t, p, tile, column); \
    } \
    void avx2_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, void *scratch) { \
        static const kind k = {{name##_1, name##_2, name##_3, name##_4}, name##_fill, name##_block}; \
        product(&k, p, tile_begin, tile_end, scratch); \
    }

UNPACK_FORMATS(FORMAT)

#else
typedef int product_avx2_is_for_x86;
#endif
