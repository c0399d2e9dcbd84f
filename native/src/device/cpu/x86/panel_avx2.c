// SPDX-License-Identifier: Apache-2.0
/*
 * Panels (panel.h) times columns without VNNI, four at a time. vpmaddubsw adds two products u8 * s8 in 16 bits and
 * saturates, so it must not come near: bytes up to `top` give at most 254 top a pair, of which `span` may be added up in
 * 16 bits: eight for 15 (30,480), four for 31 (31,496), two for 63 (32,004). The uneven numbers, up to 241 with their
 * bias, go as |w| * (a with w's sign) and without the bias, as Q8_0 does. So all sums are exact.
 */
#if defined(__x86_64__)

#include "device/cpu/x86/panel.h"

#include "device/cpu/x86/finish_avx2.h"
#include "device/cpu/x86/kernels_avx2.h"

static inline void panel_halves(const uint8_t *in, float *out) {
    _mm256_storeu_ps(out, eight_halves(in));
    _mm256_storeu_ps(out + 8, eight_halves(in + 16));
}

static inline void panel_lookup(const uint8_t *table, uint8_t *bytes) {
    __m256i t = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
    for (int h = 0; h < 64; h += 32) {
        __m256i *at = (__m256i *)(void *)(bytes + h);
        _mm256_storeu_si256(at, _mm256_shuffle_epi8(t, _mm256_loadu_si256(at)));
    }
}

#include "device/cpu/x86/panel_unpack.h"

enum { COLUMNS = 4 };

/* The exact sums of `fours` fours, of eight rows, for `count` columns `next` apart; without the bias if `top` is 241. */
PANEL void dots(int top, int count, const uint8_t *numbers, int fours, const int8_t *a, size_t next,
                __m256i sum[COLUMNS]) {
    const int span = top <= 15 ? 8 : top <= 31 ? 4 : top <= 63 ? 2 : 1;
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i part[COLUMNS];
#pragma GCC unroll 4
    for (int i = 0; i < count; i++) sum[i] = part[i] = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (int j = 0; j < fours; j++) {
        __m256i n = _mm256_loadu_si256((const __m256i *)(const void *)(numbers + 64 * j)), sign = n;
        if (top > 63) {
            sign = _mm256_xor_si256(n, _mm256_set1_epi8(-128));
            n = _mm256_abs_epi8(sign);
        }
#pragma GCC unroll 4
        for (int i = 0; i < count; i++) {
            int32_t four;
            memcpy(&four, a + (size_t)i * next + 4 * j, sizeof four);
            __m256i x = _mm256_set1_epi32(four);
            if (top > 63) x = _mm256_sign_epi8(x, sign);
            x = _mm256_maddubs_epi16(n, x);
            part[i] = j % span == 0 ? x : _mm256_add_epi16(part[i], x);
            if (j % span == span - 1 || j == fours - 1)
                sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(part[i], ones));
        }
    }
}

PANEL void columns(int unit, int bias, int minimum, int top, int count, const panel *t, const panel_columns *c,
                   uint32_t from) {
    const size_t cols = c->x->cols, groups = cols / CPU_GROUP, first = c->first + from;
    const int32_t *sums = (const int32_t *)c->sums + from * (cols / 16);
    const float *scaled = (const float *)c->sums + from * (cols / 16);
    const int units = 32 / unit;
    __m256 acc[COLUMNS][2];
#pragma GCC unroll 4
    for (int i = 0; i < count; i++)
        for (int h = 0; h < 2; h++) acc[i][h] = _mm256_loadu_ps(c->acc + (from + (uint32_t)i) * CPU_TILE + 8 * h);
    for (size_t g = c->group_begin; g < c->group_end; g++) {
        size_t offset = g - c->group_begin;
#pragma GCC unroll 2
        for (int u = 0; u < units; u++) {
            const size_t place = CPU_TILE * (offset * (size_t)units + (size_t)u);
            const uint8_t *numbers = t->numbers + 512 * offset + (size_t)(16 * unit * u);
#pragma GCC unroll 2
            for (int h = 0; h < 2; h++) {
                __m256i sum[COLUMNS];
                const int8_t *a = c->x->q + first * cols + g * CPU_GROUP + (size_t)(unit * u);
                dots(top, count, numbers + 32 * h, unit / 4, a, cols, sum);
                __m256 w = _mm256_loadu_ps(t->scales + place + 8 * h);
#pragma GCC unroll 4
                for (int i = 0; i < count; i++) {
                    const size_t at = (first + (size_t)i) * groups + g;
                    const size_t half = (size_t)i * (cols / 16) + 2 * g + (size_t)u;
                    if (unit == 16 && bias >= 0) sum[i] = _mm256_add_epi32(sum[i], _mm256_set1_epi32(sums[half]));
                    if (unit == 32 && bias >= 0 && top <= 63)
                        sum[i] = _mm256_sub_epi32(sum[i], _mm256_set1_epi32(c->x->s[at] * (1 << (bias & 31))));
                    __m256 s = _mm256_mul_ps(w, _mm256_set1_ps(c->x->d[at]));
                    acc[i][h] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[i]), s, acc[i][h]);
                    if (minimum) {
                        __m256 both = _mm256_set1_ps(unit == 32 ? c->x->ds[at] : scaled[half]);
                        acc[i][h] = _mm256_fmadd_ps(_mm256_loadu_ps(t->minimums + place + 8 * h), both, acc[i][h]);
                    }
                }
            }
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < count; i++)
        for (int h = 0; h < 2; h++) _mm256_storeu_ps(c->acc + (from + (uint32_t)i) * CPU_TILE + 8 * h, acc[i][h]);
}

static void finish(const cpu_product *p, uint32_t tile, uint32_t column, const float *acc) {
    for (uint32_t h = 0; h < 2; h++) eight_finish(p, tile, h, column, _mm256_loadu_ps(acc + 8 * h));
}

#define COLUMNS_OF(name, count, unit, bias, minimum, top) \
    static __attribute__((noinline)) void name##_##count(const panel *t, const panel_columns *c, uint32_t from) { \
        columns(unit, bias, minimum, top, count, t, c, from); \
    }

#define FORMAT(name, length, bytes, unit, bias, minimum, top, sums) \
    COLUMNS_OF(name, 1, unit, bias, minimum, top) \
    COLUMNS_OF(name, 2, unit, bias, minimum, top) \
    COLUMNS_OF(name, 4, unit, bias, minimum, top) \
    static void name##_step(const panel *t, const panel_columns *c) { \
        uint32_t from = 0; \
        for (; c->count - from >= 4; from += 4) name##_4(t, c, from); \
        if (c->count & 2) name##_2(t, c, from), from += 2; \
        if (c->count & 1) name##_1(t, c, from); \
    } \
    static const panel_kind name = {length, bytes, unit, panel_##name, sums, name##_step, finish}; \
    void avx2_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, void *scratch) { \
        panel_product(&name, p, tile_begin, tile_end, scratch); \
    }

PANEL_FORMATS(FORMAT)

#else
typedef int panel_avx2_is_for_x86;
#endif
