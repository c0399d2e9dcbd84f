// SPDX-License-Identifier: Apache-2.0
/* Exclude top choices: with probability `value`, of the tokens with probability `threshold` at least all but the least
   probable one are dropped. Above one half there can't be two of them. */
#include "sample/stage.h"

puna_status xtc_check(const puna_stage *settings, puna_error *error) {
    puna_status status = stage_range("xtc probability", settings->value, 0, 1, error);
    return status == PUNA_OK ? stage_range("xtc threshold", settings->threshold, 0, 1, error) : status;
}

void xtc_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    double chance = (double)(moment->draw >> 11) * 0x1p-53;
    if (settings->threshold <= 0.5f && chance < (double)settings->value) candidates_drop_top(c, settings->threshold);
}
