// SPDX-License-Identifier: Apache-2.0
/* What a set comes to. */
#include "sample/candidates_look.h"

candidates_sums candidates_sum(candidates *c) {
    float best = candidates_best(c);
    candidates_sums sums = {0};
    for (uint32_t i = 0; i < candidates_places(c); i++) {
        uint64_t key = candidates_at(c, i);
        if (!key) continue;
        sums.count++;
        float below = candidates_value(key) - best;
        if (below < -28.0f) continue;
        float weight = math_expf(below) * CANDIDATES_UNITS;
        sums.weight += (uint64_t)weight;
        sums.surprise += (uint64_t)(weight * -below);
    }
    sums.log_total = math_log((double)sums.weight / CANDIDATES_UNITS);
    sums.entropy = sums.log_total + (double)sums.surprise / (double)sums.weight;
    return sums;
}

double candidates_deviation(candidates *c) {
    uint32_t places = candidates_places(c), count = 0;
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < places; i++) {
        uint64_t key = candidates_at(c, i);
        if (!key) continue;
        sum += (double)candidates_value(key);
        count++;
    }
    double mean = sum / count;
    for (uint32_t i = 0; i < places; i++) {
        uint64_t key = candidates_at(c, i);
        double d = key ? (double)candidates_value(key) - mean : 0;
        squares += d * d;
    }
    return sqrt(squares / count);
}
