// SPDX-License-Identifier: Apache-2.0
/*
 * DRY ("don't repeat yourself"): where the last L tokens were there before, the token that followed them then costs
 * value * base^(L - allowed_length), for L >= allowed_length; the longest L counts. No repetition reaches over a
 * breaker: L is at most the number of tokens behind the one in which a breaker's text last ended.
 *
 * How far each earlier place repeats the end is found for all places at once (the Z algorithm, read backwards): linear
 * in the window, however repetitive.
 */
#include <string.h>

#include "base/math.h"
#include "sample/dry_breakers.h"

typedef struct dry_state {
    uint32_t vocabulary, window, allowed;
    int32_t *history;   /* room for two windows: the last one is moved to the front when it is full */
    uint32_t count;
    uint32_t since;     /* tokens accepted behind the last breaker */
    uint32_t *matches;  /* [window]: scratch */
    uint32_t *longest;  /* [vocabulary]: all 0 between two uses */
    additions *costs;   /* at most one a place of the window */
    dry_breakers *breakers;
} dry_state;

puna_status dry_check(const puna_stage *s, puna_error *error) {
    puna_status status = stage_range("dry multiplier", s->value, 0, 1e6f, error);
    if (status == PUNA_OK) status = stage_range("dry base", s->base, 1, 1e6f, error);
    if (status != PUNA_OK) return status;
    if (s->allowed_length < 1 || s->allowed_length > PENALTIES_MAX_WINDOW)
        return error_set(error, PUNA_INVALID_ARGUMENT, "dry allowed length",
                         "dry allowed length is %d; 1 to %d is needed", s->allowed_length, PENALTIES_MAX_WINDOW);
    if (s->window >= -1 && s->window <= PENALTIES_MAX_WINDOW) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, "dry window",
                     "dry window is %d; -1 (the whole context) to %d is needed", s->window, PENALTIES_MAX_WINDOW);
}

static void dry_free(memory_account *account, void *memory) {
    dry_state *d = memory;
    memory_free(account, d->history);
    memory_free(account, d->matches);
    memory_free(account, d->longest);
    additions_free(account, d->costs);
    dry_breakers_free(account, d->breakers);
    memory_free(account, d);
}

static puna_status dry_create(memory_account *account, const stage_setting *at, void **memory, puna_error *error) {
    const puna_stage *s = at->settings;
    if (s->value == 0 || s->window == 0) return PUNA_OK;
    uint32_t whole = at->model->context < PENALTIES_MAX_WINDOW ? at->model->context : PENALTIES_MAX_WINDOW;
    uint32_t window = s->window > 0 && (uint32_t)s->window < whole ? (uint32_t)s->window : whole;
    dry_state *d = memory_new(account, sizeof *d);
    if (!d) return error_memory(error, "a sampler's DRY", sizeof *d);
    d->vocabulary = at->vocabulary;
    d->window = window;
    d->allowed = (uint32_t)s->allowed_length;
    d->history = memory_array(account, (size_t)window * 2, sizeof *d->history);
    d->matches = memory_array(account, window, sizeof *d->matches);
    d->longest = memory_array(account, d->vocabulary, sizeof *d->longest);
    d->costs = additions_new(account, d->vocabulary, window < d->vocabulary ? window : d->vocabulary);
    puna_status status = d->history && d->matches && d->longest && d->costs
        ? dry_breakers_create(account, at->generation, at->model, &d->breakers, error)
        : error_memory(error, "a sampler's DRY", 20 * (uint64_t)window + 4 * (uint64_t)d->vocabulary);
    if (status == PUNA_OK) *memory = d;
    else dry_free(account, d);
    return status;
}

static void dry_accept(void *memory, int32_t id) {
    dry_state *d = memory;
    if (d->count == d->window * 2) {
        memcpy(d->history, d->history + d->window, d->window * sizeof *d->history);
        d->count = d->window;
    }
    d->history[d->count++] = id;
    d->since++;
    if (dry_breakers_accept(d->breakers, id)) d->since = 0;
}

/* matches[k] for k from 1: how many tokens before the last k equal the last ones, limit at most. */
static void dry_match(const dry_state *d, const int32_t *last, uint32_t n, uint32_t limit) {
    uint32_t left = 0, right = 0; /* the match that reaches furthest back: [left, right) */
    for (uint32_t k = 1; k < n; k++) {
        uint32_t m = k < right ? d->matches[k - left] : 0;
        if (k >= right || m >= right - k) {
            m = k < right ? right - k : 0;
            while (m < limit && k + m < n && last[-(int64_t)m] == last[-(int64_t)(k + m)]) m++;
            left = k;
            right = k + m;
        }
        d->matches[k] = m;
    }
}

void dry_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    dry_state *d = moment->memory;
    if (!d) return;
    uint32_t n = d->count < d->window ? d->count : d->window, limit = d->since < n ? d->since : n;
    if (n <= d->allowed || limit < d->allowed) return;
    const int32_t *last = d->history + d->count - 1;
    dry_match(d, last, n, limit);
    additions_clear(d->costs);
    for (uint32_t k = 1; k < n; k++) {
        int32_t id = last[-(int64_t)(k - 1)];
        if (d->matches[k] < d->allowed || id < 0 || (uint32_t)id >= d->vocabulary) continue;
        if (!d->longest[id]) additions_put(d->costs, id, 0);
        if (d->longest[id] < d->matches[k]) d->longest[id] = d->matches[k];
    }
    if (d->costs->count == 0) return;
    for (uint32_t i = 0; i < d->costs->count; i++) {
        puna_bias *one = &d->costs->list[i];
        double over = (double)(d->longest[one->id] - d->allowed);
        double cost = over * math_log((double)settings->base) > 700 ? 1e300 : math_pow((double)settings->base, over);
        cost *= (double)settings->value;
        one->value = cost > 3e38 ? -3e38f : -(float)cost;
        d->longest[one->id] = 0;
    }
    additions_close(d->costs);
    candidates_add_to(c, d->costs);
}

const stage_memory dry_memory = {dry_create, dry_free, dry_accept, NULL};
