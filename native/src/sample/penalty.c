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

void penalty_apply(candidates *c, const puna_stage *settings, const penalties *table) {
    (void)settings;
    if (table) candidates_penalize(c, table);
}
