// SPDX-License-Identifier: Apache-2.0
/*
 * The choice of experts, for one token. One piece of portable C for all tiers: an expert more or less is no rounding
 * error, so the order of operations is part of the contract (docs/numerics.md, rule 9).
 *
 * 1. Scores. SOFTMAX: m = the largest logit; e[i] = exp(x[i] - m); the sum in 16 lanes (rule 4); e[i] / sum. SIGMOID:
 *    1 / (1 + exp(-x[i])). SOFTMAX_CHOSEN: the logits.
 * 2. Choice: scores + bias. With groups only the best groups' experts: a group counts as its best expert, with
 *    SIGMOID as the sum of its best two, as in DeepSeek V2 and V3. The best come first; of equal ones the lower
 *    number.
 * 3. Weights: the scores of those chosen; SOFTMAX_CHOSEN: their softmax, the sum in order of rank. Renormalized: each
 *    is divided by 1e-20 plus their sum, added in order of rank. Then multiplied by the scale.
 */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "device/cpu/cpu_rows.h"

/* The best of those not taken yet; NaN is never better, but somebody is always chosen. */
static uint32_t best(const float *choice, const bool *taken, uint32_t count) {
    uint32_t at = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++)
        if (!taken[i] && (at == UINT32_MAX || choice[i] > choice[at])) at = i;
    return at;
}

static void softmax(float *x, uint32_t count) {
    float lanes[16] = {0}, most = x[0];
    for (uint32_t i = 1; i < count; i++) most = x[i] > most ? x[i] : most;
    for (uint32_t i = 0; i < count; i++) lanes[i % 16] += x[i] = math_expf(x[i] - most);
    float sum = math_lanes_sum(lanes);
    for (uint32_t i = 0; i < count; i++) x[i] /= sum;
}

static float group_score(const float *choice, uint32_t size, bool two) {
    float first = -INFINITY, second = -INFINITY;
    for (uint32_t i = 0; i < size; i++) {
        if (choice[i] > first) second = first, first = choice[i];
        else if (choice[i] > second) second = choice[i];
    }
    return two && size > 1 ? first + second : first;
}

/* Experts of all groups but the best are taken. */
static void keep_groups(const graph_routing *how, const float *choice, uint32_t experts, bool *taken) {
    float scores[GRAPH_MOST_EXPERTS];
    bool kept[GRAPH_MOST_EXPERTS] = {0};
    const uint32_t size = experts / how->groups;
    for (uint32_t g = 0; g < how->groups; g++)
        scores[g] = group_score(choice + g * size, size, how->scoring == GRAPH_SIGMOID);
    for (uint32_t n = 0; n < how->groups_chosen; n++) kept[best(scores, kept, how->groups)] = true;
    for (uint32_t i = 0; i < experts; i++) taken[i] = !kept[i / size];
}

static void weigh(const graph_routing *how, float *weights) {
    float sum = 0;
    if (how->scoring == GRAPH_SOFTMAX_CHOSEN) {
        const float most = weights[0];
        for (uint32_t n = 0; n < how->chosen; n++) sum += weights[n] = math_expf(weights[n] - most);
        for (uint32_t n = 0; n < how->chosen; n++) weights[n] /= sum;
    } else if (how->renormalize) {
        for (uint32_t n = 0; n < how->chosen; n++) sum += weights[n];
        sum += 1e-20f;
        for (uint32_t n = 0; n < how->chosen; n++) weights[n] /= sum;
    }
    for (uint32_t n = 0; n < how->chosen && how->scale > 0; n++) weights[n] *= how->scale;
}

void cpu_route(const graph_routing *how, const float *bias, uint32_t experts, const float *logits, float *out) {
    float scores[GRAPH_MOST_EXPERTS], choice[GRAPH_MOST_EXPERTS], *weights = out + how->chosen;
    bool taken[GRAPH_MOST_EXPERTS] = {0};
    memcpy(scores, logits, experts * sizeof *scores);
    if (how->scoring == GRAPH_SOFTMAX) softmax(scores, experts);
    for (uint32_t i = 0; i < experts && how->scoring == GRAPH_SIGMOID; i++)
        scores[i] = 1.0f / (1.0f + math_expf(-scores[i]));
    for (uint32_t i = 0; i < experts; i++) choice[i] = bias ? scores[i] + bias[i] : scores[i];
    if (how->groups > 1) keep_groups(how, choice, experts, taken);
    for (uint32_t n = 0; n < how->chosen; n++) {
        uint32_t expert = best(choice, taken, experts);
        taken[expert] = true;
        memcpy(&out[n], &expert, sizeof expert);
        weights[n] = scores[expert];
    }
    weigh(how, weights);
}
