// SPDX-License-Identifier: Apache-2.0
/*
 * The walk of attention over pages and spans that the x86 tiers share (ref/ref_attention.c has the rules). A "line" is
 * one query row and head. Up to WALK_HELD lines of one key head walk together, so that a page is met once for all of
 * them, WALK_LINES at a time: these share every load of keys and values. First all have their scores, then their
 * weights, then the values: half a page stays in the first cache meanwhile.
 *
 * The file that includes this defines WALK_LINES first, and then these, in its own instructions:
 *     tier_quantize the tier's cpu_kernels.quantize, for queries of a Q8_0 cache
 *     tier_scores   scores of a page's first `seen` keys at least for `count` lines; the others may be anything
 *     tier_weigh    o += p * value for keys [from, to), for `count` lines, each element one fmaf a key, ascending
 * Both ask for the memory at `ahead` on their way, as much as they read: a head's keys and values of a page are a few
 * kilobytes with megabytes between them and the next, where the processor's own guesses begin anew.
 *     tier_exp      math_expf, and tier_lanes math_lanes_sum: base/math.c's know no instruction set
 *     tier_soften   a line's maximum, correction and weights for its keys [from, to) of a page
 * Everything is static, since each includer is compiled for another instruction set.
 */
#ifndef PUNA_DEVICE_CPU_ATTENTION_WALK_H
#define PUNA_DEVICE_CPU_ATTENTION_WALK_H

#include "base/math.h"
#include "device/cpu/cache_page.h"

enum { WALK_HELD = 24 };

typedef struct line {
    uint32_t low, high; /* positions that it sees */
    uint32_t position;
    uint32_t head;      /* of the queries' */
    const float *q;
    float *out;
    float m, l, all_m, all_l; /* of the span; of all spans so far */
    bool begun;               /* all_m and all_l hold something */
    uint32_t from, to;        /* keys seen in the page at hand */
} line;

/* In the thread's scratch, each part 64-byte aligned; for WALK_HELD lines, or from one of them on. */
typedef struct room {
    float *qs;     /* [lines][q_stride] */
    float *p;      /* [lines][64]: scores, then weights */
    float *lanes;  /* [lines][16] */
    float *o, *all; /* [lines][dim_v rounded up to 16] */
    size_t stride;
    size_t q_stride, groups; /* dim_k in whole groups of 32: numbers, groups */
    /* of a Q8_0 cache: qs as int8 */
    float *dq, *ds;          /* [lines][groups] */
    int32_t *start;          /* [lines][groups]: what takes the bias of the keys off a sum of products */
    int8_t *q8;              /* [lines][q_stride] */
} room;

static inline size_t up16(size_t n) { return (n + 15) & ~(size_t)15; }

static void tier_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s);
static void tier_scores(const cpu_attention *a, const uint8_t *keys, uint32_t count, uint32_t seen, const room *r,
                        const uint8_t *ahead);
static void tier_weigh(const cpu_attention *a, const uint8_t *values, uint32_t count, const float *p, uint32_t from,
                       uint32_t to, float *o, size_t stride, const uint8_t *ahead);
static float tier_exp(float x);
static float tier_lanes(const float *lanes);
static void tier_soften(line *n, float softcap, float *p, float *lanes, float *o, size_t stride);

/* Asks for `bytes` of memory, in lines of 64. */
static inline __attribute__((always_inline)) void ask(const uint8_t *at, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(at + i, 0, 3);
}

static size_t walk_scratch(const cpu_attention *a) {
    size_t groups = cache_page_groups(a->dim_k), q_stride = groups * CPU_GROUP;
    size_t floats = WALK_HELD * (q_stride + CPU_PAGE + 16 + 2 * up16(a->dim_v));
    size_t bytes = a->type == PUNA_CACHE_Q8_0 ? WALK_HELD * (groups * 12 + q_stride) : 0;
    return floats * sizeof(float) + bytes;
}

static room furnish(const cpu_attention *a, void *scratch) {
    room r = {.qs = scratch};
    r.stride = up16(a->dim_v);
    r.groups = cache_page_groups(a->dim_k);
    r.q_stride = r.groups * CPU_GROUP;
    r.p = r.qs + WALK_HELD * r.q_stride;
    r.lanes = r.p + WALK_HELD * CPU_PAGE;
    r.o = r.lanes + WALK_HELD * 16;
    r.all = r.o + WALK_HELD * r.stride;
    r.dq = r.all + WALK_HELD * r.stride;
    r.ds = r.dq + WALK_HELD * r.groups;
    r.start = (int32_t *)(void *)(r.ds + WALK_HELD * r.groups);
    r.q8 = (int8_t *)(r.start + WALK_HELD * r.groups);
    return r;
}

/* From line n on. */
static room room_from(const room *r, uint32_t n) {
    room from = *r;
    from.qs += n * r->q_stride;
    from.p += n * CPU_PAGE;
    from.lanes += n * 16;
    from.o += n * r->stride;
    from.all += n * r->stride;
    from.dq += n * r->groups;
    from.ds += n * r->groups;
    from.start += n * r->groups;
    from.q8 += n * r->q_stride;
    return from;
}

/* A line's query: scaled; for a Q8_0 cache as int8, too, as if zeros followed. */
static void ready(const cpu_attention *a, const float *q, uint32_t n, const room *r) {
    float *qs = r->qs + n * r->q_stride;
    for (uint32_t i = 0; i < a->dim_k; i++) qs[i] = q[i] * a->scale;
    if (a->type != PUNA_CACHE_Q8_0) return;
    for (size_t i = a->dim_k; i < r->q_stride; i++) qs[i] = 0;
    int32_t *start = r->start + n * r->groups;
    tier_quantize(qs, (uint32_t)r->q_stride, r->q8 + n * r->q_stride, r->dq + n * r->groups, r->ds + n * r->groups,
                  start);
    for (size_t g = 0; g < r->groups; g++) start[g] *= -CACHE_PAGE_BIAS;
}

/* ---- pages, spans, all ---- */

/* Farther keys score less, by the head's slope. first: the page's position. */
static void slope(const cpu_attention *a, uint32_t first, const line *lines, uint32_t count, const room *r) {
    for (uint32_t n = 0; n < count; n++) {
        const float s = a->slopes[lines[n].head];
        float *p = r->p + n * CPU_PAGE;
        for (uint32_t j = lines[n].from; j < lines[n].to; j++) {
            uint32_t key = first + j, own = lines[n].position;
            p[j] = math_fmaf(s, -(float)(own > key ? own - key : key - own), p[j]);
        }
    }
}

/* Scores change by distance: far keys on either side by one number each, those between by a run of numbers. */
static void lean(const cpu_attention *a, uint32_t first, const line *lines, uint32_t count, const room *r) {
    const int64_t reach = a->reach;
    for (uint32_t n = 0; n < count; n++) {
        const float *at = a->relative + lines[n].head * (2 * (size_t)reach + 1) + reach;
        float *p = r->p + n * CPU_PAGE;
        const int64_t shift = (int64_t)first - lines[n].position, from = lines[n].from, to = lines[n].to;
        int64_t near = -reach - shift, far = reach + 1 - shift; /* keys within reach */
        near = near < from ? from : near > to ? to : near;
        far = far < near ? near : far > to ? to : far;
        for (int64_t j = from; j < near; j++) p[j] += at[-reach];
        for (int64_t j = near; j < far; j++) p[j] += at[shift + j];
        for (int64_t j = far; j < to; j++) p[j] += at[reach];
    }
}

/* Keys of the page up to the last that any of the lines sees; 0: none. */
static uint32_t seen_by(const line *lines, uint32_t count) {
    uint32_t seen = 0;
    for (uint32_t n = 0; n < count; n++)
        if (lines[n].from < lines[n].to && lines[n].to > seen) seen = lines[n].to;
    return seen;
}

/* The values of up to WALK_LINES lines, whose weights are ready. */
static void weigh_lines(const cpu_attention *a, const uint8_t *values, const line *lines, uint32_t count,
                        const room *r, const uint8_t *ahead) {
    uint32_t from = 0, to = CPU_PAGE; /* keys that all lines see */
    for (uint32_t n = 0; n < count; n++) {
        if (lines[n].from > from) from = lines[n].from;
        if (lines[n].to < to) to = lines[n].to;
    }
    bool shared = from < to;
    if (shared && from == 0 && to == CPU_PAGE) {
        tier_weigh(a, values, count, r->p, 0, CPU_PAGE, r->o, r->stride, ahead);
        return;
    }
    for (uint32_t n = 0; n < count; n++) /* a line's own keys before those */
        tier_weigh(a, values, 1, r->p + n * CPU_PAGE, lines[n].from, shared ? from : lines[n].to, r->o + n * r->stride,
                   r->stride, values);
    if (!shared) return;
    tier_weigh(a, values, count, r->p, from, to, r->o, r->stride, ahead);
    for (uint32_t n = 0; n < count; n++) /* and after */
        tier_weigh(a, values, 1, r->p + n * CPU_PAGE, to, lines[n].to, r->o + n * r->stride, r->stride,
                   values);
}

/* next: the keys of the page after this one, or these. */
static void walk_page(const cpu_attention *a, uint32_t first, const uint8_t *keys, const uint8_t *values,
                      const uint8_t *next, line *lines, uint32_t count, const room *r) {
    for (uint32_t n = 0; n < count; n += WALK_LINES) {
        const uint32_t some = count - n < WALK_LINES ? count - n : WALK_LINES;
        const room part = room_from(r, n);
        const uint32_t seen = seen_by(lines + n, some);
        if (seen) tier_scores(a, keys, some, seen, &part, n == 0 ? values : keys);
    }
    if (a->slopes) slope(a, first, lines, count, r);
    if (a->relative) lean(a, first, lines, count, r);
    for (uint32_t n = 0; n < count; n++)
        if (lines[n].from < lines[n].to)
            tier_soften(&lines[n], a->softcap, r->p + n * CPU_PAGE, r->lanes + 16 * n, r->o + n * r->stride, r->stride);
    for (uint32_t n = 0; n < count; n += WALK_LINES) {
        const uint32_t some = count - n < WALK_LINES ? count - n : WALK_LINES;
        const room part = room_from(r, n);
        if (seen_by(lines + n, some)) weigh_lines(a, values, lines + n, some, &part, n == 0 ? next : values);
    }
}

/* The span that is in n->m and n->l. */
static void join(line *n, const float *o, float *all, size_t stride) {
    if (!n->begun) {
        memcpy(all, o, stride * sizeof(float));
        n->all_m = n->m;
        n->all_l = n->l;
        n->begun = true;
        return;
    }
    float most = n->m > n->all_m ? n->m : n->all_m;
    float x = tier_exp(n->all_m - most), y = tier_exp(n->m - most);
    n->all_m = most;
    n->all_l = math_fmaf(n->l, y, n->all_l * x);
    for (size_t i = 0; i < stride; i++) {
        float kept = all[i] * x;
        all[i] = math_fmaf(o[i], y, kept);
    }
}

static void sink(line *n, float s, float *all, size_t stride) {
    float most = s > n->all_m ? s : n->all_m, x = math_expf(n->all_m - most), kept = n->all_l * x;
    n->all_l = kept + math_expf(s - most);
    for (size_t i = 0; i < stride; i++) all[i] *= x;
}

/* The part of [low, high) within [first, first + length), from `first` on; empty is 0, 0. */
static inline void cut(uint32_t low, uint32_t high, uint32_t first, uint32_t length, uint32_t *from, uint32_t *to) {
    uint32_t begin = low > first ? low : first, end = high < first + length ? high : first + length;
    *from = begin < end ? begin - first : 0;
    *to = begin < end ? end - first : 0;
}

static void walk_span(const cpu_attention *a, uint32_t head, uint32_t first, uint32_t end, line *lines, uint32_t count,
                      const room *r) {
    for (uint32_t n = 0; n < count; n++) lines[n].m = -INFINITY;
    memset(r->lanes, 0, (size_t)count * 16 * sizeof(float));
    memset(r->o, 0, count * r->stride * sizeof(float));
    for (; first < end; first += CPU_PAGE) {
        for (uint32_t n = 0; n < count; n++)
            cut(lines[n].low, lines[n].high, first, CPU_PAGE, &lines[n].from, &lines[n].to);
        if (!seen_by(lines, count)) continue;
        const uint8_t *page = a->pages[first / CPU_PAGE];
        const uint8_t *after = first + CPU_PAGE < end ? a->pages[first / CPU_PAGE + 1] : page;
        const size_t keys = a->k_offset + (size_t)head * cache_page_keys(a->type, a->dim_k);
        walk_page(a, first, page + keys, page + a->v_offset + (size_t)head * cache_page_values(a->type, a->dim_v),
                  after + keys, lines, count, r);
    }
}

static void finish(const cpu_attention *a, line *n, float *all, size_t stride) {
    if (a->sinks) sink(n, a->sinks[n->head], all, stride);
    float inverse = 1.0f / n->all_l;
    for (uint32_t i = 0; i < a->dim_v; i++) n->out[i] = all[i] * inverse;
}

static void attend(const cpu_attention *a, uint32_t head, line *lines, uint32_t count, const room *r) {
    const uint32_t span = CPU_PAGE * CPU_SPAN_PAGES;
    uint32_t low = UINT32_MAX, high = 0;
    for (uint32_t n = 0; n < count; n++) {
        if (lines[n].low < low) low = lines[n].low;
        if (lines[n].high > high) high = lines[n].high;
        lines[n].begun = false;
        ready(a, lines[n].q, n, r);
    }
    for (uint32_t first = low / span * span; first < high; first += span) {
        walk_span(a, head, first, high - first < span ? high : first + span, lines, count, r);
        for (uint32_t n = 0; n < count; n++) {
            uint32_t from, to;
            cut(lines[n].low, lines[n].high, first, span, &from, &to);
            if (from >= to) continue;
            lines[n].l = tier_lanes(r->lanes + 16 * n);
            join(&lines[n], r->o + n * r->stride, r->all + n * r->stride, r->stride);
        }
    }
    for (uint32_t n = 0; n < count; n++) finish(a, &lines[n], r->all + n * r->stride, r->stride);
}

static line line_at(const cpu_attention *a, const cpu_queries *queries, uint32_t head, uint32_t number) {
    uint32_t row = number / a->group, h = head * a->group + number % a->group;
    line l = {.position = queries->first + row, .head = h};
    cpu_seen(a, queries, l.position, &l.low, &l.high);
    l.q = queries->q + row * queries->q_stride + (size_t)h * a->dim_k;
    l.out = queries->out + row * queries->out_stride + (size_t)h * a->dim_v;
    return l;
}

static void walk(const cpu_attention *a, const cpu_queries *queries, uint32_t head_begin, uint32_t head_end,
                 void *scratch) {
    room r = furnish(a, scratch);
    line lines[WALK_HELD];
    for (uint32_t head = head_begin; head < head_end; head++) {
        uint32_t total = queries->rows * a->group, count = 0;
        for (uint32_t i = 0; i < total; i++) {
            lines[count++] = line_at(a, queries, head, i);
            if (count < WALK_HELD && i + 1 < total) continue;
            attend(a, head, lines, count, &r);
            count = 0;
        }
    }
}

/* ---- span by span ---- */

static float *part_of(const cpu_attention *a, const cpu_parts *parts, uint32_t number, uint32_t span) {
    return parts->at + ((size_t)number * parts->spans + (span - parts->first)) * cpu_part_floats(a->dim_v);
}

/* Lines `begin` to begin + count - 1 of the queries'. */
static void span_of_lines(const cpu_attention *a, uint32_t head, uint32_t span, line *lines, uint32_t begin,
                          uint32_t count, const cpu_parts *parts, const room *r) {
    const uint32_t length = CPU_PAGE * CPU_SPAN_PAGES, first = span * length;
    uint32_t high = 0;
    for (uint32_t n = 0; n < count; n++) {
        if (lines[n].high > high) high = lines[n].high;
        ready(a, lines[n].q, n, r);
    }
    if (high <= first) return;
    walk_span(a, head, first, high - first < length ? high : first + length, lines, count, r);
    for (uint32_t n = 0; n < count; n++) {
        uint32_t from, to;
        cut(lines[n].low, lines[n].high, first, length, &from, &to);
        if (from >= to) continue;
        float *part = part_of(a, parts, begin + n, span);
        part[0] = lines[n].m;
        part[1] = tier_lanes(r->lanes + 16 * n);
        memcpy(part + 16, r->o + n * r->stride, r->stride * sizeof(float));
    }
}

static void walk_one_span(const cpu_attention *a, const cpu_queries *queries, uint32_t head, uint32_t span,
                          const cpu_parts *parts, void *scratch) {
    room r = furnish(a, scratch);
    line lines[WALK_HELD];
    const uint32_t total = queries->rows * a->group;
    for (uint32_t begin = 0; begin < total; begin += WALK_HELD) {
        const uint32_t count = total - begin < WALK_HELD ? total - begin : WALK_HELD;
        for (uint32_t n = 0; n < count; n++) lines[n] = line_at(a, queries, head, begin + n);
        span_of_lines(a, head, span, lines, begin, count, parts, &r);
    }
}

static void walk_join(const cpu_attention *a, const cpu_queries *queries, uint32_t head, const cpu_parts *parts,
                      void *scratch) {
    const room r = furnish(a, scratch);
    const uint32_t length = CPU_PAGE * CPU_SPAN_PAGES;
    for (uint32_t i = 0; i < queries->rows * a->group; i++) {
        line n = line_at(a, queries, head, i);
        for (uint32_t span = parts->first; span < parts->first + parts->spans; span++) {
            uint32_t from, to;
            cut(n.low, n.high, span * length, length, &from, &to);
            if (from >= to) continue;
            const float *part = part_of(a, parts, i, span);
            n.m = part[0];
            n.l = part[1];
            join(&n, part + 16, r.all, r.stride);
        }
        finish(a, &n, r.all, r.stride);
    }
}

#endif
