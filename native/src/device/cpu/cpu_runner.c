// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/math.h"
#include "base/os.h"
#include "device/cpu/cache_page.h"
#include "device/cpu/cpu.h"
#include "device/cpu/cpu_adapter.h"
#include "device/cpu/cpu_attend.h"
#include "device/cpu/cpu_profile.h"
#include "device/cpu/cpu_rows.h"
#include "device/cpu/pack.h"
#include "format/block.h"

bool cpu_quantizes(uint32_t type) { return type != BLOCK_F32 && type != BLOCK_F16 && type != BLOCK_BF16; }

static size_t aligned(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

size_t cpu_cache_keys(const graph_cache_group *c, uint32_t type) {
    if (c->state) return aligned((size_t)c->dim_k * sizeof(float));
    return aligned((size_t)c->heads * cache_page_keys(type, c->dim_k));
}

size_t cpu_cache_values(const graph_cache_group *c, uint32_t type) {
    if (c->state) return aligned((size_t)c->dim_v * sizeof(float));
    return aligned((size_t)c->heads * cache_page_values(type, c->dim_v));
}

static size_t page_bytes(const graph *g, uint32_t group, uint32_t type) {
    const graph_cache_group *c = &g->groups[group];
    return c->layers * (cpu_cache_keys(c, type) + cpu_cache_values(c, type));
}

static puna_status check(puna_error *error) {
    char forced[16];
    if (cpu_kernels_select(forced)) return PUNA_OK;
    char tiers[64];
    cpu_kernels_list(tiers, sizeof tiers);
    return error_set(error, PUNA_UNSUPPORTED, "PUNA_CPU_TIER", "the tier \"%s\" is not on this CPU; it has: %s", forced,
                     tiers);
}

static puna_status make_plan(const graph *g, const device_options *o, memory_account *account, plan *p,
                             puna_error *error) {
    plan_options options = {o->max_tokens, o->max_outputs, !o->plain, !o->plain, cpu_quantizes, o->results,
                            o->source};
    return plan_create(g, &options, account, p, error);
}

/* Bytes of one thread's scratch: the largest that any step asks for. */
static size_t scratch_bytes(const graph *g, const cpu_kernels *k, const device_options *o) {
    size_t most = 64;
    for (uint32_t i = 0; i < g->op_count; i++) {
        size_t own = g->ops[i].kind == GRAPH_SCAN_OP ? cpu_recurrent_scratch(&g->ops[i]) : 0;
        if (own > most) most = own;
        if (g->ops[i].kind != GRAPH_ATTEND_OP) continue;
        const graph_cache_group *c = &g->groups[g->cache_layers[g->ops[i].layer].group];
        cpu_attention a = {.type = o->cache_type, .heads_kv = c->heads, .group = g->ops[i].heads / c->heads,
                           .dim_k = c->dim_k, .dim_v = c->dim_v};
        size_t bytes = k->attention_scratch(&a);
        if (bytes > most) most = bytes;
    }
    return aligned(most);
}

static size_t rotary_floats(const graph *g, const device_options *o) {
    size_t floats = 0;
    for (uint32_t t = 0; t < g->table_count; t++) floats += (size_t)g->tables[t].count * o->max_tokens * 2;
    return floats;
}

static uint32_t count_jobs(const plan *p) {
    uint32_t count = 1;
    for (uint32_t i = 0; i < p->phase_count; i++)
        count += 1 + (p->phases[i].by_columns != 0) + (p->phases[i].adapted != 0);
    return count;
}

static uint32_t max_pieces(const device_options *o) { return o->max_tokens / CPU_QUERY_ROWS + o->max_runs + 1; }

static puna_status runner_bytes(const graph *g, const device_options *o, uint64_t *bytes, puna_error *error) {
    char forced[16];
    const cpu_kernels *k = cpu_kernels_select(forced);
    if (!k) return check(error);
    memory_account account;
    memory_account_init(&account);
    plan p;
    puna_status status = make_plan(g, o, &account, &p, error);
    if (status != PUNA_OK) return status;
    uint64_t phases = count_jobs(&p);
    *bytes = memory_used(&account) + sizeof(device_runner) + p.arena_bytes +
             (rotary_floats(g, o) + 1 + cpu_relative_floats(g, o->source) + 1) * sizeof(float) +
             (uint64_t)o->threads * (scratch_bytes(g, k, o) + sizeof(uint8_t *)) +
             cpu_attend_parts(g, o) + (uint64_t)cpu_attend_counters(g, o) * sizeof(uint32_t) +
             (uint64_t)max_pieces(o) * sizeof(cpu_piece) + phases * (sizeof(threads_phase) + sizeof(cpu_job)) +
             ((uint64_t)g->table_count + g->cache_layer_count + g->op_count + 3) * sizeof(size_t) +
             threads_bytes(o->threads, (uint32_t)phases);
    plan_free(&p);
    return PUNA_OK;
}

static void destroy(memory_account *account, device_runner *r) {
    if (!r) return;
    threads_destroy(account, r->pool);
    cpu_adapting_free(r, account);
    cpu_profile_free(r->profile, account);
    for (uint32_t i = 0; r->scratch && i < r->options.threads; i++) memory_free(account, r->scratch[i]);
    memory_free(account, r->scratch);
    memory_pages_free(account, r->arena, r->arena_bytes);
    memory_free(account, r->rotary);
    memory_free(account, r->rotary_offset);
    memory_free(account, r->layer_offset);
    memory_free(account, r->relative);
    memory_free(account, r->relative_offset);
    memory_free(account, r->pieces);
    memory_pages_free(account, r->parts, r->parts_bytes);
    memory_free(account, (void *)r->arrived);
    memory_free(account, r->phases);
    memory_free(account, r->jobs);
    plan_free(&r->plan);
    memory_free(account, r);
}

static bool take_memory(device_runner *r, memory_account *account) {
    const graph *g = r->g;
    uint32_t phases = r->job_count = count_jobs(&r->plan);
    r->scratch_bytes = scratch_bytes(g, r->kernels, &r->options);
    r->arena_bytes = r->plan.arena_bytes ? r->plan.arena_bytes : 1;
    r->arena = memory_pages_new(account, r->arena_bytes);
    r->rotary = memory_array(account, rotary_floats(g, &r->options) + 1, sizeof(float));
    r->rotary_offset = memory_array(account, g->table_count + 1, sizeof *r->rotary_offset);
    r->layer_offset = memory_array(account, g->cache_layer_count + 1, sizeof *r->layer_offset);
    r->parts_bytes = cpu_attend_parts(g, &r->options);
    r->parts = r->parts_bytes ? memory_pages_new(account, r->parts_bytes) : NULL;
    r->arrived = memory_array(account, cpu_attend_counters(g, &r->options), sizeof *r->arrived);
    r->relative = memory_array(account, cpu_relative_floats(g, r->options.source) + 1, sizeof(float));
    r->relative_offset = memory_array(account, g->op_count + 1, sizeof *r->relative_offset);
    r->pieces = memory_array(account, max_pieces(&r->options), sizeof *r->pieces);
    r->phases = memory_array(account, phases, sizeof *r->phases);
    r->jobs = memory_array(account, phases, sizeof *r->jobs);
    r->scratch = memory_array(account, r->options.threads, sizeof *r->scratch);
    if (!r->arena || !r->rotary || !r->rotary_offset || !r->layer_offset || !r->relative || !r->relative_offset ||
        !r->arrived || (r->parts_bytes && !r->parts) || !r->pieces || !r->phases || !r->jobs || !r->scratch)
        return false;
    for (uint32_t i = 0; i < r->options.threads; i++) {
        r->scratch[i] = memory_new(account, r->scratch_bytes);
        if (!r->scratch[i]) return false;
    }
    return true;
}

static void lay_out(device_runner *r) {
    const graph *g = r->g;
    size_t offset = 0;
    for (uint32_t t = 0; t < g->table_count; t++) {
        r->rotary_offset[t] = offset;
        offset += (size_t)g->tables[t].count * r->options.max_tokens * 2;
    }
    for (uint32_t l = 0; l < g->cache_layer_count; l++) {
        const graph_cache_group *c = &g->groups[g->cache_layers[l].group];
        size_t layer = cpu_cache_keys(c, r->options.cache_type) + cpu_cache_values(c, r->options.cache_type);
        r->layer_offset[l] = g->cache_layers[l].slot * layer;
    }
    cpu_job *job = r->jobs;
    *job++ = (cpu_job){r, NULL, false, false};
    for (uint32_t i = 0; i < r->plan.phase_count; i++) {
        const plan_phase *phase = &r->plan.phases[i];
        if (phase->adapted) *job++ = (cpu_job){r, phase, false, true};
        *job++ = (cpu_job){r, phase, false, false};
        if (phase->by_columns) *job++ = (cpu_job){r, phase, true, false};
    }
}

static puna_status create(const graph *g, const device_weights *weights, const device_options *options,
                          memory_account *account, device_runner **runner, puna_error *error) {
    device_runner *r = memory_new(account, sizeof *r);
    if (!r) return error_memory(error, "engine", sizeof *r);
    r->g = g;
    r->weights = weights;
    r->kernels = weights->kernels;
    r->options = *options;
    puna_status status = make_plan(g, options, account, &r->plan, error);
    if (status == PUNA_OK && !take_memory(r, account)) {
        uint64_t needed = r->plan.arena_bytes;
        status = error_memory(error, "activations", needed);
    }
    if (status == PUNA_OK)
        status = threads_create(account, options->threads, r->job_count, &r->pool, error);
    if (status != PUNA_OK) {
        destroy(account, r);
        return status;
    }
    lay_out(r);
    cpu_relative_fill(r);
    *runner = r;
    return PUNA_OK;
}

static void cut_pieces(device_runner *r, const device_batch *batch) {
    r->piece_count = 0;
    for (uint32_t i = 0; i < batch->run_count; i++) {
        const device_run *run = &batch->runs[i];
        for (uint32_t done = 0; done < run->rows; done += CPU_QUERY_ROWS) {
            uint32_t left = run->rows - done;
            r->pieces[r->piece_count++] =
                (cpu_piece){i, run->row + done, left < CPU_QUERY_ROWS ? left : CPU_QUERY_ROWS};
        }
    }
}

static void run(device_runner *r, const device_batch *batch) {
    math_environment environment = math_environment_enter();
    uint64_t begin = r->profile ? os_clock_ns() : 0;
    r->batch = batch;
    cut_pieces(r, batch);
    bool adapts = cpu_adapters_begin(r);
    uint32_t phases = 0;
    for (uint32_t i = 0; i < r->job_count; i++) {
        if (r->jobs[i].adapts && !adapts) continue;
        threads_phase *phase = &r->phases[phases++];
        *phase = (threads_phase){cpu_steps_run, &r->jobs[i], 0, 1};
        cpu_steps_measure(&r->jobs[i], &phase->chunks, &phase->grain);
    }
    threads_run(r->pool, r->phases, phases);
    if (r->profile) cpu_profile_collect(r->profile, r, begin);
    r->batch = NULL;
    math_environment_leave(environment);
}

static const float *result(const device_runner *r, graph_result which) {
    plan_buffer b = r->plan.results[which];
    return b == PLAN_NO_BUFFER ? NULL : (const float *)(const void *)(r->arena + r->plan.buffers[b].offset);
}

static threads_pool *pool_of(device_runner *r) { return r->pool; }

const device cpu_device = {
    .name = "cpu", .check = check, .measure = cpu_weights_measure, .load = cpu_weights_load,
    .unload = cpu_weights_unload, .page_bytes = page_bytes, .runner_bytes = runner_bytes, .create = create,
    .destroy = destroy, .adapter_load = cpu_adapter_load, .adapter_unload = cpu_adapter_unload,
    .adapt = cpu_adapters_reserve, .run = run, .result = result, .row_bytes = cpu_cache_row_bytes,
    .rows_read = cpu_cache_read, .rows_write = cpu_cache_write, .watch = cpu_profile_watch,
    .watched = cpu_profile_watched, .threads = pool_of,
};
