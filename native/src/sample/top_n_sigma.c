// SPDX-License-Identifier: Apache-2.0
/* Top-n-sigma, arXiv:2411.07641: keeps the tokens within `value` standard deviations of the best one. */
#include "sample/stage.h"

puna_status top_n_sigma_check(const puna_stage *settings, puna_error *error) {
    return stage_range("top_n_sigma", settings->value, 0, 1000000, error);
}

void top_n_sigma_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    (void)moment;
    if (settings->value <= 0) return;
    double least = (double)candidates_best(c) - (double)settings->value * candidates_deviation(c);
    candidates_keep_from(c, least < -3.4e38 ? -3.402823466e38f : (float)least);
}
