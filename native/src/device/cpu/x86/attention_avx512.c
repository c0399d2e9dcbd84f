// SPDX-License-Identifier: Apache-2.0
/*
 * Attention, equal to ref/ref_attention.c bit for bit. A "line" is one query row and head; up to six lines of one key head
 * go together and share every load of keys (a register: 16 positions) and values (a register: 16 dimensions).
 */
#if defined(__x86_64__)

#include "device/cpu/x86/kernels_avx512.h"
#include "device/cpu/x86/math_avx512.h"
#include "puna.h"

#define INLINE static inline __attribute__((always_inline))

enum { LINES = 6 };

typedef struct line {
    uint32_t low, high; /* positions that it sees */
    const float *q;
    float *out;
    float m, l, all_m, all_l; /* of the span; of all spans so far */
    bool begun;               /* all_m and all_l hold something */
    uint32_t from, to;        /* keys seen in the page at hand */
} line;

/* In the thread's scratch, each part 64-byte aligned. */
typedef struct room {
    float *qs;     /* [LINES][dim_k] */
    float *p;      /* [LINES][64]: scores, then weights */
    float *lanes;  /* [LINES][16] */
    float *o, *all; /* [LINES][dim_v rounded up to 16] */
    size_t stride;
} room;

INLINE size_t up16(size_t n) { return (n + 15) & ~(size_t)15; }

size_t avx512_attention_scratch(const cpu_attention *a) {
    return LINES * (up16(a->dim_k) + CPU_PAGE + 16 + 2 * up16(a->dim_v)) * sizeof(float);
}

static room furnish(const cpu_attention *a, void *scratch) {
    room r;
    r.stride = up16(a->dim_v);
    r.qs = scratch;
    r.p = r.qs + LINES * up16(a->dim_k);
    r.lanes = r.p + LINES * CPU_PAGE;
    r.o = r.lanes + LINES * 16;
    r.all = r.o + LINES * r.stride;
    return r;
}

INLINE __m512 load16(bool half, const uint8_t *at, size_t index, __mmask16 m) {
    if (half) return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(m, (const void *)(at + 2 * index)));
    return _mm512_maskz_loadu_ps(m, (const void *)(at + 4 * index));
}

/* ---- scores of all 64 keys of a page ---- */

INLINE void scores(bool half, int lines, const cpu_attention *a, const uint8_t *keys, const float *qs, float *p) {
    const size_t stride = up16(a->dim_k);
    __m512 acc[LINES][4];
#pragma GCC unroll 6
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < 4; b++) acc[n][b] = _mm512_setzero_ps();
    for (size_t i = 0; i < a->dim_k; i++) {
        __m512 k[4];
#pragma GCC unroll 4
        for (int b = 0; b < 4; b++) k[b] = load16(half, keys, i * CPU_PAGE + 16 * (size_t)b, 0xffff);
#pragma GCC unroll 6
        for (int n = 0; n < lines; n++) {
            __m512 q = _mm512_set1_ps(qs[(size_t)n * stride + i]);
#pragma GCC unroll 4
            for (int b = 0; b < 4; b++) acc[n][b] = _mm512_fmadd_ps(q, k[b], acc[n][b]);
        }
    }
#pragma GCC unroll 6
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < 4; b++) _mm512_store_ps(p + n * CPU_PAGE + 16 * b, acc[n][b]);
}

/* ---- weights times values: keys [from, to) of a page, `chunks` registers of dimensions, the last one masked ---- */

INLINE void weigh(bool half, int lines, int chunks, __mmask16 last, const cpu_attention *a, const uint8_t *values,
                  const float *p, uint32_t from, uint32_t to, float *o, size_t stride) {
    __m512 acc[LINES][4];
#pragma GCC unroll 6
    for (int n = 0; n < lines; n++)
#pragma GCC unroll 4
        for (int b = 0; b < chunks; b++) acc[n][b] = _mm512_load_ps(o + (size_t)n * stride + 16 * b);
    for (size_t j = from; j < to; j++) {
        __m512 v[4];
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
                      uint32_t from, uint32_t to, float *o, size_t stride) {
    const size_t width = half ? 2 : 4;
    if (from >= to) return;
    for (uint32_t i = 0; i < a->dim_v; i += 64) {
        uint32_t left = a->dim_v - i, chunks = left >= 64 ? 4 : (left + 15) / 16;
        __mmask16 last = left >= 64 || left % 16 == 0 ? (__mmask16)0xffff : wide_first(left % 16);
        const uint8_t *at = values + i * width;
        if (chunks == 4) weigh(half, lines, 4, last, a, at, p, from, to, o + i, stride);
        else if (chunks == 3) weigh(half, lines, 3, last, a, at, p, from, to, o + i, stride);
        else if (chunks == 2) weigh(half, lines, 2, last, a, at, p, from, to, o + i, stride);
        else weigh(half, lines, 1, last, a, at, p, from, to, o + i, stride);
    }
}

/* ---- one function for each type and number of lines ---- */

typedef void (*scores_run)(const cpu_attention *a, const uint8_t *keys, const float *qs, float *p);
typedef void (*weigh_run)(const cpu_attention *a, const uint8_t *values, const float *p, uint32_t from, uint32_t to,
                          float *o, size_t stride);

#define LINE(type, half, lines) \
    static void scores_##type##_##lines(const cpu_attention *a, const uint8_t *keys, const float *qs, float *p) { \
        scores(half, lines, a, keys, qs, p); \
    } \
    static void weigh_##type##_##lines(const cpu_attention *a, const uint8_t *values, const float *p, uint32_t from, \
                                       uint32_t to, float *o, size_t stride) { \
        weigh_all(half, lines, a, values, p, from, to, o, stride); \
    }

#define TYPE(type, half) \
    LINE(type, half, 1) \
    LINE(type, half, 2) \
    LINE(type, half, 3) \
    LINE(type, half, 4) \
    LINE(type, half, 5) \
    LINE(type, half, 6) \
    static const scores_run scores_##type[LINES] = {scores_##type##_1, scores_##type##_2, scores_##type##_3, \
                                                    scores_##type##_4, scores_##type##_5, scores_##type##_6}; \
    static const weigh_run weigh_##type[LINES] = {weigh_##type##_1, weigh_##type##_2, weigh_##type##_3, \
                                                  weigh_##type##_4, weigh_##type##_5, weigh_##type##_6};

TYPE(f16, true)
TYPE(f32, false)

/* ---- softmax of one line over a page ---- */

static void soften(line *n, float softcap, float *p, float *lanes_at, float *o, size_t dim) {
    if (softcap > 0)
        for (uint32_t j = n->from; j < n->to; j++) p[j] = softcap * math_tanhf(p[j] / softcap);
    __mmask64 seen = (~0ull >> (CPU_PAGE - n->to)) & (~0ull << n->from);
    __m512 most = _mm512_set1_ps(n->m);
    for (int b = 0; b < 4; b++) {
        __m512 s = _mm512_load_ps(p + 16 * b);
        most = _mm512_mask_max_ps(most, (__mmask16)(seen >> 16 * b), s, most); /* a NaN score is never larger */
    }
    float m = _mm512_reduce_max_ps(most);
    __m512 c = wide_exp(_mm512_set1_ps(n->m - m)), shift = _mm512_set1_ps(m);
    __m512 lanes = _mm512_mul_ps(_mm512_load_ps(lanes_at), c);
    for (int b = 0; b < 4; b++) {
        __mmask16 mask = (__mmask16)(seen >> 16 * b);
        __m512 e = wide_exp(_mm512_sub_ps(_mm512_load_ps(p + 16 * b), shift));
        _mm512_store_ps(p + 16 * b, e);
        lanes = _mm512_mask_add_ps(lanes, mask, lanes, e);
    }
    _mm512_store_ps(lanes_at, lanes);
    for (size_t i = 0; i < dim; i += 16) _mm512_store_ps(o + i, _mm512_mul_ps(_mm512_load_ps(o + i), c));
    n->m = m;
}

/* ---- pages, spans, all ---- */

static void walk_page(const cpu_attention *a, const uint8_t *keys, const uint8_t *values, line *lines, uint32_t count,
                      const room *r) {
    bool half = a->type == PUNA_CACHE_F16;
    const weigh_run *weighers = half ? weigh_f16 : weigh_f32;
    (half ? scores_f16 : scores_f32)[count - 1](a, keys, r->qs, r->p);
    uint32_t from = 0, to = CPU_PAGE; /* keys that all lines see */
    for (uint32_t n = 0; n < count; n++) {
        line *l = &lines[n];
        if (l->from < l->to) soften(l, a->softcap, r->p + n * CPU_PAGE, r->lanes + 16 * n, r->o + n * r->stride, r->stride);
        if (l->from > from) from = l->from;
        if (l->to < to) to = l->to;
    }
    bool shared = from < to;
    for (uint32_t n = 0; n < count && (from > 0 || !shared); n++) /* a line's own keys before those */
        weighers[0](a, values, r->p + n * CPU_PAGE, lines[n].from, shared ? from : lines[n].to, r->o + n * r->stride,
                    r->stride);
    if (!shared) return;
    weighers[count - 1](a, values, r->p, from, to, r->o, r->stride);
    for (uint32_t n = 0; n < count && to < CPU_PAGE; n++) /* and after */
        weighers[0](a, values, r->p + n * CPU_PAGE, to, lines[n].to, r->o + n * r->stride, r->stride);
}

static void join(line *n, const float *lanes, const float *o, float *all, size_t dim) {
    n->l = wide_lanes_sum(_mm512_load_ps(lanes));
    if (!n->begun) {
        memcpy(all, o, dim * sizeof(float));
        n->all_m = n->m;
        n->all_l = n->l;
        n->begun = true;
        return;
    }
    float most = n->m > n->all_m ? n->m : n->all_m;
    __m512 x = wide_exp(_mm512_set1_ps(n->all_m - most)), y = wide_exp(_mm512_set1_ps(n->m - most));
    n->all_m = most;
    n->all_l = math_fmaf(n->l, _mm512_cvtss_f32(y), n->all_l * _mm512_cvtss_f32(x));
    for (size_t i = 0; i < dim; i += 16) {
        __m512 kept = _mm512_mul_ps(_mm512_load_ps(all + i), x);
        _mm512_store_ps(all + i, _mm512_fmadd_ps(_mm512_load_ps(o + i), y, kept));
    }
}

/* The part of [low, high) within [first, first + length), from `first` on; empty is 0, 0. */
INLINE void cut(uint32_t low, uint32_t high, uint32_t first, uint32_t length, uint32_t *from, uint32_t *to) {
    uint32_t begin = low > first ? low : first, end = high < first + length ? high : first + length;
    *from = begin < end ? begin - first : 0;
    *to = begin < end ? end - first : 0;
}

static void walk_span(const cpu_attention *a, uint32_t head, uint32_t first, uint32_t end, line *lines, uint32_t count,
                      const room *r) {
    const size_t width = a->type == PUNA_CACHE_F16 ? 2 : 4;
    for (uint32_t n = 0; n < count; n++) lines[n].m = -INFINITY;
    memset(r->lanes, 0, LINES * 16 * sizeof(float));
    memset(r->o, 0, count * r->stride * sizeof(float));
    for (; first < end; first += CPU_PAGE) {
        bool any = false;
        for (uint32_t n = 0; n < count; n++) {
            cut(lines[n].low, lines[n].high, first, CPU_PAGE, &lines[n].from, &lines[n].to);
            any |= lines[n].from < lines[n].to;
        }
        if (!any) continue;
        const uint8_t *page = a->pages[first / CPU_PAGE];
        walk_page(a, page + a->k_offset + (size_t)head * a->dim_k * CPU_PAGE * width,
                  page + a->v_offset + (size_t)head * a->dim_v * CPU_PAGE * width, lines, count, r);
    }
}

static void attend(const cpu_attention *a, uint32_t head, line *lines, uint32_t count, const room *r) {
    const uint32_t span = CPU_PAGE * CPU_SPAN_PAGES;
    uint32_t low = UINT32_MAX, high = 0;
    for (uint32_t n = 0; n < count; n++) {
        if (lines[n].low < low) low = lines[n].low;
        if (lines[n].high > high) high = lines[n].high;
        lines[n].begun = false;
        float *qs = r->qs + n * up16(a->dim_k);
        for (uint32_t i = 0; i < a->dim_k; i++) qs[i] = lines[n].q[i] * a->scale;
    }
    for (uint32_t first = low / span * span; first < high; first += span) {
        walk_span(a, head, first, high - first < span ? high : first + span, lines, count, r);
        for (uint32_t n = 0; n < count; n++) {
            uint32_t from, to;
            cut(lines[n].low, lines[n].high, first, span, &from, &to);
            if (from < to) join(&lines[n], r->lanes + 16 * n, r->o + n * r->stride, r->all + n * r->stride, r->stride);
        }
    }
    for (uint32_t n = 0; n < count; n++) {
        __m512 inverse = _mm512_set1_ps(1.0f / lines[n].all_l);
        for (uint32_t i = 0; i < a->dim_v; i += 16) {
            __mmask16 m = a->dim_v - i < 16 ? wide_first(a->dim_v - i) : (__mmask16)0xffff;
            _mm512_mask_storeu_ps(lines[n].out + i, m,
                                  _mm512_mul_ps(_mm512_load_ps(r->all + n * r->stride + i), inverse));
        }
    }
}

void avx512_attention(const cpu_attention *a, const cpu_queries *queries, uint32_t head_begin, uint32_t head_end,
                      void *scratch) {
    room r = furnish(a, scratch);
    line lines[LINES];
    for (uint32_t head = head_begin; head < head_end; head++) {
        uint32_t total = queries->rows * a->group, count = 0;
        for (uint32_t i = 0; i < total; i++) {
            uint32_t row = i / a->group, h = head * a->group + i % a->group, position = queries->first + row;
            line *l = &lines[count++];
            l->high = a->causal ? position + 1 : queries->first + queries->rows;
            l->low = a->window && position >= a->window ? position + 1 - a->window : 0;
            l->q = queries->q + row * queries->q_stride + (size_t)h * a->dim_k;
            l->out = queries->out + row * queries->out_stride + (size_t)h * a->dim_v;
            if (count < LINES && i + 1 < total) continue;
            attend(a, head, lines, count, &r);
            count = 0;
        }
    }
}

#else
typedef int attention_avx512_is_for_x86;
#endif
