// SPDX-License-Identifier: Apache-2.0
#include "engine/beam_past.h"

#include <string.h>

static bool grow(memory_account *account, void **array, uint32_t steps, size_t each) {
    size_t bytes;
    void *grown = memory_multiply(steps, each, &bytes) ? memory_grow(account, *array, bytes) : NULL;
    if (grown) *array = grown;
    return grown != NULL;
}

puna_status beam_past_reserve(memory_account *account, beam_past *p, uint32_t step, puna_error *error) {
    if (step < p->steps) return PUNA_OK;
    uint32_t steps = p->steps ? p->steps * 2 : 32;
    size_t best = (size_t)p->width * p->top * sizeof *p->best;
    if (grow(account, (void **)&p->links, steps, p->width * sizeof *p->links) &&
        grow(account, (void **)&p->way, steps, sizeof *p->way) &&
        (!p->top || grow(account, (void **)&p->best, steps, best))) {
        p->steps = steps;
        return PUNA_OK;
    }
    return error_memory(error, "beams", steps * (best + p->width * sizeof *p->links));
}

void beam_past_free(memory_account *account, beam_past *p) {
    memory_free(account, p->links);
    memory_free(account, p->best);
    memory_free(account, p->way);
    *p = (beam_past){0};
}

static beam_link *link_of(const beam_past *p, uint32_t step, uint32_t i) {
    return &p->links[(size_t)step * p->width + i];
}

static puna_logprob *best_of(const beam_past *p, uint32_t step, uint32_t i) {
    return p->best + ((size_t)step * p->width + i) * p->top;
}

void beam_past_link(beam_past *p, uint32_t step, uint32_t i, uint32_t parent, float logprob) {
    *link_of(p, step, i) = (beam_link){parent, logprob, 0};
}

void beam_past_best(beam_past *p, uint32_t step, uint32_t i, const puna_logprob *candidates, uint32_t found) {
    uint32_t count = found < p->top ? found : p->top;
    link_of(p, step, i)->found = count;
    if (count) memcpy(best_of(p, step, i), candidates, count * sizeof *candidates);
}

void beam_past_follow(beam_past *p, uint32_t step, uint32_t i) {
    for (uint32_t s = step + 1; s-- > 0;) {
        p->way[s] = i;
        i = link_of(p, s, i)->parent;
    }
}

void beam_past_tell(const beam_past *p, uint32_t step, float last, uint32_t k, sampler_choice *choice) {
    choice->logprob = k == step ? last : link_of(p, k + 1, p->way[k + 1])->logprob;
    choice->top_count = link_of(p, k, p->way[k])->found;
    choice->top = choice->top_count ? best_of(p, k, p->way[k]) : NULL;
}
