// SPDX-License-Identifier: Apache-2.0
/* Locally typical sampling, arXiv:2202.00666: keeps the tokens whose surprise is nearest to the entropy, until their
   probabilities reach `value`. A surprise is log_total + best - v, so that nearness is one to a value. */
#include "sample/stage.h"

puna_status typical_check(const puna_stage *settings, puna_error *error) {
    return stage_range("typical", settings->value, 0, 1, error);
}

void typical_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    (void)moment;
    if (settings->value >= 1) return;
    candidates_sums sums = candidates_sum(c);
    double centre = (double)candidates_best(c) + (sums.log_total - sums.entropy);
    candidates_keep_centre(c, penalties_finite((float)centre), settings->value);
}
