// SPDX-License-Identifier: Apache-2.0
#include "engine/draft.h"

#include "engine/drafter.h"

#define MEMORY 32.0f   /* guesses of a draft model that a sequence remembers */
#define BELIEF 4.0f    /* that it begins with */
#define TRUST 0.7f     /* how many of those were right */
#define SURE 0.75f     /* a lookup's chance that makes asking a draft model idle */
#define TRY_AGAIN 32u  /* tokens after which a draft model that does not pay is asked once more */

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
static bool pays(const forecast *f, float chance, float cost) {
    return chance >= DRAFT_CHANCE && chance * f->cost > cost * f->tokens;
}

static bool may_guess(const sequence *s) {
    return s->lookup && !s->shown && s->rows == 1 && s->generated && s->count - s->cached == 1;
}

/* Room for guesses: the last token of all is chosen, not guessed. */
static uint32_t room(const sequence *s) { return s->limit - s->count - 1; }

/* The chance of guess `index`, if those before it are right. */
static float chance_of(const sequence *s, uint32_t index) {
    if (s->asks_drafter) return s->draft_right / s->draft_guesses;
    return lookup_chance(s->lookup, index);
}

static uint32_t most_guesses(const engine *e, const sequence *s) {
    uint32_t most = room(s), reach = s->asks_drafter ? drafter_reach(e, s) : most;
    return most < reach ? most : reach;
}

/* Who guesses for whom. */
static void read_all(engine *e) {
    for (sequence *s = e->running.first; s; s = s->next) {
        s->guesses = s->ahead = 0;
        s->chance = 0;
        s->asks_drafter = false;
        if (!may_guess(s) || !room(s)) continue;
        lookup_read(&e->account, s->lookup, s->tokens, s->count);
        s->asks_drafter = e->drafter && lookup_chance(s->lookup, 0) < SURE;
        s->chance = most_guesses(e, s) ? chance_of(s, 0) : 0;
    }
}

static sequence *most_promising(const engine *e) {
    sequence *best = e->running.first;
    for (sequence *s = best; s; s = s->next)
        if (s->chance > best->chance) best = s;
    return best;
}

/* A row more where that promises most. */
static bool guess_once(engine *e, forecast *f) {
    sequence *s = most_promising(e);
    if (!s || s->chance <= 0) return false;
    float cost = DRAFT_ROW_COST + (s->asks_drafter ? drafter_cost(e) : 0);
    bool again = s->asks_drafter && !s->guesses && s->generated % TRY_AGAIN == 0;
    if (!pays(f, s->chance, cost) && !again && s->guesses >= e->options.draft_least) {
        s->chance = 0;
        return e->drafter || e->options.draft_least; /* others' guesses may cost less */
    }
    f->cost += cost;
    f->tokens += s->chance;
    s->guesses++;
    s->chance *= s->guesses < most_guesses(e, s) ? chance_of(s, s->guesses) : 0;
    return true;
}

void draft_plan(engine *e) {
    uint32_t most = e->options.draft_tokens, all = 0;
    if (!most) return;
    forecast f = forecast_of(e);
    read_all(e);
    for (bool more = true; more && all < most;) {
        more = guess_once(e, &f);
        all = 0;
        for (const sequence *s = e->running.first; s; s = s->next) all += s->guesses;
    }
    int32_t *to = e->guesses;
    for (sequence *s = e->running.first; s; s = s->next) {
        s->asks_drafter = s->asks_drafter && s->guesses;
        s->guess = to;
        to += s->guesses;
        if (s->guesses && !s->asks_drafter) lookup_propose(s->lookup, s->tokens, s->guesses, s->guess);
    }
    if (e->drafter) drafter_guess(e);
    for (sequence *s = e->running.first; s; s = s->next) s->rows += s->guesses;
}

void draft_fit(engine *e, sequence *s) {
    if (!s->guesses) return;
    uint64_t lacks = cache_missing(e->cache, &s->pages, s->cached + s->rows);
    /* a page more of each group: one that is shared is copied */
    if (!lacks || cache_held(e->cache) + lacks + cache_bytes_for(e->cache, 1) <= cache_budget(e->cache)) return;
    s->rows -= s->guesses;
    s->guesses = s->ahead = 0;
}

static void learn(sequence *s, bool right) {
    if (s->draft_guesses >= MEMORY) {
        s->draft_right *= (MEMORY - 1) / MEMORY;
        s->draft_guesses = MEMORY - 1;
    }
    s->draft_right += right ? 1 : 0;
    s->draft_guesses += 1;
}

void draft_begin(sequence *s) {
    s->drafted = s->accepted = 0;
    s->draft_guesses = BELIEF;
    s->draft_right = BELIEF * TRUST;
}

bool draft_check(engine *e, sequence *s, int32_t id) {
    if (!s->guesses) return false;
    bool right = *s->guess == id;
    if (s->asks_drafter) learn(s, right);
    if (!right) {
        s->guesses = s->ahead = 0;
        return false;
    }
    s->guess++;
    s->guesses--;
    s->accepted++;
    e->counts.accepted_tokens++;
    if (s->ahead) {
        s->ahead--;
        s->draft_cached++;
    }
    return true;
}
