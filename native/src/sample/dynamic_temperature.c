// SPDX-License-Identifier: Apache-2.0
/* A temperature that follows the entropy: with H the entropy, n the number of candidates, and low, high = value -+
   range (low at least 0), T = low + (high - low) * (H / ln n)^exponent. */
#include "base/math.h"
#include "sample/stage.h"

puna_status dynamic_temperature_check(const puna_stage *s, puna_error *error) {
    puna_status status = stage_range("temperature", s->value, 0, 1e6f, error);
    if (status == PUNA_OK) status = stage_range("temperature range", s->range, 0, 1e6f, error);
    return status == PUNA_OK ? stage_range("temperature exponent", s->exponent, 0, 1000, error) : status;
}

void dynamic_temperature_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    puna_stage now = *settings;
    if (settings->range > 0) {
        candidates_sums sums = candidates_sum(c);
        if (sums.count < 2) return;
        double low = settings->value > settings->range ? (double)settings->value - (double)settings->range : 0;
        double high = (double)settings->value + (double)settings->range;
        double part = sums.entropy / math_log((double)sums.count);
        part = part < 0 ? 0 : part > 1 ? 1 : part;
        now.value = (float)(low + (high - low) * math_pow(part, (double)settings->exponent));
    }
    temperature_apply(c, &now, moment);
}
