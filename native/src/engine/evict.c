// SPDX-License-Identifier: Apache-2.0
/*
 * Where pages come from when the budget is used up, in this order: idle and paused sequences and the prefix index, the
 * longest unused first; sequences in the queue, the last one first; at last the running sequence that asked last, if
 * it asked later than the one in need. What is taken is computed again when it is wanted, to the same bits.
 */
#include "engine/source.h"

static void lose_pages(engine *e, sequence *s) {
    if (sequence_has_pages(s)) e->counts.evictions++;
    cache_truncate(e->cache, &s->pages, 0);
    source_lose(e, s);
    s->cached = s->remembered = 0;
    if (s->generated == 0) s->reused = 0;
}

static sequence *first_with_pages(const sequence_list *list, const sequence *but) {
    sequence *s = list->first;
    while (s && (s == but || !sequence_has_pages(s))) s = s->next;
    return s;
}

bool evict_one(engine *e, const sequence *but) {
    sequence *idle = first_with_pages(&e->idle, but), *paused = first_with_pages(&e->paused, but);
    sequence *s = !idle || (paused && paused->used < idle->used) ? paused : idle;
    uint64_t oldest = cache_oldest(e->cache);
    if (!s && oldest == UINT64_MAX) {
        for (s = e->waiting.last; s && (s == but || !sequence_has_pages(s));) s = s->previous;
    } else if (!s || oldest < s->used) {
        return cache_forget(e->cache, false);
    }
    if (!s) return cache_forget(e->cache, true);
    lose_pages(e, s);
    if (s->state == SEQUENCE_IDLE) {
        sequence_remove(s);
        sequence_append(&e->bare, s);
    }
    return true;
}

/* For its rows, and where its source was not read yet, for that. */
static puna_status extend(engine *e, sequence *s, uint32_t rows, puna_error *error) {
    puna_status status = cache_extend(e->cache, &s->pages, s->cached + rows, s->cached, error);
    if (status != PUNA_OK || !s->source_count || s->source_cached) return status;
    return cache_extend(e->cache, &s->source_pages, s->source_count, 0, error);
}

/* Whether somebody else who runs will end, and give back pages: not a search's beginnings that wait for this one. */
static bool others_go_on(const engine *e, const sequence *s) {
    for (const sequence *r = e->running.first; r; r = r->next)
        if (r != s && !r->ready) return true;
    return false;
}

puna_status evict_for(engine *e, sequence *s, uint32_t rows, puna_error *error) {
    puna_error why = PUNA_ERROR_INIT;
    cache_pass(e->cache, &s->pages, s->cached);
    while (extend(e, s, rows, &why) != PUNA_OK) {
        if (evict_one(e, s)) continue;
        sequence *last = e->running.last;
        if (s->state == SEQUENCE_RUNNING && last == s && others_go_on(e, s)) {
            lose_pages(e, s);
            scheduler_requeue(e, s);
            return PUNA_BUSY;
        }
        if (!last || last == s) {
            if (error) *error = why;
            return PUNA_OUT_OF_MEMORY;
        }
        lose_pages(e, last);
        scheduler_requeue(e, last);
    }
    return PUNA_OK;
}

void evict_reuse(engine *e, sequence *s) {
    uint32_t before = s->cached;
    if (s->source_count) return;
    s->cached = cache_recall(e->cache, s->space, s->tokens, before, s->count - 1, &s->pages);
    if (s->cached == before) return;
    s->remembered = s->cached;
    if (s->generated == 0) s->reused += s->cached - before;
}
