// SPDX-License-Identifier: Apache-2.0
/*
 * Attention of one query row and head over the keys that it sees, [low, high) in positions:
 *
 *     causal:  high = position + 1
 *              low  = position + 1 - window if there is a window and position >= window, else 0
 *     else:    all keys given, queries.keys; with a window those at most window / 2 away
 *
 * 1. qs[i] = q[i] * scale, rounded.
 * 2. Spans of 512 positions, aligned to position 0, ascending; those without a visible key are skipped. A span starts
 *    with m = -inf, 16 lanes of sum = 0, o = 0. Then for each of its pages of 64 (those without a visible key are
 *    skipped):
 *      score of key j: acc = 0; acc = fmaf(qs[i], k[i], acc), i ascending; with slopes
 *      acc = fmaf(slope, -(float)|position - j|, acc); with relative positions acc += relative[j - position]; with
 *      a softcap c: c * tanh(acc / c)
 *      n = the largest of m and the visible keys' scores (a NaN is never larger)
 *      c = exp(m - n); every lane of the sum and every o is multiplied by c; m = n
 *      for the visible keys j, ascending: p = exp(score - m); lane j mod 16 += p; o[i] = fmaf(p, v[i], o[i])
 *    At the span's end l = the tree of the lanes.
 * 3. Spans join in ascending order. The first is taken as it is; then, with (m, l, o) so far and (m', l', o') of the
 *    span:
 *      M = max(m, m'), a = exp(m - M), b = exp(m' - M), l = fmaf(l', b, l * a), o = fmaf(o', b, o * a), m = M
 * 4. A sink s of the head joins: M = max(m, s), a = exp(m - M), l = l * a + exp(s - M), each rounded, o = o * a.
 * 5. out = o * (1 / l).
 *
 * Keys and values in half precision are converted exactly.
 *
 * In a Q8_0 cache qs becomes int8 as the keys do (ref_cache.c). Then in step 2, for each group g of 32 dimensions,
 * ascending, I being the exact integer product sum:
 *      acc = fmaf((float)I, dq[g] * dk[g], acc), the product of the scales rounded
 *      o[i] = fmaf(p * dv[i / 32], (float)v[i], o[i]), the first product rounded
 */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "device/cpu/cache_page.h"
#include "device/cpu/ref/ref.h"

/* A query: scaled; for a Q8_0 cache also as int8, with a scale a group. */
typedef struct query {
    const float *x;
    const int8_t *q;
    const float *d;
    uint32_t position;
    float slope; /* 0: none */
    const float *relative; /* of distance 0; NULL: none */
} query;

static float number(const cpu_attention *a, const uint8_t *at) {
    float x;
    if (a->type == PUNA_CACHE_F16) {
        uint16_t h;
        memcpy(&h, at, sizeof h);
        return math_from_half(h);
    }
    memcpy(&x, at, sizeof x);
    return x;
}

static float scale_of(const uint8_t *scales, uint32_t group, uint32_t j) {
    float d;
    memcpy(&d, scales + ((size_t)group * CPU_PAGE + j) * sizeof d, sizeof d);
    return d;
}

static float score_q8_0(const cpu_attention *a, const uint8_t *keys, uint32_t j, const query *q) {
    float acc = 0;
    for (uint32_t begin = 0, g = 0; begin < a->dim_k; begin += CPU_GROUP, g++) {
        uint32_t end = a->dim_k - begin < CPU_GROUP ? a->dim_k : begin + CPU_GROUP;
        int32_t sum = 0;
        for (uint32_t i = begin; i < end; i++)
            sum += q->q[i] * (keys[((size_t)(i / 4) * CPU_PAGE + j) * 4 + i % 4] - CACHE_PAGE_BIAS);
        float s = q->d[g] * scale_of(keys + cache_page_key_scales(a->dim_k), g, j);
        acc = math_fmaf((float)sum, s, acc);
    }
    return acc;
}

static float score_of(const cpu_attention *a, const uint8_t *keys, uint32_t j, const query *q) {
    if (a->type == PUNA_CACHE_Q8_0) return score_q8_0(a, keys, j, q);
    size_t width = a->type == PUNA_CACHE_F16 ? 2 : 4;
    float acc = 0;
    for (uint32_t i = 0; i < a->dim_k; i++)
        acc = math_fmaf(q->x[i], number(a, keys + ((size_t)i * CPU_PAGE + j) * width), acc);
    return acc;
}

/* o += p * the values of key j */
static void weigh(const cpu_attention *a, const uint8_t *values, uint32_t j, float p, float *o) {
    size_t width = a->type == PUNA_CACHE_F16 ? 2 : 4;
    for (uint32_t i = 0; i < a->dim_v; i++) {
        size_t at = (size_t)j * a->dim_v + i;
        if (a->type == PUNA_CACHE_Q8_0) {
            float pd = p * scale_of(values + (size_t)CPU_PAGE * a->dim_v, i / CPU_GROUP, j);
            o[i] = math_fmaf(pd, (float)(int8_t)values[at], o[i]);
        } else {
            o[i] = math_fmaf(p, number(a, values + at * width), o[i]);
        }
    }
}

enum { SPAN = CPU_PAGE * CPU_SPAN_PAGES };

typedef struct part {
    float m, l;
    float *o;
} part;

static float distance(uint32_t a, uint32_t b) { return (float)(a > b ? a - b : b - a); }

static int64_t bounded(int64_t distance, int64_t reach) {
    return distance < -reach ? -reach : distance > reach ? reach : distance;
}

/* One page of a span: keys [low, high) of the page, for kv head `head`. */
static void walk_page(const cpu_attention *a, uint32_t number_of_page, uint32_t head, uint32_t low, uint32_t high,
                      const query *q, part *span, float lanes[16]) {
    const uint8_t *page = a->pages[number_of_page];
    const uint8_t *keys = page + a->k_offset + (size_t)head * cache_page_keys(a->type, a->dim_k);
    const uint8_t *values = page + a->v_offset + (size_t)head * cache_page_values(a->type, a->dim_v);
    float scores[CPU_PAGE], n = span->m;
    for (uint32_t j = low; j < high; j++) {
        float acc = score_of(a, keys, j, q);
        if (a->slopes) acc = math_fmaf(q->slope, -distance(q->position, number_of_page * CPU_PAGE + j), acc);
        if (q->relative) acc += q->relative[bounded((int64_t)number_of_page * CPU_PAGE + j - q->position, a->reach)];
        if (a->softcap > 0) acc = a->softcap * math_tanhf(acc / a->softcap);
        scores[j] = acc;
        if (acc > n) n = acc;
    }
    float c = math_expf(span->m - n);
    for (uint32_t i = 0; i < 16; i++) lanes[i] *= c;
    for (uint32_t i = 0; i < a->dim_v; i++) span->o[i] *= c;
    span->m = n;
    for (uint32_t j = low; j < high; j++) {
        float p = math_expf(scores[j] - n);
        lanes[j % 16] += p;
        weigh(a, values, j, p, span->o);
    }
}

static void walk_span(const cpu_attention *a, uint32_t head, uint32_t low, uint32_t high, const query *q, part *span) {
    float lanes[16] = {0};
    span->m = -INFINITY;
    memset(span->o, 0, a->dim_v * sizeof(float));
    while (low < high) {
        uint32_t page = low / CPU_PAGE, first = page * CPU_PAGE;
        uint32_t end = high - first < CPU_PAGE ? high - first : CPU_PAGE;
        walk_page(a, page, head, low - first, end, q, span, lanes);
        low = first + end;
    }
    span->l = math_lanes_sum(lanes);
}

static void join(uint32_t dim, part *all, const part *span) {
    float most = span->m > all->m ? span->m : all->m;
    float x = math_expf(all->m - most), y = math_expf(span->m - most);
    all->m = most;
    all->l = math_fmaf(span->l, y, all->l * x);
    for (uint32_t i = 0; i < dim; i++) all->o[i] = math_fmaf(span->o[i], y, all->o[i] * x);
}

static void sink(float s, uint32_t dim, part *all) {
    float most = s > all->m ? s : all->m, x = math_expf(all->m - most), kept = all->l * x;
    all->l = kept + math_expf(s - most);
    for (uint32_t i = 0; i < dim; i++) all->o[i] *= x;
}

/* A query made ready, and the parts, in the scratch. */
typedef struct room {
    query ready;
    part all, span;
} room;

static room furnish(const cpu_attention *a, uint32_t h, uint32_t position, const float *q, float *scratch) {
    const size_t groups = cache_page_groups(a->dim_k), padded = groups * CPU_GROUP;
    float *qs = scratch, *d = qs + padded, *ds = d + groups;
    room r = {.all = {0, 0, ds + groups}, .span = {0, 0, ds + groups + a->dim_v}};
    int32_t *s = (int32_t *)(void *)(r.span.o + a->dim_v);
    int8_t *q8 = (int8_t *)(s + groups);
    for (uint32_t i = 0; i < padded; i++) qs[i] = i < a->dim_k ? q[i] * a->scale : 0.0f;
    if (a->type == PUNA_CACHE_Q8_0) ref_quantize(qs, (uint32_t)padded, q8, d, ds, s);
    r.ready = (query){qs, q8, d, position, a->slopes ? a->slopes[h] : 0.0f,
                      a->relative ? a->relative + (size_t)h * (2 * (size_t)a->reach + 1) + a->reach : NULL};
    return r;
}

static void finish(const cpu_attention *a, uint32_t h, part *all, float *out) {
    if (a->sinks) sink(a->sinks[h], a->dim_v, all);
    float inverse = 1.0f / all->l;
    for (uint32_t i = 0; i < a->dim_v; i++) out[i] = all->o[i] * inverse;
}

/* Query head h of the row at `position`. */
static void attend(const cpu_attention *a, const cpu_queries *queries, uint32_t h, uint32_t position, const float *q,
                   float *out, float *scratch) {
    uint32_t head = h / a->group, low, high;
    cpu_seen(a, queries, position, &low, &high);
    room r = furnish(a, h, position, q, scratch);
    for (bool first = true; low < high; first = false) {
        uint32_t end = (low / SPAN + 1) * SPAN;
        if (end > high) end = high;
        walk_span(a, head, low, end, &r.ready, first ? &r.all : &r.span);
        if (!first) join(a->dim_v, &r.all, &r.span);
        low = end;
    }
    finish(a, h, &r.all, out);
}

void ref_attention(const cpu_attention *a, const cpu_queries *queries, uint32_t head_begin, uint32_t head_end,
                   void *scratch) {
    for (uint32_t row = 0; row < queries->rows; row++) {
        for (uint32_t h = head_begin * a->group; h < head_end * a->group; h++)
            attend(a, queries, h, queries->first + row, queries->q + row * queries->q_stride + (size_t)h * a->dim_k,
                   queries->out + row * queries->out_stride + (size_t)h * a->dim_v, scratch);
    }
}

static float *part_of(const cpu_attention *a, const cpu_parts *parts, uint32_t line, uint32_t span) {
    return parts->at + ((size_t)line * parts->spans + (span - parts->first)) * cpu_part_floats(a->dim_v);
}

void ref_attention_span(const cpu_attention *a, const cpu_queries *queries, uint32_t head, uint32_t span,
                        const cpu_parts *parts, void *scratch) {
    for (uint32_t line = 0; line < queries->rows * a->group; line++) {
        uint32_t row = line / a->group, h = head * a->group + line % a->group, low, high;
        cpu_seen(a, queries, queries->first + row, &low, &high);
        if (low < span * SPAN) low = span * SPAN;
        if (high > (span + 1) * SPAN) high = (span + 1) * SPAN;
        if (low >= high) continue;
        room r = furnish(a, h, queries->first + row, queries->q + row * queries->q_stride + (size_t)h * a->dim_k,
                         scratch);
        walk_span(a, head, low, high, &r.ready, &r.span);
        float *out = part_of(a, parts, line, span);
        out[0] = r.span.m;
        out[1] = r.span.l;
        memcpy(out + 16, r.span.o, a->dim_v * sizeof(float));
    }
}

void ref_attention_join(const cpu_attention *a, const cpu_queries *queries, uint32_t head, const cpu_parts *parts,
                        void *scratch) {
    for (uint32_t line = 0; line < queries->rows * a->group; line++) {
        uint32_t row = line / a->group, h = head * a->group + line % a->group, low, high;
        cpu_seen(a, queries, queries->first + row, &low, &high);
        part all = {0, 0, scratch};
        for (uint32_t span = low / SPAN, first = span; span * SPAN < high; span++) {
            float *at = part_of(a, parts, line, span);
            const part one = {at[0], at[1], at + 16};
            if (span > first) {
                join(a->dim_v, &all, &one);
                continue;
            }
            all.m = one.m;
            all.l = one.l;
            memcpy(all.o, one.o, a->dim_v * sizeof(float));
        }
        finish(a, h, &all, queries->out + row * queries->out_stride + (size_t)h * a->dim_v);
    }
}

size_t ref_attention_scratch(const cpu_attention *a) {
    const size_t groups = cache_page_groups(a->dim_k);
    return (groups * (CPU_GROUP + 3) + 2 * (size_t)a->dim_v) * sizeof(float) + groups * CPU_GROUP;
}
