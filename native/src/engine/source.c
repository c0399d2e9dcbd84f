// SPDX-License-Identifier: Apache-2.0
#include "engine/source.h"

#include <string.h>

#include "engine/adapters.h"

static puna_status check_ids(const engine *e, const char *name, const int32_t *ids, uint64_t count, puna_error *error) {
    for (uint64_t i = 0; i < count; i++) {
        if (ids[i] >= 0 && (uint32_t)ids[i] < e->model->hyper.vocabulary) continue;
        return error_set(error, PUNA_INVALID_ARGUMENT, name, "token %llu is %d; the vocabulary has 0 to %u",
                         (unsigned long long)i, ids[i], e->model->hyper.vocabulary - 1);
    }
    return PUNA_OK;
}

static puna_status too_long(const engine *e, const char *name, const char *what, uint64_t count, puna_error *error) {
    puna_status status = error_set(error, PUNA_CONTEXT_FULL, name,
                                   "%s has %llu tokens, more than the context of %u holds: shorten it or raise "
                                   "contextLength", what, (unsigned long long)count, e->options.context_length);
    if (error) {
        error->needed = count;
        error->available = e->options.context_length;
    }
    return status;
}

puna_status source_check(const engine *e, const int32_t *ids, uint64_t count, const puna_generation *g,
                         puna_error *error) {
    if (count == 0) return error_set(error, PUNA_INVALID_ARGUMENT, "ids", "there is nothing to read: no ids");
    if (count > e->options.context_length) return too_long(e, "ids", "the text", count, error);
    if (g->answer_count && !g->answer) return error_set(error, PUNA_INVALID_ARGUMENT, "answer", "answer is NULL");
    if ((uint64_t)g->answer_count + 2 > e->options.context_length) /* the first token, one more */
        return too_long(e, "answer", "the beginning of the answer", (uint64_t)g->answer_count + 2, error);
    puna_status status = check_ids(e, "ids", ids, count, error);
    return status == PUNA_OK ? check_ids(e, "answer", g->answer, g->answer_count, error) : status;
}

void source_lose(engine *e, sequence *s) {
    if (!s->source_count) return;
    cache_truncate(e->cache, &s->source_pages, 0);
    s->source_cached = false;
}

puna_status source_set(engine *e, sequence *s, const int32_t *ids, uint32_t count, puna_error *error) {
    if (count == s->source_count && memcmp(ids, s->source, count * sizeof *ids) == 0) return PUNA_OK;
    if (count > s->source_capacity) {
        int32_t *grown = memory_grow(&e->account, s->source, count * sizeof *grown);
        if (!grown) return error_memory(error, "sequence", count * sizeof *grown);
        s->source = grown;
        s->source_capacity = count;
    }
    source_lose(e, s);
    sequence_cut(e->cache, s, 0);
    memcpy(s->source, ids, count * sizeof *ids);
    s->source_count = count;
    return PUNA_OK;
}

puna_status source_begin(engine *e, sequence *s, const int32_t *ids, uint32_t count, const puna_generation *g,
                         puna_error *error) {
    uint32_t tokens = g->answer_count + 1;
    int32_t *first = memory_array(&e->account, tokens, sizeof *first);
    if (!first) return error_memory(error, "sequence", tokens * sizeof *first);
    first[0] = (int32_t)e->model->hyper.decoder_start;
    if (g->answer_count) memcpy(first + 1, g->answer, g->answer_count * sizeof *first);
    puna_status status = source_set(e, s, ids, count, error);
    if (status == PUNA_OK) status = sequence_set_tokens(&e->account, e->cache, s, first, tokens, error);
    memory_free(&e->account, first);
    return status;
}

puna_status source_share(engine *e, const sequence *from, sequence *to, puna_error *error) {
    if (!from->source_count) return PUNA_OK;
    puna_status status = source_set(e, to, from->source, from->source_count, error);
    if (status != PUNA_OK || !from->source_cached || to->source_cached) return status;
    status = cache_fork(e->cache, &from->source_pages, &to->source_pages, from->source_count, error);
    to->source_cached = status == PUNA_OK;
    return status;
}

uint64_t source_bytes(engine *e, const sequence *s, uint64_t mark) {
    if (!s->source_count) return 0;
    return cache_count(e->cache, &s->source_pages, mark) + cache_missing(e->cache, &s->source_pages, s->source_count);
}

static bool reads(const sequence *s) { return s->rows && s->source_count && !s->source_cached; }

void source_plan(engine *e) {
    if (!e->source_runner) return;
    uint32_t all = engine_source_options(&e->options).max_tokens, left = all;
    for (sequence *s = e->running.first; s; s = s->next)
        if (s->rows && s->source_cached) left = all / 4 > CACHE_PAGE ? all / 4 : CACHE_PAGE;
    bool first = true;
    for (sequence *s = e->running.first; s; s = s->next) {
        if (!reads(s)) continue;
        if (s->source_count > left && !first) s->rows = 0;
        else left -= s->source_count < left ? s->source_count : left;
        first = false;
    }
}

static void add_run(engine *e, device_batch *batch, sequence *s) {
    for (uint32_t i = 0; i < s->source_count; i++) {
        e->ids[batch->tokens + i] = s->source[i];
        e->positions[batch->tokens + i] = i;
    }
    e->runs[batch->run_count++] = (device_run){.row = batch->tokens, .rows = s->source_count,
                                                  .pages = s->source_pages.data,
                                                  .set = s->set ? &s->set->view : NULL};
    batch->tokens += s->source_count;
    s->source_cached = true;
}

static void run(engine *e, const device_batch *batch) {
    if (batch->tokens) e->model->device->run(e->source_runner, batch);
}

static device_batch no_batch(engine *e) {
    return (device_batch){.ids = e->ids, .positions = e->positions, .runs = e->runs, .outputs = e->outputs};
}

uint32_t source_read(engine *e) {
    device_batch batch = no_batch(e);
    for (sequence *s = e->running.first; s; s = s->next)
        if (reads(s)) add_run(e, &batch, s);
    run(e, &batch);
    return batch.tokens;
}

void source_read_one(engine *e, sequence *s) {
    device_batch batch = no_batch(e);
    if (s->source_count && !s->source_cached) add_run(e, &batch, s);
    run(e, &batch);
}
