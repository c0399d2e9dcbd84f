// SPDX-License-Identifier: Apache-2.0
#include "engine/drafter.h"

#include <string.h>

struct drafter {
    model *model;
    device_runner *runner;
    cache *cache;
    int32_t *ids;
    uint32_t *positions;
    device_run *runs;   /* [max_sequences], as are those below */
    uint32_t *outputs;
    sequence **who;     /* whose the outputs are */
};

/* ---- the same vocabulary ---- */

static puna_status differ(const model *m, const model *draft, int32_t id, puna_error *error) {
    puna_token a = {.text = ""}, b = {.text = ""};
    tokenizer_token(m->tokenizer, id, &a, NULL);
    tokenizer_token(draft->tokenizer, id, &b, NULL);
    return error_set(error, PUNA_INVALID_ARGUMENT, "draft",
                     "token %d is \"%.*s\" in the draft model and \"%.*s\" in the model: both must have the same "
                     "vocabulary", id, (int)(b.text_length < 64 ? b.text_length : 64), b.text,
                     (int)(a.text_length < 64 ? a.text_length : 64), a.text);
}

puna_status drafter_check(const model *m, const model *draft, puna_error *error) {
    int32_t size = tokenizer_size(m->tokenizer), theirs = tokenizer_size(draft->tokenizer);
    if (!(model_capabilities(draft) & PUNA_CAN_GENERATE) || draft->graph.source)
        return model_refuse(draft, "draft", error);
    if (draft->graph.recurrent)
        return error_set(error, PUNA_UNSUPPORTED, "draft",
                         "the draft model (%s) is recurrent: its state has no way back from a guess that was wrong; "
                         "take one that attends, or none", draft->hyper.architecture);
    if (size != theirs)
        return error_set(error, PUNA_INVALID_ARGUMENT, "draft",
                         "the draft model has %d tokens, the model %d: both must have the same vocabulary", theirs,
                         size);
    for (int32_t id = 0; id < size; id++) {
        puna_token a, b;
        if (tokenizer_token(m->tokenizer, id, &a, error) != PUNA_OK ||
            tokenizer_token(draft->tokenizer, id, &b, error) != PUNA_OK)
            return PUNA_INVALID_ARGUMENT;
        if (a.text_length != b.text_length || memcmp(a.text, b.text, a.text_length) != 0)
            return differ(m, draft, id, error);
    }
    return PUNA_OK;
}

/* ---- making one ---- */

static uint32_t rows_of(const puna_engine_options *o) { return o->step_tokens + o->max_sequences; }

static device_options runner_options(const puna_engine_options *o) {
    return (device_options){.threads = o->threads, .max_tokens = rows_of(o), .max_outputs = o->max_sequences,
                            .max_runs = o->max_sequences, .cache_type = o->cache_type,
                            .positions = o->context_length};
}

static puna_status make_cache(engine *e, drafter *d, uint64_t bytes, puna_error *error) {
    const graph *g = &d->model->graph;
    cache_group *groups = memory_array(&e->account, g->group_count, sizeof *groups);
    if (!groups) return error_memory(error, "draft", g->group_count * sizeof *groups);
    for (uint32_t i = 0; i < g->group_count; i++)
        groups[i] = (cache_group){.page_bytes = d->model->device->page_bytes(g, i, e->options.cache_type),
                                  .window = g->groups[i].window};
    puna_status status = cache_create(&e->account, groups, g->group_count, bytes, &d->cache, error);
    memory_free(&e->account, groups);
    return status;
}

static puna_status make_batch(engine *e, drafter *d, puna_error *error) {
    uint32_t rows = rows_of(&e->options), sequences = e->options.max_sequences;
    d->ids = memory_array(&e->account, rows, sizeof *d->ids);
    d->positions = memory_array(&e->account, rows, sizeof *d->positions);
    d->runs = memory_array(&e->account, sequences, sizeof *d->runs);
    d->outputs = memory_array(&e->account, sequences, sizeof *d->outputs);
    d->who = memory_array(&e->account, sequences, sizeof *d->who);
    if (d->ids && d->positions && d->runs && d->outputs && d->who) return PUNA_OK;
    return error_memory(error, "draft", rows * 8);
}

puna_status drafter_create(engine *e, uint64_t cache_bytes, drafter **out, puna_error *error) {
    drafter *d = memory_new(&e->account, sizeof *d);
    if (!d) return error_memory(error, "draft", sizeof *d);
    d->model = model_share(e->options.draft);
    device_options o = runner_options(&e->options);
    puna_status status = make_cache(e, d, cache_bytes, error);
    if (status == PUNA_OK) status = make_batch(e, d, error);
    if (status == PUNA_OK)
        status = d->model->device->create(&d->model->graph, d->model->weights, &o, &e->account, &d->runner, error);
    if (status == PUNA_OK) *out = d;
    else drafter_destroy(e, d);
    return status;
}

void drafter_destroy(engine *e, drafter *d) {
    if (!d) return;
    d->model->device->destroy(&e->account, d->runner);
    cache_destroy(d->cache);
    memory_free(&e->account, d->ids);
    memory_free(&e->account, d->positions);
    memory_free(&e->account, d->runs);
    memory_free(&e->account, d->outputs);
    memory_free(&e->account, d->who);
    model_release(d->model);
    memory_free(&e->account, d);
}

puna_status drafter_measure(const puna_engine_options *decided, uint64_t cache_bytes, uint32_t positions,
                            uint64_t *scratch, uint64_t *sequences, puna_error *error) {
    const model *m = decided->draft;
    const graph *g = &m->graph;
    device_options o = runner_options(decided);
    uint64_t runner = 0;
    puna_status status = m->device->runner_bytes(g, &o, &runner, error);
    if (status != PUNA_OK) return status;
    memory_account account;
    memory_account_init(&account);
    size_t *pages = memory_array(&account, g->group_count, sizeof *pages);
    if (!pages) return error_memory(error, "plan", g->group_count * sizeof *pages);
    for (uint32_t i = 0; i < g->group_count; i++) pages[i] = m->device->page_bytes(g, i, decided->cache_type);
    *scratch = sizeof(drafter) + runner + (uint64_t)rows_of(decided) * (sizeof(int32_t) + sizeof(uint32_t)) +
               decided->max_sequences * (sizeof(device_run) + sizeof(uint32_t) + sizeof(sequence *));
    *sequences = decided->max_sequences * cache_list_bytes(g->group_count, positions) +
                 cache_tables(pages, g->group_count, cache_bytes);
    memory_free(&account, pages);
    return PUNA_OK;
}

device_runner *drafter_runner(const drafter *d) { return d->runner; }

const device *drafter_device(const drafter *d) { return d->model->device; }

float drafter_cost(const engine *e) {
    float share = (float)e->drafter->model->parameters / (float)e->model->parameters;
    return share > 0.02f ? share : 0.02f;
}

uint32_t drafter_reach(const engine *e, const sequence *s) {
    uint32_t most = e->drafter->model->graph.most_positions;
    return most > s->count ? most - s->count : 0;
}

/* ---- pages ---- */

void drafter_drop(engine *e, sequence *s) {
    s->draft_cached = s->draft_remembered = s->ahead = 0;
    if (s->draft_pages.groups) cache_sequence_release(e->drafter->cache, &s->draft_pages);
}

static bool drop_from(engine *e, sequence_list *list) {
    for (sequence *s = list->last; s; s = s->previous) {
        if (!s->draft_pages.groups) continue;
        drafter_drop(e, s);
        return true;
    }
    return false;
}

void drafter_trim(engine *e) {
    while (drop_from(e, &e->paused) || drop_from(e, &e->waiting) || cache_forget(e->drafter->cache, false)) {}
    while (cache_forget(e->drafter->cache, true)) {}
}

/* Room for what a sequence lacks and for its guesses; what nobody computes with goes for it. */
static bool reserve(engine *e, sequence *s, uint32_t positions) {
    cache *c = e->drafter->cache;
    cache_pass(c, &s->draft_pages, s->draft_cached);
    while (cache_extend(c, &s->draft_pages, positions, s->draft_cached, NULL) != PUNA_OK) {
        if (cache_forget(c, false) || drop_from(e, &e->paused) || drop_from(e, &e->waiting) || cache_forget(c, true))
            continue;
        drafter_drop(e, s);
        return false;
    }
    return true;
}

/* What its pages hold is cut to what its tokens still are; whole pages that others had are taken. */
static bool prepare(engine *e, sequence *s) {
    cache *c = e->drafter->cache;
    s->ahead = 0;
    if (!s->draft_pages.groups) {
        s->draft_cached = s->draft_remembered = 0;
        if (cache_sequence_init(c, &s->draft_pages, NULL) != PUNA_OK) return false;
    }
    cache_truncate(c, &s->draft_pages, s->draft_cached);
    if (!cache_reaches(c, &s->draft_pages, s->draft_cached)) {
        cache_truncate(c, &s->draft_pages, 0);
        s->draft_cached = 0;
    }
    if (s->draft_remembered > s->draft_cached) s->draft_remembered = s->draft_cached / CACHE_PAGE * CACHE_PAGE;
    uint32_t had = s->draft_cached;
    s->draft_cached = cache_recall(c, 0, s->tokens, had, s->count - 1, &s->draft_pages);
    if (s->draft_cached != had) s->draft_remembered = s->draft_cached;
    return true;
}

/* ---- guessing ---- */

/* A run of `rows` of the sequence's tokens and guesses behind what its draft pages hold; `wanted`: with logits. */
static void add_run(engine *e, device_batch *batch, sequence *s, uint32_t rows, bool wanted) {
    drafter *d = e->drafter;
    uint32_t from = s->draft_cached + s->ahead;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t at = from + i;
        int32_t id = at < s->count ? s->tokens[at] : s->guess[at - s->count];
        d->ids[batch->tokens + i] = (uint32_t)id < d->model->hyper.vocabulary ? id : 0; /* a row that it lacks */
        d->positions[batch->tokens + i] = at;
    }
    d->runs[batch->run_count++] = (device_run){.row = batch->tokens, .rows = rows, .position = from,
                                                  .pages = s->draft_pages.data};
    batch->tokens += rows;
    if (!wanted) return;
    d->outputs[batch->output_count] = batch->tokens - 1;
    d->who[batch->output_count++] = s;
}

/* The most probable token that both models have. */
static int32_t best_of(const engine *e, const float *logits) {
    uint32_t vocabulary = e->model->hyper.vocabulary, theirs = e->drafter->model->hyper.vocabulary;
    int32_t best = 0;
    for (uint32_t i = 1; i < (vocabulary < theirs ? vocabulary : theirs); i++)
        if (logits[i] > logits[best]) best = (int32_t)i;
    return best;
}

/* Computes the batch; guess `index` of those that wanted logits. */
static void run(engine *e, const device_batch *batch, uint32_t index) {
    drafter *d = e->drafter;
    if (!batch->tokens) return;
    d->model->device->run(d->runner, batch);
    const float *logits = d->model->device->result(d->runner, GRAPH_LOGITS);
    for (uint32_t i = 0; i < batch->output_count; i++)
        d->who[i]->guess[index] = best_of(e, logits + (size_t)i * d->model->hyper.vocabulary);
}

static device_batch new_batch(const drafter *d) {
    return (device_batch){.ids = d->ids, .positions = d->positions, .runs = d->runs, .outputs = d->outputs};
}

static void remember(engine *e, sequence *s) {
    if (s->draft_cached - s->draft_remembered < CACHE_PAGE) return;
    cache_remember(e->drafter->cache, 0, s->tokens, s->draft_cached, &s->draft_pages);
    s->draft_remembered = s->draft_cached / CACHE_PAGE * CACHE_PAGE;
}

/* All that the sequences have said since: mostly a token or two, but a prompt at first, of which no more rows are read
   in a step than of the prompts that others wait for. */
static void catch_up(engine *e) {
    device_batch batch = new_batch(e->drafter);
    uint32_t left = fill_prompt_budget(e);
    for (sequence *s = e->running.first; s; s = s->next) {
        if (!s->asks_drafter) continue;
        bool ready = prepare(e, s);
        uint32_t lacks = s->count - s->draft_cached, rows = lacks <= left + 1 ? lacks : left;
        ready = ready && rows && reserve(e, s, s->draft_cached + rows + (rows == lacks ? s->guesses : 0));
        if (!ready || rows < lacks) s->guesses = 0;
        if (!ready) continue;
        add_run(e, &batch, s, rows, rows == lacks);
        s->draft_cached += rows;
        left -= rows - 1; /* at most left + 1 */
    }
    run(e, &batch, 0);
    for (sequence *s = e->running.first; s; s = s->next)
        if (s->asks_drafter && s->draft_pages.groups) remember(e, s);
}

void drafter_guess(engine *e) {
    catch_up(e);
    for (uint32_t index = 1;; index++) {
        device_batch batch = new_batch(e->drafter);
        for (sequence *s = e->running.first; s; s = s->next) {
            if (!s->asks_drafter || s->guesses <= index) continue;
            add_run(e, &batch, s, 1, true);
            s->ahead++;
        }
        if (!batch.tokens) return;
        run(e, &batch, index);
    }
}
