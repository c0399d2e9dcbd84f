// SPDX-License-Identifier: Apache-2.0
/* puna.h, part 6, and raw logits of part 7: checks arguments, lets one thread in at a time. */
#include <string.h>

#include "api/api_enter.h"
#include "api/api_structs.h"
#include "engine/source.h"

void puna_engine_options_default(puna_engine_options *options) {
    if (options)
        *options = (puna_engine_options){.size = sizeof *options, .max_sequences = 16, .max_queue = 1024,
                                         .step_tokens = 512, .cache_type = PUNA_CACHE_F16};
}

void puna_generation_default(puna_generation *generation) {
    if (generation) *generation = (puna_generation){.size = sizeof *generation, .length_penalty = 1.0f};
}

puna_status puna_engine_create(puna_model *m, const puna_engine_options *options, puna_engine **out,
                               puna_error *error) {
    puna_engine_options asked;
    if (!out) return api_missing(error, "engine");
    *out = NULL;
    if (!m) return api_missing(error, "model");
    puna_engine_options_default(&asked);
    structs_take(&asked, options, sizeof asked);
    return engine_create(m, &asked, out, error);
}

void puna_engine_close(puna_engine *e) { engine_close(e); }

void puna_engine_describe(const puna_engine *e, puna_engine_info *info) {
    if (!e || !info) return;
    engine_figures *f = &((puna_engine *)e)->figures;
    uint64_t page = cache_bytes_for(e->cache, CACHE_PAGE);
    uint64_t used = atomic_load_explicit(&f->cache_used, memory_order_relaxed);
    uint64_t held = atomic_load_explicit(&f->cache_held, memory_order_relaxed);
    puna_engine_info filled = {.context_length = e->options.context_length, .threads = e->options.threads,
        .step_tokens = e->options.step_tokens,
        .sequences = atomic_load_explicit(&f->sequences, memory_order_relaxed),
        .running = atomic_load_explicit(&f->running, memory_order_relaxed),
        .waiting = atomic_load_explicit(&f->waiting, memory_order_relaxed), .page_positions = CACHE_PAGE,
        .page_bytes = page, .pages_total = page ? cache_budget(e->cache) / page : 0,
        .pages_used = page ? held / page : 0, .pages_cached = page && used > held ? (used - held) / page : 0,
        .paused = atomic_load_explicit(&f->paused, memory_order_relaxed),
        .memory_bytes = memory_used(&e->account) + sizeof *e,
        .steps = atomic_load_explicit(&f->steps, memory_order_relaxed),
        .evictions = atomic_load_explicit(&f->evictions, memory_order_relaxed),
        .prompt_tokens = atomic_load_explicit(&f->prompt_tokens, memory_order_relaxed),
        .generated_tokens = atomic_load_explicit(&f->generated_tokens, memory_order_relaxed),
        .prefix_hit_tokens = atomic_load_explicit(&f->prefix_hit_tokens, memory_order_relaxed),
        .drafted_tokens = atomic_load_explicit(&f->drafted_tokens, memory_order_relaxed),
        .accepted_tokens = atomic_load_explicit(&f->accepted_tokens, memory_order_relaxed)};
    structs_give(info, &filled, sizeof filled);
}

puna_status puna_sequence_open(puna_engine *e, uint64_t *id, puna_error *error) {
    if (!e) return api_missing(error, "engine");
    if (!id) return api_missing(error, "sequence");
    puna_status status = engine_enter(e, error);
    if (status != PUNA_OK) return status;
    status = engine_open_sequence(e, id, error);
    engine_leave(e);
    return status;
}

/* The sampler and the stream check what is theirs; the rest is checked here. */
static puna_status read_generation(const puna_generation *asked, puna_generation *g, puna_error *error) {
    puna_generation_default(g);
    structs_take(g, asked, sizeof *g);
    if (g->stop_count && !g->stops) return api_missing(error, "stops");
    if (g->adapter_count && !g->adapters) return api_missing(error, "adapters");
    if (g->flags & ~(uint32_t)(PUNA_GENERATE_IGNORE_EOS | PUNA_GENERATE_SHIFT | PUNA_GENERATE_LOGITS |
                              PUNA_GENERATE_NO_DRAFTS))
        return error_set(error, PUNA_INVALID_ARGUMENT, "flags", "flags is 0x%x, which has bits that mean nothing here",
                         g->flags);
    return PUNA_OK;
}

puna_status puna_sequence_generate(puna_engine *e, uint64_t id, const int32_t *ids, uint64_t count,
                                   const puna_generation *generation, puna_error *error) {
    puna_generation g;
    if (!ids && count) return api_missing(error, "ids");
    puna_status status = read_generation(generation, &g, error);
    if (status != PUNA_OK) return status;
    sequence *s;
    status = api_enter_sequence(e, id, &s, error);
    if (status != PUNA_OK) return status;
    status = scheduler_generate(e, s, ids, count, &g, error);
    engine_leave(e);
    return status;
}

puna_status puna_sequence_cancel(puna_engine *e, uint64_t id, puna_error *error) {
    sequence *s;
    puna_status status = api_enter_sequence(e, id, &s, error);
    if (status != PUNA_OK) return status;
    sequences_resume(e, s);
    if (s->state != SEQUENCE_IDLE) s->cancelled = true;
    engine_leave(e);
    return PUNA_OK;
}

puna_status puna_sequence_close(puna_engine *e, uint64_t id, puna_error *error) {
    sequence *s;
    puna_status status = api_enter_sequence(e, id, &s, error);
    if (status != PUNA_OK) return status;
    engine_close_sequence(e, s);
    engine_leave(e);
    return PUNA_OK;
}

puna_status puna_sequence_tokens(puna_engine *e, uint64_t id, int32_t *ids, uint64_t capacity, uint64_t *count,
                                 puna_error *error) {
    sequence *s;
    if (!count) return api_missing(error, "count");
    puna_status status = api_enter_sequence(e, id, &s, error);
    if (status != PUNA_OK) return status;
    *count = s->count;
    if (capacity < s->count || (!ids && s->count)) {
        status = error_set(error, PUNA_BUFFER_TOO_SMALL, "ids", "the sequence has %u tokens", s->count);
        if (error) error->needed = s->count;
    } else if (s->count) {
        memcpy(ids, s->tokens, s->count * sizeof *ids);
    }
    engine_leave(e);
    return status;
}

puna_status puna_engine_step(puna_engine *e, puna_step *step, puna_error *error) {
    puna_step report;
    puna_status status = api_enter(e, error);
    if (status != PUNA_OK) return status;
    status = step_run(e, &report, error);
    engine_leave(e);
    if (step && status == PUNA_OK) structs_give(step, &report, sizeof report);
    return status;
}

int32_t puna_engine_next_event(puna_engine *e, puna_event *event) {
    if (!e || !event || engine_enter(e, NULL) != PUNA_OK) return 0;
    puna_event filled;
    sequence *s;
    int32_t got = events_take(&e->events, &filled);
    if (got && filled.kind == PUNA_EVENT_LOGITS && engine_find(e, filled.sequence, &s, NULL) == PUNA_OK && s->asks) {
        filled.logits = s->shown;
        filled.logit_count = e->model->hyper.vocabulary;
    }
    engine_leave(e);
    if (got) structs_give(event, &filled, sizeof filled);
    return got;
}

static puna_status check_logits(const puna_engine *e, const int32_t *ids, uint64_t count, uint64_t first,
                                const float *logits, uint64_t capacity, puna_error *error) {
    uint64_t vocabulary = e->model->hyper.vocabulary;
    if (!(model_capabilities(e->model) & PUNA_CAN_GENERATE)) return model_refuse(e->model, "generate text", error);
    if (!ids || !count) return error_set(error, PUNA_INVALID_ARGUMENT, "ids", "at least one token is needed");
    if (count > e->options.context_length)
        return error_set(error, PUNA_CONTEXT_FULL, "ids", "%llu tokens; the context holds %u",
                         (unsigned long long)count, e->options.context_length);
    if (first >= count)
        return error_set(error, PUNA_INVALID_ARGUMENT, "first", "first is %llu of %llu tokens",
                         (unsigned long long)first, (unsigned long long)count);
    for (uint64_t i = 0; i < count; i++)
        if (ids[i] < 0 || (uint64_t)ids[i] >= vocabulary)
            return error_set(error, PUNA_INVALID_ARGUMENT, "ids", "token %llu is %d; the vocabulary has 0 to %llu",
                             (unsigned long long)i, ids[i], (unsigned long long)(vocabulary - 1));
    if (!logits || capacity / vocabulary < count - first) {
        puna_status status = error_set(error, PUNA_BUFFER_TOO_SMALL, "logits", "%llu rows of %llu logits are needed",
                                       (unsigned long long)(count - first), (unsigned long long)vocabulary);
        if (error) error->needed = (count - first) * vocabulary;
        return status;
    }
    if (e->running.count + e->waiting.count)
        return error_set(error, PUNA_BUSY, "engine", "sequences are generating: wait for their end");
    return PUNA_OK;
}

puna_status puna_engine_logits(puna_engine *e, const int32_t *ids, uint64_t count, uint64_t first, float *logits,
                               uint64_t capacity, puna_task *task, puna_error *error) {
    puna_status status = api_enter(e, error);
    if (status != PUNA_OK) return status;
    status = check_logits(e, ids, count, first, logits, capacity, error);
    if (status == PUNA_OK && e->model->graph.source)
        status = model_refuse(e->model, "say what follows ids alone", error);
    if (status == PUNA_OK) status = step_logits(e, NULL, ids, (uint32_t)count, (uint32_t)first, logits, task, error);
    engine_leave(e);
    return status;
}

static puna_status answer_logits(puna_engine *e, const puna_input *source, const int32_t *ids, uint64_t count,
                                 uint64_t first, float *logits, uint64_t capacity, puna_task *task, puna_error *error) {
    if (!e->model->graph.source) return model_refuse(e->model, "answer a source", error);
    puna_generation none = {.size = sizeof none};
    puna_status status = source_check(e, source->ids, source->count, &none, error);
    int32_t *all = status == PUNA_OK && count < UINT32_MAX ? memory_array(&e->account, count + 1, sizeof *all) : NULL;
    if (status == PUNA_OK && !all) status = error_memory(error, "logits", count * sizeof *all);
    if (status != PUNA_OK) return status;
    all[0] = (int32_t)e->model->hyper.decoder_start;
    if (count) memcpy(all + 1, ids, count * sizeof *ids);
    status = check_logits(e, all, count + 1, first, logits, capacity, error);
    if (status == PUNA_OK)
        status = step_logits(e, source, all, (uint32_t)count + 1, (uint32_t)first, logits, task, error);
    memory_free(&e->account, all);
    return status;
}

puna_status puna_engine_answer_logits(puna_engine *e, const int32_t *source, uint64_t source_count, const int32_t *ids,
                                      uint64_t count, uint64_t first, float *logits, uint64_t capacity,
                                      puna_task *task, puna_error *error) {
    if (!source) return api_missing(error, "source");
    if (!ids && count) return api_missing(error, "ids");
    puna_status status = api_enter(e, error);
    if (status != PUNA_OK) return status;
    puna_input in = {source, NULL, source_count};
    status = answer_logits(e, &in, ids, count, first, logits, capacity, task, error);
    engine_leave(e);
    return status;
}
