// SPDX-License-Identifier: Apache-2.0
/* Panels (panel.h) times columns, sixteen at a time; a column's accumulator stays in a register along the panel. */
#if defined(__x86_64__)

#include "device/cpu/x86/panel.h"

#include "device/cpu/x86/finish_avx512.h"
#include "device/cpu/x86/kernels_avx512.h"

static inline void panel_halves(const uint8_t *in, float *out) {
    _mm512_storeu_ps(out, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)in)));
}

static inline void panel_lookup(const uint8_t *table, uint8_t *bytes) {
    __m512i t = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)table));
    _mm512_storeu_si512((void *)bytes, _mm512_shuffle_epi8(t, _mm512_loadu_si512((const void *)bytes)));
}

#include "device/cpu/x86/panel_unpack.h"

/* sum += numbers of `fours` fours times a column's. */
PANEL __m512i dot(const __m512i *numbers, int fours, const int8_t *a, __m512i sum) {
#pragma GCC unroll 8
    for (int j = 0; j < fours; j++) {
        int32_t four;
        memcpy(&four, a + 4 * j, sizeof four);
        sum = _mm512_dpbusd_epi32(sum, numbers[j], _mm512_set1_epi32(four));
    }
    return sum;
}

PANEL void columns(int unit, int bias, int minimum, int count, const panel *t, const panel_columns *c, uint32_t from) {
    const size_t cols = c->x->cols, groups = cols / CPU_GROUP, first = c->first + from;
    const int8_t *q = c->x->q + first * cols;
    const float *d = c->x->d + first * groups, *ds = c->x->ds + first * groups;
    const int32_t *s = c->x->s + first * groups;
    const int32_t *sums = (const int32_t *)c->sums + from * (cols / 16);
    const float *scaled = (const float *)c->sums + from * (cols / 16);
    const uint8_t *numbers = t->numbers;
    const float *scales = t->scales, *minimums = t->minimums;
    const int units = 32 / unit;
    __m512 acc[16];
#pragma GCC unroll 16
    for (int i = 0; i < count; i++) acc[i] = _mm512_loadu_ps(c->acc + (from + (uint32_t)i) * CPU_TILE);
    for (size_t g = c->group_begin; g < c->group_end; g++, numbers += 512) {
        __m512i n[8];
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) n[j] = _mm512_loadu_si512((const void *)(numbers + 64 * j));
        size_t at = g, next = cols, next_at = groups;
        const int8_t *a = q + g * CPU_GROUP;
        /* Hides from the compiler that the steps are the same each time: it would keep 64 pointers in memory. */
        __asm__("" : "+r"(next), "+r"(next_at));
#pragma GCC unroll 16
        for (int i = 0; i < count; i++, a += next, at += next_at) {
            __m512 scale = _mm512_set1_ps(d[at]);
#pragma GCC unroll 2
            for (int u = 0; u < units; u++) {
                __m512i sum = _mm512_setzero_si512();
                if (unit == 16 && bias >= 0) sum = _mm512_set1_epi32(sums[2 * at + (size_t)u]);
                sum = dot(n + u * unit / 4, unit / 4, a + u * unit, sum);
                if (unit == 32 && bias >= 0)
                    sum = _mm512_sub_epi32(sum, _mm512_slli_epi32(_mm512_set1_epi32(s[at]), (unsigned)(bias & 31)));
                __m512 w = _mm512_mul_ps(_mm512_loadu_ps(scales + 16 * u), scale);
                acc[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), w, acc[i]);
                if (minimum) {
                    __m512 both = _mm512_set1_ps(unit == 32 ? ds[at] : scaled[2 * at + (size_t)u]);
                    acc[i] = _mm512_fmadd_ps(_mm512_loadu_ps(minimums + 16 * u), both, acc[i]);
                }
            }
        }
        scales += CPU_TILE * units;
        minimums += CPU_TILE * units;
    }
#pragma GCC unroll 16
    for (int i = 0; i < count; i++) _mm512_storeu_ps(c->acc + (from + (uint32_t)i) * CPU_TILE, acc[i]);
}

static void finish(const cpu_product *p, uint32_t tile, uint32_t column, const float *acc) {
    wide_finish(p, tile, column, _mm512_loadu_ps(acc));
}

#define COLUMNS(name, count, unit, bias, minimum) \
    static __attribute__((noinline)) void name##_##count(const panel *t, const panel_columns *c, uint32_t from) { \
        columns(unit, bias, minimum, count, t, c, from); \
    }

#define FORMAT(name, length, bytes, unit, bias, minimum, top, sums) \
    COLUMNS(name, 1, unit, bias, minimum) \
    COLUMNS(name, 2, unit, bias, minimum) \
    COLUMNS(name, 4, unit, bias, minimum) \
    COLUMNS(name, 8, unit, bias, minimum) \
    COLUMNS(name, 16, unit, bias, minimum) \
    static void name##_step(const panel *t, const panel_columns *c) { \
        uint32_t from = 0; \
        if (c->count == 16) { \
            name##_16(t, c, 0); \
            return; \
        } \
        if (c->count & 8) name##_8(t, c, from), from += 8; \
        if (c->count & 4) name##_4(t, c, from), from += 4; \
        if (c->count & 2) name##_2(t, c, from), from += 2; \
        if (c->count & 1) name##_1(t, c, from); \
    } \
    static const panel_kind name = {length, bytes, unit, panel_##name, sums, name##_step, finish}; \
    void avx512_product_##name(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, void *scratch) { \
        panel_product(&name, p, tile_begin, tile_end, scratch); \
    }

PANEL_FORMATS(FORMAT)

#else
typedef int panel_avx512_is_for_x86;
#endif
