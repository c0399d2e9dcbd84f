// SPDX-License-Identifier: Apache-2.0
/*
 * Attention of one query row and head over the keys that it sees, [low, high) in positions:
 *
 *     high = position + 1 if causal, else all keys given: queries.first + queries.rows
 *     low  = position + 1 - window if there is a window and position >= window, else 0
 *
 * 1. qs[i] = q[i] * scale, rounded.
 * 2. Spans of 512 positions, aligned to position 0, ascending; those without a visible key are skipped. A span starts
 *    with m = -inf, 16 lanes of sum = 0, o = 0. Then for each of its pages of 64 (those without a visible key are skipped):
 *      score of key j: acc = 0; acc = fmaf(qs[i], k[i], acc), i ascending; with a softcap c: c * tanh(acc / c)
 *      n = the largest of m and the visible keys' scores (a NaN is never larger)
 *      c = exp(m - n); every lane of the sum and every o is multiplied by c; m = n
 *      for the visible keys j, ascending: p = exp(score - m); lane j mod 16 += p; o[i] = fmaf(p, v[i], o[i])
 *    At the span's end l = the tree of the lanes.
 * 3. Spans join in ascending order. The first is taken as it is; then, with (m, l, o) so far and (m', l', o') of the
 *    span:
 *      M = max(m, m'), a = exp(m - M), b = exp(m' - M), l = fmaf(l', b, l * a), o = fmaf(o', b, o * a), m = M
 * 4. out = o * (1 / l).
 *
 * Keys and values in half precision are converted exactly; storing saturates at +-65504.
 */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "device/cpu/ref/ref.h"
#include "puna.h"

static uint32_t width(const cpu_attention *a) { return a->type == PUNA_CACHE_F16 ? 2 : 4; }

static void put(const cpu_attention *a, uint8_t *at, float x) {
    if (a->type == PUNA_CACHE_F16) {
        uint16_t h = math_to_half(x);
        memcpy(at, &h, sizeof h);
    } else {
        memcpy(at, &x, sizeof x);
    }
}

static float get(const cpu_attention *a, const uint8_t *at) {
    float x;
    if (a->type == PUNA_CACHE_F16) {
        uint16_t h;
        memcpy(&h, at, sizeof h);
        return math_from_half(h);
    }
    memcpy(&x, at, sizeof x);
    return x;
}

void ref_cache_store(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    size_t w = width(a);
    for (size_t i = 0; i < (size_t)a->heads_kv * a->dim_k; i++) /* head and dimension in one: [heads_kv * dim_k][64] */
        put(a, page + a->k_offset + (i * CPU_PAGE + slot) * w, k[i]);
    for (uint32_t h = 0; h < a->heads_kv; h++)
        for (uint32_t i = 0; i < a->dim_v; i++)
            put(a, page + a->v_offset + (((size_t)h * CPU_PAGE + slot) * a->dim_v + i) * w,
                v[(size_t)h * a->dim_v + i]);
}

typedef struct part {
    float m, l;
    float *o;
} part;

/* One page of a span: keys [low, high) of the page, for kv head `head`. */
static void walk_page(const cpu_attention *a, const uint8_t *page, uint32_t head, uint32_t low, uint32_t high,
                      const float *qs, part *span, float lanes[16]) {
    size_t w = width(a);
    const uint8_t *keys = page + a->k_offset + (size_t)head * a->dim_k * CPU_PAGE * w;
    const uint8_t *values = page + a->v_offset + (size_t)head * CPU_PAGE * a->dim_v * w;
    float scores[CPU_PAGE], n = span->m;
    for (uint32_t j = low; j < high; j++) {
        float acc = 0;
        for (uint32_t i = 0; i < a->dim_k; i++)
            acc = math_fmaf(qs[i], get(a, keys + ((size_t)i * CPU_PAGE + j) * w), acc);
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
        for (uint32_t i = 0; i < a->dim_v; i++)
            span->o[i] = math_fmaf(p, get(a, values + ((size_t)j * a->dim_v + i) * w), span->o[i]);
    }
}

static void walk_span(const cpu_attention *a, uint32_t head, uint32_t low, uint32_t high, const float *qs, part *span) {
    float lanes[16] = {0};
    span->m = -INFINITY;
    memset(span->o, 0, a->dim_v * sizeof(float));
    while (low < high) {
        uint32_t page = low / CPU_PAGE, first = page * CPU_PAGE;
        uint32_t end = high - first < CPU_PAGE ? high - first : CPU_PAGE;
        walk_page(a, a->pages[page], head, low - first, end, qs, span, lanes);
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

static void attend(const cpu_attention *a, uint32_t head, uint32_t low, uint32_t high, const float *q, float *out,
                   float *scratch) {
    const uint32_t span_keys = CPU_PAGE * CPU_SPAN_PAGES;
    float *qs = scratch;
    part all = {0, 0, qs + a->dim_k}, span = {0, 0, qs + a->dim_k + a->dim_v};
    for (uint32_t i = 0; i < a->dim_k; i++) qs[i] = q[i] * a->scale;
    for (bool first = true; low < high; first = false) {
        uint32_t end = (low / span_keys + 1) * span_keys;
        if (end > high) end = high;
        walk_span(a, head, low, end, qs, first ? &all : &span);
        if (!first) join(a->dim_v, &all, &span);
        low = end;
    }
    float inverse = 1.0f / all.l;
    for (uint32_t i = 0; i < a->dim_v; i++) out[i] = all.o[i] * inverse;
}

void ref_attention(const cpu_attention *a, const cpu_queries *queries, uint32_t head_begin, uint32_t head_end,
                   void *scratch) {
    for (uint32_t row = 0; row < queries->rows; row++) {
        uint32_t position = queries->first + row;
        uint32_t high = a->causal ? position + 1 : queries->first + queries->rows;
        uint32_t low = a->window && position >= a->window ? position + 1 - a->window : 0;
        for (uint32_t h = head_begin * a->group; h < head_end * a->group; h++)
            attend(a, h / a->group, low, high, queries->q + row * queries->q_stride + (size_t)h * a->dim_k,
                   queries->out + row * queries->out_stride + (size_t)h * a->dim_v, scratch);
    }
}

size_t ref_attention_scratch(const cpu_attention *a) {
    return ((size_t)a->dim_k + 2 * (size_t)a->dim_v) * sizeof(float);
}
