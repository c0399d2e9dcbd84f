// SPDX-License-Identifier: Apache-2.0
/* Ops on rows: tables, products, norms, element by element. */
#include "graph/graph_build.h"

graph_value graph_embed(graph *g, graph_weight table) {
    graph_op *op = graph_op_new(g, GRAPH_EMBED_OP, GRAPH_ABSENT, GRAPH_ABSENT);
    if (!graph_use(g, op, table, GRAPH_USE_ROWS)) return GRAPH_ABSENT;
    op->weight = table;
    return graph_make(g, op, g->weights[table].cols);
}

graph_value graph_position(graph *g, graph_weight table, uint32_t first) {
    graph_op *op = graph_op_new(g, GRAPH_POSITION_OP, GRAPH_ABSENT, GRAPH_ABSENT);
    if (!graph_use(g, op, table, GRAPH_USE_ROWS)) return GRAPH_ABSENT;
    if (!graph_expect(g, op, first < g->weights[table].rows)) return GRAPH_ABSENT;
    op->weight = table;
    op->first = first;
    uint32_t positions = g->weights[table].rows - first;
    if (positions < g->most_positions) g->most_positions = positions;
    return graph_make(g, op, g->weights[table].cols);
}

graph_value graph_type(graph *g, graph_weight table) {
    graph_op *op = graph_op_new(g, GRAPH_TYPE_OP, GRAPH_ABSENT, GRAPH_ABSENT);
    if (!graph_use(g, op, table, GRAPH_USE_ROWS)) return GRAPH_ABSENT;
    op->weight = table;
    return graph_make(g, op, g->weights[table].cols);
}

graph_value graph_linear(graph *g, graph_value x, graph_weight weight, graph_weight bias) {
    graph_op *op = graph_op_new(g, GRAPH_LINEAR_OP, x, GRAPH_ABSENT);
    if (!graph_use(g, op, weight, GRAPH_USE_MATRIX)) return GRAPH_ABSENT;
    const graph_weight_info *w = &g->weights[weight];
    if (!graph_expect(g, op, w->cols == graph_width(g, x))) return GRAPH_ABSENT;
    if (bias != GRAPH_ABSENT) {
        if (!graph_use(g, op, bias, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
        if (!graph_expect(g, op, g->weights[bias].cols == w->rows)) return GRAPH_ABSENT;
    }
    op->weight = weight;
    op->bias = bias;
    return graph_make(g, op, w->rows);
}

graph_value graph_linear_fine(graph *g, graph_value x, graph_weight weight, graph_weight bias) {
    graph_value y = graph_linear(g, x, weight, bias);
    if (y != GRAPH_ABSENT) g->ops[g->op_count - 1].fine = true;
    return y;
}

graph_value graph_rms_norm(graph *g, graph_value x, graph_weight weight, float epsilon) {
    return graph_rms_norm_heads(g, x, 1, weight, epsilon);
}

graph_value graph_rms_norm_heads(graph *g, graph_value x, uint32_t heads, graph_weight weight, float epsilon) {
    graph_op *op = graph_op_new(g, GRAPH_RMS_NORM_OP, x, GRAPH_ABSENT);
    if (!graph_use(g, op, weight, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
    const graph_weight_info *w = &g->weights[weight];
    bool fits = heads > 0 && (uint64_t)heads * w->cols == graph_width(g, x) && (w->rows == 1 || w->rows == heads);
    if (!graph_expect(g, op, fits)) return GRAPH_ABSENT;
    op->weight = weight;
    op->heads = heads;
    op->number = epsilon;
    return graph_make(g, op, graph_width(g, x));
}

static bool norm_vector(graph *g, graph_op *op, graph_weight v, uint32_t all, uint32_t part) {
    if (v == GRAPH_ABSENT) return true;
    if (!graph_use(g, op, v, GRAPH_USE_VECTOR)) return false;
    uint64_t elements = (uint64_t)g->weights[v].rows * g->weights[v].cols;
    return graph_expect(g, op, elements == all || elements == part);
}

graph_value graph_layer_norm(graph *g, graph_value x, uint32_t heads, graph_weight weight, graph_weight bias,
                             float epsilon) {
    graph_op *op = graph_op_new(g, GRAPH_LAYER_NORM_OP, x, GRAPH_ABSENT);
    uint32_t all = graph_width(g, x);
    if (!op || !graph_expect(g, op, heads > 0 && all % heads == 0)) return GRAPH_ABSENT;
    if (!norm_vector(g, op, weight, all, all / heads) || !norm_vector(g, op, bias, all, all / heads))
        return GRAPH_ABSENT;
    op->weight = weight;
    op->bias = bias;
    op->heads = heads;
    op->number = epsilon;
    return graph_make(g, op, all);
}

graph_value graph_activate(graph *g, graph_value x, graph_activation f) {
    graph_op *op = graph_op_new(g, GRAPH_ACTIVATE_OP, x, GRAPH_ABSENT);
    if (!op) return GRAPH_ABSENT;
    op->activation = f;
    return graph_make(g, op, graph_width(g, x));
}

static graph_value pair(graph *g, graph_kind kind, graph_value a, graph_value b) {
    graph_op *op = graph_op_new(g, kind, a, b);
    bool fits = op && graph_width(g, a) == graph_width(g, b) && g->values[a].rows == g->values[b].rows;
    return graph_expect(g, op, fits) ? graph_make(g, op, graph_width(g, a)) : GRAPH_ABSENT;
}

graph_value graph_silu_mul(graph *g, graph_value gate, graph_value up) { return pair(g, GRAPH_SILU_MUL_OP, gate, up); }

graph_value graph_gelu_mul(graph *g, graph_value gate, graph_value up) { return pair(g, GRAPH_GELU_MUL_OP, gate, up); }

graph_value graph_multiply(graph *g, graph_value a, graph_value b) { return pair(g, GRAPH_MULTIPLY_OP, a, b); }

graph_value graph_add(graph *g, graph_value a, graph_value b) { return pair(g, GRAPH_ADD_OP, a, b); }

static graph_value with_number(graph *g, graph_kind kind, graph_value a, float number) {
    graph_op *op = graph_op_new(g, kind, a, GRAPH_ABSENT);
    if (!op) return GRAPH_ABSENT;
    op->number = number;
    return graph_make(g, op, graph_width(g, a));
}

graph_value graph_scale(graph *g, graph_value a, float factor) { return with_number(g, GRAPH_SCALE_OP, a, factor); }

graph_value graph_softcap(graph *g, graph_value a, float cap) { return with_number(g, GRAPH_SOFTCAP_OP, a, cap); }

graph_value graph_clamp(graph *g, graph_value a, float low, float high, float plus) {
    graph_value y = with_number(g, GRAPH_CLAMP_OP, a, plus);
    if (y == GRAPH_ABSENT) return y;
    g->ops[g->op_count - 1].low = low;
    g->ops[g->op_count - 1].high = high;
    return y;
}

graph_value graph_gate(graph *g, graph_value a, graph_value b) {
    graph_op *op = graph_op_new(g, GRAPH_GATE_OP, a, b);
    bool fits = op && graph_width(g, b) == 1 && g->values[a].rows == g->values[b].rows;
    return graph_expect(g, op, fits) ? graph_make(g, op, graph_width(g, a)) : GRAPH_ABSENT;
}

graph_value graph_slice(graph *g, graph_value a, uint32_t heads, uint32_t first, uint32_t count) {
    graph_op *op = graph_op_new(g, GRAPH_SLICE_OP, a, GRAPH_ABSENT);
    bool fits = op && heads > 0 && count > 0 && graph_width(g, a) % heads == 0 &&
                (uint64_t)first + count <= graph_width(g, a) / heads;
    if (!graph_expect(g, op, fits)) return GRAPH_ABSENT;
    op->heads = heads;
    op->first = first;
    return graph_make(g, op, heads * count);
}

graph_value graph_join(graph *g, graph_value a, graph_value b, uint32_t heads) {
    graph_op *op = graph_op_new(g, GRAPH_JOIN_OP, a, b);
    bool fits = op && heads > 0 && graph_width(g, a) % heads == 0 && graph_width(g, b) % heads == 0 &&
                g->values[a].rows == g->values[b].rows && graph_width(g, a) <= UINT32_MAX - graph_width(g, b);
    if (!graph_expect(g, op, fits)) return GRAPH_ABSENT;
    op->heads = heads;
    return graph_make(g, op, graph_width(g, a) + graph_width(g, b));
}

graph_value graph_head_linear(graph *g, graph_value x, graph_weight weight) {
    graph_op *op = graph_op_new(g, GRAPH_HEAD_LINEAR_OP, x, GRAPH_ABSENT);
    if (!graph_use(g, op, weight, GRAPH_USE_MATRIX)) return GRAPH_ABSENT;
    const graph_weight_info *w = &g->weights[weight];
    bool fits = (uint64_t)w->matrices * w->cols == graph_width(g, x) && (uint64_t)w->matrices * w->rows <= 1u << 24;
    if (!graph_expect(g, op, fits)) return GRAPH_ABSENT;
    op->weight = weight;
    op->heads = w->matrices;
    return graph_make(g, op, w->matrices * w->rows);
}

graph_value graph_select(graph *g, graph_value a) {
    graph_op *op = graph_op_new(g, GRAPH_SELECT_OP, a, GRAPH_ABSENT);
    return op ? graph_make(g, op, graph_width(g, a)) : GRAPH_ABSENT;
}

graph_value graph_pool(graph *g, graph_value a) {
    graph_op *op = graph_op_new(g, GRAPH_POOL_OP, a, GRAPH_ABSENT);
    return op ? graph_make(g, op, graph_width(g, a)) : GRAPH_ABSENT;
}
