// SPDX-License-Identifier: Apache-2.0
/* Who runs: the queue, reservations, and idle sequences that give up their pages. */
#include <string.h>

#include "base/os.h"
#include "engine/engine.h"

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
    sampler_model of = {(int32_t)e->model->hyper.vocabulary, e->options.context_length, e->model->tokenizer, spell};
    puna_status status = sampler_create(account, g, &of, &s->sampler, error);
    if (status == PUNA_OK)
        status = stream_create(account, e->model->tokenizer, g->stops, g->stop_count, &s->stream, error);
    if (status == PUNA_OK && g->grammar) status = constrain(e, s, g->grammar, error);
    if (status == PUNA_OK) status = sequence_set_tokens(account, e->cache, s, ids, count, error);
    if (status != PUNA_OK) sequence_end_generation(account, s);
    return status;
}

puna_status scheduler_generate(engine *e, sequence *s, const int32_t *ids, uint64_t count, const puna_generation *g,
                               puna_error *error) {
    if (s->state != SEQUENCE_IDLE)
        return error_set(error, PUNA_BUSY, "sequence",
                         "the sequence is still generating: cancel it or wait for its end");
    puna_status status = check_ids(e, ids, count, error);
    if (status != PUNA_OK) return status;
    uint64_t places = (uint64_t)e->options.max_sequences + e->options.max_queue;
    if (e->running.count + e->waiting.count >= places)
        return error_set(error, PUNA_BUSY, "queue", "the queue is full: %u requests wait already", e->waiting.count);
    status = begin(e, s, ids, (uint32_t)count, g, error);
    if (status != PUNA_OK) return status;
    for (uint64_t i = 0; i < count; i++) sampler_accept(s->sampler, ids[i]);
    uint64_t limit = g->max_tokens ? count + g->max_tokens : e->options.context_length;
    s->limited = g->max_tokens && limit <= e->options.context_length;
    s->limit = s->limited ? (uint32_t)limit : e->options.context_length;
    s->ignores_end = g->flags & PUNA_GENERATE_IGNORE_EOS;
    s->prompt = (uint32_t)count;
    s->reused = s->cached;
    s->generated = 0;
    s->reserved = cache_bytes_for(e->cache, s->limit);
    s->asked_ns = os_clock_ns();
    s->started_ns = s->first_ns = s->last_ns = 0;
    sequence_remove(&e->idle, s);
    s->state = SEQUENCE_WAITING;
    sequence_append(&e->waiting, s);
    return PUNA_OK;
}

/* Bytes that idle or waiting sequences hold; a waiting one's own pages are part of what it reserves. */
static uint64_t held(const sequence_list *list, const cache *c, const sequence *but) {
    uint64_t bytes = 0;
    for (const sequence *s = list->first; s; s = s->next)
        if (s != but && s->cached) bytes += cache_bytes_for(c, s->cached);
    return bytes;
}

/* Takes pages from the oldest until `excess` bytes came back or none holds any; what is still missing. */
static uint64_t evict(engine *e, sequence_list *list, const sequence *but, uint64_t excess) {
    for (sequence *s = list->first; s && excess; s = s->next) {
        if (s == but || s->cached == 0) continue;
        uint64_t bytes = cache_bytes_for(e->cache, s->cached);
        cache_truncate(e->cache, &s->pages, 0);
        s->cached = s->reused = 0;
        e->counts.evictions++;
        excess -= bytes < excess ? bytes : excess;
    }
    return excess;
}

bool scheduler_make_room(engine *e, const sequence *s) {
    uint64_t budget = cache_budget(e->cache), wanted = e->reserved + s->reserved;
    if (wanted > budget) return false;
    wanted += held(&e->idle, e->cache, s) + held(&e->waiting, e->cache, s);
    uint64_t excess = wanted > budget ? wanted - budget : 0;
    return evict(e, &e->waiting, s, evict(e, &e->idle, s, excess)) == 0;
}

void scheduler_admit(engine *e) {
    while (e->waiting.first && e->running.count < e->options.max_sequences) {
        sequence *s = e->waiting.first;
        if (!scheduler_make_room(e, s)) return;
        sequence_remove(&e->waiting, s);
        s->state = SEQUENCE_RUNNING;
        s->started_ns = os_clock_ns();
        e->counts.prefix_hit_tokens += s->reused; /* none can be taken from it any more */
        e->reserved += s->reserved;
        sequence_append(&e->running, s);
    }
}

void scheduler_retire(engine *e, sequence *s) {
    if (s->state == SEQUENCE_RUNNING) {
        e->reserved -= s->reserved;
        sequence_remove(&e->running, s);
    } else if (s->state == SEQUENCE_WAITING) {
        sequence_remove(&e->waiting, s);
    } else {
        return;
    }
    sequence_end_generation(&e->account, s);
    s->state = SEQUENCE_IDLE;
    sequence_append(&e->idle, s);
}
