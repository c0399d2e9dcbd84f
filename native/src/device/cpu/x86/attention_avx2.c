// SPDX-License-Identifier: Apache-2.0
/* Attention with registers of 8 keys (scores, 32 at once) and of 8 dimensions (values), three lines at a time. */
#if defined(__x86_64__)

#include "device/cpu/x86/kernels_avx2.h"
#include "device/cpu/x86/math_avx2.h"

#define WALK_LINES 3
#include "device/cpu/x86/attention_walk.h"

#define INLINE static inline __attribute__((always_inline))

#include "device/cpu/x86/attention_q8_0_avx2.h"

static void tier_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s) {
    avx2_quantize(x, cols, q, d, ds, s);
}

/* The first n of 8 numbers; the others are 0. */
INLINE __m256 load8(bool half, const uint8_t *at, size_t index, size_t n) {
    if (n == 8) return half ? eight_halves(at + 2 * index) : _mm256_loadu_ps((const void *)(at + 4 * index));
    float eight[8] = {0};
    memcpy(eight, at + (half ? 2 : 4) * index, (half ? 2 : 4) * n);
    return half ? eight_halves(eight) : _mm256_loadu_ps(eight);
}

/* Scores of 32 keys. */
INLINE void scores(bool half, int lines, const cpu_attention *a, const uint8_t *keys, const float *qs, float *p,
                   const uint8_t *ahead) {
    const size_t stride = cache_page_groups(a->dim_k) * CPU_GROUP;
    __m256 acc[WALK_LINES][4];
#pragma GCC unroll 3
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < 4; b++) acc[n][b] = _mm256_setzero_ps();
    for (size_t i = 0; i < a->dim_k; i++) {
        __m256 q[WALK_LINES];
        ask(ahead + i * 32 * (half ? 2 : 4), 32 * (half ? 2 : 4));
#pragma GCC unroll 3
        for (int n = 0; n < lines; n++) q[n] = _mm256_set1_ps(qs[(size_t)n * stride + i]);
#pragma GCC unroll 4
        for (int b = 0; b < 4; b++) {
            __m256 k = load8(half, keys, i * CPU_PAGE + 8 * (size_t)b, 8);
#pragma GCC unroll 3
            for (int n = 0; n < lines; n++) acc[n][b] = _mm256_fmadd_ps(q[n], k, acc[n][b]);
        }
    }
#pragma GCC unroll 3
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < 4; b++) _mm256_storeu_ps(p + n * CPU_PAGE + 8 * b, acc[n][b]);
}

/* Keys [from, to) of a page, `chunks` registers of dimensions, the last one with `last` of its numbers. */
INLINE void weigh(bool half, int lines, int chunks, size_t last, const cpu_attention *a, const uint8_t *values,
                  const float *p, uint32_t from, uint32_t to, float *o, size_t stride, const uint8_t *ahead) {
    __m256 acc[WALK_LINES][4];
#pragma GCC unroll 3
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) acc[n][b] = _mm256_loadu_ps(o + (size_t)n * stride + 8 * b);
    for (size_t j = from; j < to; j++) {
        ask(ahead + j * 8 * (size_t)chunks * (half ? 2 : 4), 8 * (size_t)chunks * (half ? 2 : 4));
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) {
            __m256 v = load8(half, values, j * a->dim_v + 8 * (size_t)b, b == chunks - 1 ? last : 8);
#pragma GCC unroll 3
            for (int n = 0; n < lines; n++)
                acc[n][b] = _mm256_fmadd_ps(_mm256_set1_ps(p[n * CPU_PAGE + j]), v, acc[n][b]);
        }
    }
#pragma GCC unroll 3
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) _mm256_storeu_ps(o + (size_t)n * stride + 8 * b, acc[n][b]);
}

INLINE void weigh_all(bool half, int lines, const cpu_attention *a, const uint8_t *values, const float *p,
                      uint32_t from, uint32_t to, float *o, size_t stride, const uint8_t *ahead) {
    const size_t width = half ? 2 : 4, page = CPU_PAGE * width;
    uint32_t i = 0;
    for (; i + 32 <= a->dim_v; i += 32)
        weigh(half, lines, 4, 8, a, values + i * width, p, from, to, o + i, stride, ahead + i * page);
    for (; i + 8 <= a->dim_v; i += 8)
        weigh(half, lines, 1, 8, a, values + i * width, p, from, to, o + i, stride, ahead + i * page);
    if (i < a->dim_v)
        weigh(half, lines, 1, a->dim_v - i, a, values + i * width, p, from, to, o + i, stride, ahead + i * page);
}

#define LINE(type, half, lines) \
    static void scores_##type##_##lines(const cpu_attention *a, const uint8_t *keys, const float *qs, float *p, \
                                        uint32_t seen, const uint8_t *ahead) { \
        const size_t width = half ? 2 : 4; \
        scores(half, lines, a, keys, qs, p, ahead); \
        if (seen > 32) scores(half, lines, a, keys + 32 * width, qs, p + 32, ahead + 32 * width * a->dim_k); \
    } \
    static void weigh_##type##_##lines(const cpu_attention *a, const uint8_t *values, const float *p, uint32_t from, \
                                       uint32_t to, float *o, size_t stride, const uint8_t *ahead) { \
        weigh_all(half, lines, a, values, p, from, to, o, stride, ahead); \
    }

#define TYPE(type, half) \
    LINE(type, half, 1) \
    LINE(type, half, 2) \
    LINE(type, half, 3) \
    static void (*const scores_##type[WALK_LINES])(const cpu_attention *, const uint8_t *, const float *, float *, \
                                                   uint32_t, const uint8_t *) = { \
        scores_##type##_1, scores_##type##_2, scores_##type##_3}; \
    static void (*const weigh_##type[WALK_LINES])(const cpu_attention *, const uint8_t *, const float *, uint32_t, \
                                                  uint32_t, float *, size_t, const uint8_t *) = { \
        weigh_##type##_1, weigh_##type##_2, weigh_##type##_3};

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

static float tier_exp(float x) { return _mm256_cvtss_f32(eight_exp(_mm256_set1_ps(x))); }

static float tier_lanes(const float *lanes) {
    return eight_lanes_sum(_mm256_loadu_ps(lanes), _mm256_loadu_ps(lanes + 8));
}

/* Unseen keys beside those seen become -inf, whose weight is +0 and doesn't change a lane of the sum. */
static void tier_soften(line *n, float softcap, float *p, float *lanes, float *o, size_t stride) {
    float m = n->m;
    const uint32_t begin = n->from / 16 * 16, end = (n->to + 15) / 16 * 16;
    for (uint32_t j = begin; j < n->from; j++) p[j] = -INFINITY;
    for (uint32_t j = n->to; j < end; j++) p[j] = -INFINITY;
    if (softcap > 0)
        for (uint32_t j = n->from; j < n->to; j++) p[j] = softcap * math_tanhf(p[j] / softcap);
    __m256 most = _mm256_set1_ps(m);
    for (uint32_t j = begin; j < end; j += 8)
        most = _mm256_max_ps(_mm256_loadu_ps(p + j), most); /* NaN never larger */
    float eight[8];
    _mm256_storeu_ps(eight, most);
    for (int i = 0; i < 8; i++)
        if (eight[i] > m) m = eight[i];
    const float change = n->m - m;
    __m256 shift = _mm256_set1_ps(m), low = _mm256_loadu_ps(lanes), high = _mm256_loadu_ps(lanes + 8);
    if (change != 0) { /* else the correction is 1; of infinities it is not a number */
        __m256 c = eight_exp_below(_mm256_set1_ps(change));
        low = _mm256_mul_ps(low, c);
        high = _mm256_mul_ps(high, c);
        for (size_t i = 0; i < stride; i += 8) _mm256_storeu_ps(o + i, _mm256_mul_ps(_mm256_loadu_ps(o + i), c));
    }
    for (uint32_t j = begin; j < end; j += 16) {
        __m256 a = eight_exp_below(_mm256_sub_ps(_mm256_loadu_ps(p + j), shift));
        __m256 b = eight_exp_below(_mm256_sub_ps(_mm256_loadu_ps(p + j + 8), shift));
        _mm256_storeu_ps(p + j, a);
        _mm256_storeu_ps(p + j + 8, b);
        low = _mm256_add_ps(low, a);
        high = _mm256_add_ps(high, b);
    }
    _mm256_storeu_ps(lanes, low);
    _mm256_storeu_ps(lanes + 8, high);
    n->m = m;
}

size_t avx2_attention_scratch(const cpu_attention *a) {
    return walk_scratch(a);
}

void avx2_attention(const cpu_attention *a, const cpu_queries *queries, uint32_t head_begin, uint32_t head_end,
                    void *scratch) {
    walk(a, queries, head_begin, head_end, scratch);
}

void avx2_attention_span(const cpu_attention *a, const cpu_queries *queries, uint32_t head, uint32_t span,
                         const cpu_parts *parts, void *scratch) {
    walk_one_span(a, queries, head, span, parts, scratch);
}

void avx2_attention_join(const cpu_attention *a, const cpu_queries *queries, uint32_t head, const cpu_parts *parts,
                         void *scratch) {
    walk_join(a, queries, head, parts, scratch);
}

#else
typedef int attention_avx2_is_for_x86;
#endif
