// SPDX-License-Identifier: Apache-2.0
/*
 * Products of quantized weights, for every format, for registers of a tier's width: what differs between formats is how
 * a block is unpacked (unpack.h), between tiers how bytes meet bytes. 32 numbers along K of a part of a tile's rows
 * become eight registers of u8 [rows][4 of K], which then meet each column's 32 activations. The weights are read as
 * they were packed.
 *
 * A few columns keep their float accumulators in registers for all of K. More of them, up to 64, keep them in the first
 * cache: loads and stores run beside the products, and what unpacking costs is shared by all.
 *
 * The file that includes this defines what unpack.h asks for, and then:
 *
 *     PACKED_FEW                 columns whose accumulators stay in registers: 2 or 4
 *     PACKED_AHEAD               bytes ahead of which memory is asked for all along, or 0; with it many columns' next
 *                                groups are asked for, too
 *     packed_sides(f)            parts of a tile that meet many columns together: 1, or all of them
 *     packed_number(f, n)        four numbers as packed_unit wants them
 *     packed_begin(f, sums)      what the sum of a unit starts from where the format has a bias
 *     packed_unit(f, sides, count, n, q, sum)  adds the exact products of a unit to `sum` [count][sides]; n: the unit's
 *                                fours, those of the next side 8 further; q: its activations, those of the next column
 *                                CPU_GROUP further
 *     packed_four(sum, n, a)     or, instead of these four, sum + n times the four activations at `a`, in every lane
 *     packed_fma(a, b, c)        a * b + c, rounded once
 *     packed_floats(x), packed_ints(x)  x in every lane
 *     packed_finish(p, tile, part, column, acc)  bias, residual and store
 */
#ifndef PUNA_DEVICE_CPU_PRODUCT_PACKED_H
#define PUNA_DEVICE_CPU_PRODUCT_PACKED_H

#include "device/cpu/columns.h"
#include "device/cpu/x86/unpack.h"

#ifdef packed_four
#define packed_sides(f) 1
#define packed_number(f, n) (n)
#define packed_begin(f, sums) (-((sums).s << ((f).bias & 31)))

typedef int any_four __attribute__((aligned(1), may_alias));

UNPACK void packed_unit(unpack_format f, int sides, int count, const unpack_u8 *n, const int8_t *q, unpack_s32 *sum) {
    (void)sides;
#pragma GCC unroll 8
    for (uint32_t j = 0; j < f.unit / 4; j++)
#pragma GCC unroll 4
        for (int i = 0; i < count; i++) sum[i] = packed_four(sum[i], n[j], q + CPU_GROUP * i + 4 * j);
}

#endif

enum {
    PACKED_PARTS = CPU_TILE / UNPACK_ROWS,
    PACKED_BLOCKS = 4,
    PACKED_MANY = PACKED_BLOCKS * COLUMNS_BLOCK,
    PACKED_TOGETHER = 4 /* columns whose sums take turns: one alone waits for its own instruction before */
};

/* ---- a few columns ---- */

/* Activations' sums over a unit, of as many columns as there are lanes: whole, and by the lanes of 16 bits. */
typedef struct packed_sums {
    unpack_s32 s, lanes;
} packed_sums;

UNPACK packed_sums packed_sums_of(unpack_format f, unpack_s32 s, const unpack_s32 lanes[2], uint32_t u) {
    if (f.unit == 32) return (packed_sums){s, (unpack_s32)((unpack_u16)lanes[0] + (unpack_u16)lanes[1])};
    return (packed_sums){(lanes[u] << 16 >> 16) + (lanes[u] >> 16), lanes[u]};
}

UNPACK void packed_meet(unpack_format f, int count, const unpack_u8 n[8], const unpack_f32 *scales,
                        const unpack_f32 *minimums, const columns_group *g, unpack_f32 acc[PACKED_FEW]) {
#pragma GCC unroll 4
    for (int c = 0; c < count; c++) {
        const unpack_f32 d = packed_floats(g->d[c]);
        const unpack_s32 lanes[2] = {packed_ints(g->lanes[0][c]), packed_ints(g->lanes[1][c])};
#pragma GCC unroll 2
        for (uint32_t u = 0; u < CPU_GROUP / f.unit; u++) {
            const packed_sums of = packed_sums_of(f, packed_ints(g->s[c]), lanes, u);
            unpack_s32 sum = f.bias >= 0 ? packed_begin(f, of) : (unpack_s32){0};
            packed_unit(f, 1, 1, n + u * f.unit / 4, g->q + CPU_GROUP * c + u * f.unit, &sum);
            acc[c] = packed_fma(__builtin_convertvector(sum, unpack_f32), scales[u] * d, acc[c]);
            if (f.minimums) {
                unpack_f32 both = packed_floats(g->ds[c]);
                if (f.unit == 16) both = d * __builtin_convertvector(of.s, unpack_f32);
                acc[c] = packed_fma(minimums[u], both, acc[c]);
            }
        }
    }
}

static inline const uint8_t *packed_tile(const cpu_product *p, uint32_t tile) {
    return p->weight->data + (size_t)tile * p->weight->tile_bytes;
}

/* Asks for memory ahead, at a group of the block at `data`: line by line all along, where a tier names a distance; else
   in Q6_K, a block at once. */
UNPACK void packed_ahead(unpack_format f, const uint8_t *data, size_t group) {
    const uint32_t all = f.bytes * CPU_TILE, each = all / (f.length / CPU_GROUP);
    if (PACKED_AHEAD > 0) {
#pragma GCC unroll 10
        for (uint32_t i = 0; i < each; i += 64)
            _mm_prefetch((const char *)data + PACKED_AHEAD + group * each + i, _MM_HINT_T0);
    } else if (f.type == BLOCK_Q6_K && group == 0) {
        for (uint32_t i = 0; i < all; i += 64) _mm_prefetch((const char *)data + 1024 + i, _MM_HINT_T0);
    }
}

/* Of a block's units, for each part of its rows. */
UNPACK void packed_scales(unpack_format f, const uint8_t *data, unpack_f32 scales[][16], unpack_f32 minimums[][16]) {
#pragma GCC unroll 2
    for (uint32_t part = 0; part < PACKED_PARTS; part++)
        unpack_scales(f.type, (unpack_block){data, part}, scales[part], minimums[part]);
}

UNPACK void packed_few(unpack_format f, int count, const cpu_product *p, uint32_t tile, uint32_t column) {
    const size_t width = columns_width(p->x->count, column);
    columns_group g = columns_at(p->x, column, 0);
    const uint8_t *data = packed_tile(p, tile);
    unpack_f32 acc[PACKED_PARTS][PACKED_FEW];
#pragma GCC unroll 2
    for (uint32_t part = 0; part < PACKED_PARTS; part++)
#pragma GCC unroll 4
        for (int c = 0; c < count; c++) acc[part][c] = (unpack_f32){0};
    for (uint32_t k = 0; k < p->x->cols; k += f.length, data += f.bytes * CPU_TILE) {
        unpack_f32 scales[PACKED_PARTS][16], minimums[PACKED_PARTS][16];
        packed_scales(f, data, scales, minimums);
        for (size_t run = 0; run < f.length / CPU_GROUP; run += f.run) {
#pragma GCC unroll 4
            for (size_t i = 0; i < f.run; i++) {
                const size_t unit = (run + i) * (CPU_GROUP / f.unit);
                packed_ahead(f, data, run + i);
#pragma GCC unroll 2
                for (uint32_t part = 0; part < PACKED_PARTS; part++) {
                    unpack_u8 n[8];
#pragma GCC unroll 8
                    for (size_t j = 0; j < 8; j++)
                        n[j] = packed_number(f, unpack_four(f.type, (unpack_block){data, part}, run, i, j));
                    packed_meet(f, count, n, scales[part] + unit, minimums[part] + unit, &g, acc[part]);
                }
                columns_next(&g, width);
            }
        }
    }
    for (uint32_t part = 0; part < PACKED_PARTS; part++)
        for (int c = 0; c < count; c++) packed_finish(p, tile, part, column + (uint32_t)c, acc[part][c]);
}

/* ---- many ---- */

/* Of a unit and a block's columns: what sums start from, packed_begin; dA * (float)S for units of 16 with minimums.
   Through memory, to be read as broadcasts: those of registers would take the place of products. */
typedef struct packed_starts {
    int32_t sum[2][COLUMNS_BLOCK];
    float both[2][COLUMNS_BLOCK];
} packed_starts;

/* Of `count` columns from `at` on: as many as a register has lanes, or one. */
UNPACK void packed_start_some(unpack_format f, uint32_t at, uint32_t count, packed_sums of, unpack_f32 d, uint32_t u,
                              packed_starts *out) {
    const unpack_s32 sum = packed_begin(f, of);
    const unpack_f32 both = d * __builtin_convertvector(of.s, unpack_f32);
    if (f.bias >= 0) memcpy(out->sum[u] + at, &sum, 4 * count);
    else memcpy(out->both[u] + at, &both, 4 * count);
}

UNPACK void packed_start(unpack_format f, uint32_t width, const columns_group *g, packed_starts *out) {
    if (f.unit == 32 && f.bias < 0) return;
    uint32_t at = 0;
    for (; at + UNPACK_ROWS <= width; at += UNPACK_ROWS) {
        unpack_s32 s, lanes[2];
        unpack_f32 d;
        memcpy(&s, g->s + at, sizeof s);
        memcpy(&d, g->d + at, sizeof d);
        for (int i = 0; i < 2; i++) memcpy(&lanes[i], g->lanes[i] + at, sizeof lanes[i]);
#pragma GCC unroll 2
        for (uint32_t u = 0; u < CPU_GROUP / f.unit; u++)
            packed_start_some(f, at, UNPACK_ROWS, packed_sums_of(f, s, lanes, u), d, u, out);
    }
    for (; at < width; at++) {
        const unpack_s32 lanes[2] = {packed_ints(g->lanes[0][at]), packed_ints(g->lanes[1][at])};
#pragma GCC unroll 2
        for (uint32_t u = 0; u < CPU_GROUP / f.unit; u++)
            packed_start_some(f, at, 1, packed_sums_of(f, packed_ints(g->s[at]), lanes, u), packed_floats(g->d[at]), u,
                              out);
    }
    __asm__("" : "+m"(*out)); /* the compiler would keep it in registers, and shuffle them */
}

/* `count` columns from c on, a few at a time; n: [sides][8 fours], scales, minimums: [sides][16], acc: [16 columns of
   the block][16 rows]. */
UNPACK void packed_columns(unpack_format f, int count, uint32_t c, const unpack_u8 *n, const unpack_f32 *scales,
                           const unpack_f32 *minimums, const columns_group *g, const packed_starts *from, float *acc) {
    const int sides = packed_sides(f);
    unpack_f32 at[PACKED_PARTS * PACKED_TOGETHER];
#pragma GCC unroll 8
    for (int i = 0; i < sides * count; i++)
        memcpy(&at[i], acc + CPU_TILE * (c + (uint32_t)(i / sides)) + i % sides * UNPACK_ROWS, sizeof at[i]);
#pragma GCC unroll 2
    for (uint32_t u = 0; u < CPU_GROUP / f.unit; u++) {
        unpack_s32 sum[PACKED_PARTS * PACKED_TOGETHER];
#pragma GCC unroll 8
        for (int i = 0; i < sides * count; i++)
            sum[i] = f.bias >= 0 ? packed_ints(from->sum[u][c + (uint32_t)(i / sides)]) : (unpack_s32){0};
        packed_unit(f, sides, count, n + u * f.unit / 4, g->q + CPU_GROUP * c + u * f.unit, sum);
#pragma GCC unroll 8
        for (int i = 0; i < sides * count; i++) {
            const uint32_t column = c + (uint32_t)(i / sides);
            unpack_f32 s = scales[16 * (i % sides) + u] * packed_floats(g->d[column]);
            at[i] = packed_fma(__builtin_convertvector(sum[i], unpack_f32), s, at[i]);
            if (f.minimums)
                at[i] = packed_fma(minimums[16 * (i % sides) + u],
                                   packed_floats(f.unit == 16 ? from->both[u][column] : g->ds[column]), at[i]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < sides * count; i++)
        memcpy(acc + CPU_TILE * (c + (uint32_t)(i / sides)) + i % sides * UNPACK_ROWS, &at[i], sizeof at[i]);
}

UNPACK void packed_block(unpack_format f, uint32_t width, const unpack_u8 *n, const unpack_f32 *scales,
                         const unpack_f32 *minimums, const columns_group *g, float *acc) {
    packed_starts from;
    uint32_t c = 0;
    packed_start(f, width, g, &from);
    for (; c + PACKED_TOGETHER <= width; c += PACKED_TOGETHER)
        packed_columns(f, PACKED_TOGETHER, c, n, scales, minimums, g, &from, acc);
    for (; c < width; c++) packed_columns(f, 1, c, n, scales, minimums, g, &from, acc);
}

/* Up to PACKED_MANY columns at a group of K: whole blocks, one behind the other, and what is left. */
typedef struct packed_front {
    columns_group whole, rest;
    size_t stride; /* bytes from one whole block to the next */
    uint32_t blocks, width; /* whole blocks; columns of the rest */
} packed_front;

UNPACK packed_front packed_front_at(const cpu_columns *x, uint32_t column, uint32_t count) {
    packed_front at = {.blocks = count / COLUMNS_BLOCK, .width = count % COLUMNS_BLOCK};
    at.stride = (size_t)(x->cols / CPU_GROUP) * COLUMNS_BLOCK * COLUMNS_GROUP_BYTES;
    at.whole = columns_at(x, column, 0);
    at.rest = at.width ? columns_at(x, column + at.blocks * COLUMNS_BLOCK, 0) : at.whole;
    return at;
}

/* Asks for a block's next group along K. Four blocks are four streams that each go on for a moment only, and neighbours
   on the same core take what lay in the first cache. */
UNPACK void packed_columns_ahead(uint32_t width, const columns_group *g) {
    const uint32_t bytes = width * COLUMNS_GROUP_BYTES;
#pragma GCC unroll 13
    for (uint32_t i = 0; i < bytes; i += 64) _mm_prefetch((const char *)g->q + bytes + i, _MM_HINT_T0);
}

/* A group of a part of a tile, as bytes, meets all columns. `ahead`: the next group's columns are asked for. */
UNPACK void packed_group(unpack_format f, const unpack_u8 *n, const unpack_f32 *scales, const unpack_f32 *minimums,
                         const packed_front *at, bool ahead, float *acc) {
    const size_t step = at->stride / 4;
    columns_group g = at->whole;
    for (uint32_t block = 0; block < at->blocks; block++, acc += COLUMNS_BLOCK * CPU_TILE) {
        if (ahead) packed_columns_ahead(COLUMNS_BLOCK, &g);
        packed_block(f, COLUMNS_BLOCK, n, scales, minimums, &g, acc);
        columns_move(&g, step);
    }
    if (at->width) packed_block(f, at->width, n, scales, minimums, &at->rest, acc);
}

/* `count` columns, up to PACKED_MANY, from the begin of a block on; all that are left of the last block. */
UNPACK void packed_many(unpack_format f, uint32_t count, const cpu_product *p, uint32_t tile, uint32_t column) {
    const uint32_t sides = packed_sides(f);
    const uint8_t *data = packed_tile(p, tile);
    packed_front at = packed_front_at(p->x, column, count);
    float acc[PACKED_MANY * CPU_TILE] __attribute__((aligned(UNPACK_BYTES)));
    memset(acc, 0, count * CPU_TILE * sizeof *acc);
    for (uint32_t k = 0; k < p->x->cols; k += f.length, data += f.bytes * CPU_TILE) {
        unpack_f32 scales[PACKED_PARTS][16], minimums[PACKED_PARTS][16];
        packed_scales(f, data, scales, minimums);
        for (size_t run = 0; run < f.length / CPU_GROUP; run += f.run) {
#pragma GCC unroll 4
            for (size_t i = 0; i < f.run; i++) {
                const size_t unit = (run + i) * (CPU_GROUP / f.unit);
                if (PACKED_AHEAD > 0 || count <= COLUMNS_BLOCK) packed_ahead(f, data, run + i);
                for (uint32_t part = 0; part < PACKED_PARTS; part += sides) {
                    unpack_u8 n[8 * PACKED_PARTS];
#pragma GCC unroll 16
                    for (uint32_t j = 0; j < 8 * sides; j++)
                        n[j] = packed_number(f, unpack_four(f.type, (unpack_block){data, part + j / 8}, run, i, j % 8));
                    packed_group(f, n, scales[part] + unit, minimums[part] + unit, &at, PACKED_AHEAD > 0 && part == 0,
                                 acc + part * UNPACK_ROWS);
                }
                columns_next(&at.whole, COLUMNS_BLOCK);
                columns_next(&at.rest, at.width);
            }
        }
    }
    for (uint32_t c = 0; c < count; c++)
        for (uint32_t part = 0; part < PACKED_PARTS; part++) {
            unpack_f32 done;
            memcpy(&done, acc + c * CPU_TILE + part * UNPACK_ROWS, sizeof done);
            packed_finish(p, tile, part, column + c, done);
        }
}

/* ---- one function for each format and number of columns ---- */

typedef struct packed_kind {
    void (*few[PACKED_FEW])(const cpu_product *p, uint32_t tile, uint32_t column);
    void (*many)(uint32_t count, const cpu_product *p, uint32_t tile, uint32_t column);
} packed_kind;

/* Columns stay near while the tiles pass. */
static void packed_product(const packed_kind *kind, const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    for (uint32_t column = 0; column < p->count; column += PACKED_MANY) {
        const uint32_t left = p->count - column, count = left < PACKED_MANY ? left : PACKED_MANY;
        for (uint32_t tile = tile_begin; tile < tile_end; tile++) {
            if (count <= PACKED_FEW) kind->few[count - 1](p, tile, column);
            else kind->many(count, p, tile, column);
        }
    }
}

#define PACKED_FEW_OF(name, count) \
    static __attribute__((noinline)) void name##_##count(const cpu_product *p, uint32_t tile, uint32_t column) { \
        packed_few(name, count, p, tile, column); \
    }

#define PACKED_KIND(name, ...) \
    static const unpack_format name = {__VA_ARGS__}; \
    PACKED_FEW_OF(name, 1) \
    PACKED_FEW_OF(name, 2) \
    PACKED_FEW_MORE(name) \
    static __attribute__((noinline)) void name##_many(uint32_t count, const cpu_product *p, uint32_t tile, \
                                                      uint32_t column) { \
        packed_many(name, count, p, tile, column); \
    } \
    static const packed_kind name##_kind = {{name##_1, name##_2 PACKED_FEW_MORE_NAMES(name)}, name##_many};

#if PACKED_FEW == 4
#define PACKED_FEW_MORE(name) PACKED_FEW_OF(name, 3) PACKED_FEW_OF(name, 4)
#define PACKED_FEW_MORE_NAMES(name) , name##_3, name##_4
#else
#define PACKED_FEW_MORE(name)
#define PACKED_FEW_MORE_NAMES(name)
#endif

#endif
