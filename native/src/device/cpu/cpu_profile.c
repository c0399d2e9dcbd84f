// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/cpu_profile.h"

#include <string.h>

#include "base/os.h"

cpu_profile *cpu_profile_new(const device_runner *r, memory_account *account) {
    cpu_profile *p = memory_new(account, sizeof *p);
    if (!p) return NULL;
    p->threads = threads_count(r->pool);
    p->phases = r->plan.phase_count + 1;
    p->steps = r->plan.step_count;
    p->phase = memory_array(account, p->phases, sizeof *p->phase);
    p->spans = memory_array(account, (size_t)p->threads * p->phases, sizeof *p->spans);
    p->step_ns = memory_array(account, (size_t)p->threads * p->steps, sizeof *p->step_ns);
    if (p->phase && p->spans && p->step_ns) return p;
    cpu_profile_free(p, account);
    return NULL;
}

void cpu_profile_free(cpu_profile *p, memory_account *account) {
    if (!p) return;
    memory_free(account, p->phase);
    memory_free(account, p->spans);
    memory_free(account, p->step_ns);
    memory_free(account, p);
}

void cpu_profile_clear(cpu_profile *p) {
    memset(p->phase, 0, p->phases * sizeof *p->phase);
    memset(p->spans, 0, (size_t)p->threads * p->phases * sizeof *p->spans);
    memset(p->step_ns, 0, (size_t)p->threads * p->steps * sizeof *p->step_ns);
    p->run_ns = p->runs = 0;
}

void cpu_profile_step(cpu_profile *p, const device_runner *r, const plan_step *s, uint32_t thread, uint64_t begin) {
    p->step_ns[(size_t)thread * p->steps + (size_t)(s - r->plan.steps)] += os_clock_ns() - begin;
}

void cpu_profile_piece(cpu_profile *p, const device_runner *r, const plan_phase *phase, uint32_t thread,
                       uint64_t begin) {
    size_t index = phase ? (size_t)(phase - r->plan.phases) + 1 : 0;
    cpu_profile_span *span = &p->spans[(size_t)thread * p->phases + index];
    uint64_t now = os_clock_ns();
    if (!span->begin) span->begin = begin;
    span->end = now;
    span->busy += now - begin;
    if (phase && !phase->local) p->step_ns[(size_t)thread * p->steps + phase->first] += now - begin;
}

/* Each key once for all queries of a run that see it; a prompt's queries share them, some rows at a time. */
static void count_attention(cpu_profile_phase *sum, const device_runner *r, const graph_op *op) {
    const graph_cache_layer *layer = &r->g->cache_layers[op->layer];
    const graph_cache_group *c = &r->g->groups[layer->group];
    uint64_t keys = 0, pairs = 0;
    for (uint32_t i = 0; i < r->piece_count; i++) {
        const cpu_piece *piece = &r->pieces[i];
        const device_run *run = &r->batch->runs[piece->run];
        uint64_t last = (uint64_t)run->position + (piece->row - run->row) + piece->rows;
        uint64_t seen = c->window && last > c->window ? c->window : last;
        keys += seen;
        pairs += seen * piece->rows - (uint64_t)piece->rows * (piece->rows - 1) / 2;
    }
    uint64_t page = cpu_cache_keys(c, r->options.cache_type) + cpu_cache_values(c, r->options.cache_type);
    sum->bytes += keys * page / CPU_PAGE;
    sum->products += pairs * op->heads * (c->dim_k + c->dim_v);
}

static void count_work(cpu_profile_phase *sum, const device_runner *r, const plan_phase *phase) {
    if (phase->local) return;
    for (uint32_t i = 0; i < phase->count - phase->by_columns; i++) {
        const plan_step *s = &r->plan.steps[phase->first + i];
        if (s->kind == GRAPH_ATTEND_OP) {
            count_attention(sum, r, s->op);
            continue;
        }
        if (s->kind == GRAPH_CONV_OP || s->kind == GRAPH_SCAN_OP) continue;
        const cpu_weight *w = &r->weights->tensors[s->op->weight].packed;
        uint64_t rows = s->rows == GRAPH_OUTPUTS ? r->batch->output_count : r->batch->tokens;
        sum->bytes += w->tile_bytes * w->tiles;
        sum->products += (uint64_t)w->rows * w->cols * rows * (s->fine ? 2 : 1);
    }
}

void cpu_profile_collect(cpu_profile *p, const device_runner *r, uint64_t begin) {
    uint64_t before = begin;
    for (uint32_t i = 0; i < p->phases; i++) {
        uint64_t first = UINT64_MAX, last = 0, busy = 0;
        for (uint32_t t = 0; t < p->threads; t++) {
            cpu_profile_span *span = &p->spans[(size_t)t * p->phases + i];
            if (span->begin && span->begin < first) first = span->begin;
            if (span->end > last) last = span->end;
            busy += span->busy;
            memset(span, 0, sizeof *span);
        }
        if (last == 0) continue;
        cpu_profile_phase *sum = &p->phase[i];
        sum->runs++;
        sum->wall_ns += last - first;
        sum->busy_ns += busy;
        sum->gap_ns += first > before ? first - before : 0;
        if (i) count_work(sum, r, &r->plan.phases[i - 1]);
        before = last;
    }
    p->run_ns += os_clock_ns() - begin;
    p->runs++;
}
