// SPDX-License-Identifier: Apache-2.0
/*
 * Attention's chunks. Where there are many queries a chunk is one kv head of one piece. A few queries behind a long
 * cache (generation) would be too few such chunks to keep all threads busy to the end: there a chunk is one span of
 * 512 positions of one of these, whose part is kept, and who finishes the last span of a head joins them, in the order
 * of positions as ever. The bits are the same either way.
 */
#include "device/cpu/cpu_attend.h"

/* Several rows' parts are kept where they take no more than that; one row's always. */
enum { SPLIT_ROWS = 8, PARTS_BYTES = 2 << 20, SPAN = CPU_PAGE * CPU_SPAN_PAGES };

cpu_attention cpu_attend_layer(const device_runner *r, uint32_t layer) {
    const graph_cache_layer *l = &r->g->cache_layers[layer];
    const graph_cache_group *c = &r->g->groups[l->group];
    cpu_attention a = {.type = r->options.cache_type, .heads_kv = c->heads, .group = 1, .dim_k = c->dim_k,
                       .dim_v = c->dim_v, .window = c->window, .causal = !c->whole};
    a.k_offset = r->layer_offset[layer];
    a.v_offset = a.k_offset + cpu_cache_keys(c, a.type);
    return a;
}

static uint32_t split_rows(const device_options *o) { return o->max_tokens < SPLIT_ROWS ? o->max_tokens : SPLIT_ROWS; }

size_t cpu_attend_parts(const graph *g, const device_options *o) {
    size_t most = 0, spans = ((size_t)o->positions + SPAN - 1) / SPAN;
    for (uint32_t i = 0; i < g->op_count && o->threads > 1 && spans > 1; i++) {
        if (g->ops[i].kind != GRAPH_ATTEND_OP) continue;
        const graph_cache_group *c = &g->groups[g->cache_layers[g->ops[i].layer].group];
        if (c->whole) continue; /* a text of so few rows has one span */
        size_t row = spans * g->ops[i].heads * cpu_part_floats(c->dim_v) * sizeof(float), rows = split_rows(o) * row;
        if (rows > PARTS_BYTES) rows = row > PARTS_BYTES ? row : PARTS_BYTES;
        if (rows > most) most = rows;
    }
    return most;
}

uint32_t cpu_attend_counters(const graph *g, const device_options *o) {
    uint32_t most = 1;
    for (uint32_t i = 0; i < g->group_count; i++)
        if (g->groups[i].heads > most) most = g->groups[i].heads;
    return most * split_rows(o);
}

/* The spans that the piece's rows see: [first, end). */
static void spans_of(const cpu_attention *a, const cpu_queries *q, uint32_t *first, uint32_t *end) {
    uint32_t low, high, unused;
    cpu_seen(a, q, q->first, &low, &unused);
    cpu_seen(a, q, q->first + q->rows - 1, &unused, &high);
    *first = low / SPAN;
    *end = (high + SPAN - 1) / SPAN;
}

static cpu_queries queries_of(const device_runner *r, const plan_step *s, const cpu_piece *piece) {
    const device_run *run = &r->batch->runs[piece->run];
    return (cpu_queries){.q = row_of(r, s->in[0], piece->row), .q_stride = r->plan.buffers[s->in[0]].width,
                         .out = row_of(r, s->out, piece->row), .out_stride = r->plan.buffers[s->out].width,
                         .rows = piece->rows, .first = run->position + (piece->row - run->row),
                         .keys = s->op->cross ? run->source_rows : run->position + run->rows};
}

/* Whether chunks are spans: those of all pieces together. Everything that it looks at stays as it is for a phase. */
static bool split(const device_runner *r, const plan_step *s, const cpu_attention *a, cpu_parts *parts) {
    if (r->parts_bytes == 0 || r->batch->tokens > SPLIT_ROWS || !a->causal) return false;
    if (r->piece_count * a->heads_kv >= threads_count(r->pool) * 8) return false; /* nobody waits long as it is */
    uint32_t begin = UINT32_MAX, end = 0;
    for (uint32_t i = 0; i < r->piece_count; i++) {
        const cpu_queries q = queries_of(r, s, &r->pieces[i]);
        uint32_t first, last;
        spans_of(a, &q, &first, &last);
        if (first < begin) begin = first;
        if (last > end) end = last;
    }
    *parts = (cpu_parts){(float *)(void *)r->parts, begin, end - begin};
    size_t floats = (size_t)r->batch->tokens * s->op->heads * parts->spans * cpu_part_floats(a->dim_v);
    return parts->spans > 1 && floats <= r->parts_bytes / sizeof(float);
}

uint32_t cpu_attend_chunks(const device_runner *r, const plan_step *s) {
    const cpu_attention a = cpu_attend_layer(r, s->op->layer);
    cpu_parts parts;
    return r->piece_count * a.heads_kv * (split(r, s, &a, &parts) ? parts.spans : 1);
}

/* One span of a unit, which is a kv head of a piece. */
static void attend_span(const device_runner *r, const cpu_attention *a, const cpu_queries *q, uint32_t unit,
                        uint32_t row, uint32_t span, const cpu_parts *all, uint32_t thread) {
    const uint32_t head = unit % a->heads_kv;
    size_t before = (size_t)row * a->heads_kv * a->group + (size_t)head * q->rows * a->group; /* lines */
    cpu_parts own = *all;
    own.at += before * all->spans * cpu_part_floats(a->dim_v);
    uint32_t first, end;
    spans_of(a, q, &first, &end);
    if (span >= first && span < end) r->kernels->attention_span(a, q, head, span, &own, r->scratch[thread]);
    /* Whoever comes last sees the others' parts, and leaves the counter as the next layer needs it. */
    if (atomic_fetch_add_explicit(&r->arrived[unit], 1, memory_order_acq_rel) + 1 < all->spans) return;
    atomic_store_explicit(&r->arrived[unit], 0, memory_order_relaxed);
    r->kernels->attention_join(a, q, head, &own, r->scratch[thread]);
}

void cpu_attend(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end, uint32_t thread) {
    cpu_attention a = cpu_attend_layer(r, s->op->layer);
    uint32_t group = r->g->cache_layers[s->op->layer].group;
    a.group = s->op->heads / a.heads_kv;
    a.scale = s->op->number;
    a.softcap = s->op->softcap;
    a.slopes = s->op->sloped ? r->g->slopes : NULL;
    a.sinks = s->op->bias == GRAPH_ABSENT ? NULL : r->weights->tensors[s->op->bias].vector;
    if (s->op->relative != GRAPH_ABSENT) a.relative = r->relative + r->relative_offset[s->op - r->g->ops];
    a.reach = s->op->reach;
    cpu_parts parts = {NULL, 0, 1};
    const bool spans = split(r, s, &a, &parts);
    for (uint32_t chunk = begin; chunk < end; chunk++) {
        const uint32_t unit = spans ? chunk / parts.spans : chunk, head = unit % a.heads_kv;
        const cpu_piece *piece = &r->pieces[unit / a.heads_kv];
        const device_run *run = &r->batch->runs[piece->run];
        a.pages = (const uint8_t *const *)(s->op->cross ? run->source : run->pages)[group];
        const cpu_queries q = queries_of(r, s, piece);
        if (spans) attend_span(r, &a, &q, unit, piece->row, parts.first + chunk % parts.spans, &parts, thread);
        else r->kernels->attention(&a, &q, head, head + 1, r->scratch[thread]);
    }
}
