// SPDX-License-Identifier: Apache-2.0
/*
 * Adaptive-p: tokens whose probability is near a target become the likely ones, and the target moves against the
 * probabilities that were chosen lately: with their decaying mean m (it begins at the target), aim at 2 * value - m,
 * within 0 to 1. What a value becomes stands in candidates.h.
 */
#include <string.h>

#include "base/math.h"
#include "sample/stage.h"

typedef struct adaptive_p_state {
    double sum, weight; /* of decaying probabilities, and of 1 for each */
    double decay;
    candidates before;  /* the set before values were made anew: the chosen token's probability is looked up there */
    candidates_aim aim;
    int32_t chosen;
    float share;
} adaptive_p_state;

puna_status adaptive_p_check(const puna_stage *s, puna_error *error) {
    puna_status status = stage_range("adaptive_p target", s->value, 0, 1, error);
    return status == PUNA_OK ? stage_range("adaptive_p decay", s->decay, 0, 0.99f, error) : status;
}

/* A listed set is copied as far as it is filled. */
static void adaptive_p_keep(candidates *to, const candidates *from) {
    memcpy(to, from, offsetof(candidates, list));
    if (from->listed) memcpy(to->list, from->list, from->length * sizeof *from->list);
}

void adaptive_p_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    adaptive_p_state *a = moment->memory;
    double target = 2 * (double)settings->value - a->sum / a->weight;
    a->aim = (candidates_aim){candidates_best(c), (float)((double)candidates_sum(c).weight * 0x1p-40),
                              (float)(target < 0 ? 0 : target > 1 ? 1 : target)};
    adaptive_p_keep(&a->before, c);
    candidates_aim_at(c, &a->aim);
}

static puna_status adaptive_p_create(memory_account *account, const stage_setting *at, void **memory,
                                     puna_error *error) {
    adaptive_p_state *a = memory_new(account, sizeof *a);
    if (!a) return error_memory(error, "a sampler's adaptive-p", sizeof *a);
    a->decay = (double)at->settings->decay;
    a->weight = 1 / (1 - a->decay);
    a->sum = (double)at->settings->value * a->weight;
    a->chosen = -1;
    *memory = a;
    return PUNA_OK;
}

static void adaptive_p_free(memory_account *account, void *memory) { memory_free(account, memory); }

static void adaptive_p_chosen(void *memory, int32_t id, double surprise) {
    adaptive_p_state *a = memory;
    float value;
    (void)surprise;
    a->chosen = candidates_find(&a->before, (uint32_t)id, &value) ? id : -1;
    a->share = a->chosen == id ? candidates_share(&a->aim, value) : 0;
}

static void adaptive_p_accept(void *memory, int32_t id) {
    adaptive_p_state *a = memory;
    if (a->chosen == id) {
        a->sum = (double)a->share + a->decay * a->sum;
        a->weight = 1 + a->decay * a->weight;
    }
    a->chosen = -1;
}

const stage_memory adaptive_p_memory = {adaptive_p_create, adaptive_p_free, adaptive_p_accept, adaptive_p_chosen};
