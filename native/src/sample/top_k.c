// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "sample/stage.h"

puna_status top_k_check(const puna_stage *settings, puna_error *error) {
    float k = settings->value;
    if (k >= 0 && k <= 2147483648.0f && k == floorf(k)) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, "top_k",
                     "top_k is %g; a whole number from 0 (keep all) to 2147483648 is needed", (double)k);
}

void top_k_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    (void)moment;
    if (settings->value > 0) candidates_keep(c, (uint64_t)settings->value);
}
