// SPDX-License-Identifier: Apache-2.0
#include "graph/plan_buffers.h"

static void touch(plan *p, plan_buffer b, uint32_t phase) {
    if (b == PLAN_NO_BUFFER) return;
    plan_buffer_info *info = &p->buffers[b];
    if (phase < info->first) info->first = phase;
    if (phase > info->last) info->last = phase;
}

static void find_lives(plan *p) {
    for (uint32_t i = 0; i < p->phase_count; i++) {
        for (uint32_t k = 0; k < p->phases[i].count; k++) {
            const plan_step *s = &p->steps[p->phases[i].first + k];
            touch(p, s->in[0], i);
            touch(p, s->in[1], i);
            touch(p, s->out, i);
            touch(p, s->residual, i);
            touch(p, s->order, i);
            if (i) touch(p, s->plain, i - 1); /* read before the phase: what it makes may lie there */
        }
    }
    for (uint32_t i = 0; i < GRAPH_RESULTS; i++) touch(p, p->results[i], p->phase_count); /* read after the run */
}

static bool size_of(const plan *p, const plan_buffer_info *b, const plan_options *o, size_t *bytes) {
    size_t rows = b->rows == GRAPH_OUTPUTS ? o->max_outputs : o->max_tokens;
    if (b->rows == GRAPH_PAIRS) rows *= p->chosen;
    if (b->doubled) rows *= 2;
    size_t row = b->quantized ? plan_quantized_row_bytes(b->width) : (size_t)b->width * sizeof(float);
    if (!memory_multiply(rows, row, bytes) || !memory_add(*bytes, (size_t)b->extra * sizeof(float), bytes) ||
        *bytes > SIZE_MAX - 64)
        return false;
    *bytes = (*bytes + 63) & ~(size_t)63;
    return true;
}

/* First fit: the lowest place where no buffer that lives at the same time lies. */
static size_t place(const plan *p, uint32_t index) {
    const plan_buffer_info *b = &p->buffers[index];
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < index; i++) {
            const plan_buffer_info *c = &p->buffers[i];
            bool together = b->first <= c->last && c->first <= b->last;
            if (together && offset < c->offset + c->bytes && c->offset < offset + b->bytes) {
                offset = c->offset + c->bytes;
                moved = true;
            }
        }
    }
    return offset;
}

puna_status plan_place_buffers(plan *p, const plan_options *options, puna_error *error) {
    find_lives(p);
    for (uint32_t i = 0; i < p->buffer_count; i++) {
        plan_buffer_info *b = &p->buffers[i];
        if (!size_of(p, b, options, &b->bytes)) return error_memory(error, "activations", UINT64_MAX);
        if (!options->reuse) {
            b->first = 0;
            b->last = p->phase_count;
        }
        b->offset = place(p, i);
        size_t end;
        if (!memory_add(b->offset, b->bytes, &end)) return error_memory(error, "activations", UINT64_MAX);
        if (end > p->arena_bytes) p->arena_bytes = end;
    }
    return PUNA_OK;
}
