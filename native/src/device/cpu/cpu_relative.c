// SPDX-License-Identifier: Apache-2.0
/* Relative positions: a model has a number for each bucket of distances and head; kernels want one for each distance,
   so that keys in a row find theirs in a row. Layers that share a tensor share a table. */
#include "device/cpu/cpu.h"

static bool has_table(const graph_op *op, bool source) {
    return op->kind == GRAPH_ATTEND_OP && op->relative != GRAPH_ABSENT && op->source == source;
}

/* An earlier op with the same table, else its own number. */
static uint32_t owner_of(const graph *g, uint32_t index) {
    const graph_op *op = &g->ops[index];
    for (uint32_t i = 0; i < index; i++) {
        const graph_op *o = &g->ops[i];
        if (has_table(o, op->source) && o->relative == op->relative && o->reach == op->reach && o->both == op->both)
            return i;
    }
    return index;
}

static size_t table_floats(const graph_op *op) { return op->heads * (2 * (size_t)op->reach + 1); }

size_t cpu_relative_floats(const graph *g, bool source) {
    size_t floats = 0;
    for (uint32_t i = 0; i < g->op_count; i++)
        if (has_table(&g->ops[i], source) && owner_of(g, i) == i) floats += table_floats(&g->ops[i]);
    return floats;
}

static void fill_table(const device_runner *r, const graph_op *op, float *table) {
    const float *numbers = r->weights->tensors[op->relative].vector; /* [bucket][head] */
    const int64_t reach = op->reach;
    for (int64_t d = -reach; d <= reach; d++) {
        uint32_t bucket = graph_bucket(d, r->g->weights[op->relative].rows, op->reach, op->both);
        for (size_t h = 0; h < op->heads; h++)
            table[h * (2 * (size_t)reach + 1) + (size_t)(d + reach)] = numbers[bucket * op->heads + h];
    }
}

void cpu_relative_fill(device_runner *r) {
    size_t offset = 0;
    for (uint32_t i = 0; i < r->g->op_count; i++) {
        const graph_op *op = &r->g->ops[i];
        if (!has_table(op, r->options.source)) continue;
        uint32_t owner = owner_of(r->g, i);
        r->relative_offset[i] = r->relative_offset[owner];
        if (owner != i) continue;
        r->relative_offset[i] = offset;
        fill_table(r, op, r->relative + offset);
        offset += table_floats(op);
    }
}
