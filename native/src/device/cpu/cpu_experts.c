// SPDX-License-Identifier: Apache-2.0
/*
 * Products by many matrices: a mixture's experts, each for the rows that were routed to it, and heads, each for its
 * part of a row. The kernels are those of every other product, called once for each matrix. plan.h says how pairs are
 * ordered; since a column's product doesn't depend on its neighbours, neither does a token's result on who else chose
 * the same expert.
 */
#include <string.h>

#include "base/math.h"
#include "device/cpu/columns.h"
#include "device/cpu/cpu_rows.h"

typedef struct order {
    uint32_t *start;  /* [experts + 1] the first pair of each */
    uint32_t *active; /* [experts] those that have pairs */
    uint32_t *count;  /* of active */
    uint32_t *number; /* [pairs] token * chosen + rank */
    uint32_t *place;  /* [pairs] by number */
} order;

static order order_of(const device_runner *r, plan_buffer b) {
    const plan_buffer_info *info = &r->plan.buffers[b];
    uint32_t experts = (info->extra - 2) / 2, *at = (uint32_t *)(void *)(r->arena + info->offset);
    order o = {at, at + experts + 1, at + 2 * experts + 1, at + 2 * experts + 2, NULL};
    o.place = o.number + rows_now(r, GRAPH_PAIRS);
    return o;
}

static uint32_t expert_at(const device_runner *r, const plan_step *s, uint32_t number) {
    uint32_t expert;
    memcpy(&expert, row_of(r, s->in[0], number / r->plan.chosen) + number % r->plan.chosen, sizeof expert);
    return expert;
}

void cpu_experts_sort(const device_runner *r, const plan_step *s) {
    const uint32_t experts = s->op->experts, pairs = rows_now(r, GRAPH_PAIRS);
    order o = order_of(r, s->order);
    uint32_t next[GRAPH_MOST_EXPERTS];
    memset(o.start, 0, (experts + 1) * sizeof *o.start);
    *o.count = 0;
    for (uint32_t i = 0; i < pairs; i++) o.start[expert_at(r, s, i) + 1]++;
    for (uint32_t e = 0; e < experts; e++) {
        if (o.start[e + 1]) o.active[(*o.count)++] = e;
        o.start[e + 1] += o.start[e];
        next[e] = o.start[e];
    }
    for (uint32_t i = 0; i < pairs; i++) {
        o.place[i] = next[expert_at(r, s, i)]++;
        o.number[o.place[i]] = i;
    }
}

uint32_t cpu_experts_active(const device_runner *r, const plan_step *s) { return *order_of(r, s->order).count; }

static const float *input_row(const device_runner *r, const plan_step *s, const order *o, uint32_t row) {
    return row_of(r, s->in[0], s->spread ? o->number[row] / r->plan.chosen : row);
}

void cpu_experts_spread(const device_runner *r, const plan_step *s, uint32_t row) {
    order o = order_of(r, s->order);
    memcpy(row_of(r, s->out, row), input_row(r, s, &o, row), r->plan.buffers[s->out].width * sizeof(float));
}

/* The columns of pairs [begin, end), which are one expert's. */
static cpu_columns columns_of(const device_runner *r, plan_buffer b, uint32_t begin, uint32_t end) {
    cpu_columns c = quantized(r, b);
    c.groups += (size_t)begin * (c.cols / CPU_GROUP) * COLUMNS_GROUP_BYTES;
    c.count = end - begin;
    return c;
}

/* The number among the active experts of the one that has this pair. */
static uint32_t owner(const order *o, uint32_t pair) {
    uint32_t low = 0, high = *o->count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (o->start[o->active[middle]] <= pair) low = middle;
        else high = middle;
    }
    return o->active[low];
}

void cpu_experts_quantize(const device_runner *r, const plan_step *s, uint32_t row) {
    order o = order_of(r, s->order);
    uint32_t expert = owner(&o, row), begin = o.start[expert];
    cpu_columns c = columns_of(r, s->out, begin, o.start[expert + 1]);
    columns_put(&c, r->kernels, input_row(r, s, &o, row), row - begin);
}

/* Which experts the batch will choose is not known before it runs: as many as it can at most. */
uint32_t cpu_experts_tiles(const device_runner *r, const plan_step *s) {
    uint32_t pairs = rows_now(r, GRAPH_PAIRS), most = pairs < s->op->experts ? pairs : s->op->experts;
    return most * r->weights->tensors[s->op->weight].packed.tiles;
}

/* Tiles [begin, end) of one expert. */
static void one_expert(const device_runner *r, const plan_step *s, const order *o, uint32_t expert, uint32_t begin,
                       uint32_t end) {
    const cpu_tensor *t = &r->weights->tensors[s->op->weight];
    const uint32_t first = o->start[expert], last = o->start[expert + 1];
    cpu_weight w = matrix_of(&t->packed, expert);
    cpu_product p = {.weight = &w, .count = last - first, .out = row_of(r, s->out, first),
                     .out_stride = r->plan.buffers[s->out].width};
    cpu_columns x;
    if (r->plan.buffers[s->in[0]].quantized) {
        x = columns_of(r, s->in[0], first, last);
        p.x = &x;
    } else {
        p.xf = row_of(r, s->in[0], first);
        p.xf_stride = r->plan.buffers[s->in[0]].width;
    }
    if (s->op->bias != GRAPH_ABSENT) p.bias = r->weights->tensors[s->op->bias].vector + (size_t)expert * w.rows;
    r->kernels->product(w.type)(&p, begin, end);
}

void cpu_experts_product(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end) {
    const uint32_t tiles = r->weights->tensors[s->op->weight].packed.tiles;
    order o = order_of(r, s->order);
    while (begin < end && begin / tiles < *o.count) {
        uint32_t tile = begin % tiles, count = end - begin < tiles - tile ? end - begin : tiles - tile;
        one_expert(r, s, &o, o.active[begin / tiles], tile, tile + count);
        begin += count;
    }
}

/* acc = 0; acc = fmaf(weight, output, acc), the best expert first. */
void cpu_experts_mix(const device_runner *r, const plan_step *s, uint32_t row) {
    const uint32_t width = r->plan.buffers[s->out].width, chosen = r->plan.chosen;
    const float *weights = row_of(r, s->in[0], row) + chosen;
    order o = order_of(r, s->order);
    float *out = row_of(r, s->out, row);
    memset(out, 0, width * sizeof *out);
    for (uint32_t n = 0; n < chosen; n++) {
        const float *x = row_of(r, s->in[1], o.place[(size_t)row * chosen + n]), w = weights[n];
        for (uint32_t i = 0; i < width; i++) out[i] = math_fmaf(w, x[i], out[i]);
    }
}

uint32_t cpu_heads_tiles(const device_runner *r, const plan_step *s) {
    return s->op->heads * r->weights->tensors[s->op->weight].packed.tiles;
}

/* A head's groups of a block of columns follow each other, but not those of the next block: block by block. */
static void one_head(const device_runner *r, const plan_step *s, uint32_t head, uint32_t begin, uint32_t end) {
    const cpu_tensor *t = &r->weights->tensors[s->op->weight];
    const uint32_t rows = rows_now(r, s->rows);
    cpu_weight w = matrix_of(&t->packed, head);
    cpu_product p = {.weight = &w, .count = rows, .out = floats(r, s->out) + (size_t)head * w.rows,
                     .out_stride = r->plan.buffers[s->out].width};
    if (!r->plan.buffers[s->in[0]].quantized) {
        p.xf = floats(r, s->in[0]) + (size_t)head * w.cols;
        p.xf_stride = r->plan.buffers[s->in[0]].width;
        r->kernels->product(w.type)(&p, begin, end);
        return;
    }
    const cpu_columns all = quantized(r, s->in[0]);
    for (uint32_t column = 0; column < rows; column += COLUMNS_BLOCK) {
        columns_group at = columns_at(&all, column, head * (w.cols / CPU_GROUP));
        cpu_columns x = {(uint8_t *)at.q, w.cols, columns_width(rows, column)};
        p.x = &x;
        p.count = x.count;
        r->kernels->product(w.type)(&p, begin, end);
        p.out += p.out_stride * COLUMNS_BLOCK;
    }
}

void cpu_heads_product(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end) {
    const uint32_t tiles = r->weights->tensors[s->op->weight].packed.tiles;
    while (begin < end) {
        uint32_t tile = begin % tiles, count = end - begin < tiles - tile ? end - begin : tiles - tile;
        one_head(r, s, begin / tiles, tile, tile + count);
        begin += count;
    }
}
