// SPDX-License-Identifier: Apache-2.0
/* Mixtures of experts. */
#include "graph/graph_build.h"

static bool routable(const graph_routing *how, uint32_t experts) {
    uint32_t groups = how->groups > 1 ? how->groups : 1, kept = how->groups > 1 ? how->groups_chosen : 1;
    return experts > 0 && experts % groups == 0 && kept > 0 && kept <= groups && how->chosen > 0 &&
           how->chosen <= experts / groups * kept;
}

graph_value graph_route(graph *g, graph_value logits, const graph_routing *how) {
    graph_op *op = graph_op_new(g, GRAPH_ROUTE_OP, logits, GRAPH_ABSENT);
    uint32_t experts = graph_width(g, logits);
    bool fits = op && experts <= GRAPH_MOST_EXPERTS && routable(how, experts) &&
                g->values[logits].rows == GRAPH_TOKENS && (g->chosen == 0 || g->chosen == how->chosen);
    if (!graph_expect(g, op, fits)) return GRAPH_ABSENT;
    if (how->bias != GRAPH_ABSENT) {
        if (!graph_use(g, op, how->bias, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
        if (!graph_expect(g, op, g->weights[how->bias].rows == 1 && g->weights[how->bias].cols == experts))
            return GRAPH_ABSENT;
    }
    g->chosen = how->chosen;
    op->experts = experts;
    op->routing = *how;
    return graph_make(g, op, 2 * how->chosen);
}

/* The ROUTE that made a value; NULL: another op did. */
static const graph_op *route_of(const graph *g, graph_value routing) {
    for (uint32_t i = g->op_count; i-- > 0;)
        if (g->ops[i].out == routing) return g->ops[i].kind == GRAPH_ROUTE_OP ? &g->ops[i] : NULL;
    return NULL;
}

graph_value graph_expert_linear(graph *g, graph_value x, graph_value routing, graph_weight weight, graph_weight bias) {
    const graph_op *made = g->status == PUNA_OK ? route_of(g, routing) : NULL;
    uint32_t experts = made ? made->experts : 0;
    graph_op *op = graph_op_new(g, GRAPH_EXPERT_LINEAR_OP, x, routing);
    if (!graph_use(g, op, weight, GRAPH_USE_MATRIX)) return GRAPH_ABSENT;
    const graph_weight_info *w = &g->weights[weight];
    bool fits = experts > 0 && w->matrices == experts && w->cols == graph_width(g, x) &&
                g->values[x].rows != GRAPH_OUTPUTS;
    if (!graph_expect(g, op, fits)) return GRAPH_ABSENT;
    if (bias != GRAPH_ABSENT) {
        if (!graph_use(g, op, bias, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
        if (!graph_expect(g, op, g->weights[bias].cols == w->rows && g->weights[bias].rows == experts))
            return GRAPH_ABSENT;
    }
    op->weight = weight;
    op->bias = bias;
    op->experts = experts;
    return graph_make(g, op, w->rows);
}

graph_value graph_mix(graph *g, graph_value routing, graph_value pairs) {
    bool routed = g->status == PUNA_OK && route_of(g, routing);
    graph_op *op = graph_op_new(g, GRAPH_MIX_OP, routing, pairs);
    if (!graph_expect(g, op, op && routed && g->values[pairs].rows == GRAPH_PAIRS)) return GRAPH_ABSENT;
    return graph_make(g, op, graph_width(g, pairs));
}
