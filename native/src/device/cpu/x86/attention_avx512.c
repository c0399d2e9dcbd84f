// SPDX-License-Identifier: Apache-2.0
/* Attention with registers of 16 keys (scores) and of 16 dimensions (values), six lines at a time. */
#if defined(__x86_64__)

#include "device/cpu/x86/kernels_avx512.h"
#include "device/cpu/x86/math_avx512.h"

#define WALK_LINES 6
#include "device/cpu/x86/attention_walk.h"

#define INLINE static inline __attribute__((always_inline))

#include "device/cpu/x86/attention_q8_0_avx512.h"

static void tier_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s) {
    avx512_quantize(x, cols, q, d, ds, s);
}

INLINE __m512 load16(bool half, const uint8_t *at, size_t index, __mmask16 m) {
    if (half) return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(m, (const void *)(at + 2 * index)));
    return _mm512_maskz_loadu_ps(m, (const void *)(at + 4 * index));
}

/* ---- scores of a page's first keys, 16 a block ---- */

INLINE void scores_of(bool half, int lines, int blocks, const cpu_attention *a, const uint8_t *keys, const float *qs,
                      float *p, const uint8_t *ahead) {
    const size_t stride = cache_page_groups(a->dim_k) * CPU_GROUP;
    __m512 acc[WALK_LINES][4];
#pragma GCC unroll 6
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < blocks; b++) acc[n][b] = _mm512_setzero_ps();
    for (size_t i = 0; i < a->dim_k; i++) {
        __m512 k[4];
        ask(ahead + i * CPU_PAGE * (half ? 2 : 4), CPU_PAGE * (half ? 2 : 4));
#pragma GCC unroll 4
        for (int b = 0; b < blocks; b++) k[b] = load16(half, keys, i * CPU_PAGE + 16 * (size_t)b, 0xffff);
#pragma GCC unroll 6
        for (int n = 0; n < lines; n++) {
            __m512 q = _mm512_set1_ps(qs[(size_t)n * stride + i]);
#pragma GCC unroll 4
            for (int b = 0; b < blocks; b++) acc[n][b] = _mm512_fmadd_ps(q, k[b], acc[n][b]);
        }
    }
#pragma GCC unroll 6
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < blocks; b++) _mm512_store_ps(p + n * CPU_PAGE + 16 * b, acc[n][b]);
}

INLINE void scores(bool half, int lines, const cpu_attention *a, const uint8_t *keys, const float *qs, float *p,
                   uint32_t seen, const uint8_t *ahead) {
    if (seen <= 16) scores_of(half, lines, 1, a, keys, qs, p, ahead);
    else if (seen <= 32) scores_of(half, lines, 2, a, keys, qs, p, ahead);
    else scores_of(half, lines, 4, a, keys, qs, p, ahead);
}

/* ---- weights times values: keys [from, to) of a page, `chunks` registers of dimensions, the last one masked ---- */

INLINE void weigh(bool half, int lines, int chunks, __mmask16 last, const cpu_attention *a, const uint8_t *values,
                  const float *p, uint32_t from, uint32_t to, float *o, size_t stride, const uint8_t *ahead) {
    __m512 acc[WALK_LINES][4];
#pragma GCC unroll 6
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) acc[n][b] = _mm512_load_ps(o + (size_t)n * stride + 16 * b);
    for (size_t j = from; j < to; j++) {
        __m512 v[4];
        ask(ahead + j * 64 * (half ? 2 : 4), 64 * (half ? 2 : 4));
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++)
            v[b] = load16(half, values, j * a->dim_v + 16 * (size_t)b, b == chunks - 1 ? last : (__mmask16)0xffff);
#pragma GCC unroll 6
        for (int n = 0; n < lines; n++) {
            __m512 w = _mm512_set1_ps(p[n * CPU_PAGE + j]);
#pragma GCC unroll 4
            for (int b = 0; b < chunks; b++) acc[n][b] = _mm512_fmadd_ps(w, v[b], acc[n][b]);
        }
    }
#pragma GCC unroll 6
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) _mm512_store_ps(o + (size_t)n * stride + 16 * b, acc[n][b]);
}

INLINE void weigh_all(bool half, int lines, const cpu_attention *a, const uint8_t *values, const float *p,
                      uint32_t from, uint32_t to, float *o, size_t stride, const uint8_t *ahead) {
    const size_t width = half ? 2 : 4;
    for (uint32_t i = 0; i < a->dim_v; i += 64, ahead += CPU_PAGE * 64 * width) {
        uint32_t left = a->dim_v - i, chunks = left >= 64 ? 4 : (left + 15) / 16;
        __mmask16 last = left >= 64 || left % 16 == 0 ? (__mmask16)0xffff : wide_first(left % 16);
        const uint8_t *at = values + i * width;
        if (chunks == 4) weigh(half, lines, 4, last, a, at, p, from, to, o + i, stride, ahead);
        else if (chunks == 3) weigh(half, lines, 3, last, a, at, p, from, to, o + i, stride, ahead);
        else if (chunks == 2) weigh(half, lines, 2, last, a, at, p, from, to, o + i, stride, ahead);
        else weigh(half, lines, 1, last, a, at, p, from, to, o + i, stride, ahead);
    }
}

/* ---- one function for each type and number of lines ---- */

typedef void (*scores_run)(const cpu_attention *a, const uint8_t *keys, const float *qs, float *p, uint32_t seen,
                           const uint8_t *ahead);
typedef void (*weigh_run)(const cpu_attention *a, const uint8_t *values, const float *p, uint32_t from, uint32_t to,
                          float *o, size_t stride, const uint8_t *ahead);

#define LINE(type, half, lines) \
    static void scores_##type##_##lines(const cpu_attention *a, const uint8_t *keys, const float *qs, float *p, \
                                        uint32_t seen, const uint8_t *ahead) { \
        scores(half, lines, a, keys, qs, p, seen, ahead); \
    } \
    static void weigh_##type##_##lines(const cpu_attention *a, const uint8_t *values, const float *p, uint32_t from, \
                                       uint32_t to, float *o, size_t stride, const uint8_t *ahead) { \
        weigh_all(half, lines, a, values, p, from, to, o, stride, ahead); \
    }

#define TYPE(type, half) \
    LINE(type, half, 1) \
    LINE(type, half, 2) \
    LINE(type, half, 3) \
    LINE(type, half, 4) \
    LINE(type, half, 5) \
    LINE(type, half, 6) \
    static const scores_run scores_##type[WALK_LINES] = {scores_##type##_1, scores_##type##_2, scores_##type##_3, \
                                                    scores_##type##_4, scores_##type##_5, scores_##type##_6}; \
    static const weigh_run weigh_##type[WALK_LINES] = {weigh_##type##_1, weigh_##type##_2, weigh_##type##_3, \
                                                  weigh_##type##_4, weigh_##type##_5, weigh_##type##_6};

TYPE(f16, true)
TYPE(f32, false)

static void tier_scores(const cpu_attention *a, const uint8_t *keys, uint32_t count, uint32_t seen, const room *r,
                        const uint8_t *ahead) {
    if (a->type == PUNA_CACHE_Q8_0) scores_q8_0[count - 1](a, keys, r, ahead);
    else (a->type == PUNA_CACHE_F16 ? scores_f16 : scores_f32)[count - 1](a, keys, r->qs, r->p, seen, ahead);
}

static void tier_weigh(const cpu_attention *a, const uint8_t *values, uint32_t count, const float *p, uint32_t from,
                       uint32_t to, float *o, size_t stride, const uint8_t *ahead) {
    if (from >= to) return;
    if (a->type == PUNA_CACHE_Q8_0) weigh_q8_0[count - 1](a, values, p, from, to, o, stride, ahead);
    else (a->type == PUNA_CACHE_F16 ? weigh_f16 : weigh_f32)[count - 1](a, values, p, from, to, o, stride, ahead);
}

static float tier_exp(float x) { return _mm512_cvtss_f32(wide_exp(_mm512_set1_ps(x))); }

static float tier_lanes(const float *lanes) { return wide_lanes_sum(_mm512_load_ps(lanes)); }

/* ---- softmax of one line over a page ---- */

static void tier_soften(line *n, float softcap, float *p, float *lanes_at, float *o, size_t stride) {
    if (softcap > 0)
        for (uint32_t j = n->from; j < n->to; j++) p[j] = softcap * math_tanhf(p[j] / softcap);
    __mmask64 seen = (~0ull >> (CPU_PAGE - n->to)) & (~0ull << n->from);
    __m512 most = _mm512_set1_ps(n->m);
    const uint32_t begin = n->from / 16, end = (n->to + 15) / 16; /* blocks of 16 keys with any that it sees */
    for (uint32_t b = begin; b < end; b++) {
        __m512 s = _mm512_load_ps(p + 16 * b);
        most = _mm512_mask_max_ps(most, (__mmask16)(seen >> 16 * b), s, most); /* a NaN score is never larger */
    }
    float m = _mm512_reduce_max_ps(most);
    const float change = n->m - m;
    __m512 shift = _mm512_set1_ps(m), lanes = _mm512_load_ps(lanes_at);
    if (change != 0) { /* else the correction is 1; of infinities it is not a number */
        __m512 c = wide_exp_below(_mm512_set1_ps(change));
        lanes = _mm512_mul_ps(lanes, c);
        for (size_t i = 0; i < stride; i += 16) _mm512_store_ps(o + i, _mm512_mul_ps(_mm512_load_ps(o + i), c));
    }
    for (uint32_t b = begin; b < end; b++) {
        __mmask16 mask = (__mmask16)(seen >> 16 * b);
        __m512 e = wide_exp_below(_mm512_sub_ps(_mm512_load_ps(p + 16 * b), shift));
        _mm512_store_ps(p + 16 * b, e);
        lanes = _mm512_mask_add_ps(lanes, mask, lanes, e);
    }
    _mm512_store_ps(lanes_at, lanes);
    n->m = m;
}

size_t avx512_attention_scratch(const cpu_attention *a) {
    return walk_scratch(a);
}

void avx512_attention(const cpu_attention *a, const cpu_queries *queries, uint32_t head_begin, uint32_t head_end,
                      void *scratch) {
    walk(a, queries, head_begin, head_end, scratch);
}

void avx512_attention_span(const cpu_attention *a, const cpu_queries *queries, uint32_t head, uint32_t span,
                           const cpu_parts *parts, void *scratch) {
    walk_one_span(a, queries, head, span, parts, scratch);
}

void avx512_attention_join(const cpu_attention *a, const cpu_queries *queries, uint32_t head, const cpu_parts *parts,
                           void *scratch) {
    walk_join(a, queries, head, parts, scratch);
}

#else
typedef int attention_avx512_is_for_x86;
#endif
