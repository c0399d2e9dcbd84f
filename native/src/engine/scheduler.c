// SPDX-License-Identifier: Apache-2.0
/* Who runs: the queue, in order of asking, and when there is room for the next one. */
#include <string.h>

#include "base/os.h"
#include "engine/adapters.h"
#include "engine/beam.h"
#include "engine/draft.h"
#include "engine/drafter.h"
#include "engine/source.h"

static puna_status check_ids(const engine *e, const int32_t *ids, uint64_t count, puna_error *error) {
    if (count == 0)
        return error_set(error, PUNA_INVALID_ARGUMENT, "ids", "a generation needs at least one token before it");
    if (count >= e->options.context_length) {
        puna_status status = error_set(error, PUNA_CONTEXT_FULL, "ids",
                                       "the prompt has %llu tokens; the context of %u leaves no room for an answer: "
                                       "shorten it or raise contextLength",
                                       (unsigned long long)count, e->options.context_length);
        if (error) {
            error->needed = count + 1;
            error->available = e->options.context_length;
        }
        return status;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (ids[i] >= 0 && (uint32_t)ids[i] < e->model->hyper.vocabulary) continue;
        return error_set(error, PUNA_INVALID_ARGUMENT, "ids", "token %llu is %d; the vocabulary has 0 to %u",
                         (unsigned long long)i, ids[i], e->model->hyper.vocabulary - 1);
    }
    return PUNA_OK;
}

static puna_status constrain(engine *e, sequence *s, puna_grammar *g, puna_error *error) {
    size_t words = ((size_t)e->model->hyper.vocabulary + 63) / 64;
    s->allowed = memory_array(&e->account, words, sizeof *s->allowed);
    if (!s->allowed) return error_memory(error, "a constrained generation", words * sizeof *s->allowed);
    return matcher_create(g, e->model->tokenizer, &s->matcher, error);
}

static puna_status make_shown(engine *e, sequence *s, puna_error *error) {
    s->shown = memory_array(&e->account, e->model->hyper.vocabulary, sizeof *s->shown);
    return s->shown ? PUNA_OK : error_memory(error, "logits", e->model->hyper.vocabulary * sizeof *s->shown);
}

/* A token's bytes for the sampler; control tokens as they are spelled, rows beyond the tokenizer's vocabulary empty. */
static const char *spell(const void *context, int32_t id, size_t *length) {
    puna_token token = {.text = "", .bytes = ""};
    *length = 0;
    if (id < 0 || id >= tokenizer_size(context) || tokenizer_token(context, id, &token, NULL) != PUNA_OK) return "";
    bool control = token.kind == PUNA_TOKEN_CONTROL;
    *length = (size_t)(control ? token.text_length : token.bytes_length);
    return control ? token.text : token.bytes;
}

static puna_status begin(engine *e, sequence *s, const int32_t *ids, uint32_t count, const puna_generation *g,
                         puna_error *error) {
    memory_account *account = &e->account;
    adapter_set *set;
    sampler_model of = {(int32_t)e->model->hyper.vocabulary, e->options.context_length, e->model->tokenizer, spell};
    puna_status status = adapters_take(e, g->adapters, g->adapter_count, &set, error);
    if (status == PUNA_OK) status = sampler_create(account, g, &of, &s->sampler, error);
    if (status == PUNA_OK)
        status = stream_create(account, e->model->tokenizer, g->stops, g->stop_count, &s->stream, error);
    if (status == PUNA_OK && g->grammar) status = constrain(e, s, g->grammar, error);
    if (status == PUNA_OK && g->flags & PUNA_GENERATE_LOGITS) status = make_shown(e, s, error);
    if (status == PUNA_OK && e->options.draft_tokens && g->beams < 2 && !(g->flags & PUNA_GENERATE_NO_DRAFTS)) {
        s->lookup = lookup_new(account);
        if (!s->lookup) status = error_memory(error, "speculation", sizeof *s->lookup);
    }
    if (status == PUNA_OK && e->model->graph.source) status = source_begin(e, s, ids, count, g, error);
    else if (status == PUNA_OK) status = sequence_set_tokens(account, e->cache, s, ids, count, error);
    if (status == PUNA_OK && g->beams > 1) status = beam_begin(e, s, g, error);
    if (status == PUNA_OK) {
        adapters_adopt(e, s, set);
    } else {
        sequence_end_generation(account, s);
        adapters_give(e, set);
    }
    return status;
}

puna_status scheduler_generate(engine *e, sequence *s, const int32_t *ids, uint64_t count, const puna_generation *g,
                               puna_error *error) {
    if (s->state != SEQUENCE_IDLE)
        return error_set(error, PUNA_BUSY, "sequence",
                         "the sequence is still generating: cancel it or wait for its end");
    if (!(model_capabilities(e->model) & PUNA_CAN_GENERATE)) return model_refuse(e->model, "generate text", error);
    bool reads = e->model->graph.source;
    puna_status status = reads ? source_check(e, ids, count, g, error) : check_ids(e, ids, count, error);
    if (status == PUNA_OK && !reads && g->answer_count)
        status = error_set(error, PUNA_INVALID_ARGUMENT, "answer",
                           "this model (%s) has no encoder: an answer's beginning is the end of its ids",
                           e->model->hyper.architecture);
    if (status != PUNA_OK) return status;
    uint64_t places = (uint64_t)e->options.max_sequences + e->options.max_queue;
    uint32_t wait = sequence_requests(&e->waiting);
    if ((uint64_t)sequence_requests(&e->running) + wait + sequence_requests(&e->paused) >= places)
        return error_set(error, PUNA_BUSY, "queue", "the queue is full: %u requests wait already", wait);
    uint64_t tokens = e->model->graph.source ? (uint64_t)g->answer_count + 1 : count;
    uint64_t limit = g->max_tokens ? tokens + g->max_tokens : e->options.context_length;
    bool limited = g->max_tokens && limit <= e->options.context_length;
    if (!limited) limit = e->options.context_length;
    if (g->beams > 1) status = beam_check(e, g, limit, e->model->graph.source ? count : 0, error);
    if (status != PUNA_OK) return status;
    status = begin(e, s, ids, (uint32_t)count, g, error);
    if (status != PUNA_OK) return status;
    for (uint32_t i = s->source_count ? 1 : 0; i < s->count; i++) sampler_accept(s->sampler, s->tokens[i]);
    s->max_tokens = g->max_tokens;
    s->limited = limited;
    s->limit = (uint32_t)limit;
    s->ignores_end = g->flags & PUNA_GENERATE_IGNORE_EOS;
    s->shifts = g->flags & PUNA_GENERATE_SHIFT;
    s->keep = g->keep;
    s->dropped = 0;
    s->beam_score = 0;
    s->prompt = (uint32_t)count + (s->source_count ? g->answer_count : 0);
    s->reused = s->source_count ? (s->source_cached ? s->source_count : 0) : s->cached;
    s->generated = 0;
    draft_begin(s);
    s->order = ++e->asked;
    s->asked_ns = os_clock_ns();
    s->started_ns = s->first_ns = s->last_ns = 0;
    scheduler_requeue(e, s);
    return PUNA_OK;
}

/* Whether it may begin, or go on: what the running ones hold and still lack, for their prompts and a page more where
   they may grow, must leave it what it lacks. So a sequence that had to give up its pages does not come back only to
   lose them again. With nobody running there is room for anyone. */
static bool has_room(engine *e, const sequence *s) {
    if (!e->running.first) return true;
    uint64_t mark = cache_mark(e->cache), bytes = 0;
    for (const sequence *r = e->running.first; r; r = r->next) {
        uint32_t soon = r->limit - r->count < CACHE_PAGE ? r->limit : r->count + CACHE_PAGE;
        bytes += cache_count(e->cache, &r->pages, mark) + cache_missing(e->cache, &r->pages, soon);
        bytes += source_bytes(e, r, mark);
    }
    bytes += cache_count(e->cache, &s->pages, mark) + cache_missing(e->cache, &s->pages, s->count + 1) +
             source_bytes(e, s, mark);
    return bytes <= cache_budget(e->cache);
}

/* Beams wait for each other: where some of a search run and others can't, those who asked later give way, so that two
   searches never wait for each other's places. */
static bool makes_way(engine *e, const sequence *s) {
    sequence *last = e->running.last;
    if (!s->beams || !last || last->order <= s->order) return false;
    scheduler_requeue(e, last);
    return true;
}

void scheduler_admit(engine *e) {
    while (e->waiting.first && (e->running.count < e->options.max_sequences || makes_way(e, e->waiting.first))) {
        sequence *s = e->waiting.first;
        evict_reuse(e, s);
        if (!has_room(e, s)) {
            if (!makes_way(e, s)) return;
            continue;
        }
        sequence_remove(s);
        s->state = SEQUENCE_RUNNING;
        if (!s->started_ns) s->started_ns = os_clock_ns();
        sequence_insert(&e->running, s);
    }
}

void scheduler_requeue(engine *e, sequence *s) {
    sequence_remove(s);
    s->state = SEQUENCE_WAITING;
    s->rows = s->guesses = 0;
    sequence_insert(&e->waiting, s);
}

void scheduler_rest(engine *e, sequence *s) {
    s->used = cache_clock(e->cache);
    sequence_append(sequence_has_pages(s) ? &e->idle : &e->bare, s);
}

void scheduler_retire(engine *e, sequence *s) {
    if (s->state == SEQUENCE_IDLE) return;
    sequence_remove(s);
    if (e->drafter) drafter_drop(e, s);
    beam_free(e, s);
    sequence_end_generation(&e->account, s);
    s->state = SEQUENCE_IDLE;
    cache_truncate(e->cache, &s->pages, s->cached);
    scheduler_rest(e, s);
}
