// SPDX-License-Identifier: Apache-2.0
/* Rotary positions, the cache, attention and what may join its scores. */
#include "base/math.h"
#include "graph/graph_build.h"

graph_value graph_rope(graph *g, graph_value x, uint32_t heads, uint32_t dimension, bool interleaved, uint32_t table) {
    graph_op *op = graph_op_new(g, GRAPH_ROPE_OP, x, GRAPH_ABSENT);
    bool fits = op && table < g->table_count && (uint64_t)heads * dimension == graph_width(g, x) &&
                (uint64_t)g->tables[table].count * 2 <= dimension;
    if (!graph_expect(g, op, fits)) return GRAPH_ABSENT;
    op->heads = heads;
    op->dimension = dimension;
    op->interleaved = interleaved;
    op->table = table;
    return graph_make(g, op, graph_width(g, x));
}

void graph_store(graph *g, graph_value k, graph_value v, uint32_t layer) {
    graph_op *op = graph_op_new(g, GRAPH_STORE_OP, k, v);
    if (!op) return;
    if (!graph_expect(g, op, layer < g->cache_layer_count)) return;
    const graph_cache_group *c = &g->groups[g->cache_layers[layer].group];
    bool fits = (uint64_t)c->heads * c->dim_k == graph_width(g, k) &&
                (uint64_t)c->heads * c->dim_v == graph_width(g, v);
    if (!graph_expect(g, op, !c->state && fits)) return;
    op->layer = layer;
}

graph_value graph_attend(graph *g, graph_value q, uint32_t heads, float scale, float softcap, uint32_t layer) {
    graph_op *op = graph_op_new(g, GRAPH_ATTEND_OP, q, GRAPH_ABSENT);
    if (!op || !graph_expect(g, op, layer < g->cache_layer_count)) return GRAPH_ABSENT;
    const graph_cache_group *c = &g->groups[g->cache_layers[layer].group];
    bool fits = !c->state && heads % c->heads == 0 && (uint64_t)heads * c->dim_k == graph_width(g, q);
    if (!graph_expect(g, op, fits)) return GRAPH_ABSENT;
    op->heads = heads;
    op->number = scale;
    op->softcap = softcap;
    op->layer = layer;
    op->cross = c->source && !g->in_source;
    return graph_make(g, op, heads * c->dim_v);
}

void graph_attend_more(graph *g, graph_value attended, graph_weight sinks, bool sloped) {
    if (g->status != PUNA_OK || g->op_count == 0) return;
    graph_op *op = &g->ops[g->op_count - 1];
    if (op->kind != GRAPH_ATTEND_OP || op->out != attended || (sloped && g->slope_count != op->heads)) {
        graph_fail(g, "attend", "more of an attention that was not just added, or other slopes");
        return;
    }
    op->sloped = sloped;
    if (sinks == GRAPH_ABSENT || !graph_use(g, op, sinks, GRAPH_USE_VECTOR)) return;
    if (graph_expect(g, op, g->weights[sinks].rows == 1 && g->weights[sinks].cols == op->heads)) op->bias = sinks;
}

void graph_attend_relative(graph *g, graph_value attended, graph_weight weight, uint32_t reach, bool both) {
    if (g->status != PUNA_OK || g->op_count == 0) return;
    graph_op *op = &g->ops[g->op_count - 1];
    if (op->kind != GRAPH_ATTEND_OP || op->out != attended) {
        graph_fail(g, "attend", "more of an attention that was not just added");
        return;
    }
    if (!graph_use(g, op, weight, GRAPH_USE_VECTOR)) return;
    uint32_t exact = g->weights[weight].rows / (both ? 4 : 2);
    bool fits = g->weights[weight].cols == op->heads && exact > 0 && reach > exact && reach <= 1u << 20;
    if (!graph_expect(g, op, fits)) return;
    op->relative = weight;
    op->reach = reach;
    op->both = both;
}

/* Where a distance is a whole number of factors, the logarithms' rounding must not decide. */
uint32_t graph_bucket(int64_t distance, uint32_t buckets, uint32_t reach, bool both) {
    uint32_t first = 0;
    if (both) {
        buckets /= 2;
        if (distance > 0) first = buckets;
    }
    uint64_t n = distance < 0 ? (uint64_t)-distance : both ? (uint64_t)distance : 0;
    uint32_t exact = buckets / 2, last = buckets - 1;
    if (n < exact) return first + (uint32_t)n;
    if (n >= reach) return first + last;
    double factors = math_log((double)n / (double)exact) / math_log((double)reach / (double)exact);
    uint32_t bucket = exact + (uint32_t)(factors * (double)(buckets - exact) + 1e-9);
    return first + (bucket < last ? bucket : last);
}
