// SPDX-License-Identifier: Apache-2.0
/* What callers do to sequences beside generating: fork, rewind, pause, resume, choose; the shift of a full context. */
#include <string.h>

#include "engine/adapters.h"
#include "engine/beam.h"
#include "engine/source.h"

static puna_status beyond(const sequence *s, uint64_t positions, puna_error *error) {
    return error_set(error, PUNA_INVALID_ARGUMENT, "positions", "positions is %llu; the sequence has %u tokens",
                     (unsigned long long)positions, s->count);
}

puna_status sequences_fork(engine *e, const sequence *s, uint64_t positions, uint64_t *id, puna_error *error) {
    if (positions == PUNA_ALL) positions = s->count;
    if (positions > s->count) return beyond(s, positions, error);
    sequence *copy = NULL;
    puna_status status = engine_open_sequence(e, id, error);
    if (status == PUNA_OK) status = engine_find(e, *id, &copy, error);
    if (status != PUNA_OK) return status;
    uint32_t count = (uint32_t)positions, cached = count < s->cached ? cache_rewound(e->cache, count) : s->cached;
    if (count) status = sequence_set_tokens(&e->account, e->cache, copy, s->tokens, count, error);
    if (status == PUNA_OK) status = cache_fork(e->cache, &s->pages, &copy->pages, cached, error);
    if (status == PUNA_OK) status = source_share(e, s, copy, error);
    if (status != PUNA_OK) {
        engine_close_sequence(e, copy);
        *id = 0;
        return status;
    }
    copy->space = s->space;
    copy->set = adapters_share(s->set);
    copy->cached = cache_reaches(e->cache, &copy->pages, cached) ? cached : 0;
    if (!copy->cached) cache_truncate(e->cache, &copy->pages, 0);
    copy->remembered = s->remembered < copy->cached ? s->remembered : copy->cached / CACHE_PAGE * CACHE_PAGE;
    sequence_remove(copy);
    scheduler_rest(e, copy);
    return PUNA_OK;
}

puna_status sequences_rewind(engine *e, sequence *s, uint64_t positions, puna_error *error) {
    if (positions > s->count) return beyond(s, positions, error);
    if (s->state != SEQUENCE_IDLE)
        return error_set(error, PUNA_BUSY, "sequence",
                         "the sequence is still generating: cancel it or wait for its end");
    s->count = (uint32_t)positions;
    sequence_cut(e->cache, s, s->count);
    sequence_remove(s);
    scheduler_rest(e, s);
    return PUNA_OK;
}

static void pause_one(engine *e, sequence *s) {
    sequence_remove(s);
    s->state = SEQUENCE_PAUSED;
    s->used = cache_clock(e->cache);
    s->rows = s->guesses = 0;
    sequence_append(&e->paused, s);
}

void sequences_pause(engine *e, sequence *s) {
    if (s->cancelled || (s->state != SEQUENCE_WAITING && s->state != SEQUENCE_RUNNING)) return;
    uint32_t live = s->beams ? s->beams->live : 0;
    for (uint32_t i = 0; i < live; i++) pause_one(e, s->beams->members[i]);
    if (!live) pause_one(e, s);
}

void sequences_resume(engine *e, sequence *s) {
    if (s->state != SEQUENCE_PAUSED) return;
    uint32_t live = s->beams ? s->beams->live : 0;
    for (uint32_t i = 0; i < live; i++) scheduler_requeue(e, s->beams->members[i]);
    if (!live) scheduler_requeue(e, s);
}

puna_status sequences_choose(engine *e, sequence *s, const float *logits, uint64_t count, puna_error *error) {
    static const sampler_blame blame = {"the logits that were handed in", "they may be numbers and -inf"};
    uint32_t vocabulary = e->model->hyper.vocabulary;
    if (!s->asks)
        return error_set(error, PUNA_INVALID_ARGUMENT, "sequence", "no logits of this sequence wait for a choice");
    if (logits && count != vocabulary)
        return error_set(error, PUNA_INVALID_ARGUMENT, "count", "count is %llu; the vocabulary has %u tokens",
                         (unsigned long long)count, vocabulary);
    puna_status status = logits ? sampler_check_row(logits, vocabulary, &blame, error) : PUNA_OK;
    if (status != PUNA_OK) return status;
    if (logits) memcpy(s->shown, logits, vocabulary * sizeof *logits);
    s->asks = false;
    s->chosen = true;
    return PUNA_OK;
}

void sequences_shift(engine *e, sequence *s) {
    uint32_t keep = s->keep < s->count - 2 ? s->keep : s->count - 2, lost = (s->count - keep + 1) / 2;
    memmove(s->tokens + keep, s->tokens + keep + lost, (s->count - keep - lost) * sizeof *s->tokens);
    s->count -= lost;
    s->dropped += lost;
    sequence_cut(e->cache, s, keep);
    if (s->lookup) lookup_forget(s->lookup);
    uint64_t limit = s->max_tokens ? (uint64_t)s->count + s->max_tokens - s->generated : e->options.context_length;
    s->limited = s->max_tokens && limit <= e->options.context_length;
    s->limit = s->limited ? (uint32_t)limit : e->options.context_length;
}
