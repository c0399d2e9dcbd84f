// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "sample/stage.h"

/* Below this a quotient might overflow, and the best one's probability is 1 anyway. */
#define TEMPERATURE_LEAST 1e-30f

puna_status temperature_check(const puna_stage *settings, puna_error *error) {
    if (isfinite(settings->value) && settings->value >= 0) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, "temperature",
                     "temperature is %g; a finite number, 0 or more, is needed", (double)settings->value);
}

void temperature_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    (void)moment;
    if (settings->value < TEMPERATURE_LEAST) candidates_keep(c, 1);
    else if (settings->value != 1) candidates_divide(c, settings->value);
}
