// SPDX-License-Identifier: Apache-2.0
#include "engine/adapters.h"
#include "engine/beam.h"
#include "engine/drafter.h"
#include "engine/profile.h"

#include <string.h>

#include "base/log.h"
#include "base/os.h"
#include "base/threads.h"

#define MAX_OPEN 1000000u
#define DRAFT_TOKENS 16u /* unless asked for otherwise */

/* ---- options ---- */

static puna_status outside(puna_error *error, const char *name, uint64_t value, uint64_t low, uint64_t high) {
    return error_set(error, PUNA_INVALID_ARGUMENT, name, "%s is %llu; it may be %llu to %llu", name,
                     (unsigned long long)value, (unsigned long long)low, (unsigned long long)high);
}

static puna_status check_ranges(const puna_engine_options *o, puna_error *error) {
    if (o->max_sequences < 1 || o->max_sequences > 1024)
        return outside(error, "max_sequences", o->max_sequences, 1, 1024);
    if (o->max_queue > 1000000) return outside(error, "max_queue", o->max_queue, 0, 1000000);
    if (o->step_tokens < 1 || o->step_tokens > 4096) return outside(error, "step_tokens", o->step_tokens, 1, 4096);
    if (o->threads > 256) return outside(error, "threads", o->threads, 0, 256);
    if (o->context_length == 1 || o->context_length > 1u << 30)
        return outside(error, "context_length", o->context_length, 2, 1u << 30);
    if (o->cache_type != PUNA_CACHE_F16 && o->cache_type != PUNA_CACHE_F32 && o->cache_type != PUNA_CACHE_Q8_0)
        return error_set(error, PUNA_INVALID_ARGUMENT, "cache_type",
                         "cache_type is %u; it may be PUNA_CACHE_F16, PUNA_CACHE_F32 or PUNA_CACHE_Q8_0",
                         o->cache_type);
    if (o->speculation > PUNA_SPECULATE_DRAFT)
        return error_set(error, PUNA_INVALID_ARGUMENT, "speculation", "speculation is %u; it may be "
                         "PUNA_SPECULATE_OFF, PUNA_SPECULATE_LOOKUP or PUNA_SPECULATE_DRAFT", o->speculation);
    if ((o->speculation == PUNA_SPECULATE_DRAFT) != (o->draft != NULL))
        return error_set(error, PUNA_INVALID_ARGUMENT, "draft", o->draft
            ? "a draft model is given, but speculation is not PUNA_SPECULATE_DRAFT"
            : "speculation is PUNA_SPECULATE_DRAFT, but there is no draft model");
    if (o->draft_tokens > 256) return outside(error, "draft_tokens", o->draft_tokens, 0, 256);
    if (o->draft_least > 256) return outside(error, "draft_least", o->draft_least, 0, 256);
    return PUNA_OK;
}

#define STATE_PAGE_BYTES (4u << 20)

/* States of a recurrent layer: large ones are kept less often, so that remembering a prompt costs no more than this for
   each page of its positions. */
static uint32_t pages_between(const graph *g, uint32_t group, const device *d, const puna_engine_options *o) {
    if (!g->groups[group].state) return 0;
    return (uint32_t)((d->page_bytes(g, group, o->cache_type) - 1) / STATE_PAGE_BYTES) + 1;
}

/* Pages of a group that one sequence holds at a time: those that a window has passed are given up before a step. 0: all
   of its positions. */
static uint32_t most_pages(const graph *g, uint32_t group, const device *d, const puna_engine_options *o) {
    uint32_t rows = o->step_tokens > o->draft_tokens ? o->step_tokens : o->draft_tokens + 1;
    uint32_t window = g->groups[group].window, every = pages_between(g, group, d, o);
    if (every > 1) return (rows / CACHE_PAGE + 1) / every + 3;
    return window ? (window + rows) / CACHE_PAGE + 2 : 0;
}

/* Of one sequence. UINT64_MAX where it is more: a hostile file's layers and heads times 2^30 positions. */
static uint64_t context_bytes(const graph *g, const device *d, const puna_engine_options *o, uint32_t positions) {
    uint64_t bytes = 0, group, all = (positions + (uint64_t)CACHE_PAGE - 1) / CACHE_PAGE;
    for (uint32_t i = 0; i < g->group_count; i++) {
        uint64_t most = most_pages(g, i, d, o), pages = most && most < all ? most : all;
        if (__builtin_mul_overflow(pages, (uint64_t)d->page_bytes(g, i, o->cache_type), &group)) return UINT64_MAX;
        if (__builtin_add_overflow(bytes, group, &bytes)) return UINT64_MAX;
    }
    return bytes;
}

static uint64_t draft_context_bytes(const puna_engine_options *o) {
    return o->draft ? context_bytes(&o->draft->graph, o->draft->device, o, o->context_length) : 0;
}

uint64_t engine_draft_bytes(const graph *g, const device *d, const puna_engine_options *o) {
    uint64_t theirs = draft_context_bytes(o), ours = context_bytes(g, d, o, o->context_length);
    if (!theirs) return 0;
    uint64_t share = (uint64_t)((double)o->cache_bytes * ((double)theirs / ((double)theirs + (double)ours)));
    if (share < theirs) share = theirs; /* rounded */
    return o->cache_bytes - share < ours ? o->cache_bytes - ours : share;
}

device_options engine_source_options(const puna_engine_options *o) {
    /* a source is one step's */
    uint32_t rows = o->step_tokens > o->context_length ? o->step_tokens : o->context_length;
    return (device_options){.threads = o->threads, .max_tokens = rows, .max_outputs = 1, .max_runs = o->max_sequences,
                            .cache_type = o->cache_type, .positions = o->context_length, .source = true};
}

uint32_t engine_batch_rows(const graph *g, const puna_engine_options *o) {
    uint32_t rows = engine_rows(g, o), source = g->source ? engine_source_options(o).max_tokens : 0;
    return rows > source ? rows : source;
}

#define WHOLE_RUNS 64u /* an encoder's texts in a step: short ones shall fill it, too */

uint32_t engine_rows(const graph *g, const puna_engine_options *o) {
    return g->whole ? o->step_tokens : o->step_tokens + o->max_sequences + o->draft_tokens;
}

device_options engine_device_options(const graph *g, const puna_engine_options *o) {
    uint32_t runs = g->whole && o->max_sequences < WHOLE_RUNS ? WHOLE_RUNS : o->max_sequences;
    uint32_t all = (1u << GRAPH_RESULTS) - 1;
    return (device_options){.threads = o->threads, .max_tokens = engine_rows(g, o),
                            .max_outputs = runs + o->draft_tokens, .max_runs = runs, .cache_type = o->cache_type,
                            .positions = o->context_length, .results = g->whole ? all : 1u << GRAPH_LOGITS};
}

/* An encoder's keys and values are there for one layer of one step: exactly what its rows take. They are as exact as
   its other activations. */
static void decide_whole(const graph *g, const device *d, puna_engine_options *o) {
    if (o->step_tokens < o->context_length) o->step_tokens = o->context_length; /* a text is one step's */
    o->speculation = PUNA_SPECULATE_OFF; /* nothing is generated */
    o->draft_tokens = 0;
    o->draft = NULL;
    o->cache_type = PUNA_CACHE_F32;
    /* As many texts as there can be, each with its page, and a further one for each 64 rows that they leave. */
    uint64_t pages = engine_device_options(g, o).max_runs;
    if (o->context_length > CACHE_PAGE && o->step_tokens > pages) pages += (o->step_tokens - pages) / CACHE_PAGE;
    o->cache_bytes = 0;
    for (uint32_t i = 0; i < g->group_count; i++) o->cache_bytes += pages * d->page_bytes(g, i, o->cache_type);
}

static puna_status decide_cache(const graph *g, const device *d, puna_engine_options *o, puna_error *error) {
    uint64_t one = context_bytes(g, d, o, o->context_length), all, total = os_memory_total();
    if (__builtin_add_overflow(one, draft_context_bytes(o), &one)) one = UINT64_MAX;
    if (__builtin_mul_overflow(one, (uint64_t)o->max_sequences, &all)) all = UINT64_MAX;
    if (o->cache_bytes == 0) {
        uint64_t half = os_memory_free() / 2;
        o->cache_bytes = all < half ? all : half;
        if (o->cache_bytes < one) o->cache_bytes = one;
    }
    if (o->cache_bytes >= one && o->cache_bytes <= total) return PUNA_OK;
    bool small = o->cache_bytes < one;
    puna_status status = error_set(error, PUNA_OUT_OF_MEMORY, "cache", small
        ? "a cache of %llu bytes is less than one context of %u positions needs (%llu): lower contextLength or raise "
          "the budget"
        : "a cache of %llu bytes for contexts of %u positions (%llu each) is more than this machine's memory: lower "
          "contextLength",
        (unsigned long long)o->cache_bytes, o->context_length, (unsigned long long)one);
    if (error) {
        error->needed = small ? one : o->cache_bytes;
        error->available = small ? o->cache_bytes : total;
    }
    return status;
}

puna_status engine_decide(const hyper *h, const graph *g, const device *d, const puna_engine_options *asked,
                          puna_engine_options *decided, puna_error *error) {
    *decided = *asked;
    puna_status status = check_ranges(decided, error);
    if (status != PUNA_OK) return status;
    if (decided->context_length > g->most_positions)
        return error_set(error, PUNA_INVALID_ARGUMENT, "context_length",
                         "context_length is %u; this model has learned positions, and only %u of them",
                         decided->context_length, g->most_positions);
    uint32_t trained = h->context_length < g->most_positions ? h->context_length : g->most_positions;
    if (decided->context_length == 0) decided->context_length = trained > 1 ? trained : 2;
    if (decided->threads == 0) decided->threads = threads_default_count();
    if (g->recurrent) { /* a state has no way back from a guess that was wrong */
        decided->speculation = PUNA_SPECULATE_OFF;
        decided->draft = NULL;
    }
    if (decided->speculation == PUNA_SPECULATE_OFF) decided->draft_tokens = 0;
    else if (decided->draft_tokens == 0) decided->draft_tokens = DRAFT_TOKENS;
    if (g->source && decided->speculation == PUNA_SPECULATE_DRAFT)
        return error_set(error, PUNA_INVALID_ARGUMENT, "speculation",
                         "a draft model can't guess for an encoder-decoder, whose source it doesn't read; "
                         "PUNA_SPECULATE_LOOKUP can");
    if (g->whole) decide_whole(g, d, decided);
    return decide_cache(g, d, decided, error);
}

uint32_t engine_positions(const graph *g, const device *d, const puna_engine_options *o) {
    uint64_t each = (o->cache_bytes - engine_draft_bytes(g, d, o)) / o->max_sequences;
    uint64_t low = 0, high = o->context_length / CACHE_PAGE;
    if (context_bytes(g, d, o, o->context_length) <= each) return o->context_length;
    while (low < high) { /* whole pages: `low` fit */
        uint64_t middle = (low + high + 1) / 2;
        if (context_bytes(g, d, o, (uint32_t)(middle * CACHE_PAGE)) <= each) low = middle;
        else high = middle - 1;
    }
    return (uint32_t)(low * CACHE_PAGE);
}

/* ---- creation ---- */

static puna_status make_cache(engine *e, puna_error *error) {
    const graph *g = &e->model->graph;
    cache_group *groups = memory_array(&e->account, g->group_count, sizeof *groups);
    if (!groups) return error_memory(error, "engine", g->group_count * sizeof *groups);
    for (uint32_t i = 0; i < g->group_count; i++)
        groups[i] = (cache_group){e->model->device->page_bytes(g, i, e->options.cache_type), g->groups[i].window,
                                  g->groups[i].source, most_pages(g, i, e->model->device, &e->options),
                                  pages_between(g, i, e->model->device, &e->options)};
    uint64_t bytes = e->options.cache_bytes - engine_draft_bytes(g, e->model->device, &e->options);
    puna_status status = cache_create(&e->account, groups, g->group_count, bytes, &e->cache, error);
    memory_free(&e->account, groups);
    return status;
}

static puna_status make_batch(engine *e, puna_error *error) {
    bool whole = e->model->graph.whole;
    device_options d = engine_device_options(&e->model->graph, &e->options);
    uint32_t rows = engine_batch_rows(&e->model->graph, &e->options), sequences = d.max_runs;
    uint32_t guesses = e->options.draft_tokens;
    e->ids = memory_array(&e->account, rows, sizeof *e->ids);
    e->positions = memory_array(&e->account, rows, sizeof *e->positions);
    e->types = whole ? memory_array(&e->account, rows, sizeof *e->types) : NULL;
    e->runs = memory_array(&e->account, sequences, sizeof *e->runs);
    e->outputs = memory_array(&e->account, sequences + guesses, sizeof *e->outputs);
    e->guesses = memory_array(&e->account, guesses, sizeof *e->guesses);
    e->choices = memory_array(&e->account, sequences, step_choice_bytes());
    if (e->ids && e->positions && (e->types || !whole) && e->runs && e->outputs && e->guesses && e->choices)
        return PUNA_OK;
    return error_memory(error, "engine", (uint64_t)rows * 8);
}

size_t engine_longest_token(const tokenizer *t) {
    size_t longest = 0, length = 0;
    for (int32_t i = 0; i < tokenizer_size(t); i++) {
        tokenizer_bytes(t, i, &length);
        if (length > longest) longest = length;
    }
    return longest;
}

puna_status engine_create(model *m, const puna_engine_options *options, engine **out, puna_error *error) {
    puna_engine_options decided;
    puna_status status = engine_decide(&m->hyper, &m->graph, m->device, options, &decided, error);
    if (status == PUNA_OK && decided.draft) status = drafter_check(m, decided.draft, error);
    if (status != PUNA_OK) return status;
    if (m->graph.recurrent && options->speculation != PUNA_SPECULATE_OFF)
        log_write(PUNA_LOG_WARNING, "this model (%s) has recurrent layers, whose states have no way back from a wrong "
                  "guess: speculation is off", m->hyper.architecture);
    memory_account first;
    memory_account_init(&first);
    engine *e = memory_new(&first, sizeof *e);
    if (!e) return error_memory(error, "engine", sizeof *e);
    memory_account_init(&e->account);
    events_init(&e->events, &e->account);
    e->options = decided;
    e->model = model_share(m);
    status = make_cache(e, error);
    if (status == PUNA_OK) status = make_batch(e, error);
    e->longest_token = engine_longest_token(m->tokenizer);
    if (status == PUNA_OK) {
        device_options d = engine_device_options(&m->graph, &decided);
        status = m->device->create(&m->graph, m->weights, &d, &e->account, &e->runner, error);
    }
    if (status == PUNA_OK && m->graph.source) {
        device_options d = engine_source_options(&decided);
        status = m->device->create(&m->graph, m->weights, &d, &e->account, &e->source_runner, error);
    }
    if (status == PUNA_OK && decided.draft)
        status = drafter_create(e, engine_draft_bytes(&m->graph, m->device, &decided), &e->drafter, error);
    if (status != PUNA_OK) {
        engine_close(e);
        return status;
    }
    *out = e;
    return PUNA_OK;
}

void engine_close(engine *e) {
    if (!e) return;
    for (uint32_t i = 0; i < e->slot_count; i++) {
        if (!e->slots[i]) continue;
        if (e->drafter) drafter_drop(e, e->slots[i]);
        beam_free(e, e->slots[i]);
        adapters_give(e, e->slots[i]->set);
        sequence_free(&e->account, e->cache, e->slots[i]);
    }
    drafter_destroy(e, e->drafter);
    adapters_give(e, e->set);
    adapters_trim(e);
    e->model->device->destroy(&e->account, e->runner);
    e->model->device->destroy(&e->account, e->reader);
    e->model->device->destroy(&e->account, e->source_runner);
    profile_free(e);
    cache_destroy(e->cache);
    events_free(&e->events);
    memory_free(&e->account, e->slots);
    memory_free(&e->account, e->generations);
    memory_free(&e->account, e->ids);
    memory_free(&e->account, e->positions);
    memory_free(&e->account, e->types);
    memory_free(&e->account, e->runs);
    memory_free(&e->account, e->outputs);
    memory_free(&e->account, e->guesses);
    memory_free(&e->account, e->choices);
    model_release(e->model);
    memory_account last;
    memory_account_init(&last);
    memory_free(&last, e);
}

/* ---- one thread at a time ---- */

puna_status engine_enter(engine *e, puna_error *error) {
    if (!atomic_exchange_explicit(&e->entered, true, memory_order_acquire)) {
        if (e->profile) e->profile->entered = os_clock_ns();
        return PUNA_OK;
    }
    return error_set(error, PUNA_BUSY, "engine",
                     "another thread is inside this engine: an engine serves one thread at a time");
}

void engine_leave(engine *e) {
    if (e->profile) e->profile->inside += os_clock_ns() - e->profile->entered;
    engine_figures *f = &e->figures;
    atomic_store_explicit(&f->sequences, e->open, memory_order_relaxed);
    atomic_store_explicit(&f->running, sequence_requests(&e->running), memory_order_relaxed);
    atomic_store_explicit(&f->waiting, sequence_requests(&e->waiting), memory_order_relaxed);
    atomic_store_explicit(&f->paused, sequence_requests(&e->paused), memory_order_relaxed);
    atomic_store_explicit(&f->cache_held, cache_held(e->cache), memory_order_relaxed);
    atomic_store_explicit(&f->cache_used, cache_used(e->cache), memory_order_relaxed);
    atomic_store_explicit(&f->steps, e->steps, memory_order_relaxed);
    atomic_store_explicit(&f->evictions, e->counts.evictions, memory_order_relaxed);
    atomic_store_explicit(&f->prompt_tokens, e->counts.prompt_tokens, memory_order_relaxed);
    atomic_store_explicit(&f->generated_tokens, e->counts.generated_tokens, memory_order_relaxed);
    atomic_store_explicit(&f->prefix_hit_tokens, e->counts.prefix_hit_tokens, memory_order_relaxed);
    atomic_store_explicit(&f->drafted_tokens, e->counts.drafted_tokens, memory_order_relaxed);
    atomic_store_explicit(&f->accepted_tokens, e->counts.accepted_tokens, memory_order_relaxed);
    atomic_store_explicit(&e->entered, false, memory_order_release);
}

/* ---- sequences by id: the low half is the slot + 1, the high half tells uses of a slot apart ---- */

static puna_status free_slot(engine *e, uint32_t *slot, puna_error *error) {
    while (e->free_from < e->slot_count && e->slots[e->free_from]) e->free_from++;
    *slot = e->free_from;
    if (*slot < e->slot_count) return PUNA_OK;
    if (e->slot_count >= MAX_OPEN)
        return error_set(error, PUNA_BUSY, "sequence", "%u sequences are open: close some", e->slot_count);
    uint32_t grown = e->slot_count ? e->slot_count * 2 : 16;
    if (grown > MAX_OPEN) grown = MAX_OPEN;
    sequence **slots = memory_grow(&e->account, e->slots, grown * sizeof *slots);
    if (slots) e->slots = slots;
    uint32_t *generations = slots ? memory_grow(&e->account, e->generations, grown * sizeof *generations) : NULL;
    if (!generations) return error_memory(error, "engine", grown * sizeof *slots);
    for (uint32_t i = e->slot_count; i < grown; i++) generations[i] = e->generation;
    e->generations = generations;
    e->slot_count = grown;
    return PUNA_OK;
}

void engine_trim(engine *e) {
    while (evict_one(e, NULL)) {}
    if (e->drafter) drafter_trim(e);
    adapters_trim(e);
    e->model->device->destroy(&e->account, e->reader); /* embedding is one call: nobody is in it */
    e->reader = NULL;
    if (e->events.taken == e->events.count) events_free(&e->events);
    if (e->open) return;
    for (uint32_t i = 0; i < e->slot_count; i++)
        if (e->generations[i] > e->generation) e->generation = e->generations[i];
    memory_free(&e->account, e->slots);
    memory_free(&e->account, e->generations);
    e->slots = NULL;
    e->generations = NULL;
    e->slot_count = e->free_from = 0;
}

puna_status engine_open_sequence(engine *e, uint64_t *id, puna_error *error) {
    uint32_t slot = 0;
    puna_status status = free_slot(e, &slot, error);
    if (status != PUNA_OK) return status;
    sequence *s = memory_new(&e->account, sizeof *s);
    if (!s) return error_memory(error, "sequence", sizeof *s);
    status = cache_sequence_init(e->cache, &s->pages, error);
    if (status == PUNA_OK && e->model->graph.source) status = cache_source_init(e->cache, &s->source_pages, error);
    if (status != PUNA_OK) {
        cache_sequence_release(e->cache, &s->pages);
        memory_free(&e->account, s);
        return status;
    }
    s->id = (uint64_t)++e->generations[slot] << 32 | (slot + 1);
    s->output = UINT32_MAX;
    e->slots[slot] = s;
    e->open++;
    sequence_append(&e->bare, s);
    *id = s->id;
    return PUNA_OK;
}

puna_status engine_find(engine *e, uint64_t id, sequence **out, puna_error *error) {
    uint32_t slot = (uint32_t)id - 1;
    if ((uint32_t)id != 0 && slot < e->slot_count && e->slots[slot] && e->slots[slot]->id == id) {
        *out = e->slots[slot];
        return PUNA_OK;
    }
    return error_set(error, PUNA_CLOSED, "sequence", "no open sequence has the id %llu", (unsigned long long)id);
}

void engine_close_sequence(engine *e, sequence *s) {
    scheduler_retire(e, s);
    sequence_remove(s);
    uint32_t slot = (uint32_t)s->id - 1;
    e->slots[slot] = NULL;
    if (slot < e->free_from) e->free_from = slot;
    e->open--;
    adapters_give(e, s->set);
    sequence_free(&e->account, e->cache, s);
}
