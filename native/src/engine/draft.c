// SPDX-License-Identifier: Apache-2.0
#include "engine/draft.h"

/* What the coming step is expected to cost and to bring, in units of a step with one row. */
typedef struct forecast {
    float cost, tokens;
} forecast;

static forecast forecast_of(const engine *e) {
    uint32_t rows = 0;
    for (const sequence *s = e->running.first; s; s = s->next) rows += s->rows;
    return (forecast){1 + DRAFT_ROW_COST * (float)rows - DRAFT_ROW_COST, (float)rows};
}

/* Does it pay to compute a row more that brings a token with this chance? */
static bool pays(const forecast *f, float chance) {
    return chance >= DRAFT_CHANCE && chance * f->cost > DRAFT_ROW_COST * f->tokens;
}

static bool may_guess(const sequence *s) {
    return s->lookup && !s->shown && s->rows == 1 && s->generated && s->count - s->cached == 1;
}

/* Room for guesses: the last token of all is chosen, not guessed. */
static uint32_t room(const sequence *s) { return s->limit - s->count - 1; }

static void read_all(engine *e) {
    for (sequence *s = e->running.first; s; s = s->next) {
        s->guesses = 0;
        s->chance = 0;
        if (may_guess(s) && room(s) && lookup_read(&e->account, s->lookup, s->tokens, s->count))
            s->chance = lookup_chance(s->lookup, 0);
    }
}

static sequence *most_promising(const engine *e) {
    sequence *best = e->running.first;
    for (sequence *s = best; s; s = s->next)
        if (s->chance > best->chance) best = s;
    return best;
}

void draft_plan(engine *e) {
    if (!e->options.draft_tokens) return;
    forecast f = forecast_of(e);
    read_all(e);
    uint32_t left = e->options.draft_tokens;
    for (sequence *s = most_promising(e); left && s && pays(&f, s->chance); s = most_promising(e), left--) {
        f.cost += DRAFT_ROW_COST;
        f.tokens += s->chance;
        s->guesses++;
        s->chance *= s->guesses < room(s) ? lookup_chance(s->lookup, s->guesses) : 0;
    }
    int32_t *to = e->guesses;
    for (sequence *s = e->running.first; s; s = s->next) {
        if (!s->guesses) continue;
        lookup_propose(s->lookup, s->tokens, s->guesses, to);
        s->guess = to;
        s->rows += s->guesses;
        to += s->guesses;
    }
}

void draft_fit(engine *e, sequence *s) {
    if (!s->guesses) return;
    uint64_t lacks = cache_missing(e->cache, &s->pages, s->cached + s->rows);
    /* a page more of each group: one that is shared is copied */
    if (!lacks || cache_held(e->cache) + lacks + cache_bytes_for(e->cache, 1) <= cache_budget(e->cache)) return;
    s->rows -= s->guesses;
    s->guesses = 0;
}

bool draft_check(engine *e, sequence *s, int32_t id) {
    if (!s->guesses) return false;
    if (*s->guess != id) {
        s->guesses = 0;
        return false;
    }
    s->guess++;
    s->guesses--;
    s->accepted++;
    e->counts.accepted_tokens++;
    return true;
}
