// SPDX-License-Identifier: Apache-2.0
/* Where layers keep their keys and values: groups of one shape. */
#include "graph/graph_build.h"

uint32_t graph_group(graph *g, graph_cache_group like) {
    uint32_t group = 0;
    for (; group < g->group_count; group++) {
        graph_cache_group *have = &g->groups[group];
        if (have->heads == like.heads && have->dim_k == like.dim_k && have->dim_v == like.dim_v &&
            have->window == like.window && have->whole == like.whole && have->state == like.state &&
            have->source == like.source)
            return group;
    }
    graph_cache_group *added = graph_append(g, (void **)&g->groups, &g->group_count, sizeof *added);
    if (!added) return GRAPH_ABSENT;
    *added = like;
    return group;
}

uint32_t graph_layer(graph *g, uint32_t group) {
    graph_cache_layer *layer = graph_append(g, (void **)&g->cache_layers, &g->cache_layer_count, sizeof *layer);
    if (!layer) return GRAPH_ABSENT;
    *layer = (graph_cache_layer){group, g->groups[group].layers++};
    return g->cache_layer_count - 1;
}

uint32_t graph_add_cache_layer(graph *g, uint32_t heads, uint32_t dim_k, uint32_t dim_v, uint32_t window) {
    uint32_t group = graph_group(
        g, (graph_cache_group){.heads = heads, .dim_k = dim_k, .dim_v = dim_v, .window = window});
    return group == GRAPH_ABSENT ? GRAPH_ABSENT : graph_layer(g, group);
}

uint32_t graph_add_whole_layer(graph *g, uint32_t heads, uint32_t dim_k, uint32_t dim_v, uint32_t window) {
    uint32_t group = graph_group(
        g, (graph_cache_group){.heads = heads, .dim_k = dim_k, .dim_v = dim_v, .window = window, .whole = true});
    g->whole = true;
    for (uint32_t i = 0; i < g->cache_layer_count; i++)
        if (g->cache_layers[i].group == group) return i;
    return group == GRAPH_ABSENT ? GRAPH_ABSENT : graph_layer(g, group);
}

uint32_t graph_add_source_layer(graph *g, uint32_t heads, uint32_t dim_k, uint32_t dim_v) {
    uint32_t group = graph_group(g, (graph_cache_group){.heads = heads, .dim_k = dim_k, .dim_v = dim_v, .whole = true,
                                                       .source = true});
    g->source = true;
    return group == GRAPH_ABSENT ? GRAPH_ABSENT : graph_layer(g, group);
}

void graph_begin_source(graph *g) { g->in_source = true; }

void graph_end_source(graph *g) { g->in_source = false; }
