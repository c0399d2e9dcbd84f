// SPDX-License-Identifier: Apache-2.0
/* Mirostat 2: keeps the tokens whose surprise, in bits, is mu at most. */
#include "sample/mirostat.h"

puna_status mirostat_2_check(const puna_stage *settings, puna_error *error) { return mirostat_check(settings, error); }

void mirostat_2_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    const mirostat_state *m = moment->memory;
    (void)settings;
    double least = (double)candidates_best(c) + candidates_sum(c).log_total - m->mu * MIROSTAT_LN2;
    candidates_keep_from(c, penalties_finite((float)least));
}

const stage_memory mirostat_2_memory = {mirostat_create, mirostat_free, mirostat_accept, mirostat_chosen};
