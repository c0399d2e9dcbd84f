// SPDX-License-Identifier: Apache-2.0
#include "base/math.h"
#include "engine/adapters.h"
#include "engine/state.h"
#include "format/gguf.h"

static const graph_cache_group *group_of(const engine *e, uint32_t layer) {
    return &e->model->graph.groups[e->model->graph.cache_layers[layer].group];
}

state_layer state_layer_of(const engine *e, uint32_t layer, uint32_t cached) {
    const graph_cache_group *c = group_of(e, layer);
    uint32_t first = cache_first(e->cache, e->model->graph.cache_layers[layer].group, cached);
    if (c->state && cached) first = cached - 1; /* one row: what became of all positions */
    return (state_layer){c->heads, c->dim_k, c->dim_v, c->window, first};
}

/* Whether keys are turned by a table's second frequencies (graph_add_long_table). */
static bool is_long(const engine *e) {
    const graph *g = &e->model->graph;
    for (uint32_t t = 0; t < g->table_count; t++)
        if (e->options.context_length > g->tables[t].original) return true;
    return false;
}

state_front state_front_of(const engine *e, const sequence *s) {
    state_front front = {.version = STATE_VERSION, .arithmetic = MATH_CONTRACT,
                         .cache_type = e->options.cache_type | (is_long(e) ? STATE_LONG : 0),
                         .vocabulary = e->model->hyper.vocabulary,
                         .layers = e->model->graph.cache_layer_count, .tokens = s->count, .cached = s->cached,
                         .adapters = s->set ? s->set->count : 0,
                         .fingerprint = gguf_fingerprint(e->model->file)};
    front.front_bytes = (uint32_t)state_front_bytes(&front) - STATE_SUM;
    front.bytes = state_bytes(e, &front, NULL);
    return front;
}

uint64_t state_front_bytes(const state_front *f) {
    return STATE_FRONT + (uint64_t)f->layers * STATE_LAYER + (uint64_t)f->adapters * STATE_ADAPTER + STATE_SUM;
}

static uint64_t row_bytes(const engine *e, uint32_t layer) {
    const device *d = e->model->device;
    return (uint64_t)d->row_bytes(e->runner, layer, false) + d->row_bytes(e->runner, layer, true);
}

uint64_t state_cache_bytes(const engine *e, uint32_t layer, uint32_t first, uint32_t cached) {
    uint64_t bytes;
    return __builtin_mul_overflow(row_bytes(e, layer), (uint64_t)(cached - first), &bytes) ? UINT64_MAX : bytes;
}

uint64_t state_bytes(const engine *e, const state_front *front, const state_layer *layers) {
    uint64_t bytes = state_front_bytes(front) + (uint64_t)front->tokens * sizeof(int32_t) + STATE_SUM;
    for (uint32_t l = 0; l < front->layers; l++) {
        uint32_t first = layers ? layers[l].first : state_layer_of(e, l, front->cached).first;
        if (__builtin_add_overflow(bytes, state_cache_bytes(e, l, first, front->cached), &bytes)) return UINT64_MAX;
    }
    return bytes;
}

size_t state_rows_bytes(const engine *e) {
    size_t most = 1;
    for (uint32_t l = 0; l < e->model->graph.cache_layer_count; l++) {
        for (int values = 0; values < 2; values++) {
            size_t bytes = e->model->device->row_bytes(e->runner, l, values) * (group_of(e, l)->state ? 1 : STATE_ROWS);
            if (bytes > most) most = bytes;
        }
    }
    return most;
}
