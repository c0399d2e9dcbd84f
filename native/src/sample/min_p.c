// SPDX-License-Identifier: Apache-2.0
#include "sample/stage.h"

puna_status min_p_check(const puna_stage *settings, puna_error *error) {
    if (settings->value >= 0 && settings->value <= 1) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, "min_p", "min_p is %g; a number from 0 (keep all) to 1 is needed",
                     (double)settings->value);
}

void min_p_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    (void)moment;
    if (settings->value > 0) candidates_keep_near(c, settings->value);
}
