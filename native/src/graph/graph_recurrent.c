// SPDX-License-Identifier: Apache-2.0
/* Layers with a state: its place, the convolution and the scan. */
#include "graph/graph_build.h"

/* A tile of 16 channels lies together: [tile][number of the tap, or of the state][16]. */
static uint64_t conv_floats(uint32_t channels, uint32_t taps) {
    return ((uint64_t)channels + 15) / 16 * 16 * (taps - 1);
}

static uint64_t scan_floats(const graph_scanning *s) {
    return ((uint64_t)s->width + 15) / 16 * 16 * s->heads * s->states;
}

uint32_t graph_add_state_layer(graph *g, uint32_t channels, uint32_t taps, const graph_scanning *scan) {
    uint64_t conv = taps >= 2 && taps <= GRAPH_MOST_TAPS ? conv_floats(channels, taps) : UINT64_MAX;
    uint64_t states = scan && scan->width <= GRAPH_MOST_STATES && scan->heads <= GRAPH_MOST_STATES
        && scan->states <= GRAPH_MOST_STATES ? scan_floats(scan) : scan ? UINT64_MAX : 0;
    if (conv > GRAPH_MOST_STATES || states > GRAPH_MOST_STATES) {
        graph_fail(g, "state", "a layer's state is too large, or it has less than 2 or more than 16 taps");
        return GRAPH_ABSENT;
    }
    g->recurrent = true;
    uint32_t group = graph_group(g, (graph_cache_group){.heads = 1, .dim_k = (uint32_t)conv, .dim_v = (uint32_t)states,
                                                        .window = 2, .state = true});
    return group == GRAPH_ABSENT ? GRAPH_ABSENT : graph_layer(g, group);
}

/* Whether the layer is a recurrent one with so much of each. */
static bool keeps(const graph *g, uint32_t layer, uint64_t conv, uint64_t states) {
    if (layer >= g->cache_layer_count) return false;
    const graph_cache_group *c = &g->groups[g->cache_layers[layer].group];
    return c->state && (conv == 0 || c->dim_k == conv) && (states == 0 || c->dim_v == states);
}

graph_value graph_conv(graph *g, graph_value x, graph_weight weight, graph_weight bias, uint32_t layer) {
    graph_op *op = graph_op_new(g, GRAPH_CONV_OP, x, GRAPH_ABSENT);
    if (!graph_use(g, op, weight, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
    const graph_weight_info *w = &g->weights[weight];
    bool fits = w->rows == graph_width(g, x) && w->cols >= 2 && w->cols <= GRAPH_MOST_TAPS &&
                g->values[x].rows == GRAPH_TOKENS && keeps(g, layer, conv_floats(w->rows, w->cols), 0);
    if (!graph_expect(g, op, fits)) return GRAPH_ABSENT;
    if (bias != GRAPH_ABSENT) {
        if (!graph_use(g, op, bias, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
        if (!graph_expect(g, op, g->weights[bias].rows == 1 && g->weights[bias].cols == w->rows)) return GRAPH_ABSENT;
    }
    op->weight = weight;
    op->bias = bias;
    op->layer = layer;
    return graph_make(g, op, graph_width(g, x));
}

static uint64_t elements(const graph *g, graph_weight weight) {
    const graph_weight_info *w = &g->weights[weight];
    return (uint64_t)w->rows * w->cols;
}

graph_value graph_scan(graph *g, graph_value xbc, graph_value steps, const graph_scanning *how, graph_weight decay,
                       graph_weight skip, uint32_t layer) {
    graph_op *op = graph_op_new(g, GRAPH_SCAN_OP, xbc, steps);
    if (!graph_use(g, op, decay, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
    uint64_t channels = (uint64_t)how->heads * how->width, owners = how->each ? channels : how->heads;
    bool fits = channels > 0 && how->groups > 0 && how->heads % how->groups == 0 && how->states > 0 &&
                keeps(g, layer, 0, scan_floats(how)) &&
                channels + 2 * (uint64_t)how->groups * how->states == graph_width(g, xbc) &&
                owners == graph_width(g, steps) &&
                elements(g, decay) == owners * (how->each ? how->states : 1) && (!how->each || how->heads == 1) &&
                g->values[xbc].rows == GRAPH_TOKENS && g->values[steps].rows == GRAPH_TOKENS;
    if (!graph_expect(g, op, fits)) return GRAPH_ABSENT;
    if (skip != GRAPH_ABSENT) {
        if (!graph_use(g, op, skip, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
        if (!graph_expect(g, op, elements(g, skip) == owners)) return GRAPH_ABSENT;
    }
    op->weight = decay;
    op->bias = skip;
    op->scanning = *how;
    op->layer = layer;
    return graph_make(g, op, (uint32_t)channels);
}
