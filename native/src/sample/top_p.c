// SPDX-License-Identifier: Apache-2.0
#include "sample/stage.h"

puna_status top_p_check(const puna_stage *settings, puna_error *error) {
    if (settings->value >= 0 && settings->value <= 1) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, "top_p", "top_p is %g; a number from 0 to 1 (keep all) is needed",
                     (double)settings->value);
}

void top_p_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    (void)moment;
    if (settings->value < 1) candidates_keep_share(c, settings->value);
}
