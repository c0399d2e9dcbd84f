// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "sample/stage.h"

puna_status penalty_check(const puna_stage *s, puna_error *error) {
    if (s->window < -1 || s->window > PENALTIES_MAX_WINDOW)
        return error_set(error, PUNA_INVALID_ARGUMENT, "penalty window",
                         "penalty window is %d; -1 (all tokens) to %d is needed", s->window, PENALTIES_MAX_WINDOW);
    if (!isfinite(s->repeat) || s->repeat <= 0)
        return error_set(error, PUNA_INVALID_ARGUMENT, "repeat penalty",
                         "repeat penalty is %g; a finite number above 0 (1: none) is needed", (double)s->repeat);
    if (!isfinite(s->frequency))
        return error_set(error, PUNA_INVALID_ARGUMENT, "frequency penalty",
                         "frequency penalty is %g; a finite number (0: none) is needed", (double)s->frequency);
    if (!isfinite(s->presence))
        return error_set(error, PUNA_INVALID_ARGUMENT, "presence penalty",
                         "presence penalty is %g; a finite number (0: none) is needed", (double)s->presence);
    return PUNA_OK;
}

void penalty_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    (void)settings;
    if (moment->memory) candidates_penalize(c, moment->memory);
}

/* Only penalties that change something need a table. */
static puna_status penalty_create(memory_account *account, const stage_setting *at, void **memory, puna_error *error) {
    const puna_stage *s = at->settings;
    if (s->window == 0 || (s->repeat == 1 && s->frequency == 0 && s->presence == 0)) return PUNA_OK;
    *memory = penalties_new(account, s, at->vocabulary);
    uint64_t window = s->window > 0 ? (uint64_t)s->window : 0;
    return *memory ? PUNA_OK : error_memory(error, "a sampler's penalties", 4 * (at->vocabulary + window));
}

static void penalty_free(memory_account *account, void *memory) { penalties_free(account, memory); }

static void penalty_accept(void *memory, int32_t id) { penalties_accept(memory, id); }

const stage_memory penalty_memory = {penalty_create, penalty_free, penalty_accept, NULL};
