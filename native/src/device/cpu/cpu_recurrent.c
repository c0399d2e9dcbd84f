// SPDX-License-Identifier: Apache-2.0
/*
 * The steps of recurrent layers. A chunk is a tile of 16 channels of one run, over all of the run's rows: time goes in
 * order, channels go apart, so that a long prompt has as many chunks as it has tiles.
 *
 * A page holds the state behind the last of its positions that was computed. A run begins with that of its page or,
 * where a page begins, of the page before, and leaves one in each page that it comes to, where the sequence has that
 * page: it may be a hole, if nobody will ask for it.
 */
#include <string.h>

#include "device/cpu/cpu_rows.h"

static uint32_t tiles_of(uint32_t channels) { return channels / 16 + (channels % 16 != 0); }

uint32_t cpu_recurrent_tiles(const graph *g, const graph_op *op) {
    if (op->kind == GRAPH_CONV_OP) return tiles_of(g->weights[op->weight].rows);
    return op->scanning.heads * tiles_of(op->scanning.width);
}

/* Of one tile. */
static size_t state_floats(const graph *g, const graph_op *op) {
    return op->kind == GRAPH_CONV_OP ? (size_t)(g->weights[op->weight].cols - 1) * 16
                                     : (size_t)op->scanning.states * 16;
}

/* A state at work, and decays. */
size_t cpu_recurrent_scratch(const graph_op *op) { return 2 * (size_t)op->scanning.states * 16 * sizeof(float); }

static const float *vector_of(const device_runner *r, graph_weight weight) {
    return weight == GRAPH_ABSENT ? NULL : r->weights->tensors[weight].vector;
}

/* Rows of one tile. */
static void conv_rows(const device_runner *r, const plan_step *s, uint32_t tile, uint32_t row, uint32_t rows,
                      float *state) {
    const graph_weight_info *w = &r->g->weights[s->op->weight];
    uint32_t first = tile * 16, left = w->rows - first;
    const float *bias = vector_of(r, s->op->bias);
    cpu_conv c = {.rows = rows, .lanes = left < 16 ? left : 16, .taps = w->cols, .x = row_of(r, s->in[0], row) + first,
                  .x_stride = r->plan.buffers[s->in[0]].width, .y = row_of(r, s->out, row) + first,
                  .y_stride = r->plan.buffers[s->out].width, .state = state,
                  .weight = vector_of(r, s->op->weight) + (size_t)first * w->cols, .bias = bias ? bias + first : NULL};
    r->kernels->conv(&c);
}

static void scan_rows(const device_runner *r, const plan_step *s, uint32_t tile, uint32_t row, uint32_t rows,
                      float *state) {
    const graph_scanning *how = &s->op->scanning;
    uint32_t tiles = tiles_of(how->width), head = tile / tiles, within = tile % tiles * 16;
    uint32_t first = head * how->width + within, left = how->width - within, owner = how->each ? first : head;
    const float *in = row_of(r, s->in[0], row), *skip = vector_of(r, s->op->bias);
    cpu_scan c = {.rows = rows, .lanes = left < 16 ? left : 16, .states = how->states, .each = how->each,
                  .x = in + first, .x_stride = r->plan.buffers[s->in[0]].width,
                  .step = row_of(r, s->in[1], row) + owner, .step_stride = r->plan.buffers[s->in[1]].width,
                  .decay = vector_of(r, s->op->weight) + (size_t)owner * (how->each ? how->states : 1),
                  .skip = skip ? skip + owner : NULL, .bc_stride = r->plan.buffers[s->in[0]].width,
                  .y = row_of(r, s->out, row) + first, .y_stride = r->plan.buffers[s->out].width, .state = state,
                  .scratch = state + (size_t)how->states * 16};
    c.b = in + (size_t)how->heads * how->width + (size_t)(head / (how->heads / how->groups)) * how->states;
    c.c = c.b + (size_t)how->groups * how->states;
    r->kernels->scan(&c);
}

/* A tile of one run: from a page's end to the next one's. */
static void run_tile(const device_runner *r, const plan_step *s, const device_run *run, uint32_t tile, float *state) {
    const graph_cache_layer *layer = &r->g->cache_layers[s->op->layer];
    const graph_cache_group *group = &r->g->groups[layer->group];
    bool conv = s->op->kind == GRAPH_CONV_OP;
    size_t bytes = state_floats(r->g, s->op) * sizeof(float);
    size_t at = r->layer_offset[s->op->layer] + tile * bytes;
    if (!conv) at += cpu_cache_keys(group, r->options.cache_type);
    uint8_t *const *pages = run->pages[layer->group];
    if (run->position) memcpy(state, pages[(run->position - 1) / CPU_PAGE] + at, bytes);
    else memset(state, 0, bytes);
    for (uint32_t done = 0, rows; done < run->rows; done += rows) {
        uint32_t position = run->position + done, page = position / CPU_PAGE, left = CPU_PAGE - position % CPU_PAGE;
        rows = run->rows - done < left ? run->rows - done : left;
        (conv ? conv_rows : scan_rows)(r, s, tile, run->row + done, rows, state);
        if (pages[page]) memcpy(pages[page] + at, state, bytes);
    }
}

void cpu_recurrent(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end, uint32_t thread) {
    uint32_t tiles = cpu_recurrent_tiles(r->g, s->op);
    float conv[(GRAPH_MOST_TAPS - 1) * 16];
    float *state = s->op->kind == GRAPH_CONV_OP ? conv : (float *)(void *)r->scratch[thread];
    for (uint32_t chunk = begin; chunk < end; chunk++)
        run_tile(r, s, &r->batch->runs[chunk / tiles], chunk % tiles, state);
}
